# SPDX-License-Identifier: Apache-2.0
"""Values spelled in boxes whose blanks are wider than those within a value."""

from __future__ import annotations

import pytest

from idp.extract.spelled import spelled
from idp.extract.tables_lines import Token
from idp.values import Kind
from tests.unit.pages import page
from tests.unit.test_extract_boxes import comb
from tests.unit.test_extract_structure import REQUEST, read


def tokens(*words: str) -> list[Token]:
    """Words one beside the other, each in boxes."""
    return [
        Token(word, 100.0 * i, 0.0, 100.0 * i + 60, 20.0, 1, (i,), 0.9, boxed=True)
        for i, word in enumerate(words)
    ]


@pytest.mark.parametrize(
    ("kind", "words", "written"),
    [
        (Kind.DATE, ("09", "08", "1947"), "09/08/1947"),
        (Kind.DATE, ("04-", "0", "5", "1990"), "04/05/1990"),
        (Kind.PHONE, ("723", "763|-|0668"), "7237630668"),
        (Kind.EMAIL, ("tquill@mail", "example", "net"), "tquill@mail.example.net"),
    ],
)
def test_boxes_spell_one_value(kind: Kind, words: tuple[str, ...], written: str) -> None:
    assert spelled(kind, tokens(*words)) == written


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.DATE, ("09", "08")),
        (Kind.DATE, ("19", "47", "2081")),
        (Kind.PHONE, ("723", "763")),
        (Kind.EMAIL, ("tquill", "example", "net")),
        (Kind.NPI, ("12345", "67890")),
    ],
)
def test_what_has_not_the_shape_is_no_value(kind: Kind, words: tuple[str, ...]) -> None:
    assert spelled(kind, tokens(*words)) is None


def test_a_date_in_three_combs_far_apart_is_one_date() -> None:
    sheet = page("""
PATIENT INFORMATION
Patient Name: Tess Quillfeather
Date of Birth
09       08       1947
""")
    combs = (comb(sheet, 3, 0, "09", 2), comb(sheet, 3, 9, "08", 2), comb(sheet, 3, 18, "1947", 4))
    found = read(sheet.model_copy(update={"combs": combs}), REQUEST)
    assert found["patient_dob"] == ["1947-09-08"]

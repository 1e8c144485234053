# SPDX-License-Identifier: Apache-2.0
"""A place to sign counts as signed when there is ink at it, and only then."""

from __future__ import annotations

import pytest

from idp.document import Block, Box, DocumentType
from idp.extract.signatures import signatures
from idp.extract.structure import StructureSource
from idp.schemas import load_lexicon, load_schemas
from tests.unit.pages import COLUMNS, ROWS, page

SCHEMAS = load_schemas()
STRUCTURE = StructureSource(tuple(SCHEMAS.values()), load_lexicon())
FORM = """
Patient name: Jane Roe

Requesting provider signature:                         Date: 03/11/2026
"""


def ink(row: float, column: float, width: float = 14) -> Block:
    left, top = (column + 4) / COLUMNS, (row + 2) / ROWS
    box = Box(left, top - 0.3 / ROWS, left + width / COLUMNS, top + 1.1 / ROWS)
    return Block(kind="ink", box=box)


def signed(text: str, *blocks: Block, kind: str = "prior_auth_request") -> list[str]:
    schema = SCHEMAS[DocumentType(kind)]
    sheet = page(text).model_copy(update={"blocks": blocks})
    _, readings = STRUCTURE.read([sheet], schema)
    return [c.value for reading in readings for c in signatures(reading, schema)]


def test_ink_right_of_the_label_is_a_signature() -> None:
    assert "yes" in signed(FORM, ink(2, 34))


@pytest.mark.parametrize("block", [ink(2, 72), ink(20, 34), ink(0, 60)])
def test_ink_elsewhere_is_none(block: Block) -> None:
    assert signed(FORM, block) == []


def test_an_empty_place_is_not_signed() -> None:
    assert signed(FORM) == []


def test_letters_made_of_a_scrawl_are_a_signature() -> None:
    assert signed(FORM.replace("signature:  ", "signature:ww")) == ["yes"]


def test_a_letter_is_signed_under_its_closing() -> None:
    letter = """
I am referring this patient for evaluation.

Sincerely,



Avery Quill, MD
"""
    assert signed(letter, ink(4, 0), kind="referral") == ["yes"]
    assert signed(letter, kind="referral") == []

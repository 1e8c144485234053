# SPDX-License-Identifier: Apache-2.0
"""Empty places on forms: labels on one line and on two, beside and above other labels."""

from __future__ import annotations

import pytest

from idp.phrases import fold
from idp.validate.blanks import Place, Places
from tests.unit.pages import page

LABELS = (
    *("date of referral", "referral priority", "payer", "member id", "facility", "hcpcs"),
    *("requesting provider or facility", "planned service or procedure", "patient information"),
)
KNOWN = frozenset(fold(label) for label in LABELS)


def look(text: str, label: str) -> Place | None:
    return Places([page(text)], KNOWN).look([label])


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("DATE OF\nREFERRAL:\nPATIENT INFORMATION", False),
        ("DATE OF             REFERRAL\nREFERRAL:           PRIORITY:   Routine", False),
        ("DATE OF\nREFERRAL: 03/18/2026", True),
        ("DATE OF             03/18/2026\nREFERRAL:", True),
        ("DATE OF\nREFERRAL\n03/18/2026", True),
    ],
)
def test_a_label_on_two_lines_is_one_label(text: str, answered: bool) -> None:
    place = look(text, "date of referral")
    assert place is not None and place.answered is answered
    assert place.label.lower().startswith("date of referral")


def test_the_second_half_of_a_label_is_no_label_of_its_own() -> None:
    text = "REQUESTING PROVIDER OR      Jessica Russell, DO\nFACILITY\nNPI  1234567893"
    assert look(text, "facility") is None
    whole = look(text, "requesting provider or facility")
    assert whole is not None and whole.answered


def test_two_labels_one_below_the_other_are_two() -> None:
    place = look("PAYER:\nMEMBER ID: ABC123", "payer")
    assert place is not None and not place.answered


def test_another_label_with_its_value_answers_nothing() -> None:
    beside = look("PAYER          MEMBER ID  DCN430014486", "payer")
    assert beside is not None and not beside.answered
    below = look("HCPCS\nPLANNED SERVICE OR PROCEDURE\nTherapeutic exercises", "hcpcs")
    assert below is not None and not below.answered


def test_a_value_that_begins_like_a_label_close_behind_one_is_its_answer() -> None:
    place = look("PAYER: Member Id Trust of Ohio", "payer")
    assert place is not None and place.answered

# SPDX-License-Identifier: Apache-2.0
"""Simulated corrections: values where they stand, and the arithmetic of the score."""

from __future__ import annotations

import pytest

from idp.document import DocumentType
from idp.schemas import load_schemas
from training.few import Tally, corrected, filled

SCHEMA = load_schemas()[DocumentType.PRIOR_AUTH_REQUEST]


def test_a_simulated_correction_marks_the_words_of_its_value() -> None:
    (one,) = filled("prior_auth_request", "heldout", 3, range(100, 101))
    said = corrected(one, SCHEMA).values
    assert len(said) > 5
    drawn = {value.field for value in one.layout.canvas.values if value.text}
    for value in said:
        page = one.pages[value.page - 1].page
        inside = [w for w in page.words if value.box.contains(w.box.cx, w.box.cy)]
        assert inside, value.field
        assert value.field in drawn


def test_scores_of_several_layouts_add_up_value_by_value() -> None:
    both = Tally(1, 2, 2).plus(Tally(3, 4, 3))
    assert both == Tally(4, 6, 5)
    assert both.f1 == pytest.approx(8 / 11)


def test_nothing_found_where_nothing_is_printed_is_no_division_by_zero() -> None:
    assert Tally().f1 == 0.0

# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the reading benchmark."""

from __future__ import annotations

import random

import pytest

from idp.document import Box
from tests.bench.reading import arithmetic as a
from tests.bench.reading.arithmetic import ReadMark, ReadWord
from tests.bench.reading.report import at_least, at_most
from training.faxes import KeyField, Segment, TrueMark, TrueWord

ASPECT = 11 / 8.5


def at(x: float, y: float, wide: float = 0.1, high: float = 0.01) -> Box:
    return Box(x, y, x + wide, y + high)


def read(text: str, box: Box, confidence: float = 0.9, line: int = 0) -> ReadWord:
    return ReadWord(text, confidence, box, line)


def slow_infix(needle: str, hay: str) -> int:
    """The definition: the best of all stretches."""
    stretches = {hay[i:j] for i in range(len(hay) + 1) for j in range(i, len(hay) + 1)}
    return min(a.distance(needle, stretch) for stretch in stretches)


@pytest.mark.parametrize(
    ("needle", "hay", "edits"),
    [
        ("NPI", "xxNPIxx", 0),
        ("NPI", "xxNPlxx", 1),
        ("1847263500", "NPI:184726350", 1),
        ("abc", "", 3),
        ("", "abc", 0),
        ("abcd", "abXcd", 1),
    ],
)
def test_infix_distance_does_not_punish_what_stands_around(
    needle: str, hay: str, edits: int
) -> None:
    assert a.infix_distance(needle, hay) == edits


def test_infix_distance_is_the_best_of_all_stretches() -> None:
    rng = random.Random(7)
    for _ in range(60):
        needle = "".join(rng.choice("ab1") for _ in range(rng.randint(1, 5)))
        hay = "".join(rng.choice("ab1") for _ in range(rng.randint(0, 8)))
        assert a.infix_distance(needle, hay) == slow_infix(needle, hay)


def test_a_segment_is_sought_in_its_row_only() -> None:
    segment = Segment("Member ID", at(0.1, 0.5, 0.2))
    right = [read("Member", at(0.1, 0.5)), read("ID", at(0.21, 0.5))]
    assert a.segment_edits(segment, right) == 0
    below = [w._replace(box=w.box._replace(y0=0.6, y1=0.61)) for w in right]
    assert a.segment_edits(segment, below) == len("MemberID")


def test_strict_edits_count_blanks_and_what_is_too_much() -> None:
    segment = Segment("Member ID", at(0.1, 0.5, 0.2))
    assert a.strict_edits(segment, [read("MemberID", at(0.1, 0.5, 0.18))]) == 1
    words = [read("Member", at(0.1, 0.5)), read("ID", at(0.21, 0.5, 0.03))]
    assert a.strict_edits(segment, words) == 0
    assert a.strict_edits(segment, [*words, read("|", at(0.27, 0.5, 0.004))]) == 2


def test_words_count_as_often_as_they_stand_there() -> None:
    true = [TrueWord(t, at(0.1, 0.1), 0, 10) for t in ("Yes", "No", "Yes")]
    assert a.same_words(true, [read("Yes", at(0.5, 0.5)), read("no", at(0.1, 0.1))]) == (1, 3)


def test_a_field_is_exact_when_nothing_else_stands_at_its_place() -> None:
    field = KeyField("npi", "NPI", "1847263500", at(0.3, 0.4))
    exact = [read("1847263500", at(0.3, 0.4))]
    assert a.field_exact(field, exact)
    joined = [read("NPI:1847263500", at(0.25, 0.4, 0.15))]
    assert not a.field_exact(field, joined)
    assert a.field_in_row(field, joined)


def test_a_word_is_right_when_its_text_is_that_of_the_word_at_its_place() -> None:
    true = [TrueWord("NPI:", at(0.1, 0.2, 0.04), 0, 10), TrueWord("18472", at(0.15, 0.2), 1, 10)]
    words = [
        read("NPI:", at(0.1, 0.2, 0.04), 0.9),
        read("1B472", at(0.15, 0.2), 0.8),
        read("noise", at(0.7, 0.9), 0.7),
        read("X", at(0.5, 0.5, 0.02), 0.6),
    ]
    judged = a.judged_words(true, words, [at(0.49, 0.49, 0.04, 0.04)])
    assert judged == [(0.9, True), (0.8, False), (0.7, False)]


@pytest.mark.parametrize("equal_mass", [True, False])
def test_calibration_error_is_the_gap_between_trust_and_truth(equal_mass: bool) -> None:
    sure = [(0.9, number % 10 != 0) for number in range(300)]
    assert a.calibration_error(sure, equal_mass=equal_mass) == pytest.approx(0, abs=0.01)
    over = [(0.99, number % 2 == 0) for number in range(300)]
    assert a.calibration_error(over, equal_mass=equal_mass) == pytest.approx(0.49, abs=0.01)
    assert a.calibration_error([], equal_mass=equal_mass) is None


def test_errors_of_opposite_signs_do_not_cancel_out() -> None:
    both = [(0.6, True)] * 70 + [(0.95, False)] * 80
    for equal_mass in (True, False):
        measured = a.calibration_error(both, equal_mass=equal_mass)
        assert measured == pytest.approx((70 * 0.4 + 80 * 0.95) / 150)


def true_mark(x: float, y: float, state: str = "unchecked") -> TrueMark:
    box = Box(x, y, x + 0.012, y + 0.012 / ASPECT)
    return TrueMark(box, state, "Yes", "box", "")  # type: ignore[arg-type]


def test_marks_are_matched_one_to_one_by_place() -> None:
    true = [true_mark(0.1, 0.1), true_mark(0.2, 0.1, "checked")]
    seen = [
        ReadMark("checked", true[1].box, "Yes"),
        ReadMark("checked", true[1].box._replace(x0=0.2005), "Yes"),
        ReadMark("unchecked", Box(0.6, 0.6, 0.612, 0.61), "No"),
    ]
    pairs, left = a.match_marks(true, seen, ASPECT)
    assert pairs[0].read is None
    assert pairs[1].read is not None
    assert pairs[1].read.state == "checked"
    assert len(left) == 2


def test_a_mark_a_side_away_is_another_mark() -> None:
    true = [true_mark(0.1, 0.1)]
    away = ReadMark("checked", true_mark(0.113, 0.1).box, "Yes")
    pairs, left = a.match_marks(true, [away], ASPECT)
    assert pairs[0].read is None
    assert left == [away]


def test_a_label_is_right_when_it_is_all_of_the_option_and_no_more() -> None:
    true = true_mark(0.1, 0.1)
    for label, right in (("Yes", True), ("yes:", True), ("Yes No", False), ("", False)):
        pair = a.MarkPair(true, ReadMark("checked", true.box, label))
        assert a.label_right(pair) is right


def test_values_are_found_in_a_line_in_the_text_or_in_parts() -> None:
    lines = ["Name: Marisol", "Quintanilla", "Address", "12 Oak St", "Apt 4"]
    assert a.find_value("12 Oak St", lines) == (True, True, True)
    assert a.find_value("Marisol Quintanilla", lines) == (False, True, True)
    assert a.find_value("Marisol Apt", lines) == (False, False, True)
    assert a.find_value("Okafor", lines) == (False, False, False)


def test_values_of_a_truth_file_are_flattened_and_blanks_left_out() -> None:
    fields = {
        "patient_name": {"value": "A B"},
        "codes": {"value": ["M54.5", ""]},
        "claims": {"value": [{"paid": "1.00", "note": None}]},
        "patient_sex": {"value": "F"},
        "signed": {"value": True},
    }
    found = a.values_of(fields, frozenset({"patient_sex"}))
    assert found == [("patient_name", "A B"), ("codes", "M54.5"), ("claims", "1.00")]


def test_growth_is_told_per_hundred_samples_after_warming_up() -> None:
    warming = [500.0, 700.0, *(800 + 0.02 * n for n in range(98))]
    assert a.slope_per_100(warming) == pytest.approx(2.0)
    assert a.slope_per_100([1.0]) is None


def test_a_target_says_whether_it_was_reached() -> None:
    assert at_most("CER", 0.01, 0.02).reached is False
    assert at_least("recall", 0.97, 0.97).reached is True
    assert at_most("CER", 0.01, None).reached is None
    assert "NOT reached" in at_most("CER", 0.01, 0.02).line()

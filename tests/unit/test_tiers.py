# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from idp.read.ocr import Letter, Line, Region
from idp.read.tiers import merged, read_lines
from idp.read.trust import FEATURES, PageReading, Trust, features, load, page_reading
from idp.read.weights import SHIPPED, TRUST

REGION = Region(np.array([[0, 0], [200, 0], [200, 30], [0, 30]], np.float32), 1.0)
PAGE = np.full((100, 300), 255, np.uint8)


def line(text: str, score: float = 0.99, weak: str = "", weak_score: float = 0.4) -> Line:
    letters = tuple(
        Letter(c, weak_score if c in weak else score, (i + 0.5) / max(1, len(text)))
        for i, c in enumerate(text)
    )
    return Line(REGION, letters)


class Readers:
    """Two recognisers whose answers are given; remembers who was asked for what."""

    def __init__(self, quick: Sequence[Line], thorough: Sequence[Line]) -> None:
        self.answers = {"quick": list(quick), "thorough": list(thorough)}
        self.asked: list[tuple[str, int]] = []
        self.regions = [Region(REGION.corners + np.float32(40 * i), 1.0) for i in range(len(quick))]

    def recognise(self, page: object, regions: Sequence[Region], tier: str) -> list[Line]:
        self.asked.append((tier, len(regions)))
        place = {id(region): i for i, region in enumerate(self.regions)}
        return [self.answers[tier][place[id(region)]] for region in regions]


def test_two_readings_that_agree_are_marked_as_agreed() -> None:
    both = merged(line("NPI 123", 0.9), line("NPI 123", 0.95))
    assert both.text == "NPI 123"
    assert {letter.look for letter in both.letters} == {"agreed"}
    assert min(letter.score for letter in both.letters) == 0.95


def test_what_the_other_reader_saw_is_a_rival_of_a_contested_letter() -> None:
    both = merged(line("fa1l"), line("fail"))
    assert both.text == "fail"
    assert dict(both.letters[2].rivals) == {"1": 0.99}


def test_where_readings_differ_the_thorough_one_is_taken_and_contested() -> None:
    both = merged(line("2507"), line("92507"))
    assert both.text == "92507"
    assert [letter.look for letter in both.letters][:2] == ["contested", "agreed"]


def test_a_far_surer_quick_reading_wins() -> None:
    both = merged(line("WHITE"), line("WBITE", weak="B"))
    assert both.text == "WHITE"
    assert both.letters[1].look == "contested"


def test_where_two_readings_have_nothing_in_common_the_thorough_one_is_taken() -> None:
    dotted_rule = merged(line("utttttttutttt", 0.99), line("..", 0.6))
    assert dotted_rule.text == ".."
    assert all(letter.look == "contested" for letter in dotted_rule.letters)
    assert merged(line("utttttttutttt", 0.99), line("")).text == ""


def test_a_lone_letter_read_in_two_sizes_is_one_text_and_the_surer_is_taken() -> None:
    assert merged(line("x", 0.67), line("X", 0.41)).text == "x"
    assert merged(line("x", 0.41), line("X", 0.67)).text == "X"


def test_a_lone_letter_that_only_the_quick_reading_sees_counts_if_it_is_sure() -> None:
    assert merged(line("X", 0.7), line("")).text == "X"
    assert merged(line("X", 0.4), line("")).text == ""
    assert merged(line(".", 0.9), line("")).text == "", "a speck"


def test_neighbouring_differences_are_settled_as_one() -> None:
    # A circle read as "O" and a capital as a small letter must not give both letters.
    assert merged(line("Home"), line("Ohome", weak="O")).text == "Home"


@given(st.text("AB1. ", max_size=8), st.text("AB1. ", max_size=8))
def test_a_merged_line_has_every_letter_both_agree_on_and_nothing_neither_read(
    one: str, other: str
) -> None:
    both = merged(line(one), line(other))
    if one == other:
        assert both.text == one
    else:
        assert set(both.text) <= set(one) | set(other)
        assert len(both.text) <= max(len(one), len(other)) + min(len(one), len(other))


def test_only_doubtful_lines_are_read_thoroughly() -> None:
    quick = [line("sure"), line("sure too"), line("Dr. X", weak="X")]
    eyes = Readers(quick, [line("sure"), line("sure too"), line("Dr. K")])
    lines = read_lines(PAGE, eyes.regions, eyes, 0.7)  # type: ignore[arg-type]
    assert [entry.text for entry in lines] == ["sure", "sure too", "Dr. K"]
    assert eyes.asked == [("quick", 3), ("thorough", 1)]


def test_of_a_long_line_only_the_doubtful_word_is_read_again() -> None:
    wide = Region(np.array([[0, 0], [900, 0], [900, 30], [0, 30]], np.float32), 1.0)
    quick = replace(line("the member id is Z55 since May of this year", weak="Z"), region=wide)
    thorough = line("is 255 since")
    asked: list[Region] = []

    class Pair:
        def recognise(self, _page: object, regions: Sequence[Region], tier: str) -> list[Line]:
            asked.extend(regions if tier == "thorough" else [])
            return [quick if tier == "quick" else thorough for _ in regions]

    (read,) = read_lines(PAGE, [wide], Pair(), 0.7)  # type: ignore[arg-type]
    assert read.text == "the member id is 255 since May of this year"
    assert [letter.look for letter in read.letters].count("contested") == 1
    assert len(asked) == 1
    assert asked[0].width < 0.5 * wide.width
    places = [letter.at for letter in read.letters]
    assert places == sorted(places)


def test_words_before_and_behind_a_doubtful_one_stay_as_they_were() -> None:
    wide = Region(np.array([[0, 0], [900, 0], [900, 30], [0, 30]], np.float32), 1.0)
    quick = replace(line("aX bb cc dd ee ff gg hh ii jj kk Xl", weak="X"), region=wide)
    answers = [line("ab bb"), line("kk ll")]

    class Pair:
        def recognise(self, _page: object, regions: Sequence[Region], tier: str) -> list[Line]:
            return [quick] if tier == "quick" else answers[: len(regions)]

    (read,) = read_lines(PAGE, [wide], Pair(), 0.7)  # type: ignore[arg-type]
    assert read.text == "ab bb cc dd ee ff gg hh ii jj kk ll"


def test_all_lines_are_read_by_both_where_no_score_is_enough() -> None:
    eyes = Readers([line("000", 1.0), line("sure", 1.0)], [line("0.00"), line("sure")])
    lines = read_lines(PAGE, eyes.regions, eyes, 2.0)  # type: ignore[arg-type]
    assert [entry.text for entry in lines] == ["0.00", "sure"]


def test_lines_known_already_are_not_read_again() -> None:
    eyes = Readers([line("one"), line("two")], [line("one"), line("two")])
    known = {1: line("two")}
    read_lines(PAGE, eyes.regions, eyes, 0.7, known=known)  # type: ignore[arg-type]
    assert ("quick", 1) in eyes.asked


def test_the_shipped_trust_believes_a_contradicted_word_least() -> None:
    trust = load(SHIPPED / TRUST)
    letters = line("1234567890", 0.97).letters
    agreed = merged(line("1234567890", 0.97), line("1234567890", 0.97)).letters
    contested = merged(line("1234567890", 0.97), line("1234557890", 0.97)).letters
    page = PageReading(worst=2.0, contested=0.01)
    # Once and agreed are not compared: only sure lines are read once.
    assert trust.word(contested, page) < trust.word(letters, page) - 0.01
    assert trust.word(contested, page) < trust.word(agreed, page) - 0.01


@given(st.lists(st.floats(0, 1), max_size=12))
def test_trust_is_a_probability_for_any_scores(scores: list[float]) -> None:
    trust = Trust(tuple(1.0 for _ in FEATURES))
    letters = [Letter("1", score, 0.5) for score in scores]
    assert 0 <= trust.word(letters, PageReading()) <= 1
    assert len(features(letters, PageReading())) == len(FEATURES)


def test_a_page_without_lines_has_a_background() -> None:
    assert page_reading([]) == PageReading()

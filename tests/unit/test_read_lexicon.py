# SPDX-License-Identifier: Apache-2.0
"""Ordinary words that a fax spoiled are put right; what no list knows is left alone."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.errors import ModelError
from idp.read.lexicon import load, put_right
from idp.read.ocr import Letter, Line, Region
from idp.read.weights import LEXICON, SHIPPED

CORNERS = np.array([[0, 0], [400, 0], [400, 20], [0, 20]], np.float32)
WORDS = load(SHIPPED / LEXICON)


def line(text: str, rivals: dict[int, tuple[str, float]] | None = None, **what: bool) -> Line:
    """A line as read; ``rivals`` gives a letter's number, and what else it may have been."""
    others = rivals or {}
    letters = tuple(
        Letter(c, 0.97, (i + 0.5) / len(text), rivals=(others[i],) if i in others else ())
        for i, c in enumerate(text)
    )
    return Line(Region(CORNERS, 0.9), letters, **what)


def righted(text: str, rivals: dict[int, tuple[str, float]] | None = None) -> str:
    return put_right(line(text, rivals), WORDS).text


@pytest.mark.parametrize(
    ("read", "printed"),
    [
        ("requlres", "requires"),
        ("Authorlzation", "Authorization"),
        ("(Medicald)", "(Medicaid)"),
        ("Skiled nursing visit", "Skilled nursing visit"),
        ("Blue Shield of Californla", "Blue Shield of California"),
        ("SERVlCES", "SERVICES"),
        ("Narne:", "Name:"),
        ("Illiness?", "Illness?"),
    ],
)
def test_thin_and_touching_strokes_are_read_as_the_word_that_they_make(
    read: str, printed: str
) -> None:
    assert righted(read) == printed


def test_a_letter_that_the_recogniser_half_saw_makes_the_word() -> None:
    assert righted("FAVMENT", {2: ("Y", 0.2)}) == "FAVMENT"  # two letters are off, one is known
    assert righted("FAVMENT", {0: ("P", 0.1), 2: ("Y", 0.2)}) == "PAYMENT"


def test_without_a_rival_no_other_letter_is_invented() -> None:
    assert righted("FAYMENT") == "FAYMENT"


@pytest.mark.parametrize(
    "text",
    [
        "Oswin Katsaros",  # names in no list
        "Ilse Willis",
        "PICC placed",  # abbreviations, too
        "1782045961",
        "M54.16",
        "ZGP884201957",
        "ABC1D2",
        "lll",
        "e.g.",
        "",
    ],
)
def test_names_codes_and_numbers_stay(text: str) -> None:
    assert righted(text, dict.fromkeys(range(len(text)), ("i", 0.01))) == text


def test_a_word_that_stands_in_the_list_stays_whatever_its_rivals_are() -> None:
    assert righted("dale", {2: ("t", 0.4)}) == "dale"


def test_where_two_words_are_as_likely_neither_is_taken() -> None:
    words = {"cast": 5.0, "cost": 5.0}
    doubtful = line("cest", {1: ("a", 0.3)})
    both = Letter("e", 0.97, 0.3, rivals=(("a", 0.3), ("o", 0.3)))
    letters = (doubtful.letters[0], both, *doubtful.letters[2:])
    assert put_right(Line(doubtful.region, letters), words).text == "cest"
    assert put_right(doubtful, words).text == "cast"


def test_letters_that_changed_are_contested_and_no_surer_than_such_words_are() -> None:
    better = put_right(line("requlres"), WORDS)
    changed = [letter for letter in better.letters if letter.look == "contested"]
    assert [letter.text for letter in changed] == ["i"]
    assert changed[0].score < 0.9
    assert changed[0].at == pytest.approx(4.5 / 8)


def test_letters_of_a_word_that_grows_stay_in_order() -> None:
    better = put_right(line("Skiled nursing"), WORDS)
    places = [letter.at for letter in better.letters]
    assert places == sorted(places)


def test_lines_whose_letters_are_known_stay() -> None:
    known = line("requlres", exact=True)
    assert put_right(known, WORDS) is known
    sideways = line("requlres", turned=True)
    assert put_right(sideways, WORDS) is sideways


@given(st.text(max_size=40))
def test_nothing_that_can_be_read_breaks_it(text: str) -> None:
    better = put_right(line(text), WORDS)
    assert len(better.text.split(" ")) == len(text.split(" "))


def test_a_file_that_is_no_list_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.txt.gz"
    with pytest.raises(ModelError, match="no list of words"):
        load(path)
    path.write_bytes(gzip.compress(b"no tabs\n"))
    with pytest.raises(ModelError, match="no list of words"):
        load(path)

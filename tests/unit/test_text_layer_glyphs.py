# SPDX-License-Identifier: Apache-2.0
"""Characters of a text layer against the pixels: which are drawn, and by which pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.document import Glyphs, RawPage
from idp.ingest.formats import media_type_of
from idp.ingest.opened import open_here
from idp.read.born_digital import Print, Words, _left, _ordinary, _says, _vouched, _words
from idp.read.glyphs import Claims, Picture, find_pictures
from idp.read.ocr import Letter, Line, Region
from idp.read.pixels import Gray
from idp.read.spelling import Proofs, _agreeing, _bar_or_dot, _black_on_white, _plain
from idp.settings import IngestSettings
from tests.pdfs import LINES, Pdf, letter, text


def unpacked(path: Path) -> RawPage:
    media_type = media_type_of(path.read_bytes()[:1024])
    return open_here(path, path.parent, media_type, IngestSettings()).pages[0]


def seen(path: Path) -> tuple[Gray, Claims, list[Picture]]:
    raw = unpacked(path)
    assert raw.glyphs is not None
    page = np.asarray(cv2.imread(raw.path, cv2.IMREAD_GRAYSCALE), np.uint8)
    return page, *find_pictures(page, raw.glyphs)


def said(claims: Claims, words: Words) -> list[str]:
    return [claims.text[a:b] for a, b in zip(words.starts, words.ends, strict=True)]


def test_all_letters_of_a_page_come_down_to_a_few_pictures(tmp_path: Path) -> None:
    _, claims, pictures = seen(Pdf().save(tmp_path / "a.pdf", letter(LINES * 4)))
    assert (claims.shown >= 0).all()
    different = len(set("".join(LINES)) - {" "})
    assert different <= len(pictures) <= 1.5 * different
    for number, picture in enumerate(pictures):
        assert {claims.text[i] for i in np.flatnonzero(claims.shown == number)} == {picture.text}


def test_a_glyph_in_place_of_another_is_another_picture(tmp_path: Path) -> None:
    patch = "1 g 71 478 8 12 re f 0 g " + text(72, 480, "9")
    content = letter(LINES) + text(72, 480, "5") + text(172, 480, "5") + patch
    _, claims, _ = seen(Pdf().save(tmp_path / "a.pdf", content))
    fives = [i for i, c in enumerate(claims.text) if c == "5"]
    covered = [
        i for i in fives if abs(claims.origins[i, 0] - 200) < 2 and claims.origins[i, 1] > 850
    ]
    assert len(covered) == 1
    others = {int(claims.shown[i]) for i in fives} - {int(claims.shown[covered[0]])}
    assert int(claims.shown[covered[0]]) not in others
    assert len(others) == 1


def test_characters_that_show_nothing_have_no_picture(tmp_path: Path) -> None:
    content = (
        letter(LINES) + text(72, 480, "hidden", more="3 Tr") + text(72, 450, "white", more="1 g")
    )
    _, claims, _ = seen(Pdf().save(tmp_path / "a.pdf", content))
    start = claims.text.index("hidden")
    assert (claims.shown[start:] == -1).all()
    assert (claims.shown[:start] >= 0).all()


def test_the_words_are_those_of_the_lines(tmp_path: Path) -> None:
    _, claims, _ = seen(Pdf().save(tmp_path / "a.pdf", letter(LINES)))
    assert said(claims, _words(claims)) == " ".join(LINES).split()


def test_rules_typed_as_underscores_and_leaders_say_nothing(tmp_path: Path) -> None:
    content = text(72, 700, "Name:____Quill") + text(72, 650, "Total ........ 45")
    _, claims, _ = seen(Pdf().save(tmp_path / "a.pdf", content))
    words = _words(claims)
    spoken = [w for k, w in enumerate(said(claims, words)) if _says(claims.text, words, k)]
    assert spoken == ["Name:", "Quill", "Total", "45"]


def test_print_that_no_word_explains_is_left(tmp_path: Path) -> None:
    rule = "72 540 m 400 540 l S\n"
    box = "72 500 10 10 re S\n"
    stroke = "2 w 200 500 m 206 509 l 212 500 l 218 509 l 224 500 l S\n"
    page, claims, _ = seen(Pdf().save(tmp_path / "a.pdf", letter(LINES) + rule + box + stroke))
    words = _words(claims)
    every = np.ones(len(words.starts), np.bool_)
    left = _left(page, claims, words, every, 200.0)
    assert len(left) == 1  # the stroke; a rule and an empty box are no print
    x0, _, x1, _ = left[0]
    assert (x0, x1) == pytest.approx((200 / 0.36, 224 / 0.36), abs=8)
    every[3] = False  # "Quillfeather" is not taken
    more = _left(page, claims, words, every, 200.0)
    assert len(more) == 2


def test_values_of_a_form_are_among_the_characters(tmp_path: Path) -> None:
    pdf = Pdf()
    entries = pdf.field(shown="942.17", value="1.00")
    raw = unpacked(pdf.save(tmp_path / "a.pdf", letter(LINES), *entries))
    assert "942.17" in [word.text for word in raw.text_layer]
    assert raw.glyphs is not None
    assert "942.17" in raw.glyphs.text
    assert RawPage.model_validate_json(raw.model_dump_json()) == raw


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.characters(codec="utf-8"),
            st.tuples(*[st.floats(width=32, allow_nan=True, allow_infinity=True)] * 6),
        ),
        max_size=30,
    )
)
def test_no_place_that_a_file_may_claim_breaks_anything(
    claimed: list[tuple[str, tuple[float, ...]]],
) -> None:
    page = np.full((120, 90), 255, np.uint8)
    page[40:60, 20:40] = 0
    places = np.array([place for _, place in claimed], "<f4").reshape(-1, 6)
    claims, pictures = find_pictures(
        page, Glyphs(text="".join(c for c, _ in claimed), places=places.tobytes())
    )
    assert len(claims.text) == len(claims.boxes) == len(claims.shown)
    assert claims.shown.max(initial=-1) < len(pictures)
    if len(claims.text):
        _words(claims)


def picture(of: str, x: int = 10) -> Picture:
    return Picture(of, np.full((20, x), 255, np.uint8), 18, 14, 0, 14.0)


def spelled(expected: str, read: str) -> str:
    """Which of the expected characters are proven when a strip is read so, letter by letter."""
    run = list(range(len(expected)))
    middles = [20.0 * i + 10 for i in run]
    width = 20 * len(expected)
    region = Region(np.array([[0, 0], [width, 0], [width, 48], [0, 48]], np.float32), 1.0)
    letters = tuple(Letter(c, 0.9, (20 * i + 10) / width) for i, c in enumerate(read) if c != " ")
    answers = _agreeing(run, [picture(c) for c in expected], middles, Line(region, letters), width)
    return "".join(c if answers[i] else "-" for i, c in enumerate(expected))


@pytest.mark.parametrize(
    ("expected", "read", "proven"),
    [
        ("3a7Kp", "3a7Kp", "3a7Kp"),
        ("3a7Kp", "3a1Kp", "3a-Kp"),  # another digit
        ("58", "85", "--"),  # two digits swapped
        ("cOs", "Cos", "cOs"),  # same shape, other case
        ("O0", "00", "-0"),  # a digit is no letter
        ("l1I", "I1l", "l1I"),
        ("l1I", "111", "-1-"),
        ("a\u00e9b", "aeb", "a\u00e9b"),
        ("a\u2713", "a ", "a-"),  # the recogniser has a letter for it and did not see it
        ("a\u25b6", "a ", "a\u25b6"),  # a sign that it has none for
        ("a\u25b6", "a7", "a-"),  # which turns out to be a digit
        ("a\u05d0", "a ", "a-"),  # a letter that it can't read is never proven
    ],
)
def test_only_what_a_strip_spells_is_proven(expected: str, read: str, proven: str) -> None:
    assert spelled(expected, read) == proven


def test_a_picture_of_two_digits_is_no_proof_of_one() -> None:
    run = [0, 1, 2]
    region = Region(np.array([[0, 0], [60, 0], [60, 48], [0, 48]], np.float32), 1.0)
    letters = tuple(
        Letter(c, 0.9, at / 60) for c, at in (("a", 10), ("1", 27), ("7", 33), ("b", 50))
    )
    pictures = [picture("a"), picture("1"), picture("b")]
    answers = _agreeing(run, pictures, [10.0, 30.0, 50.0], Line(region, letters), 60)
    assert answers == {0: True, 1: False, 2: True}


def test_no_digit_is_folded_into_anything_else() -> None:
    folded = {d: _plain(d) for d in "0123456789"}
    assert folded == {d: d for d in "0123456789"}
    others = [chr(c) for c in range(33, 0x250) if not chr(c).isdecimal()]
    superscripts = set("\u00b2\u00b3\u00b9\u00bc\u00bd\u00be")
    assert not [c for c in others if c not in superscripts and set(_plain(c)) & set("0123456789")]


@pytest.mark.parametrize(
    ("sign", "rows", "columns", "right"),
    [
        ("-", (12, 14), (1, 9), True),
        ("_", (12, 14), (1, 9), False),
        ("_", (19, 21), (0, 10), True),
        (".", (16, 18), (4, 6), True),
        (".", (5, 18), (4, 6), False),  # a stroke, perhaps a 1
        ("\u2022", (8, 14), (2, 8), True),
        ("-", (4, 18), (4, 6), False),
    ],
)
def test_dashes_and_dots_are_known_by_their_shape(
    sign: str, rows: tuple[int, int], columns: tuple[int, int], right: bool
) -> None:
    pixels = np.full((22, 10), 255, np.uint8)
    pixels[rows[0] : rows[1], columns[0] : columns[1]] = 0
    clean = _black_on_white(pixels)
    assert clean is not None
    drawn = Picture(sign, pixels, 18, 18 - rows[0], rows[1] - 18, 14.0)
    assert _bar_or_dot(drawn, clean) is right


def stroke() -> Picture:
    return Picture("l", np.full((20, 4), 0, np.uint8), above=18, rise=18, fall=0, size=18)


def vouching(*words: str) -> Proofs:
    proofs = Proofs()
    for word in words:
        proofs.vouch_for(stroke(), word)
    return proofs


def test_four_words_vouch_for_a_picture_that_no_strip_proves() -> None:
    assert not vouching("all", "well", "All", "hello").vouched([stroke()])[0]  # one of them twice
    assert vouching("all", "well", "clinic", "hello").vouched([stroke()])[0]


def test_one_line_that_says_otherwise_takes_what_words_vouch_for_good() -> None:
    proofs = vouching("all", "well", "hello", "clinic")
    proofs.object_to(stroke())
    for word in ("all", "well", "hello", "clinic"):
        proofs.vouch_for(stroke(), word)
    assert not proofs.vouched([stroke()])[0]


@pytest.mark.parametrize("word", ["hello", "Hello,", "(all)", "Ann-Lil", "O'Neill"])
def test_words_may_vouch_and_be_vouched_for(word: str) -> None:
    assert _ordinary(word, Words(np.array([0]), np.array([len(word)]))).all()


@pytest.mark.parametrize("code", ["12l45", "lOl", "AlOl", "QXK-lO", "l", "ALL"])
def test_numbers_and_codes_neither_vouch_nor_are_vouched_for(code: str) -> None:
    assert not _ordinary(code, Words(np.array([0]), np.array([len(code)]))).any()


@pytest.mark.parametrize(
    ("proven", "believed"), [([False] * 3, False), ([True, False, False], True)]
)
def test_what_is_vouched_for_counts_beside_a_proven_letter_alone(
    proven: list[bool], believed: bool
) -> None:
    pictures = [stroke()._replace(text="a"), stroke()]
    proofs = vouching("all", "well", "clinic", "hello")
    for word in ("and", "any", "apt", "aim"):
        proofs.vouch_for(pictures[0], word)
    zeros = np.zeros((3, 4))
    claims = Claims("all", zeros, np.zeros((3, 2)), np.zeros(3, np.bool_), np.array([0, 1, 1]))
    shown = Print(claims, pictures, Words(np.array([0]), np.array([3])), 200.0)
    assert _vouched(shown, np.array(proven), proofs).tolist() == [believed]

# SPDX-License-Identifier: Apache-2.0
"""Rules, cells, check boxes and words, drawn here and found again."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from idp.document import Box, Mark, Word
from idp.read.boxes import _may_be_box
from idp.read.ink import find_ink
from idp.read.marks import find_marks, labelled
from idp.read.ocr import Image, Letter, Line, Region
from idp.read.pixels import look
from idp.read.prepare import ink_threshold
from idp.read.rules import Ruling, find_rules
from idp.read.text_layer import reconcile, turned
from idp.read.words import in_order, rows

DPI = 200.0
SIZE = (1000, 1400)  # width, height


def paper() -> Image:
    return np.full((SIZE[1], SIZE[0]), 255, np.uint8)


def ruling_of(page: Image, texts: Sequence[tuple[float, float, float, float]] = ()) -> Ruling:
    return find_rules(look(page, ink_threshold(page), DPI), texts)


def table(page: Image, grey: int = 0, thick: int = 2) -> None:
    """Three columns and four rows."""
    for y in (200, 260, 320, 380, 440):
        cv2.line(page, (100, y), (700, y), [grey], thick)
    for x in (100, 300, 500, 700):
        cv2.line(page, (x, 200), (x, 440), [grey], thick)


@pytest.mark.parametrize(("grey", "thick"), [(0, 1), (0, 4), (205, 1), (150, 2)])
def test_a_table_gives_its_cells_whether_black_or_light_grey(grey: int, thick: int) -> None:
    page = paper()
    table(page, grey, thick)
    ruling = ruling_of(page)
    assert (len(ruling.horizontal), len(ruling.vertical)) == (5, 4)
    assert len(ruling.cells) == 12
    first = ruling.cells[0]
    assert (first.x0, first.y0) == pytest.approx((101, 201), abs=5)
    assert (first.x1, first.y1) == pytest.approx((299, 259), abs=5)


def test_a_table_on_a_noisy_torn_fax_gives_its_cells() -> None:
    page = paper()
    table(page)
    random = np.random.default_rng(3)
    page[random.random(page.shape) < 0.01] = 0
    torn = random.random(page.shape) < 0.15
    page[torn & (page == 0)] = 255
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 0.9), np.uint8)
    assert len(ruling_of(page).cells) == 12


def test_print_makes_no_rules() -> None:
    page = paper()
    for i in range(20):
        cv2.putText(
            page, "THE EFFECTIVE DATE OF THIS LETTER", (60, 80 + 60 * i),
            cv2.FONT_HERSHEY_DUPLEX, 1.0, [0], 2,
        )  # fmt: skip
    texts = [(55.0, 50.0 + 60 * i, 720.0, 90.0 + 60 * i) for i in range(20)]
    ruling = ruling_of(page, texts)
    assert not ruling.horizontal
    assert not ruling.vertical
    assert not ruling.cells


def test_a_vertical_stroke_that_meets_nothing_and_a_streak_are_no_rules() -> None:
    page = paper()
    cv2.line(page, (400, 300), (400, 600), [0], 2)
    cv2.line(page, (800, 0), (800, SIZE[1] - 1), [0], 2)
    cv2.line(page, (100, 700), (900, 700), [0], 2)
    ruling = ruling_of(page)
    assert len(ruling.horizontal) == 1
    assert not ruling.vertical


def test_shading_and_filled_bars_are_no_rules() -> None:
    page = paper()
    page[200:260, 100:800] = 0
    page[400:600, 100:800] = 215
    ruling = ruling_of(page)
    assert not ruling.horizontal
    assert not ruling.vertical


def test_wiping_a_rule_leaves_the_strokes_that_cross_it() -> None:
    page = paper()
    cv2.line(page, (100, 500), (600, 500), [0], 3)
    cv2.line(page, (300, 480), (300, 520), [0], 4)
    ink = ruling_of(page).text_ink
    assert ink[500, 150] == 0
    assert ink[500, 300] == 255


def box_at(page: Image, x: int, y: int, size: int = 24, tick: str = "") -> None:
    cv2.rectangle(page, (x, y), (x + size, y + size), [0], 2)
    if tick == "x":
        cv2.line(page, (x + 3, y + 3), (x + size - 3, y + size - 3), [0], 3)
        cv2.line(page, (x + size - 3, y + 3), (x + 3, y + size - 3), [0], 3)
    if tick == "slash":
        cv2.line(page, (x - 8, y + size + 6), (x + size + 10, y - 12), [0], 5)
    if tick == "fill":
        page[y : y + size, x : x + size] = 0


def words_at(*items: tuple[str, int, int, int]) -> list[Word]:
    """Words of 24 pixels height from text, x0, x1 and y."""
    width, height = SIZE
    return [
        Word(
            id=i,
            text=text,
            confidence=0.99,
            box=Box(x0 / width, y / height, x1 / width, (y + 24) / height),
            line=0,
        )
        for i, (text, x0, x1, y) in enumerate(items)
    ]


def marks_of(page: Image, words: Sequence[Word] = (), lines: Sequence[Line] = ()) -> list[Mark]:
    pixels = look(page, ink_threshold(page), DPI)
    ruling = find_rules(pixels, [])
    return list(labelled(find_marks(pixels, ruling, lines), words, ruling, SIZE, DPI))


def test_ticked_and_empty_boxes_are_told_apart_and_carry_their_options_words() -> None:
    page = paper()
    for i, tick in enumerate(("", "x", "slash", "")):
        box_at(page, 100 + 200 * i, 300, tick=tick)
    words = words_at(
        ("Initial", 134, 190, 300),
        ("Renewal", 334, 400, 300),
        ("Urgent", 534, 590, 300),
        ("request", 600, 660, 300),
        ("Other:", 734, 790, 300),
    )
    found = [(mark.label, mark.state) for mark in marks_of(page, words)]
    assert found == [
        ("Initial", "unchecked"),
        ("Renewal", "checked"),
        ("Urgent request", "checked"),
        ("Other:", "unchecked"),
    ]


def test_boxes_inside_a_line_whose_blanks_were_not_read_are_found() -> None:
    # "Priority: [] Routine [x] Urgent" is one detected line and read as "Priority:RoutineUrgent".
    page = paper()
    box_at(page, 240, 300)
    box_at(page, 440, 300, tick="x")
    places = [*range(110, 215, 13), *range(285, 375, 13), *range(485, 560, 13)]
    corners = np.array([[100, 296], [566, 296], [566, 330], [100, 330]], np.float32)
    text = "Priority:RoutineUrgent"
    letters = tuple(
        Letter(letter, 0.99, (x - 100) / 466) for letter, x in zip(text, places, strict=True)
    )
    words = words_at(("Routine", 280, 376, 300), ("Urgent", 480, 560, 300))
    found = marks_of(page, words, [Line(Region(corners, 0.9), letters)])
    assert [(mark.label, mark.state) for mark in found] == [
        ("Routine", "unchecked"),
        ("Urgent", "checked"),
    ]


@pytest.mark.parametrize(
    ("text", "places", "boxes"),
    [
        ("Dr.", [0, 14, 22], 0),  # a capital is wide, and still no box
        ("DUARTE", [0, 15, 29, 43, 57, 70], 0),
        ("OMale", [0, 30, 44, 54, 62], 1),
        ("XNo", [0, 20, 32], 1),
    ],
)
def test_a_wide_capital_is_no_box_before_the_word(
    text: str, places: list[float], boxes: int
) -> None:
    letters = [Letter(letter, 0.99, 0.0) for letter in text]
    assert _may_be_box(letters, places) == boxes


def signature(page: Image, x: int, y: int, width: int = 220) -> None:
    points = [
        (x + i, y + round(18 * np.sin(i / 9) + 8 * np.sin(i / 23))) for i in range(0, width, 3)
    ]
    cv2.polylines(page, [np.array(points, np.int32)], False, [0], 3)


def test_a_signature_is_ink_and_read_words_are_not() -> None:
    page = paper()
    signature(page, 300, 500)
    cv2.putText(page, "Signature", (100, 510), cv2.FONT_HERSHEY_DUPLEX, 1.0, [0], 2)
    cv2.putText(page, "Provider", (100, 900), cv2.FONT_HERSHEY_DUPLEX, 1.0, [0], 2)
    read = words_at(("Signature", 95, 270, 484), ("Provider", 95, 250, 878))
    found = find_ink(ruling_of(page).text_ink, read, DPI)
    assert len(found) == 1
    assert found[0].box.x0 * SIZE[0] == pytest.approx(300, abs=8)
    assert found[0].box.x1 * SIZE[0] == pytest.approx(520, abs=12)


def test_logos_bars_and_specks_are_no_ink_of_a_pen() -> None:
    page = paper()
    page[100:400, 100:500] = 0
    page[600:630, 100:900] = 0
    random = np.random.default_rng(5)
    page[random.random(page.shape) < 0.0005] = 0
    assert find_ink(ruling_of(page).text_ink, (), DPI) == ()


def test_options_printed_left_of_their_boxes_are_labelled_from_the_left() -> None:
    page = paper()
    box_at(page, 200, 300, tick="x")
    box_at(page, 400, 300)
    words = words_at(("Yes", 150, 190, 300), ("No", 360, 390, 300))
    found = [(mark.label, mark.state) for mark in marks_of(page, words)]
    assert found == [("Yes", "checked"), ("No", "unchecked")]


def test_boxes_of_a_blurred_noisy_fax_are_found() -> None:
    page = paper()
    for i in range(5):
        box_at(page, 150, 200 + 80 * i, tick="x" if i == 2 else "")
    random = np.random.default_rng(5)
    page[random.random(page.shape) < 0.005] = 0
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 0.9), np.uint8)
    states = [mark.state for mark in marks_of(page, words_at(("Yes", 185, 230, 200)))]
    assert states == ["unchecked", "unchecked", "checked", "unchecked", "unchecked"]


def test_a_comb_for_letters_is_no_row_of_check_boxes() -> None:
    page = paper()
    for i in range(9):
        box_at(page, 150 + 28 * i, 300)
    assert marks_of(page, words_at(("DOB", 90, 140, 300))) == []


def letters(text: str, at: float, step: float) -> tuple[Letter, ...]:
    return tuple(Letter(c, 0.99, at + step * i) for i, c in enumerate(text))


def line_of(text: str, x0: int, y0: int, x1: int, y1: int) -> Line:
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    step = 1 / max(1, len(text))
    return Line(Region(corners, 0.9), letters(text, step / 2, step))


@pytest.mark.parametrize(
    ("typed", "state"), [("[ ] Yes", "unchecked"), ("[X] Yes", "checked"), ("( ) No", "unchecked")]
)
def test_boxes_typed_with_brackets_are_marks(typed: str, state: str) -> None:
    marks = marks_of(
        paper(),
        words_at((typed[4:], 160, 220, 300)),
        [line_of(typed, 100, 296, 240, 328)],
    )
    assert [mark.state for mark in marks] == [state]


def test_a_remark_in_brackets_is_no_mark() -> None:
    assert marks_of(paper(), (), [line_of("(see page 2)", 100, 296, 400, 328)]) == []


def drawn_line(page: Image, text: str, x: int, y: int, widths: int = 20, gap: int = 6) -> Line:
    """Letters as black bars, so that their places are known; a space is twice a bar."""
    places, at = [], x
    for character in text:
        if character in " ~":  # "~" is a space that the recogniser will lose
            at += widths
            continue
        page[y : y + 24, at : at + widths - 6] = 0
        places.append((character, at + (widths - 6) / 2))
        at += widths - 6 + gap
    end = at
    corners = np.array([[x, y], [end, y], [end, y + 24], [x, y + 24]], np.float32)
    found, rest = [], iter(places)
    for character in text:
        if character == "~":
            continue
        if character == " ":
            found.append(Letter(" ", 0.99, found[-1].at))
            continue
        _, centre = next(rest)
        found.append(Letter(character, 0.99, (centre - x) / (end - x)))
    return Line(Region(corners, 0.9), tuple(found))


def test_words_sit_on_their_ink_in_reading_order() -> None:
    page = paper()
    lines = [
        drawn_line(page, "second row", 100, 200),
        drawn_line(page, "right", 600, 104),
        drawn_line(page, "left", 100, 100),
    ]
    words = in_order(rows(lines), page < 128, ())
    assert [(w.text, w.line) for w in words] == [
        ("left", 0), ("right", 0), ("second", 1), ("row", 1),
    ]  # fmt: skip
    assert [w.id for w in words] == [0, 1, 2, 3]
    first = words[0].box
    assert first.x0 * SIZE[0] == pytest.approx(100, abs=2)
    assert first.x1 * SIZE[0] == pytest.approx(174, abs=2)


def test_a_space_that_the_recogniser_lost_is_seen_in_the_ink() -> None:
    page = paper()
    lines = [drawn_line(page, "Name:~Marisol", 100, 100)]
    assert [w.text for w in in_order(rows(lines), page < 128, ())] == ["Name:", "Marisol"]


def test_a_misread_check_box_is_no_word() -> None:
    page = paper()
    line = drawn_line(page, "O Male", 100, 100)
    words = in_order(rows([line]), page < 128, [(98.0, 98.0, 118.0, 126.0)])
    assert [w.text for w in words] == ["Male"]


def test_a_box_behind_its_word_is_no_letter_of_it() -> None:
    page = paper()
    line = drawn_line(page, "MaleO", 100, 100)
    words = in_order(rows([line]), page < 128, [(176.0, 98.0, 204.0, 126.0)])
    assert [w.text for w in words] == ["Male"]


def read(*items: tuple[str, float, float]) -> list[Word]:
    return [
        Word(id=i, text=text, confidence=0.9, box=Box(x0, 0.1, x1, 0.12), line=0)
        for i, (text, x0, x1) in enumerate(items)
    ]


def test_a_text_layer_that_agrees_brings_its_spelling() -> None:
    words, share = reconcile(
        read(("Membor", 0.1, 0.2), ("ID:", 0.21, 0.25), ("O0417", 0.3, 0.4)),
        read(("Member", 0.1, 0.2), ("ID:", 0.21, 0.25), ("00417", 0.3, 0.4)),
    )
    assert [w.text for w in words] == ["Member", "ID:", "00417"]
    assert share == 1.0


def test_a_text_layer_with_another_amount_is_not_believed_and_the_word_is_doubtful() -> None:
    words, _ = reconcile(read(("$500.00", 0.1, 0.2)), read(("$900.00", 0.1, 0.2)))
    assert words[0].text == "$500.00"
    assert words[0].confidence <= 0.5


def test_hidden_words_and_words_elsewhere_are_never_seen() -> None:
    hidden = [
        Word(id=0, text="approved", confidence=1, box=Box(0.1, 0.5, 0.2, 0.52), line=0),
        Word(id=1, text="Denied", confidence=1, box=Box(0.1, 0.1, 0.2, 0.12), line=0),
    ]
    words, share = reconcile(read(("Referral", 0.1, 0.2), ("form", 0.6, 0.7)), hidden)
    assert [w.text for w in words] == ["Referral", "form"]
    assert share == 0.0


def test_print_that_the_layer_does_not_know_stays() -> None:
    words, share = reconcile(
        read(("Name:", 0.1, 0.2), ("Marisol", 0.3, 0.4)), read(("Name:", 0.1, 0.2))
    )
    assert [w.text for w in words] == ["Name:", "Marisol"]
    assert share == 0.5


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_text_layer_turns_with_its_page(degrees: int) -> None:
    page = np.full((200, 100), 255, np.uint8)
    page[20:40, 10:60] = 0
    word = Word(id=0, text="x", confidence=1, box=Box(0.1, 0.1, 0.6, 0.2), line=0)
    upright = np.rot90(page, k=degrees // 90)
    ys, xs = np.nonzero(upright < 128)
    box = turned([word], degrees)[0].box
    height, width = upright.shape
    assert (box.x0 * width, box.y0 * height) == pytest.approx((xs.min(), ys.min()), abs=1)
    assert (box.x1 * width, box.y1 * height) == pytest.approx((xs.max() + 1, ys.max() + 1), abs=1)

# SPDX-License-Identifier: Apache-2.0
"""Places to mark of many shapes, and what looks like them, drawn here and told apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from idp.document import Box, Mark, Word
from idp.read.marks import find_marks, labelled
from idp.read.ocr import Image, Letter, Line, Region
from idp.read.pixels import look
from idp.read.prepare import ink_threshold
from idp.read.rules import find_rules

DPI = 200.0
SIZE = (1000, 1200)


def paper() -> Image:
    return np.full((SIZE[1], SIZE[0]), 255, np.uint8)


def words_at(*items: tuple[str, int, int, int]) -> list[Word]:
    """Words of 24 pixels height from text, x0, x1 and y."""
    width, height = SIZE
    return [
        Word(
            id=i,
            text=text,
            confidence=0.99,
            box=Box(x0 / width, y / height, x1 / width, (y + 24) / height),
            line=i,
        )
        for i, (text, x0, x1, y) in enumerate(items)
    ]


def marks_of(
    page: Image,
    words: Sequence[Word],
    lines: Sequence[Line] = (),
    taken: Sequence[tuple[float, float, float, float]] = (),
) -> list[Mark]:
    pixels = look(page, ink_threshold(page), DPI)
    ruling = find_rules(pixels, [])
    return list(labelled(find_marks(pixels, ruling, lines, taken), words, ruling, SIZE, DPI))


def seen(marks: Sequence[Mark]) -> list[tuple[str, str]]:
    return [(mark.label, mark.state) for mark in marks]


def box(page: Image, x: int, y: int, *, side: int = 24, cross: bool = False) -> None:
    cv2.rectangle(page, (x, y), (x + side, y + side), [0], 2, cv2.LINE_AA)
    if cross:
        cv2.line(page, (x + 4, y + 4), (x + side - 4, y + side - 4), [0], 3, cv2.LINE_AA)
        cv2.line(page, (x + side - 4, y + 4), (x + 4, y + side - 4), [0], 3, cv2.LINE_AA)


def button(page: Image, x: int, y: int, *, chosen: bool = False) -> None:
    """Its middle is at ``x`` and ``y``."""
    cv2.circle(page, (x, y), 13, [0], 2, cv2.LINE_AA)
    if chosen:
        cv2.circle(page, (x, y), 7, [0], -1, cv2.LINE_AA)


def test_round_buttons_are_seen_and_so_is_which_is_chosen() -> None:
    page = paper()
    for i in range(3):
        button(page, 150 + 220 * i, 312, chosen=i == 1)
    words = words_at(
        ("Office", 176, 240, 300), ("Home", 396, 450, 300), ("Hospital", 616, 700, 300)
    )
    assert seen(marks_of(page, words)) == [
        ("Office", "unchecked"),
        ("Home", "checked"),
        ("Hospital", "unchecked"),
    ]


def test_a_filled_oval_is_marked_and_an_empty_one_is_not() -> None:
    page = paper()
    for i, filled in enumerate((True, False)):
        centre = (160 + 250 * i, 312)
        cv2.ellipse(page, centre, (20, 12), 0, 0, 360, [0], -1 if filled else 2, cv2.LINE_AA)
    words = words_at(("Yes", 194, 240, 300), ("No", 444, 480, 300))
    assert seen(marks_of(page, words)) == [("Yes", "checked"), ("No", "unchecked")]


def test_boxes_under_the_names_of_their_columns_carry_those_names() -> None:
    page = paper()
    for row in range(3):
        for column in range(2):
            box(page, 600 + 140 * column, 300 + 60 * row, cross=(row, column) in ((0, 0), (1, 1)))
    words = words_at(
        ("Yes", 590, 636, 250), ("No", 735, 770, 250),
        ("Allergies", 100, 210, 300), ("Smoker", 100, 190, 360), ("Diabetes", 100, 205, 420),
    )  # fmt: skip
    assert seen(marks_of(page, words)) == [
        ("Yes", "checked"), ("No", "unchecked"),
        ("Yes", "unchecked"), ("No", "checked"),
        ("Yes", "unchecked"), ("No", "unchecked"),
    ]  # fmt: skip


def test_words_nearer_to_the_box_behind_them_are_its_label() -> None:
    # "Self [x]  Spouse [ ]  Child [ ]  (see back)"
    page = paper()
    places = (170, 320, 450)
    for i, x in enumerate(places):
        box(page, x, 300, cross=i == 0)
    words = words_at(
        ("Self", 116, 162, 300), ("Spouse", 236, 312, 300), ("Child", 386, 442, 300),
        ("(see", 510, 550, 300), ("back)", 556, 610, 300),
    )  # fmt: skip
    assert seen(marks_of(page, words)) == [
        ("Self", "checked"),
        ("Spouse", "unchecked"),
        ("Child", "unchecked"),
    ]


def line_of(text: str, x0: int, y0: int, x1: int, y1: int) -> Line:
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    step = 1 / len(text)
    letters = tuple(Letter(c, 0.99, step * (i + 0.5)) for i, c in enumerate(text))
    return Line(Region(corners, 0.9), letters)


def test_a_cross_alone_in_a_cell_of_a_table_is_a_mark() -> None:
    page = paper()
    for y in (300, 360, 420):
        cv2.line(page, (100, y), (800, y), [0], 2)
    for x in (100, 500, 650, 800):
        cv2.line(page, (x, 300), (x, 420), [0], 2)
    cv2.putText(page, "X", (712, 400), cv2.FONT_HERSHEY_DUPLEX, 0.8, [0], 2, cv2.LINE_AA)
    words = words_at(("Yes", 550, 600, 318), ("No", 705, 745, 318), ("Smoker", 110, 200, 378))
    lines = [line_of("X", 708, 376, 734, 406), line_of("Smoker", 110, 378, 200, 402)]
    assert [mark.state for mark in marks_of(page, words, lines)] == ["checked"]


def test_a_row_of_cells_for_letters_holds_no_marks() -> None:
    page = paper()
    for i in range(9):
        box(page, 150 + 30 * i, 300, side=30)
    assert marks_of(page, words_at(("DOB", 90, 140, 300)), taken=[(150, 300, 420, 330)]) == []


def test_print_has_no_marks() -> None:
    page = paper()
    texts = ("DO NOT BOOK ODD DOORS", "O Q 0 D OHIO 808 Dr. Oz", "8 8 0 0 O O")
    for i, text in enumerate(texts):
        cv2.putText(
            page, text, (100, 300 + 70 * i), cv2.FONT_HERSHEY_DUPLEX, 1.1, [0], 2, cv2.LINE_AA
        )
    lines = [
        line_of(text, 100, 270 + 70 * i, 100 + 21 * len(text), 306 + 70 * i)
        for i, text in enumerate(texts[:1])
    ]
    assert marks_of(page, words_at(("DO", 100, 150, 276)), lines) == []


@pytest.mark.parametrize("grey", [0, 120, 180])
def test_light_boxes_are_seen_as_well_as_black_ones(grey: int) -> None:
    page = paper()
    for i in range(3):
        cv2.rectangle(page, (150, 300 + 60 * i), (174, 324 + 60 * i), [grey], 2, cv2.LINE_AA)
    words = words_at(*((f"Option{i}", 186, 280, 300 + 60 * i) for i in range(3)))
    assert [mark.state for mark in marks_of(page, words)] == ["unchecked"] * 3

# SPDX-License-Identifier: Apache-2.0
"""Character cells drawn here: found, told from tables and print, and joined to words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from idp.read.comb_cells import drawn
from idp.read.combs import find_combs, joined, wipe
from idp.read.ocr import Image, Letter, Line, Region
from idp.read.page import Upright, compose
from idp.read.pixels import look
from idp.read.prepare import ink_threshold
from idp.read.rules import find_rules
from tests.combs import STYLES, Drawn, comb_page, faxed

DPI = 200.0
VALUES = ["1846203579", "HATHERSAGE", "ANA MARIA", "03192017"]


def read_over_walls(place: Drawn, scale: float = 1.0) -> Line:
    """What a recogniser makes of a comb: the letters with blanks between them."""
    corners = np.array(
        [
            [place.x0, place.y0],
            [place.x1, place.y0],
            [place.x1, place.y1],
            [place.x0, place.y1],
        ],
        np.float32,
    )
    cells = len(place.value) + 2
    letters = []
    for i, letter in enumerate(place.value):
        if letter != " ":
            letters += [
                Letter(letter, 0.9, (i + 0.5) / cells),
                Letter(" ", 0.9, (i + 0.9) / cells),
            ]
    return Line(Region(corners * np.float32(scale), 0.9), tuple(letters))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("thick", [1, 3])
def test_every_cell_of_every_style_is_found(style: str, thick: int) -> None:
    page, places = comb_page(style, VALUES[:2], thick)
    pixels = look(page, ink_threshold(page), DPI)
    combs = sorted(drawn(pixels, find_rules(pixels, [])), key=lambda c: c.cells[0].y1)
    assert [len(comb.cells) for comb in combs] == [len(p.value) + 2 for p in places]
    for comb, place in zip(combs, places, strict=True):
        assert comb.cells[0].x0 == pytest.approx(place.x0, abs=6)
        assert comb.cells[-1].x1 == pytest.approx(place.x1, abs=6)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dpi_y", [196, 98])
def test_the_cells_are_found_on_faxes(style: str, dpi_y: int) -> None:
    page, places = comb_page(style, VALUES[:2])
    fax = faxed(page, dpi_y)
    pixels = look(fax, ink_threshold(fax), 204.0)
    combs = sorted(drawn(pixels, find_rules(pixels, [])), key=lambda c: c.cells[0].y1)
    assert [len(comb.cells) for comb in combs] == [len(p.value) + 2 for p in places]


@pytest.mark.parametrize("style", STYLES)
def test_a_comb_is_one_word_whose_cells_are_known(style: str) -> None:
    page, places = comb_page(style, VALUES)
    lines = [read_over_walls(place) for place in places]
    read = compose(1, Upright(page, 0, 0.0, []), lines, ink_threshold(page), DPI)
    assert [word.text for word in read.words] == [
        "1846203579",
        "HATHERSAGE",
        "ANA",
        "MARIA",
        "03192017",
    ]
    assert ["".join(comb.text) for comb in read.combs] == [v.replace(" ", "") for v in VALUES]
    third = read.combs[2]
    assert third.text[3] == ""
    assert third.cells[4].contains(
        (places[2].x0 + 4.5 * (48 if style == "boxes" else 38)) / 1700, third.box.cy
    )
    assert not read.marks


def ruled_print() -> tuple[Image, list[Line]]:
    """Lines of print that stand on rules, and a table of narrow columns with amounts."""
    page = np.full((1400, 1400), 255, np.uint8)
    lines = []
    for y, text in (
        (300, "HIHIHIHIH lllll 11111"),
        (500, "Patient Hill, Will II"),
        (620, "1|1|1|1|1"),
    ):
        cv2.putText(page, text, (150, y), cv2.FONT_HERSHEY_PLAIN, 2.0, [0], 2)
        cv2.line(page, (150, y + 2), (900, y + 2), [0], 2)
        corners = np.array([[150, y - 30], [600, y - 30], [600, y], [150, y]], np.float32)
        letters = tuple(Letter(c, 0.95, (i + 0.5) / len(text)) for i, c in enumerate(text))
        lines.append(Line(Region(corners, 0.9), letters))
    for x in range(150, 600, 70):
        cv2.line(page, (x, 800), (x, 1000), [0], 2)
    for row, y in enumerate(range(800, 1001, 50)):
        cv2.line(page, (150, y), (570, y), [0], 2)
        if row < 4:
            for x in range(155, 560, 70):
                cv2.putText(page, "12.5", (x, y + 35), cv2.FONT_HERSHEY_PLAIN, 1.4, [0], 1)
    return page, lines


def test_print_on_rules_and_tables_are_no_combs() -> None:
    page, lines = ruled_print()
    pixels = look(page, ink_threshold(page), DPI)
    assert find_combs(page, pixels, find_rules(pixels, []), lines, None) == []


def test_an_empty_comb_and_a_row_of_check_boxes_stay_what_they_are() -> None:
    page, _ = comb_page("boxes", ["          ", "X         "])
    pixels = look(page, ink_threshold(page), DPI)
    assert find_combs(page, pixels, find_rules(pixels, []), [], None) == []


def test_wiping_takes_the_separators_and_leaves_the_characters() -> None:
    page, places = comb_page("separators", ["1846203579"])
    pixels = look(page, ink_threshold(page), DPI)
    lines = [read_over_walls(places[0])]
    (comb,) = find_combs(page, pixels, find_rules(pixels, []), lines, None)
    before = cv2.countNonZero(pixels.ink)
    wipe(pixels, [comb])
    place = places[0]
    assert not pixels.ink[place.y1 - 10 : place.y1 - 4, place.x0 + 36 : place.x0 + 41].any()
    assert cv2.countNonZero(pixels.ink) > 0.7 * before
    assert [line.text for line in joined(lines, [comb])] == ["1846203579"]

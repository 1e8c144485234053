# SPDX-License-Identifier: Apache-2.0
"""A page is turned upright by what its lines look like and by what reads, whatever the guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from idp.read.ocr import Letter, Line, Region
from idp.read.upright import head_over, standing, upright

_INK = 100
_ROWS = range(60, 560, 50)


def page_of_lines() -> NDArray[np.uint8]:
    """Bars like lines of print, all beginning at the left, on a page that is not square."""
    page = np.full((640, 480), 255, np.uint8)
    for row in _ROWS:
        page[row : row + 16, 40:240] = 0
        page[row - 5 : row, 40:60] = 0  # a tall letter at the front, above the line
    return page


def region(x0: float, y0: float, x1: float, y1: float) -> Region:
    return Region(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32), 0.9)


@dataclass
class BarEyes:
    """Finds the bars, and reads them only where their tall front stands at the top left."""

    guess: int = 0
    legible: float = 0.97
    garbled: float = 0.6
    looks: int = 0
    read: list[int] = field(default_factory=list)

    def orientation(self, page: NDArray[np.uint8]) -> tuple[int, float, dict[int, float]]:
        """The same guess for every page, as sure as the model ever is."""
        scores = {0: 0.01, 90: 0.01, 180: 0.01, 270: 0.01} | {self.guess: 0.93}
        return self.guess, 0.93, scores

    def detect(self, page: NDArray[np.uint8]) -> list[Region]:
        """The boxes of the bars."""
        self.looks += 1
        across = page.shape[0] < page.shape[1]
        rows = np.any(page < _INK, axis=0 if across else 1)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], rows.astype(int), [0]])))
        found = []
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            other = np.any(page[:, start:end] < _INK, axis=1) if across else None
            if other is None:
                columns = np.flatnonzero(np.any(page[start:end] < _INK, axis=0))
                found.append(region(columns[0], start, columns[-1] + 1, end))
            else:
                lines = np.flatnonzero(other)
                found.append(region(start, lines[0], end, lines[-1] + 1))
        return found

    def recognise(
        self,
        page: NDArray[np.uint8],
        regions: list[Region],
        tier: Literal["quick", "thorough"] = "thorough",
    ) -> list[Line]:
        """Five letters a line."""
        self.read.append(len(regions))
        lines = []
        for place in regions:
            top = page[int(place.y0) : int(place.y0) + 3, int(place.x0) : int(place.x1)]
            lies = place.width > place.height
            upright_here = lies and bool(np.all(top[:, :15] < _INK) and np.all(top[:, -15:] > _INK))
            score = self.legible if upright_here else self.garbled
            lines.append(Line(place, tuple(Letter("a", score, 0.5) for _ in range(5))))
        return lines


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("guess", [0, 90, 180, 270])
def test_a_page_comes_upright_whatever_the_model_guesses(turned: int, guess: int) -> None:
    page = page_of_lines()
    came = np.ascontiguousarray(np.rot90(page, -turned // 90))
    eyes = BarEyes(guess=guess)
    way = upright(came, 128, eyes)
    assert way.rotation == turned
    assert np.array_equal(way.image, page)


def test_a_page_that_reads_well_is_neither_looked_at_nor_read_twice() -> None:
    eyes = BarEyes()
    way = upright(page_of_lines(), 128, eyes)
    assert eyes.looks == 1
    assert eyes.read == [8]
    assert len(way.sampled) == 8
    assert all(way.sampled[place].region is way.regions[place] for place in way.sampled)


def test_a_page_that_reads_badly_both_ways_takes_the_better_one() -> None:
    page = page_of_lines()
    faint = BarEyes(guess=0, legible=0.84, garbled=0.7)
    assert upright(np.ascontiguousarray(np.rot90(page, 2)), 128, faint).rotation == 180
    assert sum(faint.read) == 16


def test_where_neither_way_reads_the_model_decides() -> None:
    page = page_of_lines()
    unreadable = BarEyes(guess=180, legible=0.35, garbled=0.34)
    assert upright(page, 128, unreadable).rotation == 180


def test_a_page_without_any_line_stays_as_the_model_says() -> None:
    blank = np.full((300, 200), 255, np.uint8)
    way = upright(blank, 128, BarEyes(guess=90))
    assert way.rotation == 90
    assert way.regions == []


def test_shapes_of_regions_tell_standing_from_lying_print() -> None:
    lying = [region(0, i * 20, 100, i * 20 + 12) for i in range(4)]
    upended = [region(i * 20, 0, i * 20 + 12, 100) for i in range(4)]
    assert standing(lying) is False
    assert standing(upended) is True
    assert standing(lying + upended) is None
    assert standing([]) is None


def test_a_page_turned_head_over_keeps_its_regions_on_their_ink() -> None:
    eyes = BarEyes()
    way = upright(page_of_lines(), 128, eyes)
    over = head_over(way)
    assert over.rotation == 180
    first = over.regions[0]
    ink = over.image[int(first.y0) : int(first.y1), int(first.x0) : int(first.x1)]
    assert np.mean(ink < _INK) > 0.7

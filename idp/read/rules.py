# SPDX-License-Identifier: Apache-2.0
"""Ruling lines and the cells they enclose, from the pixels of a straight page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from idp.read.pixels import (
    Mask,
    Pixels,
    Rectangle,
    components,
    inked,
    opened,
    pieces,
    share,
    shrunk_along,
)

# All lengths below are inches: the page's resolution makes pixels of them.
_WINDOW = 0.17
_THIN = 0.025
_THICK = 0.05
_SHORTEST = 0.22
_THICKEST = 0.05
_BRIDGE = 0.07
_MEETS = 0.045
_NARROWEST_CELL = 0.09
_LOWEST_CELL = 0.075

_ALONG = 4
"""Lines are looked for on a page that is so many times shorter along them."""

_COVERAGE = 178
"""Share (of 255) of a window that a rule must mark ..."""

_CONTRAST = 90
"""... and by how much more than the rows beside it."""


@dataclass(frozen=True)
class Stroke:
    """A straight printed line in pixels; ``x1`` and ``y1`` are exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def length(self) -> int:
        return max(self.x1 - self.x0, self.y1 - self.y0)

    def flipped(self) -> Stroke:
        """The stroke on the page laid on its side."""
        return Stroke(self.y0, self.x0, self.y1, self.x1)

    @property
    def cx(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2


@dataclass(frozen=True)
class Ruling:
    """The rules of a page, the rectangles they enclose, and the page's print without them."""

    horizontal: tuple[Stroke, ...] = ()
    vertical: tuple[Stroke, ...] = ()
    cells: tuple[Stroke, ...] = ()
    text_ink: Mask = field(default_factory=lambda: np.zeros((1, 1), np.uint8))


def find_rules(pixels: Pixels, texts: Sequence[Rectangle]) -> Ruling:
    """Rules and cells of a page whose print stands at ``texts`` (boxes in pixels).

    What is dropped: filled areas, strokes through the middle of print, vertical strokes that meet
    no horizontal one, streaks as long as the page.
    """
    marked, ink, dpi = pixels.faint, pixels.ink, pixels.dpi
    height, width = ink.shape
    band = _text_band(ink.shape, texts)
    across = _level_strokes(marked, dpi)
    across = [s for s in across if not _struck_through(s, band)]
    across = [s for s in across if not _underlines_letters(s, texts, dpi)]
    across = [s for s in _joined(across, dpi) if s.length < 0.985 * width]
    # Vertical strokes are the level ones of the page laid on its side.
    upright = [s.flipped() for s in _level_strokes(marked, dpi, turned=True)]
    upright = [s for s in upright if not _inside_print(s, band)]
    upright = [s.flipped() for s in _joined([s.flipped() for s in upright], dpi)]
    streaks = [s for s in upright if s.length >= 0.93 * height]  # dirt on a scanner's glass
    upright = [s for s in upright if s.length < 0.93 * height]
    upright = _anchored(upright, across, dpi)
    cells = _cells(ink, across, upright, dpi)
    return Ruling(
        tuple(across),
        tuple(upright),
        tuple(cells),
        _without(ink, across, [*upright, *streaks]),
    )


def _level_strokes(marked: Mask, dpi: float, *, turned: bool = False) -> list[Stroke]:
    """Thin level lines: rows with marks almost all along a window, unlike both sides of them.

    Counting marks finds light grey, torn and dithered rules as well as black ones; the comparison
    with both sides passes over print, shading and filled bars. Along the lines a quarter of the
    page's resolution is enough; their ends are then found on the page itself.

    Args:
        marked: The page's marks.
        dpi: Of the marks.
        turned: Look at the page laid on its side, where upright lines are level ones.
    """
    shrunk = shrunk_along(marked, down=turned)
    if turned:
        shrunk, marked = np.ascontiguousarray(shrunk.T), marked.T
    along = _ALONG
    window = round(_WINDOW * dpi / along) | 1
    mean = cv2.blur(shrunk, (window, 1))
    _, full = cv2.threshold(mean, _COVERAGE, 255, cv2.THRESH_BINARY)
    hit = np.zeros_like(shrunk)
    for distance in (max(3, round(_THIN * dpi)), max(5, round(_THICK * dpi))):
        if shrunk.shape[0] <= 2 * distance:
            continue
        sides = cv2.max(mean[: -2 * distance], mean[2 * distance :])
        peak = cv2.subtract(mean[distance:-distance], sides)
        _, peak = cv2.threshold(peak, _CONTRAST, 255, cv2.THRESH_BINARY)
        cv2.bitwise_or(hit[distance:-distance], peak, dst=hit[distance:-distance])
    cv2.bitwise_and(hit, full, dst=hit)
    runs = opened(np.asarray(hit, np.uint8), round(_SHORTEST * dpi / along - window / 3), 1)
    thickest = _THICKEST * dpi
    reach = round(window * along / 2)
    found = []
    for x, y, w, h, area in pieces(runs).tolist():
        # A long line a hair askew is broad as a whole, but thin everywhere.
        if area / w > thickest or h > thickest + w * along / 60:
            continue
        place = Stroke(round(x * along), y, round((x + w) * along), y + h)
        stroke = _trimmed(marked, place, reach)
        if stroke is not None and stroke.length >= 0.9 * _SHORTEST * dpi:
            found.append(stroke)
    return found


def _trimmed(marked: Mask, stroke: Stroke, reach: int) -> Stroke | None:
    """The stroke from its first to its last mark; ``None`` if too much between is missing."""
    start, end = max(0, stroke.x0 - reach), min(marked.shape[1], stroke.x1 + reach)
    columns = inked(marked[stroke.y0 : stroke.y1, start:end], 0)
    inside = columns[stroke.x0 - start : stroke.x1 - start]
    places = np.flatnonzero(inside)
    if len(places) < 0.8 * (stroke.x1 - stroke.x0):
        return None
    first = stroke.x0 - start + int(places[0])
    last = stroke.x0 - start + int(places[-1])
    while first > 0 and columns[first - 1]:
        first -= 1
    while last + 1 < len(columns) and columns[last + 1]:
        last += 1
    return Stroke(start + first, stroke.y0, start + last + 1, stroke.y1)


def _text_band(shape: tuple[int, ...], texts: Sequence[Rectangle]) -> Mask:
    """The middle band of every line of print; strokes in there belong to letters."""
    band = np.zeros(shape[:2], np.uint8)
    for x0, y0, x1, y1 in texts:
        height = y1 - y0
        if height > 2 * (x1 - x0):
            continue
        top, bottom = round(y0 + 0.2 * height), round(y1 - 0.18 * height)
        band[max(0, top) : max(0, bottom), max(0, round(x0)) : max(0, round(x1))] = 255
    return band


def _struck_through(stroke: Stroke, band: Mask) -> bool:
    y = min(band.shape[0] - 1, round(stroke.cy))
    return share(band[y : y + 1, stroke.x0 : stroke.x1]) > 0.6


def _underlines_letters(stroke: Stroke, texts: Sequence[Rectangle], dpi: float) -> bool:
    """Whether a short stroke lies at the foot of a longer line of print: feet of bold letters."""
    if stroke.length > 0.6 * dpi:
        return False
    return any(
        x0 <= stroke.x0
        and stroke.x1 <= x1
        and x1 - x0 > 1.5 * stroke.length
        and y0 < stroke.cy < y1 - 0.08 * (y1 - y0)
        for x0, y0, x1, y1 in texts
    )


def _inside_print(stroke: Stroke, band: Mask) -> bool:
    x = min(band.shape[1] - 1, round(stroke.cx))
    margin = 3
    left = share(band[stroke.y0 : stroke.y1, max(0, x - margin) : max(1, x - margin + 1)])
    right = share(band[stroke.y0 : stroke.y1, x + margin : x + margin + 1])
    # Print fills about a third of its own line's height here: half of that is "inside".
    return min(left, right) > 0.25


def _joined(strokes: list[Stroke], dpi: float) -> list[Stroke]:
    """Pieces of one level line, torn by noise or by print on it, as one stroke."""
    bridge, drift = _BRIDGE * dpi, 0.02 * dpi
    whole: list[Stroke] = []
    for stroke in sorted(strokes, key=lambda s: s.x0):
        for i, other in enumerate(whole):
            gap = stroke.x0 - other.x1
            allowed = max(bridge, min(0.12 * dpi, 0.15 * min(stroke.length, other.length)))
            if abs(stroke.cy - other.cy) <= drift and gap <= allowed:
                whole[i] = Stroke(
                    other.x0,
                    min(other.y0, stroke.y0),
                    max(other.x1, stroke.x1),
                    max(other.y1, stroke.y1),
                )
                break
        else:
            whole.append(stroke)
    return whole


def _anchored(upright: list[Stroke], across: list[Stroke], dpi: float) -> list[Stroke]:
    """Vertical strokes that touch or cross a horizontal one."""
    reach = _MEETS * dpi
    return [
        v
        for v in upright
        if any(
            h.x0 - reach <= v.cx <= h.x1 + reach and v.y0 - reach <= h.cy <= v.y1 + reach
            for h in across
        )
    ]


def _cells(ink: Mask, across: list[Stroke], upright: list[Stroke], dpi: float) -> list[Stroke]:
    """Rectangles of paper between the rules: white components of a page that shows only rules."""
    if len(across) < 2 or len(upright) < 2:
        return []
    # Half the page's resolution tells cells from gaps, at a quarter of the cost.
    dpi /= 2
    small = cv2.resize(ink, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    _, walls = cv2.threshold(small, 127, 255, cv2.THRESH_BINARY)
    height, width = walls.shape
    reach = round(_MEETS * dpi)
    walls = _filled(np.asarray(walls, np.uint8), dpi)
    for s in across:
        y = round((s.cy - 0.5) / 2)
        walls[max(0, y) : y + 1, max(0, s.x0 // 2 - reach) : s.x1 // 2 + reach] = 255
    for s in upright:
        x = round((s.cx - 0.5) / 2)
        walls[max(0, s.y0 // 2 - reach) : s.y1 // 2 + reach, max(0, x) : x + 1] = 255
    found = []
    for x, y, w, h, area in components(255 - walls, connectivity=4).tolist():
        if w < _NARROWEST_CELL * dpi or h < _LOWEST_CELL * dpi:
            continue
        if x == 0 or y == 0 or x + w >= width or y + h >= height:
            continue
        if area >= 0.88 * w * h:
            found.append(Stroke(2 * x, 2 * y, 2 * (x + w), 2 * (y + h)))
    return sorted(found, key=lambda c: (c.y0, c.x0))


def _filled(ink: Mask, dpi: float) -> Mask:
    """Black bars (section titles in white on black): they close the cells below and above."""
    return opened(ink, max(3, round(0.1 * dpi)), max(3, round(0.045 * dpi)))


def _without(ink: Mask, across: list[Stroke], upright: list[Stroke]) -> Mask:
    """The page's ink with the rules wiped out; what crosses a rule keeps its own pixels."""
    text = ink.copy()
    for s in across:
        _wipe(text, s.y0, s.y1, s.x0, s.x1, level=True)
    for s in upright:
        _wipe(text, s.y0, s.y1, s.x0, s.x1, level=False)
    return text


def _wipe(text: Mask, y0: int, y1: int, x0: int, x1: int, *, level: bool) -> None:
    """Clears a stroke, except where ink goes on beyond it on both sides."""
    if level:
        above = inked(text[max(0, y0 - 2) : y0, x0:x1], 0)
        below = inked(text[y1 : y1 + 2, x0:x1], 0)
        text[y0:y1, x0:x1] *= (above & below).astype(np.uint8)[None, :]
    else:
        left = inked(text[y0:y1, max(0, x0 - 2) : x0], 1)
        right = inked(text[y0:y1, x1 : x1 + 2], 1)
        text[y0:y1, x0:x1] *= (left & right).astype(np.uint8)[:, None]

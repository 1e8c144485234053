# SPDX-License-Identifier: Apache-2.0
"""From lines of letters to words in reading order, each with a box that sits on its ink."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles

import numpy as np
from numpy.typing import NDArray

from idp.document import Box, Word
from idp.read.boxes import BOX_SIGNS, TICK_GLYPHS
from idp.read.ocr import Letter, Line, Region

Ink = NDArray[np.bool_]
"""True where there is print (ruling lines already taken away)."""
Sureness = Callable[[Sequence[Letter]], float]
"""How likely a word of these letters is right, 0..1."""

_SAME_ROW = 0.34
"""Middles of one row differ by less, in heights of a line; the detector's boxes are roomy, so that
those of neighbouring rows of small print overlap."""

_NUMERIC = frozenset("0123456789/-.,$()")


@dataclass(frozen=True)
class Token:
    """A word in pixels, before it has a place in the reading order."""

    text: str
    confidence: float
    x0: float
    y0: float
    x1: float
    y1: float


def tokens(
    line: Line,
    ink: Ink,
    boxes: Sequence[tuple[float, float, float, float]],
    sure: Sureness | None = None,
) -> list[Token]:
    """The words of one line.

    The recogniser sometimes loses the space between words; a gap in the ink between two letters
    that is far wider than the line's usual one parts them again. Letters that are really a check
    box (``boxes``, in pixels) are dropped. ``sure`` tells how far a word is to be believed.
    """
    # The text layer's own proof stands behind its letters, not a recogniser's score.
    believed = by_scores if line.exact or sure is None else sure
    region = line.region
    if not line.letters:
        return []
    if line.turned:
        text = line.text.strip()
        if not text:
            return []
        return [Token(text, believed(line.letters), region.x0, region.y0, region.x1, region.y1)]
    left, right = _clip(region.x0, region.x1, ink.shape[1])
    top, bottom = _clip(region.y0, region.y1, ink.shape[0])
    patch = ink[top:bottom, left:right]
    columns = np.asarray(patch.any(axis=0), np.bool_)
    places = [left + letter.at * region.width for letter in line.letters]
    height = _ink_height(patch)
    breaks = set() if line.exact else _breaks(line, places, columns, left, height)
    found: list[Token] = []
    run: list[int] = []

    def close(run: list[int]) -> None:
        if not run:
            return
        first, last = run[0], run[-1]
        start = region.x0 if first == 0 else (places[first - 1] + places[first]) / 2
        end = region.x1 if last == len(places) - 1 else (places[last] + places[last + 1]) / 2
        # Half a wide letter and no further: there may be a tick or a rule beside the word.
        wide = 0.5 * height if last == first else (places[last] - places[first]) / (last - first)
        wide = max(1.2 * wide, 0.45 * region.height)
        start, end = max(start, places[first] - wide), min(end, places[last] + wide)
        start, end = _trim(columns, left, start, end, places[first], places[last])
        found.append(
            Token(
                "".join(line.letters[i].text for i in run),
                believed([line.letters[i] for i in run]),
                start,
                region.top_at((start + end) / 2),
                end,
                region.bottom_at((start + end) / 2),
            )
        )

    for i, letter in enumerate(line.letters):
        inside = letter.text in TICK_GLYPHS and _inside(places[i], region, boxes, at_start=not run)
        at_end = i + 1 == len(places) or line.letters[i + 1].text == " "
        if letter.text == " ":
            close(run)
            run = []
            continue
        if inside and (not run or at_end or letter.text in BOX_SIGNS):
            close(run)
            run = []
            continue
        if i in breaks:
            close(run)
            run = []
        run.append(i)
    close(run)
    return found


def by_scores(letters: Sequence[Letter]) -> float:
    """A word is as doubtful as its worst letter, tempered by the others; no probability."""
    scores = [letter.score for letter in letters]
    return (min(scores) + sum(scores) / len(scores)) / 2


def _clip(low: float, high: float, size: int) -> tuple[int, int]:
    start = max(0, min(int(low), size - 1))
    return start, max(start + 1, min(int(np.ceil(high)), size))


def _inside(
    x: float,
    region: Region,
    boxes: Sequence[tuple[float, float, float, float]],
    *,
    at_start: bool,
) -> bool:
    """Whether a letter stands on a box; letters before boxes are pushed onto them, not behind."""
    middle = (region.y0 + region.y1) / 2
    before, behind = (0.3, 0.05) if at_start else (-0.15, 0.05)
    return any(
        x0 - before * (x1 - x0) <= x <= x1 + behind * (x1 - x0) and y0 - 4 <= middle <= y1 + 4
        for x0, y0, x1, y1 in boxes
    )


def _ink_height(patch: Ink) -> float:
    rows = np.flatnonzero(patch.any(axis=1))
    if len(rows) == 0:
        return float(patch.shape[0])
    return float(rows[-1] - rows[0] + 1)


def _breaks(
    line: Line, places: list[float], columns: NDArray[np.bool_], left: int, height: float
) -> set[int]:
    """Indexes of letters before which the ink shows a space that the recogniser lost.

    A gap belongs to the pair of letters whose centres it parts. Between two digits it must be
    very wide: the digit one stands in a lot of white.
    """
    inked = np.flatnonzero(columns)
    if len(inked) < 2:
        return set()
    widths = np.diff(inked) - 1
    usual = median(widths[widths > 0].tolist() or [0.0])
    steps = [
        b - a
        for (a, b), (first, second) in zip(pairwise(places), pairwise(line.letters), strict=True)
        if " " not in (first.text, second.text)
    ]
    pitch = median(steps or [0.0])
    # Typewriter letters stand in equal steps, the narrow ones in much white.
    even = False
    if len(steps) >= 5:
        low, _, high = quantiles(steps, method="inclusive")
        even = high - low < 0.25 * pitch
    found = set()
    for at in np.flatnonzero(widths >= max(4.0, 0.2 * height)):
        gap = float(widths[at])
        i = bisect.bisect(places, left + float(inked[at]) + 0.5 + gap / 2)
        if not 0 < i < len(places):
            continue
        before, after = line.letters[i - 1].text, line.letters[i].text
        if " " in (before, after):
            continue
        if before in ":;#" and after.isalnum():
            share = 0.2
        elif before in _NUMERIC and after in _NUMERIC:
            share = 0.7
        else:
            share = 0.32
        step = places[i] - places[i - 1]
        if step < (1.6 if even else 1.4) * pitch and before not in ":;#":
            continue
        if gap >= share * height and gap >= 1.6 * usual:
            found.add(i)
    return found


def _trim(  # noqa: PLR0917
    columns: NDArray[np.bool_],
    left: int,
    start: float,
    end: float,
    first: float,
    last: float,
) -> tuple[float, float]:
    """``start`` and ``end`` moved onto the outermost ink between them."""
    a, b = max(0, int(start) - left), min(len(columns), int(np.ceil(end)) - left)
    inked = np.flatnonzero(columns[a:b])
    if len(inked) == 0:
        return start, max(end, start + 1)
    low, high = left + a + int(inked[0]), left + a + int(inked[-1]) + 1
    # Never past the middle of the outermost letters: ink can be lost, letters are there.
    return float(min(low, first)), float(max(high, last, low + 1))


def rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines grouped into printed rows, top to bottom, each from left to right.

    A line joins the row whose horizontally nearest member has its middle at about the same height.
    """
    grouped: list[list[Line]] = []
    bottoms: list[float] = []
    for line in sorted(lines, key=lambda item: (item.region.y0 + item.region.y1) / 2):
        best: tuple[float, int] | None = None
        for number in range(max(0, len(grouped) - 12), len(grouped)):
            row = grouped[number]
            if bottoms[number] < line.region.y0:  # far above: no need to look closer
                continue
            near = min(row, key=lambda other: _distance(other.region, line.region))
            offset = _offset(near, line)
            if offset is not None and (best is None or offset < best[0]):
                best = (offset, number)
        if best is None:
            grouped.append([line])
            bottoms.append(line.region.y1)
        else:
            grouped[best[1]].append(line)
            bottoms[best[1]] = max(bottoms[best[1]], line.region.y1)
    for row in grouped:
        row.sort(key=lambda item: item.region.x0)
    grouped.sort(key=_middle)
    return grouped


def _middle(row: list[Line]) -> float:
    return float(np.mean([(line.region.y0 + line.region.y1) / 2 for line in row]))


def _distance(a: Region, b: Region) -> float:
    return max(a.x0, b.x0) - min(a.x1, b.x1)


def _offset(a: Line, b: Line) -> float | None:
    """How far apart the middles lie, or ``None`` when the two are not on one row."""
    if a.turned or b.turned:
        return None
    overlap = min(a.region.x1, b.region.x1) - max(a.region.x0, b.region.x0)
    if overlap > 0.5 * min(a.region.width, b.region.width):
        return None  # one above the other
    lower = min(a.region.height, b.region.height)
    offset = abs(a.region.y0 + a.region.y1 - b.region.y0 - b.region.y1) / 2
    return offset if offset <= _SAME_ROW * lower else None


def in_order(
    grouped: Sequence[Sequence[Line]],
    ink: Ink,
    boxes: Sequence[tuple[float, float, float, float]],
    sure: Sureness | None = None,
) -> tuple[Word, ...]:
    """Numbered words of the rows; boxes relative to the page that ``ink`` shows."""
    height, width = ink.shape
    if boxes:  # what is drawn and ticked there is no letter's ink
        ink = ink.copy()
        for x0, y0, x1, y1 in boxes:
            ink[max(0, round(y0) - 1) : round(y1) + 2, max(0, round(x0) - 1) : round(x1) + 2] = (
                False
            )
    words: list[Word] = []
    number = 0
    for row in grouped:
        made = [token for line in row for token in tokens(line, ink, boxes, sure)]
        if not made:
            continue
        for token in sorted(made, key=lambda item: item.x0):
            words.append(
                Word(
                    id=len(words),
                    text=token.text,
                    confidence=min(1.0, max(0.0, token.confidence)),
                    box=relative(token.x0, token.y0, token.x1, token.y1, width, height),
                    line=number,
                )
            )
        number += 1
    return tuple(words)


def relative(  # noqa: PLR0917
    x0: float, y0: float, x1: float, y1: float, width: int, height: int
) -> Box:
    """Pixels to page-relative units, inside the page, rounded so that output stays small."""

    def share(value: float, size: int) -> float:
        return round(min(1.0, max(0.0, value / size)), 5)

    return Box(share(x0, width), share(y0, height), share(x1, width), share(y1, height))

# SPDX-License-Identifier: Apache-2.0
"""Square check boxes, from their strokes: where they are and how much print is in them.

A box is two equal short strokes with both sides between them, found from its top and bottom and
again from its two sides, so that a tick that runs over one pair leaves the other. Once the size of
a page's boxes is known, frames of that size are looked for everywhere: a thick tick over a corner
hides the strokes of a box, but not that all four sides are dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np

from idp.read.ocr import Letter, Line
from idp.read.pixels import Mask, Pixels, Rectangle, inked, opened, pieces, share
from idp.read.rules import Ruling

# Inches.
_SMALLEST = 0.065
_LARGEST = 0.25
_RUN = 0.045
_THICKEST = 0.045

TICK_GLYPHS = frozenset("☐☑☒□■●○√✓✔OoDQ0CGU[](){}XxVvYJL|lI1/\\~-_.,'\"*+=•")
"""What the recogniser makes of a check box, ticked or not."""

EMPTY_AT_MOST = 0.08
FULL_AT_LEAST = 0.2
"""Shares of print inside a box below and above which there is no doubt."""

_BOX_SIGNS = frozenset("☐☑☒□■●○√✓✔[](){}|")
_TICK_LETTERS = frozenset("XxVv")
_BOX_LETTERS = _TICK_LETTERS | frozenset("OD0Q")
_SURE_SIDES = 0.7
_FRAME = 160  # of 255: how dark each side of a further box must be
_MOST_FRAMES = 1_500
_APART = 2.0  # times the usual step: a box before a word, no wide capital ("Dr.")
_BLANK_STEP = 2.4  # times the usual step from letter to letter: a blank, or a box


@dataclass(frozen=True)
class Candidate:
    """A box or circle in pixels, and how much of its inside is print."""

    x0: float
    y0: float
    x1: float
    y1: float
    filled: float
    evidence: float
    kind: Literal["box", "circle", "brackets"] = "box"

    @property
    def size(self) -> float:
        return ((self.x1 - self.x0) + (self.y1 - self.y0)) / 2

    @property
    def cx(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def rectangle(self) -> Rectangle:
        return self.x0, self.y0, self.x1, self.y1


def find_boxes(
    pixels: Pixels, ruling: Ruling, lines: Sequence[Line], words: Mask
) -> list[Candidate]:
    """The square boxes of a page; ``words`` is its :func:`print_map`."""
    boxes: list[Candidate] = []
    letters = _letter_map(words, lines, _TICK_LETTERS)
    for drawn in (pixels.ink, pixels.faint):  # black, and if there is none, light grey
        boxes = [
            box
            for box in _boxes(drawn, pixels, words, ruling)
            if not letters[round(box.cy), round(box.cx)] or _white_at_both(ruling.text_ink, box)
        ]
        if boxes:
            break
    if boxes:
        boxes = distinct(
            [*boxes, *_like(boxes, ruling.text_ink, _letter_map(words, lines, _BOX_LETTERS))]
        )
    return [box for box in _without_combs(boxes) if not _is_cell(box, ruling, pixels.dpi)]


def _boxes(drawn: Mask, pixels: Pixels, covered: Mask, ruling: Ruling) -> list[Candidate]:
    boxes = distinct(_squares(drawn, pixels.ink, covered, ruling, pixels.dpi))
    if len(boxes) >= 4:  # a form has boxes of one size: much smaller ones are letters
        usual = float(np.median([box.size for box in boxes]))
        boxes = [box for box in boxes if box.size >= 0.72 * usual]
    return boxes


def _like(sure: Sequence[Candidate], drawn: Mask, covered: Mask) -> list[Candidate]:
    """More boxes of the size that the sure ones have: a frame of ink with white around it.

    A thick tick over a corner hides the strokes of a box, but not that all four sides are dark.
    """
    found: list[Candidate] = []
    left = list(sure)
    while left:  # one search per size
        usual = sorted(left, key=lambda box: box.size)[len(left) // 2]
        same = [box for box in left if abs(box.size - usual.size) <= 0.15 * usual.size]
        left = [box for box in left if box not in same]
        if len(same) < 2 or min(box.filled for box in same) > EMPTY_AT_MOST:
            continue  # letters look like ticked boxes, and never like empty ones
        width = round(float(np.median([box.x1 - box.x0 for box in same])))
        height = round(float(np.median([box.y1 - box.y0 for box in same])))
        found += [
            box
            for box in _frames(drawn, width, height, covered)
            if box.filled < FULL_AT_LEAST or aligned(box, same)
        ]
    return found


def aligned(box: Candidate, others: Sequence[Candidate]) -> bool:
    """Whether another box of about this size stands in the same row or column."""
    return any(
        o is not box
        and abs(o.size - box.size) <= 0.2 * box.size
        and min(abs(o.cy - box.cy), abs(o.cx - box.cx)) < 0.35 * box.size
        for o in others
    )


def _frames(drawn: Mask, width: int, height: int, covered: Mask) -> list[Candidate]:
    thick = np.asarray(cv2.dilate(drawn, np.ones((3, 3), np.uint8)), np.uint8)
    level = cv2.blur(thick, (max(1, width - 2), 1))
    upright = cv2.blur(thick, (1, max(1, height - 2)))
    rows, columns = drawn.shape[0] - height, drawn.shape[1] - width
    if rows < 1 or columns < 1:
        return []
    half_w, half_h = width // 2, height // 2
    # frame[y, x] belongs to the frame whose top left corner is (x, y).
    frame = cv2.min(
        cv2.min(
            level[1 : rows + 1, half_w : half_w + columns],
            level[height - 2 : height - 2 + rows, half_w : half_w + columns],
        ),
        cv2.min(
            upright[half_h : half_h + rows, 1 : columns + 1],
            upright[half_h : half_h + rows, width - 2 : width - 2 + columns],
        ),
    )
    fits = (frame >= _FRAME) & (covered[half_h : half_h + rows, half_w : half_w + columns] == 0)
    ys, xs = np.nonzero(fits)
    if len(ys) == 0:
        return []
    scores = frame[ys, xs].astype(np.int32)
    looked_at = np.zeros(frame.shape, np.bool_)
    found: list[Candidate] = []
    tries = 0
    for x, y in zip(
        *(v[np.argsort(-scores, kind="stable")].tolist() for v in (xs, ys)), strict=True
    ):
        if looked_at[y, x]:
            continue
        tries += 1
        if tries > _MOST_FRAMES:
            break
        # Thick borders fit several places equally well: take the middle of them.
        top, left = max(0, y - 6), max(0, x - 6)
        near = frame[top : y + 7, left : x + 7] >= max(_FRAME, int(frame[y, x]) - 6)
        near_ys, near_xs = np.nonzero(near)
        y0, x0 = top + round(float(near_ys.mean())), left + round(float(near_xs.mean()))
        looked_at[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5] = True
        filled = _filled(drawn, x0, y0, x0 + width, y0 + height)
        box = Candidate(x0, y0, x0 + width, y0 + height, filled, float(frame[y, x]) / 255)
        if (
            share(covered[y0 + 2 : y0 + height - 2, x0 + 2 : x0 + width - 2]) < 0.1
            and _corners(thick, x0, y0, x0 + width, y0 + height) >= 3
            and _white_around(drawn, box)
            and _white_within(drawn, box)
        ):
            found.append(box)
            looked_at[max(0, y - half_h) : y + half_h, max(0, x - half_w) : x + half_w] = True
    return found


def _filled(mask: Mask, x0: int, y0: int, x1: int, y1: int) -> float:
    """Share of print in the middle of a box, clear of its borders."""
    inset = max(4, round(0.22 * min(x1 - x0, y1 - y0)))
    return share(mask[y0 + inset : y1 - inset, x0 + inset : x1 - inset])


def _white_within(mask: Mask, box: Candidate) -> bool:
    """Whether there is mostly white along the inside of the frame, as in no letter."""
    x0, y0, x1, y1 = (round(v) for v in box.rectangle)
    edge, band = 5, 2
    inner = mask[y0 + edge : y1 - edge, x0 + edge : x1 - edge]
    if inner.shape[0] < 2 * band + 2 or inner.shape[1] < 2 * band + 2:
        return share(inner) < 0.5
    sides = (inner[:band], inner[-band:], inner[:, :band], inner[:, -band:])
    return sum(share(side) < 0.6 for side in sides) >= 3


def _white_around(mask: Mask, box: Candidate) -> bool:
    """Whether two sides have white beyond them, and a third almost (ticks run over)."""
    gap = max(3, round(0.15 * box.size))
    x0, y0, x1, y1 = (round(v) for v in box.rectangle)
    sides = (
        mask[max(0, y0 - 2 - gap) : max(0, y0 - 2), x0:x1],
        mask[y1 + 2 : y1 + 2 + gap, x0:x1],
        mask[y0:y1, max(0, x0 - 2 - gap) : max(0, x0 - 2)],
        mask[y0:y1, x1 + 2 : x1 + 2 + gap],
    )
    shares = sorted(share(side) for side in sides)
    return shares[1] < 0.04 and shares[2] < 0.4


def _tokens(letters: Sequence[Letter], places: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Runs of letters without a blank; a step far over the usual one is a blank that was not read.

    A box between two words is such a step: "Priority:[]Routine" comes out as "Priority:Routine".
    """
    steps = [b - a for a, b in pairwise(places)]
    usual = float(np.median(steps)) if steps else 0.0
    start = 0
    for i in range(len(letters)):
        last = i + 1 == len(letters)
        blank = letters[i].text == " "
        if blank or last or steps[i] > _BLANK_STEP * usual:
            end = i if blank else i + 1
            if end > start:
                yield start, end
            start = i + 1


def print_map(shape: tuple[int, ...], lines: Sequence[Line]) -> Mask:
    """Where letters surely are letters: words, but for a first letter that may be a misread box."""
    covered = np.zeros(shape[:2], np.uint8)
    for line in lines:
        region, letters = line.region, line.letters
        if line.turned:
            continue
        places = [region.x0 + letter.at * region.width for letter in letters]
        for start, end in _tokens(letters, places):
            first = start + _may_be_box(letters[start:end], places[start:end])
            if end - start >= 2 and first < end:
                pitch = (places[end - 1] - places[start]) / (end - start - 1)
                x0 = places[first] - 0.5 * pitch
                x1 = places[end - 1] + 0.5 * pitch
                covered[
                    max(0, round(region.y0)) : max(0, round(region.y1)),
                    max(0, round(x0)) : max(0, round(x1)),
                ] = 255
    return covered


def _letter_map(covered: Mask, lines: Sequence[Line], but: frozenset[str]) -> Mask:
    """The print map and every single letter or digit, ``but`` some that boxes are misread as."""
    covered = covered.copy()
    for line in lines:
        region = line.region
        if line.turned:
            continue
        half = max(2.0, 0.12 * region.height)
        for letter in line.letters:
            if letter.text.isalnum() and letter.text not in but:
                x = region.x0 + letter.at * region.width
                covered[
                    max(0, round(region.y0)) : max(0, round(region.y1)),
                    max(0, round(x - half)) : max(0, round(x + half)),
                ] = 255
    return covered


def _may_be_box(letters: Sequence[Letter], places: Sequence[float]) -> int:
    """How many letters at the start of a token may be a misread box: "[]Yes", "XNo", "OMale"."""
    if len(letters) < 2:
        return 0
    first = 0
    while first < len(letters) and letters[first].text in _BOX_SIGNS:
        first += 1
    if first:
        return first
    if letters[0].text not in TICK_GLYPHS or sum(item.text.isdigit() for item in letters) > 1:
        return 0
    if letters[0].text in _TICK_LETTERS:
        return 1
    follows = letters[1].text.isupper() and (len(letters) == 2 or letters[2].text.islower())
    steps = [b - a for a, b in pairwise(places)]
    # A box is wider than a letter and stands off: the first step is long.
    apart = len(steps) >= 2 and steps[0] >= _APART * float(np.median(steps[1:]))
    return 1 if follows or apart else 0


def _squares(
    drawn: Mask, inner_drawn: Mask, covered: Mask, ruling: Ruling, dpi: float
) -> list[Candidate]:
    """Every pair of equal short strokes with something at both sides, level pairs and upright."""
    found = []
    for mask, inner, words, turned in (
        (drawn, inner_drawn, covered, False),
        (_flip(drawn), _flip(inner_drawn), _flip(covered), True),
    ):
        strokes = pieces(opened(mask, round(_RUN * dpi), 1))
        wide = (strokes[:, 2] >= _SMALLEST * dpi) & (strokes[:, 2] <= _LARGEST * dpi)
        thin = strokes[:, 3] <= max(4, _THICKEST * dpi)
        free = (
            words[
                strokes[:, 1] + strokes[:, 3] // 2,
                strokes[:, 0] + strokes[:, 2] // 2,
            ]
            == 0
        )
        strokes = strokes[wide & thin & free]
        strokes = strokes[np.argsort(strokes[:, 1], kind="stable")]
        for box in _pairs(mask, inner, strokes):
            found.append(
                replace(box, x0=box.y0, y0=box.x0, x1=box.y1, y1=box.x1) if turned else box
            )
    return [box for box in found if _stands_free(ruling.text_ink, box)]


def _flip(mask: Mask) -> Mask:
    return np.ascontiguousarray(mask.T)


def _stands_free(mask: Mask, box: Candidate) -> bool:
    """Whether there is white right of the box (or left, where a tick runs over): no letter."""
    shares = _beside(mask, box)
    return max(shares) < 0.35 or (min(shares) < 0.1 and box.evidence > 0.9)


def _white_at_both(mask: Mask, box: Candidate) -> bool:
    """Whether nothing bulges beyond the sides: what was read as a letter may be a box after all."""
    return max(_beside(mask, box)) < 0.15


def _beside(mask: Mask, box: Candidate) -> tuple[float, float]:
    """How much of the rows left and right of the box have ink close by."""
    gap = max(2, round(0.2 * box.size))
    x0, y0, x1, y1 = (round(v) for v in box.rectangle)
    right = inked(mask[y0:y1, x1 + 2 : x1 + 2 + gap], 1)
    left = inked(mask[y0:y1, max(0, x0 - 2 - gap) : max(0, x0 - 2)], 1)
    return (
        float(left.mean()) if len(left) else 0.0,
        float(right.mean()) if len(right) else 0.0,
    )


def _pairs(
    mask: Mask, inner: Mask, strokes: np.ndarray[tuple[int, ...], np.dtype[np.int32]]
) -> list[Candidate]:
    found = []
    for x, y, width, _thick, _area in strokes.tolist():
        tolerance = max(3, round(0.16 * width))
        low, high = y + 0.62 * width, y + 1.4 * width
        partners = strokes[
            (np.abs(strokes[:, 0] - x) <= tolerance)
            & (np.abs(strokes[:, 0] + strokes[:, 2] - x - width) <= tolerance)
            & (strokes[:, 1] >= low)
            & (strokes[:, 1] <= high)
        ]
        for px, py, pwidth, pthick, _parea in partners[:3].tolist():
            x0, x1 = min(x, px), max(x + width, px + pwidth)
            evidence = _sides(mask, x0, x1, y, py + pthick)
            if evidence < _SURE_SIDES:
                continue
            filled = _filled(inner, x0, y, x1, py + pthick)
            found.append(Candidate(x0, y, x1, py + pthick, filled, evidence))
            break
    return found


def _sides(mask: Mask, x0: int, x1: int, y0: int, y1: int) -> float:
    """How much of the weaker side is drawn, 0..1; little where the corners are round.

    ``y0`` and ``y1`` are the outer edges of the two strokes.
    """
    size = x1 - x0
    reach = max(2, round(0.14 * size))
    left = inked(mask[y0 + 2 : y1 - 2, max(0, x0 - 2) : x0 + reach], 1)
    right = inked(mask[y0 + 2 : y1 - 2, x1 - reach : x1 + 2], 1)
    if not len(left):
        return 0.0
    # Letters (D, O, o, 8) have sides too, but bend away from the corners.
    missing = 4 - _corners(mask, x0, y0, x1, y1)
    return float(min(left.mean(), right.mean())) - (0.0, 0.1, 0.35, 1.0, 1.0)[missing]


def _corners(mask: Mask, x0: int, y0: int, x1: int, y1: int) -> int:
    """How many of the four outer corners have ink."""
    k = max(2, round(0.13 * (x1 - x0)))
    return sum(
        share(mask[y : y + k, x : x + k]) >= 0.45 for x in (x0, x1 - k) for y in (y0, y1 - k)
    )


def distinct(boxes: Sequence[Candidate]) -> list[Candidate]:
    """Each box once, the best seen of those on the same place."""
    kept: list[Candidate] = []
    for box in sorted(boxes, key=lambda b: (-b.evidence, -b.size)):
        if not covered_by(box, kept):
            kept.append(box)
    return kept


def covered_by(box: Candidate, others: Sequence[Candidate]) -> bool:
    """Whether another candidate stands on about the same place."""
    return any(
        abs(box.cx - o.cx) < 0.6 * max(box.size, o.size)
        and abs(box.cy - o.cy) < 0.6 * max(box.size, o.size)
        for o in others
    )


def _without_combs(boxes: Sequence[Candidate]) -> list[Candidate]:
    """Drops rows of four or more boxes side by side: they take a letter each."""
    dropped: set[int] = set()
    for i, box in enumerate(boxes):
        row = sorted(
            (
                (other.x0, j)
                for j, other in enumerate(boxes)
                if abs(other.cy - box.cy) < 0.3 * box.size
                and abs(other.size - box.size) < 0.3 * box.size
            )
        )
        run = [i for _, i in row]
        near: list[int] = run[:1]
        for a, b in pairwise(run):
            if boxes[b].x0 - boxes[a].x1 > 0.6 * box.size:
                if len(near) >= 4:
                    dropped.update(near)
                near = []
            near.append(b)
        if len(near) >= 4:
            dropped.update(near)
        if i in dropped:
            continue
    return [box for i, box in enumerate(boxes) if i not in dropped]


def _is_cell(box: Candidate, ruling: Ruling, dpi: float) -> bool:
    """Whether a small box is only a narrow cell: rules run on beyond it on two sides or more."""
    reach = 0.35 * box.size
    near = 0.03 * dpi
    level = sum(
        1
        for rule in ruling.horizontal
        if min(abs(rule.cy - box.y0), abs(rule.cy - box.y1)) <= near
        and rule.x0 <= box.x0 - reach
        and rule.x1 >= box.x1 + reach
    )
    upright = sum(
        1
        for rule in ruling.vertical
        if min(abs(rule.cx - box.x0), abs(rule.cx - box.x1)) <= near
        and rule.y0 <= box.y0 - reach
        and rule.y1 >= box.y1 + reach
    )
    return level >= 2 or upright >= 2 or (level >= 1 and upright >= 1)

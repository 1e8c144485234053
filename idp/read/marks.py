# SPDX-License-Identifier: Apache-2.0
"""Check boxes and circles from pixels: where they are and what a person did to them.

Recognised text can't tell: a box comes out as "[]", "O", "1" or not at all. A box is two equal
short strokes with both sides between them, found from its top and bottom and again from its two
sides, so that a tick that runs over one pair leaves the other. Boxes next to sure ones are believed
with less evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np

from idp.document import Box, Mark, Word
from idp.read.ocr import Letter, Line
from idp.read.pixels import Mask, Pixels, Rectangle, components, inked, opened, pieces, share
from idp.read.rules import Ruling

# Inches.
_SMALLEST = 0.065
_LARGEST = 0.25
_RUN = 0.045
_THICKEST = 0.045
_CIRCLE = (0.07, 0.2)
_FIRST_GAP = 0.4
_WORD_GAP = 0.2

TICK_GLYPHS = frozenset("☐☑☒□■●○√✓✔OoDQ0CGU[](){}XxVvYJL|lI1/\\~-_.,'\"*+=•")
"""What the recogniser makes of a check box, ticked or not."""

_BOX_LETTERS = frozenset("XxVvOD0Q")
_SURE_SIDES = 0.7
_FRAME = 160  # of 255: how dark each side of a further box must be
_MOST_FRAMES = 1_500
_EMPTY_AT_MOST = 0.08
_FULL_AT_LEAST = 0.2
_MOST_WORDS = 12


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


def find_marks(pixels: Pixels, ruling: Ruling, lines: Sequence[Line]) -> list[Candidate]:
    """Boxes, circles and typed brackets of a page, top to bottom."""
    words = _print_map(pixels.ink.shape, lines)
    boxes: list[Candidate] = []
    for drawn in (pixels.ink, pixels.faint):  # black, and if there is none, light grey
        boxes = _boxes(drawn, pixels, words, ruling)
        if boxes:
            break
    if boxes:
        boxes = _distinct([*boxes, *_like(boxes, ruling.text_ink, _letter_map(words, lines))])
    boxes = [box for box in _without_combs(boxes) if not _is_cell(box, ruling, pixels.dpi)]
    found = [*boxes, *_brackets(lines, boxes)]
    found += [
        c
        for c in _circles(pixels, lines)
        if not _covered(c, found) and not words[round(c.cy), round(c.cx)]
    ]
    return sorted(found, key=lambda c: (round(c.cy / (0.08 * pixels.dpi)), c.x0))


def _boxes(drawn: Mask, pixels: Pixels, covered: Mask, ruling: Ruling) -> list[Candidate]:
    boxes = _distinct(_squares(drawn, pixels.ink, covered, ruling, pixels.dpi))
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
        if len(same) < 2 or min(box.filled for box in same) > _EMPTY_AT_MOST:
            continue  # letters look like ticked boxes, and never like empty ones
        width = round(float(np.median([box.x1 - box.x0 for box in same])))
        height = round(float(np.median([box.y1 - box.y0 for box in same])))
        found += [
            box
            for box in _frames(drawn, width, height, covered)
            if box.filled < _FULL_AT_LEAST or _aligned(box, same)
        ]
    return found


def _aligned(box: Candidate, others: Sequence[Candidate]) -> bool:
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


def _print_map(shape: tuple[int, ...], lines: Sequence[Line]) -> Mask:
    """Where letters surely are letters: words, but for a first letter that may be a misread box."""
    covered = np.zeros(shape[:2], np.uint8)
    for line in lines:
        region, letters = line.region, line.letters
        if line.turned:
            continue
        places = [region.x0 + letter.at * region.width for letter in letters]
        start = 0
        while start < len(letters):
            end = start
            while end < len(letters) and letters[end].text != " ":
                end += 1
            first = start
            if not all(letter.text.isalnum() for letter in letters[start:end]):
                while first < end and letters[first].text in TICK_GLYPHS:
                    first += 1
            elif letters[first].text in TICK_GLYPHS and _begins_upper(letters[start + 1 : end]):
                first += 1
            if end - start >= 2 and first < end:
                pitch = (places[end - 1] - places[start]) / (end - start - 1)
                x0 = places[first] - 0.5 * pitch
                x1 = places[end - 1] + 0.5 * pitch
                covered[
                    max(0, round(region.y0)) : max(0, round(region.y1)),
                    max(0, round(x0)) : max(0, round(x1)),
                ] = 255
            start = end + 1
    return covered


def _letter_map(covered: Mask, lines: Sequence[Line]) -> Mask:
    """The print map and every single letter that is not what a box is usually misread as."""
    covered = covered.copy()
    for line in lines:
        region = line.region
        if line.turned:
            continue
        half = max(2.0, 0.2 * region.height)
        for letter in line.letters:
            if letter.text.isalnum() and letter.text not in _BOX_LETTERS:
                x = region.x0 + letter.at * region.width
                covered[
                    max(0, round(region.y0)) : max(0, round(region.y1)),
                    max(0, round(x - half)) : max(0, round(x + half)),
                ] = 255
    return covered


def _begins_upper(letters: Sequence[Letter]) -> bool:
    """Whether a word goes on so that its first letter may be a box: "ONo", "DUrgent", "OMale"."""
    return bool(letters) and letters[0].text.isupper()


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
    gap = max(2, round(0.2 * box.size))
    y0, y1 = round(box.y0), round(box.y1)
    x0, x1 = round(box.x0), round(box.x1)
    right = inked(mask[y0:y1, x1 + 2 : x1 + 2 + gap], 1)
    left = inked(mask[y0:y1, max(0, x0 - 2 - gap) : max(0, x0 - 2)], 1)
    shares = [float(side.mean()) if len(side) else 0.0 for side in (left, right)]
    return max(shares) < 0.35 or (min(shares) < 0.1 and box.evidence > 0.9)


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


def _distinct(boxes: Sequence[Candidate]) -> list[Candidate]:
    """Each box once, the best seen of those on the same place."""
    kept: list[Candidate] = []
    for box in sorted(boxes, key=lambda b: (-b.evidence, -b.size)):
        if not _covered(box, kept):
            kept.append(box)
    return kept


def _covered(box: Candidate, others: Sequence[Candidate]) -> bool:
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


_OPENING, _CLOSING = "[(", "])"
_TICKS = frozenset("xX*✓✔√vV/")


def _brackets(lines: Sequence[Line], boxes: Sequence[Candidate]) -> list[Candidate]:
    """Boxes typed as ``[ ]``, ``[X]``, ``( )`` or ``(X)``."""
    found = []
    for line in lines:
        letters = line.letters
        for i, letter in enumerate(letters):
            if letter.text not in _OPENING:
                continue
            rest = letters[i + 1 : i + 5]
            end = next((k for k, item in enumerate(rest) if item.text in _CLOSING), None)
            if end is None or _OPENING.index(letter.text) != _CLOSING.index(rest[end].text):
                continue
            between = "".join(item.text for item in rest[:end]).strip(" _")
            if between and (len(between) > 1 or between not in _TICKS):
                continue
            if between == "*" and letter.text == "(":
                continue
            if not between and end == 0 and letter.text == "(":
                continue  # "()" is how a misread letter looks, "( )" is typed on purpose
            region = line.region
            x0 = region.x0 + (letter.at * region.width) - 0.2 * region.height
            x1 = region.x0 + (rest[end].at * region.width) + 0.2 * region.height
            box = Candidate(x0, region.y0, x1, region.y1, 1.0 if between else 0.0, 0.8, "brackets")
            if not _covered(box, boxes):
                found.append(box)
    return found


def _circles(pixels: Pixels, lines: Sequence[Line]) -> list[Candidate]:
    """Round option buttons: rings of one size that stand apart from print, at least two of them."""
    dpi = pixels.dpi
    parts = components(pixels.firm)
    width, height = parts[:, 2], parts[:, 3]
    low, high = _CIRCLE[0] * dpi, _CIRCLE[1] * dpi
    round_ = (
        (width >= low)
        & (width <= high)
        & (np.abs(width - height) <= np.maximum(2, 0.12 * width))
        & (parts[:, 4] >= 0.15 * width * height)
        & (parts[:, 4] <= 0.8 * width * height)
    )
    found = []
    for x, y, w, h, _area in parts[round_].tolist():
        ring, core = _ring(pixels.firm, x, y, w, h)
        if ring < 0.9 or not _apart(pixels.firm, x, y, w, h):
            continue
        found.append(Candidate(x, y, x + w, y + h, core, ring, "circle"))
    return [
        c
        for c in found
        if sum(abs(o.size - c.size) <= max(2.0, 0.1 * c.size) for o in found) >= 2
        and not _is_letter(c, lines)
    ]


_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)


def _ring(mask: Mask, x: int, y: int, w: int, h: int) -> tuple[float, float]:
    """Share of the rim that is drawn (0 where no white ring lies within it), and of the core."""
    cx, cy, radius = x + (w - 1) / 2, y + (h - 1) / 2, (w + h) / 4

    def drawn(r: float) -> float:
        xs = np.clip(np.rint(cx + r * np.cos(_ANGLES)), 0, mask.shape[1] - 1).astype(int)
        ys = np.clip(np.rint(cy + r * np.sin(_ANGLES)), 0, mask.shape[0] - 1).astype(int)
        return float(np.count_nonzero(mask[ys, xs])) / len(_ANGLES)

    rim = max(drawn(radius - 0.8), drawn(radius - 1.8))
    reach = max(1, round(0.3 * radius))
    core = share(
        mask[round(cy) - reach : round(cy) + reach + 1, round(cx) - reach : round(cx) + reach + 1]
    )
    gap = min(drawn(radius * f) for f in (0.55, 0.65, 0.75))
    if core < 0.5 and gap > 0.3:
        return 0.0, core
    return rim, core


def _apart(mask: Mask, x: int, y: int, w: int, h: int) -> bool:
    """Whether there is white all around, as beside a button but not beside a letter."""
    gap = max(3, round(0.3 * w))
    top, bottom = max(0, y - 1), y + h + 1
    left = mask[top:bottom, max(0, x - gap) : max(0, x - 1)]
    right = mask[top:bottom, x + w + 1 : x + w + gap]
    return share(left) < 0.03 and share(right) < 0.03


def _is_letter(c: Candidate, lines: Sequence[Line]) -> bool:
    """Whether the ring was read as a sure letter or digit within a word."""
    for line in lines:
        region = line.region
        if not (region.y0 <= c.cy <= region.y1 and region.x0 - 2 <= c.cx <= region.x1 + 2):
            continue
        for i, letter in enumerate(line.letters):
            place = region.x0 + letter.at * region.width
            if abs(place - c.cx) > 0.5 * c.size or not letter.text.isalnum():
                continue
            before = line.letters[i - 1].text if i else " "
            after = line.letters[i + 1].text if i + 1 < len(line.letters) else " "
            if before != " " or (after != " " and letter.text not in "O0o"):
                return True
    return False


def threshold_of(candidates: Sequence[Candidate]) -> float:
    """Share of print from which on a box counts as ticked: above what empty ones show here."""
    shares = [c.filled for c in candidates if c.kind == "box"]
    if not shares:
        return _EMPTY_AT_MOST
    # Noise and the blurred rim fill the empty boxes of a bad fax a little.
    low = float(np.percentile(shares, 25))
    return min(_FULL_AT_LEAST, max(_EMPTY_AT_MOST, low + 0.07))


def labelled(
    candidates: Sequence[Candidate],
    words: Sequence[Word],
    ruling: Ruling,
    size: tuple[int, int],
    dpi: float,
) -> tuple[Mark, ...]:
    """The marks with their states, and the words of their options as labels.

    An option's words stand right of its box, up to the next box, a rule or a wide gap; in rows
    where nothing stands right of the last box, they stand left.
    """
    width, height = size
    threshold = threshold_of(candidates)
    places = [_Place(w.text, w.line, *_pixels(w.box, width, height)) for w in words]
    made: dict[int, tuple[str, str]] = {}
    for i, c in enumerate(candidates):
        made[i] = (
            _beside(c, candidates, places, ruling, dpi, right=True),
            _beside(c, candidates, places, ruling, dpi, right=False),
        )
    marks = []
    for i, c in enumerate(candidates):
        row = [j for j, o in enumerate(candidates) if abs(o.cy - c.cy) < 0.6 * c.size]
        last = max(row, key=lambda j: candidates[j].x0)
        first = min(row, key=lambda j: candidates[j].x0)
        label = made[i][0]
        if not made[last][0] and made[first][1]:
            label = made[i][1]
        ticked = c.filled >= (0.5 if c.kind != "box" else threshold)
        marks.append(
            Mark(
                state="checked" if ticked else "unchecked",
                box=Box(
                    *(
                        round(min(1.0, max(0.0, v / s)), 5)
                        for v, s in zip(c.rectangle, (width, height, width, height), strict=True)
                    )
                ),
                label=label,
                confidence=_confidence(c, threshold),
            )
        )
    return tuple(
        mark
        for c, mark in zip(candidates, marks, strict=True)
        if mark.label or _aligned(c, candidates)  # a lone square without words is a drawing
    )


def _confidence(c: Candidate, threshold: float) -> float:
    if c.kind != "box":
        return 0.9 if abs(c.filled - 0.5) > 0.2 else 0.6
    span = threshold if c.filled < threshold else 0.12
    clear = min(1.0, abs(c.filled - threshold) / span)
    return round((0.5 + 0.49 * clear) * min(1.0, 0.6 + 0.5 * max(0.0, c.evidence)), 3)


@dataclass(frozen=True)
class _Place:
    text: str
    line: int
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2


def _pixels(box: Box, width: int, height: int) -> Rectangle:
    return box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height


def _beside(
    c: Candidate,
    candidates: Sequence[Candidate],
    places: Sequence[_Place],
    ruling: Ruling,
    dpi: float,
    *,
    right: bool,
) -> str:
    reach = max(0.35 * c.size, 0.03 * dpi)
    level = [p for p in places if c.y0 - reach <= p.cy <= c.y1 + reach]
    # In small print two rows may pass the box: the words are those of the row level with it.
    beside = [
        p
        for p in level
        if (0 <= p.x0 - c.x0 <= c.size + _FIRST_GAP * dpi if right else c.x1 - p.x1 >= 0)
    ]
    if beside:
        row = min(beside, key=lambda p: abs(p.cy - c.cy)).line
        level = [p for p in level if p.line == row]
    others = [o for o in candidates if o is not c and abs(o.cy - c.cy) < 0.8 * c.size]
    walls = [v.cx for v in ruling.vertical if v.y0 <= c.cy <= v.y1]
    slack = 0.25 * c.size
    chosen: list[_Place] = []
    if right:
        stop = min(
            [o.x0 for o in others if o.x0 > c.x1 - 1] + [x for x in walls if x > c.x1 + 1],
            default=float("inf"),
        )
        edge, gap = c.x1, _FIRST_GAP * dpi
        for p in sorted(level, key=lambda p: p.x0):
            if p.x0 < c.x1 - slack and (p.x0 + p.x1) / 2 < c.x1:
                continue
            if p.x0 - edge > gap or (p.x0 + p.x1) / 2 > stop or len(chosen) >= _MOST_WORDS:
                break
            chosen.append(p)
            if p.text.endswith(":"):
                break
            edge, gap = p.x1, _WORD_GAP * dpi
    else:
        stop = max(
            [o.x1 for o in others if o.x1 < c.x0 + 1] + [x for x in walls if x < c.x0 - 1],
            default=0.0,
        )
        edge, gap = c.x0, _FIRST_GAP * dpi
        for p in sorted(level, key=lambda p: -p.x1):
            if p.x1 > c.x0 + slack:
                continue
            if edge - p.x1 > gap or (p.x0 + p.x1) / 2 < stop or len(chosen) >= _MOST_WORDS:
                break
            if chosen and p.text.endswith(":"):
                break
            chosen.insert(0, p)
            edge, gap = p.x0, _WORD_GAP * dpi
    return " ".join(p.text for p in chosen)

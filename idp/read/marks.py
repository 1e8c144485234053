# SPDX-License-Identifier: Apache-2.0
"""Check boxes, circles and typed brackets: what a person did to them, and what option they mean.

Recognised text can't tell: a box comes out as "[]", "O", "1" or not at all. So marks are found in
the pixels, and the words beside them become their labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idp.document import Box, Mark, Word
from idp.read.boxes import (
    EMPTY_AT_MOST,
    FULL_AT_LEAST,
    Candidate,
    aligned,
    covered_by,
    find_boxes,
    print_map,
)
from idp.read.ocr import Line
from idp.read.pixels import Mask, Pixels, Rectangle, components, share
from idp.read.rules import Ruling

# Inches.
_CIRCLE = (0.07, 0.2)
_FIRST_GAP = 0.4
_WORD_GAP = 0.2
_MOST_WORDS = 12


def find_marks(pixels: Pixels, ruling: Ruling, lines: Sequence[Line]) -> list[Candidate]:
    """Boxes, circles and typed brackets of a page, top to bottom."""
    words = print_map(pixels.ink.shape, lines)
    boxes = find_boxes(pixels, ruling, lines, words)
    found = [*boxes, *_brackets(lines, boxes)]
    found += [
        c
        for c in _circles(pixels, lines)
        if not covered_by(c, found) and not words[round(c.cy), round(c.cx)]
    ]
    return sorted(found, key=lambda c: (round(c.cy / (0.08 * pixels.dpi)), c.x0))


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
            if not covered_by(box, boxes):
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
        return EMPTY_AT_MOST
    # Noise and the blurred rim fill the empty boxes of a bad fax a little.
    low = float(np.percentile(shares, 25))
    return min(FULL_AT_LEAST, max(EMPTY_AT_MOST, low + 0.07))


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
        # Squares without words, and without a neighbour that has some, are drawings.
        if mark.label or aligned(c, [o for o, m in zip(candidates, marks, strict=True) if m.label])
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

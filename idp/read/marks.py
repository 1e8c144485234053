# SPDX-License-Identifier: Apache-2.0
"""Check boxes, buttons and typed brackets: what a person did to them, and what option they mean.

Recognised text can't tell: a box comes out as "[]", "O", "1" or not at all. So marks are found in
the pixels, and the words beside them become their labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idp.document import Box, Mark, Word
from idp.read.boxes import Candidate, aligned, covered_by, find_boxes, printed
from idp.read.ocr import Line
from idp.read.pixels import Pixels, Rectangle
from idp.read.rules import Ruling

# Inches.
_FIRST_GAP = 0.4
_WORD_GAP = 0.2
_MOST_WORDS = 24
_HEAD_REACH = 0.6
_WIDEST_ROW = 2.5

_NEARER = 2.5  # times nearer are an option's words to its own box than to another

_SURE = 0.6
"""Evidence from which on a candidate is a mark ..."""

_SURE_IN_PRINT = 0.82
"""... and where the recogniser read the letters of a word."""

_SOLID = 0.65
"""Share of ink from which on a mark is a black disc or square; a disc fills .79 of its box."""

_ALIKE = 0.4  # sizes of marks of one kind, apart by this share

_OPENING, _CLOSING = "[(", "])"
_TICKS = frozenset("xX*✓✔√vV/")
_ROUND_OR_SQUARE = frozenset("☐☑☒□■●○Oo0")
_CROSSES = frozenset("xX✓✔√☒☑")


def find_marks(
    pixels: Pixels, ruling: Ruling, lines: Sequence[Line], taken: Sequence[Rectangle] = ()
) -> list[Candidate]:
    """Boxes, buttons, typed brackets and crosses in cells, top to bottom.

    Args:
        pixels: The page.
        ruling: Its cells: one that holds nothing but a typed X is a choice.
        lines: What was read; the letters of a word are hardly ever boxes.
        taken: Where there are none, in pixels: combs have cells of their own.
    """
    words = np.array(printed(lines), np.float64).reshape(-1, 4)
    closed = np.array(taken, np.float64).reshape(-1, 4)
    boxes = [
        box
        for box in find_boxes(pixels)
        if box.evidence >= (_SURE_IN_PRINT if _within(box, words) else _SURE)
        and not _within(box, closed)
    ]
    found = _with_brackets(_without_bullets(boxes, pixels), lines)
    found += [cross for cross in _crosses(ruling, lines) if not covered_by(cross, found)]
    return sorted(found, key=lambda c: (round(c.cy / (0.08 * pixels.dpi)), c.x0))


def _within(box: Candidate, places: NDArray[np.float64]) -> bool:
    """Whether its middle lies in one of the places, rows of x0, y0, x1, y1."""
    x0, y0, x1, y1 = places.T
    cx, cy = box.cx, box.cy
    return bool(((x0 <= cx) & (cx <= x1) & (y0 <= cy) & (cy <= y1)).any())


def _without_bullets(boxes: Sequence[Candidate], pixels: Pixels) -> list[Candidate]:
    """Without black discs that no empty place of their size stands against: those are bullets."""
    empty = [box.size for box in boxes if box.filled < 0.5]
    return [
        box
        for box in boxes
        if _blackness(box, pixels) < _SOLID
        or any(abs(size - box.size) <= _ALIKE * box.size for size in empty)
    ]


def _blackness(box: Candidate, pixels: Pixels) -> float:
    """Share of ink in what is drawn of a box."""
    patch = pixels.ink[max(0, int(box.y0)) : int(box.y1), max(0, int(box.x0)) : int(box.x1)] > 0
    ys, xs = np.nonzero(patch)
    if not len(ys):
        return 0.0
    return float(patch[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].mean())


def _with_brackets(boxes: Sequence[Candidate], lines: Sequence[Line]) -> list[Candidate]:
    """The boxes, and those typed as ``[ ]``, ``[X]``, ``( )`` or ``(X)``.

    Where the pixels show one too, they say where it is, and the letters what is in it.
    """
    found = list(boxes)
    for line in lines:
        letters = line.letters
        for i, letter in enumerate(letters):
            if letter.text not in _OPENING or line.turned:
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
            typed = Candidate(
                x0, region.y0, x1, region.y1, 0.98 if between else 0.05, 0.9, "brackets"
            )
            if not covered_by(typed, found):
                found.append(typed)
    return found


def _crosses(ruling: Ruling, lines: Sequence[Line]) -> list[Candidate]:
    """Crosses and ticks that stand alone in a cell of a table."""
    found = []
    for line in lines:
        region, text = line.region, line.text.strip()
        if len(text) != 1 or text not in _CROSSES or line.turned:
            continue
        cx, cy = (region.x0 + region.x1) / 2, (region.y0 + region.y1) / 2
        if any(c.x0 < cx < c.x1 and c.y0 < cy < c.y1 for c in ruling.cells):
            found.append(
                Candidate(region.x0, region.y0, region.x1, region.y1, 0.97, 0.8, "brackets")
            )
    return found


def labelled(
    candidates: Sequence[Candidate],
    words: Sequence[Word],
    ruling: Ruling,
    size: tuple[int, int],
    dpi: float,
) -> tuple[Mark, ...]:
    """The marks with their states, and the words of their options as labels.

    An option's words stand on one side of its box, the same for a whole row, up to the next box, a
    rule or a wide gap; where they stand on neither side, they stand above, once for a column.
    """
    width, height = size
    places = [
        place
        for w in words
        if not _is_mark(place := _Place(w.text, *_pixels(w.box, width, height)), candidates)
    ]
    page = _Surroundings(candidates, places, ruling, dpi)
    labels: dict[int, str] = {}
    for row in page.rows():
        labels.update(page.labels(row))
    for column in page.columns([i for i in range(len(candidates)) if not labels[i]]):
        head = page.head(column)
        labels.update(dict.fromkeys(column, head))
    named = [c for i, c in enumerate(candidates) if labels[i]]
    marks = []
    for i, c in enumerate(candidates):
        # Squares without words, and without a neighbour that has some, are drawings.
        if not labels[i] and not aligned(c, named):
            continue
        marks.append(
            Mark(
                state="checked" if c.filled >= 0.5 else "unchecked",
                box=Box(
                    *(
                        round(min(1.0, max(0.0, v / s)), 5)
                        for v, s in zip(c.rectangle, (width, height, width, height), strict=True)
                    )
                ),
                label=labels[i],
                confidence=_confidence(c),
            )
        )
    return tuple(marks)


def _confidence(c: Candidate) -> float:
    """Probability that this is a mark in the state given."""
    return round(max(c.filled, 1 - c.filled) * min(1.0, 0.5 + 0.6 * c.evidence), 3)


@dataclass(frozen=True)
class _Place:
    text: str
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def cx(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2


def _pixels(box: Box, width: int, height: int) -> Rectangle:
    return box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height


def _is_mark(word: _Place, candidates: Sequence[Candidate]) -> bool:
    """Whether a word is what the recogniser made of marks."""
    signs = all(letter in _ROUND_OR_SQUARE for letter in word.text)
    on_marks = sum(
        max(0.0, min(word.x1, c.x1) - max(word.x0, c.x0))
        for c in candidates
        if c.y0 < word.cy < c.y1
    )
    return on_marks > (0.1 if signs else 0.6) * (word.x1 - word.x0)


@dataclass(frozen=True)
class _Side:
    """The words beside a mark, and how far off the first of them is; none: endless."""

    text: str = ""
    gap: float = float("inf")


class _Surroundings:
    """Marks and the words and rules around them, in pixels."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        places: Sequence[_Place],
        ruling: Ruling,
        dpi: float,
    ) -> None:
        self._marks = candidates
        self._places = places
        self._ruling = ruling
        self._dpi = dpi

    def rows(self) -> list[list[int]]:
        """Marks side by side, not parted by an upright rule or much white, left to right."""
        rows: list[list[int]] = []
        for i in sorted(range(len(self._marks)), key=lambda i: self._marks[i].x0):
            c = self._marks[i]
            for row in rows:
                other = self._marks[row[-1]]
                if (
                    abs(other.cy - c.cy) < 0.6 * min(other.size, c.size)
                    and c.x0 - other.x1 < _WIDEST_ROW * self._dpi
                    and not any(other.cx < x < c.cx for x in self._walls(c))
                ):
                    row.append(i)
                    break
            else:
                rows.append([i])
        return rows

    def _walls(self, c: Candidate) -> list[float]:
        """Upright rules beside a mark, without its own borders."""
        slack = 0.2 * c.size
        return [
            v.cx
            for v in self._ruling.vertical
            if v.y0 <= c.cy <= v.y1 and not c.x0 - slack <= v.cx <= c.x1 + slack
        ]

    def labels(self, row: Sequence[int]) -> dict[int, str]:
        """The labels of a row: all from the right, or all from the left."""
        right = {i: self._beside(self._marks[i], right=True) for i in row}
        left = {i: self._beside(self._marks[i], right=False) for i in row}
        side = left if self._stand_left([right[i] for i in row], [left[i] for i in row]) else right
        if side is left and len(row) > 1 and not any(left[i].text for i in row[1:]):
            # A question and the boxes of its answers, which are named above.
            heads = {i: self.head([i]) for i in row}
            if all(heads.values()):
                return heads
        return {i: side[i].text for i in row}

    @staticmethod
    def _stand_left(right: Sequence[_Side], left: Sequence[_Side]) -> bool:
        """Whether the options of a row stand left of their boxes: their words are the nearer."""
        after = [max(2.0, side.gap) for side in right if side.text]
        before = [max(2.0, side.gap) for side in left if side.text]
        if not before or not after:
            return bool(before)
        nearer = float(np.median(after)) / float(np.median(before))
        if nearer > _NEARER or nearer < 1 / _NEARER:
            return nearer > 1
        return not right[-1].text and bool(left[0].text)

    def columns(self, without: Sequence[int]) -> list[list[int]]:
        """Marks that found no words beside them, those one above the other together."""
        columns: list[list[int]] = []
        for i in sorted(without, key=lambda i: self._marks[i].cy):
            c = self._marks[i]
            for column in columns:
                other = self._marks[column[-1]]
                if (
                    abs(other.cx - c.cx) < 0.5 * c.size
                    and c.cy - other.cy < _HEAD_REACH * self._dpi
                    and not any(
                        other.cy < p.cy < c.cy and abs(p.cx - c.cx) < 1.5 * c.size
                        for p in self._places
                    )
                ):
                    column.append(i)
                    break
            else:
                columns.append([i])
        return columns

    def head(self, column: Sequence[int]) -> str:
        """The words above a column of marks, or above a single one."""
        top = self._marks[column[0]]
        reach = 0.5 * _HEAD_REACH * self._dpi
        level = [o for o in self._marks if o is not top and abs(o.cy - top.cy) < 0.6 * top.size]
        # A heading belongs to the nearest mark of the row beneath it.
        low = max([(o.cx + top.cx) / 2 for o in level if o.cx < top.cx], default=top.cx - 2 * reach)
        high = min(
            [(o.cx + top.cx) / 2 for o in level if o.cx > top.cx], default=top.cx + 2 * reach
        )
        walls = self._walls(top)
        low = max([low, *[x for x in walls if x < top.cx]])
        high = min([high, *[x for x in walls if x > top.cx]])
        above = [
            p
            for p in self._places
            if low < p.cx < high and 0 < top.y0 - p.cy < reach + 0.5 * (p.y1 - p.y0)
        ]
        if not above:
            return ""
        nearest = max(above, key=lambda p: p.cy)
        line = sorted(
            (p for p in above if abs(p.cy - nearest.cy) < 0.5 * (nearest.y1 - nearest.y0)),
            key=lambda p: p.x0,
        )
        # Of a whole sentence above, nothing is the heading of this mark alone.
        middle = (line[0].x0 + line[-1].x1) / 2
        if abs(middle - top.cx) > max(1.5 * top.size, 0.35 * (line[-1].x1 - line[0].x0)):
            return ""
        return " ".join(p.text for p in line)

    def _beside(self, c: Candidate, *, right: bool) -> _Side:
        dpi = self._dpi
        reach = max(0.35 * c.size, 0.03 * dpi)
        level = [p for p in self._places if c.y0 - reach <= p.cy <= c.y1 + reach]
        # In small print two rows may pass the box: the words are those of the row level with it.
        first = _FIRST_GAP * dpi
        beside = [
            p
            for p in level
            if (-c.size <= p.x0 - c.x1 <= first if right else -c.size <= c.x0 - p.x1 <= first)
            and (p.cx > c.cx if right else p.cx < c.cx)
        ]
        if not beside:
            return _Side()
        nearest = min(beside, key=lambda p: abs(p.cy - c.cy))
        level = [p for p in level if abs(p.cy - nearest.cy) < 0.5 * (nearest.y1 - nearest.y0)]
        others = [o for o in self._marks if o is not c and abs(o.cy - c.cy) < 0.8 * c.size]
        walls = self._walls(c)
        slack = 0.25 * c.size
        chosen: list[_Place] = []
        if right:
            stop = min(
                [o.x0 for o in others if o.x0 > c.x1 - slack] + [x for x in walls if x > c.cx],
                default=float("inf"),
            )
            edge, gap = c.x1, _FIRST_GAP * dpi
            for p in sorted(level, key=lambda p: p.x0):
                if p.x0 < c.x1 - slack and p.cx < c.x1:
                    continue
                if p.x0 - edge > gap or p.cx > stop or len(chosen) >= _MOST_WORDS:
                    break
                chosen.append(p)
                if p.text.endswith(":"):
                    break
                edge, gap = p.x1, _WORD_GAP * dpi
            distance = chosen[0].x0 - c.x1 if chosen else float("inf")
        else:
            stop = max(
                [o.x1 for o in others if o.x1 < c.x0 + slack] + [x for x in walls if x < c.cx],
                default=0.0,
            )
            edge, gap = c.x0, _FIRST_GAP * dpi
            for p in sorted(level, key=lambda p: -p.x1):
                if p.x1 > c.x0 + slack:
                    continue
                if edge - p.x1 > gap or p.cx < stop or len(chosen) >= _MOST_WORDS:
                    break
                if chosen and p.text.endswith(":"):
                    break
                chosen.insert(0, p)
                edge, gap = p.x0, _WORD_GAP * dpi
            distance = c.x0 - chosen[-1].x1 if chosen else float("inf")
        return _Side(" ".join(p.text for p in chosen), distance)

# SPDX-License-Identifier: Apache-2.0
"""Labels printed under the line that their value is written on, as under a signature.

A label between two rows of values may belong to either. The line on which the upper one stands, the
blanks above and below, and what the other labels of the section do, tell which.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from idp.extract.readings import Found, Reading
from idp.extract.sections import title_at
from idp.extract.tables_lines import Token

_LINE_ABOVE = 1.2
"""How many text heights over a label its line may run."""
_VALUE_ABOVE = 2.0
"""How many text heights over the line its value may begin."""
_NEAR = 2.7
_SHORTEST_LINE = 1.2
"""In text heights: the line of a middle initial."""
_CLEARLY = 0.8
_SAME = 0.25
"""Text heights by which two blanks differ in print that is never quite straight."""
_APART = 1.3
"""Text heights of blank behind a caption; a value would stand closer."""


class _Line(NamedTuple):
    """A horizontal rule to write on."""

    y: float
    x0: float
    x1: float


class _Area(NamedTuple):
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float


class _Sides(NamedTuple):
    """What stands over and under a label, nearest row only."""

    line: _Line | None
    above: list[Token]
    below: list[Token]


def find_captions(reading: Reading) -> set[tuple[int, int]]:
    """``(row, start)`` of the labels whose value stands over them."""
    groups: dict[int, list[tuple[Found, _Sides]]] = defaultdict(list)
    titles = {(t.row, t.tokens[0]) for t in reading.titles}
    for found in reading.labels:
        known = found.meaning.attribute or found.meaning.fields
        if found.colon or _has_cell(reading, found) or _continues(reading, found):
            continue
        if (found.row, reading.tokens(found)[0]) in titles:
            continue  # a section's title heads what follows it
        if not known:
            continue  # a sentence with a number before it says nothing of how labels stand
        title = title_at(reading, found.box[0], (found.box[1] + found.box[3]) / 2)
        groups[id(title)].append((found, _sides(reading, found)))
    captions: set[tuple[int, int]] = set()
    for group in groups.values():
        claimed = {t for _, sides in group if sides.line for t in sides.above}
        votes = [
            vote
            for found, sides in group
            if (vote := _vote(found, sides, claimed, reading.sheaf.unit))
        ]
        ruled = [sides.line is not None for _, sides in group]
        if sum(votes) <= 0 or (not any(ruled) and (min(votes) < 0 or sum(votes) < 2)):
            continue
        captions |= {
            (found.row, found.start)
            for found, sides in group
            if sides.line is not None or (not any(ruled) and sides.above)
        }
    return captions


def value_above(reading: Reading, found: Found) -> list[Token]:
    """The tokens on the line over a caption, from left to right; none when it was left blank."""
    return _sides(reading, found).above


def _vote(found: Found, sides: _Sides, claimed: set[Token], unit: float) -> float:
    """Above 0 when the label speaks for captions, below 0 when its value stands under it.

    A value under a label that stands on the line of the next label may be either's.
    """
    if sides.above and not sides.below:
        # Over a blank label stands its upper neighbour's value: a line makes the difference.
        return 1.0 if sides.line else 0.5
    if sides.below and not sides.above:
        return 0.0 if sides.line and sides.below[0] in claimed else -1.0
    if not sides.above:
        return 0.0
    up = found.box[1] - max(t.y1 for t in sides.above)
    down = min(t.y0 for t in sides.below) - found.box[3]
    if abs(up - down) < _SAME * unit:
        return 0.0
    if up < _CLEARLY * down:
        return 1.0
    return -1.0 if down < _CLEARLY * up else 0.0


def _has_cell(reading: Reading, found: Found) -> bool:
    x, y = (found.box[0] + found.box[2]) / 2, (found.box[1] + found.box[3]) / 2
    return reading.sheaf.cell_at(x, y) is not None


def _continues(reading: Reading, found: Found) -> bool:
    """Whether print goes on right behind the label: an answer, or the label's own words."""
    row = reading.sheaf.rows[found.row]
    return found.end < len(row) and row[found.end].x0 - found.box[2] < _APART * reading.sheaf.unit


def _sides(reading: Reading, found: Found) -> _Sides:
    unit = reading.sheaf.unit
    line = _line_over(reading, found)
    left = min(found.box[0], line.x0 if line else found.box[0]) - unit
    right = max(found.box[2] + 0.5 * unit, line.x1 if line else 0.0)
    if line is None:
        right = _next_piece(reading, found)
    level = line.y if line else found.box[1]
    over = _Area(left, level - _VALUE_ABOVE * unit, right, level + 0.4 * unit)
    under = _Area(left, found.box[3], right, found.box[3] + _NEAR * unit)
    above = [t for t in _row_in(reading, found, over) if not t.boxed]
    below = _row_in(reading, found, under, down=True)
    return _Sides(line, above, below)


def _line_over(reading: Reading, found: Found) -> _Line | None:
    """The line that begins where the label begins, or runs over all of it."""
    unit = reading.sheaf.unit
    x0, y0, x1 = found.box[0], found.box[1], found.box[2]
    lines = [
        _Line(y, left, right)
        for y, left, right in reading.sheaf.sheet.horizontal
        if y0 - _LINE_ABOVE * unit < y <= y0 + 0.3 * unit
        and (abs(left - x0) < 1.5 * unit or (left <= x0 and right >= x1))
        and right - left > max(_SHORTEST_LINE * unit, 0.5 * (x1 - x0))
        and not _has_walls(reading, _Line(y, left, right), found.box[3])
    ]
    return min(lines, key=lambda line: line.x1 - line.x0, default=None)


def _has_walls(reading: Reading, line: _Line, floor: float) -> bool:
    """Whether the line is a box's upper edge: walls go down from both its ends, past the label."""
    unit = reading.sheaf.unit
    ends = [
        x for x, y0, y1 in reading.sheaf.sheet.vertical if y0 < line.y + 0.5 * unit and y1 > floor
    ]
    return any(abs(x - line.x0) < unit for x in ends) and any(abs(x - line.x1) < unit for x in ends)


def _next_piece(reading: Reading, found: Found) -> float:
    """Where the next piece of the label's row begins."""
    return min(
        (
            reading.sheaf.rows[p.row][p.start].x0 - 0.5 * reading.sheaf.unit
            for p in reading.sheaf.pieces
            if p.row == found.row and p.start >= found.end
        ),
        default=reading.sheaf.sheet.width,
    )


def _row_in(reading: Reading, found: Found, area: _Area, *, down: bool = False) -> list[Token]:
    """The nearest row's tokens that begin in a rectangle, none when it is a label's or title's."""
    rows = reading.sheaf.rows
    order = range(found.row + 1, len(rows)) if down else range(found.row - 1, -1, -1)
    for index in order:
        row = rows[index]
        if (row[0].y0 > area.y1) if down else (row[0].y1 < area.y0):
            break
        inside = [
            (i, t)
            for i, t in enumerate(row)
            if area.x0 <= t.x0 < area.x1 and area.y0 <= t.cy <= area.y1
        ]
        if not inside:
            continue
        if any((index, i) in reading.taken for i, _ in inside):
            return []
        return [t for _, t in inside]
    return []

# SPDX-License-Identifier: Apache-2.0
"""Values spelled in boxes: a date in three, a telephone number in three, an e-mail in one a letter.

The blanks between the boxes are wider than those within a value, and what a form prints between
them (dashes, walls, the words Month, Day and Year) is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from idp.extract.near import UNDER_LABEL, Place, Spot, has_own_box
from idp.extract.readings import Found, Reading
from idp.extract.tables_lines import Token
from idp.values import Kind, find, parse

_DIGITS = {Kind.DATE: 8, Kind.PHONE: 10, Kind.NPI: 10}
_PART = re.compile(r"[\d\-/.|()\u2013\u2014]+")
_REACH = 3.6
"""How many text heights under its label the boxes of a value may begin."""
_BEFORE = 2.5
_LEVEL = 0.8
"""In text heights: how far the boxes of one value may begin before their label, and how far from
level they may stand."""
_WIDEST = 7.0
"""Text heights between two boxes of one value, a printed dash included."""


def spelled(kind: Kind, tokens: Sequence[Token]) -> str | None:
    """What the boxes spell, as it would be written; ``None`` where it is no such value."""
    if kind is Kind.EMAIL:
        # The point has a box of its own, and the reader takes it for the wall.
        text = ".".join(t.text.strip(".") for t in tokens)
        return text if "@" in text and parse(kind, text).valid else None
    if kind not in _DIGITS or not all(_PART.fullmatch(t.text) for t in tokens):
        return None
    digits = "".join(c for t in tokens for c in t.text if c.isdigit())
    if len(digits) != _DIGITS[kind]:
        return None
    if kind is Kind.DATE:
        digits = f"{digits[:2]}/{digits[2:4]}/{digits[4:]}"
    return digits if find(kind, digits) and parse(kind, digits).valid else None


def spelled_at(reading: Reading, found: Found, kind: Kind) -> Spot | None:
    """The boxes beside or under a label that spell a value of its kind."""
    if kind not in _DIGITS and kind is not Kind.EMAIL:
        return None
    unit = reading.sheaf.unit
    left, right, floor = _column(reading, found)
    elsewhere = not has_own_box(reading, found)
    bottom = found.box[3]
    for index in range(found.row, len(reading.sheaf.rows)):
        row = reading.sheaf.rows[index]
        here = index == found.row
        inside = [
            t
            for i, t in enumerate(row)
            if (found.box[2] if here else left) <= t.x0 < right
            and (here or bottom - 0.3 * unit < t.cy < floor)
            and (index, i) not in reading.taken
        ]
        if not here and row[0].y0 - bottom > _REACH * unit:
            break
        if not here and inside and all(UNDER_LABEL.fullmatch(t.text) for t in inside):
            bottom = max(t.y1 for t in inside)
            continue
        for run in _runs(inside, kind, unit):
            if not elsewhere and not any(t.boxed for t in run):
                continue
            if spelled(kind, run) or (len(run) == 1 and find(kind, run[0].text)):
                return Spot((tuple(run),), Place.RIGHT if here else Place.BELOW)
    return None


def _column(reading: Reading, found: Found) -> tuple[float, float, float]:
    """Left, right and lower bound of what may answer a label: its cell, the label beside it."""
    unit = reading.sheaf.unit
    left = found.box[0] - _BEFORE * unit
    right = min(
        (
            f.box[0] - 0.5 * unit
            for f in reading.labels
            if f.box[0] > found.box[2] and abs(f.box[1] - found.box[1]) < _LEVEL * unit
        ),
        default=reading.sheaf.sheet.width,
    )
    floor = min(
        (f.box[1] for f in reading.labels if f.box[1] > found.box[3] and left <= f.box[0] < right),
        default=reading.sheaf.sheet.height,
    )
    cell = reading.sheaf.cell_at(
        (found.box[0] + found.box[2]) / 2, (found.box[1] + found.box[3]) / 2
    )
    if cell and cell[3] - found.box[3] > unit:
        left, right, floor = max(left, cell[0]), min(right, cell[2]), min(floor, cell[3])
    return left, right, floor


def _runs(tokens: Sequence[Token], kind: Kind, unit: float) -> list[list[Token]]:
    """Neighbouring tokens that may be the parts of one value."""
    runs: list[list[Token]] = [[]]
    for token in tokens:
        part = (
            token.boxed or "@" in token.text if kind is Kind.EMAIL else _PART.fullmatch(token.text)
        )
        far = runs[-1] and token.x0 - runs[-1][-1].x1 > _WIDEST * unit
        if (not part or far) and runs[-1]:
            runs.append([])
        if part:
            runs[-1].append(token)
    return [run for run in runs if run]

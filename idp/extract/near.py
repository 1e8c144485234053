# SPDX-License-Identifier: Apache-2.0
"""Where the value of a label stands: in its cell, right of it, or below it.

A value ends at the next label, wide blank, ruling line or mark. A blank stays blank: the next
label is no value, nor is what stands under somebody else's label.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from idp.extract.captions import value_above
from idp.extract.label_places import LONGEST_REMARK
from idp.extract.labels import strip_numbering
from idp.extract.readings import Found, Reading
from idp.extract.tables_lines import Token

_BELOW = 2.7
"""How many text heights under its label a value may begin."""
_FAR = 14.0
_ROW_GAP = 1.15
_LINES, _WIDER = 1.5, 1.25
"""The usual distance of lines in text heights, and how much more sets paragraphs apart."""
UNDER_LABEL = re.compile(r"(?i)\(?(?:month|day|year|mm|dd|yy|yyyy|area|code)[)./:]?")
"""Words of a second line of print between a label and its boxes."""
_MOST_ROWS = 14
_NAME_WORD = re.compile(r"[A-Z&][A-Za-z.,'&-]*")
_MOST_BROKEN = 4
_CLOSE = 0.9
_BLANK = 0.3
"""In text heights: the most between the lines of one name, and the blank between its words."""
_BOX_BESIDE = 5.0
"""How many text heights behind its label a value's own box may begin."""
_BOX_UNDER = 0.9
_BOX_APART = 1.6
"""Blank between the boxes of one value's parts, a printed dash included."""
_BOX_INDENT = 3.0
"""How far a box under its label may begin before or behind the label's first letter."""
_BOX_HEIGHT = 2.2
_WALL = 0.5
_UNKNOWN_LABEL = 0.5
_BOX_LEVEL = 1.2
"""How far the next label beside may stand higher or lower: pages are never quite straight."""


class Place(StrEnum):
    """How a value lies to its label, surest first."""

    CELL = "cell"
    RIGHT = "right"
    NEXT_CELL = "next cell"
    BELOW = "below"
    ABOVE = "above"
    FAR = "far right"


@dataclass(frozen=True, slots=True)
class Spot:
    """Value tokens by row, and how they lie to the label."""

    rows: tuple[tuple[Token, ...], ...]
    place: Place

    @property
    def tokens(self) -> list[Token]:
        return [t for row in self.rows for t in row]

    @property
    def text(self) -> str:
        return " ".join(t.text for t in self.tokens)


@dataclass(frozen=True, slots=True, order=True)
class Area:
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float


def value_of(reading: Reading, found: Found, *, wraps: bool) -> Spot | None:
    """The tokens that answer a label; ``None`` when it was left blank.

    Args:
        reading: The page's structure.
        found: The label.
        wraps: Whether the value may go on in the next rows (addresses, text).
    """
    if (found.row, found.start) in reading.captions:
        above = value_above(reading, found)
        return Spot((tuple(above),), Place.ABOVE) if above else None
    cell = _own_cell(reading, found)
    box = _field_box(reading, found) if cell is None else None
    if box:
        return _inside(reading, box, wraps=wraps, place=Place.CELL)
    return _near(reading, found, cell, wraps=wraps)


def has_own_box(reading: Reading, found: Found) -> bool:
    """Whether a box is drawn for a label's value: nothing outside it is an answer."""
    return _own_cell(reading, found) is None and _field_box(reading, found) is not None


def _near(reading: Reading, found: Found, cell: Area | None, *, wraps: bool) -> Spot | None:
    """The value of a label that has no box drawn for it: right of it, below, in the next cell."""
    right = _right_of(reading, found, cell) or _boxes_beside(reading, found)
    row = reading.sheaf.rows[found.row]
    behind = _behind_remark(row, found.end)
    if behind > found.end:
        # "Medication (name, strength):" with text far right and an answer under the label.
        under = _below(reading, found, cell, wraps=False)
        gap = right[0].x0 - row[behind - 1].x1 if right else 2 * reading.sheaf.unit
        near = under and under[0][0].x0 < found.box[2]
        alone = not wraps or (under and found.box[2] < 0.5 * reading.sheaf.sheet.width)
        if near and alone and gap > 0.5 * reading.sheaf.unit and _is_short(under[0]):
            return Spot(tuple(tuple(r) for r in under), Place.BELOW)
    if right:
        gap = right[0].x0 - found.box[2]
        rows = [right]
        whole = (
            _beside(reading, found, cell) if cell and found.meaning.attribute == "address" else []
        )
        if len(whole) > 1:
            rows = whole
        elif wraps:
            rows += _wrapped(reading, found, right, cell)
        far = gap > _FAR * reading.sheaf.unit and not found.colon
        place = Place.FAR if far else Place.CELL if cell else Place.RIGHT
        return Spot(tuple(tuple(r) for r in rows), place)
    below = _below(reading, found, cell, wraps=wraps)
    if below:
        return Spot(tuple(tuple(r) for r in below), Place.CELL if cell else Place.BELOW)
    if cell:
        return _next_cell(reading, found, cell, wraps=wraps)
    return None


def with_broken_name(reading: Reading, found: Found, spot: Spot) -> Spot:
    """A name with its next line, where its column was too narrow for the next word.

    Only what did not fit is its own: an address or another entry begins below with room to spare.
    """
    if len(spot.rows) != 1 or spot.place is Place.FAR:
        return spot
    sheaf, unit = reading.sheaf, reading.sheaf.unit
    first, last = spot.rows[0][0], spot.rows[0][-1]
    index = next((i for i, row in enumerate(sheaf.rows) if any(t is first for t in row)), None)
    if index is None or index + 1 >= len(sheaf.rows):
        return spot
    limit = _column_end(reading, found, index, last)
    tokens = _line_under(reading, index + 1, first, limit)
    if not tokens or len(tokens) > _MOST_BROKEN:
        return spot
    below = tokens[0].y0 - max(t.y1 for t in spot.rows[0])
    fitted = last.x1 + _BLANK * unit + tokens[0].x1 - tokens[0].x0 <= limit
    if fitted or below > _CLOSE * unit or tokens[0].cy < last.y1:
        return spot
    return Spot((spot.rows[0], tuple(tokens)), spot.place)


def _line_under(reading: Reading, index: int, first: Token, limit: float) -> list[Token]:
    """The words of a name that begin on a row flush with the line above; none of running text."""
    unit = reading.sheaf.unit
    tokens: list[Token] = []
    for place, token in enumerate(reading.sheaf.rows[index]):
        if token.x0 < first.x0 - 0.8 * unit:
            continue
        begun = tokens or abs(token.x0 - first.x0) < 0.8 * unit
        if not begun or (tokens and token.x0 - tokens[-1].x1 >= unit):
            break
        is_name = _NAME_WORD.fullmatch(token.text) and (index, place) not in reading.taken
        if token.x1 > limit or not is_name:
            return []
        tokens.append(token)
    return tokens


def _column_end(reading: Reading, found: Found, index: int, last: Token) -> float:
    """Where the column of a value ends: its cell, what stands beside, or the print's own edge."""
    sheaf = reading.sheaf
    ends = [max((t.x1 for row in sheaf.rows for t in row), default=sheaf.sheet.width)]
    if cell := sheaf.cell_at(last.cx, last.cy):
        ends.append(cell[2])
    ends += [t.x0 for t in sheaf.rows[index] if t.x0 > last.x1]
    ends += [f.box[0] for f in _row_labels(reading, found.row) if f.box[0] > last.cx]
    return min(ends)


def _own_cell(reading: Reading, found: Found) -> Area | None:
    """The ruled cell of a label, when it is a field's cell and not a frame around many."""
    x, y = (found.box[0] + found.box[2]) / 2, (found.box[1] + found.box[3]) / 2
    cell = reading.sheaf.cell_at(x, y)
    if cell is None:
        return None
    return Area(*cell)


def _field_box(reading: Reading, found: Found) -> Area | None:
    """The drawn box that takes a label's value: right of the label, else directly under it.

    Such a box settles the matter: its words are the value, and without any the field is blank. A
    label of two lines has one box for both ("Family Name" over "(Last Name)").
    """
    unit = reading.sheaf.unit
    x0, y0, x1, y1 = found.box
    row = reading.sheaf.rows[found.row]
    end = x1 if (behind := _behind_remark(row, found.end)) == found.end else row[behind - 1].x1
    following = next((t.x0 for t in row[behind:] if t.x0 > end), reading.sheaf.sheet.width)
    beside, under = [], []
    for cell in (Area(*c) for c in reading.sheaf.cells):
        if not _is_field(reading, cell):
            continue
        level = min(cell.y1, y1 + 0.3 * unit) - max(cell.y0, y0 - 0.3 * unit) > 0.5 * (y1 - y0)
        if level and -0.5 * unit < cell.x0 - end < _BOX_BESIDE * unit and cell.x0 <= following:
            beside.append(cell)
        starts = x0 - _BOX_INDENT * unit < cell.x0 < x0 + _BOX_INDENT * unit
        if starts and -0.3 * unit < cell.y0 - y1 < _BOX_UNDER * unit and cell.x1 > x0 + unit:
            under.append(cell)
    if not beside and not under:
        return None
    first = min(beside, key=lambda c: c.x0) if beside else min(under, key=lambda c: c.y0)
    return _with_next_boxes(reading, found, first)


def _with_next_boxes(reading: Reading, found: Found, first: Area) -> Area | None:
    """A box with those that follow it closely before the next label: the parts of one value.

    ``None`` for boxes of single characters, which are read as what they spell.
    """
    unit = reading.sheaf.unit
    limit = min(
        (
            f.box[0] - _BOX_INDENT * unit
            for f in reading.labels
            if f.box[0] > found.box[2] and abs(f.box[1] - found.box[1]) < _BOX_LEVEL * unit
        ),
        default=reading.sheaf.sheet.width,
    )
    whole = first
    for cell in sorted(Area(*c) for c in reading.sheaf.cells):
        level = abs(cell.y0 - first.y0) < 0.5 * unit and abs(cell.y1 - first.y1) < 0.5 * unit
        near = -0.3 * unit < cell.x0 - whole.x1 < _BOX_APART * unit and cell.x0 < limit
        if level and near and _is_field(reading, cell):
            whole = Area(first.x0, first.y0, cell.x1, first.y1)
    inside = (
        t
        for row in reading.sheaf.rows
        for t in row
        if whole.x0 <= t.cx <= whole.x1 and whole.y0 <= t.cy <= whole.y1
    )
    return None if any(t.boxed for t in inside) else whole


def _is_field(reading: Reading, cell: Area) -> bool:
    """Whether a cell is a box for one line of writing: no label in it, not a frame around many."""
    unit = reading.sheaf.unit
    if not 0.7 * unit < cell.y1 - cell.y0 < _BOX_HEIGHT * unit:
        return False
    return not any(
        cell.x0 <= (f.box[0] + f.box[2]) / 2 <= cell.x1
        and cell.y0 <= (f.box[1] + f.box[3]) / 2 <= cell.y1
        for f in reading.labels
    )


def _beside(reading: Reading, found: Found, cell: Area) -> list[list[Token]]:
    """All rows of a cell right of a label that stands at half height beside them."""
    rows: list[list[Token]] = []
    for index, row in enumerate(reading.sheaf.rows):
        inside = [
            (i, t)
            for i, t in enumerate(row)
            if found.box[2] - 2 <= t.x0 and t.cx <= cell.x1 and cell.y0 <= t.cy <= cell.y1
        ]
        if any((index, i) in reading.taken for i, _ in inside):
            return []
        if inside:
            rows.append([t for _, t in inside])
    above = bool(rows) and rows[0][0].cy < found.box[1]
    return rows if above else []


def _boxes_beside(reading: Reading, found: Found) -> list[Token]:
    """Character boxes beside the last line of a label of two: "No. &" over "Street"."""
    if found.row == 0:
        return []
    unit = reading.sheaf.unit
    edge = found.box[2]
    boxes: list[Token] = []
    for token in reading.sheaf.rows[found.row - 1]:
        if token.x0 < edge or not token.boxed:
            if boxes:
                break
            continue
        level = token.y0 < found.box[1] + 0.3 * unit < token.y1 + unit
        if not level or token.x0 - (boxes[-1].x1 if boxes else edge) > 4 * unit:
            break
        boxes.append(token)
    return boxes


def _row_labels(reading: Reading, row: int) -> list[Found]:
    return [f for f in reading.labels if f.row == row]


def _right_of(reading: Reading, found: Found, cell: Area | None) -> list[Token]:
    """Tokens on the label's row up to the next label, mark, rule or cell edge."""
    sheaf = reading.sheaf
    row = sheaf.rows[found.row]
    limit = min(
        (f.box[0] for f in _row_labels(reading, found.row) if f.start >= found.end),
        default=sheaf.sheet.width,
    )
    if cell:
        limit = min(limit, cell.x1)
    values: list[Token] = []
    edge = found.box[2]
    for index in range(_behind_remark(row, found.end), len(row)):
        token = row[index]
        if token.cx > limit or (found.row, index) in reading.taken:
            break
        # A box of characters begins at its own wall.
        wall = _WALL * sheaf.unit if token.boxed and not values else 0.0
        if sheaf.sheet.rules_between(edge, token.x0 - wall, token.cy):
            break
        if _mark_between(reading, edge, token):
            break
        if values and token.x0 - edge > _gap_inside(found) * sheaf.unit:
            break
        if not values and not found.colon and token.x0 - edge > 2 * _FAR * sheaf.unit:
            break
        values.append(token)
        edge = token.x1
    return values


def _is_short(tokens: list[Token]) -> bool:
    """A name or a number, not the first line of a paragraph."""
    return len(tokens) <= 4


def _behind_remark(row: tuple[Token, ...], start: int) -> int:
    """Where a value may begin: behind "(please specify ...)", but not behind "(614) 555-0100"."""
    if start >= len(row) or not re.match(r"\([A-Za-z]{2}", row[start].text):
        return start
    for index in range(start, min(start + LONGEST_REMARK, len(row))):
        if row[index].text.rstrip(":").endswith(")"):
            return index + 1
    return start


def _mark_between(reading: Reading, edge: float, token: Token) -> bool:
    """Whether a check box stands before the token: then the word is an option."""
    unit = reading.sheaf.unit
    return any(
        m[0] >= edge - 0.3 * unit and m[2] <= token.x0 + 0.3 * unit and m[1] < token.cy < m[3]
        for m in reading.sheaf.marks
    )


def _gap_inside(found: Found) -> float:
    """How wide a blank a value may have: names in columns ("Last   First") more than codes."""
    if any(name.endswith("_descriptions") for name in found.meaning.fields):
        return 9.0  # "Diagnosis 1:  M54.50    Low back pain"
    return 6.0 if found.meaning.attribute in ("name", "address", "city_state_zip") else 3.5


def _wrapped(
    reading: Reading, found: Found, right: list[Token], cell: Area | None
) -> list[list[Token]]:
    """Rows under a value that go on with it: same left edge, no label, no wide gap."""
    sheaf = reading.sheaf
    left = min(right[0].x0, found.box[0])
    limit = cell.x1 if cell else max(right[-1].x1 + 12 * sheaf.unit, found.box[2])
    bottom = max(t.y1 for t in right)
    rows: list[list[Token]] = []
    for index in range(found.row + 1, min(found.row + 1 + _MOST_ROWS, len(sheaf.rows))):
        inside = [
            (i, t) for i, t in enumerate(sheaf.rows[index]) if left - sheaf.unit <= t.x0 <= limit
        ]
        if not inside:
            if sheaf.rows[index][0].y0 - bottom > 2 * sheaf.unit:
                break
            continue
        if any((index, i) in reading.taken for i, _ in inside):
            break
        tokens = [t for _, t in inside]
        if tokens[0].y0 - bottom > _ROW_GAP * sheaf.unit or (cell and tokens[0].cy > cell.y1):
            break
        if _is_choice(reading, tokens) or _paragraph_ends([right, *rows], tokens, sheaf.unit):
            break
        ruled = sheaf.sheet.rule_below(bottom - 0.3 * sheaf.unit, tokens[0].cy, left, right[-1].x1)
        if ruled and (cell or found.meaning.attribute or len(right) < 4):
            break  # underlined running text goes on, a one-line field does not
        rows.append(tokens)
        bottom = max(t.y1 for t in tokens)
    return rows


def _paragraph_ends(rows: Sequence[Sequence[Token]], following: list[Token], unit: float) -> bool:
    """Whether a sentence ends on the last row and a wider blank follows than between the rows."""
    if not rows[-1][-1].text.endswith((".", ".)")):
        return False
    gap = following[0].cy - rows[-1][0].cy
    inside = [two[0].cy - one[0].cy for one, two in itertools.pairwise(rows)]
    usual = min(inside, default=_LINES * unit)
    return gap > _WIDER * usual


def _is_choice(reading: Reading, tokens: Sequence[Token]) -> bool:
    """Whether a check box stands before one of a row's words: running text has none.

    A box before the first word does not count: a paragraph may begin behind a bullet.
    """
    return any(_mark_between(reading, left.x1, right) for left, right in itertools.pairwise(tokens))


def _label_left(reading: Reading, found: Found) -> float:
    """The left edge of a label with its numbering: "15. Name" begins at the number."""
    row = reading.sheaf.rows[found.row]
    first = found.start
    while (
        first
        and row[first].x0 - row[first - 1].x1 < reading.sheaf.unit
        and (strip_numbering([row[first - 1].text, "x"]))
    ):
        first -= 1
    return row[first].x0


def _below(reading: Reading, found: Found, cell: Area | None, *, wraps: bool) -> list[list[Token]]:
    """Rows under the label within its column."""
    sheaf = reading.sheaf
    unit = sheaf.unit
    left = _label_left(reading, found) - 0.8 * unit
    right = min(
        (f.box[0] for f in _row_labels(reading, found.row) if f.start >= found.end),
        default=sheaf.sheet.width,
    )
    right -= 0.5 * unit
    floor = found.box[3] + _BELOW * unit
    if cell:
        left, right = max(left, cell.x0 - 2), min(right, cell.x1)
        floor = cell.y1
    bottom = found.box[3]
    rows: list[list[Token]] = []
    for index in range(found.row + 1, min(found.row + 1 + _MOST_ROWS, len(sheaf.rows))):
        row = sheaf.rows[index]
        inside = [(i, t) for i, t in enumerate(row) if left <= t.x0 < right and t.cy > bottom - 2]
        if not inside:
            if row[0].y0 > floor:
                break
            continue
        start = inside[0][1]
        if start.y0 > floor or (rows and start.y0 - bottom > _ROW_GAP * unit):
            break
        if any((index, i) in reading.taken for i, _ in inside[:1]):
            break
        if wraps and rows and _paragraph_ends(rows, [t for _, t in inside], unit):
            break
        if wraps and _is_choice(reading, [t for _, t in inside]):
            break
        if not rows and all(UNDER_LABEL.fullmatch(t.text) for _, t in inside):
            floor += max(t.y1 for _, t in inside) - bottom
            continue  # "Month  Day  Year" over the boxes of a date
        if not wraps and not rows and start.x0 > found.box[2] + 6 * unit:
            continue
        if rows and not wraps:
            break
        cut = _cut_at_taken(reading, index, inside)
        long = found.meaning.attribute == "address" or _spans_width(cut, unit)
        tokens = cut if wraps and long else _one_run(cut, unit, found)
        if not tokens:
            break
        rows.append(tokens)
        bottom = max(t.y1 for t in tokens)
        floor = bottom + 2 * unit if not cell else floor
    return rows


def _cut_at_taken(reading: Reading, index: int, inside: Iterable[tuple[int, Token]]) -> list[Token]:
    tokens: list[Token] = []
    for i, token in inside:
        if (index, i) in reading.taken:
            break
        tokens.append(token)
    return tokens


def _one_run(tokens: list[Token], unit: float, found: Found) -> list[Token]:
    """The first run of tokens without a wide blank."""
    run = tokens[:1]
    for token in tokens[1:]:
        if token.x0 - run[-1].x1 > _gap_inside(found) * unit:
            break
        run.append(token)
    return run


def _spans_width(tokens: list[Token], unit: float) -> bool:
    """Whether the tokens are running text: hardly a wide blank among many words."""
    wide = sum(b.x0 - a.x1 > 4 * unit for a, b in itertools.pairwise(tokens))
    return len(tokens) >= 8 and wide <= 1


def _next_cell(reading: Reading, found: Found, cell: Area, *, wraps: bool) -> Spot | None:
    """A label that fills its cell: the value is in the cell right of it, or under it."""
    sheaf = reading.sheaf
    y = (found.box[1] + found.box[3]) / 2
    right = sheaf.cell_at(cell.x1 + 0.8 * sheaf.unit, y)
    beside = _inside(reading, Area(*right), wraps=wraps) if right else None
    if beside and not _heads_column(reading, found):
        return beside
    under = sheaf.cell_at((found.box[0] + found.box[2]) / 2, cell.y1 + 0.8 * sheaf.unit)
    if under and abs(under[0] - cell.x0) < 2 * sheaf.unit:
        return _inside(reading, Area(*under), wraps=wraps) or beside
    return beside


def _heads_column(reading: Reading, found: Found) -> bool:
    """Whether the label is one of a row of labels in cells: their values stand under them."""
    return any(
        other is not found and other.meaning.quality > _UNKNOWN_LABEL
        for other in _row_labels(reading, found.row)
    )


def _inside(
    reading: Reading, cell: Area, *, wraps: bool, place: Place = Place.NEXT_CELL
) -> Spot | None:
    """All of a cell's tokens, when no label is among them."""
    rows: list[tuple[Token, ...]] = []
    for index, row in enumerate(reading.sheaf.rows):
        inside = [
            (i, t)
            for i, t in enumerate(row)
            if cell.x0 <= t.cx <= cell.x1 and cell.y0 <= t.cy <= cell.y1
        ]
        if any((index, i) in reading.taken for i, _ in inside):
            return None
        if inside:
            rows.append(tuple(t for _, t in inside))
    if not rows:
        return None
    return Spot(tuple(rows if wraps else rows[:1]), place)

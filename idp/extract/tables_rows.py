# SPDX-License-Identifier: Apache-2.0
"""Which column each word of a row belongs to.

A row is read as a whole: the words, left to right, are laid over the columns, left to right, so
that the sum of distances, broken alignments, crossed rules and misfits of type is least. Where the
values of a column really stand (money is flush right under a head that is not) is learned from the
rows themselves in a first pass.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from idp.extract.tables_header import Column, Header
from idp.extract.tables_lines import Line, Sheet, Token
from idp.extract.tables_values import Shape, shape_of

MONEY_ROLES = frozenset(
    (
        "billed",
        "allowed",
        "adjustment",
        "noncovered",
        "deductible",
        "copay",
        "coinsurance",
        "paid",
        "patient_responsibility",
        "other_amount",
        "payment_amount",
    )
)
_DATE_ROLES = frozenset(
    ("service_date", "service_end", "payment_date", "received_date", "start_date", "end_date")
)
_CODE_ROLES = frozenset(("procedure_code", "revenue_code", "diagnosis_code", "drg", "modifier"))
_REASON_ROLES = frozenset(("carc", "rarc", "note", "carc_group", "claim_status"))
_COUNT_ROLES = frozenset(
    ("units", "quantity", "line_number", "claim_count", "place_of_service", "percent")
)
_ID_ROLES = frozenset(
    (
        "member_id",
        "group_number",
        "patient_account",
        "claim_number",
        "eft_number",
        "statement_number",
        "provider",
        "type_of_service",
    )
)
_NAME_ROLES = frozenset(("patient_name", "subscriber_name"))


def _costs(default: float, **by_shape: float) -> Mapping[Shape, float]:
    return {shape: by_shape.get(shape.value, default) for shape in Shape}


_MISFIT: tuple[tuple[frozenset[str], Mapping[Shape, float]], ...] = (
    (
        MONEY_ROLES,
        _costs(2.5, money=0, dash=0, integer=0.8, identifier=1.2, procedure=1.2, date=3),
    ),
    (
        _DATE_ROLES,
        _costs(1.5, date=0, identifier=0.5, integer=0.8, procedure=1, money=3, dash=0.2),
    ),
    (
        _CODE_ROLES,
        _costs(1.0, procedure=0, identifier=0.6, integer=0.5, money=3, date=3, remark_code=0.3),
    ),
    (_COUNT_ROLES, _costs(1.5, integer=0, money=0.6, date=3, dash=0.3, procedure=1.5)),
    (
        _REASON_ROLES,
        _costs(0.4, adjustment_code=0, remark_code=0, integer=0.2, money=1.3, date=3),
    ),
    (_ID_ROLES, _costs(0.5, identifier=0, integer=0.5, money=2.5, date=2.5)),
    (_NAME_ROLES, _costs(0.0, integer=2, money=3, date=3, identifier=2, procedure=2)),
)
_TEXT = _costs(0.0, integer=0.4, procedure=0.8, money=1.5, date=1.5, identifier=0.4)
_UNKNOWN = _costs(0.3)
_BY_ROLE: dict[str, Mapping[Shape, float]] = {r: c for roles, c in _MISFIT for r in roles}

_FAR = 8.0
_SPLIT_TIGHT = 1.5
_TWO_AMOUNTS = 5.0
_PER_RULE = 2.5


def misfit(role: str | None, shape: Shape) -> float:
    """How badly a token of this shape suits a column of this role; 0 is a good fit."""
    return _UNKNOWN[shape] if role is None else _BY_ROLE.get(role, _TEXT)[shape]


def _distance(token: Token, x0: float, x1: float, unit: float) -> float:
    """Gap plus what is left of alignment, in text heights."""
    gap = max(0.0, token.x0 - x1, x0 - token.x1) / unit
    off = min(abs(token.x0 - x0), abs(token.x1 - x1), abs(token.cx - (x0 + x1) / 2)) / unit
    return min(gap, _FAR) + 0.15 * min(off, 6.0)


def _place_cost(token: Token, column: Column, sheet: Sheet) -> float:
    unit = sheet.text_height
    if column.data_x1 > column.data_x0:
        cost = _distance(token, column.data_x0, column.data_x1, unit)
        # Where a value is wider or narrower than most, its head may still be what it stands under.
        cost = min(cost, 0.7 + _distance(token, column.x0, column.x1, unit))
    else:
        cost = _distance(token, column.x0, column.x1, unit)
    middle = column.cx
    if not column.x0 <= token.cx <= column.x1:
        cost += _PER_RULE * sheet.rules_between(token.cx, middle, token.cy)
    shape = shape_of(token.text)
    return cost + min(misfit(role, shape) for role in column.roles)


def _step_cost(left: Token, right: Token, column: Column | None, unit: float) -> float:
    """What it costs to put two neighbours into one column (given), or into two (``None``)."""
    gap = (right.x0 - left.x1) / unit
    values = (shape_of(left.text), shape_of(right.text))
    typed = all(s in (Shape.MONEY, Shape.DATE, Shape.PROCEDURE) for s in values)
    if column is None:
        return _SPLIT_TIGHT if gap < 0.5 and not typed else 0.0
    if values == (Shape.MONEY, Shape.MONEY):
        return _TWO_AMOUNTS
    if column.role in MONEY_ROLES and len(column.roles) == 1:
        return 0.6 + max(0.0, gap)
    return 0.3 * max(0.0, gap - 2.0)


def assign(tokens: Sequence[Token], columns: Sequence[Column], sheet: Sheet) -> list[int]:
    """The column of each token (both from left to right), the cheapest way to lay them out.

    Never decreases: a token never stands in a column left of its left neighbour's.
    """
    if not tokens or not columns:
        return []
    unit = sheet.text_height
    count = len(columns)
    best = [_place_cost(tokens[0], c, sheet) for c in columns]
    back: list[list[int]] = []
    for left, right in itertools.pairwise(tokens):
        change = _step_cost(left, right, None, unit)
        row: list[float] = []
        came: list[int] = []
        lowest, lowest_at = float("inf"), 0
        for c in range(count):
            stay = best[c] + _step_cost(left, right, columns[c], unit)
            move = lowest + change
            place = _place_cost(right, columns[c], sheet)
            if c and move < stay:
                row.append(move + place)
                came.append(lowest_at)
            else:
                row.append(stay + place)
                came.append(c)
            if best[c] < lowest:
                lowest, lowest_at = best[c], c
        best = row
        back.append(came)
    at = min(range(count), key=lambda c: best[c])
    path = [at]
    for came in reversed(back):
        at = came[at]
        path.append(at)
    path.reverse()
    return path


def is_row_like(line: Line) -> bool:
    """Whether the line has values as table rows have them: two typed tokens or more."""
    typed = sum(
        shape_of(t.text) in (Shape.MONEY, Shape.DATE, Shape.PROCEDURE, Shape.IDENTIFIER)
        for t in line.tokens
    )
    return typed >= 2


def learn(header: Header, lines: Sequence[Line], sheet: Sheet) -> Header:
    """The header with columns that know where their values stand, from row-like lines.

    Where rows have as many amounts as the head has columns of amounts, each goes to its own,
    however far aside it is set; else every amount goes to the nearest.
    """
    rows = [line for line in lines if is_row_like(line)]
    header = _with_lost_column(header, rows, sheet)
    by_rank = _by_rank(header, rows, sheet)
    seen = dict(by_rank)
    for line in rows:
        placed = assign(line.tokens, header.columns, sheet)
        cells: dict[int, list[Token]] = {}
        for token, at in zip(line.tokens, placed, strict=True):
            cells.setdefault(at, []).append(token)
        for at, cell in cells.items():
            column = header.columns[at]
            shape = shape_of(cell[0].text)
            good = min(misfit(r, shape) for r in column.roles) <= 0.5
            gap = max(cell[0].x0 - column.x1, column.x0 - cell[-1].x1)
            ranked = at in by_rank
            if good and not ranked and gap < 3 * sheet.text_height:
                first, last = cell[0], cell[-1]
                seen.setdefault(at, []).append(first._replace(x1=last.x1))
    columns = []
    for at, column in enumerate(header.columns):
        cells_seen = seen.get(at)
        if cells_seen:
            columns.append(
                replace(
                    column,
                    data_x0=median(t.x0 for t in cells_seen),
                    data_x1=median(t.x1 for t in cells_seen),
                )
            )
        else:
            columns.append(column)
    return replace(header, columns=tuple(columns))


def _by_rank(header: Header, rows: Sequence[Line], sheet: Sheet) -> dict[int, list[Token]]:
    """The amounts of rows that have one for each column of amounts, by column; else empty.

    Columns of a head we do not know count as columns of amounts where that makes the numbers agree.
    """
    named = [i for i, c in enumerate(header.columns) if set(c.roles) & MONEY_ROLES]
    nameless = [i for i, c in enumerate(header.columns) if c.role is None]
    several = len([r for r in rows if _amounts(r) > 1])
    for money in (named, sorted([*named, *nameless])):
        if len(money) < 2:
            continue
        full: list[list[Token]] = []
        for line in rows:
            amounts = [t for t in line.tokens if shape_of(t.text) is Shape.MONEY]
            if len(amounts) == len(money) and _evenly_aside(amounts, header, money, sheet):
                full.append(amounts)
        if full and len(full) * 2 >= several:
            return {at: [amounts[i] for amounts in full] for i, at in enumerate(money)}
    return {}


def _with_lost_column(header: Header, rows: Sequence[Line], sheet: Sheet) -> Header:
    """The header with a nameless column where most rows have one amount more than it has columns.

    On a fax a head may be gone altogether; its amounts must not be taken for its neighbours'.
    """
    money = [i for i, c in enumerate(header.columns) if set(c.roles) & MONEY_ROLES]
    nameless = [i for i, c in enumerate(header.columns) if c.role is None]
    lists = [[t for t in r.tokens if shape_of(t.text) is Shape.MONEY] for r in rows]
    full = [a for a in lists if len(a) == len(money) + 1]
    if nameless or len(money) < 3 or len(full) * 2 <= len([a for a in lists if len(a) > 1]):
        return header
    columns = [header.columns[i] for i in money]

    def strain(skip: int) -> float:
        kept = (a[:skip] + a[skip + 1 :] for a in full)
        return sum(abs(t.cx - c.cx) for a in kept for t, c in zip(a, columns, strict=True))

    at = min(range(len(money) + 1), key=strain)
    extra = [a[at] for a in full]
    x0, x1 = median(t.x0 for t in extra), median(t.x1 for t in extra)
    if any(min(c.x1, x1) - max(c.x0, x0) > 0.5 * (x1 - x0) for c in header.columns):
        return header
    added = (*header.columns, Column((None,), "", x0, x1))
    return replace(header, columns=tuple(sorted(added, key=lambda c: c.cx)))


def _amounts(line: Line) -> int:
    return sum(shape_of(t.text) is Shape.MONEY for t in line.tokens)


def _evenly_aside(
    amounts: Sequence[Token], header: Header, money: Sequence[int], sheet: Sheet
) -> bool:
    """Whether the amounts stand aside of their heads all in the same way."""
    offsets = [
        _aside(token, header.columns[at]) / sheet.text_height
        for token, at in zip(amounts, money, strict=True)
    ]
    middle = median(offsets)
    return all(abs(o - middle) <= 4.0 for o in offsets) and abs(middle) <= 8.0


def _aside(token: Token, column: Column) -> float:
    """How far a token is from under its head: 0 when they overlap."""
    if min(token.x1, column.x1) >= max(token.x0, column.x0):
        return 0.0
    return token.x0 - column.x1 if token.x0 > column.x1 else token.x1 - column.x0


@dataclass(frozen=True, slots=True)
class Row:
    """Lines that together are one row, with the tokens of each cell by line."""

    page: int
    lines: tuple[Line, ...]
    cells: tuple[tuple[tuple[Token, ...], ...], ...]
    """By column; within it one tuple of tokens per printed line that has any."""

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(t for line in self.lines for t in line.tokens)


def make_row(lines: Sequence[Line], header: Header, sheet: Sheet) -> Row:
    """One row of the given lines, its tokens laid over the header's columns."""
    cells: list[list[tuple[Token, ...]]] = [[] for _ in header.columns]
    for line in lines:
        placed = assign(line.tokens, header.columns, sheet)
        by_column: dict[int, list[Token]] = {}
        for token, at in zip(line.tokens, placed, strict=True):
            by_column.setdefault(at, []).append(token)
        for at, tokens in by_column.items():
            cells[at].append(tuple(tokens))
    return Row(lines[0].page, tuple(lines), tuple(tuple(c) for c in cells))


def cell_parts(row: Row, header: Header) -> dict[str, tuple[Token, ...]]:
    """The tokens of each role in a row; stacked cells taken apart.

    A column of one role gives all its lines. In a stack, as many lines as roles go one to one;
    otherwise each line goes to the next role in order that it suits.
    """
    parts: dict[str, tuple[Token, ...]] = {}

    def add(role: str | None, tokens: tuple[Token, ...]) -> None:
        if role is not None and tokens:
            parts[role] = parts.get(role, ()) + tokens

    for column, cell in zip(header.columns, row.cells, strict=True):
        if not cell:
            continue
        if len(column.roles) == 1:
            for tokens in cell:
                add(column.role, tokens)
        elif len(cell) == len(column.roles):
            for role, tokens in zip(column.roles, cell, strict=True):
                add(role, tokens)
        else:
            for role, tokens in _suited(column.roles, cell):
                add(role, tokens)
    return parts


def _suited(
    roles: Sequence[str | None], cell: Sequence[tuple[Token, ...]]
) -> list[tuple[str | None, tuple[Token, ...]]]:
    """Lines of a stacked cell with their roles, in order, by least misfit."""
    found: list[tuple[str | None, tuple[Token, ...]]] = []
    if len(cell) < len(roles):
        options = itertools.combinations(range(len(roles)), len(cell))
        best = min(
            options,
            key=lambda o: sum(
                misfit(roles[r], shape_of(tokens[0].text))
                for r, tokens in zip(o, cell, strict=True)
            ),
        )
        return [(roles[r], tokens) for r, tokens in zip(best, cell, strict=True)]
    at = 0
    for tokens in cell:
        shape = shape_of(tokens[0].text)
        while at + 1 < len(roles) and (
            misfit(roles[at + 1], shape) < misfit(roles[at], shape)
            or (found and found[-1][0] == roles[at])
        ):
            at += 1
        found.append((roles[at], tokens))
    return found

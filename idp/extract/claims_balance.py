# SPDX-License-Identifier: Apache-2.0
"""The balance of a remittance row: billed - adjustment = allowed, less the patient's share = paid.

Used to choose: between two readings of an amount, between two columns, and for the role of a column
whose head the fax lost. Never to make up an amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from idp.extract.tables_header import Header
from idp.extract.tables_lines import Line, Sheet, joined
from idp.extract.tables_rows import MONEY_ROLES, Row, cell_parts, is_row_like, make_row
from idp.extract.tables_values import Shape, parse_money, parse_procedure, shape_of

_CENT = Decimal("0.01")
_CAN_BE_LOST = (
    *("billed", "allowed", "paid", "adjustment", "deductible", "coinsurance", "copay"),
    "patient_responsibility",
)


def _difference(amounts: Mapping[str, Decimal], start: str, *less: str) -> Decimal:
    return amounts[start] - sum((amounts.get(r, Decimal(0)) for r in less), Decimal(0))


def checks(amounts: Mapping[str, Decimal]) -> tuple[int, int]:
    """How many balances hold and how many fail, of those that the printed amounts allow."""
    tests: list[bool] = []
    has = amounts.keys()
    share = has & {"deductible", "copay", "coinsurance", "patient_responsibility"}
    if {"billed", "allowed"} <= has and has & {"adjustment", "noncovered"}:
        left = _difference(amounts, "billed", "adjustment", "noncovered")
        right = _difference(amounts, "billed", "adjustment")
        tests.append(amounts["allowed"] in (left, right))
    if {"allowed", "paid"} <= has and share:
        by_parts = _difference(amounts, "allowed", "deductible", "copay", "coinsurance")
        by_whole = _difference(amounts, "allowed", "patient_responsibility")
        extra = amounts.get("other_amount", Decimal(0))
        # Sequestration takes 2 % of what would be paid (42 CFR 405.902 note); it has no column.
        sequestered = (by_parts * Decimal("0.98")).quantize(_CENT)
        tests.append(amounts["paid"] in (by_parts, by_whole, by_parts - extra, sequestered))
    elif {"billed", "paid", "adjustment"} <= has and "allowed" not in has:
        by_parts = _difference(
            amounts, "billed", "adjustment", "deductible", "copay", "coinsurance"
        )
        by_whole = _difference(amounts, "billed", "adjustment", "patient_responsibility")
        tests.append(amounts["paid"] in (by_parts, by_whole))
    return sum(tests), len(tests) - sum(tests)


def name_columns(header: Header, lines: Sequence[Line], sheet: Sheet) -> Header:
    """The header with roles that its rows tell: of heads lost by the fax, or saying too little.

    A column of procedure codes under ``Service``, one of dates under nothing known, and columns of
    amounts whose role makes the rows balance.
    """
    rows = [make_row([line], header, sheet) for line in lines if is_row_like(line)]
    if not rows:
        return header
    return _name_amounts(_name_by_shape(header, rows), rows)


def _cell_texts(rows: Sequence[Row], at: int) -> list[str]:
    texts = (joined(t for cell in row.cells[at] for t in cell) for row in rows)
    return [text for text in texts if text]


def _name_by_shape(header: Header, rows: Sequence[Row]) -> Header:
    """Columns of codes, dates or counts that no head calls so."""
    for at, column in enumerate(header.columns):
        texts = _cell_texts(rows, at)
        if len(column.roles) > 1 or not texts:
            continue
        role = column.role
        codes = sum(parse_procedure(t) is not None for t in texts)
        dates = sum(shape_of(t) is Shape.DATE for t in texts)
        counts = sum(bool(re.fullmatch(r"\d{1,3}", t)) for t in texts)
        if role == "procedure_code" and not codes:
            reasons = sum(bool(re.fullmatch(r"(?:[A-Z]{2}-?)?\d{1,3}", t)) for t in texts)
            if reasons * 2 > len(texts) and "carc" not in header.roles:
                header = _renamed(header, at, "carc")
        elif role in (None, "service_description", "type_of_service"):
            if codes * 2 > len(texts) and not _has_codes(header, rows):
                header = _renamed(header, at, "procedure_code")
            elif dates * 2 > len(texts) and "service_date" not in header.roles:
                header = _renamed(header, at, "service_date")
            elif role is None and counts == len(texts) and "units" not in header.roles:
                header = _renamed(header, at, "units")
    return header


def _has_codes(header: Header, rows: Sequence[Row]) -> bool:
    """Whether a column called so really holds procedure codes."""
    return any(
        parse_procedure(text) is not None
        for at, column in enumerate(header.columns)
        if "procedure_code" in column.roles
        for text in _cell_texts(rows, at)
    )


def _name_amounts(header: Header, rows: Sequence[Row]) -> Header:
    """Columns of amounts whose head says nothing we know.

    The role must be missing and make the rows balance. Failing that, the leftmost column of amounts
    is what was billed, if nothing in its rows is more, and the rightmost what was paid.
    """
    for at, column in enumerate(header.columns):
        if column.role is not None:
            continue
        amounts = [parse_money(joined(t for cell in row.cells[at] for t in cell)) for row in rows]
        if sum(a is not None for a in amounts) * 2 <= len(rows):
            continue
        missing = [r for r in _CAN_BE_LOST if r not in header.roles]
        trials = {role: _renamed(header, at, role) for role in missing}
        base = _held(header, rows)
        best = max(missing, key=lambda r: _held(trials[r], rows), default=None)
        if best is not None and _held(trials[best], rows) > base:
            header = trials[best]
        elif "billed" in trials and _is_first(header, at) and _is_most(trials["billed"], rows):
            header = trials["billed"]
        elif "paid" in trials and _is_last(header, at) and _is_within(trials["paid"], rows):
            header = trials["paid"]
    return header


def _renamed(header: Header, at: int, role: str) -> Header:
    columns = list(header.columns)
    columns[at] = replace(columns[at], roles=(role,))
    return replace(header, columns=tuple(columns))


def _row_amounts(header: Header, row: Row) -> dict[str, Decimal]:
    parts = cell_parts(row, header)
    found = {r: parse_money(joined(parts[r])) for r in parts.keys() & MONEY_ROLES}
    return {r: money.amount for r, money in found.items() if money is not None}


def _held(header: Header, rows: Sequence[Row]) -> int:
    results = [checks(_row_amounts(header, row)) for row in rows]
    return sum(held - 2 * failed for held, failed in results)


def _is_first(header: Header, at: int) -> bool:
    return not any(set(c.roles) & MONEY_ROLES for c in header.columns[:at])


def _is_last(header: Header, at: int) -> bool:
    return not any(set(c.roles) & MONEY_ROLES for c in header.columns[at + 1 :])


def _is_most(header: Header, rows: Sequence[Row]) -> bool:
    """Whether in most rows nothing is more than what was billed."""
    amounts = [a for row in rows if "billed" in (a := _row_amounts(header, row))]
    return sum(a["billed"] >= max(a.values()) for a in amounts) * 2 > len(amounts)


def _is_within(header: Header, rows: Sequence[Row]) -> bool:
    """Whether in most rows no more was paid than allowed."""
    amounts = [a for row in rows if {"paid", "allowed"} <= (a := _row_amounts(header, row)).keys()]
    return sum(a["paid"] <= a["allowed"] for a in amounts) * 2 > len(amounts)

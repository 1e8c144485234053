# SPDX-License-Identifier: Apache-2.0
"""The pages of a remittance cut at their column heads: lists of services, tables of totals."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from idp.extract.claims_balance import name_columns
from idp.extract.tables_header import Column, Header, find_headers
from idp.extract.tables_lines import Line, Sheet, chunks
from idp.extract.tables_rows import MONEY_ROLES, learn
from idp.extract.tables_values import Shape, shape_of
from idp.extract.tables_vocabulary import Vocabulary, normalise

CLAIM_COLUMNS = (
    *("patient_name", "member_id", "subscriber_name", "group_number", "patient_account"),
    *("claim_number", "service_date", "service_end", "procedure_code", "units", "billed"),
    *("allowed", "adjustment", "noncovered", "carc", "carc_group", "rarc", "note", "deductible"),
    *("copay", "coinsurance", "paid", "patient_responsibility", "other_amount", "percent"),
    *("provider", "place_of_service", "modifier", "revenue_code", "type_of_service", "drg"),
    *("claim_status", "received_date", "line_number", "payment_amount", "eft_number"),
    *("payment_date", "statement_number", "claim_count", "service_description"),
)
"""The columns of remittances; where two share a wording the earlier one has it."""


SUMMARY_ROLES = frozenset(("payment_amount", "eft_number", "statement_number", "claim_count"))


TOTAL = re.compile(r"\b(?:sub\s*-?\s*)?t[o0]ta[l1i|][s5]?\b", re.IGNORECASE)


@dataclass(slots=True)
class Region:
    """The lines under one head until the next."""

    header: Header | None
    lines: tuple[Line, ...]
    is_summary: bool = False


def money_tokens(line: Line) -> int:
    """How many amounts stand on the line."""
    return sum(shape_of(t.text) is Shape.MONEY for t in line.tokens)


def is_prose(line: Line, sheet: Sheet) -> bool:
    """Running text: many close-set words, few of them values."""
    runs = chunks(line.tokens, 0.7 * sheet.text_height)
    longest = max(runs, key=len)
    words = sum(shape_of(t.text) is Shape.WORD for t in longest)
    return words >= 6 and words > 2 * money_tokens(line)


_BESIDE_AMOUNTS = MONEY_ROLES | {"percent", "note"}


def is_amounts_only(header: Header) -> bool:
    """Whether the columns hold nothing but amounts: totals of what else is on the page."""
    return header.roles <= _BESIDE_AMOUNTS and len(header.roles & MONEY_ROLES) >= 2


def is_summary(header: Header, sheet: Sheet) -> bool:
    """Whether the table under the head adds up the payment rather than listing services."""
    if header.roles & SUMMARY_ROLES and not header.roles & {"procedure_code", "patient_name"}:
        return True
    listing = {"service_date", "procedure_code", "patient_name", "claim_number", "patient_account"}
    if header.roles & listing:
        return False
    if any(TOTAL.search(t.text) for t in header.tokens):
        return True
    above = sheet.lines[header.first_line - 1] if header.first_line else None
    return bool(
        above and len(above.tokens) <= 6 and re.search(r"summary|totals", above.text, re.IGNORECASE)
    )


def without_guesses(header: Header) -> Header:
    """The header with roles set right that only the whole table can tell.

    A bare ``Service`` left under ``Dates of`` is no column of its own; ``payment amount`` is what
    was paid where no column says ``paid``.
    """
    columns: list[Column] = []
    roles = header.roles
    for index, column in enumerate(header.columns):
        kept: tuple[str | None, ...] = column.roles
        if len(kept) > 1:
            kept = tuple(r for r in kept if r not in ("service_description", "claim_count")) or kept
            kept = tuple(dict.fromkeys(kept))
        if "paid" not in roles and not roles & {"eft_number", "statement_number"}:
            kept = tuple("paid" if r == "payment_amount" else r for r in kept)
        # The amount beside a reason code is the adjustment's.
        before = header.columns[index - 1].roles[-1] if index else None
        if kept == (None,) and before in ("carc", "carc_group") and "adjustment" not in roles:
            kept = ("adjustment",) if normalise(column.title) == ("amount",) else kept
        columns.append(replace(column, roles=kept))
    return replace(header, columns=tuple(columns))


def completed(header: Header, earlier: Header, sheet: Sheet) -> Header:
    """A repeated head with the columns that this print of it lost, from the one before.

    It is the same head when most of the columns they share stand in the same places.
    """
    reach = 1.5 * sheet.text_height
    before = {c.roles: c for c in earlier.columns if c.role is not None}
    shared = [c for c in header.columns if c.roles in before]
    same = [c for c in shared if abs(c.cx - before[c.roles].cx) <= reach]
    known = [c for c in header.columns if c.role is not None]
    if len(same) < 3 or len(same) * 10 < 8 * len(shared) or len(same) * 10 < 6 * len(known):
        return header
    columns = list(header.columns)
    for roles, column in before.items():
        if set(roles) & header.roles:
            continue
        over = [c for c in columns if min(c.x1, column.x1) > max(c.x0, column.x0)]
        if all(c.role is None for c in over):
            columns = [c for c in columns if c not in over]
            columns.append(replace(column, data_x0=0.0, data_x1=0.0))
    return replace(header, columns=tuple(sorted(columns, key=lambda c: c.cx)))


def regions(
    sheet: Sheet, vocabulary: Vocabulary, carried: Header | None
) -> tuple[list[Region], Header | None]:
    """The page cut at its column heads; and the head that goes on over the next page.

    Args:
        sheet: The page.
        vocabulary: The columns of remittances.
        carried: The last head of the page before: rows may go on under it without a new one.
    """
    headers = [without_guesses(h) for h in find_headers(sheet, vocabulary, minimum=3)]
    found: list[Region] = []
    start = headers[0].first_line if headers else len(sheet.lines)
    first = Region(None, sheet.lines[:start])
    if carried is not None and any(money_tokens(line) >= 2 for line in first.lines):
        first.header = replace(carried, page=sheet.page)
    found.append(first)
    for index, header in enumerate(headers):
        end = headers[index + 1].first_line if index + 1 < len(headers) else len(sheet.lines)
        body = sheet.lines[header.last_line + 1 : end]
        plain = [line for line in body if not is_prose(line, sheet)]
        whole = header
        if carried is not None:
            whole = completed(header, carried, sheet)
        known = name_columns(learn(whole, plain, sheet), plain, sheet)
        totals = is_amounts_only(whole)
        region = Region(known, body, totals or is_summary(whole, sheet))
        found.append(region)
        if whole.roles & MONEY_ROLES and not region.is_summary:
            carried = known
    return found, carried

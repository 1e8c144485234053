# SPDX-License-Identifier: Apache-2.0
"""A remittance's claims as rows of text that a reviewer can mend, and back again.

Label Studio's community edition has no table that can be edited. A row of text per claim and per
service line, its cells parted by ``|`` and padded to columns, is corrected like any other input; a
row can be taken away or added. Columns that no row of the document fills are left out; a value in
one of them is added as ``name=value`` at the end of its row.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from idp.document import Box, Claim, Document, ServiceLine
from idp.review.form import LEAST_SURE
from idp.review.wording import escaped, in_words, plain_text
from idp.values import Kind, parse

MOST_ROWS = 300
"""So many rows are shown, those to check first; the others stay as they are."""

_AMOUNTS = (
    "billed",
    "allowed",
    "adjustment",
    "deductible",
    "copay",
    "coinsurance",
    "noncovered",
    "other_amount",
    "patient_responsibility",
    "paid",
)
_LINE = ("service_date", "procedure_code", "units", *_AMOUNTS, "carc", "rarc")
_CLAIM = (
    "patient_name",
    "member_id",
    "claim_number",
    "patient_account",
    "status",
    *(name for name in _LINE if name not in {"units"}),
)
_KEY = re.compile(r"([1-9]\d{0,4})(?:\.([1-9]\d{0,4}))?")
_ABOUT_CLAIM = re.compile(r"claims\.(\d+)(?:\.lines\.(\d+))?(?:\.|$)")
_NUMBERS = frozenset({*_AMOUNTS, "units"})
_PART = "|"
_TITLES = {
    "service_date": "date",
    "procedure_code": "code",
    "adjustment": "adjusted",
    "other_amount": "other",
    "patient_responsibility": "patient",
    "patient_name": "patient",
    "patient_account": "account",
    "claim_number": "claim",
    "carc": "CARC",
    "rarc": "RARC",
}
"""Columns whose heading would be wider than what stands in them."""

Line = TypeVar("Line", bound=ServiceLine)


class Row(NamedTuple):
    """One claim (line 0) or one of its service lines; both count from 1."""

    claim: int
    line: int
    cells: tuple[str, ...]
    said: tuple[str, ...]
    """Why it is to be checked; none: it need not be."""
    place: tuple[int, Box] | None

    @property
    def key(self) -> str:
        return f"{self.claim}.{self.line}" if self.line else str(self.claim)


class Table(NamedTuple):
    """All rows of a document, and the columns that they fill."""

    claim_columns: tuple[str, ...]
    line_columns: tuple[str, ...]
    opened: tuple[Row, ...]
    rest: tuple[Row, ...]
    untold: int
    """Rows that are not shown."""
    claim_widths: tuple[int, ...]
    line_widths: tuple[int, ...]

    def columns(self, row_line: int) -> tuple[str, ...]:
        """The columns of a claim's own row (line 0) or of a service line."""
        return self.line_columns if row_line else self.claim_columns

    def written(self, row: Row) -> str:
        """The row as it stands in its input."""
        widths = self.line_widths if row.line else self.claim_widths
        return _joined(row.key, row.cells, widths)

    def headings(self) -> tuple[str, str]:
        """HTML above the rows to check, and above the others."""
        return (
            self._heading(self.opened, "open look first"),
            self._heading(self.rest, "shut calm"),
        )

    def places(self) -> list[tuple[int, Box]]:
        """Where the rows to check stand: page number and box."""
        return [row.place for row in self.opened if row.place is not None]

    def _heading(self, rows: Sequence[Row], names: str) -> str:
        if not rows:
            return '<div class="none"></div>'
        wide = " wide" if "open" in names else ""
        parts = [f"<b>Claims</b><span class='pg'>{len(rows)} rows</span>"]
        for row in rows:
            for said in row.said:
                parts.append(f'<div class="why">{escaped(row.key)}: {escaped(said)}</div>')
        if any(not row.line for row in rows):
            titles = [_title(name) for name in self.claim_columns]
            parts.append(_columns("claim", titles, self.claim_widths))
        if any(row.line for row in rows):
            titles = [_title(name) for name in self.line_columns]
            parts.append(_columns("line", titles, self.line_widths))
        if self.untold and "shut" in names:
            parts.append(f'<div class="why">{self.untold} more rows are not shown</div>')
        return f'<div class="{names}{wide}">{"".join(parts)}</div>'


class Mended(NamedTuple):
    """The claims as a reviewer has them; ``problems`` names rows that could not be taken."""

    claims: tuple[Claim, ...]
    problems: tuple[str, ...]


def table_of(document: Document) -> Table:
    """The rows of a document's claims; none where it has no claims."""
    said = _doubts(document)
    claim_columns = _filled(document.claims, _CLAIM)
    lines = [line for claim in document.claims for line in claim.service_lines]
    line_columns = _filled(lines, _LINE)
    rows: list[Row] = []
    for number, claim in enumerate(document.claims, start=1):
        rows.append(_row(number, 0, claim, claim_columns, said))
        for place, line in enumerate(claim.service_lines, start=1):
            rows.append(_row(number, place, line, line_columns, said))
    opened = [row for row in rows if row.said][:MOST_ROWS]
    rest = [row for row in rows if not row.said][: MOST_ROWS - len(opened)]
    return Table(
        claim_columns=claim_columns,
        line_columns=line_columns,
        opened=tuple(opened),
        rest=tuple(rest),
        untold=len(rows) - len(opened) - len(rest),
        claim_widths=_widths([row.cells for row in rows if not row.line], claim_columns),
        line_widths=_widths([row.cells for row in rows if row.line], line_columns),
    )


def mended(document: Document, texts: Sequence[str]) -> Mended:
    """The document's claims with what the rows of text say.

    A shown row that is not among the texts was taken away (a claim with its lines), one with a new
    key is added at its place. Rows to check that come back as they were are sure from then on. A
    row that can't be understood changes nothing and is a problem.

    Args:
        document: As it was shown.
        texts: Of all inputs of the table.
    """
    table = table_of(document)
    shown = {(row.claim, row.line): row for row in (*table.opened, *table.rest)}
    said: dict[tuple[int, int], dict[str, Any]] = {}
    problems: list[str] = []
    unclear: set[tuple[int, int]] = set()
    for text in texts:
        if not text.strip(f" {_PART}"):
            continue
        found = _KEY.match(text.strip())
        key = (int(found[1]), int(found[2] or 0)) if found else None
        try:
            if key is None or key in said:
                raise ValueError("its number is not clear")
            said[key] = _understood(text, table.columns(key[1]), shown.get(key))
        except ValueError as error:
            problems.append(f"{'.'.join(map(str, key)) if key else 'a row'}: {error}")
            if key is not None:
                unclear.add(key)
    gone = set(shown) - set(said) - unclear
    claims: list[Claim] = []
    highest = max([len(document.claims), *(claim for claim, _ in said)])
    for number in range(1, highest + 1):
        known = document.claims[number - 1] if number <= len(document.claims) else None
        if (number, 0) in gone or (known is None and (number, 0) not in said):
            continue
        claim = _with(known or Claim(confidence=1.0), said.get((number, 0)), shown.get((number, 0)))
        last = max([len(claim.service_lines), *(ln for c, ln in said if c == number)])
        lines = []
        for place in range(1, last + 1):
            key = (number, place)
            exists = place <= len(claim.service_lines)
            if key in gone or not (exists or key in said):
                continue
            line = claim.service_lines[place - 1] if exists else ServiceLine(confidence=1.0)
            lines.append(_with(line, said.get(key), shown.get(key)))
        claims.append(claim.model_copy(update={"service_lines": tuple(lines)}))
    orphans = [c for c, ln in said if ln and c > len(document.claims) and (c, 0) not in said]
    problems += [
        f"{claim}: a line of a claim that is not there" for claim in dict.fromkeys(orphans)
    ]
    return Mended(tuple(claims), tuple(problems))


def _with(known: Line, said: Mapping[str, Any] | None, row: Row | None) -> Line:
    if said is None:
        return known
    if not said and (row is None or not row.said):
        return known
    # Who sends back a row to check says that all of it is so, computed amounts too.
    return known.model_copy(update={**said, "derived": (), "confidence": 1.0})


def _doubts(document: Document) -> dict[tuple[int, int], tuple[str, ...]]:
    """What is to be said of each row, by claim and line."""
    said: dict[tuple[int, int], list[str]] = {}
    imbalances = document.remittance.imbalances if document.remittance is not None else ()
    for each in imbalances:
        if each.claim is None:
            continue
        words = f"{each.name.replace('_', ' ')} is {each.said}, the others give {each.expected}"
        if each.proposed is not None and each.culprit is not None:
            words += f"; {each.culprit.rpartition('.')[2]} {each.proposed} would balance"
        said.setdefault((each.claim, each.line or 0), []).append(words)
    for finding in document.findings:
        for name in finding.fields:
            if found := _ABOUT_CLAIM.match(name):
                key = (int(found[1]), int(found[2] or 0))
                if not said.get(key):
                    said.setdefault(key, []).append(finding.message)
    unproven = "unproven_claim" in document.reason_codes
    for number, claim in enumerate(document.claims, start=1):
        for place, line in enumerate((claim, *claim.service_lines)):
            if line.derived:
                names = ", ".join(name.replace("_", " ") for name in line.derived)
                said.setdefault((number, place), []).append(f"{names}: not read, computed")
            elif line.confidence < LEAST_SURE or (unproven and line.confidence < 1):
                said.setdefault((number, place), []).append(in_words(line.confidence))
    return {key: tuple(dict.fromkeys(words)) for key, words in said.items()}


def _filled(lines: Sequence[ServiceLine], names: Sequence[str]) -> tuple[str, ...]:
    """The columns that some row fills; always what was billed and paid."""
    return tuple(
        name
        for name in names
        if name in {"billed", "paid"} or any(getattr(line, name) is not None for line in lines)
    )


def _row(
    claim: int,
    place: int,
    line: ServiceLine,
    columns: Sequence[str],
    said: Mapping[tuple[int, int], tuple[str, ...]],
) -> Row:
    on_page = (line.page, line.box) if line.page is not None and line.box is not None else None
    cells = tuple(_cell(getattr(line, name)) for name in columns)
    return Row(claim, place, cells, said.get((claim, place), ()), on_page)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return plain_text(text).replace(_PART, "/")


def _widths(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> tuple[int, ...]:
    return tuple(
        min(24, max([len(_title(columns[place])), *(len(row[place]) for row in rows)]))
        for place in range(len(columns))
    )


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " "))


def _joined(key: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f" {_PART} ".join([key.ljust(5), *padded]).rstrip()


def _columns(key: str, titles: Sequence[str], widths: Sequence[int]) -> str:
    return f'<div class="cols">{_joined(key, titles, widths).replace(" ", "&#160;")}</div>'


def _understood(text: str, columns: Sequence[str], shown: Row | None) -> dict[str, Any]:
    """What a row says by name, as far as it does not stand as it was shown.

    Raises:
        ValueError: It has too many or too few cells, or one that is not what its column holds.
    """
    cells = [cell.strip() for cell in text.split(_PART)][1:]
    if shown is not None and len(cells) < len(columns):
        raise ValueError("a cell less than there are columns")
    named = [cell for cell in cells[len(columns) :] if cell]
    cells = [*cells, *[""] * (len(columns) - len(cells))][: len(columns)]
    before = shown.cells if shown is not None else ("",) * len(columns)
    pairs = [
        (name, cell)
        for name, cell, was in zip(columns, cells, before, strict=True)
        if cell != was.strip()
    ]
    for each in named:
        name, sign, cell = each.partition("=")
        name = name.strip().replace(" ", "_")
        if not sign or name not in {*_CLAIM, *_LINE}:
            raise ValueError("a cell more than there are columns")
        pairs.append((name, cell.strip()))
    return {name: _value(name, cell) for name, cell in pairs}


def _value(name: str, cell: str) -> Decimal | dt.date | str | None:
    if not cell:
        return None
    kind = Kind.DATE if name == "service_date" else Kind.MONEY if name in _NUMBERS else None
    if kind is None:
        return cell
    parsed = parse(kind, cell)
    if not parsed.valid:
        raise ValueError(f"{name.replace('_', ' ')} can't be read")
    return dt.date.fromisoformat(parsed.value) if kind is Kind.DATE else Decimal(parsed.value)

# SPDX-License-Identifier: Apache-2.0
"""The lines of a remittance told apart: who a claim is about, what was done, what it adds up to.

Each page becomes a list of events in reading order; :mod:`idp.extract.claims` builds the claims
from them. Nothing here knows a payer: a line is what its columns, labels and shapes say it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from idp.extract.claims_labels import (
    IDENTITY_ROLES,
    below,
    fits,
    labels_over_values,
    read_labels,
    trim,
)
from idp.extract.claims_regions import (
    TOTAL,
    Region,
    is_amounts_only,
    is_prose,
    is_summary,
    money_tokens,
    regions,
)
from idp.extract.tables_header import Header
from idp.extract.tables_lines import Line, Sheet, Token, joined
from idp.extract.tables_rows import MONEY_ROLES, Row, assign, cell_parts, make_row, misfit
from idp.extract.tables_values import Shape, parse_money, parse_procedure, shape_of
from idp.extract.tables_vocabulary import Vocabulary

_NAMING = IDENTITY_ROLES | {"service_date", "subscriber_name"}
"""Labelled values that say whom or which visit the lines below are about."""

_OF_STATEMENT = re.compile(
    r"\b(?:sta\w{2,4}ment|grand|payment|check|cheque|remit\w*|report|provider|payee|all|overall|eob|ra"
    r"|voucher|final|batch|claims|eft|summary|advice)\b",
    re.IGNORECASE,
)
_OF_CLAIM = re.compile(r"\b(?:claim|patient|member|service|line|sub)\b", re.IGNORECASE)
_NO_TOTAL = re.compile(r"\badj\w*\s+to\s+t[o0]ta[l1]|\bpage\s+t[o0]ta[l1]", re.IGNORECASE)

Kind = Literal["identity", "service", "total", "prose"]
Scope = Literal["claim", "statement", "open", "sum"]
"""What a total is of; of ``sum`` only the amounts say that it is one."""


@dataclass(frozen=True, slots=True)
class Event:
    """What one line, or the lines of one row, say."""

    kind: Kind
    page: int
    cells: Mapping[str, tuple[Token, ...]]
    tokens: tuple[Token, ...]
    scope: Scope = "open"
    columns: tuple[str, ...] = ()
    """Roles of the money columns from left to right, for repairs."""


def money_columns(header: Header) -> tuple[str, ...]:
    """The roles of a head's money columns from left to right."""
    return tuple(r for c in header.columns for r in c.roles if r in MONEY_ROLES and r is not None)


def _before_amounts(line: Line) -> str:
    text = []
    for token in line.tokens:
        if shape_of(token.text) is Shape.MONEY:
            break
        text.append(token.text)
    return " ".join(text)


def is_total(line: Line) -> bool:
    """Whether the line adds others up: it says so, and shows an amount."""
    text = line.text
    return bool(TOTAL.search(text)) and not _NO_TOTAL.search(text) and money_tokens(line) > 0


def _only_total(line: Line) -> bool:
    """Whether all words of the line only say that it is a total, and of what."""
    words = re.sub(r"[^a-z ]", " ", _before_amounts(line).lower()).split()
    known = {"claim", "claims", "patient", "statement", "check", "grand", "sub", "of", "the", "for"}
    return all(w in known or TOTAL.fullmatch(w) for w in words)


def _scope(text: str) -> Scope:
    if _OF_STATEMENT.search(text):
        return "statement"
    return "claim" if _OF_CLAIM.search(text) else "open"


def _labelled_cells(
    line: Line, under: Line | None, vocabulary: Vocabulary, sheet: Sheet
) -> dict[str, tuple[Token, ...]]:
    """The labelled values of a line; a name may go on, and a lone label's value stand, below."""
    cells: dict[str, tuple[Token, ...]] = {}
    for found in read_labels(line, vocabulary, sheet):
        value = trim(found.role, found.value, sheet.text_height)
        if under is not None and found.role in ("patient_name", "subscriber_name"):
            more = below(found, under, vocabulary, sheet)
            if 0 < len(more) <= 3 and all(shape_of(t.text) is Shape.WORD for t in more):
                value = (*value, *more)
        elif under is not None and not value and found.role in IDENTITY_ROLES:
            value = trim(found.role, below(found, under, vocabulary, sheet), sheet.text_height)
        if fits(found.role, value) and found.role not in cells:
            cells[found.role] = value
    return cells


def _named(line: Line, cells: Mapping[str, tuple[Token, ...]]) -> Event:
    """The event of labels that stand over their values."""
    kind: Kind = "identity" if cells.keys() & _NAMING else "total"
    return Event(kind, line.page, cells, line.tokens, "open")


def _all_labelled(line: Line, labels: Mapping[str, tuple[Token, ...]]) -> bool:
    """Whether every amount of the line is the value of a label beside it."""
    named = {i for r in labels.keys() & MONEY_ROLES for t in labels[r] for i in t.word_ids}
    amounts = [t for t in line.tokens if shape_of(t.text) is Shape.MONEY]
    return bool(amounts) and all(named & set(t.word_ids) for t in amounts)


def _amount_cells(cells: Mapping[str, tuple[Token, ...]]) -> set[str]:
    return {
        role
        for role, tokens in cells.items()
        if role in MONEY_ROLES and any(c.isdigit() for c in joined(tokens))
    }


def _is_service(parts: Mapping[str, tuple[Token, ...]], header: Header) -> bool:
    """Whether the cells of a line are those of a service: amounts, and a date or a code."""
    amounts = _amount_cells(parts)
    if not amounts:
        return False
    dated = any(shape_of(t.text) is Shape.DATE for t in parts.get("service_date", ()))
    packed = re.fullmatch(r"[\d /-]{6,}", joined(parts.get("service_date", ())) or "-")
    coded = parse_procedure(joined(parts.get("procedure_code", ()))) is not None
    if dated or coded or (packed and len(amounts) >= 2):
        return True
    described = any(shape_of(t.text) is Shape.WORD for t in parts.get("service_description", ()))
    named = parts.get("patient_name") or parts.get("claim_number") or parts.get("patient_account")
    marked = header.roles & {"service_date", "procedure_code"}
    if not marked or described:
        return bool(described or named or len(amounts) >= 2)
    return bool(named and len(amounts) >= 2)


def _is_bare_sum(parts: Mapping[str, tuple[Token, ...]], header: Header) -> bool:
    """Whether a line has amounts but neither date nor code, where the table has such columns."""
    marked = header.roles & {"service_date", "procedure_code"}
    return bool(marked) and len(_amount_cells(parts)) >= 3


@dataclass(slots=True)
class _OpenRow:
    """The row being read: its lines, and lines above it that may turn out to be its first."""

    lines: list[Line] = field(default_factory=list)
    pending: list[Line] = field(default_factory=list)
    beside: Mapping[str, tuple[Token, ...]] = field(default_factory=dict)
    """Labelled values that stand in the row's own line."""
    inside: Line | None = None
    """The line about to open a row, without such labels."""

    def begin(self, line: Line, labels: Mapping[str, tuple[Token, ...]], sheet: Sheet) -> None:
        """Open a row at a line with amounts."""
        above = [p for p in self.pending if _near(p, line, sheet)]
        self.beside = labels if self.inside is not None else {}
        self.lines, self.pending = [*above, self.inside or line], []

    def wait(self, line: Line, sheet: Sheet) -> None:
        """Remember a line without amounts; one with a label of its own says something else."""
        if any(t.text.endswith(":") for t in line.tokens):
            self.pending = []
        elif self.pending and _near(self.pending[-1], line, sheet):
            self.pending.append(line)
        else:
            self.pending = [line]


class PageReader:
    """Turns the pages of a remittance, one after the other, into events."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._carried: Header | None = None

    def read(self, sheet: Sheet) -> list[Event]:
        """The events of one page in reading order."""
        found, self._carried = regions(sheet, self.vocabulary, self._carried)
        events: list[Event] = []
        for region in found:
            events.extend(self._region(region, sheet))
        return events

    def _region(self, region: Region, sheet: Sheet) -> Iterable[Event]:
        header = region.header
        if header is None:
            values_line = False
            for index, line in enumerate(region.lines):
                over = {} if values_line else self._over(region.lines, index, sheet)
                below_them = {} if over or values_line else self._under(region.lines, index, sheet)
                if over or below_them:
                    yield _named(line, over or below_them)
                elif not values_line:
                    yield from self._free(line, self._labels(region.lines, index, sheet), sheet)
                values_line = bool(over)
            return
        if not header.roles & MONEY_ROLES and not self._names_below(region, header, sheet):
            above = sheet.lines[header.first_line - 1] if header.first_line else None
            if above is not None and _near(above, region_head(header, sheet), sheet):
                parts = cell_parts(make_row([above], header, sheet), header)
                if _all_fit(parts, above):
                    yield Event("identity", header.page, parts, above.tokens)
        yield from self._under_head(region, header, sheet)

    def _names_below(self, region: Region, header: Header, sheet: Sheet) -> bool:
        """Whether the first line below a head of identification has its values."""
        if not region.lines:
            return False
        parts = cell_parts(make_row([region.lines[0]], header, sheet), header)
        return _is_identity(parts)

    def _under_head(self, region: Region, header: Header, sheet: Sheet) -> Iterable[Event]:
        open_row = _OpenRow()
        identity_rows = 0
        values_line = False
        for index, line in enumerate(region.lines):
            if values_line:
                values_line = False
                continue
            if over := self._over(region.lines, index, sheet):
                yield from self._flush(open_row, header, sheet)
                yield _named(line, over)
                values_line = True
                continue
            if below_them := self._under(region.lines, index, sheet):
                yield from self._flush(open_row, header, sheet)
                yield _named(line, below_them)
                continue
            labels = self._labels(region.lines, index, sheet)
            parts = cell_parts(make_row([line], header, sheet), header)
            if (
                single := self._alone(line, labels, parts, region, row=open_row, sheet=sheet)
            ) is not None:
                yield from self._flush(open_row, header, sheet)
                yield from single
            elif self._opens_row(line, labels, parts, header, row=open_row, sheet=sheet):
                yield from self._flush(open_row, header, sheet, keep_pending=True)
                open_row.begin(line, labels, sheet)
            elif region.is_summary:
                if money_tokens(line) or index == 0:
                    certain = is_summary(header, sheet)
                    scope: Scope = "statement" if certain else "open"
                    yield Event("total", line.page, parts, line.tokens, scope)
            elif not header.roles & MONEY_ROLES:
                if identity_rows == 0 and _is_identity(parts):
                    identity_rows += 1
                    yield Event("identity", line.page, parts, line.tokens)
            elif open_row.lines and _continues(open_row.lines, line, header, sheet):
                open_row.lines.append(line)
            else:
                yield from self._flush(open_row, header, sheet, keep_pending=True)
                open_row.wait(line, sheet)
                yield Event("prose", line.page, labels, line.tokens)
        yield from self._flush(open_row, header, sheet)

    def _over(
        self, lines: Sequence[Line], index: int, sheet: Sheet
    ) -> dict[str, tuple[Token, ...]]:
        """The values of the next line where this one is nothing but labels for them."""
        if index + 1 == len(lines) or self._is_caption(lines, index, sheet):
            return {}
        return labels_over_values(lines[index], lines[index + 1], self.vocabulary, sheet)

    def _under(
        self, lines: Sequence[Line], index: int, sheet: Sheet
    ) -> dict[str, tuple[Token, ...]]:
        """The values of the line before where this one is nothing but labels below them."""
        if not self._is_caption(lines, index, sheet):
            return {}
        return labels_over_values(lines[index], lines[index - 1], self.vocabulary, sheet)

    def _is_caption(self, lines: Sequence[Line], index: int, sheet: Sheet) -> bool:
        """Whether the labels of a line are printed below their values.

        In an alternation of values and labels the first line tells which belongs to which.
        """
        while index > 0 and labels_over_values(
            lines[index], lines[index - 1], self.vocabulary, sheet
        ):
            if index < 2 or not labels_over_values(
                lines[index - 2], lines[index - 1], self.vocabulary, sheet
            ):
                return True
            index -= 2
        return False

    def _labels(
        self, lines: Sequence[Line], index: int, sheet: Sheet
    ) -> dict[str, tuple[Token, ...]]:
        under = lines[index + 1] if index + 1 < len(lines) else None
        return _labelled_cells(lines[index], under, self.vocabulary, sheet)

    def _alone(
        self,
        line: Line,
        labels: Mapping[str, tuple[Token, ...]],
        parts: Mapping[str, tuple[Token, ...]],
        region: Region,
        *,
        row: _OpenRow,
        sheet: Sheet,
    ) -> list[Event] | None:
        """The events of a line that belongs to no row: a total, labels, running text."""
        header = region.header
        assert header is not None
        if (
            _all_labelled(line, labels)
            or is_total(line)
            or _all_labelled(line, _worded_amounts(line, self.vocabulary))
        ):
            return list(self._total(line, labels, region, sheet))
        if labels.keys() & _NAMING:
            inside = _without_labels(line, labels, self.vocabulary, sheet)
            within = inside is not None and _is_service(
                cell_parts(make_row([inside], header, sheet), header), header
            )
            if not within and not _below(row.lines, line, sheet):
                return [Event("identity", line.page, labels, line.tokens)]
        if is_prose(line, sheet):
            return [Event("prose", line.page, labels, line.tokens)]
        listing = not region.is_summary and header.roles & MONEY_ROLES
        if listing and not _is_service(parts, header) and _is_bare_sum(parts, header):
            return [Event("total", line.page, parts, line.tokens, "sum")]
        return None

    def _opens_row(
        self,
        line: Line,
        labels: Mapping[str, tuple[Token, ...]],
        parts: Mapping[str, tuple[Token, ...]],
        header: Header,
        *,
        row: _OpenRow,
        sheet: Sheet,
    ) -> bool:
        """Whether a service row begins here; takes labels within it out of its cells."""
        row.inside = None
        if not header.roles & MONEY_ROLES or is_amounts_only(header):
            return False
        if is_summary(header, sheet):
            return False
        inside = _without_labels(line, labels, self.vocabulary, sheet)
        if inside is not None:
            # "Claim: 6001  01/08/26  96372 ...": a label in the left column of a row.
            if _is_service(cell_parts(make_row([inside], header, sheet), header), header):
                row.inside = inside
                return True
            return False
        return _is_service(parts, header)

    def _free(
        self, line: Line, labels: Mapping[str, tuple[Token, ...]], sheet: Sheet
    ) -> Iterable[Event]:
        """A line that stands under no head."""
        if labels.keys() & _NAMING:
            yield Event("identity", line.page, labels, line.tokens)
        elif labels.keys() & MONEY_ROLES or _worded_amounts(line, self.vocabulary):
            scope: Scope = _scope(line.text) if is_total(line) else "open"
            cells = {**_worded_amounts(line, self.vocabulary), **labels}
            yield Event("total", line.page, cells, line.tokens, scope)
        else:
            yield Event("prose", line.page, labels, line.tokens)

    def _flush(
        self, open_row: _OpenRow, header: Header, sheet: Sheet, *, keep_pending: bool = False
    ) -> Iterable[Event]:
        """Close the open row, if any, and give its event."""
        lines, beside = open_row.lines, open_row.beside
        open_row.lines, open_row.beside = [], {}
        if not keep_pending:
            open_row.pending = []
        if not lines:
            return
        made: Row = make_row(lines, header, sheet)
        columns = money_columns(header)
        cells = {**cell_parts(made, header), **beside}
        yield Event("service", made.page, cells, made.tokens, "open", columns)

    def _total(
        self, line: Line, beside: Mapping[str, tuple[Token, ...]], region: Region, sheet: Sheet
    ) -> Iterable[Event]:
        for named in (beside, _worded_amounts(line, self.vocabulary)):
            if _all_labelled(line, named):
                yield Event("total", line.page, named, line.tokens, "open")
                return
        header = region.header
        assert header is not None
        labels = _worded_amounts(line, self.vocabulary)
        taken = {t for tokens in labels.values() for t in tokens}
        if not labels and money_tokens(line) == 1 and not _only_total(line):
            # "Total something 12.00": one amount of an unknown name is not a row of columns.
            return
        first = next(i for i, t in enumerate(line.tokens) if shape_of(t.text) is Shape.MONEY)
        rest = [
            t
            for i, t in enumerate(line.tokens)
            if t not in taken
            and shape_of(t.text) is not Shape.WORD
            # "Total 3 claims": a count before the amounts.
            and (i >= first or not re.fullmatch(r"\d{1,3}", t.text))
        ]
        placed = assign(rest, header.columns, sheet)
        cells: dict[str, tuple[Token, ...]] = dict(labels)
        for token, at in zip(rest, placed, strict=True):
            column = header.columns[at]
            role = min(
                (r for r in column.roles if r is not None),
                key=lambda r: misfit(r, shape_of(token.text)),
                default=None,
            )
            if role == "carc" and shape_of(token.text) is Shape.MONEY:
                role = "adjustment"
            if role is not None:
                cells[role] = (*cells.get(role, ()), token)
        scope: Scope = "statement" if region.is_summary else _scope(_before_amounts(line))
        amounts = sum(parse_money(joined(cells.get(r, ()))) is not None for r in MONEY_ROLES)
        if amounts:
            columns = money_columns(header)
            yield Event("total", line.page, cells, line.tokens, scope, columns)


def _worded_amounts(line: Line, vocabulary: Vocabulary) -> dict[str, tuple[Token, ...]]:
    """Amounts with their wording right before them: ``PT RESP 14.40``, ``Total paid: 120.00``."""
    cells: dict[str, tuple[Token, ...]] = {}
    words: list[Token] = []
    for token in line.tokens:
        if shape_of(token.text) is not Shape.MONEY:
            words.append(token)
            continue
        # Of several amounts after "Check totals" the first is not the check's total.
        names_row = money_tokens(line) > 1 and words and TOTAL.search(words[-1].text)
        role = phrase_role(words, vocabulary) if words and not names_row else None
        if role in MONEY_ROLES:
            cells.setdefault(role, (token,))
        words = []
    return cells


def _without_labels(
    line: Line, labels: Mapping[str, tuple[Token, ...]], vocabulary: Vocabulary, sheet: Sheet
) -> Line | None:
    """The line less its labels of identification and their values; ``None`` if it has none."""
    if not labels.keys() & IDENTITY_ROLES:
        return None
    gone = set()
    for found in read_labels(line, vocabulary, sheet):
        if found.role in IDENTITY_ROLES:
            gone |= {i for t in (*found.label, *found.value) for i in t.word_ids}
    rest = tuple(t for t in line.tokens if not gone & set(t.word_ids))
    return replace(line, tokens=rest) if rest else None


def phrase_role(words: Sequence[Token], vocabulary: Vocabulary) -> str | None:
    """The role whose wording the words are, with or without "total" before it; else ``None``."""
    found = _exact_role(words, vocabulary)
    if found is None and len(words) > 1 and TOTAL.fullmatch(words[0].text):
        found = _exact_role(words[1:], vocabulary)
    if found is None and len(words) > 1 and re.fullmatch(r"(?i)totals?|sum", words[-1].text):
        found = _exact_role(words[:-1], vocabulary)
    return found


def _exact_role(words: Sequence[Token], vocabulary: Vocabulary) -> str | None:
    node = vocabulary.root
    for token in words:
        read = vocabulary.read(token.text)
        if read is None:
            return None
        for word in read:
            following = node.next.get(word)
            if following is None:
                return None
            node = following
    return node.role


def _is_identity(parts: Mapping[str, tuple[Token, ...]]) -> bool:
    return any(role in IDENTITY_ROLES and fits(role, tokens) for role, tokens in parts.items())


def region_head(header: Header, sheet: Sheet) -> Line:
    """The first line of a head."""
    return sheet.lines[header.first_line]


def _all_fit(parts: Mapping[str, tuple[Token, ...]], line: Line) -> bool:
    """Whether every word of the line is a value of the column it stands in."""
    named = {r: t for r, t in parts.items() if r in IDENTITY_ROLES | {"subscriber_name"}}
    count = sum(len(t) for t in named.values())
    return (
        len(named) >= 2
        and count == len(line.tokens)
        and all(fits(role, tokens) for role, tokens in named.items())
    )


def _near(upper: Line, lower: Line, sheet: Sheet) -> bool:
    """Whether two lines stand as close as lines of one row do."""
    return lower.y0 - upper.y1 < 0.9 * max(upper.height, sheet.text_height)


def _below(row: Sequence[Line], line: Line, sheet: Sheet) -> bool:
    """Whether a labelled line is the second line of the row above rather than a new claim."""
    return bool(row) and _near(row[-1], line, sheet) and len(line.tokens) <= 3 and len(row) < 3


def _continues(row: Sequence[Line], line: Line, header: Header, sheet: Sheet) -> bool:
    """Whether the line goes on with the row: close below it, and its words suit the columns."""
    if len(row) >= 4 or not _near(row[-1], line, sheet):
        return False
    left, right = line.tokens[0].x0, line.tokens[-1].x1
    if sheet.rule_below(row[-1].cy, line.cy, left, right):
        return False
    if re.match(
        r"\W*(?:notes?|remarks?|receipt|received|messages?|summary|totals?|payment)\W*\b",
        line.text,
        re.IGNORECASE,
    ):
        return False
    if line.text.rstrip().endswith(":"):
        return False
    placed = assign(line.tokens, header.columns, sheet)
    shapes = [shape_of(t.text) for t in line.tokens]
    costs = [
        min(misfit(r, shape) for r in header.columns[at].roles)
        for at, shape in zip(placed, shapes, strict=True)
    ]
    return sum(costs) / len(costs) <= 0.8

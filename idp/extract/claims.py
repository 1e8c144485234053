# SPDX-License-Identifier: Apache-2.0
"""Remittances: from the pages to claims with their service lines, and to the statement's totals.

A claim begins where somebody new is named (a labelled line, a row of identification, or the left
columns of a service row), goes on over page ends, and closes with its total, if one is printed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from idp.document import Adjustment, Box, Claim, Page, Place, ServiceLine, union_of
from idp.extract.claims_cells import PATIENT_SHARE, ServiceDraft, read_amounts, read_service
from idp.extract.claims_labels import IDENTITY_ROLES, KEY_ROLES, fits, trim
from idp.extract.claims_lines import Event, PageReader
from idp.extract.claims_regions import CLAIM_COLUMNS
from idp.extract.tables_lines import Sheet, Token, joined, sheet_of
from idp.extract.tables_rows import MONEY_ROLES
from idp.extract.tables_values import (
    Shape,
    parse_adjustment_codes,
    parse_dates,
    parse_remark_codes,
    shape_of,
)
from idp.extract.tables_vocabulary import Vocabulary

MAX_CLAIMS = 5000
"""A paper remittance has a few hundred at most; more is noise read as rows."""

_LINE_AMOUNTS = (
    *("billed", "allowed", "adjustment", "deductible", "copay", "coinsurance", "paid"),
    *("noncovered", "other_amount", "patient_responsibility"),
)
_NEVER_BLANK = frozenset({"billed", "allowed", "paid"})
_OF_LINES_ALONE = frozenset({"adjustments", "derived"})
"""What a claim of one line does not repeat."""
_STATEMENT_FIELDS = {
    "billed": "total_billed",
    "allowed": "total_allowed",
    "adjustment": "total_adjustment",
    "deductible": "total_deductible",
    "copay": "total_copay",
    "coinsurance": "total_coinsurance",
    "paid": "total_paid",
    "patient_responsibility": "patient_responsibility",
    "payment_amount": "payment_amount",
    "eft_number": "eft_number",
    "payment_date": "payment_date",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A value of the remittance as a whole, with the tokens that show it."""

    name: str
    raw: str
    value: str
    page: int
    box: Box
    word_ids: tuple[int, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Remittance:
    """All that the tables of a remittance say."""

    claims: tuple[Claim, ...]
    statement: tuple[Evidence, ...]


@dataclass(slots=True)
class _Draft:
    """A claim on the way."""

    page: int
    identity: dict[str, str] = field(default_factory=dict)
    services: list[ServiceDraft] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)
    total_cells: dict[str, tuple[Token, ...]] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    date_cell: tuple[Token, ...] = ()

    def whole_sum(self, role: str) -> Decimal | None:
        """The lines' sum; none where a line lacks an amount that is never left blank."""
        lacks = any(role not in s.amounts for s in self.services)
        return None if lacks and role in _NEVER_BLANK else self.sums(role)

    def sums(self, role: str) -> Decimal | None:
        values = [s.amounts[role] for s in self.services if role in s.amounts]
        return sum(values, Decimal(0)) if values else None


def claims_vocabulary(columns: Mapping[str, Sequence[str]]) -> Vocabulary:
    """The column wordings of remittances out of the lexicon's ``columns``."""
    return Vocabulary(columns, CLAIM_COLUMNS)


def read_remittance(pages: Sequence[Page], vocabulary: Vocabulary) -> Remittance:
    """Claims and totals of a remittance; empty, never an error, where there are none.

    Args:
        pages: The pages of one document, in order.
        vocabulary: See :func:`claims_vocabulary`.
    """
    sheets = {page.number: sheet_of(page) for page in pages}
    reader = PageReader(vocabulary)
    builder = _Builder(sheets)
    for sheet in sheets.values():
        for event in reader.read(sheet):
            builder.add(event)
    return builder.finish()


def _amounts(cells: Mapping[str, tuple[Token, ...]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for role in cells.keys() & MONEY_ROLES:
        values, _ = read_amounts(cells[role])
        if values:
            found[role] = values[0]
    return found


def _in_order(amounts: Sequence[Decimal], sums: Sequence[tuple[str, Decimal]]) -> list[str] | None:
    """The roles whose sums the amounts are, one after the other; ``None`` if one has none."""
    found: list[str] = []
    at = 0
    for amount in amounts:
        while at < len(sums) and sums[at][1] != amount:
            at += 1
        if at == len(sums):
            return None
        found.append(sums[at][0])
        at += 1
    return found


def _values_of(role: str, events: Sequence[Event]) -> set[str]:
    """What a role's amount is said to be."""
    return {str(a[role]) for e in events if role in (a := _amounts(e.cells))}


class _Builder:
    """Collects events into drafts and drafts into claims."""

    def __init__(self, sheets: Mapping[int, Sheet]) -> None:
        self.sheets = sheets
        self.drafts: list[_Draft] = []
        self.statement: list[Event] = []
        self.open: list[tuple[Event, int]] = []
        self.prose: list[tuple[Token, ...]] = []
        self.heading: dict[str, str] = {}
        """Who the whole document is about, as said before its first table."""

    def add(self, event: Event) -> None:
        """Take one event in reading order."""
        if len(self.drafts) >= MAX_CLAIMS:
            return
        if event.kind == "identity":
            self._identify(event, self._identity(event), is_row=False)
        elif event.kind == "service":
            self._identify(event, self._identity(event), is_row=True)
            self._current(event.page).services.append(read_service(event))
        elif event.kind == "total":
            self._total(event)
        else:
            self.prose.append(event.tokens)

    def _identity(self, event: Event) -> dict[str, str]:
        unit = self.sheets[event.page].text_height
        found: dict[str, str] = {}
        for role in (*sorted(IDENTITY_ROLES), "subscriber_name"):
            tokens = trim(role, event.cells.get(role, ()), unit)
            if fits(role, tokens):
                found[role] = joined(tokens).strip(" :,;-")
        return found

    def _current(self, page: int) -> _Draft:
        if not self.drafts:
            self.drafts.append(_Draft(page))
        return self.drafts[-1]

    def _identify(self, event: Event, found: Mapping[str, str], *, is_row: bool) -> None:
        """Begin a new claim, or say more about the one that is open."""
        date_cell = event.cells.get("service_date", ())
        if not found and not (date_cell and not is_row):
            return
        draft = self._current(event.page)
        differs = {
            r for r, text in found.items() if r in draft.identity and draft.identity[r] != text
        }
        started = bool(draft.services or draft.totals)
        # Where no patient is named apart from the member, the member is who the claim is about.
        keys = KEY_ROLES | ({"subscriber_name"} if "patient_name" not in draft.identity else set())
        others = differs & {"claim_number", "patient_account"}
        if is_row:
            # Another account or claim number is another claim; another name too.
            new = bool(differs & keys) and (started or bool(others))
        else:
            new = (started and bool(found.keys() & keys)) or bool(others)
            if new and started and not differs and not draft.totals:
                new = not found.keys() & draft.identity.keys()
        if new:
            draft = _Draft(event.page)
            self.drafts.append(draft)
        for role, text in found.items():
            draft.identity.setdefault(role, text)
        if not is_row and date_cell:
            draft.date_cell = draft.date_cell or date_cell
        if not is_row:
            draft.tokens.extend(event.tokens)

    def _total(self, event: Event) -> None:
        event = self._under_right_heads(event)
        if event.scope == "sum":
            drafts = [d for d in self.drafts if d.services]
            if drafts and self._adds_up(event, drafts[-1:]):
                self._close(drafts[-1], event)
            elif len(drafts) > 1 and self._adds_up(event, drafts):
                self.statement.append(event)
            return
        if event.scope == "statement":
            self.statement.append(event)
        elif event.scope == "claim" and self.drafts and self.drafts[-1].services:
            self._close(self.drafts[-1], event)
        else:
            self.open.append((event, len(self.drafts)))
            if self.drafts and self.drafts[-1].services and self._adds_up(event, self.drafts[-1:]):
                self._close(self.drafts[-1], event)

    def _under_right_heads(self, event: Event) -> Event:
        """The total with its amounts under the heads whose column they add up, where they do.

        Totals are often set a little aside of their columns; the sums tell which is which.
        """
        drafts = [d for d in self.drafts if d.services]
        roles = [r for r in event.columns if r in event.cells or any(d.sums(r) for d in drafts)]
        tokens = sorted(
            (
                t
                for r, cell in event.cells.items()
                for t in cell
                if r in MONEY_ROLES or shape_of(t.text) is Shape.MONEY
            ),
            key=lambda t: t.x0,
        )
        values = [read_amounts([t])[0] for t in tokens]
        if len(drafts) == 0 or len(values) < 3 or not all(len(v) == 1 for v in values):
            return event
        amounts = [v[0] for v in values]
        for group in (drafts[-1:], drafts):
            sums = {
                r: sum((s for d in group if (s := d.sums(r)) is not None), Decimal(0))
                for r in roles
            }
            if all(sums.get(r) == a for r, a in _amounts(event.cells).items()):
                return event
            placed = _in_order(amounts, [(r, sums[r]) for r in roles])
            if placed is not None:
                taken = set(tokens)
                cells = {r: t for r, t in event.cells.items() if not taken & set(t)}
                cells |= {r: (t,) for r, t in zip(placed, tokens, strict=True)}
                return replace(event, cells=cells)
        return event

    def _close(self, draft: _Draft, event: Event) -> None:
        for role, amount in _amounts(event.cells).items():
            draft.totals.setdefault(role, amount)
            draft.total_cells.setdefault(role, event.cells[role])

    @staticmethod
    def _adds_up(event: Event, drafts: Sequence[_Draft]) -> bool:
        """Whether a total is that of these claims, by what was billed or paid."""
        amounts = _amounts(event.cells)
        for role in ("billed", "paid", "allowed", "adjustment", "patient_responsibility"):
            parts = [p for d in drafts if (p := d.sums(role)) is not None]
            if role in amounts and parts:
                return amounts[role] == sum(parts, Decimal(0))
        return False

    @staticmethod
    def _exceeds(event: Event, draft: _Draft) -> bool:
        """Whether a total has more than the claim above it: then it is not that claim's."""
        more = {
            role: amount > own
            for role, amount in _amounts(event.cells).items()
            if (own := draft.totals.get(role, draft.sums(role))) is not None
        }
        telling = [more[r] for r in ("billed", "allowed", "paid") if r in more]
        return any(telling or more.values())

    def _settle_open(self) -> None:
        """Decide of what the totals without a scope are the totals."""
        drafts = [d for d in self.drafts if d.services]
        several = len(drafts) > 1
        for event, count in self.open:
            before = [d for d in self.drafts[:count] if d.services]
            if several and self._adds_up(event, before) and len(before) > 1:
                self.statement.append(event)
            elif not several:
                if drafts:
                    self._close(drafts[0], event)
                self.statement.append(event)
            elif before and self._exceeds(event, before[-1]):
                self.statement.append(event)
            elif before and not before[-1].totals:
                if any(d.totals for d in drafts):
                    self._close(before[-1], event)
                elif event is self.open[-1][0]:
                    self.statement.append(event)

    def finish(self) -> Remittance:
        """The claims, and the totals of the statement."""
        self._settle_open()
        self._merge_repeated()
        heading: dict[str, str] = {}
        if len(self.drafts) > 1 and not self.drafts[0].services:
            heading = self.drafts.pop(0).identity
        legend = _Legend(self.prose)
        claims = []
        for draft in self.drafts:
            if not draft.services and not draft.totals:
                continue
            for role in ("patient_name", "member_id", "group_number"):
                if role in heading:
                    draft.identity.setdefault(role, heading[role])
            claims.append(self._claim(draft, legend))
        if not claims and self.drafts and self.open:
            claims = self._claim_of_labels()
        return Remittance(tuple(claims), self._evidence())

    def _claim_of_labels(self) -> list[Claim]:
        """A document without any table: one claim of the labelled amounts."""
        draft = self.drafts[0]
        if not draft.identity.keys() & KEY_ROLES:
            return []
        for event, _ in self.open:
            self._close(draft, event)
        return [self._claim(draft, _Legend(self.prose))] if draft.totals else []

    def _merge_repeated(self) -> None:
        """Join drafts of one claim number: a claim that goes on after a page end."""
        merged: list[_Draft] = []
        for draft in self.drafts:
            number = draft.identity.get("claim_number")
            last = merged[-1] if merged else None
            if last and number and last.identity.get("claim_number") == number:
                last.services.extend(draft.services)
                last.totals.update(draft.totals)
                last.total_cells.update(draft.total_cells)
                for role, text in draft.identity.items():
                    last.identity.setdefault(role, text)
            else:
                merged.append(draft)
        self.drafts = merged

    def _box(self, page: int, tokens: Iterable[Token]) -> Box | None:
        return self.sheets[page].box(t for t in tokens if t.page == page)

    def _claim(self, draft: _Draft, legend: _Legend) -> Claim:
        lines = tuple(self._line(s, legend) for s in draft.services)
        values: dict[str, object] = {}
        if len(lines) == 1:
            names = ServiceLine.model_fields.keys() - _OF_LINES_ALONE
            values = {n: getattr(lines[0], n) for n in names}
            for role in _LINE_AMOUNTS:
                if values.get(role) is None and role in draft.totals:
                    values[role] = draft.totals[role]
        else:
            for role in _LINE_AMOUNTS:
                values[role] = draft.totals.get(role, draft.whole_sum(role))
            dates = [line.service_date for line in lines if line.service_date]
            values["service_date"] = min(dates) if dates else None
            codes = [c for line in lines for c in (line.carc or "").split(", ") if c]
            values["carc"] = ", ".join(dict.fromkeys(codes)) or None
            remarks = [c for line in lines for c in (line.rarc or "").split(", ") if c]
            values["rarc"] = ", ".join(dict.fromkeys(remarks)) or None
            values["confidence"] = min((line.confidence for line in lines), default=0.5)
            values["page"] = draft.page
            boxes = [line.box for line in lines if line.box and line.page == draft.page]
            own = self._box(draft.page, draft.tokens)
            values["box"] = union_of([*boxes, *([own] if own else [])]) if boxes or own else None
        if values.get("service_date") is None and draft.date_cell:
            days = parse_dates(joined(draft.date_cell))
            values["service_date"] = days[0] if days else None
        values["totals"] = {r: a for r, a in draft.totals.items() if r in _LINE_AMOUNTS}
        values["cells"] = self._places(draft.total_cells)
        identity = {r: t for r, t in draft.identity.items() if r in IDENTITY_ROLES}
        if "subscriber_name" in draft.identity:
            # Where no patient is named, it is the member.
            identity.setdefault("patient_name", draft.identity["subscriber_name"])
        return Claim.model_validate({**values, **identity, "service_lines": lines})

    def _line(self, draft: ServiceDraft, legend: _Legend) -> ServiceLine:
        codes = draft.adjustment_codes or legend.adjustment_codes(draft.note)
        remarks = draft.remark_codes or legend.remark_codes(draft.note)
        return ServiceLine(
            service_date=draft.service_date,
            procedure_code=draft.procedure_code,
            units=draft.units,
            **{role: draft.amounts.get(role) for role in _LINE_AMOUNTS},
            carc=", ".join(codes) or None,
            rarc=", ".join(remarks) or None,
            adjustments=_reasons(draft, codes),
            note=draft.note,
            confidence=draft.confidence(),
            page=draft.page,
            box=self._box(draft.page, draft.tokens),
            cells=self._places(draft.cells),
        )

    def _places(self, cells: Mapping[str, tuple[Token, ...]]) -> dict[str, Place]:
        """Where the amounts stand."""
        return {
            role: Place(page=tokens[0].page, box=self._box(tokens[0].page, tokens))
            for role, tokens in cells.items()
            if role in _LINE_AMOUNTS and tokens
        }

    def _evidence(self) -> tuple[Evidence, ...]:
        found: dict[str, list[tuple[bool, Evidence]]] = {}
        for event in self.statement:
            for role, tokens in event.cells.items():
                instead = role == "noncovered" and "adjustment" not in event.cells
                name = _STATEMENT_FIELDS.get("adjustment" if instead else role)
                if name is None or not tokens:
                    continue
                evidence = self._one(name, role, tokens)
                if evidence is not None:
                    found.setdefault(name, []).append((event.scope == "statement", evidence))
        return tuple(self._best(name, found[name]) for name in sorted(found))

    def _best(self, name: str, found: Sequence[tuple[bool, Evidence]]) -> Evidence:
        """Of several printed totals the one told most often, by a sum, as such, and last."""
        role = next((r for r, n in _STATEMENT_FIELDS.items() if n == name), name)
        parts = [d.totals.get(role, d.sums(role)) for d in self.drafts]
        total = sum((p for p in parts if p is not None), Decimal(0)) if all(parts) else None
        counts = Counter(e.value for _, e in found)
        if name in ("total_paid", "payment_amount"):
            other = "payment_amount" if name == "total_paid" else "paid"
            counts += Counter(_values_of(other, self.statement))

        def weight(at: int) -> tuple[int, bool, bool, int]:
            certain, evidence = found[at]
            summed = role in MONEY_ROLES and str(total) == evidence.value
            return counts[evidence.value], summed, certain, at

        return found[max(range(len(found)), key=weight)][1]

    def _one(self, name: str, role: str, tokens: tuple[Token, ...]) -> Evidence | None:
        raw = joined(tokens)
        if role in MONEY_ROLES:
            values, repaired = read_amounts(tokens)
            if not values:
                return None
            value = str(values[0])
            trust = 0.6 if repaired else 0.9
        elif role == "payment_date":
            days = parse_dates(raw)
            if not days:
                return None
            value, trust = days[0].isoformat(), 0.9
        else:
            unit = self.sheets[tokens[0].page].text_height
            tokens = trim("claim_number", tokens, unit)
            if not fits("eft_number", tokens):
                return None
            raw = value = joined(tokens)
            trust = 0.9
        box = self._box(tokens[0].page, tokens)
        if box is None:
            return None
        return Evidence(
            name,
            raw,
            value,
            tokens[0].page,
            box,
            tuple(i for t in tokens for i in t.word_ids),
            round(trust * (0.5 + 0.5 * min(t.confidence for t in tokens)), 4),
        )


def _reasons(draft: ServiceDraft, codes: Sequence[str]) -> tuple[Adjustment, ...]:
    """The codes with the amounts that stand beside them, or that only they can be about."""
    beside = dict(draft.adjustments)
    ours = [code for code in codes if code not in PATIENT_SHARE]
    found: list[Adjustment] = []
    for code in codes:
        group, _, reason = code.rpartition("-")
        amount = beside.get(code)
        if amount is None and code in PATIENT_SHARE:
            amount = draft.amounts.get(PATIENT_SHARE[code])
        elif amount is None and len(ours) == 1:
            amount = draft.amounts.get("adjustment")
        found.append(Adjustment(group=group, reason=reason, amount=amount))
    return tuple(found)


class _Legend:
    """What the notes of a remittance mean: ``A2 - charge exceeds ... (CO-45)``."""

    def __init__(self, prose: Sequence[tuple[Token, ...]]) -> None:
        self._texts = [joined(tokens) for tokens in prose]

    def _explanation(self, note: str | None) -> str:
        if not note or len(note) > 8:
            return ""
        start = re.compile(rf"^\W*{re.escape(note)}\b\s*[-:=.)\u2013]?\s*(?=\w)", re.IGNORECASE)
        for index, text in enumerate(self._texts):
            if start.search(text):
                return " ".join(self._texts[index : index + 2])
        return ""

    def adjustment_codes(self, note: str | None) -> tuple[str, ...]:
        """The adjustment codes that a note's explanation names; the first one where several."""
        return parse_adjustment_codes(self._explanation(note))[:1]

    def remark_codes(self, note: str | None) -> tuple[str, ...]:
        """The remark codes that a note's explanation names in brackets."""
        inside = " ".join(re.findall(r"\(([^)]*)\)", self._explanation(note)))
        return parse_remark_codes(inside)[:1]

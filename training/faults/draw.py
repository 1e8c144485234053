# SPDX-License-Identifier: Apache-2.0
"""From facts to paper: pages of exact words in the layouts of many families, and the true fields.

Each word is drawn with the field it belongs to, so the fields' places are where they were drawn.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from idp.document import (
    Box,
    Claim,
    Document,
    DocumentType,
    Envelope,
    FaxHeader,
    Field,
    Page,
    Place,
    ServiceLine,
    Word,
    union_of,
)
from idp.phrases import fold
from idp.schemas import DocumentSchema, FieldSchema, load_schemas
from idp.validate.blanks import LEAST_SIGNS
from idp.values import Kind, parse
from training.faults.cases import TYPES, Amounts, Attached, Case, ClaimFacts, Entry, family_of
from training.faults.pools import dice
from training.synthesise.canvas import Canvas, Tag
from training.synthesise.family import Family
from training.synthesise.layout import LABEL, MECHANISMS, TITLE, Area, Item, Mechanism, print_label
from training.synthesise.noise import Labelled, Noise, read

_EXACT = Noise(jitter=0.0)
_SIZE = 0.0125
_LOWEST = 0.86
_TITLES = {
    "prior_auth_request": "PRIOR AUTHORIZATION REQUEST FORM",
    "referral": "PATIENT REFERRAL FORM",
    "prior_auth_determination": "NOTICE OF DETERMINATION",
    "remittance_eob": "REMITTANCE ADVICE / EXPLANATION OF BENEFITS",
    "other": "LABORATORY REPORT - FINAL",
}
_SECTIONS = {
    "request": "General Information",
    "referral": "Referral Information",
    "determination": "Decision",
    "patient": "Patient Information",
    "insurance": "Coverage",
    "requesting_provider": "Requesting Provider",
    "servicing_provider": "Servicing Provider",
    "referring_provider": "Referring Provider",
    "referred_to": "Referred To",
    "diagnosis": "Diagnosis",
    "services": "Services Requested",
    "medication": "Medication Requested",
    "clinical": "Remarks",
    "signature": "Attestation",
    "payment": "Payment",
    "payee": "Payee",
    "total": "Totals",
}
_LONG = frozenset(
    {"clinical_notes", "reason", "denial_reason", "information_requested", "patient_address"}
)
_COLUMNS = {
    "day": "Service Date",
    "code": "Procedure",
    "carc": "Reason",
    "billed": "Billed",
    "allowed": "Allowed",
    "adjustment": "Adjustment",
    "deductible": "Deductible",
    "copay": "Copay",
    "coinsurance": "Coinsurance",
    "paid": "Paid",
}
_CELL = "cell"
_SMUDGE = "~~.~~"
"""What stands where nobody can read the amount."""
_FULL_CONFIDENCE = 0.99


class Paper(NamedTuple):
    """A document with all that came with it."""

    canvas: Canvas
    pages: tuple[Page, ...]
    document: Document
    received_at: dt.datetime


def papers(case: Case) -> Paper:
    """The case as pages of exact words, with its true fields and claims."""
    canvas = drawn(case)
    read_pages = read(canvas, _EXACT, dice("exact", case.name))
    fields = tuple(_fields(case, read_pages))
    claims = tuple(_claims(case, read_pages))
    pages = as_arrived(case, tuple(part.page for part in read_pages))
    return Paper(canvas, pages, document_of(case, pages, fields, claims), received_at(case))


def type_of(case: Case) -> DocumentType:
    """The document type of a case."""
    return DocumentType(TYPES.get(case.kind, case.kind))


def received_at(case: Case) -> dt.datetime:
    """When it arrived: in the morning of the day."""
    return dt.datetime.combine(case.received, dt.time(9, 30), dt.UTC)


def document_of(
    case: Case, pages: tuple[Page, ...], fields: tuple[Field, ...], claims: tuple[Claim, ...]
) -> Document:
    """A document as extraction leaves it, before anything judges it."""
    known = "server" in case.counted_by
    return Document(
        document_id=f"doc-{case.name}",
        source=f"{case.name}.tif",
        sha256="0" * 64,
        channel="faxes",
        envelope=Envelope(
            sender="614-555-0100",
            pages_announced=max(1, len(pages) + case.lost) if known else None,
            told_by=("sidecar",) if known else (),
        ),
        type=type_of(case),
        type_confidence=_FULL_CONFIDENCE,
        subtype="lab_result" if case.kind == "other" else None,
        pages=tuple(page.number for page in pages),
        fields=fields,
        claims=claims,
    )


def as_arrived(case: Case, pages: tuple[Page, ...]) -> tuple[Page, ...]:
    """Pages with the fax header's count and the grade that the case says they have."""
    total = len(pages) + case.lost
    counted = "header" in case.counted_by and total >= 1
    made = []
    for page in pages:
        changes: dict[str, object] = {}
        if counted and page.number <= total:
            text = f"11/16/2026 09:30 FROM: 614-555-0100 P.{page.number:03d}/{total:03d}"
            changes["fax_header"] = FaxHeader(
                text=text, box=Box(0.02, 0.004, 0.98, 0.016), page=page.number, pages=total
            )
        if page.number == len(pages):
            changes["grade"] = case.grade
        made.append(page.model_copy(update=changes))
    return tuple(made)


def drawn(case: Case) -> Canvas:
    """The case on paper."""
    family = family_of(case.kind, case.family)
    canvas = Canvas(size=_SIZE, leading=min(1.35, family.style.leading))
    rng = dice("draw", case.kind, case.family)
    canvas.text(0.08, 0.04, _TITLES[case.kind], TITLE, scale=1.4)
    y = 0.075
    names = list(_MECHANISMS)
    for section in dict.fromkeys(entry.section for entry in case.entries):
        mechanism = _MECHANISMS[rng.choice(names)]
        if section == "total" and case.claims:
            y = _table(canvas, case, y)
        y = _section(canvas, case, section, mechanism, y)
    if case.enclosed:
        left = family.style.left
        canvas.text(left, y + canvas.line, f"Enclosures: {', '.join(case.enclosed)}")
    for note in case.attached:
        canvas.new_page()
        _note(canvas, note)
    if "foot" in case.counted_by:
        total = len(canvas.sheets) + max(0, case.lost)
        for number, sheet in enumerate(canvas.sheets, 1):
            foot = Canvas(size=0.009, leading=1.2)
            foot.text(0.82, 0.965, f"Page {number} of {total}")
            sheet.words.extend(foot.sheet.words)
    return canvas


_MECHANISMS = {
    name: made
    for name, made in MECHANISMS.items()
    if name in {"inline1", "inline2", "aligned2", "boxed2", "boxed3", "grid1", "grid2", "stacked2"}
}


def _section(canvas: Canvas, case: Case, section: str, mechanism: Mechanism, y: float) -> float:
    family = family_of(case.kind, case.family)
    style = family.style
    if y > _LOWEST:
        canvas.new_page()
        y = 0.05
    canvas.text(style.left, y, _SECTIONS[section].upper(), TITLE)
    y += canvas.line * 1.2
    items = [_item(case, family, entry) for entry in case.entries if entry.section == section]
    rng = dice("section", case.kind, case.family, section)
    return mechanism(canvas, style, rng, items, Area(style.left, style.right, y))


def _item(case: Case, family: Family, entry: Entry) -> Item:
    field = _schema(case).field(entry.name)
    chosen = None
    if entry.options and entry.texts:
        chosen = entry.options.index(entry.texts[0]) if entry.texts[0] in entry.options else None
    return Item(
        key=entry.name,
        label=_label(case, family, entry.name),
        role=entry.name,
        field=None,
        texts=entry.texts,
        options=entry.options,
        chosen=chosen,
        weight=1.0 if field is None or field.kind is not Kind.TEXT else 1.6,
        long=entry.name in _LONG,
    )


def _schema(case: Case) -> DocumentSchema:
    return load_schemas()[type_of(case)]


@cache
def _own_labels(kind: DocumentType) -> dict[str, tuple[str, ...]]:
    """The labels of each field that no other field of the type shares."""
    fields = load_schemas()[kind].fields
    owners: dict[str, set[str]] = {}
    for field in fields:
        for label in field.labels:
            owners.setdefault(fold(label), set()).add(field.name)
    return {
        field.name: tuple(
            label
            for label in field.labels
            if len(owners[fold(label)]) == 1 and len(fold(label)) >= LEAST_SIGNS
        )
        for field in fields
    }


def _label(case: Case, family: Family, name: str) -> str:
    """What the family calls the field: by a label that is that field's alone."""
    field = _schema(case).field(name)
    labels = _own_labels(type_of(case)).get(name) or ((field.title,) if field else ())
    rng = dice("label", case.kind, family.index, name)
    return rng.choice(labels[:4]).title().replace("Npi", "NPI") if labels else name


def _note(canvas: Canvas, note: Attached) -> None:
    canvas.text(0.08, 0.05, "OFFICE VISIT NOTE", TITLE, scale=1.3)
    y = 0.09
    rows = [("Patient:", note.patient), ("DOB:", note.born)]
    if note.member:
        rows.append(("Member ID:", note.member))
    for label, text in rows:
        end = canvas.text(0.08, y, label, LABEL)
        canvas.text(end.x + 0.005, y, text)
        y += canvas.line * 1.5
    for text in (
        "Pain since early autumn, worse on sitting and after walking.",
        "Ibuprofen and naproxen gave little relief.",
        "Continue home exercise and return in three weeks.",
    ):
        canvas.text(0.08, y, text)
        y += canvas.line * 1.3


def _shown(case: Case) -> tuple[str, ...]:
    return ("day", "code", "carc", *case.columns)


def _table(canvas: Canvas, case: Case, y: float) -> float:
    """The claims: a line that names each, its service lines, and its totals."""
    columns = _shown(case)
    family = family_of(case.kind, case.family)
    style = family.style
    width = (style.right - style.left) / len(columns)
    for number, claim in enumerate(case.claims):
        if y > _LOWEST - 0.06:
            canvas.new_page()
            y = 0.05
        x = style.left
        head = (
            ("Patient:", "patient_name", claim.patient),
            ("Member ID:", "member_id", claim.member),
            ("Claim #:", "claim_number", claim.number),
        )
        for label, name, text in head:
            end = canvas.text(x, y, label, LABEL)
            tag = Tag(_CELL, f"{number}//{name}")
            canvas.text(end.x + 0.004, y, text, tag, truth=False)
            x += 0.31
        y += canvas.line * 1.3
        for place, column in enumerate(columns):
            text = print_label(style, _COLUMNS[column], colon=False)
            canvas.text(style.left + place * width, y, text, LABEL, scale=0.75, xmax=1.2)
        y += canvas.line
        for row, line in enumerate(claim.lines):
            cells = {"day": f"{line.day:%m/%d/%Y}", "code": line.code, "carc": line.carc}
            y = _row(canvas, case, (number, str(row)), (cells, line.amounts), y)
        y = _row(canvas, case, (number, "total"), ({"day": "TOTAL"}, claim.totals), y)
        y += canvas.line * 0.6
    return y


def _row(
    canvas: Canvas, case: Case, at: tuple[int, str], row: tuple[dict[str, str], Amounts], y: float
) -> float:
    style = family_of(case.kind, case.family).style
    columns = _shown(case)
    width = (style.right - style.left) / len(columns)
    cells, amounts = row
    for place, column in enumerate(columns):
        amount: Decimal | None = getattr(amounts, column, None)
        shown = _SMUDGE if column in case.columns and amount is None else ""
        text = cells.get(column) or (shown if amount is None else f"{amount:,.2f}")
        if text:
            tag = Tag(_CELL, f"{at[0]}/{at[1]}/{column}")
            x = style.left + place * width
            canvas.text(x, y, text, tag, scale=0.75, xmax=1.2, truth=False)
    return y + canvas.line


class _Found(NamedTuple):
    """The words of one value."""

    page: Page
    words: tuple[Word, ...]

    @property
    def raw(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        return union_of([word.box for word in self.words])


def _values(pages: list[Labelled]) -> dict[tuple[str, str], list[_Found]]:
    """Words by role and party, one list of words for each value."""
    found: dict[tuple[str, str], list[_Found]] = {}
    for part in pages:
        spans: dict[int, list[int]] = {}
        for place, span in enumerate(part.spans):
            if span:
                spans.setdefault(span, []).append(place)
        for places in spans.values():
            key = part.roles[places[0]], part.parties[places[0]]
            words = tuple(part.page.words[place] for place in places)
            found.setdefault(key, []).append(_Found(part.page, words))
    return found


def _fields(case: Case, pages: list[Labelled]) -> list[Field]:
    schema, values = _schema(case), _values(pages)
    made: list[Field] = []
    for entry in case.entries:
        known = schema.field(entry.name)
        if known is None or not entry.texts:
            continue
        if entry.options:
            made += _ticked(case, entry, known, pages)
        for value in values.get((entry.name, ""), []):
            raw = re.sub(r"[,;/]$", "", value.raw)
            made.append(
                Field(
                    name=entry.name,
                    value=_normal(known, raw, case.received),
                    raw=raw,
                    confidence=_FULL_CONFIDENCE,
                    page=value.page.number,
                    box=value.box,
                    word_ids=tuple(word.id for word in value.words),
                    source="truth",
                )
            )
    return made


def _ticked(case: Case, entry: Entry, known: FieldSchema, pages: list[Labelled]) -> list[Field]:
    for part in pages:
        for mark in part.page.marks:
            if mark.state == "checked" and mark.label in entry.texts:
                return [
                    Field(
                        name=entry.name,
                        value=_normal(known, mark.label, case.received),
                        raw=mark.label,
                        confidence=_FULL_CONFIDENCE,
                        page=part.page.number,
                        box=mark.box,
                        source="truth",
                    )
                ]
    return []


def _normal(known: FieldSchema, raw: str, received: dt.date) -> str:
    """The value as extraction normalises it."""
    born = received if known.attribute == "dob" else None
    return parse(known.kind, raw, options=known.options, not_after=born).value


def _claims(case: Case, pages: list[Labelled]) -> list[Claim]:
    boxes: dict[tuple[int, str], dict[str, _Found]] = {}
    for (role, party), found in _values(pages).items():
        if role == _CELL:
            claim, row, column = party.split("/")
            boxes.setdefault((int(claim), row), {})[column] = found[0]
    return [_claim(number, claim, boxes) for number, claim in enumerate(case.claims)]


def _claim(
    number: int, claim: ClaimFacts, boxes: dict[tuple[int, str], dict[str, _Found]]
) -> Claim:
    def place(row: str) -> dict[str, object]:
        found = boxes.get((number, row), {})
        if not found:
            return {}
        cells = {
            name: Place(page=one.page.number, box=one.box)
            for name, one in found.items()
            if name in Amounts._fields
        }
        return {
            "page": next(iter(found.values())).page.number,
            "box": union_of([one.box for one in found.values()]),
            "cells": cells,
        }

    lines = tuple(
        ServiceLine.model_validate(
            {
                **line.amounts._asdict(),
                "service_date": line.day,
                "procedure_code": line.code,
                "carc": line.carc,
                "confidence": _FULL_CONFIDENCE,
                **place(str(row)),
            }
        )
        for row, line in enumerate(claim.lines)
    )
    return Claim.model_validate(
        {
            **claim.totals._asdict(),
            "patient_name": claim.patient,
            "member_id": claim.member,
            "claim_number": claim.number,
            "service_lines": lines,
            "confidence": _FULL_CONFIDENCE,
            **place("total"),
        }
    )

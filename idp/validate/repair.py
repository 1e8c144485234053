# SPDX-License-Identifier: Apache-2.0
"""Repair by rule: what signs were taken for others is said, marked and trusted less.

Parsing puts a digit where a letter was read and only a digit can stand, and the other way round.
This is the first step of judging a document: each value that needed it is marked ``repaired`` and
named in a finding, and where the signs may be several values, or nothing confirms a guess, the
value is a proposal that a person decides on. No digit ever becomes another digit.

A value that is certain (an element of an interchange, what a person typed) was not read, so nothing
of it is repaired.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from idp.document import Document, Field, Finding, Page, Place, Severity
from idp.rulebook import enter, rule
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind, parse
from idp.values.dates import two_digit_year
from idp.values.readings import Reading, Slip, Sureness, aligned, reading
from idp.values.zips import states_of

CONFIRMED = 0.98
"""The most a repaired NPI is trusted. With the check digit right, one misread sign can't have been
another digit; what remains is a second error elsewhere."""

LISTED = 0.95
"""The most a repaired diagnosis is trusted: of the codes its signs may be, one alone exists."""

BY_SHAPE: Mapping[Sureness, float] = {
    Sureness.SURE: 0.95,
    Sureness.LIKELY: 0.85,
    Sureness.GUESS: 0.5,
}
"""The most a value is trusted that nothing but the places of its signs confirms. O and 0, I and 1
are told apart by their place alone, so such a value may leave by itself where a threshold allows
it; S, B and Z stand below the threshold that is preset (.9), so a person looks."""

_MOST_SLIPS = 3
"""A value of more misread signs was not read at all: what is made of it is a proposal."""

_BLOCKING = frozenset({Kind.NPI, Kind.DATE, Kind.ICD10})
"""Kinds whose wrong value is worse than a late one; a wrong telephone number rings elsewhere."""

_CERTAIN = 1.0

_REPAIRED = enter(
    "N9",
    "A value whose signs were repaired by their place says what was read and what was made of it.",
    severity=Severity.INFO,
    source="CMS MBI and NPI formats; ICD-10-CM; shapes of CPT, HCPCS, EIN, NANP and ZIP",
    where="idp.validate.repair.repaired",
)
_PROPOSED = enter(
    "N10",
    "A value that misread signs leave open is a proposal, and a person decides.",
    severity=Severity.BLOCK,
    source="policy of this product: never repaired in silence",
    where="idp.validate.repair.repaired",
)

_ZIP_AS_READ = re.compile(
    r"(?<![A-Za-z])([A-Z]{2})[\s,.]{1,3}([0-9OoIl|SBZ]{5})(-[0-9OoIl|SBZ]{4})?(?![\w-])"
)
_ZIP_DIGITS = str.maketrans("OoIl|SBZ", "00111582")
_LEAST_DIGITS_OF_ZIP = 3


class Repaired(NamedTuple):
    """The document with its repaired values, and what there is to say of them."""

    document: Document
    findings: tuple[Finding, ...]


def repaired(
    document: Document, schema: DocumentSchema, received: dt.date, pages: Sequence[Page] = ()
) -> Repaired:
    """The document with every repaired value marked, capped and told of.

    Args:
        document: As extracted, or as it was judged before: nothing is repaired twice.
        schema: That of its type.
        received: The day of receipt; nobody is born after it.
        pages: Those of the document, to see how the dates of claims are printed.
    """
    fields: list[Field] = []
    findings: list[Finding] = []
    for field in document.fields:
        known = schema.field(field.name)
        if known is None or field.value in (None, "") or field.confidence >= _CERTAIN:
            fields.append(field)
            continue
        mended, found = _repaired_field(field, known, received)
        fields.append(mended)
        findings.extend(found)
    made = document.model_copy(update={"fields": tuple(fields)})
    return Repaired(made, (*findings, *years_completed(made, schema, pages)))


def _repaired_field(
    field: Field, schema: FieldSchema, received: dt.date
) -> tuple[Field, list[Finding]]:
    if schema.kind is Kind.ADDRESS:
        return _repaired_zip(field, schema)
    if schema.kind is Kind.DATE and schema.attribute == "dob":
        field = _born_before(field, received)
    how = reading(schema.kind, field.raw, field.value or "")
    if how is None:
        return field, []
    cap = _cap(how, schema.kind)
    proposed = _is_proposal(how, schema.kind)
    mended = field.model_copy(
        update={
            "mended": "repaired",
            "confidence": min(field.confidence, BY_SHAPE[Sureness.GUESS] if proposed else cap),
        }
    )
    if schema.kind is Kind.IDENTIFIER:
        return mended, []  # Rule N3 says it of Medicare numbers.
    return mended, [
        _proposal(mended, schema, how) if proposed else _told(mended, schema, how.slips, how.judge)
    ]


def _is_proposal(how: Reading, kind: Kind) -> bool:
    if how.others or how.doubt or len(how.slips) > _MOST_SLIPS:
        return True
    if how.judge:
        # The check digit lets one wrong sign be found, not two.
        unsure = sum(slip.sureness is not Sureness.SURE for slip in how.slips)
        return kind is Kind.NPI and unsure > 1
    return kind is not Kind.NPI and how.sureness is Sureness.GUESS


def _cap(how: Reading, kind: Kind) -> float:
    if how.judge:
        return CONFIRMED if kind is Kind.NPI else LISTED
    # An NPI whose check digit fails is wrong whatever its signs were taken for: rule N1 says so.
    return BY_SHAPE[Sureness.GUESS if kind is Kind.NPI else how.sureness]


def _told(field: Field, schema: FieldSchema, slips: Sequence[Slip], judge: str = "") -> Finding:
    taken = ", ".join(dict.fromkeys(f"{slip.read} was taken for {slip.taken}" for slip in slips))
    because = f"; {judge}" if judge else ""
    return Finding(
        rule=_REPAIRED,
        severity=Severity.INFO,
        field=field.name,
        message=f"{schema.title} was read as {field.raw} and repaired to {field.value}: "
        f"{taken}{because}",
        page=field.page,
        box=field.box,
        remedy="Nothing, if the page shows the repaired value; else type what it shows",
    )


def _proposal(field: Field, schema: FieldSchema, how: Reading) -> Finding:
    values = [field.value or "", *how.others]
    why = how.doubt or (
        "its signs may be several values" if how.others else "a misread sign may be something else"
    )
    return Finding(
        rule=_PROPOSED,
        severity=Severity.BLOCK if schema.kind in _BLOCKING else Severity.WARN,
        field=field.name,
        message=f"{schema.title} was read as {field.raw}; proposed: {' or '.join(values)}, "
        f"but {why}",
        page=field.page,
        box=field.box,
        remedy="Compare it with the page and choose or type what stands there",
    )


def _repaired_zip(field: Field, schema: FieldSchema) -> tuple[Field, list[Finding]]:
    """The ZIP code of an address, letters in it taken for digits; the state before it judges."""
    printed = parse(Kind.ADDRESS, field.raw).value
    found = _ZIP_AS_READ.search(printed)
    if found is None:
        return field, []
    as_read = found[2] + (found[3] or "")
    digits = as_read.translate(_ZIP_DIGITS)
    slips = aligned(as_read, digits.replace("-", ""))
    if not slips or sum(sign.isdigit() for sign in found[2]) < _LEAST_DIGITS_OF_ZIP:
        return field, []
    value = printed[: found.start(2)] + digits + printed[found.end() :]
    if field.value not in (printed, value):
        return field, []
    fits = found[1] in states_of(digits)
    worst = max(slip.sureness for slip in slips)
    cap = BY_SHAPE[worst if fits else Sureness.GUESS]
    mended = field.model_copy(
        update={
            "value": value,
            "mended": "repaired",
            "confidence": min(field.confidence, cap),
        }
    )
    if fits:
        return mended, [_told(mended, schema, slips, f"such a ZIP code is in {found[1]}")]
    doubt = f"no such ZIP code is in {found[1]}"
    return mended, [_proposal(mended, schema, Reading(slips, doubt=doubt))]


def _born_before(field: Field, received: dt.date) -> Field:
    """A birth date whose two-digit year was taken for one to come, a century earlier."""
    date = _date(field.value)
    if date is None or date <= received or not two_digit_year(field.raw, date):
        return field
    earlier = parse(Kind.DATE, field.raw, not_after=received)
    return field.model_copy(update={"value": earlier.value}) if earlier.valid else field


def _date(value: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value or "")
    except ValueError:
        return None


@rule("D2", severity=Severity.INFO, source="policy of this product: pivot in idp.values.dates")
def years_completed(
    document: Document, schema: DocumentSchema, pages: Sequence[Page]
) -> tuple[Finding, ...]:
    """D2: a year printed with two digits is completed by rule, and that is said.

    Birth dates never lie after the receipt; other years follow the pivot. One finding names all of
    a document, those of claims by the words in their lines.
    """
    names: list[str] = []
    said: list[str] = []
    places: list[Place] = []
    for field in document.fields:
        known = schema.field(field.name)
        date = _date(field.value) if known is not None and known.kind is Kind.DATE else None
        if known is not None and date is not None and two_digit_year(field.raw, date):
            names.append(field.name)
            said.append(f"{known.title} {field.raw} is taken for {field.value}")
            places += [Place(page=field.page, box=field.box)] if field.page is not None else []
    lines = _claim_dates(document, pages)
    if lines:
        names.append("service_date")
        said.append(f"service dates of claims, as {lines[0][0].isoformat()}")
        places += [place for _, place in lines]
    if not names:
        return ()
    first = places[0] if places else None
    return (
        Finding(
            rule="D2",
            severity=Severity.INFO,
            field=names[0],
            message=f"Years printed with two digits were completed: {'; '.join(said)}",
            page=first.page if first else None,
            box=first.box if first else None,
            remedy="Nothing, if the century is right",
            fields=tuple(dict.fromkeys(names)),
            places=tuple(dict.fromkeys(places)),
        ),
    )


def _claim_dates(document: Document, pages: Sequence[Page]) -> list[tuple[dt.date, Place]]:
    """The service dates of claims and lines that their own words print with a two-digit year."""
    by_number = {page.number: page for page in pages if page.words_source != "x12"}
    found: list[tuple[dt.date, Place]] = []
    for claim in document.claims:
        for line in (claim, *claim.service_lines):
            page = by_number.get(line.page or 0)
            if line.service_date is None or line.box is None or page is None:
                continue
            box = line.box
            words = [word.text for word in page.words if box.contains(word.box.cx, word.box.cy)]
            if two_digit_year(" ".join(words), line.service_date):
                found.append((line.service_date, Place(page=page.number, box=box)))
    return found

# SPDX-License-Identifier: Apache-2.0
"""Rules on identifiers that need more than the value itself: its payer, its date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from idp.document import Document, Finding, Place, Severity
from idp.rulebook import rule
from idp.schemas import DocumentSchema
from idp.values import Kind, icd10
from idp.values.codes import mbi

_ORIGINAL_MEDICARE = re.compile(
    r"(?:original |traditional |straight )?medicare(?:\W+(?:ffs|fee\W*for\W*service))?"
    r"(?:\W+(?:part|pt)?\W*[ab](?:\W*(?:and|&|/)?\W*b)?)?|cms|(?:the )?centers? for medicare.*",
    re.I,
)
"""The program itself: Medicare Advantage plans number their members as they like."""

_SERVICE_DATES = ("service_start_date", "service_from", "service_date", "appointment_date")


@rule("N3", severity=Severity.BLOCK, source="CMS, Understanding the MBI format")
def medicare_has_mbi(document: Document) -> Iterator[Finding]:
    """N3: where Original Medicare pays, the member number is a Medicare beneficiary identifier."""
    payer, member = document.field("payer_name"), document.field("member_id")
    if payer is None or member is None or not member.value or not payer.value:
        return
    if not _ORIGINAL_MEDICARE.fullmatch(payer.value.strip(" .,;:")) or mbi(member.value):
        return
    yield Finding(
        rule="N3",
        severity=Severity.BLOCK,
        field=member.name,
        message=f"The payer is Medicare, but {member.value} is no Medicare number",
        page=member.page,
        box=member.box,
        remedy="Compare it with the Medicare card: eleven signs, as 1EG4-TE5-MK73",
        fields=(member.name, payer.name),
        places=tuple(Place(page=f.page, box=f.box) for f in (member, payer) if f.page is not None),
    )


@rule("N5", severity=Severity.INFO, source="CMS ICD-10-CM: codes hold from October 1 (45 CFR 162)")
def diagnoses_hold_on_date(document: Document, schema: DocumentSchema) -> Iterator[Finding]:
    """N5: diagnoses are judged by the edition of the service date, or it is said that they are not.

    There is one edition. It changes every October 1, so that of a service in another year can't
    tell whether a code was valid then; most codes are the same.
    """
    names = [field.name for field in schema.fields if field.kind is Kind.ICD10]
    codes = [field for field in document.fields if field.name in names and field.value]
    if not codes:
        return
    first, last = icd10.in_force()
    outside = [
        (field, date)
        for field in document.fields
        if field.name in _SERVICE_DATES
        and (date := _date(field.value)) is not None
        and not first <= date <= last
    ]
    if not outside:
        return
    field, date = outside[0]
    about = [*codes, field]
    yield Finding(
        rule="N5",
        severity=Severity.INFO,
        field=codes[0].name,
        message=f"The service is of {date.isoformat()}: whether its diagnosis codes were valid "
        f"then was not judged, the list at hand is ICD-10-CM {icd10.edition()} "
        f"({first.isoformat()} to {last.isoformat()})",
        page=codes[0].page,
        box=codes[0].box,
        remedy="Where a payer refuses a code, look it up in the list of that year (CMS)",
        fields=tuple(dict.fromkeys(each.name for each in about)),
        places=tuple(
            dict.fromkeys(Place(page=f.page, box=f.box) for f in about if f.page is not None)
        ),
    )


def _date(value: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value or "")
    except ValueError:
        return None

# SPDX-License-Identifier: Apache-2.0
"""Diagnoses against the imported ICD-10-CM edition of the day of service."""

from __future__ import annotations

import datetime as dt

from idp.document import Document, Field, Finding, Severity
from idp.reference import Reference
from idp.rulebook import rule
from idp.schemas import DocumentSchema, FieldSchema
from idp.validate.looked_up import Said, once, place_of, service_day

NUMBER = "N5"


@rule(NUMBER, severity=Severity.BLOCK, source="CMS ICD-10-CM code files, by fiscal year and update")
def diagnoses_of_the_day(
    document: Document, schema: DocumentSchema, reference: Reference, today: dt.date
) -> list[Finding] | None:
    """N5: where an edition for the day of service is imported, diagnoses are judged by it.

    Returns:
        What is wrong by that edition; none where no imported edition holds the day: then the
        edition that comes with the program counts.
    """
    day = service_day(document, today)
    if reference.edition("icd10cm", day) is None:
        return None
    said: list[Said] = []
    for field in document.fields:
        known = schema.field(field.name)
        if known is not None and NUMBER in known.validators and field.value:
            said += _wrong(field, known, reference, day)
    return once(NUMBER, said)


def _wrong(field: Field, known: FieldSchema, reference: Reference, day: dt.date) -> list[Said]:
    found = reference.diagnosis(field.value or "", day)
    edition = f"ICD-10-CM {found.edition}, which counts on {day.isoformat()}"
    if not found.known:
        return [
            Said(
                Severity.BLOCK,
                f"{known.title} {field.value} is not in {edition}",
                "Compare it with the page, or ask the sender which code is meant",
                field.name,
                place_of(field),
            )
        ]
    if not found.billable:
        blocks = known.severity is Severity.BLOCK
        return [
            Said(
                Severity.BLOCK if blocks else Severity.WARN,
                f"{known.title} {field.value} is a category in {edition}: it has finer codes",
                "Ask the sender for the full code",
                field.name,
                place_of(field),
            )
        ]
    return []

# SPDX-License-Identifier: Apache-2.0
"""Rules across values and pages: dates in order, page counts, one patient."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from idp.document import Document, Finding, Grade, Page, Severity
from idp.patients import Comparison, Patient, compare, names_alike, patient_of
from idp.rulebook import rule
from idp.schemas import DocumentSchema

_PAGE_OF = re.compile(r"\bpage:?\s*(\d{1,3})\s*(?:of|/)\s*(\d{1,3})\b", re.I)


def _date(document: Document, name: str) -> dt.date | None:
    field = document.field(name)
    try:
        return dt.date.fromisoformat(field.value or "") if field else None
    except ValueError:
        return None


@rule("D2", severity=Severity.BLOCK, source="policy of this product")
def dates_in_order(document: Document, schema: DocumentSchema) -> Iterator[Finding]:
    """D2: nobody is treated or asks before birth, and a period does not end before it begins."""
    born = _date(document, "patient_dob")
    for field in schema.fields:
        date = _date(document, field.name)
        if born and date and field.kind == "date" and field.name != "patient_dob" and date < born:
            yield Finding(
                rule="D2",
                severity=Severity.BLOCK,
                field=field.name,
                message=f"{field.title} lies before the patient's birth",
            )
    for first, last in (
        ("service_start_date", "service_end_date"),
        ("effective_from", "effective_to"),
    ):
        begin, end = _date(document, first), _date(document, last)
        if begin and end and end < begin:
            yield Finding(
                rule="D2",
                severity=Severity.BLOCK,
                field=last,
                message="The period ends before it begins",
            )


@rule("P1", severity=Severity.WARN, source="policy of this product")
def pages_readable(pages: Sequence[Page]) -> Iterator[Finding]:
    """P1: a page of poor quality is looked at by a person."""
    for page in pages:
        if page.grade is Grade.POOR:
            yield Finding(
                rule="P1",
                severity=Severity.WARN,
                message=f"Page {page.number} is hard to read; ask for a finer fax or a scan",
                page=page.number,
            )


@rule("P3", severity=Severity.BLOCK, source="policy of this product: cut-off faxes")
def pages_complete(pages: Sequence[Page]) -> Iterator[Finding]:
    """P3: when the pages say "page x of y", all y have arrived (cut-off faxes).

    Pages that lack only in front are a warning: senders leave out the instructions of a form.
    """
    said: dict[int, set[int]] = {}
    for page in pages:
        for number, total in _PAGE_OF.findall(page.text):
            if 1 <= int(number) <= int(total):
                said.setdefault(int(total), set()).add(int(number))
    for total, numbers in sorted(said.items()):
        lacking = sorted(set(range(1, total + 1)) - numbers)
        if lacking and len(pages) < total:
            shown = ", ".join(str(number) for number in lacking)
            in_front = max(lacking) < min(numbers)
            yield Finding(
                rule="P3",
                severity=Severity.WARN if in_front else Severity.BLOCK,
                message=f"Page {shown} of {total} did not arrive; ask for the whole document",
                page=pages[-1].number,
            )


@rule("D3", severity=Severity.BLOCK, source="45 CFR 164.502 (mixed-patient faxes)")
def one_patient(pages: Sequence[Page], *, many: bool = False) -> Iterator[Finding]:
    """D3: all pages of a document speak of one patient (mixed faxes are a privacy incident).

    Names, birth dates and member numbers are compared as printed, misread letters forgiven. One
    page that speaks of somebody else keeps the document from leaving by itself.

    Args:
        pages: Those of the document.
        many: It speaks of many people by its nature (a remittance): only a page that prints a
            birth date, as such papers seldom do, is held against the others, and must share a
            name with them.
    """
    so_far = Patient()
    on_claims: frozenset[str] | None = None
    for page in pages:
        patient = patient_of(page)
        if many and not patient.births:
            on_claims = (on_claims or frozenset()) | patient.names
            stranger = bool(so_far.names and patient.names) and not _share(so_far, patient.names)
        else:
            stranger = on_claims is not None and not _share(patient, on_claims)
        compared = compare(so_far, patient)
        if stranger or (compared.other and not (many and not patient.births)):
            yield Finding(
                rule="D3",
                severity=Severity.BLOCK,
                field="patient_name" if compared.name in ("other", "near") else "patient_dob",
                message=f"Page {page.number} speaks of another {_differs(compared)} than the "
                "pages before: they may belong to two patients",
                page=page.number,
            )
        if not many or patient.births:
            so_far = so_far.joined(patient)


def _share(patient: Patient, names: frozenset[str]) -> bool:
    """Whether one of the names is the patient's."""
    return any(names_alike(one, name) == "same" for one in patient.names for name in names)


def _differs(compared: Comparison) -> str:
    if compared.born == "other" and compared.name not in ("other", "near"):
        return "birth date"
    return "member number" if compared == (None, None, "other") else "patient"


@rule("P8", severity=Severity.INFO, source="policy of this product: nothing is dropped silently")
def pages_set_aside(document: Document) -> Iterator[Finding]:
    """P8: blank pages and separator sheets are kept, are part of no document, and are named."""
    for number in document.set_aside:
        yield Finding(
            rule="P8",
            severity=Severity.INFO,
            message=f"Page {number} is blank or a separator sheet and was set aside",
            page=number,
        )


@rule("P6", severity=Severity.BLOCK, source="policy of this product")
def cut_is_sure(document: Document, threshold: float) -> Iterator[Finding]:
    """P6: where it is doubtful whether another document begins, a person looks at both."""
    if document.cut_confidence < threshold and document.cut_page is not None:
        yield Finding(
            rule="P6",
            severity=Severity.BLOCK,
            message=f"It is uncertain whether another document begins on page {document.cut_page}",
            page=document.cut_page,
        )

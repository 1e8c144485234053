# SPDX-License-Identifier: Apache-2.0
"""Rules across values and pages: dates in order, page counts, one patient."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from idp.document import Claim, Document, Field, Finding, Grade, Page, Place, Severity
from idp.patients import Comparison, Patient, compare, names_alike, patient_of
from idp.rulebook import rule
from idp.schemas import DocumentSchema
from idp.validate.twins import twins

LEAST_DPI = 190.0
"""Fine fax is 204 by 196 dots an inch, which the rule calls 200."""

CLOCK_SLACK = dt.timedelta(days=1)
"""A sender east or west of us may date a document a day ahead."""

_OF_TWINS = ", with the same family name and birth date"
_PAGE_OF = re.compile(r"\bpage:?\s*(\d{1,3})\s*(?:of|/)\s*(\d{1,3})\b", re.I)


def _dates(document: Document, name: str) -> list[tuple[Field, dt.date]]:
    found: list[tuple[Field, dt.date]] = []
    for field in document.fields:
        if field.name == name and field.value:
            with suppress(ValueError):
                found.append((field, dt.date.fromisoformat(field.value)))
    return found


def _places(*fields: Field) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(Place(page=f.page, box=f.box) for f in fields if f.page is not None))


@rule("D2", severity=Severity.BLOCK, source="policy of this product")
def dates_in_order(document: Document, schema: DocumentSchema) -> Iterator[Finding]:
    """D2: nobody is treated or asks before birth, and a period does not end before it begins."""
    births = _dates(document, "patient_dob")
    for field in schema.fields:
        if not births or field.kind != "date" or field.attribute == "dob":
            continue
        born, birthday = births[0]
        for dated, date in _dates(document, field.name):
            if date < birthday:
                yield Finding(
                    rule="D2",
                    severity=Severity.BLOCK,
                    field=field.name,
                    message=f"{field.title} {date.isoformat()} lies before the patient's birth on "
                    f"{birthday.isoformat()}",
                    page=dated.page,
                    box=dated.box,
                    remedy="Compare both dates with the page",
                    fields=(field.name, born.name),
                    places=_places(dated, born),
                )
    for first, last in (
        ("service_start_date", "service_end_date"),
        ("service_from", "service_to"),
        ("effective_from", "effective_to"),
    ):
        begins, ends = _dates(document, first), _dates(document, last)
        for (begin, begun), (end, ended) in zip(begins, ends, strict=False):
            if len(begins) == len(ends) and ended < begun:
                yield Finding(
                    rule="D2",
                    severity=Severity.BLOCK,
                    field=last,
                    message=f"The period ends on {ended.isoformat()} before it begins on "
                    f"{begun.isoformat()}",
                    page=end.page,
                    box=end.box,
                    remedy="Compare both dates with the page",
                    fields=(last, first),
                    places=_places(end, begin),
                )


@rule("D2", severity=Severity.BLOCK, source="policy of this product: paid after it was given")
def claims_are_past(claims: Sequence[Claim], received: dt.date) -> Iterator[Finding]:
    """D2: a claim that is answered is of a service before the receipt.

    Args:
        claims: Of a remittance.
        received: The day of receipt.
    """
    for number, claim in enumerate(claims, start=1):
        for line in (claim, *claim.service_lines):
            date = line.service_date
            if date is not None and date > received + CLOCK_SLACK:
                yield Finding(
                    rule="D2",
                    severity=Severity.BLOCK,
                    field="service_date",
                    message=f"Claim {claim.claim_number or number}: the service date "
                    f"{date.isoformat()} lies after the receipt",
                    page=line.page,
                    box=line.box,
                    remedy="Compare it with the page: the year may be misread",
                )
                break


@rule("P1", severity=Severity.WARN, source="policy of this product")
def pages_readable(pages: Sequence[Page]) -> Iterator[Finding]:
    """P1: a page has square pixels, 200 dots an inch in effect, and can be read well.

    Pixels are squared by the reader; what a page loses to few dots it has graded already.
    """
    for page in pages:
        coarse = page.words_source == "ocr" and page.dpi < LEAST_DPI
        if page.grade is not Grade.POOR and not coarse:
            continue
        flaws = "; ".join(page.flaws)
        poor = f"Page {page.number} is hard to read{f': {flaws}' if flaws else ''}"
        few = f"Page {page.number} has {page.dpi:.0f} dots an inch, fewer than 200"
        yield Finding(
            rule="P1",
            severity=Severity.WARN,
            message=poor if page.grade is Grade.POOR else few,
            page=page.number,
            remedy="Ask for a finer fax (204 by 196 dots an inch) or a scan of 200 or more",
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
                message=f"{'Pages' if len(lacking) > 1 else 'Page'} {shown} of {total} did not "
                "arrive",
                page=pages[-1].number,
                remedy="Ask the sender for the whole document",
            )


@rule("D3", severity=Severity.BLOCK, source="45 CFR 164.502 (mixed-patient faxes)", version=2)
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
        siblings = not compared.other and twins(so_far, patient)
        if stranger or siblings or (compared.other and not (many and not patient.births)):
            yield Finding(
                rule="D3",
                severity=Severity.BLOCK,
                field="patient_name"
                if siblings or compared.name in ("other", "near")
                else "patient_dob",
                message=f"Page {page.number} names another {_differs(compared)} than the "
                f"pages before{_OF_TWINS if siblings else ''}: they may belong to two patients",
                page=page.number,
                remedy="Split the document where the other patient's pages begin, so that none of "
                "them gets into the wrong record",
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
            remedy="Nothing, if the page is blank; else put it back to its document",
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
            remedy="Look at both pages, and part or join the documents",
        )

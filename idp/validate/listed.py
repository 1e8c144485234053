# SPDX-License-Identifier: Apache-2.0
"""Codes against their lists: procedures (N6), modifiers, places, revenue codes and drugs (N7)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from idp.document import Document, Field, Finding, Place, Severity
from idp.reference import Reference
from idp.rulebook import rule
from idp.schemas import DocumentSchema
from idp.validate.looked_up import Said, lines, once, place_of, service_day
from idp.values import Kind
from idp.values.ndc import ndc_readings

_HCPCS = re.compile(r"[A-CEGHJ-MP-V]\d{4}")
"""Level II without D: dental codes are the ADA's, and no part of the public file."""
_CPT = re.compile(r"\d{4}[0-9FTUM]")
_WITH_MODIFIERS = re.compile(r"([A-Z]?\d{4}[0-9A-Z]?)((?:[\s,:-]+[A-Z0-9]{2}){1,4})")
_OF_CPT = re.compile(r"\d\d|P[1-6]|[1238]P")
"""Modifiers of CPT, which only a site's own list can name."""
_PLACE_ALONE = re.compile(r"(?:POS\W*)?(\d{2})(?:\D.*)?|\D*\((\d{2})\)\D*", re.IGNORECASE)
_REVENUE = re.compile(r"\d{4}")
_NDC = re.compile(
    r"\bNDC\b\W{0,6}(?:no\b|number\b|code\b)?\W{0,6}(\d[\d\s-]{7,15}\d)", re.IGNORECASE
)
_BARE_NDC = re.compile(r"\d{11}|\d{4,5}-\d{3,4}-\d{1,2}")
_CMS_FILE = "Compare it with the page; a code of another year is in another year's file"


@rule("N6", severity=Severity.WARN, source="CMS HCPCS level II file; AMA CPT (a site's own list)")
def procedures_listed(
    document: Document, schema: DocumentSchema, reference: Reference, today: dt.date
) -> list[Finding]:
    """N6: a HCPCS code is in CMS's file and active on the day of service; CPT in a site's list.

    Silent on what is not imported: then the shape alone is judged.
    """
    return once("N6", _procedures(document, schema, reference, today))


@rule("N7", severity=Severity.WARN, source="CMS POS and HCPCS; NUBC FL 42; FDA NDC, 21 CFR 207.33")
def codes_listed(
    document: Document, schema: DocumentSchema, reference: Reference, today: dt.date
) -> list[Finding]:
    """N7: modifiers, places of service, revenue codes and NDCs are in their lists.

    Silent on lists that are not imported; that of places comes with the program.
    """
    day = service_day(document, today)
    said = [
        said
        for field, known in _fields(document, schema)
        for said in (
            *(_modifiers(field, reference, day) if known is Kind.PROCEDURE_CODE else ()),
            *(_places(field, reference, day) if field.name == "place_of_service" else ()),
            *(_drugs(field, reference) if known is Kind.TEXT else ()),
        )
    ]
    for _, line in lines(document):
        code, place = (line.procedure_code or "").upper(), place_of(line)
        when = line.service_date or day
        if _REVENUE.fullmatch(code):
            said += _in_list("revenue", code, "Revenue code", reference, when, place)
        elif _BARE_NDC.fullmatch(code):
            said += _drug(code, "procedure_code", place, reference)
    return once("N7", said)


def _fields(document: Document, schema: DocumentSchema) -> Iterator[tuple[Field, Kind]]:
    for field in document.fields:
        known = schema.field(field.name)
        if known is not None and field.value:
            yield field, known.kind


def _procedures(
    document: Document, schema: DocumentSchema, reference: Reference, today: dt.date
) -> Iterator[Said]:
    day = service_day(document, today)
    for field, kind in _fields(document, schema):
        if kind is Kind.PROCEDURE_CODE:
            yield from _procedure(field.value or "", field.name, place_of(field), reference, day)
    for _, line in lines(document):
        code = (line.procedure_code or "").upper()
        when = line.service_date or day
        yield from _procedure(code, "procedure_code", place_of(line), reference, when)


def _procedure(
    code: str, field: str, place: Place | None, reference: Reference, day: dt.date
) -> Iterator[Said]:
    kind = "hcpcs" if _HCPCS.fullmatch(code) else "cpt" if _CPT.fullmatch(code) else ""
    if not kind or not reference.has(kind):
        return
    found = reference.look(kind, code, day)
    title = reference.layouts[kind].title
    if found is None:
        yield Said(Severity.WARN, f"{code} is not among the {title}", _CMS_FILE, field, place)
    elif not found.active_on(day):
        yield Said(
            Severity.WARN,
            f"{code} is not in force on {day.isoformat()}{_until(found.start, found.stop)}",
            "Use the code that takes its place on the day of service",
            field,
            place,
        )


def _until(start: dt.date | None, stop: dt.date | None) -> str:
    if stop is not None:
        return f"; it ended on {stop.isoformat()}"
    return f"; it begins on {start.isoformat()}" if start is not None else ""


def _modifiers(field: Field, reference: Reference, day: dt.date) -> Iterator[Said]:
    printed = _WITH_MODIFIERS.fullmatch(field.raw.strip().upper())
    own = reference.has("modifiers")
    if printed is None or not (own or reference.has("hcpcs")):
        return
    for modifier in re.findall(r"[A-Z0-9]{2}", printed[2]):
        if _OF_CPT.fullmatch(modifier) and not own:
            continue
        found = reference.look("modifiers", modifier, day) or reference.look("hcpcs", modifier, day)
        if found is None or not found.active_on(day):
            ended = _until(found.start, found.stop) if found else ""
            yield Said(
                Severity.WARN,
                f"Modifier {modifier} is in no list in force on {day.isoformat()}{ended}",
                "Compare it with the page",
                field.name,
                place_of(field),
            )


def _places(field: Field, reference: Reference, day: dt.date) -> Iterator[Said]:
    printed = _PLACE_ALONE.fullmatch(field.raw.strip())
    if printed is not None:
        code = printed[1] or printed[2]
        yield from _in_list(
            "pos", code, "Place of service", reference, day, place_of(field), field.name
        )


def _in_list(  # noqa: PLR0917 - a code and where it stands
    kind: str,
    code: str,
    title: str,
    reference: Reference,
    day: dt.date,
    place: Place | None,
    field: str = "procedure_code",
) -> Iterator[Said]:
    if not reference.has(kind):
        return
    found = reference.look(kind, code, day)
    if found is None or not found.active_on(day):
        ended = _until(found.start, found.stop) if found else ""
        yield Said(
            Severity.WARN,
            f"{title} {code} is not in the list ({reference.layouts[kind].title}) for "
            f"{day.isoformat()}{ended}",
            "Compare it with the page",
            field,
            place,
        )


def _drugs(field: Field, reference: Reference) -> Iterator[Said]:
    for match in _NDC.finditer(field.raw):
        yield from _drug(match[1], field.name, place_of(field), reference)


def _drug(printed: str, field: str, place: Place | None, reference: Reference) -> Iterator[Said]:
    readings = ndc_readings(printed)
    if not readings:
        yield Said(
            Severity.WARN,
            f"{printed} is no NDC: 4-4-2, 5-3-2 or 5-4-1 digits, or 5-4-2 as on claims",
            "Compare it with the page or the package",
            field,
            place,
        )
        return
    known = (code for each in readings for code in (each, each[:9]))
    if reference.has("ndc") and not any(reference.look("ndc", code) for code in known):
        yield Said(
            Severity.WARN,
            f"NDC {printed} ({' or '.join(readings)}) is not in the FDA's directory as imported",
            "Compare it with the package; drugs taken off the market are not in it",
            field,
            place,
        )

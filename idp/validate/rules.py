# SPDX-License-Identifier: Apache-2.0
"""Rules on one value: each a function of the value, its schema and the day of receipt.

A rule returns what is wrong in plain words and what would mend it, or nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import NamedTuple

from idp.document import Field, Finding, Severity
from idp.rulebook import rule
from idp.schemas import FieldSchema
from idp.values import Kind, icd10, parse
from idp.values.codes import mbi, npi_check_digit_holds
from idp.values.names import STATES, ZIP
from idp.values.slips import compact

OLDEST_YEARS = 120
FURTHEST_DAYS = 5 * 366
CLOCK_SLACK = dt.timedelta(days=1)
"""A sender east or west of us may date a document a day ahead."""


class Told(NamedTuple):
    """What a rule says: severity and message."""

    severity: Severity
    message: str


@rule("N1", severity=Severity.BLOCK, source="CMS NPI check-digit note (Luhn, ISO 7812, 80840)")
def npi_check_digit(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N1: an NPI is ten digits, begins with 1 or 2, and its check digit holds (CMS, Luhn 80840)."""
    value = field.value or ""
    if npi_check_digit_holds(value):
        return None
    if not re.fullmatch(r"\d{10}", value):
        return Told(
            Severity.BLOCK, f"{schema.title} is not ten digits; compare it with the page or NPPES"
        )
    return Told(
        Severity.BLOCK,
        f"{schema.title} fails its check digit: a digit is wrong; look it up in NPPES",
    )


@rule("N3", severity=Severity.WARN, source="CMS, Understanding the MBI format")
def medicare_number(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N3: what looks like a Medicare number follows the CMS pattern (no S, L, O, I, B, Z)."""
    printed = compact(field.raw or field.value or "")
    if found := mbi(printed):
        if found != printed:
            return Told(Severity.INFO, f"{schema.title} was read as {printed} and mended by place")
        return None
    if len(printed) == 11 and re.fullmatch(r"[1-9][A-Z][0-9A-Z]\d[A-Z].{6}", printed):
        return Told(
            Severity.WARN,
            f"{schema.title} begins like a Medicare number but breaks its pattern; compare it "
            "with the card",
        )
    return None


@rule("N5", severity=Severity.BLOCK, source="CMS ICD-10-CM code files")
def diagnosis_exists(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N5: an ICD-10-CM code is in the CMS list, and in full (billable)."""
    code = field.value or ""
    if not icd10.exists(code):
        return Told(
            Severity.BLOCK,
            f"{schema.title} {code} is not in ICD-10-CM {icd10.edition()}; look at the page",
        )
    if not icd10.is_billable(code):
        return Told(
            Severity.WARN, f"{schema.title} {code} is a category; a payer needs the full code"
        )
    return None


@rule("N6", severity=Severity.WARN, source="CMS HCPCS level II; AMA CPT (shape only)")
def procedure_shape(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N6: a procedure code has the shape of CPT or HCPCS (CPT's list is licensed by the AMA)."""
    if parse(Kind.PROCEDURE_CODE, field.value or "").valid:
        return None
    return Told(
        Severity.WARN, f"{schema.title} {field.value} has not the shape of a CPT or HCPCS code"
    )


_ZIP_REGIONS = {
    "0": "CT MA ME NH NJ NY PR RI VT VI AE",
    "1": "DE NY PA",
    "2": "DC MD NC SC VA WV",
    "3": "AL FL GA MS TN AA",
    "4": "IN KY MI OH",
    "5": "IA MN MT ND SD WI",
    "6": "IL KS MO NE",
    "7": "AR LA OK TX",
    "8": "AZ CO ID NM NV UT WY TX",
    "9": "AK AS CA GU HI MP OR WA AP",
}


@rule("N8", severity=Severity.WARN, source="USPS ZIP prefixes; IRS EIN; NANP")
def contact_shape(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N8: telephone numbers have ten digits, tax numbers nine, a ZIP code fits its state (USPS)."""
    value = field.value or ""
    if schema.kind is Kind.PHONE and not parse(Kind.PHONE, value).valid:
        return Told(Severity.WARN, f"{schema.title} is not ten digits")
    if schema.kind is Kind.TAX_ID and not parse(Kind.TAX_ID, value).valid:
        return Told(Severity.WARN, f"{schema.title} is not nine digits")
    if schema.kind is Kind.ADDRESS:
        zips = ZIP.findall(value)
        before = value[: value.rfind(zips[-1])] if zips else ""
        states = [word for word in re.findall(r"\b[A-Z]{2}\b", before) if word in STATES]
        if zips and states and states[-1] not in _ZIP_REGIONS[zips[-1][0]].split():
            return Told(Severity.WARN, f"{schema.title}: ZIP {zips[-1]} is not in {states[-1]}")
    return None


@rule("D2", severity=Severity.BLOCK, source="policy of this product")
def date_is_plausible(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """D2: a date is a date; births lie in the past 120 years, nothing lies five years ahead."""
    try:
        date = dt.date.fromisoformat(field.value or "")
    except ValueError:
        return Told(Severity.BLOCK, f"{schema.title} is not a date: {field.raw}")
    if schema.attribute == "dob":
        if date > today + CLOCK_SLACK:
            return Told(Severity.BLOCK, f"{schema.title} lies in the future")
        if (today - date).days > OLDEST_YEARS * 366:
            return Told(Severity.BLOCK, f"{schema.title} is more than {OLDEST_YEARS} years ago")
    elif (date - today).days > FURTHEST_DAYS or date.year < today.year - 30:
        return Told(Severity.BLOCK, f"{schema.title} {date.isoformat()} is far from today")
    return None


@rule("D2", severity=Severity.BLOCK, source="policy of this product")
def date_is_past(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """D2: what has happened (a request, a signature, a payment run) is not dated after receipt."""
    try:
        date = dt.date.fromisoformat(field.value or "")
    except ValueError:
        return None
    if date > today + CLOCK_SLACK:
        return Told(Severity.BLOCK, f"{schema.title} {date.isoformat()} lies after the receipt")
    return None


@rule("F1", severity=Severity.BLOCK, source="schema: kind money")
def amount_shape(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """F1: an amount is a number."""
    if schema.kind is Kind.MONEY and not parse(Kind.MONEY, field.value or "").valid:
        return Told(Severity.BLOCK, f"{schema.title} is not an amount: {field.raw}")
    return None


@rule("F2", severity=Severity.WARN, source="schema: options")
def choice_known(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """F2: a choice is one of the options that the schema knows."""
    if schema.kind is not Kind.OPTION:
        return None
    if parse(Kind.OPTION, field.value or "", options=schema.options).valid:
        return None
    return Told(Severity.WARN, f"{schema.title} is none of the known choices: {field.raw}")


Rule = Callable[[Field, FieldSchema, dt.date], Told | None]
BY_NAME: dict[str, tuple[str, Rule]] = {
    "N1": ("N1", npi_check_digit),
    "N3": ("N3", medicare_number),
    "N5": ("N5", diagnosis_exists),
    "N6": ("N6", procedure_shape),
    "N8": ("N8", contact_shape),
    "D2": ("D2", date_is_plausible),
    "past": ("D2", date_is_past),
}
"""The rules a schema may name under ``validators``, with the number findings carry."""

ALWAYS: tuple[tuple[str, Rule], ...] = (("F1", amount_shape), ("F2", choice_known))
"""Rules that follow from a field's kind alone."""


def check(field: Field, schema: FieldSchema, today: dt.date) -> list[Finding]:
    """Everything the rules have to say about one filled-in field."""
    findings: list[Finding] = []
    for number, judge in (*(BY_NAME[name] for name in schema.validators), *ALWAYS):
        if told := judge(field, schema, today):
            findings.append(
                Finding(
                    rule=number,
                    severity=told.severity,
                    field=schema.name,
                    message=told.message,
                    page=field.page,
                    box=field.box,
                )
            )
    return findings

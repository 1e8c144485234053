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
from idp.values.readings import date_readings, mbi_readings, npi_readings
from idp.values.slips import compact
from idp.values.zips import states_of

OLDEST_YEARS = 120
FURTHEST_DAYS = 5 * 366
LATEST_SERVICE_DAYS = 365
CLOCK_SLACK = dt.timedelta(days=1)
"""A sender east or west of us may date a document a day ahead."""


class Told(NamedTuple):
    """What a rule says: how severe it is, what is wrong, and what would mend it."""

    severity: Severity
    message: str
    remedy: str = "Compare it with the page"


@rule("N1", severity=Severity.BLOCK, source="CMS NPI check-digit note (Luhn, ISO 7812, 80840)")
def npi_check_digit(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N1: an NPI is ten digits, begins with 1 or 2, and its check digit holds (CMS, Luhn 80840)."""
    value = field.value or ""
    if npi_check_digit_holds(value):
        return None
    proposed = npi_readings(field.raw)
    remedy = "Compare it with the page, or look the provider up in NPPES"
    if proposed:
        remedy = f"{remedy}; with a right check digit it may be {' or '.join(proposed)}"
    if not re.fullmatch(r"\d{10}", value):
        return Told(Severity.BLOCK, f"{schema.title} is not ten digits: {value}", remedy)
    if value[0] not in "12":
        return Told(Severity.BLOCK, f"{schema.title} {value} does not begin with 1 or 2", remedy)
    return Told(
        Severity.BLOCK,
        f"{schema.title} {value} fails its check digit: at least one digit is wrong",
        remedy,
    )


@rule("N3", severity=Severity.WARN, source="CMS, Understanding the MBI format")
def medicare_number(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N3: what looks like a Medicare number follows the CMS pattern (no S, L, O, I, B, Z)."""
    if mbi(field.value or "") and not mbi(field.raw):
        return None  # Somebody typed it: what was read no longer matters.
    printed = compact(field.raw or field.value or "")
    if found := mbi(printed):
        if found != printed:
            taken = ", ".join(
                f"{read} for {sign}"
                for read, sign in zip(printed, found, strict=True)
                if read != sign
            )
            return Told(
                Severity.INFO,
                f"{schema.title} was read as {printed} and repaired to {found}, a Medicare number: "
                f"{taken} (it has no S, L, O, I, B or Z)",
                "Nothing, if the card shows the repaired number; else type what it shows",
            )
        return None
    proposed = mbi_readings(printed)
    if len(printed) == 11 and (proposed or re.fullmatch(r"[1-9][A-Z][0-9A-Z]\d[A-Z].{6}", printed)):
        may_be = f"; this may be {' or '.join(proposed)}" if proposed else ""
        return Told(
            Severity.WARN,
            f"{schema.title} {printed} begins like a Medicare number but breaks its pattern",
            f"Compare it with the card; other payers' numbers may stay as they are{may_be}",
        )
    return None


@rule("N5", severity=Severity.BLOCK, source="CMS ICD-10-CM code files")
def diagnosis_exists(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N5: a diagnosis code is in ICD-10-CM, with its point, and billable, not a category.

    A category blocks where the schema says that the field blocks: payers refuse it in a request.
    """
    code = field.value or ""
    if not icd10.exists(code):
        return Told(
            Severity.BLOCK,
            f"{schema.title} {code} is not in ICD-10-CM {icd10.edition()}",
            "Compare it with the page, or ask the sender which code is meant",
        )
    if not icd10.is_billable(code):
        blocks = schema.severity is Severity.BLOCK
        return Told(
            Severity.BLOCK if blocks else Severity.WARN,
            f"{schema.title} {code} is a category, which no payer takes: it has finer codes",
            "Ask the sender for the full code",
        )
    return None


@rule("N6", severity=Severity.WARN, source="CMS HCPCS level II; AMA CPT (shape only)")
def procedure_shape(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N6: a procedure code has the shape of CPT or HCPCS (CPT's list is licensed by the AMA)."""
    if parse(Kind.PROCEDURE_CODE, field.value or "").valid:
        return None
    return Told(
        Severity.WARN, f"{schema.title} {field.value} does not look like a CPT or HCPCS code"
    )


_VANITY = re.compile(r"8\d\d[\s).-]{0,3}[A-Z]{3,}")
"""A number spelled in letters, as help lines have them."""
_STATE_AND_ZIP = re.compile(r"\b([A-Z]{2})[\s,.]{1,3}\d{5}(?:-\d{4})?\W*$")
_STATE_AND_NUMBER = re.compile(r"\b([A-Z]{2})[\s,.]{1,3}(\d{1,4}|\d{6,}|\d{5}-\d{0,3})\W*$")


@rule("N8", severity=Severity.WARN, source="USPS ZIP prefixes; IRS EIN; NANP")
def contact_shape(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """N8: a telephone number has ten digits, a tax number nine, an address a ZIP of its state."""
    value = field.value or ""
    spelled = _VANITY.search(field.raw) is not None
    if schema.kind is Kind.PHONE and not spelled and not parse(Kind.PHONE, value).valid:
        return Told(Severity.WARN, f"{schema.title} {value} is not ten digits")
    if schema.kind is Kind.TAX_ID and not parse(Kind.TAX_ID, value).valid:
        return Told(Severity.WARN, f"{schema.title} {value} is not nine digits")
    if schema.kind is Kind.ADDRESS and (wrong := _misplaced(value)):
        return Told(
            Severity.WARN,
            f"{schema.title}: {wrong}",
            "Compare state and ZIP code with the page, or look the address up at USPS",
        )
    return None


def _misplaced(address: str) -> str | None:
    """What is wrong with the state and the ZIP code at the end of an address."""
    found = _STATE_AND_ZIP.search(address)
    if found is not None and found[1] not in STATES:
        return f"{found[1]} is no state"
    zips = ZIP.findall(address)
    if not zips:
        short = _STATE_AND_NUMBER.search(address)
        wrong = short is not None and short[1] in STATES
        return f"ZIP code {short[2]} has not five or nine digits" if short and wrong else None
    before = address[: address.rfind(zips[-1])]
    states = [word for word in re.findall(r"\b[A-Z]{2}\b", before) if word in STATES]
    within = states_of(zips[-1])
    if states and not within:
        return f"no ZIP code begins with {zips[-1][:3]}"
    if states and states[-1] not in within:
        return f"ZIP code {zips[-1]} is not in {states[-1]} but in {' or '.join(sorted(within))}"
    return None


@rule("D2", severity=Severity.BLOCK, source="policy of this product")
def date_is_plausible(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """D2: births lie in the past 120 years, other dates between 30 years back and 5 ahead."""
    try:
        date = dt.date.fromisoformat(field.value or "")
    except ValueError:
        may_be = date_readings(field.raw)
        proposed = f"; it may be {' or '.join(may_be)}" if may_be else ""
        return Told(
            Severity.BLOCK,
            f"{schema.title} is not a date: {field.raw}",
            f"Type the date that the page shows{proposed}",
        )
    if schema.attribute == "dob":
        if date > today + CLOCK_SLACK:
            return Told(Severity.BLOCK, f"{schema.title} {date.isoformat()} lies in the future")
        if _years(date, today) > OLDEST_YEARS:
            return Told(
                Severity.BLOCK,
                f"{schema.title} {date.isoformat()} is more than {OLDEST_YEARS} years ago",
            )
    elif (date - today).days > FURTHEST_DAYS or date.year < today.year - 30:
        return Told(Severity.BLOCK, f"{schema.title} {date.isoformat()} is far from today")
    return None


def _years(born: dt.date, today: dt.date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@rule("D2", severity=Severity.BLOCK, source="policy of this product: DOS <= receipt + 365 days")
def service_is_near(field: Field, schema: FieldSchema, today: dt.date) -> Told | None:
    """D2: a service is planned within a year of the receipt, and ends within another."""
    try:
        date = dt.date.fromisoformat(field.value or "")
    except ValueError:
        return None
    ends = schema.name.endswith(("_end_date", "_to"))
    if (date - today).days > LATEST_SERVICE_DAYS * (2 if ends else 1):
        return Told(
            Severity.BLOCK,
            f"{schema.title} {date.isoformat()} is more than a year after the receipt",
            "Compare it with the page: the year may be misread",
        )
    return None


@rule("D2", severity=Severity.BLOCK, source="policy of this product: signed before it was sent")
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
    "service": ("D2", service_is_near),
}
"""The rules a schema may name under ``validators``, with the number findings carry."""

ALWAYS: tuple[tuple[str, Rule], ...] = (
    ("F1", amount_shape),
    ("F2", choice_known),
    ("N8", contact_shape),
)
"""Rules that follow from a field's kind alone."""


def check(field: Field, schema: FieldSchema, today: dt.date) -> list[Finding]:
    """Everything the rules have to say about one filled-in field."""
    findings: list[Finding] = []
    named = (BY_NAME[name] for name in schema.validators)
    for number, judge in dict.fromkeys((*named, *ALWAYS)):
        if told := judge(field, schema, today):
            findings.append(
                Finding(
                    rule=number,
                    severity=told.severity,
                    field=schema.name,
                    message=told.message,
                    remedy=told.remedy,
                    page=field.page,
                    box=field.box,
                )
            )
    return findings

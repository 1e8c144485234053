# SPDX-License-Identifier: Apache-2.0
"""Labels, values and options of the drawn pages. Everything is fictitious."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import NamedTuple

from training.faxes.truth import KeyKind
from training.synthesise import values as v
from training.synthesise.values import DateStyle, Split


class Item(NamedTuple):
    """A labelled value of a form."""

    kind: KeyKind
    label: str
    value: str


_Maker = Callable[[random.Random, Split], str]

_PARTIES = ("Patient", "Member", "Subscriber", "Provider", "Facility", "Prescriber", "Contact")


def _name(rng: random.Random, split: Split) -> str:
    style = rng.choice(("natural", "natural", "last_first", "natural_upper", "last_first_upper"))
    if rng.random() < 0.3:
        return v.provider_name(rng, split, style)
    return v.print_name(v.person(rng, split), style)


def a_date(rng: random.Random, style: DateStyle | None = None) -> str:
    """A day of the last ninety years in a printed format."""
    day = v.date_between(rng, dt.date(1936, 1, 1), dt.date(2026, 12, 31))
    styles: tuple[DateStyle, ...] = ("slash", "slash", "short", "iso", "dash", "medium")
    return v.print_date(day, style if style is not None else rng.choice(styles))


def money(rng: random.Random, style: int | None = None) -> str:
    """An amount between nothing and some thousands."""
    amount = rng.choice((0.0, rng.uniform(1, 99), rng.uniform(20, 999), rng.uniform(500, 24000)))
    return v.print_money(round(amount, 2), rng.randrange(4) if style is None else style)


def _address(rng: random.Random, split: Split) -> str:
    street, city, state, code = v.address(rng, split)
    return f"{street}, {city}, {state} {code}"


_MAKERS: dict[KeyKind, tuple[tuple[str, ...], _Maker]] = {
    "name": (("{} Name", "Name", "{} Full Name", "{} (Last, First)", "Name of {}"), _name),
    "date": (
        ("Date of Birth", "DOB", "Date of Service", "Start Date", "End Date", "Request Date"),
        lambda rng, split: a_date(rng),
    ),
    "npi": (("{} NPI", "NPI", "NPI #", "Rendering NPI"), lambda rng, split: v.npi(rng)),
    "phone": (
        ("{} Phone", "Phone", "Fax", "Tel. No.", "Phone #", "Office Fax"),
        lambda rng, split: v.phone(rng, rng.randrange(6)),
    ),
    "id": (
        ("Member ID", "ID Number", "Policy #", "Group No.", "Account #", "Tax ID", "Auth #"),
        lambda rng, split: rng.choice((v.member_id, v.identifier, v.group_number, v.tax_id))(rng),
    ),
    "money": (("Amount", "Total Charge", "Billed", "Copay"), lambda rng, split: money(rng)),
    "code": (
        ("ICD-10", "Diagnosis Code", "CPT/HCPCS", "Procedure Code"),
        lambda rng, split: (v.diagnosis if rng.random() < 0.5 else v.procedure)(rng, split)[0],
    ),
    "address": (("{} Address", "Address", "Street Address", "Mailing Address"), _address),
    "text": (
        ("Specialty", "Health Plan", "Diagnosis", "Service Requested", "Facility", "Medication"),
        lambda rng, split: v.pick(
            rng, rng.choice(("specialties", "payers", "findings", "tried")), split
        ),
    ),
}
_USUAL: tuple[KeyKind, ...] = (
    "name", "name", "date", "date", "npi", "phone", "phone", "id", "id", "money", "code",
    "address", "text", "text",
)  # fmt: skip

OPTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Review Type", ("Non-Urgent", "Urgent")),
    ("Request Type", ("Initial Request", "Extension/Renewal/Amendment")),
    ("Type of request", ("Initial", "Renewal", "Change", "Retrospective")),
    ("Gender", ("Male", "Female", "Other", "Unknown")),
    ("Sex", ("M", "F")),
    ("Urgency", ("Standard", "Expedited")),
    ("Place of service", ("Office", "Outpatient Hospital", "Inpatient", "Home", "ASC")),
    ("Is the patient hospitalized?", ("Yes", "No")),
    ("Has the patient tried another drug?", ("Yes", "No", "N/A")),
    ("Relationship to subscriber", ("Self", "Spouse", "Child", "Other")),
    ("Therapy", ("Physical Therapy", "Occupational Therapy", "Speech Therapy", "Cardiac Rehab")),
    ("Attachments", ("Clinical notes", "Lab results", "Imaging report", "Photos")),
    ("Side", ("Left", "Right", "Bilateral")),
    ("Dosage form", ("Tablet", "Capsule", "Injection", "Cream", "Other")),
    ("Prescriber is", ("MD", "DO", "NP", "PA")),
    ("Coverage", ("Medicare", "Medicaid", "Commercial", "Tricare", "Self-pay")),
    ("Reason", ("Evaluate and treat", "Second opinion", "Consultation only", "Follow-up")),
)

TITLES = (
    "Prior Authorization Request Form",
    "PATIENT REFERRAL REQUEST FORM",
    "Medication Prior Authorization",
    "Request for Outpatient Services",
    "Home Health Authorization Request",
    "Imaging Order",
    "Durable Medical Equipment Request",
    "Coverage Determination Request",
)

SECTIONS = (
    "Patient Information",
    "SECTION II - GENERAL INFORMATION",
    "Requesting Provider",
    "Servicing Facility",
    "Section 3. Services Requested",
    "INSURANCE",
    "Clinical Information",
    "Diagnosis and History",
    "Medication",
    "For Office Use Only",
)


def item(rng: random.Random, split: Split, kind: KeyKind | None = None) -> Item:
    """A label with a value that goes with it."""
    chosen = kind if kind is not None else rng.choice(_USUAL)
    labels, maker = _MAKERS[chosen]
    label = rng.choice(labels).format(rng.choice(_PARTIES))
    if rng.random() < 0.12:
        label = label.upper()
    return Item(chosen, label, maker(rng, split))

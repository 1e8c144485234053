# SPDX-License-Identifier: Apache-2.0
"""Faults of whole documents: what is missing, pages that lack, pages of somebody else."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable

from idp.document import Grade
from idp.schemas import FieldSchema, load_schemas
from idp.values import Kind, parse
from training.faults.book import Seeded, manner
from training.faults.cases import Attached, Case, Counting, Entry
from training.faults.draw import type_of
from training.faults.pools import SPLIT
from training.synthesise import values

FORMS = ("prior_auth_request", "referral", "prior_auth_determination")
NOTED = ("prior_auth_request", "referral")
_LIVES = (dt.date(1938, 1, 1), dt.date(2018, 12, 31))

# -- C1 --------------------------------------------------------------------------------------


def _required(case: Case) -> list[tuple[str, ...]]:
    """The required fields of the case, each alone or with those of which one is enough."""
    schema = load_schemas()[type_of(case)]
    groups: dict[str, list[str]] = {}
    for field in schema.fields:
        if field.required == "always" and not _excused(field, case):
            groups.setdefault(field.one_of or field.name, []).append(field.name)
    for name in ("service", "appeal", "diagnosis", "why", "reach_patient", "reach_referrer"):
        if name in groups:
            groups[name] = [f.name for f in schema.fields if f.one_of == name]
    return [tuple(g) for g in groups.values() if any(case.text(name) for name in g)]


def _excused(field: FieldSchema, case: Case) -> bool:
    """Whether another field makes up for it (a diagnosis in words says why)."""
    return any(each.present and case.text(each.field) for each in field.unless)


def _plain(case: Case) -> Case:
    """Without running text, in which a reason might stand unread."""
    return case._replace(attached=())


@manner("C1", "its place left blank", placed=False)
def _left_blank(case: Case, rng: random.Random) -> Seeded | None:
    groups = _required(case)
    if not groups:
        return None
    names = rng.choice(groups)
    blank = _plain(case)
    for name in names:
        blank = blank.put(name)
    return Seeded(blank, names)


@manner("C1", "not printed at all", placed=False)
def _not_there(case: Case, rng: random.Random) -> Seeded | None:
    groups = _required(case)
    if not groups:
        return None
    names = rng.choice(groups)
    return Seeded(_plain(case).without(*names), names)


def _asked(case: Case) -> list[str]:
    schema = load_schemas()[type_of(case)]
    return [
        field.name
        for field in schema.fields
        if any(condition.asked for condition in field.when)
        and field.severity.value != "info"
        and case.text(field.name)
    ]


@manner("C1", "asked for by the form and left blank", kinds=NOTED, placed=False)
def _asked_and_blank(case: Case, rng: random.Random) -> Seeded | None:
    names = _asked(case)
    if not names:
        return None
    name = rng.choice(names)
    return Seeded(_plain(case).put(name), (name,))


def _names_servicing(case: Case) -> bool:
    """Whether somebody other than a pharmacy is to render the service."""
    return bool(case.text("servicing_provider_name")) and not case.text("medication_name")


_TRIGGERED: dict[str, Callable[[Case], tuple[str, ...]]] = {
    "prior_auth_determination": lambda case: {
        "approved": ("auth_number", "effective_from", "effective_to"),
        "partially approved": ("auth_number", "effective_from", "effective_to", "denial_reason"),
        "denied": ("denial_reason",),
        "pended": ("information_requested",),
    }.get(case.text("determination").lower(), ()),
    "prior_auth_request": lambda case: (
        (("previous_auth_number",) if case.text("request_type") == "Renewal" else ())
        + (("servicing_provider_npi",) if _names_servicing(case) else ())
    ),
    "remittance_eob": lambda case: ("eft_number",),
}


@manner("C1", "required by another answer", kinds=tuple(_TRIGGERED), placed=False)
def _by_another(case: Case, rng: random.Random) -> Seeded | None:
    names = [name for name in _TRIGGERED[case.kind](case) if case.text(name)]
    if not names:
        return None
    name = rng.choice(names)
    plain = _plain(case)
    return Seeded(plain.put(name) if rng.random() < 0.5 else plain.without(name), (name,))


# -- A1, A3 ----------------------------------------------------------------------------------

ANSWER = ("prior_auth_determination",)


def _answer(case: Case, outcomes: tuple[str, ...], *names: str) -> Seeded | None:
    if case.text("determination") not in outcomes:
        return None
    names = tuple(name for name in names if case.text(name))
    if not names:
        return None
    return Seeded(_plain(case).without(*names), (*names, "determination"))


@manner("A1", "approved without a number", kinds=ANSWER, placed=False)
def _no_number(case: Case, rng: random.Random) -> Seeded | None:
    return _answer(case, ("Approved", "Partially approved"), "auth_number")


@manner("A1", "approved without a period", kinds=ANSWER, placed=False)
def _no_period(case: Case, rng: random.Random) -> Seeded | None:
    return _answer(case, ("Approved",), "effective_from", "effective_to")


@manner("A1", "approved without saying what", kinds=ANSWER, placed=False)
def _no_lines(case: Case, rng: random.Random) -> Seeded | None:
    names = ("procedure_codes", "service_descriptions", "approved_units")
    return _answer(case, ("Approved", "Partially approved"), *names)


@manner("A1", "denied without a reason", kinds=ANSWER, placed=False)
def _no_reason(case: Case, rng: random.Random) -> Seeded | None:
    return _answer(case, ("Denied",), "denial_reason")


@manner("A1", "pended without saying what is missing", kinds=ANSWER, placed=False)
def _no_question(case: Case, rng: random.Random) -> Seeded | None:
    return _answer(case, ("Pended",), "information_requested")


@manner("A3", "expedited without a reason", kinds=("prior_auth_request",))
def _no_urgency(case: Case, rng: random.Random) -> Seeded | None:
    if case.text("review_type") != "Expedited":
        return None
    fields = ("urgency_reason", "review_type")
    return Seeded(_plain(case).without("urgency_reason"), fields)


_EQUIPMENT = re.compile(r"(A[4-9]|[BEKL])\d")
"""HCPCS codes of equipment and supplies."""

# -- A2, A4 ----------------------------------------------------------------------------------


def authorized(case: Case) -> Case:
    """The case with what rules A2 and A4 compare, where it has a place for it: all in order."""
    if case.text("approved_units"):
        texts = (case.text("approved_units"),)
        case = case.with_entry(Entry("requested_units", texts, "services"))
    if case.kind == "referral":
        planned = case.received + dt.timedelta(days=20)
        until = planned + dt.timedelta(days=60)
        for name, day in (("appointment_date", planned), ("authorization_valid_to", until)):
            case = case.with_entry(Entry(name, (f"{day:%m/%d/%Y}",), "services"))
    return case


def signed(case: Case) -> Case:
    """The case with a signature where it orders equipment, as 42 CFR 410.38(d) has it."""
    codes = case.entry("procedure_codes")
    equipment = codes is not None and any(_EQUIPMENT.match(code) for code in codes.texts)
    if case.kind != "referral" or not equipment or case.text("signature_present"):
        return case
    texts = (f"/s/ {case.text('referring_provider_name')}",)
    return case.with_entry(Entry("signature_present", texts, "signature"))


def _units(case: Case, factor: int, off: int) -> Seeded | None:
    if case.text("determination") != "Approved" or not case.text("approved_units").isdigit():
        return None
    asked = authorized(case)
    approved = int(case.text("approved_units")) * factor
    fields = ("approved_units", "requested_units")
    return Seeded(
        asked.put("requested_units", str(approved)).put("approved_units", str(approved + off)),
        fields,
    )


@manner("A2", "more units approved than requested", kinds=ANSWER)
def _more_units(case: Case, rng: random.Random) -> Seeded | None:
    return _units(case, 1, rng.randint(1, 30))


@manner("A2", "fewer units approved and called approved", kinds=ANSWER)
def _fewer_units(case: Case, rng: random.Random) -> Seeded | None:
    return _units(case, 3, -rng.randint(1, 2))


@manner("A4", "ended before the appointment", kinds=("referral",))
def _ended(case: Case, rng: random.Random) -> Seeded | None:
    day = case.received + dt.timedelta(days=20 - rng.randint(1, 15))
    ended = authorized(case).put("authorization_valid_to", f"{day:%m/%d/%Y}")
    return Seeded(ended, ("authorization_valid_to", "appointment_date"))


# -- P1, P3 ----------------------------------------------------------------------------------


@manner("P1", "a page that is hard to read")
def _poor_page(case: Case, rng: random.Random) -> Seeded | None:
    return Seeded(case._replace(grade=Grade.POOR))


def _lost(case: Case, rng: random.Random, *ways: Counting) -> Seeded:
    counted = frozenset(rng.sample(ways, rng.randint(1, len(ways))))
    return Seeded(case._replace(counted_by=counted, lost=rng.randint(1, 3)))


@manner("P3", "the foot of the page counts more pages", placed=False)
def _foot(case: Case, rng: random.Random) -> Seeded | None:
    return _lost(case, rng, "foot")


@manner("P3", "the fax header counts more pages", placed=False)
def _header(case: Case, rng: random.Random) -> Seeded | None:
    return _lost(case, rng, "header")


@manner("P3", "the fax server announced more pages", placed=False)
def _server(case: Case, rng: random.Random) -> Seeded | None:
    return _lost(case, rng, "server")


@manner("P3", "all of them count more pages", placed=False)
def _all_of_them(case: Case, rng: random.Random) -> Seeded | None:
    return _lost(case, rng, "foot", "header", "server")


@manner("P3", "more pages than the fax server announced", kinds=NOTED, placed=False)
def _joined(case: Case, rng: random.Random) -> Seeded | None:
    if not case.attached:
        return None
    return Seeded(case._replace(counted_by=frozenset({"server"}), lost=-1))


# -- D3 --------------------------------------------------------------------------------------


def _birth(case: Case) -> str:
    return parse(Kind.DATE, case.text("patient_dob"), not_after=case.received).value


def _natural(case: Case) -> str:
    return parse(Kind.PERSON, case.text("patient_name")).value


def _family_name(case: Case) -> str:
    """As it is printed last in natural order; empty where no name is."""
    return (_natural(case).split() or [""])[-1]


def _printed(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{month}/{day}/{year}"


def _about(case: Case, name: str, born: str, member: str = "") -> Seeded | None:
    if not name or not born:
        return None
    fields = ("patient_name", "patient_dob", "member_id")
    return Seeded(case._replace(attached=(Attached(name, born, member),)), fields)


def _somebody(rng: random.Random, unlike: str) -> tuple[str, str]:
    while True:
        first, _, last = values.person(rng, SPLIT)
        if first.lower() not in unlike.lower() and last.lower() not in unlike.lower():
            break
    day = values.date_between(rng, *_LIVES)
    return f"{first} {last}", f"{day:%m/%d/%Y}"


@manner("D3", "a note of somebody else", kinds=NOTED)
def _stranger(case: Case, rng: random.Random) -> Seeded | None:
    if not case.text("patient_name") and not case.text("patient_dob"):
        return None
    name, born = _somebody(rng, case.text("patient_name"))
    return _about(case, name, born)


@manner("D3", "a note of a relative", kinds=NOTED)
def _relative(case: Case, rng: random.Random) -> Seeded | None:
    family = _family_name(case)
    if not family:
        return None
    other, born = _somebody(rng, case.text("patient_name"))
    return _about(case, f"{other.split()[0]} {family}", born)


@manner("D3", "a note of a namesake with another birth date", kinds=NOTED)
def _namesake(case: Case, rng: random.Random) -> Seeded | None:
    _, born = _somebody(rng, "")
    if not case.text("patient_dob") or born == _printed(_birth(case)):
        return None
    return _about(case, _natural(case), born)


@manner("D3", "a note of a twin", kinds=NOTED)
def _twin(case: Case, rng: random.Random) -> Seeded | None:
    family = _family_name(case)
    if not family or not case.text("patient_dob"):
        return None
    other, _ = _somebody(rng, case.text("patient_name"))
    return _about(case, f"{other.split()[0]} {family}", _printed(_birth(case)))

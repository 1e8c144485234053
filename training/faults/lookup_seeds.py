# SPDX-License-Identifier: Apache-2.0
"""Faults that only a directory or a list shows: the shape is right and the value is not."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from idp.values import Kind, parse
from training.faults.amounts_seeds import PAPER, with_reason
from training.faults.book import Seeded, manner
from training.faults.cases import Case
from training.faults.interchange_seeds import TOLD, with_cas
from training.faults.pools import SPLIT
from training.faults.values_seeds import FORMS, any_digit, changed, of_kind
from training.faults.world import (
    DEACTIVATED,
    ENDED_CODE,
    ENDED_REASON,
    NAMES_OF_NOBODY,
    UNKNOWN,
)
from training.synthesise import values

_OF_PERSONS = (
    "requesting_provider_npi",
    "servicing_provider_npi",
    "referring_provider_npi",
    "referred_to_npi",
)


# -- N2 --------------------------------------------------------------------------------------


def _npi(case: Case, rng: random.Random, numbers: Sequence[str]) -> Seeded | None:
    there = [
        name
        for name in _OF_PERSONS
        if case.text(name) and case.text(name.removesuffix("_npi") + "_name")
    ]
    return changed(case, there, rng, lambda _: rng.choice(numbers))


@manner("N2", "a number that nobody has", kinds=FORMS, listed=True)
def _unknown(case: Case, rng: random.Random) -> Seeded | None:
    return _npi(case, rng, UNKNOWN)


@manner("N2", "a number that was deactivated", kinds=FORMS, listed=True)
def _deactivated(case: Case, rng: random.Random) -> Seeded | None:
    return _npi(case, rng, DEACTIVATED)


@manner("N2", "somebody else's number", kinds=FORMS, listed=True)
def _of_another(case: Case, rng: random.Random) -> Seeded | None:
    return _npi(case, rng, NAMES_OF_NOBODY)


# -- N4 --------------------------------------------------------------------------------------


def _birth(case: Case) -> dt.date | None:
    born = parse(Kind.DATE, case.text("patient_dob"), not_after=case.received)
    return dt.date.fromisoformat(born.value) if born.valid else None


@manner("N4", "another member's number", kinds=FORMS, listed=True)
def _other_number(case: Case, rng: random.Random) -> Seeded | None:
    other = f"{values.letters(rng, 3)}{values.digits(rng, 9)}"
    return Seeded(case.put("member_id", other), ("member_id",))


@manner("N4", "one digit of the number", kinds=FORMS, listed=True)
def _digit_of_number(case: Case, rng: random.Random) -> Seeded | None:
    text = case.text("member_id")
    if not text[:3].isalpha():  # a Medicare number is rule N3's as well
        return None
    return changed(case, ["member_id"], rng, lambda t: any_digit(t, rng))


@manner("N4", "another birth date", kinds=FORMS, listed=True)
def _other_birth(case: Case, rng: random.Random) -> Seeded | None:
    born = _birth(case)
    if born is None:
        return None
    other = values.date_between(rng, dt.date(1940, 1, 1), dt.date(2015, 12, 31))
    if other == born:
        return None
    return Seeded(case.put("patient_dob", f"{other:%m/%d/%Y}"), ("patient_dob",))


@manner("N4", "a birth date some days off", kinds=FORMS, listed=True)
def _near_birth(case: Case, rng: random.Random) -> Seeded | None:
    born = _birth(case)
    if born is None:
        return None
    other = born + dt.timedelta(days=rng.choice((-10, -3, -1, 1, 2, 9, 30)))
    return Seeded(case.put("patient_dob", f"{other:%m/%d/%Y}"), ("patient_dob",))


@manner("N4", "another patient's name", kinds=FORMS, listed=True)
def _other_name(case: Case, rng: random.Random) -> Seeded | None:
    for _ in range(20):
        first, _, last = values.person(rng, SPLIT)
        known = case.text("patient_name").lower()
        if first.lower() not in known and last.lower() not in known:
            return Seeded(case.put("patient_name", f"{first} {last}"), ("patient_name",))
    return None


@manner("N4", "nobody whom we know", kinds=FORMS, listed=True)
def _nobody(case: Case, rng: random.Random) -> Seeded | None:
    name, number = _other_name(case, rng), _other_number(case, rng)
    if name is None or number is None:
        return None
    moved = _other_birth(name.case.put("member_id", number.case.text("member_id")), rng)
    return moved and Seeded(moved.case, ("patient_name", "patient_dob", "member_id"))


# -- N6, N7, R7 ------------------------------------------------------------------------------


@manner("N6", "a HCPCS code that does not exist", kinds=FORMS, listed=True)
def _no_code(case: Case, rng: random.Random) -> Seeded | None:
    code = f"{rng.choice('EGJL')}9{values.digits(rng, 3)}"
    return changed(case, of_kind(case, Kind.PROCEDURE_CODE), rng, lambda _: code)


@manner("N6", "a HCPCS code that has ended", kinds=FORMS, listed=True)
def _ended_code(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.PROCEDURE_CODE), rng, lambda _: ENDED_CODE)


@manner("N7", "a modifier that does not exist", kinds=FORMS, listed=True)
def _modifier(case: Case, rng: random.Random) -> Seeded | None:
    modifier = rng.choice(("ZQ", "YY", "XQ", "WX"))
    return changed(case, of_kind(case, Kind.PROCEDURE_CODE), rng, lambda code: f"{code}-{modifier}")


@manner("N7", "a drug code that is none", kinds=("prior_auth_request",), listed=True)
def _drug(case: Case, rng: random.Random) -> Seeded | None:
    number = rng.choice(("0074-43-3902", "00744-339-022", "0074-4339", "1-2345-6789"))
    return changed(case, ["medication_name"], rng, lambda name: f"{name} NDC {number}")


@manner("N7", "a place of service that does not exist", kinds=("prior_auth_request",), listed=True)
def _place(case: Case, rng: random.Random) -> Seeded | None:
    entry = case.entry("place_of_service")
    if entry is None:
        return None
    code = rng.choice(("29", "30", "37", "46", "59", "68", "88"))
    asked = entry._replace(options=(), texts=(code,))
    return Seeded(case.with_entry(asked), ("place_of_service",))


@manner("R7", "a reason that does not exist", kinds=PAPER, listed=True)
def _no_reason(case: Case, rng: random.Random) -> Seeded | None:
    return with_reason(case, rng, rng.choice(("CO-999", "PR-888", "OA-777")))


@manner("R7", "a reason that has ended", kinds=PAPER, listed=True)
def _ended_reason(case: Case, rng: random.Random) -> Seeded | None:
    return with_reason(case, rng, f"CO-{ENDED_REASON}")


@manner("R7", "835: a reason that has ended", kinds=TOLD, listed=True)
def _told_ended(case: Case, rng: random.Random) -> Seeded | None:
    return with_cas(case, rng, lambda cas: cas._replace(reason=ENDED_REASON))

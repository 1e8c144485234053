# SPDX-License-Identifier: Apache-2.0
"""Faults of what arrives together, and of what arrived before: D1, P2, C3, C4, U1."""

from __future__ import annotations

import datetime as dt
import random
from functools import cache

from idp.document import Severity
from idp.requirements.load import Entry as Asked
from idp.requirements.load import Requirements, load_requirements
from idp.requirements.nouns import Applies
from idp.schemas import load_schemas
from training.faults.book import Seeded, manner
from training.faults.cases import Attached, Case, Entry
from training.faults.draw import type_of
from training.faults.values_seeds import FORMS, any_digit, changed

REQUESTS = ("prior_auth_request", "referral")
_ENCLOSED = ("laboratory report", "imaging report", "sleep study report", "therapy evaluation")
"""Kinds of which nothing is ever attached to a case."""


def enclosing(case: Case) -> Case:
    """The case with a list of what is enclosed, where it encloses a visit note."""
    return case._replace(enclosed=("office visit note",)) if case.attached else case


# -- D1 --------------------------------------------------------------------------------------


def _again(case: Case, changed_case: Case | None) -> Seeded | None:
    return None if changed_case is None else Seeded(changed_case._replace(before=case))


@manner("D1", "sent again as it was", kinds=FORMS, placed=False)
def _as_it_was(case: Case, rng: random.Random) -> Seeded | None:
    return _again(case, case._replace(counted_by=frozenset({"header"})))


@manner("D1", "sent again with another date of writing", kinds=REQUESTS, placed=False)
def _other_date(case: Case, rng: random.Random) -> Seeded | None:
    if not case.text("service_start_date") or not case.text("procedure_codes"):
        return None
    again = case
    for name in ("submission_date", "form_date"):
        if case.text(name):
            day = case.received + dt.timedelta(days=rng.randint(-25, -6))
            again = again.put(name, f"{day:%m/%d/%Y}")
    return _again(case, again) if again != case else None


@manner("D1", "sent again with another telephone number", kinds=FORMS, placed=False)
def _other_phone(case: Case, rng: random.Random) -> Seeded | None:
    names = [e.name for e in case.entries if e.name.endswith(("_phone", "_fax")) and e.texts]
    found = changed(case, names, rng, lambda text: any_digit(text, rng))
    return _again(case, found.case) if found else None


@manner("D1", "sent again with one more page", kinds=REQUESTS, placed=False)
def _with_a_page(case: Case, rng: random.Random) -> Seeded | None:
    if case.attached or not case.text("patient_name") or not case.text("patient_dob"):
        return None
    note = Attached(case.text("patient_name"), case.text("patient_dob"))
    return _again(case, case._replace(attached=(note,)))


# -- P2 --------------------------------------------------------------------------------------


@manner("P2", "a page that no document has", kinds=REQUESTS)
def _lost(case: Case, rng: random.Random) -> Seeded | None:
    return Seeded(case._replace(cut="lost")) if case.attached else None


@manner("P2", "a page that two documents have", kinds=REQUESTS)
def _shared(case: Case, rng: random.Random) -> Seeded | None:
    return Seeded(case._replace(cut="shared")) if case.attached else None


# -- C3 --------------------------------------------------------------------------------------


@cache
def _requirements() -> Requirements:
    return load_requirements(None, load_schemas())


def _askable(case: Case) -> list[Asked]:
    """What a payer asks of such a case that more than informs, and that the case can lack."""
    return [
        entry
        for entry in _requirements().entries
        if entry.requirement.severity is not Severity.INFO
        and type_of(case) in entry.requirement.applies.types
        and not (entry.requirement.applies.when or entry.requirement.applies.subtypes)
        and entry.programme.payers.names
        and entry.requirement.in_force(case.received)
    ]


def _is_asked(case: Case, asks: Applies, rng: random.Random) -> Case | None:
    """The case about a service that the requirement is for, where it has places for that."""
    if asks.places:
        return None
    if asks.drug is not None and asks.drug is not bool(case.text("medication_name")):
        return None
    if not (asks.services or asks.codes or asks.words):
        return case
    kinds = _requirements().kinds
    codes = [c for name in asks.services for c in kinds.services[name].codes] or list(asks.codes)
    if not codes or not case.text("procedure_codes"):
        return None
    return case.put("procedure_codes", rng.choice(codes)[:5])


@manner("C3", "what the payer asks for lacks", kinds=REQUESTS, placed=False)
def _unmet(case: Case, rng: random.Random) -> Seeded | None:
    asked = _askable(case)
    rng.shuffle(asked)
    for entry in asked:
        need = entry.requirement
        about = _is_asked(case, need.applies, rng)
        if about is None or need.shapes or not about.text("payer_name"):
            continue
        about = about.put("payer_name", entry.programme.payers.names[0])._replace(attached=())
        names = need.fields or need.one_of or (("signature_present",) if need.signature else ())
        protected = {"procedure_codes", "medication_name", "payer_name", "service_descriptions"}
        if set(names) & protected:
            continue
        return Seeded(about.without(*names), names, entry.cited)
    return None


# -- C4 --------------------------------------------------------------------------------------


@manner("C4", "says that something is enclosed that did not come", kinds=REQUESTS)
def _not_enclosed(case: Case, rng: random.Random) -> Seeded | None:
    return Seeded(case._replace(enclosed=(rng.choice(_ENCLOSED),)))


@manner("C4", "says that two things are enclosed, and one came", kinds=REQUESTS)
def _one_enclosed(case: Case, rng: random.Random) -> Seeded | None:
    if not case.attached:
        return None
    return Seeded(case._replace(enclosed=("office visit note", rng.choice(_ENCLOSED))))


# -- U1 --------------------------------------------------------------------------------------


@manner("U1", "standard, and a reason for urgency", kinds=("prior_auth_request",))
def _both(case: Case, rng: random.Random) -> Seeded | None:
    if not case.text("review_type"):
        return None
    texts = ("A delay could seriously harm the patient",)
    urgent = case.put("review_type", "Standard").with_entry(
        Entry("urgency_reason", texts, "request")
    )
    return Seeded(urgent, ("review_type", "urgency_reason"))

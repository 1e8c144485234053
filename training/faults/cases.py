# SPDX-License-Identifier: Apache-2.0
"""Sound documents as facts: what is printed where, before anything is drawn.

A case is right in every respect that a rule looks at: check digits hold, codes exist, dates are in
order, sums are sums, everything that is required is there. Faults are seeded into the facts, so
that they reach the page, the picture and the fields alike. All people and numbers are invented.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from random import Random
from typing import Literal, NamedTuple

from idp.document import Grade
from training.faults.interchange import Remit, remit
from training.faults.pools import (
    AREA_CODES,
    ASKED,
    DENIALS,
    NOTES,
    PLACES,
    PROCEDURES,
    SPLIT,
    diagnoses,
    dice,
    mbi,
)
from training.synthesise import values
from training.synthesise.family import Family

FAMILIES = 60
KINDS = (
    "prior_auth_request",
    "referral",
    "prior_auth_determination",
    "remittance_eob",
    "remittance_835",
    "other",
)
PAPERS = tuple(kind for kind in KINDS if kind != "remittance_835")
"""The kinds that come on paper."""
TYPES = {"remittance_835": "remittance_eob"}
"""The document type of a kind where it is not the kind's own name."""
Counting = Literal["foot", "header", "server"]
Cut = Literal["", "lost", "shared"]
"""``lost``: the last page is in no document; ``shared``: it is in two."""


class Entry(NamedTuple):
    """One labelled place: its field, what is printed there, and in which section it stands."""

    name: str
    texts: tuple[str, ...]
    section: str
    options: tuple[str, ...] = ()
    """Printed as check boxes, of which ``texts`` names the checked one."""


class Amounts(NamedTuple):
    """One service line of a remittance, or the totals of a claim; none where it is not printed."""

    billed: Decimal | None
    allowed: Decimal | None
    adjustment: Decimal | None
    deductible: Decimal | None
    copay: Decimal | None
    coinsurance: Decimal | None
    paid: Decimal | None


class LineFacts(NamedTuple):
    """A service line."""

    day: dt.date
    code: str
    carc: str
    amounts: Amounts


class ClaimFacts(NamedTuple):
    """A claim with its service lines and the totals printed below them."""

    patient: str
    member: str
    number: str
    lines: tuple[LineFacts, ...]
    totals: Amounts


class Attached(NamedTuple):
    """A further page about a patient: a visit note."""

    patient: str
    born: str
    member: str = ""


class Case(NamedTuple):
    """The facts of one document."""

    name: str
    kind: str
    family: int
    received: dt.date
    entries: tuple[Entry, ...]
    claims: tuple[ClaimFacts, ...] = ()
    columns: tuple[str, ...] = ()
    attached: tuple[Attached, ...] = ()
    counted_by: frozenset[Counting] = frozenset()
    """Who says how many pages there are: the foot of each page, the fax header, the fax server."""
    lost: int = 0
    """Pages at the end that are counted and did not arrive; negative: more came than counted."""
    grade: Grade = Grade.GOOD
    """Of the last page."""
    enclosed: tuple[str, ...] = ()
    """What the form says that it encloses."""
    cut: Cut = ""
    """How the last page was filed, where that went wrong."""
    before: Case | None = None
    """What arrived before it."""
    remit: Remit | None = None
    """An electronic remittance: nothing of it is drawn."""

    def entry(self, name: str) -> Entry | None:
        """The place of a field."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def text(self, name: str) -> str:
        """What is printed for a field, the first of several; empty where nothing is."""
        entry = self.entry(name)
        return entry.texts[0] if entry and entry.texts else ""

    def put(self, name: str, *texts: str) -> Case:
        """The case with other text at the place of a field."""
        return self._replace(
            entries=tuple(
                e._replace(texts=tuple(t for t in texts if t)) if e.name == name else e
                for e in self.entries
            )
        )

    def with_entry(self, entry: Entry) -> Case:
        """The case with one more place, or another in the place of the field's own."""
        if self.entry(entry.name) is None:
            return self._replace(entries=(*self.entries, entry))
        return self._replace(
            entries=tuple(entry if e.name == entry.name else e for e in self.entries)
        )

    def without(self, *names: str) -> Case:
        """The case without the places of some fields."""
        return self._replace(entries=tuple(e for e in self.entries if e.name not in names))


class Maker:
    """Facts of one document, printed in the manner of a layout family."""

    def __init__(self, kind: str, number: int, seed: int = 0) -> None:
        self.kind, self.number = kind, number
        self.rng = dice("case", kind, number, seed)
        self.index = self.rng.randrange(FAMILIES)
        self.style = family_of(kind, self.index).style
        self.received = dt.date(2026, 1, 12) + dt.timedelta(days=self.rng.randrange(300))
        self.day = self.received - dt.timedelta(days=self.rng.randint(0, 4))
        self.start = self.day + dt.timedelta(days=self.rng.randint(2, 30))
        self.end = self.start + dt.timedelta(days=self.rng.choice((30, 60, 90, 180)))
        self.born = values.date_between(self.rng, dt.date(1938, 1, 1), dt.date(2018, 12, 31))
        self.patient = values.person(self.rng, SPLIT)
        self.entries: list[Entry] = []

    def add(
        self, section: str, name: str, *texts: str, options: tuple[str, ...] = (), share: float = 1
    ) -> None:
        """One place, with a probability."""
        if share >= 1 or self.rng.random() < share:
            self.entries.append(Entry(name, tuple(t for t in texts if t), section, options))

    def date(self, day: dt.date) -> str:
        """A date in the family's format."""
        return values.print_date(day, self.style.date)

    def phone(self) -> str:
        """A telephone number that nobody has (exchange 555-01xx)."""
        area, line = self.rng.choice(AREA_CODES), self.rng.randrange(100)
        return (
            f"({area}) 555-01{line:02d}",
            f"{area}-555-01{line:02d}",
            f"{area}.555.01{line:02d}",
        )[self.style.phone % 3]

    def address(self) -> str:
        """Street, city, state and ZIP code that belong together."""
        street = f"{self.rng.randint(10, 9899)} {values.pick(self.rng, 'streets', SPLIT)}"
        city, state, postcode = self.rng.choice(PLACES)
        return f"{street}, {city}, {state} {postcode}"

    def clinician(self) -> str:
        """A clinician's name."""
        first, _, last = values.person(self.rng, SPLIT)
        return f"{first} {last}, {self.rng.choice(('MD', 'DO', 'NP'))}"

    def tax_id(self) -> str:
        """An employer identification number."""
        return f"{self.rng.randint(20, 87)}-{values.digits(self.rng, 7)}"

    def member(self) -> str:
        """A member number, at times of Medicare."""
        if self.rng.random() < 0.3:
            return mbi(self.rng)
        return f"{values.letters(self.rng, 3)}{values.digits(self.rng, 9)}"

    def person(self, section: str, *, contact: bool = True) -> None:
        """The patient."""
        self.add(section, "patient_name", values.print_name(self.patient, self.style.name))
        self.add(section, "patient_dob", values.print_date(self.born, self.style.dob))
        if contact:
            self.add(section, "patient_phone", self.phone())
            self.add(section, "patient_address", self.address(), share=0.6)

    def cover(self, section: str, *, group: bool = True) -> None:
        """The insurance."""
        self.add(section, "payer_name", values.pick(self.rng, "payers", SPLIT))
        self.add(section, "member_id", self.member())
        if group:
            self.add(section, "group_number", values.digits(self.rng, 6), share=0.5)

    def party(self, section: str, *, tax: bool = False, fax: float = 1.0) -> None:
        """A provider."""
        self.add(section, f"{section}_name", self.clinician())
        self.add(section, f"{section}_npi", values.npi(self.rng))
        if tax:
            self.add(section, f"{section}_tax_id", self.tax_id(), share=0.6)
        self.add(section, f"{section}_phone", self.phone())
        self.add(section, f"{section}_fax", self.phone(), share=fax)

    def diagnosis(self) -> None:
        """One to three diagnoses."""
        found = self.rng.sample(diagnoses(), self.rng.choice((1, 1, 2, 3)))
        self.add("diagnosis", "diagnosis_codes", *(code for code, _ in found))
        self.add("diagnosis", "diagnosis_descriptions", found[0][1], share=0.5)

    def case(self, **more: object) -> Case:
        """What was collected."""
        base = Case(
            f"{self.kind}-{self.number}",
            self.kind,
            self.index,
            self.received,
            tuple(self.entries),
        )
        return base._replace(**more)  # type: ignore[arg-type]


def request(number: int, seed: int = 0) -> Case:
    """A prior-authorization request for a service or a drug."""
    make = Maker("prior_auth_request", number, seed)
    rng = make.rng
    urgent = rng.random() < 0.3
    make.add(
        "request",
        "review_type",
        "Expedited" if urgent else "Standard",
        options=("Standard", "Expedited"),
    )
    if urgent:
        make.add("request", "urgency_reason", "A delay could seriously harm the patient")
    renewal = rng.random() < 0.25
    make.add(
        "request",
        "request_type",
        "Renewal" if renewal else "Initial Request",
        options=("Initial Request", "Renewal"),
        share=1 if renewal else 0.5,
    )
    if renewal:
        make.add("request", "previous_auth_number", f"PA{values.digits(rng, 8)}")
    make.add("request", "submission_date", make.date(make.day))
    make.person("patient")
    make.cover("insurance")
    make.party("requesting_provider", tax=True)
    if rng.random() < 0.6:
        make.party("servicing_provider", fax=0.5)
    make.diagnosis()
    if rng.random() < 0.75:
        chosen = rng.sample(PROCEDURES, rng.choice((1, 1, 2)))
        make.add("services", "procedure_codes", *(code for code, _ in chosen))
        make.add("services", "service_descriptions", chosen[0][1], share=0.6)
        make.add("services", "service_start_date", make.date(make.start))
        make.add("services", "service_end_date", make.date(make.end), share=0.6)
        make.add("services", "units", str(rng.randint(1, 24)), share=0.6)
        make.add(
            "services",
            "place_of_service",
            rng.choice(("Inpatient", "Outpatient", "Office")),
            options=("Inpatient", "Outpatient", "Office"),
            share=0.5,
        )
    else:
        name, strength, _, directions = values.medication(rng, SPLIT)
        make.add("medication", "medication_name", name)
        make.add("medication", "medication_strength", strength)
        make.add("medication", "directions", directions)
    make.add("clinical", "clinical_notes", rng.choice(NOTES), share=0.5)
    make.add("signature", "signature_present", f"/s/ {make.clinician()}", share=0.7)
    make.add("signature", "form_date", make.date(make.day), share=0.6)
    return _with_note(make, make.case())


def referral(number: int, seed: int = 0) -> Case:
    """A referral to a specialist."""
    make = Maker("referral", number, seed)
    rng = make.rng
    make.add("referral", "referral_date", make.date(make.day))
    make.add(
        "referral",
        "urgency",
        rng.choice(("Routine", "Routine", "Urgent")),
        options=("Routine", "Urgent"),
        share=0.7,
    )
    make.add("referral", "referral_id", f"R{values.digits(rng, 7)}", share=0.3)
    make.person("patient")
    make.cover("insurance")
    make.party("referring_provider")
    make.add("referred_to", "referred_to_name", make.clinician())
    make.add("referred_to", "referred_to_specialty", values.pick(rng, "specialties", SPLIT))
    make.add("referred_to", "referred_to_npi", values.npi(rng), share=0.4)
    make.add("referred_to", "referred_to_fax", make.phone(), share=0.5)
    make.diagnosis()
    make.add("services", "procedure_codes", rng.choice(PROCEDURES)[0], share=0.4)
    make.add("clinical", "reason", rng.choice(NOTES))
    make.add("signature", "signature_present", f"/s/ {make.clinician()}", share=0.7)
    return _with_note(make, make.case())


def determination(number: int, seed: int = 0) -> Case:
    """A payer's answer: approved, denied, partly approved or pended."""
    make = Maker("prior_auth_determination", number, seed)
    rng = make.rng
    outcome = rng.choice(("Approved", "Approved", "Denied", "Partially approved", "Pended"))
    make.add("determination", "determination", outcome)
    make.add("determination", "determination_date", make.date(make.day))
    number_of = f"PA{values.digits(rng, 8)}"
    make.add("determination", "auth_number", number_of)
    asked = make.day - dt.timedelta(days=rng.randint(2, 6))
    make.add("determination", "submission_date", make.date(asked), share=0.5)
    make.person("patient", contact=False)
    make.cover("insurance")
    make.add("requesting_provider", "requesting_provider_name", make.clinician())
    make.add("requesting_provider", "requesting_provider_npi", values.npi(rng), share=0.7)
    make.add("servicing_provider", "servicing_provider_name", make.clinician(), share=0.5)
    make.add("servicing_provider", "servicing_provider_npi", values.npi(rng), share=0.4)
    if rng.random() < 0.5:
        make.diagnosis()
    code, text = rng.choice(PROCEDURES)
    make.add("services", "procedure_codes", code)
    make.add("services", "service_descriptions", text)
    if outcome in ("Approved", "Partially approved"):
        make.add("services", "approved_units", str(rng.randint(1, 24)))
        make.add("services", "effective_from", make.date(make.start))
        make.add("services", "effective_to", make.date(make.end))
    if outcome in ("Denied", "Partially approved"):
        make.add("clinical", "denial_reason", rng.choice(DENIALS))
        make.add("clinical", "appeal_deadline", make.date(make.day + dt.timedelta(days=60)))
    if outcome == "Pended":
        make.add("clinical", "information_requested", rng.choice(ASKED))
    return make.case()


def other(number: int, seed: int = 0) -> Case:
    """A paper that is only routed."""
    make = Maker("other", number, seed)
    make.person("patient", contact=False)
    make.cover("insurance", group=False)
    return _with_note(make, make.case())


def remittance(number: int, seed: int = 0) -> Case:
    """A remittance on paper that balances: lines, claims, and claims to the payment."""
    make = Maker("remittance_eob", number, seed)
    rng = make.rng
    claims = tuple(_claim(make) for _ in range(rng.choice((1, 1, 2, 3))))
    paid = total(claims, "paid")
    make.add("payment", "payer_name", values.pick(rng, "payers", SPLIT))
    make.add("payee", "payee_name", values.practice(rng, SPLIT))
    make.add("payee", "payee_npi", values.npi(rng), share=0.8)
    make.add("payee", "payee_tax_id", make.tax_id(), share=0.6)
    make.add("payment", "payment_amount", money(paid))
    make.add("payment", "issue_date", make.date(make.day))
    make.add("payment", "eft_number", values.digits(rng, 10))
    own = sum(
        (
            getattr(claim.totals, part)
            for claim in claims
            for part in ("deductible", "copay", "coinsurance")
        ),
        Decimal(0),
    )
    make.add("total", "total_billed", money(total(claims, "billed")))
    make.add("total", "total_paid", money(paid), share=0.7)
    make.add("total", "patient_responsibility", money(own), share=0.6)
    columns = ("billed", "allowed", "adjustment", "deductible", "copay", "coinsurance", "paid")
    return make.case(claims=claims, columns=columns)


def electronic(number: int, seed: int = 0) -> Case:
    """A remittance as X12 835."""
    make = Maker("remittance_835", number, seed)
    return make.case(remit=remit(number, seed, make.received))


def money(amount: Decimal) -> str:
    """An amount as remittances print it."""
    return f"${amount:,.2f}"


def total(claims: tuple[ClaimFacts, ...], part: str) -> Decimal:
    """The claims' sum of one column."""
    return sum((getattr(claim.totals, part) for claim in claims), Decimal(0))


def added(lines: tuple[LineFacts, ...]) -> Amounts:
    """The totals of some lines."""
    return Amounts(
        *(
            sum((getattr(line.amounts, part) for line in lines), Decimal(0))
            for part in Amounts._fields
        )
    )


def _cents(rng: Random, low: int, high: int) -> Decimal:
    return Decimal(rng.randint(low * 100, high * 100)) / 100


def _claim(make: Maker) -> ClaimFacts:
    rng = make.rng
    day = make.day - dt.timedelta(days=rng.randint(10, 90))
    lines = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        billed = _cents(rng, 80, 1900)
        allowed = (billed * rng.randint(30, 90) / 100).quantize(Decimal("0.01"))
        deductible = rng.choice((Decimal(0), (allowed / 5).quantize(Decimal("0.01"))))
        copay = Decimal(20) if allowed > 60 and rng.random() < 0.5 else Decimal(0)
        coinsurance = rng.choice((Decimal(0), (allowed / 10).quantize(Decimal("0.01"))))
        own = deductible + copay + coinsurance
        lines.append(
            LineFacts(
                day,
                rng.choice(PROCEDURES)[0],
                "CO-45",
                Amounts(
                    billed,
                    allowed,
                    billed - allowed,
                    deductible,
                    copay,
                    coinsurance,
                    allowed - own,
                ),
            )
        )
    whole = tuple(lines)
    name = values.print_name(values.person(rng, SPLIT), make.style.name)
    return ClaimFacts(name, make.member(), values.digits(rng, 10), whole, added(whole))


def _with_note(make: Maker, case: Case) -> Case:
    """At times a visit note of the same patient behind the form, and pages that are counted."""
    rng = make.rng
    if rng.random() < 0.4:
        natural = values.print_name(make.patient, "natural")
        born = values.print_date(make.born, "slash")
        case = case._replace(attached=(Attached(natural, born),))
    ways: tuple[Counting, ...] = ("foot", "header", "server")
    return case._replace(counted_by=frozenset(way for way in ways if rng.random() < 0.3))


MAKERS: dict[str, Callable[[int, int], Case]] = {
    "prior_auth_request": request,
    "referral": referral,
    "prior_auth_determination": determination,
    "remittance_eob": remittance,
    "remittance_835": electronic,
    "other": other,
}


@cache
def family_of(kind: str, index: int) -> Family:
    """The layout family."""
    return Family(kind, SPLIT, index)


def make(kind: str, number: int, seed: int = 0) -> Case:
    """The sound document of a kind with that number; the same arguments give the same one."""
    return MAKERS[kind](number, seed)

# SPDX-License-Identifier: Apache-2.0
"""The fictitious people of one filled form, and what stands in each of its places.

One person's parts agree: first and last make the name, the address is one address. Whoever a form
names besides the patient is somebody else.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from dataclasses import dataclass, field

from idp.forms.meaning import Meaning
from training.synthesise import values as v
from training.synthesise.values import DateStyle, Split

_TODAY = dt.date(2026, 6, 30)
_OF_NAME = frozenset({"NAME", "FIRST", "LAST", "MIDDLE"})
_OF_ADDRESS = frozenset({"ADDRESS", "STREET", "CITY", "STATE", "ZIP"})
_TURNED = 0.1
"""Share of writers who put the last name first without being asked to."""
_ANSWERS = (
    (re.compile(r"(?<!and )(?<!or )\bcountry\b", re.I), ("USA", "US")),
    (re.compile(r"\b(suffix|province|in care of|c/o|international)\b", re.I), ("",)),
)
"""What a person of this country writes where something is asked for that no field is for, the first
that fits; left empty where nothing does."""
_EMAIL_HOSTS = ("example.com", "example.org", "mail.example.net", "example.net")


@dataclass(frozen=True)
class Habit:
    """How one writer fills a form in."""

    upper: bool
    date_style: DateStyle
    phone_style: int
    blank: float
    """Share of places left empty."""


def draw_habit(rng: random.Random) -> Habit:
    """The habits of one writer."""
    styles: tuple[DateStyle, ...] = ("slash", "slash", "slash", "dash", "short", "long", "medium")
    return Habit(
        rng.random() < 0.35, rng.choice(styles), rng.randrange(6), rng.choice((0.05, 0.1, 0.25))
    )


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist."""

    first: str
    middle: str
    last: str
    sex: str
    born: dt.date
    street: str
    unit: str
    city: str
    state: str
    zip: str
    zip4: str
    phone: str
    mobile: str
    fax: str
    email: str
    member_id: str
    group: str
    npi: str
    tax_id: str
    specialty: str
    """Telephone numbers are ten digits."""


def draw_person(rng: random.Random, split: Split, *, adult: bool = True) -> Person:
    """A person whose parts agree."""
    first, middle, last = v.person(rng, split)
    street, city, state, zip_code = v.address(rng, split)
    unit = ""
    if found := re.search(r" (?:Apt|Suite|Ste|Unit|#) (\d+)$", street):
        street, unit = street[: found.start()], found.group(1)
    years = rng.randint(19, 88) if adult else rng.randint(1, 18)
    name = f"{first[0]}{last}".lower() if rng.random() < 0.5 else f"{first}.{last}".lower()

    def number() -> str:
        return f"{rng.randint(201, 989)}{rng.randint(200, 999)}{rng.randint(0, 9999):04d}"

    return Person(
        first,
        middle or (rng.choice("ABCDEFGHJKLMNPRST") if rng.random() < 0.5 else ""),
        last,
        rng.choice(("female", "male")),
        _TODAY - dt.timedelta(days=365 * years + rng.randrange(365)),
        street,
        unit,
        city,
        state,
        zip_code[:5],
        zip_code[6:],
        number(),
        number(),
        number(),
        re.sub(r"[^a-z.]", "", name) + str(rng.randint(1, 99)) + "@" + rng.choice(_EMAIL_HOSTS),
        v.member_id(rng),
        v.group_number(rng),
        v.npi(rng),
        v.tax_id(rng),
        v.pick(rng, "specialties", split),
    )


@dataclass
class Cast:
    """Everybody on one form."""

    rng: random.Random
    split: Split
    habit: Habit
    patient: Person
    others: dict[tuple[str, int], Person] = field(default_factory=dict)

    def person(self, party: str, group: int) -> Person:
        """Who a place speaks of; the same party and group are the same person."""
        if party == "patient":
            return self.patient
        if party == "subscriber" and self.rng.random() < 0.3:
            self.others.setdefault((party, 0), self.patient)
        key = (party, group if party == "other" else 0)
        return self.others.setdefault(key, draw_person(self.rng, self.split))

    @property
    def signed(self) -> dt.date:
        """The day the form was filled in."""
        return _TODAY - dt.timedelta(days=hash_of(self.patient.last + self.patient.zip) % 500)


def hash_of(text: str) -> int:
    """A stable small number for a text."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


def draw_cast(rng: random.Random, split: Split) -> Cast:
    """A patient, and everybody else as they are asked for."""
    return Cast(rng, split, draw_habit(rng), draw_person(rng, split))


def _date(day: dt.date, meaning: Meaning, habit: Habit, digits: int | None) -> str:
    part = {"month": f"{day:%m}", "day": f"{day:%d}", "year": f"{day:%Y}"}.get(meaning.part)
    if part:
        return part[-2:] if digits == 2 else part
    if digits is not None and digits < 10:
        return f"{day:%m%d%Y}" if digits == 8 else f"{day:%m%d%y}" if digits == 6 else ""
    return v.print_date(day, habit.date_style if digits is None else "slash")


def _phone(number: str, meaning: Meaning, habit: Habit, digits: int | None, *, area: bool) -> str:
    parts = {"area": number[:3], "prefix": number[3:6], "line": number[6:]}
    if meaning.part == "line" and not area:
        return f"{number[3:6]}-{number[6:]}"
    if meaning.part in parts:
        return parts[meaning.part]
    if digits is not None and digits < 14:
        return number if digits < 12 else f"{number[:3]}-{number[3:6]}-{number[6:]}"
    area_, office, line = number[:3], number[3:6], number[6:]
    return (
        f"({area_}) {office}-{line}",
        f"{area_}-{office}-{line}",
        f"{area_}.{office}.{line}",
        f"({area_}){office}-{line}",
        f"{area_} {office} {line}",
        f"{area_}-{office}-{line}",
    )[habit.phone_style]


def address_line(person: Person, *, whole: bool) -> str:
    """Street and unit, and with ``whole`` city, state and ZIP behind them."""
    street = f"{person.street} Apt {person.unit}" if person.unit else person.street
    if not whole:
        return street
    return f"{street}, {_tail(person)}"


def _tail(person: Person) -> str:
    """City, state and ZIP code."""
    code = f"{person.zip}-{person.zip4}" if person.zip4 else person.zip
    return f"{person.city}, {person.state} {code}"


def text_for(
    meaning: Meaning,
    cast: Cast,
    group: int,
    *,
    digits: int | None,
    parts: frozenset[str],
    label: str = "",
) -> str:
    """What the writer puts in a place, or an empty string where that can't be said.

    Args:
        meaning: What the place asks for.
        cast: Everybody on the form.
        group: Of places that hold one value together.
        digits: The most characters that fit, where the form limits them.
        parts: All pieces that stand in places of the same group.
        label: The print beside the place, for the order of names.
    """
    person = cast.person(meaning.party or "other", group)
    habit, rng, split = cast.habit, cast.rng, cast.split
    role = meaning.role
    if role in _OF_NAME:
        return _name(person, role, label, parts, rng)
    if role in _OF_ADDRESS:
        return _address(person, meaning, parts, digits)
    if role in ("DOB", "SIGN_DATE", "X_DATE"):
        day = {"DOB": person.born, "SIGN_DATE": cast.signed}.get(
            role, _TODAY - dt.timedelta(days=rng.randrange(30, 3000))
        )
        return _date(day, meaning, habit, digits)
    if role in ("PHONE", "MOBILE", "FAX"):
        number = {"PHONE": person.phone, "MOBILE": person.mobile, "FAX": person.fax}[role]
        return _phone(number, meaning, habit, digits, area="prefix" in parts)
    icd, description = v.diagnosis(rng, split)
    plain = {
        "SIGNATURE": "",
        "SEX": person.sex[0].upper() if digits is not None and digits < 6 else person.sex.title(),
        "EMAIL": person.email,
        "NPI": person.npi,
        "TAX_ID": person.tax_id,
        "MEMBER_ID": person.member_id,
        "GROUP": person.group,
        "SPECIALTY": person.specialty,
        "PAYER": v.pick(cast.rng, "payers", split),
        "ICD": icd,
        "DX": description,
        "CPT": v.procedure(rng, split)[0],
        "X_NAME": v.print_name(v.person(rng, split), "natural"),
    }
    if role not in plain:
        return _anything(rng, split, label, digits=digits, number=role == "X_ID")
    return plain[role]


def _name(person: Person, role: str, label: str, parts: frozenset[str], rng: random.Random) -> str:
    """A name or a part of one; whole, in the order that the label asks for."""
    if role != "NAME":
        return {"FIRST": person.first, "LAST": person.last, "MIDDLE": person.middle}[role]
    name = (person.first, person.middle if "middle" not in parts else "", person.last)
    asks = label.lower()
    last_first = 0 <= asks.find("last") < max(asks.find("first"), 0)
    turned = last_first or (not asks.count("first") and rng.random() < _TURNED)
    return v.print_name(name, "last_first" if turned else "natural")


def _address(person: Person, meaning: Meaning, parts: frozenset[str], digits: int | None) -> str:
    """An address or a part of one."""
    if meaning.role == "ADDRESS" and meaning.part == "city":
        return _tail(person)
    if meaning.role == "ADDRESS":
        return address_line(person, whole=meaning.part != "street")
    if meaning.role == "STREET":
        if meaning.part == "unit":
            return person.unit
        return person.street if "unit" in parts else address_line(person, whole=False)
    if meaning.role == "ZIP" and meaning.part == "zip4":
        return person.zip4
    alone = "zip4" in parts or (digits is not None and digits < 10) or not person.zip4
    zip_code = person.zip if alone else f"{person.zip}-{person.zip4}"
    return {"CITY": person.city, "STATE": person.state, "ZIP": zip_code}[meaning.role]


def _anything(
    rng: random.Random, split: Split, label: str, *, digits: int | None, number: bool
) -> str:
    """What stands in places of which nothing, or only that it is a number, is known."""
    for asked, answers in _ANSWERS:
        if asked.search(label):
            return next((a for a in answers if digits is None or len(a) <= digits), "")
    if number or (digits is not None and digits <= 12):
        return v.digits(rng, min(digits or rng.randint(6, 10), 12))
    shape = rng.randrange(6)
    if shape == 0:
        text = f"{rng.randint(1, 9999):,}.{rng.randint(0, 99):02d}"
    elif shape == 1:
        text = str(rng.randint(1, 99))
    elif shape == 2:
        text = v.pick(rng, "symptoms", split)
    elif shape == 3:
        text = rng.choice(("N/A", "None", "see attached", "unknown", "yes", "no"))
    else:
        text = v.pick(rng, "findings", split)
    return text

# SPDX-License-Identifier: Apache-2.0
"""People, practices and payers that do not exist.

Telephone numbers use the exchange 555-01xx, which is never assigned to a subscriber; NPIs carry a
correct check digit so that they pass the rules, and are drawn at random.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import NamedTuple

_FIRST_FEMALE = ("Marisol", "Hannelore", "Odette", "Tamsin", "Ingrid", "Yolanda", "Philippa")
_FIRST_MALE = ("Desmond", "Rupert", "Anselmo", "Thaddeus", "Lorenzo", "Casimir", "Emmett")
_LAST = (
    "Quillfeather",
    "Okonjo-Reyes",
    "Vandermolen",
    "Bexworth",
    "Tarkington",
    "Lindqvist",
    "Abernathy",
    "Castellanos",
    "Whitlock",
    "Drummond",
    "Fairweather",
    "Montrose",
)
_STREETS = ("Alder Creek Rd", "Old Mill Ln", "Sycamore St", "Harbor View Ave", "N Prospect St")
_PLACES = (
    ("Fairhaven", "OH", "45011"),
    ("Millbrook", "IL", "60536"),
    ("Cedar Falls", "TX", "75104"),
    ("Granite Point", "PA", "19010"),
)
_PRACTICES = {
    "Family Medicine": ("Lakeside Family Medicine", "Willow Park Family Practice"),
    "Internal Medicine": ("Prairie Internal Medicine Group", "Harborview Internists"),
    "Orthopedic Surgery": ("Summit Orthopedic Associates", "Kestrel Bone and Joint"),
    "Cardiology": ("Riverbend Cardiology Clinic", "Beacon Heart Center"),
    "Radiology": ("Northgate Imaging Center", "Clearview Radiology"),
    "Rheumatology": ("Foxglove Rheumatology", "Valley Arthritis Center"),
    "Physical Medicine": ("Stonebridge Physical Therapy", "Alder Rehabilitation"),
}
_PAYERS = (
    "Blue Harbor Health Plan",
    "Northwind Mutual Insurance",
    "Evergreen Community Care",
)
_AREA_CODES = ("614", "312", "214", "610")


class Person(NamedTuple):
    """A patient who does not exist."""

    first: str
    last: str
    born: dt.date
    sex: str
    phone: str
    street: str
    town: str
    state: str
    postcode: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def last_first(self) -> str:
        return f"{self.last}, {self.first}"

    @property
    def address(self) -> str:
        return f"{self.street}, {self.town}, {self.state} {self.postcode}"


class Provider(NamedTuple):
    """A provider who does not exist."""

    name: str
    npi: str
    practice: str
    specialty: str
    phone: str
    fax: str
    tax_id: str
    address: str


class Cover(NamedTuple):
    """An insurance cover that does not exist."""

    payer: str
    phone: str
    fax: str
    member_id: str
    group: str


def check_digit(nine: str) -> str:
    """The tenth digit of an NPI: Luhn over 80840 and the first nine."""
    total = 0
    for place, digit in enumerate(reversed(f"80840{nine}")):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return str(-total % 10)


class Registry:
    """Draws people, providers and covers; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        # Made-up people need no unguessable numbers.
        self.random = random.Random(seed)  # noqa: S311
        self._last = self.random.sample(_LAST, len(_LAST))
        self._female = self.random.sample(_FIRST_FEMALE, len(_FIRST_FEMALE))
        self._male = self.random.sample(_FIRST_MALE, len(_FIRST_MALE))
        self._drawn = 0

    def digits(self, count: int) -> str:
        """So many digits, the first of them not zero."""
        return str(self.random.randrange(10 ** (count - 1), 10**count))

    def phone(self) -> str:
        """A telephone number that nobody has."""
        area = self.random.choice(_AREA_CODES)
        return f"({area}) 555-01{self.random.randrange(100):02d}"

    def npi(self) -> str:
        """Ten digits with a correct check digit."""
        nine = f"1{self.digits(8)}"
        return nine + check_digit(nine)

    def place(self) -> tuple[str, str, str, str]:
        """Street, town, state, postcode."""
        street = f"{self.random.randrange(100, 9900)} {self.random.choice(_STREETS)}"
        return (street, *self.random.choice(_PLACES))

    def person(self) -> Person:
        """The next patient."""
        number, self._drawn = self._drawn, self._drawn + 1
        sex = "Female" if number % 2 == 0 else "Male"
        names = self._female if sex == "Female" else self._male
        street, town, state, postcode = self.place()
        return Person(
            first=names[number // 2 % len(names)],
            last=self._last[number % len(self._last)],
            born=dt.date(self.random.randrange(1941, 2004), 1, 1)
            + dt.timedelta(days=self.random.randrange(365)),
            sex=sex,
            phone=self.phone(),
            street=street,
            town=town,
            state=state,
            postcode=postcode,
        )

    def provider(self, specialty: str) -> Provider:
        """The next provider of one of the specialties above."""
        first = self.random.choice(_FIRST_FEMALE + _FIRST_MALE)
        last = self.random.choice(_LAST)
        practice = self.random.choice(_PRACTICES[specialty])
        street, town, state, postcode = self.place()
        return Provider(
            name=f"{first} {last}, MD",
            npi=self.npi(),
            practice=practice,
            specialty=specialty,
            phone=self.phone(),
            fax=self.phone(),
            tax_id=f"{self.random.randrange(20, 88)}-{self.digits(7)}",
            address=f"{street}, {town}, {state} {postcode}",
        )

    def cover(self) -> Cover:
        """An insurance cover."""
        letters = "".join(self.random.choice("ACDEFGHJKMNPQRTUVWXY") for _ in range(3))
        return Cover(
            payer=self.random.choice(_PAYERS),
            phone=self.phone(),
            fax=self.phone(),
            member_id=f"{letters}{self.digits(9)}",
            group=f"{self.digits(5)}-{self.random.randrange(10, 99)}",
        )

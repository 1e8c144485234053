# SPDX-License-Identifier: Apache-2.0
"""Whether what stands on a filled form is a whole value: half of one is no truth to judge by."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from idp.forms.meaning import Meaning
from idp.values import Kind
from training.forms.people import Person

REST = "rest"
"""City, state and ZIP code in one place after the street's."""
_WHOLE: Mapping[Kind, tuple[frozenset[str], ...]] = {
    Kind.PERSON: (frozenset({"first", "last"}),),
    Kind.ADDRESS: (frozenset({"street", "city", "state", "zip"}), frozenset({"street", REST})),
    Kind.PHONE: (frozenset({"area", "line"}),),
    Kind.DATE: (frozenset({"month", "day", "year"}),),
}
"""The parts without which a value is none. A line of seven digits is both prefix and line."""
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("NAME", "FIRST", "MIDDLE", "LAST"), Kind.PERSON),
    **dict.fromkeys(("ADDRESS", "STREET", "CITY", "STATE", "ZIP"), Kind.ADDRESS),
    **dict.fromkeys(("PHONE", "MOBILE", "FAX"), Kind.PHONE),
    **dict.fromkeys(("DOB", "SIGN_DATE"), Kind.DATE),
}


def lacking(kind: Kind, parts: Collection[str]) -> frozenset[str]:
    """The parts that a group of places lacks to hold a whole value; empty where it holds one."""
    wanted = _WHOLE.get(kind)
    if wanted is None or "" in parts or any(one.issubset(parts) for one in wanted):
        return frozenset()
    return min((one.difference(parts) for one in wanted), key=len)


def lacking_in(asked: Sequence[Meaning]) -> frozenset[str]:
    """The same for places of one group by what each of them asks for."""
    kind = _KINDS.get(asked[0].role)
    parts = {
        REST if meaning.role == "ADDRESS" and meaning.part == "city" else meaning.part
        for meaning in asked
    }
    return lacking(kind, parts) if kind else frozenset()


def says_all(role: str, value: str, person: Person) -> bool:
    """Whether a value says all that there is to say of a person: no name or address cut off."""
    said = value.casefold()
    number = {"PHONE": person.phone, "MOBILE": person.mobile, "FAX": person.fax}.get(role)
    if number is not None:
        return re.sub(r"\D", "", value) == number
    if role == "EMAIL":
        return said == person.email.casefold()
    needed: tuple[str, ...] = ()
    if _KINDS.get(role) is Kind.PERSON:
        needed = (person.first, person.last)
    elif _KINDS.get(role) is Kind.ADDRESS:
        needed = (person.street, person.unit, person.city, person.state, person.zip)
    return all(part.casefold() in said for part in needed)

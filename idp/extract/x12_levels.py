# SPDX-License-Identifier: Apache-2.0
"""The hierarchical levels (HL) of a transaction set, and the people that its levels speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from idp.document import Field
from idp.extract.x12_listed import Listed, clean, day, person_field
from idp.x12 import TransactionSet, X12Segment

SUBSCRIBER, DEPENDENT = "22", "23"
_MOST_LEVELS_UP = 20


@dataclass
class Level:
    """An HL and the segments up to the next; the first has none and holds what comes before."""

    code: str
    number: str = ""
    parent: str = ""
    segments: list[X12Segment] = field(default_factory=list)

    def named(self, *entities: str) -> X12Segment | None:
        """The first NM1 of one of the entities (NM101)."""
        return next((s for s in self.segments if s.id == "NM1" and s[1] in entities), None)

    def after(self, name: X12Segment, *ids: str) -> list[X12Segment]:
        """The segments with these ids that belong to a name: up to the next name."""
        found: list[X12Segment] = []
        for segment in self.segments:
            if segment.number <= name.number:
                continue
            if segment.id == "NM1":
                break
            if segment.id in ids:
                found.append(segment)
        return found


@dataclass(frozen=True)
class Patient:
    """Who a transaction set is about: the name, whose member number it is, the birth date."""

    name: X12Segment
    member: X12Segment
    birth: X12Segment | None

    @property
    def key(self) -> tuple[str, ...]:
        """The same for the same person."""
        own = (clean(self.name[3]), clean(self.name[4]), clean(self.member[9]))
        return tuple(part.upper() for part in own)


def levels(transaction: TransactionSet) -> list[Level]:
    """The levels in order, none left out."""
    found = [Level("")]
    for segment in transaction.segments:
        if segment.id == "HL":
            found.append(Level(clean(segment[3]), clean(segment[1]), clean(segment[2])))
        found[-1].segments.append(segment)
    return found


def patients(found: Sequence[Level]) -> list[Patient]:
    """The patients, each once: the dependents, the subscribers that have none, the named.

    Without subscriber levels (834, 277CA) they are who is named patient, or else insured.
    """
    by_number = {level.number: level for level in found if level.number}
    with_dependents = {level.parent for level in found if level.code == DEPENDENT}
    people: list[Patient] = []
    for level in found:
        if level.code == SUBSCRIBER and level.number not in with_dependents:
            name = level.named("IL", "QC")
            people += [_patient(level, name, name)] if name else []
        elif level.code == DEPENDENT:
            name = level.named("QC", "03", "IL")
            above = _subscriber(level, by_number)
            member = above.named("IL") if above else None
            people += [_patient(level, name, member or name)] if name else []
    if not people:
        for entities in (("QC",), ("IL", "74")):
            for level in found:
                for segment in level.segments:
                    if segment.id == "NM1" and segment[1] in entities:
                        people.append(_patient(level, segment, segment))
            if people:
                break
    return list({patient.key: patient for patient in reversed(people)}.values())[::-1]


def _subscriber(level: Level, by_number: dict[str, Level]) -> Level | None:
    above = by_number.get(level.parent)
    for _ in range(_MOST_LEVELS_UP):
        if above is None or above.code == SUBSCRIBER:
            return above
        above = by_number.get(above.parent)
    return None


def _patient(level: Level, name: X12Segment, member: X12Segment) -> Patient:
    births = level.after(name, "DMG")
    return Patient(name, member, births[0] if births else None)


def patient_fields(listed: Listed, patient: Patient) -> list[Field]:
    """Name, birth date and member number."""
    fields = person_field(listed, "patient_name", patient.name)
    if patient.birth is not None and clean(patient.birth[2]):
        fields.append(date_field(listed, "patient_dob", patient.birth, 2, patient.birth[2]))
    if clean(patient.member[9]):
        fields.append(listed.field("member_id", patient.member, 9))
    return fields


def date_field(
    listed: Listed, field_name: str, segment: X12Segment, element: int, text: str
) -> Field:
    """A date; what is none stays as it stands, and a rule will say so."""
    found = day(text)
    value = found.isoformat() if found else clean(text)
    return listed.field(field_name, segment, element, value, raw=text)


def period(segment: X12Segment) -> tuple[str, str]:
    """Begin and end of a DTP: both the same for a single day (D8); end empty where it is open."""
    first, _, last = segment[3].partition("-")
    return first, last if segment[2] == "RD8" else first

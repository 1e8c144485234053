# SPDX-License-Identifier: Apache-2.0
"""What is filled in: the items of each section of a form, for one document."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import replace

from training.score import judged_fields
from training.synthesise import values
from training.synthesise.family import Family
from training.synthesise.layout import Item

REVIEW = (
    ("Standard", "Expedited"),
    ("Routine", "Urgent"),
    ("Non-Urgent", "Urgent"),
    ("Standard Review", "Expedited Review"),
    ("Standard", "Urgent", "Retrospective"),
    ("Routine", "Urgent", "STAT"),
)
REQUEST = (
    ("Initial", "Renewal"),
    ("Initial Request", "Extension"),
    ("New", "Continuation"),
    ("New Request", "Reauthorization", "Amendment"),
    ("Initial", "Concurrent", "Retrospective"),
)
PLACES = (
    ("Inpatient", "Outpatient", "Office"),
    ("Office", "Home", "Outpatient Hospital", "Ambulatory Surgery Center"),
    ("Inpatient", "Outpatient", "Provider Office", "Observation", "Home", "Day Surgery"),
)
MEANT: Mapping[str, Mapping[str, str]] = {
    "review_type": {
        **dict.fromkeys(("Standard", "Routine", "Non-Urgent", "Standard Review"), "standard"),
        **dict.fromkeys(("Expedited", "Urgent", "Expedited Review", "STAT"), "expedited"),
    },
    "request_type": {
        **dict.fromkeys(("Initial", "Initial Request", "New", "New Request"), "initial"),
        **dict.fromkeys(("Renewal", "Reauthorization"), "renewal"),
        **dict.fromkeys(("Extension", "Continuation", "Concurrent"), "extension"),
        "Amendment": "amendment",
        "Retrospective": "retrospective",
    },
    "place_of_service": {
        **dict.fromkeys(("Outpatient", "Outpatient Hospital"), "outpatient"),
        **dict.fromkeys(("Office", "Provider Office"), "office"),
        "Inpatient": "inpatient",
        "Home": "home",
        "Observation": "observation",
        "Day Surgery": "day surgery",
        "Ambulatory Surgery Center": "ambulatory surgical center",
    },
}
"""What a printed choice means, in the words of the schemas: the truth is what was chosen, not how a
form words it. "Retrospective" among the urgencies is no urgency: such an answer is not judged."""


class Content:
    """The people and facts of one document, and the items they fill.

    Args:
        family: The layout.
        rng: Source of chance of this document.
    """

    def __init__(self, family: Family, rng: random.Random) -> None:
        self.family, self.rng, self.split = family, rng, family.split
        self.style = family.style
        self.payer = values.pick(rng, "payers", self.split)
        self._once: dict[str, str] = {}
        self.day = values.date_between(rng, dt.date(2023, 1, 2), dt.date(2026, 11, 20))
        self.start = self.day + dt.timedelta(days=rng.randint(1, 30))
        self.end = self.start + dt.timedelta(days=rng.choice((0, 30, 60, 90, 180, 364)))
        birth = values.date_between(rng, dt.date(1932, 1, 1), dt.date(2021, 12, 31))
        self.birth = values.print_date(birth, self.style.dob)
        self.patient = values.person(rng, self.split)
        self.codes = [values.diagnosis(rng, self.split) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
        self.services = [
            values.procedure(rng, self.split) for _ in range(rng.choice((1, 1, 2, 2, 3)))
        ]

    def once(self, key: str, text: str) -> str:
        """The document's one value of a kind: who is asked again answers the same again."""
        return self._once.setdefault(key, text)

    def blank(self, share: float = 0.12) -> bool:
        """Whether this one is left blank."""
        return self.rng.random() < share

    def date(self, day: dt.date) -> str:
        """A date as this family prints it."""
        return values.print_date(day, self.style.date)

    def known(self, name: str) -> str | None:
        """The field's name, if the evaluation judges it for this type."""
        table = judged_fields()
        return name if table.counts(table.canonical(name), self.family.kind) else None

    def item(
        self,
        key: str,
        role: str,
        text: str | list[str],
        *,
        party: str = "",
        name: str | None = None,
        naming: bool | None = None,
        blank: float = 0.12,
        weight: float = 1.0,
        long: bool = False,
    ) -> Item:
        """One labelled value; blank with the given chance."""
        texts = [text] if isinstance(text, str) else text
        if self.style.caps_values and role not in ("EMAIL",):
            texts = [t.upper() for t in texts]
        return Item(
            key=key,
            label=self.family.label(key, party, naming=naming),
            role=role,
            party=party,
            field=self.known(name or ""),
            texts=() if self.blank(blank) else tuple(texts),
            weight=weight,
            long=long,
        )

    def options(
        self, key: str, role: str, name: str, sets: tuple[tuple[str, ...], ...], *, text: bool
    ) -> Item:
        """A group of check boxes, or its answer in words."""
        options = sets[self.family.index % len(sets)]
        chosen = None if self.blank(0.1) else self.rng.randrange(len(options))
        label = self.family.label(key)
        truth = self._meant(name, None if chosen is None else options[chosen])
        if text:
            texts = () if chosen is None else (options[chosen],)
            return Item(key, label, role, texts=texts, truth=truth)
        return Item(
            key,
            label,
            role,
            options=options,
            chosen=chosen,
            weight=len(options) * 0.75,
            truth=truth,
        )

    def _meant(self, name: str, printed: str | None) -> tuple[str, str] | None:
        """The truth of a choice: its field and option; ``None`` when nobody could tell."""
        if self.known(name) is None:
            return None
        meant = "" if printed is None else MEANT[judged_fields().canonical(name)].get(printed)
        return None if meant is None else (name, meant)

    # -- parties ---------------------------------------------------------------------------

    def person_items(self, party: str, *, split: bool, naming: bool | None) -> list[Item]:
        """A name, in one place or in two or three."""
        name = "patient_name" if party == "patient" else f"{party}_name"
        parts = self.patient if party == "patient" else values.person(self.rng, self.split)
        whole = values.print_name(parts, self.style.name)
        if not split:
            return [
                self.item(
                    "name",
                    "NAME",
                    whole,
                    party=party,
                    name=name,
                    naming=naming,
                    blank=0.03,
                    weight=1.4,
                )
            ]
        first, middle, last = parts
        joined = " ".join(filter(None, (first, middle, last)))
        truth = (name, joined) if self.known(name) else None
        last_item = self.item("last_name", "LAST", last, party=party, naming=naming, blank=0)
        first_item = self.item("first_name", "FIRST", first, party=party, naming=False, blank=0)
        items = [replace(last_item, truth=truth), first_item]
        middle_item = self.item("middle_name", "MIDDLE", middle, party=party, blank=0, weight=0.4)
        return [*items, replace(middle_item, texts=(middle,) if middle else ())]

    def address_items(self, party: str, *, split: bool, naming: bool | None) -> list[Item]:
        """An address, in one place or in four."""
        street, city, state, zip_code = values.address(self.rng, self.split)
        name = f"{party}_address"
        key = "address" if party == "patient" else "office_address"
        whole = f"{street}, {city}, {state} {zip_code}"
        if not split:
            return [
                self.item(key, "ADDRESS", whole, party=party, name=name, naming=naming, weight=2.2)
            ]
        if self.blank():
            parts = ("", "", "", "")
            truth = (name, "") if self.known(name) else None
        else:
            parts = (street, city, state, zip_code)
            truth = (name, whole) if self.known(name) else None
        weights = (1.8, 1.0, 0.4, 0.6)
        roles = ("STREET", "CITY", "STATE", "ZIP")
        items = []
        for key_, role, text, weight in zip(
            (key, "city", "state", "zip"), roles, parts, weights, strict=True
        ):
            item = self.item(key_, role, text, party=party, naming=False, blank=0, weight=weight)
            items.append(replace(item, texts=(text,) if text else ()))
        items[0] = replace(items[0], truth=truth)
        return items

    def sex_item(self) -> Item:
        """Sex, as check boxes or as a word."""
        options = (("Male", "Female"), ("M", "F"), ("Male", "Female", "Other"))[
            self.family.index % 3
        ]
        chosen = self.rng.randrange(2)
        label = self.family.label("sex", "patient")
        field = self.known("patient_sex")
        if self.family.index % 2:
            text = self.rng.choice((options[chosen], options[chosen][0]))
            texts = () if self.blank() else (text,)
            return Item("sex", label, "SEX", "patient", field, texts, weight=0.5)
        none = self.blank()
        return Item(
            "sex",
            label,
            "SEX",
            "patient",
            field,
            options=options,
            chosen=None if none else chosen,
            weight=0.9,
        )

    def provider(self, party: str, *, company: bool) -> str:
        """A clinician, or a company where a facility may stand."""
        if company:
            return values.practice(self.rng, self.split)
        return values.provider_name(self.rng, self.split, self.style.provider)

    def number(self, key: str, role: str, party: str, name: str, naming: bool | None) -> Item:  # noqa: FBT001
        """A telephone or fax number of a party."""
        text = values.phone(self.rng, self.style.phone)
        return self.item(key, role, text, party=party, name=name, naming=naming)

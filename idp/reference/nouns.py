# SPDX-License-Identifier: Apache-2.0
"""What look-ups answer, and what is kept about each import."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

MOST_LINES_NAMED = 1_000


class Entry(NamedTuple):
    """A code of a list, as its publisher describes it."""

    kind: str
    code: str
    title: str = ""
    description: str = ""
    start: dt.date | None = None
    stop: dt.date | None = None
    """The last day on which it counts."""
    modified: dt.date | None = None
    billable: bool | None = None
    """For diagnoses: whether it is a code in full; none where the list does not say."""
    edition: str = ""

    def active_on(self, day: dt.date) -> bool:
        """Whether the code counts on that day."""
        return (self.start is None or self.start <= day) and (self.stop is None or day <= self.stop)


class Provider(NamedTuple):
    """Who has an NPI, as NPPES says it."""

    npi: str
    entity: int | None
    """1 is a person, 2 an organisation; none where NPPES took the entry back."""
    names: tuple[str, ...]
    """The legal name first, then other names."""
    city: str = ""
    state: str = ""
    zip: str = ""
    phone: str = ""
    taxonomies: tuple[str, ...] = ()
    """NUCC codes, the primary one first."""
    deactivated: dt.date | None = None
    reactivated: dt.date | None = None
    edition: str = ""

    def active_on(self, day: dt.date) -> bool:
        """Whether the NPI is in force; a deactivation counts from its day."""
        if self.deactivated is None or self.deactivated > day:
            return True
        return self.reactivated is not None and self.deactivated <= self.reactivated <= day


class Combination(NamedTuple):
    """A line of the CORE table: what a payer may say together in a business scenario."""

    scenario: str
    carc: str
    rarc: str
    groups: frozenset[str]


class Diagnosis(NamedTuple):
    """What the ICD-10-CM edition of a day says of a code."""

    known: bool
    billable: bool
    edition: str


class Update(BaseModel):
    """A file that was imported: whole, or to renew single entries of an edition."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Of the event on the audit record."""
    edition: str
    file: str
    """The name of what was imported, without its folder."""
    sha256: str
    rows: int
    refused: int
    imported_at: dt.datetime
    by: str


class Edition(Update):
    """What is in force of a kind, as it stands in its file; ``rows`` are those there are now."""

    kind: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    """For kinds whose editions stand side by side: first and last date of service."""
    refused_lines: tuple[int, ...] = ()
    """The first lines that were refused, by number; never what stands in them."""
    layout_version: int
    updates: tuple[Update, ...] = ()

    @property
    def version(self) -> str:
        """Edition and content, for the record of a decision."""
        content = self.updates[-1].sha256 if self.updates else self.sha256
        last = self.updates[-1].edition if self.updates else self.edition
        return f"{last} {content[:12]}"

    @property
    def last_import(self) -> dt.datetime:
        """When it was imported, or last renewed."""
        return self.updates[-1].imported_at if self.updates else self.imported_at

    def events(self) -> list[dict[str, str | None]]:
        """What the audit record says of it: one event per file that went into it."""
        return [
            {
                "id": each.id,
                "action": "reference_imported",
                "at": each.imported_at.isoformat(),
                "by": each.by,
                "kind": self.kind,
                "edition": each.edition,
                "sha256": each.sha256,
                "rows": str(each.rows),
                "refused": str(each.refused),
            }
            for each in [self, *self.updates]
        ]

    def covers(self, day: dt.date) -> bool:
        """Whether it is the edition for services of that day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )

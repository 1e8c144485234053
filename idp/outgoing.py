# SPDX-License-Identifier: Apache-2.0
"""The nouns of what leaves: deliveries as people see them, and what becomes of them elsewhere.

Ids, codes, counts and times only, so all of it may be printed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands, in the words of ``idp deliver list --state``."""

    WAITING = "waiting"
    """It is at work, or is begun within a second."""
    PUT_OFF = "put_off"
    """The last attempt came to nothing; the next one has a time."""
    DEAD = "dead"
    """Given up: the document is in quarantine until somebody retries it."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One version of a document on its way out. ``trouble`` is a code; times are aware."""

    document_id: str
    type: str | None
    version: int
    key: str
    state: DeliveryState
    attempts: int
    trouble: str | None
    due_at: dt.datetime | None
    created_at: dt.datetime
    done_at: dt.datetime | None
    location: str | None


@dataclass(frozen=True, slots=True)
class Retried:
    """Which documents' deliveries begin now."""

    dead: tuple[str, ...]
    """They were given up."""
    put_off: tuple[str, ...]
    """They would have begun later."""

    @property
    def number(self) -> int:
        return len(self.dead) + len(self.put_off)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in seconds: the middle, and what nine of ten stay below."""

    number: int
    median: float
    p90: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread | None:
        """Of these; ``None`` of none. The nearest rank: a time that was really taken."""
        if not seconds:
            return None
        ranked = sorted(seconds)
        last = len(ranked) - 1
        return cls(len(ranked), ranked[round(last * 0.5)], ranked[-(-last * 9 // 10)])


@dataclass(frozen=True, slots=True)
class WorkCount:
    """The open work items of one document type in the other system."""

    type: str
    open: int
    unassigned: int
    overdue: int
    """By our clock: the time limit of the document has passed."""
    oldest_at: dt.datetime
    """When the one that waits longest was handed over."""


@dataclass(frozen=True, slots=True)
class HandoverFigures:
    """What lies in the other system because of us, and how long people there take."""

    work: tuple[WorkCount, ...] = ()
    by_age: tuple[tuple[str, int], ...] = ()
    """Open work items by how long they lie there."""
    done: int = 0
    cancelled: int = 0
    deleted: int = 0
    """Records of ours that somebody deleted there; they are not made again."""
    uncertain: int = 0
    """Writing them began and nobody knows whether it ended; the next attempt finds out."""
    to_delivered: Spread | None = None
    """From arrival to hand-over; these four over the documents of :attr:`days`."""
    to_assigned: Spread | None = None
    to_done: Spread | None = None
    """From being assigned to being done."""
    whole: Spread | None = None
    """From arrival to done."""
    days: int = 30
    read_at: dt.datetime | None = None
    """When work items were read back last."""

    @property
    def open(self) -> int:
        return sum(each.open for each in self.work)

    @property
    def unassigned(self) -> int:
        return sum(each.unassigned for each in self.work)

    @property
    def overdue(self) -> int:
        return sum(each.overdue for each in self.work)

    def __bool__(self) -> bool:
        return bool(self.open or self.done or self.cancelled or self.deleted or self.uncertain)


@dataclass(frozen=True, slots=True)
class Placed:
    """One record in the other system that is there because of a document."""

    role: str
    model: str
    record_id: int | None
    version: int
    gone: bool
    written_at: dt.datetime | None
    state: str | None = None
    stage: str | None = None
    assignee: str | None = None
    assigned_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    link: str | None = None
    """Its address for a browser."""


def link_to(url: str | None, model: str, record_id: int | None) -> str | None:
    """The address that leads to a record in Odoo's own screens, by way of its sign-in page.

    It is the one in Odoo's own mails; every release has it.
    """
    if url is None or record_id is None:
        return None
    return f"{url.rstrip('/')}/mail/view?model={model}&res_id={record_id}"


def linked(placed: Sequence[Placed], url: str | None) -> tuple[Placed, ...]:
    """The records with their addresses; what was deleted there has none."""
    return tuple(
        replace(each, link=None if each.gone else link_to(url, each.model, each.record_id))
        for each in placed
    )


def in_words(seconds: float) -> str:
    """A length of time in its largest fitting unit: ``40 s``, ``12 min``, ``5.5 h``, ``3 d``."""
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.{int(unit == 'h' and seconds < 36_000)}f} {unit}"
    return f"{seconds / 86_400:.0f} d"

# SPDX-License-Identifier: Apache-2.0
"""The clocks on documents: set with a result, stepped up by the sweep, stopped by a delivery.

A document carries its first clock: the rule, since when, until when, how many steps of the
escalation it has run down, and when the next is due (``escalate_at``, which is indexed: the sweep
costs the same whether ten documents wait or a hundred thousand).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.clocks import Step
from idp.document import Document
from idp.store import record
from idp.store.queries import Queries
from idp.store.rows import CLOCK_STOPPED, ClockCounts, DocumentRow, DueClock, Escalated, State
from idp.store.tables import DocumentRecord

OVERDUE_ONLY = (Step(used=1.0, state="overdue", priority=1),)
"""The steps where nobody says otherwise."""

_RUNNING = tuple(state.value for state in State if state not in CLOCK_STOPPED)


class Clocks(Queries):
    """Escalation, and what may be asked of clocks."""

    _engine: sa.Engine
    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]
    steps: Sequence[Step]

    def escalate(self, limit: int = 500) -> tuple[Escalated, ...]:
        """Step up to ``limit`` documents whose clock has come to its next step, in one transaction.

        Those that waited longest come first. Killed before the end, nothing of it has happened and
        the next call does it; a step that is on the record is never done twice.
        """
        now = self._clock()
        due = (
            sa.select(DocumentRecord)
            .where(DocumentRecord.escalate_at <= now)
            .order_by(DocumentRecord.escalate_at)
            .limit(limit)
        )
        with Session(self._engine) as session:
            # Asked without the write lock first: most of the time there is nothing to do.
            if session.scalars(due.limit(1)).first() is None:
                return ()
        done: list[Escalated] = []
        with Session(self._writing) as session, session.begin():
            # In the order in which arrivals take these locks: the chain's before a row's.
            record.lock_chain(session)
            for document in session.scalars(due.with_for_update(skip_locked=True)).all():
                if stepped := self._step(session, document, now):
                    done.append(stepped)
        return tuple(done)

    def clock_counts(self) -> ClockCounts:
        """How many documents run by a clock, by the step it has come to; overdue ones by the time.

        A document counts until it is delivered or found to be a duplicate.
        """
        now = self._clock()
        overdue = DocumentRecord.due_at <= now
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(DocumentRecord.escalation, overdue, sa.func.count())
                .where(DocumentRecord.state.in_(_RUNNING), DocumentRecord.due_at.is_not(None))
                .group_by(DocumentRecord.escalation, overdue)
            ).all()
        last = len(self.steps)
        by_state = dict.fromkeys(("running", *(step.state for step in self.steps)), 0)
        for level, late, number in found:
            state = self._state_of(last if late else min(level, last - 1))
            by_state[state] += number
        return ClockCounts(by_state, by_state[self.steps[-1].state])

    def waiting(self, limit: int = 50) -> tuple[DocumentRow, ...]:
        """Documents that wait for a person, what must be worked first at the top."""
        # A list for each state comes ready from the index; one for both would be sorted whole.
        found = [
            row
            for state in (State.REVIEW, State.QUARANTINED)
            for row in self._rows(
                DocumentRecord.state == state,
                order=(DocumentRecord.priority, DocumentRecord.due_at, DocumentRecord.id),
                limit=limit,
            )
        ]
        found.sort(key=lambda row: (row.priority, row.clock_due_at or row.received_at, row.id))
        return tuple(found[:limit])

    def overdue(self) -> int:
        """How many documents nobody decided in time; quick where they are few."""
        with Session(self._engine) as session:
            return session.execute(
                sa.select(sa.func.count())
                .select_from(DocumentRecord)
                .where(DocumentRecord.state.in_(_RUNNING), DocumentRecord.due_at <= self._clock())
            ).scalar_one()

    def set_clock(self, document_id: str, document: Document, *, actor: str) -> DocumentRow:
        """Set urgency, clock and priority anew: a person changed what they follow from.

        Args:
            document_id: Of the row.
            document: As judged again, with its urgency, clocks and priority.
            actor: Who changed it, for the record.

        Raises:
            NotFoundError: There is no such document.
        """
        self.row(document_id)
        with Session(self._writing) as session, session.begin():
            found = session.get_one(DocumentRecord, document_id, with_for_update=True)
            before = (found.urgency, found.clock, found.due_at)
            self._take_clock(found, document)
            if before != (found.urgency, found.clock, found.due_at):
                record.append(
                    session,
                    at=self._clock(),
                    actor=actor,
                    action="clock_set",
                    arrival_id=found.arrival_id,
                    document_id=document_id,
                    detail={"clock": found.clock, "urgency": found.urgency},
                )
        return self.row(document_id)

    def _take_clock(self, found: DocumentRecord, document: Document) -> None:
        """Write a result's urgency, first clock and priority to its row.

        What can't be read and has no clocks of its own keeps those of its arrival.
        """
        if document.error is not None and not document.clocks:
            return
        found.urgency = document.urgency.level if document.urgency is not None else None
        first = document.clocks[0] if document.clocks else None
        self._start_clock(
            found,
            None if first is None else DueClock(first.rule, first.starts_at, first.due_at),
            document.priority,
        )

    def _start_clock(
        self, found: DocumentRecord, clock: DueClock | None, priority: int | None
    ) -> None:
        if priority is not None:
            found.priority = priority
        found.clock = clock.rule if clock is not None else None
        found.clock_starts_at = clock.starts_at if clock is not None else None
        found.due_at = clock.due_at if clock is not None else None
        # A later end takes steps back; the sweep does the others, so that each is on the record.
        found.escalation = min(found.escalation or 0, self._level(found, self._clock()))
        found.escalate_at = self._next_step(found)
        self._press(found)

    def _step(
        self, session: Session, document: DocumentRecord, now: dt.datetime
    ) -> Escalated | None:
        level, before = self._level(document, now), document.escalation
        document.escalation = max(level, before)
        document.escalate_at = self._next_step(document)
        self._press(document)
        if level <= before:
            return None
        state = self._state_of(level)
        record.append(
            session,
            at=now,
            actor="clock",
            action=f"clock_{state}",
            arrival_id=document.arrival_id,
            document_id=document.id,
            detail={"clock": document.clock, "step": level},
        )
        return Escalated(document.id, document.clock or "", state)

    def _state_of(self, level: int) -> str:
        return "running" if level <= 0 else self.steps[level - 1].state

    def _level(self, document: DocumentRecord, now: dt.datetime) -> int:
        """How many steps a document's clock has run down."""
        return sum(at <= now for at in self._times(document))

    def _next_step(self, document: DocumentRecord) -> dt.datetime | None:
        if document.state in CLOCK_STOPPED:
            return None
        return next(iter(self._times(document)[document.escalation :]), None)

    def _times(self, document: DocumentRecord) -> list[dt.datetime]:
        """When each step comes; at once where the clock ended before it began."""
        starts_at, due_at = document.clock_starts_at, document.due_at
        if starts_at is None or due_at is None:
            return []
        return [starts_at + max(due_at - starts_at, dt.timedelta()) * s.used for s in self.steps]

    def _press(self, document: DocumentRecord) -> None:
        """Raise the priority to what the steps so far ask for."""
        ceilings = [s.priority for s in self.steps[: document.escalation] if s.priority is not None]
        if document.priority is not None:
            document.priority = min([document.priority, *ceilings])

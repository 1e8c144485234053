# SPDX-License-Identifier: Apache-2.0
"""The store: each method is one transaction, safe to repeat after a kill.

Work is begun and finished with a token, the *job*: a segment that shows another token than the
one on the row (a late one, one whose job was given away) changes nothing.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.clocks import Step
from idp.errors import AlreadyRunningError, WrongStateError
from idp.settings import DuplicatePolicy
from idp.store import database, jobs, record
from idp.store.clocks import OVERDUE_ONLY
from idp.store.content import ContentStore, Kept
from idp.store.cuts import Cuts
from idp.store.delivering import Delivering
from idp.store.handovers import Handovers
from idp.store.identity import new_id
from idp.store.jobs import PROCESS, Enqueue
from idp.store.ledger import Ledger
from idp.store.outgoing import OutgoingQueries
from idp.store.people import People
from idp.store.processing import Processing
from idp.store.queries import as_arrival
from idp.store.rows import (
    TO_DELIVER,
    TO_PROCESS,
    ArrivalRow,
    DocumentRow,
    LedgerRow,
    NewArrival,
    State,
)
from idp.store.tables import Arrival, Delivery, DocumentRecord

_RUNNING_LOCK = 7236473
_BATCH = 500
"""Jobs named in one statement: databases limit its parameters."""


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Store(Processing, Delivering, Cuts, Ledger, People, Handovers, OutgoingQueries):
    """Our tables and the content store beside them; see :mod:`idp.store`. Safe for threads."""

    def __init__(
        self,
        database_url: str,
        content: Path,
        *,
        clock: Callable[[], dt.datetime] = _utc_now,
        steps: Sequence[Step] = OVERDUE_ONLY,
    ) -> None:
        """Open a store.

        Args:
            database_url: SQLAlchemy URL.
            content: Folder of the content store.
            clock: The time; for tests.
            steps: How documents escalate while their clock runs down; the last is overdue.
        """
        self.database_url = database_url
        self.content = ContentStore(content)
        self._engine = database.connect(database_url)
        self._writing = database.writing(self._engine)
        self._clock = clock
        self.steps = tuple(steps)
        self._finishing = threading.Lock()

    def migrate(self) -> None:
        """Make or bring up the tables. Idempotent; ``idp run`` does it at each start."""
        database.migrate(self._engine)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the database for the one process that works on it.

        SQLite files lie in the data folder, which has a lock of its own. Raises
        :class:`AlreadyRunningError`.
        """
        if self._engine.dialect.name != "postgresql":
            yield
            return
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # Held by the session: the server lets go when this process or its machine dies.
            held = connection.execute(
                sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _RUNNING_LOCK}
            ).scalar_one()
            if not held:
                raise AlreadyRunningError("another process works on this database")
            try:
                yield
            finally:
                with suppress(sa.exc.DBAPIError):
                    connection.execute(
                        sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _RUNNING_LOCK}
                    )
                # Never give a session back to the pool that might still hold the lock.
                connection.invalidate()

    def record_arrival(
        self,
        arrival_id: str,
        *,
        channel: str,
        name: str,
        kept: Kept,
        received_at: dt.datetime,
        priority: int,
        queue: str = PROCESS,
        site: str | None = None,
        sidecar: tuple[str, str] | None = None,
        exact_duplicates: DuplicatePolicy = "skip",
        ledger: Sequence[LedgerRow] = (),
        enqueue: Enqueue | None = None,
    ) -> ArrivalRow:
        """Record a file that is in the content store, and enqueue it, in one transaction.

        The same ``arrival_id`` again returns the row that is there. Bytes that arrived before
        are linked to their first arrival; with the policy ``skip`` they are recorded as a
        duplicate and not enqueued, with the others they are worked (empty files are never
        duplicates: each is a transfer of its own that failed). Without ``enqueue`` the sweep
        finds it. ``sidecar`` is the name and the sha256 of what describes the file, in the
        content store as well; ``ledger`` is what a read-only share is to be remembered by.
        """
        (row,) = self.record_arrivals(
            [
                NewArrival(
                    id=arrival_id,
                    channel=channel,
                    name=name,
                    sha256=kept.sha256,
                    size_bytes=kept.size_bytes,
                    received_at=received_at,
                    priority=priority,
                    queue=queue,
                    site=site,
                    sidecar=sidecar,
                    exact_duplicates=exact_duplicates,
                    ledger=tuple(ledger),
                )
            ],
            enqueue=enqueue,
        )
        return row

    def record_arrivals(
        self, arrivals: Sequence[NewArrival], *, enqueue: Enqueue | None = None
    ) -> tuple[ArrivalRow, ...]:
        """Record several files in one transaction: all or none; see :meth:`record_arrival`.

        A burst is recorded this way: the disk is asked once for many.
        """
        with Session(self._writing) as session, session.begin():
            # Before the locks of the bytes: two batches would else wait for each other.
            record.lock_chain(session)
            return tuple(self._record(session, arrival, enqueue) for arrival in arrivals)

    def _record(self, session: Session, new: NewArrival, enqueue: Enqueue | None) -> ArrivalRow:
        known = session.get(Arrival, new.id)
        if known is not None:
            return as_arrival(known)
        first = self._first_arrival(session, new)
        worked = first is None or new.exact_duplicates != "skip"
        now = self._clock()
        arrival = Arrival(
            id=new.id,
            channel=new.channel,
            name=new.name,
            sha256=new.sha256,
            size_bytes=new.size_bytes,
            received_at=new.received_at,
            priority=new.priority,
            queue=new.queue,
            site=new.site,
            sidecar_name=new.sidecar[0] if new.sidecar else None,
            sidecar_sha256=new.sidecar[1] if new.sidecar else None,
            duplicate_of=first,
            job_number=0,
            attempts=0,
            failures=0,
            due_at=now if worked else None,
        )
        session.add(arrival)
        session.flush()
        document = DocumentRecord(
            id=new_id(now),
            arrival_id=new.id,
            ordinal=1,
            state=(State.RECEIVED if worked else State.DUPLICATE).value,
            pages=[],
            missing=0,
            reasons=[],
            escalation=0,
            priority=new.priority,
        )
        if new.clock is not None:
            self._start_clock(document, new.clock, new.document_priority)
        record.birth(
            session,
            document,
            at=now,
            actor="inbox",
            action="arrived",
            detail={
                "channel": new.channel,
                "sha256": new.sha256,
                "size_bytes": new.size_bytes,
                "duplicate_of": first,
            },
        )
        self._remember(session, new.channel, new.id, new.ledger)
        if enqueue is not None and worked:
            jobs.start(session, arrival, new.priority, enqueue)
        return as_arrival(arrival)

    def start_due(self, enqueue: Enqueue, limit: int = 100) -> int:
        """Enqueue up to ``limit`` of each kind of work that is due and has no job.

        Returns how many were enqueued.
        """
        now = self._clock()
        arrivals, deliveries = _due_arrivals(now).limit(limit), _due_deliveries(now).limit(limit)
        with Session(self._engine) as session:
            # Asked without the write lock first: most of the time there is nothing to do.
            if not session.scalars(arrivals).first() and not session.scalars(deliveries).first():
                return 0
        with Session(self._writing) as session, session.begin():
            due_arrivals = session.scalars(
                arrivals.with_for_update(of=Arrival, skip_locked=True)
            ).all()
            for arrival in due_arrivals:
                jobs.start(session, arrival, arrival.priority, enqueue)
            due_deliveries = session.scalars(
                deliveries.with_for_update(of=Delivery, skip_locked=True)
            ).all()
            for delivery in due_deliveries:
                priority = session.scalars(
                    sa.select(Arrival.priority)
                    .join(DocumentRecord, DocumentRecord.arrival_id == Arrival.id)
                    .where(DocumentRecord.id == delivery.document_id)
                ).one()
                jobs.start(session, delivery, priority, enqueue)
            return len(due_arrivals) + len(due_deliveries)

    def reconcile(self, live: Callable[[Sequence[str]], Collection[str]]) -> int:
        """Take work from jobs that the engine no longer knows; :meth:`start_due` starts it anew.

        ``live`` tells which of the given jobs are queued or running. Returns how many were lost.
        """
        with Session(self._engine) as session:
            claimed = [
                *session.scalars(sa.select(Arrival.job).where(Arrival.job.is_not(None))),
                *session.scalars(
                    sa.select(Delivery.job).where(Delivery.job.is_not(None), ~Delivery.done)
                ),
            ]
        known = [job for job in claimed if job is not None]
        lost = sorted(set(known) - set(live(known))) if known else []
        for start in range(0, len(lost), _BATCH):
            self._take_from(lost[start : start + _BATCH])
        return len(lost)

    def requeue(self, document_id: str, *, actor: str) -> DocumentRow:
        """Process a document's packet again; its siblings stay as they are.

        For documents in quarantine, in review, or flagged as duplicate. Raises
        :class:`idp.errors.NotFoundError` or :class:`idp.errors.WrongStateError`.
        """
        self.row(document_id)
        with Session(self._writing) as session, session.begin():
            document = session.get_one(DocumentRecord, document_id, with_for_update=True)
            self._requeue(session, document, actor)
        return self.row(document_id)

    def release(self, document_id: str, *, actor: str) -> DocumentRow:
        """Let a document out of quarantine, or a skipped double: into review as it was read.

        One that was never read is processed again. Raises
        :class:`idp.errors.NotFoundError` or :class:`idp.errors.WrongStateError`.
        """
        self.row(document_id)
        with Session(self._writing) as session, session.begin():
            document = session.get_one(DocumentRecord, document_id, with_for_update=True)
            if document.state not in {State.QUARANTINED, State.DUPLICATE}:
                raise WrongStateError(f"{document_id} is {document.state}, not quarantined")
            if document.result_sha256 is None or not document.pages:
                self._requeue(session, document, actor)
            else:
                record.move(
                    session,
                    document,
                    State.REVIEW,
                    at=self._clock(),
                    actor=actor,
                    action="released",
                )
                jobs.set_aside(session, document)
        return self.row(document_id)

    def note_letter(self, document_id: str, *, actor: str, form: str, items: int) -> None:
        """Put on the record that a draft letter was made, and nothing of what it says.

        Args:
            document_id: The document it is about.
            actor: Who asked for it.
            form: ``pdf`` or ``txt``; behind it ``final`` where it does not call itself a draft.
            items: How many things it asks for.

        Raises:
            NotFoundError: There is no such document.
        """
        row = self.row(document_id)
        with Session(self._writing) as session, session.begin():
            record.append(
                session,
                at=self._clock(),
                actor=actor,
                action="letter_drafted",
                arrival_id=row.arrival_id,
                document_id=document_id,
                detail={"form": form, "items": items},
            )

    def _take_from(self, lost: Sequence[str]) -> None:
        """Make the work of these jobs due now, without a job."""
        now = self._clock()
        with Session(self._writing) as session, session.begin():
            for arrival in session.scalars(
                sa.select(Arrival).where(Arrival.job.in_(lost)).with_for_update()
            ).all():
                record.append(
                    session,
                    at=now,
                    actor="engine",
                    action="job_lost",
                    arrival_id=arrival.id,
                    detail={"job": arrival.job},
                )
                arrival.job, arrival.due_at = None, now
            for delivery in session.scalars(
                sa.select(Delivery).where(Delivery.job.in_(lost)).with_for_update()
            ).all():
                record.append(
                    session,
                    at=now,
                    actor="engine",
                    action="job_lost",
                    document_id=delivery.document_id,
                    detail={"job": delivery.job},
                )
                delivery.job, delivery.due_at = None, now

    def _requeue(self, session: Session, document: DocumentRecord, actor: str) -> None:
        now = self._clock()
        if document.state == State.PROCESSING:
            raise WrongStateError(f"{document.id} is being processed")
        record.move(session, document, State.RECEIVED, at=now, actor=actor, action="requeued")
        document.error = document.hint = None
        jobs.set_aside(session, document)
        arrival = session.get_one(Arrival, document.arrival_id, with_for_update=True)
        if arrival.job is None:
            jobs.renew(arrival, now)

    def _first_arrival(self, session: Session, kept: NewArrival) -> str | None:
        """The arrival that brought these bytes first, ``None`` when this is the first."""
        if kept.size_bytes == 0:
            return None
        if session.get_bind().dialect.name == "postgresql":
            # Two copies at the same moment: the second waits here until the first is recorded.
            session.execute(
                sa.text("SELECT pg_advisory_xact_lock(hashtext(:sha256))"),
                {"sha256": kept.sha256},
            )
        return session.scalars(
            sa.select(Arrival.id)
            .where(Arrival.sha256 == kept.sha256, Arrival.duplicate_of.is_(None))
            .order_by(Arrival.received_at, Arrival.id)
            .limit(1)
        ).first()


def _due_arrivals(now: dt.datetime) -> sa.Select[Arrival]:
    return (
        sa.select(Arrival)
        .where(
            Arrival.job.is_(None),
            Arrival.due_at <= now,
            sa.exists().where(
                DocumentRecord.arrival_id == Arrival.id, DocumentRecord.state.in_(TO_PROCESS)
            ),
        )
        .order_by(Arrival.priority, Arrival.received_at)
    )


def _due_deliveries(now: dt.datetime) -> sa.Select[Delivery]:
    return (
        sa.select(Delivery)
        .where(
            ~Delivery.done,
            Delivery.job.is_(None),
            Delivery.due_at <= now,
            sa.exists().where(
                DocumentRecord.id == Delivery.document_id, DocumentRecord.state.in_(TO_DELIVER)
            ),
        )
        .order_by(Delivery.due_at)
    )

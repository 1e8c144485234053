# SPDX-License-Identifier: Apache-2.0
"""What leaves, for people: which deliveries wait or failed, begin them anew, what became of them.

A delivery is *dead* when it was given up: its document lies in quarantine because of it. It keeps
its trouble until it is retried, or until the document goes another way (``requeue``, ``release``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.outgoing import (
    DeliveryState,
    HandoverFigures,
    Outgoing,
    Placed,
    Retried,
    Spread,
    WorkCount,
)
from idp.store import jobs, record
from idp.store.queries import MOST_ROWS
from idp.store.rows import TO_DELIVER, State
from idp.store.tables import Arrival, Delivery, DocumentRecord, HandoverRecord

_BATCH = 100
"""Deliveries begun anew in one transaction."""
_FIGURE_DAYS = 30
_AGES: tuple[tuple[str, dt.timedelta], ...] = (
    ("under 4 h", dt.timedelta(hours=4)),
    ("under 1 d", dt.timedelta(days=1)),
    ("under 3 d", dt.timedelta(days=3)),
    ("under 7 d", dt.timedelta(days=7)),
)
_OLDEST = "7 d and more"

_DEAD = sa.and_(
    ~Delivery.done,
    Delivery.job.is_(None),
    Delivery.trouble.is_not(None),
    DocumentRecord.state == State.QUARANTINED.value,
)
_ON_ITS_WAY = sa.and_(
    ~Delivery.done, DocumentRecord.state.in_([state.value for state in TO_DELIVER])
)
_LATER = sa.and_(_ON_ITS_WAY, Delivery.job.is_(None), Delivery.trouble.is_not(None))
_CONDITIONS: dict[DeliveryState, sa.ColumnElement[bool]] = {
    DeliveryState.DONE: Delivery.done.is_(True),
    DeliveryState.DEAD: _DEAD,
    DeliveryState.PUT_OFF: _LATER,
    DeliveryState.WAITING: sa.and_(
        _ON_ITS_WAY, sa.or_(Delivery.job.is_not(None), Delivery.trouble.is_(None))
    ),
}
_IS_RECORD = HandoverRecord.role != "reference"
"""The mapping keeps numbers, by which later documents find a work item, under that role."""
_ORDER = (
    DeliveryState.DEAD,
    DeliveryState.PUT_OFF,
    DeliveryState.WAITING,
    DeliveryState.DONE,
)
_UNDONE = frozenset(DeliveryState) - {DeliveryState.DONE}


class OutgoingQueries:
    """Lists deliveries, begins them anew, counts what was handed over."""

    _engine: sa.Engine
    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def outgoing(
        self, states: Collection[DeliveryState] | None = None, limit: int = 100
    ) -> tuple[Outgoing, ...]:
        """Deliveries in these states: dead ones first, each oldest first, done ones newest first.

        Without ``states`` all that are not done.
        """
        wanted = _UNDONE if states is None else frozenset(states)
        found: list[Outgoing] = []
        with Session(self._engine) as session:
            for state in _ORDER:
                if state not in wanted:
                    continue
                order = (
                    Delivery.done_at.desc() if state is DeliveryState.DONE else Delivery.created_at
                )
                rows = session.execute(
                    sa.select(Delivery, DocumentRecord.type)
                    .join(DocumentRecord, DocumentRecord.id == Delivery.document_id)
                    .where(_CONDITIONS[state])
                    .order_by(order, Delivery.id)
                    .limit(min(limit, MOST_ROWS))
                )
                found += [_as_outgoing(delivery, kind, state) for delivery, kind in rows]
        return tuple(found[:limit])

    def outgoing_counts(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state that is not done."""
        counts = {}
        with Session(self._engine) as session:
            for state in sorted(_UNDONE):
                counts[state] = session.scalars(
                    sa.select(sa.func.count())
                    .select_from(Delivery)
                    .join(DocumentRecord, DocumentRecord.id == Delivery.document_id)
                    .where(_CONDITIONS[state])
                ).one()
        return counts

    def retry_deliveries(
        self, document_ids: Collection[str] | None = None, *, actor: str
    ) -> Retried:
        """Begin deliveries that were given up or put off now; the sweep starts them.

        What was given up leaves quarantine with its attempts counted anew. The same call again
        finds nothing left to do; each batch is a transaction of its own, so a kill leaves some of
        them begun and the rest for the next call.

        Args:
            document_ids: Only of these; without it all.
            actor: Who asks, for the record.
        """
        dead, later = self._to_retry(document_ids)
        revived: list[str] = []
        hurried: list[str] = []
        for start in range(0, len(dead), _BATCH):
            with Session(self._writing) as session, session.begin():
                some = dead[start : start + _BATCH]
                revived += [each for each in some if self._revive(session, each, actor)]
        for start in range(0, len(later), _BATCH):
            with Session(self._writing) as session, session.begin():
                some = later[start : start + _BATCH]
                hurried += [each for each in some if self._hurry(session, each, actor)]
        return Retried(tuple(revived), tuple(hurried))

    def _to_retry(self, document_ids: Collection[str] | None) -> tuple[list[str], list[str]]:
        """Documents with a delivery that was given up, and with one that is put off."""
        found: list[list[str]] = []
        with Session(self._engine) as session:
            for condition in (_DEAD, sa.and_(_LATER, Delivery.due_at > self._clock())):
                ids = session.scalars(
                    sa.select(Delivery.document_id)
                    .join(DocumentRecord, DocumentRecord.id == Delivery.document_id)
                    .where(condition)
                    .order_by(Delivery.created_at, Delivery.id)
                )
                found.append([id_ for id_ in ids if document_ids is None or id_ in document_ids])
        return found[0], found[1]

    def _revive(self, session: Session, document_id: str, actor: str) -> bool:
        # The document first: what else happens to one in quarantine locks it first, too.
        document = session.get_one(DocumentRecord, document_id, with_for_update=True)
        delivery = _open_delivery(session, document_id)
        if document.state != State.QUARANTINED or delivery is None or delivery.trouble is None:
            return False  # somebody was quicker
        now = self._clock()
        detail: record.Detail = {"key": delivery.key, "trouble": delivery.trouble}
        record.move(
            session,
            document,
            State.DELIVERING,
            at=now,
            actor=actor,
            action="delivery_retried",
            detail=detail,
        )
        document.error = document.hint = None
        jobs.renew(delivery, now)
        return True

    def _hurry(self, session: Session, document_id: str, actor: str) -> bool:
        delivery = _open_delivery(session, document_id)
        now = self._clock()
        if (
            delivery is None
            or delivery.job is not None
            or delivery.due_at is None
            or delivery.due_at <= now
        ):
            return False
        delivery.due_at = now
        record.append(
            session, at=now, actor=actor, action="retry_now", document_id=delivery.document_id
        )
        return True

    def placed(self, document_id: str) -> tuple[Placed, ...]:
        """Every record in another system because of a document, in order of writing."""
        with Session(self._engine) as session:
            found = session.scalars(
                sa.select(HandoverRecord)
                .where(HandoverRecord.document_id == document_id, _IS_RECORD)
                .order_by(HandoverRecord.intended_at, HandoverRecord.external_id)
            )
            return tuple(_as_placed(row) for row in found)

    def handover_figures(self) -> HandoverFigures:
        """What lies in the other system, and how long people there take."""
        now = self._clock()
        since = now - dt.timedelta(days=_FIGURE_DAYS)
        with Session(self._engine) as session:
            states = session.execute(
                sa.select(HandoverRecord.state, sa.func.count())
                .where(_is_work())
                .group_by(HandoverRecord.state)
            )
            counts = {row[0]: row[1] for row in states}
            deleted, uncertain, read_at = session.execute(
                sa.select(
                    sa.func.count().filter(HandoverRecord.gone, _IS_RECORD),
                    sa.func.count().filter(
                        HandoverRecord.record_id.is_(None), ~HandoverRecord.gone
                    ),
                    sa.func.max(HandoverRecord.seen_at),
                )
            ).one()
            return HandoverFigures(
                work=self._open_work(session, now),
                by_age=self._ages(session, now),
                done=counts.get("done", 0),
                cancelled=counts.get("cancelled", 0),
                deleted=deleted,
                uncertain=uncertain,
                read_at=read_at,
                days=_FIGURE_DAYS,
                **self._spreads(session, since),
            )

    def _open_work(self, session: Session, now: dt.datetime) -> tuple[WorkCount, ...]:
        overdue = sa.and_(DocumentRecord.due_at.is_not(None), DocumentRecord.due_at <= now)
        rows = session.execute(
            sa.select(
                DocumentRecord.type,
                sa.func.count(),
                sa.func.count().filter(HandoverRecord.assignee.is_(None)),
                sa.func.count().filter(overdue),
                sa.func.min(HandoverRecord.intended_at),
            )
            .join(DocumentRecord, DocumentRecord.id == HandoverRecord.document_id)
            .where(_is_work(), _is_open())
            .group_by(DocumentRecord.type)
            .order_by(DocumentRecord.type)
        )
        return tuple(
            WorkCount(kind or "", number, unassigned, late, oldest)
            for kind, number, unassigned, late, oldest in rows
        )

    def _ages(self, session: Session, now: dt.datetime) -> tuple[tuple[str, int], ...]:
        age = sa.case(
            *((HandoverRecord.intended_at > now - longest, name) for name, longest in _AGES),
            else_=_OLDEST,
        )
        rows = session.execute(
            sa.select(age, sa.func.count()).where(_is_work(), _is_open()).group_by(age)
        )
        counts = {row[0]: row[1] for row in rows}
        return tuple((name, counts.get(name, 0)) for name in (*dict(_AGES), _OLDEST))

    def _spreads(self, session: Session, since: dt.datetime) -> dict[str, Spread | None]:
        """Of what was handed over since then; of very many the latest."""
        delivered = (
            sa.select(Delivery.document_id, sa.func.min(Delivery.done_at).label("at"))
            .where(Delivery.done)
            .group_by(Delivery.document_id)
            .having(sa.func.min(Delivery.done_at) > since)
            .subquery()
        )
        rows = session.execute(
            sa.select(
                Arrival.received_at,
                sa.type_coerce(delivered.c.at, Delivery.done_at.type),
                HandoverRecord.assigned_at,
                sa.case((HandoverRecord.state == "done", HandoverRecord.completed_at)),
            )
            .join(DocumentRecord, DocumentRecord.id == HandoverRecord.document_id)
            .join(Arrival, Arrival.id == DocumentRecord.arrival_id)
            .join(delivered, delivered.c.document_id == HandoverRecord.document_id)
            .where(_is_work())
            .order_by(delivered.c.at.desc())
            .limit(MOST_ROWS)
        ).all()
        return {
            "to_delivered": _spread([(row[0], row[1]) for row in rows]),
            "to_assigned": _spread([(row[1], row[2]) for row in rows]),
            "to_done": _spread([(row[2], row[3]) for row in rows]),
            "whole": _spread([(row[0], row[3]) for row in rows]),
        }


def _spread(pairs: Sequence[tuple[dt.datetime | None, dt.datetime | None]]) -> Spread | None:
    """Two clocks may differ by a little: nothing takes less than no time."""
    return Spread.of(
        [
            max((end - start).total_seconds(), 0.0)
            for start, end in pairs
            if start is not None and end is not None
        ]
    )


def _is_work() -> sa.ColumnElement[bool]:
    """Work items; our module's own record counts where nothing else was made to work on."""
    other = sa.orm.aliased(HandoverRecord)
    alone = ~sa.exists().where(
        other.document_id == HandoverRecord.document_id, other.role == "work"
    )
    return sa.or_(
        HandoverRecord.role == "work",
        sa.and_(HandoverRecord.model == "idp.document", alone),
    )


def _is_open() -> sa.ColumnElement[bool]:
    """There, and not known to be dealt with: also what was not read back yet."""
    return sa.and_(
        HandoverRecord.record_id.is_not(None),
        ~HandoverRecord.gone,
        sa.or_(HandoverRecord.state.is_(None), HandoverRecord.state == "open"),
    )


def _open_delivery(session: Session, document_id: str) -> Delivery | None:
    return session.scalars(
        sa.select(Delivery)
        .where(Delivery.document_id == document_id, ~Delivery.done)
        .with_for_update()
    ).first()


def _as_outgoing(delivery: Delivery, kind: str | None, state: DeliveryState) -> Outgoing:
    return Outgoing(
        document_id=delivery.document_id,
        type=kind,
        version=delivery.version,
        key=delivery.key,
        state=state,
        attempts=delivery.attempts,
        trouble=delivery.trouble,
        due_at=delivery.due_at,
        created_at=delivery.created_at,
        done_at=delivery.done_at,
        location=delivery.location,
    )


def _as_placed(row: HandoverRecord) -> Placed:
    return Placed(
        role=row.role,
        model=row.model,
        record_id=row.record_id,
        version=row.version,
        gone=row.gone,
        written_at=row.written_at,
        state=row.state,
        stage=row.stage,
        assignee=row.assignee,
        assigned_at=row.assigned_at,
        completed_at=row.completed_at,
    )

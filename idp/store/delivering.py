# SPDX-License-Identifier: Apache-2.0
"""The ``deliver`` segment's side of the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.store import jobs, record
from idp.store.queries import Queries
from idp.store.rows import TO_DELIVER, DeliverJob, State
from idp.store.tables import Arrival, Delivery, DocumentRecord, PageRecord


class Delivering(Queries):
    """Begin, finish and put off a delivery."""

    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def begin_delivery(self, delivery_id: str, job: str, attempts: int) -> DeliverJob | None:
        """Count an attempt and return what to deliver, or ``None`` when there is nothing to do."""
        with Session(self._writing) as session, session.begin():
            delivery = session.get(Delivery, delivery_id, with_for_update=True)
            if delivery is None or delivery.job != job or delivery.done:
                return None
            document = session.get_one(DocumentRecord, delivery.document_id, with_for_update=True)
            if document.state not in TO_DELIVER:
                delivery.job = None
                return None
            now = self._clock()
            self._delivering(session, document, delivery, now)
            if jobs.worn_out(delivery, attempts):
                jobs.give_up(session, delivery, [document], now)
                return None
            delivery.attempts += 1
            pages = session.scalars(
                sa.select(PageRecord).where(
                    PageRecord.arrival_id == document.arrival_id,
                    PageRecord.part == (document.part or ""),
                    PageRecord.number.in_(document.pages),
                )
            )
            return DeliverJob(
                delivery_id=delivery_id,
                job=job,
                attempt=delivery.attempts,
                key=delivery.key,
                version=delivery.version,
                document_id=document.id,
                original_sha256=session.get_one(Arrival, document.arrival_id).sha256,
                whole_file=document.part is None and _is_alone(session, document.arrival_id),
                image_sha256s={p.number: p.image_sha256 for p in pages if p.image_sha256},
            )

    def _delivering(
        self, session: Session, document: DocumentRecord, delivery: Delivery, now: dt.datetime
    ) -> None:
        detail: record.Detail = {"attempt": delivery.attempts + 1, "key": delivery.key}
        if document.state == State.DELIVERING:
            record.append(
                session,
                at=now,
                actor="engine",
                action="delivering_again",
                arrival_id=document.arrival_id,
                document_id=document.id,
                detail=detail,
            )
        else:
            record.move(
                session,
                document,
                State.DELIVERING,
                at=now,
                actor="engine",
                action="delivering",
                detail=detail,
            )

    def finish_delivery(self, deliver_job: DeliverJob, location: str) -> bool:
        """Record that the sink has it; returns whether the job was still ours."""
        with Session(self._writing) as session, session.begin():
            delivery = session.get_one(Delivery, deliver_job.delivery_id, with_for_update=True)
            if delivery.job != deliver_job.job or delivery.done:
                return False
            now = self._clock()
            delivery.done, delivery.done_at, delivery.location = True, now, location
            jobs.end(delivery)
            document = session.get_one(DocumentRecord, delivery.document_id, with_for_update=True)
            record.move(
                session,
                document,
                State.INCOMPLETE if document.missing else State.DELIVERED,
                at=now,
                actor="engine",
                action="delivered",
                detail={"key": delivery.key, "version": delivery.version},
            )
            return True

    def fail_delivery(
        self,
        deliver_job: DeliverJob,
        *,
        trouble: str,
        retry_in: dt.timedelta,
        attempts: int,
        counted: bool = True,
    ) -> bool:
        """Record that an attempt came to nothing; the document stays ``delivering`` until due.

        Not ``counted``: the sink was out of reach, which never leads to quarantine. Returns
        whether it will be tried again by itself.
        """
        with Session(self._writing) as session, session.begin():
            delivery = session.get(Delivery, deliver_job.delivery_id, with_for_update=True)
            if delivery is None or delivery.job != deliver_job.job or delivery.done:
                return False
            document = session.get_one(DocumentRecord, delivery.document_id, with_for_update=True)
            now = self._clock()
            jobs.put_off(delivery, trouble, now + retry_in, counted=counted)
            if jobs.worn_out(delivery, attempts):
                jobs.give_up(session, delivery, [document], now)
                return False
            record.append(
                session,
                at=now,
                actor="engine",
                action="put_off",
                arrival_id=document.arrival_id,
                document_id=document.id,
                detail={"trouble": trouble, "seconds": retry_in.total_seconds()},
            )
            return True


def _is_alone(session: Session, arrival_id: str) -> bool:
    """Whether an arrival gave one document only."""
    found = session.scalars(
        sa.select(sa.func.count())
        .select_from(DocumentRecord)
        .where(DocumentRecord.arrival_id == arrival_id)
    ).one()
    return found == 1

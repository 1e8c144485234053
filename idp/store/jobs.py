# SPDX-License-Identifier: Apache-2.0
"""The life of a job on a row: started, put off, given up. Each runs inside a transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.errors import RepeatedFailureError
from idp.store import record
from idp.store.rows import State
from idp.store.tables import Arrival, Delivery, DocumentRecord

Enqueue = Callable[[sa.Connection, str, str, str, int], None]
"""Hands a job to the engine inside the caller's transaction: queue, target, job, priority."""

PROCESS = "process"
DELIVER = "deliver"

INTERRUPTIONS_PER_ATTEMPT = 3
"""An attempt that began and never ended (power cut, kill) weighs a third of a failed one:
whoever happened to be at work when the power went is most likely innocent."""


def start(session: Session, work: Arrival | Delivery, priority: int, enqueue: Enqueue) -> None:
    """Give the row a new job and hand it to the engine: an arrival to the queue of its channel."""
    segment = PROCESS if isinstance(work, Arrival) else DELIVER
    lane = work.queue if isinstance(work, Arrival) else DELIVER
    work.job_number += 1
    work.job = f"{segment}:{work.id}:{work.job_number}"
    session.flush()
    enqueue(session.connection(), lane, work.id, work.job, priority)


def renew(work: Arrival | Delivery, due_at: dt.datetime) -> None:
    """Begin again from the first attempt; the sweep starts it."""
    work.job = work.trouble = None
    work.attempts = work.failures = 0
    work.due_at = due_at


def end(work: Arrival | Delivery) -> None:
    """Nothing more to do here."""
    work.job = work.due_at = work.trouble = None


def put_off(work: Arrival | Delivery, trouble: str, due_at: dt.datetime, *, counted: bool) -> None:
    """Let go of the job until ``due_at``; without ``counted`` the attempt is given back."""
    work.job = None
    work.trouble = trouble
    work.due_at = due_at
    if counted:
        work.failures += 1
    else:
        work.attempts -= 1


def worn_out(work: Arrival | Delivery, attempts: int) -> bool:
    """Whether the limit of failures, or that of interruptions, is reached."""
    interrupted = work.attempts - work.failures
    return work.failures >= attempts or interrupted >= attempts * INTERRUPTIONS_PER_ATTEMPT


def give_up(
    session: Session,
    work: Arrival | Delivery,
    documents: Sequence[DocumentRecord],
    at: dt.datetime,
) -> None:
    """Quarantine the documents; a person's ``requeue`` begins again."""
    trouble = work.trouble = work.trouble or "interrupted"
    work.job = work.due_at = None
    for document in documents:
        document.error = RepeatedFailureError.code
        document.hint = f"{RepeatedFailureError.hint} The last attempt ended with: {trouble}."
        record.move(
            session,
            document,
            State.QUARANTINED,
            at=at,
            actor="engine",
            action="gave_up",
            detail={"trouble": trouble, "attempts": work.attempts, "failures": work.failures},
        )


def set_aside(session: Session, document: DocumentRecord) -> None:
    """The document goes another way: a delivery that was given up is none to be retried now.

    Its intent stays open, and :func:`want_delivery` takes it up where the document leaves again.
    """
    for delivery in session.scalars(
        sa.select(Delivery)
        .where(Delivery.document_id == document.id, ~Delivery.done, Delivery.job.is_(None))
        .with_for_update()
    ).all():
        end(delivery)


def want_delivery(
    session: Session, document: DocumentRecord, delivery_id: str, at: dt.datetime
) -> Delivery:
    """The intent to deliver the document as it now is: the open one, else the next version."""
    deliveries = session.scalars(
        sa.select(Delivery)
        .where(Delivery.document_id == document.id)
        .order_by(Delivery.version.desc())
    ).all()
    if deliveries and not deliveries[0].done:
        renew(deliveries[0], at)
        return deliveries[0]
    version = deliveries[0].version + 1 if deliveries else 1
    delivery = Delivery(
        id=delivery_id,
        document_id=document.id,
        version=version,
        key=f"{document.id}-v{version}",
        done=False,
        created_at=at,
        job_number=0,
        attempts=0,
        failures=0,
        due_at=at,
    )
    session.add(delivery)
    session.flush()
    return delivery


def documents_of(
    session: Session, arrival_id: str, states: Collection[State] | None = None
) -> list[DocumentRecord]:
    """The packet's documents in their order, only those in ``states`` if given."""
    query = sa.select(DocumentRecord).where(DocumentRecord.arrival_id == arrival_id)
    if states is not None:
        query = query.where(DocumentRecord.state.in_(states))
    return list(session.scalars(query.order_by(DocumentRecord.ordinal).with_for_update()))

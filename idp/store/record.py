# SPDX-License-Identifier: Apache-2.0
"""The record of every step: append-only, each line chained to the one before it by its hash.

What it shows: a line changed, removed or put between others breaks every hash after it. What it
does not: whoever can write the database can also write the whole chain anew; copy the last hash
elsewhere (a backup, a mail) to notice that too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.errors import WrongStateError
from idp.store.rows import CLOCK_STOPPED, FIRST, MOVES, EventRow, State
from idp.store.tables import DocumentRecord, Event

Detail = dict[str, str | int | float | bool | None]

_CHAIN_LOCK = 7236472
_VERIFY_BATCH = 1000


def lock_chain(session: Session) -> None:
    """One writer of the chain at a time, until the transaction ends; SQLite has its write lock."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})


def append(
    session: Session,
    *,
    at: dt.datetime,
    actor: str,
    action: str,
    arrival_id: str | None = None,
    document_id: str | None = None,
    before: State | None = None,
    after: State | None = None,
    detail: Detail | None = None,
) -> None:
    """Write one line; needs a writing transaction, which it becomes part of."""
    lock_chain(session)
    session.flush()
    last = session.execute(
        sa.select(Event.seq, Event.hash).order_by(Event.seq.desc()).limit(1)
    ).first()
    event = Event(
        seq=1 if last is None else last.seq + 1,
        at=at,
        actor=actor,
        action=action,
        arrival_id=arrival_id,
        document_id=document_id,
        before=before,
        after=after,
        detail=detail or {},
    )
    event.hash = _hash("" if last is None else last.hash, event)
    session.add(event)
    session.flush()


def move(
    session: Session,
    document: DocumentRecord,
    after: State,
    *,
    at: dt.datetime,
    actor: str,
    action: str,
    detail: Detail | None = None,
) -> None:
    """Change a document's state and record it; raises :class:`WrongStateError` when not allowed."""
    before = State(document.state)
    if after not in MOVES[before]:
        raise WrongStateError(f"{document.id} is {before}: it can't become {after}")
    document.state = after
    document.changed_at = at
    if after in CLOCK_STOPPED:
        document.escalate_at = None
    elif before in CLOCK_STOPPED and document.due_at is not None:
        document.escalate_at = at
    append(
        session,
        at=at,
        actor=actor,
        action=action,
        arrival_id=document.arrival_id,
        document_id=document.id,
        before=before,
        after=after,
        detail=detail,
    )


def birth(
    session: Session,
    document: DocumentRecord,
    *,
    at: dt.datetime,
    actor: str,
    action: str,
    detail: Detail | None = None,
) -> None:
    """Add a document in its first state and record it."""
    state = State(document.state)
    if state not in FIRST:
        raise WrongStateError(f"{document.id} can't begin as {state}")
    document.changed_at = at
    session.add(document)
    append(
        session,
        at=at,
        actor=actor,
        action=action,
        arrival_id=document.arrival_id,
        document_id=document.id,
        after=state,
        detail=detail,
    )


def verify(session: Session) -> int | None:
    """The first line that does not follow from the one before, ``None`` when all do."""
    hash_before, seq = "", 0
    while True:
        batch = session.scalars(
            sa.select(Event).where(Event.seq > seq).order_by(Event.seq).limit(_VERIFY_BATCH)
        ).all()
        if not batch:
            return None
        for event in batch:
            if event.seq != seq + 1 or event.hash != _hash(hash_before, event):
                return seq + 1
            hash_before, seq = event.hash, event.seq
        session.expunge_all()


def row(event: Event) -> EventRow:
    """The line as readers get it."""
    return EventRow(
        seq=event.seq,
        at=event.at,
        actor=event.actor,
        action=event.action,
        arrival_id=event.arrival_id,
        document_id=event.document_id,
        before=State(event.before) if event.before else None,
        after=State(event.after) if event.after else None,
        detail=event.detail,
    )


def _hash(hash_before: str, event: Event) -> str:
    content = json.dumps(
        [
            hash_before,
            event.seq,
            event.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            event.actor,
            event.action,
            event.arrival_id,
            event.document_id,
            event.before,
            event.after,
            event.detail,
        ],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode()).hexdigest()

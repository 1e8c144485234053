# SPDX-License-Identifier: Apache-2.0
"""What may be asked of the store: small typed rows, no side effects."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.document import Decision, Document, Page
from idp.errors import NotFoundError
from idp.store import record
from idp.store.content import ContentStore
from idp.store.rows import (
    TO_DELIVER,
    TO_PROCESS,
    ArrivalRow,
    DeliveryRow,
    DocumentDetail,
    DocumentRow,
    EventRow,
    State,
)
from idp.store.tables import Arrival, Delivery, DocumentRecord, Event, PageRecord

MOST_ROWS = 10_000
"""No list is longer: a page of a browser, and the parameters of a statement, have limits."""

_SUFFIX = re.compile(r"[0-9a-f-]{6,36}\Z")


class Queries:
    """The reading half of :class:`idp.store.Store`."""

    _engine: sa.Engine
    content: ContentStore

    def counts(self) -> dict[State, int]:
        """How many documents are in each state; every state is there, also with zero."""
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(DocumentRecord.state, sa.func.count()).group_by(DocumentRecord.state)
            ).all()
        return dict.fromkeys(State, 0) | {State(state): count for state, count in found}

    def queue(self, limit: int = 50) -> tuple[DocumentRow, ...]:
        """Documents at work or waiting for it, urgent and old ones first."""
        return self._rows(
            DocumentRecord.state.in_(TO_PROCESS | TO_DELIVER),
            order=(Arrival.priority, Arrival.received_at, DocumentRecord.id),
            limit=limit,
        )

    def recent(
        self, limit: int = 50, states: Collection[State] | None = None
    ) -> tuple[DocumentRow, ...]:
        """Documents whose state changed last, newest first; only those in ``states`` if given."""
        return self._rows(
            sa.true() if states is None else DocumentRecord.state.in_(states),
            order=(DocumentRecord.changed_at.desc(), DocumentRecord.id.desc()),
            limit=limit,
        )

    def quarantine(self, limit: int = 50) -> tuple[DocumentRow, ...]:
        """Documents in quarantine, newest first."""
        return self.recent(limit, {State.QUARANTINED})

    def resolve(self, text: str) -> str:
        """The document meant by a full id or by its last six characters or more.

        Raises :class:`NotFoundError` when there is none or more than one.
        """
        text = text.strip().lower()
        if not _SUFFIX.match(text):
            raise NotFoundError(f"no document {text!r}: give its id or the last six characters")
        with Session(self._engine) as session:
            found = session.scalars(
                sa.select(DocumentRecord.id).where(DocumentRecord.id.endswith(text)).limit(2)
            ).all()
        if len(found) != 1:
            raise NotFoundError(
                f"{'no' if not found else 'more than one'} document has an id ending in {text!r}"
            )
        return found[0]

    def row(self, document_id: str) -> DocumentRow:
        """One document as a row; raises :class:`NotFoundError`."""
        rows = self._rows(DocumentRecord.id == document_id, order=(DocumentRecord.id,), limit=1)
        if not rows:
            raise NotFoundError(f"no document {document_id!r}")
        return rows[0]

    def show(self, document_id: str) -> DocumentDetail:
        """Everything about one document; raises :class:`NotFoundError`."""
        row = self.row(document_id)
        with Session(self._engine) as session:
            arrival = session.get_one(Arrival, row.arrival_id)
            deliveries = session.scalars(
                sa.select(Delivery)
                .where(Delivery.document_id == document_id)
                .order_by(Delivery.version)
            ).all()
            arrival_row = as_arrival(arrival)
            delivery_rows = tuple(_as_delivery(delivery) for delivery in deliveries)
        siblings = self._rows(
            sa.and_(DocumentRecord.arrival_id == row.arrival_id, DocumentRecord.id != document_id),
            order=(DocumentRecord.ordinal,),
            limit=MOST_ROWS,
        )
        return DocumentDetail(
            row=row,
            arrival=arrival_row,
            document=self.document(document_id),
            events=self.events(document_id, limit=1000),
            deliveries=delivery_rows,
            siblings=siblings,
        )

    def document(self, document_id: str) -> Document | None:
        """The result in force, ``None`` before processing; raises :class:`NotFoundError`."""
        with Session(self._engine) as session:
            found = _get(session, document_id)
            sha256 = found.result_sha256
        if sha256 is None:
            return None
        return Document.model_validate_json(self.content.read(sha256))

    def pages(self, document_id: str) -> tuple[Page, ...]:
        """The document's pages as read; ``image`` is a sha256 of the content store."""
        with Session(self._engine) as session:
            found = _get(session, document_id)
            records = session.scalars(
                sa.select(PageRecord)
                .where(
                    PageRecord.arrival_id == found.arrival_id,
                    PageRecord.part == (found.part or ""),
                    PageRecord.number.in_(found.pages),
                )
                .order_by(PageRecord.number)
            ).all()
            hashes = [page.page_sha256 for page in records]
        return tuple(Page.model_validate_json(self.content.read(sha256)) for sha256 in hashes)

    def page_image(self, document_id: str, number: int) -> Path:
        """The upright image of one page of a document, or of one set aside next to it.

        Raises:
            NotFoundError: There is no such document, page or image.
        """
        with Session(self._engine) as session:
            found = _get(session, document_id)
            page = session.get(PageRecord, (found.arrival_id, found.part or "", number))
            sha256 = page.image_sha256 if page is not None else None
            own = number in found.pages
        if sha256 is None or not (own or self._has_set_aside(document_id, number)):
            raise NotFoundError(f"document {document_id!r} has no image of page {number}")
        return self.content.path(sha256)

    def _has_set_aside(self, document_id: str, number: int) -> bool:
        """Whether a page lies next to the document's own: blank, or a separator sheet."""
        document = self.document(document_id)
        return document is not None and number in document.set_aside

    def original(self, document_id: str) -> Path:
        """The bytes as received, without a suffix; raises :class:`NotFoundError`."""
        with Session(self._engine) as session:
            arrival = session.get_one(Arrival, _get(session, document_id).arrival_id)
            sha256 = arrival.sha256
        return self.content.path(sha256)

    def recorded(self, channel: str, names: Collection[str]) -> frozenset[str]:
        """Which of these file names arrived on a channel."""
        with Session(self._engine) as session:
            found = session.scalars(
                sa.select(Arrival.name).where(Arrival.channel == channel, Arrival.name.in_(names))
            )
            return frozenset(found)

    def events(self, document_id: str | None = None, limit: int = 100) -> tuple[EventRow, ...]:
        """The record, oldest first: of one document (and its arrival), or the latest of all."""
        with Session(self._engine) as session:
            query = sa.select(Event)
            if document_id is not None:
                found = _get(session, document_id)
                query = query.where(
                    sa.or_(
                        Event.document_id == document_id,
                        sa.and_(Event.arrival_id == found.arrival_id, Event.document_id.is_(None)),
                    )
                )
            events = session.scalars(query.order_by(Event.seq.desc()).limit(limit)).all()
            return tuple(record.row(event) for event in reversed(events))

    def verify_events(self) -> int | None:
        """The number of the first line that breaks the record's chain, ``None`` when sound."""
        with Session(self._engine) as session:
            return record.verify(session)

    def _rows(
        self,
        condition: sa.ColumnElement[bool],
        *,
        order: Iterable[object],
        limit: int,
    ) -> tuple[DocumentRow, ...]:
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(DocumentRecord, Arrival)
                .join(Arrival, Arrival.id == DocumentRecord.arrival_id)
                .where(condition)
                .order_by(*order)  # type: ignore[arg-type]
                .limit(min(limit, MOST_ROWS))
            ).all()
            deliveries = _latest_deliveries(session, [document.id for document, _ in found])
            firsts = _leading_documents(
                session, [arrival.duplicate_of for _, arrival in found if arrival.duplicate_of]
            )
            return tuple(
                _as_document(document, arrival, deliveries.get(document.id), firsts)
                for document, arrival in found
            )


def as_arrival(arrival: Arrival) -> ArrivalRow:
    """The arrival as readers get it."""
    return ArrivalRow(
        id=arrival.id,
        channel=arrival.channel,
        name=arrival.name,
        sha256=arrival.sha256,
        size_bytes=arrival.size_bytes,
        received_at=arrival.received_at,
        priority=arrival.priority,
        queue=arrival.queue,
        site=arrival.site,
        sidecar_name=arrival.sidecar_name,
        sidecar_sha256=arrival.sidecar_sha256,
        duplicate_of=arrival.duplicate_of,
    )


def _get(session: Session, document_id: str) -> DocumentRecord:
    found = session.get(DocumentRecord, document_id)
    if found is None:
        raise NotFoundError(f"no document {document_id!r}")
    return found


def _latest_deliveries(session: Session, document_ids: Sequence[str]) -> dict[str, Delivery]:
    deliveries = session.scalars(
        sa.select(Delivery).where(Delivery.document_id.in_(document_ids)).order_by(Delivery.version)
    )
    return {delivery.document_id: delivery for delivery in deliveries}


def _leading_documents(session: Session, arrival_ids: Sequence[str]) -> dict[str, str]:
    found = session.execute(
        sa.select(DocumentRecord.arrival_id, DocumentRecord.id).where(
            DocumentRecord.arrival_id.in_(arrival_ids), DocumentRecord.ordinal == 1
        )
    )
    return {row.arrival_id: row.id for row in found}


def _as_document(
    document: DocumentRecord, arrival: Arrival, delivery: Delivery | None, firsts: dict[str, str]
) -> DocumentRow:
    work = arrival if document.state in TO_PROCESS or delivery is None else delivery
    return DocumentRow(
        id=document.id,
        arrival_id=document.arrival_id,
        ordinal=document.ordinal,
        state=State(document.state),
        channel=arrival.channel,
        name=arrival.name,
        received_at=arrival.received_at,
        changed_at=document.changed_at,
        priority=arrival.priority if document.priority is None else document.priority,
        type=document.type,
        subtype=document.subtype,
        part=document.part,
        pages=tuple(document.pages),
        decision=Decision(document.decision) if document.decision else None,
        missing=document.missing,
        reasons=tuple(document.reasons),
        error=document.error,
        hint=document.hint,
        attempts=work.attempts,
        due_at=work.due_at,
        trouble=work.trouble,
        duplicate_of=firsts.get(arrival.duplicate_of) if arrival.duplicate_of else None,
        like_document=document.like_document,
        likeness=document.likeness,
        location=delivery.location if delivery else None,
        urgency=document.urgency,
        clock=document.clock,
        clock_starts_at=document.clock_starts_at,
        clock_due_at=document.due_at,
        escalation=document.escalation,
    )


def _as_delivery(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(
        id=delivery.id,
        document_id=delivery.document_id,
        version=delivery.version,
        key=delivery.key,
        done=delivery.done,
        location=delivery.location,
        attempts=delivery.attempts,
        due_at=delivery.due_at,
        trouble=delivery.trouble,
        created_at=delivery.created_at,
        done_at=delivery.done_at,
    )

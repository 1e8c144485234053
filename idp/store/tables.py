# SPDX-License-Identifier: Apache-2.0
"""The tables as SQLAlchemy maps them; ``migrations`` makes them, a test compares the two."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class AwareTime(sa.types.TypeDecorator[dt.datetime]):
    """A UTC instant to the microsecond. SQLite keeps no zone, so it is refused on the way in."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(dt.UTC)

    def process_result_value(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """All our tables."""

    type_annotation_map = {dt.datetime: AwareTime, dict[str, Any]: sa.JSON, list[int]: sa.JSON}  # noqa: RUF012


class Work:
    """The job on a row: what the sweep enqueues and the segment counts.

    ``job`` is the engine's key of the job at work and the token its results must show; ``None``
    means that nobody works on it and the sweep may start a job once ``due_at`` has come.
    """

    job: Mapped[str | None]
    job_number: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime | None]
    trouble: Mapped[str | None]


class Arrival(Work, Base):
    """One file as it came in."""

    __tablename__ = "arrivals"
    __table_args__ = (
        sa.Index("ix_arrivals_sha256", "sha256"),
        sa.Index("ix_arrivals_received_at", "received_at"),
        sa.Index("ix_arrivals_name", "name"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    received_at: Mapped[dt.datetime]
    priority: Mapped[int]
    queue: Mapped[str] = mapped_column(default="process", server_default="process")
    site: Mapped[str | None]
    sidecar_name: Mapped[str | None]
    sidecar_sha256: Mapped[str | None]
    duplicate_of: Mapped[str | None] = mapped_column(sa.ForeignKey("arrivals.id"))


class DocumentRecord(Base):
    """One document of a packet."""

    __tablename__ = "documents"
    __table_args__ = (
        sa.UniqueConstraint("arrival_id", "ordinal", name="uq_documents_arrival_ordinal"),
        sa.Index("ix_documents_state", "state", "changed_at"),
        sa.Index("ix_documents_changed_at", "changed_at"),
        sa.Index("ix_documents_escalate_at", "escalate_at"),
        sa.Index("ix_documents_clock", "state", "due_at", "escalation"),
        sa.Index("ix_documents_priority", "state", "priority", "due_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    arrival_id: Mapped[str] = mapped_column(sa.ForeignKey("arrivals.id"))
    ordinal: Mapped[int]
    state: Mapped[str]
    changed_at: Mapped[dt.datetime]
    type: Mapped[str | None]
    subtype: Mapped[str | None]
    part: Mapped[str | None]
    """The attachment or member that the pages are of."""
    pages: Mapped[list[int]] = mapped_column(default=list)
    decision: Mapped[str | None]
    missing: Mapped[int] = mapped_column(default=0)
    reasons: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    error: Mapped[str | None]
    hint: Mapped[str | None]
    result_sha256: Mapped[str | None]
    like_document: Mapped[str | None]
    """The earlier document that this one nearly repeats, and how alike they are (0..1)."""
    likeness: Mapped[float | None]
    traits_sha256: Mapped[str | None]
    """What later documents are compared with it by."""
    due_at: Mapped[dt.datetime | None]
    """When the first of its clocks ends: by then a person must have decided."""
    urgency: Mapped[str | None]
    priority: Mapped[int | None]
    """1 is worked first."""
    clock: Mapped[str | None]
    """The rule of ``due_at``."""
    clock_starts_at: Mapped[dt.datetime | None]
    escalation: Mapped[int] = mapped_column(default=0, server_default=sa.text("0"))
    """How many steps the clock has run down, 0 to 3 (overdue)."""
    escalate_at: Mapped[dt.datetime | None]
    """When the next step is due; none once it is overdue or decided."""
    sampled: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Held back only to measure how often what leaves by itself is wrong."""


class DecisionRecord(Base):
    """One decision on a document, with what it was made by; the values are in its result.

    ``rules`` names the finding rules and reasons' codes, never a value; ``result_sha256`` is the
    document as decided, from which, with its pages, the decision can be made again.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        sa.Index("ix_decisions_document", "document_id"),
        sa.Index("ix_decisions_at", "at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"))
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    decision: Mapped[str]
    release: Mapped[str | None]
    sampled: Mapped[bool]
    rules_version: Mapped[str]
    models: Mapped[dict[str, Any]]
    rules: Mapped[list[str]] = mapped_column(sa.JSON)
    result_sha256: Mapped[str]


class PageRecord(Base):
    """One page of a packet as read: where its image and its words are in the content store.

    ``part`` is empty for pages of the file itself; ``number`` counts within the part.
    """

    __tablename__ = "pages"

    arrival_id: Mapped[str] = mapped_column(sa.ForeignKey("arrivals.id"), primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True, default="")
    number: Mapped[int] = mapped_column(primary_key=True)
    image_sha256: Mapped[str | None]
    page_sha256: Mapped[str]
    grade: Mapped[str]


class Delivery(Work, Base):
    """The intent to hand one version of a document to the sink."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("document_id", "version", name="uq_deliveries_document_version"),
        sa.UniqueConstraint("key", name="uq_deliveries_key"),
        sa.Index("ix_deliveries_done", "done"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"))
    version: Mapped[int]
    key: Mapped[str]
    done: Mapped[bool] = mapped_column(default=False)
    location: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]


class LedgerRecord(Base):
    """A file on a share that nothing may be moved on: taken once, as it was then."""

    __tablename__ = "ledger"

    channel: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    inode: Mapped[int] = mapped_column(sa.BigInteger)
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    modified_ns: Mapped[int] = mapped_column(sa.BigInteger)
    arrival_id: Mapped[str] = mapped_column(sa.ForeignKey("arrivals.id"))
    seen_at: Mapped[dt.datetime]


class PersonRecord(Base):
    """Somebody who may come in through the gate; ``label_studio_user`` is who they are there."""

    __tablename__ = "people"
    __table_args__ = (
        sa.UniqueConstraint("name", name="uq_people_name"),
        sa.UniqueConstraint("label_studio_user", name="uq_people_label_studio_user"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    active: Mapped[bool]
    created_at: Mapped[dt.datetime]
    signed_in_at: Mapped[dt.datetime | None]
    failures: Mapped[int]
    locked_until: Mapped[dt.datetime | None]
    label_studio_user: Mapped[int | None]
    must_change: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """The password was given by somebody else and opens nothing but its own change."""


class SessionRecord(Base):
    """A person who is signed in; only their browser has the token itself."""

    __tablename__ = "sessions"
    __table_args__ = (
        sa.Index("ix_sessions_person", "person_id"),
        sa.Index("ix_sessions_ends_at", "ends_at"),
    )

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"))
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]


class FingerprintRecord(Base):
    """One band of a document's fingerprint: documents alike share a bucket of some band."""

    __tablename__ = "fingerprints"
    __table_args__ = (sa.Index("ix_fingerprints_bucket", "band", "bucket", "document_id"),)

    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"), primary_key=True)
    band: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[str]


class CorrectionRecord(Base):
    """What a person said of a document's values in one go; ``key`` makes it count once.

    Values are in the content store, under ``content_sha256``; ``outcomes`` counts each field's
    outcomes in words. ``result_sha256`` and ``page_sha256s`` are what the person looked at.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        sa.UniqueConstraint("key", name="uq_corrections_key"),
        sa.Index("ix_corrections_document", "document_id"),
        sa.Index("ix_corrections_made_at", "made_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"))
    key: Mapped[str]
    reviewer: Mapped[str]
    made_at: Mapped[dt.datetime]
    seconds: Mapped[float | None]
    complete: Mapped[bool]
    outcomes: Mapped[dict[str, Any]]
    content_sha256: Mapped[str]
    result_sha256: Mapped[str]
    page_sha256s: Mapped[list[str]] = mapped_column(sa.JSON)


class ObservationRecord(Base):
    """What the models did with a document when it was last processed; no values."""

    __tablename__ = "observations"
    __table_args__ = (sa.Index("ix_observations_at", "at"),)

    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"), primary_key=True)
    at: Mapped[dt.datetime]
    type: Mapped[str]
    models: Mapped[str]
    layout: Mapped[str]
    confidences: Mapped[dict[str, Any]]
    missing: Mapped[list[str]] = mapped_column(sa.JSON)
    challenger: Mapped[str | None]
    agreement: Mapped[dict[str, Any]]
    shadow_error: Mapped[str | None]
    shadow_sha256: Mapped[str | None]


class ReviewRecord(Base):
    """A document's place in the review queue; see :class:`idp.reviewing.ReviewRow`."""

    __tablename__ = "reviews"
    __table_args__ = (
        sa.Index("ix_reviews_state", "state", "due_at"),
        sa.Index("ix_reviews_project", "project", "state"),
    )

    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"), primary_key=True)
    state: Mapped[str]
    round: Mapped[int]
    result_sha256: Mapped[str]
    """The result that is shown; another in force means that it must be shown anew."""
    came_back: Mapped[bool] = mapped_column(default=False)
    cut: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """What is shown is its packet, to be cut by hand."""
    project: Mapped[int | None] = mapped_column(sa.BigInteger)
    task_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime | None]
    trouble: Mapped[str | None]
    changed_at: Mapped[dt.datetime]
    look: Mapped[int] = mapped_column(default=1, server_default=sa.text("1"))
    """Which look at it is asked for: see :class:`idp.reviewing.Look`."""


class SecondLookRecord(Base):
    """Two people's looks at a document; see :class:`idp.reviewing.SecondLook`. No values."""

    __tablename__ = "second_looks"
    __table_args__ = (
        sa.Index("ix_second_looks_second_at", "second_at"),
        sa.Index("ix_second_looks_ended_at", "ended_at"),
    )

    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"), primary_key=True)
    began_round: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    base_sha256: Mapped[str]
    first_by: Mapped[str | None]
    first_at: Mapped[dt.datetime | None]
    first_sha256: Mapped[str | None]
    second_by: Mapped[str | None]
    second_at: Mapped[dt.datetime | None]
    second_sha256: Mapped[str | None]
    agreed: Mapped[bool | None]
    fields: Mapped[dict[str, Any]]
    decided_by: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None]


class QualityCheckRecord(Base):
    """What one document of the quality sample shows; see :class:`idp.reviewing.QualityCheck`."""

    __tablename__ = "quality_checks"

    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"), primary_key=True)
    base_sha256: Mapped[str]
    """The document that would have been sent."""
    type: Mapped[str]
    at: Mapped[dt.datetime]
    outcomes: Mapped[dict[str, Any]]
    unfit: Mapped[str]
    done: Mapped[bool]


class ReviewAnswerRecord(Base):
    """One answer of a person, whatever became of it; ``key`` makes it count once."""

    __tablename__ = "review_answers"
    __table_args__ = (
        sa.Index("ix_review_answers_document", "document_id"),
        sa.Index("ix_review_answers_made_at", "made_at"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"))
    round: Mapped[int]
    reviewer: Mapped[str]
    made_at: Mapped[dt.datetime]
    taken_at: Mapped[dt.datetime]
    seconds: Mapped[float | None]
    outcome: Mapped[str]
    note_sha256: Mapped[str | None]
    """A note's text, in the content store."""


class HandoverRecord(Base):
    """A record in another system; see :class:`idp.handover.Handover`."""

    __tablename__ = "handovers"
    __table_args__ = (
        sa.Index("ix_handovers_document", "document_id"),
        sa.Index("ix_handovers_state", "server", "state"),
    )

    server: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"))
    role: Mapped[str]
    model: Mapped[str]
    record_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    version: Mapped[int]
    content_sha256: Mapped[str | None]
    gone: Mapped[bool] = mapped_column(default=False)
    intended_at: Mapped[dt.datetime]
    written_at: Mapped[dt.datetime | None]
    state: Mapped[str | None]
    """Of a work item there; see :class:`idp.handover.WorkState`."""
    stage: Mapped[str | None]
    assignee: Mapped[str | None]
    assigned_at: Mapped[dt.datetime | None]
    completed_at: Mapped[dt.datetime | None]
    changed_at: Mapped[dt.datetime | None]
    seen_at: Mapped[dt.datetime | None]


class CutRecord(Base):
    """What a person said of all pages of a packet; ``key`` makes it count once.

    The word itself is in the content store (:class:`idp.cutting.GivenCuts`). The last whole one is
    what the packet is worked by; one of which something was not understood is only shown again.
    """

    __tablename__ = "cuts"
    __table_args__ = (
        sa.Index("ix_cuts_arrival", "arrival_id"),
        sa.Index("ix_cuts_made_at", "made_at"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    """Counts those of the packet."""
    arrival_id: Mapped[str] = mapped_column(sa.ForeignKey("arrivals.id"))
    document_id: Mapped[str] = mapped_column(sa.ForeignKey("documents.id"))
    """The document that it was asked for."""
    reviewer: Mapped[str]
    made_at: Mapped[dt.datetime]
    taken_at: Mapped[dt.datetime]
    seconds: Mapped[float | None]
    whole: Mapped[bool]
    pages: Mapped[int]
    documents: Mapped[int]
    content_sha256: Mapped[str]


class Event(Base):
    """One step of the record; ``hash`` covers the row and the hash before it."""

    __tablename__ = "events"
    __table_args__ = (
        sa.Index("ix_events_document", "document_id"),
        sa.Index("ix_events_arrival", "arrival_id"),
    )

    seq: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    action: Mapped[str]
    arrival_id: Mapped[str | None]
    document_id: Mapped[str | None]
    before: Mapped[str | None]
    after: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    hash: Mapped[str]

# SPDX-License-Identifier: Apache-2.0
"""The states of a document, the moves between them, and the rows that the store hands out.

One table, :data:`MOVES`, says which move is allowed; the store refuses every other one, so a
forgotten case shows as an error and never as a document delivered twice.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from idp.cutting import GivenCuts, Recut
from idp.document import Claim, Decision, Document, Page
from idp.sampling import Interval
from idp.settings import DuplicatePolicy
from idp.signals import Correction, Observation


class State(StrEnum):
    """Where a document stands; the words are part of the contract."""

    RECEIVED = "received"
    PROCESSING = "processing"
    AUTO = "auto"
    REVIEW = "review"
    CORRECTED = "corrected"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    INCOMPLETE = "incomplete"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"


FIRST: frozenset[State] = frozenset({State.RECEIVED, State.DUPLICATE, State.PROCESSING})
"""States in which a document may be born: ``processing`` for the second and later documents
found in a packet, which do not exist before the packet was read."""

MOVES: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.PROCESSING, State.QUARANTINED}),
    # Back to received: the attempt failed or was abandoned, the next one has a due time.
    # To duplicate: it repeats an earlier document, and its channel skips those.
    State.PROCESSING: frozenset(
        {State.AUTO, State.REVIEW, State.QUARANTINED, State.RECEIVED, State.DUPLICATE}
    ),
    State.AUTO: frozenset({State.DELIVERING}),
    State.REVIEW: frozenset({State.CORRECTED, State.RECEIVED, State.QUARANTINED}),
    State.CORRECTED: frozenset({State.DELIVERING}),
    State.DELIVERING: frozenset({State.DELIVERED, State.INCOMPLETE, State.QUARANTINED}),
    # Back to delivering: it was quarantined because it could not be delivered.
    State.QUARANTINED: frozenset({State.RECEIVED, State.REVIEW, State.DELIVERING}),
    # A person overrides: the second copy is wanted after all.
    State.DUPLICATE: frozenset({State.RECEIVED, State.REVIEW}),
    # Who reviewed it mends a slip of theirs: delivered again, as the next version.
    State.DELIVERED: frozenset({State.CORRECTED}),
    State.INCOMPLETE: frozenset({State.CORRECTED}),
}
"""Every allowed move. What has left (delivered, incomplete) moves only for a reviewer's mend."""

TO_PROCESS: frozenset[State] = frozenset({State.RECEIVED, State.PROCESSING})
"""Work for the ``process`` segment; a document here must have a job or a due time."""

TO_DELIVER: frozenset[State] = frozenset({State.AUTO, State.CORRECTED, State.DELIVERING})
"""Work for the ``deliver`` segment; it has left the reach of another processing."""

LEFT: frozenset[State] = TO_DELIVER | {State.DELIVERED, State.INCOMPLETE}
"""Decided for good: processing the packet again does not touch these."""


CLOCK_STOPPED: frozenset[State] = frozenset({State.DELIVERED, State.INCOMPLETE, State.DUPLICATE})
"""States in which no clock runs: what is only decided has not left, and may be stuck."""


@dataclass(frozen=True, slots=True)
class DueClock:
    """The first clock of a document."""

    rule: str
    starts_at: dt.datetime
    due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ClockCounts:
    """How many documents run by a clock, by the state it has come to."""

    by_state: dict[str, int]
    overdue: int


@dataclass(frozen=True, slots=True)
class Escalated:
    """A clock that came to its next step."""

    document_id: str
    rule: str
    state: str


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """One file as it came in. ``name`` is printable text; undecodable bytes show as escapes."""

    id: str
    channel: str
    name: str
    sha256: str
    size_bytes: int
    received_at: dt.datetime
    priority: int
    queue: str
    site: str | None
    sidecar_name: str | None
    sidecar_sha256: str | None
    duplicate_of: str | None
    """The first arrival of the same bytes."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A file on a share that is only read, as it was when it was taken.

    ``path`` is its name there, lossless (:func:`idp.ingest.inbox_files.ledger_key`); ``sha256s``
    are those of the arrival it belongs to and of that arrival's sidecar.
    """

    path: str
    inode: int
    size_bytes: int
    modified_ns: int
    sha256s: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NewArrival:
    """A file to be recorded, its bytes (and those of its sidecar) in the content store."""

    id: str
    channel: str
    name: str
    sha256: str
    size_bytes: int
    received_at: dt.datetime
    priority: int
    queue: str = "process"
    site: str | None = None
    sidecar: tuple[str, str] | None = None
    """Name and sha256."""
    exact_duplicates: DuplicatePolicy = "skip"
    ledger: tuple[LedgerRow, ...] = ()
    clock: DueClock | None = None
    """That of what nobody has read yet."""
    document_priority: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document in a list.

    ``attempts``, ``due_at`` and ``trouble`` are those of the work it is in: processing for its
    packet, else its delivery.
    """

    id: str
    arrival_id: str
    ordinal: int
    state: State
    channel: str
    name: str
    received_at: dt.datetime
    changed_at: dt.datetime
    priority: int
    type: str | None
    subtype: str | None
    part: str | None
    """The attachment or member inside the file, none for the file itself."""
    pages: tuple[int, ...]
    decision: Decision | None
    missing: int
    reasons: tuple[str, ...]
    error: str | None
    hint: str | None
    attempts: int
    due_at: dt.datetime | None
    trouble: str | None
    """Code of what stopped the last attempt, ``None`` when nothing did."""
    duplicate_of: str | None
    """The document that came first, when this one repeats its bytes."""
    like_document: str | None
    """The earlier document whose content this one repeats."""
    likeness: float | None
    location: str | None
    """Where it was delivered to."""
    urgency: str | None = None
    clock: str | None = None
    """The rule of the first of its clocks."""
    clock_starts_at: dt.datetime | None = None
    clock_due_at: dt.datetime | None = None
    """By then a person must have decided."""
    escalation: int = 0
    """How many steps its clock has run down."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the record. ``detail`` holds codes, counts and ids, never a field's value."""

    seq: int
    at: dt.datetime
    actor: str
    action: str
    arrival_id: str | None
    document_id: str | None
    before: State | None
    after: State | None
    detail: dict[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One intent to deliver, written before the attempt. ``key`` is the sink's guard."""

    id: str
    document_id: str
    version: int
    key: str
    done: bool
    location: str | None
    attempts: int
    due_at: dt.datetime | None
    trouble: str | None
    created_at: dt.datetime
    done_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """Everything about one document."""

    row: DocumentRow
    arrival: ArrivalRow
    document: Document | None
    """The result in force, ``None`` before the packet was processed."""
    events: tuple[EventRow, ...]
    deliveries: tuple[DeliveryRow, ...]
    siblings: tuple[DocumentRow, ...]
    """The other documents of the same packet."""


@dataclass(frozen=True, slots=True)
class ProcessJob:
    """What the ``process`` segment works on; ``job`` is the token that its results must show."""

    arrival: ArrivalRow
    job: str
    attempt: int
    recut: Recut | None = None
    """How a person has cut the packet."""


@dataclass(frozen=True, slots=True)
class DeliverJob:
    """What the ``deliver`` segment works on, by the hashes of the content store."""

    delivery_id: str
    job: str
    attempt: int
    key: str
    version: int
    """Of this document's deliveries: 1, and one more each time it was delivered before."""
    document_id: str
    original_sha256: str
    whole_file: bool
    """Whether the file as received holds this document and no other."""
    image_sha256s: dict[int, str]


@dataclass(frozen=True, slots=True)
class Results:
    """What processing a packet gave; the images are files in the work folder."""

    documents: tuple[Document, ...]
    pages: tuple[Page, ...]
    observations: tuple[Observation | None, ...] = ()
    """What the models did, by document; none where the pipeline does not tell."""
    judged_by: tuple[bytes, ...] = ()
    """What each rules version that the documents name stands for; its sha256 is that version."""


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """One person's corrections of one document, made in one go; no values.

    ``outcomes`` counts by field what became of its values (``confirmed``, ``changed`` ...).
    """

    id: str
    document_id: str
    key: str
    reviewer: str
    made_at: dt.datetime
    seconds: float | None
    complete: bool
    outcomes: dict[str, dict[str, int]]
    content_sha256: str


@dataclass(frozen=True, slots=True)
class CutRow:
    """One person's word on all pages of a packet; what it says is in the content store.

    ``number`` counts those of the packet; only a ``whole`` one is worked by.
    """

    key: str
    number: int
    arrival_id: str
    document_id: str
    reviewer: str
    made_at: dt.datetime
    seconds: float | None
    whole: bool
    pages: int
    documents: int
    content_sha256: str


@dataclass(frozen=True, slots=True)
class CutPacket:
    """A packet as a person cut it, with its pages as they were read, in the order of the cuts."""

    cuts: GivenCuts
    pages: tuple[Page, ...]
    reviewer: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class CorrectedDocument:
    """A document as a person saw it, its pages, and what was said of it.

    Where a document was corrected more than once, the latest word on each field counts.
    """

    document: Document
    pages: tuple[Page, ...]
    corrections: tuple[Correction, ...]
    complete: bool
    """Whether the person looked at every field: only then what is not named is not there."""
    reviewer: str
    made_at: dt.datetime
    claims: tuple[Claim, ...] | None = None
    """The claims as the person left them; none where nobody was asked."""
    type_read: str | None = None
    """What the document was taken for before anybody looked, its subtype behind a slash."""


@dataclass(frozen=True, slots=True)
class ObservationRow:
    """What the models did with a document; no values."""

    document_id: str
    at: dt.datetime
    type: str
    models: str
    layout: str
    confidences: dict[str, float]
    missing: tuple[str, ...]
    challenger: str | None
    agreement: dict[str, str]
    shadow_error: str | None
    shadow_sha256: str | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision on a document; rules and codes only, no words and no values.

    ``rules`` has the rules that spoke, as ``N1/block``, then the codes of the reasons.
    """

    id: str
    document_id: str
    at: dt.datetime
    actor: str
    decision: Decision
    release: str | None
    sampled: bool
    rules_version: str
    models: dict[str, str]
    rules: tuple[str, ...]
    result_sha256: str


@dataclass(frozen=True, slots=True)
class DecidedDocument:
    """A document as it was decided, with everything that the decision was made from."""

    arrival: ArrivalRow
    document: Document
    pages: tuple[Page, ...]
    """Its own."""
    part: tuple[Page, ...]
    """All pages of the file or part that it was found in."""
    beside: tuple[tuple[str, str | None, int], ...] = ()
    """Type, subtype and number of pages of the other documents of its arrival that were read."""


@dataclass(frozen=True, slots=True)
class SortedRow:
    """How often people gave documents of one source another type, or cut them otherwise."""

    channel: str
    type: str
    """What they were taken for before anybody looked; behind a stroke the kind of `other`."""
    looked: int
    """Documents that a person has looked at."""
    retyped: int
    wrong_cut: int
    """Of the looked at, those that begin or end elsewhere."""


@dataclass(frozen=True, slots=True)
class QualityRow:
    """What people found when they checked the quality sample of one document type.

    Of the documents that left by themselves the sample is a random share, so what was found wrong
    in it estimates what is wrong in them. Intervals are of 95 %; ``None``: nothing was checked.
    """

    type: str
    left: int
    """Documents that left by themselves, unseen."""
    sampled: int
    checked: int
    """Of the sampled, those that a person looked at whole."""
    documents_wrong: int
    """Of the checked, those with a value changed, taken away or added, of another type, or cut
    wrongly."""
    values: int
    """On the checked documents, that a person could judge."""
    values_wrong: int
    values_missed: int
    """On the page and not found."""
    documents_interval: Interval | None
    values_interval: Interval | None

    @property
    def few(self) -> bool:
        """Whether too few were checked for the figure to say much."""
        return self.checked < FEWEST_CHECKED

    @property
    def left_wrong(self) -> Interval | None:
        """About how many of the documents that left have something wrong."""
        share = self.documents_interval
        return None if share is None else Interval(*(self.left * each for each in share))


FEWEST_CHECKED = 30
"""Below it not even no error at all proves that fewer than a tenth are wrong (3 in n)."""

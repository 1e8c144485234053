# SPDX-License-Identifier: Apache-2.0
"""Our own tables (the truth), the content store, and the record of every step.

Door: :class:`Store` (tables) with its :class:`ContentStore` (files by sha256).

How a packet is modelled
    An *arrival* is one file as it came in; its facts never change. It is processed as a whole, so
    the processing job (token, attempts, due time) lives on the arrival. A *document* is what a
    person means by the word: it has the state of ``design.md``. The first document (ordinal 1) is
    born with the arrival in ``received`` and stands for the whole packet until it has been read;
    the second and later ones are born when reading ends, keyed by (arrival, ordinal), so doing it
    twice changes nothing. A *delivery* is the intent to hand one version of a document to a sink,
    written before the attempt; the delivery job lives on it. Every change of state writes an
    *event* in the same transaction.

What may be asked (``idp status``, ``show``, ``quarantine``, the status page)::

    store = Store(settings.resolved_database_url, settings.data / "store")
    store.migrate()                                   # `idp run` does; readers need not
    store.counts() -> dict[State, int]                # every state, zeros included
    store.queue(limit=50) -> tuple[DocumentRow, ...]  # at work or waiting for it, next first
    store.recent(limit=50, states=None) -> tuple[DocumentRow, ...]   # newest change first
    store.quarantine(limit=50) -> tuple[DocumentRow, ...]
    store.waiting(limit=50) -> tuple[DocumentRow, ...]  # for a person, most pressing first
    store.clock_counts() -> ClockCounts               # how far the clocks have run down
    store.set_clock(document_id, document, actor="...")  # after a person changed its type
    store.resolve(text) -> str                        # full id or its last >= 6 characters
    store.show(document_id) -> DocumentDetail         # row, arrival, result, events, deliveries
    store.document(document_id) -> Document | None
    store.pages(document_id) -> tuple[Page, ...]      # words, boxes; `image` is a sha256
    store.page_image(document_id, number) -> Path     # in the content store, no suffix
    store.original(document_id) -> Path               # the bytes as received, no suffix
    store.events(document_id=None, limit=100) -> tuple[EventRow, ...]
    store.verify_events() -> int | None               # first broken seq of the hash chain
    store.record_corrections(document_id, corrections, key=..., reviewer=..., made_at=...)
    store.corrections(document_id=None) -> tuple[CorrectionRow, ...]     # no values
    store.corrected_documents() -> Iterator[CorrectedDocument]           # what training learns from
    store.observations(since=None) -> tuple[ObservationRow, ...]         # what the models did
    store.decisions(document_id) -> tuple[DecisionRow, ...]              # rules and codes only
    store.decided_documents(store.decided_ids(...))   # to decide again: document, pages, arrival
    store.quality(since=None) -> tuple[QualityRow, ...]                  # what the sample showed
    store.renew_reviews(), store.reviews_to_send(limit) ...  # the queue: idp/store/reviews.py
    store.take_answer(answer, document) -> Outcome    # a reviewer's word with all that follows
    store.packet(document_id) -> Packet               # all pages of its arrival, and their cuts
    store.take_cut(answer, cuts, whole=True) -> Outcome      # worked again by a person's cuts
    store.handovers_of(document_id), store.work_states(document_id)      # in Odoo
    store.work_to_read(server), store.note_work_states(states)           # reading back from there
    store.requeue(document_id, actor="...") -> DocumentRow   # process its packet again
    store.release(document_id, actor="...") -> DocumentRow   # quarantine -> review as it is
    store.outgoing(states=None) -> tuple[Outgoing, ...]      # deliveries that wait, failed ...
    store.retry_deliveries(ids=None, actor="...") -> Retried # given up or put off: begin now
    store.handover_figures(), store.placed(document_id)      # what lies in Odoo, how long it takes
    store.people() -> tuple[PersonRow, ...]           # who may come in through the gate
    store.person_of_label_studio(user) -> PersonRow | None   # who `completed_by` is
    store.ledger(channel), store.ledger_counts()      # what is remembered of read-only shares

Errors: :class:`idp.errors.NotFoundError` (no such document),
:class:`idp.errors.WrongStateError` (the verb does not apply to its state). A verb from another
process is picked up by the running appliance within about a second.
"""

from idp.store.content import ContentStore, Kept
from idp.store.database import connect_for_engine
from idp.store.decisions import rules_of
from idp.store.identity import born_at, new_id
from idp.store.jobs import DELIVER, PROCESS
from idp.store.likenesses import double_of, marked
from idp.store.people import PersonRow, Role
from idp.store.rows import (
    CLOCK_STOPPED,
    TO_DELIVER,
    ArrivalRow,
    ClockCounts,
    CorrectedDocument,
    CorrectionRow,
    CutPacket,
    CutRow,
    DecidedDocument,
    DecisionRow,
    DeliverJob,
    DeliveryRow,
    DocumentDetail,
    DocumentRow,
    DueClock,
    Escalated,
    EventRow,
    LedgerRow,
    NewArrival,
    ObservationRow,
    ProcessJob,
    QualityRow,
    Results,
    SortedRow,
    State,
)
from idp.store.store import Store

__all__ = [
    "CLOCK_STOPPED",
    "DELIVER",
    "PROCESS",
    "TO_DELIVER",
    "ArrivalRow",
    "ClockCounts",
    "ContentStore",
    "CorrectedDocument",
    "CorrectionRow",
    "CutPacket",
    "CutRow",
    "DecidedDocument",
    "DecisionRow",
    "DeliverJob",
    "DeliveryRow",
    "DocumentDetail",
    "DocumentRow",
    "DueClock",
    "Escalated",
    "EventRow",
    "Kept",
    "LedgerRow",
    "NewArrival",
    "ObservationRow",
    "PersonRow",
    "ProcessJob",
    "QualityRow",
    "Results",
    "Role",
    "SortedRow",
    "State",
    "Store",
    "born_at",
    "connect_for_engine",
    "double_of",
    "marked",
    "new_id",
    "rules_of",
]

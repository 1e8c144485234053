# SPDX-License-Identifier: Apache-2.0
"""The ``process`` segment's side of the store."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.document import Decision, Document, Finding, Page, Severity
from idp.likeness import Traits
from idp.reasons import with_finding
from idp.rulebook import enter
from idp.settings import DuplicatePolicy
from idp.store import decisions, jobs, likenesses, record
from idp.store.clocks import Clocks
from idp.store.cuts import SUPERSEDED, places_of, recut_of
from idp.store.decisions import Decisions
from idp.store.identity import new_id
from idp.store.jobs import Enqueue
from idp.store.learning import Learning
from idp.store.queries import as_arrival
from idp.store.rows import TO_PROCESS, ProcessJob, Results, State
from idp.store.tables import Arrival, DocumentRecord, PageRecord

_SUPERSEDED_HINT = "Processing the packet again found fewer documents: look at the others of it."
_CUT_HINT = "A person cut its packet anew: its pages are in the other documents, or left out."
_OVERLAP = "Its pages are also part of another document of the same packet"
OVERLAPS = enter(
    "P10",
    "A page that was part of a document which a person or a delivery has taken leaves no second "
    "time when its packet is worked again.",
    severity=Severity.BLOCK,
    source="house rule: nothing is delivered twice",
    where="idp.store.processing",
)


class Processing(Learning, Decisions, Clocks):
    """Begin, finish and put off the processing of a packet."""

    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]
    _finishing: threading.Lock

    def begin_processing(self, arrival_id: str, job: str, attempts: int) -> ProcessJob | None:
        """Count an attempt and return what to work on, or ``None`` when there is nothing to do.

        The count is on the disk before the work begins. A packet that failed ``attempts`` times,
        or was interrupted :data:`idp.store.jobs.INTERRUPTIONS_PER_ATTEMPT` times as often, is
        quarantined instead.
        """
        with Session(self._writing) as session, session.begin():
            arrival = session.get(Arrival, arrival_id, with_for_update=True)
            if arrival is None or arrival.job != job:
                return None
            documents = jobs.documents_of(session, arrival_id, TO_PROCESS)
            if not documents:
                jobs.end(arrival)
                return None
            now = self._clock()
            if jobs.worn_out(arrival, attempts):
                jobs.give_up(session, arrival, documents, now)
                return None
            arrival.attempts += 1
            detail: record.Detail = {"attempt": arrival.attempts}
            for document in documents:
                if document.state == State.RECEIVED:
                    record.move(
                        session,
                        document,
                        State.PROCESSING,
                        at=now,
                        actor="engine",
                        action="processing",
                        detail=detail,
                    )
                else:
                    # The attempt before began and never ended: killed.
                    record.append(
                        session,
                        at=now,
                        actor="engine",
                        action="processing_again",
                        arrival_id=arrival_id,
                        document_id=document.id,
                        detail=detail,
                    )
            return ProcessJob(
                arrival=as_arrival(arrival),
                job=job,
                attempt=arrival.attempts,
                recut=recut_of(session, self.content, arrival_id),
            )

    def finish_processing(
        self,
        process_job: ProcessJob,
        results: Results,
        enqueue: Enqueue | None = None,
        *,
        near_duplicates: DuplicatePolicy = "hold",
    ) -> bool:
        """Store what processing gave and move its documents on, their deliveries enqueued with it.

        Files go to the content store first, then everything else in one transaction. Documents
        of the packet that a person or a delivery has already taken are left as they are. Returns
        whether the results counted (the job was still ours). Raises ``ValueError`` for results
        without a document, ``OSError`` when the disk is full.

        A document that repeats an earlier one is marked and treated as ``near_duplicates`` says;
        one that a person queued again is not skipped a second time.
        """
        if not results.documents and process_job.recut is None:
            raise ValueError("processing gave no document")
        # One at a time: of two copies finished together, the second must see the first.
        with self._finishing:
            return self._finish(process_job, results, enqueue, near_duplicates)

    def _finish(
        self,
        process_job: ProcessJob,
        results: Results,
        enqueue: Enqueue | None,
        near_duplicates: DuplicatePolicy,
    ) -> bool:
        arrival_id = process_job.arrival.id
        pages = [self._keep_page(arrival_id, page) for page in results.pages]
        with Session(self._engine) as session:
            known_before = session.scalars(
                sa.select(DocumentRecord).where(DocumentRecord.arrival_id == arrival_id)
            ).all()
            ids = {known.ordinal: known.id for known in known_before}
            ordinals = tuple(range(1, len(results.documents) + 1))
            if process_job.recut is not None:
                ordinals = places_of(results.documents, known_before)
        documents = [
            document.model_copy(
                update={"document_id": ids[ordinal] if ordinal in ids else new_id(self._clock())}
            )
            for ordinal, document in zip(ordinals, results.documents, strict=True)
        ]
        compared = [likenesses.traits_of(document, results.pages) for document in documents]
        if process_job.arrival.duplicate_of is None:  # else it is linked and judged by its bytes
            documents = self._marked(arrival_id, documents, compared, near_duplicates)
        traits_sha256s = [
            self.content.put_bytes(each.model_dump_json().encode()).sha256
            if each.comparable
            else None
            for each in compared
        ]
        for parts in results.judged_by:
            self.content.put_bytes(parts)
        hashes = [
            self.content.put_bytes(document.model_dump_json().encode()).sha256
            for document in documents
        ]
        observations = results.observations or (None,) * len(documents)
        kept = [None if seen is None else self._keep_observation(seen) for seen in observations]
        with Session(self._writing) as session, session.begin():
            arrival = session.get_one(Arrival, arrival_id, with_for_update=True)
            if arrival.job != process_job.job:
                return False
            jobs.end(arrival)
            for page in pages:
                session.merge(page)
            records = {d.ordinal: d for d in jobs.documents_of(session, arrival_id)}
            taken = {
                (known.part, number)
                for known in records.values()
                if known.state not in TO_PROCESS
                for number in known.pages
            }
            for place, (document, sha256) in enumerate(zip(documents, hashes, strict=True)):
                ordinal = ordinals[place]
                known = records.get(ordinal)
                if known is None:
                    known = self._new_document(session, arrival_id, ordinal, document.document_id)
                elif known.state != State.PROCESSING:
                    continue
                likenesses.remember(session, known.id, compared[place])
                known.traits_sha256 = traits_sha256s[place]
                overlaps = not taken.isdisjoint((document.part, n) for n in document.pages)
                self._take_result(
                    session,
                    arrival,
                    known,
                    document,
                    sha256,
                    overlaps=overlaps,
                    skip=near_duplicates == "skip",
                    enqueue=enqueue,
                )
                if (seen := observations[place]) is not None:
                    self._observe(session, document, seen, kept[place])
            left = [known for ordinal, known in records.items() if ordinal not in ordinals]
            self._supersede(session, left, by_hand=process_job.recut is not None)
            if any(known.state == State.RECEIVED for known in records.values()):
                # Queued again by a person while this attempt ran: the sweep starts it.
                jobs.renew(arrival, self._clock())
        return True

    def _supersede(
        self, session: Session, documents: Sequence[DocumentRecord], *, by_hand: bool
    ) -> None:
        """End those at work of which nothing was found any more."""
        for known in documents:
            if known.state != State.PROCESSING:
                continue
            known.error, known.hint = SUPERSEDED, _SUPERSEDED_HINT
            if by_hand:
                known.hint, known.pages = _CUT_HINT, []
            record.move(
                session,
                known,
                State.QUARANTINED,
                at=self._clock(),
                actor="pipeline",
                action=SUPERSEDED,
            )

    def fail_processing(
        self,
        process_job: ProcessJob,
        *,
        trouble: str,
        retry_in: dt.timedelta,
        attempts: int,
        counted: bool = True,
    ) -> bool:
        """Record that an attempt came to nothing: try again later, or give up.

        ``trouble`` is a code. Not ``counted``: the house was at fault (disk full, shutting
        down), not the document; such an attempt is given back and never leads to quarantine.
        Returns whether the packet will be tried again by itself.
        """
        with Session(self._writing) as session, session.begin():
            arrival = session.get(Arrival, process_job.arrival.id, with_for_update=True)
            if arrival is None or arrival.job != process_job.job:
                return False
            now = self._clock()
            documents = jobs.documents_of(session, arrival.id, {State.PROCESSING})
            jobs.put_off(arrival, trouble, now + retry_in, counted=counted)
            if jobs.worn_out(arrival, attempts):
                jobs.give_up(session, arrival, documents, now)
                return False
            for document in documents:
                record.move(
                    session,
                    document,
                    State.RECEIVED,
                    at=now,
                    actor="engine",
                    action="put_off",
                    detail={"trouble": trouble, "seconds": retry_in.total_seconds()},
                )
            return True

    def _marked(
        self,
        arrival_id: str,
        documents: Sequence[Document],
        compared: Sequence[Traits],
        policy: DuplicatePolicy,
    ) -> list[Document]:
        """The documents, those that repeat an earlier one marked."""
        found: list[Document] = []
        since = self._clock() - likenesses.LOOK_BACK
        with Session(self._engine) as session:
            for document, traits in zip(documents, compared, strict=True):
                siblings = [
                    (other.document_id, theirs)
                    for other, theirs in zip(found, compared, strict=False)
                ]
                like = likenesses.most_like(
                    session,
                    self.content,
                    traits,
                    arrival_id=arrival_id,
                    since=since,
                    siblings=siblings,
                )
                found.append(likenesses.marked(document, like, policy))
        return found

    def _keep_page(self, arrival_id: str, page: Page) -> PageRecord:
        """Store a page's image and words; the stored page names its image by sha256."""
        image = self.content.put_file(Path(page.image)).sha256 if page.image else None
        kept = page.model_copy(update={"image": image})
        return PageRecord(
            arrival_id=arrival_id,
            part=page.part or "",
            number=page.number,
            image_sha256=image,
            page_sha256=self.content.put_bytes(kept.model_dump_json().encode()).sha256,
            grade=page.grade.value,
        )

    def _new_document(
        self, session: Session, arrival_id: str, ordinal: int, document_id: str
    ) -> DocumentRecord:
        document = DocumentRecord(
            id=document_id,
            arrival_id=arrival_id,
            ordinal=ordinal,
            state=State.PROCESSING.value,
            pages=[],
            missing=0,
            reasons=[],
            escalation=0,
        )
        record.birth(session, document, at=self._clock(), actor="pipeline", action="found")
        return document

    def _take_result(
        self,
        session: Session,
        arrival: Arrival,
        known: DocumentRecord,
        document: Document,
        sha256: str,
        *,
        overlaps: bool,
        skip: bool,
        enqueue: Enqueue | None,
    ) -> None:
        queued_again = known.like_document is not None
        known.like_document, known.likeness = document.duplicate_of, document.likeness
        if overlaps and document.decision is Decision.AUTO:
            # What has left must not leave again inside another document. Rare, so the file is
            # written within the transaction: only here it is known what has left.
            document = with_finding(
                document, Finding(rule=OVERLAPS, severity=Severity.BLOCK, message=_OVERLAP)
            )
            sha256 = self.content.put_bytes(document.model_dump_json().encode()).sha256
        after = {
            Decision.AUTO: State.AUTO,
            Decision.REVIEW: State.REVIEW,
            Decision.QUARANTINE: State.QUARANTINED,
        }[document.decision]
        if skip and document.duplicate_of and not queued_again:
            after = State.DUPLICATE
        if known.priority is None:
            known.priority = arrival.priority
        self._take_clock(known, document)
        now = self._clock()
        decisions.keep(known, document, sha256)
        decisions.note(session, known.id, document, sha256, at=now, actor="pipeline")
        record.move(
            session,
            known,
            after,
            at=now,
            actor="pipeline",
            action="decided",
            detail=decisions.detail_of(document, sha256),
        )
        if after is State.AUTO:
            delivery = jobs.want_delivery(session, known, new_id(now), now)
            if enqueue is not None:
                jobs.start(session, delivery, arrival.priority, enqueue)

# SPDX-License-Identifier: Apache-2.0
"""The store's side of cutting by hand: what is asked, what people said, what is worked by it.

A person's word on a packet stays in force for good: every later processing of the packet, after a
kill or by ``idp requeue``, cuts its open pages by it. Pages of documents that a person or a
delivery has taken are no longer open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.cutting import GivenCuts, Packet, PacketDocument, PacketPage, PageCut, Recut, group
from idp.document import Document, Page
from idp.reviewing import Outcome, ReviewAnswer, ReviewState
from idp.store import jobs, record
from idp.store.asking import cut_is_doubtful
from idp.store.content import ContentStore
from idp.store.reviews import Reviews, answer_record, in_time
from idp.store.rows import TO_PROCESS, CutPacket, CutRow, State
from idp.store.tables import (
    Arrival,
    CorrectionRecord,
    CutRecord,
    DocumentRecord,
    PageRecord,
    ReviewAnswerRecord,
    ReviewRecord,
)

SUPERSEDED = "superseded"
"""Error of a document whose pages are in others since its packet was worked again."""

_OPEN = frozenset({State.REVIEW, State.QUARANTINED})
"""States that another cut may take a document out of; all others keep their pages."""


class Cuts(Reviews):
    """Packets that people cut by hand."""

    def packet(self, document_id: str) -> Packet:
        """All pages of the arrival that a document is of, and how it is cut now.

        Raises:
            NotFoundError: No such document.
        """
        arrival_id = self.row(document_id).arrival_id
        with Session(self._engine) as session:
            arrival = session.get_one(Arrival, arrival_id)
            pages = session.scalars(
                sa.select(PageRecord).where(PageRecord.arrival_id == arrival_id)
            ).all()
            documents = session.scalars(
                sa.select(DocumentRecord)
                .where(DocumentRecord.arrival_id == arrival_id)
                .order_by(DocumentRecord.ordinal)
            ).all()
            last = _last(session, arrival_id, whole=False)
            session.expunge_all()
        first: dict[str, int] = {}
        for known in documents:
            first.setdefault(known.part or "", known.ordinal)
        end = len(documents) + 1
        order = sorted(pages, key=lambda p: (first.get(p.part, end), p.part, p.number))
        return Packet(
            arrival_id=arrival_id,
            sha256=arrival.sha256,
            pages=tuple(
                PacketPage(
                    part=page.part or None,
                    number=page.number,
                    image_sha256=page.image_sha256,
                    page_sha256=page.page_sha256,
                )
                for page in order
            ),
            documents=tuple(
                PacketDocument(
                    document=_result(self.content, known),
                    fixed=known.state not in _OPEN | TO_PROCESS,
                )
                for known in documents
                if known.pages and known.result_sha256 is not None
            ),
            said=_read(self.content, last) if last is not None else None,
        )

    def take_cut(
        self,
        answer: ReviewAnswer,
        cuts: GivenCuts,
        *,
        whole: bool,
        note: str = "",
        said: Sequence[str] = (),
    ) -> Outcome:
        """Take one person's word on a packet with all that follows, in one transaction; once.

        Its documents that change, and those that asked, are processed again by it: whoever is at
        work on the packet now is too late. Documents that a person or a delivery has taken are left
        as they are, and so are those that are as the person wants them; both are counted on the
        record.

        Args:
            answer: Who said it when.
            cuts: What was said of each page.
            whole: Everything was understood; else the packet is shown once more.
            note: What the reviewer wrote; kept with the documents, never on the record.
            said: Codes for the record.

        Returns:
            ``recut``, ``cut_unclear``, ``late``, or what became of it the first time.
        """
        put = self.content.put_bytes
        sha256 = put(cuts.model_dump_json(by_alias=True).encode()).sha256
        note_sha256 = put(note.encode()).sha256 if note else None
        with Session(self._writing) as session, session.begin():
            record.lock_chain(session)
            known = session.get(ReviewAnswerRecord, answer.key)
            if known is not None:
                return Outcome(known.outcome)
            now = self._clock()
            row = session.get_one(DocumentRecord, answer.document_id, with_for_update=True)
            place = session.get(ReviewRecord, answer.document_id, with_for_update=True)
            outcome = Outcome.RECUT if whole else Outcome.CUT_UNCLEAR
            if place is None or not place.cut or not in_time(answer, row, place):
                outcome = Outcome.LATE
            detail: record.Detail = {
                "key": answer.key,
                "round": answer.round,
                "seconds": answer.seconds,
                "said": " ".join(said),
            }
            if outcome is not Outcome.LATE:
                assert place is not None
                session.add(self._cut_record(session, answer, cuts, sha256, whole=whole, at=now))
                place.changed_at = now
                if whole:
                    place.state, place.due_at = ReviewState.DONE.value, None
                    detail |= self._cut_again(session, row.arrival_id, cuts, answer, now)
                else:
                    place.state, place.came_back = ReviewState.TO_SEND.value, True
                    place.round += 1
                    place.attempts, place.trouble, place.due_at = 0, None, now
            record.append(
                session,
                at=now,
                actor=f"reviewer:{answer.reviewer}",
                action=f"review_{outcome}",
                arrival_id=row.arrival_id,
                document_id=row.id,
                detail=detail,
            )
            session.add(answer_record(answer, outcome, now, note_sha256))
        return outcome

    def cuts(self, *, since: dt.datetime | None = None) -> tuple[CutRow, ...]:
        """What people cut by hand, oldest first."""
        query = sa.select(CutRecord)
        if since is not None:
            query = query.where(CutRecord.made_at >= since)
        with Session(self._engine) as session:
            rows = session.scalars(query.order_by(CutRecord.taken_at, CutRecord.key))
            return tuple(_as_row(row) for row in rows)

    def given_cuts(self) -> Iterator[tuple[CutRow, GivenCuts]]:
        """The word in force on each packet that was cut by hand, by the packet's id."""
        latest: dict[str, CutRow] = {}
        for row in self.cuts():
            if row.whole and row.number >= (latest.get(row.arrival_id, row)).number:
                latest[row.arrival_id] = row
        for arrival_id in sorted(latest):
            row = latest[arrival_id]
            yield row, GivenCuts.model_validate_json(self.content.read(row.content_sha256))

    def cut_packets(self) -> Iterator[CutPacket]:
        """The packets that were cut by hand, with the pages that the person saw, by packet."""
        for row, cuts in self.given_cuts():
            pages = [
                Page.model_validate_json(self.content.read(each.page_sha256))
                for each in cuts.pages
                if each.page_sha256 is not None
            ]
            if len(pages) == len(cuts.pages):
                yield CutPacket(
                    cuts=cuts, pages=tuple(pages), reviewer=row.reviewer, made_at=row.made_at
                )

    def taught(self) -> int:
        """How often people said something that models may learn from: fields, types, cuts."""
        with Session(self._engine) as session:
            counts = [
                session.scalar(sa.select(sa.func.count()).select_from(CorrectionRecord)),
                session.scalar(sa.select(sa.func.count()).where(CutRecord.whole)),
            ]
        return sum(each or 0 for each in counts)

    def _cut_record(
        self,
        session: Session,
        answer: ReviewAnswer,
        cuts: GivenCuts,
        sha256: str,
        *,
        whole: bool,
        at: dt.datetime,
    ) -> CutRecord:
        before = session.scalars(
            sa.select(sa.func.count()).where(CutRecord.arrival_id == cuts.arrival_id)
        ).one()
        return CutRecord(
            key=answer.key,
            number=before + 1,
            arrival_id=cuts.arrival_id,
            document_id=answer.document_id,
            reviewer=answer.reviewer,
            made_at=answer.made_at,
            taken_at=at,
            seconds=answer.seconds,
            whole=whole,
            pages=len(cuts.pages),
            documents=len(group(cuts, frozenset())),
            content_sha256=sha256,
        )

    def _cut_again(
        self,
        session: Session,
        arrival_id: str,
        cuts: GivenCuts,
        answer: ReviewAnswer,
        now: dt.datetime,
    ) -> record.Detail:
        """Hand what changes to the next processing; what became of the packet's documents."""
        documents = jobs.documents_of(session, arrival_id)
        fixed = [known for known in documents if known.state not in _OPEN | TO_PROCESS]
        closed = {(known.part, number) for known in fixed for number in known.pages}
        wanted = _wanted(group(cuts, closed))
        before = _wanted(group(cuts, frozenset()))
        places = {
            place.document_id: place
            for place in session.scalars(
                sa.select(ReviewRecord).where(
                    ReviewRecord.document_id.in_([known.id for known in documents])
                )
            )
        }
        changed = 0
        for known in documents:
            if known.state not in _OPEN or not known.pages:
                continue
            place = places.get(known.id)
            asked = place is not None and place.cut
            if not asked and not cut_is_doubtful(session, known) and _is_so(known, wanted):
                continue
            changed += 1
            known.error = known.hint = None
            record.move(
                session,
                known,
                State.RECEIVED,
                at=now,
                actor=f"reviewer:{answer.reviewer}",
                action="cut_again",
                detail={"key": answer.key},
            )
            if place is not None and place.cut and place.state == ReviewState.ASIDE:
                gone = place.project is None
                place.state = (ReviewState.GONE if gone else ReviewState.DONE).value
                place.due_at, place.changed_at = None, now
        jobs.renew(session.get_one(Arrival, arrival_id, with_for_update=True), now)
        return {
            "pages": len(cuts.pages),
            "left_out": sum(each.says == "left_out" for each in cuts.pages),
            "documents": len(wanted),
            "worked_again": changed,
            "taken_before": len(fixed),
            "taken_otherwise": sum(not _is_so(known, before) for known in fixed if known.pages),
        }


def recut_of(session: Session, content: ContentStore, arrival_id: str) -> Recut | None:
    """How a packet is to be worked, where a person has cut it."""
    last = _last(session, arrival_id, whole=True)
    if last is None:
        return None
    kept = session.scalars(
        sa.select(DocumentRecord)
        .where(
            DocumentRecord.arrival_id == arrival_id,
            DocumentRecord.state.not_in([state.value for state in TO_PROCESS]),
            DocumentRecord.result_sha256.is_not(None),
        )
        .order_by(DocumentRecord.ordinal)
    ).all()
    return Recut(
        cuts=_read(content, last),
        kept=tuple(_result(content, known) for known in kept if known.error != SUPERSEDED),
    )


def places_of(documents: Sequence[Document], records: Sequence[DocumentRecord]) -> tuple[int, ...]:
    """The ordinal of each document of a packet that was cut by hand.

    A document goes on as the one that had its first page, else as one that had any of its pages,
    else it is new. One without pages could not be read: it goes on as the first there is.

    Args:
        documents: As found by the person's cuts.
        records: All of the packet.
    """
    free = [known for known in records if known.state == State.PROCESSING]
    last = max((known.ordinal for known in records), default=0)
    ordinals: dict[int, int] = {}
    for ranks in (_has_first, _has_any):
        for place, document in enumerate(documents):
            if place in ordinals:
                continue
            like = next((known for known in free if ranks(known, document)), None)
            if like is not None:
                free.remove(like)
                ordinals[place] = like.ordinal
    for place in range(len(documents)):
        if place not in ordinals:
            last += 1
            ordinals[place] = last
    return tuple(ordinals[place] for place in range(len(documents)))


def _has_first(known: DocumentRecord, document: Document) -> bool:
    if not document.pages:
        return True
    return known.part == document.part and document.pages[0] in known.pages


def _has_any(known: DocumentRecord, document: Document) -> bool:
    return known.part == document.part and not set(document.pages).isdisjoint(known.pages)


def _wanted(
    groups: Sequence[Sequence[PageCut]],
) -> dict[tuple[str | None, tuple[int, ...]], PageCut]:
    return {(own[0].part, tuple(each.number for each in own)): own[0] for own in groups}


def _is_so(
    known: DocumentRecord, wanted: Mapping[tuple[str | None, tuple[int, ...]], PageCut]
) -> bool:
    """Whether a document is already what the person wants."""
    first = wanted.get((known.part, tuple(known.pages)))
    if first is None:
        return False
    return first.type in (None, known.type) and first.subtype in (None, known.subtype)


def _last(session: Session, arrival_id: str, *, whole: bool) -> CutRecord | None:
    query = sa.select(CutRecord).where(CutRecord.arrival_id == arrival_id)
    if whole:
        query = query.where(CutRecord.whole)
    return session.scalars(query.order_by(CutRecord.number.desc()).limit(1)).first()


def _read(content: ContentStore, row: CutRecord) -> GivenCuts:
    return GivenCuts.model_validate_json(content.read(row.content_sha256))


def _result(content: ContentStore, known: DocumentRecord) -> Document:
    assert known.result_sha256 is not None
    return Document.model_validate_json(content.read(known.result_sha256))


def _as_row(row: CutRecord) -> CutRow:
    return CutRow(
        key=row.key,
        number=row.number,
        arrival_id=row.arrival_id,
        document_id=row.document_id,
        reviewer=row.reviewer,
        made_at=row.made_at,
        seconds=row.seconds,
        whole=row.whole,
        pages=row.pages,
        documents=row.documents,
        content_sha256=row.content_sha256,
    )

# SPDX-License-Identifier: Apache-2.0
"""The store's side of the review: what is to be shown in Label Studio, and what was answered.

The rows follow the documents: :meth:`Reviews.renew_reviews` puts in what waits for a person, and
whatever has left the review shows up in :meth:`Reviews.reviews_to_remove` by itself. No other
part of the store needs to know that there is a queue.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.document import Document
from idp.errors import NotFoundError
from idp.reviewing import (
    LookTaken,
    Outcome,
    QualityCheck,
    ReviewAnswer,
    ReviewState,
)
from idp.store import decisions, jobs, looking, record
from idp.store.asking import ask_for_cut, cut_is_asked, cut_is_doubtful
from idp.store.clocks import Clocks
from idp.store.identity import new_id
from idp.store.looking import SecondLooks
from idp.store.places import Places, touched_since
from idp.store.rows import State
from idp.store.tables import DocumentRecord, ReviewAnswerRecord, ReviewRecord

_RENEWED = 200
"""Documents put into the queue in one transaction."""
_LOOKED = frozenset({Outcome.FIRST_LOOK, Outcome.DISAGREED})
"""Answers after which somebody else looks as well."""
_DELIVERS = {Outcome.APPLIED: "reviewed", Outcome.MENDED: "review_mended"}
"""Answers with which a document goes on to its delivery, and what the record calls it."""
_DECIDING = frozenset({Outcome.CAME_BACK, Outcome.RETYPED, *_DELIVERS, *_LOOKED})
"""Answers that put another result in force, or could."""
_OUT = frozenset({State.DELIVERED, State.INCOMPLETE})


class _Taken(NamedTuple):
    """An answer with its outcome, and the result that is to be in force after it."""

    answer: ReviewAnswer
    shown: Document | None
    sha256: str
    at: dt.datetime
    cut: bool
    """After a wrong cut: the packet is to be cut by hand."""


class Reviews(Places, SecondLooks, Clocks):
    """The queue of documents that people look at."""

    def renew_reviews(self, since: int | None = None) -> int:
        """Put into the queue what waits for a person and is not in it, or not as it now is.

        Returns how many were put there; call it until it returns 0.

        Args:
            since: Look only at documents that something happened to after this line of the
                record; without it at all that wait.
        """
        stale = sa.or_(
            ReviewRecord.document_id.is_(None),
            ReviewRecord.state.in_((ReviewState.DONE.value, ReviewState.GONE.value)),
            ReviewRecord.result_sha256 != DocumentRecord.result_sha256,
            # The document that asked about the cut for it has left the review.
            sa.and_(
                ReviewRecord.state == ReviewState.ASIDE.value,
                ReviewRecord.cut,
                ~cut_is_asked(DocumentRecord.arrival_id),
            ),
        )
        wanted = (
            sa.select(DocumentRecord.id)
            .outerjoin(ReviewRecord, ReviewRecord.document_id == DocumentRecord.id)
            .where(
                DocumentRecord.state == State.REVIEW.value,
                DocumentRecord.result_sha256.is_not(None),
                stale,
            )
            .limit(_RENEWED)
        )
        with Session(self._engine) as session:
            # Asked without the write lock first: most of the time there is nothing to do.
            touched = touched_since(session, since)
            if touched is not None:
                # And what came with them: one that asked about the cut of all may have left.
                beside = sa.select(DocumentRecord.arrival_id).where(DocumentRecord.id.in_(touched))
                wanted = wanted.where(DocumentRecord.arrival_id.in_(beside))
            ids = () if touched == [] else session.scalars(wanted).all()
        if not ids:
            return 0
        renewed = 0
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for document in session.scalars(
                sa.select(DocumentRecord)
                .where(DocumentRecord.id.in_(ids))
                .order_by(DocumentRecord.id)
                .with_for_update()
            ).all():
                if document.state == State.REVIEW and document.result_sha256 is not None:
                    self._show(session, document, document.result_sha256, now)
                    renewed += 1
        return renewed

    def shown_result(self, document_id: str) -> tuple[Document, str]:
        """The document as its reviewer was shown it last, and the hash of that result.

        Raises:
            NotFoundError: It was never in the queue.
        """
        with Session(self._engine) as session:
            place = session.get(ReviewRecord, document_id)
            sha256 = "" if place is None else place.result_sha256
        if not sha256:
            raise NotFoundError(f"document {document_id!r} was never in the queue")
        return Document.model_validate_json(self.content.read(sha256)), sha256

    def known_answers(self, keys: Collection[str]) -> frozenset[str]:
        """Which of these answers were taken."""
        with Session(self._engine) as session:
            return frozenset(
                session.scalars(
                    sa.select(ReviewAnswerRecord.key).where(ReviewAnswerRecord.key.in_(keys))
                )
            )

    def review_answers(self, document_id: str) -> tuple[ReviewAnswer, ...]:
        """All answers on a document, oldest first."""
        with Session(self._engine) as session:
            rows = session.scalars(
                sa.select(ReviewAnswerRecord)
                .where(ReviewAnswerRecord.document_id == document_id)
                .order_by(ReviewAnswerRecord.made_at, ReviewAnswerRecord.key)
            )
            return tuple(_as_answer(row) for row in rows)

    def take_answer(
        self,
        answer: ReviewAnswer,
        document: Document | None = None,
        *,
        note: str = "",
        said: Sequence[str] = (),
        look: LookTaken | None = None,
        check: QualityCheck | None = None,
        cut: bool = False,
    ) -> Outcome:
        """Take one answer with all that follows from it, in one transaction; once per key.

        One that comes after the document has left the review, or to an earlier round, is put on
        the record as late and changes nothing; but ``mended`` is for one that was delivered.

        Args:
            answer: Who said what when, and what should become of it.
            document: As judged after it; needed where the outcome puts a result in force.
            note: What the reviewer wrote; kept with the documents, never on the record.
            said: Codes for the record: findings that were confirmed, the type named.
            look: What it adds to the looks at a document that two people look at.
            check: What it shows of a document of the quality sample.
            cut: With a wrong cut: the packet can be cut by hand, so that is asked next.

        Returns:
            What became of it: the outcome asked for, or that of the first time, or ``late``.
        """
        deciding = answer.outcome in _DECIDING
        if deciding != (document is not None):
            raise ValueError(f"{answer.outcome} and its document go together")
        if answer.outcome in _LOOKED and look is None:
            raise ValueError(f"{answer.outcome} says nothing of the look")
        put = self.content.put_bytes
        sha256 = put(document.model_dump_json().encode()).sha256 if document is not None else ""
        note_sha256 = put(note.encode()).sha256 if note else None
        shown, shown_sha256 = document, sha256
        if look is not None and look.shown is not None:
            shown = look.shown
            shown_sha256 = put(shown.model_dump_json().encode()).sha256
        with Session(self._writing) as session, session.begin():
            record.lock_chain(session)
            known = session.get(ReviewAnswerRecord, answer.key)
            if known is not None:
                return Outcome(known.outcome)
            now = self._clock()
            row = session.get_one(DocumentRecord, answer.document_id, with_for_update=True)
            place = session.get(ReviewRecord, answer.document_id, with_for_update=True)
            outcome = answer.outcome
            fits = _mendable if outcome is Outcome.MENDED else in_time
            if place is None or not fits(answer, row, place):
                outcome = Outcome.LATE
            actor = f"reviewer:{answer.reviewer}"
            detail: record.Detail = {
                "key": answer.key,
                "round": answer.round,
                "seconds": answer.seconds,
                "said": " ".join(said),
            }
            if outcome in _LOOKED:
                detail["result"] = sha256
            if place is not None:
                taken = _Taken(replace(answer, outcome=outcome), shown, shown_sha256, now, cut)
                if outcome in {*_DECIDING, Outcome.WRONG_CUT}:
                    looking.note_look(
                        session, taken.answer, place, row,
                        sha256=sha256, look=look, check=check, now=now,
                    )  # fmt: skip
                self._follow(session, row, place, taken)
            if outcome in _DELIVERS:
                record.move(
                    session,
                    row,
                    State.CORRECTED,
                    at=now,
                    actor=actor,
                    action=_DELIVERS[outcome],
                    detail=detail,
                )
                jobs.want_delivery(session, row, new_id(now), now)
            else:
                record.append(
                    session,
                    at=now,
                    actor=actor,
                    action=f"review_{outcome}",
                    arrival_id=row.arrival_id,
                    document_id=row.id,
                    detail=detail,
                )
            session.add(answer_record(answer, outcome, now, note_sha256))
        return outcome

    def _follow(
        self, session: Session, row: DocumentRecord, place: ReviewRecord, taken: _Taken
    ) -> None:
        """What an answer makes of the document's result and of its place in the queue."""
        outcome, now = taken.answer.outcome, taken.at
        if outcome is Outcome.WRONG_CUT:
            place.state, place.changed_at = ReviewState.ASIDE.value, now
            if taken.cut:
                self._show_anew(place, place.result_sha256, now)
                ask_for_cut(session, row, place)
        if outcome is Outcome.NOT_COUNTED:
            came_back = place.came_back
            self._show_anew(place, place.result_sha256, now)
            place.came_back = came_back
        if outcome not in _DECIDING or taken.shown is None:
            return
        if outcome not in _LOOKED or taken.sha256 != row.result_sha256:
            actor = f"{looking.BY_A_PERSON}{taken.answer.reviewer}"
            self._decide(session, row, taken.shown, taken.sha256, actor)
        place.changed_at = now
        if outcome in _DELIVERS:
            # From now on counts how long who answered may mend it.
            place.state, place.due_at = ReviewState.DONE.value, now
        else:
            self._show_anew(place, taken.sha256, now)
            place.came_back = outcome is Outcome.CAME_BACK

    def _decide(
        self, session: Session, row: DocumentRecord, document: Document, sha256: str, actor: str
    ) -> None:
        """Put a result in force, with the clock that follows from it, and on the record."""
        now = self._clock()
        before = (row.urgency, row.clock, row.due_at)
        sampled = row.sampled
        decisions.keep(row, document, sha256)
        # Drawn is drawn: what turns out to be wrong must not drop out of the sample.
        row.sampled = row.sampled or sampled
        self._take_clock(row, document)
        decisions.note(session, row.id, document, sha256, at=now, actor=actor)
        if before != (row.urgency, row.clock, row.due_at):
            record.append(
                session,
                at=now,
                actor=actor,
                action="clock_set",
                arrival_id=row.arrival_id,
                document_id=row.id,
                detail={"clock": row.clock, "urgency": row.urgency},
            )

    def _show(
        self, session: Session, document: DocumentRecord, sha256: str, now: dt.datetime
    ) -> None:
        """Put a document's result into the queue as a new round, if it is not there already."""
        known = session.get(ReviewRecord, document.id, with_for_update=True)
        # Where it is doubtful what belongs to it, that is asked before all else.
        doubtful = cut_is_doubtful(session, document)
        if known is None:
            known = ReviewRecord(document_id=document.id, round=0, state=ReviewState.GONE.value)
            self._show_anew(known, sha256, now)
            session.add(known)
            session.flush()
            if doubtful:
                ask_for_cut(session, document, known)
            return
        live = known.state not in {ReviewState.DONE, ReviewState.GONE}
        if (
            live
            and known.result_sha256 == sha256
            and not (known.cut and known.state == ReviewState.ASIDE)
        ):
            return
        known.cut = False
        looking.restart(session, known, now)
        self._show_anew(known, sha256, now)
        session.flush()
        if doubtful:
            ask_for_cut(session, document, known)

    def _show_anew(self, known: ReviewRecord, sha256: str, now: dt.datetime) -> None:
        """As a new round: its task takes the place of the one that is there."""
        known.state = ReviewState.TO_SEND.value
        known.round += 1
        known.result_sha256 = sha256
        known.came_back = False
        known.attempts, known.trouble = 0, None
        known.due_at = known.changed_at = now


def answer_record(
    answer: ReviewAnswer, outcome: Outcome, now: dt.datetime, note_sha256: str | None
) -> ReviewAnswerRecord:
    """The row of an answer that was taken now."""
    return ReviewAnswerRecord(
        key=answer.key,
        document_id=answer.document_id,
        round=answer.round,
        reviewer=answer.reviewer,
        made_at=answer.made_at,
        taken_at=now,
        seconds=answer.seconds,
        outcome=outcome.value,
        note_sha256=note_sha256,
    )


def in_time(answer: ReviewAnswer, row: DocumentRecord, place: ReviewRecord) -> bool:
    """Whether the answer is about the document as it now is in the queue."""
    return (
        row.state == State.REVIEW
        and place.state in {ReviewState.SENT, ReviewState.TO_SEND}
        and place.round == answer.round
        and place.result_sha256 == row.result_sha256
    )


def _mendable(answer: ReviewAnswer, row: DocumentRecord, place: ReviewRecord) -> bool:
    """Whether the answer is about a document that was delivered and is still to be seen."""
    return (
        row.state in _OUT
        and place.state == ReviewState.DONE
        and place.project is not None
        and place.round == answer.round
    )


def _as_answer(row: ReviewAnswerRecord) -> ReviewAnswer:
    return ReviewAnswer(
        key=row.key,
        document_id=row.document_id,
        round=row.round,
        reviewer=row.reviewer,
        made_at=row.made_at,
        seconds=row.seconds,
        outcome=Outcome(row.outcome),
    )

# SPDX-License-Identifier: Apache-2.0
"""Second looks at documents, in the transaction of the answers that they follow from.

A look is open from the first answer on a document until it is agreed, decided, or begun anew:
because the document was read again, is of another type, or was cut wrongly. What was done stays as
a row, without values, for the figures.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.document import Document
from idp.reviewing import (
    Look,
    LookTaken,
    Outcome,
    QualityCheck,
    ReviewAnswer,
    ReviewState,
    ReviewWork,
    SecondLook,
    Touched,
)
from idp.store import record
from idp.store.decisions import Decisions
from idp.store.rows import SortedRow, State
from idp.store.tables import (
    Arrival,
    CorrectionRecord,
    DecisionRecord,
    DocumentRecord,
    QualityCheckRecord,
    ReviewAnswerRecord,
    ReviewRecord,
    SecondLookRecord,
)

BY_A_PERSON = "reviewer:"
"""What the actor of a decision begins with that follows from an answer."""

_COUNTED = ("came_back", "first_look", "disagreed")
"""Answers by which somebody has looked at a document that is still under way."""
_WORK = ("applied", "retyped", "wrong_cut", *_COUNTED)
_TAKEN_OUT = frozenset({Outcome.RETYPED, Outcome.WRONG_CUT})
_FINAL = frozenset({Outcome.APPLIED, Outcome.MENDED, *_TAKEN_OUT})


class SecondLooks(Decisions):
    """What two people said of the same document, and what the quality sample shows."""

    def second_look(self, document_id: str) -> SecondLook | None:
        """The looks at a document that are under way; none before the first answer."""
        with Session(self._engine) as session:
            found = _open(session, document_id)
            return None if found is None else _as_look(found, _lookers(session, found))

    def second_looks(self, *, since: dt.datetime | None = None) -> tuple[SecondLook, ...]:
        """All documents that two people looked at to the end, by the time of the second look."""
        query = sa.select(SecondLookRecord).where(SecondLookRecord.agreed.is_not(None))
        if since is not None:
            query = query.where(SecondLookRecord.second_at >= since)
        with Session(self._engine) as session:
            rows = session.scalars(
                query.order_by(SecondLookRecord.second_at, SecondLookRecord.document_id)
            )
            return tuple(_as_look(row) for row in rows)

    def sorting(self, *, since: dt.datetime | None = None) -> tuple[SortedRow, ...]:
        """How often people corrected type and cut, by source and by the type that was read.

        Args:
            since: Only documents of which the first answer came then or later.
        """
        of_person = (
            sa.select(
                ReviewAnswerRecord.document_id,
                sa.func.min(ReviewAnswerRecord.made_at).label("first"),
                *(
                    sa.func.max(
                        sa.case((ReviewAnswerRecord.outcome == outcome.value, 1), else_=0)
                    ).label(outcome.value)
                    for outcome in (Outcome.RETYPED, Outcome.WRONG_CUT)
                ),
            )
            .where(ReviewAnswerRecord.outcome.in_(_WORK))
            .group_by(ReviewAnswerRecord.document_id)
            .subquery()
        )
        query = (
            sa.select(of_person, DocumentRecord.type, DocumentRecord.subtype, Arrival.channel)
            .join(DocumentRecord, DocumentRecord.id == of_person.c.document_id)
            .join(Arrival, Arrival.id == DocumentRecord.arrival_id)
            .order_by(of_person.c.document_id)
        )
        if since is not None:
            query = query.where(of_person.c.first >= since)
        counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        with Session(self._engine) as session:
            for row in session.execute(query):
                kind, subtype = row.type, row.subtype
                if row.retyped or row.wrong_cut:
                    # What it is now is a person's word: what was read lies with the first decision.
                    kind, subtype = self._first_read(session, row.document_id) or (kind, subtype)
                name = str(kind) if subtype is None else f"{kind}/{subtype}"
                own = counts[row.channel, name]
                own[0] += 1
                own[1] += row.retyped
                own[2] += row.wrong_cut
        return tuple(SortedRow(*key, *counts[key]) for key in sorted(counts))

    def _first_read(self, session: Session, document_id: str) -> tuple[str, str | None] | None:
        sha256 = session.scalars(
            sa.select(DecisionRecord.result_sha256)
            .where(DecisionRecord.document_id == document_id, DecisionRecord.actor == "pipeline")
            .order_by(DecisionRecord.at, DecisionRecord.id)
            .limit(1)
        ).first()
        if sha256 is None:
            return None
        read = Document.model_validate_json(self.content.read(sha256))
        return read.type, read.subtype

    def review_work(self, *, since: dt.datetime | None = None) -> tuple[ReviewWork, ...]:
        """What people answered and what counted of it, oldest first; a slip mended is none anew."""
        query = (
            sa.select(ReviewAnswerRecord, DocumentRecord.type, CorrectionRecord.outcomes)
            .join(DocumentRecord, DocumentRecord.id == ReviewAnswerRecord.document_id)
            .outerjoin(CorrectionRecord, CorrectionRecord.key == ReviewAnswerRecord.key)
            .where(ReviewAnswerRecord.outcome.in_(_WORK))
            .order_by(ReviewAnswerRecord.made_at, ReviewAnswerRecord.key)
        )
        if since is not None:
            query = query.where(ReviewAnswerRecord.made_at >= since)
        with Session(self._engine) as session:
            return tuple(
                ReviewWork(
                    document_id=answer.document_id,
                    type=type_ or "other",
                    reviewer=answer.reviewer,
                    made_at=answer.made_at,
                    seconds=answer.seconds,
                    outcome=Outcome(answer.outcome),
                    outcomes=outcomes or {},
                )
                for answer, type_, outcomes in session.execute(query)
            )

    def note_figures(self, person: str, *, actor: str) -> None:
        """Put on the record that somebody looked at one person's figures."""
        with Session(self._writing) as session, session.begin():
            record.append(
                session,
                at=self._clock(),
                actor=actor,
                action="figures_viewed",
                detail={"person": person},
            )

    def looks_waiting(self) -> dict[Look, int]:
        """How many documents in the queue wait for which look; every look is there."""
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(ReviewRecord.look, sa.func.count())
                .join(DocumentRecord, DocumentRecord.id == ReviewRecord.document_id)
                .where(
                    DocumentRecord.state == State.REVIEW.value,
                    ReviewRecord.state.in_((ReviewState.TO_SEND.value, ReviewState.SENT.value)),
                )
                .group_by(ReviewRecord.look)
            ).all()
        return dict.fromkeys(Look, 0) | {Look(look): number for look, number in found}

    def has_looked(self, name: str) -> bool:
        """Whether any document is under way of which this person may give no further look."""
        with Session(self._engine) as session:
            return session.scalars(_looked(name).limit(1)).first() is not None

    def may_look(self, task_id: int, name: str, *, as_lead: bool) -> bool:
        """Whether a person's answer to a task of Label Studio would count.

        Args:
            task_id: Its number.
            name: Whose answer it is.
            as_lead: Whether they may decide where two people differ.
        """
        place = sa.select(ReviewRecord.look).where(ReviewRecord.task_id == task_id).limit(1)
        wanted = _looked(name).join(
            ReviewRecord, ReviewRecord.document_id == SecondLookRecord.document_id
        )
        with Session(self._engine) as session:
            if session.scalars(place).first() == Look.LEAD and not as_lead:
                return False
            return session.scalars(wanted.where(ReviewRecord.task_id == task_id)).first() is None

    def last_look(self, document_id: str) -> SecondLook | None:
        """The looks at a document that came to their end last; none where one person looked."""
        query = (
            sa.select(SecondLookRecord)
            .where(
                SecondLookRecord.document_id == document_id, SecondLookRecord.agreed.is_not(None)
            )
            .order_by(SecondLookRecord.began_round.desc())
            .limit(1)
        )
        with Session(self._engine) as session:
            found = session.scalars(query).first()
            return None if found is None else _as_look(found)

    def quality_base(
        self, document_id: str, *, mended: bool = False
    ) -> tuple[Document, str] | None:
        """What a document of the quality sample is counted against, and its hash; else none.

        That is the reading that would have been sent. What a person's answer put in force since
        is not, however little is wrong with it.

        Args:
            document_id: Which.
            mended: It was counted before, and who answered mends a slip.
        """
        with Session(self._engine) as session:
            row = session.get_one(DocumentRecord, document_id)
            check = session.get(QualityCheckRecord, document_id)
            if row.result_sha256 is None:
                return None
            read = session.scalars(
                sa.select(DecisionRecord.sampled)
                .where(
                    DecisionRecord.document_id == document_id,
                    DecisionRecord.result_sha256 == row.result_sha256,
                    ~DecisionRecord.actor.startswith(BY_A_PERSON, autoescape=True),
                )
                .limit(1)
            ).first()
            if read:
                sha256 = row.result_sha256
            elif (
                read is None
                and check is not None
                and (not check.done or (mended and not check.unfit))
            ):
                sha256 = check.base_sha256
            else:
                return None
        return Document.model_validate_json(self.content.read(sha256)), sha256


def note_look(
    session: Session,
    answer: ReviewAnswer,
    place: ReviewRecord,
    row: DocumentRecord,
    *,
    sha256: str,
    look: LookTaken | None,
    check: QualityCheck | None,
    now: dt.datetime,
) -> None:
    """Put down what an answer adds to the looks, and which one is asked for next.

    Args:
        session: The transaction of the answer.
        answer: That was taken, with what became of it.
        place: The document's in the queue.
        row: The document as it was shown.
        sha256: The document as the answer has it.
        look: What it adds; none where one person is enough.
        check: What it shows of a document of the quality sample.
        now: The time.
    """
    outcome = answer.outcome
    if check is not None:
        _keep_check(session, answer.document_id, check, outcome, now)
    known = _open(session, answer.document_id)
    if outcome in _TAKEN_OUT or (outcome is Outcome.APPLIED and look is None):
        if known is not None:
            known.ended_at = now
        place.look = Look.FIRST
        return
    if look is None:
        return
    if known is None:
        known = SecondLookRecord(
            document_id=answer.document_id,
            began_round=answer.round,
            type=row.type or "other",
            base_sha256=row.result_sha256 or "",
            fields={},
        )
        session.add(known)
    if outcome is Outcome.FIRST_LOOK:
        known.first_by, known.first_at, known.first_sha256 = answer.reviewer, answer.made_at, sha256
        place.look = Look.SECOND
        return
    at_second = place.look == Look.SECOND and outcome in {Outcome.APPLIED, Outcome.DISAGREED}
    if at_second:
        known.second_by, known.second_at = answer.reviewer, answer.made_at
        known.second_sha256 = sha256
        known.agreed = outcome is Outcome.APPLIED
        known.fields = {name: how.value for name, how in look.fields.items()}
    if outcome is Outcome.DISAGREED:
        place.look = Look.LEAD
    if outcome is Outcome.APPLIED:
        known.decided_by = None if at_second else answer.reviewer
        known.ended_at = now
        place.look = Look.FIRST


def restart(session: Session, place: ReviewRecord, now: dt.datetime) -> None:
    """The document was read or decided anew: what was said of it before is no look at it."""
    known = _open(session, place.document_id)
    if known is not None:
        known.ended_at = now
    place.look = Look.FIRST


def _keep_check(
    session: Session, document_id: str, check: QualityCheck, outcome: Outcome, now: dt.datetime
) -> None:
    """Put down what the quality sample shows of a document, as far as it is known."""
    session.merge(
        QualityCheckRecord(
            document_id=document_id,
            base_sha256=check.base_sha256,
            type=check.type,
            at=now,
            outcomes={name: dict(counts) for name, counts in check.outcomes.items()},
            unfit=check.unfit,
            done=outcome in _FINAL,
        )
    )


def _open(session: Session, document_id: str) -> SecondLookRecord | None:
    return session.scalars(
        sa.select(SecondLookRecord).where(
            SecondLookRecord.document_id == document_id, SecondLookRecord.ended_at.is_(None)
        )
    ).one_or_none()


def _looked(name: str) -> sa.Select[str]:
    """The documents whose looks are under way and that a person has answered in them."""
    return (
        sa.select(SecondLookRecord.document_id)
        .join(
            ReviewAnswerRecord,
            sa.and_(
                ReviewAnswerRecord.document_id == SecondLookRecord.document_id,
                ReviewAnswerRecord.round >= SecondLookRecord.began_round,
            ),
        )
        .where(
            SecondLookRecord.ended_at.is_(None),
            ReviewAnswerRecord.outcome.in_(_COUNTED),
            ReviewAnswerRecord.reviewer == name,
        )
    )


def _lookers(session: Session, look: SecondLookRecord) -> tuple[str, ...]:
    return tuple(
        session.scalars(
            sa.select(ReviewAnswerRecord.reviewer)
            .where(
                ReviewAnswerRecord.document_id == look.document_id,
                ReviewAnswerRecord.round >= look.began_round,
                ReviewAnswerRecord.outcome.in_(_COUNTED),
            )
            .distinct()
            .order_by(ReviewAnswerRecord.reviewer)
        )
    )


def _as_look(row: SecondLookRecord, lookers: tuple[str, ...] = ()) -> SecondLook:
    return SecondLook(
        document_id=row.document_id,
        type=row.type,
        base_sha256=row.base_sha256,
        first_by=row.first_by,
        first_sha256=row.first_sha256,
        second_by=row.second_by,
        second_sha256=row.second_sha256,
        agreed=row.agreed,
        fields={name: Touched(how) for name, how in row.fields.items()},
        decided_by=row.decided_by,
        lookers=lookers,
    )

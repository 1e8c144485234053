# SPDX-License-Identifier: Apache-2.0
"""The places of documents in the review queue: what is in Label Studio, and what is to be.

:mod:`idp.store.reviews` puts documents in and takes answers; here is what keeps Label Studio in
step: sending, removing, comparing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.reviewing import Look, ReviewRow, ReviewState
from idp.store.rows import State
from idp.store.tables import DocumentRecord, Event, ReviewRecord

_MOST_TOUCHED = 500
"""Lines of the record that are followed; where there are more, all documents are looked at."""
_NO_TIME = dt.timedelta(0)


class Places:
    """Where each document's review stands."""

    _engine: sa.Engine
    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def review_head(self) -> int:
        """How far the record goes: what happens to a document later has a line behind it."""
        with Session(self._engine) as session:
            return session.scalar(sa.select(sa.func.max(Event.seq))) or 0

    def reviews_to_send(self, limit: int) -> tuple[ReviewRow, ...]:
        """What is to be shown and due, the most pressing first."""
        return self._reviews(
            sa.select(ReviewRecord, DocumentRecord.type)
            .join(DocumentRecord, DocumentRecord.id == ReviewRecord.document_id)
            .where(
                ReviewRecord.state == ReviewState.TO_SEND.value,
                ReviewRecord.due_at <= self._clock(),
                DocumentRecord.state == State.REVIEW.value,
            )
            .order_by(DocumentRecord.priority, DocumentRecord.due_at, DocumentRecord.id)
            .limit(limit)
        )

    def begin_sending(self, ids: Collection[str], project: int) -> None:
        """Note before an attempt that from now on there may be a task of these documents."""
        with Session(self._writing) as session, session.begin():
            session.execute(
                sa.update(ReviewRecord)
                .where(
                    ReviewRecord.document_id.in_(ids),
                    ReviewRecord.state == ReviewState.TO_SEND.value,
                )
                .values(
                    attempts=ReviewRecord.attempts + 1, project=project, changed_at=self._clock()
                )
            )

    def finish_sending(
        self,
        rounds: Mapping[str, int],
        tasks: Mapping[str, int],
        renew_in: dt.timedelta | None = None,
    ) -> None:
        """Note the tasks of documents, unless another round has begun since.

        Args:
            rounds: The round that was sent, by document.
            tasks: The task's number, by document.
            renew_in: When the links in them are to be replaced, if they do not last.
        """
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for known in self._locked(session, tasks):
                if known.state == ReviewState.TO_SEND and known.round == rounds[known.document_id]:
                    known.state = ReviewState.SENT.value
                    known.task_id = tasks[known.document_id]
                    known.due_at = None if renew_in is None else now + renew_in
                    known.attempts, known.trouble = 0, None
                    known.changed_at = now

    def reviews_to_renew(self, limit: int) -> tuple[ReviewRow, ...]:
        """What is shown with links that are soon no longer good."""
        return self._reviews(
            sa.select(ReviewRecord, DocumentRecord.type)
            .join(DocumentRecord, DocumentRecord.id == ReviewRecord.document_id)
            .where(
                ReviewRecord.state == ReviewState.SENT.value,
                ReviewRecord.due_at <= self._clock(),
                DocumentRecord.state == State.REVIEW.value,
            )
            .order_by(ReviewRecord.due_at)
            .limit(limit)
        )

    def finish_renewing(self, rounds: Mapping[str, int], renew_in: dt.timedelta | None) -> None:
        """Note that the links in these tasks are good again for a while; by document its round."""
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for known in self._locked(session, rounds):
                same = known.round == rounds[known.document_id]
                if known.state == ReviewState.SENT and same:
                    known.due_at = None if renew_in is None else now + renew_in
                    known.changed_at = now

    def put_off_sending(self, ids: Collection[str], trouble: str, retry_in: dt.timedelta) -> None:
        """Try these again later; ``trouble`` is a code."""
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for known in self._locked(session, ids):
                if known.state == ReviewState.TO_SEND:
                    known.due_at, known.trouble, known.changed_at = now + retry_in, trouble, now

    def reviews_to_remove(
        self, limit: int, *, kept_for: dt.timedelta = _NO_TIME, since: int | None = None
    ) -> tuple[ReviewRow, ...]:
        """What may be in Label Studio and is no longer to be there.

        Args:
            limit: Most rows.
            kept_for: How long what was answered stays, so that who answered can mend a slip.
            since: Of what left the review otherwise, only what something happened to after this
                line of the record.
        """
        there = (
            sa.select(ReviewRecord, DocumentRecord.type)
            .join(DocumentRecord, DocumentRecord.id == ReviewRecord.document_id)
            .where(ReviewRecord.project.is_not(None))
            .order_by(ReviewRecord.changed_at)
            .limit(limit)
        )
        answered = ReviewRecord.state == ReviewState.DONE.value
        left = there.where(
            ReviewRecord.state.in_((ReviewState.TO_SEND.value, ReviewState.SENT.value)),
            DocumentRecord.state != State.REVIEW.value,
        )
        with Session(self._engine) as session:
            touched = touched_since(session, since)
        if touched is not None:
            left = left.where(ReviewRecord.document_id.in_(touched))
        # Each by an index of its own: tens of thousands that wait must not be looked at for it.
        ended = there.where(
            sa.or_(
                ReviewRecord.state == ReviewState.ASIDE.value,
                sa.and_(answered, ReviewRecord.due_at.is_(None)),
                sa.and_(answered, ReviewRecord.due_at <= self._clock() - kept_for),
            )
        )
        rows = self._reviews(ended)
        return rows if touched == [] else (*rows, *self._reviews(left))[:limit]

    def finish_removing(self, rounds: Mapping[str, int]) -> None:
        """Note that nothing of these documents is in Label Studio any more.

        Args:
            rounds: The round that was removed, by document.
        """
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for known in self._locked(session, rounds):
                if known.round != rounds[known.document_id]:
                    continue
                document = session.get_one(DocumentRecord, known.document_id)
                if known.state != ReviewState.ASIDE or document.state != State.REVIEW:
                    known.state = ReviewState.GONE.value
                known.project = known.task_id = None
                known.changed_at = now

    def lost_reviews(self, ids: Collection[str]) -> int:
        """Send these again: their tasks were deleted by somebody; returns how many."""
        lost = 0
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for known in self._locked(session, ids):
                if known.state == ReviewState.SENT:
                    known.state, known.due_at = ReviewState.TO_SEND.value, now
                    known.attempts, known.changed_at = 1, now  # looked up before it is sent
                    lost += 1
        return lost

    def reviews_in(self, project: int) -> tuple[ReviewRow, ...]:
        """What may be in a project of Label Studio."""
        return self._reviews(
            sa.select(ReviewRecord, DocumentRecord.type)
            .join(DocumentRecord, DocumentRecord.id == ReviewRecord.document_id)
            .where(ReviewRecord.project == project)
            .order_by(ReviewRecord.document_id)
        )

    def review_tasks(self, project: int) -> int:
        """How many tasks a project of Label Studio should have."""
        with Session(self._engine) as session:
            return session.scalars(
                sa.select(sa.func.count())
                .select_from(ReviewRecord)
                .where(ReviewRecord.project == project, ReviewRecord.task_id.is_not(None))
            ).one()

    def live_reviews(self, kept_for: dt.timedelta = _NO_TIME) -> frozenset[str]:
        """The documents whose pages may be seen: they are under review, or were just answered.

        Args:
            kept_for: How long what was answered stays.
        """
        live = (ReviewState.TO_SEND.value, ReviewState.SENT.value)
        with Session(self._engine) as session:
            return frozenset(
                session.scalars(
                    sa.select(ReviewRecord.document_id)
                    .join(DocumentRecord, DocumentRecord.id == ReviewRecord.document_id)
                    .where(
                        sa.or_(
                            sa.and_(
                                ReviewRecord.state.in_(live),
                                DocumentRecord.state == State.REVIEW.value,
                            ),
                            sa.and_(
                                ReviewRecord.state == ReviewState.DONE.value,
                                ReviewRecord.project.is_not(None),
                                ReviewRecord.due_at > self._clock() - kept_for,
                            ),
                        )
                    )
                )
            )

    def reviews_of(self, ids: Collection[str]) -> dict[str, ReviewRow]:
        """The places of these documents, those that have one."""
        rows = self._reviews(
            sa.select(ReviewRecord, DocumentRecord.type)
            .join(DocumentRecord, DocumentRecord.id == ReviewRecord.document_id)
            .where(ReviewRecord.document_id.in_(ids))
        )
        return {row.document_id: row for row in rows}

    def review_counts(self) -> dict[ReviewState, int]:
        """How many documents stand where; every state is there, also with zero."""
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(ReviewRecord.state, sa.func.count()).group_by(ReviewRecord.state)
            ).all()
        return dict.fromkeys(ReviewState, 0) | {ReviewState(state): n for state, n in found}

    def _locked(self, session: Session, ids: Collection[str]) -> Sequence[ReviewRecord]:
        return session.scalars(
            sa.select(ReviewRecord)
            .where(ReviewRecord.document_id.in_(ids))
            .order_by(ReviewRecord.document_id)
            .with_for_update()
        ).all()

    def _reviews(self, query: sa.Select[ReviewRecord, str | None]) -> tuple[ReviewRow, ...]:
        with Session(self._engine) as session:
            return tuple(_as_row(review, type_) for review, type_ in session.execute(query))


def touched_since(session: Session, since: int | None) -> list[str] | None:
    """The documents that something happened to after a line of the record; ``None``: too many.

    By name, not as part of a question: a planner might begin with all that wait.
    """
    if since is None:
        return None
    found = session.scalars(
        sa.select(Event.document_id).where(Event.seq > since).limit(_MOST_TOUCHED + 1)
    ).all()
    if len(found) > _MOST_TOUCHED:
        return None
    return sorted({each for each in found if each is not None})


def _as_row(review: ReviewRecord, type_: str | None) -> ReviewRow:
    return ReviewRow(
        document_id=review.document_id,
        type=type_ or "other",
        state=ReviewState(review.state),
        round=review.round,
        project=review.project,
        task_id=review.task_id,
        attempts=review.attempts,
        came_back=review.came_back,
        trouble=review.trouble,
        cut=review.cut,
        look=Look(review.look),
    )

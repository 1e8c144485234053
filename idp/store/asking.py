# SPDX-License-Identifier: Apache-2.0
"""Whether a document's packet is to be cut by hand, and by which of its documents that is asked."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased

from idp.reviewing import ReviewState
from idp.store.rows import State
from idp.store.tables import DecisionRecord, DocumentRecord, ReviewRecord

_DOUBTFUL_CUT = "P6/block"
"""The finding of a cut that is less sure than ``decision.cut_threshold``."""


def cut_is_doubtful(session: Session, known: DocumentRecord) -> bool:
    """Whether the result in force says that it is doubtful where the document begins or ends."""
    rules = session.scalars(
        sa.select(DecisionRecord.rules).where(
            DecisionRecord.document_id == known.id,
            DecisionRecord.result_sha256 == known.result_sha256,
        )
    ).first()
    return _DOUBTFUL_CUT in (rules or ())


def ask_for_cut(session: Session, document: DocumentRecord, place: ReviewRecord) -> None:
    """Show the packet to be cut by hand, unless another document of it does so already.

    Args:
        session: A writing transaction, in which the place is a new round.
        document: That asks.
        place: Its own.
    """
    asked = session.scalars(
        sa.select(cut_is_asked(sa.literal(document.arrival_id), document.id))
    ).one()
    place.cut = True
    place.state = (ReviewState.ASIDE if asked else ReviewState.TO_SEND).value
    session.flush()


def cut_is_asked(
    arrival_id: sa.ColumnElement[str] | Mapped[str], but: str = ""
) -> sa.ColumnElement[bool]:
    """Whether a document of the packet, but that one, shows it to be cut by hand."""
    other, place = aliased(DocumentRecord), aliased(ReviewRecord)
    return (
        sa.select(place.document_id)
        .join(other, other.id == place.document_id)
        .where(
            other.arrival_id == arrival_id,
            other.id != but,
            other.state == State.REVIEW.value,
            place.cut,
            place.state.in_((ReviewState.TO_SEND.value, ReviewState.SENT.value)),
        )
        .exists()
    )

# SPDX-License-Identifier: Apache-2.0
"""The nouns of the review queue: what is in Label Studio, and what people answered.

No values: ids, counts, codes and times only, so all of it may be printed and logged.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

SPLITTING = "splitting"
"""Key of the queue for packets whose cut into documents is in doubt."""


class ReviewState(StrEnum):
    """Where a document's review stands."""

    TO_SEND = "to_send"
    SENT = "sent"
    DONE = "done"
    """A person answered and the document went on; its task is to be removed."""
    ASIDE = "aside"
    """It is cut wrongly. Another document of its packet asks about the cut; where nobody can be
    asked (pages lack, or it is no packet of pages) it waits on the status page."""
    GONE = "gone"
    """Nothing of it is in Label Studio."""


class Outcome(StrEnum):
    """What became of one answer."""

    APPLIED = "applied"
    CAME_BACK = "came_back"
    """A blocking finding is left: the document is shown once more, with the finding."""
    RETYPED = "retyped"
    """It is of another type: read again as that, and shown again."""
    WRONG_CUT = "wrong_cut"
    """It begins or ends elsewhere: the packet's pages are shown, to be cut by hand."""
    RECUT = "recut"
    """The packet was cut by hand, and is worked again by those cuts."""
    SKIPPED = "skipped"
    LATE = "late"
    """It came after another answer, or the document had left the review: nothing changed."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A document's place in the queue.

    ``round`` counts how often the document was put there: an answer to an earlier round is late.
    ``project`` is set while there may be a task of it in Label Studio, ``task_id`` where its
    number was noted; numbers are given anew after a deletion, so nothing relies on them alone.
    """

    document_id: str
    type: str
    state: ReviewState
    round: int
    project: int | None
    task_id: int | None
    attempts: int
    came_back: bool
    trouble: str | None = None
    cut: bool = False
    """Its packet is shown to be cut by hand, not its fields."""

    @property
    def queue(self) -> str:
        """Key of the project that it is shown in."""
        return SPLITTING if self.cut else self.type


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """One revision of one annotation. ``key`` names it for good; times are aware."""

    key: str
    document_id: str
    round: int
    reviewer: str
    made_at: dt.datetime
    seconds: float | None
    outcome: Outcome

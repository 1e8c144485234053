# SPDX-License-Identifier: Apache-2.0
"""The nouns of the review queue: what is in Label Studio, and what people answered.

No values: ids, counts, codes and times only, so all of it may be printed and logged. The one
exception is :class:`LookTaken`, which carries a document from the desk to the store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal

from idp.document import Document

SPLITTING = "splitting"
"""Key of the queue for packets whose cut into documents is in doubt."""


class ReviewState(StrEnum):
    """Where a document's review stands."""

    TO_SEND = "to_send"
    SENT = "sent"
    DONE = "done"
    """A person answered and the document went on; its task is removed when the time to mend a
    slip (``review.retain_days``) is over."""
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
    MENDED = "mended"
    """Opened again by who had answered, after the delivery: the next version is delivered."""
    WRONG_CUT = "wrong_cut"
    """It begins or ends elsewhere: the packet's pages are shown, to be cut by hand."""
    RECUT = "recut"
    """The packet was cut by hand, and is worked again by those cuts."""
    CUT_UNCLEAR = "cut_unclear"
    """What was said of a packet's pages is not all understood: they are shown once more."""
    SKIPPED = "skipped"
    LATE = "late"
    """It came after another answer, or the document had left the review: nothing changed."""
    FIRST_LOOK = "first_look"
    """Taken; another person looks at the document before it goes on."""
    DISAGREED = "disagreed"
    """The second person says something else than the first: a lead decides."""
    NOT_COUNTED = "not_counted"
    """The person may not give this look (they gave an earlier one, or are no lead): shown anew."""


class Look(IntEnum):
    """Which look at a document is asked for; most documents stay at the first."""

    FIRST = 1
    SECOND = 2
    LEAD = 3


class Touched(StrEnum):
    """What two people did with one field, at least one of whom was asked about it."""

    BOTH_KEPT = "both_kept"
    BOTH_CHANGED = "both_changed"
    """To the same value."""
    ONE_CHANGED = "one_changed"
    DIFFERENT = "different"
    """Both changed it, to different values."""

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self in (Touched.BOTH_KEPT, Touched.BOTH_CHANGED)


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
    look: Look = Look.FIRST
    cut: bool = False
    """Its packet is shown to be cut by hand, not its fields."""

    @property
    def queue(self) -> str:
        """Key of the project that shows it: that of cuts, of its type, or of the type's leads."""
        if self.cut:
            return SPLITTING
        return lead_queue(self.type) if self.look is Look.LEAD else self.type


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

    @property
    def annotation(self) -> str:
        """The annotation, whatever its revision."""
        return self.key.partition("@")[0]


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Two people's looks at one document, as far as they have come.

    ``base_sha256`` is the document before the first of them, ``first_sha256`` and
    ``second_sha256`` what each made of it; ``agreed`` is not set while only one has looked, and
    stays so where the document was taken out (another type, a wrong cut). Times are aware.
    """

    document_id: str
    type: str
    base_sha256: str
    first_by: str | None = None
    first_sha256: str | None = None
    second_by: str | None = None
    second_sha256: str | None = None
    agreed: bool | None = None
    fields: Mapping[str, Touched] = field(default_factory=dict)
    decided_by: str | None = None
    lookers: tuple[str, ...] = ()
    """Everybody who answered so far, in the order of the alphabet: not telling who was first."""


@dataclass(frozen=True, slots=True)
class LookTaken:
    """What an answer adds to the looks at its document.

    Args:
        shown: What the next one is shown, where that is not what the answer made of it.
        fields: What the two made of each field; the second look only.
    """

    shown: Document | None = None
    fields: Mapping[str, Touched] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """What a document of the quality sample shows, counted against what would have been sent.

    ``outcomes`` counts by field, in the words of :attr:`idp.signals.Correction.outcome`;
    ``unfit`` says that the whole of it was taken for something else.
    """

    base_sha256: str
    type: str
    outcomes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unfit: Literal["", "type", "cut"] = ""


@dataclass(frozen=True, slots=True)
class ReviewWork:
    """One answer that counted, for figures: no values, and seconds as Label Studio measured them.

    ``outcomes`` counts by field, in the words of :attr:`idp.signals.Correction.outcome`.
    """

    document_id: str
    type: str
    reviewer: str
    made_at: dt.datetime
    seconds: float | None
    outcome: Outcome
    outcomes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


NOT_FOR = "not_for"
LEADS_ONLY = "leads_only"
"""Names in a task's data: whom the gate does not hand it to, and that only leads are."""
_LEAD = "/lead"


def lead_queue(type_: str) -> str:
    """Key of the project in which leads decide on documents of a type."""
    return f"{type_}{_LEAD}"


def is_lead_queue(key: str) -> bool:
    """Whether a project is one that only leads work in."""
    return key.endswith(_LEAD)

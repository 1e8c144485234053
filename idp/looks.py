# SPDX-License-Identifier: Apache-2.0
"""Second looks: whose answer counts, what follows from it, and what the quality sample shows.

Two different people look at some documents (``review.four_eyes``). Where both say the same, the
document goes on; where they differ a lead decides, who is none of the two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple

from idp.document import Document, DocumentType
from idp.errors import ReviewError, SettingsError
from idp.judge import Judge
from idp.reviewing import (
    LEADS_ONLY,
    NOT_FOR,
    Look,
    LookTaken,
    Outcome,
    QualityCheck,
    ReviewRow,
    SecondLook,
)
from idp.schemas import DocumentSchema
from idp.second_look import compared, counted, differing, disputed
from idp.settings import Settings
from idp.store import PersonRow, Role, Store

_PURPOSE = b"four eyes"
_FEWEST = 3
_LEADS = frozenset({Role.LEAD, Role.ADMINISTRATOR})


class Step(NamedTuple):
    """What follows from an answer."""

    outcome: Outcome
    look: LookTaken | None = None
    differs: tuple[str, ...] = ()
    """Fields of which two people say different things."""


def check_types(four_eyes: Collection[str], schemas: Mapping[DocumentType, DocumentSchema]) -> None:
    """Raise :class:`SettingsError` for a type that there is not: a control must not fail to be."""
    kinds = {kind.name for schema in schemas.values() for kind in schema.subtypes}
    for name in four_eyes:
        if name not in schemas and name not in kinds:
            raise SettingsError(
                f"review.four_eyes: there is no document type {name!r}",
                hint="Name a type or a subtype of `other`, as in decision.types.",
            )


def lacking(people: Collection[PersonRow]) -> str:
    """Whom documents that two people look at would wait for in vain; empty where nobody lacks."""
    able = [person for person in people if person.active and person.role is not Role.MANAGER]
    leads = [person for person in able if person.role in _LEADS]
    if len(able) < _FEWEST:
        return f"{len(able)} people may review: two look, and a third decides where they differ"
    return "" if leads else "nobody is a lead or an administrator: nobody decides where two differ"


class Looks:
    """Knows who may look at a document next, and what becomes of it."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        schemas: Mapping[DocumentType, DocumentSchema],
        judge: Judge,
    ) -> None:
        """Prepare.

        Args:
            settings: All options; ``review.four_eyes`` and ``review.second_look`` count.
            store: Where the documents and the looks are.
            schemas: By type.
            judge: Draws the documents of which a share is looked at twice.

        Raises:
            SettingsError: ``review.four_eyes`` names a type that there is not.
        """
        self._policy = settings.review
        check_types(self._policy.four_eyes, schemas)
        self._store = store
        self._schemas = schemas
        self._judge = judge

    def wanted(self, document: Document) -> bool:
        """Whether two people look at it: always the same for the same document."""
        policy = self._policy.four_eyes
        share = policy.get(document.subtype or "", policy.get(str(document.type), 0.0))
        return self._judge.drawn_for(_PURPOSE, document, share)

    def may(self, place: ReviewRow, reviewer: str) -> bool:
        """Whether a person's answer counts now: each look is somebody else's, the third a lead's.

        The gate hands nobody a task that they may not answer; this is what holds if it did.
        """
        if place.look is Look.FIRST:
            return True
        known = self._store.second_look(place.document_id)
        if known is None or reviewer in known.lookers:
            return False
        return place.look is Look.SECOND or any(
            person.active and person.role in _LEADS
            for person in self._store.people_named([reviewer])
        )

    def step(
        self,
        place: ReviewRow,
        shown: Document,
        after: Document,
        asked: Collection[str],
        *,
        back: bool,
    ) -> Step:
        """What follows from a submitted answer.

        Args:
            place: The document's in the queue.
            shown: The document as the person saw it.
            after: As it is by the answer, judged.
            asked: Fields that the answer says something of.
            back: Something is left that it is to be shown again for.
        """
        if place.look is Look.FIRST and not self.wanted(shown):
            return Step(Outcome.CAME_BACK if back else Outcome.APPLIED)
        known = self._store.second_look(place.document_id)
        if back:
            return Step(Outcome.CAME_BACK, LookTaken())
        if place.look is Look.FIRST:
            if self._policy.second_look == "checking":
                return Step(Outcome.FIRST_LOOK, LookTaken())
            base = shown if known is None else self._kept(known.base_sha256)
            return Step(Outcome.FIRST_LOOK, LookTaken(shown=base))
        if place.look is Look.LEAD:
            return Step(Outcome.APPLIED, LookTaken())
        return self._second(known, after, asked)

    def _second(self, known: SecondLook | None, after: Document, asked: Collection[str]) -> Step:
        if known is None or known.first_sha256 is None:
            raise ReviewError("a second look without a first one")
        base, first = self._kept(known.base_sha256), self._kept(known.first_sha256)
        both_asked = {*asked, *self._asked_first(known)}
        schema = self._schemas[after.type]
        touched = compared(base, first, after, schema, asked=both_asked)
        differs = differing(touched)
        if not differs:
            return Step(Outcome.APPLIED, LookTaken(fields=touched))
        shown = disputed(base, first, after, schema, differs)
        return Step(Outcome.DISAGREED, LookTaken(shown=shown, fields=touched), differs)

    def _asked_first(self, known: SecondLook) -> set[str]:
        """The fields that those before said something of."""
        rows = self._store.corrections(known.document_id)
        return {name for row in rows if row.reviewer in known.lookers for name in row.outcomes}

    def may_mend(self, document_id: str, reviewer: str) -> bool:
        """Whether somebody may mend their own slip: not one word of two, but the lead's is one."""
        last = self._store.last_look(document_id)
        return last is None or last.decided_by == reviewer

    def check(
        self,
        document_id: str,
        after: Document | None,
        *,
        unfit: Literal["", "type", "cut"] = "",
        mended: bool = False,
    ) -> QualityCheck | None:
        """What an answer shows of a document of the quality sample; none for any other.

        Args:
            document_id: Which.
            after: As it is by the answer; none where it was taken for something that it is not.
            unfit: What was wrong about the whole of it.
            mended: Who answered before mends a slip.
        """
        found = self._store.quality_base(document_id, mended=mended)
        if found is None:
            return None
        base, sha256 = found
        outcomes = {} if after is None else counted(base, after, self._schemas[base.type])
        return QualityCheck(sha256, str(base.type), outcomes, unfit)

    def marked(self, task: dict[str, Any], place: ReviewRow) -> dict[str, Any]:
        """A task with who is not to be handed it: ids of ours, no names, in no telling order."""
        known = self._store.second_look(place.document_id) if place.look > Look.FIRST else None
        people = self._store.people_named(known.lookers) if known is not None else ()
        data = {NOT_FOR: " ".join(person.id for person in people)}
        if place.look is Look.LEAD:
            data[LEADS_ONLY] = "yes"
        return {**task, "data": {**task["data"], **data}}

    def _kept(self, sha256: str) -> Document:
        return Document.model_validate_json(self._store.content.read(sha256))

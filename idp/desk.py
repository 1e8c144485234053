# SPDX-License-Identifier: Apache-2.0
"""The review desk: makes tasks of stored documents, and of answers what follows from them.

An answer is judged like everything else: the corrections go into the document, the rules look at it
again, the decision is on the record with the reviewer's name. A reviewer's word counts, but nobody
overlooks what it breaks: where a blocking finding about a value is left, the document comes back
once with that finding; said again, it leaves as it is, with the finding on it and the confirmation
on the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from idp.document import Claim, Document, DocumentType, Finding, Page, Severity
from idp.errors import NotFoundError, ReviewError
from idp.judge import Judge
from idp.looks import Looks
from idp.reasons import of_finding
from idp.rejudged import judged_again
from idp.review.client import Annotation
from idp.review.pages import PageFolder
from idp.reviewing import Outcome, ReviewAnswer, ReviewRow, ReviewState
from idp.schemas import DocumentSchema
from idp.second_look import CLAIMS
from idp.settings import Settings
from idp.signals import Correction
from idp.store import DecidedDocument, State, Store

_SKIPPED = "skipped"
_ASKED = frozenset({ReviewState.SENT, ReviewState.TO_SEND})


class Answers(Protocol):
    """What an annotation says; see :class:`idp.review.answers.Answers`."""

    @property
    def corrections(self) -> tuple[Correction, ...]: ...
    @property
    def complete(self) -> bool: ...
    @property
    def type(self) -> str | None: ...
    @property
    def cut(self) -> str | None: ...
    @property
    def note(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def claims(self) -> tuple[Claim, ...] | None: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class TaskOf(Protocol):
    """See :func:`idp.review.tasks.task_of`."""

    def __call__(
        self,
        document: Document,
        pages: Sequence[Page],
        schema: DocumentSchema,
        *,
        page_urls: Sequence[str],
        queue_title: str,
    ) -> dict[str, Any]: ...


class AnswersOf(Protocol):
    """See :func:`idp.review.answers.answers_of`."""

    def __call__(
        self,
        annotation: Mapping[str, Any],
        document: Document,
        pages: Sequence[Page],
        schema: DocumentSchema,
    ) -> Answers: ...


ReadAs = Callable[[Document, Sequence[Page]], Document]
"""Extracts a document's fields anew, as of the type that it has."""


class ReviewDesk:
    """Between the store, the judge and the screen. Not safe for threads."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        schemas: Mapping[DocumentType, DocumentSchema],
        judge: Judge,
        *,
        task_of: TaskOf,
        answers_of: AnswersOf,
        read_as: ReadAs,
    ) -> None:
        """Prepare.

        Args:
            settings: All options.
            store: Where the documents are.
            schemas: By type.
            judge: Judges what was corrected.
            task_of: Makes the task that shows a document.
            answers_of: Understands what a person submitted.
            read_as: Reads a document as of another type.
        """
        self._settings = settings
        self._store = store
        self._schemas = schemas
        self._judge = judge
        self._task_of = task_of
        self._answers_of = answers_of
        self._read_as = read_as
        self._pages = PageFolder(settings.review_folder)
        self._looks = Looks(settings, store, schemas, judge)

    def task(self, row: ReviewRow) -> dict[str, Any]:
        """The task that shows a document, with its pages put where Label Studio sees them.

        Raises:
            ReviewError: It has no page that can be shown.
        """
        document = self._store.document(row.document_id)
        pages = self._store.pages(row.document_id)
        if document is None or not pages:
            raise ReviewError(f"document {row.document_id} has no pages to show")
        schema = self._schemas[document.type]
        images = {
            page.number: self._store.page_image(row.document_id, page.number) for page in pages
        }
        urls = self._pages.show(row.document_id, images)
        task = self._task_of(document, pages, schema, page_urls=urls, queue_title=schema.title)
        return self._looks.marked(task, row)

    def take(self, annotation: Annotation, reviewer: str) -> Outcome:
        """Take one answer; killed anywhere, the same call again does what is left of it.

        Raises:
            NotFoundError: There is no such document.
        """
        document_id = annotation.task.document_id
        if document_id is None:
            raise NotFoundError("the task shows no document")
        place = self._store.reviews_of([document_id]).get(document_id)
        answer = ReviewAnswer(
            key=annotation.key,
            document_id=document_id,
            round=annotation.task.round,
            reviewer=reviewer,
            made_at=annotation.updated_at,
            seconds=annotation.seconds,
            outcome=Outcome.SKIPPED,
        )
        # What comes too late is not even judged: its corrections would count as the latest word.
        if (
            place is None
            or place.state not in _ASKED
            or place.round != answer.round
            or self._store.row(document_id).state is not State.REVIEW
        ):
            return self._store.take_answer(replace(answer, outcome=Outcome.LATE))
        if annotation.skipped:
            return self._store.take_answer(answer)
        if not self._looks.may(place, reviewer):
            return self._store.take_answer(replace(answer, outcome=Outcome.NOT_COUNTED))
        return self._submitted(answer, annotation.content, place)

    def _submitted(
        self, answer: ReviewAnswer, content: Mapping[str, Any], place: ReviewRow
    ) -> Outcome:
        stored = next(self._store.decided_documents((answer.document_id,)))
        document, pages = stored.document, stored.pages
        said = self._answers_of(content, document, pages, self._schemas[document.type])
        if said.seconds is not None:
            answer = replace(answer, seconds=said.seconds)
        if said.outcome == _SKIPPED:
            return self._store.take_answer(answer, note=said.note)
        if said.cut is not None:
            answer = replace(answer, outcome=Outcome.WRONG_CUT)
            check = self._looks.check(answer.document_id, None, unfit="cut")
            return self._store.take_answer(answer, note=said.note, said=[said.cut], check=check)
        kind = _kind_of(document) if said.type is None else self._kind(said.type, document)
        if kind != _kind_of(document):
            answer = replace(answer, outcome=Outcome.RETYPED)
            after = self._judged(replace(stored, document=self._retyped(document, pages, kind)))
            check = self._looks.check(answer.document_id, None, unfit="type")
            named = [kind[1] or kind[0]]
            return self._store.take_answer(answer, after, note=said.note, said=named, check=check)
        if said.claims is not None:
            changed = document.model_copy(update={"claims": said.claims})
            stored = replace(stored, document=changed)
        after = self._judged(stored, said.corrections)
        left = [f"{finding.rule}:{finding.field}" for finding in contested(after)]
        if said.problems:
            left.append("claims_not_understood")
        asked = {each.name for each in said.corrections} | ({CLAIMS} if said.claims else set())
        back = bool(left) and not place.came_back
        step = self._looks.step(place, document, after, asked, back=back)
        self._store.record_corrections(
            document.document_id,
            said.corrections,
            key=answer.key,
            reviewer=answer.reviewer,
            made_at=answer.made_at,
            seconds=answer.seconds,
            complete=said.complete,
        )
        return self._store.take_answer(
            replace(answer, outcome=step.outcome),
            after,
            note=said.note,
            said=[*left, *(f"differs:{name}" for name in step.differs)],
            look=step.look,
            check=self._looks.check(answer.document_id, after),
        )

    def _judged(self, stored: DecidedDocument, corrections: Sequence[Correction] = ()) -> Document:
        """Judged anew; what its rules version stands for is kept, to decide again from it."""
        after = judged_again(stored, self._judge, self._settings, corrections)
        self._store.content.put_bytes(self._judge.judged_by(after))
        return after

    def _kind(self, name: str, document: Document) -> tuple[DocumentType, str | None]:
        """The type, or the subtype with its type, of that name; of the same type: as it is."""
        if name == document.type:
            return _kind_of(document)
        for type_, schema in self._schemas.items():
            if type_ == name:
                return type_, None
            if any(kind.name == name for kind in schema.subtypes):
                return type_, name
        raise ReviewError("the reviewer named a type that no schema has")

    def _retyped(
        self, document: Document, pages: Sequence[Page], kind: tuple[DocumentType, str | None]
    ) -> Document:
        """The document as what a person says it is, its fields read anew."""
        type_, subtype = kind
        said = document.model_copy(
            update={"type": type_, "subtype": subtype, "type_confidence": 1.0}
        )
        return said if type_ == document.type else self._read_as(said, pages)


def contested(document: Document) -> tuple[Finding, ...]:
    """Blocking findings about a value of the document; what is not there is no such thing."""
    return tuple(
        finding
        for finding in document.findings
        if finding.severity is Severity.BLOCK
        and finding.field is not None
        and (reason := of_finding(finding)) is not None
        and reason.code.startswith("rule:")
    )


def _kind_of(document: Document) -> tuple[DocumentType, str | None]:
    return document.type, document.subtype

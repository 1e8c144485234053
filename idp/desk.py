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
from pathlib import Path
from typing import Any, Protocol

from idp.cut_desk import CutDesk
from idp.document import Claim, Document, DocumentType, Finding, Page, Severity
from idp.errors import NotFoundError, ReviewError
from idp.judge import Judge
from idp.looks import Looks
from idp.reasons import of_finding
from idp.rejudged import judged_again
from idp.review.client import Annotation
from idp.review.pages import PageFolder, links_of
from idp.reviewing import Outcome, ReviewAnswer, ReviewRow, ReviewState
from idp.schemas import DocumentSchema
from idp.second_look import CLAIMS
from idp.settings import Settings
from idp.signals import Correction
from idp.store import TO_DELIVER, DecidedDocument, State, Store

_SKIPPED = "skipped"
_ASKED = frozenset({ReviewState.SENT, ReviewState.TO_SEND})
_COUNTED = frozenset({Outcome.APPLIED, Outcome.MENDED})
_OUT = frozenset({State.DELIVERED, State.INCOMPLETE})


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
        cuts: CutDesk | None = None,
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
            cuts: Has packets cut by hand; without it what is cut wrongly waits on the status page.
        """
        self._cuts = cuts
        self._settings = settings
        self._store = store
        self._schemas = schemas
        self._judge = judge
        self._task_of = task_of
        self._answers_of = answers_of
        self._read_as = read_as
        folder = settings.review_folder
        self._pages = PageFolder(folder, links_of(settings.review, folder))
        self._looks = Looks(settings, store, schemas, judge)

    def task(self, row: ReviewRow) -> dict[str, Any]:
        """The task that shows a document, with its pages put where Label Studio sees them.

        Raises:
            ReviewError: It has no page that can be shown.
        """
        if row.cut and self._cuts is not None:
            return self._cuts.task(row)
        document = self._store.document(row.document_id)
        pages = self._store.pages(row.document_id)
        if document is None or not pages:
            raise ReviewError(f"document {row.document_id} has no pages to show")
        schema = self._schemas[document.type]
        images = {page.number: self._image(page) for page in pages}
        urls = self._pages.show(row.document_id, images)
        task = self._task_of(document, pages, schema, page_urls=urls, queue_title=schema.title)
        return self._looks.marked(task, row)

    def _image(self, page: Page) -> Path:
        if page.image is None:
            raise ReviewError(f"page {page.number} has no image to show")
        return self._store.content.path(str(page.image))

    def take(self, annotation: Annotation, reviewer: str) -> Outcome | None:
        """Take one answer; killed anywhere, the same call again does what is left of it.

        Returns:
            What became of it; ``None`` while it must wait, because what the same person said
            before is just being delivered.

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
        if (
            place is not None
            and place.state is ReviewState.DONE
            and place.round == answer.round
            and not annotation.skipped
            and self._is_own_slip(answer)
        ):
            return self._mended(answer, annotation.content)
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
        if place.cut and self._cuts is not None:
            return self._cuts.take(answer, annotation.content)
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
            cut = self._cuts is not None and self._cuts.can_cut(answer.document_id, said.cut)
            check = self._looks.check(answer.document_id, None, unfit="cut")
            return self._store.take_answer(
                answer, note=said.note, said=[said.cut], check=check, cut=cut
            )
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
        left = _left(after, said.problems)
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

    def _is_own_slip(self, answer: ReviewAnswer) -> bool:
        """Whether it is a later revision of the answer that counted, by the same person.

        Two people who say different things are a disagreement, and no slip.
        """
        said = self._store.review_answers(answer.document_id)
        counted = [each for each in said if each.outcome in _COUNTED]
        return (
            bool(counted)
            and counted[-1].reviewer == answer.reviewer
            and counted[-1].annotation == answer.annotation
            and counted[-1].made_at < answer.made_at
            and self._looks.may_mend(answer.document_id, answer.reviewer)
        )

    def _mended(self, answer: ReviewAnswer, content: Mapping[str, Any]) -> Outcome | None:
        """Deliver the next version of a document whose reviewer mended a slip.

        The answer says all there is to say of the document as it was shown, so it is judged from
        that and not from what was made of the answer before. A blocking finding that is left does
        not bring it back: it was opened again on purpose, and it leaves with the finding on it.
        """
        late = replace(answer, outcome=Outcome.LATE)
        state = self._store.row(answer.document_id).state
        if state in TO_DELIVER:
            return None
        if state not in _OUT:
            return self._store.take_answer(late)
        stored = next(self._store.decided_documents((answer.document_id,)))
        in_force = stored.document
        shown, shown_sha256 = self._store.shown_result(answer.document_id)
        said = self._answers_of(content, shown, stored.pages, self._schemas[shown.type])
        kind = _kind_of(shown) if said.type is None else self._kind(said.type, shown)
        if said.outcome == _SKIPPED or said.cut is not None or kind != _kind_of(shown):
            # It went out as what it was taken for: that is for a person to put right.
            told = [each for each in (said.cut, said.type) if each is not None]
            return self._store.take_answer(late, note=said.note, said=told)
        if said.claims is not None:
            shown = shown.model_copy(update={"claims": said.claims})
        after = self._judged(replace(stored, document=shown), said.corrections)
        if (after.fields, after.claims) == (in_force.fields, in_force.claims):
            return self._store.take_answer(late, note=said.note, said=["unchanged"])
        if said.seconds is not None:
            answer = replace(answer, seconds=said.seconds)
        self._store.record_corrections(
            answer.document_id,
            said.corrections,
            key=answer.key,
            reviewer=answer.reviewer,
            made_at=answer.made_at,
            seconds=answer.seconds,
            complete=said.complete,
            result_sha256=shown_sha256,
        )
        return self._store.take_answer(
            replace(answer, outcome=Outcome.MENDED),
            after,
            note=said.note,
            said=_left(after, said.problems),
            check=self._looks.check(answer.document_id, after, mended=True),
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


def _left(document: Document, problems: Sequence[str]) -> list[str]:
    """Codes of what an answer leaves open."""
    left = [f"{finding.rule}:{finding.field}" for finding in contested(document)]
    return [*left, "claims_not_understood"] if problems else left


def _kind_of(document: Document) -> tuple[DocumentType, str | None]:
    return document.type, document.subtype

# SPDX-License-Identifier: Apache-2.0
"""The desk for packets that are cut wrongly: shows all their pages, takes the cuts made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from idp.cutting import GivenCuts, Packet
from idp.document import Document, DocumentType
from idp.errors import ReviewError
from idp.review.pages import PageFolder
from idp.reviewing import Outcome, ReviewAnswer, ReviewRow
from idp.schemas import DocumentSchema
from idp.store import Store

LACKING = "lacking"
"""The kind of wrong cut that no other cut mends: pages lack."""
_TOLD = "x12"


class CutTaskOf(Protocol):
    """See :func:`idp.review.splitting.splitting_task`."""

    def __call__(
        self,
        document: Document,
        packet: Packet,
        schemas: Mapping[DocumentType, DocumentSchema],
        *,
        page_urls: Sequence[str],
        came_back: bool = False,
    ) -> dict[str, Any]: ...


class Cut(Protocol):
    """What an annotation says; see :class:`idp.review.splitting.Cut`."""

    @property
    def cuts(self) -> GivenCuts: ...
    @property
    def problems(self) -> tuple[str, ...]: ...
    @property
    def note(self) -> str: ...


class CutOf(Protocol):
    """See :func:`idp.review.splitting.cut_of`."""

    def __call__(
        self,
        annotation: Mapping[str, Any],
        packet: Packet,
        schemas: Mapping[DocumentType, DocumentSchema],
    ) -> Cut: ...


class CutDesk:
    """Between the store and the screen on which packets are cut. Not safe for threads."""

    def __init__(
        self,
        store: Store,
        schemas: Mapping[DocumentType, DocumentSchema],
        pages: PageFolder,
        *,
        task_of: CutTaskOf,
        cut_of: CutOf,
    ) -> None:
        """Prepare.

        Args:
            store: Where the packets are.
            schemas: By type.
            pages: The page images that Label Studio sees.
            task_of: Makes the task that shows a packet.
            cut_of: Understands what a person submitted.
        """
        self._store = store
        self._schemas = schemas
        self._pages = pages
        self._task_of = task_of
        self._cut_of = cut_of

    def can_cut(self, document_id: str, kind: str) -> bool:
        """Whether cutting its packet by hand could mend a document.

        Args:
            document_id: The document.
            kind: What the reviewer said of its cut (``several:3,5``, ``lacking`` ...).
        """
        if kind == LACKING or all(p.words_source == _TOLD for p in self._store.pages(document_id)):
            return False
        return len(self._store.packet(document_id).pages) > 1

    def task(self, row: ReviewRow) -> dict[str, Any]:
        """The task that shows a document's packet, its pages put where Label Studio sees them.

        Raises:
            ReviewError: It has no page that can be shown.
        """
        document = self._store.document(row.document_id)
        packet = self._store.packet(row.document_id)
        if document is None or not packet.pages:
            raise ReviewError(f"document {row.document_id} has no pages to show")
        images = {
            place: self._store.content.path(page.image_sha256)
            for place, page in enumerate(packet.pages, 1)
            if page.image_sha256 is not None
        }
        if len(images) < len(packet.pages):
            raise ReviewError(f"pages of the packet of {row.document_id} have no image")
        urls = self._pages.show(row.document_id, images)
        return self._task_of(
            document, packet, self._schemas, page_urls=urls, came_back=row.came_back
        )

    def take(self, answer: ReviewAnswer, content: Mapping[str, Any]) -> Outcome:
        """Take the cuts that a person made; the same answer again changes nothing."""
        said = self._cut_of(content, self._store.packet(answer.document_id), self._schemas)
        whole = not said.problems
        return self._store.take_cut(
            replace(answer, outcome=Outcome.RECUT if whole else Outcome.CUT_UNCLEAR),
            said.cuts,
            whole=whole,
            note=said.note,
            said=said.problems,
        )

# SPDX-License-Identifier: Apache-2.0
"""What the extractors share: the page's structure, and the port that every source of values fills.

Structure is found once per document (sections, labels, parties) and handed to every source. A
source proposes :class:`Candidate` values; ``vote.py`` makes fields of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from idp.document import Box, Page
from idp.schemas import DocumentSchema


@dataclass(frozen=True, slots=True)
class Label:
    """A printed label: what it asks for, and of whom.

    ``fields`` are the names in the document's schema that it may introduce; a label that is known
    but not wanted has none and still ends the value before it. ``party`` is the one named by the
    label itself or, failing that, by the section or label above it.
    """

    page: int
    text: str
    box: Box
    word_ids: tuple[int, ...]
    fields: tuple[str, ...]
    attribute: str | None
    party: str | None
    own_party: bool
    quality: float
    colon: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A titled region of a page; ``party`` is whom its unnamed labels speak of."""

    page: int
    title: str
    party: str | None
    box: Box
    word_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """Sections and labels of a document."""

    labels: tuple[Label, ...]
    sections: tuple[Section, ...]

    def section_at(self, page: int, x: float, y: float) -> Section | None:
        """The latest titled section that covers the point (page-relative)."""
        return max(
            (s for s in self.sections if s.page == page and s.box.contains(x, y)),
            key=lambda s: s.box.y0,
            default=None,
        )

    def party_at(self, page: int, x: float, y: float) -> str | None:
        """Whom an unlabelled value at this point belongs to, as far as titles tell."""
        section = self.section_at(page, x, y)
        return section.party if section else None

    def label_words(self, page: int) -> frozenset[int]:
        """The ids of all words of a page that are labels or section titles: never values."""
        own = (i for label in self.labels if label.page == page for i in label.word_ids)
        titles = (i for section in self.sections if section.page == page for i in section.word_ids)
        return frozenset((*own, *titles))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed value of one field, with its evidence.

    ``confidence`` is the source's own belief, 0..1; the vote compares sources. ``value`` is
    normalised by :func:`idp.values.parse`, ``valid`` is what it said.
    """

    field: str
    value: str
    raw: str
    valid: bool
    confidence: float
    page: int
    box: Box
    word_ids: tuple[int, ...]
    source: str
    label: str | None = None


class CandidateSource(Protocol):
    """A way to find values. Pure: no state between documents, no files but its own weights."""

    @property
    def name(self) -> str:
        """Short and stable: it stands in ``Field.source``."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the answers may change."""
        ...

    def candidates(
        self, pages: Sequence[Page], schema: DocumentSchema, structure: Structure
    ) -> list[Candidate]:
        """All proposed values, best first within a field; lists give one candidate per value."""
        ...

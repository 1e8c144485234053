# SPDX-License-Identifier: Apache-2.0
"""The nouns of cutting by hand: what a person said of each page of a packet.

The appliance works the packet by it from then on, and it is the truth that the splitter learns
from. It names pages by their part and number, and by the hash of what was read on them; no values.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Literal

from pydantic import Field as Bounded

from idp.document import Document, DocumentType, Noun

Says = Literal["starts", "goes_on", "left_out"]


class PageCut(Noun):
    """What one page of a packet is."""

    part: str | None = None
    """The attachment or member that it is of; none: the file itself."""
    number: int = Bounded(ge=1)
    says: Says
    type: DocumentType | None = None
    """Of the document that starts here; none: whatever its print says."""
    subtype: str | None = None
    page_sha256: str | None = None
    """Of the page as read, in the content store: what the person's word is about."""


class GivenCuts(Noun):
    """One person's word on all pages of a packet, in their order."""

    schema_: Literal["idp.cuts/1"] = Bounded("idp.cuts/1", alias="schema")
    arrival_id: str
    sha256: str
    """Of the file as received."""
    pages: tuple[PageCut, ...]

    def of_part(self, part: str | None) -> dict[int, PageCut]:
        """What was said of the pages of one part, by number."""
        return {each.number: each for each in self.pages if each.part == part}


class PacketPage(Noun):
    """A page of a packet as it is stored, by its hashes in the content store."""

    part: str | None = None
    number: int
    image_sha256: str | None
    page_sha256: str

    @property
    def place(self) -> tuple[str | None, int]:
        return self.part, self.number


class PacketDocument(Noun):
    """A document as it was cut from its packet."""

    document: Document
    fixed: bool
    """A person or a delivery has taken it: its pages stay with it."""


class Packet(Noun):
    """All pages of an arrival, and what became of them so far."""

    arrival_id: str
    sha256: str
    pages: tuple[PacketPage, ...]
    """By part in the order of the documents, then by number."""
    documents: tuple[PacketDocument, ...]
    said: GivenCuts | None = None
    """What a person said last, also where not all of it was understood."""


class Recut(Noun):
    """How a packet is to be worked that a person has cut.

    ``kept`` are the documents that stay as they are: their pages are nobody else's.
    """

    cuts: GivenCuts
    kept: tuple[Document, ...] = ()

    def is_open(self, part: str | None, number: int) -> bool:
        """Whether a page belongs to no document that stays; blanks beside one stay with it."""
        cut = self.cuts.of_part(part).get(number)
        left_out = cut is None or cut.says == "left_out"
        return not any(
            each.part == part and (number in each.pages or (left_out and number in each.set_aside))
            for each in self.kept
        )

    @property
    def has_documents(self) -> bool:
        """Whether anything of the packet is a document."""
        return bool(self.kept) or any(each.says != "left_out" for each in self.cuts.pages)

    def refused_before(self, part: str | None) -> bool:
        """Whether a part could not be read and its document stays as it is."""
        return any(each.part == part and not each.pages for each in self.kept)


def group(cuts: GivenCuts, closed: Set[tuple[str | None, int]]) -> list[list[PageCut]]:
    """The documents that a person's word makes of the pages that are open.

    Each list begins with the page that starts the document; pages that are left out stand in none.
    A page that goes on after one that is ``closed``, or in another part, starts one of its own.

    Args:
        cuts: What was said.
        closed: Part and number of the pages that belong to a document that stays.
    """
    found: list[list[PageCut]] = []
    fresh = True
    part: str | None = None
    for each in cuts.pages:
        fresh = fresh or each.part != part
        part = each.part
        if (each.part, each.number) in closed:
            fresh = True
        elif each.says == "left_out":
            continue
        elif each.says == "starts" or fresh:
            found.append([each])
            fresh = False
        else:
            found[-1].append(each)
    return found

# SPDX-License-Identifier: Apache-2.0
"""The nouns of ASC X12 interchanges: what the reader hands on and extraction maps to fields.

A *segment* is the smallest thing that is addressed: its number in the file is what a finding, a
broken interchange and a field's place name.
"""

from __future__ import annotations

from idp.document import Noun

SEGMENT_BLOCK = "segment"
"""The kind of a block that holds one segment of a listing."""

MOST_SHOWN_CHARACTERS = 2_000
"""Of one segment on its listing; what is longer is cut there, never in what is extracted."""

LONGEST_PIECE = 60
"""Characters of one word on a listing; a longer one goes on as a further word."""


class X12Segment(Noun):
    """One segment: ``elements[0]`` is its id (``CLP``), ``elements[n]`` its element n (``CLP03``).

    ``number`` is the segment's place in the file, from 1 (its ``ISA``).
    """

    number: int
    elements: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.elements[0]

    def __getitem__(self, element: int) -> str:
        """Element ``n``; empty where the segment ends before it."""
        return self.elements[element] if element < len(self.elements) else ""


class TransactionSet(Noun):
    """One transaction set, ``ST`` to ``SE``, with what its envelope says.

    ``kind`` is ``ST01`` ("835"), ``version`` the implementation (``ST03`` or ``GS08``,
    "005010X221A1"). The acknowledgments of an interchange that stand outside any set are one of
    kind ``TA1``.
    """

    kind: str
    version: str
    control_number: str
    sender: str
    receiver: str
    interchange_control_number: str
    component_separator: str
    repetition_separator: str
    segments: tuple[X12Segment, ...]

    def components(self, element: str) -> tuple[str, ...]:
        """The components of a composite element."""
        return tuple(element.split(self.component_separator))


def shown_words(segment: X12Segment) -> tuple[tuple[str, ...], ...]:
    """The words that each element of a segment has on its listing.

    Who draws a listing and who looks for a value's place on it both ask here. The words of a
    segment stand in its block in this order.
    """
    left = MOST_SHOWN_CHARACTERS
    shown: list[tuple[str, ...]] = []
    for element in segment.elements:
        pieces: list[str] = []
        for word in _printable(element[: max(left, 0)]).split():
            pieces += [word[at : at + LONGEST_PIECE] for at in range(0, len(word), LONGEST_PIECE)]
        left -= len(element) + 1
        shown.append(tuple(pieces))
    return tuple(shown)


def _printable(text: str) -> str:
    """What a page can show in the standard fonts (Latin-1); all else is a question mark."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if ord(c) < 256 and c.isprintable() else " " if c.isspace() else "?" for c in text
    )

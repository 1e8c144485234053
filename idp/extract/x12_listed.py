# SPDX-License-Identifier: Apache-2.0
"""Where the elements of a transaction set stand on its listing, and fields made of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from idp.document import Block, Box, Field, Finding, Page, Severity, union_of
from idp.rulebook import enter
from idp.values import Kind, parse
from idp.x12 import SEGMENT_BLOCK, TransactionSet, X12Segment, shown_words

SOURCE = "x12"
"""What stands in ``Field.source``."""

VERSION = "x12-1"
"""Of the mapping; changes whenever the same file may give other values."""

MALFORMED = enter(
    "X1",
    "Every element that is used has the form that its standard gives it, and stands in its place.",
    severity=Severity.BLOCK,
    source="X12 005010: data element types, 835 X221A1, 278 X217",
    where="idp.extract.x12_listed.Listed.find_fault",
)
SEVERAL_PATIENTS = enter(
    "X2",
    "A transaction set that becomes one document is about one patient.",
    severity=Severity.BLOCK,
    source="policy of this product: one document, one patient",
    where="idp.extract.x12_listed.Listed.find_fault",
)

_AMOUNT = re.compile(r"-?(?:\d{1,15}(?:\.\d{0,4})?|\.\d{1,4})")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class Place(NamedTuple):
    """A page, a box on it, and the words in the box."""

    page: int
    box: Box
    word_ids: tuple[int, ...] = ()


class Listed:
    """A transaction set and the pages of its listing."""

    def __init__(self, transaction: TransactionSet, pages: Sequence[Page]) -> None:
        """Matches the segments with their blocks, both in the file's order.

        Raises:
            ValueError: The pages are not the listing of this transaction set.
        """
        self.transaction = transaction
        self._pages = {page.number: page for page in pages}
        blocks = [
            (page.number, block)
            for page in pages
            for block in page.blocks
            if block.kind == SEGMENT_BLOCK
        ]
        if len(blocks) != len(transaction.segments):
            raise ValueError(
                f"{len(blocks)} segments are listed, there are {len(transaction.segments)}"
            )
        self._blocks: dict[int, tuple[int, Block]] = {
            segment.number: block
            for segment, block in zip(transaction.segments, blocks, strict=True)
        }
        self.findings: list[Finding] = []

    def segment(self, segment: X12Segment) -> Place:
        """Where the whole segment stands."""
        number, block = self._blocks[segment.number]
        return Place(number, block.box, block.word_ids)

    def element(self, segment: X12Segment, element: int) -> Place:
        """Where one element stands; the segment where the element is empty or cut off."""
        number, block = self._blocks[segment.number]
        shown = shown_words(segment)
        if element >= len(shown) or not shown[element]:
            return Place(number, block.box, block.word_ids)
        before = sum(len(words) for words in shown[:element])
        ids = block.word_ids[before : before + len(shown[element])]
        words = self._pages[number].words
        return Place(number, union_of([words[id].box for id in ids]), ids)

    def field(
        self,
        name: str,
        segment: X12Segment,
        element: int,
        value: str | None = None,
        *,
        raw: str | None = None,
        confidence: float = 1.0,
        also: Sequence[int] = (),
    ) -> Field:
        """A field whose evidence is one element; its text as it stands where no value is given.

        ``also`` are further elements that the value is made of.
        """
        place = self.element(segment, element)
        for other in also:
            if other != element and clean(segment[other]):
                more = self.element(segment, other)
                ids = tuple(sorted({*place.word_ids, *more.word_ids}))
                place = Place(place.page, place.box.union(more.box), ids)
        text = segment[element] if raw is None else raw
        return Field(
            name=name,
            value=clean(text) if value is None else value,
            raw=clean(text),
            confidence=confidence,
            page=place.page,
            box=place.box,
            word_ids=place.word_ids,
            source=SOURCE,
            model_version=VERSION,
        )

    def find_fault(
        self,
        rule: str,
        segment: X12Segment,
        message: str,
        *,
        field: str | None = None,
        severity: Severity = Severity.BLOCK,
    ) -> None:
        """Notes what is wrong with a segment."""
        place = self.segment(segment)
        self.findings.append(
            Finding(
                rule=rule,
                severity=severity,
                field=field,
                message=f"Segment {segment.number} {segment.id}: {message}",
                page=place.page,
                box=place.box,
                remedy="Tell the sender the segment's number and ask for the file again",
            )
        )

    def amount(self, segment: X12Segment, element: int, *, decimals: int = 2) -> Decimal | None:
        """A monetary amount or quantity (X12 type R); none where it is empty, or no number."""
        text = segment[element]
        if not text:
            return None
        if not _AMOUNT.fullmatch(text) or not text.isascii():
            self.find_fault(MALFORMED, segment, f"{segment.id}{element:02d} is not a number")
            return None
        if len(text.partition(".")[2]) > decimals:
            self.find_fault(MALFORMED, segment, f"{segment.id}{element:02d} has too many decimals")
        return Decimal(text)

    def date(self, segment: X12Segment, element: int, text: str | None = None) -> dt.date | None:
        """A date CCYYMMDD (X12 type DT); none where it is empty, or no date."""
        text = segment[element] if text is None else text
        if not text:
            return None
        found = day(text)
        if found is None:
            self.find_fault(MALFORMED, segment, f"{segment.id}{element:02d} is not a date")
        return found


def clean(text: str) -> str:
    """Foreign text on one line, without control characters."""
    return _BLANKS.sub(" ", text).strip()


def day(text: str) -> dt.date | None:
    """CCYYMMDD as a date."""
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def money(amount: Decimal) -> str:
    """An amount as fields carry it."""
    return f"{amount:.2f}"


def normal(kind: Kind, text: str) -> str:
    """The normalised form of a value, the text itself where it has not the kind's shape."""
    text = clean(text)
    parsed = parse(kind, text)
    return parsed.value if parsed.valid else text


NAME_ELEMENTS = (4, 5, 3, 7)
"""Of an NM1: first, middle, last, suffix."""


def person(segment: X12Segment) -> str:
    """The name in an NM1 in the usual order; an organisation's is its last name."""
    order = (3,) if segment[2] == "2" else NAME_ELEMENTS
    name = " ".join(clean(segment[at]) for at in order if clean(segment[at]))
    return normal(Kind.PERSON, name) if segment[2] != "2" else name


def person_field(listed: Listed, field_name: str, segment: X12Segment) -> list[Field]:
    """A name as a field; none where the segment names nobody."""
    whole = person(segment)
    if not whole:
        return []
    raw = " ".join(segment[at] for at in NAME_ELEMENTS if clean(segment[at]))
    first = next(at for at in (3, *NAME_ELEMENTS) if clean(segment[at]))
    return [listed.field(field_name, segment, first, whole, raw=raw, also=NAME_ELEMENTS)]

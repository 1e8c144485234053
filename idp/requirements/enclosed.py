# SPDX-License-Identifier: Apache-2.0
"""What came along with a form, and what the form says came along."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

from idp.document import Box, DocumentType, Field, Page, Word
from idp.phrases import fold
from idp.requirements.nouns import AttachmentKind

MOST_WORDS_OF_A_HEADING = 8
MOST_LINES_OF_A_LIST = 12
_UPPER_PART = 0.4
"""Of the page: headings of a paper that was not told apart stand there."""
_ALIKE = 88.0
_ASKS = re.compile(r"\battach(?:ed|ment|ments)?\b|\benclos|\bsubmit\b|\brequired?\b|\?", re.I)
_LIST = re.compile(
    r"^\W*(?:enclosures?|enclosed|encl\.?|attachments?|attached|documents? (?:enclosed|attached))"
    r"\s*(?:\(\d+\)|:|-|—)\s*(.*)$",
    re.I,
)
_ITEM = re.compile(r"\s*(?:[,;•·*]|\band\b|(?<=\s)&(?=\s)|\(?\d\)|\d\.(?=\s))\s*", re.I)
_BULLET = re.compile(r"^\s*(?:[-•·*✓☒]|\(?\d{1,2}[.)])\s*")


class Companion(NamedTuple):
    """Another document of the same arrival: what it was found to be, its length, what it says."""

    type: DocumentType
    subtype: str | None = None
    pages: int = 0
    fields: tuple[Field, ...] = ()

    @property
    def name(self) -> str:
        """As kinds of attachments name it."""
        return f"{self.type}/{self.subtype}" if self.subtype else str(self.type)


class Listed(NamedTuple):
    """A kind of attachment that a form says is enclosed, and where it says so."""

    kind: str
    page: int
    box: Box | None


def came(kind: AttachmentKind, companions: Sequence[Companion], pages: Sequence[Page]) -> bool:
    """Whether a paper of this kind came: as a document of its own, or as a page with its title."""
    if any(companion.name in kind.documents for companion in companions):
        return True
    return any(_is_heading(line, kind.headings) for page in pages for line in _upper_lines(page))


def listed(kinds: Mapping[str, AttachmentKind], pages: Sequence[Page]) -> Iterator[Listed]:
    """The kinds that the pages say are enclosed: ticked boxes, and lists behind "Enclosures:"."""
    told: set[str] = set()
    for page in pages:
        for text, box in (*_ticked(page), *_lists(page)):
            for name, kind in kinds.items():
                if name not in told and _is_called(text, kind):
                    told.add(name)
                    yield Listed(name, page.number, box)


def _is_called(text: str, kind: AttachmentKind) -> bool:
    """Whether an entry of a list is of the kind: its name, and not much besides."""
    said = fold(text)
    for name in (kind.title, *kind.headings, *kind.wordings):
        wanted = fold(re.sub(r"^(?:an?|the)\s+", "", name, flags=re.I))
        if said == wanted or (len(wanted) >= 6 and wanted in said and len(said) < 3 * len(wanted)):
            return True
    return False


def _ticked(page: Page) -> Iterator[tuple[str, Box | None]]:
    for mark in page.marks:
        if mark.state == "checked" and mark.label:
            yield mark.label, mark.box


def _lists(page: Page) -> Iterator[tuple[str, Box | None]]:
    lines = _lines(page)
    for place, words in enumerate(lines):
        found = _LIST.match(_said(words))
        if found is None:
            continue
        box = words[0].box.union(words[-1].box)
        for item in _ITEM.split(found[1]):
            if item.strip():
                yield item.strip(), box
        if found[1].strip():
            continue
        # "Enclosures:" alone on its line: the entries stand below it, a bullet each.
        for below in lines[place + 1 : place + 1 + MOST_LINES_OF_A_LIST]:
            entry = _said(below)
            if not _BULLET.match(entry):
                break
            yield _BULLET.sub("", entry).strip(), below[0].box.union(below[-1].box)


def _is_heading(line: str, headings: Sequence[str]) -> bool:
    """Whether a line is one of the titles: little else on it, and nothing that asks for it."""
    words = line.split()
    if not words or len(words) > MOST_WORDS_OF_A_HEADING or _ASKS.search(line):
        return False
    said = fold(line)
    for heading in headings:
        wanted = fold(heading)
        if said.startswith(wanted) and len(said) <= 2 * len(wanted) + 6:
            return True
        if len(wanted) >= 8 and fuzz.ratio(said, wanted) >= _ALIKE:
            return True
    return False


def _upper_lines(page: Page) -> Iterator[str]:
    for words in _lines(page):
        if words[0].box.y0 <= _UPPER_PART:
            yield _said(words)


def _said(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _lines(page: Page) -> list[list[Word]]:
    by_line: dict[int, list[Word]] = {}
    for word in page.words:
        by_line.setdefault(word.line, []).append(word)
    return [sorted(words, key=lambda word: word.box.x0) for words in by_line.values()]

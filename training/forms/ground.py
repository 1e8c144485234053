# SPDX-License-Identifier: Apache-2.0
"""A page of a blank form as ground to write on: its print as a reader sees it, rules, places.

Nothing is rendered but once per page, for its rules and cells: everything else comes from the
file's text layer and its form fields, so that a thousand copies cost minutes.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from idp.children import Children
from idp.document import Box
from idp.errors import InputError
from idp.forms.nouns import BlankPage, PrintedWord, Widget
from idp.forms.printed import is_title, lines_of
from idp.read.pixels import look
from idp.read.prepare import ink_threshold
from idp.read.rules import Stroke, find_rules
from training.forms.blanks import Blank

_DPI = 150
_AS_READ, _RAISED = 1.4, 0.1
"""How much higher a reader's box of a word is than its ink, and how far up it sits, in heights."""
_FEWEST_PLACES, _FEWEST_WORDS = 6, 25
"""A page with fewer labelled places, or printed words, teaches little."""
_BELOW, _ASIDE, _MOST_ROWS = 1.3, 0.012, 8
"""Rows of a column: steps in heights of a place, how far its sides differ, how many."""
_HEADING_WORDS = 8
_CUT = 10
"""Places of a block where no title parts them."""

Ruled = tuple[tuple[tuple[str, Box], ...], tuple[Box, ...]]
"""Rules (with their orientation) and cells of a page."""


@dataclass(frozen=True)
class Asked:
    """A labelled place, with the rows under it where it heads a column."""

    item: int
    label: tuple[int, ...]
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Block:
    """Places under one title; ``title`` are its words, empty where nothing is printed."""

    title: tuple[int, ...]
    places: tuple[Asked, ...]


@dataclass(frozen=True)
class Ground:
    """One page that can be relabelled."""

    blank: Blank
    number: int
    words: tuple[PrintedWord, ...]
    lines: tuple[tuple[int, ...], ...]
    rules: tuple[tuple[str, Box], ...]
    cells: tuple[Box, ...]
    blocks: tuple[Block, ...]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        return self.blank.sizes[self.number - 1]


def grounds(blank: Blank, children: Children) -> Iterator[Ground]:
    """The pages of a form that are worth relabelling; what can't be drawn is left out."""
    for page in blank.pages:
        if len(page.words) <= _FEWEST_WORDS:
            continue
        blocks = blocks_of(blank, page)
        if sum(len(block.places) for block in blocks) < _FEWEST_PLACES:
            continue
        try:
            rules, cells = children.call(read_rules, blank.path, page.number, page.words)
        except InputError:
            continue
        yield ground(blank, page, rules, cells)


def ground(
    blank: Blank, page: BlankPage, rules: Sequence[tuple[str, Box]], cells: Sequence[Box]
) -> Ground:
    """A page with the rules that were found on it."""
    lines = tuple(tuple(line) for line in lines_of(page.words))
    words = _as_read(page.words, lines)
    return Ground(
        blank, page.number, words, lines, tuple(rules), tuple(cells), blocks_of(blank, page)
    )


def read_rules(path: Path, number: int, words: Sequence[PrintedWord]) -> Ruled:
    """Rules and cells of a page, as the reader finds them in its pixels; for a child process."""
    document = pdfium.PdfDocument(path)
    try:
        document.init_forms()
        page = document[number - 1]
        pdfium_c.FPDFPage_Flatten(page.raw, pdfium_c.FLAT_NORMALDISPLAY)
        page = document[number - 1]
        image = np.ascontiguousarray(page.render(scale=_DPI / 72, grayscale=True).to_numpy())
    finally:
        document.close()
    image = image.reshape(image.shape[0], image.shape[1])
    height, width = image.shape
    texts = [
        (w.box.x0 * width, w.box.y0 * height, w.box.x1 * width, w.box.y1 * height) for w in words
    ]
    found = find_rules(look(image, ink_threshold(image), _DPI), texts)

    def relative(stroke: Stroke) -> Box:
        return Box(stroke.x0 / width, stroke.y0 / height, stroke.x1 / width, stroke.y1 / height)

    rules = [("horizontal", relative(s)) for s in found.horizontal]
    rules += [("vertical", relative(s)) for s in found.vertical]
    return tuple(rules), tuple(relative(s) for s in found.cells)


def blocks_of(blank: Blank, page: BlankPage) -> tuple[Block, ...]:
    """The labelled places of a page under their titles, from top to bottom."""
    asked = list(_asked(blank, page))
    used = {index for place in asked for index in place.label}
    titles = _headings(page, used)
    found: list[Block] = []
    for number in range(len(titles) + 1):
        title = titles[number - 1] if number else ()
        upper = _y(page, title) if title else 0.0
        lower = _y(page, titles[number]) if number < len(titles) else 1.1
        own = [a for a in asked if upper <= blank.items[a.item].widget.box.cy < lower]
        if not own:
            continue
        for start in range(0, len(own), _CUT if not title else len(own)):
            step = _CUT if not title else len(own)
            found.append(Block(title if not start else (), tuple(own[start : start + step])))
    return tuple(found)


def _y(page: BlankPage, title: Sequence[int]) -> float:
    return page.words[title[0]].box.cy


def _headings(page: BlankPage, used: set[int]) -> list[tuple[int, ...]]:
    """Lines that head a section: by their words, or few, in capitals, and no place's label."""
    found = []
    for line in lines_of(page.words):
        text = " ".join(page.words[i].text for i in line)
        letters = sum(c.isalpha() for c in text)
        short = len(line) <= _HEADING_WORDS and letters > 0.7 * len(text.replace(" ", ""))
        plain = letters > 6 and not used.intersection(line) and not text.endswith((".", ":", "?"))
        if is_title(text) or (short and plain and text.isupper()):
            found.append(tuple(line))
    return found


def _asked(blank: Blank, page: BlankPage) -> Iterator[Asked]:
    """The places whose label is theirs alone, each with the unlabelled rows under it."""
    own = [
        index
        for index, item in enumerate(blank.items)
        if item.widget.page == page.number and item.widget.kind in ("text", "choice")
    ]
    labels = [blank.items[i].label_words for i in own]
    free = [i for i in own if not blank.items[i].label_words]
    for index in own:
        label = blank.items[index].label_words
        if not label or labels.count(label) > 1:
            continue
        if any(set(label) & set(other) for other in labels if other != label):
            continue
        yield Asked(index, label, tuple(_rows(blank, index, free)))


def _rows(blank: Blank, first: int, free: Sequence[int]) -> Iterator[int]:
    last = blank.items[first].widget
    for _ in range(_MOST_ROWS):
        below = next((i for i in free if _under(last, blank.items[i].widget)), None)
        if below is None:
            return
        yield below
        last = blank.items[below].widget


def _under(upper: Widget, lower: Widget) -> bool:
    a, b = upper.box, lower.box
    beside = abs(a.x0 - b.x0) < _ASIDE and abs(a.x1 - b.x1) < _ASIDE
    return beside and 0 < b.cy - a.cy < _BELOW * max(a.height, b.height)


def _as_read(
    words: Sequence[PrintedWord], lines: Sequence[Sequence[int]]
) -> tuple[PrintedWord, ...]:
    """The words with boxes as a reader gives them: of one height in a line, above the ink."""
    found = list(words)
    for line in lines:
        ink = statistics.median_high(words[i].box.height for i in line)
        for index in line:
            box = words[index].box
            middle = box.cy - _RAISED * ink
            half = _AS_READ * max(ink, box.height * 0.8) / 2
            read = Box(box.x0, max(0.0, middle - half), box.x1, min(1.0, middle + half))
            found[index] = words[index].model_copy(update={"box": read})
    return tuple(found)

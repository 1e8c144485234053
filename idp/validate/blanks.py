# SPDX-License-Identifier: Apache-2.0
"""Where a form asks for something, and whether anybody answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from rapidfuzz import fuzz

from idp.document import Box, Page, Word
from idp.phrases import Text, fold

LEAST_SIGNS = 4
"""Shorter labels (``DX``, ``ID``) stand in too many places to prove anything."""

_BELOW = 2.2
_WIDE = 1.5
_LONG = 9
_ALIKE = 87.0
_OPTIONS_OF_A_CHOICE = 2
_HINT = re.compile(r"\(?(?:mm|dd|yy|yyyy|ccyy)(?:[/-](?:mm|dd|yy|yyyy|ccyy))*\)?", re.IGNORECASE)
_MARKS = frozenset("_-.:;,|/\\()[]{}*#=~'\"\u25a1\u2610")


def _is_ink(word: Word) -> bool:
    """Whether a word is more than rules, boxes, stray dots and hints how to write a date."""
    if _HINT.fullmatch(word.text):
        return False
    return any(sign not in _MARKS and not sign.isspace() for sign in word.text)


class Place(NamedTuple):
    """Where a form asks for a field, and whether something stands there; ``label`` as printed."""

    page: int
    box: Box | None
    answered: bool
    label: str = ""


class Places:
    """The printed labels of some pages, and whether something stands behind or below them.

    Args:
        pages: Those of the document.
        known: Labels of all fields and titles of sections, folded: none of them is an answer, or
            another label misread.
    """

    def __init__(self, pages: Sequence[Page], known: frozenset[str] = frozenset()) -> None:
        self._pages = pages
        self._known = known

    @cached_property
    def _lines(self) -> list[tuple[Page, list[Word], list[str]]]:
        """Every printed line with its words folded."""
        lines: list[tuple[Page, list[Word], list[str]]] = []
        for page in self._pages:
            by_line: dict[int, list[Word]] = {}
            for word in page.words:
                by_line.setdefault(word.line, []).append(word)
            for words in by_line.values():
                ordered = sorted(words, key=lambda word: word.box.x0)
                lines.append((page, ordered, [fold(word.text) for word in ordered]))
        return lines

    def look(self, labels: Sequence[str]) -> Place | None:
        """What stands at the first of ``labels`` that is printed; ``None`` when none is.

        One label with something behind or below it is enough for the answer to be there.
        """
        found: Place | None = None
        for label in labels:
            wanted = fold(label)
            if len(wanted) < LEAST_SIGNS:
                continue
            for page, words, folded in self._lines:
                place = _stretch(words, folded, wanted, self._known)
                if place is None:
                    continue
                first, last = place
                box = words[first].box.union(words[last].box)
                printed = " ".join(word.text for word in words[first : last + 1])
                if _answered(page, words, first, last, self._known):
                    return Place(page.number, box, answered=True, label=printed)
                found = found or Place(page.number, box, answered=False, label=printed)
        return found

    def boxes(self, wordings: Sequence[str]) -> Place | None:
        """The same for a choice by its options: answered unless all its boxes are read as empty.

        ``None`` when fewer than two of the options are printed.
        """
        lines = Text(line for page in self._pages for line in page.text.split("\n"))
        wanted = [w for w in wordings if len(fold(w)) >= LEAST_SIGNS]
        if sum(wording in lines for wording in wanted) < _OPTIONS_OF_A_CHOICE:
            return None
        folded = {fold(wording) for wording in wanted}
        marks = [
            (page.number, mark)
            for page in self._pages
            for mark in page.marks
            if fold(mark.label) in folded
        ]
        if len(marks) < _OPTIONS_OF_A_CHOICE or any(m.state == "checked" for _, m in marks):
            return Place(self._pages[0].number, None, answered=True)
        number, mark = marks[0]
        return Place(number, mark.box, answered=False)


def _stretch(
    words: Sequence[Word], folded: Sequence[str], wanted: str, known: frozenset[str]
) -> tuple[int, int] | None:
    """The words of a line that are the label, as (first, last), when it begins a stretch.

    What stands in parentheses behind it (``(if different)``) belongs to the label.
    """
    for first in range(len(words)):
        if not folded[first].startswith(wanted[0]):
            continue
        text = ""
        for last in range(first, len(words)):
            text += folded[last]
            same = text == wanted or (text not in known and _same(text, wanted))
            if same and _begins(words, first):
                end = _through_parentheses(words, last)
                if _ends(words, end):
                    return first, end
            if len(text) > len(wanted):
                break
    return None


def _same(text: str, wanted: str) -> bool:
    """Whether the print is the label, a misread sign or two in a longer one forgiven."""
    if text == wanted or len(wanted) < _LONG or abs(len(text) - len(wanted)) > 1:
        return text == wanted
    return fuzz.ratio(text, wanted) >= _ALIKE


def _through_parentheses(words: Sequence[Word], last: int) -> int:
    while last + 1 < len(words) and not fold(words[last + 1].text):
        if words[last].text.rstrip().endswith(":"):
            break
        last += 1
    if last + 1 == len(words) or not words[last + 1].text.startswith("("):
        return last
    for place in range(last + 1, len(words)):
        if ")" in words[place].text:
            return place
    return last


def _gap(page: Page, left: Word, right: Word) -> float:
    """The gap between two words, in heights of the letters."""
    aspect = page.height_px / max(1, page.width_px)
    return (right.box.x0 - left.box.x1) / max(left.box.height * aspect, 1e-4)


def _begins(words: Sequence[Word], first: int) -> bool:
    """Whether a label may begin here: at a gap, or behind a colon or a number."""
    if first == 0:
        return True
    before, word = words[first - 1], words[first]
    gap = word.box.x0 - before.box.x1
    return gap > word.box.height or before.text.endswith((":", ".", ")", "*", "]"))


def _ends(words: Sequence[Word], last: int) -> bool:
    """Whether a label may end here: with a colon, at a gap or at the end of the line."""
    word = words[last]
    if last + 1 == len(words) or word.text.rstrip().endswith((":", "#", "?")):
        return True
    following = words[last + 1]
    return following.box.x0 - word.box.x1 > word.box.height or not _is_ink(following)


def _next_is_label(page: Page, words: Sequence[Word], last: int) -> bool:
    """Whether what follows on the line is another label: a stretch that ends with a colon.

    A stretch that follows closely and holds more than one word may be a value with the next label
    behind it, so it is taken for an answer.
    """
    behind = words[last + 1 :]
    stretch = [behind[0]]
    for word in behind[1:]:
        if stretch[-1].text.rstrip().endswith(":") or _gap(page, stretch[-1], word) > _WIDE:
            break
        stretch.append(word)
    if not stretch[-1].text.rstrip().endswith(":"):
        return False
    return len(stretch) == 1 or _gap(page, words[last], stretch[0]) > _WIDE


def _is_known(
    page: Page, words: Sequence[Word], known: frozenset[str], *, begins: bool = False
) -> bool:
    """Whether the words up to the next gap are a label or a title, and nothing else.

    ``begins``: a label of several words, or a long one, may have its own answer behind it.
    """
    text = ""
    for place, word in enumerate(words):
        if place and _gap(page, words[place - 1], word) > _WIDE:
            break
        text += fold(word.text)
        if begins and (place or len(text) >= _LONG) and text in known:
            return True
    return len(text) >= LEAST_SIGNS and text in known


def _answered(
    page: Page, words: Sequence[Word], first: int, last: int, known: frozenset[str]
) -> bool:
    """Whether ink that is no label stands right of the label, or else right below it."""
    end = words[last]
    behind = words[last + 1 :]
    if any(_is_ink(word) for word in behind) and not (
        _next_is_label(page, words, last) or _is_known(page, behind, known)
    ):
        return True
    label = words[first].box.union(end.box)
    height = max(end.box.height, 1e-4)
    right = words[last + 1].box.x0 if last + 1 < len(words) else 1.0
    below = [
        word
        for word in page.words
        if 0.6 * height < word.box.cy - label.cy < _BELOW * height + height / 2
        and label.x0 - height <= word.box.x0 < max(label.x1, min(right, label.x1 + 0.25))
        and _is_ink(word)
    ]
    if not below or any(word.text.rstrip().endswith(":") for word in below):
        return False
    line = [w for w in page.words if w.line == below[0].line and w.box.x0 >= below[0].box.x0]
    ordered = sorted(line, key=lambda word: word.box.x0)
    return not _is_known(page, ordered, known, begins=True)

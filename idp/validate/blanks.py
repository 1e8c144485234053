# SPDX-License-Identifier: Apache-2.0
"""Where a form asks for something, and whether anybody answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import cached_property
from typing import NamedTuple

from rapidfuzz import fuzz

from idp.document import Box, Page, Word
from idp.phrases import Text, fold

LEAST_SIGNS = 4
"""Shorter labels (``DX``, ``ID``) stand in too many places to prove anything."""

_BELOW = 2.2
_WIDE = 1.5
_COLUMN = 3.0
"""In line heights: what stands further behind a label may be in another column."""
_MOST_WORDS = 8
"""Of a part of a label."""
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


class _Line(NamedTuple):
    """A printed line: its page, its words from left to right, and the same folded."""

    page: Page
    words: list[Word]
    folded: list[str]


class _Wrapped(NamedTuple):
    """A label on two lines: where it begins and ends on each."""

    text: str
    upper: _Line
    above: tuple[int, int]
    lower: _Line
    below: tuple[int, int]


class Places:
    """The printed labels of some pages, and whether something stands behind or below them.

    A label may run over two lines, one part right below the other.

    Args:
        pages: Those of the document.
        known: Labels of all fields and titles of sections, folded: none of them is an answer, or
            another label misread.
    """

    def __init__(self, pages: Sequence[Page], known: frozenset[str] = frozenset()) -> None:
        self._pages = pages
        self._known = known

    @cached_property
    def _lines(self) -> list[_Line]:
        """Every printed line with its words folded."""
        lines: list[_Line] = []
        for page in self._pages:
            by_line: dict[int, list[Word]] = {}
            for word in page.words:
                by_line.setdefault(word.line, []).append(word)
            for words in by_line.values():
                ordered = sorted(words, key=lambda word: word.box.x0)
                lines.append(_Line(page, ordered, [fold(word.text) for word in ordered]))
        return lines

    @cached_property
    def _wrapped(self) -> list[_Wrapped]:
        """The known labels that run over two lines."""
        heads = {label[:cut] for label in self._known for cut in range(1, len(label))}
        found: list[_Wrapped] = []
        for upper in self._lines:
            for first, last, text in _stretches(upper, heads):
                if text in self._known or upper.words[last].text.rstrip().endswith(":"):
                    continue
                found.extend(self._continued(upper, (first, last), text))
        return found

    def _continued(self, upper: _Line, above: tuple[int, int], text: str) -> Iterator[_Wrapped]:
        """The labels that a stretch begins, and the line right below it ends."""
        box = upper.words[above[0]].box
        for lower in self._lines:
            if lower.page is not upper.page or lower is upper:
                continue
            for first, word in enumerate(lower.words):
                under = 0.6 * box.height < word.box.cy - box.cy < _BELOW * box.height
                if not under or abs(word.box.x0 - box.x0) > box.height:
                    continue
                rest = {known[len(text) :] for known in self._known if known.startswith(text)}
                for _, last, ending in _stretches(lower, rest, first):
                    if ending in rest:
                        yield _Wrapped(text + ending, upper, above, lower, (first, last))

    @cached_property
    def _halves(self) -> dict[int, tuple[int, int]]:
        """The words of labels on two lines, by identity, with the ends of their part."""
        parts = [
            part
            for each in self._wrapped
            for part in ((each.upper, each.above), (each.lower, each.below))
        ]
        return {
            id(line.words[at]): ends for line, ends in parts for at in range(ends[0], ends[1] + 1)
        }

    def look(self, labels: Sequence[str]) -> Place | None:
        """What stands at the first of ``labels`` that is printed; ``None`` when none is.

        One label with something behind or below it is enough for the answer to be there.
        """
        found: Place | None = None
        for label in labels:
            wanted = fold(label)
            if len(wanted) < LEAST_SIGNS:
                continue
            for place in self._printed(wanted):
                if place.answered:
                    return place
                found = found or place
        return found

    def _printed(self, wanted: str) -> Iterator[Place]:
        """Where a label is printed, on one line or on two."""
        for line in self._lines:
            place = _stretch(line.words, line.folded, wanted, self._known)
            if place is None or any(id(line.words[at]) in self._halves for at in place):
                continue
            first, last = place
            answered = self._answered(line, first, last)
            yield _place(line.page, line.words[first : last + 1], answered=answered)
        for each in self._wrapped:
            if each.text != wanted:
                continue
            upper, lower = each.above, each.below
            words = [
                *each.upper.words[upper[0] : upper[1] + 1],
                *each.lower.words[lower[0] : lower[1] + 1],
            ]
            answered = self._behind(each.upper, upper[1]) or self._answered(each.lower, *lower)
            yield _place(each.lower.page, words, answered=answered)

    def _behind(self, line: _Line, last: int) -> bool:
        """Whether ink that is no label stands right of a label."""
        behind = line.words[last + 1 :]
        if not any(_is_ink(word) for word in behind) or id(behind[0]) in self._halves:
            return False
        return not (
            _next_is_label(line.page, line.words, last)
            or _is_known(line.page, behind, self._known)
            or self._label_in_its_column(line, last)
        )

    def _label_in_its_column(self, line: _Line, last: int) -> bool:
        """Whether what follows at a wide gap begins with a label of several words.

        Closer to this label it may be its answer.
        """
        behind = line.words[last + 1 :]
        if _gap(line.page, line.words[last], behind[0]) <= _COLUMN:
            return False
        return _is_known(line.page, behind, self._known, begins=True)

    def _answered(self, line: _Line, first: int, last: int) -> bool:
        """Whether ink that is no label stands right of the label, or else right below it."""
        return self._behind(line, last) or self._under(line, first, last)

    def _under(self, line: _Line, first: int, last: int) -> bool:
        page, words = line.page, line.words
        label = words[first].box.union(words[last].box)
        height = max(words[last].box.height, 1e-4)
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
        if id(below[0]) in self._halves:
            return False
        under = [w for w in page.words if w.line == below[0].line and w.box.x0 >= below[0].box.x0]
        ordered = sorted(under, key=lambda word: word.box.x0)
        return not _is_known(page, ordered, self._known, begins=True)

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


def _place(page: Page, words: Sequence[Word], *, answered: bool) -> Place:
    box = words[0].box
    for word in words[1:]:
        box = box.union(word.box)
    return Place(page.number, box, answered, " ".join(word.text for word in words))


def _stretches(
    line: _Line, wanted: Set[str], begin: int | None = None
) -> Iterator[tuple[int, int, str]]:
    """The stretches of a line that are one of ``wanted``: first and last word, and the text.

    ``begin``: only those that begin with this word.
    """
    for first in range(len(line.words)) if begin is None else (begin,):
        if begin is None and not _begins(line.words, first):
            continue
        text = ""
        for last in range(first, min(len(line.words), first + _MOST_WORDS)):
            text += line.folded[last]
            if text in wanted and _ends(line.words, last):
                yield first, last, text


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

# SPDX-License-Identifier: Apache-2.0
"""Reads the lines of a page with two recognisers, and lets them vote.

The quick one was taught what fax machines do to print and costs a fifth of the thorough one; it
reads every line. The thorough one reads only the words of which a letter is doubtful, with some of
their surroundings: where the two agree a word is believed more than either alone, where they differ
the surer one is taken and the letters are marked as contested. A third look at softened pixels was
tried and gained nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import Levenshtein

from idp.read.ocr import Image, Letter, Line, Ocr, Region

_EMPTY = 0.5
"""How sure a reading is that there is nothing where the other one reads a letter."""

_LEAST_ROOM = 3.0
"""A stretch that is read again is so many times as wide as high: letters need their neighbours."""

_MOSTLY = 0.6
"""Of a line that is doubtful by more than this share, all is read again."""

_ALIKE = 0.4
"""Readings that share less are not two readings of one text; the thorough one is taken."""


@dataclass(frozen=True)
class _Stretch:
    """A part of a line: from letter to letter (exclusive), and from where to where of its width."""

    start: int
    end: int
    left: float
    right: float


def read_lines(
    page: Image,
    regions: Sequence[Region],
    ocr: Ocr,
    second_look_below: float,
    *,
    known: Mapping[int, Line] | None = None,
) -> list[Line]:
    """The lines in the order of ``regions``.

    Args:
        page: The prepared, upright page.
        regions: Where its lines are.
        ocr: The recognisers.
        second_look_below: A word with a letter or an edge of a lower score is read by the thorough
            recogniser, too; above 1 all are.
        known: Lines that the quick recogniser has read already, by their place in ``regions``.
    """
    lines = _quickly(page, regions, ocr, known or {})
    again = [
        (i, stretch)
        for i, line in enumerate(lines)
        for stretch in _doubtful(line, second_look_below)
    ]
    parts = [regions[i].part(stretch.left, stretch.right) for i, stretch in again]
    thorough = ocr.recognise(page, parts, "thorough")
    # From the last stretch of a line to its first: places of letters before it stay as they are.
    for (i, stretch), part in reversed(list(zip(again, thorough, strict=True))):
        lines[i] = _with(lines[i], stretch, part)
    return lines


def _doubtful(line: Line, below: float) -> list[_Stretch]:
    """The stretches of a line that are to be read again, from left to right."""
    letters = line.letters
    whole = _Stretch(0, len(letters), 0.0, 1.0)
    worst = min((letter.score for letter in letters), default=0.0)  # lost blanks join words
    if worst >= below:
        return []
    if line.turned or below > 1 or not letters:
        return [whole]
    words = _words(letters)
    edges = [0.0, *((letters[a - 2].at + letters[a].at) / 2 for a, _ in words[1:]), 1.0]
    room = _LEAST_ROOM * line.region.height / max(1.0, line.region.width)
    spans: list[list[int]] = []  # of words, first and last
    for k, (a, b) in enumerate(words):
        around = letters[max(0, a - 1) : b + 1]  # with the blanks beside it
        if min(letter.score for letter in around) >= below:
            continue
        first, last = k, k
        while edges[last + 1] - edges[first] < room and (first > 0 or last + 1 < len(words)):
            first, last = max(0, first - 1), min(len(words) - 1, last + 1)
        if spans and first <= spans[-1][1] + 1:
            spans[-1][1] = max(spans[-1][1], last)
        else:
            spans.append([first, last])
    share = sum(edges[last + 1] - edges[first] for first, last in spans)
    if not spans or share > _MOSTLY:
        return [whole]
    return [
        _Stretch(words[first][0], words[last][1], edges[first], edges[last + 1])
        for first, last in spans
    ]


def _words(letters: Sequence[Letter]) -> list[tuple[int, int]]:
    """Where the words of a line start and end (exclusive)."""
    found: list[tuple[int, int]] = []
    start = None
    for i, letter in enumerate((*letters, Letter(" ", 1.0, 1.0))):
        if letter.text == " ":
            if start is not None:
                found.append((start, i))
            start = None
        elif start is None:
            start = i
    return found


def _with(line: Line, stretch: _Stretch, thorough: Line) -> Line:
    """The line with one of its stretches read a second time."""
    if stretch.right - stretch.left >= 1:
        return merged(line, thorough)
    width = stretch.right - stretch.left
    again = tuple(
        replace(letter, at=stretch.left + letter.at * width) for letter in thorough.letters
    )
    mine = replace(line, letters=line.letters[stretch.start : stretch.end])
    both = merged(mine, replace(thorough, letters=again))
    return replace(
        line,
        letters=(*line.letters[: stretch.start], *both.letters, *line.letters[stretch.end :]),
    )


def _quickly(
    page: Image, regions: Sequence[Region], ocr: Ocr, known: Mapping[int, Line]
) -> list[Line]:
    unread = [i for i in range(len(regions)) if i not in known]
    read = ocr.recognise(page, [regions[i] for i in unread], "quick")
    both = {**known, **dict(zip(unread, read, strict=True))}
    return [both[i] for i in range(len(regions))]


def merged(quick: Line, thorough: Line) -> Line:
    """Two readings of one region as one, letter by letter."""
    if quick.turned or thorough.turned:
        return max(thorough, quick, key=lambda line: line.score)
    alike = Levenshtein.normalized_similarity(quick.text.casefold(), thorough.text.casefold())
    lone = len(quick.text) == 1 and quick.text.isalnum()  # the X in a box, seen by one of them
    if alike < _ALIKE and not lone:
        # No print, but a dotted rule, a logo, a hand: what each invents is not to be mixed.
        contested = tuple(replace(letter, look="contested") for letter in thorough.letters)
        return replace(thorough, letters=contested)
    letters: list[Letter] = []
    mine: list[Letter] = []
    theirs: list[Letter] = []
    for step in Levenshtein.opcodes(quick.text, thorough.text):
        here = quick.letters[step.src_start : step.src_end]
        there = thorough.letters[step.dest_start : step.dest_end]
        if step.tag != "equal":  # neighbouring differences are one: "H" for "Oh" is no "Hh"
            mine.extend(here)
            theirs.extend(there)
            continue
        _settle(letters, mine, theirs)
        mine, theirs = [], []
        letters.extend(
            Letter(b.text, max(a.score, b.score), b.at, "agreed", _likelier(a.rivals, b.rivals))
            for a, b in zip(here, there, strict=True)
        )
    _settle(letters, mine, theirs)
    return replace(thorough, letters=tuple(letters))


def _settle(letters: list[Letter], quick: Sequence[Letter], thorough: Sequence[Letter]) -> None:
    """Adds the better of two readings of one place to ``letters``."""
    if not quick and not thorough:
        return
    chosen, other = quick, thorough
    if _surety(quick) <= _surety(thorough):
        chosen, other = thorough, quick
    for i, letter in enumerate(chosen):
        rivals = letter.rivals
        if len(chosen) == len(other):  # what the other reader saw at this very place
            rivals = _likelier(((other[i].text, other[i].score), *other[i].rivals), rivals)
        letters.append(replace(letter, look="contested", rivals=rivals))
    if not chosen and letters:  # a letter that only one of the two saw
        letters[-1] = replace(letters[-1], look="contested")


def _likelier(
    some: Sequence[tuple[str, float]], others: Sequence[tuple[str, float]]
) -> tuple[tuple[str, float], ...]:
    """The rivals of two readings of one letter, each with its better score."""
    best: dict[str, float] = {}
    for text, score in (*some, *others):
        best[text] = max(score, best.get(text, 0.0))
    return tuple(best.items())


def _surety(letters: Sequence[Letter]) -> float:
    return sum(letter.score for letter in letters) / len(letters) if letters else _EMPTY

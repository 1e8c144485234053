# SPDX-License-Identifier: Apache-2.0
"""Reads the lines of a page with two recognisers, and lets them vote.

The quick one was taught what fax machines do to print and costs a fifth of the thorough one; it
reads every line. The thorough one reads only the lines of which a letter is doubtful: where the two
agree a word is believed more than either alone, where they differ the better one is taken and the
letters are marked as contested. A third look at softened pixels was tried and gained nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rapidfuzz.distance import Levenshtein

from idp.read.ocr import Image, Letter, Line, Ocr, Region

_EMPTY = 0.5
"""How sure a reading is that there is nothing where the other one reads a letter."""

_BETTER = 0.2
"""By how much the quick reading must be surer than the thorough one to be taken instead: of 0 to
0.4 the best on generated faxes."""

_ALIKE = 0.4
"""Readings that share less are not two readings of one text; the thorough one is taken."""


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
        second_look_below: A line whose worst letter has a lower score is read by the thorough
            recogniser, too; above 1 all are.
        known: Lines that the quick recogniser has read already, by their place in ``regions``.
    """
    lines = _quickly(page, regions, ocr, known or {})
    again = [i for i, line in enumerate(lines) if _worst(line) < second_look_below]
    thorough = ocr.recognise(page, [regions[i] for i in again], "thorough")
    for i, line in zip(again, thorough, strict=True):
        lines[i] = merged(lines[i], line)
    return lines


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
    if Levenshtein.normalized_similarity(quick.text, thorough.text) < _ALIKE:
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
            Letter(b.text, max(a.score, b.score), b.at, "agreed")
            for a, b in zip(here, there, strict=True)
        )
    _settle(letters, mine, theirs)
    return replace(thorough, letters=tuple(letters))


def _settle(letters: list[Letter], quick: Sequence[Letter], thorough: Sequence[Letter]) -> None:
    """Adds the better of two readings of one place to ``letters``."""
    if not quick and not thorough:
        return
    chosen = quick if _surety(quick) > _surety(thorough) + _BETTER else thorough
    letters.extend(replace(letter, look="contested") for letter in chosen)
    if not chosen and letters:  # a letter that only one of the two saw
        letters[-1] = replace(letters[-1], look="contested")


def _surety(letters: Sequence[Letter]) -> float:
    return sum(letter.score for letter in letters) / len(letters) if letters else _EMPTY


def _worst(line: Line) -> float:
    """The score of the worst letter; blanks count, as a lost one joins two words."""
    return min((letter.score for letter in line.letters), default=0.0)

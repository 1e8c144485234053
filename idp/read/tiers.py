# SPDX-License-Identifier: Apache-2.0
"""Reads the lines of a page: all of them quickly, the doubtful ones again, and lets readings vote.

The quick recogniser was taught what fax machines do to print and costs a fifth of the thorough one.
A line with a doubtful letter is read again by the thorough one; where that is not sure either, once
more from softened pixels. What two readings say alike is believed more than either alone; where
they differ, the better one is taken and the letters are marked as contested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from idp.read.ocr import Image, Letter, Line, Ocr, Region

_EMPTY = 0.5
"""How sure a reading is that there is nothing where another one reads a letter."""

_SOFTER = 1.0
"""Blur of the third look, in pixels: it closes what a dither or a threshold tore open."""


@dataclass(frozen=True)
class Looks:
    """When a line is read again. Scores are those of its worst letter."""

    second_below: float = 0.9
    third_below: float = 0.7


@dataclass(frozen=True)
class Effort:
    """How many lines of a page were read how often."""

    lines: int = 0
    second: int = 0
    third: int = 0


def read_lines(
    page: Image, regions: Sequence[Region], ocr: Ocr, looks: Looks
) -> tuple[list[Line], Effort]:
    """The lines in the order of ``regions``, each read as often as it needs."""
    lines = ocr.recognise(page, list(regions), "quick")
    second = [i for i, line in enumerate(lines) if _worst(line) < looks.second_below]
    again = ocr.recognise(page, [lines[i].region for i in second], "thorough")
    for i, other in zip(second, again, strict=True):
        lines[i] = merged(lines[i], other)
    third = [i for i in second if _contested(lines[i]) < looks.third_below]
    if third:
        softer = np.asarray(cv2.GaussianBlur(page, (0, 0), _SOFTER), np.uint8)
        last = ocr.recognise(softer, [lines[i].region for i in third], "thorough")
        for i, other in zip(third, last, strict=True):
            lines[i] = merged(lines[i], other)
    return lines, Effort(len(lines), len(second), len(third))


def merged(one: Line, other: Line) -> Line:
    """Two readings of one region as one, letter by letter; places are the better reading's."""
    if one.turned or other.turned or not one.letters or not other.letters:
        return max(one, other, key=lambda line: line.score)
    letters: list[Letter] = []
    for step in Levenshtein.opcodes(one.text, other.text):
        mine = one.letters[step.src_start : step.src_end]
        theirs = other.letters[step.dest_start : step.dest_end]
        if step.tag == "equal":
            letters.extend(_agreed(a, b) for a, b in zip(mine, theirs, strict=True))
        else:
            chosen = mine if _surety(mine) > _surety(theirs) else theirs
            letters.extend(replace(letter, look="contested") for letter in chosen)
            if not chosen and letters:  # a letter that only one of the two saw
                letters[-1] = replace(letters[-1], look="contested")
    return Line(one.region, tuple(letters), exact=one.exact)


def _agreed(a: Letter, b: Letter) -> Letter:
    """The same letter read twice; what was contested and is now confirmed is agreed."""
    return Letter(a.text, max(a.score, b.score), b.at, "agreed")


def _surety(letters: Sequence[Letter]) -> float:
    return sum(letter.score for letter in letters) / len(letters) if letters else _EMPTY


def _worst(line: Line) -> float:
    """The score of the worst letter; blanks count, as a lost one joins two words."""
    return min((letter.score for letter in line.letters), default=0.0)


def _contested(line: Line) -> float:
    return min((letter.score for letter in line.letters if letter.look == "contested"), default=1.0)

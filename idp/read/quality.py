# SPDX-License-Identifier: Apache-2.0
"""Says how well a page can be read, as a number, a grade, and the reasons in words for people.

The words themselves tell most: the mean of their confidences is the share of them that should be
right. What words cannot tell is print that was lost before anything could be read, which the state
of the raster hints at: that takes a little more away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idp.document import Grade, Word
from idp.read.repair import Repaired

_DOUBTFUL = 0.8
"""Confidence below which a word is doubtful."""

_FEW_DOUBTFUL = 0.05
"""Up to so large a share of doubtful words is no reason to mention them."""

_QUALITIES = (0.94, 0.80)
"""From so much quality on a page is good, and fair."""

_COARSE_DPI = 120.0
_COARSE_SCAN_DPI = 140.0
_FAINT_CONTRAST = 90
_SPECKS_PER_INCH = 6.0
_ASKEW_DEGREES = 3.0
_MANY_LOST_ROWS = 6

_COSTS = {
    "standard resolution": 0.03,
    "coarse scan": 0.02,
    "noise": 0.02,
    "dropped lines": 0.01,
    "faint": 0.02,
    "askew": 0.01,
}
"""Share of the words that a flaw costs beyond what the words themselves admit."""


@dataclass(frozen=True)
class Quality:
    """How well a page can be read.

    Attributes:
        value: About the share of the page's words that are right, 0..1.
        grade: The same in one word.
        reasons: What is wrong with the page, worst first; empty for a flawless one.
    """

    value: float
    grade: Grade
    reasons: tuple[str, ...]


def assess(
    words: Sequence[Word], raster: Repaired, *, dpi: tuple[float, float], skew_degrees: float
) -> Quality:
    """The quality of a page as read; an empty page is good.

    Args:
        words: What was read.
        raster: The page as it came, and what had to be mended.
        dpi: The resolution it came in, across and down.
        skew_degrees: How far its lines fell.
    """
    flaws = _flaws(raster, dpi, skew_degrees)
    cost = sum(_COSTS.get(flaw, 0.0) for flaw in flaws)
    if not words:
        return Quality(round(1 - cost, 3), Grade.GOOD, flaws)
    letters = sum(len(word.text) for word in words)
    sure = sum(word.confidence * len(word.text) for word in words) / max(1, letters)
    doubtful = sum(word.confidence < _DOUBTFUL for word in words) / len(words)
    value = min(1.0, max(0.0, sure - cost))
    reasons = ("doubtful words", *flaws) if doubtful > _FEW_DOUBTFUL else flaws
    return Quality(round(value, 3), grade_of(value), reasons)


def grade_of(value: float) -> Grade:
    """The quality in one word."""
    good, fair = _QUALITIES
    return Grade.GOOD if value >= good else Grade.FAIR if value >= fair else Grade.POOR


def _flaws(raster: Repaired, dpi: tuple[float, float], skew_degrees: float) -> tuple[str, ...]:
    found: list[str] = []
    if raster.bilevel and min(dpi) < _COARSE_DPI:
        found.append("standard resolution")
    elif min(dpi) < _COARSE_SCAN_DPI:
        found.append("coarse scan")
    if raster.specks > _SPECKS_PER_INCH:
        found.append("noise")
    if raster.contrast < _FAINT_CONTRAST:
        found.append("faint")
    if raster.lost_rows >= _MANY_LOST_ROWS:
        found.append("dropped lines")
    if abs(skew_degrees) > _ASKEW_DEGREES:
        found.append("askew")
    if raster.streaks:
        found.append("streaks")
    if raster.inverted:
        found.append("white on black")
    return tuple(sorted(found, key=lambda flaw: -_COSTS.get(flaw, 0.0)))

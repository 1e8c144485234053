# SPDX-License-Identifier: Apache-2.0
"""Turns a page the way a person would hold it: which side is up, and how far it lies askew.

The orientation model is only the first guess. Lines of print that stand tell a wrong quarter turn.
Head over or not is settled by reading: letters upside down read badly, so that a few short lines
that read well prove the page upright; else they are read both ways, at last all four. The lines
read on the way are kept, so a page that is plainly upright pays nothing for the proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from idp.read.ocr import Image, Line, Region
from idp.read.prepare import skew, straighten, turn

Rotation = Literal[0, 90, 180, 270]

_ROTATIONS: tuple[Rotation, ...] = (0, 90, 180, 270)

_SAMPLE_LINES = 8
_SAMPLE_ASPECT = 6.0
"""Width to height of the lines worth sampling: enough letters to tell, cheap to read."""

_SAMPLE_LETTERS = 20
_PROVEN = 0.93
"""Mean score of letters above which a sample was never upside down (see docs/reading.md)."""

_CONVINCING = 0.80
"""Below it neither way reads: the page may stand, whatever the shapes of its regions say."""

_TIE = 0.05
"""Between two ways that read about alike the model's scores decide, weighed like this."""

_STANDING = 1.5


class Eyes(Protocol):
    """What turning a page upright needs of the OCR."""

    def orientation(self, page: Image) -> tuple[int, float, dict[int, float]]:
        """Degrees (clockwise) that the page is turned by, the score, and all scores."""

    def detect(self, page: Image) -> list[Region]:
        """Where there is print."""

    def recognise(
        self, page: Image, regions: list[Region], tier: Literal["quick", "thorough"] = ...
    ) -> list[Line]:
        """What the regions say, in their order."""


@dataclass(frozen=True)
class Upright:
    """A page the right way up, straight, with its lines found.

    Attributes:
        image: The page.
        rotation: Degrees (clockwise) that the page lay turned by.
        skew_degrees: How far its lines fell (clockwise positive) once turned.
        regions: Where there is print.
        sampled: What some of the regions say by the quick recogniser, read to find out which way
            is up; keys are places in ``regions``.
    """

    image: Image
    rotation: Rotation
    skew_degrees: float
    regions: list[Region]
    sampled: dict[int, Line] = field(default_factory=dict)


def upright(page: Image, threshold: int, eyes: Eyes) -> Upright:
    """The page the right way up.

    Args:
        page: Grey, square pixels, some ink on it.
        threshold: Grey level below which a pixel is ink.
        eyes: Finds and reads lines.
    """
    _, _, scores = eyes.orientation(page)
    guess = max(_ROTATIONS, key=lambda degrees: scores.get(degrees, 0.0))
    way = _turned(page, guess, threshold, eyes)
    seen = standing(way.regions)
    if seen:
        other = max(_quarter(guess), key=lambda degrees: scores.get(degrees, 0.0))
        across = _turned(page, other, threshold, eyes)
        if standing(across.regions) is not True:
            guess, way, seen = other, across, False
    here = _sampled(way, eyes)
    if _proven(here):
        return here
    best, level = _better(here, scores, eyes)
    if level >= _CONVINCING and seen is False:
        return best
    # A handful of words, pen strokes, or noise: only reading tells, and the print may stand.
    other = max(_quarter(guess), key=lambda degrees: scores.get(degrees, 0.0))
    if level >= _CONVINCING or not best.regions:
        return best
    across = _sampled(_turned(page, other, threshold, eyes), eyes)
    if not across.regions or standing(across.regions):
        return best
    rival, rival_level = (
        (across, _level(across)) if _proven(across) else _better(across, scores, eyes)
    )
    return rival if rival_level > level + _TIE else best


def standing(regions: list[Region]) -> bool | None:
    """Whether most of the print runs from top to bottom; ``None`` where shapes do not tell."""
    upended = sum(r.height for r in regions if r.height > _STANDING * r.width)
    lying = sum(r.width for r in regions if r.width > _STANDING * r.height)
    if max(upended, lying) <= _STANDING * min(upended, lying):
        return None
    return upended > lying


def head_over(way: Upright) -> Upright:
    """The same page turned by 180 degrees, without looking for its lines again."""
    height, width = way.image.shape
    size = np.array([width, height], np.float32)
    regions = [Region(size - region.corners, region.score) for region in way.regions]
    opposite = _ROTATIONS[(way.rotation // 90 + 2) % 4]
    return Upright(turn(way.image, 180), opposite, way.skew_degrees, regions)


def _turned(page: Image, degrees: Rotation, threshold: int, eyes: Eyes) -> Upright:
    image = turn(page, degrees)
    angle = skew(image, threshold)
    image = straighten(image, angle)
    return Upright(image, degrees, angle, eyes.detect(image))


def _quarter(degrees: Rotation) -> tuple[Rotation, Rotation]:
    place = degrees // 90
    return _ROTATIONS[(place + 1) % 4], _ROTATIONS[(place + 3) % 4]


def _better(here: Upright, scores: dict[int, float], eyes: Eyes) -> tuple[Upright, float]:
    """The page as it is or head over, whichever way the same lines read better; and how well."""
    there = _sampled(head_over(here), eyes)
    level, other = _level(here), _level(there)
    lean = scores.get(here.rotation, 0.0) - scores.get(there.rotation, 0.0)
    return (there, other) if other > level + _TIE * lean else (here, level)


def _sampled(way: Upright, eyes: Eyes) -> Upright:
    """The page with a few of its lines read: short ones, spread over the page."""
    chosen = _choice(way.regions)
    lines = eyes.recognise(way.image, [way.regions[i] for i in chosen], tier="quick")
    return Upright(
        way.image,
        way.rotation,
        way.skew_degrees,
        way.regions,
        dict(zip(chosen, lines, strict=True)),
    )


def _choice(regions: list[Region]) -> list[int]:
    """Places of the regions nearest to :data:`_SAMPLE_ASPECT`; the same ones head over."""
    usual = float(np.median([region.height for region in regions])) if regions else 0.0

    def oddness(place: int) -> float:
        region = regions[place]
        size = abs(np.log2(region.height / usual))  # specks and headlines tell less
        return float(abs(np.log2(region.width / region.height / _SAMPLE_ASPECT)) + size)

    return sorted(range(len(regions)), key=oddness)[:_SAMPLE_LINES]


def _proven(way: Upright) -> bool:
    """Whether the sample is enough, and reads too well to be upside down."""
    letters = sum(len(line.letters) for line in way.sampled.values())
    return letters >= _SAMPLE_LETTERS and _level(way) >= _PROVEN


def _level(way: Upright) -> float:
    """Mean score of the letters of the sample, 0 where nothing was read."""
    scores = [letter.score for line in way.sampled.values() for letter in line.letters]
    return sum(scores) / len(scores) if scores else 0.0

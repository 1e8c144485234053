# SPDX-License-Identifier: Apache-2.0
"""Check boxes, round buttons, ovals and brackets: where they are, and whether they are marked.

A small network looks at the whole page at about 100 dpi and says, for every millimetre, whether the
middle of a mark may lie there and how large it is. A second one looks at each such place by itself,
with as much around it as it is large, and tells what it is: nothing, a place to mark, a marked one.
``training/marks`` draws the pages it learns from; ``docs/models.md`` says what it was measured on.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from idp.read.ocr import Letter, Line
from idp.read.pixels import Mask, Pixels, Rectangle

TICK_GLYPHS = frozenset("☐☑☒□■●○√✓✔OoDQ0CGU[](){}XxVvYJL|lI1/\\~-_.,'\"*+=•")
"""What the recogniser makes of a check box, ticked or not."""

BOX_SIGNS = frozenset("☐☑☒□■●○√✓✔[](){}|_")
"""Those of them that are hardly ever letters or digits."""

FINDER, JUDGE = "marks_finder.onnx", "marks_judge.onnx"
"""Files of the two networks, beside this one."""

_STRIDE = 4
_MULTIPLE = 32  # pages are padded to it, so that most have one of a few sizes
_UNIT = 10.0  # pixels of the network's page: sizes are logarithms of shares of it
_LEAST = 0.15
_PATCH = 32
_AROUND = 2.2  # times its size is what the second network sees of a place
_MOST_PLACES = 400
_OVERLAP = 0.3
_SNAP = 0.02  # inches that a border may lie off where the network saw it
_DRAWN = 0.55

_TICK_LETTERS = frozenset("XxVv")
_APART = 2.0  # times the usual step: a box before a word, no wide capital ("Dr.")
_BLANK_STEP = 2.4  # times the usual step from letter to letter: a blank, or a box

_HERE = Path(__file__).parent

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Candidate:
    """A place to mark, in pixels.

    Attributes:
        filled: Probability that it is marked.
        evidence: How sure it is that this is a place to mark at all, 0 to 1.
        kind: ``brackets`` are typed.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    filled: float
    evidence: float
    kind: Literal["box", "brackets"] = "box"

    @property
    def size(self) -> float:
        return ((self.x1 - self.x0) + (self.y1 - self.y0)) / 2

    @property
    def cx(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def rectangle(self) -> Rectangle:
        return self.x0, self.y0, self.x1, self.y1


def find_boxes(pixels: Pixels) -> list[Candidate]:
    """All places to mark, the surest first; none overlaps another."""
    kept: list[Candidate] = []
    for box in sorted(_judged(pixels.coarse), key=lambda box: -box.evidence):
        if not any(_overlap(box, other) > _OVERLAP for other in kept):
            kept.append(box)
    scale_x = pixels.ink.shape[1] / pixels.coarse.shape[1]
    scale_y = pixels.ink.shape[0] / pixels.coarse.shape[0]
    return [
        _snapped(
            replace(
                box,
                x0=box.x0 * scale_x,
                y0=box.y0 * scale_y,
                x1=box.x1 * scale_x,
                y1=box.y1 * scale_y,
            ),
            pixels.faint,
            pixels.dpi,
        )
        for box in kept
    ]


@functools.cache
def _session(model: Path) -> Any:
    """A network of this process, on one thread."""
    import onnxruntime  # noqa: PLC0415 - heavy, only readers need it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # pages have many sizes, and memory is kept for each
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _judged(coarse: Mask) -> list[Candidate]:
    """The places with the second network's verdict, without those that are nothing."""
    places = proposed(coarse)[:_MOST_PLACES]
    if not places:
        return []
    patches = np.stack([patch_of(coarse, box) for box in places])
    answer = _session(_HERE / JUDGE).run(
        None,
        {"x": LIGHTNESS[patches][:, None], "facts": np.stack([facts_of(box) for box in places])},
    )[0]
    judged = [
        replace(
            box,
            evidence=_both(box.evidence, 1 - nothing),
            filled=marked / max(1e-6, marked + empty),
        )
        for box, (nothing, empty, marked) in zip(places, answer.tolist(), strict=True)
    ]
    return [box for box in judged if box.evidence >= _LEAST]


def _both(finder: float, judge: float) -> float:
    """What two networks make of a place together: the mean of their log odds.

    On drawn pages the second one alone is as good; on forms that were in no training set each is
    sure of things that the other one is not.
    """
    odds = [math.log(p / (1 - p)) for p in (min(max(p, 1e-4), 1 - 1e-4) for p in (finder, judge))]
    return 1 / (1 + math.exp(-sum(odds) / 2))


def patch_of(coarse: Mask, box: Candidate) -> Mask:
    """What the second network sees: the place in the middle of a square, always in one size."""
    scale = _PATCH / (_AROUND * max(box.x1 - box.x0, box.y1 - box.y0, 4.0))
    middle = _PATCH / 2 - 0.5
    matrix = np.array(
        [[scale, 0, middle - scale * (box.cx - 0.5)], [0, scale, middle - scale * (box.cy - 0.5)]],
        np.float32,
    )
    patch = cv2.warpAffine(coarse, matrix, (_PATCH, _PATCH), flags=cv2.INTER_LINEAR)
    return np.asarray(patch, np.uint8)


def facts_of(box: Candidate) -> Field:
    """What the second network is told: logs of width and height, and what the first one thought."""
    width, height = max(1.0, box.x1 - box.x0), max(1.0, box.y1 - box.y0)
    return np.array(
        [math.log(width / _UNIT), math.log(height / _UNIT), box.evidence, box.filled], np.float32
    )


def _look(coarse: Mask, finder: Path) -> Field:
    """The first network's answers: six layers at a quarter of the page's size.

    Probability of a middle and of being marked; offset of the middle in cells; log of width and
    height.
    """
    height, width = coarse.shape
    padded = np.zeros(
        (-(-height // _MULTIPLE) * _MULTIPLE, -(-width // _MULTIPLE) * _MULTIPLE), np.float32
    )
    padded[:height, :width] = LIGHTNESS[coarse]
    answer = _session(finder).run(None, {"x": padded[None, None]})[0][0]
    return np.asarray(answer, np.float32)


LIGHTNESS = np.sqrt(np.arange(256, dtype=np.float32) / 255)
"""Brings light grey boxes nearer to black ones."""


def proposed(coarse: Mask, finder: Path = _HERE / FINDER) -> list[Candidate]:
    """Places that the first network takes for marks, the surest first; many are none.

    Args:
        coarse: Darkness at about 100 dpi; places are in its pixels.
        finder: The network's file.
    """
    seen = _look(coarse, finder)
    middle = np.ascontiguousarray(seen[0])
    highest = cv2.dilate(middle, np.ones((3, 3), np.uint8))
    ys, xs = np.nonzero((middle >= _LEAST) & (middle >= highest))
    found = []
    for y, x in zip(ys.tolist(), xs.tolist(), strict=True):
        evidence, filled, dx, dy, width, height = seen[:, y, x].tolist()
        cx, cy = (x + 0.5 + dx) * _STRIDE, (y + 0.5 + dy) * _STRIDE
        w, h = _UNIT * np.exp(width) / 2, _UNIT * np.exp(height) / 2
        found.append(Candidate(cx - w, cy - h, cx + w, cy + h, filled, evidence))
    return sorted(found, key=lambda box: -box.evidence)


def _overlap(a: Candidate, b: Candidate) -> float:
    """Shared area, as a share of the smaller of the two."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    if width <= 0 or height <= 0:
        return 0.0
    return (
        width * height / max(1.0, min((a.x1 - a.x0) * (a.y1 - a.y0), (b.x1 - b.x0) * (b.y1 - b.y0)))
    )


def _snapped(box: Candidate, faint: Mask, dpi: float) -> Candidate:
    """The box with its sides on drawn borders, where such lie beside the sides seen."""
    reach = max(2, round(_SNAP * dpi))
    height, width = faint.shape
    left, top = max(0, round(box.x0) - reach), max(0, round(box.y0) - reach)
    right, bottom = min(width, round(box.x1) + reach + 1), min(height, round(box.y1) + reach + 1)
    patch = faint[top:bottom, left:right] > 0
    if min(patch.shape) <= 4 * reach:
        return box
    margin_x, margin_y = reach + patch.shape[1] // 6, reach + patch.shape[0] // 6
    rows = patch[:, margin_x : patch.shape[1] - margin_x].mean(axis=1)
    columns = patch[margin_y : patch.shape[0] - margin_y].mean(axis=0)
    y0, y1 = _border(rows, reach), _border(rows[::-1], reach)
    x0, x1 = _border(columns, reach), _border(columns[::-1], reach)
    return replace(
        box,
        x0=box.x0 if x0 is None else left + x0,
        y0=box.y0 if y0 is None else top + y0,
        x1=box.x1 if x1 is None else right - x1,
        y1=box.y1 if y1 is None else bottom - y1,
    )


def _border(drawn: NDArray[np.floating[Any]], reach: int) -> int | None:
    """The outermost row that is a border, within twice ``reach`` of the start."""
    near = drawn[: 2 * reach + 1]
    strong = np.flatnonzero(near >= max(_DRAWN, 0.8 * float(near.max())))
    return int(strong[0]) if len(strong) else None


def aligned(box: Candidate, others: Sequence[Candidate]) -> bool:
    """Whether another box of about this size stands in the same row or column."""
    return any(
        o is not box
        and abs(o.size - box.size) <= 0.2 * box.size
        and min(abs(o.cy - box.cy), abs(o.cx - box.cx)) < 0.35 * box.size
        for o in others
    )


def covered_by(box: Candidate, others: Sequence[Candidate]) -> bool:
    """Whether another candidate stands on about the same place."""
    return any(
        abs(box.cx - o.cx) < 0.6 * max(box.size, o.size)
        and abs(box.cy - o.cy) < 0.6 * max(box.size, o.size)
        for o in others
    )


def printed(lines: Sequence[Line]) -> list[Rectangle]:
    """Where letters surely are letters: words, but for a first letter that may be a misread box."""
    words = []
    for line in lines:
        region, letters = line.region, line.letters
        if line.turned:
            continue
        places = [region.x0 + letter.at * region.width for letter in letters]
        for start, end in _tokens(letters, places):
            first = start + _may_be_box(letters[start:end], places[start:end])
            if end - start >= 2 and first < end:
                pitch = (places[end - 1] - places[start]) / (end - start - 1)
                words.append(
                    (
                        places[first] - 0.5 * pitch,
                        region.y0,
                        places[end - 1] + 0.5 * pitch,
                        region.y1,
                    )
                )
    return words


def _tokens(letters: Sequence[Letter], places: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Runs of letters without a blank; a step far over the usual one is a blank that was not read.

    A box between two words is such a step: "Priority:[]Routine" comes out as "Priority:Routine".
    """
    steps = [b - a for a, b in pairwise(places)]
    usual = _median(steps)
    start = 0
    for i in range(len(letters)):
        last = i + 1 == len(letters)
        # So is a cross on which two readings differ: "Spouse[X]Child" comes out as "SpouseXchild".
        doubtful_cross = letters[i].text in _TICK_LETTERS and letters[i].look == "contested"
        blank = letters[i].text == " " or doubtful_cross
        if blank or last or steps[i] > _BLANK_STEP * usual:
            end = i if blank else i + 1
            if end > start:
                yield start, end
            start = i + 1


def _may_be_box(letters: Sequence[Letter], places: Sequence[float]) -> int:
    """How many letters at the start of a token may be a misread box: "[]Yes", "XNo", "OMale"."""
    if len(letters) < 2:
        return 0
    first = 0
    while first < len(letters) and letters[first].text in BOX_SIGNS:
        first += 1
    if first:
        return first
    if letters[0].text not in TICK_GLYPHS or sum(item.text.isdigit() for item in letters) > 1:
        return 0
    if letters[0].text in _TICK_LETTERS:
        return 1
    follows = letters[1].text.isupper() and (len(letters) == 2 or letters[2].text.islower())
    steps = [b - a for a, b in pairwise(places)]
    # A box is wider than a letter and stands off: the first step is long.
    apart = len(steps) >= 2 and steps[0] >= _APART * _median(steps[1:])
    return 1 if follows or apart else 0


def _median(values: Sequence[float]) -> float:
    """The middle one, 0 of none; for a few values numpy takes ten times as long."""
    return sorted(values)[len(values) // 2] if values else 0.0

# SPDX-License-Identifier: Apache-2.0
"""PaddleOCR on ONNX Runtime: where the lines of print are, and what each says.

The three PaddleOCR modules (detection, recognition, orientation) are called one by one instead of
through its pipeline class, because the product needs what the pipeline hides: the place and the
score of every character, reading a few lines only, and upright single digits (the pipeline turns
every tall crop, so that a lone "1" is read as a dash).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from idp.read.engine import LINES_PER_PAGE, Place, attach, paddle_options, text_steps
from idp.read.weights import Weights

Image = NDArray[np.uint8]
"""A grey page or crop, 0 is ink."""

Tier = Literal["quick", "thorough"]
"""Which recogniser reads: the small one for every line, or the large one for what is doubtful."""

Look = Literal["once", "agreed", "contested"]

_BATCH = LINES_PER_PAGE
_LINE_HEIGHT = 48
_BATCH_WIDTH = 4800  # columns of one request, all lines together
_WIDEST = 3200  # PaddleOCR squeezes longer lines into this width
_RIVALS = 3
_LEAST_RIVAL = 0.001  # what is less likely than this is never the right one
_TURNED = 2.2  # a region so much taller than wide holds sideways text ...
_TURNED_CHARACTERS = 1.8  # ... if it is also taller than so many lines


@dataclass(frozen=True)
class Region:
    """A piece of a line that the detector found: its four corners (clockwise) in pixels."""

    corners: NDArray[np.float32]
    score: float

    @cached_property
    def x0(self) -> float:
        return float(self.corners[:, 0].min())

    @cached_property
    def x1(self) -> float:
        return float(self.corners[:, 0].max())

    @cached_property
    def y0(self) -> float:
        return float(self.corners[:, 1].min())

    @cached_property
    def y1(self) -> float:
        return float(self.corners[:, 1].max())

    @cached_property
    def width(self) -> float:
        return self.x1 - self.x0

    @cached_property
    def height(self) -> float:
        return self.y1 - self.y0

    def part(self, left: float, right: float) -> Region:
        """The stretch between two shares of its width."""
        if left <= 0 and right >= 1:
            return self
        if len(self.corners) != 4:
            corners = np.array(
                [[self.x0, self.y0], [self.x1, self.y0], [self.x1, self.y1], [self.x0, self.y1]]
            )
            return Region(np.asarray(corners, np.float32), self.score).part(left, right)
        top_left, top_right, bottom_right, bottom_left = _clockwise(self.corners)
        top, bottom = top_right - top_left, bottom_right - bottom_left
        corners = np.array(
            [
                top_left + left * top,
                top_left + right * top,
                bottom_left + right * bottom,
                bottom_left + left * bottom,
            ]
        )
        return Region(np.asarray(corners, np.float32), self.score)

    def top_at(self, x: float) -> float:
        """The upper edge at ``x``: the edges of a region that lies askew slope."""
        return self._edge(x, upper=True)

    def bottom_at(self, x: float) -> float:
        """The lower edge at ``x``."""
        return self._edge(x, upper=False)

    def _edge(self, x: float, *, upper: bool) -> float:
        if len(self.corners) != 4 or self.height > self.width:
            return self.y0 if upper else self.y1
        x0, y0, x1, y1 = self._edges[0 if upper else 1]
        along = (x - x0) / max(1.0, x1 - x0)
        return y0 + min(1.0, max(0.0, along)) * (y1 - y0)

    @cached_property
    def _edges(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The upper and the lower edge from left to right: every word asks for them."""
        top_left, top_right, bottom_right, bottom_left = _clockwise(self.corners)
        upper, lower = (top_left, top_right), (bottom_left, bottom_right)
        return tuple(map(float, np.concatenate(upper))), tuple(map(float, np.concatenate(lower)))


@dataclass(frozen=True)
class Letter:
    """One character, its score and its centre as a share of the crop's width.

    ``look`` says how it was read: once, by two readings that agree, or by two that do not.
    ``rivals`` are the characters that the recogniser found next likely here, with their scores.
    """

    text: str
    score: float
    at: float
    look: Look = "once"
    rivals: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Line:
    """What one region says.

    ``turned`` lines were read sideways and have no letter places; the blanks of ``exact`` ones are
    known, not read.
    """

    region: Region
    letters: tuple[Letter, ...]
    turned: bool = False
    exact: bool = False

    @property
    def text(self) -> str:
        return "".join(letter.text for letter in self.letters)

    def without(self, covered: Callable[[float, float], bool]) -> Line | None:
        """The line without the letters whose middle (in pixels) is covered; None: nothing is left.

        All letters of a turned line stand in its middle.
        """
        region = self.region
        middle = (region.y0 + region.y1) / 2
        letters = tuple(
            letter
            for letter in self.letters
            if not covered(region.x0 + (0.5 if self.turned else letter.at) * region.width, middle)
        )
        if not any(letter.text.strip() for letter in letters):
            return None
        return replace(self, letters=letters)

    @property
    def score(self) -> float:
        if not self.letters:
            return 0.0
        return sum(letter.score for letter in self.letters) / len(self.letters)


class Ocr:
    """The loaded models of one process. Not for use by several threads at once."""

    def __init__(self, weights: Weights, place: Place, detection_side: int) -> None:
        # Before the import: PaddleX would look for a model server on the net.
        os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")
        from paddleocr import (  # noqa: PLC0415 - costs a second, only reading children need it
            DocImgOrientationClassification,
            TextDetection,
            TextRecognition,
        )

        common = paddle_options()
        self._detector = TextDetection(
            model_name=weights.detection_name,
            model_dir=str(weights.detection),
            limit_side_len=detection_side,
            limit_type="max",
            **common,
        )
        attach(self._detector, weights.detection / "inference.onnx", place)
        # Clean pages never need the thorough one: it is loaded when a line first asks for it.
        load = partial(_recogniser, TextRecognition, place=place)
        self._load: dict[Tier, Callable[[], Any]] = {
            "quick": partial(load, name="PP-OCRv6_tiny_rec", folder=weights.quick),
            "thorough": partial(load, name="PP-OCRv6_small_rec", folder=weights.thorough),
        }
        self._recognisers: dict[Tier, Any] = {}
        self._orienter = DocImgOrientationClassification(
            model_name="PP-LCNet_x1_0_doc_ori", model_dir=str(weights.orientation), **common
        )
        attach(self._orienter, weights.orientation / "inference.onnx", place)

    def orientation(self, page: Image) -> tuple[int, float, dict[int, float]]:
        """Degrees (clockwise) that the page is turned by, the score, and all scores."""
        result = self._orienter.predict(_bgr(page))[0]
        names = [int(name) for name in result["label_names"]]
        scores = [float(score) for score in np.asarray(result["scores"]).ravel()]
        ranked = dict(zip(names, scores, strict=True))
        best = max(ranked, key=lambda name: ranked[name])
        return best, ranked[best], ranked

    def detect(self, page: Image) -> list[Region]:
        """Where there is print, in no particular order."""
        result = self._detector.predict(_bgr(page))[0]
        regions = []
        for corners, score in zip(result["dt_polys"], result["dt_scores"], strict=True):
            region = Region(np.asarray(corners, np.float32).reshape(-1, 2), float(score))
            if region.width >= 2 and region.height >= 2:
                regions.append(region)
        return regions

    def recognise(self, page: Image, regions: list[Region], tier: Tier = "thorough") -> list[Line]:
        """Reads each region; the answer has the order of ``regions``."""
        if not regions:
            return []
        if tier not in self._recognisers:
            self._recognisers[tier] = self._load[tier]()
        recogniser = self._recognisers[tier]
        usual = float(np.median([min(region.width, region.height) for region in regions]))
        crops = [_crop(page, region, usual) for region in regions]
        order = sorted(range(len(crops)), key=lambda i: crops[i][0].shape[1] / crops[i][0].shape[0])
        lines: dict[int, Line] = {}
        for batch in _batches(order, [crop.shape for crop, _ in crops]):
            images = [_bgr(crops[i][0]) for i in batch]
            widths = [_resized_width(image) for image in images]
            results = recogniser.predict(images, batch_size=_BATCH)
            for i, width, result in zip(batch, widths, results, strict=True):
                letters = tuple(
                    Letter(text, score, min(1.0, at * max(widths) / width), rivals=rivals)
                    for text, score, at, rivals in result["rec_text"]
                )
                lines[i] = Line(regions[i], letters, turned=crops[i][1])
        return [lines[i] for i in range(len(regions))]


def _batches(order: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Crops, narrow ones first, in requests of a bounded size: memory grows with the largest."""
    batch: list[int] = []
    for i in order:
        height, width = shapes[i][:2]
        wide = min(_WIDEST, _LINE_HEIGHT * width / height)
        if batch and (len(batch) == _BATCH or (len(batch) + 1) * wide > _BATCH_WIDTH):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _recogniser(kind: Any, *, name: str, folder: Path, place: Place) -> Any:
    model = kind(model_name=name, model_dir=str(folder), **paddle_options())
    attach(model, folder / "inference.onnx", place, steps=text_steps)
    predictor = model.paddlex_predictor
    predictor.post_op = _Letters(predictor.post_op.character)
    predictor.batch_sampler.batch_size = _BATCH
    return model


Read = tuple[str, float, float, tuple[tuple[str, float], ...]]
"""A character, its score, its centre as a share of the padded width, its rivals."""


class _Letters:
    """Takes the place of PaddleOCR's decoder: keeps place, score and rivals of every character."""

    def __init__(self, characters: list[str]) -> None:
        self._characters = characters

    def __call__(
        self, predictions: Any, **_ignored: Any
    ) -> tuple[list[tuple[Read, ...]], list[float]]:
        texts: list[tuple[Read, ...]] = []
        means: list[float] = []
        for row in np.asarray(predictions[0]):
            letters = tuple(self._row(row))
            texts.append(letters)
            means.append(float(np.mean([read[1] for read in letters])) if letters else 0.0)
        return texts, means

    def _row(self, row: NDArray[np.float32]) -> Iterator[Read]:
        best = row.argmax(axis=-1)
        fresh = np.ones(len(best), bool)
        fresh[1:] = best[1:] != best[:-1]
        starts = np.flatnonzero(fresh)
        ends = np.append(starts[1:], len(best))
        peaks = np.maximum.reduceat(row, starts, axis=0)
        names = best[starts]
        tops = peaks[np.arange(len(names)), names]
        peaks[:, 0] = 0.0  # the blank is nobody's rival
        peaks[np.arange(len(names)), names] = 0.0
        nexts = np.argpartition(peaks, -_RIVALS, axis=1)[:, -_RIVALS:]
        for i in np.flatnonzero(names):
            rivals = tuple(
                (self._characters[k], float(peaks[i, k]))
                for k in nexts[i]
                if peaks[i, k] >= _LEAST_RIVAL
            )
            middle = float((starts[i] + ends[i]) / 2 / len(best))
            yield self._characters[names[i]], float(tops[i]), middle, rivals


def _resized_width(crop: Image) -> int:
    height, width = crop.shape[:2]
    return int(min(_WIDEST, max(1, math.ceil(_LINE_HEIGHT * width / height))))


def _bgr(image: Image) -> Image:
    import cv2  # noqa: PLC0415

    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)


def crop(page: Image, region: Region) -> Image:
    """What the recogniser is shown of a region that lies level."""
    return _crop(page, region, usual=float("inf"))[0]


def _crop(page: Image, region: Region, usual: float) -> tuple[Image, bool]:
    """The region upright, and whether it had to be turned."""
    import cv2  # noqa: PLC0415

    corners = region.corners
    if len(corners) != 4:
        corners = np.asarray(cv2.boxPoints(cv2.minAreaRect(corners)), np.float32)
    top_left, top_right, bottom_right, bottom_left = _clockwise(corners)
    width = max(np.hypot(*(top_right - top_left)), np.hypot(*(bottom_right - bottom_left)))
    height = max(np.hypot(*(bottom_left - top_left)), np.hypot(*(bottom_right - top_right)))
    slope = max(abs(top_right[1] - top_left[1]), abs(bottom_right[1] - bottom_left[1]))
    if slope <= 2:  # straight: a slice is cheaper and sharper than a warp
        y0, y1 = max(0, int(region.y0)), min(page.shape[0], math.ceil(region.y1) + 1)
        x0, x1 = max(0, int(region.x0)), min(page.shape[1], math.ceil(region.x1) + 1)
        crop = page[y0:y1, x0:x1]
    else:
        w, h = max(2, round(float(width))), max(2, round(float(height)))
        target = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        source = np.array([top_left, top_right, bottom_right, bottom_left], np.float32)
        matrix = cv2.getPerspectiveTransform(source, target)
        warped = cv2.warpPerspective(
            page, matrix, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        crop = np.asarray(warped, np.uint8)
    if crop.size == 0:
        crop = np.full((2, 2), 255, np.uint8)
    tall, wide = crop.shape[:2]
    if tall > _TURNED * wide and tall > _TURNED_CHARACTERS * usual:
        return np.ascontiguousarray(np.rot90(crop)), True
    return np.ascontiguousarray(crop), False


def _clockwise(corners: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Corners from the top left on."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return [left[0], right[0], right[1], left[1]]

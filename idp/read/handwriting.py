# SPDX-License-Identifier: Apache-2.0
"""Tells handwritten words from printed ones by the shape of their strokes.

Print is made of straight, equally thick strokes on one line; a pen leans, swings and varies. Eleven
figures of a word's ink go into a logistic function that ``training/handwriting.py`` fits on drawn
words of many print and pen typefaces, clean and faxed. Words beside each other are judged together:
nobody writes half an entry by hand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from idp.document import Word
from idp.read.pixels import Mask

DOUBTFUL = 0.6
"""No word by hand is surer than this: printed words are read, handwriting is guessed."""

_TALL = 24.0  # pixels that every word is brought to
_LEAST_HEIGHT = 9
_LEAST_INK = 20

_NEAR = 1.2  # heights between words of one entry
_ALIKE = 1.35  # how much taller a word of the same entry may be
_TALLER = 1.12  # than most words of its page: nobody writes as small as print ...
_WORSE = 0.08  # ... or else it reads worse than they do
_FEWEST = 3  # letters in an entry: fewer tell too little
_MANY = 8
_CLEAR = (3.0, 2.5)
"""Log odds from which on an entry of few letters, and of many, is handwriting: half a percent of
drawn printed words pass the first."""


class Model(NamedTuple):
    """A logistic function over figures, their squares and products."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]


@cache
def model() -> Model:
    """The fitted function that comes with the package."""
    path = Path(__file__).with_name("handwriting.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    return Model(
        np.array(data["mean"]),
        np.array(data["scale"]),
        np.array(data["weights"]),
    )


def mark_handwriting(words: Sequence[Word], text_ink: Mask) -> tuple[Word, ...]:
    """The words, those that look written by hand marked and no surer than :data:`DOUBTFUL`.

    Args:
        words: Of one page, in reading order.
        text_ink: The page's print without its ruling lines, 255 is ink.
    """
    if not words:
        return ()
    height, width = text_ink.shape
    usual = float(np.median([word.box.height for word in words]))
    surely = float(np.median([word.confidence for word in words]))
    marked: set[int] = set()
    for entry in _entries(words, width / height):
        if not _stands_out(entry, usual, surely):
            continue
        letters, rows = [], []
        for word in entry:
            box = word.box
            patch = text_ink[
                int(box.y0 * height) : int(box.y1 * height) + 1,
                int(box.x0 * width) : int(box.x1 * width) + 1,
            ]
            row = figures(patch, len(word.text))
            if row is not None:
                letters.append(len(word.text))
                rows.append(row)
        if sum(letters) < _FEWEST:
            continue
        odds = np.clip(scores(np.array(rows), model()), -4.0, 6.0)
        if np.average(odds, weights=letters) >= _CLEAR[sum(letters) >= _MANY]:
            marked.update(word.id for word in entry)
    return tuple(
        word.model_copy(update={"handwritten": True, "confidence": min(word.confidence, DOUBTFUL)})
        if word.id in marked
        else word
        for word in words
    )


def _entries(words: Sequence[Word], ratio: float) -> list[list[Word]]:
    """Words of one line, one size and without a wide gap; a label's colon ends an entry."""
    lines: dict[int, list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    entries: list[list[Word]] = []
    for line in lines.values():
        last: Word | None = None
        for word in sorted(line, key=lambda w: w.box.x0):
            if last is not None:
                low, high = sorted((last.box.height, word.box.height))
                near = (word.box.x0 - last.box.x1) * ratio <= _NEAR * low
                if near and high <= _ALIKE * low and not last.text.endswith(":"):
                    entries[-1].append(word)
                    last = word
                    continue
            entries.append([word])
            last = word
    return entries


def _stands_out(entry: Sequence[Word], usual: float, surely: float) -> bool:
    tall = float(np.median([word.box.height for word in entry]))
    sure = sum(word.confidence for word in entry) / len(entry)
    return tall >= _TALLER * usual or sure < surely - _WORSE


def figures(patch: Mask, letters: int) -> NDArray[np.float64] | None:
    """What the ink of one word looks like; ``None`` where there is too little of it.

    Args:
        patch: The word's print, 255 is ink, without ruling lines.
        letters: How many were read.
    """
    rows = np.flatnonzero(patch.any(axis=1))
    if len(rows) < _LEAST_HEIGHT:
        return None
    patch = patch[rows[0] : rows[-1] + 1]
    height = patch.shape[0]
    scale = _TALL / height
    size = (max(4, round(patch.shape[1] * scale)), round(_TALL))
    ink = cv2.resize(patch, size, interpolation=cv2.INTER_AREA) > 110
    count = float(ink.sum())
    if count < _LEAST_INK:
        return None
    ink = np.pad(ink, 1)
    across = ink[:, 1:] != ink[:, :-1]
    down = ink[1:] != ink[:-1]
    h, v = float(across.sum()) + 1, float(down.sum()) + 1
    falling = float((ink[1:, 1:] != ink[:-1, :-1]).sum()) + 1
    rising = float((ink[1:, :-1] != ink[:-1, 1:]).sum()) + 1
    upright = float((across[:-3] & across[1:-2] & across[2:-1] & across[3:]).sum()) / h
    level = float((down[:, :-3] & down[:, 1:-2] & down[:, 2:-1] & down[:, 3:]).sum()) / v
    lean = float((across[:-2, :-1] & across[2:, 1:]).sum()) / h
    back = float((across[:-2, 1:] & across[2:, :-1]).sum()) / h
    parts = cv2.connectedComponentsWithStats(ink.astype(np.uint8))[2][1:]
    large = parts[parts[:, 3] >= 0.35 * _TALL]
    feet = large[:, 1] + large[:, 3]
    jitter = float(np.std(feet)) / _TALL if len(feet) > 1 else 0.0
    uneven = float(np.std(large[:, 3])) / _TALL if len(large) > 1 else 0.0
    width = size[0] / (max(1, letters) * _TALL)
    return np.array(
        [
            upright,
            level,
            lean - back,
            lean + back,
            (h + v) / (falling + rising),
            h / v,
            2 * count / h / _TALL,
            2 * count / v / _TALL,
            jitter,
            uneven,
            len(large) / max(1, letters) + 0.3 * width,
        ]
    )


def expanded(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Figures (one row a word, already scaled) with their products and a constant."""
    count = rows.shape[1]
    i, j = np.triu_indices(count)
    return np.hstack([np.ones((len(rows), 1)), rows, rows[:, i] * rows[:, j]])


def scores(rows: NDArray[np.float64], fitted: Model) -> NDArray[np.float64]:
    """How much each word looks written by hand: log odds."""
    scaled = np.clip((rows - fitted.mean) / fitted.scale, -3, 3)
    return np.asarray(expanded(scaled) @ fitted.weights, np.float64)

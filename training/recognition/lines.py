# SPDX-License-Identifier: Apache-2.0
"""Batches of generated lines as the recogniser takes them, and the alphabet they are written in."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from training.recognition.crops import page_lines
from training.recognition.fonts import judging_fonts, training_fonts
from training.recognition.forms import Forms
from training.recognition.strips import Capture, Grey, draw_look, strip
from training.recognition.texts import Texts

HEIGHT = 48
"""Rows of the recogniser's input."""

_POOL = 768
_FROM_PAGES = 0.67
_WIDEST = 3200  # as PaddleOCR squeezes
_LEARNT_PX = 560  # wider lines cost time and teach little more


class Line(NamedTuple):
    """A crop and what it says."""

    image: Grey
    text: str


class Batch(NamedTuple):
    """``images`` (lines, 3, 48, width) in -1..1, padded with 0; ``targets`` class numbers."""

    images: NDArray[np.float32]
    widths: list[int]
    targets: list[list[int]]


class Alphabet:
    """Characters and their classes: 0 is "nothing here", the last one the blank."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._classes = {c: i + 1 for i, c in enumerate(characters)}
        self._classes[" "] = len(characters) + 1
        self.characters = ("", *characters, " ")

    def encode(self, text: str) -> list[int] | None:
        """Class numbers; None if the recogniser has no class for one of the characters."""
        classes = [self._classes.get(c, 0) for c in text]
        return None if 0 in classes else classes

    def decode(self, classes: NDArray[np.int64]) -> str:
        """The text of the best class of each step."""
        kept = classes[np.insert(classes[1:] != classes[:-1], 0, True)] if len(classes) else classes
        return "".join(self.characters[c] for c in kept if c)


def lines(seed: int, *, judge: bool = False, capture: Capture | None = None) -> Iterator[Line]:
    """Generated lines without end; ``judge`` draws them in fonts that training never sees."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    texts = Texts(seed)
    fonts = judging_fonts() if judge else training_fonts()
    while True:
        text = texts.line()
        yield Line(strip(text, draw_look(rng, fonts, capture)), text)


def batches(
    seed: int, alphabet: Alphabet, pixels: int, cache: Path, forms: Path | None = None
) -> Iterator[Batch]:
    """Batches of lines of about one width, each of at most ``pixels`` columns in all.

    A third of the lines are drawn alone, the others are cut from generated pages, and from those
    of real blank forms in the folder ``forms``, by the product's own eyes.
    """
    alone = lines(seed)
    cut = page_lines(seed, cache, Forms(forms) if forms else None)
    rng = random.Random(seed)  # noqa: S311
    while True:
        pool: list[tuple[NDArray[np.float32], list[int]]] = []
        while len(pool) < _POOL:
            image, text = next(cut if rng.random() < _FROM_PAGES else alone)
            target = alphabet.encode(text)
            if target is not None and image.shape[1] * HEIGHT <= _LEARNT_PX * image.shape[0]:
                pool.append((normalised(image), target))
        pool.sort(key=lambda entry: entry[0].shape[1])
        ready: list[Batch] = []
        start = 0
        while start < len(pool):
            end = start + 1
            while end < len(pool) and (end + 1 - start) * pool[end][0].shape[1] <= pixels:
                end += 1
            ready.append(_stacked(pool[start:end]))
            start = end
        rng.shuffle(ready)
        yield from ready


def normalised(image: Grey) -> NDArray[np.float32]:
    """The crop at 48 rows in -1..1, resized as PaddleOCR's own preparation does."""
    height, width = image.shape
    wide = min(_WIDEST, max(1, math.ceil(HEIGHT * width / height)))
    resized = cv2.resize(image, (wide, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return resized.astype(np.float32) / 127.5 - 1.0


def _stacked(entries: list[tuple[NDArray[np.float32], list[int]]]) -> Batch:
    widest = max([48, *(image.shape[1] for image, _ in entries)])
    images = np.zeros((len(entries), 3, HEIGHT, widest), np.float32)
    for row, (image, _) in zip(images, entries, strict=True):
        row[:, :, : image.shape[1]] = image
    return Batch(images, [image.shape[1] for image, _ in entries], [t for _, t in entries])

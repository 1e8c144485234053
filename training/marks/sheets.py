# SPDX-License-Identifier: Apache-2.0
"""What the networks learn from: pages as they arrive, as the reader sees them, with their marks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idp.read.pixels import Gray, look
from idp.read.prepare import ink_threshold, pad, skew, square, straighten
from training.faxes import KINDS, degrade
from training.faxes import page as fax_page
from training.marks.pages import UNCLEAR, page

_WAYS = (
    "clean", "scan_200", "scan_300", "scan_150", "fine_dither", "fine_dither", "fine_threshold",
    "fine_threshold", "fine_light", "fine_dark", "standard_dither", "standard_threshold",
    "standard_threshold", "superfine_dither", "noisy",
)  # fmt: skip
_BLURS = (0.8, 0.9, 1.1)
_VISIBLE, _LEAST_INK = 40, 0.06


@dataclass(frozen=True)
class Sheet:
    """A page as the networks see it.

    Attributes:
        coarse: Darkness at about 100 dpi (:attr:`idp.read.pixels.Pixels.coarse`).
        marks: One row of x0, y0, x1, y1 and 1 for marked, 0 for empty, in its pixels.
        unclear: Areas that teach nothing: one row of x0, y0, x1, y1.
    """

    coarse: Gray
    marks: NDArray[np.float32]
    unclear: NDArray[np.float32]


def sheets(count: int, seed: int) -> Iterator[Sheet]:
    """Pages of marks, every fourth of any other kind, each as it came by one of many ways."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    kinds = sorted(KINDS)
    for number in range(count):
        if number % 4 == 3:
            drawn = fax_page(seed + number, rng.choice(kinds), split="train")
        else:
            drawn = page(seed + number)
        came = degrade(drawn, rng.choice(_WAYS), seed + number)
        squared = square(pad(came.pixels), *came.dpi, bilevel=came.one_bit, blur=rng.choice(_BLURS))
        image = pad(squared.image)
        threshold = ink_threshold(image)
        image = straighten(image, skew(image, threshold))
        coarse = look(image, threshold, squared.dpi).coarse
        height, width = coarse.shape
        marks, unclear = [], []
        for mark in came.upright.marks:
            box = mark.box
            place = (box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height)
            if mark.style == UNCLEAR or _is_lost(coarse, place):
                unclear.append(place)
            else:
                marks.append((*place, float(mark.state == "checked")))
        yield Sheet(
            coarse,
            np.array(marks, np.float32).reshape(-1, 5),
            np.array(unclear, np.float32).reshape(-1, 4),
        )


def _is_lost(coarse: Gray, place: tuple[float, float, float, float]) -> bool:
    """Whether the way of the page has left no ink of a place: light grey boxes on a fax."""
    x0, y0, x1, y1 = (round(v) for v in place)
    patch = coarse[max(0, y0 - 1) : y1 + 2, max(0, x0 - 1) : x1 + 2]
    return patch.size == 0 or float((patch > _VISIBLE).mean()) < _LEAST_INK

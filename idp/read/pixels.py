# SPDX-License-Identifier: Apache-2.0
"""What of a page is print: masks that the finders of rules and marks share, made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""0 is black, 255 is white."""

Mask = NDArray[np.uint8]
"""255 is print, 0 is paper."""

Rectangle = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""

_FAINT = 22
_FIRM = 60
_SHRINK_COARSE, _FINE = 1.5, 180.0


@dataclass(frozen=True)
class Pixels:
    """Three ways to see the print of one page.

    ``ink`` is the page's own threshold: letters. ``faint`` is all that is darker than the paper or
    the shading around it, light grey rules too. ``firm`` is between the two: pencil strokes.
    """

    ink: Mask
    faint: Mask
    firm: Mask
    dpi: float
    coarse: Gray = field(default_factory=lambda: np.zeros((1, 1), np.uint8))
    """How much darker than its surroundings the page is, at about 100 dpi."""


def look(page: Gray, threshold: int, dpi: float) -> Pixels:
    """The masks of a page."""
    height, width = page.shape
    small = shrunk(page, 8, 8)
    paper = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_RECT, (9, 9)))
    darkness = cv2.subtract(
        cv2.resize(paper, (width, height), interpolation=cv2.INTER_NEAREST), page
    )
    _, ink = cv2.threshold(page, threshold - 1, 255, cv2.THRESH_BINARY_INV)
    if dpi >= _FINE:
        coarse = shrunk(page, 2, 2)
    else:
        size = max(1, round(width / _SHRINK_COARSE)), max(1, round(height / _SHRINK_COARSE))
        coarse = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)
    high, wide = coarse.shape
    around = cv2.resize(paper, (wide, high), interpolation=cv2.INTER_NEAREST)
    return Pixels(
        ink=np.asarray(ink, np.uint8),
        faint=_over(np.asarray(darkness, np.uint8), _FAINT),
        firm=_over(np.asarray(darkness, np.uint8), _FIRM),
        dpi=dpi,
        coarse=np.asarray(cv2.subtract(around, coarse), np.uint8),
    )


def shrunk(image: Gray, across: int, down: int) -> Gray:
    """Means of blocks of that many pixels; what is left over at the right and the foot is dropped.

    Whole blocks are five times quicker than OpenCV's area means of broken ones.
    """
    height, width = image.shape
    whole = image[: max(1, height // down) * down, : max(1, width // across) * across]
    size = max(1, width // across), max(1, height // down)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)


def shrunk_along(mask: Mask, *, down: bool) -> Mask:
    """Means of four pixels along the rows, or ``down`` the columns, of a page as long as wide.

    The same as :func:`shrunk` by four one way, less one part in a hundred, and much quicker.
    """
    height, width = mask.shape
    if min(height, width) < 4:
        return shrunk(mask, 1 if down else 4, 4 if down else 1)
    quarter = np.right_shift(mask, 2)
    if down:
        rows = quarter[: height // 4 * 4].reshape(height // 4, 4 * width)
        parts = [rows[:, i * width : (i + 1) * width] for i in range(4)]
    else:
        whole = np.ascontiguousarray(quarter[:, : width // 4 * 4])
        parts = list(cv2.split(whole.reshape(height, width // 4, 4)))
    return np.asarray(cv2.add(cv2.add(parts[0], parts[1]), cv2.add(parts[2], parts[3])), np.uint8)


def _over(values: Gray, level: int) -> Mask:
    _, mask = cv2.threshold(values, level, 255, cv2.THRESH_BINARY)
    return np.asarray(mask, np.uint8)


def inked(mask: Mask, axis: int) -> NDArray[np.bool_]:
    """Which columns (axis 0) or rows (axis 1) of a patch hold any print."""
    return np.asarray(mask.any(axis=axis), np.bool_)


def share(mask: Mask) -> float:
    """How much of a patch is print, 0..1; 0 for an empty patch."""
    return float(np.count_nonzero(mask)) / mask.size if mask.size else 0.0


def components(mask: Mask, connectivity: int = 8) -> NDArray[np.int32]:
    """One row of x, y, width, height, area per connected piece of the mask."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    return np.asarray(stats[1:count], np.int32)


def pieces(mask: Mask) -> NDArray[np.int32]:
    """Like :func:`components`, but quicker on a mask that is almost empty."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rows = []
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        area = cv2.countNonZero(mask[y : y + height, x : x + width])
        rows.append((x, y, width, height, area))
    return np.array(rows, np.int32).reshape(-1, 5)


def opened(mask: Mask, width: int, height: int) -> Mask:
    """Only what a rectangle of this size fits into."""
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (max(1, width), max(1, height)))
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.uint8)


def inside(x: float, y: float, boxes: Sequence[Rectangle], margin: float = 0.0) -> bool:
    """Whether the point lies in one of the boxes."""
    return any(
        x0 - margin <= x <= x1 + margin and y0 - margin <= y <= y1 + margin
        for x0, y0, x1, y1 in boxes
    )

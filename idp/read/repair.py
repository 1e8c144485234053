# SPDX-License-Identifier: Apache-2.0
"""Mends what machines did to a raster before it is scaled: lost rows, streaks, black borders.

All of it works on the pixels as they came, where a lost scan line is exactly one row and a speck of
dirt on the glass exactly one column. A flawless page comes back as it is, the same array.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""A grey raster, 0 is ink."""

Mask = NDArray[np.uint8]
"""255 is ink, 0 is paper."""

_INVERTED_SHARE = 0.62
"""A page with more ink than this is white on black: the darkest forms have less than half."""

_FAINT_CONTRAST = 130
"""Grey levels between ink and paper below which a page is stretched to full contrast."""

_UNEVEN_PAPER = 45
"""Grey levels by which the paper may differ over the page before it is levelled."""

_LOST_SHARE = 0.2
_CROSSING = 0.5
_WORTH_MENDING = 12
_STREAK_LENGTH = 0.45
_STREAK_WIDTH = 4
_SOLID = 0.9
_HOLE_INCHES = (0.17, 0.40)
_HOLE_MARGIN_INCHES = 0.85
_GRAIN = 8


@dataclass(frozen=True)
class Repaired:
    """A raster with its flaws taken away, and what they were.

    Attributes:
        image: The raster, of the same size.
        inverted: It was white on black.
        contrast: Grey levels between ink and paper as it came; 255 for 1-bit pages.
        lost_rows: Scan lines that were white where the rows around them have print.
        streaks: Dark lines down the page that were taken out.
        border: Share of the page that was black border or punch hole.
        bilevel: It has only two shades.
        specks: Lone black dots per square inch, on 1-bit pages.
        dithered: Share of the ink of a 1-bit page that stands in a screen of dots.
    """

    image: Image
    inverted: bool = False
    contrast: int = 255
    lost_rows: int = 0
    streaks: int = 0
    border: float = 0.0
    bilevel: bool = False
    specks: float = 0.0
    dithered: float = 0.0


def repair(image: Image, dpi_x: float, dpi_y: float, *, bilevel: bool) -> Repaired:
    """The raster without what machines added and with what they lost.

    Args:
        image: The raster as it came.
        dpi_x: Pixels per inch across.
        dpi_y: Pixels per inch down.
        bilevel: Whether it has only two shades.
    """
    if min(image.shape) < 4 * _GRAIN:
        return Repaired(image, bilevel=bilevel)
    inverted = is_inverted(image)
    if inverted:
        image = np.asarray(cv2.bitwise_not(image), np.uint8)
    image, border = without_border(image, dpi_x, dpi_y)
    contrast = 255
    if not bilevel:
        image, contrast = with_contrast(image)
    ink = np.asarray(cv2.threshold(image, 127, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)
    image, streaks = without_streaks(image, ink)
    lost, specks, dithered = 0, 0.0, 0.0
    if bilevel:  # grey pages come from scanners, which lose no rows
        image, lost = with_lost_rows(image, ink)
        specks, dithered = texture(ink, dpi_x, dpi_y)
    return Repaired(image, inverted, contrast, lost, streaks, border, bilevel, specks, dithered)


def texture(ink: Mask, dpi_x: float, dpi_y: float) -> tuple[float, float]:
    """Lone dots per square inch of paper, and the share of ink that stands in a screen of dots.

    Told from bands across the page, a seventh of it. A dot of a screen has white beside it and ink
    two pixels on; strokes, even those of one pixel, have ink beside them one way or the other.
    """
    height = ink.shape[0]
    band = max(8, height // 64)
    bands = [ink[top : top + band] for top in range(0, height - band + 1, 7 * band)]
    lone = screened = total = area = 0
    for part in bands:
        dots = (part > 0).astype(np.uint8)
        around = cv2.boxFilter(dots, cv2.CV_8U, (3, 3), normalize=False)
        alone = (around == 1) & (dots == 1)
        wide = cv2.boxFilter(dots, cv2.CV_8U, (7, 7), normalize=False)
        lone += int(np.count_nonzero(alone & (wide == 1)))
        beside = np.zeros_like(dots)
        beside[:, 1:-1] = dots[:, :-2] | dots[:, 2:]
        further = np.zeros_like(dots)
        further[:, 2:-2] = dots[:, :-4] | dots[:, 4:]
        screened += int(np.count_nonzero((dots > beside) & (further == 1)))
        total += int(np.count_nonzero(dots))
        area += part.size
    inches = max(0.1, area / (dpi_x * dpi_y))
    return lone / inches, screened / max(1, total)


def is_inverted(image: Image) -> bool:
    """Whether the page is white on black: mostly dark in its middle too, where no border lies."""
    height, width = image.shape
    inner = image[height // 8 : height - height // 8 : 3, width // 8 : width - width // 8 : 3]
    dark = float(np.count_nonzero(inner < 110)) / inner.size
    if dark < _INVERTED_SHARE:
        return False
    # A black rectangle is no page: there must be strokes to read.
    return float(np.count_nonzero(inner > 145)) / inner.size > 0.003


def with_contrast(image: Image) -> tuple[Image, int]:
    """The page with level white paper and full contrast, where it lacks them; and what it had."""
    sample = np.ascontiguousarray(image[::3, ::3])
    counts = np.cumsum(cv2.calcHist([sample], [0], None, [256], [0, 256]).ravel())
    paper = int(np.searchsorted(counts, 0.70 * counts[-1]))
    darkest = int(np.searchsorted(counts, 0.005 * counts[-1]))
    contrast = max(0, paper - darkest)
    small = cv2.resize(sample, (32, 40), interpolation=cv2.INTER_AREA)
    tiles = cv2.dilate(small, np.ones((5, 5), np.uint8))
    low, high = np.percentile(tiles, (5, 95))
    uneven = high - low > _UNEVEN_PAPER and low > darkest + 40
    if contrast < 24 or (contrast >= _FAINT_CONTRAST and not uneven):
        return image, contrast  # blank, or good as it is
    if uneven:
        height, width = image.shape
        level = cv2.GaussianBlur(tiles, (0, 0), 2)
        level = cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR)
        image = np.asarray(cv2.divide(image, level, scale=235), np.uint8)
        paper = 235
        darkest = int(np.percentile(image[::3, ::3], 0.5))
    scale = 255.0 / max(24, paper - 6 - darkest)
    stretched = cv2.convertScaleAbs(
        cv2.subtract(image, np.full_like(image, darkest)), alpha=scale, beta=0
    )
    return np.asarray(stretched, np.uint8), contrast


def without_border(image: Image, dpi_x: float, dpi_y: float) -> tuple[Image, float]:
    """The page without solid black along its edges and round punch holes; and their share of it."""
    height, width = image.shape
    size = (width // _GRAIN, height // _GRAIN)
    # Whole multiples only: OpenCV averages those six times as fast.
    whole_grains = image[: size[1] * _GRAIN, : size[0] * _GRAIN]
    small = cv2.resize(whole_grains, size, interpolation=cv2.INTER_AREA)
    _, dark = cv2.threshold(small, 70, 255, cv2.THRESH_BINARY_INV)
    if not dark.any():
        return image, 0.0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
    gone = np.zeros_like(dark)
    for place in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[place])
        edges = (x == 0) + (y == 0) + (x + w >= size[0]) + (y + h >= size[1])
        long = w >= size[0] * 0.3 or h >= size[1] * 0.3
        if (edges and long and _is_rim(labels == place)) or _is_hole(
            (x, y, w, h), area, size, (dpi_x / _GRAIN, dpi_y / _GRAIN)
        ):
            gone[labels == place] = 255
    if not gone.any():
        return image, 0.0
    share = float(np.count_nonzero(gone)) / gone.size
    gone = np.asarray(cv2.dilate(gone, np.ones((3, 3), np.uint8)), np.uint8)
    whole = cv2.resize(gone, (width, height), interpolation=cv2.INTER_NEAREST)
    clean = image.copy()
    clean[whole > 0] = 255
    rest_y, rest_x = size[1] * _GRAIN, size[0] * _GRAIN  # what the coarse grid cut off
    if rest_y < height and gone[-1].any():
        clean[rest_y:] = 255
    if rest_x < width and gone[:, -1].any():
        clean[:, rest_x:] = 255
    return clean, share


def _is_rim(piece: NDArray[np.bool_]) -> bool:
    """Whether a dark piece at the edge is border: solid from the edge inwards, with no print in it.

    White print on a black title bar leaves holes; a border has none.
    """
    rows, columns = np.nonzero(piece)
    mask = piece[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(mask), contours, -1, [1], cv2.FILLED)
    inside = int(np.count_nonzero(filled)) - int(np.count_nonzero(mask))
    # A frame around the whole page encloses the page: that is the border of a scanner, too.
    around = mask.shape[0] >= 0.9 * piece.shape[0] and mask.shape[1] >= 0.9 * piece.shape[1]
    return around or inside <= (1 - _SOLID) * 0.2 * max(1, int(np.count_nonzero(mask)))


def _is_hole(
    box: tuple[int, int, int, int], area: int, size: tuple[int, int], dpi: tuple[float, float]
) -> bool:
    x, y, w, h = box
    wide, tall = w / dpi[0], h / dpi[1]
    if not (_HOLE_INCHES[0] <= wide <= _HOLE_INCHES[1]):
        return False
    if not (_HOLE_INCHES[0] <= tall <= _HOLE_INCHES[1] and 0.75 <= wide / tall <= 1.33):
        return False
    if not 0.68 <= area / (w * h) <= 0.92:  # a disc fills pi/4 of its box, a letter less
        return False
    near_x = min(x + w / 2, size[0] - x - w / 2) / dpi[0] <= _HOLE_MARGIN_INCHES
    near_y = min(y + h / 2, size[1] - y - h / 2) / dpi[1] <= _HOLE_MARGIN_INCHES
    return near_x or near_y


def without_streaks(image: Image, ink: Mask) -> tuple[Image, int]:
    """The page without thin dark lines that run down to an edge of the raster; and their number.

    A printed rule ends before the edge of the paper and leans as the page does; dirt on the glass
    marks the very same columns down to where the sheet ends. Print that crosses a streak stays.
    """
    width = ink.shape[1]
    covered = cv2.reduce(ink, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() / 255
    candidates = np.flatnonzero(covered >= _STREAK_LENGTH)
    if candidates.size == 0 or candidates.size > 64:
        return image, 0
    mended, found = image, 0
    for group in np.split(candidates, np.flatnonzero(np.diff(candidates) > 1) + 1):
        x0, x1 = int(group[0]), int(group[-1]) + 1
        if x1 - x0 > _STREAK_WIDTH or x0 < 2 or x1 > width - 2:
            continue
        core = ink[:, x0:x1].max(axis=1) > 0
        run = _edge_run(core)
        if run is None:
            continue
        left, right = ink[:, x0 - 1] > 0, ink[:, x1] > 0
        beside = float(np.mean((left & right)[run]))
        if beside > 0.5:  # the flank of something wide
            continue
        if mended is image:
            mended = image.copy()
        # What is ink on both sides goes on across the streak; one grey rim is cleaned along.
        rows = slice(run.start, run.stop)
        a, b = max(0, x0 - 1), min(width, x1 + 1)
        outer = np.maximum(image[rows, a - 1], image[rows, b])
        mended[rows, x0:x1] = outer[:, None]
        for rim, far in ((a, a - 1), (b - 1, b)):
            half = float(np.mean(ink[rows, rim] > 0)) > _STREAK_LENGTH
            if half:
                mended[rows, rim] = image[rows, far]
        found += 1
    return mended, found


def _edge_run(core: NDArray[np.bool_]) -> slice | None:
    """The rows of a streak: from an edge of the raster on, nearly without a gap."""
    height = core.size
    need = int(_STREAK_LENGTH * height)
    for backwards in (False, True):
        line = core[::-1] if backwards else core
        gaps = np.cumsum(~line)
        # The longest run from the edge of which at least 97 % is dark.
        share = gaps <= 2 + 0.03 * np.arange(1, height + 1)
        length = int(np.flatnonzero(share)[-1]) + 1 if share.any() else 0
        if length >= need and line[: max(8, height // 100)].mean() > 0.8:
            return slice(height - length, height) if backwards else slice(0, length)
    return None


def with_lost_rows(image: Image, ink: Mask) -> tuple[Image, int]:
    """The page with rows put back that the line lost: white where print crosses; and their number.

    Where both neighbours have ink there was ink; where they differ it is grey, as a dot cut in
    half is. A row between two lines of print is no loss: nothing crosses it.
    """
    height, _ = ink.shape
    counts = np.count_nonzero(ink, axis=1)
    above, here, below = counts[:-2], counts[1:-1], counts[2:]
    least = np.minimum(above, below)
    suspects = np.flatnonzero((least >= _WORTH_MENDING) & (here <= _LOST_SHARE * least)) + 1
    if suspects.size == 0 or suspects.size > 0.05 * height:  # a screen of dots is a pattern
        return image, 0
    mended, found = image, 0
    for row in suspects.tolist():
        both = int(np.count_nonzero(ink[row - 1] & ink[row + 1]))
        if both < _CROSSING * int(least[row - 1]):
            continue
        if mended is image:
            mended = image.copy()
        mended[row] = np.minimum(
            image[row],
            (image[row - 1].astype(np.uint16) + image[row + 1].astype(np.uint16)) // 2,
        )
        found += 1
    return mended, found

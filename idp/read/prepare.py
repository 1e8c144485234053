# SPDX-License-Identifier: Apache-2.0
"""Makes a page ready to be read: mended, square pixels, one resolution, straight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from idp.document import RawPage
from idp.read.repair import Repaired, repair

Image = NDArray[np.uint8]
"""A grey page or crop, 0 is ink."""

DPI = 200.0
"""Resolution that every page is brought to, about that of a fine fax (204 dpi)."""

_KEEP = (150.0, 250.0)  # pages in this range keep their own pixels: resampling costs sharpness
_LARGEST_SIDE = 5000  # a plan of a metre would else cost minutes
_SMALLEST_SIDE = 32
_STRETCH = 3.0
_STEEPEST = 12.0  # degrees; a page lying more askew than this is no page from a feeder
_SKEW_SAMPLE_PX = 600
_SKEW_POINTS = 40_000


_FAX_WIDTHS = {1728: 204.0, 2048: 204.0, 2432: 204.0, 3456: 408.0}
"""Dots per line of fax machines (ITU-T T.4) and their resolution across."""

_FAX_DPI_DOWN = (98.0, 196.0, 391.0)
_PAGE_INCHES = (8.0, 14.6)
"""Heights of pages that leave no doubt about the resolution; a shorter one may be a slip."""

_LETTER_ASPECT = 0.75
"""Usual width to height of the pieces of Latin print, letters and joined letters."""

_LETTERS = 40


@dataclass(frozen=True)
class Squared:
    """A page with square pixels and its resolution."""

    image: Image
    dpi: float
    enlarged: bool


@dataclass(frozen=True)
class Prepared:
    """A page ready for the eyes.

    Attributes:
        image: Grey, square pixels, 0 is ink.
        dpi: Its resolution.
        came_at: The resolution it came in, across and down.
        raster: What was found and mended.
        as_it_came: Its pixels are those of the raster, untouched.
    """

    image: Image
    dpi: float
    came_at: tuple[float, float]
    raster: Repaired
    as_it_came: bool


def prepare(image: Image, raw: RawPage, blur: float, *, mend: bool = True) -> Prepared:
    """The page mended, with square pixels, at one resolution.

    Args:
        image: The raster as unpacked.
        raw: What is known of it.
        blur: Standard deviation of the blur of 1-bit pages, in pixels.
        mend: Look for the flaws that machines leave; not needed for pages that were drawn.
    """
    padded = pad(image)
    dpi = true_dpi(padded, raw.dpi_x, raw.dpi_y) if raw.bilevel else (raw.dpi_x, raw.dpi_y)
    raster = (
        repair(padded, *dpi, bilevel=raw.bilevel) if mend else Repaired(padded, bilevel=raw.bilevel)
    )
    squared = square(raster.image, *dpi, bilevel=raw.bilevel, blur=blur)
    ready = pad(squared.image)
    return Prepared(ready, squared.dpi, dpi, raster, as_it_came=ready is image)


def true_dpi(image: Image, dpi_x: float, dpi_y: float) -> tuple[float, float]:
    """The resolution of a fax, corrected where its tags contradict the page.

    Fax software writes 204 x 196 into files of every density. Only a page of a fax machine's width
    whose height makes no usual sheet is doubted; then the shape of its letters decides.
    """
    height, width = image.shape
    if width not in _FAX_WIDTHS:
        if height not in _FAX_WIDTHS:
            return dpi_x, dpi_y
        across, down = true_dpi(np.ascontiguousarray(image.T), dpi_y, dpi_x)
        return down, across
    fine = _FAX_WIDTHS[width]
    if _PAGE_INCHES[0] <= height / dpi_y <= _PAGE_INCHES[1]:
        return dpi_x, dpi_y
    aspect = _letter_aspect(image)
    if aspect is None:
        return dpi_x, dpi_y
    density = fine / 204.0
    shapes = {
        down * density: abs(math.log2(aspect * down / 204.0 / _LETTER_ASPECT))
        for down in _FAX_DPI_DOWN
    }
    best = min(shapes, key=lambda down: shapes[down])
    tagged = min(shapes, key=lambda down: abs(math.log2(down / dpi_y)))
    # The tag is believed unless the letters speak clearly against it.
    return (fine, best) if shapes[best] + 0.25 < shapes[tagged] else (dpi_x, dpi_y)


def _letter_aspect(image: Image) -> float | None:
    """Median width to height of what could be letters, in pixels as they are; ``None`` if few."""
    ink = np.asarray(image < 128, np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    pieces = stats[1:count]
    wide, tall = pieces[:, cv2.CC_STAT_WIDTH], pieces[:, cv2.CC_STAT_HEIGHT]
    letters = pieces[(wide >= 7) & (wide <= 60) & (tall >= 5) & (tall <= 120)]
    if len(letters) < _LETTERS:
        return None
    return float(np.median(letters[:, cv2.CC_STAT_WIDTH] / letters[:, cv2.CC_STAT_HEIGHT]))


def square(image: Image, dpi_x: float, dpi_y: float, *, bilevel: bool, blur: float) -> Squared:
    """The page with square pixels at about :data:`DPI`.

    A standard fax (204 x 98 dpi) is stretched, a superfine one (204 x 391) shrunk. Pages between
    150 and 250 dpi keep their pixels. 1-bit pages that were not shrunk are blurred a little, which
    closes the gaps that dithering and thresholds tear into strokes.
    """
    height, width = image.shape
    goal_x = goal_y = DPI
    if _KEEP[0] <= dpi_x <= _KEEP[1]:  # the width of a fax has the resolution worth keeping
        goal_x = goal_y = dpi_x
    elif _KEEP[0] <= dpi_y <= _KEEP[1]:
        goal_x = goal_y = dpi_y
    scale_x, scale_y = goal_x / dpi_x, goal_y / dpi_y
    stretch = max(scale_x, scale_y) / _STRETCH
    if stretch > 1:  # so coarse a page gains nothing from more pixels
        scale_x, scale_y, goal_x = scale_x / stretch, scale_y / stretch, goal_x / stretch
    shrink = _LARGEST_SIDE / max(width * scale_x, height * scale_y)
    if shrink < 1:
        scale_x, scale_y, goal_x = scale_x * shrink, scale_y * shrink, goal_x * shrink
    new = (max(1, round(width * scale_x)), max(1, round(height * scale_y)))
    shrunk = scale_x < 0.75 or scale_y < 0.75
    if new != (width, height):
        way = cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, new, interpolation=way), np.uint8)
    if bilevel and not shrunk and blur > 0:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.uint8)
    return Squared(image, goal_x, enlarged=max(scale_x, scale_y) > 1.5)


def pad(image: Image) -> Image:
    """The page with a white border if it is too small for any model to look at."""
    height, width = image.shape
    if min(height, width) >= _SMALLEST_SIDE:
        return image
    right, below = max(0, _SMALLEST_SIDE - width), max(0, _SMALLEST_SIDE - height)
    padded = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT, value=[255])
    return np.asarray(padded, np.uint8)


def turn(image: Image, degrees: int) -> Image:
    """The page turned counter-clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, k=(degrees // 90) % 4))


def ink_threshold(image: Image) -> int:
    """Grey level below which a pixel counts as ink, from the page's own histogram."""
    sample = image[::3, ::3]
    level, _ = cv2.threshold(np.ascontiguousarray(sample), 0, 255, cv2.THRESH_OTSU)
    # On an almost blank page Otsu cuts through the paper's own noise.
    return int(min(max(level, 90), 190))


def skew(image: Image, threshold: int) -> float:
    """Degrees by which the lines of print fall (clockwise positive); 0 where there is no telling.

    The angle at which ink piles up in the fewest rows: the sum of squares of the row profile, over
    the ink points of a small copy, first coarse, then fine.
    """
    scale = min(1.0, _SKEW_SAMPLE_PX / max(image.shape[1], 1))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ys, xs = np.nonzero(small < min(threshold + 30, 220))
    if len(xs) < 50:
        return 0.0
    if len(xs) > _SKEW_POINTS:
        keep = np.random.default_rng(0).choice(len(xs), _SKEW_POINTS, replace=False)
        xs, ys = xs[keep], ys[keep]
    x = xs.astype(np.float32) - small.shape[1] / 2
    y = ys.astype(np.float32)
    reach = math.ceil(small.shape[1] / 2 * math.tan(math.radians(_STEEPEST + 1))) + 2
    length = small.shape[0] + 2 * reach

    def sharpness(degrees: float) -> float:
        rows = (y - x * math.tan(math.radians(degrees)) + reach + 0.5).astype(np.int32)
        profile = np.bincount(np.clip(rows, 0, length - 1), minlength=length).astype(np.float64)
        return float(np.square(profile).sum())

    best, step = 0.0, 1.0
    candidates = np.arange(-_STEEPEST, _STEEPEST + step / 2, step)
    level = sharpness(0.0)
    flat = level
    while step >= 0.05:
        for degrees in candidates:
            value = sharpness(float(degrees))
            if value > level:
                best, level = float(degrees), value
        step /= 4
        candidates = best + step * np.arange(-4, 5)
    if level < flat * 1.02:  # no clear gain: leave the page as it is
        return 0.0
    return round(best, 3)


def straighten(image: Image, degrees: float) -> Image:
    """The page turned so that lines falling by ``degrees`` lie level; its size stays."""
    if abs(degrees) < 0.06:
        return image
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(
        image,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=[255],
    )
    return np.asarray(turned, np.uint8)


def has_ink(image: Image, threshold: int) -> bool:
    """Whether there is anything on the page worth a model's time: some ink, and some paper."""
    dark = int(np.count_nonzero(image < threshold))
    return dark >= 12 and image.size - dark >= 0.01 * image.size

# SPDX-License-Identifier: Apache-2.0
"""Ink that is no print: signatures and other strokes of a pen that no word covers."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from idp.document import INK, Block, Word
from idp.read.pixels import Mask
from idp.read.words import relative

_SHRINK = 4
_JOIN_INCHES = 0.09
_WIDTH_INCHES = (0.3, 4.5)
_HEIGHT_INCHES = (0.07, 1.0)
_DENSITY = (0.02, 0.55)
_MOST = 40
_SPECK_INCHES = 0.07
_EDGE = 0.02
_SOLID = 4  # pixels of the shrunk page, 0.08 inches at 200 dpi


def find_ink(text_ink: Mask, words: Sequence[Word], dpi: float) -> tuple[Block, ...]:
    """Pieces of handwriting's size and thinness that stand outside of all words.

    Args:
        text_ink: The page's print without its ruling lines (255 is print).
        words: What was read; their boxes are left out.
        dpi: Of the mask.
    """
    height, width = text_ink.shape
    small = cv2.resize(
        text_ink,
        (max(1, width // _SHRINK), max(1, height // _SHRINK)),
        interpolation=cv2.INTER_AREA,
    )
    _, mask = cv2.threshold(small, 24, 255, cv2.THRESH_BINARY)
    rows, columns = mask.shape
    for word in words:
        box = word.box
        mask[
            int(box.y0 * rows) : int(box.y1 * rows) + 2,
            max(0, int(box.x0 * columns) - 1) : int(box.x1 * columns) + 2,
        ] = 0
    solid = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((_SOLID, _SOLID), np.uint8))
    if solid.any():  # bars and pictures: a pen's stroke is never so thick
        mask[cv2.dilate(solid, np.ones((_SOLID, _SOLID), np.uint8)) > 0] = 0
    reach = max(1, round(_JOIN_INCHES * dpi / _SHRINK))
    joined = cv2.morphologyEx(
        mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, reach + 1))
    )
    count, _, stats, _ = cv2.connectedComponentsWithStats(np.asarray(joined, np.uint8))
    inch = dpi / _SHRINK
    found: list[Block] = []
    for x, y, w, h, _area in stats[1:count]:
        if not (_WIDTH_INCHES[0] <= w / inch <= _WIDTH_INCHES[1]):
            continue
        if not (_HEIGHT_INCHES[0] <= h / inch <= _HEIGHT_INCHES[1]) or w < h:
            continue
        density = cv2.countNonZero(np.asarray(mask[y : y + h, x : x + w], np.uint8)) / (w * h)
        if _DENSITY[0] <= density <= _DENSITY[1]:
            found.append(Block(kind=INK, box=relative(x, y, x + w, y + h, columns, rows)))
    # A page with so many is a picture, not a form that somebody signed.
    return tuple(found) if len(found) <= _MOST else ()


def ink_share(ink: Mask, dpi: float) -> float:
    """How much of the page is under ink, 0..1, without specks and what touches the edges.

    A white page as a fax brings it has hundreds of specks, a scanned one black borders and the
    shadows of staples; none of them is a reason to keep it.

    Args:
        ink: All that is darker than the page's threshold (255 is ink).
        dpi: Of the mask.
    """
    height, width = ink.shape
    size = max(1, width // _SHRINK), max(1, height // _SHRINK)
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    _, mask = cv2.threshold(small, 24, 255, cv2.THRESH_BINARY)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8))
    rows, columns = mask.shape
    speck = _SPECK_INCHES * dpi / _SHRINK
    edge = max(1, round(_EDGE * min(rows, columns)))
    x, y, w, h = stats[:, :4].T
    inside = (x >= edge) & (y >= edge) & (x + w <= columns - edge) & (y + h <= rows - edge)
    kept = inside & (np.maximum(w, h) > speck)
    kept[0] = False  # the paper
    return round(float((small * kept[labels]).sum()) / 255 / small.size, 6)

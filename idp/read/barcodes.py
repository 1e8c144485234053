# SPDX-License-Identifier: Apache-2.0
"""Barcodes of a page: Code 39, Code 128, QR, PDF417 and Data Matrix, by zxing-cpp.

The whole page is searched once at its own resolution, upright. Places that look as dense as a
barcode and gave nothing are tried again, enlarged and in every direction: so coarse faxes are read
at a cost that pages without barcodes don't pay. Other symbologies are left out on purpose: those
without check digits are found in rows of plain letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from idp.read.ocr import Image, Line
from idp.read.pixels import Rectangle, pieces

LONGEST = 2_000
"""Characters of a payload that are kept; a payload is foreign text like any other on the page."""

_MOST = 32
_SHORTEST = 3  # Code 39 has no check digit: shorter ones are found in ruling lines
_SHRINK = 4
_ENLARGE = 2.0
_MOST_PLACES = 4

# Inches.
_SMALLEST = 0.17  # taller than print, its lines apart
_LARGEST = 5.0
_GAP = 0.03
_MARGIN = 0.22

_FULL = 0.7
_GREY = (0.2, 0.85)
"""Mean brightness of bars and modules: below is a black bar, above is shading."""


@dataclass(frozen=True)
class Code:
    """A barcode in pixels; ``complete`` is false where its text had to be cut or cleaned."""

    text: str
    symbology: str
    x0: float
    y0: float
    x1: float
    y1: float
    complete: bool = True

    @property
    def rectangle(self) -> Rectangle:
        return self.x0, self.y0, self.x1, self.y1

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies inside."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


def find_barcodes(page: Image, threshold: int, dpi: float) -> list[Code]:
    """The barcodes of an upright page, at most 32, top to bottom.

    Args:
        page: Grey, square pixels.
        threshold: Grey level below which a pixel is ink.
        dpi: Of the page.
    """
    found = [_grown(code, page, threshold) for code in _decoded(page)]
    for x0, y0, x1, y1 in _dense(page, found, threshold, dpi):
        crop = cv2.resize(
            page[y0:y1, x0:x1], None, fx=_ENLARGE, fy=_ENLARGE, interpolation=cv2.INTER_CUBIC
        )
        for code in _decoded(np.asarray(crop, np.uint8), thorough=True):
            there = replace(
                code,
                x0=x0 + code.x0 / _ENLARGE,
                y0=y0 + code.y0 / _ENLARGE,
                x1=x0 + code.x1 / _ENLARGE,
                y1=y0 + code.y1 / _ENLARGE,
            )
            middle = (there.x0 + there.x1) / 2, (there.y0 + there.y1) / 2
            if not any(other.contains(*middle) for other in found):
                found.append(_grown(there, page, threshold))
    return sorted(found, key=lambda code: (code.y0, code.x0))[:_MOST]


def whitened(page: Image, codes: Sequence[Code]) -> Image:
    """The page without its barcodes, so that bars are no rules and modules no check boxes."""
    if not codes:
        return page
    page = page.copy()
    for code in codes:
        page[max(0, int(code.y0)) : int(code.y1) + 1, max(0, int(code.x0)) : int(code.x1) + 1] = 255
    return page


def without_bars(lines: Sequence[Line], codes: Sequence[Code]) -> list[Line]:
    """The lines without the letters that were read into barcodes."""
    if not codes:
        return list(lines)

    def covered(x: float, y: float) -> bool:
        return any(code.contains(x, y) for code in codes)

    return [kept for line in lines if (kept := line.without(covered))]


def _decoded(image: Image, *, thorough: bool = False) -> list[Code]:
    import zxingcpp  # noqa: PLC0415 - only reading children need it

    kinds = zxingcpp.BarcodeFormat
    wanted = zxingcpp.BarcodeFormats(
        (kinds.Code39, kinds.Code128, kinds.QRCode, kinds.PDF417, kinds.DataMatrix)
    )
    results: list[Any] = zxingcpp.read_barcodes(
        np.ascontiguousarray(image),
        formats=wanted,
        try_rotate=thorough,
        try_downscale=thorough,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
    found = []
    for result in results[:_MOST]:
        text, complete = _tame(result.text)
        if len(text) < _SHORTEST:
            continue
        place = result.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
        # The name without blanks, as the standards' own short names are written.
        symbology = str(result.format).replace(" ", "")
        found.append(
            Code(text, symbology, min(xs), min(ys), max(xs) + 1, max(ys) + 1, complete=complete)
        )
    return found


def _tame(payload: str) -> tuple[str, bool]:
    """The payload as one line of harmless text, and whether that is all of it."""
    text = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter).startswith("C") else letter
        for letter in payload[:LONGEST]
    )
    return text, text == payload


def _grown(code: Code, page: Image, threshold: int) -> Code:
    """The code from the first to the last row of its bars: the decoder names the rows it read."""
    if code.symbology not in {"Code39", "Code128"} or code.y1 - code.y0 > code.x1 - code.x0:
        return code
    left, right = max(0, int(code.x0)), int(code.x1) + 1
    y = min(page.shape[0] - 1, max(0, round((code.y0 + code.y1) / 2)))
    bars = page[y, left:right] < threshold
    same = np.mean((page[:, left:right] < threshold) == bars, axis=1) > 0.8
    top, bottom = y, y
    while top > 0 and same[max(0, top - 3) : top].any():
        top -= 1
    while bottom + 1 < len(same) and same[bottom + 1 : bottom + 4].any():
        bottom += 1
    return replace(code, y0=min(code.y0, top), y1=max(code.y1, bottom + 1))


def _dense(
    page: Image, found: Sequence[Code], threshold: int, dpi: float
) -> list[tuple[int, int, int, int]]:
    """Boxes in pixels around patches neither white nor black, taller than print, largest first."""
    height, width = page.shape
    size = max(1, width // _SHRINK), max(1, height // _SHRINK)
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    for code in found:
        x0, y0, x1, y1 = (max(0, round(v / _SHRINK)) for v in code.rectangle)
        small[y0:y1, x0:x1] = 255
    inch = dpi / _SHRINK
    _, ink = cv2.threshold(small, (threshold + 255) // 2, 255, cv2.THRESH_BINARY_INV)
    reach = max(1, round(_GAP * inch))
    ink = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((2, 2 * reach + 1), np.uint8))
    ink = cv2.morphologyEx(
        ink, cv2.MORPH_OPEN, np.ones((round(_SMALLEST * inch), round(_SMALLEST * inch)), np.uint8)
    )
    places = []
    for x, y, w, h, area in pieces(np.asarray(ink, np.uint8)).tolist():
        if max(w, h) > _LARGEST * inch or area < _FULL * w * h:
            continue
        if not _GREY[0] <= float(small[y : y + h, x : x + w].mean()) / 255 <= _GREY[1]:
            continue
        margin = round(_MARGIN * inch)
        places.append(
            (
                max(0, (x - margin) * _SHRINK),
                max(0, (y - margin) * _SHRINK),
                min(width, (x + w + margin) * _SHRINK),
                min(height, (y + h + margin) * _SHRINK),
            )
        )
    places.sort(key=lambda p: (p[0] - p[2]) * (p[3] - p[1]))
    return places[:_MOST_PLACES]

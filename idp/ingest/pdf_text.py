# SPDX-License-Identifier: Apache-2.0
"""The text layer of a PDF page as it claims to be: characters with places, and words.

Nothing here is believed: whether a character is seen where the layer says, and whether what is
seen is that character, is for the reader to find out from the pixels (:mod:`idp.read.text_layer`,
:mod:`idp.read.born_digital`).
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from idp.document import Box, Glyphs, Word

_MOST_CHARACTERS = 50_000
_PLACES = 100_000  # device units that a page is projected on for exact character boxes
_NO_PLACE = frozenset("\x00\x02\ufffe")


def text_layer(document: Any, index: int, page: Any) -> tuple[tuple[Word, ...], Glyphs | None]:
    """The words and the characters of a page, form values and annotations among them.

    Widgets and annotations are no page content: the page is flattened in memory to get at their
    text. ``page`` must have been drawn before, since flattening alters it; the file stays as it is.

    Args:
        document: The open ``pypdfium2.PdfDocument``.
        index: Of the page, from 0.
        page: The page itself.
    """
    if pdfium_c.FPDFPage_GetAnnotCount(page.raw) > 0:
        done = pdfium_c.FPDFPage_Flatten(page.raw, pdfium_c.FLAT_NORMALDISPLAY)
        if done == pdfium_c.FLATTEN_SUCCESS:
            flat = document[index]
            try:
                return _of_page(flat)
            finally:
                flat.close()
    return _of_page(page)


def _of_page(page: Any) -> tuple[tuple[Word, ...], Glyphs | None]:
    try:
        text_page = page.get_textpage()
    except pdfium.PdfiumError:
        return (), None
    try:
        count = min(text_page.count_chars(), _MOST_CHARACTERS)
        if count <= 0:
            return (), None
        text = _characters(text_page, count)
        raw = text_page.raw
        box_of, origin_of = pdfium_c.FPDFText_GetCharBox, pdfium_c.FPDFText_GetCharOrigin
        left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
        rows = []
        for i in range(count):
            if box_of(raw, i, left, right, bottom, top) and origin_of(raw, i, x, y):
                rows.append((left.value, bottom.value, right.value, top.value, x.value, y.value))
            else:
                rows.append((0.0,) * 6)
        places = np.array(rows, np.float64)
    finally:
        text_page.close()
    places = _projected(page, places)
    glyphs = Glyphs(text=text, places=places.astype("<f4").tobytes())
    return _words(text, places), glyphs


def _characters(text_page: Any, count: int) -> str:
    """One character per place; blanks and what has no place become spaces."""
    text = text_page.get_text_range(0, count)
    if len(text) != count:  # characters beyond the first 65,536, or ones without Unicode
        raw = text_page.raw
        codes = (pdfium_c.FPDFText_GetUnicode(raw, i) for i in range(count))
        text = "".join(
            chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
            for code in codes
        )
    return "".join(" " if c.isspace() or c in _NO_PLACE else c for c in text)


def _projected(page: Any, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the page's own points to page-relative places, its rotation and crop included."""
    at = [_device(page, *point) for point in ((0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0))]
    origin = np.array(at[0])
    turn = np.array([at[1], at[2]]) - origin
    turn /= 1000.0
    first = places[:, 0:2] @ turn + origin
    second = places[:, 2:4] @ turn + origin
    return np.hstack(
        [np.minimum(first, second), np.maximum(first, second), places[:, 4:6] @ turn + origin]
    )


def _device(page: Any, x: float, y: float) -> tuple[float, float]:
    device_x, device_y = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDF_PageToDevice(page.raw, 0, 0, _PLACES, _PLACES, 0, x, y, device_x, device_y)
    return device_x.value / _PLACES, device_y.value / _PLACES


def _words(text: str, places: NDArray[np.float64]) -> tuple[Word, ...]:
    """Characters joined to words at white space, new lines and wide gaps."""
    words: list[Word] = []
    line = 0
    run = ""
    x0 = y0 = x1 = y1 = 0.0

    def close() -> None:
        nonlocal run
        if run:
            box = Box(x0, y0, x1, y1)
            words.append(Word(id=len(words), text=run, confidence=1.0, box=box, line=line))
        run = ""

    before: tuple[float, ...] | None = None
    for character, place in zip(text, places[:, :4].tolist(), strict=True):
        if character == " ":
            close()
            continue
        a, b, c, d = place
        if before is not None and not _follows(before, place):
            close()
            lower = min(before[3] - before[1], d - b)
            if min(before[3], d) - max(before[1], b) < 0.2 * lower:
                line += 1
        if run:
            run += character
            x0, y0, x1, y1 = min(x0, a), min(y0, b), max(x1, c), max(y1, d)
        else:
            run, x0, y0, x1, y1 = character, a, b, c, d
        before = (a, b, c, d)
    close()
    return tuple(words)


def _follows(before: tuple[float, ...], after: list[float]) -> bool:
    """Whether two characters stand next to one another, in a line or in a sideways one."""
    heights = before[3] - before[1], after[3] - after[1]
    shared = min(before[3], after[3]) - max(before[1], after[1])
    if shared >= 0.2 * min(heights):
        height = max(heights)
        return -0.8 * height < after[0] - before[2] < 0.6 * height
    widths = before[2] - before[0], after[2] - after[0]
    across = min(before[2], after[2]) - max(before[0], after[0])
    return across >= 0.5 * min(widths) and -shared < 0.6 * max(widths)

# SPDX-License-Identifier: Apache-2.0
"""Barcodes drawn here, faxed, and read again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp

from idp.read.barcodes import LONGEST, _tame, find_barcodes, whitened, without_bars
from idp.read.ocr import Image, Letter, Line, Region
from idp.read.page import Upright, compose
from idp.read.prepare import square

DPI = 200.0
KINDS = zxingcpp.BarcodeFormat
LINEAR = (KINDS.Code39, KINDS.Code128)


def page_with(
    kind: zxingcpp.BarcodeFormat, text: str, module: int = 3, at: tuple[int, int] = (300, 400)
) -> Image:
    """A page with one barcode whose narrowest bar is ``module`` pixels wide."""
    code = np.asarray(zxingcpp.create_barcode(text, kind).to_image(scale=module))
    if kind in LINEAR:
        code = cv2.resize(code, (code.shape[1], 100), interpolation=cv2.INTER_NEAREST)
    page = np.full((1400, 1400), 255, np.uint8)
    page[at[1] : at[1] + code.shape[0], at[0] : at[0] + code.shape[1]] = code
    for y in (900, 960):
        cv2.putText(page, "Patient Name: Testcase, Ada", (200, y), 0, 1.0, [0], 2)
    return page


def faxed(page: Image, dpi_y: int) -> Image:
    """The page as a thresholded 1-bit fax, brought back to square pixels as the reader does."""
    size = (round(page.shape[1] * 1.02), round(page.shape[0] * dpi_y / DPI))
    grey = cv2.resize(page, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    noisy = grey + np.random.default_rng(5).normal(0, 15, grey.shape)
    return square(
        np.where(noisy > 150, 255, 0).astype(np.uint8), 204, dpi_y, bilevel=True, blur=0.9
    ).image


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        (KINDS.Code39, "PATCHT", "Code39"),
        (KINDS.Code128, "PA-20261122-0042", "Code128"),
        (KINDS.QRCode, "https://example.org/f?id=123456789", "QRCode"),
        (KINDS.PDF417, "MEMBER 123456789", "PDF417"),
        (KINDS.DataMatrix, "IDP|7788991", "DataMatrix"),
    ],
)
@pytest.mark.parametrize("dpi_y", [200, 196, 98])
def test_each_symbology_is_read_from_scans_and_faxes(
    kind: zxingcpp.BarcodeFormat, text: str, name: str, dpi_y: int
) -> None:
    page = page_with(kind, text, module=4)
    codes = find_barcodes(page if dpi_y == 200 else faxed(page, dpi_y), 128, DPI)
    assert [(code.text, code.symbology, code.complete) for code in codes] == [(text, name, True)]


def test_the_box_of_a_bar_code_covers_its_bars_from_top_to_bottom() -> None:
    page = page_with(KINDS.Code128, "PA-20261122-0042")
    (code,) = find_barcodes(page, 128, DPI)
    assert (code.y0, code.y1) == pytest.approx((400, 500), abs=4)
    clean = whitened(page, [code])
    assert clean[390:510].min() == 255
    assert clean[880:970].min() == 0
    assert page[390:510].min() == 0


def test_a_sideways_bar_code_is_found() -> None:
    page = page_with(KINDS.Code39, "REF12345")
    codes = find_barcodes(np.ascontiguousarray(np.rot90(page)), 128, DPI)
    assert [code.text for code in codes] == ["REF12345"]


def test_print_and_tables_are_no_barcodes() -> None:
    page = np.full((1400, 1400), 255, np.uint8)
    for x in range(200, 1200, 9):
        cv2.line(page, (x, 300), (x, 330), [0], 2)
    for y in range(500, 900, 30):
        cv2.putText(page, "*A* ||| 111 *B* |I|I|", (200, y), 0, 0.8, [0], 2)
        cv2.line(page, (190, y + 8), (800, y + 8), [0], 2)
    assert find_barcodes(page, 128, DPI) == []


def test_a_payload_is_kept_short_and_without_control_characters() -> None:
    hostile = "A\x1b[31m\r\nB\u202eC\x00"
    text, complete = _tame(hostile)
    assert text == "A\ufffd[31m\ufffd\ufffdB\ufffdC\ufffd"
    assert not complete
    assert _tame("x" * (LONGEST + 1)) == ("x" * LONGEST, False)
    assert _tame("R\u00e9f \u2116 7") == ("R\u00e9f \u2116 7", True)
    (code,) = find_barcodes(page_with(KINDS.QRCode, "A\x1b[31mB", module=5), 128, DPI)
    assert (code.text, code.complete) == ("A\ufffd[31mB", False)


def line_of(text: str, x0: float, y0: float, x1: float, y1: float) -> Line:
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    letters = tuple(Letter(c, 0.9, (i + 0.5) / len(text)) for i, c in enumerate(text))
    return Line(Region(corners, 0.9), letters)


def test_what_is_read_into_bars_is_dropped_and_the_print_below_stays() -> None:
    page = page_with(KINDS.Code128, "PA-20261122-0042")
    (code,) = find_barcodes(page, 128, DPI)
    invented = line_of("IIIIII", code.x0 + 5, 420, code.x1 - 5, 470)
    below = line_of("PA-20261122-0042", code.x0, 508, code.x1, 534)
    assert without_bars([invented, below], [code]) == [below]


def test_a_page_shows_its_barcodes_and_takes_no_bar_for_a_rule_or_a_box() -> None:
    page = page_with(KINDS.QRCode, "https://example.org/f", module=6)
    read = compose(1, Upright(page, 0, 0.0, []), [], 128, DPI)
    assert [code.text for code in read.barcodes] == ["https://example.org/f"]
    assert (read.marks, read.rules, read.cells) == ((), (), ())
    assert read.barcodes[0].box.contains(0.28, 0.36)

# SPDX-License-Identifier: Apache-2.0
"""Separator sheets printed, faxed, read and split: the whole way of `idp separators`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest

from idp.classify import split
from idp.read.ocr import Image
from idp.read.page import compose
from idp.read.prepare import ink_threshold, square
from idp.read.upright import Upright
from idp.samples import separator_sheets
from idp.schemas import load_schemas
from tests.unit.pages import page

pytestmark = pytest.mark.component

DPI = 200.0


def drawn(target: Path) -> list[Image]:
    """The sheets as a 200 dpi scanner sees them."""
    with pdfium.PdfDocument(target) as opened:
        shown = [sheet.render(scale=DPI / 72, grayscale=True).to_numpy() for sheet in opened]
        return [np.array(image, np.uint8).reshape(image.shape[:2]) for image in shown]


def faxed(sheet: Image, dpi_y: int) -> Image:
    """The sheet as a 1-bit fax of 204 x ``dpi_y``, brought back to square pixels."""
    import cv2  # noqa: PLC0415

    size = (round(sheet.shape[1] * 1.02), round(sheet.shape[0] * dpi_y / DPI))
    grey = cv2.resize(sheet, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    noisy = grey + np.random.default_rng(3).normal(0, 20, grey.shape)
    one_bit = np.where(noisy > 150, 255, 0).astype(np.uint8)
    return square(one_bit, 204, dpi_y, bilevel=True, blur=0.9).image


@pytest.mark.parametrize("a4", [False, True], ids=["letter", "a4"])
@pytest.mark.parametrize("dpi_y", [200, 196, 98])
def test_a_printed_sheet_parts_two_documents_by_its_barcode_alone(
    tmp_path: Path, dpi_y: int, a4: bool
) -> None:
    separator_sheets(tmp_path / "sheets.pdf", a4=a4)
    for sheet in drawn(tmp_path / "sheets.pdf"):
        image = sheet if dpi_y == 200 else faxed(sheet, dpi_y)
        read = compose(2, Upright(image, 0, 0.0, []), [], ink_threshold(image), DPI)
        assert read.barcodes
        letter = "Dear Dr. Example,\nthank you for seeing my patient about her knee."
        segments = split([page(letter, 1), read, page(letter, 3)], load_schemas())
        assert [segment.pages for segment in segments] == [(1,), (3,)]
        assert segments[0].set_aside == (2,)
        assert segments[0].cut_confidence == 1.0


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    separator_sheets(tmp_path / "1.pdf")
    separator_sheets(tmp_path / "2.pdf")
    assert (tmp_path / "1.pdf").read_bytes() == (tmp_path / "2.pdf").read_bytes()

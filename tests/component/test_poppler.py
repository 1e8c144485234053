# SPDX-License-Identifier: Apache-2.0
"""Poppler is the second opinion on PDFs that PDFium refuses to open."""

from __future__ import annotations

import shutil
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image

from idp.errors import DamagedFileError, TooLargeError
from idp.ingest.unpack_pdf import open_pdf
from idp.samples import make_samples
from idp.settings import IngestSettings

needs_poppler = pytest.mark.skipif(
    shutil.which("pdftoppm") is None, reason="poppler-utils is not installed"
)


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drawn = make_samples(tmp_path_factory.mktemp("samples"), 7)
    return next(p for p in drawn if p.suffix == ".pdf" and "locked" not in p.name)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise pdfium.PdfiumError("Failed to load document (PDFium: Data format error).")

    monkeypatch.setattr(pdfium, "PdfDocument", refuse)


@needs_poppler
@pytest.mark.usefixtures("refused")
def test_what_pdfium_refuses_poppler_draws_at_the_same_size(letter: Path, tmp_path: Path) -> None:
    pages = open_pdf(letter, tmp_path, IngestSettings()).pages
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    with Image.open(pages[0].path) as image:
        assert image.size == pytest.approx((1700, 2200), abs=2)
        darkest, lightest = image.convert("L").getextrema()
    assert (darkest < 60, lightest) == (True, 255)


@needs_poppler
@pytest.mark.usefixtures("refused")
def test_the_limits_hold_for_poppler_too(letter: Path, tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        open_pdf(letter, tmp_path, IngestSettings(max_pixels=1_000_000))


@pytest.mark.usefixtures("refused")
def test_without_poppler_the_file_is_called_damaged(
    letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    with pytest.raises(DamagedFileError):
        open_pdf(letter, tmp_path, IngestSettings())

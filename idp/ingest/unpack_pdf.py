# SPDX-License-Identifier: Apache-2.0
"""PDF to page images by PDFium, drawn as a person sees them: with form values and annotations.

Files that PDFium refuses go to poppler (through pdf2image) where that is installed.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from idp.document import RawPage
from idp.errors import DamagedFileError, EncryptedFileError, TooLargeError
from idp.ingest.opened import Opened
from idp.ingest.pdf_text import text_layer
from idp.png import write_png
from idp.settings import IngestSettings

_POINTS_PER_INCH = 72.0
_TAIL_BYTES = 2048
_LOWEST_DPI = 100.0
_SCAN_DPI = (150.0, 250.0)
_SCAN_SHARE = 0.8
_MOST_IMAGES = 200


def open_pdf(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """Every page of the file as a PNG in ``workspace``, with the words its text layer claims.

    Raises:
        DamagedFileError: broken or cut off.
        EncryptedFileError: needs a password.
        TooLargeError: more pages or pixels than the limits allow.
    """
    _check_tail(path)
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium_c.FPDF_ERR_PASSWORD:
            raise EncryptedFileError(f"{path.name} needs a password") from error
        return Opened(pages=_by_poppler(path, workspace, limits))
    try:
        count = len(document)
        if count > limits.max_pages:
            raise TooLargeError(f"{count} pages, more than ingest.max_pages {limits.max_pages}")
        if count == 0:
            raise DamagedFileError(f"{path.name} holds no page")
        document.init_forms()
        pages = []
        for index in range(count):
            try:
                page = document[index]
                pages.append(_unpack_page(document, index, page, workspace, limits))
                page.close()
            except pdfium.PdfiumError as error:
                raise DamagedFileError(f"page {index + 1} can't be drawn") from error
        return Opened(pages=tuple(pages))
    finally:
        document.close()


def _check_tail(path: Path) -> None:
    """Refuses a file whose end is missing: PDFium would repair it and lose pages in silence."""
    with path.open("rb") as stream:
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(max(0, size - 64 * 1024))
        tail = stream.read().rstrip(b"\x00\r\n\t ")[-_TAIL_BYTES:]
    if b"%%EOF" not in tail:
        raise DamagedFileError(f"{path.name} ends without an end-of-file mark: it is cut off")


def _unpack_page(
    document: Any, index: int, page: Any, workspace: Path, limits: IngestSettings
) -> RawPage:
    number = index + 1
    width, height = (side / _POINTS_PER_INCH for side in page.get_size())
    if not (width > 0 and height > 0):
        raise DamagedFileError(f"page {number} has no size")
    dpi, bilevel = _resolution(page, width, height, number, limits)
    most = 0.999 * (limits.max_pixels / (width * height)) ** 0.5  # sides are rounded up
    if most < min(_LOWEST_DPI, dpi):
        raise TooLargeError(
            f"page {number} measures {width:.0f} x {height:.0f} inches, "
            f"more than ingest.max_pixels {limits.max_pixels} can show"
        )
    dpi = min(dpi, most)
    bitmap = page.render(
        scale=dpi / _POINTS_PER_INCH, grayscale=True, may_draw_forms=True, draw_annots=True
    )
    image = _grey(bitmap)
    target = workspace / f"raw-{number:04d}.png"
    write_png(target, image)
    words, glyphs = text_layer(document, index, page)
    return RawPage(
        number=number,
        path=str(target),
        dpi_x=image.shape[1] / width,
        dpi_y=image.shape[0] / height,
        bilevel=bilevel,
        text_layer=words,
        glyphs=glyphs,
    )


def _grey(bitmap: Any) -> NDArray[np.uint8]:
    pixels = bitmap.to_numpy()
    if pixels.ndim == 3:
        pixels = (
            pixels[:, :, 0]
            if pixels.shape[2] == 1
            else cv2.cvtColor(np.ascontiguousarray(pixels[:, :, :3]), cv2.COLOR_BGR2GRAY)
        )
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _resolution(
    page: Any, width: float, height: float, number: int, limits: IngestSettings
) -> tuple[float, bool]:
    """The resolution to draw at, and whether the page is a 1-bit scan.

    A page that is one scanned image is drawn at that image's own resolution where that is near
    ours, so that no pixel is resampled across the line.
    """
    dpi, bilevel = float(limits.render_dpi), False
    images = page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=4)
    for count, item in enumerate(images, 1):
        if count > _MOST_IMAGES:
            break
        try:
            across, down = item.get_px_size()
            if across * down > limits.max_pixels:
                raise TooLargeError(
                    f"page {number} holds an image of {across} x {down} pixels, "
                    f"more than ingest.max_pixels {limits.max_pixels}"
                )
            left, bottom, right, top = item.get_bounds()
            shown = (right - left) / _POINTS_PER_INCH, (top - bottom) / _POINTS_PER_INCH
            if shown[0] * shown[1] < _SCAN_SHARE * width * height:
                continue
            bits = item.get_metadata().bits_per_pixel
        except pdfium.PdfiumError:
            continue  # an image that PDFium can't open shows nothing
        own = across / shown[0]
        bilevel = bits == 1 and own <= _SCAN_DPI[1]
        if _SCAN_DPI[0] <= own <= _SCAN_DPI[1] and shown[0] <= width * 1.05:
            dpi = own
    return dpi, bilevel


def _by_poppler(path: Path, workspace: Path, limits: IngestSettings) -> tuple[RawPage, ...]:
    """The pages as poppler draws them, for files that PDFium can't open."""
    if shutil.which("pdftoppm") is None or shutil.which("pdfinfo") is None:
        raise DamagedFileError(f"{path.name} can't be opened as a PDF")
    import pdf2image  # noqa: PLC0415 - only for the rare file
    from pdf2image import exceptions  # noqa: PLC0415

    seconds = max(1, int(limits.unpack_seconds))
    try:
        facts = pdf2image.pdfinfo_from_path(str(path), timeout=seconds)
        count = int(facts.get("Pages", 0))
        if str(facts.get("Encrypted", "no")).startswith("yes"):
            raise EncryptedFileError(f"{path.name} is encrypted")
        if count > limits.max_pages:
            raise TooLargeError(f"{count} pages, more than ingest.max_pages {limits.max_pages}")
        sizes = str(facts.get("Page size", "612 x 792 pts")).split()
        square_inches = float(sizes[0]) * float(sizes[2]) / _POINTS_PER_INCH**2
        if square_inches * limits.render_dpi**2 > limits.max_pixels:
            raise TooLargeError(f"pages larger than ingest.max_pixels {limits.max_pixels}")
        pages = []
        for number in range(1, count + 1):
            images = pdf2image.convert_from_path(
                str(path),
                dpi=limits.render_dpi,
                first_page=number,
                last_page=number,
                grayscale=True,
                timeout=seconds,
            )
            if not images:
                raise DamagedFileError(f"page {number} can't be drawn")
            target = workspace / f"raw-{number:04d}.png"
            images[0].save(target, format="PNG", compress_level=1)
            dpi = float(limits.render_dpi)
            pages.append(RawPage(number=number, path=str(target), dpi_x=dpi, dpi_y=dpi))
    except exceptions.PDFPopplerTimeoutError as error:
        raise DamagedFileError(f"{path.name} keeps poppler busy without end") from error
    except (exceptions.PDFPageCountError, exceptions.PDFSyntaxError, ValueError, OSError) as error:
        raise DamagedFileError(f"{path.name} can't be opened as a PDF") from error
    if not pages:
        raise DamagedFileError(f"{path.name} holds no page")
    return tuple(pages)

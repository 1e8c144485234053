# SPDX-License-Identifier: Apache-2.0
"""PDF to page images by PDFium, drawn as a person sees them: with form values and annotations.

The file's structure is looked through before (:mod:`idp.ingest.pdf_structure`), and a broken one
mended in a copy. Files that PDFium refuses even so go to poppler (through pdf2image) where that is
installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from idp.document import RawPage
from idp.errors import DamagedFileError, PortfolioError, TooLargeError
from idp.ingest.opened import Member, Opened
from idp.ingest.pdf_inside import (
    attached_files,
    draw_as_seen,
    is_notice,
    is_portfolio,
    refuse_dynamic_form,
)
from idp.ingest.pdf_poppler import pages_by_poppler
from idp.ingest.pdf_structure import Structure, check_raw_claims, reading_objects, structure_of
from idp.ingest.pdf_text import text_layer
from idp.png import write_png
from idp.settings import IngestSettings

_POINTS_PER_INCH = 72.0
_LOWEST_DPI = 100.0
_SCAN_DPI = (150.0, 250.0)
_SCAN_SHARE = 0.8
_MOST_IMAGES = 200


def open_pdf(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """Every page of the file as a PNG in ``workspace``, and the files inside it as members.

    Each page comes with the words its text layer claims.

    Raises:
        DamagedFileError: broken or cut off, and not to be mended without loss.
        EncryptedFileError: needs a password that ``limits.passwords_file`` does not name.
        PortfolioError: a portfolio without files, or a form whose content is in no page.
        TooLargeError: more pages, pixels, files or bytes than the limits allow.
    """
    with structure_of(path, limits) as found:
        if found.pages > limits.max_pages:
            raise TooLargeError(
                f"{found.pages} pages, more than ingest.max_pages {limits.max_pages}"
            )
        members: tuple[Member, ...] = ()
        portfolio = False
        if found.pdf is not None:
            with reading_objects("what is inside"):
                refuse_dynamic_form(found.pdf, "")
                portfolio = is_portfolio(found.pdf)
                members = attached_files(found.pdf, workspace, limits)
                found.changed |= draw_as_seen(found.pdf)
            if portfolio and not members:
                raise PortfolioError(f"{path.name} is a portfolio without a file in it")
        pages = _drawn(found, workspace, limits)
        if found.pdf is not None:
            refuse_dynamic_form(found.pdf, _text(pages[0]))
        left_out: tuple[str, ...] = ()
        if portfolio and len(pages) == 1 and is_notice(_text(pages[0])):
            pages, left_out = (), ("page 1: the portfolio's own notice to open it elsewhere",)
        return Opened(pages=pages, members=members, left_out=left_out, flaws=tuple(found.flaws))


def _drawn(found: Structure, workspace: Path, limits: IngestSettings) -> tuple[RawPage, ...]:
    """The pages by PDFium, from a mended copy where that is needed; else by poppler."""
    path, password = found.path, found.password
    if found.changed:
        path, password = found.saved(workspace), ""
    document = _by_pdfium(path, password)
    few = document is None or len(document) < found.pages
    if few and found.pdf is not None and not found.changed:
        # What qpdf understands, it writes so that PDFium understands it too.
        if document is not None:
            document.close()
        found.flaws.append("structure rebuilt")
        path, password = found.saved(workspace), ""
        document = _by_pdfium(path, password)
    if document is None:
        pages = pages_by_poppler(path, workspace, limits)
        found.flaws.append("refused by PDFium, drawn by poppler")
    else:
        try:
            pages = _pages(document, found.path, workspace, limits)
        finally:
            document.close()
    if found.pdf is None:
        check_raw_claims(found.path, len(pages))
        found.flaws.append("its structure is broken; pages as its drawing program found them")
    elif len(pages) < found.pages:
        raise DamagedFileError(f"{found.pages} pages, of which {len(pages)} can be drawn")
    return pages


def _by_pdfium(path: Path, password: str) -> Any:
    """The open document; none where PDFium can make nothing of it."""
    try:
        return pdfium.PdfDocument(path, password=password or None)
    except pdfium.PdfiumError:
        return None


def _pages(
    document: Any, path: Path, workspace: Path, limits: IngestSettings
) -> tuple[RawPage, ...]:
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
    return tuple(pages)


def _text(page: RawPage) -> str:
    return " ".join(word.text for word in page.text_layer)


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

# SPDX-License-Identifier: Apache-2.0
"""The second opinion on PDFs: pages as poppler draws them, for files that PDFium refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

from idp.document import RawPage
from idp.errors import DamagedFileError, EncryptedFileError, TooLargeError
from idp.settings import IngestSettings

POINTS_PER_INCH = 72.0


def pages_by_poppler(path: Path, workspace: Path, limits: IngestSettings) -> tuple[RawPage, ...]:
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
        square_inches = float(sizes[0]) * float(sizes[2]) / POINTS_PER_INCH**2
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

# SPDX-License-Identifier: Apache-2.0
"""The places of a fillable PDF, as PDFium sees them.

PDFium reads and draws the pages already, so that a widget's box and the raster it stands on come
from one program, and no second PDF parser meets foreign files. The functions here are meant for a
child process (:mod:`idp.children`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from idp.document import Box
from idp.errors import DamagedFileError, EncryptedFileError, TooLargeError
from idp.forms.nouns import Widget, WidgetKind

MOST_WIDGETS = 5_000
"""Of one file; the largest real form seen has 953."""
_LONGEST_TEXT = 2_000
_SURFACE = 100_000  # device units that a page is projected on for exact boxes
_MULTILINE, _COMB = 1 << 12, 1 << 24  # field flags, ISO 32000-1 table 228
_KINDS: dict[int, WidgetKind] = {
    pdfium_c.FPDF_FORMFIELD_TEXTFIELD: "text",
    pdfium_c.FPDF_FORMFIELD_CHECKBOX: "check",
    pdfium_c.FPDF_FORMFIELD_RADIOBUTTON: "radio",
    pdfium_c.FPDF_FORMFIELD_COMBOBOX: "choice",
    pdfium_c.FPDF_FORMFIELD_LISTBOX: "choice",
    pdfium_c.FPDF_FORMFIELD_SIGNATURE: "signature",
}


def read_widgets(path: Path, max_pages: int) -> tuple[Widget, ...]:
    """All places to fill in, by page, from top to bottom and left to right.

    Raises:
        DamagedFileError: PDFium can't open the file.
        EncryptedFileError: it needs a password.
        TooLargeError: more than ``max_pages`` pages or :data:`MOST_WIDGETS` places.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium_c.FPDF_ERR_PASSWORD:
            raise EncryptedFileError(f"{path.name} needs a password") from error
        raise DamagedFileError(f"{path.name} can't be opened as a PDF") from error
    try:
        if len(document) > max_pages:
            raise TooLargeError(f"{len(document)} pages, more than ingest.max_pages {max_pages}")
        document.init_forms()
        found: list[Widget] = []
        if document.formenv is None:  # no AcroForm
            return ()
        for index in range(len(document)):
            page = document[index]
            found += _of_page(document.formenv.raw, page, index + 1)
            page.close()
            if len(found) > MOST_WIDGETS:
                raise TooLargeError(f"{path.name} has more than {MOST_WIDGETS} places to fill in")
        return tuple(sorted(found, key=lambda w: (w.page, round(w.box.cy, 2), w.box.x0)))
    finally:
        document.close()


def _of_page(forms: Any, page: Any, number: int) -> list[Widget]:
    found: list[Widget] = []
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page.raw), 2 * MOST_WIDGETS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            widget = _widget(forms, page, annotation, number)
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)
        if widget is not None:
            found.append(widget)
    return found


def _widget(forms: Any, page: Any, annotation: Any, number: int) -> Widget | None:
    if pdfium_c.FPDFAnnot_GetSubtype(annotation) != pdfium_c.FPDF_ANNOT_WIDGET:
        return None
    kind = _KINDS.get(pdfium_c.FPDFAnnot_GetFormFieldType(forms, annotation))
    box = _box(page, annotation)
    if kind is None or box is None:
        return None
    flags = pdfium_c.FPDFAnnot_GetFormFieldFlags(forms, annotation)
    length = ctypes.c_float()
    has_length = pdfium_c.FPDFAnnot_GetNumberValue(annotation, b"MaxLen", length)
    most = int(length.value) if has_length and 0 < length.value <= _LONGEST_TEXT else None
    return Widget(
        page=number,
        box=box,
        name=_text(pdfium_c.FPDFAnnot_GetFormFieldName, forms, annotation),
        tooltip=_text(pdfium_c.FPDFAnnot_GetFormFieldAlternateName, forms, annotation),
        kind=kind,
        on_state=_text(pdfium_c.FPDFAnnot_GetFormFieldExportValue, forms, annotation),
        max_length=most,
        comb=kind == "text" and bool(flags & _COMB) and most is not None,
        multiline=kind == "text" and bool(flags & _MULTILINE),
    )


def _box(page: Any, annotation: Any) -> Box | None:
    """Page-relative, the page's own rotation and crop included; ``None`` for one without size."""
    rectangle = pdfium_c.FS_RECTF()
    if not pdfium_c.FPDFAnnot_GetRect(annotation, rectangle):
        return None
    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for across, down in ((rectangle.left, rectangle.top), (rectangle.right, rectangle.bottom)):
        pdfium_c.FPDF_PageToDevice(page.raw, 0, 0, _SURFACE, _SURFACE, 0, across, down, x, y)
        corners.append((x.value / _SURFACE, y.value / _SURFACE))
    (x0, y0), (x1, y1) = corners
    box = Box(
        max(0.0, min(x0, x1)), max(0.0, min(y0, y1)), min(1.0, max(x0, x1)), min(1.0, max(y0, y1))
    )
    return box if box.width > 0.001 and box.height > 0.001 else None


def _text(function: Callable[..., int], forms: Any, annotation: Any) -> str:
    """A string of a form field, UTF-16 in the file; cut to what is sensible."""
    size = function(forms, annotation, None, 0)
    if size <= 2:
        return ""
    buffer = (pdfium_c.FPDF_WCHAR * (size // 2 + 1))()
    function(forms, annotation, buffer, size)
    text = bytes(buffer)[: size - 2].decode("utf-16-le", "replace")
    return " ".join(text.replace("\x00", " ").split())[:_LONGEST_TEXT]

# SPDX-License-Identifier: Apache-2.0
"""Separator sheets to print: PATCH-T in Code 39, and a QR code that rough faxes leave readable.

Both say in words what they are, so that a sheet whose bars a fax spoilt is still known.
"""

from __future__ import annotations

from pathlib import Path

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.code39 import Standard39
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4, letter
from reportlab.pdfgen.canvas import Canvas

PATCH_T = "PATCHT"
OWN = "IDP-SEPARATOR"

_BAR = 2.2
"""Width of a narrow bar in points: 6 pixels of a 200 dpi scan, 3 rows of a standard fax."""

_TALL = 110.0
_QR = 300.0


def separator_sheets(target: Path, *, a4: bool = False) -> None:
    """Write both sheets as one PDF; the same call gives the same bytes.

    Args:
        target: The file; what is there is replaced.
        a4: For A4 paper; else US letter.
    """
    size = A4 if a4 else letter
    canvas = Canvas(str(target), pagesize=size, invariant=1)
    canvas.setTitle("Separator sheets")
    width, height = size
    _words(canvas, width, height)
    bars = Standard39(PATCH_T, barWidth=_BAR, barHeight=_TALL, checksum=0, quiet=1)
    for y in (height * 0.62, height * 0.2):
        bars.drawOn(canvas, (width - bars.width) / 2, y)
    canvas.showPage()
    _words(canvas, width, height)
    code = QrCodeWidget(OWN, barLevel="H", barWidth=_QR, barHeight=_QR)
    drawing = Drawing(_QR, _QR)
    drawing.add(code)
    renderPDF.draw(drawing, canvas, (width - _QR) / 2, height * 0.42 - _QR / 2)
    canvas.showPage()
    canvas.save()


def _words(canvas: Canvas, width: float, height: float) -> None:
    canvas.setFont("Helvetica-Bold", 34)
    canvas.drawCentredString(width / 2, height * 0.86, "SEPARATOR SHEET")
    canvas.setFont("Helvetica", 15)
    canvas.drawCentredString(width / 2, height * 0.82, "Document separator: begin new document")
    canvas.setFont("Helvetica", 10)
    canvas.drawCentredString(
        width / 2, height * 0.06, "Lay this sheet between two documents. It may be used again."
    )

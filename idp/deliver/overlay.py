# SPDX-License-Identifier: Apache-2.0
"""The outlined PDF: each page as it was read, a frame and a tag on every found field, a legend.

The colour of a frame says what the rules said about the field, never the number alone: red where a
finding blocks, amber where one warns, teal otherwise.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

from idp.document import Box, Document, Field, Severity

_SHORT_SIDE_POINTS = 612.0
_LONGEST_SIDE_PIXELS = 2200
_JPEG_QUALITY = 55
_MARGIN = 40.0
_ROW_SIZE = 8.0
_LEADING = 10.0

_INK = HexColor("#16242c")
_GREY = HexColor("#5d6b73")
_LINE = HexColor("#d5dde1")
_COLOURS: dict[Severity | None, Color] = {
    Severity.BLOCK: HexColor("#c0271d"),
    Severity.WARN: HexColor("#b26a00"),
    Severity.INFO: HexColor("#0b7285"),
    None: HexColor("#0b7285"),
}
_ORDER = (Severity.BLOCK, Severity.WARN, Severity.INFO)


class Framed(NamedTuple):
    """A found value with the number it carries on the page and in the legend."""

    number: int
    field: Field
    colour: Color


def draw_overlay(document: Document, page_images: Mapping[int, Path], target: Path) -> None:
    """Write the outlined PDF of ``document`` to ``target``; the same input gives the same bytes.

    Args:
        document: What was found.
        page_images: Upright page image by page number.
        target: The file to write; it is not synced.
    """
    canvas = Canvas(str(target), pagesize=letter, invariant=1, pageCompression=1)
    canvas.setTitle(f"{document.type} {document.document_id}")
    canvas.setCreator("idp")
    framed = [
        Framed(number, field, _COLOURS[_worst(document, field.name)])
        for number, field in enumerate(document.fields, 1)
    ]
    for page in document.pages:
        if page in page_images:
            _draw_page(canvas, page_images[page], [f for f in framed if f.field.page == page])
    _draw_legend(canvas, document, framed)
    canvas.save()


def _worst(document: Document, name: str) -> Severity | None:
    found = {finding.severity for finding in document.findings if finding.field == name}
    return next((severity for severity in _ORDER if severity in found), None)


def _draw_page(canvas: Canvas, path: Path, framed: Sequence[Framed]) -> None:
    with Image.open(path) as opened:
        image = opened.convert("L")
    image.thumbnail((_LONGEST_SIDE_PIXELS, _LONGEST_SIDE_PIXELS))
    scale = _SHORT_SIDE_POINTS / min(image.size)
    width, height = image.width * scale, image.height * scale
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    packed.seek(0)
    canvas.setPageSize((width, height))
    canvas.drawImage(ImageReader(packed), 0, 0, width, height)
    for item in framed:
        if item.field.box is not None:
            _draw_frame(canvas, item, item.field.box, width, height)
    canvas.showPage()


def _draw_frame(canvas: Canvas, item: Framed, box: Box, width: float, height: float) -> None:
    pad = 1.5
    left, right = box.x0 * width - pad, box.x1 * width + pad
    top, bottom = height - box.y0 * height + pad, height - box.y1 * height - pad
    canvas.setStrokeColor(item.colour)
    canvas.setFillColor(item.colour, alpha=0.08)
    canvas.setLineWidth(1.0)
    canvas.rect(left, bottom, right - left, top - bottom, stroke=1, fill=1)
    tag = f"{item.number} {item.field.name}"
    size = 4.6
    tag_width = canvas.stringWidth(tag, "Helvetica-Bold", size) + 4
    tag_left = min(max(left, 0), width - tag_width)
    tag_bottom = top if top + size + 2 <= height else bottom - size - 2
    canvas.setFillColor(item.colour, alpha=0.92)
    canvas.rect(tag_left, tag_bottom, tag_width, size + 2, stroke=0, fill=1)
    canvas.setFillColor(white)
    canvas.setFont("Helvetica-Bold", size)
    canvas.drawString(tag_left + 2, tag_bottom + 1.8, tag)


class _Legend:
    """Text that flows over as many pages as it needs."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.width, self.height = letter
        self.y = self.height - _MARGIN

    def need(self, points: float) -> None:
        if self.y - points < _MARGIN:
            self.canvas.showPage()
            self.y = self.height - _MARGIN

    def heading(self, text: str, size: float = 10.0) -> None:
        self.need(size * 3)
        self.y -= size * 1.6
        self.canvas.setFillColor(_INK)
        self.canvas.setFont("Helvetica-Bold", size)
        self.canvas.drawString(_MARGIN, self.y, _printable(text))
        self.y -= 6

    def row(self, cells: Sequence[tuple[str, float, float]], colour: Color = _INK) -> None:
        """One row of (text, left, width) cells; long text wraps inside its cell."""
        wrapped = [
            simpleSplit(_printable(text), "Helvetica", _ROW_SIZE, width) or [""]
            for text, _, width in cells
        ]
        lines = min(max(len(lines) for lines in wrapped), 12)
        self.need(lines * _LEADING + 4)
        for index, (lines_of_cell, (_, left, _)) in enumerate(zip(wrapped, cells, strict=True)):
            self.canvas.setFillColor(colour if index == 0 else _INK)
            self.canvas.setFont("Helvetica-Bold" if index == 0 else "Helvetica", _ROW_SIZE)
            for line_number, line in enumerate(lines_of_cell[:12], 1):
                self.canvas.drawString(left, self.y - line_number * _LEADING + 1.5, line)
        self.y -= lines * _LEADING + 2
        self.canvas.setStrokeColor(_LINE)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(_MARGIN, self.y, self.width - _MARGIN, self.y)
        self.y -= 1


def _draw_legend(canvas: Canvas, document: Document, framed: Sequence[Framed]) -> None:
    canvas.setPageSize(letter)
    legend = _Legend(canvas)
    legend.heading(f"{document.type.replace('_', ' ').capitalize()}: {document.decision}", 14)
    canvas.setFont("Helvetica", _ROW_SIZE)
    canvas.setFillColor(_GREY)
    legend.y -= 8
    canvas.drawString(
        _MARGIN,
        legend.y,
        _printable(
            f"{document.document_id} · type confidence {document.type_confidence:.0%}"
            f" · pages {', '.join(map(str, document.pages)) or 'none'}"
        ),
    )
    legend.y -= 4
    if framed:
        legend.heading("Fields")
    for item in framed:
        place = f"page {item.field.page}" if item.field.page else "computed"
        legend.row(
            (
                (f"{item.number} {item.field.name}", _MARGIN, 150),
                (item.field.value or "", 195, 250),
                (f"{item.field.confidence:.0%}", 455, 40),
                (place, 500, 70),
            ),
            item.colour,
        )
    if document.claims:
        legend.heading("Claims")
    for number, claim in enumerate(document.claims, 1):
        legend.row(
            (
                (f"claim {number}", _MARGIN, 60),
                (claim.claim_number or claim.patient_account or "", 105, 160),
                (claim.patient_name or "", 270, 120),
                (f"billed {_money(claim.billed)}", 395, 85),
                (f"paid {_money(claim.paid)}", 485, 85),
            )
        )
    if document.missing:
        legend.heading("Missing")
        legend.row(((", ".join(document.missing), _MARGIN, 530),))
    if document.findings:
        legend.heading("Findings")
    for finding in document.findings:
        legend.row(
            (
                (finding.severity, _MARGIN, 50),
                (finding.field or "", 95, 120),
                (finding.message, 220, 350),
            ),
            _COLOURS[finding.severity],
        )
    if document.reasons:
        legend.heading("Reasons")
    for reason in document.reasons:
        legend.row(((reason, _MARGIN, 530),))
    canvas.showPage()


def _money(value: object) -> str:
    return "-" if value is None else str(value)


def _printable(text: str) -> str:
    """Text in the character set of the built-in PDF fonts; what they lack becomes ``?``."""
    return text.encode("cp1252", "replace").decode("cp1252")

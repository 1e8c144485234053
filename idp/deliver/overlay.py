# SPDX-License-Identifier: Apache-2.0
"""The outlined PDF: each page as it was read, a numbered frame on every found value, a legend.

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

from idp.contract import percent
from idp.document import Box, Document, Severity

_SHORT_SIDE_POINTS = 612.0
_LONGEST_SIDE_PIXELS = 2200
_JPEG_QUALITY = 55
_MARGIN = 40.0
_ROW_SIZE = 8.0
_LEADING = 10.0
_TAG_SIZE = 5.0

_INK = HexColor("#16242c")
_GREY = HexColor("#5d6b73")
_LINE = HexColor("#d5dde1")
_COLOURS: dict[Severity | None, Color] = {
    Severity.BLOCK: HexColor("#c0271d"),
    Severity.WARN: HexColor("#b26a00"),
    Severity.INFO: HexColor("#0b7285"),
    None: HexColor("#0b7285"),
}
_CLAIM = HexColor("#5a5f9e")
_ORDER = (Severity.BLOCK, Severity.WARN, Severity.INFO)


class Frame(NamedTuple):
    """A frame on a page with the tag that the legend explains."""

    page: int
    box: Box
    tag: str
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
    frames = _frames(document)
    for page in document.pages:
        if page in page_images:
            _draw_page(canvas, page_images[page], [f for f in frames if f.page == page])
    _draw_legend(canvas, document)
    canvas.save()


def draw_pages(document: Document, page_images: Mapping[int, Path], target: Path) -> None:
    """Write the document's own pages as a PDF, every pixel as it was read and nothing added.

    For documents that came in one file with others: the file as received shows those too.
    """
    canvas = Canvas(str(target), pagesize=letter, invariant=1, pageCompression=1)
    canvas.setTitle(f"{document.type} {document.document_id}")
    canvas.setCreator("idp")
    for page in document.pages:
        if page in page_images:
            with Image.open(page_images[page]) as image:
                scale = _SHORT_SIDE_POINTS / min(image.size)
                width, height = image.width * scale, image.height * scale
                canvas.setPageSize((width, height))
                canvas.drawImage(ImageReader(image), 0, 0, width, height)
            canvas.showPage()
    canvas.save()


def _colour(document: Document, name: str) -> Color:
    """The colour of the worst that the rules say about a field."""
    found = {finding.severity for finding in document.findings if finding.field == name}
    return _COLOURS[next((severity for severity in _ORDER if severity in found), None)]


def _frames(document: Document) -> list[Frame]:
    """One frame per place: values read from the same box share it."""
    frames: dict[tuple[int, Box], Frame] = {}
    for number, field in enumerate(document.fields, 1):
        if field.page is None or field.box is None:
            continue
        place = (field.page, field.box)
        held = frames.get(place)
        tag = f"{held.tag},{number}" if held else str(number)
        colour = held.colour if held else _colour(document, field.name)
        frames[place] = Frame(field.page, field.box, tag, colour)
    for number, claim in enumerate(document.claims, 1):
        for line in claim.service_lines or (claim,):
            if line.page is not None and line.box is not None:
                frames[(line.page, line.box)] = Frame(line.page, line.box, f"c{number}", _CLAIM)
    return list(frames.values())


def _draw_page(canvas: Canvas, path: Path, frames: Sequence[Frame]) -> None:
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
    for frame in frames:
        _draw_frame(canvas, frame, width, height)
    canvas.showPage()


def _draw_frame(canvas: Canvas, frame: Frame, width: float, height: float) -> None:
    pad = 1.5
    box = frame.box
    left, right = box.x0 * width - pad, box.x1 * width + pad
    top, bottom = height - box.y0 * height + pad, height - box.y1 * height - pad
    canvas.setStrokeColor(frame.colour)
    canvas.setFillColor(frame.colour, alpha=0.08)
    canvas.setLineWidth(0.9)
    canvas.rect(left, bottom, right - left, top - bottom, stroke=1, fill=1)
    # The tag stands beside the frame, where it covers neither the value nor the label above it.
    tag_width = canvas.stringWidth(frame.tag, "Helvetica-Bold", _TAG_SIZE) + 3
    tag_left = left - tag_width if left >= tag_width else min(right, width - tag_width)
    tag_bottom = min(max((top + bottom - _TAG_SIZE) / 2 - 1, 0), height - _TAG_SIZE - 2)
    canvas.setFillColor(frame.colour, alpha=0.92)
    canvas.rect(tag_left, tag_bottom, tag_width, _TAG_SIZE + 2, stroke=0, fill=1)
    canvas.setFillColor(white)
    canvas.setFont("Helvetica-Bold", _TAG_SIZE)
    canvas.drawString(tag_left + 1.5, tag_bottom + 1.6, frame.tag)


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

    def row(self, cells: Sequence[tuple[str, float, float]], colour: Color | None = None) -> None:
        """One row of (text, left, width) cells; a colour makes the first one stand out."""
        wrapped = [
            simpleSplit(_printable(text), "Helvetica", _ROW_SIZE, width) or [""]
            for text, _, width in cells
        ]
        lines = min(max(len(lines) for lines in wrapped), 12)
        self.need(lines * _LEADING + 4)
        for index, (lines_of_cell, (_, left, _)) in enumerate(zip(wrapped, cells, strict=True)):
            head = index == 0 and colour is not None
            self.canvas.setFillColor(colour if head else _INK)
            self.canvas.setFont("Helvetica-Bold" if head else "Helvetica", _ROW_SIZE)
            for line_number, line in enumerate(lines_of_cell[:12], 1):
                self.canvas.drawString(left, self.y - line_number * _LEADING + 1.5, line)
        self.y -= lines * _LEADING + 2
        self.canvas.setStrokeColor(_LINE)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(_MARGIN, self.y, self.width - _MARGIN, self.y)
        self.y -= 1


def _draw_legend(canvas: Canvas, document: Document) -> None:
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
            f"{document.document_id} · type confidence {percent(document.type_confidence)}%"
            f" · pages {', '.join(map(str, document.pages)) or 'none'}"
        ),
    )
    legend.y -= 4
    if document.fields:
        legend.heading("Fields")
    for number, field in enumerate(document.fields, 1):
        place = f"page {field.page}" if field.page else "computed"
        legend.row(
            (
                (f"{number} {field.name}", _MARGIN, 150),
                (field.value or "", 195, 250),
                (f"{percent(field.confidence)}%", 455, 40),
                (place, 500, 70),
            ),
            _colour(document, field.name),
        )
    if document.claims:
        legend.heading("Claims")
    for number, claim in enumerate(document.claims, 1):
        legend.row(
            (
                (f"c{number}", _MARGIN, 60),
                (claim.claim_number or claim.patient_account or "", 105, 160),
                (claim.patient_name or "", 270, 120),
                (f"billed {_money(claim.billed)}", 395, 85),
                (f"paid {_money(claim.paid)}", 485, 85),
            ),
            _CLAIM,
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

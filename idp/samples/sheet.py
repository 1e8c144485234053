# SPDX-License-Identifier: Apache-2.0
"""Drawing kit of the sample forms: cells, labels, check boxes, tables, signatures.

Lengths are points, the origin is the top left corner of the page.
"""

# Places and sizes read better in their order than by name.
# ruff: noqa: PLR0917

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from reportlab.lib.colors import Color, HexColor, black, white
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

REGULAR = "Helvetica"
BOLD = "Helvetica-Bold"
TYPED = "Courier"
SHADE = HexColor("#e3e6e8")
DARK = HexColor("#2b3a42")


class Sheet:
    """One PDF being drawn, page by page; the same calls give the same bytes."""

    def __init__(
        self,
        target: Path,
        rng: random.Random,
        size: tuple[float, float] = letter,
        encrypt: object | None = None,
    ) -> None:
        self.width, self.height = size
        self.canvas = Canvas(str(target), pagesize=size, invariant=1, encrypt=encrypt)
        self.rng = rng

    def page(self) -> None:
        """End this page and begin the next."""
        self.canvas.showPage()

    def save(self) -> None:
        """Write the file."""
        self.canvas.showPage()
        self.canvas.save()

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 10,
        font: str = REGULAR,
        colour: Color = black,
        align: str = "left",
    ) -> None:
        """One line of text with its baseline at ``y``."""
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(colour)
        draw = {
            "left": self.canvas.drawString,
            "right": self.canvas.drawRightString,
            "centre": self.canvas.drawCentredString,
        }[align]
        draw(x, self.height - y, text)

    def paragraph(
        self, x: float, y: float, width: float, text: str, size: float = 10, font: str = REGULAR
    ) -> float:
        """Wrapped text; returns the baseline below it."""
        for line in simpleSplit(text, font, size, width):
            self.text(x, y, line, size, font)
            y += size * 1.35
        return y

    def line(self, x0: float, y0: float, x1: float, y1: float, weight: float = 0.7) -> None:
        """A ruling line."""
        self.canvas.setStrokeColor(black)
        self.canvas.setLineWidth(weight)
        self.canvas.line(x0, self.height - y0, x1, self.height - y1)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Color | None = None,
        weight: float = 0.7,
    ) -> None:
        """A rectangle, filled or not."""
        self.canvas.setStrokeColor(black)
        self.canvas.setLineWidth(weight)
        if fill is not None:
            self.canvas.setFillColor(fill)
        self.canvas.rect(
            x, self.height - y - height, width, height, stroke=1, fill=int(fill is not None)
        )

    def band(self, x: float, y: float, width: float, title: str, *, dark: bool = False) -> float:
        """A section title on a band; returns the y below it."""
        self.box(x, y, width, 15, fill=DARK if dark else SHADE)
        self.text(x + 5, y + 11, title, 9, BOLD, white if dark else black)
        return y + 15

    def cells(
        self,
        x: float,
        y: float,
        height: float,
        columns: Sequence[tuple[str, str, float]],
        font: str = REGULAR,
    ) -> float:
        """A row of cells of (label, value, width), the label small on top; returns the y below."""
        for label, value, width in columns:
            self.box(x, y, width, height)
            self.text(x + 3, y + 8.5, label, 6.8, REGULAR, DARK)
            size = 10.0
            while size > 7 and self.canvas.stringWidth(value, font, size) > width - 8:
                size -= 0.5
            self.text(x + 4, y + height - 5, value, size, font)
            x += width
        return y + height

    def filled(
        self, x: float, y: float, label: str, value: str, end: float, font: str = TYPED
    ) -> None:
        """``Label: value`` on a ruling line that ends at ``end``."""
        self.text(x, y, label, 9.5, BOLD)
        start = x + self.canvas.stringWidth(label, BOLD, 9.5) + 6
        self.line(start, y + 2.5, end, y + 2.5, 0.5)
        self.text(start + 2, y, value, 10, font)

    def check(self, x: float, y: float, label: str, *, checked: bool, size: float = 9) -> float:
        """A check box, crossed or ticked by hand when checked; returns the x after its label."""
        self.box(x, y - size + 1, size, size, weight=0.9)
        if checked:
            self._mark(x, y - size + 1, size)
        self.text(x + size + 4, y, label, 9)
        return x + size + 4 + float(self.canvas.stringWidth(label, REGULAR, 9)) + 14

    def _mark(self, x: float, y: float, size: float) -> None:
        if self.rng.random() < 0.6:
            strokes = [
                (x + 1.2, y + 1.2, x + size - 1.2, y + size - 1.2),
                (x + size - 1.2, y + 1.2, x + 1.2, y + size - 1.2),
            ]
        else:
            strokes = [
                (x + 1.5, y + size * 0.55, x + size * 0.42, y + size - 1.5),
                (x + size * 0.42, y + size - 1.5, x + size + 1.5, y - 1),
            ]
        for x0, y0, x1, y1 in strokes:
            shake = [self.rng.uniform(-0.8, 0.8) for _ in range(4)]
            self.line(x0 + shake[0], y0 + shake[1], x1 + shake[2], y1 + shake[3], 1.5)

    def signature(self, x: float, y: float, width: float) -> None:
        """A scribble on a line."""
        path = self.canvas.beginPath()
        path.moveTo(x, self.height - y)
        steps = max(3, int(width / 18))
        for step in range(1, steps + 1):
            ahead = x + width * step / steps
            swing = [self.rng.uniform(-9, 7) for _ in range(3)]
            path.curveTo(
                ahead - 14,
                self.height - y - swing[0],
                ahead - 6,
                self.height - y - 2 * swing[1],
                ahead,
                self.height - y - swing[2] * 0.4,
            )
        self.canvas.setStrokeColor(black)
        self.canvas.setLineWidth(1.1)
        self.canvas.drawPath(path, stroke=1, fill=0)

    def table(
        self,
        x: float,
        y: float,
        widths: Sequence[float],
        rows: Sequence[Sequence[str]],
        *,
        right_from: int = 99,
        size: float = 8,
        height: float = 16,
    ) -> float:
        """A ruled table, the first row its heading; columns from ``right_from`` stand right."""
        for number, row in enumerate(rows):
            left = x
            for column, (text, width) in enumerate(zip(row, widths, strict=True)):
                self.box(left, y, width, height, fill=SHADE if number == 0 else None, weight=0.5)
                font = BOLD if number == 0 else REGULAR
                if column >= right_from:
                    self.text(left + width - 4, y + height - 5, text, size, font, align="right")
                else:
                    self.text(left + 4, y + height - 5, text, size, font)
                left += width
            y += height
        return y

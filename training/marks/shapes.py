# SPDX-License-Identifier: Apache-2.0
"""Places to mark in many shapes, and what pens, typewriters and software put into them."""

# Places and sizes read better in their order than by name.
# ruff: noqa: PLR0917

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

Kind = Literal["square", "circle", "oval", "glyph", "brackets", "parentheses", "underscore"]
Tick = Literal["cross", "check", "slash", "over", "scribble", "fill", "dot", "typed", "dingbat"]
Border = Literal["plain", "round", "double", "shadow", "shade", "three"]

_HABITS: tuple[tuple[Tick, ...], ...] = (
    *((tick,) for tick in get_args(Tick)),
    ("cross", "check", "slash"),
    ("scribble", "cross"),
    ("over", "check"),
    get_args(Tick),
)
_TYPEFACES = ("Helvetica", "Helvetica-Bold", "Courier", "Courier-Bold", "Times-Roman")


@dataclass(frozen=True)
class Place:
    """One place to mark, in points from the top left corner of the page."""

    kind: str
    x0: float
    y0: float
    x1: float
    y1: float
    checked: bool


class Drawing:
    """A page of a PDF with its origin at the top left; knows fonts, lines and marks."""

    def __init__(self, canvas: Canvas, rng: random.Random, height: float, font: str) -> None:
        self.canvas, self.rng, self.height, self.font = canvas, rng, height, font
        self.size = rng.choice((7, 7.5, 8, 8, 9, 9, 10, 10, 11, 12))
        self.places: list[Place] = []
        self.kind: Kind = rng.choices(get_args(Kind), (12, 4, 2, 3, 1.5, 0.8, 1.2))[0]
        self.ticks: Sequence[Tick] = rng.choice(_HABITS)
        self._blanks = rng.choice((2, 3, 4))
        self.restyle()

    def restyle(self) -> None:
        """Another size and border of box, as another block of the form has it."""
        rng = self.rng
        usual = rng.choice((self.size * 0.8, self.size, self.size * 1.15, rng.uniform(6, 16)))
        self.side = min(16.0, max(6.0, usual))
        self.wide = self.side * rng.choice((1.5, 1.8))
        self.border_width = rng.choice((0.3, 0.4, 0.5, 0.5, 0.7, 0.75, 1, 1, 1.3, 1.6))
        self.grey = rng.choices((0, 0.2, 0.4, 0.6, 0.72), (10, 2, 1, 1, 0.6))[0]
        self.border: Border = rng.choices(get_args(Border), (12, 2, 0.6, 1.2, 1.2, 0.3))[0]

    def text(
        self, x: float, y: float, text: str, size: float = 0, font: str = "", grey: float = 0
    ) -> float:
        """Prints from ``x`` on, baseline at ``y``; returns the width."""
        font, size = font or self.font, size or self.size
        self.canvas.setFont(font, size)
        self.canvas.setFillGray(grey)
        self.canvas.drawString(x, self.height - y, text)
        return float(stringWidth(text, font, size))

    def wide_of(self, text: str) -> float:
        return float(stringWidth(text, self.font, self.size))

    def line(
        self, x0: float, y0: float, x1: float, y1: float, width: float = 0.5, grey: float = 0
    ) -> None:
        self.canvas.setLineWidth(width)
        self.canvas.setStrokeGray(grey)
        self.canvas.line(x0, self.height - y0, x1, self.height - y1)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        stroke: float = 0.5,
        grey: float = 0,
        fill: float | None = None,
        radius: float = 0,
    ) -> None:
        """A rectangle from its top left corner."""
        self.canvas.setLineWidth(stroke)
        self.canvas.setStrokeGray(grey)
        if fill is not None:
            self.canvas.setFillGray(fill)
        bottom = self.height - y - height
        if radius:
            self.canvas.roundRect(x, bottom, width, height, radius, fill=fill is not None)
        else:
            self.canvas.rect(x, bottom, width, height, fill=fill is not None)

    def mark(self, x: float, baseline: float, *, checked: bool) -> float:
        """A place to mark of the page's kind, level with a line of print; returns its width."""
        if self.kind in ("brackets", "parentheses", "underscore"):
            return self._typed_mark(x, baseline, checked=checked)
        middle = baseline - 0.34 * self.size
        if self.kind == "glyph":
            size = 1.2 * self.side
            self.text(x, baseline, self.rng.choice("ooq"), size, "ZapfDingbats")
            top, side = baseline - 0.69 * size, 0.7 * size
            if checked:
                self.tick(x + 0.035 * size, top, side, side)
            self.note("glyph", x + 0.035 * size, top, side, side, checked=checked)
            return 0.76 * size
        if self.kind == "square":
            top = middle - self.side / 2
            self.square(x, top, self.side)
            if checked:
                self.tick(x, top, self.side, self.side)
            self.note("square", x, top, self.side, self.side, checked=checked)
            return self.side
        width = self.side if self.kind == "circle" else self.wide
        height = self.side if self.kind == "circle" else 0.85 * self.side
        top = middle - height / 2
        self.canvas.setLineWidth(self.border_width)
        self.canvas.setStrokeGray(self.grey)
        self.canvas.ellipse(x, self.height - top - height, x + width, self.height - top)
        if checked:
            usual: tuple[Tick, ...] = ("fill", "fill", "dot", "cross")
            self.tick(x, top, width, height, usual if self.rng.random() < 0.6 else (), round_=True)
        self.note(self.kind, x, top, width, height, checked=checked)
        return width

    def note(
        self, kind: str, x: float, y: float, width: float, height: float, *, checked: bool
    ) -> None:
        """Enters a place to mark into the truth."""
        self.places.append(Place(kind, x, y, x + width, y + height, checked))

    def square(self, x: float, y: float, side: float) -> None:
        """An empty box with the page's border."""
        width, grey = self.border_width, self.grey
        if self.border == "three":
            self.line(x, y, x, y + side, width, grey)
            self.line(x + side, y, x + side, y + side, width, grey)
            self.line(x, y + side, x + side, y + side, width, grey)
            return
        fill = self.rng.choice((0.85, 0.9)) if self.border == "shade" else None
        radius = 0.18 * side if self.border == "round" else 0
        self.box(x, y, side, side, width, grey, fill, radius)
        if self.border == "double":
            self.box(x - 1.5, y - 1.5, side + 3, side + 3, 0.4, grey)
        if self.border == "shadow":
            self.line(x + 1, y + side + 0.6, x + side + 1, y + side + 0.6, 1.2, 0.3)
            self.line(x + side + 0.6, y + 1, x + side + 0.6, y + side + 1, 1.2, 0.3)

    def _typed_mark(self, x: float, baseline: float, *, checked: bool) -> float:
        rng, size = self.rng, self.size
        if self.kind == "underscore":
            width = self.text(x, baseline, "_" * self._blanks)
            if checked:
                letter = rng.choice("XXx")
                self.text(x + (width - self.wide_of(letter)) / 2, baseline - 0.5, letter)
        else:
            opening, closing = "[]" if self.kind == "brackets" else "()"
            inside = rng.choice(("X", "x", " X ")) if checked else rng.choice(("  ", "   ", " "))
            width = self.text(x, baseline, opening + inside + closing)
        self.note(self.kind, x, baseline - 0.8 * size, width, size, checked=checked)
        return width

    def tick(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        among: Sequence[Tick] = (),
        *,
        round_: bool = False,
    ) -> None:
        """Marks the place whose top left corner is given, in one of the page's manners."""
        rng, canvas = self.rng, self.canvas
        tick = rng.choice(among or self.ticks)
        grey = rng.choice((0, 0, 0, 0.15, 0.35))
        canvas.setStrokeGray(grey)
        canvas.setFillGray(grey)
        pen = rng.choice((0.6, 0.8, 1, 1.2, 1.5, 2, 2.5))
        canvas.setLineWidth(pen * min(1.3, max(0.7, width / 10)))
        canvas.setLineCap(1)
        bottom = self.height - y - height
        if tick in ("fill", "dot"):
            inset = rng.choice((0, 0.05, 0.12, 0.2)) if tick == "fill" else rng.uniform(0.2, 0.33)
            left, low = x + inset * width, bottom + inset * height
            w, h = width * (1 - 2 * inset), height * (1 - 2 * inset)
            if round_ or tick == "dot":
                canvas.ellipse(left, low, left + w, low + h, stroke=0, fill=1)
            else:
                canvas.rect(left, low, w, h, stroke=0, fill=1)
        elif tick == "typed":
            size, letter = height * rng.uniform(0.8, 1.15), rng.choice("XXXXxx")
            canvas.setFont(rng.choice(_TYPEFACES), size)
            low = bottom + height / 2 - size * (0.34 if letter == "X" else 0.24)
            canvas.drawCentredString(
                x + width / 2 + rng.uniform(-0.08, 0.08) * width,
                low + rng.uniform(-0.06, 0.06) * height,
                letter,
            )
        elif tick == "dingbat":
            size = height * rng.uniform(0.8, 1.1)
            canvas.setFont("ZapfDingbats", size)
            canvas.drawCentredString(
                x + width / 2, bottom + height / 2 - 0.35 * size, rng.choice("3458")
            )
        else:
            for stroke in self._strokes(tick):
                points = [(x + a * width, self.height - (y + b * height)) for a, b in stroke]
                self._draw(points, curved=tick == "scribble")
        canvas.setLineCap(0)

    def _strokes(  # noqa: PLR0911 - one manner, one return
        self, tick: Tick
    ) -> list[list[tuple[float, float]]]:
        """Lines of a pen, in shares of the place's width and height."""
        rng = self.rng

        def off(most: float) -> float:
            return rng.uniform(-most, most)

        def cross(inset: float, shake: float) -> list[list[tuple[float, float]]]:
            far = 1 - inset
            return [
                [(inset + off(shake), inset + off(shake)), (far + off(shake), far + off(shake))],
                [(far + off(shake), inset + off(shake)), (inset + off(shake), far + off(shake))],
            ]

        if tick == "cross":
            return cross(rng.choice((0.2, 0.12, 0.05, 0, -0.1)), 0.06)
        if tick == "check":
            over = rng.choice((0, 0, 0.1, 0.25))
            return [
                [
                    (0.12 + off(0.1), 0.5 + off(0.12)),
                    (0.4 + off(0.08), 0.85 + off(0.1)),
                    (0.92 + over + off(0.1), 0.1 - over + off(0.12)),
                ]
            ]
        if tick == "slash":
            inset = rng.choice((0.15, 0.05, -0.05))
            rising = [(inset, 1 - inset), (1 - inset, inset)]
            return [rising if rng.random() < 0.7 else [(inset, inset), (1 - inset, 1 - inset)]]
        if tick == "scribble":
            turns = rng.randint(5, 11)
            line = [
                ((0.1 if i % 2 else 0.9) + off(0.1), 0.1 + 0.8 * i / turns + off(0.1))
                for i in range(turns)
            ]
            return [line if rng.random() < 0.5 else [(b, a) for a, b in line]]
        reach = rng.choice((1.3, 1.6, 2.0))
        low, high = 0.5 - reach / 2, 0.5 + reach / 2
        manner = rng.randrange(4)
        if manner == 0:
            return [[(low + off(0.2), high + off(0.2)), (high + off(0.2), low + off(0.2))]]
        if manner == 1:
            return [[(low + off(0.2), low + off(0.2)), (high + off(0.2), high + off(0.2))]]
        if manner == 2:
            return [
                [
                    (0.1 + off(0.15), 0.45 + off(0.15)),
                    (0.42 + off(0.1), 0.9 + off(0.15)),
                    (high + off(0.2), 0.5 - 0.7 * reach + off(0.2)),
                ]
            ]
        return cross(0.5 - rng.choice((1.15, 1.3, 1.5)) / 2, 0.1)

    def _draw(self, points: Sequence[tuple[float, float]], *, curved: bool) -> None:
        path = self.canvas.beginPath()
        path.moveTo(*points[0])
        if curved:
            for (ax, ay), (bx, by) in zip(points[1:], [*points[2:], points[-1]], strict=True):
                path.curveTo(ax, ay, ax, ay, (ax + bx) / 2, (ay + by) / 2)
        else:
            for point in points[1:]:
                path.lineTo(*point)
        self.canvas.drawPath(path)

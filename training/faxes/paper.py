# SPDX-License-Identifier: Apache-2.0
"""A page being drawn into a PDF, with the truth about all that is drawn.

Lengths are points, the origin is the top left corner, ``y`` of a text is its baseline.
"""

# Places and sizes read better in their order than by name.
# ruff: noqa: PLR0917

from __future__ import annotations

import math
import random
from pathlib import Path

from reportlab.lib.colors import Color, black
from reportlab.lib.utils import simpleSplit

from idp.document import Box, union_of
from idp.samples.sheet import Sheet
from training.faxes.fonts import Face
from training.faxes.truth import (
    KeyField,
    KeyKind,
    Segment,
    Shape,
    SignatureLine,
    TrueMark,
    TrueWord,
    Truth,
)

_DESCENDS = frozenset("gjpqy,;()[]{}Q$/|@_&")
_SMALL = frozenset("acemnorsuvwxz.,;:-_~+=gpqy")

_HEIGHTS = {"cap": 0.72, "small": 0.53, "below": 0.21, "level": 0.02}
"""Of the ink, in font sizes, as they are in most text faces."""


class Paper(Sheet):
    """One page of one PDF; all that is drawn as text enters the truth."""

    def __init__(
        self,
        target: Path,
        rng: random.Random,
        size: tuple[float, float],
        face: Face,
        typed: Face,
    ) -> None:
        super().__init__(target, rng, size)
        self.face = face
        self.typed = typed
        self._words: list[TrueWord] = []
        self._segments: list[Segment] = []
        self._marks: list[TrueMark] = []
        self._fields: list[KeyField] = []
        self._signatures: list[SignatureLine] = []

    @property
    def truth(self) -> Truth:
        """Everything drawn so far."""
        return Truth(
            tuple(self._words),
            tuple(self._segments),
            tuple(self._marks),
            tuple(self._fields),
            tuple(self._signatures),
        )

    def wide(self, text: str, size: float, font: str) -> float:
        """The width of a text."""
        return float(self.canvas.stringWidth(text, font, size))

    def relative(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Points to page-relative units."""
        return Box(x0 / self.width, y0 / self.height, x1 / self.width, y1 / self.height)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 10,
        font: str = "",
        colour: Color = black,
        align: str = "left",
    ) -> None:
        """One line of text with its baseline at ``y``, entered as one segment."""
        font = font or self.face.regular
        super().text(x, y, text, size, font, colour, align)
        if align != "left":
            x -= self.wide(text, size, font) * (1.0 if align == "right" else 0.5)
        words: list[TrueWord] = []
        place = 0
        for word in text.split():
            place = text.index(word, place)
            left = x + self.wide(text[:place], size, font)
            right = left + self.wide(word, size, font)
            tall = _HEIGHTS["small" if _SMALL.issuperset(word) else "cap"]
            deep = _HEIGHTS["level" if _DESCENDS.isdisjoint(word) else "below"]
            box = self.relative(left, y - tall * size, right, y + deep * size)
            words.append(TrueWord(word, box, len(self._segments), size))
            place += len(word)
        if words:
            self._words += words
            self._segments.append(Segment(" ".join(text.split()), union_of([w.box for w in words])))

    def paragraph(
        self, x: float, y: float, width: float, text: str, size: float = 10, font: str = ""
    ) -> float:
        """Wrapped text, every line a segment; returns the baseline below it."""
        font = font or self.face.regular
        for line in simpleSplit(text, font, size, width):
            self.text(x, y, line, size, font)
            y += size * 1.3
        return y

    def value(
        self,
        x: float,
        y: float,
        text: str,
        room: float,
        size: float,
        font: str,
        *,
        kind: KeyKind,
        label: str,
        align: str = "left",
    ) -> float:
        """A value to be read exactly, made smaller or cut at a word to fit; returns its width."""
        while size > 7 and self.wide(text, size, font) > room:
            size -= 0.5
        while self.wide(text, size, font) > room and " " in text:
            text = text.rsplit(" ", 1)[0]
        if self.wide(text, size, font) > room:
            return 0.0
        first = len(self._words)
        self.text(x, y, text, size, font, align=align)
        box = union_of([word.box for word in self._words[first:]])
        self._fields.append(KeyField(kind, label, text, box))
        return self.wide(text, size, font)

    def label(self, x: float, y: float, text: str, room: float, size: float, font: str) -> float:
        """A label, made smaller or cut at a word to fit; returns its width."""
        while size > 6.5 and self.wide(text, size, font) > room:
            size -= 0.5
        while self.wide(text, size, font) > room and " " in text:
            text = text.rsplit(" ", 1)[0]
        if self.wide(text, size, font) > room:
            return 0.0
        self.text(x, y, text, size, font)
        return self.wide(text, size, font)

    def comb(
        self,
        x: float,
        y: float,
        text: str,
        cells: int,
        pitch: float,
        high: float,
        kind: KeyKind,
        label: str,
    ) -> None:
        """One letter per cell, a rule between them; each run without a blank is one true word."""
        size = pitch * 0.72
        self.box(x, y, pitch * cells, high, weight=0.7)
        for cell in range(1, cells):
            self.line(x + cell * pitch, y, x + cell * pitch, y + high, 0.5)
        self.canvas.setFont(self.typed.regular, size)
        self.canvas.setFillColor(black)
        base = y + high / 2 + size * 0.34
        for cell, letter in enumerate(text):
            self.canvas.drawCentredString(x + (cell + 0.5) * pitch, self.height - base, letter)
        words: list[TrueWord] = []
        place = 0
        for word in text.split():
            place = text.index(word, place)
            left, right = x + place * pitch, x + (place + len(word)) * pitch
            box = self.relative(left, base - 0.72 * size, right, base + 0.21 * size)
            words.append(TrueWord(word, box, len(self._segments), size))
            place += len(word)
        whole = union_of([word.box for word in words])
        self._words += words
        self._segments.append(Segment(" ".join(text.split()), whole))
        self._fields.append(KeyField(kind, label, " ".join(text.split()), whole))

    def note_run(self, text: str, box: Box, size: float) -> None:
        """Enters characters drawn one by one as one word of one segment."""
        self._words.append(TrueWord(text, box, len(self._segments), size))
        self._segments.append(Segment(text, box))

    def note_mark(
        self,
        place: tuple[float, float, float, float],
        label: str,
        shape: Shape,
        style: str,
        *,
        checked: bool,
    ) -> None:
        """Enters a mark that was drawn; ``place`` is the empty shape's, without the pen's ends."""
        self._marks.append(
            TrueMark(
                self.relative(*place), "checked" if checked else "unchecked", label, shape, style
            )
        )

    def sign(self, x: float, y: float, width: float, *, signed: bool) -> None:
        """A line to sign on, signed or not."""
        self.line(x, y + 2, x + width, y + 2, 0.6)
        if signed:
            self.signature(x + 6, y - 2, width * self.rng.uniform(0.4, 0.7))
        self._signatures.append(SignatureLine(self.relative(x, y - 14, x + width, y + 5), signed))

    def stroke(self, points: list[tuple[float, float]], weight: float) -> None:
        """A pen stroke through points, round at its ends."""
        path = self.canvas.beginPath()
        path.moveTo(points[0][0], self.height - points[0][1])
        for x, y in points[1:]:
            path.lineTo(x, self.height - y)
        self.canvas.saveState()
        self.canvas.setStrokeColor(black)
        self.canvas.setLineWidth(weight)
        self.canvas.setLineCap(1)
        self.canvas.setLineJoin(1)
        self.canvas.drawPath(path, stroke=1, fill=0)
        self.canvas.restoreState()

    def ellipse(
        self, x0: float, y0: float, x1: float, y1: float, *, weight: float = 0.8, fill: bool = False
    ) -> None:
        """An ellipse within a rectangle."""
        self.canvas.setStrokeColor(black)
        self.canvas.setFillColor(black)
        self.canvas.setLineWidth(weight)
        self.canvas.ellipse(
            x0, self.height - y1, x1, self.height - y0, stroke=int(weight > 0), fill=int(fill)
        )

    def scribble(self, x0: float, y0: float, x1: float, y1: float, weight: float) -> None:
        """A shape filled by going to and fro with a pen."""
        turns = max(4, math.ceil((x1 - x0) / weight))
        points = []
        for turn in range(turns + 1):
            x = x0 + (x1 - x0) * turn / turns
            y = (y1 if turn % 2 else y0) + self.rng.uniform(-0.6, 0.6)
            points.append((x, y))
        self.stroke(points, weight)

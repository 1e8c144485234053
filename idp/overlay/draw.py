# SPDX-License-Identifier: Apache-2.0
"""Shapes drawn onto a page's picture, and a legend below it; about 0.15 CPU seconds per page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from idp.document import Box, Document, Page
from idp.overlay.shapes import LAYERS, SURE, UNSURE, Layer, Shape, shapes

_Colour = tuple[int, int, int]
_Pixels = tuple[int, int, int, int]

_COLOURS: dict[str, _Colour] = {
    "sure": (26, 122, 76),
    "unsure": (217, 138, 0),
    "doubtful": (208, 52, 42),
    "checked": (124, 58, 237),
    "unchecked": (124, 58, 237),
    "thing": (190, 24, 93),
    "rule": (3, 105, 161),
    "cell": (3, 105, 161),
    "block": (71, 85, 105),
    "good": (11, 114, 133),
    "warn": (178, 106, 0),
    "bad": (192, 39, 29),
}
_INK: _Colour = (20, 33, 42)
_SOFT: _Colour = (85, 100, 109)
_EDGE: _Colour = (213, 221, 225)
_WHITE: _Colour = (255, 255, 255)

_LEGEND: tuple[tuple[Layer, str, str], ...] = (
    ("words", "sure", f"word, {SURE:.0%} or more"),
    ("words", "unsure", f"word, {UNSURE:.0%} or more"),
    ("words", "doubtful", "doubtful word"),
    ("marks", "checked", "ticked"),
    ("marks", "unchecked", "not ticked"),
    ("marks", "thing", "ink, barcode, figure"),
    ("rules", "rule", "rule, cell"),
    ("blocks", "block", "block, in reading order"),
    ("fields", "good", "field"),
    ("fields", "warn", "field to look at"),
    ("fields", "bad", "field held back"),
)


def draw_page(
    page: Page,
    image: Image.Image,
    document: Document | None = None,
    *,
    layers: Collection[Layer] = LAYERS,
    title: str = "",
) -> Image.Image:
    """The page's image in RGB with its shapes drawn in, and a legend below.

    Args:
        page: What was seen.
        image: The upright page; the result is as wide, and higher by the legend.
        document: Whose fields are drawn, if there is one.
        layers: What is drawn.
        title: Printed first in the legend.
    """
    drawn = [shape for shape in shapes(page, document) if shape.layer in layers]
    pale = image.convert("L").point([round(255 - 0.8 * (255 - grey)) for grey in range(256)])
    width, height = pale.size
    unit = max(1.0, width / 1700)
    legend = _Legend(width, unit, [title, *_facts(page)], {(s.layer, s.kind) for s in drawn})
    sheet = Image.new("RGB", (width, height + legend.height), _WHITE)
    sheet.paste(pale.convert("RGB"))
    pen = _Pen(ImageDraw.Draw(sheet, "RGBA"), width, height, unit)
    for shape in drawn:
        pen.shape(shape)
    pen.tags(drawn)
    legend.draw(pen.draw, height)
    return sheet


def _facts(page: Page) -> list[str]:
    doubtful = sum(word.confidence < UNSURE for word in page.words)
    facts = [f"page {page.number}", f"{page.grade} quality", f"{len(page.words)} words"]
    if doubtful:
        facts.append(f"{doubtful} doubtful")
    if page.rotation:
        facts.append(f"turned {page.rotation}°")
    if page.words_source == "text_layer":
        facts.append("from the PDF's text")
    if page.words_source == "x12":
        facts.append("listing of an X12 interchange")
    return facts


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font: no file of the system is needed."""
    return ImageFont.load_default(size)


class _Pen:
    """Draws shapes; ``unit`` is a pixel of a page 1700 pixels wide."""

    def __init__(self, draw: ImageDraw.ImageDraw, width: int, height: int, unit: float) -> None:
        self.draw = draw
        self._width, self._height, self._unit = width, height, unit

    def _px(self, length: float) -> int:
        return max(1, round(length * self._unit))

    def _pixels(self, box: Box, pad: float = 0) -> _Pixels:
        pad = round(pad * self._unit)
        x0, y0 = round(box.x0 * self._width) - pad, round(box.y0 * self._height) - pad
        x1, y1 = round(box.x1 * self._width) + pad, round(box.y1 * self._height) + pad
        return x0, y0, max(x0, x1), max(y0, y1)

    def shape(self, shape: Shape) -> None:
        """Draws one shape, without its tag."""
        colour = _COLOURS[shape.kind]
        if shape.layer == "words":
            self._word(shape, colour)
        elif shape.kind == "rule":
            self.draw.rectangle(self._pixels(shape.box), (*colour, 150))
        elif shape.kind == "cell":
            self.draw.rectangle(self._pixels(shape.box, -3), (*colour, 14), (*colour, 90))
        elif shape.layer == "blocks":
            self._dashed(self._pixels(shape.box, 5), colour)
        else:
            fill = {"checked": 90, "unchecked": 0, "thing": 24}.get(shape.kind, 22)
            line = 2 if shape.kind == "thing" else 3
            pixels = self._pixels(shape.box, 3)
            self.draw.rounded_rectangle(
                pixels, self._px(3), (*colour, fill), (*colour, 235), self._px(line)
            )

    def _word(self, shape: Shape, colour: _Colour) -> None:
        x0, y0, x1, y1 = self._pixels(shape.box)
        fill = {"sure": 26, "unsure": 60, "doubtful": 60}[shape.kind]
        self.draw.rectangle((x0, y0, x1, y1), (*colour, fill))
        self.draw.rectangle((x0, y1 - self._px(2), x1, y1), (*colour, 210))
        if shape.kind == "doubtful":  # what was made of it
            font = _font(self._px(15))
            self.draw.text((x0, y0 - self._px(1)), shape.text, (*colour, 255), font, anchor="ls")

    def _dashed(self, pixels: _Pixels, colour: _Colour) -> None:
        x0, y0, x1, y1 = pixels
        dash, gap, line = self._px(12), self._px(7), self._px(2)
        ink = (*colour, 170)
        for x in range(x0, x1, dash + gap):
            for y in (y0, y1):
                self.draw.rectangle((x, y, min(x + dash, x1), y + line - 1), ink)
        for y in range(y0, y1, dash + gap):
            for x in (x0, x1):
                self.draw.rectangle((x, y, x + line - 1, min(y + dash, y1)), ink)

    def tags(self, drawn: Sequence[Shape]) -> None:
        """Draws the tags, each where it covers no other and no mark."""
        taken = [self._pixels(s.box) for s in drawn if s.layer == "marks"]
        tagged = [shape for shape in drawn if shape.tag]
        for shape in sorted(tagged, key=lambda s: s.layer != "fields"):
            size = self._px(19 if shape.layer == "blocks" else 15)
            font = _font(size)
            left, top, right, bottom = self.draw.textbbox((0, 0), shape.tag, font)
            pad = self._px(4)
            width = round(right - left) + 2 * pad
            height = round(bottom - top) + 2 * pad
            place = self._place(shape, width, height, taken)
            taken.append(place)
            colour = _COLOURS[shape.kind]
            self.draw.rounded_rectangle(place, self._px(4), (*colour, 225))
            self.draw.text(
                ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2),
                shape.tag,
                _WHITE,
                font,
                anchor="mm",
            )

    def _place(self, shape: Shape, width: int, height: int, taken: Sequence[_Pixels]) -> _Pixels:
        x0, y0, x1, y1 = self._pixels(shape.box, 4)
        if shape.layer == "blocks":
            wanted = [
                (x0 - width - 2, y0),
                (x0, y0 - height),
                (x1 + 2, y0),
                (x0, y1),
                (x0 - width // 2, y0 - height // 2),
            ]
        else:
            wanted = [(x0, y0 - height), (x1 - width, y0 - height), (x0, y1), (x1 - width, y1)]
        places = []
        for x, y in wanted:
            left = min(max(0, x), self._width - width)
            upper = min(max(0, y), self._height - height)
            places.append((left, upper, left + width, upper + height))
        free = [p for p in places if not any(_overlap(p, other) for other in taken)]
        return (free or places)[0]


def _overlap(a: _Pixels, b: _Pixels) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


class _Legend:
    """The strip below the page: what it is, and what the colours mean."""

    def __init__(
        self, width: int, unit: float, facts: Sequence[str], used: set[tuple[Layer, str]]
    ) -> None:
        self._width, self._unit = width, unit
        self._font = _font(max(9, round(20 * unit)))
        self._facts = "  ·  ".join(fact for fact in facts if fact)
        entries = [(kind, text) for layer, kind, text in _LEGEND if (layer, kind) in used]
        self._rows = self._flow(entries)
        self._row = round(34 * unit)
        self.height = round(24 * unit) + self._row * (1 + len(self._rows))

    def _flow(self, entries: Sequence[tuple[str, str]]) -> list[list[tuple[int, str, str]]]:
        """Entries with their places, as many in a row as there is room for."""
        rows: list[list[tuple[int, str, str]]] = []
        margin, chip, gap = (round(v * self._unit) for v in (28, 38, 30))
        at = self._width
        for kind, text in entries:
            needed = chip + round(self._font.getlength(text)) + gap
            if at + needed > self._width - margin or not rows:
                rows.append([])
                at = margin
            rows[-1].append((at, kind, text))
            at += needed
        return rows

    def draw(self, draw: ImageDraw.ImageDraw, top: int) -> None:
        """Draws the strip from ``top`` on."""
        unit = self._unit
        draw.rectangle((0, top, self._width, top + self.height), _WHITE)
        draw.rectangle((0, top, self._width, top + max(1, round(2 * unit))), _EDGE)
        y = top + round(12 * unit) + self._row / 2
        draw.text((round(28 * unit), y), self._facts, _INK, self._font, anchor="lm")
        for row in self._rows:
            y += self._row
            for x, kind, text in row:
                self._chip(draw, x, y, kind)
                draw.text((x + round(36 * unit), y), text, _SOFT, self._font, anchor="lm")

    def _chip(self, draw: ImageDraw.ImageDraw, x: int, y: float, kind: str) -> None:
        colour, half = _COLOURS[kind], round(9 * self._unit)
        place = (x, round(y) - half, x + round(26 * self._unit), round(y) + half)
        line = max(1, round(2 * self._unit))
        fill = {"unchecked": 0, "rule": 14, "block": 0, "checked": 90}.get(kind, 60)
        draw.rounded_rectangle(place, 3, (*colour, fill), (*colour, 235), line)

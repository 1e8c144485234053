# SPDX-License-Identifier: Apache-2.0
"""Places to mark, and the many ways in which people mark them."""

# Places and sizes read better in their order than by name.
# ruff: noqa: PLR0917

from __future__ import annotations

import random
from typing import NamedTuple

from reportlab.lib.colors import black

from training.faxes.paper import Paper
from training.faxes.truth import Shape

STYLES: dict[Shape, tuple[str, ...]] = {
    "box": ("cross", "tick", "tick_over", "cross_over", "filled", "typed", "slash"),
    "circle": ("dot", "filled", "tick_over", "cross"),
    "oval": ("filled", "scribble", "tick_over"),
    "bracket": ("typed",),
}
"""What is done to a shape when it is chosen."""


class Pen(NamedTuple):
    """How one page's places to mark look, and how its writer marks them."""

    shape: Shape
    style: str
    side: float
    """Height of the shape, points."""
    border: float
    weight: float
    left_of: bool
    """Whether the shape stands left of its words (nearly always)."""


def draw_pen(rng: random.Random, size: float, shape: Shape | None = None) -> Pen:
    """Shape and habit of one group of options printed at ``size`` points."""
    usual: tuple[Shape, ...] = ("box", "box", "box", "circle", "oval", "bracket")
    chosen = shape if shape is not None else rng.choice(usual)
    return Pen(
        chosen,
        rng.choice(STYLES[chosen]),
        max(6.5, size * rng.uniform(0.8, 1.15)),
        rng.choice((0.5, 0.7, 0.9, 1.2)),
        rng.uniform(0.9, 1.9),
        rng.random() < 0.93,
    )


def draw_mark(
    paper: Paper, x: float, y: float, label: str, size: float, pen: Pen, *, checked: bool
) -> float:
    """One option, its baseline at ``y``; returns the x after it and its words."""
    words = paper.wide(label, size, paper.face.regular)
    gap = size * 0.45
    if pen.left_of:
        after = draw_shape(paper, x, y, label, size, pen, checked=checked)
        paper.text(after + gap, y, label, size)
        return after + gap + words
    paper.text(x, y, label, size)
    return draw_shape(paper, x + words + gap, y, label, size, pen, checked=checked)


def width_of(paper: Paper, label: str, size: float, pen: Pen) -> float:
    """The room an option needs."""
    across = {"oval": pen.side * 1.7, "bracket": paper.wide("[ X ]", size, paper.face.regular)}
    own = across.get(pen.shape, pen.side)
    return own + size * 0.45 + paper.wide(label, size, paper.face.regular)


def draw_shape(
    paper: Paper, x: float, y: float, label: str, size: float, pen: Pen, *, checked: bool
) -> float:
    """The place to mark alone, for words set at ``size`` on the baseline ``y``; returns its end."""
    middle = y - size * 0.34
    top, bottom = middle - pen.side / 2, middle + pen.side / 2
    if pen.shape == "bracket":
        return _bracket(paper, x, y, label, size, checked=checked)
    right = x + pen.side * (1.7 if pen.shape == "oval" else 1.0)
    if pen.shape == "box":
        paper.box(x, top, pen.side, pen.side, weight=pen.border)
    else:
        paper.ellipse(x, top, right, bottom, weight=pen.border)
    if checked:
        fill_mark(paper, (x, top, right, bottom), pen)
    style = pen.style if checked else ""
    paper.note_mark((x, top, right, bottom), label, pen.shape, style, checked=checked)
    return right


def _bracket(paper: Paper, x: float, y: float, label: str, size: float, *, checked: bool) -> float:
    # Drawn past the truth of words: what stands in brackets is a mark, no word.
    font = paper.face.regular
    room = paper.wide("[ X ]", size, font)
    paper.canvas.setFont(font, size)
    paper.canvas.setFillColor(black)
    paper.canvas.drawString(x, paper.height - y, "[")
    paper.canvas.drawRightString(x + room, paper.height - y, "]")
    if checked:
        letter = paper.rng.choice("XXx")
        paper.canvas.drawCentredString(x + room / 2, paper.height - y, letter)
    place = (x, y - size * 0.75, x + room, y + size * 0.15)
    paper.note_mark(place, label, "bracket", "typed" if checked else "", checked=checked)
    return x + room


def fill_mark(paper: Paper, place: tuple[float, float, float, float], pen: Pen) -> None:
    """What a writer does to a place that is chosen: left, top, right, bottom in points."""
    x0, y0, x1, y1 = place
    rng, wide, high = paper.rng, x1 - x0, y1 - y0

    def near(x: float, y: float) -> tuple[float, float]:
        return x + rng.uniform(-0.07, 0.07) * wide, y + rng.uniform(-0.07, 0.07) * high

    if pen.style in ("cross", "cross_over"):
        inset = 0.15 if pen.style == "cross" else -rng.uniform(0.1, 0.35)
        left, right = x0 + inset * wide, x1 - inset * wide
        top, bottom = y0 + inset * high, y1 - inset * high
        paper.stroke([near(left, top), near(right, bottom)], pen.weight)
        paper.stroke([near(right, top), near(left, bottom)], pen.weight)
    elif pen.style in ("tick", "tick_over"):
        over = 0.0 if pen.style == "tick" else rng.uniform(0.25, 0.6)
        points = [
            near(x0 + 0.15 * wide, y0 + 0.5 * high),
            near(x0 + 0.42 * wide, y0 + 0.85 * high),
            near(x0 + (0.88 + over) * wide, y0 + (0.14 - over) * high),
        ]
        paper.stroke(points, pen.weight)
    elif pen.style == "slash":
        paper.stroke([near(x0 + 0.1 * wide, y1), near(x1 - 0.1 * wide, y0)], pen.weight)
    elif pen.style == "typed":
        size = high * 1.02
        paper.canvas.setFont(paper.typed.bold, size)
        paper.canvas.setFillColor(black)
        paper.canvas.drawCentredString((x0 + x1) / 2, paper.height - y1 + 0.16 * high, "X")
    elif pen.style == "scribble":
        paper.scribble(x0 + 0.12 * wide, y0 + 0.1 * high, x1 - 0.12 * wide, y1 - 0.1 * high, 1.3)
    elif pen.style == "dot":
        inset = rng.uniform(0.2, 0.28)
        paper.ellipse(
            x0 + inset * wide,
            y0 + inset * high,
            x1 - inset * wide,
            y1 - inset * high,
            weight=0,
            fill=True,
        )
    elif pen.shape == "box":
        paper.box(x0, y0, wide, high, fill=black, weight=pen.border)
    else:
        paper.ellipse(x0, y0, x1, y1, weight=pen.border, fill=True)

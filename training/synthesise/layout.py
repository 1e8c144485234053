# SPDX-License-Identifier: Apache-2.0
"""Mechanisms: the ways in which forms put labels and values on paper.

A mechanism draws a list of :class:`Item` between two x-coordinates and returns the y below them.
Families combine mechanisms; nothing here knows a document type.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from idp.document import Box
from training.synthesise.canvas import Canvas, End, Tag, width_of
from training.synthesise.values import DateStyle

LABEL = Tag("LABEL")
TITLE = Tag("TITLE")


@dataclass(frozen=True)
class Style:
    """What is the same on every page of a family."""

    size: float
    leading: float
    case: str
    colon: str
    label_scale: float
    gap: float
    left: float
    right: float
    underline: bool
    filled: bool
    numbered: bool
    caps_values: bool
    date: DateStyle
    dob: DateStyle
    name: str
    provider: str
    phone: int
    money: int
    joiner: str
    marks_before: bool


@dataclass(frozen=True)
class Item:
    """One labelled place on a form; ``texts`` empty is a blank one."""

    key: str
    label: str
    role: str
    party: str = ""
    field: str | None = None
    texts: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    chosen: int | None = None
    long: bool = False
    comb: int = 0
    weight: float = 1.0
    truth: tuple[str, str] | None = None
    """A value in several parts: the field and its whole text, entered by the first part."""

    @property
    def tag(self) -> Tag:
        return Tag(self.role, self.party, self.field)


class Area(NamedTuple):
    """Where a mechanism draws: between two x-coordinates, from a y downwards."""

    x0: float
    x1: float
    y: float


Mechanism = Callable[[Canvas, Style, random.Random, Sequence[Item], Area], float]


def print_label(style: Style, text: str, *, colon: bool = True) -> str:
    """A label in the family's case, with its colon."""
    if style.case == "upper":
        text = text.upper()
    elif style.case == "lower" and len(text) > 5:
        text = text[0] + text[1:].lower()
    if not colon or text.endswith(("?", ":")):
        return text
    return text + style.colon


def draw_value(canvas: Canvas, style: Style, item: Item, at: End, xmax: float) -> End:
    """Draws what is filled in, or enters a blank into the truth."""
    if item.truth:
        canvas.note(*item.truth)
    if item.options:
        return _draw_options(canvas, style, item, at, xmax)
    if not item.texts:
        if item.field:
            canvas.note(item.field, "")
        return at
    if item.comb:
        return _draw_comb(canvas, item, at, xmax)
    return _draw_list(canvas, style, item, at, xmax)


def _draw_list(canvas: Canvas, style: Style, item: Item, at: End, xmax: float) -> End:
    left = at.x
    end = at
    for place, text in enumerate(item.texts):
        last = place == len(item.texts) - 1
        x, y = end
        stack = place and style.joiner == "stack"
        if stack or (x > left and x + width_of(text, canvas.size) > xmax):
            x, y = left, y + canvas.line
        if item.field:
            canvas.note(item.field, text)
        printed = text + ("," if style.joiner == "comma" and not last else "")
        end = canvas.text(x, y, printed, item.tag, xmax=xmax, truth=False)
        if not last and style.joiner in ("slash", "semicolon"):
            joiner = "/" if style.joiner == "slash" else ";"
            end = canvas.text(end.x, end.y, joiner, xmax=xmax)
    return end


def _draw_options(canvas: Canvas, style: Style, item: Item, at: End, xmax: float) -> End:
    left, (x, y) = at.x, at
    if item.field:
        chosen = item.options[item.chosen] if item.chosen is not None else ""
        canvas.note(item.field, chosen)
    for place, option in enumerate(item.options):
        width = width_of(option, canvas.size) + canvas.size * 2.4
        if x > left and x + width > xmax:
            x, y = left, y + canvas.line * 1.1
        checked = place == item.chosen
        if style.marks_before:
            x = canvas.mark(x, y, option, checked=checked)
            x = canvas.text(x, y, option, xmax=0.99).x
        else:
            x = canvas.text(x, y, option, xmax=0.99).x
            x = canvas.mark(x, y, option, checked=checked)
        x += canvas.size
    return End(x, y)


def _draw_comb(canvas: Canvas, item: Item, at: End, xmax: float) -> End:
    x, y = at
    text = item.texts[0]
    count = max(item.comb, len(text))
    pitch = min(canvas.size * 1.15, (xmax - x) / count)
    for place in range(count):
        canvas.cell(
            Box(x + place * pitch, y - 0.002, x + (place + 1) * pitch, y + canvas.size + 0.002)
        )
    spots = [(x + i * pitch + pitch * 0.2, y, c) for i, c in enumerate(text) if c != " "]
    canvas.parts(spots, item.tag, xmax=0.999, joined=text)
    return End(x + count * pitch, y)


def pack(items: Sequence[Item], columns: int) -> list[list[Item]]:
    """Rows of items whose weights fill ``columns``; a long text has a row of its own."""
    rows: list[list[Item]] = []
    room = 0.0
    for item in items:
        weight = columns if item.long else min(columns, item.weight)
        if not rows or weight > room + 1e-6:
            rows.append([])
            room = float(columns)
        rows[-1].append(item)
        room -= weight
    return rows


def _spread(
    row: Sequence[Item], columns: int, x0: float, x1: float
) -> list[tuple[Item, float, float]]:
    weights = [columns if i.long else min(columns, i.weight) for i in row]
    total = max(float(columns) if len(row) == 1 else sum(weights), 1.0)
    spots, x = [], x0
    for item, weight in zip(row, weights, strict=True):
        width = (x1 - x0) * weight / total
        spots.append((item, x, x + width))
        x += width
    return spots


def inline(columns: int, *, aligned: bool = False, leader: bool = False) -> Mechanism:
    """Label, colon, value behind it; in columns; on a line, or after a dotted leader."""

    def draw(
        canvas: Canvas,
        style: Style,
        rng: random.Random,
        items: Sequence[Item],
        area: Area,
    ) -> float:
        x0, x1, y = area
        for row in pack(items, columns):
            bottom = y
            for item, left, right in _spread(row, columns, x0, x1):
                text = print_label(style, item.label)
                end = canvas.text(left, y, text, LABEL, scale=style.label_scale, xmax=right - 0.01)
                start = end.x + canvas.size * 0.25
                if aligned:
                    start = max(start, left + (right - left) * 0.42)
                if leader:
                    dots = "." * rng.randint(6, 14)
                    start = canvas.text(end.x, end.y, dots, xmax=right).x
                if start > right - 0.05 or (item.long and rng.random() < 0.5):
                    start, end = left + 0.01, End(end.x, end.y + canvas.line)
                value = draw_value(canvas, style, item, End(start, end.y), right - 0.012)
                if style.underline and not item.options:
                    canvas.horizontal(start, right - 0.015, value.y + canvas.size * 1.05)
                bottom = max(bottom, value.y, end.y)
            y = bottom + canvas.line * style.gap
        return y

    return draw


def boxed(columns: int, *, numbered: bool = False) -> Mechanism:
    """Ruled boxes with a small label at the top and the value beneath it."""

    def draw(
        canvas: Canvas,
        style: Style,
        rng: random.Random,
        items: Sequence[Item],
        area: Area,
    ) -> float:
        x0, x1, y = area
        number = rng.randint(1, 30)
        for row in pack(items, columns):
            spots = _spread(row, columns, x0, x1)
            bottom = y + canvas.size * 2.3
            for item, left, right in spots:
                label = print_label(style, item.label, colon=style.colon == ":")
                if numbered:
                    label = f"{number}. {label}"
                    number += 1
                end = canvas.text(
                    left + 0.006,
                    y + canvas.size * 0.12,
                    label,
                    LABEL,
                    scale=style.label_scale,
                    xmax=right - 0.004,
                )
                beside = (
                    item.options
                    and end.x + width_of(" ".join(item.options), canvas.size) < right - 0.08
                )
                if beside:
                    end = draw_value(canvas, style, item, End(end.x + 0.01, end.y), right)
                else:
                    top = end.y + canvas.size * style.label_scale * 1.12
                    end = draw_value(canvas, style, item, End(left + 0.009, top), right - 0.006)
                bottom = max(bottom, end.y + canvas.size * 1.15)
            if any(item.long for item in row):
                bottom += canvas.line * rng.randint(0, 2)
            for _, left, right in spots:
                canvas.cell(Box(left, y, right, bottom))
            y = bottom
        return y + canvas.line * 0.4

    return draw


def grid(columns: int) -> Mechanism:
    """A ruled table: label cell left, value cell right."""

    def draw(
        canvas: Canvas,
        style: Style,
        rng: random.Random,
        items: Sequence[Item],
        area: Area,
    ) -> float:
        x0, x1, y = area
        share = rng.uniform(0.3, 0.45)
        for row in pack(items, columns):
            spots = _spread(row, columns, x0, x1)
            bottom = y + canvas.size * 1.5
            for item, left, right in spots:
                middle = left + (right - left) * (share if columns > 1 else share * 0.8)
                top = y + canvas.size * 0.2
                label = print_label(style, item.label)
                end = canvas.text(
                    left + 0.006, top, label, LABEL, scale=style.label_scale, xmax=middle - 0.004
                )
                value = draw_value(canvas, style, item, End(middle + 0.006, top), right - 0.005)
                bottom = max(bottom, end.y + canvas.size * 1.3, value.y + canvas.size * 1.3)
            for _, left, right in spots:
                middle = left + (right - left) * (share if columns > 1 else share * 0.8)
                canvas.cell(Box(left, y, middle, bottom))
                canvas.cell(Box(middle, y, right, bottom))
            y = bottom
        return y + canvas.line * 0.5

    return draw


def stacked(columns: int) -> Mechanism:
    """Label above value, no ruling lines."""

    def draw(
        canvas: Canvas,
        style: Style,
        rng: random.Random,
        items: Sequence[Item],
        area: Area,
    ) -> float:
        x0, x1, y = area
        for row in pack(items, columns):
            bottom = y
            for item, left, right in _spread(row, columns, x0, x1):
                label = print_label(style, item.label, colon=rng.random() < 0.5)
                end = canvas.text(left, y, label, LABEL, scale=style.label_scale, xmax=right - 0.01)
                top = end.y + canvas.line * 0.95
                end = draw_value(canvas, style, item, End(left + 0.002, top), right - 0.012)
                bottom = max(bottom, end.y)
                if style.underline and not item.options:
                    canvas.horizontal(left, right - 0.02, end.y + canvas.size * 1.05)
            y = bottom + canvas.line * (style.gap + 0.2)
        return y

    return draw


def label_below(columns: int) -> Mechanism:
    """Value on a line, its label in small print beneath the line."""

    def draw(
        canvas: Canvas,
        style: Style,
        rng: random.Random,
        items: Sequence[Item],
        area: Area,
    ) -> float:
        x0, x1, y = area
        for row in pack(items, columns):
            spots = _spread(row, columns, x0, x1)
            if any(item.options for item in row):
                y = inline(columns)(canvas, style, rng, row, Area(x0, x1, y))
                continue
            bottom = y
            for item, left, right in spots:
                end = draw_value(canvas, style, item, End(left + 0.004, y), right - 0.02)
                bottom = max(bottom, end.y)
            for item, left, right in spots:
                canvas.horizontal(left, right - 0.02, bottom + canvas.size * 1.02)
                label = print_label(style, item.label, colon=False)
                canvas.text(left, bottom + canvas.size * 1.12, label, LABEL, scale=0.8, xmax=right)
            y = bottom + canvas.size * 1.1 + canvas.line * (0.8 + style.gap)
        return y

    return draw


@dataclass(frozen=True)
class Column:
    """One column of a table: its header and the value of each row."""

    header: str
    role: str
    party: str = ""
    field: str | None = None
    width: float = 1.0
    texts: tuple[str, ...] = ()
    right: bool = False


def table(
    canvas: Canvas,
    style: Style,
    columns: Sequence[Column],
    area: Area,
    *,
    ruled: bool,
    scale: float = 0.9,
    blank_rows: int = 0,
) -> float:
    """Draws a table with a header row; blank cells are blank, blank rows follow the filled ones."""
    x0, x1, y = area
    total = sum(c.width for c in columns)
    edges = [x0]
    for column in columns:
        edges.append(edges[-1] + (x1 - x0) * column.width / total)
    top, line = y, canvas.size * scale * canvas.leading
    bottom = y + line
    for column, left, right in zip(columns, edges, edges[1:], strict=False):
        header = print_label(replace(style, colon=""), column.header)
        end = canvas.text(left + 0.004, y, header, LABEL, scale=scale * 0.95, xmax=right - 0.002)
        bottom = max(bottom, end.y + line)
    rows = max((len(c.texts) for c in columns), default=0)
    lines = [(top, bottom)]
    y = bottom
    for row in range(rows + blank_rows):
        bottom = y + line * (1.15 if ruled else 1.0)
        for column, left, right in zip(columns, edges, edges[1:], strict=False):
            text = column.texts[row] if row < len(column.texts) else ""
            if not text:
                continue
            start = left + 0.005
            if column.right:
                width = width_of(text, canvas.size * scale)
                start = max(start, right - width - 0.008)
            tag = Tag(column.role, column.party, column.field)
            end = canvas.text(
                start, y + canvas.size * 0.1, text, tag, scale=scale, xmax=right - 0.003
            )
            bottom = max(bottom, end.y + line)
        lines.append((y, bottom))
        y = bottom
    if ruled:
        for upper, lower in lines:
            for left, right in pairwise(edges):
                canvas.cell(Box(left, upper - 0.001, right, lower - 0.001))
    return y + canvas.line * 0.5


MECHANISMS: dict[str, Mechanism] = {
    "inline1": inline(1),
    "inline2": inline(2),
    "inline3": inline(3),
    "inline4": inline(4),
    "aligned1": inline(1, aligned=True),
    "aligned2": inline(2, aligned=True),
    "boxed2": boxed(2),
    "boxed3": boxed(3),
    "boxed4": boxed(4),
    "boxed5": boxed(5),
    "grid1": grid(1),
    "grid2": grid(2),
    "stacked2": stacked(2),
    "stacked3": stacked(3),
    "stacked4": stacked(4),
}
"""What training families are built from."""

HELD_OUT_MECHANISMS: dict[str, Mechanism] = {
    "below3": label_below(3),
    "below2": label_below(2),
    "leader1": inline(1, leader=True),
    "numbered3": boxed(3, numbered=True),
    "numbered4": boxed(4, numbered=True),
}
"""What no training family has: half of the sections of a held-out family."""

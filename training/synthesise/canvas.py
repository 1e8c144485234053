# SPDX-License-Identifier: Apache-2.0
"""A page being drawn: words with what they are, ruling lines, cells and marks.

Units are page-relative (0..1). Every value is drawn with a :class:`Tag`, so the truth is what was
drawn, never what was meant to be drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from idp.document import Box

ASPECT = 11 / 8.5
"""Height of a page in widths: a character as wide as high needs so much more of the width."""
_CHARACTER = 0.43 * ASPECT
_NARROW = frozenset("iIl.,:;'|!()[]1-")
_WIDE = frozenset("mwMW@%#")


class Tag(NamedTuple):
    """What a drawn value is: its role, whose it is, and the field it fills, if any is wanted."""

    role: str
    party: str = ""
    field: str | None = None


@dataclass
class Drawn:
    """One word on the page; ``span`` is the value it belongs to, 0 for all that is no value."""

    text: str
    box: Box
    role: str = "O"
    party: str = ""
    span: int = 0
    run: int = 0
    gap: float = 0.0


@dataclass
class DrawnMark:
    """A check box on the page."""

    box: Box
    checked: bool
    label: str


@dataclass
class Sheet:
    """All that is drawn on one page."""

    words: list[Drawn] = field(default_factory=list)
    marks: list[DrawnMark] = field(default_factory=list)
    rules: list[tuple[str, Box]] = field(default_factory=list)
    cells: list[Box] = field(default_factory=list)


@dataclass
class Value:
    """One value as drawn: what the truth file will say."""

    field: str
    text: str
    page: int


class End(NamedTuple):
    """Where a text ended: the x after its last word, and the top of its last line."""

    x: float
    y: float


def width_of(text: str, size: float) -> float:
    """How wide a text of that height is drawn."""
    units = 0.0
    for character in text:
        if character in _NARROW:
            units += 0.62
        elif character in _WIDE:
            units += 1.4
        else:
            units += 1.18 if character.isupper() else 1.0
    return units * size * _CHARACTER


class Canvas:
    """Draws on a growing number of pages; ``new_page`` starts the next one."""

    def __init__(self, *, size: float, leading: float) -> None:
        self.size = size
        self.leading = leading
        self.sheets = [Sheet()]
        self.values: list[Value] = []
        self._spans = 0
        self._runs = 0

    @property
    def sheet(self) -> Sheet:
        return self.sheets[-1]

    @property
    def line(self) -> float:
        """The distance from one line of text to the next."""
        return self.size * self.leading

    def new_page(self) -> None:
        """Starts the next page."""
        self.sheets.append(Sheet())

    def checkpoint(self) -> tuple[int, int, int, int, int]:
        """Where this page stands now, for :meth:`carry_over`."""
        sheet = self.sheet
        return (
            len(sheet.words),
            len(sheet.marks),
            len(sheet.rules),
            len(sheet.cells),
            len(self.values),
        )

    def carry_over(self, since: tuple[int, int, int, int, int], top: float, down: float) -> float:
        """Moves what was drawn since a checkpoint from ``top`` to a new page; returns its end."""
        old = self.sheet
        words, marks, rules, cells, values = since
        shift = 0.06 - top
        self.new_page()
        new = self.sheet

        def moved(box: Box) -> Box:
            return Box(box.x0, box.y0 + shift, box.x1, box.y1 + shift)

        for word in old.words[words:]:
            word.box = moved(word.box)
        for mark in old.marks[marks:]:
            mark.box = moved(mark.box)
        new.words, old.words = old.words[words:], old.words[:words]
        new.marks, old.marks = old.marks[marks:], old.marks[:marks]
        new.rules = [(kind, moved(box)) for kind, box in old.rules[rules:]]
        new.cells = [moved(box) for box in old.cells[cells:]]
        del old.rules[rules:], old.cells[cells:]
        for value in self.values[values:]:
            value.page = len(self.sheets)
        return down + shift

    def note(self, name: str, text: str) -> None:
        """Enters a value that is drawn otherwise (a check mark, several parts) into the truth."""
        self.values.append(Value(name, text, len(self.sheets)))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        tag: Tag | None = None,
        *,
        scale: float = 1.0,
        xmax: float = 0.96,
        truth: bool = True,
        wrap_to: float | None = None,
    ) -> End:
        """Draws a text that wraps at ``xmax``; a value's tag enters it into the truth."""
        size = self.size * scale
        space = size * _CHARACTER * 0.75
        left, span, self._runs = x if wrap_to is None else wrap_to, 0, self._runs + 1
        if tag is not None:
            self._spans += 1
            span = self._spans
            if tag.field and truth:
                self.note(tag.field, text)
        for word in text.split():
            width = width_of(word, size)
            if x + width > xmax and x > left:
                x, y = left, y + size * self.leading
                self._runs += 1
            self.sheet.words.append(
                Drawn(
                    word,
                    Box(x, y, x + width, y + size),
                    tag.role if tag else "O",
                    tag.party if tag else "",
                    span,
                    self._runs,
                    space,
                )
            )
            x += width + space
        return End(x, y)

    def parts(
        self, spots: Sequence[tuple[float, float, str]], tag: Tag, *, xmax: float, joined: str
    ) -> None:
        """Draws one value in several places (comb boxes, street and city) as one truth."""
        self._spans += 1
        span = self._spans
        if tag.field:
            self.note(tag.field, joined)
        for x, y, text in spots:
            before = len(self.sheet.words)
            self.text(x, y, text, tag, xmax=xmax, truth=False)
            for word in self.sheet.words[before:]:
                word.span = span

    def rule(self, box: Box) -> None:
        """Draws a ruling line along the longer side of the box."""
        flat = box.width * 1.0 >= box.height
        self.sheet.rules.append(("horizontal" if flat else "vertical", box))

    def horizontal(self, x0: float, x1: float, y: float) -> None:
        """Draws a horizontal line."""
        self.rule(Box(x0, y, x1, y + 0.0009))

    def vertical(self, x: float, y0: float, y1: float) -> None:
        """Draws a vertical line."""
        self.rule(Box(x, y0, x + 0.0011, y1))

    def cell(self, box: Box) -> None:
        """Draws a rectangle with its four sides."""
        self.horizontal(box.x0, box.x1, box.y0)
        self.horizontal(box.x0, box.x1, box.y1)
        self.vertical(box.x0, box.y0, box.y1)
        self.vertical(box.x1, box.y0, box.y1)
        self.sheet.cells.append(box)

    def mark(self, x: float, y: float, label: str, *, checked: bool, scale: float = 1.0) -> float:
        """Draws a check box; returns the x where its option's words begin."""
        side = self.size * 0.8 * scale
        box = Box(x, y + self.size * 0.1, x + side * ASPECT, y + self.size * 0.1 + side)
        self.sheet.marks.append(DrawnMark(box, checked, label))
        return box.x1 + self.size * 0.3

# SPDX-License-Identifier: Apache-2.0
"""Pages with words where a printer would set them, and the order they are meant to be read in."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from idp.document import Box, Cell, Page, Rule, Word

WIDTH, HEIGHT, DPI = 1700, 2200, 200
_LETTERS = 0.5  # of the line's height, an average letter's width

_TEXT = (
    "the patient was seen for pain in the lower back which has not improved with therapy and "
    "medication over several weeks imaging shows a narrow disc space without fracture she reports "
    "numbness of the left leg when walking more than a short way no fever or weight loss is noted "
    "we ask for approval of further treatment as described below in accordance with your policy"
)
_WORDS = _TEXT.split()


@dataclass
class Sheet:
    """A page that is being set; ``order`` is the true order of all words put on it."""

    dice: random.Random = field(default_factory=lambda: random.Random(7))
    size: float = 24
    """Height of a line's print in pixels."""
    words: list[tuple[str, float, float, float]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    def line(self, x: float, y: float, text: str, size: float | None = None) -> float:
        """Sets one line with its top left corner at (x, y); returns where it ends."""
        height = size or self.size
        for word in text.split():
            self.words.append((word, x, y, height))
            x += (len(word) + 0.6) * _LETTERS * height
        return x - 0.6 * _LETTERS * height

    def prose(self, x: float, y: float, width: float, lines: int, leading: float = 1.35) -> float:
        """Sets ragged prose; returns the top of the line after it."""
        upper = True
        for _ in range(lines):
            at, chosen = 0.0, []
            while True:
                word = self.dice.choice(_WORDS)
                if self.dice.random() < 0.1:
                    word += "."
                step = (len(word) + 0.6) * _LETTERS * self.size
                if chosen and at + step > width:
                    break
                chosen.append(word.capitalize() if upper else word)
                upper = word.endswith(".")
                at += step
            self.line(x, y, " ".join(chosen))
            y += leading * self.size
        return y

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """A cell with its four rules."""
        box = _box(x, y, width, height)
        self.cells.append(Cell(box=box))
        for top in (y, y + height):
            self.rules.append(Rule(orientation="horizontal", box=_box(x, top, width, 2)))
        for left in (x, x + width):
            self.rules.append(Rule(orientation="vertical", box=_box(left, y, 2, height)))

    def page(self) -> tuple[Page, list[int]]:
        """The page with its words numbered row by row, and their ids in the order of setting."""
        rows: list[list[int]] = []
        by_height = sorted(range(len(self.words)), key=self._middle)
        for i in by_height:
            close = rows and self._middle(i) - self._middle(rows[-1][0]) < 0.34 * self.size
            if close:
                rows[-1].append(i)
            else:
                rows.append([i])
        words, ids = [], {}
        for number, row in enumerate(rows):
            for i in sorted(row, key=lambda j: self.words[j][1]):
                text, x, y, height = self.words[i]
                ids[i] = len(words)
                wide = len(text) * _LETTERS * height
                words.append(
                    Word(
                        id=len(words),
                        text=text,
                        confidence=0.97,
                        box=_box(x, y, wide, height),
                        line=number,
                    )
                )
        page = Page(
            number=1,
            width_px=WIDTH,
            height_px=HEIGHT,
            dpi=DPI,
            words=tuple(words),
            rules=tuple(self.rules),
            cells=tuple(self.cells),
        )
        return page, [ids[i] for i in range(len(self.words))]

    def _middle(self, i: int) -> float:
        _, _, y, height = self.words[i]
        return y + height / 2


def _box(x: float, y: float, width: float, height: float) -> Box:
    """A page-relative box, rounded as the reader's are."""
    return Box(
        round(x / WIDTH, 5),
        round(y / HEIGHT, 5),
        round(min(1.0, (x + width) / WIDTH), 5),
        round(min(1.0, (y + height) / HEIGHT), 5),
    )

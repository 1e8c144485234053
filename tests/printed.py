# SPDX-License-Identifier: Apache-2.0
"""Pages with words where a printer would set them, and the order they are meant to be read in.

A :class:`Sheet` is set by one of the ``LAYOUTS``; it becomes a page with exact boxes at once, or a
PDF for those who want to read it with their own eyes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from idp.document import Box, Cell, Page, Rule, Word

WIDTH, HEIGHT, DPI = 1700, 2200, 200
_POINTS = 72 / DPI

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
    font: str = "Helvetica"
    words: list[tuple[str, float, float, float]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    def width(self, text: str, size: float | None = None) -> float:
        """How wide a text is; print is about as high as its font's size."""
        return stringWidth(text, self.font, size or self.size)

    def line(self, x: float, y: float, text: str, size: float | None = None) -> float:
        """Sets one line with its top left corner at (x, y); returns where it ends."""
        for word in text.split():
            self.words.append((word, x, y, size or self.size))
            x += self.width(f"{word} ", size)
        return x - self.width(" ", size)

    def stack(self, x: float, y: float, lines: list[str], leading: float = 1.35) -> float:
        """Sets lines below one another; returns the top of the line after them."""
        for text in lines:
            self.line(x, y, text)
            y += leading * self.size
        return y

    def prose(self, x: float, y: float, width: float, lines: int, leading: float = 1.35) -> float:
        """Sets ragged prose; returns the top of the line after it."""
        upper = True
        for _ in range(lines):
            text = ""
            while True:
                word = self.dice.choice(_WORDS)
                word = word.capitalize() if upper else word
                if self.dice.random() < 0.1:
                    word += "."
                if text and self.width(f"{text} {word}") > width:
                    break
                text = f"{text} {word}".strip()
                upper = word.endswith(".")
            self.line(x, y, text)
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

    def pdf(self, path: Path) -> Path:
        """The sheet as a PDF of one page."""
        canvas = Canvas(str(path), pagesize=(WIDTH * _POINTS, HEIGHT * _POINTS), invariant=1)
        for text, x, y, size in self.words:
            canvas.setFont(self.font, size * _POINTS)
            canvas.drawString(x * _POINTS, (HEIGHT - y - 0.8 * size) * _POINTS, text)
        canvas.setLineWidth(2 * _POINTS)
        for rule in self.rules:
            box = rule.box
            level = rule.orientation == "horizontal"
            x0, y0 = box.x0 * WIDTH, HEIGHT * (1 - box.y0)
            x1 = box.x1 * WIDTH if level else x0
            y1 = y0 if level else HEIGHT * (1 - box.y1)
            canvas.line(x0 * _POINTS, y0 * _POINTS, x1 * _POINTS, y1 * _POINTS)
        canvas.save()
        return path

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
                wide = self.width(text, height)
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


def _words(dice: random.Random, count: int) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(count))


def _address(dice: random.Random) -> list[str]:
    town = dice.choice(["Fairhaven, OH 45011", "Springfield, IL 62701", "Millbrook, TX 75001"])
    street = dice.choice(["Elm Street", "Harbor View Ave", "W Iron Avenue", "Alder Creek Rd"])
    return [f"{dice.randint(2, 9999)} {street}", town]


def _name(dice: random.Random) -> str:
    first = dice.choice(["Marisol", "Philippa", "Ingrid", "Lorenzo", "Tamsin"])
    return f"{first} {dice.choice(['Quill', 'Montrose', 'Lindqvist', 'Abernathy'])}"


def _phone(dice: random.Random) -> str:
    return f"({dice.randint(200, 989)}) 555-01{dice.randint(10, 99)}"


def _labels(dice: random.Random) -> list[str]:
    lines = [
        f"Name: {_name(dice)}",
        f"NPI: {dice.randint(10**9, 2 * 10**9)}",
        f"Phone: {_phone(dice)}",
        f"Fax: {_phone(dice)}",
        f"Address: {' '.join(_address(dice))}",
    ]
    return lines[: dice.randint(3, 5)]


def two_columns(sheet: Sheet) -> None:
    """A title, two columns of prose of unequal length, a page number."""
    dice = sheet.dice
    if dice.random() < 0.7:
        sheet.line(dice.choice([100, 450]), 120, "Notice of Privacy Practices", 44)
    gutter = dice.uniform(36, 90)
    width = (1500 - gutter) / 2
    for column in range(2):
        left, top = 100 + column * (width + gutter), 240 + dice.uniform(0, 20)
        for _ in range(dice.randint(2, 4)):
            top = sheet.prose(left, top, width, dice.randint(4, 13)) + dice.choice([0, 20])
    sheet.line(780, 2100, "Page 2 of 3")


def three_columns(sheet: Sheet) -> None:
    """A newsletter: three columns with a head over each piece."""
    dice = sheet.dice
    sheet.line(100, 100, "Provider News", 56)
    gutter = dice.uniform(34, 60)
    width = (1500 - 2 * gutter) / 3
    for column in range(3):
        left, top = 100 + column * (width + gutter), 220.0
        for _ in range(dice.randint(2, 4)):
            sheet.line(left, top, _words(dice, 3).title(), 30)
            top = sheet.prose(left, top + 46, width, dice.randint(5, 12)) + 24


def letter(sheet: Sheet) -> None:
    """An address at the left, facts at the right at other heights, prose below."""
    dice = sheet.dice
    sheet.line(100, 100, "Acme Health Plan", 34)
    top = 240.0
    end = sheet.stack(100, top, [_name(dice), *_address(dice)])
    facts = [f"Date: 0{dice.randint(1, 9)}/12/2026", f"Member ID: XK{dice.randint(10**5, 10**6)}"]
    facts += [f"Reference: {dice.randint(10**6, 10**7)}", f"Phone: {_phone(dice)}"]
    sheet.stack(1050, top + dice.choice([9, 13, 40]), facts[: dice.randint(3, 4)], 1.6)
    top = end + 160
    sheet.line(100, top, f"Dear {_name(dice)}:")
    top += 60
    for _ in range(3):
        top = sheet.prose(100, top, 1500, dice.randint(3, 6)) + 24
    sheet.stack(100, top + 30, ["Sincerely,", _name(dice), "Medical Director"])


def table_between_columns(sheet: Sheet) -> None:
    """Two columns of prose, a table without rules across the page, two columns again."""
    dice = sheet.dice
    top = 150.0
    for part in range(2):
        ends = [
            sheet.prose(left, top + dice.uniform(0, 16), 715, dice.randint(7, 14))
            for left in (100, 885)
        ]
        top = max(ends) + 70
        if part == 0:
            table(sheet, top)
            top = max(y for _, _, y, _ in sheet.words) + 110


def table(sheet: Sheet, top: float = 300) -> None:
    """A table without rules: heads, and rows of text, dates and amounts."""
    dice = sheet.dice
    places = [100, 520, 760, 960, 1160, 1360][: dice.randint(3, 6)]
    heads = ["Service", "Date", "Code", "Billed", "Allowed", "Paid"]
    for x, head in zip(places, heads, strict=False):
        sheet.line(x, top, head)
    for n in range(dice.randint(3, 9)):
        row = ["Office visit, established", f"0{n + 1}/12/2026", f"992{dice.randint(10, 15)}"]
        row += [f"{dice.randint(20, 400)}.{dice.randint(10, 99)}" for _ in range(3)]
        for x, text in zip(places, row, strict=False):
            sheet.line(x, top + 50 + 38 * n, text)


def parties(sheet: Sheet) -> None:
    """Titled blocks of labels side by side, then prose."""
    dice = sheet.dice
    sheet.line(500, 100, "Referral Request", 44)
    heads = dice.choice(
        [("Referring Provider", "Servicing Provider"), ("Patient", "Provider"), ("From", "To")]
    )
    ends = []
    for left, head in zip((100, 900), heads, strict=True):
        sheet.line(left, 240, head)
        ends.append(sheet.stack(left, 284, _labels(dice), 1.5))
    sheet.prose(100, max(ends) + 60, 1500, dice.randint(3, 8))


def rows_of_labels(sheet: Sheet) -> None:
    """A form without rules whose labels stand in two or three columns, read row by row."""
    dice = sheet.dice
    sheet.line(100, 120, "Member Information", 36)
    names = ["Name", "Date of birth", "Sex", "Phone", "Group", "Plan", "Address", "City", "ZIP"]
    columns = dice.choice([2, 3])
    values = [_name(dice), "04/09/1961", "Female", _phone(dice), "77120", "Gold Choice"]
    values += ["12 Elm Street", "Springfield", "62701"]
    pairs = list(zip(names, values, strict=True))
    for n, (name, value) in enumerate(pairs):
        x = 100 + (n % columns) * 1500 / columns
        sheet.line(x, 220 + 52 * (n // columns), f"{name}: {value}")
    sheet.prose(100, 760, 1500, 5)


def ruled_form(sheet: Sheet) -> None:
    """Cells with a small label above a value of one line or two."""
    dice = sheet.dice
    top = 200.0
    for _ in range(dice.randint(3, 7)):
        columns = dice.randint(1, 4)
        width, height = 1500 / columns, dice.choice([84, 116])
        for column in range(columns):
            left = 100 + column * width
            sheet.frame(left, top, width, height)
            sheet.line(left + 10, top + 8, f"{_words(dice, 2).title()}", 18)
            sheet.stack(left + 10, top + 36, [_name(dice), *_address(dice)][: 1 + (height > 100)])
        top += height
    sheet.prose(100, top + 60, 1500, 3)


def sidebar(sheet: Sheet) -> None:
    """A narrow column of names beside a letter."""
    dice = sheet.dice
    sheet.line(100, 100, "Lakeside Family Medicine", 40)
    sheet.size = 20
    top = 260.0
    for _ in range(dice.randint(3, 6)):
        top = sheet.stack(100, top, [f"{_name(dice)}, MD", "Family Practice", _phone(dice)]) + 30
    sheet.size = 24
    top = 270.0
    for _ in range(dice.randint(2, 4)):
        top = sheet.prose(480, top, 1120, dice.randint(4, 9)) + 26


def terms(sheet: Sheet) -> None:
    """Short terms at the left, what they mean at the right."""
    dice = sheet.dice
    top = 200.0
    for _ in range(dice.randint(4, 8)):
        sheet.line(100, top, _words(dice, 2).title())
        top = sheet.prose(520, top, 1080, dice.randint(1, 4)) + 22


LAYOUTS: tuple[Callable[[Sheet], None], ...] = (
    two_columns,
    three_columns,
    letter,
    table_between_columns,
    table,
    parties,
    rows_of_labels,
    ruled_form,
    sidebar,
    terms,
)


def in_order(order: list[int], true: list[int]) -> float:
    """Share of neighbours in the true order that are neighbours here too."""
    place = {word: i for i, word in enumerate(order)}
    pairs = list(pairwise(true))
    return sum(place[b] == place[a] + 1 for a, b in pairs) / max(1, len(pairs))

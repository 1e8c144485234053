# SPDX-License-Identifier: Apache-2.0
"""The pages: forms, rows of options, remittance tables, letters, small print, combs."""

# Places and sizes read better in their order than by name.
# ruff: noqa: PLR0917

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from reportlab.lib.colors import white
from reportlab.lib.utils import simpleSplit

from idp.samples.sheet import DARK, SHADE
from training.faxes import content
from training.faxes.marks import Pen, draw_mark, draw_pen, width_of
from training.faxes.paper import Paper
from training.faxes.truth import Shape
from training.synthesise import values as v
from training.synthesise.values import Split


@dataclass(frozen=True)
class Style:
    """What one page keeps to."""

    split: Split
    size: float
    """Of its print, points."""
    label_bold: bool
    value_typed: bool
    shaded: bool
    weight: float
    margin: float


def draw_style(rng: random.Random, split: Split) -> Style:
    """The style of one page."""
    return Style(
        split,
        rng.choice((8.0, 8.5, 9.0, 9.5, 10.0, 10.0, 11.0, 12.0)),
        rng.random() < 0.5,
        rng.random() < 0.4,
        rng.random() < 0.35,
        rng.choice((0.4, 0.6, 0.8, 1.1)),
        rng.uniform(36, 58),
    )


class Page:
    """Draws one page from the top down."""

    def __init__(self, paper: Paper, style: Style) -> None:
        self.paper = paper
        self.style = style
        self.rng = paper.rng
        self.left = style.margin
        self.right = paper.width - style.margin
        self.bottom = paper.height - style.margin - 12
        self.y = style.margin + 14
        self.label_font = paper.face.bold if style.label_bold else paper.face.regular
        self.value_font = paper.typed.regular if style.value_typed else paper.face.regular

    @property
    def room(self) -> float:
        """Points left down to the lower margin."""
        return self.bottom - self.y

    @property
    def wide(self) -> float:
        return self.right - self.left

    def title(self, text: str) -> None:
        """A title, a letterhead above it at times."""
        paper, size = self.paper, min(14.0, self.style.size + self.rng.choice((3, 4, 5)))
        if self.rng.random() < 0.6:
            head = v.pick(self.rng, "payers", self.style.split)
            paper.label(self.left, self.y, head, self.wide * 0.6, size, paper.face.bold)
            if self.rng.random() < 0.6:
                fax = f"Fax: {v.phone(self.rng, self.rng.randrange(6))}"
                paper.text(self.right, self.y, fax, 8.5, align="right")
            self.y += size * 1.5
        where = self.rng.choice(("left", "centre"))
        x = self.left if where == "left" else paper.width / 2
        paper.text(x, self.y, text, size, paper.face.bold, align=where)
        self.y += size * 1.2

    def section(self, text: str) -> None:
        """A section's title: on a band, in a bar, underlined or plain."""
        paper, size = self.paper, min(12.0, self.style.size + 1)
        look = self.rng.choice(("plain", "ruled", "band", "dark"))
        self.y += size * 0.6
        if look in ("band", "dark"):
            fill = DARK if look == "dark" else SHADE if self.style.shaded else None
            paper.box(self.left, self.y, self.wide, size * 1.5, fill, self.style.weight)
            ink = {"colour": white} if look == "dark" else {}
            paper.text(self.left + 4, self.y + size * 1.1, text, size, paper.face.bold, **ink)
            self.y += size * 1.5
        else:
            paper.text(self.left, self.y + size, text, size, paper.face.bold)
            self.y += size * 1.35
            if look == "ruled":
                paper.line(self.left, self.y, self.right, self.y, self.style.weight)

    def _columns(self) -> list[tuple[float, float]]:
        """The columns of a row of fields: x and width."""
        count = self.rng.choice((1, 2, 2, 3)) if self.style.size > 9.5 else self.rng.choice((2, 3))
        shares = [self.rng.uniform(0.7, 1.4) for _ in range(count)]
        out, x = [], self.left
        for share in shares:
            width = self.wide * share / sum(shares)
            out.append((x, width))
            x += width
        return out

    def inline(self) -> None:
        """``Label: value``, on a ruling line at times."""
        paper, size = self.paper, self.style.size
        ruled = self.rng.random() < 0.6
        for _ in range(self.rng.randint(2, 4)):
            self.y += size * 1.75
            if self.room < 0:
                return
            for x, width in self._columns():
                item = content.item(self.rng, self.style.split)
                used = paper.label(x, self.y, f"{item.label}:", width * 0.5, size, self.label_font)
                start, end = x + used + size * 0.5, x + width - size
                if ruled:
                    paper.line(start, self.y + 2.4, end, self.y + 2.4, 0.5)
                paper.value(
                    start + 2, self.y, item.value, end - start - 2, size, self.value_font,
                    kind=item.kind, label=item.label,
                )  # fmt: skip

    def cell_rows(self) -> None:
        """Boxes with a small label on top and the value below it."""
        paper, size = self.paper, self.style.size
        small = max(6.5, size - self.rng.choice((1.5, 2.0, 2.5)))
        high = small + size * 1.3 + 6
        for _ in range(self.rng.randint(2, 4)):
            if self.room < high:
                return
            for x, width in self._columns():
                item = content.item(self.rng, self.style.split)
                paper.box(x, self.y, width, high, weight=self.style.weight)
                paper.label(
                    x + 3, self.y + small + 1, item.label, width - 6, small, self.label_font
                )
                paper.value(
                    x + 4, self.y + high - size * 0.4, item.value, width - 8, size,
                    self.value_font, kind=item.kind, label=item.label,
                )  # fmt: skip
            self.y += high

    def grid(self) -> None:
        """A ruled table of two or four columns: label, value."""
        paper, size = self.paper, self.style.size
        pairs = self.rng.choice((1, 2))
        width = self.wide / pairs
        cut = width * self.rng.uniform(0.3, 0.42)
        high = size * self.rng.uniform(1.5, 1.9)
        for _ in range(self.rng.randint(3, 6)):
            if self.room < high:
                return
            for pair in range(pairs):
                x = self.left + pair * width
                item = content.item(self.rng, self.style.split)
                fill = SHADE if self.style.shaded else None
                paper.box(x, self.y, cut, high, fill, self.style.weight)
                paper.box(x + cut, self.y, width - cut, high, weight=self.style.weight)
                base = self.y + high / 2 + size * 0.34
                paper.label(x + 4, base, item.label, cut - 6, size, self.label_font)
                paper.value(
                    x + cut + 4, base, item.value, width - cut - 8, size, self.value_font,
                    kind=item.kind, label=item.label,
                )  # fmt: skip
            self.y += high

    def options(self, pen: Pen | None = None) -> None:
        """A question with its options to mark, in a row or one below the other."""
        paper, size = self.paper, self.style.size
        question, options = self.rng.choice(content.OPTIONS)
        pen = pen or draw_pen(self.rng, size)
        marked = set(self.rng.sample(range(len(options)), self.rng.choice((0, 1, 1, 1, 2))))
        line = max(size, pen.side) * self.rng.uniform(1.5, 1.9)
        self.y += line
        if self.room < 0:
            return
        used = paper.label(self.left, self.y, f"{question}:", self.wide / 2, size, self.label_font)
        start = x = self.left + used + size
        for number, option in enumerate(options):
            if x + width_of(paper, option, size, pen) > self.right:
                x, self.y = start, self.y + line
                if self.room < 0:
                    return
            after = draw_mark(paper, x, self.y, option, size, pen, checked=number in marked)
            x = after + size * self.rng.uniform(1.4, 3.0)

    def services(self) -> None:
        """A table of service lines."""
        paper, size = self.paper, min(self.style.size, 9.0)
        shares = (0.14, 0.4, 0.18, 0.1, 0.18)
        heads = ("Code", "Description", "Start Date", "Qty", "Amount")
        widths = [self.wide * share for share in shares]
        high = size * 1.7
        for row in range(self.rng.randint(3, 6)):
            if self.room < high:
                return
            code, text = v.procedure(self.rng, self.style.split)
            cells: tuple[tuple[str, str], ...] = (
                ("code", code),
                ("text", text),
                ("date", content.a_date(self.rng, "slash")),
                ("", str(self.rng.randint(1, 36))),
                ("money", content.money(self.rng)),
            )
            x = self.left
            for head, width, (kind, cell) in zip(heads, widths, cells, strict=True):
                paper.box(x, self.y, width, high, weight=self.style.weight)
                base = self.y + high / 2 + size * 0.34
                if row == 0:
                    paper.label(x + 3, base, head, width - 6, size, paper.face.bold)
                elif kind:
                    paper.value(
                        x + 3, base, cell, width - 6, size, self.value_font,
                        kind=kind, label=head,  # type: ignore[arg-type]
                    )  # fmt: skip
                else:
                    paper.text(x + 3, base, cell, size, self.value_font)
                x += width
            self.y += high

    def notes(self) -> None:
        """A framed field of running text."""
        paper, size = self.paper, self.style.size
        text = v.narrative(self.rng, self.style.split, self.rng.randint(2, 4))
        lines = len(simpleSplit(text, self.value_font, size, self.wide - 12))
        high = (lines + 1.6) * size * 1.3
        if self.room < high + size:
            return
        self.y += size * 0.5
        paper.box(self.left, self.y, self.wide, high, weight=self.style.weight)
        paper.text(self.left + 4, self.y + size * 1.2, "Clinical notes:", size, self.label_font)
        paper.paragraph(
            self.left + 6, self.y + size * 2.5, self.wide - 12, text, size, self.value_font
        )
        self.y += high

    def prose(self, x: float, width: float, size: float, until: float) -> None:
        """Paragraphs down to ``until``."""
        while self.y < until - 3 * size:
            text = self.rng.choice((v.instruction, v.narrative))(
                self.rng, self.style.split, self.rng.randint(2, 5)
            )
            lines = simpleSplit(text, self.paper.face.regular, size, width)
            fits = int((until - self.y) / (size * 1.3))
            self.y = self.paper.paragraph(x, self.y, width, " ".join(lines[:fits]), size)
            self.y += size * 0.7

    def signature(self) -> None:
        """A line to sign on, with a date."""
        size = self.style.size
        self.y += size * 3.2
        if self.room < 0:
            return
        used = self.paper.label(
            self.left, self.y, "Signature:", self.wide / 4, size, self.label_font
        )
        start = self.left + used + 6
        self.paper.sign(start, self.y, self.wide * 0.4, signed=self.rng.random() < 0.6)
        x = start + self.wide * 0.4 + size * 2
        used = self.paper.label(x, self.y, "Date:", 60, size, self.label_font)
        self.paper.value(
            x + used + 5, self.y, content.a_date(self.rng, "slash"), 90, size, self.value_font,
            kind="date", label="Date",
        )  # fmt: skip

    def footer(self) -> None:
        """A form number and a page count in small print."""
        low = self.paper.height - self.style.margin
        number = f"Form {v.letters(self.rng, 2)}-{v.digits(self.rng, 4)} Rev. {a_month(self.rng)}"
        self.paper.text(self.left, low, number, 7)
        self.paper.text(self.right, low, "Page 1 of 1", 7, align="right")


def a_month(rng: random.Random) -> str:
    """A month of a revision."""
    return f"{rng.randint(1, 12):02d}/{rng.randint(2012, 2026)}"


def form(page: Page) -> None:
    """A form of several sections, each of one kind of fields."""
    page.title(page.rng.choice(content.TITLES))
    page.options()
    blocks: list[Callable[[], None]] = [page.inline, page.cell_rows, page.grid, page.services]
    while page.room > 90:
        page.section(page.rng.choice(content.SECTIONS))
        page.rng.choice(blocks)()
        if page.rng.random() < 0.6:
            page.options()
        if page.rng.random() < 0.2:
            page.notes()
    page.signature()
    page.footer()


def choices(page: Page, shape: Shape | None = None) -> None:
    """Nothing but options, each group in a shape and a hand of its own."""
    page.title(page.rng.choice(content.TITLES))
    while page.room > 20:
        if page.rng.random() < 0.12:
            page.section(page.rng.choice(content.SECTIONS))
        page.options(draw_pen(page.rng, page.style.size, shape))
    page.footer()


def letter(page: Page) -> None:
    """A letter in prose."""
    paper, rng, split = page.paper, page.rng, page.style.split
    size = max(9.0, page.style.size)
    paper.text(page.left, page.y, v.pick(rng, "payers", split), size + 3, paper.face.bold)
    page.y += size * 2.2
    street, city, state, code = v.address(rng, split)
    for line in (content.a_date(rng, "long"), "", content.item(rng, split, "name").value, street):
        paper.text(page.left, page.y, line, size)
        page.y += size * 1.3
    paper.text(page.left, page.y, f"{city}, {state} {code}", size)
    page.y += size * 2
    for item in (content.item(rng, split) for _ in range(rng.randint(3, 5))):
        used = paper.label(page.left, page.y, f"{item.label}:", 200, size, page.label_font)
        paper.value(
            page.left + used + size * 0.6, page.y, item.value, page.wide - used - size, size,
            page.value_font, kind=item.kind, label=item.label,
        )  # fmt: skip
        page.y += size * 1.4
    page.y += size
    paper.text(page.left, page.y, "To whom it may concern:", size)
    page.y += size * 2
    page.prose(page.left, page.wide, size, page.bottom - 70)
    page.signature()


def small_print(page: Page) -> None:
    """Two columns of instructions in seven points, as on the back of forms."""
    page.title("Instructions and Notices")
    size = page.rng.choice((7.0, 7.0, 7.5, 8.0))
    gutter = 18.0
    width = (page.wide - gutter) / 2
    top = page.y + size
    for column in range(2):
        page.y = top
        page.prose(page.left + column * (width + gutter), width, size, page.bottom)
    page.footer()


def remittance(page: Page) -> None:
    """An explanation of benefits: header fields and a dense table of amounts."""
    paper, rng, split = page.paper, page.rng, page.style.split
    page.title("EXPLANATION OF BENEFITS")
    page.inline()
    page.y += 8
    size = rng.choice((7.0, 7.0, 7.5, 8.0))
    heads = ["Service Date", "Proc", "Billed", "Allowed", "Deduct", "Copay", "Paid", "Remark"]
    shares = [1.35, 0.8, 1.0, 1.0, 0.9, 0.8, 1.0, 1.1]
    if rng.random() < 0.6:
        heads, shares = ["Patient", *heads], [2.0, *shares]
    if rng.random() < 0.5:
        heads, shares = ["Claim No.", *heads], [1.6, *shares]
    widths = [page.wide * share / sum(shares) for share in shares]
    ruled = rng.choice(("grid", "rows", "none"))
    high = size * (1.7 if ruled == "grid" else 1.45)
    style = rng.choice((0, 2))
    rows = rng.randint(22, 48)
    for row in range(rows):
        if page.room < high:
            break
        x, base = page.left, page.y + high / 2 + size * 0.34
        for head, width in zip(heads, widths, strict=True):
            if ruled == "grid":
                paper.box(x, page.y, width, high, weight=0.4)
            if row == 0:
                paper.label(x + 2, base, head, width - 4, size, paper.face.bold)
            else:
                _amount_cell(page, head, x, base, width, size, style)
            x += width
        if ruled == "rows" or (ruled == "none" and row == 0):
            paper.line(page.left, page.y + high, page.right, page.y + high, 0.4)
        page.y += high
    page.y += size
    while page.room > 12 and rng.random() < 0.8:
        page.y += size * 1.4
        paper.label(
            page.left, page.y, f"{v.digits(rng, 2)}: {v.sentence(rng, split)}", page.wide, size,
            paper.face.regular,
        )  # fmt: skip
    page.footer()


def _amount_cell(
    page: Page, head: str, x: float, base: float, width: float, size: float, style: int
) -> None:
    rng, split, font = page.rng, page.style.split, page.paper.face.regular
    made: dict[str, tuple[str, Callable[[], str]]] = {
        "Service Date": ("date", lambda: content.a_date(rng, "slash")),
        "Proc": ("code", lambda: v.procedure(rng, split)[0]),
        "Patient": ("name", lambda: v.print_name(v.person(rng, split), "last_first_upper")),
        "Claim No.": ("id", lambda: v.identifier(rng)),
        "Remark": ("code", lambda: f"{rng.choice(('CO', 'PR', 'OA'))}-{rng.randint(1, 253)}"),
    }
    kind, make = made.get(head, ("money", lambda: content.money(rng, style)))
    align = "right" if kind == "money" else "left"
    page.paper.value(
        x + width - 3 if align == "right" else x + 2, base, make(), width - 5, size, font,
        kind=kind, label=head, align=align,  # type: ignore[arg-type]
    )  # fmt: skip


def combs(page: Page) -> None:
    """Fields of one letter per cell; each is one word of the truth."""
    page.title(page.rng.choice(content.TITLES))
    while page.room > 50:
        _comb(page)
        if page.rng.random() < 0.3:
            page.inline()
    page.footer()


def _comb(page: Page) -> None:
    paper, rng, size = page.paper, page.rng, page.style.size
    item = content.item(rng, page.style.split, rng.choice(("npi", "id", "name", "date")))
    letters = item.value.upper()[: int(page.wide / 15)].strip()
    pitch = rng.uniform(13.5, min(20.0, page.wide / len(letters)))
    page.y += size * 1.8
    paper.label(page.left, page.y, item.label, page.wide, size, page.label_font)
    page.y += 4
    cells = min(len(letters) + rng.randint(0, 6), int(page.wide / pitch))
    paper.comb(page.left, page.y, letters, cells, pitch, pitch * 1.2, item.kind, item.label)
    page.y += pitch * 1.2


KINDS: dict[str, Callable[[Page], None]] = {
    "form": form,
    "choices": choices,
    "remittance": remittance,
    "letter": letter,
    "small_print": small_print,
    "combs": combs,
}

# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: SIM905 - word lists read better as one text
"""Pages full of places to mark, and of everything that looks like one and is none."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from itertools import pairwise

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode import qr
from reportlab.graphics.shapes import Drawing as Graphic
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from idp.document import Box
from training.faxes import Drawn, TrueMark, Truth
from training.faxes.fonts import faces
from training.marks.shapes import Drawing

_OPTIONS = (
    "Yes|No|N/A|Male|Female|Unknown|Other|Other:|Inpatient|Outpatient|Home Health|Office|Standard"
    "|Urgent|Expedited|Routine|Initial Request|Renewal|Extension|New|Continuation|Retrospective"
    "|Self|Spouse|Child|Single|Married|DME|Home|Observation|Day Surgery|Physical Therapy|MRI|CT"
    "|Speech Therapy|Cardiac Rehab|Skilled Nursing Facility|Medicare|Medicaid|Group Health Plan"
    "|Oral|Injectable|Left|Right|Bilateral|English|Spanish|Primary Care|Evaluate and treat|Q4"
    "|PET scan|X-ray|First dose|Mr.|Mrs.|Dr.|I agree to the terms above|Owner|Do not know|UB-04"
    "|Urgent (72 hours)|O2 therapy|Diagnosis confirmed by biopsy|Onset before age 18"
).split("|")
_WORDS = (
    "the patient provider request member plan service date of birth number address phone fax code"
    " authorization prior form please attach clinical notes diagnosis procedure and for with that"
    " is not required information medical necessity treatment health insurance group policy on or"
    " if any this must be sent within days DO NOT WRITE IN THIS BOX Dr. ODD 00 0O 100 DOB D0 OB O"
    " D 0 Q ID# NPI TAX OOO 808 BOOK DOOR QUOTE"
).split()
_LABELS = (
    "Patient Name|Date of Birth|Member ID|Group No.|Phone|Fax|Provider NPI|Address|City|State|ZIP"
    "|Diagnosis|ICD-10|CPT Code|Quantity|Tax ID|Contact|Facility|Signature|Date"
).split("|")
_BLANKS = (
    "Phone: (    ) ____-_____|Fax (     )|Name ________________|Date ___/___/____|Dose ____ mg"
    "|Age (years) ____|(see back)|[1] note|Total ( 12 )|Sign here: X|X ____________|Sex: F|XXX-XX"
    "|Rx|Blood type O|MM  DD  YY|MAX 3 x daily|Suite X|Unit D"
).split("|")
_VALUES = "O|D|0|Maria Gomez|10/12/1980|Q|555-010-0100|OD|X12|00|8|B".split("|")


class MarkPage(Drawing):
    """One page, drawn block by block from the top."""

    def __init__(self, canvas: Canvas, rng: random.Random, fonts: list[str]) -> None:
        super().__init__(canvas, rng, letter[1], rng.choice(fonts))
        self.fonts = fonts
        self.x = rng.choice((28, 36, 48, 60))
        self.width = letter[0] - 2 * self.x
        self.y = 30 + 30 * rng.random()
        self.unclear: list[tuple[float, float, float, float]] = []

    def draw(self) -> None:
        """Fills the page; about half of its blocks have places to mark."""
        blocks: dict[Callable[[], None], float] = {
            self.options: 9, self.grid: 1.8, self.shared: 1.4, self.table: 1.8, self.comb: 1.6,
            self.code: 0.3, self.logo: 0.3, self.signature: 0.4, self.bullets: 1.5,
            self.sentences: 1.6, self.fields: 2, self.section: 1.5, self.title: 0.3,
            self.upright: 0.8, self.results: 1.2, self.steps: 0.8,
        }  # fmt: skip
        self.title()
        while self.y < self.height - 130:
            self.rng.choices(list(blocks), list(blocks.values()))[0]()

    def title(self) -> None:
        """Letters as large as boxes."""
        size = self.rng.choice((12, 14, 16, 18, 22, 26))
        words = ["REFERRAL", "PRIOR", "AUTHORIZATION", "FORM", "Health", "Plan", "DOD", "ODOR"]
        text = " ".join(self.rng.sample(words, self.rng.randint(2, 4)))
        self.text(self.x, self.y + size, text, size, self.rng.choice(self.fonts))
        self.y += 1.5 * size

    def sentences(self) -> None:
        """Running text."""
        size, font = self.rng.choice((6.5, 7, 8, 9, 10, 11)), self.rng.choice(self.fonts)
        for _ in range(self.rng.randint(1, 5)):
            words = self.rng.choices(_WORDS, k=round(0.2 * self.width / size))
            self.text(self.x, self.y + size, " ".join(words), size, font)
            self.y += 1.25 * size
        self.y += 4

    def fields(self) -> None:
        """Labels with lines or blanks to fill, some filled with single letters."""
        columns = self.rng.randint(1, 3)
        step = self.width / columns
        for _ in range(self.rng.randint(1, 3)):
            self.y += 1.2 * self.size + 6
            for i in range(columns):
                x = self.x + step * i
                if self.rng.random() < 0.2:
                    self.text(x, self.y, self.rng.choice(_BLANKS))
                    continue
                start = x + self.text(x, self.y, self.rng.choice(_LABELS) + ":") + 3
                if self.rng.random() < 0.7:
                    self.line(start, self.y + 1, x + step - 10, self.y + 1, 0.7)
                if self.rng.random() < 0.6:
                    self.text(start + 5, self.y - 1, self.rng.choice(_VALUES))
        self.y += 6

    def section(self) -> None:
        """A section's title: on a bar, underlined, or with its number in a box."""
        size, way = self.size + 1, self.rng.random()
        text = self.rng.choice(("SECTION I", "Section D", "Patient Information", "O. OTHER"))
        if way < 0.6:
            fill = self.rng.choice((0, 0.2, 0.85))
            self.box(self.x, self.y, self.width, 1.5 * size, fill=fill)
            grey = 1 if fill < 0.5 else 0
            self.text(self.x + 4, self.y + 1.1 * size, text, size, grey=grey)
        elif way < 0.75:
            self.box(self.x, self.y, 1.4 * size, 1.4 * size, self.rng.choice((0.6, 1)))
            number = self.rng.choice("123456789ABD")
            self.text(self.x + 0.42 * size, self.y + 1.08 * size, number, size)
            self.text(self.x + 2 * size, self.y + 1.08 * size, text, size)
        else:
            self.text(self.x, self.y + 1.1 * size, text, size)
            self.line(self.x, self.y + 1.4 * size, self.x + self.width, self.y + 1.4 * size, 1)
        self.y += 1.9 * size

    def options(self) -> None:
        """Rows or columns of options, their words on either side or above."""
        if self.rng.random() < 0.25:
            self.restyle()
        typed = self.kind in ("brackets", "parentheses", "underscore")
        side = "right" if typed else self.rng.choices(("right", "left", "above"), (10, 1.6, 1))[0]
        lead = max(1.25 * self.size, 1.15 * self.side) * self.rng.choice((1.05, 1.15, 1.35, 1.7))
        gap = self.rng.choice((2, 3, 4, 6, 9))
        if side == "above":
            self._named_above()
        elif self.rng.random() < 1 / 3:
            for _ in range(self.rng.randint(1, 4)):
                self.y += lead
                self._row(gap, left=side == "left")
            self.y += 6
        else:
            self._columns(lead, gap, left=side == "left")

    def _named_above(self) -> None:
        self.y += 1.4 * self.size
        count = self.rng.randint(3, 7)
        step = self.width / count
        for i, label in enumerate(self.rng.sample([o for o in _OPTIONS if len(o) < 12], count)):
            middle = self.x + step * (i + 0.5)
            self.text(middle - self.wide_of(label) / 2, self.y, label)
            below = self.y + self.side + 0.35 * self.size + 2
            self.mark(middle - self.side / 2, below, checked=self.rng.random() < 0.4)
        self.y += self.side + self.size + 6

    def _row(self, gap: float, *, left: bool) -> None:
        x = float(self.x)
        if self.rng.random() < 0.75:
            asked = ("Gender:", "Type of request", "Is this request urgent?", "O. Review")
            x += self.text(x, self.y, self.rng.choice(asked)) + self.rng.choice((4, 8, 14))
        for label in self.rng.sample(_OPTIONS, self.rng.randint(2, 6)):
            if x + self.wide_of(label) + 2 * self.wide + gap > self.x + self.width:
                break
            checked = self.rng.random() < 0.35
            if left:
                x += self.text(x, self.y, label) + 0.8 * gap
                x += self.mark(x, self.y, checked=checked) + self.rng.choice((8, 12, 18)) + gap
            else:
                x += self.mark(x, self.y, checked=checked) + 0.8 * gap
                x += self.text(x, self.y, label) + self.rng.choice((6, 9, 14)) + gap

    def _columns(self, lead: float, gap: float, *, left: bool) -> None:
        columns, top = self.rng.choice((1, 2, 3, 4)), self.y
        step = self.width / columns
        for _ in range(self.rng.randint(2, 6)):
            self.y += lead
            for k in range(columns):
                label = self.rng.choice(_OPTIONS)
                if columns < 3 and self.rng.random() < 0.25:
                    label = " ".join(self.rng.choices(_WORDS, k=self.rng.randint(3, 7)))
                if self.wide_of(label) + 2 * self.wide + gap > step:
                    continue
                checked = self.rng.random() < 0.3
                if left:
                    at = self.x + step * (k + 1) - 2 * self.wide - 4
                    self.text(at - gap - self.wide_of(label), self.y, label)
                    self.mark(at, self.y, checked=checked)
                else:
                    at = self.x + step * k + 3
                    after = at + self.mark(at, self.y, checked=checked)
                    self.text(after + 0.8 * gap, self.y, label)
        self.y += 0.5 * lead
        if self.rng.random() < 0.3:
            self.box(self.x - 2, top, self.width + 4, self.y - top, 0.6)
            for k in range(1, columns):
                wall = self.x + step * k - 1
                self.line(wall, top, wall, self.y, 0.6)
        self.y += 4

    def grid(self) -> None:
        """Questions in rows, the answers' names above columns of boxes, mostly ruled."""
        if self.kind == "underscore":
            return
        heads = self.rng.choice(
            (("Yes", "No"), ("Yes", "No", "N/A"), ("Never", "Rarely", "Often", "Always"))
        )
        step, high = self.rng.uniform(38, 60), max(1.6 * self.size, 1.35 * self.side)
        right, top, rows = self.x + self.width, self.y + 4, self.rng.randint(2, 6)
        start = right - step * len(heads)
        for i, head in enumerate(heads):
            middle = start + step * (i + 0.5)
            self.text(middle - self.wide_of(head) / 2, top + 0.7 * high, head)
        for row in range(1, rows + 1):
            y = top + high * row
            words = " ".join(self.rng.choices(_WORDS, k=7))
            while self.wide_of(words) > start - self.x - 8:
                words = words[:-6]
            self.text(self.x + 3, y + 0.68 * high, words)
            chosen = self.rng.randrange(len(heads) + 1)
            for i in range(len(heads)):
                at, baseline = start + step * (i + 0.5), y + 0.5 * high + 0.34 * self.size
                self.mark(at - self.side / 2, baseline, checked=i == chosen)
        if self.rng.random() < 0.75:
            for row in range(rows + 2):
                self.line(self.x, top + high * row, right, top + high * row)
            for x in (self.x, *(start + step * i for i in range(len(heads) + 1))):
                self.line(x, top, x, top + high * (rows + 1))
        self.y = top + high * (rows + 1) + 8

    def shared(self) -> None:
        """Boxes that share borders with the cells they stand in, as on a CMS-1500."""
        size, side = min(self.size, 9), max(9.0, min(15.0, self.side + 2))
        count = self.rng.randint(2, 5)
        step, high = self.width / count, 1.3 * size + side + self.rng.choice((2, 5, 8))
        width, grey = self.rng.choice((0.4, 0.6, 0.8)), self.rng.choice((0, 0, 0.3, 0.6))
        corner, floor = self.rng.random() < 0.5, self.rng.random() < 0.7
        top = self.y + 3
        for i in range(count):
            x = self.x + step * i
            self.box(x, top, step, high, width, grey)
            self.text(x + 3, top + size, self.rng.choice(_LABELS), size)
            boxes = 2 if step > 130 else 1
            for k in range(boxes):
                left = x if corner and k == 0 else x + 8 + k * (step - 14) / boxes
                y = top + high - side - (0 if floor else 2)
                self.box(left, y, side, side, width, grey)
                checked = self.rng.random() < 0.4
                if checked:
                    self.tick(left, y, side, side)
                label = self.rng.choice(("Yes", "No", "M", "F", "SSN", "EIN", "Self", "Other"))
                self.text(left + side + 3, y + 0.5 * side + 0.34 * size, label, size)
                self.note("square", left, y, side, side, checked=checked)
        self.y = top + high + 6

    def table(self) -> None:
        """Cells as small as boxes, empty or with a letter: none is a place to mark."""
        high, top = self.rng.choice((9, 10, 12, 14, 18, 22)), self.y + 3
        wide = self.rng.choices((8, 10, 12, 14, 20, 40, 60, 90), k=self.rng.randint(2, 9))
        rows, scale = self.rng.randint(2, 6), min(1.0, self.width / sum(wide))
        xs = [self.x + scale * sum(wide[:i]) for i in range(len(wide) + 1)]
        stroke = self.rng.choice((0.3, 0.5, 0.8))
        for i in range(rows + 1):
            self.line(xs[0], top + high * i, xs[-1], top + high * i, stroke)
        for x in xs:
            self.line(x, top, x, top + high * rows, stroke)
        for i in range(rows):
            for x, after in pairwise(xs):
                if self.rng.random() < 0.5:
                    text = self.rng.choice(("0", "O", "D", "12", "8", "99213", "B", "-", "Q", "X"))
                    room = max(1, int((after - x) / 5))
                    self.text(x + 2, top + high * (i + 0.72), text[:room], min(8, 0.75 * high))
        self.y = top + high * rows + 8

    def comb(self) -> None:
        """Cells for one letter each."""
        side, gap = self.rng.uniform(9, 17), self.rng.choice((0, 0, 0, 2, 3))
        top, closed = self.y + 4, self.rng.random() < 0.7
        x = self.x + self.text(self.x, top + 0.5 * side + 3, self.rng.choice(_LABELS)) + 6
        for _ in range(self.rng.randint(4, 16)):
            if x + side > self.x + self.width:
                break
            if closed:
                self.box(x, top, side, side)
            else:
                self.line(x, top + side / 2, x, top + side)
                self.line(x, top + side, x + side, top + side)
                self.line(x + side, top + side / 2, x + side, top + side)
            if self.rng.random() < 0.5:
                letter_ = self.rng.choice("0123456789ODQBX")
                self.text(x + 0.28 * side, top + 0.78 * side, letter_, 0.75 * side, "Courier")
            x += side + gap
        self.y = top + side + 8

    def code(self) -> None:
        """A QR code: squares of every size."""
        size = self.rng.choice((36, 50, 70))
        widget = qr.QrCodeWidget(f"REF{self.rng.randint(1, 10**9)}")
        x0, y0, x1, y1 = widget.getBounds()
        graphic = Graphic(size, size, transform=[size / (x1 - x0), 0, 0, size / (y1 - y0), 0, 0])
        graphic.add(widget)
        left = self.x + self.rng.random() * (self.width - size)
        renderPDF.draw(graphic, self.canvas, left, self.height - self.y - size)
        self.y += size + 6

    def logo(self) -> None:
        """Circles, squares and large letters; whether they are places to mark is left open."""
        x = self.x + 0.7 * self.rng.random() * self.width
        for _ in range(self.rng.randint(1, 4)):
            size = self.rng.uniform(8, 34)
            left, low = x + self.rng.uniform(0, 50), self.height - self.y - 36
            self.canvas.setFillGray(self.rng.choice((0, 0.3, 0.5)))
            self.canvas.setStrokeGray(0)
            self.canvas.setLineWidth(self.rng.uniform(0.5, 4))
            filled = self.rng.random() < 0.5
            if self.rng.random() < 0.5:
                self.canvas.circle(left + size / 2, low + size / 2, size / 2, fill=filled)
            else:
                self.canvas.rect(left, low, size, size, fill=filled)
        self.unclear.append((x - 4, self.y - 4, x + 90, self.y + 44))
        self.y += 44

    def signature(self) -> None:
        """A line with a scrawl over it."""
        self.y += 24
        start = self.x + self.text(self.x, self.y, "Signature:") + 4
        self.line(start, self.y + 1, start + 186, self.y + 1, 0.6)
        x, y = start + 10, self.height - self.y + 6
        path = self.canvas.beginPath()
        path.moveTo(x, y)
        shake = self.rng.uniform
        for _ in range(self.rng.randint(4, 9)):
            after = x + shake(5, 20)
            path.curveTo(
                x + shake(-6, 14), y + shake(-12, 18), x + shake(0, 22), y + shake(-12, 18),
                after, y + shake(-5, 6),
            )  # fmt: skip
            x = after
        self.canvas.setLineWidth(self.rng.choice((0.8, 1.2, 1.8)))
        self.canvas.setStrokeGray(0)
        self.canvas.drawPath(path)
        self.y += 10

    def bullets(self) -> None:
        """Filled dots, squares and arrows before lines of text, and icons before labels."""
        sign, size = self.rng.choice("lnuvtHIswp"), self.rng.uniform(0.6, 1.1) * self.size
        grey = self.rng.choice((0, 0, 0.3, 0.5))
        for _ in range(self.rng.randint(2, 5)):
            self.y += 1.4 * self.size
            self.text(self.x, self.y, sign, size, "ZapfDingbats", grey)
            words = " ".join(self.rng.choices(_WORDS, k=self.rng.randint(3, 10)))
            self.text(self.x + 20, self.y, words)
        self.y += 5

    def upright(self) -> None:
        """Print that runs up the margin."""
        self.canvas.saveState()
        at = self.rng.choice((16, int(letter[0]) - 16))
        self.canvas.translate(at, self.height - self.y - 160)
        self.canvas.rotate(90)
        self.canvas.setFont(self.rng.choice(self.fonts), self.rng.choice((7, 9, 11)))
        self.canvas.setFillGray(0)
        self.canvas.drawString(0, 0, self.rng.choice(("PATIENT INFORMATION", "CARRIER", "D")))
        self.canvas.restoreState()

    def results(self) -> None:
        """A list of laboratory values with flags and units."""
        columns = (
            (0, ("WBC", "Hemoglobin", "Glucose", "ALT")), (130, ("4.1", "13.9", "180")),
            (190, ("H", "L", "", "A", "X", "HH")), (230, ("g/dL", "%", "mg/dL", "U/L")),
            (320, ("4.0 - 11.0",)), (400, ("01", "F", "A", "D")),
        )  # fmt: skip
        for _ in range(self.rng.randint(3, 8)):
            self.y += 1.35 * self.size
            for x, texts in columns:
                self.text(self.x + x, self.y, self.rng.choice(texts))
            if self.rng.random() < 0.3:
                self.line(self.x, self.y + 3, self.x + 440, self.y + 3, 0.4)
        self.y += 6

    def steps(self) -> None:
        """Numbers in circles."""
        for i in range(self.rng.randint(2, 4)):
            size, x = self.rng.uniform(10, 16), self.x + 120 * i
            filled = self.rng.random() < 0.5
            self.canvas.setFillGray(self.rng.choice((0, 0.3)))
            self.canvas.setLineWidth(0.8)
            self.canvas.setStrokeGray(0)
            middle = self.height - self.y - size / 2 - 3
            self.canvas.circle(x + size / 2, middle, size / 2, fill=filled)
            self.text(
                x + 0.3 * size, self.y + 0.78 * size + 3, self.rng.choice("123A?"), 0.7 * size,
                "Helvetica-Bold", 1 if filled else 0,
            )  # fmt: skip
            self.text(x + size + 4, self.y + 0.7 * size + 3, self.rng.choice(_LABELS))
        self.y += 24


UNCLEAR = "unclear"
"""Style of a truth that is no place to mark for sure: it teaches nothing either way."""


def page(seed: int) -> Drawn:
    """A drawn page and its places to mark; the same seed gives the same page."""
    rng = random.Random(f"marks/{seed}")  # noqa: S311 - not for secrets
    fonts = [
        name
        for use in ("print", "narrow", "typed")
        for face in faces("train", use)
        for name in (face.regular, face.bold)
    ]
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=letter, invariant=1)
    drawing = MarkPage(canvas, rng, fonts)
    drawing.draw()
    canvas.showPage()
    canvas.save()
    width, height = letter

    def inside(x0: float, y0: float, x1: float, y1: float) -> Box:
        return Box(
            max(0.0, x0 / width), max(0.0, y0 / height), min(1.0, x1 / width), min(1.0, y1 / height)
        )

    marks = [
        TrueMark(
            inside(p.x0, p.y0, p.x1, p.y1), "checked" if p.checked else "unchecked", "", "box", ""
        )
        for p in drawing.places
        if p.x1 < width and p.y1 < height
    ]
    marks += [TrueMark(inside(*area), "unchecked", "", "box", UNCLEAR) for area in drawing.unclear]
    return Drawn("marks", seed, stream.getvalue(), Truth(marks=tuple(marks)), (width, height))

# SPDX-License-Identifier: Apache-2.0
"""A letter as a PDF that survives a fax: black on white, one open typeface, 11 points or more.

The typeface is embedded (Bitstream Vera, which reportlab carries), so that a fax server without
fonts draws the same page. The same text gives the same bytes.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.pagesizes import letter as us_letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from idp.letters.compose import DRAFT, Letter

_PLAIN, _BOLD = "idp-letter", "idp-letter-bold"
_SIZE = 11.5
_MARGIN = 0.9 * inch
_WRITING = {"\u2022": "-", "\u2010": "-", "\u2011": "-", "\u2212": "-", "\u00a0": " "}


def as_pdf(letter: Letter) -> bytes:
    """The letter on as many pages of US letter paper as it needs."""
    _fonts()
    stream = io.BytesIO()
    page = SimpleDocTemplate(
        stream,
        pagesize=us_letter,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN + 0.2 * inch,
        bottomMargin=_MARGIN,
        title="Draft letter" if letter.draft else "Letter",
        author="",
        invariant=1,
    )

    def frame(canvas: Canvas, document: SimpleDocTemplate) -> None:
        _frame(canvas, document.page, letter)

    page.build(_story(letter.text), onFirstPage=frame, onLaterPages=frame)
    return stream.getvalue()


def _frame(canvas: Canvas, number: int, letter: Letter) -> None:
    """Head and foot of every page: a page that got lost is known by them."""
    width, height = us_letter
    canvas.saveState()
    if letter.draft:
        canvas.setFont(_BOLD, 16)
        canvas.drawCentredString(width / 2, height - 0.65 * inch, "DRAFT")
        canvas.setLineWidth(1.5)
        canvas.rect(width / 2 - 0.6 * inch, height - 0.74 * inch, 1.2 * inch, 0.34 * inch)
    canvas.setFont(_PLAIN, _SIZE - 0.5)
    canvas.drawString(_MARGIN, 0.55 * inch, _printable(f"Reference {letter.reference}"))
    canvas.drawRightString(width - _MARGIN, 0.55 * inch, f"Page {number}")
    canvas.restoreState()


def _story(text: str) -> list[object]:
    plain = ParagraphStyle("plain", fontName=_PLAIN, fontSize=_SIZE, leading=_SIZE * 1.4)
    heading = ParagraphStyle(
        "heading", plain, fontName=_BOLD, spaceBefore=6, spaceAfter=4, keepWithNext=1
    )
    item = ParagraphStyle("item", plain, leftIndent=16, bulletIndent=3, spaceAfter=4)
    story: list[object] = []
    for line in text.split("\n"):
        said = escape(_printable(line.strip()))
        if not said:
            if story and not isinstance(story[-1], Spacer):
                story.append(Spacer(1, 7))
        elif line.strip() == DRAFT:
            story.append(Paragraph(said, heading))
        elif said.startswith("# "):
            story.append(Paragraph(said[2:], heading))
        elif said.startswith("- "):
            story.append(Paragraph(said[2:], item, bulletText="-"))
        else:
            story.append(Paragraph(said, plain))
    return story


@cache
def _fonts() -> None:
    fonts = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont(_PLAIN, str(fonts / "Vera.ttf")))
    pdfmetrics.registerFont(TTFont(_BOLD, str(fonts / "VeraBd.ttf")))


def _printable(text: str) -> str:
    """What the typeface can draw; a sign that it lacks is a question mark, not an empty box."""
    known = pdfmetrics.getFont(_PLAIN).face.charToGlyph
    return "".join(
        sign if ord(sign) in known else _WRITING.get(sign, "?") for sign in text.expandtabs(4)
    )

# SPDX-License-Identifier: Apache-2.0
"""Synthetic documents on paper: drawn in real fonts, faxed, and read by the product's own reader.

What is trained and judged on pages made here meets what the product meets: letters that run
together, boxes that a fax has lost, a label read as one word with its value. Each word that was
read takes the role of what was drawn where it stands.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from reportlab.lib.pagesizes import letter

from idp.document import Box, Page, RawPage, Word
from training.faxes import Degraded, Drawn, degrade
from training.faxes.fonts import Face, faces
from training.faxes.marks import Pen, draw_pen, draw_shape
from training.faxes.paper import Paper
from training.faxes.truth import TrueWord
from training.synthesise.canvas import Canvas
from training.synthesise.canvas import Drawn as DrawnWord
from training.synthesise.canvas import Sheet as DrawnSheet
from training.synthesise.noise import Labelled
from training.synthesise.values import Split

_PRINTED = frozenset({"O", "LABEL", "TITLE"})
_SMALLEST = 0.72
"""How far a font may be set smaller than drawn for, so that its words keep their places."""
_BASELINE = 0.79
_COVERED = 0.3
"""Share of a drawn word that a read word must cover to be that word."""


class Sheet(NamedTuple):
    """One page on paper, and what each of its drawn words is, in the order of the truth's words."""

    drawn: Drawn
    words: tuple[DrawnWord, ...]


class _Hand(NamedTuple):
    """How one document is set and filled in."""

    print: Face
    typed: Face
    pen: Pen
    bold_labels: bool
    typed_values: bool


def on_paper(canvas: Canvas, name: str, split: Split) -> list[Sheet]:
    """The pages of a drawn document as PDFs with their truth; the same name gives the same pages.

    Args:
        canvas: What was drawn.
        name: Seed of the fonts and of the hand that marks.
        split: Fonts of the training half, or of the held-out half.
    """
    rng = random.Random(f"paper/{name}")  # noqa: S311 - not for secrets
    narrow = rng.random() < 0.15
    hand = _Hand(
        rng.choice(faces(split, "narrow" if narrow else "print")),
        rng.choice(faces(split, "typed")),
        draw_pen(rng, 10.0, rng.choice(("box", "box", "box", "circle"))),
        rng.random() < 0.4,
        rng.random() < 0.5,
    )
    return [
        _set(sheet, f"{name}/{number}", number, hand, rng)
        for number, sheet in enumerate(canvas.sheets, 1)
    ]


def _set(sheet: DrawnSheet, name: str, number: int, hand: _Hand, rng: random.Random) -> Sheet:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        paper = Paper(Path(file.name), rng, letter, hand.print, hand.typed)
        for kind, box in sheet.rules:
            weight = max(0.4, (box.height * paper.height) if kind == "horizontal" else 0.7)
            end = (box.x1, box.y0) if kind == "horizontal" else (box.x0, box.y1)
            paper.line(
                box.x0 * paper.width,
                box.y0 * paper.height,
                end[0] * paper.width,
                end[1] * paper.height,
                min(weight, 1.2),
            )
        for mark in sheet.marks:
            side = mark.box.height * paper.height
            draw_shape(
                paper,
                mark.box.x0 * paper.width,
                mark.box.cy * paper.height + 0.34 * side,
                mark.label,
                side,
                hand.pen._replace(side=side),
                checked=mark.checked,
            )
        words: list[DrawnWord] = []
        for _, run in groupby(sheet.words, key=lambda w: (w.run, w.box.y0)):
            words += _run(paper, list(run), hand)
        paper.save()
        return Sheet(
            Drawn(name, number, Path(file.name).read_bytes(), paper.truth, letter), tuple(words)
        )


def _run(paper: Paper, run: list[DrawnWord], hand: _Hand) -> list[DrawnWord]:
    """Words drawn in one go, in one size that keeps each within its place."""
    role = run[0].role
    face = hand.print if role in _PRINTED or not hand.typed_values else hand.typed
    bold = role == "TITLE" or (role == "LABEL" and hand.bold_labels)
    font = face.bold if bold else face.regular
    size = run[0].box.height * paper.height
    room = min(
        (w.box.width + 0.5 * w.gap) * paper.width / max(0.1, paper.wide(w.text, size, font))
        for w in run
    )
    size *= min(1.0, max(_SMALLEST, room))
    end = 0.0
    for word in run:
        baseline = (word.box.y0 + _BASELINE * word.box.height) * paper.height
        x = max(word.box.x0 * paper.width, end)
        paper.text(x, baseline, word.text, size, font)
        end = x + paper.wide(word.text, size, font) + paper.wide(" ", size, font)
    return run


def labelled(page: Page, sheet: Sheet, came: Degraded) -> Labelled:
    """The page as read, each word with the role, party and value of what was drawn there.

    A word read over several drawn ones is the value among them: its front is a label glued to it,
    which the taggers' tokens cut off again. What was drawn nowhere (the fax's own header) is none.
    """
    true = [w for w in came.upright.words if w.part == "body"]
    if len(true) != len(sheet.words):
        raise ValueError("the truth of the paper and of the layout differ")
    pairs = sorted(zip(true, sheet.words, strict=True), key=lambda pair: pair[0].box.y0)
    chosen = [_drawn_at(word, pairs) for word in page.words]
    return Labelled(
        page,
        tuple(w.role if w else "O" for w in chosen),
        tuple(w.party if w else "" for w in chosen),
        tuple(w.span if w else 0 for w in chosen),
    )


def _drawn_at(word: Word, pairs: Sequence[tuple[TrueWord, DrawnWord]]) -> DrawnWord | None:
    best: DrawnWord | None = None
    most = 0.0
    for true, drawn in pairs:
        if true.box.y0 > word.box.y1:
            break
        share = word.box.shared(true.box) / max(1e-9, _area(true.box))
        own = word.box.shared(true.box) / max(1e-9, _area(word.box))
        if max(share, own) < _COVERED:
            continue
        weight = own + (1.0 if drawn.role not in _PRINTED and share >= _COVERED else 0.0)
        if weight > most:
            best, most = drawn, weight
    return best


def _area(box: Box) -> float:
    return box.width * box.height


def arrivals(
    sheets: Sequence[Sheet], variant: str, seed: int, folder: Path, stem: str
) -> Iterator[tuple[Sheet, Degraded, RawPage]]:
    """Each page in the way it arrives, written below ``folder`` for the reader."""
    for number, sheet in enumerate(sheets, 1):
        came = degrade(sheet.drawn, variant, seed)
        path = came.save(folder, f"{stem}_{number}")
        yield (
            sheet,
            came,
            RawPage(
                number=number,
                path=str(path),
                dpi_x=came.dpi[0],
                dpi_y=came.dpi[1],
                bilevel=came.one_bit,
            ),
        )

# SPDX-License-Identifier: Apache-2.0
"""From what was drawn to what a reader sees: OCR errors, lost words, shifted boxes, lost lines."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import NamedTuple

from idp.document import Box, Cell, Grade, Mark, Page, Rule, Word
from training.synthesise.canvas import ASPECT, Canvas, Drawn, Sheet

_CONFUSIONS = {
    "0": "O",
    "O": "0",
    "1": "l",
    "l": "1",
    "I": "l",
    "5": "S",
    "S": "5",
    "8": "B",
    "B": "8",
    "2": "Z",
    "6": "G",
    "m": "rn",
    "c": "e",
    "e": "c",
    ",": ".",
    ".": ",",
    "a": "o",
    "g": "q",
    "i": "l",
    "/": "l",
    ":": ".",
}
_WIDTH_PX, _HEIGHT_PX, _DPI = 1700, 2200, 200.0


class Labelled(NamedTuple):
    """A page and what each of its words is."""

    page: Page
    roles: tuple[str, ...]
    parties: tuple[str, ...]
    spans: tuple[int, ...]


@dataclass(frozen=True)
class Noise:
    """How badly a page is read; all shares are per character, word or line."""

    confuse: float = 0.0
    drop: float = 0.0
    merge: float = 0.0
    cut: float = 0.0
    jitter: float = 0.0006
    skew_degrees: float = 0.0
    lose_rules: float = 0.0
    lose_marks: float = 0.0


def draw_noise(rng: random.Random) -> Noise:
    """The noise of one document: clean, fine fax, or poor fax."""
    level = rng.choice((0.0, 0.0, 0.3, 0.6, 1.0))
    return Noise(
        confuse=0.02 * level,
        drop=0.012 * level,
        merge=0.05 * level + 0.01,
        cut=0.015 * level,
        jitter=0.0005 + 0.0008 * level,
        skew_degrees=rng.gauss(0, 0.15 * (0.3 + level)),
        lose_rules=rng.choice((0.0, 0.15, 0.5, 1.0)) * level,
        lose_marks=0.15 * level,
    )


def _garble(text: str, share: float, rng: random.Random) -> str:
    if not share:
        return text
    return "".join(_CONFUSIONS.get(c, c) if rng.random() < share else c for c in text)


def _join(words: list[Drawn], noise: Noise, rng: random.Random) -> list[Drawn]:
    """Neighbours of one printed run, or a label and its value, read as one word; words cut."""
    out: list[Drawn] = []
    for word in words:
        last = out[-1] if out else None
        near = (
            last is not None
            and abs(last.box.y0 - word.box.y0) < 0.004
            and 0 <= word.box.x0 - last.box.x1 < 0.012
        )
        if near and last is not None and rng.random() < noise.merge:
            both = word if last.role in ("LABEL", "O", "TITLE") else last
            out[-1] = replace(both, text=last.text + word.text, box=last.box.union(word.box))
            continue
        out.append(word)
    cut: list[Drawn] = []
    for word in out:
        if len(word.text) > 5 and rng.random() < noise.cut:
            place = rng.randint(2, len(word.text) - 2)
            middle = word.box.x0 + word.box.width * place / len(word.text)
            first = Box(word.box.x0, word.box.y0, middle, word.box.y1)
            second = Box(middle, word.box.y0, word.box.x1, word.box.y1)
            cut.append(replace(word, text=word.text[:place], box=first))
            cut.append(replace(word, text=word.text[place:], box=second))
        else:
            cut.append(word)
    return cut


def reading_order(words: list[Drawn]) -> list[list[Drawn]]:
    """Lines of words that stand at one height, top to bottom, left to right."""
    lines: list[list[Drawn]] = []
    for word in sorted(words, key=lambda w: w.box.cy):
        anchor = lines[-1][0].box if lines else None
        if anchor is not None and abs(word.box.cy - anchor.cy) < 0.45 * min(
            word.box.height, anchor.height
        ):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda w: w.box.x0) for line in lines]


def _clip(box: Box) -> Box:
    x0, y0 = min(max(box.x0, 0.0), 0.998), min(max(box.y0, 0.0), 0.998)
    return Box(x0, y0, min(max(box.x1, x0 + 0.001), 1.0), min(max(box.y1, y0 + 0.001), 1.0))


def read_sheet(sheet: Sheet, number: int, noise: Noise, rng: random.Random) -> Labelled:
    """One page as a reader sees it."""
    angle = math.radians(noise.skew_degrees)

    def seen(box: Box, jitter: float) -> Box:
        dx = -math.sin(angle) * (box.cy - 0.5) * ASPECT
        dy = math.sin(angle) * (box.cx - 0.5) / ASPECT
        shake = [rng.gauss(0, jitter * share) for share in (1, 0.4, 1, 0.4)]
        return _clip(
            Box(
                box.x0 + dx + shake[0],
                box.y0 + dy + shake[1],
                box.x1 + dx + shake[2],
                box.y1 + dy + shake[3],
            )
        )

    kept = [w for w in sheet.words if rng.random() >= noise.drop]
    lines = reading_order(kept)
    words: list[Word] = []
    roles: list[str] = []
    parties: list[str] = []
    spans: list[int] = []
    for line_number, line in enumerate(lines):
        for word in _join(line, noise, rng):
            words.append(
                Word(
                    id=len(words),
                    text=_garble(word.text, noise.confuse, rng) or word.text,
                    confidence=round(min(1.0, max(0.3, 1 - abs(rng.gauss(0, noise.confuse)))), 3),
                    box=seen(word.box, noise.jitter),
                    line=line_number,
                )
            )
            roles.append(word.role)
            parties.append(word.party)
            spans.append(word.span)
    marks = tuple(
        Mark(
            state="checked" if m.checked else "unchecked",
            box=seen(m.box, noise.jitter),
            label=m.label,
            confidence=0.95,
        )
        for m in sheet.marks
        if rng.random() >= noise.lose_marks
    )
    whole = rng.random() >= noise.lose_rules
    page = Page(
        number=number,
        width_px=_WIDTH_PX,
        height_px=_HEIGHT_PX,
        dpi=_DPI,
        skew_degrees=0.0,
        grade=Grade.GOOD if noise.confuse < 0.006 else Grade.FAIR,
        words=tuple(words),
        marks=marks,
        rules=tuple(
            Rule(
                orientation="horizontal" if kind == "horizontal" else "vertical",
                box=seen(box, 0.0002),
            )
            for kind, box in sheet.rules
            if whole or rng.random() >= noise.lose_rules
        ),
        cells=tuple(
            Cell(box=seen(box, 0.0002))
            for box in sheet.cells
            if whole or rng.random() >= noise.lose_rules
        ),
    )
    return Labelled(page, tuple(roles), tuple(parties), tuple(spans))


def read(canvas: Canvas, noise: Noise, rng: random.Random) -> list[Labelled]:
    """The pages as a reader sees them."""
    return [read_sheet(sheet, i, noise, rng) for i, sheet in enumerate(canvas.sheets, 1)]

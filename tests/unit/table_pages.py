# SPDX-License-Identifier: Apache-2.0
"""Pages drawn from plain text, for tests: every character stands where the text says.

``|`` becomes a vertical rule and a line of ``-`` a horizontal one, or nothing at all, as on a fax
that lost its rules. ``noise`` bends the characters as a bad scan does.
"""

from __future__ import annotations

import random
import re

from idp.document import Box, Page, Rule, Word

CHARACTER_PX = 11.0
LINE_PX = 26.0
TEXT_PX = 18.0
_WIDTH, _HEIGHT = 1700, 2200

_CONFUSED = {"O": "0", "0": "O", "1": "l", "l": "1", "5": "S", "8": "B", "B": "8", "I": "l"}


def _bend(text: str, random_: random.Random, share: float) -> list[str]:
    """One printed word as OCR may give it: lookalikes, a lost point, a split."""
    if random_.random() >= share:
        return [text]
    kind = random_.choice(("lookalike", "lost point", "split point"))
    if kind == "lookalike":
        spots = [i for i, c in enumerate(text) if c in _CONFUSED]
        if spots:
            at = random_.choice(spots)
            return [text[:at] + _CONFUSED[text[at]] + text[at + 1 :]]
    if re.fullmatch(r"\$?[\d,]+\.\d\d", text):
        return [text.replace(".", "")] if kind == "lost point" else text.split(".")
    return [text]


def page_of(
    text: str,
    *,
    number: int = 1,
    ruled: bool = True,
    noise: float = 0.0,
    jitter_px: float = 0.0,
    seed: int = 0,
) -> Page:
    """The page that the text draws, one character cell per character."""
    random_ = random.Random(seed)
    words: list[Word] = []
    rules: list[Rule] = []
    height = max(_HEIGHT, int((text.count("\n") + 6) * LINE_PX))
    columns = max((len(line) for line in text.splitlines()), default=0)
    width = max(_WIDTH, int((columns + 8) * CHARACTER_PX))

    def box(x0: float, y0: float, x1: float, y1: float) -> Box:
        return Box(x0 / width, y0 / height, x1 / width, y1 / height)

    for row, line in enumerate(text.splitlines()):
        top = (row + 2) * LINE_PX
        if re.fullmatch(r"\s*-{5,}\s*", line):
            if ruled:
                start = (len(line) - len(line.lstrip()) + 2) * CHARACTER_PX
                end = (len(line.rstrip()) + 2) * CHARACTER_PX
                middle = top + LINE_PX / 2
                rules.append(
                    Rule(orientation="horizontal", box=box(start, middle, end, middle + 2))
                )
            continue
        for match in re.finditer(r"[^\s|]+|\|", line):
            x0 = (match.start() + 2) * CHARACTER_PX
            if match[0] == "|":
                if ruled:
                    middle = x0 + CHARACTER_PX / 2
                    rules.append(
                        Rule(
                            orientation="vertical", box=box(middle, top, middle + 2, top + LINE_PX)
                        )
                    )
                continue
            parts = _bend(match[0], random_, noise)
            at = match.start()
            for part in parts:
                left = (at + 2) * CHARACTER_PX
                right = left + len(part) * CHARACTER_PX - 2
                shift = random_.uniform(-jitter_px, jitter_px)
                words.append(
                    Word(
                        id=len(words),
                        text=part,
                        confidence=0.98,
                        box=box(left, top + 4 + shift, right, top + 4 + TEXT_PX + shift),
                        line=row,
                    )
                )
                at += len(part) + (1 if len(parts) > 1 else 0)
    return Page(
        number=number,
        width_px=width,
        height_px=height,
        dpi=200,
        words=tuple(words),
        rules=tuple(rules),
    )

# SPDX-License-Identifier: Apache-2.0
"""Pages made of text: words laid out on a grid, for tests that need no reader."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from idp.document import Box, Grade, Page, Word

ROWS = 66
COLUMNS = 96


def page(text: str, number: int = 1, *, grade: Grade = Grade.GOOD, large: int = 0) -> Page:
    """A page of ``text``: monospaced, so that several blanks in a row are a gap between columns.

    The first ``large`` lines are printed twice as high as the others.
    """
    words: list[Word] = []
    for row, line in enumerate(text.strip("\n").split("\n")):
        height = (1.6 if row < large else 0.8) / ROWS
        top = (row + 2) / ROWS
        for found in re.finditer(r"\S+", line):
            words.append(
                Word(
                    id=len(words),
                    text=found[0],
                    confidence=0.98,
                    box=Box(
                        (found.start() + 4) / COLUMNS,
                        top,
                        (found.end() + 4) / COLUMNS,
                        min(1.0, top + height),
                    ),
                    line=row,
                )
            )
    return Page(
        number=number, width_px=1700, height_px=2200, dpi=200, grade=grade, words=tuple(words)
    )


_SLIPS = {
    "l": "1I|i",
    "i": "l1!",
    "I": "l1",
    "o": "0c",
    "O": "0Q",
    "0": "O",
    "e": "c",
    "c": "e",
    "a": "s",
    "s": "5",
    "S": "5",
    "B": "8",
    "t": "f",
    "f": "t",
    "r": "f",
    "n": "h",
    "h": "b",
    "u": "v",
    "g": "q",
    "P": "F",
    "E": "F",
    "D": "O",
    "1": "l",
    "5": "S",
    "m": "rn",
    "w": "vv",
}


def _slip(word: str, dice: random.Random) -> str:
    place = dice.randrange(len(word))
    sign = word[place]
    kind = dice.random()
    if kind < 0.7:
        return word[:place] + dice.choice(_SLIPS.get(sign, sign)) + word[place + 1 :]
    if kind < 0.85 and len(word) > 2:
        return word[:place] + word[place + 1 :]
    return word[:place] + sign + word[place:]


def misread(text: str, share: float, dice: random.Random) -> str:
    """``text`` with a share of its words misread, some words glued and some lines lost."""
    lines: list[str] = []
    change: Callable[[re.Match[str]], str] = lambda found: (  # noqa: E731
        _slip(found[0], dice) if dice.random() < share else found[0]
    )
    for line in text.split("\n"):
        if line.strip() and dice.random() < share / 5:
            continue
        read = re.sub(r"\S+", change, line)
        lines.append(
            re.sub(r"(?<=\S) (?=\S)", lambda _: "" if dice.random() < share else " ", read)
        )
    return "\n".join(lines)

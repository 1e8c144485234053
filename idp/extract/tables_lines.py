# SPDX-License-Identifier: Apache-2.0
"""A page as tables need it: printed lines of tokens in pixels, and the ruling lines between them.

Words come in page-relative units whose x and y differ in scale; nearness only makes sense in
square units, so everything here is in pixels of the upright page. The reader's own line numbers
are not used: it groups words by detected text box, and a table row is many of those.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from idp.document import Box, Page, Word

MAX_TOKENS_PER_LINE = 200
"""A printed line has far fewer; more is a picture read as text."""

_AMOUNT = r"\$?-?\d[\d,]*\.\d{2}"
_DATE = r"\d{1,2}/\d{1,2}/\d{4}"
_CODE = r"(?:[0-9A-V]\d{4})"
_GLUED = tuple(
    re.compile(whole)
    for whole in (rf"(?:{_AMOUNT}){{2,}}", rf"(?:{_DATE}){{2,}}", rf"{_DATE}{_CODE}")
)
_GLUED_PARTS = tuple(re.compile(one) for one in (_AMOUNT, _DATE, rf"{_DATE}|{_CODE}$"))


class Token(NamedTuple):
    """A word, or a part of one that OCR glued together, in pixels."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    page: int
    word_ids: tuple[int, ...]
    confidence: float
    boxed: bool = False
    """It stands in character boxes: somebody wrote it, it is no label."""

    @property
    def cx(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def height(self) -> float:
        return self.y1 - self.y0


@dataclass(frozen=True, slots=True)
class Line:
    """Tokens that stand on one printed line, from left to right."""

    page: int
    tokens: tuple[Token, ...]
    y0: float
    y1: float
    height: float

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def text(self) -> str:
        return " ".join(t.text for t in self.tokens)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its lines from top to bottom and its ruling lines."""

    page: int
    width: float
    height: float
    lines: tuple[Line, ...]
    vertical: tuple[tuple[float, float, float], ...] = ()
    """``(x, y0, y1)`` of each vertical rule, from left to right."""
    horizontal: tuple[tuple[float, float, float], ...] = ()
    """``(y, x0, x1)`` of each horizontal rule."""
    text_height: float = field(default=1.0)
    """Median height of a word."""

    def box(self, tokens: Iterable[Token]) -> Box | None:
        """The page-relative box around the tokens, or ``None`` for none."""
        found = list(tokens)
        if not found:
            return None
        return Box(
            max(0.0, min(t.x0 for t in found) / self.width),
            max(0.0, min(t.y0 for t in found) / self.height),
            min(1.0, max(t.x1 for t in found) / self.width),
            min(1.0, max(t.y1 for t in found) / self.height),
        )

    def rules_between(self, left: float, right: float, y: float) -> int:
        """How many vertical rules stand between two x positions at height ``y``."""
        low, high = (left, right) if left < right else (right, left)
        first = bisect_right(self.vertical, (low, float("inf"), float("inf")))
        count = 0
        for x, y0, y1 in itertools.islice(self.vertical, first, None):
            if x >= high:
                break
            count += y0 <= y <= y1
        return count

    def rule_below(self, upper: float, lower: float, left: float, right: float) -> bool:
        """Whether a horizontal rule runs between two heights over some of ``left..right``."""
        return any(
            upper < y < lower and min(x1, right) - max(x0, left) > 0.3 * (right - left)
            for y, x0, x1 in self.horizontal
        )


def _split_glued(word: Word) -> list[tuple[str, float, float]]:
    """Parts of a word with their share (0..1) of its width: ``154.2438.56`` is two amounts."""
    text = word.text
    for glued, part in zip(_GLUED, _GLUED_PARTS, strict=True):
        if glued.fullmatch(text):
            return [(m[0], m.start() / len(text), m.end() / len(text)) for m in part.finditer(text)]
    return [(text, 0.0, 1.0)]


def _tokens(page: Page) -> list[Token]:
    found: list[Token] = []
    for word in page.words:
        if not word.text.strip() or re.fullmatch(r"[_=-]{5,}", word.text):
            continue
        x0, x1 = word.box.x0 * page.width_px, word.box.x1 * page.width_px
        y0, y1 = word.box.y0 * page.height_px, word.box.y1 * page.height_px
        for text, start, end in _split_glued(word):
            found.append(
                Token(
                    text,
                    x0 + (x1 - x0) * start,
                    y0,
                    x0 + (x1 - x0) * end,
                    y1,
                    page.number,
                    (word.id,),
                    word.confidence,
                )
            )
    return found


def group_lines(tokens: Sequence[Token], text_height: float) -> tuple[Line, ...]:
    """Tokens grouped to printed lines, top to bottom.

    A token joins a line when its middle lies within the middle half of the line; the page is
    deskewed, so what is left is the jitter of the detected boxes and mixed type sizes.
    """
    rows: list[list[Token]] = []
    middles: list[float] = []
    for token in sorted(tokens, key=lambda t: (t.cy, t.x0)):
        reach = 0.45 * min(max(token.height, 0.5 * text_height), 1.3 * text_height)
        best = next(
            (
                i
                for i in range(len(rows) - 1, max(-1, len(rows) - 4), -1)
                if abs(middles[i] - token.cy) <= reach and not _collides(rows[i], token)
            ),
            None,
        )
        if best is None:
            rows.append([token])
            middles.append(token.cy)
        elif len(rows[best]) < MAX_TOKENS_PER_LINE:
            rows[best].append(token)
            middles[best] += (token.cy - middles[best]) / len(rows[best])
    lines = []
    for unsorted in rows:
        row = _with_cents(_with_currency(sorted(unsorted, key=lambda t: t.x0)))
        lines.append(
            Line(
                row[0].page,
                tuple(row),
                median(t.y0 for t in row),
                median(t.y1 for t in row),
                median(t.height for t in row),
            )
        )
    return tuple(sorted(lines, key=lambda line: line.cy))


def _with_currency(row: Sequence[Token]) -> list[Token]:
    """The tokens with a ``$`` that stands alone joined to the amount after it."""
    found: list[Token] = []
    for token in row:
        last = found[-1] if found else None
        if last and last.text in ("$", "-$", "$-", "($") and token.text[:1].isdigit():
            found[-1] = token._replace(
                text=last.text + token.text, x0=last.x0, word_ids=last.word_ids + token.word_ids
            )
        else:
            found.append(token)
    return found


def _with_cents(row: Sequence[Token]) -> list[Token]:
    """The tokens with amounts that lost their point (``154 24``) put together again.

    The blank stays in the text, so that the amount counts as repaired. Three numbers in a row are
    a date and stay apart.
    """
    found: list[Token] = []
    for at, token in enumerate(row):
        last = found[-1] if found else None
        following = row[at + 1] if at + 1 < len(row) else None
        if (
            last is not None
            and re.fullmatch(r"[\dOo]{2}", token.text)
            and re.fullmatch(r"\$?\d{1,3}(?:,\d{3})*[.,]?", last.text)
            and token.x0 - last.x1 < 0.5 * token.height
            and not (
                following is not None
                and following.x0 - token.x1 < 0.6 * token.height
                and re.fullmatch(r"\d{2,4}", following.text)
            )
        ):
            found[-1] = token._replace(
                text=f"{last.text.rstrip('.,')} {token.text}",
                x0=last.x0,
                word_ids=last.word_ids + token.word_ids,
                confidence=min(last.confidence, token.confidence),
            )
        else:
            found.append(token)
    return found


def _collides(row: Sequence[Token], token: Token) -> bool:
    """Whether the token would print over one of the row: then it belongs to another line."""
    return any(
        min(t.x1, token.x1) - max(t.x0, token.x0) > 0.4 * min(t.x1 - t.x0, token.x1 - token.x0)
        for t in row
    )


def sheet_of(page: Page) -> Sheet:
    """The lines and rules of one page; never fails, a page without words gives no lines."""
    tokens = _tokens(page)
    text_height = max(1.0, median(t.height for t in tokens)) if tokens else 1.0
    vertical: list[tuple[float, float, float]] = []
    horizontal: list[tuple[float, float, float]] = []
    for rule in page.rules:
        box = rule.box
        if rule.orientation == "vertical":
            vertical.append(
                (box.cx * page.width_px, box.y0 * page.height_px, box.y1 * page.height_px)
            )
        else:
            horizontal.append(
                (box.cy * page.height_px, box.x0 * page.width_px, box.x1 * page.width_px)
            )
    return Sheet(
        page.number,
        float(page.width_px),
        float(page.height_px),
        group_lines(tokens, text_height),
        tuple(sorted(vertical)),
        tuple(sorted(horizontal)),
        text_height,
    )


def chunks(tokens: Sequence[Token], gap: float) -> list[list[Token]]:
    """Neighbouring tokens of a line joined where the blank between them is at most ``gap``."""
    found: list[list[Token]] = []
    for token in tokens:
        if found and token.x0 - found[-1][-1].x1 <= gap:
            found[-1].append(token)
        else:
            found.append([token])
    return found


def joined(tokens: Iterable[Token]) -> str:
    """The text of the tokens, one blank between them."""
    return " ".join(t.text for t in tokens)

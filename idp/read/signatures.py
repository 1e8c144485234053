# SPDX-License-Identifier: Apache-2.0
"""Whether somebody signed: what stands on the signature lines and in the signature boxes.

A place to sign is the rule, the cell or the white right of a short label with the word
"signature", or of "signed" before a rule. Pen strokes on it are ink that no surely read printed
word covers. What is typed there counts as typed: "/s/ name" and "electronically signed" are
signatures, a name alone may be one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np

from idp.document import Signature, Word
from idp.read.pixels import Mask, Rectangle
from idp.read.rules import Ruling, Stroke
from idp.read.words import relative

# Inches.
_ABOVE = 0.48
_BELOW = 0.12
_SHORTEST_LINE = 0.9
_LABEL_GAP = 0.7
_UNDER = 0.22
_FAR_BELOW = 0.95
_TALLEST_CELL = 1.3
_OPEN = 3.0
_PIECE = 0.025
_SIGNED = (0.4, 0.08)
_PERHAPS = (0.15, 0.06)
_WORD_GAP = 0.35

_PRINTED = 0.85
_SOLID = 0.6
_STRAIGHT = 14  # times as long as wide: a streak or the rest of a rule
_MOST_WORDS = 9
_MOST = 30

_LABEL = re.compile(r"(?i)^\W*s[il1]gnature'?s?\W*$")
_SIGNED_WORD = re.compile(r"(?i)^\W*s[il1]gned\W*$")
_TYPED = re.compile(
    r"(?i)/s/|\be-?s[il1]gned|electronic(?:ally)? (?:s[il1]gned|s[il1]gnature|approved)"
    r"|digitally s[il1]gned|s[il1]gnature on file|\bs\.?o\.?f\b"
)
_NAME = re.compile(r"[A-Za-z]{2,}")
_OTHER_LABEL = re.compile(r"(?i)^\W*(?:date|time|title|print(?:ed)?|name|phone|npi|license)\W*:?$")


class _Piece(NamedTuple):
    """Words of one line without a wide gap, in pixels."""

    words: tuple[Word, ...]
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def find_signatures(
    text_ink: Mask, ruling: Ruling, words: Sequence[Word], dpi: float
) -> tuple[Signature, ...]:
    """One answer per place to sign, top to bottom; at most 30.

    Args:
        text_ink: The page's print without its rules (255 is print).
        ruling: The rules and cells.
        words: What was read.
        dpi: Of the mask.
    """
    size = (text_ink.shape[1], text_ink.shape[0])
    labels = [word for word in words if _LABEL.match(word.text) or _SIGNED_WORD.match(word.text)]
    if not labels:
        return ()
    pieces = _pieces(words, size, dpi)
    found: list[tuple[Rectangle, Signature]] = []
    for piece in pieces:
        place = _place(piece, pieces, ruling, size, dpi)
        if place is None or any(_overlap(place, other) for other, _ in found):
            continue
        state, how, box = _judged(text_ink, piece, pieces, place, dpi)
        found.append(
            (
                place,
                Signature(
                    state=state,
                    how=how,
                    label=piece.text,
                    box=relative(*(box or place), *size),
                ),
            )
        )
    ordered = sorted((signature for _, signature in found), key=lambda s: (s.box.y0, s.box.x0))
    return tuple(ordered[:_MOST])


def _pieces(words: Sequence[Word], size: tuple[int, int], dpi: float) -> list[_Piece]:
    lines: dict[int, list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    pieces = []
    for line in lines.values():
        run: list[Word] = []
        for word in sorted(line, key=lambda w: w.box.x0):
            if run and (word.box.x0 - run[-1].box.x1) * size[0] > _WORD_GAP * dpi:
                pieces.append(_piece(run, size))
                run = []
            run.append(word)
            # What is written behind "Signature:" is no part of the label.
            if word.text.endswith(":"):
                pieces.append(_piece(run, size))
                run = []
        if run:
            pieces.append(_piece(run, size))
    return pieces


def _piece(words: Sequence[Word], size: tuple[int, int]) -> _Piece:
    return _Piece(
        tuple(words),
        min(w.box.x0 for w in words) * size[0],
        min(w.box.y0 for w in words) * size[1],
        max(w.box.x1 for w in words) * size[0],
        max(w.box.y1 for w in words) * size[1],
    )


def _place(  # noqa: PLR0911 - one answer per kind of place
    piece: _Piece, pieces: Sequence[_Piece], ruling: Ruling, size: tuple[int, int], dpi: float
) -> Rectangle | None:
    """Where the piece asks to sign, in pixels; ``None`` where it does not."""
    asks = any(_LABEL.match(word.text) for word in piece.words)
    signed = len(piece.words) <= 2 and any(_SIGNED_WORD.match(w.text) for w in piece.words)
    if len(piece.words) > _MOST_WORDS or not (asks or signed) or _TYPED.search(piece.text):
        return None
    middle = (piece.y0 + piece.y1) / 2
    beside = [
        rule
        for rule in ruling.horizontal
        if rule.length >= _SHORTEST_LINE * dpi
        and -0.15 * dpi <= rule.x0 - piece.x1 <= _LABEL_GAP * dpi
        and piece.y0 - 0.05 * dpi <= rule.cy <= piece.y1 + 0.15 * dpi
    ]
    if beside:
        rule = min(beside, key=lambda r: abs(r.x0 - piece.x1) + abs(r.cy - middle))
        return _on(rule, rule.x0, rule.x1, dpi)
    through = [  # one rule from under the label on
        rule
        for rule in ruling.horizontal
        if rule.x0 < piece.x1
        and rule.x1 - piece.x1 >= _SHORTEST_LINE * dpi
        and piece.y1 - 0.06 * dpi <= rule.cy <= piece.y1 + 0.1 * dpi
    ]
    above = [
        rule
        for rule in ruling.horizontal
        if rule.length >= _SHORTEST_LINE * dpi
        and -_UNDER * dpi <= rule.cy - piece.y0 <= 0.04 * dpi
        and rule.x0 - 0.25 * dpi <= piece.x0 < rule.x1
    ]
    cell = _cell(piece, ruling, dpi)
    if cell is not None:
        right = _next_label(piece, pieces, cell.x1)
        below = (piece.x0, piece.y1, float(cell.x1), float(cell.y1))
        if cell.y1 - piece.y1 >= 0.2 * dpi and piece.y0 - cell.y0 < 0.2 * dpi:
            return below
        return piece.x1, cell.y0 + 3.0, right, cell.y1 - 3.0
    if through and not above:
        rule = through[0]
        return _on(rule, round(piece.x1), rule.x1, dpi)
    if above:
        rule = min(above, key=lambda r: abs(r.cy - piece.y0))
        return _on(rule, rule.x0, rule.x1, dpi)
    if signed and not asks:
        return None
    under = [
        rule
        for rule in ruling.horizontal
        if rule.length >= _SHORTEST_LINE * dpi
        and abs(rule.x0 - piece.x0) <= 0.3 * dpi
        and 0.2 * dpi <= rule.cy - piece.y1 <= _FAR_BELOW * dpi
    ]
    if under:
        rule = min(under, key=lambda r: r.cy)
        return float(rule.x0), piece.y1, float(rule.x1), rule.y1 + _BELOW * dpi
    right = _next_label(piece, pieces, min(size[0], piece.x1 + _OPEN * dpi))
    if right - piece.x1 < _SHORTEST_LINE * dpi:
        return None
    return piece.x1, middle - 0.7 * _ABOVE * dpi, right, piece.y1 + _BELOW * dpi


def _on(rule: Stroke, x0: float, x1: float, dpi: float) -> Rectangle:
    return x0, max(0.0, rule.y0 - _ABOVE * dpi), x1, rule.y1 + _BELOW * dpi


def _cell(piece: _Piece, ruling: Ruling, dpi: float) -> Stroke | None:
    x, y = (piece.x0 + piece.x1) / 2, (piece.y0 + piece.y1) / 2
    cells = [
        c
        for c in ruling.cells
        if c.x0 <= x <= c.x1 and c.y0 <= y <= c.y1 and c.y1 - c.y0 <= _TALLEST_CELL * dpi
    ]
    return min(cells, key=lambda c: (c.x1 - c.x0) * (c.y1 - c.y0), default=None)


def _next_label(piece: _Piece, pieces: Sequence[_Piece], limit: float) -> float:
    """Where the next label on the line begins."""
    middle = (piece.y0 + piece.y1) / 2
    return min(
        (
            other.x0
            for other in pieces
            if other.x0 > piece.x1
            and other.y0 <= middle <= other.y1
            and (other.text.endswith(":") or _OTHER_LABEL.match(other.words[0].text))
        ),
        default=limit,
    )


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    return across > 0.5 * min(a[2] - a[0], b[2] - b[0]) and down > 0.5 * min(
        a[3] - a[1], b[3] - b[1]
    )


def _judged(
    text_ink: Mask, label: _Piece, pieces: Sequence[_Piece], place: Rectangle, dpi: float
) -> tuple[Literal["present", "absent", "unsure"], Literal["pen", "typed", ""], Rectangle | None]:
    """The state, how it was signed, and the box of what stands there."""
    x0, y0 = max(0, round(place[0])), max(0, round(place[1]))
    patch = text_ink[y0 : max(0, round(place[3])), x0 : max(0, round(place[2]))].copy()
    if not patch.size:
        return "absent", "", None
    height, width = text_ink.shape
    typed: list[Word] = []
    for piece in pieces:
        for word in piece.words:
            wx0, wy0 = word.box.x0 * width, word.box.y0 * height
            wx1, wy1 = word.box.x1 * width, word.box.y1 * height
            inside = place[0] <= (wx0 + wx1) / 2 <= place[2] and place[1] <= (wy0 + wy1) / 2
            inside = inside and (wy0 + wy1) / 2 <= place[3]
            sure = word.confidence >= _PRINTED and not word.handwritten
            if inside and sure and piece is not label and _NAME.search(word.text):
                typed.append(word)
            if (sure and len(word.text) > 1) or piece is label:
                patch[
                    max(0, round(wy0) - 2 - y0) : max(0, round(wy1) + 3 - y0),
                    max(0, round(wx0) - 2 - x0) : max(0, round(wx1) + 3 - x0),
                ] = 0
    said = " ".join(word.text for word in typed)
    near = " ".join(p.text for p in pieces if _overlap_rows(p, place))
    if _TYPED.search(said) or _TYPED.search(near):
        return "present", "typed", _around(typed, width, height)
    box, solid = _strokes(patch, dpi)
    if box is not None:
        wide, tall = (box[2] - box[0]) / dpi, (box[3] - box[1]) / dpi
        there = (x0 + box[0], y0 + box[1], x0 + box[2], y0 + box[3])
        if wide >= _SIGNED[0] and tall >= _SIGNED[1] and not solid:
            return "present", "pen", there
        if wide >= _PERHAPS[0] and tall >= _PERHAPS[1]:
            return "unsure", "pen", there
    lowest = (place[1] + place[3]) / 2  # print above the line is the form's own
    names = [
        word
        for word in typed
        if not _OTHER_LABEL.match(word.text) and word.box.cy * height >= lowest
    ]
    if len(names) >= 2:
        return "unsure", "typed", _around(names, width, height)
    return "absent", "", None


def _overlap_rows(piece: _Piece, place: Rectangle) -> bool:
    middle = (piece.y0 + piece.y1) / 2
    return place[1] <= middle <= place[3] and piece.x1 > place[0] and piece.x0 < place[2]


def _around(words: Sequence[Word], width: int, height: int) -> Rectangle | None:
    if not words:
        return None
    return (
        min(w.box.x0 for w in words) * width,
        min(w.box.y0 for w in words) * height,
        max(w.box.x1 for w in words) * width,
        max(w.box.y1 for w in words) * height,
    )


def _strokes(patch: Mask, dpi: float) -> tuple[Rectangle | None, bool]:
    """The box around strokes that are neither specks nor streaks, and whether they are solid."""
    stats = cv2.connectedComponentsWithStats(np.ascontiguousarray(patch))[2][1:]
    wide, tall = stats[:, 2], stats[:, 3]
    long, short = np.maximum(wide, tall), np.minimum(wide, tall)
    thin = short <= max(4, _PIECE * dpi)
    stroke = (long >= max(4, _PIECE * dpi)) & (~thin | (long <= _STRAIGHT * np.maximum(short, 2)))
    kept = stats[stroke]
    if not len(kept) or kept[:, 2:4].max() < 0.06 * dpi:
        return None, False
    box = (
        float(kept[:, 0].min()),
        float(kept[:, 1].min()),
        float((kept[:, 0] + kept[:, 2]).max()),
        float((kept[:, 1] + kept[:, 3]).max()),
    )
    area = float(kept[:, 4].sum()) / max(1.0, float((kept[:, 2] * kept[:, 3]).sum()))
    return box, area > _SOLID

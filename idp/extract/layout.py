# SPDX-License-Identifier: Apache-2.0
"""A page as labels need it: rows of tokens in pixels, cut into pieces, labels cut from values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idp.document import Box, Cell, Page
from idp.extract.tables_lines import Sheet, Token, sheet_of

PIECE_GAP = 1.3
"""Text heights of blank after which a new piece of the line begins."""
_GLUED = re.compile(r"^(\(?[A-Za-z][A-Za-z0-9#./'()\-]*[A-Za-z#.)]:)(\S+)$")
_LEADER = re.compile(r"^(.*?[A-Za-z0-9#)*?])\s*(?:[._,\u2026\u00b7]{3,}|:_+)(.*)$")
_LEADER_ALONE = re.compile(r"^[:*]?[._,\u2026\u00b7]{3,}(.*)$")
_FAX_HEADER = re.compile(
    r"(?i)(?:\bp(?:age|g|\.)?\s*\.?\s*\d+\s*(?:/|of)\s*\d+|\b\d{1,3}\s*/\s*\d{1,3}\b|"
    r"\bpage\s*:?\s*\d+|\bfrom\s*:.*\bto\s*:)"
)
_CLOCK = re.compile(r"\b\d{1,2}\s?[:.]\s?\d{2}(?:\s?[:.]\s?\d{2})?\b")
_TOP = 0.045
_COMB = 4
_COMB_GAP = 2.6
_STEP = 1.7
"""A step so much wider than the narrowest leads from one box of characters to the next."""
_BESIDE = 4.0
"""Text heights between the boxes of one value's parts, a printed dash included."""
_PRINTED_BETWEEN = frozenset("-/")
"""What forms print between the boxes of a date or a telephone number."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of neighbouring tokens on one row: no wide blank, no rule and no mark inside."""

    row: int
    start: int
    end: int


@dataclass(slots=True)
class Sheaf:
    """One page's rows of tokens, ready to be read as labels and values."""

    page: Page
    sheet: Sheet
    rows: list[tuple[Token, ...]]
    pieces: list[Piece]
    marks: list[tuple[float, float, float, float]]
    cells: list[tuple[float, float, float, float]]

    @property
    def unit(self) -> float:
        """The usual height of print, in pixels."""
        return self.sheet.text_height

    def box(self, tokens: list[Token]) -> Box:
        """The page-relative box of some tokens (at least one)."""
        found = self.sheet.box(tokens)
        if found is None:
            raise ValueError("no tokens to box")
        return found

    def cell_at(self, x: float, y: float) -> tuple[float, float, float, float] | None:
        """The smallest ruled cell that holds the point."""
        holding = (c for c in self.cells if c[0] <= x <= c[2] and c[1] <= y <= c[3])
        return min(holding, key=lambda c: (c[2] - c[0]) * (c[3] - c[1]), default=None)


def sheaf_of(page: Page) -> Sheaf:
    """Rows and pieces of one page."""
    sheet = sheet_of(page)
    width, height = float(page.width_px), float(page.height_px)
    combs = [_pixels(comb.box, width, height) for comb in page.combs]
    rows = [
        _with_single_boxes(
            _combs(_whole_boxes(_without_leaders(line.tokens), combs), sheet.text_height),
            sheet.text_height,
        )
        for line in sheet.lines
        if not _is_fax_header(line.text, line.cy / height)
    ]
    marks = [_pixels(mark.box, width, height) for mark in page.marks]
    sheaf = Sheaf(page, sheet, rows, [], marks, _cells(page.cells, width, height))
    sheaf.pieces = [p for index, row in enumerate(rows) for p in _pieces(sheaf, index, row)]
    return sheaf


def _pixels(box: Box, width: float, height: float) -> tuple[float, float, float, float]:
    return box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height


def _cells(
    cells: tuple[Cell, ...], width: float, height: float
) -> list[tuple[float, float, float, float]]:
    """Cells that are cells: a frame around the whole page is none."""
    return [
        _pixels(c.box, width, height)
        for c in cells
        if c.box.width * c.box.height < 0.35 and c.box.width > 0.02
    ]


def _is_fax_header(text: str, at: float) -> bool:
    """The line a fax machine prints over the page: a clock, a page count, at the very top."""
    return at < _TOP and bool(_FAX_HEADER.search(text)) and bool(_CLOCK.search(text))


def _without_leaders(line: Sequence[Token]) -> tuple[Token, ...]:
    """``Name ........ Jane``: dots that lead from a label to its value are the label's colon."""
    tokens: list[Token] = []
    for token in line:
        leader = _LEADER_ALONE.match(token.text)
        if leader is None or not tokens:
            tokens += _cut(token)
            continue
        if not tokens[-1].text.endswith(":"):
            tokens[-1] = tokens[-1]._replace(text=tokens[-1].text + ":")
        if leader[1]:
            share = 1 - len(leader[1]) / len(token.text)
            tokens.append(
                token._replace(text=leader[1], x0=token.x0 + (token.x1 - token.x0) * share)
            )
    return tuple(tokens)


def _cut(token: Token) -> Iterator[Token]:
    """``DOB:07/22/1968`` is a label and a value; leaders of dots stand for a colon."""
    text = token.text
    if leader := _LEADER.match(text):
        head, tail = leader[1] + ":", leader[2].strip("._ ")
    elif glued := _GLUED.match(text):
        head, tail = glued[1], glued[2]
    else:
        yield token
        return
    share = len(leader[1] if leader else head) / len(text)
    middle = token.x0 + (token.x1 - token.x0) * share
    yield token._replace(text=head, x1=middle)
    if tail:
        yield token._replace(text=tail, x0=middle)


def _whole_boxes(
    row: tuple[Token, ...], combs: Sequence[tuple[float, float, float, float]]
) -> tuple[Token, ...]:
    """Words in a comb reach to the next one or to its end: an empty cell is no blank."""
    if not combs:
        return row
    inside = [
        next((c for c in combs if c[0] <= t.cx <= c[2] and c[1] <= t.cy <= c[3]), None) for t in row
    ]
    whole: list[Token] = []
    for index, (token, comb) in enumerate(zip(row, inside, strict=True)):
        if comb is None:
            whole.append(token)
            continue
        goes_on = index + 1 < len(row) and inside[index + 1] is comb
        end = row[index + 1].x0 - 1 if goes_on else comb[2]
        starts = index == 0 or inside[index - 1] is not comb
        start = min(token.x0, comb[0]) if starts else token.x0
        whole.append(token._replace(x0=start, x1=max(token.x1, end), boxed=True))
    return tuple(whole)


def _with_single_boxes(row: tuple[Token, ...], unit: float) -> tuple[Token, ...]:
    """A middle initial's box between two combs is one too."""
    return tuple(
        t._replace(boxed=True)
        if len(t.text) == 1
        and any(o.boxed and max(o.x0 - t.x1, t.x0 - o.x1) < _BESIDE * unit for o in row)
        else t
        for t in row
    )


def _combs(row: tuple[Token, ...], unit: float) -> tuple[Token, ...]:
    """Character boxes, one letter each, joined to the words they spell."""
    joined: list[Token] = []
    run: list[Token] = []

    def close() -> None:
        characters = sum(len(t.text) for t in run)
        groups = _groups(run, unit) if len(run) >= _COMB and characters <= 1.9 * len(run) else None
        if groups is None:
            joined.extend(run)
        else:
            joined.extend(_spelled(group) for group in groups)
        run.clear()

    for token in row:
        printed = bool(run) and token.text in _PRINTED_BETWEEN
        short = printed or (len(token.text) <= 3 and token.text.isalnum())
        short = short and not token.boxed
        if run and (not short or token.x0 - run[-1].x1 > _BESIDE * unit):
            close()
        if short:
            run.append(token)
        else:
            joined.append(token)
    close()
    return tuple(joined)


def _spelled(group: Sequence[Token]) -> Token:
    """One word out of the characters of neighbouring boxes."""
    return group[0]._replace(
        text="".join(t.text for t in group),
        y0=min(t.y0 for t in group),
        x1=group[-1].x1,
        y1=max(t.y1 for t in group),
        word_ids=tuple(i for t in group for i in t.word_ids),
        confidence=min(t.confidence for t in group),
        boxed=True,
    )


def _groups(run: Sequence[Token], unit: float) -> list[list[Token]] | None:
    """The characters at one pitch, as boxes have; a wider step begins the next box of several.

    ``None`` where they stand at no pitch, as words do, or too far apart, as columns do.
    """
    singles = [t for t in run if len(t.text) == 1]
    if len(singles) < 0.5 * len(run) or len(singles) < 3:
        return None
    steps = [b.cx - a.cx for a, b in itertools.pairwise(run) if len(a.text) == len(b.text) == 1]
    widest = _STEP * min(steps, default=0.0)
    groups = [[run[0]]]
    for left, right in itertools.pairwise(run):
        single = len(left.text) == len(right.text) == 1
        if (single and right.cx - left.cx > widest) or right.x0 - left.x1 > _COMB_GAP * unit:
            groups.append([])
        groups[-1].append(right)
    # Dates and numbers come in pairs and threes; single letters far apart are no boxes.
    return groups if all(len(group) > 1 for group in groups) else None


def _pieces(sheaf: Sheaf, index: int, row: tuple[Token, ...]) -> Iterator[Piece]:
    start = 0
    for i in range(1, len(row)):
        left, right = row[i - 1], row[i]
        y = (left.cy + right.cy) / 2
        if (
            right.x0 - left.x1 > PIECE_GAP * sheaf.unit
            or left.boxed != right.boxed
            or sheaf.sheet.rules_between(left.x1, right.x0, y)
            or any(
                m[0] >= left.x1 - 4 and m[2] <= right.x0 + 4 and m[1] < y < m[3]
                for m in sheaf.marks
            )
        ):
            yield Piece(index, start, i)
            start = i
    if row:
        yield Piece(index, start, len(row))

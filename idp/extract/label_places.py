# SPDX-License-Identifier: Apache-2.0
"""Where words stand as a field's label does: before or under a line, numbered, alone in a cell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idp.extract.labels import LabelTable, Meaning, squash
from idp.extract.layout import Piece, Sheaf
from idp.extract.tables_lines import Token

LONGEST = 10
"""Words of the longest label."""
NEEDS_COLON = 4
"""Labels of so few letters are words as well: they need a colon, or to stand as a label does."""
LONGEST_REMARK = 16
"""Words in parentheses behind a label: "(Number and street or rural route, city or P.O., ...)"."""
_FIELD_HEIGHT = 6.0
_LINE_OVER = 1.2
"""In text heights: the tallest cell of one field, and how far over its label a line may run."""


def before_lines(sheaf: Sheaf, row: Sequence[Token], piece: Piece) -> set[int]:
    """Tokens behind which a line to write on begins: as good as a colon."""
    unit = sheaf.unit
    found: set[int] = set()
    for i in range(piece.start, piece.end):
        token = row[i]
        if _on_line(sheaf, token):
            continue
        following = row[i + 1].x0 if i + 1 < piece.end else token.x1 + 2 * unit
        if any(
            token.x1 - 0.4 * unit <= x0 <= following + 0.4 * unit
            and x1 - x0 > 2 * unit
            and token.cy < y < token.y1 + 0.8 * unit
            and not _is_roof(sheaf, x0, y)
            for y, x0, x1 in sheaf.sheet.horizontal
        ):
            found.add(i)
    return found


def _on_line(sheaf: Sheaf, token: Token) -> bool:
    """Whether a word stands on a line itself, as a value does, and not before one."""
    return any(
        x0 - 0.5 * sheaf.unit < token.x0
        and token.x1 < x1 + 0.5 * sheaf.unit
        and token.cy < y < token.y1 + 0.8 * sheaf.unit
        for y, x0, x1 in sheaf.sheet.horizontal
    )


def _is_roof(sheaf: Sheaf, x: float, y: float) -> bool:
    """Whether a line that begins there is the upper edge of a box: a wall goes down from it."""
    unit = sheaf.unit
    return any(
        abs(wall - x) < 0.3 * unit and abs(y0 - y) < 0.4 * unit and y1 > y + 0.7 * unit
        for wall, y0, y1 in sheaf.sheet.vertical
    ) or any(abs(x0 - x) < 0.3 * unit and abs(y0 - y) < 0.3 * unit for x0, y0, _, _ in sheaf.cells)


def stands_as_label(
    sheaf: Sheaf, row: Sequence[Token], piece: Piece, begin: int, table: LabelTable
) -> bool:
    """Whether a word alone stands as a field's label does, so that it needs no colon ("Date").

    Numbered, in a cell of its own, under a line to write on, or in a row of labels.
    """
    unit = sheaf.unit
    first, last = row[begin], row[piece.end - 1]
    if not first.text[:1].isupper():
        return False
    if begin > piece.start:
        return True
    cell = sheaf.cell_at(first.cx, first.cy)
    if cell and cell[3] - cell[1] < _FIELD_HEIGHT * unit:
        return not any(
            cell[0] <= t.cx <= cell[2]
            for i, t in enumerate(row)
            if not piece.start <= i < piece.end
        )
    if any(
        -_LINE_OVER * unit < y - first.y0 <= 0.3 * unit
        and x1 - x0 > 2 * unit
        and (abs(x0 - first.x0) < 1.5 * unit or (x0 <= first.x0 and x1 >= last.x1))
        for y, x0, x1 in sheaf.sheet.horizontal
    ):
        return True
    return any(
        other.row == piece.row
        and other.start != piece.start
        and len(squash(text := " ".join(t.text for t in row[other.start : other.end])))
        > NEEDS_COLON
        and table.exact(text) is not None
        for other in sheaf.pieces
    )


def goes_on(row: Sequence[Token], at: int, last: int, limit: int, table: LabelTable) -> bool:
    """Whether a longer label covers the words over a line: "City or Town" over its box."""
    return any(
        table.exact(" ".join(t.text for t in row[at:end])) is not None
        for end in range(last + 2, min(limit, last + LONGEST) + 1)
    )


def swallows(words: Sequence[Token], meaning: Meaning, table: LabelTable) -> bool:
    """Whether a misreading was forgiven that is an initial behind a label: "Middle Name L"."""
    return (
        meaning.quality < 1.0
        and len(words) > 1
        and len(words[-1].text) == 1
        and table.exact(" ".join(t.text for t in words[:-1])) is not None
    )


def without_parentheses(tokens: Sequence[Token]) -> list[Token]:
    """A label's words without remarks; all of them where it is nothing but one."""
    kept: list[Token] = []
    depth = 0
    for token in tokens:
        opens, closes = token.text.count("("), token.text.count(")")
        if depth == 0 and not token.text.startswith("("):
            kept.append(token)
        depth = max(0, depth + opens - closes)
    return kept or list(tokens)


def parenthesis_end(row: Sequence[Token], start: int, limit: int) -> int:
    """Where a remark in parentheses behind a label ends; ``start`` when there is none."""
    if start >= limit or not row[start].text.startswith("("):
        return start
    if re.fullmatch(r"\(?\d{3}\)?.*", row[start].text):
        return start
    for i in range(start, min(limit, start + LONGEST_REMARK)):
        if ")" in row[i].text:
            return i + 1
    return start

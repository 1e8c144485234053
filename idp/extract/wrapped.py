# SPDX-License-Identifier: Apache-2.0
"""Labels that a narrow column broke in two: "Requesting Physician" over "Phone:"."""

from __future__ import annotations

from idp.extract.labels import LabelTable, Meaning
from idp.extract.readings import Found, Reading

_FLUSH = 0.5
_CLOSE = 0.55
"""In text heights: how far apart the two lines may begin, and the blank between them."""
_WORDS = 5
_BESIDE = 12.0
"""How far right of a label its value may begin."""
_SURE = 0.95


def join_wrapped(reading: Reading, table: LabelTable) -> None:
    """Makes one label of two lines that mean something together, where only one has an answer.

    The answer stands beside the first line or under the second; a second line with an answer of its
    own beside it is a label of its own.
    """
    for second in list(reading.labels):
        if second not in reading.labels or _answered(reading, second):
            continue
        first = _line_over(reading, second)
        if first is None:
            continue
        words = f"{_text(reading, first)} {_text(reading, second)}"
        meaning = table.look_up(words)
        if meaning is None or meaning.quality < _SURE or not (meaning.fields or meaning.attribute):
            continue
        if _answered(reading, first):
            first.meaning = meaning
            reading.labels.remove(second)
            if first not in reading.labels:
                reading.labels.append(first)
        else:
            second.meaning = meaning
            if first in reading.labels:
                reading.labels.remove(first)
        reading.taken.update((first.row, i) for i in range(first.start, first.end))


def _text(reading: Reading, found: Found) -> str:
    return reading.text(found).rstrip(":?_. ")


def _answered(reading: Reading, found: Found) -> bool:
    """Whether words that are no label follow on the row."""
    row = reading.sheaf.rows[found.row]
    if found.end >= len(row) or (found.row, found.end) in reading.taken:
        return False
    return row[found.end].x0 - found.box[2] < _BESIDE * reading.sheaf.unit


def _line_over(reading: Reading, second: Found) -> Found | None:
    """The words right above a label, flush with it and without a colon."""
    unit = reading.sheaf.unit
    for piece in reading.sheaf.pieces:
        if not 0 < second.row - piece.row <= 2:
            continue
        row = reading.sheaf.rows[piece.row]
        bottom = row[piece.start].y1
        if not -0.3 * unit < second.box[1] - bottom < _CLOSE * unit:
            continue
        known = next(
            (f for f in reading.labels if f.row == piece.row and f.start == piece.start), None
        )
        if abs(row[piece.start].x0 - second.box[0]) > _FLUSH * unit:
            continue
        if known is not None:
            return None if known.colon else known
        tokens = row[piece.start : piece.end]
        plain = all(t.text.replace("/", "").isalpha() for t in tokens)
        if len(tokens) > _WORDS or not plain:
            return None
        box = (tokens[0].x0, min(t.y0 for t in tokens), tokens[-1].x1, max(t.y1 for t in tokens))
        return Found(piece.row, piece.start, piece.end, Meaning(), colon=False, box=box)
    return None

# SPDX-License-Identifier: Apache-2.0
"""Signatures by their ink: strokes of a pen beside, over or under a place to sign.

A place to sign is a label of the type's signature field, any short print with the word "signature"
in it, or the closing of a letter. What stands there the reader has looked at (:attr:`Page
.signatures`); at places that it does not know, ink that nobody could read as words counts, and so
do the odd letters that OCR makes of a scrawl.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from idp.document import INK, Box
from idp.extract.ports import Candidate
from idp.extract.readings import Reading
from idp.extract.tables_lines import Token
from idp.schemas import DocumentSchema
from idp.values import Kind

_ABOVE = 4.5
_BELOW = 3.5
_CLOSING_BELOW = 6.0
_RIGHT = 0.5
_CONFIDENCE = 0.8
_SCRAWL = 0.65
_MOST_WORDS = 9
_SIGN = re.compile(r"(?i)^\W*s[il1]gnature'?s?\W*$")
_CLOSING = re.compile(
    r"(?i)^(?:sincerely|respectfully|regards|(?:best|kind|warm) regards|yours truly|"
    r"thank you)(?: yours)?,?$"
)
_LETTERS = re.compile(r"[A-WYZa-wyz]")


class Place(NamedTuple):
    """Where somebody is asked to sign, in pixels."""

    row: int
    end: int
    box: tuple[float, float, float, float]
    words: str
    below: float


def signatures(reading: Reading, schema: DocumentSchema) -> list[Candidate]:
    """One candidate per place to sign that holds ink."""
    names = sorted(f.name for f in schema.fields if f.kind is Kind.PRESENCE)
    if not names:
        return []
    page = reading.sheaf.page
    ink = [block.box for block in page.blocks if block.kind == INK]
    made: list[Candidate] = []
    for place in _places(reading, set(names)):
        seen = next((s for s in page.signatures if _signs(reading, place, s.box)), None)
        if seen is not None and seen.state == "absent":
            continue
        box = seen.box if seen else next((b for b in ink if _signs(reading, place, b)), None)
        scrawl = [] if box else _scrawl(reading, place)
        if box is None and not scrawl:
            continue
        confidence = _SCRAWL if scrawl or (seen and seen.state == "unsure") else _CONFIDENCE
        made += [
            Candidate(
                name,
                "yes",
                " ".join(t.text for t in scrawl),
                valid=True,
                confidence=confidence,
                page=page.number,
                box=box or reading.sheaf.box(scrawl),
                word_ids=tuple(i for t in scrawl for i in t.word_ids),
                source="structure",
                label=place.words,
            )
            for name in names
        ]
    return made


def _places(reading: Reading, names: set[str]) -> Iterator[Place]:
    labelled: set[tuple[int, int]] = set()
    for label in reading.labels:
        if names & set(label.meaning.fields):
            labelled.update((label.row, i) for i in range(label.start, label.end))
            yield Place(label.row, label.end, label.box, reading.text(label), _BELOW)
    for piece in reading.sheaf.pieces:
        if any((piece.row, i) in labelled for i in range(piece.start, piece.end)):
            continue
        tokens = reading.sheaf.rows[piece.row][piece.start : piece.end]
        text = " ".join(t.text for t in tokens)
        if len(tokens) <= _MOST_WORDS and any(_SIGN.match(t.text) for t in tokens):
            last = max(i for i, t in enumerate(tokens) if _SIGN.match(t.text))
            yield Place(piece.row, piece.start + last + 1, _box(tokens[: last + 1]), text, _BELOW)
        elif _CLOSING.match(text):
            yield Place(piece.row, piece.end, _box(tokens), text, _CLOSING_BELOW)


def _box(tokens: tuple[Token, ...]) -> tuple[float, float, float, float]:
    return (
        tokens[0].x0,
        min(t.y0 for t in tokens),
        tokens[-1].x1,
        max(t.y1 for t in tokens),
    )


def _limit(reading: Reading, place: Place) -> float:
    """How far right the place goes: to the next label on its row."""
    return min(
        (f.box[0] for f in reading.labels if f.row == place.row and f.start >= place.end),
        default=place.box[2] + _RIGHT * reading.sheaf.sheet.width,
    )


def _signs(reading: Reading, place: Place, box: Box) -> bool:
    """Whether ink lies where the signature goes."""
    sheet, unit = reading.sheaf.sheet, reading.sheaf.unit
    x0, x1 = box.x0 * sheet.width, box.x1 * sheet.width
    y0, y1 = box.y0 * sheet.height, box.y1 * sheet.height
    left, top, right, bottom = place.box
    limit = _limit(reading, place)
    middle = (y0 + y1) / 2
    if right - unit <= x0 < limit and top - 2.2 * unit < middle < bottom + 0.8 * unit:
        return True
    across = x0 < max(right, min(limit, right + 12 * unit)) and x1 > left - 2 * unit
    over = y1 <= top + 0.6 * unit and y0 >= top - _ABOVE * unit
    under = bottom - 0.5 * unit <= y0 <= bottom + place.below * unit
    return across and (over or under)


def _scrawl(reading: Reading, place: Place) -> list[Token]:
    """What OCR made of a signature right of the place: letters that are no label."""
    row = reading.sheaf.rows[place.row]
    limit = _limit(reading, place)
    found: list[Token] = []
    for index in range(place.end, len(row)):
        token = row[index]
        if token.x0 >= limit or (place.row, index) in reading.taken:
            break
        if token.text.startswith("(") or token.text.lower().startswith(("date", "of", "and", "&")):
            break
        found.append(token)
    text = " ".join(t.text for t in found)
    return found if _LETTERS.search(text) and len(found) <= _MOST_WORDS else []

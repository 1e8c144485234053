# SPDX-License-Identifier: Apache-2.0
"""Corrected claims of a remittance as what the words under their cells are.

A truth names the cells of each line, not their places. A line is the row of words on which most of
its cells are printed; of a row that could be two lines', and of a line that could be two rows,
nothing is said. Claims are read as tables, and no tagger proposes them: the words are learnt so
that a tagger takes no cell for a field of the remittance.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from idp.document import Page, Word
from idp.values import Kind, parse

_LINE: Mapping[str, tuple[str, Kind]] = {
    "service_date": ("C_DATE", Kind.DATE),
    "procedure_code": ("C_CODE", Kind.PROCEDURE_CODE),
    "units": ("C_UNITS", Kind.QUANTITY),
    "carc": ("C_CARC", Kind.IDENTIFIER),
    **dict.fromkeys(
        (
            "billed",
            "allowed",
            "adjustment",
            "deductible",
            "copay",
            "coinsurance",
            "noncovered",
            "patient_responsibility",
            "paid",
        ),
        ("C_MONEY", Kind.MONEY),
    ),
}
"""Role and kind of the cells of a line."""

_CLAIM: Mapping[str, tuple[str, str]] = {
    "patient_name": ("NAME", "patient"),
    "member_id": ("MEMBER_ID", ""),
    "group_number": ("GROUP", ""),
    "patient_account": ("ACCOUNT", ""),
    "claim_number": ("CLAIM_NO", ""),
}
"""Role and party of what is said of a claim once."""

_LEAST_CELLS = 3
_LEAST_SHARE = 0.6
"""Of a line's cells that a row must hold to be that line."""
_SAME_ROW = 0.5
"""Heights of a word that the middles of two words of one row are apart at most."""


class CellPlace(NamedTuple):
    """The words of one cell."""

    page: int
    words: tuple[int, ...]
    role: str
    party: str


def claim_places(pages: Sequence[Page], claims: Sequence[Mapping[str, Any]]) -> list[CellPlace]:
    """Where the cells of claims are printed, as far as that is certain.

    Args:
        pages: Those of the document.
        claims: As a truth file has them: cells by name, lines below ``service_lines``.
    """
    rows = [(page.number, row) for page in pages for row in _rows(page)]
    lines = [line for claim in claims for line in (claim.get("service_lines") or [claim])]
    found: list[CellPlace] = []
    taken: set[int] = set()
    for line in lines:
        cells = {name: str(line[name]) for name in _LINE if line.get(name) not in (None, "")}
        wanted = max(_LEAST_CELLS, math.ceil(_LEAST_SHARE * len(cells)))
        told = {
            place: _matches(row, cells) for place, (_, row) in enumerate(rows) if place not in taken
        }
        matched = {place: len({name for name, _ in own}) for place, own in told.items()}
        most = max(matched.values(), default=0)
        best = [place for place, count in matched.items() if count == most >= wanted]
        # Lines that are alike in all cells are taken from top to bottom.
        if not best or (len(best) > 1 and len(best) > lines.count(line)):
            continue
        taken.add(best[0])
        page = rows[best[0]][0]
        roles = {index: _LINE[name][0] for name, index in told[best[0]]}
        found += [CellPlace(page, (index,), role, "") for index, role in sorted(roles.items())]
    for claim in claims:
        for name, (role, party) in _CLAIM.items():
            if claim.get(name):
                found += _once(pages, str(claim[name]), role, party)
    return found


def _rows(page: Page) -> Iterator[list[tuple[int, Word]]]:
    """The words of a page by the height they stand at."""
    row: list[tuple[int, Word]] = []
    for index, word in sorted(enumerate(page.words), key=lambda each: each[1].box.cy):
        if row and word.box.cy - row[-1][1].box.cy > _SAME_ROW * row[-1][1].box.height:
            yield row
            row = []
        row.append((index, word))
    if row:
        yield row


def _matches(row: Sequence[tuple[int, Word]], cells: Mapping[str, str]) -> list[tuple[str, int]]:
    """Which cell each word could be; amounts that are alike are all meant."""
    return [
        (name, index)
        for index, word in row
        for name, value in cells.items()
        if _is(word.text, value, _LINE[name][1])
    ]


def _is(text: str, value: str, kind: Kind) -> bool:
    if not any(c.isdigit() for c in text):
        return False
    if kind is Kind.IDENTIFIER or _squashed(text) == _squashed(value):
        return _squashed(text) == _squashed(value)
    printed, wanted = parse(kind, text), parse(kind, value)
    if not (printed.valid and wanted.valid):
        return False
    if kind in (Kind.MONEY, Kind.QUANTITY):
        return _number(printed.value) == _number(wanted.value) is not None
    return printed.value == wanted.value


def _number(text: str) -> Decimal | None:
    try:
        return abs(Decimal(text))  # an adjustment is printed with a sign or without
    except InvalidOperation:
        return None


def _once(pages: Sequence[Page], value: str, role: str, party: str) -> Iterator[CellPlace]:
    """The only run of words that spells the value; nothing where it stands twice or nowhere."""
    wanted = _squashed(value)
    found = [
        CellPlace(page.number, tuple(range(first, end)), role, party)
        for page in pages
        for first, word in enumerate(page.words)
        for end in _ends(page.words, first, wanted)
        if word.text.strip()
    ]
    if len(found) == 1:
        yield found[0]


def _ends(words: Sequence[Word], first: int, wanted: str) -> Iterator[int]:
    text = ""
    for place in range(first, len(words)):
        if words[place].line != words[first].line:
            return
        text += _squashed(words[place].text)
        if text == wanted:
            yield place + 1
            return
        if not wanted.startswith(text) or not text:
            return


def _squashed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())

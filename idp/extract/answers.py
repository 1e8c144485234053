# SPDX-License-Identifier: Apache-2.0
"""Answers of labels, and the candidates made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from idp.extract.near import Place, Spot
from idp.extract.ports import Candidate
from idp.extract.readings import Found, Reading
from idp.extract.tables_lines import Token
from idp.schemas import FieldSchema
from idp.values import parse

_PLACE = {
    Place.CELL: 0.97,
    Place.RIGHT: 0.95,
    Place.NEXT_CELL: 0.9,
    Place.BELOW: 0.88,
    Place.ABOVE: 0.88,
    Place.FAR: 0.7,
}


class Value(NamedTuple):
    """A label's answer before it is given to a field."""

    found: Found
    spot: Spot


def _confidence(value: Value, tokens: Sequence[Token], *, valid: bool) -> float:
    read = sum(t.confidence for t in tokens) / max(1, len(tokens))
    label = value.found.meaning.quality
    party = 1.0 if value.found.meaning.party or value.found.party else 0.65
    sure = label * _PLACE[value.spot.place] * read * party * (1.0 if valid else 0.5)
    return round(min(1.0, max(0.0, sure)), 4)


def candidate_of(
    reading: Reading,
    value: Value,
    field: FieldSchema,
    tokens: Sequence[Token],
    raw: str,
    *,
    scale: float = 1.0,
) -> Candidate | None:
    """A candidate out of some of an answer's tokens; ``None`` when nothing is left of them."""
    parsed = parse(field.kind, raw, options=field.options or None)
    if not parsed.value.strip():
        return None
    tokens = list(tokens)
    return Candidate(
        field.name,
        parsed.value,
        raw,
        parsed.valid,
        _confidence(value, tokens, valid=parsed.valid) * scale,
        reading.sheaf.page.number,
        reading.sheaf.box(tokens),
        tuple(dict.fromkeys(i for t in tokens for i in t.word_ids)),
        "structure",
        reading.text(value.found),
    )


def joined(tokens: Sequence[Token]) -> tuple[str, list[int]]:
    """The tokens' text with one blank between, and where each begins."""
    starts: list[int] = []
    text = ""
    for token in tokens:
        text += " " if text else ""
        starts.append(len(text))
        text += token.text
    return text, starts


def tokens_at(tokens: Sequence[Token], starts: Sequence[int], first: int, last: int) -> list[Token]:
    """The tokens that hold the characters ``first`` to ``last`` of their joined text."""
    return [
        t
        for t, start in zip(tokens, starts, strict=True)
        if start < last and start + len(t.text) > first
    ]

# SPDX-License-Identifier: Apache-2.0
"""The expressions of the mapping: fixed text with names in braces, no code.

``{payer_name}`` is a field of the document, ``{document.id|short}`` something known of it, passed
through a filter. A name that has no value makes the whole expression empty, so that no title says
"for " and nothing. ``{{`` and ``}}`` are braces themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

MOST_SIGNS = 400
"""Of an expression as written."""

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_.]*)((?:\|[a-z_]+)*)\}|([^{}]+)|([{}])")

Values = Mapping[str, tuple[str, ...]]
"""What may be said of a document, by name; a name without a value is absent or empty."""


def _short(value: str) -> str:
    """The last part of an id: the first says only when it was made, and neighbours share it."""
    return value.rsplit("-", 1)[-1][-12:]


def _words(value: str) -> str:
    """A name of ours in words: ``partially_approved`` is "partially approved"."""
    return value.replace("_", " ")


def _capital(value: str) -> str:
    return value[:1].upper() + value[1:]


def _date(value: str) -> str:
    """The day of a date or time written as ISO 8601."""
    return value[:10]


def _last_four(value: str) -> str:
    return value[-4:]


FILTERS: Mapping[str, Callable[[str], str]] = {
    "capital": _capital,
    "date": _date,
    "last_four": _last_four,
    "lower": str.lower,
    "short": _short,
    "upper": str.upper,
    "words": _words,
}


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """One expression, checked when it was read."""

    written: str
    pieces: tuple[str | _Name, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Which names it speaks of."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, _Name))

    def fill(self, values: Values) -> str:
        """The text for one document on one line, a list joined by commas; empty: nothing to say."""
        return self._filled({name: ", ".join(values.get(name, ())) for name in self.names})

    def each(self, values: Values) -> tuple[str, ...]:
        """One text for each entry of the first list that it names; the first entry of others."""
        listed = next((name for name in self.names if len(values.get(name, ())) > 1), None)
        firsts = {name: next(iter(values.get(name, ())), "") for name in self.names}
        entries = values.get(listed, ()) if listed else ()
        texts = [self._filled({**firsts, str(listed): entry}) for entry in entries]
        return tuple(text for text in texts or [self._filled(firsts)] if text)

    def _filled(self, said: Mapping[str, str]) -> str:
        text = ""
        for piece in self.pieces:
            if isinstance(piece, str):
                text += piece
                continue
            value = said[piece.name]
            for name in piece.filters:
                value = FILTERS[name](value)
            if not value.strip():
                return ""
            text += value
        return " ".join(text.split())

    @classmethod
    def parse(cls, written: str) -> Wording:
        """An expression as written in YAML.

        Raises:
            ValueError: A brace stands alone, or a filter is not known.
        """
        if len(written) > MOST_SIGNS:
            raise ValueError(f"an expression of more than {MOST_SIGNS} signs")
        pieces: list[str | _Name] = []
        for match in _PIECE.finditer(written):
            name, filters, text, brace = match.groups()
            if brace:
                raise ValueError(
                    f"{written!r}: only a name may stand in braces, as in {{payer_name}}"
                )
            if name:
                chain = tuple(filters.split("|")[1:])
                if unknown := [each for each in chain if each not in FILTERS]:
                    known = ", ".join(FILTERS)
                    raise ValueError(f"{written!r}: no filter {unknown[0]!r} (there are {known})")
                pieces.append(_Name(name, chain))
            else:
                pieces.append(text or match.group(0)[:1])
        return cls(written, tuple(pieces))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())


def joined(parts: Iterable[Wording], values: Values, *, between: str, most: int) -> str:
    """The parts that have something to say, side by side, at most ``most`` signs."""
    text = between.join(said for part in parts if (said := part.fill(values)))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"

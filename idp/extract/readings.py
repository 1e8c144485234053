# SPDX-License-Identifier: Apache-2.0
"""What is known of a page before values are looked for: its labels and titles."""

from __future__ import annotations

from dataclasses import dataclass, field

from idp.extract.labels import Meaning
from idp.extract.layout import Sheaf
from idp.extract.tables_lines import Token


@dataclass(slots=True)
class Found:
    """A label on a row: which tokens it takes and what it means."""

    row: int
    start: int
    end: int
    meaning: Meaning
    colon: bool
    party: str | None = None
    box: tuple[float, float, float, float] = (0, 0, 0, 0)


@dataclass(slots=True)
class Title:
    """A section title, with the region it heads in pixels."""

    row: int
    tokens: tuple[Token, ...]
    party: str | None
    x0: float
    x1: float
    y0: float
    y1: float = 0.0


@dataclass(slots=True)
class Reading:
    """Everything known about one page before values are looked for."""

    sheaf: Sheaf
    labels: list[Found] = field(default_factory=list)
    titles: list[Title] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)
    """``(row, token)`` of labels and titles: never part of a value."""

    captions: set[tuple[int, int]] = field(default_factory=set)
    """``(row, token)`` where labels begin that stand under their value."""

    def tokens(self, found: Found) -> tuple[Token, ...]:
        return self.sheaf.rows[found.row][found.start : found.end]

    def text(self, found: Found) -> str:
        return " ".join(t.text for t in self.tokens(found))

# SPDX-License-Identifier: Apache-2.0
"""Cuts held against the truth: boundaries, and whether two patients would leave together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from idp.document import Page


class Counts(NamedTuple):
    """Boundaries found, found wrongly, and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def boundaries(true: frozenset[int], found: frozenset[int]) -> Counts:
    """Of one stack; pages that begin a document, the stack's first page left out."""
    return Counts(len(true & found), len(found - true), len(true - found))


def together(counts: Sequence[Counts]) -> Counts:
    """The sums."""
    return (
        Counts(*(sum(column) for column in zip(*counts, strict=True)))
        if counts
        else Counts(0, 0, 0)
    )

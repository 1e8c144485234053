# SPDX-License-Identifier: Apache-2.0
"""The book of faults: every way in which a mistake of a rule is seeded.

A seeder takes a sound case and gives the same case with exactly one fault in it, or nothing where
this case has no place for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from training.faults.cases import PAPERS, Case


class Seeded(NamedTuple):
    """A case with a fault; ``fields`` are those that a finding should name (any one of them)."""

    case: Case
    fields: tuple[str, ...] = ()
    says: str = ""
    """What the finding has to say to have found it, beside that there is something."""


Seeder = Callable[[Case, random.Random], Seeded | None]


class Manner(NamedTuple):
    """One way of making the mistake of a rule."""

    rule: str
    """Its number; several with strokes between them where any of them may find it."""
    name: str
    seed: Seeder
    kinds: tuple[str, ...]
    placed: bool
    """Whether what is wrong stands somewhere on a page, so that the finding has to say where."""
    listed: bool
    """Whether only an imported list or directory shows it."""


UNSEEDED: dict[str, str] = {
    "C2": "says that reading failed; a document of true fields has nothing unread",
    "E1": "two people said different things: it is about answers, not about a document",
    "P4": "informs of what of a file is no document; tests of arrival hold it",
    "P5": "informs of a broken file that was mended; the damaged files of the tests hold it",
    "P6": "a cut that is in doubt: `training.stacks` measures cuts",
    "P7": "a sidecar that a folder requires: a matter of folders, not of documents",
    "P8": "informs of blank pages that were set aside: `training.stacks` measures them",
    "P9": "a sidecar that was not understood: a matter of folders, not of documents",
    "P10": "pages that were taken before their packet is worked again: tests of the store hold it",
    "R6": "an amount that no balance uses: it finds nothing by its nature",
    "X1": "a malformed interchange: the reader of X12 is tested on damaged ones",
    "X2": "two patients in one transaction set: the reader of X12 is tested on it",
    "X3": "what a partner refused is told in an acknowledgment: nothing is wrong with the document",
}
"""Rules without seeded faults, and why."""

_BOOK: dict[tuple[str, str], Manner] = {}


def manner(
    rule: str,
    name: str,
    *,
    kinds: Iterable[str] = PAPERS,
    placed: bool = True,
    listed: bool = False,
) -> Callable[[Seeder], Seeder]:
    """Enters a seeder for a rule."""

    def entered(seed: Seeder) -> Seeder:
        if (rule, name) in _BOOK:
            raise ValueError(f"{rule}: {name} is entered twice")
        _BOOK[rule, name] = Manner(rule, name, seed, tuple(kinds), placed, listed)
        return seed

    return entered


def manners() -> dict[str, list[Manner]]:
    """All manners by rule."""
    found: dict[str, list[Manner]] = {}
    for one in _BOOK.values():
        found.setdefault(one.rule, []).append(one)
    return dict(sorted(found.items(), key=lambda pair: _order(pair[0])))


def _order(rule: str) -> tuple[str, int, str]:
    first = rule.split("/", 1)[0]
    return first[0], int(first[1:]), rule

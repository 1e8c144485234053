# SPDX-License-Identifier: Apache-2.0
"""Labelled pages without end: synthetic ones made on the fly, filled real forms beside them.

Every page is named by a number, so that a run that was killed goes on where it stood: the same
number gives the same page with the same hints forgotten.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from idp.extract.crf_roles import ALL_ROLES, OUTSIDE
from idp.extract.features import LabelTable, PageView
from idp.extract.layoutlm_inputs import Numbers, PageEncoder, Window
from training.labelled import read_file
from training.synthesise import TYPES, make_one
from training.synthesise.noise import Labelled
from training.synthesise.values import Split
from training.train_crf import tags_of

LABELS: tuple[str, ...] = (OUTSIDE, *sorted(ALL_ROLES - {OUTSIDE}))
IGNORED = -100
_FORGOTTEN = (0.0, 0.0, 0.2, 0.5)
"""Shares of the labels that the table seems not to know, one drawn per page: real forms print
labels that no table lists, so the words themselves have to be learned, too."""


class Stream(NamedTuple):
    """Which pages: synthetic families per type, from which seed, and filled forms beside them."""

    split: Split
    families: int
    seed: int
    forms: tuple[Path, ...] = ()
    forms_share: float = 0.0


class ForgetfulTable(LabelTable):
    """A label table that seems not to know a share of the phrases; the same ones every time.

    Args:
        table: What is known.
        share: How much of it is forgotten.
        seed: Which part.
    """

    def __init__(self, table: LabelTable, share: float, seed: int) -> None:
        super().__init__({})
        self._table, self._share, self._seed = table, share, seed

    def role(self, phrase: str) -> str:
        """The roles of a phrase, unless it is one of the forgotten."""
        roles = self._table.role(phrase)
        if not roles or random.Random(f"{self._seed}/{phrase}").random() < self._share:  # noqa: S311
            return ""
        return roles


def read_form(path: Path) -> list[Labelled]:
    """The labelled pages of a file, in any of the ways that :mod:`training.labelled` reads.

    Raises:
        ValueError: Roles and words do not go together, or a role is none that is known.
    """
    found = read_file(path)
    if any(not ALL_ROLES.issuperset(one.roles) for one in found):
        raise ValueError(f"{path.name}: a role that no tagger knows")
    return found


_cached_form = lru_cache(maxsize=1000)(read_form)


def labelled_at(stream: Stream, number: int) -> list[Labelled]:
    """The pages of one document of the stream."""
    rng = random.Random(f"{stream.seed}/{number}")  # noqa: S311 - not for secrets
    if stream.forms and rng.random() < stream.forms_share:
        return _cached_form(rng.choice(stream.forms))
    turn = number // len(TYPES)
    index, seed = turn % stream.families, stream.seed * 1000 + turn // stream.families
    return list(make_one(TYPES[number % len(TYPES)], stream.split, index, seed).pages)


class Example(NamedTuple):
    """A window and the number of the label of each of its positions."""

    window: Window
    goals: Numbers


def examples_at(
    stream: Stream, number: int, encoder: PageEncoder, table: LabelTable, *, forget: bool
) -> Iterator[Example]:
    """The windows of one document."""
    numbers = {label: n for n, label in enumerate(LABELS)}
    for order, labelled in enumerate(labelled_at(stream, number)):
        view = PageView(labelled.page)
        rng = random.Random(f"{stream.seed}/{number}/{order}")  # noqa: S311
        share = rng.choice(_FORGOTTEN) if forget else 0.0
        known = ForgetfulTable(table, share, number) if share else table
        goals = np.array([numbers[tag] for tag in tags_of(view, labelled)], np.int64)
        for window in encoder.windows(encoder.encode(view, known)):
            own = np.pad(goals[window.first : window.end], 1, constant_values=IGNORED)
            yield Example(window, own)

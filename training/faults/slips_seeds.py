# SPDX-License-Identifier: Apache-2.0
"""Faults of reading: letters that were taken for digits, as recognition takes them."""

from __future__ import annotations

import random
from collections.abc import Callable

from idp.values import Kind
from training.faults.book import Seeded, manner
from training.faults.cases import Case
from training.faults.values_seeds import FORMS, changed, of_kind

_BY_PLACE = {"0": "O", "1": "l", "5": "S", "8": "B", "2": "Z"}
_UNSURE = {"5": "S", "8": "B", "2": "Z"}
_LIKE_SIX = {"6": "G", "5": "G"}


def _slips(
    text: str, rng: random.Random, signs: dict[str, str], count: int, *, first: int = 0
) -> str:
    """The text with ``count`` digits read as letters; unchanged where it has too few of them."""
    places = [at for at, sign in enumerate(text) if at >= first and sign in signs]
    if len(places) < count:
        return text
    read = list(text)
    for at in rng.sample(places, count):
        read[at] = signs[read[at]]
    return "".join(read)


def _misread(
    case: Case, rng: random.Random, kind: Kind, change: Callable[[str], str]
) -> Seeded | None:
    return changed(case, of_kind(case, kind), rng, change)


# -- N9 --------------------------------------------------------------------------------------


@manner("N9", "a letter in an NPI", kinds=FORMS)
def _letter_in_npi(case: Case, rng: random.Random) -> Seeded | None:
    return _misread(case, rng, Kind.NPI, lambda t: _slips(t, rng, _BY_PLACE, 1))


@manner("N9", "a letter in a telephone number", kinds=FORMS)
def _letter_in_phone(case: Case, rng: random.Random) -> Seeded | None:
    return _misread(case, rng, Kind.PHONE, lambda t: _slips(t, rng, {"0": "O", "1": "l"}, 1))


@manner("N9", "O for 0 in a diagnosis code", kinds=FORMS)
def _letter_in_diagnosis(case: Case, rng: random.Random) -> Seeded | None:
    return _misread(case, rng, Kind.ICD10, lambda t: _slips(t, rng, {"0": "O"}, 1, first=1))


# -- N10 -------------------------------------------------------------------------------------


@manner("N10", "two unsure letters in an NPI", kinds=FORMS)
def _unsure_npi(case: Case, rng: random.Random) -> Seeded | None:
    return _misread(case, rng, Kind.NPI, lambda t: _slips(t, rng, _UNSURE, 2))


@manner("N10", "a letter that is no digit's in a telephone number", kinds=FORMS)
def _unsure_phone(case: Case, rng: random.Random) -> Seeded | None:
    return _misread(case, rng, Kind.PHONE, lambda t: _slips(t, rng, _LIKE_SIX, 1))

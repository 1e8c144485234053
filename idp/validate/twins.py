# SPDX-License-Identifier: Apache-2.0
"""Twins: one family name and one birth date, and two given names that no one person goes by.

Faxes mix up siblings before they mix up strangers, and of twins nothing else differs: even their
member number is often one. What tells them apart is a given name, and given names of one person
differ as well: short forms, initials, middle names, letters misread. So only what no such thing
explains counts. Given names that differ by a sign or two are taken for misread ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from idp.masters import is_short_form
from idp.masters.spelling import plain, slips, word_closeness
from idp.patients import Patient

_FEWEST_LETTERS = 2
"""A single letter is an initial, and tells nobody apart."""
_BEGINNING = 3
"""Letters from which on one given name may be the beginning of another (``Alex``)."""
_SHARE_OF_SLIPS = 0.3
"""Of the longer name: words with fewer signs misread may be one word."""
_TITLES = frozenset(
    ("mr", "mrs", "ms", "miss", "dr", "jr", "sr", "ii", "iii", "iv", "md", "do", "rn", "np", "pa")
)
_OF_ANY_NEWBORN = frozenset(
    ("baby", "boy", "girl", "infant", "newborn", "male", "female", "bb", "bg", "nb", "twin")
)
"""What stands for a given name until there is one."""


class _Name(NamedTuple):
    given: tuple[str, ...]
    family: tuple[str, ...]


def twins(first: Patient, second: Patient) -> bool:
    """Whether two pages of one birth date speak of two people of one family.

    Every name of one page is held against every name of the other: a pair that may be one person's
    is enough for them to be one.
    """
    if not first.births & second.births or not first.names or not second.names:
        return False
    return all(_siblings(one, other) for one in first.names for other in second.names)


def _siblings(first: str, second: str) -> bool:
    one, other = _parted(first), _parted(second)
    if not one.given or not other.given or not _any_alike(one.family, other.family):
        return False
    return not any(_may_be_one(a, b) for a in one.given for b in other.given)


def _parted(name: str) -> _Name:
    """Given and family names: turned round by a comma, else the last word is the family's.

    Either may be double (``Adams-Thompson``, ``Anne-Marie``): each part is a word.
    """
    if not re.search(r"[\s,]", name):  # a lost blank
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    head, _, tail = name.partition(",")
    before, behind = _words(head), _words(tail)
    if before and behind:
        return _Name(_parts(behind), _parts(before))
    words = before or behind
    return _Name(_parts(words[:-1]), _parts(words[-1:]))


def _words(text: str) -> tuple[str, ...]:
    unsaid = _TITLES | _OF_ANY_NEWBORN
    return tuple(word for word in text.split() if plain(word) and plain(word) not in unsaid)


def _parts(words: Iterable[str]) -> tuple[str, ...]:
    bare = (plain(part) for word in words for part in word.split("-"))
    return tuple(part for part in bare if len(part) >= _FEWEST_LETTERS)


def _any_alike(words: Iterable[str], others: Iterable[str]) -> bool:
    known = tuple(others)
    return any(word_closeness(word, other) != "other" for word in words for other in known)


def _may_be_one(first: str, second: str) -> bool:
    """Whether one person may go by both, or both are one word, misread."""
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) >= _BEGINNING and longer.startswith(shorter):
        return True
    if is_short_form(first, second):
        return True
    return slips(first, second) < len(longer) * _SHARE_OF_SLIPS

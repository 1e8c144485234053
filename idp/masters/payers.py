# SPDX-License-Identifier: Apache-2.0
"""Payers by name and number, and whether a member number has the shape of theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Literal, NamedTuple

from rapidfuzz import fuzz, process

from idp.masters.nouns import Payer, Printed
from idp.masters.spelling import plain, slips
from idp.values.slips import AS_DIGIT, AS_LETTER, compact

_ALIKE = 82.0
"""Of 100: names less alike are two payers'."""

_MOST_SLIPS = 2.0
_LEGAL = re.compile(r"\b(?:inc|llc|corp|corporation|co|company|ltd|the)\b\.?", re.I)
_WORDS = re.compile(r"[^\W_]+")
_MOST_SIGNS = 40
"""Of a member number that is held against a pattern."""

_MOST_MISREAD = 2


class PayerVerdict(NamedTuple):
    """Which payer a document names."""

    outcome: Literal["matched", "near", "ambiguous", "none"]
    best: Payer | None = None
    score: float = 0.0
    evidence: tuple[str, ...] = ()


class PayerNames:
    """All payers of the directory by every name they go by."""

    def __init__(self, payers: Sequence[Payer]) -> None:
        self._payers = tuple(payers)
        self._by_name: dict[str, list[Payer]] = {}
        self._by_number: dict[str, list[Payer]] = {}
        self._words: dict[str, list[Payer]] = {}
        for payer in self._payers:
            for name in payer.names:
                _put(self._by_name, _folded(name), payer)
                _put(self._words, _spelled(name), payer)
            for number in (*payer.payer_ids, payer.canonical_id):
                _put(self._by_number, compact(number), payer)
        self._id_of = lru_cache(maxsize=4096)(self._resolved)

    def __len__(self) -> int:
        return len(self._payers)

    def id_of(self, text: str) -> str:
        """The canonical id of a payer as another directory names it; empty where not known."""
        return self._id_of(text)

    def _resolved(self, text: str) -> str:
        for table, key in ((self._by_number, compact(text)), (self._by_name, _folded(text))):
            found = table.get(key, []) if key else []
            if len(found) == 1:
                return found[0].canonical_id
        return ""

    def match(self, printed: Printed) -> PayerVerdict:
        """The payer of a printed name; what only looks alike is left to a person.

        Misread signs are forgiven; another word is another payer (Texas is not Tennessee), unless
        its telephone or fax number agrees.
        """
        if not printed.name:
            return PayerVerdict("none")
        exact = self._by_name.get(_folded(printed.name), [])
        if exact:
            return self._one_of(exact, printed, 1.0, "name: same")
        wanted, spelled = _folded(printed.name), _spelled(printed.name)
        found = sorted(
            (
                one
                for scorer in (fuzz.ratio, fuzz.token_sort_ratio)
                for one in process.extract(
                    spelled, self._words.keys(), scorer=scorer, score_cutoff=_ALIKE, limit=8
                )
            ),
            key=lambda one: -one[1],
        )
        misread: dict[str, Payer] = {}
        for name, _, _ in found:
            if len(wanted) >= 8 and slips(wanted, _folded(name)) <= _most(wanted):
                misread.update((payer.canonical_id, payer) for payer in self._words[name])
        if misread:
            return self._one_of(list(misread.values()), printed, 0.9, "name: read with a slip")
        alike = {p.canonical_id: p for name, _, _ in found for p in self._words[name]}
        reached = [payer for payer in alike.values() if _reached(payer, printed)]
        if len(reached) == 1:
            return PayerVerdict(
                "matched", reached[0], 0.9, ("name: alike", "telephone or fax: same")
            )
        if not alike:
            return PayerVerdict("none")
        outcome: Literal["near", "ambiguous"] = "near" if len(alike) == 1 else "ambiguous"
        best = self._words[found[0][0]][0]
        return PayerVerdict(outcome, best, round(found[0][1] / 100, 3), ("name: alike",))

    def _one_of(
        self, payers: Sequence[Payer], printed: Printed, score: float, said: str
    ) -> PayerVerdict:
        """Payers of one name are told apart by telephone, then by the shape of the number."""
        for kept, why in (
            (payers, ""),
            ([p for p in payers if _reached(p, printed)], "telephone or fax: same"),
            ([p for p in payers if p.patterns and fits(p, printed.number)], "member ID: its shape"),
        ):
            if len(kept) == 1:
                return PayerVerdict("matched", kept[0], score, (said, *((why,) if why else ())))
        return PayerVerdict("ambiguous", payers[0], score, (said, f"payers alike: {len(payers)}"))


def fits(payer: Payer, number: str) -> bool:
    """Whether a member number has the shape of the payer's; true where none is known."""
    signs = compact(number)
    if not payer.patterns or not signs or len(signs) > _MOST_SIGNS:
        return True
    texts = (number.strip(), signs)
    return any(
        re.fullmatch(pattern, text, re.IGNORECASE) for pattern in payer.patterns for text in texts
    )


def fits_misread(payer: Payer, number: str) -> bool:
    """Whether it would fit if one or two signs were those that they are read for."""
    signs = compact(number)[:_MOST_SIGNS]
    others = {
        place: other
        for place, sign in enumerate(signs)
        if (other := AS_DIGIT.get(sign) or AS_LETTER.get(sign))
    }
    for slips_made in range(1, _MOST_MISREAD + 1):
        for places in combinations(others, slips_made):
            text = "".join(others[p] if p in places else s for p, s in enumerate(signs))
            if fits(payer, text):
                return True
    return False


def _reached(payer: Payer, printed: Printed) -> bool:
    ours = {*payer.phones, *payer.faxes}
    return any(number.split(" x")[0] in ours for number in (*printed.phones, *printed.faxes))


def _most(name: str) -> float:
    return min(_MOST_SLIPS, len(name) / 12)


def _folded(name: str) -> str:
    return plain(_LEGAL.sub(" ", name))


def _spelled(name: str) -> str:
    return " ".join(plain(word) for word in _WORDS.findall(_LEGAL.sub(" ", name)))


def _put(table: dict[str, list[Payer]], key: str, payer: Payer) -> None:
    held = table.setdefault(key, [])
    if key and payer not in held:
        held.append(payer)

# SPDX-License-Identifier: Apache-2.0
"""Finding printed phrases in read text, misread letters and lost blanks forgiven.

Text and phrase are folded alike: accents and blanks go, signs that readers confuse become one
sign. Longer phrases may differ in some letters. Short ones must stand as words of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, pairwise

from rapidfuzz import fuzz

_CONFUSED = str.maketrans(
    {
        "0": "o",
        "1": "i",
        "l": "i",
        "|": "i",
        "!": "i",
        "5": "s",
        "8": "b",
        "2": "z",
        "6": "b",
        "9": "g",
        "q": "g",
    }
)
SHORT = 6
"""Phrases folded to fewer signs than this must match a whole word (or words) exactly."""

_SIGNS_PER_ERROR = 7
_MOST_ERRORS = 5


_WORD = re.compile(r"[^\W_]+")


def without_accents(text: str) -> str:
    """Letters without the accents that specks of a fax put on them."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _folded_words(text: str) -> list[str]:
    plain = without_accents(text).lower().translate(_CONFUSED)
    return [
        word.replace("rn", "m").replace("vv", "w").replace("ii", "u")
        for word in _WORD.findall(plain)
    ]


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case, letters and digits only, no blanks, confusable signs as one."""
    return "".join(_folded_words(text))


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 3] for i in range(len(text) - 2))


_INSIDE_A_WORD = 0.5
_PER_ERROR = 3
"""How fast misreadings cost strength: the share of right letters to this power."""


class Text:
    """A text made ready for many phrase look-ups."""

    def __init__(self, lines: Iterable[str]) -> None:
        words = [word for line in lines for word in _folded_words(line)]
        self.folded = "".join(words)
        self._grams = _grams(self.folded)
        self._words = frozenset(words) | frozenset(
            first + second for first, second in pairwise(words)
        )
        self._starts = frozenset(accumulate((len(word) for word in words), initial=0))

    def similarity(self, phrase: str) -> float:
        """How well the phrase is found: 1 exact, less with misreadings, 0 not there.

        A phrase that begins inside a printed word ("pre-determination") counts half: blanks get
        lost in reading, but rarely just there.
        """
        wanted = fold(phrase)
        if len(wanted) < SHORT:
            return 1.0 if wanted and wanted in self._words else 0.0
        return self._exact(wanted) or self._misread(wanted)

    def _exact(self, wanted: str) -> float:
        place = self.folded.find(wanted)
        found = place >= 0
        while place >= 0:
            if place in self._starts:
                return 1.0
            place = self.folded.find(wanted, place + 1)
        return _INSIDE_A_WORD if found else 0.0

    def _misread(self, wanted: str) -> float:
        errors = min(len(wanted) // _SIGNS_PER_ERROR, _MOST_ERRORS)
        if not errors or len(self.folded) < len(wanted):
            return 0.0
        grams = _grams(wanted)
        if len(grams & self._grams) < len(grams) - 3 * errors:
            return 0.0
        cutoff = 100 * (1 - (errors + 0.01) / len(wanted))
        found = fuzz.partial_ratio_alignment(wanted, self.folded, score_cutoff=cutoff)
        if found is None:
            return 0.0
        near = any(found.dest_start + shift in self._starts for shift in (-1, 0, 1))
        return float((found.score / 100) ** _PER_ERROR) * (1.0 if near else _INSIDE_A_WORD)

    def __contains__(self, phrase: str) -> bool:
        return self.similarity(phrase) > 0

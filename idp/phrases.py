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
from itertools import pairwise

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


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case, letters and digits only, confusable signs as one."""
    plain = unicodedata.normalize("NFKD", text).lower()
    folded = "".join(sign for sign in plain.translate(_CONFUSED) if sign.isalnum())
    return folded.replace("rn", "m").replace("vv", "w").replace("ii", "u")


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 3] for i in range(len(text) - 2))


class Text:
    """A text made ready for many phrase look-ups."""

    def __init__(self, lines: Iterable[str]) -> None:
        kept = list(lines)
        self.folded = fold(" ".join(kept))
        self._grams = _grams(self.folded)
        words = [fold(word) for line in kept for word in re.findall(r"[^\s,.;:()/]+", line)]
        self._words = frozenset(words) | frozenset(
            first + second for first, second in pairwise(words)
        )

    def similarity(self, phrase: str) -> float:
        """How well the phrase is found: 1 exact, below 1 with misreadings, 0 not there."""
        wanted = fold(phrase)
        if len(wanted) < SHORT:
            return 1.0 if wanted and wanted in self._words else 0.0
        if wanted in self.folded:
            return 1.0
        errors = min(len(wanted) // _SIGNS_PER_ERROR, _MOST_ERRORS)
        if not errors or len(self.folded) < len(wanted):
            return 0.0
        grams = _grams(wanted)
        if len(grams & self._grams) < len(grams) - 3 * errors:
            return 0.0
        cutoff = 100 * (1 - (errors + 0.01) / len(wanted))
        found = fuzz.partial_ratio(wanted, self.folded, score_cutoff=cutoff)
        return float(found) / 100 if found else 0.0

    def __contains__(self, phrase: str) -> bool:
        return self.similarity(phrase) > 0

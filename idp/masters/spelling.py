# SPDX-License-Identifier: Apache-2.0
"""Names and numbers as they are compared: folded, and how far one is from another as read.

Reading mistakes signs that look alike; another person's name or number differs in signs that do
not. The distance here is one for a sign that is another and half for one that looks like it, so
that a slip of the eye and another person are told apart.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import Levenshtein

from idp.values.slips import AS_LETTER, compact

_NUMBER_FOLD = str.maketrans({"O": "0", "Q": "0", "I": "1", "L": "1", "S": "5", "B": "8", "Z": "2"})
_LETTER_FOLD = str.maketrans({**AS_LETTER, "!": "L"})

_LOOK_ALIKE = (
    "ceoadq", "ilj1tfr", "nhurmv", "bh8", "gq9y", "vuyw", "sz52", "kx", "pf", "o0dq", "6b8", "38b",
    "17", "49", "56s", "s8", "0o68", "il17",
)  # fmt: skip
_ALIKE = frozenset((a, b) for group in _LOOK_ALIKE for a in group for b in group if a != b)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("ii", "u"), ("ll", "u"), ("nn", "m"))
_SUFFIXES = {
    "jr": "2", "junior": "2", "sr": "1", "senior": "1", "ii": "2", "iii": "3", "iv": "4",
    "2nd": "2", "3rd": "3", "4th": "4",
}  # fmt: skip
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "rev", "hon"})
_CREDENTIALS = frozenset(
    re.findall(
        r"\w+",
        "md do np pa pac rn phd dds dmd dpm od dc fnp fnpbc fnpc aprn arnp cnm cnp cns crna lcsw "
        "lpc lmft pt dpt ot slp msn bsn lpn lvn pharmd psyd aud mph mba facs facp faap facc facog "
        "mbbs rd cma esq",
    )
)
_SOUNDS = str.maketrans("bfpvcgjkqsxzdtlmnr", "111122222222334556")

_MOST_EDITS = 4
"""More of them cost more than any name or number is forgiven, even if all look alike."""

MOST_WORDS = 8
"""Of a name that is compared; no more are looked at."""


class Name(NamedTuple):
    """A printed person's name as words to compare; ``suffix`` is the generation, 1 the eldest."""

    words: tuple[str, ...]
    suffix: str = ""
    comma: int = 0
    """How many words stand before a comma, where the family name comes first; 0 elsewhere."""


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Letters only, lower case, without accents; a digit is the letter it was misread for."""
    if text.isascii() and text.isalpha():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    mended = "".join(s for s in apart if not unicodedata.combining(s)).upper()
    return "".join(s for s in mended.translate(_LETTER_FOLD) if s.isalpha()).lower()


@lru_cache(maxsize=16_384)
def name_of(text: str) -> Name:
    """A person's name without titles and degrees, its generation apart."""
    before, comma, rest = text.partition(",")
    words: list[str] = []
    suffix = ""
    first_part = 0
    for number, part in enumerate((before, rest)):
        for printed in re.split(r"[\s,/]+", part):
            bare = compact(printed).lower()
            if (words or number) and bare in _SUFFIXES and not suffix:
                suffix = _SUFFIXES[bare]
            elif bare in _TITLES or (bare in _CREDENTIALS and (printed.isupper() or number)):
                continue
            elif word := plain(printed):
                words.append(word)
        if not number and comma:
            first_part = len(words)
    turned = first_part if first_part and first_part < len(words) else 0
    return Name(tuple(words[:MOST_WORDS]), suffix, turned)


def generation(text: str) -> str:
    """What a suffix says: ``1`` for senior, ``2`` for junior; empty when it says nothing."""
    return _SUFFIXES.get(compact(text).lower(), "")


def number_key(text: str) -> str:
    """A number with signs that are read for each other as one (O/0, I/1, S/5, B/8, Z/2)."""
    return compact(text).translate(_NUMBER_FOLD)


def sound(word: str) -> str:
    """American Soundex without the first letter: how a name sounds, whatever it begins with."""
    code = "".join(s for s in word.translate(_SOUNDS) if s.isdigit())
    return re.sub(r"(\d)\1+", r"\1", code)[:4]


def hashed(*parts: str) -> int:
    """A key of 63 bits for an index."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@lru_cache(maxsize=65_536)
def slips(first: str, second: str) -> float:
    """How many signs differ: half each where one is read for the other; turned neighbours one.

    Both in lower case. Long differences are not counted to the end: 9 stands for many.
    """
    if first == second:
        return 0.0
    if abs(len(first) - len(second)) > 3:
        return 9.0
    for pair, one in _PAIRS:
        if first.replace(pair, one) == second.replace(pair, one):
            return 0.5
    if Levenshtein.distance(first, second, score_cutoff=_MOST_EDITS) > _MOST_EDITS:
        return 9.0
    before: list[float] = []
    row = [float(n) for n in range(len(second) + 1)]
    for i, sign in enumerate(first, 1):
        last, before, row = before, row, [float(i)]
        for j, other in enumerate(second, 1):
            alike = 0.0 if sign == other else 0.5 if (sign, other) in _ALIKE else 1.0
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + alike)
            if i > 1 and j > 1 and sign == second[j - 2] and first[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


Closeness = Literal["same", "near", "other"]


def word_closeness(first: str, second: str) -> Closeness:
    """Whether two words of a name are one as read: the longer, the more slips are forgiven."""
    if first == second:
        return "same"
    shorter = min(len(first), len(second))
    if shorter < 3:
        return "other"
    begins = first[0] == second[0] or (first[0], second[0]) in _ALIKE
    most = 0.5 if shorter < 4 else 1.0 if shorter < 8 else 2.0
    return "near" if begins and slips(first, second) <= most else "other"

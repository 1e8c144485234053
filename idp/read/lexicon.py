# SPDX-License-Identifier: Apache-2.0
"""Puts misread letters of ordinary words right, where the recogniser half saw the right ones.

On a fax an i is as wide as an l, and a recogniser that reads "requlres" is often sure of it. What
it can't weigh is that "requires" is a word. A word that stands in no list is compared with the
words that differ from it by letters which the recogniser also thought of (:attr:`Letter.rivals`),
or by the confusions that scanning rows of a fax makes of thin and touching strokes. The likeliest
one is taken if it explains the print about as well as what was read, and clearly better than any
other word. Numbers, codes and anything with more than one digit are never touched: no list knows
them.

The words are those of ``models/reading/words.txt.gz`` (``python -m training.recognition.lexicon``),
among them the names of people that the census counts: a name that is read right stays.
"""

from __future__ import annotations

import gzip
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from idp.errors import ModelError
from idp.read.ocr import Letter, Line

Words = dict[str, float]
"""Words in small letters, and the natural logarithm of how often each is met, 0 for the rarest."""

_SHORTEST = 4
"""Shorter words have too many neighbours."""
_LONGEST = 30
_NEAR = 2
"""Letters that may differ, at most."""

_CONFUSED = math.log(0.003)
"""How likely a usual confusion is that the recogniser did not think of."""
_THIN = frozenset("il1!|I")
_THIN_STROKES = "il"
_MERGED = (("rn", "m"), ("li", "h"), ("cl", "d"), ("ri", "n"), ("ii", "u"), ("vv", "w"))
"""Letters that touch, or whose strokes a lost row parts: each may be read as the other."""

_COMMON = 0.4
"""What a word's own frequency weighs beside the print."""
_LEAST = -5.8
"""Least evidence for a change: of print that speaks against it and a word that speaks for it."""
_LEAST_CAPITAL = -5.1
"""The same for words that begin with a capital: they may be names of no list."""
_LEAST_RARE = -3.8
"""The same where the better word is rare itself."""
_LEAST_SHORT = -2.5
"""The same for up to :data:`_ABBREVIATED` capitals: "PICC" and "COPD" are words of no list."""
_ABBREVIATED = 5
_RARE = 2.3
_CLEARLY = 1.0
"""By how much the best word must lead the next one."""
_UNSURE = 0.85
"""The score of a letter that the list put right: about nine in ten of these words are right."""

_CORE = re.compile(r"^([^A-Za-z0-9]*)(.*?)([^A-Za-z0-9]*)$", re.DOTALL)


@lru_cache(maxsize=2)
def load(path: Path) -> Words:
    """The words in ``path``: a line for each, with the logarithm of its frequency.

    Raises:
        ModelError: the file is missing or is no list of words.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return {word: float(rank) for word, rank in (line.split("\t") for line in lines)}
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"{path}: no list of words") from error


def put_right(line: Line, words: Words) -> Line:
    """The line with its ordinary words put right; letters that change are contested."""
    if line.turned or line.exact:
        return line
    letters: list[Letter] = []
    changed = False
    for blank, group in itertools.groupby(line.letters, key=lambda letter: letter.text == " "):
        run = tuple(group)
        better = None if blank else _better(run, words)
        changed = changed or better is not None
        letters.extend(better or run)
    return replace(line, letters=tuple(letters)) if changed else line


def _better(run: Sequence[Letter], words: Words) -> tuple[Letter, ...] | None:
    """The letters of a word put right; None: it stays."""
    text = "".join(letter.text for letter in run)
    match = _CORE.match(text)
    if match is None or len(text) != len(run):
        return None
    start, end = match.span(2)
    core, read = match[2], run[start:end]
    if not _is_word(core) or _stands_in(core.casefold(), words):
        return None
    found = _likeliest(core, read, words)
    if found is None:
        return None
    return (*run[:start], *_spelled(read, _cased(core, found)), *run[end:])


def _is_word(core: str) -> bool:
    letters = sum(character.isalpha() for character in core)
    return (
        _SHORTEST <= len(core) <= _LONGEST
        and len(core.casefold()) == len(core)  # one letter for several: none of ours
        and letters >= len(core) - 1
        and all(c.isalpha() or c in "10!|" for c in core)
    )


def _stands_in(word: str, words: Words) -> bool:
    return word in words or (word.isalpha() and word.endswith("s") and word[:-1] in words)


def _likeliest(core: str, read: Sequence[Letter], words: Words) -> str | None:
    found: dict[str, float] = {}
    for word, evidence in _candidates(core.casefold(), read):
        if word in words:
            found[word] = max(evidence, found.get(word, -math.inf))
    if not found:
        return None
    ranked = sorted(
        ((evidence + _COMMON * (words[word] - _RARE), word) for word, evidence in found.items()),
        reverse=True,
    )
    best, word = ranked[0]
    least = _LEAST
    if core.upper() == core and len(core) <= _ABBREVIATED:
        least = _LEAST_SHORT
    elif words[word] <= _RARE:
        least = _LEAST_RARE
    elif core[0].isupper() and not core.isupper():
        least = _LEAST_CAPITAL
    clear = len(ranked) == 1 or best - ranked[1][0] >= _CLEARLY
    return word if clear and best >= least else None


def _candidates(core: str, read: Sequence[Letter]) -> Iterator[tuple[str, float]]:
    """What could have been printed, and the logarithm of how likely beside what was read."""
    singles = [
        (i, text, evidence)
        for i, letter in enumerate(read)
        for text, evidence in _others(letter)
        if text != core[i]
    ]
    for i, text, evidence in singles:
        yield core[:i] + text + core[i + 1 :], evidence
    for (i, a, one), (j, b, two) in itertools.combinations(singles, _NEAR):
        if i != j:
            yield core[:i] + a + core[i + 1 : j] + b + core[j + 1 :], one + two
    thin = [letter.text in _THIN for letter in read]
    for word in _reshaped(core, thin):
        yield word, _CONFUSED
    # A stroke too many or too few, and one other letter that the recogniser had thought of.
    for i, text, evidence in singles:
        for word in _reshaped(core[:i] + text + core[i + 1 :], thin):
            yield word, _CONFUSED + evidence


def _others(letter: Letter) -> Iterator[tuple[str, float]]:
    """Letters that may stand in place of one."""
    base = math.log(max(letter.score, 0.3))
    likely: dict[str, float] = {}
    for text, score in letter.rivals:
        small = text.casefold()
        if len(small) == 1 and small.isalpha():
            likely[small] = max(likely.get(small, -math.inf), math.log(max(score, 1e-4)) - base)
    if letter.text in _THIN:
        for text in _THIN_STROKES:
            likely[text] = max(likely.get(text, -math.inf), _CONFUSED)
    yield from likely.items()


def _reshaped(core: str, thin: Sequence[bool]) -> Iterator[str]:
    """The word with a thin or doubled letter more or less, or with strokes merged or parted."""
    for i, character in enumerate(core):
        if thin[i] or core[i - 1 : i] == character:
            yield core[:i] + core[i + 1 :]
        yield core[:i] + character + core[i:]
        if thin[i]:
            for stroke in _THIN_STROKES:
                yield core[:i] + stroke + core[i:]
                yield core[: i + 1] + stroke + core[i + 1 :]
    for pair, single in _MERGED:
        for old, new in ((pair, single), (single, pair)):
            at = core.find(old)
            while at >= 0:
                yield core[:at] + new + core[at + len(old) :]
                at = core.find(old, at + 1)


def _cased(core: str, word: str) -> str:
    """The word in the capitals of what was read; thin strokes say nothing about them."""
    telling = [c for c in core if c.isalpha() and c not in _THIN]
    if core[1:] != core[1:].lower() and sum(c.isupper() for c in telling) > len(telling) / 2:
        return word.upper()
    return word.capitalize() if core[0].isupper() else word


def _spelled(read: Sequence[Letter], word: str) -> Iterator[Letter]:
    """The letters of ``word`` at the places of what was read."""
    text = "".join(letter.text for letter in read)
    for step in Levenshtein.opcodes(text, word):
        here, new = read[step.src_start : step.src_end], word[step.dest_start : step.dest_end]
        if step.tag == "equal":
            yield from here
            continue
        if not new:
            continue
        first = here[0] if here else read[min(step.src_start, len(read) - 1)]
        last = here[-1] if here else read[max(0, step.src_start - 1)]
        for k, character in enumerate(new):
            at = first.at + (last.at - first.at) * (k + 0.5) / len(new)
            if here and len(here) == len(new):
                at = here[k].at
            yield Letter(character, _UNSURE, at, "contested")

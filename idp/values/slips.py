# SPDX-License-Identifier: Apache-2.0
"""What optical recognition mistakes for what, used only where the place demands it.

A letter standing where only a digit can stand is a slip and is repaired; the same letter elsewhere
is left alone. Nothing here turns one digit into another: that would be guessing.
"""

from __future__ import annotations

import re

AS_DIGIT = {
    "O": "0",
    "o": "0",
    "Q": "0",
    "D": "0",
    "l": "1",
    "I": "1",
    "i": "1",
    "|": "1",
    "!": "1",
    "Z": "2",
    "z": "2",
    "S": "5",
    "s": "5",
    "G": "6",
    "b": "6",
    "T": "7",
    "B": "8",
    "g": "9",
    "q": "9",
}
"""A sign that was read where a digit stands, and the digit it most often was."""

AS_LETTER = {"0": "O", "1": "I", "2": "Z", "5": "S", "6": "G", "8": "B", "|": "I"}
"""A digit that was read where a letter stands."""

_SURE = frozenset("OolI|")
_NOUGHT = re.compile(
    r"(?<![\w.$#/-])[A-Za-z]*0[A-Za-z]+(?![\w-])|(?<![\w.$#/-])[A-Za-z]{3,}0(?![\w-])"
)
_WORD = 2
"""Letters beside a nought that make a word of it; capitals need one more, as codes have them."""
_MEASURES = frozenset(["mg", "mcg", "ml", "kg", "cm", "mm", "hr", "hrs", "th", "am", "pm", "iu"])


def to_digits(text: str) -> str:
    """``text`` with every mistakable sign as the digit it stands for."""
    return "".join(AS_DIGIT.get(sign, sign) for sign in text)


def looks_numeric(token: str) -> bool:
    """Whether a token is a number, perhaps misread: a digit in it, and nothing no slip explains."""
    return any(s.isdigit() and s.isascii() for s in token) and all(
        (s.isdigit() and s.isascii()) or s in AS_DIGIT for s in token
    )


def repair_number(token: str) -> str:
    """A misread number repaired, anything else as it is.

    A token without a digit is repaired only when all its signs are among the surest slips
    (``OO``, ``lO``): ``IS`` and ``BOB`` are words.
    """
    if looks_numeric(token) or (token and all(s in _SURE for s in token)):
        return to_digits(token)
    return token


def repair_words(text: str) -> str:
    """``0ak Avenue`` as ``Oak Avenue``: a lone nought among letters is the letter.

    Measures keep theirs (``0mg``), and what has another digit is a number or a code.
    """
    return _NOUGHT.sub(_with_letter, text)


def _with_letter(found: re.Match[str]) -> str:
    word = found[0]
    letters = [sign for sign in word if sign.isalpha()]
    if word.count("0") != 1 or len(letters) < _WORD or word[1:].lower() in _MEASURES:
        return word
    if _all_upper(letters):
        return word.replace("0", "O")
    if not letters[-1].islower() or (word[0] == "0" and not letters[0].islower()):
        return word
    return word.replace("0", "O" if word[0] == "0" else "o")


def _all_upper(letters: list[str]) -> bool:
    return len(letters) > _WORD and all(sign.isupper() for sign in letters)


def compact(text: str) -> str:
    """Letters and digits only, upper case: what is left to compare."""
    return "".join(sign for sign in text if sign.isalnum()).upper()


def squeeze(text: str) -> str:
    """One line, single spaces."""
    return " ".join(text.split())

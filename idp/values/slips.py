# SPDX-License-Identifier: Apache-2.0
"""What optical recognition mistakes for what, used only where the place demands it.

A letter standing where only a digit can stand is a slip and is repaired; the same letter elsewhere
is left alone. Nothing here turns one digit into another: that would be guessing.
"""

from __future__ import annotations

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


def compact(text: str) -> str:
    """Letters and digits only, upper case: what is left to compare."""
    return "".join(sign for sign in text if sign.isalnum()).upper()


def squeeze(text: str) -> str:
    """One line, single spaces."""
    return " ".join(text.split())

# SPDX-License-Identifier: Apache-2.0
"""Comparable forms: two values are the same when their comparable forms are.

Strict on purpose: a value counts only when all of it is there. What is forgiven is the way it is
printed (case, punctuation, date and phone formats, credentials after a name), never its content.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Literal

JudgedKind = Literal[
    "presence", "date", "phone", "money", "int", "enum", "name", "org", "text", "id", "code"
]

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_CREDENTIALS = frozenset(
    ["dr", "md", "do", "np", "pa", "pac", "rn", "phd", "dds", "dmd", "dpm", "mr", "mrs", "ms"]
)
_GENERIC = frozenset(
    ["the", "of", "and", "inc", "co", "corp", "company", "llc", "ltd", "insurance"]
)
_SAME_OPTION = {
    "f": "female",
    "m": "male",
    "y": "yes",
    "n": "no",
    "true": "yes",
    "false": "no",
    "standard": "nonurgent",
    "routine": "nonurgent",
    "expedited": "urgent",
    "stat": "urgent",
    "emergent": "urgent",
    "approval": "approved",
    "denial": "denied",
}
_OVERLAP = 0.85
"""Texts and organisations also count with this share of common words (Dice)."""

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:T.*)?")
_NUMERIC = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d{2})")
_RUN_TOGETHER = re.compile(r"(\d\d)(\d\d)(\d{4}|\d{2})")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3,9})\.?[- ,]+(\d{4}|\d{2})")
_NUMBER = re.compile(r"\d[\d,]*\.?\d*|\.\d+")


def _alphanumeric(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=\w)[.'’](?=\w)", "", text.lower()))  # noqa: RUF001


def _calendar_date(year: str, month: int | str, day: int | str) -> str | None:
    full = int(year)
    if len(year) != 4:
        full += 2000 if full <= 35 else 1900
    try:
        return dt.date(full, int(month), int(day)).isoformat()
    except ValueError:
        return None


def comparable_date(text: str, *, day_first: bool = False) -> str | None:
    """ISO form of a printed date, or ``None``; two-digit years up to 35 are this century."""
    text = text.strip()
    if found := _ISO.fullmatch(text):
        return _calendar_date(found[1], found[2], found[3])
    if found := _NUMERIC.fullmatch(text) or _RUN_TOGETHER.fullmatch(text):
        month, day = (found[2], found[1]) if day_first else (found[1], found[2])
        return _calendar_date(found[3], month, day) or _calendar_date(found[3], day, month)
    if found := _MONTH_FIRST.fullmatch(text):
        return _calendar_date(found[3], _MONTHS.get(found[1][:3].lower(), 0), found[2])
    if found := _DAY_FIRST.fullmatch(text):
        return _calendar_date(found[3], _MONTHS.get(found[2][:3].lower(), 0), found[1])
    return None


def _comparable_number(text: str) -> str | None:
    found = _NUMBER.search(text)
    if found is None:
        return _alphanumeric(text) or None
    try:
        amount = Decimal(found[0].replace(",", ""))
    except InvalidOperation:
        return _alphanumeric(text) or None
    negative = re.match(r"\s*[$]?\s*[-(]", text)
    return str((-amount if negative else amount).normalize())


def _comparable_phone(text: str) -> str | None:
    digits = re.sub(r"\D", "", text)
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    return digits[:10] or _alphanumeric(text) or None


def _comparable_words(text: str, kind: JudgedKind) -> str | None:
    words = _words(text)
    if kind == "enum":
        joined = "".join(words)
        return _SAME_OPTION.get(joined, joined) or None
    if kind == "name":
        return " ".join(sorted([w for w in words if w not in _CREDENTIALS] or words)) or None
    if kind == "org":
        return " ".join(w for w in words if w not in _GENERIC) or " ".join(words) or None
    return " ".join(words) or None


_COMPARABLE: dict[JudgedKind, Callable[[str], str | None]] = {
    "phone": _comparable_phone,
    "money": _comparable_number,
    "int": _comparable_number,
    "enum": partial(_comparable_words, kind="enum"),
    "name": partial(_comparable_words, kind="name"),
    "org": partial(_comparable_words, kind="org"),
    "text": partial(_comparable_words, kind="text"),
    "id": lambda text: _alphanumeric(text) or None,
    "code": lambda text: _alphanumeric(text) or None,
}


def comparable(value: object, kind: JudgedKind, *, day_first: bool = False) -> str | None:
    """The comparable form of a value; ``None`` when it is blank."""
    text = "" if value is None or value == [] else str(value)
    if not text:
        return None
    if kind == "presence":
        return None if text.strip().lower() in ("no", "false", "") else "yes"
    if kind == "date":
        return comparable_date(text, day_first=day_first) or _alphanumeric(text) or None
    return _COMPARABLE[kind](text)


def same(left: str | None, right: str | None, kind: JudgedKind) -> bool:
    """Whether two comparable forms are the same value."""
    if left == right:
        return True
    if kind not in ("text", "org") or not left or not right:
        return False
    one, two = left.split(), right.split()
    if kind == "org" and one[0] == two[0] and (set(one) <= set(two) or set(two) <= set(one)):
        return True  # "Cigna" and "Cigna Health Management"
    common = sum((Counter(one) & Counter(two)).values())
    return 2 * common / (len(one) + len(two)) >= _OVERLAP


def match_values(
    truth: list[str], found: list[str], kind: JudgedKind
) -> tuple[list[str], list[str], list[str]]:
    """Pairs two multisets: (found values that are right, truth left over, found left over)."""
    right: list[str] = []
    truth_left, found_left = list(truth), list(found)
    for wanted in truth:
        hit = next((f for f in found_left if f == wanted), None)
        if hit is None:
            hit = next((f for f in found_left if same(wanted, f, kind)), None)
        if hit is not None:
            truth_left.remove(wanted)
            found_left.remove(hit)
            right.append(hit)
    return right, truth_left, found_left

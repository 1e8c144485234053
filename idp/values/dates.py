# SPDX-License-Identifier: Apache-2.0
"""Dates as Americans print, type and write them, to ISO 8601."""

from __future__ import annotations

import datetime as dt
import re

from idp.values.base import Parsed
from idp.values.slips import AS_DIGIT, repair_number, squeeze, to_digits

PIVOT = 35
"""Two-digit years up to this one are 20xx, later ones 19xx."""

EARLIEST, LATEST = 1880, 2199
"""A year outside these is a misreading, not a date in a health document."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_YEAR = r"'?(\d{4}|(?!(?:19|20)(?![ap]m)[a-z|!?*][\w|!?*])\d{2})(?!\d)"
"""Four digits or two; ``19E0`` is a year of four that was misread, not 2019."""
_SEP = r"\s{0,2}[-/.\\\u2013\u2014]\s{0,2}"

_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_SLASHED = re.compile(rf"(?<!\d)(\d{{1,2}}){_SEP}(\d{{1,2}}){_SEP}{_YEAR}", re.I)
_SPACED = re.compile(rf"(?<!\d)(\d{{1,2}})\s{{1,3}}(\d{{1,2}})\s{{1,3}}{_YEAR}", re.I)
_MONTH_FIRST = re.compile(
    rf"(?<![a-z])({_MONTH})[\s,-]{{0,3}}(\d{{1,2}})(?!\d)(?:st|nd|rd|th)?[\s,.-]{{0,3}}{_YEAR}",
    re.I,
)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?[\s,/-]{{0,3}}(?:of\s)?({_MONTH})[\s,./-]{{0,3}}{_YEAR}",
    re.I,
)
_TOKEN = re.compile(r"[^\s/\\.,\-\u2013\u2014:']+")
_TIME_MARK = re.compile(r"(?<=\d)T(?=\d\d:)")
_SHAPES = (_ISO, _SLASHED, _MONTH_FIRST, _DAY_FIRST, _SPACED)
_RANGE = re.compile(r"\s(?:-|\u2013|to|thru|through)\s")


def _year(text: str, not_after: dt.date | None) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    year += 2000 if year <= PIVOT else 1900
    if not_after is not None and year > not_after.year:
        year -= 100
    return year


def _date(year: str, month: int, day: int, not_after: dt.date | None) -> dt.date | None:
    full = _year(year, not_after)
    if not EARLIEST <= full <= LATEST:
        return None
    try:
        return dt.date(full, month, day)
    except ValueError:
        return None


def _numeric(month: str, day: str, year: str, not_after: dt.date | None) -> dt.date | None:
    """Month first as in the United States; day first only where month first is no date."""
    return _date(year, int(month), int(day), not_after) or _date(
        year, int(day), int(month), not_after
    )


def _of(shape: re.Pattern[str], found: re.Match[str], not_after: dt.date | None) -> dt.date | None:
    first, second, third = found.groups()
    if shape is _ISO:
        return _date(first, int(second), int(third), not_after)
    if shape is _MONTH_FIRST:
        return _date(third, _MONTHS.index(first[:3].lower()) + 1, int(second), not_after)
    if shape is _DAY_FIRST:
        return _date(third, _MONTHS.index(second[:3].lower()) + 1, int(first), not_after)
    return _numeric(first, second, third, not_after)


def _run_together(text: str, not_after: dt.date | None) -> dt.date | None:
    """``01052024``, ``010524``, comb boxes ``0 1 0 5 2 4``, and slashes read as strokes."""
    digits = to_digits("".join(text.split()))
    if re.fullmatch(r"\d{8}", digits):
        return _numeric(digits[:2], digits[2:4], digits[4:], not_after) or _date(
            digits[:4], int(digits[4:6]), int(digits[6:]), not_after
        )
    if re.fullmatch(r"\d{6}", digits):
        return _numeric(digits[:2], digits[2:4], digits[4:], not_after)
    if found := re.fullmatch(r"(\d\d)[17/](\d\d)[17/](\d{4})", digits):
        return _date(found[3], int(found[1]), int(found[2]), not_after)
    return None


def repaired(text: str) -> str:
    """``text`` with misread digits mended, sign by sign, so that places stay the same."""
    text = _TIME_MARK.sub(" ", text)
    return _TOKEN.sub(lambda found: repair_number(found[0]), text)


def spans(text: str, not_after: dt.date | None = None) -> list[tuple[int, int, dt.date]]:
    """Every date in running text, first to last, as (start, end, date)."""
    mended = repaired(text)
    found: list[tuple[int, int, dt.date]] = []
    for shape in _SHAPES:
        for match in shape.finditer(mended):
            date = _of(shape, match, not_after)
            start, end = match.span()
            if date and not any(start < e and s < end for s, e, _ in found):
                found.append((start, end, date))
    return sorted(found)


def literal(text: str) -> tuple[dt.date, ...]:
    """Every date in ``text`` by its signs as they stand, none of them taken for another."""
    text = _TIME_MARK.sub(" ", text)
    found = [
        date
        for shape in _SHAPES
        for match in shape.finditer(text)
        if (date := _of(shape, match, None)) is not None and _stands_free(match)
    ]
    for part in _RANGE.split(text):
        digits = "".join(part.split())
        if re.fullmatch(r"\d{6}|\d{8}", digits) and (date := _run_together(digits, None)):
            found.append(date)
    return tuple(dict.fromkeys(found))


def _stands_free(match: re.Match[str]) -> bool:
    """Whether no sign stands at either end that may be a misread digit of the date."""
    text, (start, end) = match.string, match.span()
    return not {text[start - 1 : start], text[end : end + 1]} & AS_DIGIT.keys()


def with_strokes(text: str) -> str | None:
    """``text`` with strokes where a date of digits has them; ``None`` where none were misread.

    Strokes are read as 1, 7, l, I, a bar or a point: ``0712211968``, ``07|22|1968``.
    """
    digits = "".join(text.split())
    if found := re.fullmatch(r"(\d\d)[17](\d\d)[17](\d{4})", digits):
        return "/".join(found.groups())
    mended = re.sub(r"(?<=\d)\s*[,;:|lI]\s*(?=\d)", "/", text)
    return mended if mended != text else None


def reads_day_first(text: str, date: dt.date) -> bool:
    """Whether ``date`` stands in ``text`` with the day before the month, both as numbers."""
    for shape in (_SLASHED, _SPACED):
        for match in shape.finditer(text):
            if int(match[1]) > 12 and (int(match[1]), int(match[2])) == (date.day, date.month):
                return True
    return False


def two_digit_year(text: str, date: dt.date) -> bool:
    """Whether ``date`` stands in ``text`` with a year of two digits, and nowhere with four."""
    two = four = False
    for each in (text, repaired(text), with_strokes(text) or ""):
        for shape in _SHAPES[1:]:
            for match in shape.finditer(each):
                found = _of(shape, match, None)
                if found is None or (found.month, found.day) != (date.month, date.day):
                    continue
                year = match[3]
                two = two or (len(year) == 2 and int(year) == date.year % 100)
                four = four or (len(year) == 4 and int(year) == date.year)
        four = four or any(found == date for found in _in_iso(each))
        for part in _RANGE.split(each):
            digits = "".join(part.split())
            two = two or (re.fullmatch(r"\d{6}", digits) is not None)
            four = four or (re.fullmatch(r"\d{8}", digits) is not None)
    return two and not four


def _in_iso(text: str) -> list[dt.date]:
    return [d for m in _ISO.finditer(text) if (d := _of(_ISO, m, None)) is not None]


def parse_date(raw: str, not_after: dt.date | None = None) -> Parsed:
    """The first date in ``raw`` as ISO 8601; a range gives its beginning.

    ``not_after`` tells the century of a two-digit year (a birth date is not in the future).
    """
    text = squeeze(raw)
    if found := spans(text, not_after):
        return Parsed(found[0][2].isoformat(), valid=True)
    for part in _RANGE.split(text):
        if date := _run_together(part, not_after):
            return Parsed(date.isoformat(), valid=True)
    return Parsed(text, valid=False)


_BIRTH = re.compile(
    r"\b(?:dob|d\.o\.b|birth\s?date|date of birth)\W{0,4}"
    r"(\d{1,2}\s?[-/. ]\s?\d{1,2}\s?[-/. ]\s?\d{2,4})",
    re.I,
)


def birth_dates(text: str) -> frozenset[str]:
    """The dates printed right behind a label of a birth date, ISO 8601."""
    found = (parse_date(match[1]) for match in _BIRTH.finditer(text))
    return frozenset(date.value for date in found if date.valid)

# SPDX-License-Identifier: Apache-2.0
"""Date and time of day as machines print them: fax header lines, the logs of fax servers."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple
from zoneinfo import ZoneInfo

_EARLIEST_YEAR, _LATEST_YEAR = 1990, 2099

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|[o0]ct|nov|dec)[a-z]{0,6}"
_SEP = r"\s?[-/.,\u2013]\s?"
_GAP = r"[\s.,/-]{0,3}"
_YEAR = r"(\d{4}|'?\d{2}(?!\d))"
_YEAR_FIRST = re.compile(rf"(?<!\d)(\d{{4}}){_SEP}(\d{{1,2}}){_SEP}(\d{{1,2}}(?!\d)|\d\d)")
_NUMERIC = re.compile(rf"(?<![\d/])(\d{{1,2}}){_SEP}(\d{{1,2}}){_SEP}{_YEAR}")
_MONTH_FIRST = re.compile(
    rf"(?<![a-z])({_MONTH}){_GAP}(\d{{1,2}})(?!\d)[\s.,/-]{{1,3}}{_YEAR}", re.I
)
_DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}}){_GAP}({_MONTH}){_GAP}{_YEAR}", re.I)
_MONTH_CLOCK_YEAR = re.compile(
    rf"(?<![a-z])({_MONTH})\s{{1,2}}(\d{{1,2}})\s(?=\d\d:\d\d)([\d:]{{5,8}})\s(\d{{4}})(?!\d)", re.I
)
_MONTH_AND_DAY = re.compile(
    rf"(?<![a-z])({_MONTH}){_GAP}(\d{{1,2}})(?!\d)(?=\s+\d{{1,2}}:\d\d)", re.I
)
_CLOCK = re.compile(
    r"(?<![\d:])([01]?\d|2[0-3])\s?[:;]\s?([0-5]\d)(?:\s?[:;]\s?([0-5]\d))?(?!\d)"
    r"(?:\s?(?:([ap])\.?\s?m\b\.?|([ap])\b))?",
    re.I,
)
_WEEKDAY = re.compile(
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?", re.I
)

_HOURS = {
    **{"GMT": 0, "UTC": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5},
    **{"MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
}
_ZONE = re.compile(rf"[\[(]?\b({'|'.join(_HOURS)})\b[\])]?")
_ZONE_IN_WORDS = re.compile(
    r"[\[(]\s?(eastern|central|mountain|pacific)\s(standard|daylight)\stime\s?[\])]", re.I
)
_OFFSET = re.compile(r"(?<![\w-])(?:GMT|UTC)?([+-])(\d\d):?(\d\d)(?![\d-])")


class Moment(NamedTuple):
    """When a line says it was sent: what of it was found."""

    date: dt.date | None
    time: dt.time | None
    offset: dt.timedelta | None

    @property
    def sent_at(self) -> dt.datetime | None:
        """Date and time together; naive unless the line names its zone."""
        if self.date is None or self.time is None:
            return None
        zone = dt.timezone(self.offset) if self.offset is not None else None
        return dt.datetime.combine(self.date, self.time, zone)


def in_zone(moment: dt.datetime, zone: str | None) -> dt.datetime:
    """An aware time: as it is, or taken in ``zone`` (IANA), by default this machine's."""
    if moment.tzinfo is not None:
        return moment
    return moment.astimezone() if zone is None else moment.replace(tzinfo=ZoneInfo(zone))


def find_moment(text: str) -> tuple[Moment, str]:
    """Date, time of day and zone, and the text without them."""
    zone: dt.timedelta | None = None
    clock: dt.time | None = None
    date, text, clock_in_it = _date(text)
    if clock_in_it is not None:
        clock = _time(clock_in_it)
    elif found := _CLOCK.search(text):
        clock = _time(found)
        text = _cut(text, found)
    if clock is not None:
        zone, text = _zone(text)
    return Moment(date, clock, zone), _WEEKDAY.sub(" ", text) if date else text


def _date(text: str) -> tuple[dt.date | None, str, re.Match[str] | None]:
    if found := _MONTH_CLOCK_YEAR.search(text):
        date = _day(found[4], _month(found[1]), int(found[2]))
        clock = _CLOCK.fullmatch(found[3])
        if date and clock:
            return date, _cut(text, found), clock
    for shape in (_YEAR_FIRST, _NUMERIC, _MONTH_FIRST, _DAY_FIRST):
        for found in shape.finditer(text):
            first, second, third = found.groups()
            if shape is _YEAR_FIRST:
                date = _day(first, int(second), int(third))
            elif shape is _MONTH_FIRST:
                date = _day(third, _month(first), int(second))
            elif shape is _DAY_FIRST:
                date = _day(third, _month(second), int(first))
            else:
                date = _day(third, int(first), int(second)) or _day(third, int(second), int(first))
                date = date or (_day(first, int(second), int(third)) if len(third) == 2 else None)
            if date is not None:
                return date, _cut(text, found), None
    # "Jan 14 3:36PM": without a year it is a time's company, and no date.
    found = _MONTH_AND_DAY.search(text)
    return None, _cut(text, found) if found else text, None


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower().replace("0", "o")) + 1


def _day(year: str, month: int, day: int) -> dt.date | None:
    full = int(year.strip("'"))
    full += 2000 if full < 90 else 1900 if full < 100 else 0
    if not _EARLIEST_YEAR <= full <= _LATEST_YEAR:
        return None
    try:
        return dt.date(full, month, day)
    except ValueError:
        return None


def _time(found: re.Match[str]) -> dt.time | None:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half = (found[4] or found[5] or "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return dt.time(hour, minute, second)
    except ValueError:
        return None


def _zone(text: str) -> tuple[dt.timedelta | None, str]:
    if found := _ZONE_IN_WORDS.search(text):
        short = f"{found[1][0]}{found[2][0]}T".upper()
        return dt.timedelta(hours=_HOURS[short]), _cut(text, found)
    if found := _ZONE.search(text):
        return dt.timedelta(hours=_HOURS[found[1]]), _cut(text, found)
    if found := _OFFSET.search(text):
        hours, minutes = int(found[2]), int(found[3])
        if hours <= 14 and minutes < 60:
            offset = dt.timedelta(hours=hours, minutes=minutes)
            return offset if found[1] == "+" else -offset, _cut(text, found)
    return None, text


def _cut(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} \u00a6 {text[found.end() :]}"

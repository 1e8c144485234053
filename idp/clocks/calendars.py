# SPDX-License-Identifier: Apache-2.0
"""Working days and hours: which days a site is open, when, and counting in them.

A calendar is one YAML file of ``rules/calendars``. Its hours are local: a day of opening from 8 to
17 has nine hours whatever the clocks do that night, and a site open around the clock has 23 or 25
on the days they change.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from idp.clocks.files import Strict

MOST_CLOSED_DAYS = 370
"""A calendar without an opening for longer than this is a mistake."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")
_MACHINE_ZONE = Path("/etc/localtime")
_SAMPLE_YEARS = (2026, 2027)
"""One with holidays in lieu before, one with them after."""
_NO_TIME = dt.timedelta(0)


class Span(NamedTuple):
    """Opening hours within one day, in minutes after midnight; the end may be 1440."""

    start: int
    end: int


class PublicHolidays(Strict):
    """Public holidays as the ``holidays`` package knows them, days off in lieu included."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    subdivision: str | None = Field(None, max_length=8)
    """State or territory (``TX``); without one those of the whole country."""
    open: tuple[str, ...] = ()
    """Holidays on which work goes on, by their name in the package."""

    @model_validator(mode="after")
    def _known(self) -> PublicHolidays:
        try:
            named = {n for year in _SAMPLE_YEARS for n in self.of(year).values()}
        except NotImplementedError as error:
            raise ValueError(str(error)) from error
        if unknown := set(self.open) - named:
            raise ValueError(f"no holiday is called {', '.join(sorted(unknown))}")
        return self

    def of(self, year: int) -> dict[dt.date, str]:
        """All of a year by day."""
        return _public(self.country, self.subdivision, year)


class Calendar(Strict):
    """When people work: hours by day of the week, public holidays, own closures and short days."""

    calendar: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    title: str = Field(min_length=1)
    source: str = ""
    hours: dict[str, tuple[Span, ...]]
    public_holidays: PublicHolidays | None = None
    closed: dict[dt.date, str] = Field(default_factory=dict)
    """Own closures, each with its reason."""
    other_hours: dict[dt.date, tuple[Span, ...]] = Field(default_factory=dict)
    """Days with hours of their own: the day before a feast; a Saturday that is worked."""

    @field_validator("hours", "other_hours", mode="before")
    @classmethod
    def _spans(cls, value: object) -> object:
        if not isinstance(value, dict):
            raise ValueError("hours are a mapping of days to lists of HH:MM-HH:MM")
        return {day: _parsed(day, spans) for day, spans in value.items()}

    @model_validator(mode="after")
    def _sound(self) -> Calendar:
        if unknown := set(self.hours) - set(_DAYS):
            raise ValueError(f"hours: {', '.join(sorted(unknown))} is no day of the week")
        if not any(self.hours.values()):
            raise ValueError("hours: open on no day of the week")
        if both := set(self.closed) & set(self.other_hours):
            raise ValueError(f"both closed and open: {min(both)}")
        return self

    def spans(self, day: dt.date) -> tuple[Span, ...]:
        """The opening hours of a day; none where it is closed."""
        if day in self.other_hours:
            return self.other_hours[day]
        if day in self.closed or self.holiday(day) is not None:
            return ()
        return self.hours.get(_DAYS[day.weekday()], ())

    def holiday(self, day: dt.date) -> str | None:
        """What public holiday a day is, ``None`` when it is none or is worked."""
        known = self.public_holidays
        if known is None:
            return None
        name = known.of(day.year).get(day)
        return None if name is None or name in known.open else name


class WorkingTime:
    """A calendar in a time zone: counts working days and hours. All times in and out are aware."""

    def __init__(self, calendar: Calendar, zone: dt.tzinfo) -> None:
        self.calendar = calendar
        self.zone = zone

    def local_day(self, moment: dt.datetime) -> dt.date:
        """The day of a moment where the site is."""
        return moment.astimezone(self.zone).date()

    def is_business_day(self, day: dt.date) -> bool:
        """Whether the site opens that day."""
        return bool(self.calendar.spans(day))

    def at(self, day: dt.date, minutes: int) -> dt.datetime:
        """A local time of day as an instant; one that the clocks leave out is as much later."""
        local = dt.datetime.combine(day, dt.time(), self.zone) + dt.timedelta(minutes=minutes)
        return local.astimezone(dt.UTC)

    def end_of_day(self, day: dt.date) -> dt.datetime:
        """The last second of a day."""
        return self.at(day + dt.timedelta(days=1), 0) - dt.timedelta(seconds=1)

    def closing(self, day: dt.date) -> dt.datetime:
        """When the site closes that day; the last second of one on which it is closed."""
        opened = self.openings(day)
        return opened[-1][1] if opened else self.end_of_day(day)

    def openings(self, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        """From when until when the site is open that day."""
        spans = [(self.at(day, s.start), self.at(day, s.end)) for s in self.calendar.spans(day)]
        return [(start, end) for start, end in spans if start < end]

    def next_opening(self, moment: dt.datetime) -> dt.datetime:
        """The moment itself while the site is open, else when it opens next."""
        return max(moment.astimezone(dt.UTC), next(self._from(moment))[0])

    def next_business_day(self, day: dt.date) -> dt.date:
        """The first business day after ``day``."""
        return self._step(day, 1)

    def previous_business_day(self, day: dt.date) -> dt.date:
        """The last business day before ``day``."""
        return self._step(day, -1)

    def plus_days(self, day: dt.date, number: int) -> dt.date:
        """The ``number``-th business day after ``day``, which itself does not count."""
        for _ in range(number):
            day = self.next_business_day(day)
        return day

    def days_between(self, first: dt.date, last: dt.date) -> int:
        """How many business days lie after ``first``, up to and with ``last``."""
        span = (last - first).days
        return sum(self.is_business_day(first + dt.timedelta(days=n)) for n in range(1, span + 1))

    def plus_hours(self, moment: dt.datetime, length: dt.timedelta) -> dt.datetime:
        """When so many business hours have passed since a moment; closed hours don't count."""
        left = length
        for start, end in self._from(moment):
            begin = max(start, moment.astimezone(dt.UTC))
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise AssertionError("openings never end")  # pragma: no cover

    def hours_between(self, first: dt.datetime, last: dt.datetime) -> dt.timedelta:
        """How much business time lies between two moments."""
        passed = _NO_TIME
        for start, end in self._from(first):
            if start >= last:
                break
            passed += max(min(end, last) - max(start, first), _NO_TIME)
        return passed

    def _step(self, day: dt.date, direction: Literal[1, -1]) -> dt.date:
        for _ in range(MOST_CLOSED_DAYS):
            day += dt.timedelta(days=direction)
            if self.is_business_day(day):
                return day
        raise ValueError(f"calendar {self.calendar.calendar} is closed for a year around {day}")

    def _from(self, moment: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The openings that end after a moment, without end."""
        day, closed = self.local_day(moment), 0
        while True:
            opened = [(start, end) for start, end in self.openings(day) if end > moment]
            yield from opened
            closed = 0 if opened else closed + 1
            if closed > MOST_CLOSED_DAYS:
                raise ValueError(
                    f"calendar {self.calendar.calendar} is closed for a year around {day}"
                )
            day += dt.timedelta(days=1)


class Zones:
    """Time zones by name; that of this machine by none."""

    def __call__(self, name: str | None) -> dt.tzinfo:
        """The zone; raises ``ZoneInfoNotFoundError`` for an unknown name."""
        return ZoneInfo(name) if name is not None else self._machine

    @cached_property
    def _machine(self) -> dt.tzinfo:
        # Not `astimezone()`: that gives the offset of today, without the rules of summer time.
        named = os.environ.get("TZ", "").removeprefix(":")
        try:
            if named:
                return ZoneInfo(named)
            with _MACHINE_ZONE.open("rb") as stream:
                return ZoneInfo.from_file(stream, key="machine")
        except (ZoneInfoNotFoundError, OSError, ValueError):
            return dt.UTC


zone_of = Zones()


def _parsed(day: object, spans: object) -> tuple[Span, ...]:
    """``["08:00-12:00", "13:00-17:00"]`` as minutes, in order and apart."""
    if not isinstance(spans, list | tuple):
        raise ValueError(f"{day}: a list of HH:MM-HH:MM is wanted")
    parsed: list[Span] = []
    for each in spans:
        found = _SPAN.fullmatch(each) if isinstance(each, str) else None
        if found is None:
            raise ValueError(f"{day}: {each!r} is not HH:MM-HH:MM")
        hours, minutes = found[3] or found[5], found[4] or found[6]
        span = Span(int(found[1]) * 60 + int(found[2]), int(hours) * 60 + int(minutes))
        if span.end <= span.start or (parsed and span.start < parsed[-1].end):
            raise ValueError(f"{day}: {each} ends before it begins, or overlaps the one before")
        parsed.append(span)
    return tuple(parsed)


@lru_cache(maxsize=512)
def _public(country: str, subdivision: str | None, year: int) -> dict[dt.date, str]:
    import holidays  # noqa: PLC0415 - heavy

    return dict(holidays.country_holidays(country, subdiv=subdivision, years=year).items())

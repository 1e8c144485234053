# SPDX-License-Identifier: Apache-2.0
"""How long a time limit is, and when it ends.

Three kinds of time: elapsed hours (72 h are 72 h, also over a change of the clocks), days and
months of the calendar, and days and hours of business.
"""

from __future__ import annotations

import calendar as months_of
import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from idp.clocks.calendars import WorkingTime
from idp.clocks.files import Strict

Ends = Literal["same_time", "end_of_day", "closing"]
"""When on its last day a limit ends: at the time it began, with the day, or with business."""

_UNITS = ("hours", "days", "months", "business_days", "business_hours")


class Length(Strict):
    """The length of a time limit, in one unit."""

    hours: float | None = Field(None, gt=0, le=10_000)
    days: int | None = Field(None, ge=1, le=3_660)
    months: int | None = Field(None, ge=1, le=120)
    business_days: int | None = Field(None, ge=1, le=260)
    business_hours: float | None = Field(None, gt=0, le=1_000)

    @model_validator(mode="after")
    def _one_unit(self) -> Length:
        if sum(getattr(self, unit) is not None for unit in _UNITS) != 1:
            raise ValueError(f"a length names one of {', '.join(_UNITS)}")
        return self

    def __str__(self) -> str:
        unit = next(unit for unit in _UNITS if getattr(self, unit) is not None)
        number = getattr(self, unit)
        words = unit.replace("_", " ")
        if unit == "days":
            words = "calendar days"
        elif unit == "months":
            words = "calendar months"
        return f"{number:g} {words[:-1] if number == 1 else words}"


def disorder(
    length: Length,
    *,
    ends: Ends,
    after_hours: Literal["counts", "next_opening"] = "counts",
    closed_day: Literal["keep", "earlier", "later"] = "keep",
) -> str | None:
    """Why a limit written so could be over earlier for what came later; ``None`` if it never is."""
    if ends == "same_time" and length.months is not None:
        return "months end with the day or with business: two days may have the same last day"
    if ends == "same_time" and closed_day != "keep":
        return "a last day that is moved ends with the day or with business"
    if ends == "same_time" and length.business_days is not None and after_hours == "counts":
        return "business days end with the day or with business, or begin with the next opening"
    if ends == "end_of_day" and closed_day == "earlier":
        return "a last day that is moved to the one before ends with business"
    return None


def due(
    length: Length,
    start: dt.datetime,
    time: WorkingTime,
    *,
    ends: Ends,
    after_hours: Literal["counts", "next_opening"] = "counts",
    closed_day: Literal["keep", "earlier", "later"] = "keep",
) -> dt.datetime:
    """When a limit that begins at ``start`` ends, as an instant in UTC, never before its start.

    What begins later never ends earlier, unless :func:`disorder` says so of how it is written.

    Args:
        length: How long it is.
        start: Aware.
        time: Business days and hours where the site is, and its zone.
        ends: When on the last day it ends; of no effect on hours.
        after_hours: ``next_opening``: what comes while the site is closed counts as come when it
            opens next.
        closed_day: What becomes of a last day that is no business day: kept, or moved to the
            business day before (then it ends with business) or after.
    """
    begin = start.astimezone(dt.UTC)
    if after_hours == "next_opening":
        begin = time.next_opening(begin)
    if length.hours is not None:
        return begin + dt.timedelta(hours=length.hours)
    if length.business_hours is not None:
        return time.plus_hours(begin, dt.timedelta(hours=length.business_hours))
    first = time.local_day(begin)
    if length.business_days is not None:
        last = time.plus_days(first, length.business_days)
    elif length.days is not None:
        last = first + dt.timedelta(days=length.days)
    else:
        assert length.months is not None
        last = plus_months(first, length.months)
    return max(begin, _on(last, begin, time, ends, closed_day))


def end_on(
    day: dt.date,
    time: WorkingTime,
    ends: Ends,
    closed_day: Literal["keep", "earlier", "later"] = "keep",
) -> dt.datetime:
    """When a limit ends whose last day is known: a date that a letter names."""
    return _on(day, None, time, "end_of_day" if ends == "same_time" else ends, closed_day)


def plus_months(day: dt.date, months: int) -> dt.date:
    """So many months later; on the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, months_of.monthrange(year, month + 1)[1]))


def _on(
    day: dt.date,
    begin: dt.datetime | None,
    time: WorkingTime,
    ends: Ends,
    closed_day: Literal["keep", "earlier", "later"],
) -> dt.datetime:
    if closed_day != "keep" and not time.is_business_day(day):
        if closed_day == "earlier":
            return time.closing(time.previous_business_day(day))
        day = time.next_business_day(day)
    if ends == "closing":
        return time.closing(day)
    if ends == "end_of_day" or begin is None:
        return time.end_of_day(day)
    local = begin.astimezone(time.zone)
    return dt.datetime.combine(day, local.time().replace(fold=0), time.zone).astimezone(dt.UTC)

# SPDX-License-Identifier: Apache-2.0
"""Business days and hours: holidays, own closures, changes of the clocks, leap years."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from idp.clocks import Calendar, Length, WorkingTime, due, load_clockwork
from idp.clocks.lengths import disorder, plus_months

NEW_YORK = ZoneInfo("America/New_York")
CALENDARS = load_clockwork(None).calendars
FEDERAL = WorkingTime(CALENDARS["us_federal"], NEW_YORK)
ALWAYS = WorkingTime(CALENDARS["around_the_clock"], NEW_YORK)
SPLIT = WorkingTime(
    Calendar.model_validate(
        {
            "calendar": "split",
            "title": "With a lunch hour, Saturdays, an own closure and a short day",
            "hours": {
                **{day: ["08:00-12:00", "13:00-17:30"] for day in ("monday", "wednesday")},
                "saturday": ["09:00-12:00"],
                "sunday": ["22:00-24:00"],
            },
            "public_holidays": {"country": "US", "subdivision": "TX"},
            "closed": {"2026-12-28": "inventory"},
            "other_hours": {"2026-12-24": ["09:00-11:00"]},
        }
    ),
    NEW_YORK,
)
TIMES = st.sampled_from([FEDERAL, ALWAYS, SPLIT])
MOMENTS = st.datetimes(
    dt.datetime(2023, 1, 1),  # noqa: DTZ001 - hypothesis gives the zone
    dt.datetime(2032, 12, 31),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
HOURS = st.floats(0.1, 200).map(lambda hours: dt.timedelta(hours=round(hours, 2)))
LENGTHS = st.one_of(
    st.builds(Length, hours=st.floats(0.25, 400)),
    st.builds(Length, days=st.integers(1, 200)),
    st.builds(Length, months=st.integers(1, 30)),
    st.builds(Length, business_days=st.integers(1, 40)),
    st.builds(Length, business_hours=st.floats(0.25, 100)),
)
ENDS = st.sampled_from(["same_time", "end_of_day", "closing"])
AFTER = st.sampled_from(["counts", "next_opening"])
CLOSED = st.sampled_from(["keep", "earlier", "later"])


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@given(TIMES, MOMENTS, HOURS)
def test_business_hours_between_undo_business_hours_added(time, moment, length):
    assert time.hours_between(moment, time.plus_hours(moment, length)) == length


@given(TIMES, st.dates(dt.date(2023, 1, 1), dt.date(2032, 1, 1)), st.integers(1, 60))
def test_business_days_between_undo_business_days_added(time, day, number):
    assert time.days_between(day, time.plus_days(day, number)) == number


@given(TIMES, MOMENTS, HOURS)
def test_a_limit_in_business_hours_ends_while_the_site_is_open(time, moment, length):
    end = time.plus_hours(moment, length)
    assert any(first <= end <= last for first, last in time.openings(time.local_day(end))) or any(
        last == end for _, last in time.openings(time.local_day(end) - dt.timedelta(days=1))
    )


@given(TIMES, MOMENTS, st.integers(1, 30), AFTER)
def test_a_limit_in_business_days_never_ends_on_a_closed_day(time, moment, number, after):
    end = due(Length(business_days=number), moment, time, ends="end_of_day", after_hours=after)
    assert time.is_business_day(time.local_day(end))


@given(TIMES, MOMENTS, LENGTHS, ENDS, AFTER)
def test_with_closed_days_moved_no_limit_in_days_ends_on_one(time, moment, length, ends, after):
    if length.hours is not None or length.business_hours is not None:
        return
    end = due(length, moment, time, ends=ends, after_hours=after, closed_day="later")
    # Business that goes on to midnight ends with the first instant of the next day.
    assert time.is_business_day(time.local_day(end - dt.timedelta(microseconds=1)))


@settings(max_examples=600)
@given(
    TIMES,
    MOMENTS,
    st.timedeltas(dt.timedelta(), dt.timedelta(days=5)),
    LENGTHS,
    ENDS,
    AFTER,
    CLOSED,
)
def test_what_comes_later_is_never_due_earlier(time, first, later, length, ends, after, closed):
    options = {"ends": ends, "after_hours": after, "closed_day": closed}
    assume(disorder(length, **options) is None)
    # The hour that the clocks repeat in autumn has the same local time twice.
    slack = dt.timedelta(hours=1) if ends == "same_time" else dt.timedelta()
    second = due(length, first + later, time, **options)
    assert due(length, first, time, **options) <= second + slack


@pytest.mark.parametrize(
    ("length", "options", "first", "second"),
    [
        ({"months": 1}, {"ends": "same_time"}, "2026-01-30T23:00", "2026-01-31T01:00"),
        ({"business_days": 1}, {"ends": "same_time"}, "2026-01-30T16:00", "2026-01-31T09:00"),
        (
            {"days": 1},
            {"ends": "same_time", "closed_day": "later"},
            "2026-01-30T10:00",
            "2026-01-31T09:00",
        ),
        (
            {"days": 1},
            {"ends": "end_of_day", "closed_day": "earlier"},
            "2026-01-29T10:00",
            "2026-01-30T09:00",
        ),
    ],
)
def test_a_limit_that_could_end_earlier_for_what_came_later_is_known(
    length, options, first, second
):
    assert disorder(Length(**length), **options)
    ends = [due(Length(**length), local(each), FEDERAL, **options) for each in (first, second)]
    assert ends[0] > ends[1]


@given(TIMES, MOMENTS, LENGTHS, ENDS, AFTER, CLOSED)
def test_no_limit_ends_before_it_begins(time, moment, length, ends, after, closed):
    assert due(length, moment, time, ends=ends, after_hours=after, closed_day=closed) >= moment


@given(TIMES, MOMENTS, st.integers(1, 60), ENDS)
def test_a_longer_limit_never_ends_earlier(time, moment, number, ends):
    for unit in ("days", "business_days", "months"):
        shorter = due(Length(**{unit: number}), moment, time, ends=ends)
        assert shorter <= due(Length(**{unit: number + 1}), moment, time, ends=ends)


@given(MOMENTS, st.floats(1, 200))
def test_elapsed_hours_do_not_care_for_calendars_or_clocks(moment, hours):
    ends = {due(Length(hours=hours), moment, time, ends="same_time") for time in (FEDERAL, SPLIT)}
    assert ends == {moment + dt.timedelta(hours=hours)}


@pytest.mark.parametrize(
    ("received", "ends_at"),
    [
        ("2026-03-06T10:00", "2026-03-09T11:00"),  # the clocks go forward on 8 March
        ("2026-10-30T10:00", "2026-11-02T09:00"),  # and back on 1 November
    ],
)
def test_seventy_two_hours_are_elapsed_hours_over_a_change_of_the_clocks(received, ends_at):
    end = due(Length(hours=72), local(received), FEDERAL, ends="same_time")
    assert end.astimezone(NEW_YORK).isoformat()[:16] == ends_at


def test_seven_calendar_days_end_at_the_same_time_of_the_wall_clock():
    end = due(Length(days=7), local("2026-03-04T10:00"), FEDERAL, ends="same_time")
    assert end.astimezone(NEW_YORK).isoformat()[:16] == "2026-03-11T10:00"


def test_a_day_of_the_change_has_23_or_25_business_hours_around_the_clock():
    spring, autumn = local("2026-03-08T00:00"), local("2026-11-01T00:00")
    assert ALWAYS.hours_between(spring, ALWAYS.at(dt.date(2026, 3, 9), 0)) == dt.timedelta(hours=23)
    assert ALWAYS.hours_between(autumn, ALWAYS.at(dt.date(2026, 11, 2), 0)) == dt.timedelta(
        hours=25
    )


def test_a_time_that_the_clocks_leave_out_is_as_much_later():
    assert FEDERAL.at(dt.date(2026, 3, 8), 150) == dt.datetime(2026, 3, 8, 7, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("received", "after_hours", "ends_at"),
    [
        ("2026-11-24T10:00", "counts", "2026-11-27T17:00"),  # Thanksgiving lies between
        ("2026-11-25T18:30", "counts", "2026-11-30T17:00"),
        ("2026-11-25T18:30", "next_opening", "2026-12-01T17:00"),  # counts as come on the Friday
        ("2026-12-24T12:00", "counts", "2026-12-29T17:00"),
        ("2026-07-02T09:00", "counts", "2026-07-07T17:00"),  # the 4th is a Saturday, the 3rd off
    ],
)
def test_two_business_days(received, after_hours, ends_at):
    end = due(
        Length(business_days=2), local(received), FEDERAL, ends="closing", after_hours=after_hours
    )
    assert end.astimezone(NEW_YORK).isoformat()[:16] == ends_at


def test_what_comes_after_hours_begins_with_the_next_opening():
    end = due(
        Length(business_hours=2),
        local("2026-11-25T16:30"),  # half an hour before closing, the day before Thanksgiving
        FEDERAL,
        ends="same_time",
        after_hours="next_opening",
    )
    assert end.astimezone(NEW_YORK).isoformat()[:16] == "2026-11-27T09:30"


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2028-02-29", 12, "2029-02-28"),
        ("2027-02-28", 12, "2028-02-28"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-12-31", 12, "2027-12-31"),
    ],
)
def test_months_end_on_the_last_day_where_there_is_no_such_day(day, months, later):
    assert plus_months(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(later)


def test_a_last_day_that_is_closed_is_moved_to_the_business_day_before():
    end = due(
        Length(days=60),
        local("2026-10-28T00:00"),  # the sixtieth day is a Sunday, the Friday before is no holiday
        FEDERAL,
        ends="closing",
        closed_day="earlier",
    )
    assert end.astimezone(NEW_YORK).isoformat()[:16] == "2026-12-24T17:00"


def test_a_state_has_its_own_holidays_and_a_site_its_own_closures():
    assert not SPLIT.is_business_day(dt.date(2026, 12, 28))
    assert SPLIT.openings(dt.date(2026, 12, 24))[0][1] == local("2026-12-24T11:00")
    assert SPLIT.calendar.holiday(dt.date(2026, 3, 2)) is not None  # Texas Independence Day
    assert FEDERAL.calendar.holiday(dt.date(2026, 3, 2)) is None


def test_a_holiday_on_which_work_goes_on_is_a_business_day():
    calendar = CALENDARS["us_federal"].model_dump() | {
        "hours": {"monday": ["08:00-17:00"]},
        "public_holidays": {"country": "US", "open": ["Columbus Day"]},
    }
    time = WorkingTime(Calendar.model_validate(calendar), NEW_YORK)
    assert time.is_business_day(dt.date(2026, 10, 12))
    assert not time.is_business_day(dt.date(2026, 9, 7))


def test_a_calendar_that_never_opens_says_so_instead_of_searching_for_ever():
    closed = {dt.date(2026, 1, 1) + dt.timedelta(days=n): "strike" for n in range(800)}
    calendar = CALENDARS["around_the_clock"].model_dump() | {
        "hours": {"monday": ["08:00-17:00"]},
        "closed": closed,
    }
    time = WorkingTime(Calendar.model_validate(calendar), NEW_YORK)
    with pytest.raises(ValueError, match="closed for a year"):
        time.plus_days(dt.date(2026, 1, 1), 1)
    with pytest.raises(ValueError, match="closed for a year"):
        time.next_opening(local("2026-01-01T00:00"))

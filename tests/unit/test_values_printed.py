# SPDX-License-Identifier: Apache-2.0
"""Amounts and dates: what is printed is read as it was meant, and printed again is the same."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from stdnum import luhn

from idp.values import Kind, find, parse
from idp.values.codes import npi_check_digit_holds

AMOUNTS = st.integers(0, 999_999_999).map(lambda cents: Decimal(cents) / 100)
DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31))


def european(amount: Decimal) -> str:
    """Points between thousands and a comma before the cents."""
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


PRINTED = {
    "plain": lambda amount: f"{amount:.2f}",
    "thousands": lambda amount: f"{amount:,.2f}",
    "dollars": lambda amount: f"${amount:,.2f}",
    "dollars apart": lambda amount: f"$ {amount:,.2f}",
    "european": european,
    "apostrophes": lambda amount: f"{amount:,.2f}".replace(",", "'"),
    "rule before the cents": lambda amount: f"{amount:.2f}".replace(".", " "),
    "point with blanks": lambda amount: f"{amount:,.2f}".replace(".", " . "),
}
NEGATIVE = {
    "minus": lambda text: f"-{text}",
    "minus apart": lambda text: f"- {text}",
    "parentheses": lambda text: f"({text})",
    "minus behind": lambda text: f"{text}-",
    "credit": lambda text: f"{text} CR",
}


@given(AMOUNTS, st.sampled_from(sorted(PRINTED)))
@example(Decimal("0.00"), "dollars")
@example(Decimal("1000.00"), "european")
def test_an_amount_comes_back_from_every_way_of_printing_it(amount: Decimal, way: str) -> None:
    assert parse(Kind.MONEY, PRINTED[way](amount)) == (f"{amount:.2f}", True)


@given(
    AMOUNTS.filter(bool),
    st.sampled_from(("plain", "thousands", "dollars")),
    st.sampled_from(sorted(NEGATIVE)),
)
def test_a_negative_amount_is_negative_however_that_is_printed(
    amount: Decimal, way: str, sign: str
) -> None:
    assert parse(Kind.MONEY, NEGATIVE[sign](PRINTED[way](amount))) == (f"{-amount:.2f}", True)


@given(AMOUNTS, st.sampled_from(sorted(PRINTED)))
def test_an_amount_printed_and_read_twice_is_the_same(amount: Decimal, way: str) -> None:
    once = parse(Kind.MONEY, PRINTED[way](amount)).value
    assert parse(Kind.MONEY, once).value == once


@given(AMOUNTS, st.data())
def test_one_digit_changed_is_another_amount(amount: Decimal, data: st.DataObject) -> None:
    text = f"{amount:,.2f}"
    places = [place for place, sign in enumerate(text) if sign.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != text[place]]))
    other = text[:place] + digit + text[place + 1 :]
    assert parse(Kind.MONEY, other).value != parse(Kind.MONEY, text).value


@given(st.lists(AMOUNTS, min_size=1, max_size=8))
def test_a_sum_of_amounts_as_printed_is_the_sum_to_the_cent(amounts: list[Decimal]) -> None:
    read = [Decimal(parse(Kind.MONEY, f"${amount:,.2f}").value) for amount in amounts]
    assert sum(read, Decimal(0)) == sum(amounts, Decimal(0))


@given(AMOUNTS)
def test_an_amount_is_found_in_running_text(amount: Decimal) -> None:
    text = f"We paid ${amount:,.2f} on this claim."
    (span,) = find(Kind.MONEY, text)
    assert span.parsed.value == f"{amount:.2f}"
    assert text[span.start : span.end].strip() == f"${amount:,.2f}"


@given(DAYS)
def test_a_day_first_date_of_another_country_is_read_where_it_can_be_no_month(
    day: dt.date,
) -> None:
    assume(day.day > 12)
    assert parse(Kind.DATE, f"{day:%d/%m/%Y}").value == day.isoformat()
    assert parse(Kind.DATE, f"{day:%d.%m.%Y}").value == day.isoformat()


@given(DAYS)
def test_where_both_can_be_months_the_month_stands_first(day: dt.date) -> None:
    assert parse(Kind.DATE, f"{day:%m/%d/%Y}").value == day.isoformat()


@given(st.dates(dt.date(1930, 1, 1), dt.date(2029, 12, 31)), st.integers(0, 36_500))
def test_a_two_digit_birth_year_is_of_the_hundred_years_before_receipt(
    received: dt.date, age_in_days: int
) -> None:
    born = received - dt.timedelta(days=age_in_days)
    assume(born.year > received.year - 99 and born.year >= 1936)
    read = parse(Kind.DATE, f"{born:%m/%d/%y}", not_after=received)
    assert read.valid
    assert dt.date.fromisoformat(read.value).year <= received.year
    assert read.value == born.isoformat()


@given(DAYS, st.data())
def test_one_digit_of_a_date_changed_is_another_date_or_none(
    day: dt.date, data: st.DataObject
) -> None:
    text = f"{day:%m/%d/%Y}"
    place = data.draw(st.sampled_from([0, 1, 3, 4, 6, 7, 8, 9]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != text[place]]))
    other = parse(Kind.DATE, text[:place] + digit + text[place + 1 :])
    assert other.value != day.isoformat() or not other.valid


@given(st.integers(1880, 2199))
def test_the_29th_of_february_is_a_day_of_leap_years_alone(year: int) -> None:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    assert parse(Kind.DATE, f"02/29/{year}").valid is leap


NPIS = st.from_regex(r"[12][0-9]{8}", fullmatch=True).map(
    lambda nine: nine + str(luhn.calc_check_digit("80840" + nine))
)


@given(NPIS, st.integers(0, 8))
def test_two_neighbouring_digits_exchanged_are_seen_but_for_nought_and_nine(
    npi: str, place: int
) -> None:
    first, second = npi[place], npi[place + 1]
    assume(first != second and {first, second} != {"0", "9"})
    assert not npi_check_digit_holds(npi[:place] + second + first + npi[place + 2 :])


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("1,234", "1234.00"),
        ("1.234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("(1,234.56)", "-1234.56"),
        ("($1,234.56)", "-1234.56"),
        ("-$1,234.56", "-1234.56"),
        ("$-1,234.56", "-1234.56"),
        ("1,234.56-", "-1234.56"),
        ("0.00-", "0.00"),
        ("(0.00)", "0.00"),
        (".50", "0.50"),
    ],
)
def test_amounts_as_they_are_met(printed: str, read: str) -> None:
    assert parse(Kind.MONEY, printed) == (read, True)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("0ak Avenue", "Oak Avenue"),
        ("Rheumatol0gy", "Rheumatology"),
        ("J0INT PAIN", "JOINT PAIN"),
        ("0mg", "0mg"),
        ("20th B0B H20", "20th B0B H20"),
    ],
)
def test_a_nought_among_letters_is_the_letter(read: str, meant: str) -> None:
    assert parse(Kind.TEXT, read).value == meant

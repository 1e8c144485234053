# SPDX-License-Identifier: Apache-2.0
"""Amounts, dates and codes as they are printed and as OCR bends them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.extract.tables_values import (
    Shape,
    money_without_point,
    parse_adjustment_codes,
    parse_dates,
    parse_icd10,
    parse_money,
    parse_procedure,
    parse_remark_codes,
    shape_of,
)

CENTS = st.integers(min_value=0, max_value=99_999_999)


def amount_of(cents: int) -> Decimal:
    return Decimal(cents) / 100


@given(CENTS, st.booleans(), st.booleans())
def test_a_printed_amount_reads_as_its_value(cents: int, dollar: bool, commas: bool) -> None:
    text = f"{amount_of(cents):,.2f}" if commas else f"{amount_of(cents):.2f}"
    money = parse_money(("$" if dollar else "") + text)
    assert money is not None
    assert money.amount == amount_of(cents)
    assert not money.repaired


@given(CENTS.filter(bool), st.sampled_from(["-{}", "{}-", "({})", "{} CR", "-${}", "$({})"]))
def test_every_way_to_write_a_negative_amount_reads_as_negative(cents: int, form: str) -> None:
    money = parse_money(form.format(f"{amount_of(cents):.2f}"))
    assert money is not None
    assert money.amount == -amount_of(cents)


@given(CENTS, st.integers(min_value=1, max_value=6))
def test_a_blank_inside_an_amount_does_not_change_it(cents: int, at: int) -> None:
    text = f"{amount_of(cents):.2f}"
    cut = min(at, len(text) - 1)
    money = parse_money(f"{text[:cut]} {text[cut:]}")
    assert money is not None
    assert money.amount == amount_of(cents)
    assert money.repaired


@given(CENTS)
def test_letters_for_digits_are_mended_and_said_to_be(cents: int) -> None:
    text = f"{amount_of(cents):.2f}".replace("0", "O", 1).replace("1", "l", 1)
    money = parse_money(text)
    assert money is not None
    assert money.amount == amount_of(cents)


@given(st.integers(min_value=100, max_value=9_999_999))
def test_a_lost_decimal_point_gives_the_amount_a_hundredth_of_the_digits(cents: int) -> None:
    assert parse_money(str(cents)) is None
    assert money_without_point(str(cents)) == amount_of(cents)


@given(st.text(alphabet="abcdefghjkmnpqrtuvwxyzABCEFGHJKLMNPRTUVWXYZ ", max_size=20))
def test_words_are_never_amounts(text: str) -> None:
    assert parse_money(text) is None


@given(st.text(max_size=30))
def test_no_text_breaks_the_parsers(text: str) -> None:
    for parse in (parse_money, parse_dates, parse_procedure, parse_icd10, shape_of):
        parse(text)


@pytest.mark.parametrize("text", ["Deductible", "12/04/24", "99213-25", "CO-45", "", "$", "1.2.3"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert parse_money(text) is None


DAYS = st.dates(min_value=dt.date(1990, 1, 1), max_value=dt.date(2035, 12, 31))


@given(
    DAYS, st.sampled_from(["%m/%d/%Y", "%m-%d-%Y", "%Y-%m-%d", "%b %d, %Y", "%m%d%Y", "%m %d %Y"])
)
def test_a_date_reads_the_same_in_every_american_form(day: dt.date, form: str) -> None:
    assert parse_dates(day.strftime(form))[:1] == (day,)


@given(DAYS, DAYS)
def test_a_range_gives_its_two_ends(first: dt.date, last: dt.date) -> None:
    assert parse_dates(f"{first:%m/%d/%Y}-{last:%m/%d/%Y}") == (first, last)


@given(DAYS)
def test_a_packed_range_of_a_medicare_remittance_starts_with_its_first_half(day: dt.date) -> None:
    assert parse_dates(f"{day:%m%d} {day:%m%d%y}")[:1] == (day,)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("99213", "99213"),
        ("99213-25", "99213"),
        ("HC:99213", "99213"),
        ("J1100 JW", "J1100"),
        ("0191T", "0191T"),
        ("l7000", "17000"),
        ("(92014)", "92014"),
        ("PRICE", None),
        ("904417326", None),
        ("M25.561", None),
    ],
)
def test_procedure_codes_come_without_qualifier_and_modifiers(text: str, code: str | None) -> None:
    assert parse_procedure(text) == code


def test_adjustment_codes_keep_their_group_and_their_order() -> None:
    assert parse_adjustment_codes("CO-45 PR1, OA 23 CO 45") == ("CO-45", "PR-1", "OA-23")


def test_an_amount_after_a_group_is_no_reason_code() -> None:
    assert parse_adjustment_codes("CO 45.00") == ()


def test_a_group_that_does_not_exist_is_kept_in_the_column_of_reasons() -> None:
    printed = "CO-45 XX-96 ca23 MA18 N130 PR1"
    assert parse_adjustment_codes(printed) == ("CO-45", "PR-1")
    strange = parse_adjustment_codes(printed, any_group=True)
    assert strange == ("CO-45", "XX-96", "CA-23", "PR-1")
    assert parse_adjustment_codes("USD45.00 AB12C", any_group=True) == ()


def test_remark_codes_are_found_between_other_words() -> None:
    assert parse_remark_codes("see MA01, N130 and M15") == ("MA01", "N130", "M15")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("$1,234.50", Shape.MONEY),
        ("154 24", Shape.MONEY),
        ("11/20/24", Shape.DATE),
        ("99213", Shape.PROCEDURE),
        ("CO-45", Shape.ADJUSTMENT_CODE),
        ("N130", Shape.REMARK_CODE),
        ("2", Shape.INTEGER),
        ("W80019914000", Shape.IDENTIFIER),
        ("---", Shape.DASH),
        ("Deductible", Shape.WORD),
    ],
)
def test_a_token_has_the_shape_it_shows(text: str, shape: Shape) -> None:
    assert shape_of(text) is shape

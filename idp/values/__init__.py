# SPDX-License-Identifier: Apache-2.0
"""Typed values: from what is printed to a normalised form, and whether it is well formed.

The printed text is never lost (``Field.raw``); a value that does not parse is kept as printed with
``valid=False``, so that a rule can say so and a person can mend it. Parsing what was parsed changes
nothing. :func:`find` spots typed values in running text for the extractors.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence

from idp.values import codes, dates, mail, names, numbers
from idp.values.base import Kind, Parsed, Span
from idp.values.dates import birth_dates

__all__ = ["Kind", "Parsed", "Span", "birth_dates", "find", "parse"]

_PARSERS: dict[Kind, Callable[[str], Parsed]] = {
    Kind.PERSON: names.parse_person,
    Kind.ORGANIZATION: names.parse_organization,
    Kind.PHONE: numbers.parse_phone,
    Kind.EMAIL: mail.parse_email,
    Kind.NPI: codes.parse_npi,
    Kind.TAX_ID: numbers.parse_tax_id,
    Kind.IDENTIFIER: codes.parse_identifier,
    Kind.ICD10: codes.parse_icd10,
    Kind.PROCEDURE_CODE: codes.parse_procedure,
    Kind.MONEY: numbers.parse_money,
    Kind.QUANTITY: numbers.parse_quantity,
    Kind.ADDRESS: names.parse_address,
    Kind.SEX: names.parse_sex,
    Kind.PRESENCE: names.parse_presence,
    Kind.TEXT: names.parse_text,
}
_SHAPES: dict[Kind, re.Pattern[str]] = {
    Kind.PHONE: numbers.PHONE,
    Kind.EMAIL: mail.EMAIL,
    Kind.NPI: codes.NPI,
    Kind.TAX_ID: numbers.TAX_ID,
    Kind.ICD10: codes.ICD10,
    Kind.PROCEDURE_CODE: codes.PROCEDURE,
    Kind.MONEY: numbers.MONEY_IN_TEXT,
    Kind.QUANTITY: numbers.QUANTITY,
}
_ROUNDS = 4


def parse(
    kind: Kind,
    raw: str,
    *,
    options: Mapping[str, Sequence[str]] | None = None,
    not_after: dt.date | None = None,
) -> Parsed:
    """The normalised form of ``raw`` and whether it has the shape of ``kind``.

    Args:
        kind: What the value ought to be.
        raw: The text as printed.
        options: For :attr:`Kind.OPTION`, each option with its printed wordings.
        not_after: For dates, the day a two-digit year may not go beyond (the day of receipt for
            a birth date). Without it two-digit years follow a fixed pivot.
    """
    if kind is Kind.DATE:
        return dates.parse_date(raw, not_after)
    if kind is Kind.OPTION:
        return names.parse_option(raw, options or {})
    parser = _PARSERS[kind]
    parsed = parser(raw)
    for _ in range(_ROUNDS):
        again = parser(parsed.value)
        if again.value == parsed.value:
            break
        parsed = again
    return parsed


def find(kind: Kind, text: str) -> tuple[Span, ...]:
    """Every value of ``kind`` in running text, from left to right, never overlapping.

    Only kinds with a shape of their own are found (dates, phones, codes, numbers); for names,
    addresses and free text the answer is empty. Shapes decide, checks do not: an NPI with a wrong
    check digit is found and is not valid, ten bare digits that are an NPI are no phone.
    """
    if kind is Kind.DATE:
        return tuple(
            Span(start, end, text[start:end], Parsed(date.isoformat(), valid=True))
            for start, end, date in dates.spans(text)
        )
    shape = _SHAPES.get(kind)
    if shape is None:
        return ()
    mended = dates.repaired(text) if kind in (Kind.PHONE, Kind.NPI, Kind.TAX_ID) else text
    return tuple(
        Span(m.start(), m.end(), text[m.start() : m.end()], parse(kind, m[0]))
        for m in shape.finditer(mended)
        if kind is not Kind.PHONE or not codes.npi_check_digit_holds(m[0])
    )

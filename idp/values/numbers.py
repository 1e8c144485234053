# SPDX-License-Identifier: Apache-2.0
"""Money, quantities, telephone and tax numbers."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import phonenumbers

from idp.values.base import Parsed
from idp.values.slips import looks_numeric, repair_number, squeeze, to_digits

_AMOUNT = r"(?:\d{1,3}(?:[,.' ]\d{3})+|\d+)(?:\s?[.,]\s?\d{2}|\s\d{2})?"
MONEY = re.compile(
    rf"(?<![\w.,/-])(?:-\s?)?\(?\s?(?:-\s?)?\$?\s?(?:-\s?)?({_AMOUNT})(?![\d/]|[.,]\d)\s?\)?"
    r"(?:\s?(?:-(?!\s?\d)|CR\b))?"
)
MONEY_IN_TEXT = re.compile(
    r"(?<![\w.,/-])(?:-\s?)?\(?(?:-\s?)?(?:\$\s?(?:-\s?)?\d[\d,]*(?:\.\d{2})?|\d[\d,]*\.\d{2})"
    r"(?![\d/]|\.\d)\)?(?:-(?!\d)|\s?CR\b)?"
)
PHONE = re.compile(
    r"(?<![\w.])(?:\+?1[\s.-]{0,2})?(?:\(\s?\d{3}\s?\)|\d{3})[\s.\-/\u2013]{0,3}\d{3}[\s.\-\u2013]{0,3}\d{4}"
    r"(?:\s?(?:x|ext\.?|extension)\s?:?\s?\d{1,6})?(?!\w)",
    re.I,
)
_EXTENSION = re.compile(r"(?:x|ext\.?|extension)\s?[:#]?\s?(\d{1,6})\b", re.I)
TAX_ID = re.compile(r"(?<![\w-])(?:\d{2}-?\s?\d{7}|\d{3}-\d{2}-\d{4})(?![\w-])")
QUANTITY = re.compile(r"(?<![\w.])\d{1,6}(?:,\d{3})*(?:\.\d+)?(?![\w/]|\.\d)")


def _plain(amount: str) -> Decimal | None:
    """The number in ``1,234.56``, ``1.234,56``, ``154,24``, ``154 24``: cents are two digits."""
    text = re.sub(r"\s*([.,])\s*", r"\1", amount.strip())
    whole, cents = text, ""
    if found := re.fullmatch(r"(.*?)[., ](\d{2})", text):
        whole, cents = found[1], found[2]
    whole = re.sub(r"[,.' ]", "", whole) or "0"
    try:
        return Decimal(f"{whole}.{cents or '00'}")
    except InvalidOperation:
        return None


def parse_money(raw: str) -> Parsed:
    """A plain decimal with two places; negative by minus, parentheses or ``CR``.

    A comma before exactly two last digits is a misread point; a blank there is the rule between
    dollars and cents.
    """
    text = squeeze(raw)
    mended = re.sub(r"^[S§](?=\s?[\d(-])", "$", text)
    mended = " ".join(
        re.sub(r"[0-9A-Za-z|!]+", lambda found: repair_number(found[0]), token)
        if any(sign.isdigit() for sign in token)
        else token
        for token in mended.split()
    )
    mended = re.sub(r"(?<![\d])([.,]\d{2})(?!\d)", r"0\1", mended)
    found = MONEY.search(mended)
    amount = _plain(found[1]) if found else None
    if found is None or amount is None:
        return Parsed(text, valid=False)
    shown = found[0]
    negative = "-" in shown or ("(" in shown and ")" in shown) or shown.rstrip().endswith("CR")
    rest = (mended[: found.start()] + mended[found.end() :]).strip()
    value = -amount if negative and amount else amount
    return Parsed(f"{value:.2f}", valid=not any(sign.isdigit() for sign in rest))


def parse_quantity(raw: str) -> Parsed:
    """The first number in ``raw`` as a plain decimal (``16 injections`` is ``16``)."""
    text = squeeze(raw)
    mended = " ".join(repair_number(token) for token in text.split())
    found = re.search(r"\d[\d,]*(?:\.\d+)?|\.\d+", mended)
    if not found:
        return Parsed(text, valid=False)
    number = Decimal(found[0].replace(",", ""))
    plain = f"{number.normalize():f}" if number else "0"
    return Parsed(plain, valid=True)


def parse_phone(raw: str) -> Parsed:
    """``NNN-NNN-NNNN`` and `` xNNN`` for an extension; foreign numbers as E.164.

    Valid means ten digits (or a possible foreign number): exchanges that no telephone company
    has assigned are common on forms.
    """
    text = squeeze(raw)
    extension = _EXTENSION.search(text)
    body = text[: extension.start()] if extension else text
    tail = f" x{extension[1]}" if extension else ""
    if foreign := re.match(r"\+(?!1)\s?\d", body):
        try:
            number = phonenumbers.parse(body[foreign.start() :], None)
        except phonenumbers.NumberParseException:
            return Parsed(text, valid=False)
        shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return Parsed(shown + tail, valid=phonenumbers.is_possible_number(number))
    mended = "".join(
        to_digits(part) if looks_numeric(part) or part in ("O", "I", "l") else part
        for part in re.split(r"([\s().\-/\u2013]+)", body)
    )
    if found := PHONE.search(mended):
        digits = re.sub(r"\D", "", found[0])
    else:
        digits = re.sub(r"\D", "", mended)
        if re.search(r"[A-Za-z]{2}", mended) and len(digits) != 10:
            return Parsed(text, valid=False)
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    if len(digits) != 10:
        return Parsed(text, valid=False)
    return Parsed(f"{digits[:3]}-{digits[3:6]}-{digits[6:]}{tail}", valid=True)


def parse_tax_id(raw: str) -> Parsed:
    """``NN-NNNNNNN``, or ``NNN-NN-NNNN`` where a social security number is printed as one."""
    text = squeeze(raw)
    mended = "".join(
        repair_number(part) for part in re.split(r"([\s\-:#.]+)", text) if part is not None
    )
    if found := re.search(r"(?<!\d)(\d{3})-(\d{2})-(\d{4})(?!\d)", mended):
        return Parsed("-".join(found.groups()), valid=True)
    found = re.search(r"(?<!\d)(\d{2})[\s-]{0,2}(\d{7})(?!\d)", mended)
    if not found:
        digits = re.sub(r"[\s.-]", "", mended)
        found = re.fullmatch(r"\D*(\d{2})(\d{7})\D*", digits)
    if found:
        return Parsed(f"{found[1]}-{found[2]}", valid=True)
    return Parsed(text, valid=False)

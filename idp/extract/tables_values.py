# SPDX-License-Identifier: Apache-2.0
"""What one printed table cell can be: an amount, a date, a code, an identifier, words.

Readers of tables decide by shape as much as by place, and OCR bends shapes: a letter O for a zero,
a blank inside an amount, a lost decimal point. A reading that had to be repaired says so; the
numbers themselves are always those of the page.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

_DIGIT_LOOKALIKES = str.maketrans(
    {"O": "0", "o": "0", "Q": "0", "D": "0", "I": "1", "l": "1", "|": "1", "i": "1"}
    | {"S": "5", "s": "5", "B": "8", "Z": "2", "z": "2"}
)
_IN_AMOUNTS = str.maketrans({"A": "8", "G": "6", "b": "6"})
"""Letters that stand for digits in blurred amounts only; in codes they are letters."""
_FIRST_OF_CODE = str.maketrans("l|IOo", "11100")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_AMOUNT = re.compile(
    r"""\$?(?P<open>\()? \s* (?P<minus>[-\u2013\u2014\u2212])? \s* (?:USD\s*)? \$? \s*
        (?P<minus2>[-\u2013\u2014\u2212])? \s*
        (?P<whole>\d{1,3}(?:[,.]\d{3})+|\d+|(?=[.,]\d)) (?:[.,](?P<cents>\d{2}))? \s*
        (?P<close>\))? \s* (?P<trail>CR|cr|Cr|[-\u2013\u2014\u2212])? \)?""",
    re.VERBOSE,
)
_NUMERIC_DATE = re.compile(
    r"(?<![\d/])(\d{1,2})\s*(?P<by>[-/. ])\s*(\d{1,2})\s*(?P=by)\s*(\d{4}|\d{2})(?!\d)"
)
_ISO_DATE = re.compile(r"(?<![\d/-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NAMED_DATE = re.compile(r"([A-Za-z]{3,9})\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s*(\d{4}|\d{2})(?!\d)")
_DAY_FIRST_DATE = re.compile(r"(\d{1,2})[-\s]?([A-Za-z]{3})[a-z]*\.?[-\s,]*(\d{4}|\d{2})(?!\d)")
_PACKED_DATE = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{4}|\d{2})(?!\d)")
_PROCEDURE = re.compile(r"(?:[0-9]{5}|[A-V][0-9]{4}|[0-9]{4}[FTUM])")
_GROUP_CODE = re.compile(
    r"(?<![A-Z])(CO|PR|OA|PI|C0|0A|P1)\s*[-\u2013:/ ]?\s*([A-B]?\d{1,3})(?!\d|[.,]\d)"
)
_STRANGE_CODE = re.compile(
    r"(?<![A-Z0-9])(?!MA\d)([A-Z]{2})[-\u2013]?([A-B]?\d{1,3})(?![A-Z\d]|[.,]\d)"
)
"""A reason with a group that is none; ``MA18`` is a remark."""
_REMARK_CODE = re.compile(r"(?<![A-Z0-9])(MA\d{2,3}|M\d{1,3}|N\d{1,3})(?![A-Z0-9])")
_ICD10 = re.compile(r"[A-TV-Z][0-9][0-9AB](?:\.?[0-9A-Z]{1,4})?")


class Shape(StrEnum):
    """What a token looks like, whatever column it stands in."""

    MONEY = "money"
    DATE = "date"
    PROCEDURE = "procedure"
    ADJUSTMENT_CODE = "adjustment_code"
    REMARK_CODE = "remark_code"
    INTEGER = "integer"
    IDENTIFIER = "identifier"
    DASH = "dash"
    WORD = "word"


class Money(NamedTuple):
    """An amount as read; ``repaired`` says that characters had to be taken for their lookalikes."""

    amount: Decimal
    repaired: bool = False


def _digits_for_letters(text: str) -> str | None:
    """The text with letters that OCR confuses with digits turned into digits, if that is likely.

    Likely means: digits and punctuation already make up at least half of it, or it has a decimal
    point followed by two such characters (``O.OO``).
    """
    body = re.sub(r"[\s$(),.\u2013\u2014-]|CR$", "", text)
    if not body:
        return None
    digits = sum(c.isdigit() for c in body)
    cents = re.search(r"[.,][0-9OoQDIlSsBZ]{2}\W*$", text)
    if digits * 2 < len(body) and not cents:
        return None
    tail = "CR" if text.upper().rstrip(") ").endswith("CR") else ""
    core = text[: text.upper().rindex("CR")] if tail else text
    return core.translate(_DIGIT_LOOKALIKES).translate(_IN_AMOUNTS) + tail


@lru_cache(maxsize=8192)
def parse_money(text: str, *, decimals: bool = True) -> Money | None:
    """Read a printed amount, or ``None`` when the text is not one.

    Understands ``$``, thousands separators, blanks inside the number, and four ways to write a
    negative: leading or trailing minus, parentheses, ``CR``.

    Args:
        text: The printed cell.
        decimals: Whether two decimals must be there. Without, ``120`` is 120 as well.
    """
    bare = re.sub(r"^S(?=\d)", "$", text.strip().strip("*_:;|=").strip())
    if not bare or not any(c.isdigit() or c in "Oo" for c in bare):
        return None
    # "154 24": the point was lost in the fax; a date has three parts.
    pointed = re.sub(r"^(-?\$?\d{1,3}(?:,\d{3})*) ([\dOo]{2})$", r"\1.\2", bare)
    compact = re.sub(r"(?<=[\d.,OoS])\s+(?=[\d.,OoS])", "", pointed)
    compact = re.sub(r"(?<=[\dOo])[:;\u00b7](?=[\dOo]{2}\W*$)", ".", compact)
    for candidate, repaired in ((compact, bare != compact), (_digits_for_letters(compact), True)):
        if candidate is None:
            continue
        match = _AMOUNT.fullmatch(candidate)
        if match is None or (decimals and match["cents"] is None):
            continue
        whole = re.sub(r"[,.]", "", match["whole"]) or "0"
        amount = Decimal(f"{whole}.{match['cents'] or '00'}")
        negative = match["minus"] or match["minus2"] or match["trail"] or match["open"]
        return Money(-amount if negative and amount else amount, repaired)
    return None


@lru_cache(maxsize=2048)
def money_without_point(text: str) -> Decimal | None:
    """The amount when the decimal point was lost in the fax: ``15424`` read as 154.24.

    Only a possible reading: the caller asks the balance of the row which one holds.
    """
    body = re.sub(r"[\s$,]", "", text)
    body = body.translate(_DIGIT_LOOKALIKES) if sum(c.isdigit() for c in body) else body
    sign = -1 if re.match(r"[(-]", body) or body.endswith(("-", ")")) else 1
    digits = body.strip("()-")
    if not re.fullmatch(r"\d{3,8}", digits):
        return None
    return sign * Decimal(digits) / 100


def _date(year: str, month: int, day: int) -> dt.date | None:
    # Two-digit years: claims are paid within a few years, so 36 and above can't be this century.
    full = int(year) if len(year) == 4 else int(year) + (2000 if int(year) <= 35 else 1900)
    if not 1990 <= full <= 2099:
        return None
    try:
        return dt.date(full, month, day)
    except ValueError:
        return None


def _numeric(match: re.Match[str]) -> dt.date | None:
    return _date(match[4], int(match[1]), int(match[3]))


def _packed(match: re.Match[str]) -> dt.date | None:
    return _date(match[3], int(match[1]), int(match[2]))


def _day_first(match: re.Match[str]) -> dt.date | None:
    return _date(match[3], _MONTHS.get(match[2].lower(), 0), int(match[1]))


def _iso(match: re.Match[str]) -> dt.date | None:
    return _date(match[1], int(match[2]), int(match[3]))


def _shared_year(match: re.Match[str]) -> dt.date | None:
    return _date(match[3], int(match[1]), int(match[2]))


def _named(match: re.Match[str]) -> dt.date | None:
    return _date(match[3], _MONTHS.get(match[1][:3].lower(), 0), int(match[2]))


_DATE_FORMS = (
    (re.compile(r"(?<!\d)(\d{2})(\d{2})\s*[-\u2013]?\s*\d{4}(\d{4}|\d{2})(?!\d)"), _shared_year),
    (
        re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})\s*[-\u2013]\s*\d{1,2}/\d{1,2}/(\d{4}|\d{2})(?!\d)"),
        _shared_year,
    ),
    (_ISO_DATE, _iso),
    (_NUMERIC_DATE, _numeric),
    (re.compile(r"^(\d{1,2})(?P<by>[-/.])(\d{1,2})[-/.](\d{4}|\d{2})$"), _numeric),
    (_NAMED_DATE, _named),
    (_DAY_FIRST_DATE, _day_first),
    (_PACKED_DATE, _packed),
)


@lru_cache(maxsize=8192)
def parse_dates(text: str) -> tuple[dt.date, ...]:
    """All dates in the text, in order and month first as printed in the US.

    A range gives its two ends, or its start where both share one year (``01/05-01/07/2024``). Knows
    the packed forms of Medicare remittances: ``112024``, ``11202024``, ``1120 112024``.
    """
    if not any(c.isdigit() for c in text):
        return ()
    compact = re.sub(r"(?<=[\d/-])\s+(?=[/-])|(?<=[/-])\s+(?=\d)", "", text.strip())
    readings = [compact]
    if not re.search(r"[A-Za-z]{3}", compact):
        readings.append(compact.translate(_DIGIT_LOOKALIKES))
    for reading in readings:
        for pattern, read in _DATE_FORMS:
            days = [day for m in pattern.finditer(reading) if (day := read(m)) is not None]
            if days:
                return tuple(days)
    return ()


def parse_date(text: str) -> dt.date | None:
    """The first date in the text (of a range: its start), or ``None``."""
    return next(iter(parse_dates(text)), None)


@lru_cache(maxsize=8192)
def parse_procedure(text: str) -> str | None:
    """The CPT or HCPCS code in the text, without qualifier (``HC:``) and modifiers (``-25``)."""
    for part in re.split(r"[\s:/,;*]+", text.strip()):
        bare = part.strip("()[].")
        # HCPCS letters never include I and O, so those are digits even in the first place.
        first = bare[:1].translate(_FIRST_OF_CODE)
        for head in (first + bare[1:], first + bare[1:5].translate(_DIGIT_LOOKALIKES) + bare[5:]):
            match = re.fullmatch(
                rf"({_PROCEDURE.pattern})(?:[-.][A-Z0-9]{{2}}){{0,4}}", head.upper()
            )
            if match:
                return match[1]
    return None


@lru_cache(maxsize=8192)
def parse_adjustment_codes(text: str, *, any_group: bool = False) -> tuple[str, ...]:
    """Claim adjustment codes with their group (``CO-45``) in order of print, each once.

    Args:
        text: As printed.
        any_group: Also such with a group that does not exist (``CA-45``), which is for a rule to
            say; only where the text is known to hold reasons and nothing else.
    """
    upper = text.upper()
    at = {match.start(): match for match in _GROUP_CODE.finditer(upper)}
    if any_group:
        known = [range(*match.span()) for match in at.values()]
        for match in _STRANGE_CODE.finditer(upper):
            if not any(match.start() in span for span in known):
                at[match.start()] = match
    found: dict[str, None] = {}
    for _, match in sorted(at.items()):
        group = {"C0": "CO", "0A": "OA", "P1": "PI"}.get(match[1], match[1])
        found[f"{group}-{match[2]}"] = None
    return tuple(found)


@lru_cache(maxsize=8192)
def parse_remark_codes(text: str) -> tuple[str, ...]:
    """Remittance advice remark codes (``N130``, ``MA01``) in order of print, each once."""
    return tuple(dict.fromkeys(m[1] for m in _REMARK_CODE.finditer(text.upper())))


@lru_cache(maxsize=8192)
def parse_icd10(text: str) -> str | None:
    """The ICD-10-CM code that the text is, with its point where it was printed."""
    printed = text.strip().strip("()[],;:")
    # Codes are printed in capitals, so a small l is the letter I.
    bare = re.sub(r"^[l|1](?=\d)", "I", printed).upper()
    if not any(c.isdigit() for c in bare[1:]):
        return None
    if match := _ICD10.fullmatch(bare):
        return match[0]
    head = bare[:1].translate(str.maketrans("1056", "IOSG"))
    fixed = (
        head
        + bare[1:2].translate(_DIGIT_LOOKALIKES)
        + bare[2:3].translate(str.maketrans("OIL", "011"))
    )
    if match := _ICD10.fullmatch(fixed + bare[3:]):
        return match[0]
    return None


_SHAPES = (
    (Shape.ADJUSTMENT_CODE, re.compile(r"(CO|PR|OA|PI)\W?[A-B]?\d{1,3}")),
    (Shape.REMARK_CODE, re.compile(r"MA\d{2,3}|N\d{1,3}")),
    (
        Shape.PROCEDURE,
        re.compile(r"(?:HC:?)?(?:[0-9A-V]\d{4}|\d{4}[FT])(?:[-/:][A-Z0-9]{2})*"),
    ),
    (Shape.INTEGER, re.compile(r"\d{1,4}")),
)


@lru_cache(maxsize=16384)
def shape_of(text: str) -> Shape:
    """What the token looks like; the first that fits, from the most to the least telling."""
    bare = text.strip()
    if re.fullmatch(r"[-\u2013\u2014_.*\u2022]+|[Nn]/[Aa]", bare):
        return Shape.DASH
    if parse_money(bare) is not None:
        return Shape.MONEY
    if re.search(r"\d\D\d", bare) and len(bare) >= 6 and parse_dates(bare):
        return Shape.DATE
    upper = bare.upper()
    for shape, pattern in _SHAPES:
        if pattern.fullmatch(upper):
            return shape
    digits = sum(c.isdigit() for c in bare)
    if digits >= 3:
        return Shape.IDENTIFIER
    return Shape.WORD

# SPDX-License-Identifier: Apache-2.0
"""What a value's signs were read as, and what they may have been.

Parsing repairs slips in silence; here it comes to light which signs were taken for others, how
sure that is, and which other readings there are. Only letters become digits and digits letters,
each where its place demands it: no digit ever becomes another digit.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from idp.values import codes, dates, icd10
from idp.values.base import Kind
from idp.values.slips import AS_DIGIT, AS_LETTER, compact, to_digits

MOST_READINGS = 6
"""So many readings are named; a value with more of them can't be told from its signs."""

_MOST_TRIED = 4096


class Sureness(IntEnum):
    """How sure it is what a misread sign was."""

    SURE = 0
    """O for 0, I, l and | for 1: hardly ever anything else."""
    LIKELY = 1
    """The pairs that CMS names for its own identifiers: S for 5, B for 8, Z for 2."""
    GUESS = 2
    """Anything else."""


_SURE = frozenset({("O", "0"), ("o", "0"), ("I", "1"), ("l", "1"), ("|", "1")})
_LIKELY = frozenset(
    {
        *(("S", "5"), ("s", "5"), ("B", "8"), ("Z", "2"), ("z", "2")),
        *(("i", "1"), ("!", "1"), ("L", "1"), ("a sign", "a stroke")),
    }
)
_MAY_BE = {
    **{sign: (digit,) for sign, digit in AS_DIGIT.items()},
    **{"S": ("5", "8"), "B": ("8", "3", "6"), "Z": ("2", "7"), "G": ("6", "0"), "b": ("6", "8")},
    **{"Q": ("0", "9"), "T": ("7", "1"), "g": ("9", "8"), "A": ("4",), "E": ("8",), "Y": ("7",)},
    **{"L": ("1",), "J": ("1",), "U": ("0",), "C": ("0",), "e": ("8",), "a": ("4", "8")},
}
"""Every digit that a sign has been seen in place of, the likeliest first."""

_UNREADABLE = frozenset("?*_#~^.\u00b7\u2022\ufffd")
_SIGNS = re.compile(r"[0-9A-Za-z|!]")


class Slip(NamedTuple):
    """One sign, what it was taken for, and how sure that is."""

    read: str
    taken: str

    @property
    def sureness(self) -> Sureness:
        pair = (self.read, self.taken)
        if pair in _SURE:
            return Sureness.SURE
        return Sureness.LIKELY if pair in _LIKELY else Sureness.GUESS


class Reading(NamedTuple):
    """How a value came out of its signs.

    ``slips`` are the signs that were taken for others. ``others`` are further values that the same
    signs may be; with any of them, or an unsure slip and nothing that judges it, the value is a
    proposal. ``judge`` is what tells right from wrong besides the shape, ``doubt`` what speaks
    against the value.
    """

    slips: tuple[Slip, ...]
    others: tuple[str, ...] = ()
    judge: str = ""
    doubt: str = ""

    @property
    def sureness(self) -> Sureness:
        return max((slip.sureness for slip in self.slips), default=Sureness.SURE)


def reading(kind: Kind, raw: str, value: str) -> Reading | None:
    """How ``value`` came out of ``raw``; ``None`` where no sign of it was taken for another.

    Also ``None`` where the value did not come from these signs at all: a person typed it, or it
    was computed.
    """
    if kind is Kind.DATE:
        return _of_date(raw, value)
    slips = next(
        (found for signs in _forms(kind, value) if (found := aligned(raw, signs)) is not None), None
    )
    if not slips:
        return None
    if kind is Kind.NPI:
        others = tuple(other for other in npi_readings(raw) if other != value)
        holds = codes.npi_check_digit_holds(value)
        return Reading(slips, others, "the check digit holds" if holds else "")
    if kind is Kind.ICD10 and icd10.exists(value):
        others = tuple(other for other in icd10_readings(raw, len(slips)) if other != value)
        printed = compact(raw)
        # 530.81 is a code of ICD-9-CM, and S30.81 another one of ICD-10-CM.
        doubt = "a code of digits alone may be one of ICD-9-CM" if printed.isdigit() else ""
        return Reading(slips, others, f"the code is in ICD-10-CM {icd10.edition()}", doubt)
    return Reading(slips)


def _forms(kind: Kind, value: str) -> tuple[str, ...]:
    """The signs of a value as they may be printed."""
    if kind in (Kind.NPI, Kind.TAX_ID, Kind.ICD10, Kind.PROCEDURE_CODE):
        return (compact(value),)
    if kind is Kind.PHONE:
        return (compact(value.partition(" x")[0]),)
    if kind is Kind.IDENTIFIER:
        return (value,) if codes.mbi(value) == value else ()
    if kind is Kind.QUANTITY:
        return (compact(value),)
    if kind is Kind.MONEY:
        digits = re.sub(r"\D", "", value)
        whole = [digits, digits.removesuffix("00")]
        return tuple(dict.fromkeys(form for w in whole for form in (w, w.lstrip("0")) if form))
    return ()


def aligned(raw: str, signs: str) -> tuple[Slip, ...] | None:
    """The slips between ``signs`` and where they stand in ``raw``; ``None``: they don't.

    Of several places the one with the fewest slips.
    """
    printed = "".join(_SIGNS.findall(raw))
    best: tuple[Slip, ...] | None = None
    for start in range(len(printed) - len(signs) + 1):
        slips = _slips(printed[start : start + len(signs)], signs)
        if slips is not None and (best is None or len(slips) < len(best)):
            best = slips
    return best


def _slips(printed: str, signs: str) -> tuple[Slip, ...] | None:
    slips: list[Slip] = []
    for read, taken in zip(printed, signs, strict=True):
        if read.upper() == taken:
            continue
        upright = read.upper() if taken.isdigit() and read not in AS_DIGIT else read
        may_be = (AS_DIGIT.get(upright, "1" if upright == "L" else ""), AS_LETTER.get(read, ""))
        if taken not in may_be:
            return None
        slips.append(Slip(read, taken))
    return tuple(slips)


def npi_readings(raw: str) -> tuple[str, ...]:
    """Every NPI with a right check digit that ten signs in ``raw`` may be, the likeliest first.

    One sign may be wholly unreadable: exactly one digit makes the check digit right there, which
    is why such a reading is never more than a proposal.
    """
    found: dict[str, None] = {}
    for signs in _ten_signs(raw):
        choices = [_digits_of(sign) for sign in signs]
        unreadable = sum(len(choice) == 10 for choice in choices)
        if unreadable > 1 or sum(len(choice) == 1 for choice in choices) < 6:
            continue
        for digits in itertools.islice(itertools.product(*choices), _MOST_TRIED):
            if codes.npi_check_digit_holds("".join(digits)):
                found["".join(digits)] = None
    return tuple(found)[:MOST_READINGS]


def _ten_signs(raw: str) -> Iterator[str]:
    text = re.sub(r"^\s*NPI\s*[:#]?\s*", "", raw.strip(), flags=re.I)
    for token in (*text.split(), re.sub(r"[\s-]", "", text)):
        if len(token) == 10 and any(sign.isdigit() for sign in token):
            yield token


def _digits_of(sign: str) -> Sequence[str]:
    if sign.isdigit():
        return (sign,)
    if sign in _UNREADABLE:
        return "0123456789"
    return _MAY_BE.get(sign, "0123456789")


def icd10_readings(raw: str, slips: int) -> tuple[str, ...]:
    """Every existing ICD-10-CM code that ``raw`` may be with so many slips or fewer."""
    found: dict[str, None] = {}
    for code in codes.icd10_readings(raw):
        made = aligned(raw, compact(code)) if icd10.exists(code) else None
        if made is not None and len(made) <= slips:
            found[code] = None
    for piece in _pieces_of_code(raw):
        choices: list[tuple[str, ...]] = [(AS_LETTER.get(piece[0], piece[0].upper()),)]
        choices += [(s.upper(), *(() if s.isdigit() else _also(s))) for s in piece[1:]]
        for signs in itertools.islice(itertools.product(*choices), _MOST_TRIED):
            code = codes.dotted("".join(signs))
            changed = sum(a != b.upper() for a, b in zip(signs, piece, strict=True))
            if changed <= slips and icd10.exists(code):
                found[code] = None
    return tuple(found)[:MOST_READINGS]


def _pieces_of_code(raw: str) -> list[str]:
    pieces = [re.sub(r"[^0-9A-Za-z|!]", "", token) for token in (*raw.split(), raw)]
    return [piece for piece in dict.fromkeys(pieces) if 3 <= len(piece) <= 7]


def _also(sign: str) -> Sequence[str]:
    """The digits that a letter may be; O, I and l are told apart by their place alone."""
    may_be = _MAY_BE.get(sign, ())
    return may_be[:1] if may_be and (sign, may_be[0]) in _SURE else may_be


def mbi_readings(raw: str) -> tuple[str, ...]:
    """The Medicare numbers that eleven signs may be if one or two of them were misread.

    Judged by the place classes of CMS: a digit where only a letter can stand, and a letter where
    only a digit can. No check digit tells which is right, so all of them are proposals.
    """
    signs = compact(raw)
    if len(signs) != len(codes.MBI_PLACES):
        return ()
    choices: list[tuple[str, ...]] = []
    wrong = 0
    for sign, allowed in zip(signs, codes.MBI_PLACES, strict=True):
        if sign in allowed:
            choices.append((sign,))
            continue
        wrong += 1
        may_be = _LETTERS_OF.get(sign, ()) if sign.isdigit() else _MAY_BE.get(sign, ())
        choices.append(tuple(each for each in may_be if each in allowed))
    if wrong == 0 or wrong > 2:
        return ()
    return tuple("".join(each) for each in itertools.product(*choices))[:MOST_READINGS]


_LETTERS_OF = {"0": ("D", "Q"), "4": ("A",), "6": ("G",), "7": ("T", "Y"), "9": ("G",)}
"""Letters of an MBI that a digit has been seen in place of; it has no O, I, Z, S and B."""


def date_readings(raw: str) -> tuple[str, ...]:
    """Every date that ``raw`` may be where a misread sign makes it none, ISO 8601."""
    places = [i for i, sign in enumerate(raw) if sign in _MAY_BE and _among_digits(raw, i)]
    if not places or len(places) > 4:
        return ()
    found: dict[str, None] = {}
    for digits in itertools.islice(
        itertools.product(*(_MAY_BE[raw[i]] for i in places)), _MOST_TRIED
    ):
        signs = list(raw)
        for place, digit in zip(places, digits, strict=True):
            signs[place] = digit
        for date in dates.literal("".join(signs)):
            found[date.isoformat()] = None
    return tuple(found)[:MOST_READINGS]


def _among_digits(text: str, place: int) -> bool:
    """Whether a sign stands beside a digit or between the strokes of a date."""
    before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    return any(each.isdigit() or each in "/-." for each in (before, after) if each)


def _of_date(raw: str, value: str) -> Reading | None:
    try:
        date = dt.date.fromisoformat(value)
    except ValueError:
        return None
    if any(_same_day(date, other) for other in dates.literal(raw)):
        return None
    for mended in (dates.repaired(raw), to_digits(raw)):
        slips = tuple(
            Slip(read, taken)
            for read, taken in zip(raw, mended, strict=False)
            if read != taken and taken.isdigit()
        )
        if slips and any(_same_day(date, other) for other in dates.literal(mended)):
            # Month first is how dates are written here: that a sign was misread is likelier.
            swapped = dates.reads_day_first(mended, date)
            doubt = "the day would stand before the month" if swapped else ""
            others = tuple(o for o in date_readings(raw) if o != value) if doubt else ()
            return Reading(slips, others, doubt=doubt)
    strokes = dates.with_strokes(raw)
    if strokes is not None and any(_same_day(date, other) for other in dates.literal(strokes)):
        return Reading((Slip("a sign", "a stroke"),))
    return None


def _same_day(one: dt.date, other: dt.date) -> bool:
    """The same day, whatever century a year of two digits was given."""
    return (one.month, one.day, one.year % 100) == (other.month, other.day, other.year % 100)

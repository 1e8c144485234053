# SPDX-License-Identifier: Apache-2.0
"""Identifiers with a shape of their own: NPI, MBI, ICD-10-CM, CPT and HCPCS."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from stdnum import luhn

from idp.values import icd10
from idp.values.base import Parsed
from idp.values.slips import AS_DIGIT, AS_LETTER, compact, squeeze, to_digits

NPI = re.compile(r"(?<![\w-])[12]\d{9}(?![\w-])")
ICD10 = re.compile(r"(?<![\w.])[A-TV-Z]\d[0-9AB](?:\.[0-9A-Z]{1,4})?(?![\w.]\w|\w)")
PROCEDURE = re.compile(
    r"(?<![\w.$#/-])(?:\d{4}[0-9FTUM]|[A-EGHJ-MP-V]\d{4})(?![\d/]|[A-Za-z]|-\d{3}|[.,]\d)"
)
_NPI_SIGN = r"[\dOoQDlI|!ZzSsGbTBgq]"
_C, _N, _A = "123456789", "0123456789", "ACDEFGHJKMNPQRTUVWXY"
_AN = _N + _A
MBI_PLACES = (_C, _A, _AN, _N, _A, _AN, _N, _A, _A, _N, _N)
"""What may stand at each of the eleven places of a Medicare beneficiary identifier (CMS)."""

_MBI_SHAPE = re.compile("".join(f"[{allowed}]" for allowed in MBI_PLACES))
_NEVER_IN_MBI = str.maketrans({"S": "5", "L": "1", "O": "0", "I": "1", "B": "8", "Z": "2"})
_STROKES = str.maketrans({"|": "1", "!": "1", "b": "6"})
_MAX_REPAIRS = 64


def npi_check_digit_holds(digits: str) -> bool:
    """The CMS rule: ten digits, the first 1 or 2, Luhn over ``80840`` and the number."""
    return bool(re.fullmatch(r"[12]\d{9}", digits)) and bool(luhn.is_valid("80840" + digits))


def parse_npi(raw: str) -> Parsed:
    """Ten digits; letters in their places are repaired where the check digit then holds.

    An NPI whose check digit fails stays as read, not valid: nothing tells which digit is wrong.
    """
    text = squeeze(raw)
    candidates = re.findall(rf"(?<!\w)(?:{_NPI_SIGN}[\s.-]?){{9}}{_NPI_SIGN}(?!\w)", text)
    bare = re.sub(r"[\s.\-#:]|^NPI", "", text)
    if len(bare) == 10:
        candidates.append(bare)
    fallback: str | None = None
    for candidate in candidates:
        signs = re.sub(r"[\s.-]", "", candidate)
        if sum(sign.isdigit() for sign in signs) < 6:
            continue
        digits = to_digits(signs)
        if npi_check_digit_holds(digits):
            return Parsed(digits, valid=True)
        if digits.isdigit():
            fallback = fallback or digits
    return Parsed(fallback or text, valid=False)


def mbi(text: str) -> str | None:
    """The Medicare beneficiary identifier in ``text``, repaired, or ``None`` when it is none.

    CMS never uses S, L, O, I, B, Z in an MBI, so each of them is a digit misread; a small b is a 6
    sooner than an 8.
    """
    signs = compact(text.translate(_STROKES)).translate(_NEVER_IN_MBI)
    return signs if _MBI_SHAPE.fullmatch(signs) else None


_NOTHING = frozenset({"NA", "NONE", "UNKNOWN", "TBD", "SAME", "PENDING", "SELF", "NOTAPPLICABLE"})


def parse_identifier(raw: str) -> Parsed:
    """As printed, on one line, without a leading ``#`` or ``:``; an MBI without its dashes."""
    text = squeeze(raw).strip(" :#.,;*_")
    if found := mbi(text):
        return Parsed(found, valid=True)
    bare = compact(text)
    valid = any(s.isdigit() for s in bare) and len(bare) >= 3 and bare not in _NOTHING
    return Parsed(text, valid=valid and len(text) <= 40)


def _icd10_readings(signs: str) -> Iterator[str]:
    """What the signs may have been, as printed first: letter, digit, digit or A/B, then either."""
    first = (signs[0],) if signs[0].isalpha() else (AS_LETTER.get(signs[0], ""),)
    choices: list[tuple[str, ...]] = [first]
    for place, sign in enumerate(signs[1:], start=1):
        digit = AS_DIGIT.get(sign, "")
        if place == 1:
            choices.append((sign,) if sign.isdigit() else (digit,))
        else:
            letter = AS_LETTER.get(sign, "") if place >= 5 else ""
            choices.append(tuple(c for c in (sign, digit, letter) if c))
    for reading in itertools.islice(itertools.product(*choices), _MAX_REPAIRS):
        if all(reading):
            yield "".join(reading)


_ICD10_SHAPE = re.compile(r"[A-Z]\d[0-9A-Z]{1,5}")


def dotted(code: str) -> str:
    """An ICD-10-CM code with its point."""
    return code if len(code) == 3 else f"{code[:3]}.{code[3:]}"


_ICD10_LOOSE = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z0-9|][A-Za-z0-9|!][A-Za-z0-9|!])"
    r"(?:\s?[.,:·]\s?([A-Za-z0-9|!]{1,4})|([A-Za-z0-9|!]{1,4}))?(?![A-Za-z0-9])"
)


def _icd10_pieces(text: str) -> list[tuple[str, bool]]:
    """What may be codes in a text, and whether a point (or nothing else there) says so."""
    whole = "".join(sign for sign in text if sign.isalnum())
    pieces = [(m[1] + (m[2] or m[3] or ""), m[2] is not None) for m in _ICD10_LOOSE.finditer(text)]
    if 3 <= len(whole) <= 7:
        pieces.append((whole, True))
    return pieces


def icd10_readings(raw: str) -> tuple[str, ...]:
    """Every sequence of signs with the shape of an ICD-10-CM code that ``raw`` may be, dotted."""
    readings = [
        reading.upper()
        for piece, _ in _icd10_pieces(squeeze(raw))
        if any(sign.isdigit() for sign in piece)
        for reading in _icd10_readings(piece)
    ]
    return tuple(dict.fromkeys(dotted(code) for code in readings if _ICD10_SHAPE.fullmatch(code)))


def parse_icd10(raw: str) -> Parsed:
    """The first existing ICD-10-CM code in ``raw``, with its point; else what looks like one.

    Misread signs are repaired only to a code that exists.
    """
    text = squeeze(raw)
    shaped: str | None = None
    for piece, has_point in _icd10_pieces(text):
        if not any(sign.isdigit() for sign in piece):
            continue
        for index, reading in enumerate(_icd10_readings(piece)):
            code = reading.upper()
            if not _ICD10_SHAPE.fullmatch(code):
                continue
            if icd10.exists(code) and (index == 0 or has_point or len(code) > 3):
                return Parsed(dotted(code), valid=True)
            if shaped is None and re.fullmatch(r"[A-Z]\d[0-9AB][0-9A-Z]{0,4}", code):
                shaped = dotted(code)
    return Parsed(shaped or text, valid=False)


def parse_procedure(raw: str) -> Parsed:
    """A CPT or HCPCS level II code by its shape (five signs); modifiers stay in the raw text.

    CPT: four digits and a digit, F, T, U or M. HCPCS: a letter other than F, I, N, O, W to Z and
    four digits. CPT itself is licensed, so shape is all that is judged.
    """
    text = squeeze(raw)
    for token in re.findall(r"[A-Za-z0-9|!]{5,}", text):
        signs = token[:5]
        if len(token) not in (5, 7) or sum(s.isdigit() for s in signs) < 3:
            continue
        head, middle, tail = signs[0], to_digits(signs[1:4]), signs[4]
        if head.isalpha() and head.upper() in "ABCDEGHJKLMPQRSTUV" and head not in "lb":
            code = head.upper() + middle + AS_DIGIT.get(tail, tail)
        else:
            last = tail if tail.isdigit() or tail in "FTUM" else AS_DIGIT.get(tail, tail)
            code = AS_DIGIT.get(head, head) + middle + last
        if re.fullmatch(r"\d{4}[0-9FTUM]|[A-EGHJ-MP-V]\d{4}", code):
            return Parsed(code, valid=True)
    return Parsed(text, valid=False)

# SPDX-License-Identifier: Apache-2.0
"""Whether a document came before: the same fax sent twice, the same sheet scanned again.

Two copies never read alike, so bytes and exact words are of no use; and two patients' copies of one
form share nearly all their words. What tells them apart is what was filled in, and most of that has
digits: dates, numbers, codes, amounts. So documents are compared by their *numbers*, misread digits
forgiven, and two documents that agree in them are the same one unless a value that names the
patient or the occasion was surely read differently in both. Where numbers do not tell, the fields
do: one patient, date, payer and procedure, and near text (:func:`alike`).

``training.likeness`` measures this on pages that were faxed twice and on other patients' copies of
the same forms; the limits below stand in the wide gap between the two.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from datasketch import MinHash
from rapidfuzz import fuzz, process

from idp.document import Document, DocumentType, Field, Noun, Page
from idp.phrases import fold

SAME = 0.4
"""Share of the numbers of two documents that both have, from which on they are the same one."""

SAME_INTERCHANGE = 0.95
"""The same for two X12 transaction sets: nothing is misread there, and acknowledgments and status
replies of one trading partner are alike in most of their numbers."""

FEWEST_NUMBERS = 6
"""A document with fewer numbers says too little: covers and blank sheets are all alike."""

FEWEST_WORDS_IN_COMMON = 0.2
"""Share of the other words that both have; below it the forms differ whatever the numbers say."""

MOST_CANDIDATES = 20
"""Earlier documents that are compared one by one."""

_SURE = 0.8
"""Confidence from which on a telling value is held against the other document."""

_MISREAD = 85.0
"""Similarity (rapidfuzz ratio) of two numbers, one of which may be the other misread."""

SAME_TEXT = 0.5
"""Share of the words of two documents of one occasion that both have, from which on they are the
same one ("near text" of rule D1)."""

_SHORTEST = 4
_BANDS, _ROWS = 32, 2
OCCASION_BAND = _BANDS
"""The first band of a fingerprint that is no band of numbers."""
_SEED = 1
_NOT_ALPHANUMERIC = re.compile(r"[^A-Z0-9]")

TELLING = frozenset(
    {
        "patient_dob",
        "member_id",
        "referral_date",
        "submission_date",
        "service_start_date",
        "service_end_date",
        "determination_date",
        "form_date",
        "auth_number",
        "previous_auth_number",
        "authorization_number",
        "referral_id",
        "procedure_codes",
        "eft_number",
        "payment_date",
        "payment_amount",
        "eob_number",
    }
)
"""Fields that name the patient or the occasion (rule D1: same patient, payer, date of service,
amount, procedure): where each of two documents says something that stands nowhere in the other,
not even misread, they are two. A renewal that differs in one digit of one date is no such case: it
is shown as alike, and a person decides."""

_OF_WRITING = frozenset({"submission_date", "form_date"})
"""When the paper was filled in: what was sent again may be dated anew. It tells the occasion only
where the day of the service does not."""
_OF_SERVICE = "service_start_date"


class Like(NamedTuple):
    """An earlier document that a new one repeats, and how alike the two are (0..1).

    ``by_fields``: they agree in whom and what they are about, and in so much of their text; else
    in so much of their numbers.
    """

    document_id: str
    likeness: float
    by_fields: bool = False


class Traits(Noun):
    """What a document is compared by."""

    type: str
    electronic: bool = False
    """Whether it came as an X12 transaction set."""
    numbers: frozenset[str]
    words: frozenset[str]
    text: str
    """All letters and digits in their order."""
    values: dict[str, frozenset[str]]
    """Of the :data:`TELLING` fields, what was surely read, as printed."""
    occasions: tuple[tuple[int, str], ...] = ()
    """Hashes of whom and what it is about, each with its band: two documents of one occasion
    share one."""
    payer: str = ""

    @cached_property
    def speaks(self) -> bool:
        """Whether there is enough to compare."""
        return len(self.numbers) >= FEWEST_NUMBERS

    @property
    def comparable(self) -> bool:
        """Whether a later document could be found to repeat this one."""
        return self.speaks or bool(self.occasions)

    def bands(self) -> tuple[tuple[int, str], ...]:
        """Where candidates are looked for: by numbers, and by whom and what they are about."""
        return (*enumerate(self.buckets()), *self.occasions)

    def buckets(self) -> tuple[str, ...]:
        """One bucket for each band: documents alike share one of some band.

        Of pairs that share three tenths of their numbers, digit for digit, 95 of 100 meet in a
        bucket; of those that share a twentieth, 8 (MinHash, 32 bands of 2).
        """
        if not self.speaks:
            return ()
        sketch = MinHash(num_perm=_BANDS * _ROWS, seed=_SEED)
        sketch.update_batch([number.encode() for number in sorted(self.numbers)])
        hashes = sketch.hashvalues.astype("<u8")
        return tuple(
            hashlib.sha256(hashes[start : start + _ROWS].tobytes()).hexdigest()[:16]
            for start in range(0, _BANDS * _ROWS, _ROWS)
        )


def traits(document: Document, pages: Sequence[Page]) -> Traits:
    """What the document is compared by; ``pages`` are its own."""
    numbers, words = set(), set()
    text: list[str] = []
    for page in pages:
        for word in page.words:
            token = _letters_and_digits(word.text)
            text.append(token)
            # The digits alone: a label that one reading glues to its value is in the way.
            digits = "".join(sign for sign in token if sign.isdigit())
            if len(digits) >= _SHORTEST:
                numbers.add(digits)
            elif len(token) >= _SHORTEST:
                words.add(fold(token))
    values: dict[str, set[str]] = {}
    for field in document.fields:
        if field.name in TELLING and field.confidence >= _SURE:
            token = _letters_and_digits(field.raw)
            if len(token) >= _SHORTEST:
                values.setdefault(field.name, set()).add(token)
    return Traits(
        type=document.type,
        electronic=any(page.words_source == "x12" for page in pages),
        numbers=frozenset(numbers),
        words=frozenset(words),
        text="".join(text),
        values={name: frozenset(found) for name, found in values.items()},
        occasions=_occasions(document),
        payer=fold(_sure(document, "payer_name") or ""),
    )


def likeness(one: Traits, other: Traits) -> float:
    """How much of two documents' numbers is the same, 0..1; 0 where something tells them apart.

    A number that may be a misreading of the other's counts half. Two transaction sets are alike
    from :data:`SAME_INTERCHANGE` on, digit for digit, or not at all.
    """
    if one.type != other.type or not (one.speaks and other.speaks):
        return 0.0
    words = len(one.words) + len(other.words)
    if words and 2 * len(one.words & other.words) / words < FEWEST_WORDS_IN_COMMON:
        return 0.0
    if _contradict(one, other):
        return 0.0
    sizes = len(one.numbers) + len(other.numbers)
    if one.electronic and other.electronic:
        share = 2 * len(one.numbers & other.numbers) / sizes
        return share if share >= SAME_INTERCHANGE else 0.0
    found = _found_in(one.numbers, other.numbers) + _found_in(other.numbers, one.numbers)
    return found / sizes


def alike(document_id: str, one: Traits, other: Traits) -> Like | None:
    """How ``one`` repeats the other document, if it does (rule D1).

    The same numbers, or the same patient, payer, date and codes (or payment) with near text: what
    was typed anew or sent with fewer pages shares too few numbers.
    """
    numbers = likeness(one, other)
    if numbers >= SAME:
        return Like(document_id, numbers)
    if one.electronic or other.electronic or not set(one.occasions) & set(other.occasions):
        return None
    if one.payer and other.payer and fuzz.token_set_ratio(one.payer, other.payer) < _MISREAD:
        return None
    words = len(one.words) + len(other.words)
    text = 2 * len(one.words & other.words) / words if words else 0.0
    if text < SAME_TEXT or _contradict(one, other):
        return None
    return Like(document_id, text, by_fields=True)


_DATES = (
    "service_start_date",
    "submission_date",
    "referral_date",
    "determination_date",
    "form_date",
)
"""When it happens; the first that is there."""


def _occasions(document: Document) -> tuple[tuple[int, str], ...]:
    """Whom and what a document is about, by member number and by name, as hashes.

    Nothing where the patient, the date or the codes were not surely read. A remittance is about a
    payment: its number, day and amount.
    """
    about = [
        _sure(document, name) or "" for name in ("eft_number", "payment_date", "payment_amount")
    ]
    if document.type == DocumentType.REMITTANCE_EOB:
        return ((OCCASION_BAND, _hashed(document.type, *about)),) if all(about) else ()
    born = _sure(document, "patient_dob")
    when = next((date for name in _DATES if (date := _sure(document, name))), None)
    codes = sorted(
        {
            f.value
            for f in document.fields
            if f.name == "procedure_codes" and _is_sure(f) and f.value
        }
    )
    if not (born and when and codes):
        return ()
    member, name = _sure(document, "member_id"), _sure(document, "patient_name")
    whom = (
        _letters_and_digits(member) if member else None,
        " ".join(sorted(fold(name).split())) if name else None,
    )
    return tuple(
        (band, _hashed(document.type, born, each, when, *codes))
        for band, each in enumerate(whom, OCCASION_BAND)
        if each
    )


def _sure(document: Document, name: str) -> str | None:
    return next((f.value for f in document.fields if f.name == name and _is_sure(f)), None)


def _is_sure(field: Field) -> bool:
    return field.confidence >= _SURE


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _letters_and_digits(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text.upper())


def _contradict(one: Traits, other: Traits) -> bool:
    """Whether a telling field has values of which neither stands anywhere in the other document."""
    telling = one.values.keys() & other.values.keys()
    if _OF_SERVICE in telling and one.values[_OF_SERVICE] & other.values[_OF_SERVICE]:
        telling -= _OF_WRITING
    return any(
        not one.values[name] & other.values[name]
        and not any(_stands_in(value, other.text) for value in one.values[name])
        and not any(_stands_in(value, one.text) for value in other.values[name])
        for name in telling
    )


def _stands_in(value: str, text: str) -> bool:
    return fuzz.partial_ratio(value, text, score_cutoff=_MISREAD) > 0


def _found_in(numbers: frozenset[str], others: frozenset[str]) -> float:
    choices = sorted(others)
    found = 0.0
    for number in numbers:
        if number in others:
            found += 1.0
        elif process.extractOne(number, choices, scorer=fuzz.ratio, score_cutoff=_MISREAD):
            found += 0.5
    return found

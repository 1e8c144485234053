# SPDX-License-Identifier: Apache-2.0
"""The same document sent again is known; another patient's copy of the form is not."""

from __future__ import annotations

import random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.document import Box, Document, DocumentType, Field, Page, Word
from idp.likeness import SAME, Traits, likeness, traits

PRINT = (
    "Prior Authorization Request Patient Name Date of Birth Member ID Requesting Provider Phone "
    "Fax Diagnosis Codes Service Units Questions call 8005550100 Form 20250101"
)
ONE = "03/14/1961 XK44718203 1003000126 555-201-4477 555-201-4478 M17.11 97110 10/05/2026"
TWO = "11/30/1984 BR90215577 1245319599 555-340-9912 555-340-9913 E11.9 99214 12/01/2026"
FORM, PATIENT, OTHER = PRINT.split(), ONE.split(), TWO.split()


def traits_of(
    texts: list[str],
    *fields: Field,
    kind: str = "prior_auth_request",
    source: Literal["ocr", "x12"] = "ocr",
) -> Traits:
    box = Box(0.1, 0.1, 0.2, 0.12)
    words = tuple(
        Word(id=i, text=text, confidence=0.9, box=box, line=i) for i, text in enumerate(texts)
    )
    page = Page(number=1, width_px=1700, height_px=2200, dpi=200, words=words, words_source=source)
    document = Document(
        document_id="d",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType(kind),
        type_confidence=1,
        pages=(1,),
        fields=fields,
    )
    return traits(document, [page])


def field(name: str, raw: str, confidence: float = 0.95) -> Field:
    return Field(
        name=name,
        value=raw,
        raw=raw,
        confidence=confidence,
        page=1,
        box=Box(0, 0, 1, 1),
        source="test",
    )


def test_the_same_page_read_twice_with_misread_digits_is_the_same_document() -> None:
    again = [text.replace("1961", "1981").replace("4718", "4713") for text in PATIENT]
    alike = likeness(traits_of(FORM + PATIENT), traits_of(FORM + again))
    assert SAME < alike < 1


def test_another_patients_copy_of_the_form_is_another_document() -> None:
    assert likeness(traits_of(FORM + PATIENT), traits_of(FORM + OTHER)) < SAME


def test_another_type_is_never_the_same_document() -> None:
    same = FORM + PATIENT
    assert likeness(traits_of(same), traits_of(same, kind="referral")) == 0


def test_a_page_with_few_numbers_says_nothing() -> None:
    cover = [*FORM[:20], "10/05/2026", "555-201-4477"]
    assert likeness(traits_of(cover), traits_of(cover)) == 0
    assert traits_of(cover).buckets() == ()


def test_two_patients_on_a_form_full_of_printed_numbers_are_told_apart_by_who_they_are() -> None:
    hotlines = [f"800-555-{n:04d}" for n in range(100, 140)]
    one = traits_of(FORM + hotlines + PATIENT, field("member_id", "XK44718203"))
    other = traits_of(FORM + hotlines + OTHER, field("member_id", "BR90215577"))
    assert likeness(one, other) == 0


def test_a_value_taken_from_the_wrong_place_does_not_hide_a_double() -> None:
    one = traits_of(FORM + PATIENT, field("member_id", "XK44718203"))
    other = traits_of(FORM + PATIENT, field("member_id", "1003000126"))
    assert likeness(one, other) == 1


def test_an_unsure_value_is_not_held_against_a_double() -> None:
    one = traits_of(FORM + PATIENT, field("member_id", "ZZ999999999", 0.4))
    other = traits_of(FORM + PATIENT, field("member_id", "XK44718203"))
    assert likeness(one, other) == 1


@given(st.integers(0, 2**32))
def test_likeness_knows_no_order(seed: int) -> None:
    rng = random.Random(seed)
    one = traits_of(FORM + rng.choices(PATIENT + OTHER, k=8))
    other = traits_of(FORM + rng.choices(PATIENT + OTHER, k=8))
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    assert 0 <= likeness(one, other) <= 1


def test_documents_that_share_most_numbers_nearly_always_share_a_bucket() -> None:
    rng = random.Random(1)
    met = 0
    for _ in range(200):
        numbers = [str(rng.randrange(10**7, 10**8)) for _ in range(12)]
        misread = [*numbers[:7], *(str(rng.randrange(10**7, 10**8)) for _ in range(5))]
        one, other = traits_of(numbers).buckets(), traits_of(misread).buckets()
        met += any(a == b for a, b in zip(one, other, strict=True))
    assert met >= 190


def test_two_interchanges_are_the_same_only_number_for_number() -> None:
    sent = [f"REF*{n}" for n in range(100000, 100040)]
    first = traits_of([*sent, "SE*40*0001"], source="x12")
    again = traits_of([*sent, "SE*40*0002"], source="x12")
    other = traits_of([*sent[:30], *(f"REF*{n}" for n in range(200000, 200010))], source="x12")
    assert likeness(first, again) > 0.95
    assert likeness(first, other) == 0


def _request(service: str, written: str) -> Traits:
    texts = [*FORM, *PATIENT, service, written]
    return traits_of(texts, field("service_start_date", service), field("submission_date", written))


def test_what_is_sent_again_with_another_date_of_writing_is_known() -> None:
    first = _request("10/05/2026", "09/01/2026")
    assert likeness(first, _request("10/05/2026", "09/22/2026")) > SAME
    assert likeness(first, _request("11/17/2026", "09/22/2026")) == 0
    unsaid = traits_of([*FORM, *PATIENT, "09/22/2026"], field("submission_date", "09/22/2026"))
    assert likeness(first, unsaid) == 0

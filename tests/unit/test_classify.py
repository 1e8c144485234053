# SPDX-License-Identifier: Apache-2.0
"""Types and boundaries: on invented documents, on packets, and on badly misread print."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.classify import Segment, split
from idp.document import DocumentType, Page
from idp.phrases import Text, fold
from idp.schemas import load_schemas
from tests.unit.invented import Invented, all_invented
from tests.unit.pages import misread, page

INVENTED = {document.name: document for document in all_invented()}
SHARE_MISREAD = 0.14
"""Share of words that a standard fax breaks, as measured on real ones."""


def pages_of(*texts: str) -> list[Page]:
    return [page(text, number) for number, text in enumerate(texts, start=1)]


def found_in(*names: str) -> tuple[Segment, ...]:
    return split(
        pages_of(*(text for name in names for text in INVENTED[name].pages)), load_schemas()
    )


def kinds(segments: tuple[Segment, ...]) -> list[tuple[str, str | None, tuple[int, ...]]]:
    return [(segment.type, segment.subtype, segment.pages) for segment in segments]


@pytest.mark.parametrize("document", INVENTED.values(), ids=lambda document: document.name)
def test_an_invented_document_is_recognised_as_one_document(document: Invented) -> None:
    segments = split(pages_of(*document.pages), load_schemas())
    assert [segment.type for segment in segments] == [document.type]
    if document.subtype:
        assert segments[0].subtype == document.subtype


def test_misread_print_keeps_its_type_on_nearly_every_page() -> None:
    right = wrong_and_sure = total = 0
    for seed in range(3):
        dice = random.Random(seed)
        for document in INVENTED.values():
            texts = [misread(text, SHARE_MISREAD, dice) for text in document.pages]
            segments = split(pages_of(*texts), load_schemas())
            good = [segment.type for segment in segments] == [document.type]
            right += good
            wrong_and_sure += not good and segments[0].type_confidence >= 0.9
            total += 1
    assert right / total >= 0.96
    assert wrong_and_sure / total <= 0.01


def test_a_confidence_says_how_often_the_type_is_right() -> None:
    """With half of the evidence taken away at random, what is sure is still right."""
    sure: list[bool] = []
    unsure: list[bool] = []
    for seed in range(2):
        dice = random.Random(seed)
        schemas = {
            type_: schema.model_copy(
                update={
                    "evidence": tuple(e for e in schema.evidence if dice.random() < 0.5),
                    "subtypes": tuple(
                        kind.model_copy(
                            update={
                                "evidence": tuple(e for e in kind.evidence if dice.random() < 0.5)
                            }
                        )
                        for kind in schema.subtypes
                    ),
                }
            )
            for type_, schema in load_schemas().items()
        }
        for document in INVENTED.values():
            first = split(pages_of(*document.pages), schemas)[0]
            (sure if first.type_confidence >= 0.9 else unsure).append(first.type == document.type)
    assert len(sure) > len(unsure)
    assert sum(sure) / len(sure) >= 0.95
    assert sum(unsure) / len(unsure) < sum(sure) / len(sure)


def test_a_cover_in_front_of_a_referral_is_a_document_of_its_own() -> None:
    assert kinds(found_in("other.fax_cover-plain", "referral-form")) == [
        ("other", "fax_cover", (1,)),
        ("referral", None, (2,)),
    ]


def test_notes_and_results_behind_a_request_are_documents_of_their_own() -> None:
    segments = found_in(
        "prior_auth_request-payer-form", "other.clinical_note-visit", "other.lab_result-radiology"
    )
    assert kinds(segments) == [
        ("prior_auth_request", None, (1,)),
        ("other", "clinical_note", (2,)),
        ("other", "lab_result", (3,)),
    ]


def test_a_page_without_a_title_stays_with_the_document_before_it() -> None:
    first = INVENTED["referral-form"].pages[0]
    segments = split(pages_of(first, "Notes continued\npain is worse at night"), load_schemas())
    assert kinds(segments) == [("referral", None, (1, 2))]


def test_appeal_rights_behind_a_denial_are_part_of_the_letter() -> None:
    assert kinds(found_in("prior_auth_determination-denial-letter")) == [
        ("prior_auth_determination", None, (1, 2))
    ]


def test_a_blank_back_side_is_set_aside_inside_its_document() -> None:
    first, second = INVENTED["prior_auth_request-drug"].pages
    segments = split(pages_of(first, "", second), load_schemas())
    assert kinds(segments) == [("prior_auth_request", None, (1, 3))]
    assert segments[0].set_aside == (2,)


def test_two_documents_of_different_types_in_one_fax_are_two() -> None:
    segments = found_in("prior_auth_determination-approval-letter", "remittance_eob-classic")
    assert [segment.type for segment in segments] == [
        DocumentType.PRIOR_AUTH_DETERMINATION,
        DocumentType.REMITTANCE_EOB,
    ]


def test_two_forms_of_two_patients_are_two_when_page_numbers_start_over() -> None:
    text = INVENTED["prior_auth_request-payer-form"].pages[0]
    one = text + "\nDOB: 07/22/1968\nPage 1 of 1"
    two = text + "\nDOB: 01/02/1999\nPage 1 of 1"
    assert [s.pages for s in split(pages_of(one, two), load_schemas())] == [(1,), (2,)]


def test_a_packet_of_nothing_but_white_is_blank() -> None:
    assert kinds(split(pages_of("", ""), load_schemas())) == [("other", "blank", (1, 2))]


def test_print_that_says_nothing_is_other_and_unsure() -> None:
    (segment,) = split(
        pages_of("lorem ipsum dolor sit amet\nconsetetur sadipscing"), load_schemas()
    )
    assert segment.type == DocumentType.OTHER
    assert segment.type_confidence < 0.8


@pytest.mark.parametrize(
    "text",
    ["your" + "a" * 20_000, "1 " * 10_000, "1." * 10_000, "\n".join(["your request " * 20] * 300)],
    ids=["glued", "spaced", "dotted", "repeated"],
)
def test_hostile_print_takes_no_more_than_seconds(text: str) -> None:
    began = time.process_time()
    split(pages_of(text), load_schemas())
    assert time.process_time() - began < 5


def test_no_pages_give_no_documents() -> None:
    assert split([], load_schemas()) == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(sorted(INVENTED)), min_size=1, max_size=4), st.integers(0, 99))
def test_every_page_belongs_to_exactly_one_document_or_is_set_aside_in_order(
    names: list[str], seed: int
) -> None:
    dice = random.Random(seed)
    texts = [misread(text, 0.3, dice) for name in names for text in INVENTED[name].pages]
    segments = split(pages_of(*texts), load_schemas())
    assert all(list(segment.pages) == sorted(segment.pages) for segment in segments)
    assert [segment.pages[0] for segment in segments] == sorted(s.pages[0] for s in segments)
    everything = [n for segment in segments for n in (*segment.pages, *segment.set_aside)]
    assert sorted(everything) == list(range(1, len(texts) + 1))
    assert all(0.5 <= segment.cut_confidence <= 1 for segment in segments)
    assert all(0 <= segment.type_confidence <= 1 for segment in segments)
    assert split(pages_of(*texts), load_schemas()) == segments


@pytest.mark.parametrize(
    ("printed", "phrase", "found"),
    [
        ("PRlOR AUTH0RIZATION REQUEST", "prior authorization request", True),
        ("Priorauthorizationrequest form", "prior authorization request", True),
        ("Prior Authorizat1on Rcquest", "prior authorization request", True),
        ("Explanation of Bencfits", "explanation of benefits", True),
        ("a prior conviction", "prior authorization", False),
        ("fairness", "fax", False),
        ("send a FAX now", "fax", True),
    ],
)
def test_phrases_are_found_through_misreading(printed: str, phrase: str, found: bool) -> None:
    assert (phrase in Text([printed])) is found


def test_a_phrase_inside_a_longer_word_counts_less() -> None:
    assert Text(["Predetermination"]).similarity("determination") < 1
    assert Text(["our determination"]).similarity("determination") == 1


def test_signs_that_readers_confuse_fold_to_one() -> None:
    assert fold("Bill 10") == fold("8iIl lO") == fold("B1LL  |0")
    assert fold("modern") == fold("modem")

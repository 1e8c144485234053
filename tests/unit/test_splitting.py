# SPDX-License-Identifier: Apache-2.0
"""Stacks: separator sheets, labels, blank pages, doubtful cuts, and the same form again."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.classify import split
from idp.classify.boundaries import Seen, evidence, probability, weights
from idp.document import (
    Barcode,
    Block,
    Box,
    Decision,
    Document,
    DocumentType,
    Mark,
    Page,
    Signature,
)
from idp.errors import SchemaError
from idp.schemas import load_schemas, load_separators
from idp.settings import DecisionSettings
from idp.validate import validate
from tests.unit.pages import page
from tests.unit.test_classify import INVENTED, pages_of
from training.stacks.make import Invented, make_stacks
from training.stacks.measure import count

SCHEMAS = load_schemas()
FORM = INVENTED["referral-form"].pages[0]
LETTER = INVENTED["prior_auth_determination-approval-letter"].pages[0]
CODE_PLACE = Box(0.3, 0.4, 0.7, 0.5)


def with_code(of: Page, text: str, symbology: str = "Code39") -> Page:
    code = Barcode(text=text, symbology=symbology, box=CODE_PLACE)
    return of.model_copy(update={"barcodes": (code,)})


@pytest.mark.parametrize(
    ("payload", "symbology"),
    [
        ("PATCHT", "Code39"),
        ("PATCH T", "Code128"),
        ("patch-t", "QRCode"),
        ("IDP-SEPARATOR", "QRCode"),
        ("DOCSEP", "Code128"),
        ("SEPARATOR", "DataMatrix"),
    ],
)
def test_a_separator_sheet_parts_documents_and_is_set_aside(payload: str, symbology: str) -> None:
    sheet = with_code(page("Separator sheet. Lay between documents.", 2), payload, symbology)
    segments = split([page(FORM, 1), sheet, page("more of the same", 3)], SCHEMAS)
    assert [segment.pages for segment in segments] == [(1,), (3,)]
    assert [segment.set_aside for segment in segments] == [(2,), ()]
    assert all(segment.cut_confidence == 1.0 for segment in segments)


def test_a_sheet_whose_bars_were_not_read_is_known_by_its_words() -> None:
    sheet = page("SEPARATOR SHEET\nDocument separator: begin new document", 2)
    segments = split([page(FORM, 1), sheet, page(FORM, 3)], SCHEMAS)
    assert [segment.pages for segment in segments] == [(1,), (3,)]
    assert segments[0].set_aside == (2,)


@pytest.mark.parametrize("payload", ["PATCHT", "ASN00042"])
def test_a_label_on_a_first_page_begins_a_document_and_the_page_is_kept(payload: str) -> None:
    labelled = with_code(page(LETTER, 2), payload)
    segments = split([page(FORM, 1), labelled], SCHEMAS)
    assert [segment.pages for segment in segments] == [(1,), (2,)]
    assert [segment.set_aside for segment in segments] == [(), ()]


def test_an_archive_label_on_a_nearly_empty_page_is_no_sheet() -> None:
    segments = split([page(FORM, 1), with_code(page("hello", 2), "ASN7")], SCHEMAS)
    assert [segment.pages for segment in segments] == [(1,), (2,)]


def test_any_other_barcode_parts_nothing() -> None:
    second = with_code(page("notes continued, pain is worse at night", 2), "MRN-1234567")
    assert len(split([page(FORM, 1), second], SCHEMAS)) == 1


def test_an_appliance_may_have_its_own_separators(tmp_path: Path) -> None:
    own = tmp_path / "_separators.yaml"
    own.write_text("separators:\n  - {name: Batch, payload: 'BATCH-\\d+'}\n")
    found = load_separators(tmp_path)
    assert [separator.name for separator in found][:2] == ["Batch", "PATCH-T"]
    pages = [page(FORM, 1), with_code(page("", 2), "BATCH-17"), page("more", 3)]
    assert [segment.pages for segment in split(pages, SCHEMAS, found)] == [(1,), (3,)]
    assert len(split(pages, SCHEMAS)) == 1


@pytest.mark.parametrize("line", ["{name: X, payload: '('}", "{name: X}", "{payload: A, wrong: 1}"])
def test_a_separator_that_is_none_is_refused_at_start(tmp_path: Path, line: str) -> None:
    (tmp_path / "_separators.yaml").write_text(f"separators:\n  - {line}\n")
    with pytest.raises(SchemaError):
        load_separators(tmp_path)


def test_nothing_but_sheets_is_one_document_for_a_person() -> None:
    sheets = [with_code(page("", 1), "PATCHT"), page("", 2)]
    (segment,) = split(sheets, SCHEMAS)
    assert segment.type == DocumentType.OTHER
    assert segment.pages == (1, 2)


SPECKS = ".  '   -\n\n      l      .\n  ~"


@pytest.mark.parametrize("text", ["", SPECKS, "This page intentionally left blank"])
def test_a_blank_page_is_set_aside_wherever_it_lies(text: str) -> None:
    for place in range(3):
        pages = [page(FORM, n) for n in (1, 2)]
        pages.insert(place, page(text, 9))
        numbered = [each.model_copy(update={"number": n}) for n, each in enumerate(pages, 1)]
        segments = split(numbered, SCHEMAS)
        assert [n for segment in segments for n in segment.set_aside] == [place + 1]


BLANK = page("", 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"signatures": (Signature(state="present", how="pen", box=CODE_PLACE),)},
        {"blocks": (Block(kind="ink", box=CODE_PLACE),)},
        {"marks": (Mark(state="checked", box=CODE_PLACE),)},
        {"ink": 0.02},
        {"barcodes": (Barcode(text="1234567", symbology="Code128", box=CODE_PLACE),)},
        {"words": tuple(w.model_copy(update={"handwritten": True}) for w in page("x").words)},
        {"words": page("RECEIVED").words},
        {"words": page("Page 2 of 3").words},
    ],
    ids=["signature", "strokes", "tick", "picture", "barcode", "handwriting", "stamp", "number"],
)
def test_a_page_with_anything_on_it_is_not_blank(changes: dict[str, object]) -> None:
    segments = split([page(FORM, 1), BLANK.model_copy(update=changes)], SCHEMAS)
    assert sum((segment.pages for segment in segments), ()) == (1, 2)
    assert all(segment.set_aside == () for segment in segments)


def test_white_pages_with_little_ink_are_blank() -> None:
    segments = split([page(FORM, 1), BLANK.model_copy(update={"ink": 0.0004})], SCHEMAS)
    assert segments[0].set_aside == (2,)


def test_the_same_form_for_three_patients_is_three_documents() -> None:
    people = (
        ("Ada Testcase", "07/22/1968"),
        ("Grace Hopper", "01/02/1999"),
        ("Alan T. Uring", "06/23/1950"),
    )
    pages = []
    for name, born in people:
        pages.append(f"{FORM}\nPatient Name: {name}   DOB: {born}")
    assert [s.pages for s in split(pages_of(*pages), SCHEMAS)] == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    "wording",
    ["Page {n} of {m}", "Pg. {n}/{m}", "- {n} -", "{n}/{m}", "Page: {n} of {m}", "p. {n} of {m}"],
)
def test_pages_that_are_numbered_on_belong_together(wording: str) -> None:
    notes = "the pain is worse at night and does not answer to therapy\n" * 5
    texts = [LETTER, notes, notes]
    gap = "\n" * 40
    pages = pages_of(*(f"{text}{gap}{wording.format(n=n, m=3)}" for n, text in enumerate(texts, 1)))
    placed = []
    for one in pages:
        lowest = max(word.line for word in one.words)
        words = tuple(
            w.model_copy(update={"box": w.box._replace(y0=0.96, y1=0.972)})
            if w.line == lowest
            else w
            for w in one.words
        )
        placed.append(one.model_copy(update={"words": words}))
    assert [segment.pages for segment in split(placed, SCHEMAS)] == [(1, 2, 3)]


def test_all_evidence_has_a_weight_and_gives_a_probability() -> None:
    seen = [Seen(each, SCHEMAS) for each in pages_of(FORM, LETTER, FORM)]
    found = evidence(seen[:2], seen[2])
    assert set(found) - set(weights()) == set()
    assert all(0 <= value <= 1 for value in found.values())
    assert 0 <= probability(found) <= 1


def _document(**changes: object) -> Document:
    return Document(
        document_id="doc-1",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.OTHER,
        type_confidence=0.99,
        subtype="lab_result",
        pages=(1,),
    ).model_copy(update=changes)


def _validated(document: Document) -> Document:
    schema = SCHEMAS[DocumentType.OTHER]
    return validate(document, schema, DecisionSettings(), [page("Lab report")], dt.date(2026, 6, 1))


def test_a_doubtful_cut_sends_a_document_to_review_and_names_the_page() -> None:
    doubtful = _validated(_document(cut_confidence=0.7, cut_page=3))
    assert doubtful.decision is Decision.REVIEW
    assert "It is uncertain whether another document begins on page 3" in doubtful.reasons
    sure = _validated(_document(cut_confidence=0.95, cut_page=3))
    assert not [finding for finding in sure.findings if finding.rule == "P6"]


def test_pages_set_aside_are_named_and_keep_nothing_from_leaving() -> None:
    checked = _validated(_document(set_aside=(2, 4)))
    named = [finding for finding in checked.findings if finding.rule == "P8"]
    assert [(finding.page, finding.severity) for finding in named] == [(2, "info"), (4, "info")]
    assert _validated(_document()).decision == checked.decision


def test_generated_stacks_are_cut_and_no_two_patients_leave_together() -> None:
    tally = count(
        make_stacks(Invented("heldout"), 12, seed=7), SCHEMAS, lambda segment, pages: True
    )
    assert tally.counts.f1 >= 0.9
    assert tally.mixed_released == 0
    assert tally.lost_pages == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["PATCHT", "ASN1", "other", ""]))
def test_order_is_kept_and_every_page_is_somewhere_once(seed: int, payload: str) -> None:
    dice = random.Random(seed)
    names = dice.choices(sorted(INVENTED), k=dice.randint(1, 3))
    texts = [text for name in names for text in INVENTED[name].pages]
    texts[dice.randrange(len(texts)) : 0] = ["", SPECKS]
    pages = pages_of(*texts)
    if payload:
        at = dice.randrange(len(pages))
        pages[at] = with_code(pages[at], payload)
    segments = split(pages, SCHEMAS)
    inside = [n for segment in segments for n in segment.pages]
    aside = [n for segment in segments for n in segment.set_aside]
    assert inside == sorted(inside)
    assert sorted(inside + aside) == list(range(1, len(pages) + 1))
    assert all(segment.pages for segment in segments)
    assert split(pages, SCHEMAS) == segments

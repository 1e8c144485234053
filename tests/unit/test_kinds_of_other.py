# SPDX-License-Identifier: Apache-2.0
"""What is none of the wanted types: short texts, texts of mails, and long papers."""

from __future__ import annotations

import datetime as dt

import pytest

from idp.classify import split
from idp.document import Decision, Document, DocumentType, Page
from idp.schemas import load_schemas
from idp.settings import DecisionSettings
from idp.validate import validate
from tests.unit.pages import page

SCHEMAS = load_schemas()
CARD = """
MEMBER ID CARD
RxBIN 610014   RxPCN MEDDPRIME   RxGRP 1234
Copay: PCP $20  Specialist $40  ER $250
Customer service 800-555-0100
"""
COVER = """
FAX COVER SHEET
To: Admissions        From: Dr. Larkin's office
Fax: 555-0101         Phone: 555-0102
Pages: 3              Re: records
"""


def only(pages: list[Page], *, message_text: bool = False) -> tuple[str, str | None]:
    (segment,) = split(pages, SCHEMAS, message_text=message_text)
    return segment.type, segment.subtype


def test_three_words_that_were_read_surely_are_no_blank_page() -> None:
    assert only([page("Please call back.")])[1] != "blank"


def test_one_word_of_a_files_own_text_is_no_blank_page() -> None:
    written = page("ok").model_copy(update={"words_source": "text_layer"})
    assert only([written])[1] != "blank"


def test_a_card_of_a_page_is_a_card_and_a_paper_of_many_pages_about_cards_is_not() -> None:
    assert only([page(CARD)]) == (DocumentType.OTHER, "insurance_card")
    handbook = [page(f"{CARD}\nPage {number} of 9", number) for number in range(1, 10)]
    (segment,) = split(handbook, SCHEMAS)
    assert segment.subtype is None
    assert segment.type_confidence < 0.8


def test_the_text_of_a_mail_that_is_no_wanted_type_is_a_message() -> None:
    assert only([page(COVER)]) == (DocumentType.OTHER, "fax_cover")
    assert only([page(COVER)], message_text=True) == (DocumentType.OTHER, "message")
    assert only([page("Please call back.")], message_text=True)[1] == "message"


@pytest.mark.parametrize("subtype", ["blank", "message", "records_request"])
def test_some_kinds_never_leave_without_a_person(subtype: str) -> None:
    document = Document(
        document_id="d",
        source="a.tif",
        sha256="",
        channel="fax",
        type=DocumentType.OTHER,
        type_confidence=1.0,
        subtype=subtype,
        pages=(1,),
    )
    schema = SCHEMAS[DocumentType.OTHER]
    checked = validate(document, schema, DecisionSettings(), [page("x")], dt.date(2026, 11, 22))
    assert checked.decision is Decision.REVIEW
    (reason,) = checked.reasons
    assert reason.startswith("Always seen by a person: ")

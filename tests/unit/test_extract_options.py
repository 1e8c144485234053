# SPDX-License-Identifier: Apache-2.0
"""Choices: questions of two, rows of options, coded lines, and whose a generic label is."""

from __future__ import annotations

import pytest

from idp.document import Box, DocumentType, Mark, Page
from idp.extract.options import options_from_marks
from idp.extract.structure import StructureSource
from idp.schemas import load_lexicon, load_schemas
from tests.unit.pages import COLUMNS, ROWS, page

SCHEMAS = load_schemas()
STRUCTURE = StructureSource(tuple(SCHEMAS.values()), load_lexicon())
REQUEST = SCHEMAS[DocumentType.PRIOR_AUTH_REQUEST]
REFERRAL = SCHEMAS[DocumentType.REFERRAL]


def mark(state: str, label: str, row: int, column: int) -> Mark:
    x, y = (column + 4) / COLUMNS, (row + 2) / ROWS
    return Mark.model_validate(
        {"state": state, "label": label, "box": Box(x, y, x + 1 / COLUMNS, y + 0.8 / ROWS)}
    )


def chosen(sheet: Page) -> dict[str, str]:
    _, readings = STRUCTURE.read([sheet], REQUEST)
    return {c.field: c.value for reading in readings for c in options_from_marks(reading, REQUEST)}


@pytest.mark.parametrize(
    ("yes", "no", "value"),
    [("checked", "unchecked", "expedited"), ("unchecked", "checked", "standard")],
)
def test_urgency_asked_as_a_question_is_answered_by_its_tick(yes: str, no: str, value: str) -> None:
    sheet = page("Is this request urgent?     Yes     No").model_copy(
        update={"marks": (mark(yes, "Yes", 0, 26), mark(no, "No", 0, 34))}
    )
    assert chosen(sheet) == {"review_type": value}


def test_a_tick_at_another_question_says_nothing_about_urgency() -> None:
    sheet = page("Is the member pregnant?     Yes     No").model_copy(
        update={"marks": (mark("checked", "Yes", 0, 26),)}
    )
    assert chosen(sheet) == {}


def test_a_common_word_is_a_choice_only_beside_other_options_of_it() -> None:
    row = page("Case:      New      Extension      Change")
    marks = (mark("checked", "New", 0, 9), mark("unchecked", "Extension", 0, 18))
    assert chosen(row.model_copy(update={"marks": marks})) == {"request_type": "initial"}
    assert chosen(row.model_copy(update={"marks": marks[:1]})) == {}


def found(text: str, schema_of: str = "prior_auth_request") -> dict[str, list[str]]:
    schema = SCHEMAS[DocumentType(schema_of)]
    _, readings = STRUCTURE.read([page(text)], schema)
    values: dict[str, list[str]] = {}
    for candidate in STRUCTURE.from_readings(readings, schema):
        values.setdefault(candidate.field, []).append(candidate.value)
    return values


def test_a_generic_label_belongs_to_the_provider_of_its_section() -> None:
    values = found(
        """
Referral From:                          Referral To:
Provider: Augustine Benally, DO         Provider: Celeste Lindh, MD
NPI: 1234567893                         NPI: 1245319599
""",
        "referral",
    )
    assert values["referring_provider_npi"] == ["1234567893"]
    assert values["referred_to_name"] == ["Celeste Lindh, MD"]
    assert values["referring_provider_name"] == ["Augustine Benally, DO"]


def test_codes_behind_a_label_for_words_are_codes_and_describe_themselves() -> None:
    values = found("Diagnosis 1:  M54.50  Low back pain, unspecified")
    assert values["diagnosis_codes"] == ["M54.50"]
    assert values["diagnosis_descriptions"] == ["Low back pain, unspecified"]


def test_a_subscriber_id_is_the_member_id() -> None:
    assert found("Subscriber ID (with prefix): CSD900338114")["member_id"] == ["CSD900338114"]

# SPDX-License-Identifier: Apache-2.0
import json
from decimal import Decimal

import pytest

from idp.contract import from_contract, json_schema, percent, to_contract
from idp.document import Box, Claim, Document, Field
from tests.fabricate import document, field, remittance


def test_a_document_survives_the_way_out_and_back() -> None:
    found = remittance()
    assert from_contract(json.loads(json.dumps(to_contract(found)))) == found


def test_every_key_of_the_contract_is_there_even_without_a_value() -> None:
    bare = Document(
        document_id="d",
        source="s",
        sha256="0",
        channel="fax",
        type="other",
        type_confidence=0,
        pages=(),
    )
    record = to_contract(bare)
    assert next(iter(record)) == "schema"
    assert set(record) == set(json_schema()["properties"])
    assert record["part"] is None
    assert record["fields"] == []


def test_money_is_text_and_boxes_are_four_numbers() -> None:
    record = to_contract(
        document(
            fields=(field("patient_name", "A B", 0.123456789, box=Box(0.1234567, 0, 1, 1)),),
            claims=(Claim(billed=Decimal("1200.50"), paid=Decimal("0.00")),),
        )
    )
    assert record["claims"][0]["billed"] == "1200.50"
    assert record["claims"][0]["paid"] == "0.00"
    assert record["fields"][0]["box"] == [0.12346, 0, 1, 1]
    assert record["fields"][0]["confidence"] == 0.1235


def test_a_list_field_repeats_its_name() -> None:
    record = to_contract(
        document(fields=(field("diagnosis_codes", "A00.0"), field("diagnosis_codes", "B00.1")))
    )
    assert [f["name"] for f in record["fields"]] == ["diagnosis_codes", "diagnosis_codes"]


def test_a_derived_value_names_its_sources_and_has_no_box() -> None:
    total = Field(
        name="total_paid",
        value="1.00",
        raw="",
        confidence=0.9,
        source="sum",
        derived_from=("claims",),
    )
    record = to_contract(document(fields=(total,)))["fields"][0]
    assert record["box"] is None
    assert record["derived_from"] == ["claims"]


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="not idp"):
        from_contract(to_contract(document()) | {"schema": "idp.document/2"})


def test_the_json_schema_lets_later_versions_add_keys() -> None:
    text = json.dumps(json_schema())
    assert '"additionalProperties": false' not in text
    assert json_schema()["properties"]["schema"]["const"] == "idp.document/1"


def test_a_confidence_is_never_shown_better_than_it_is() -> None:
    assert [percent(c) for c in (0.0, 0.795, 0.29, 0.999, 1.0)] == [0, 79, 29, 99, 100]

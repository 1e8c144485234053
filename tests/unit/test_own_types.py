# SPDX-License-Identifier: Apache-2.0
"""A document type of one's own: one YAML file, no code and no training."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from idp.classify import split
from idp.document import Document, DocumentType
from idp.errors import SchemaError
from idp.extract import Extractor
from idp.schemas import load_lexicon, load_schemas
from tests.unit.pages import page

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "schemas"
INTAKE = DocumentType("patient_intake")
FILLED = """
NEW PATIENT INTAKE FORM

Date: 03/14/2026
Name: Odalys Brennerman            DOB: 07/02/1961
Address: 14 Quarry Lane   City: Dunmore   State: PA   Zip: 18512
Phone #: 570-555-0120    Gender: Female
Marital Status: Widowed      Occupation: Bookbinder
Referred By: a neighbour
Emergency Contact: Ruben Brennerman      Emergency Contact Phone: 570-555-0177

Describe your medical concerns (symptoms, diagnoses, etc):
Shortness of breath on stairs
"""


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor(ROOT / "models", load_schemas(EXAMPLES), load_lexicon())


def test_a_type_of_its_own_file_is_recognised_beside_the_shipped_ones() -> None:
    schemas = load_schemas(EXAMPLES)
    assert set(load_schemas()) < set(schemas)
    assert [s.type for s in split([page(FILLED)], schemas)] == [INTAKE]


def test_its_values_are_read_at_the_labels_of_its_file(extractor: Extractor) -> None:
    fields = {f.name: f.value for f in extractor.extract([page(FILLED)], INTAKE).fields}
    assert fields == {
        "form_date": "2026-03-14",
        "patient_name": "Odalys Brennerman",
        "patient_dob": "1961-07-02",
        "patient_sex": "female",
        "patient_address": "14 Quarry Lane, Dunmore, PA 18512",
        "patient_phone": "570-555-0120",
        "marital_status": "Widowed",
        "occupation": "Bookbinder",
        "referred_by": "a neighbour",
        "emergency_contact_name": "Ruben Brennerman",
        "emergency_contact_phone": "570-555-0177",
        "medical_concerns": "Shortness of breath on stairs",
    }


def test_without_a_subject_an_address_that_names_nobody_is_nobodys(extractor: Extractor) -> None:
    nobody = load_schemas(EXAMPLES)[INTAKE].model_copy(update={"subject": None})
    other = Extractor(ROOT / "models", load_schemas() | {INTAKE: nobody}, load_lexicon())
    found = other.extract([page(FILLED)], INTAKE).fields
    assert "patient_address" not in {f.name for f in found if f.source == "structure"}


def test_a_file_for_a_shipped_type_takes_its_place(tmp_path: Path) -> None:
    text = "type: referral\ntitle: Our referral\nversion: 7\nfields: []\n"
    (tmp_path / "referral.yaml").write_text(text, encoding="utf-8")
    assert load_schemas(tmp_path)[DocumentType.REFERRAL].title == "Our referral"


def test_a_subject_that_no_field_is_about_is_refused(tmp_path: Path) -> None:
    text = "type: visit\ntitle: Visit\nversion: 1\nsubject: patient\nfields: []\n"
    (tmp_path / "visit.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match="subject"):
        load_schemas(tmp_path)


def test_a_folder_that_does_not_exist_holds_no_types(tmp_path: Path) -> None:
    assert load_schemas(tmp_path / "none") == load_schemas()


@pytest.mark.parametrize("name", ["", "Patient Intake", "../etc", "x" * 65])
def test_a_type_is_a_plain_name(name: str) -> None:
    with pytest.raises(ValidationError, match="type"):
        Document.model_validate({"document_id": "d", "type": name})

# SPDX-License-Identifier: Apache-2.0
"""The schemas hold the contract: every core field, by its exact name."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.document import DocumentType
from idp.errors import SchemaError
from idp.schemas import SHIPPED, DocumentSchema, FieldSchema, load_schemas
from idp.values import Kind

CORE = {
    DocumentType.REFERRAL: """referral_date urgency patient_name patient_dob patient_sex
        patient_phone patient_address payer_name member_id group_number subscriber_name
        referring_provider_name referring_provider_npi referring_practice
        referring_provider_phone referring_provider_fax referred_to_name referred_to_specialty
        referred_to_npi referred_to_phone referred_to_fax diagnosis_codes diagnosis_descriptions
        procedure_codes service_descriptions reason authorization_number referral_id
        signature_present""",
    DocumentType.PRIOR_AUTH_REQUEST: """payer_name payer_phone payer_fax submission_date
        review_type urgency_reason request_type previous_auth_number patient_name patient_dob
        patient_sex patient_phone patient_address member_id group_number subscriber_name
        requesting_provider_name requesting_provider_npi requesting_provider_tax_id
        requesting_provider_specialty requesting_provider_phone requesting_provider_fax
        requesting_provider_address contact_name contact_phone servicing_provider_name
        servicing_provider_npi servicing_provider_tax_id servicing_provider_specialty
        servicing_provider_phone servicing_provider_fax servicing_provider_address
        place_of_service diagnosis_codes diagnosis_descriptions procedure_codes
        service_descriptions service_start_date service_end_date quantity medication_name
        medication_strength dosage_form directions duration_of_therapy medications_tried
        clinical_notes signature_present form_date""",
    DocumentType.PRIOR_AUTH_DETERMINATION: """payer_name plan_name auth_number determination
        determination_date patient_name patient_dob member_id group_number
        requesting_provider_name requesting_provider_npi servicing_provider_name
        servicing_provider_npi procedure_codes service_descriptions diagnosis_codes
        approved_units effective_from effective_to denial_reason appeal_deadline
        information_requested""",
    DocumentType.REMITTANCE_EOB: """payer_name payee_name payee_npi payee_tax_id payment_amount
        payment_method payment_date eft_number eob_number issue_date total_billed total_allowed
        total_adjustment total_deductible total_copay total_coinsurance total_paid
        patient_responsibility""",
    DocumentType.OTHER: "patient_name patient_dob payer_name member_id",
}
LISTS = {
    "diagnosis_codes",
    "diagnosis_descriptions",
    "procedure_codes",
    "service_descriptions",
    "medications_tried",
    "information_requested",
}
TYPES = sorted(SHIPPED)


@pytest.mark.parametrize("type_", TYPES)
def test_every_core_field_of_the_contract_is_there(type_: DocumentType) -> None:
    names = {field.name for field in load_schemas()[type_].fields}
    assert set(CORE[type_].split()) <= names


@pytest.mark.parametrize("type_", TYPES)
def test_list_fields_of_the_contract_are_lists(type_: DocumentType) -> None:
    for field in load_schemas()[type_].fields:
        if field.name in LISTS:
            assert field.list, field.name


@pytest.mark.parametrize("type_", TYPES)
def test_options_never_share_a_wording_within_one_field(type_: DocumentType) -> None:
    for field in load_schemas()[type_].fields:
        wordings = [w.lower() for printed in field.options.values() for w in printed]
        assert len(wordings) == len(set(wordings)), field.name


@pytest.mark.parametrize("type_", TYPES)
def test_only_choices_carry_options_and_every_choice_has_some(type_: DocumentType) -> None:
    for field in load_schemas()[type_].fields:
        if field.kind is Kind.OPTION:
            assert field.options, field.name
        elif field.kind is not Kind.SEX:
            assert not field.options, field.name


def test_a_field_name_means_the_same_kind_in_every_type() -> None:
    kinds: dict[str, set[Kind]] = {}
    for schema in load_schemas().values():
        for field in schema.fields:
            kinds.setdefault(field.name, set()).add(field.kind)
    assert {name for name, found in kinds.items() if len(found) > 1} == set()


def test_a_required_field_says_where_the_requirement_comes_from() -> None:
    lacking = [
        f"{schema.type}.{field.name}"
        for schema in load_schemas().values()
        for field in schema.fields
        if field.required != "optional" and not field.source and field.one_of is None
    ]
    assert lacking == []


def test_a_condition_tests_exactly_one_thing() -> None:
    with pytest.raises(ValueError, match="tests one of"):
        FieldSchema.model_validate(
            {
                "name": "a",
                "title": "A",
                "kind": "text",
                "required": "conditional",
                "when": [{"field": "a", "asked": True, "present": True, "because": "x"}],
            }
        )


def test_a_condition_on_a_field_that_does_not_exist_is_refused() -> None:
    field = {
        "name": "a",
        "title": "A",
        "kind": "text",
        "required": "conditional",
        "when": [{"field": "b", "present": True, "because": "x"}],
    }
    with pytest.raises(ValueError, match="unknown field"):
        DocumentSchema.model_validate(
            {"type": "other", "title": "O", "version": 1, "fields": [field]}
        )


def test_a_folder_without_schemas_is_a_broken_installation(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no schema for"):
        load_schemas(shipped=tmp_path)

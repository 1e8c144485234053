# SPDX-License-Identifier: Apache-2.0
"""Completeness: what each type requires, and how what lacks is called."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from idp.document import Blank, DocumentType
from idp.schemas import Condition, FieldSchema
from tests.unit.test_validate import BOX, REQUEST, document, judged


def blank(name: str, label: str) -> Blank:
    return Blank(field=name, label=label, page=1, box=BOX)


def test_what_is_left_blank_is_said_in_the_words_of_the_form() -> None:
    draft = document({k: v for k, v in REQUEST.items() if k != "member_id"})
    draft = draft.model_copy(update={"blanks": (blank("member_id", "Mbr or Medicaid ID #:"),)})
    checked = judged(draft)
    (found,) = [f for f in checked.findings if f.rule == "C1"]
    assert checked.missing == ("member_id",)
    assert found.message == "Member ID (\u201cMbr or Medicaid ID #\u201d on the form) is left blank"
    assert (found.page, found.box) == (1, BOX)
    assert "sender" in found.remedy


def test_an_empty_place_that_nobody_else_could_name_makes_its_field_required() -> None:
    draft = document(REQUEST).model_copy(update={"blanks": (blank("patient_phone", "Phone:"),)})
    assert judged(draft).missing == ("patient_phone",)
    filled = document(REQUEST | {"patient_phone": "512-555-0101"})
    filled = filled.model_copy(update={"blanks": (blank("patient_phone", "Phone:"),)})
    assert judged(filled).missing == ()


def test_a_reason_for_urgency_is_asked_of_an_expedited_request_only() -> None:
    asked = {"blanks": (blank("urgency_reason", "Clinical reason for urgency:"),)}
    standard = document(REQUEST).model_copy(update=asked)
    expedited = document(REQUEST | {"review_type": "expedited"}).model_copy(update=asked)
    assert judged(standard).missing == ()
    assert judged(expedited).missing == ("urgency_reason",)


REFERRAL = {
    "patient_name": "Ada Example",
    "patient_dob": "1968-07-22",
    "patient_phone": "512-555-0101",
    "payer_name": "Example Health Plan",
    "member_id": "XZ527418096",
    "referring_provider_name": "Bo Sample, MD",
    "referring_provider_npi": "1234567893",
    "referring_provider_phone": "512-555-0166",
    "referred_to_specialty": "Cardiology",
    "diagnosis_codes": "I10",
    "reason": "Evaluation of hypertension",
}


def missing_of(values: dict[str, str], type_: DocumentType, **more: object) -> tuple[str, ...]:
    draft = document(values, type_).model_copy(update=more)
    return judged(draft).missing


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, ()),
        ({"member_id": ""}, ("member_id",)),
        ({"member_id": "", "payer_name": "Self-pay"}, ()),
        ({"member_id": "", "payer_name": "None"}, ()),
        ({"member_id": "", "payer_name": "Noneck Benefits"}, ("member_id",)),
        ({"reason": ""}, ("reason",)),
        ({"reason": "", "diagnosis_descriptions": "Hypertension"}, ()),
        ({"diagnosis_codes": "", "diagnosis_descriptions": "Undiagnosed chest pain"}, ()),
        ({"diagnosis_codes": ""}, ("diagnosis_codes",)),
        ({"patient_phone": "", "patient_address": "1 A St, Austin, TX 78701"}, ()),
        ({"procedure_codes": "E0601"}, ("signature_present",)),
        ({"procedure_codes": "E0601", "signature_present": "yes"}, ()),
        ({"procedure_codes": "73721"}, ()),
    ],
)
def test_a_referral_is_complete_by_what_it_states(
    change: dict[str, str], missing: tuple[str, ...]
) -> None:
    values = {name: value for name, value in (REFERRAL | change).items() if value}
    assert missing_of(values, DocumentType.REFERRAL) == missing


def test_a_payment_of_nothing_needs_no_check_number() -> None:
    values = {
        "payer_name": "Example Plan",
        "payee_name": "Example Clinic",
        "payment_date": "2026-03-01",
        "payment_amount": "0.00",
    }
    assert missing_of(values, DocumentType.REMITTANCE_EOB) == ()
    paid = values | {"payment_amount": "10.00"}
    assert missing_of(paid, DocumentType.REMITTANCE_EOB) == ("eft_number",)


def test_a_hint_how_to_write_a_date_is_no_answer() -> None:
    form = "Patient's birth date:\nMM DD YYYY\n\nsomething else"
    draft = document({"member_id": "X1"}, DocumentType.OTHER, subtype="claim_form")
    assert "patient_dob" in judged(draft, form).missing


@pytest.mark.parametrize(
    "condition",
    [
        {"because": "nothing is tested"},
        {"field": "a", "present": True, "matches": "x"},
        {"field": "a", "ticked": ["yes"]},
        {"present": True},
        {"field": "a", "matches": "("},
        {"field": "a", "presnet": True},
        {"all": [{"field": "a"}]},
    ],
)
def test_a_condition_that_tests_nothing_or_two_things_is_refused(condition: object) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(condition)


@pytest.mark.parametrize(
    "field",
    [
        {"required": "conditional", "when": [{"field": "x", "present": True}]},
        {"required": "optional", "unless": [{"field": "x", "present": True}]},
    ],
)
def test_a_condition_says_why_and_stands_where_something_is_required(
    field: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        FieldSchema.model_validate({"name": "x", "title": "X", "kind": "text", **field})

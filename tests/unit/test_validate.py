# SPDX-License-Identifier: Apache-2.0
"""Validation: each rule finds its fault, and only what is sure leaves by itself."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from idp.document import (
    Box,
    Claim,
    Decision,
    Document,
    DocumentType,
    Field,
    Finding,
    Grade,
    Mark,
    ServiceLine,
    Severity,
)
from idp.schemas import load_schemas
from idp.settings import DecisionSettings
from idp.validate import validate
from idp.validate.rules import BY_NAME
from tests.unit.pages import page

TODAY = dt.date(2026, 3, 12)
BOX = Box(0.1, 0.1, 0.3, 0.12)
REQUEST = {
    "payer_name": "Example Health Plan",
    "review_type": "standard",
    "request_type": "initial",
    "submission_date": "2026-03-11",
    "patient_name": "Ada Example",
    "patient_dob": "1968-07-22",
    "member_id": "XZ527418096",
    "requesting_provider_name": "Bo Sample, MD",
    "requesting_provider_npi": "1234567893",
    "requesting_provider_phone": "512-555-0166",
    "requesting_provider_fax": "512-555-0167",
    "diagnosis_codes": "M25.561",
    "procedure_codes": "73721",
}


def fields(values: dict[str, str], confidence: float = 0.99) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=name, value=value, raw=value, confidence=confidence, page=1, box=BOX, source="test"
        )
        for name, value in values.items()
    )


def document(
    values: dict[str, str],
    type_: DocumentType = DocumentType.PRIOR_AUTH_REQUEST,
    *,
    confidence: float = 0.99,
    type_confidence: float = 0.99,
    subtype: str | None = None,
    claims: tuple[Claim, ...] = (),
) -> Document:
    return Document(
        document_id="d1",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=type_,
        type_confidence=type_confidence,
        subtype=subtype,
        pages=(1,),
        fields=fields(values, confidence),
        claims=claims,
    )


def judged(given: Document, text: str = "a page", **policy: object) -> Document:
    schema = load_schemas()[given.type]
    settings = DecisionSettings.model_validate(policy)
    return validate(given, schema, settings, [page(text)], TODAY)


def rules_of(given: Document) -> set[str]:
    return {finding.rule for finding in given.findings}


def told(given: Document, rule: str) -> list[Finding]:
    return [finding for finding in given.findings if finding.rule == rule]


def test_a_complete_and_sure_request_leaves_by_itself() -> None:
    result = judged(document(REQUEST))
    assert (result.decision, result.reasons, result.missing) == (Decision.AUTO, (), ())


def test_a_missing_required_field_is_named_and_keeps_the_document_back() -> None:
    result = judged(document({k: v for k, v in REQUEST.items() if k != "member_id"}))
    assert result.missing == ("member_id",)
    assert result.decision is Decision.REVIEW
    assert "Member ID is missing" in result.reasons


def test_a_field_left_blank_counts_as_missing_even_when_the_extractor_reports_the_blank() -> None:
    blank = Field(
        name="contact_name", value=None, raw="", confidence=0.9, page=1, box=BOX, source="test"
    )
    given = document(REQUEST)
    result = judged(given.model_copy(update={"fields": (*given.fields, blank)}))
    assert result.missing == ("contact_name",)
    assert told(result, "C1")[0].box == BOX


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Contact Name:              Group #:", {"contact_name", "group_number"}),
        ("Contact Name: R. Sample    Group #: 77-1", set()),
        ("Contact Name:              Group #:\nR. Sample                  STAR-4410", set()),
        (
            "Contact Name:              Group #:\nSECTION: IV                OTHER:",
            {"contact_name", "group_number"},
        ),
        ("We contact name: holders only when asked to", set()),
    ],
)
def test_an_empty_place_on_the_form_makes_its_field_required(text: str, missing: set[str]) -> None:
    assert set(judged(document(REQUEST), text).missing) == missing


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("member_id", "Member ID: XK220194431"),
        ("patient_dob", "Date of Birth\n07/22/1968"),
        ("requesting_provider_npi", "the doctor (NPI 1245319599) wrote"),
        ("diagnosis_codes", "knee pain, M23.203, since May"),
        ("requesting_provider_phone", "call 512-555-0199"),
        ("payer_name", "Example Health Plan, appeals"),
        ("review_type", "Standard   Expedited"),
    ],
)
def test_what_is_printed_but_not_read_is_not_called_missing(field: str, text: str) -> None:
    values = {name: value for name, value in REQUEST.items() if name != field}
    result = judged(document(values), text)
    assert result.missing == ()
    assert [f.field for f in told(result, "C2")] == [field]
    assert result.decision is Decision.REVIEW
    assert any("seems to be printed but was not read" in reason for reason in result.reasons)


def test_a_choice_with_all_boxes_empty_is_missing_and_with_a_tick_is_unread() -> None:
    values = {name: value for name, value in REQUEST.items() if name != "review_type"}
    given = document(values)
    schema = load_schemas()[given.type]
    policy = DecisionSettings.model_validate({})
    empty = page("Standard   Expedited").model_copy(
        update={
            "marks": (
                Mark(state="unchecked", box=BOX, label="Standard"),
                Mark(state="unchecked", box=BOX, label="Expedited"),
            )
        }
    )
    assert validate(given, schema, policy, [empty], TODAY).missing == ("review_type",)
    ticked = empty.model_copy(
        update={"marks": (empty.marks[0], Mark(state="checked", box=BOX, label="Expedited"))}
    )
    result = validate(given, schema, policy, [ticked], TODAY)
    assert (result.missing, [f.rule for f in result.findings]) == ((), ["C2"])


def test_a_denial_in_prose_is_not_said_to_lack_its_reason() -> None:
    values = {
        "payer_name": "Example Health Plan",
        "determination": "denied",
        "determination_date": "2026-03-10",
        "patient_name": "Ada Example",
        "member_id": "XZ527418096",
        "service_descriptions": "MRI",
        "appeal_deadline_days": "60",
    }
    given = document(values, DocumentType.PRIOR_AUTH_DETERMINATION)
    assert judged(given, "Denied.").missing == ("denial_reason",)
    prose = "\n".join(["your records do not show measurable progress after the first visits"] * 3)
    result = judged(given, prose)
    assert (result.missing, [f.rule for f in result.findings]) == ((), ["C2"])


def test_a_gap_of_severity_info_is_told_but_keeps_nothing_back() -> None:
    result = judged(document(REQUEST), "Group #:")
    assert result.missing == ("group_number",)
    assert result.decision is Decision.AUTO
    assert told(result, "C1")[0].severity is Severity.INFO


def test_one_of_a_group_is_enough() -> None:
    values = {k: v for k, v in REQUEST.items() if k != "procedure_codes"}
    assert judged(document(values)).missing == ("procedure_codes",)
    assert judged(document({**values, "medication_name": "Examplumab"})).missing == ()


@pytest.mark.parametrize(
    ("decision", "missing"),
    [
        ("approved", {"auth_number", "effective_from", "effective_to"}),
        ("denied", {"denial_reason"}),
        ("pended", {"information_requested"}),
        ("partially approved", {"auth_number", "effective_from", "effective_to", "denial_reason"}),
    ],
)
def test_what_a_decision_must_say_depends_on_the_decision(decision: str, missing: set[str]) -> None:
    values = {
        "payer_name": "Example Health Plan",
        "determination": decision,
        "determination_date": "2026-03-10",
        "patient_name": "Ada Example",
        "member_id": "XZ527418096",
        "service_descriptions": "MRI",
        "appeal_deadline": "2026-06-01",
    }
    result = judged(document(values, DocumentType.PRIOR_AUTH_DETERMINATION))
    assert set(result.missing) == missing


@pytest.mark.parametrize(
    ("field", "value", "rule", "severity"),
    [
        ("requesting_provider_npi", "1234567890", "N1", Severity.BLOCK),
        ("requesting_provider_npi", "123", "N1", Severity.BLOCK),
        ("member_id", "1EG4TEXMK73", "N3", Severity.WARN),
        ("member_id", "lEG4TE5MK73", "N3", Severity.INFO),
        ("diagnosis_codes", "Z99.999", "N5", Severity.BLOCK),
        ("diagnosis_codes", "M25", "N5", Severity.BLOCK),
        ("procedure_codes", "knee", "N6", Severity.WARN),
        ("requesting_provider_phone", "555-0166", "N8", Severity.WARN),
        ("patient_address", "1 Main St, Austin, TX 10001", "N8", Severity.WARN),
        ("patient_dob", "2027-01-01", "D2", Severity.BLOCK),
        ("patient_dob", "1885-01-01", "D2", Severity.BLOCK),
        ("patient_dob", "22 July", "D2", Severity.BLOCK),
        ("submission_date", "2026-05-01", "D2", Severity.BLOCK),
        ("service_start_date", "2036-05-01", "D2", Severity.BLOCK),
        ("service_start_date", "1960-05-01", "D2", Severity.BLOCK),
        ("service_start_date", "2027-05-01", "D2", Severity.BLOCK),
        ("form_date", "2026-03-20", "D2", Severity.BLOCK),
        ("requesting_provider_npi", "3234567899", "N1", Severity.BLOCK),
        ("patient_address", "1 Main St, Austin, TZ 78701", "N8", Severity.WARN),
        ("patient_address", "1 Main St, Austin, TX 7870", "N8", Severity.WARN),
        ("patient_address", "1 Main St, Amarillo, TX 00179", "N8", Severity.WARN),
        ("requesting_provider_tax_id", "74-55501", "N8", Severity.WARN),
        ("payer_fax", "555-0166", "N8", Severity.WARN),
        ("review_type", "purple", "F2", Severity.WARN),
    ],
)
def test_each_rule_finds_its_fault(field: str, value: str, rule: str, severity: Severity) -> None:
    found = told(judged(document({**REQUEST, field: value})), rule)
    assert [(f.field, f.severity) for f in found][:1] == [(field, severity)]
    assert all(f.box == BOX for f in found if f.rule != "D2")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("patient_address", "PO Box 12, Fishers Island, NY 06390"),
        ("patient_address", "1 Main St, El Paso, TX 88510-1204"),
        ("patient_address", "12 Example Road 78701"),
        ("patient_dob", "1906-03-13"),
        ("patient_dob", "2026-03-11"),
        ("service_start_date", "2027-03-12"),
        ("service_end_date", "2028-03-01"),
        ("form_date", "2026-03-12"),
        ("diagnosis_codes", "A00.0"),
        ("member_id", "W123456789"),
    ],
)
def test_what_is_right_is_left_in_peace(field: str, value: str) -> None:
    # A service in another year than the list of diagnoses is told, and nothing is wrong with it.
    found = judged(document({**REQUEST, field: value})).findings
    assert [f for f in found if f.severity is not Severity.INFO] == []


def test_each_finding_says_what_would_mend_it_and_where_it_is() -> None:
    wrong = {
        **REQUEST,
        "requesting_provider_npi": "1234567890",
        "patient_dob": "2026-03-01",
        "form_date": "2026-02-01",
        "diagnosis_codes": "Z99.999",
        "requesting_provider_phone": "1",
        "member_id": "1EG4TEXMK73",
    }
    found = [f for f in judged(document(wrong)).findings if f.rule not in ("C1", "C2")]
    assert {f.rule for f in found} >= {"N1", "N3", "N5", "N8", "D2"}
    for finding in found:
        assert finding.remedy and finding.fields and finding.places, finding
        assert (finding.fields[0], finding.places[0].page) == (finding.field, finding.page)
    before_birth = next(f for f in found if f.fields == ("form_date", "patient_dob"))
    assert "2026-02-01" in before_birth.message and "2026-03-01" in before_birth.message


def test_a_diagnosis_of_another_year_is_judged_by_the_list_at_hand_and_that_is_said() -> None:
    later = judged(document({**REQUEST, "service_start_date": "2026-10-01"}))
    assert [(f.rule, f.severity) for f in later.findings] == [("N5", Severity.INFO)]
    assert later.findings[0].fields == ("diagnosis_codes", "service_start_date")
    within = judged(document({**REQUEST, "service_start_date": "2026-09-30"}))
    assert within.findings == ()


def test_where_original_medicare_pays_the_number_is_one_of_its_own() -> None:
    medicare = {**REQUEST, "payer_name": "Medicare Part B"}
    assert [f.rule for f in judged(document(medicare)).findings] == ["N3"]
    assert judged(document({**medicare, "member_id": "1EG4TE5MK73"})).findings == ()
    advantage = {**REQUEST, "payer_name": "Humana Medicare"}
    assert judged(document(advantage)).findings == ()


def test_a_page_of_too_few_dots_is_named() -> None:
    coarse = page("x").model_copy(update={"dpi": 150.0})
    given = document(REQUEST)
    policy = DecisionSettings.model_validate({})
    result = validate(given, load_schemas()[given.type], policy, [coarse], TODAY)
    assert [(f.rule, f.severity) for f in result.findings] == [("P1", Severity.WARN)]
    printed = coarse.model_copy(update={"words_source": "text_layer"})
    assert not validate(given, load_schemas()[given.type], policy, [printed], TODAY).findings


def test_a_clean_request_has_no_findings_at_all() -> None:
    assert (
        judged(document({**REQUEST, "patient_address": "1 Main St, Austin, TX 78701"})).findings
        == ()
    )


def test_a_blocking_finding_is_a_reason_in_words() -> None:
    result = judged(document({**REQUEST, "requesting_provider_npi": "1234567890"}))
    assert result.decision is Decision.REVIEW
    assert any("fails its check digit" in reason for reason in result.reasons)


def test_a_warning_alone_keeps_nothing_back() -> None:
    result = judged(document({**REQUEST, "patient_phone": "555-0166"}))
    assert rules_of(result) == {"N8"}
    assert result.decision is Decision.AUTO


def test_service_before_birth_and_a_period_that_ends_first_are_found() -> None:
    dates = {"service_start_date": "2026-04-01", "service_end_date": "2026-03-20"}
    assert [f.field for f in told(judged(document({**REQUEST, **dates})), "D2")] == [
        "service_end_date"
    ]
    born = {**REQUEST, "patient_dob": "2026-03-10", "form_date": "2026-03-01"}
    assert "form_date" in {f.field for f in told(judged(document(born)), "D2")}


def test_an_unsure_value_goes_to_a_person_with_its_title_and_share() -> None:
    result = judged(document(REQUEST, confidence=0.62))
    assert result.decision is Decision.REVIEW
    assert "Diagnosis code read with 62 % confidence" in result.reasons
    assert judged(document(REQUEST, confidence=0.62), field_threshold=0.6).decision is Decision.AUTO


def test_an_unsure_type_goes_to_a_person() -> None:
    result = judged(document(REQUEST, type_confidence=0.5))
    assert result.reasons == ("Document type is uncertain (50 %)",)


def test_nothing_leaves_by_itself_when_it_is_switched_off() -> None:
    assert judged(document(REQUEST), automatic=False).decision is Decision.REVIEW


def test_a_poor_page_goes_to_a_person() -> None:
    given = document(REQUEST)
    result = validate(
        given,
        load_schemas()[given.type],
        DecisionSettings.model_validate({}),
        [page("x", grade=Grade.POOR)],
        TODAY,
    )
    assert result.reasons == ("Page 1 is hard to read",)


@pytest.mark.parametrize(
    ("texts", "severity"),
    [
        (["Page 1 of 3", "Page 2 of 3"], Severity.BLOCK),
        (["Page 2 of 2"], Severity.WARN),
        (["Page 1 of 2", "Page 2 of 2"], None),
    ],
)
def test_pages_that_did_not_arrive_are_found(texts: list[str], severity: Severity | None) -> None:
    given = document(REQUEST).model_copy(update={"pages": tuple(range(1, len(texts) + 1))})
    pages = [page(text, number) for number, text in enumerate(texts, start=1)]
    result = validate(
        given, load_schemas()[given.type], DecisionSettings.model_validate({}), pages, TODAY
    )
    assert [f.severity for f in told(result, "P3")] == ([severity] if severity else [])


def test_pages_of_two_patients_in_one_document_are_found() -> None:
    given = document(REQUEST).model_copy(update={"pages": (1, 2)})
    pages = [page("Name: A  DOB: 07/22/1968"), page("Name: B  DOB: 01/02/1999", 2)]
    schema = load_schemas()[given.type]
    result = validate(given, schema, DecisionSettings.model_validate({}), pages, TODAY)
    assert [f.rule for f in result.findings] == ["D3"]
    same = [pages[0], page("Patient DOB 7/22/68", 2)]
    assert not validate(given, schema, DecisionSettings.model_validate({}), same, TODAY).findings


EOB = {
    "payer_name": "Example Health Plan",
    "payee_name": "Sample Clinic",
    "payment_amount": "113.37",
    "payment_date": "2026-03-01",
    "eft_number": "30518842",
}


def claim(**amounts: str) -> Claim:
    return Claim(
        patient_name="Ada Example",
        claim_number="C1",
        confidence=0.99,
        page=1,
        box=BOX,
        **{name: Decimal(value) for name, value in amounts.items()},
    )


def test_a_claim_that_balances_has_no_findings() -> None:
    good = claim(
        billed="200.00", allowed="150.00", adjustment="50.00", copay="36.63", paid="113.37"
    )
    result = judged(document(EOB, DocumentType.REMITTANCE_EOB, claims=(good,)))
    assert (result.findings, result.decision) == ((), Decision.AUTO)


def test_amounts_that_do_not_balance_keep_a_remittance_for_a_person() -> None:
    bad = claim(billed="200.00", allowed="150.00", adjustment="40.00", copay="30.00", paid="113.37")
    result = judged(document(EOB, DocumentType.REMITTANCE_EOB, claims=(bad,)))
    assert [(f.rule, f.field, f.severity) for f in result.findings] == [
        ("R2", "allowed", Severity.BLOCK),
        ("R2", "paid", Severity.BLOCK),
    ]
    assert result.decision is Decision.REVIEW


def test_lines_that_do_not_make_the_claim_and_claims_that_do_not_make_the_payment() -> None:
    line = ServiceLine(billed=Decimal(100), allowed=Decimal(80), paid=Decimal(80), page=1, box=BOX)
    whole = claim(billed="250.00", allowed="160.00", paid="160.00")
    given = whole.model_copy(update={"service_lines": (line, line)})
    result = judged(document(EOB, DocumentType.REMITTANCE_EOB, claims=(given,)))
    assert [(f.rule, f.field) for f in result.findings] == [
        ("R3", "billed"),
        ("R4", "payment_amount"),
    ]


def test_a_claim_of_a_service_to_come_is_found() -> None:
    good = claim(
        billed="200.00", allowed="150.00", adjustment="50.00", copay="36.63", paid="113.37"
    )
    to_come = good.model_copy(update={"service_date": dt.date(2026, 11, 20)})
    result = judged(document(EOB, DocumentType.REMITTANCE_EOB, claims=(to_come,)))
    assert [(f.rule, f.severity) for f in result.findings] == [("D2", Severity.BLOCK)]


def test_a_sum_with_an_amount_not_printed_is_not_judged() -> None:
    result = judged(document(EOB, DocumentType.REMITTANCE_EOB, claims=(claim(billed="200.00"),)))
    assert result.findings == ()


@pytest.mark.parametrize(
    ("subtype", "decision"),
    [
        ("lab_result", Decision.AUTO),
        ("fax_cover", Decision.AUTO),
        ("records_request", Decision.REVIEW),
        ("appeal_letter", Decision.REVIEW),
        (None, Decision.REVIEW),
    ],
)
def test_other_documents_are_routed_by_their_subtype(
    subtype: str | None, decision: Decision
) -> None:
    assert judged(document({}, DocumentType.OTHER, subtype=subtype)).decision is decision


def test_every_validator_that_a_schema_names_exists() -> None:
    for schema in load_schemas().values():
        for field in schema.fields:
            assert set(field.validators) <= set(BY_NAME), field.name


def test_validating_twice_says_the_same() -> None:
    given = document({**REQUEST, "requesting_provider_npi": "1234567890"})
    once = judged(given, "Contact Name:")
    assert judged(once, "Contact Name:") == once

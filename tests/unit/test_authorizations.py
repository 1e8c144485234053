# SPDX-License-Identifier: Apache-2.0
"""Authorizations: a decision says what it must, and fits what was asked (rules A1 to A4)."""

from __future__ import annotations

import datetime as dt

import pytest

from idp.document import Box, Decision, Document, DocumentType, Field, Finding, Page, Severity
from idp.knowledge import Circumstances
from idp.requirements import Companion
from idp.schemas import load_schemas
from idp.settings import DecisionSettings
from idp.validate import validate
from tests.unit.pages import page

TODAY = dt.date(2026, 3, 12)
NOW = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)
BOX = Box(0.1, 0.1, 0.3, 0.12)
APPROVAL = {
    "payer_name": "Example Health Plan",
    "determination": "approved",
    "determination_date": "2026-03-10",
    "patient_name": "Ada Example",
    "member_id": "XZ527418096",
    "service_descriptions": "Physical therapy",
    "procedure_codes": "97110",
    "auth_number": "A2026-1",
    "effective_from": "2026-03-15",
    "effective_to": "2026-06-15",
}
REQUEST = {
    "payer_name": "Example Health Plan",
    "review_type": "standard",
    "patient_name": "EXAMPLE, ADA",
    "patient_dob": "1968-07-22",
    "member_id": "XZ527418096",
    "requesting_provider_name": "Bo Sample, MD",
    "requesting_provider_npi": "1234567893",
    "requesting_provider_phone": "512-555-0166",
    "diagnosis_codes": "M25.561",
    "procedure_codes": "97110",
}


def fields(values: dict[str, str]) -> tuple[Field, ...]:
    return tuple(
        Field(name=name, value=each, raw=each, confidence=0.99, page=1, box=BOX, source="test")
        for name, value in values.items()
        for each in value.split("|")
    )


def judged(
    values: dict[str, str],
    type_: DocumentType = DocumentType.PRIOR_AUTH_DETERMINATION,
    *,
    beside: tuple[Companion, ...] = (),
    on: Page | None = None,
) -> Document:
    document = Document(
        document_id="d1",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=type_,
        type_confidence=0.99,
        pages=(1,),
        fields=fields(values),
    )
    return validate(
        document,
        load_schemas()[type_],
        DecisionSettings.model_validate({}),
        [on or page("a page")],
        TODAY,
        circumstances=Circumstances(received_at=NOW, companions=beside),
    )


def request(**more: str) -> Companion:
    return Companion(DocumentType.PRIOR_AUTH_REQUEST, pages=1, fields=fields({**REQUEST, **more}))


def told(document: Document, rule: str) -> list[Finding]:
    return [finding for finding in document.findings if finding.rule == rule]


def without(values: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in names}


def test_a_whole_approval_has_nothing_to_say() -> None:
    result = judged(APPROVAL)
    assert (result.findings, result.missing, result.decision) == ((), (), Decision.AUTO)


@pytest.mark.parametrize(
    ("decision", "lacks"),
    [
        ("approved", "auth_number"),
        ("approved", "effective_from"),
        ("approved", "effective_to"),
        ("approved", "service_descriptions"),
        ("partially approved", "auth_number"),
        ("denied", "denial_reason"),
        ("partially approved", "denial_reason"),
        ("pended", "information_requested"),
    ],
)
def test_what_a_decision_owes_is_said_once_and_names_the_law(decision: str, lacks: str) -> None:
    whole = {
        **APPROVAL,
        "determination": decision,
        "denial_reason": "Six weeks of conservative therapy are not documented",
        "information_requested": "Notes of the last visit",
        "appeal_deadline": "2026-05-10",
    }
    result = judged(without(whole, lacks))
    assert [f.field for f in told(result, "A1")] == [lacks]
    assert told(result, "C1") == []
    assert "42 CFR 431.80" in told(result, "A1")[0].message
    assert told(result, "A1")[0].severity is Severity.BLOCK
    assert result.missing == (lacks,)
    assert result.decision is Decision.REVIEW


@pytest.mark.parametrize(
    ("reason", "specific"),
    [
        ("Denied", False),
        ("Your request is not approved.", False),
        ("See attached letter", False),
        ("Not medically necessary", True),
        ("Out of network", True),
        ("CARC 197", True),
        ("The service does not meet InterQual criteria for MRI of the knee", True),
    ],
)
def test_a_reason_that_only_repeats_the_denial_is_none(reason: str, specific: bool) -> None:
    result = judged(
        {
            **without(APPROVAL, "auth_number", "effective_from", "effective_to"),
            "determination": "denied",
            "denial_reason": reason,
            "appeal_deadline": "2026-05-10",
        }
    )
    assert [f.field for f in told(result, "A1")] == ([] if specific else ["denial_reason"])


@pytest.mark.parametrize(
    ("units", "asked", "says"),
    [
        ("12", "12", None),
        ("24", "12", "24 units are approved, 12 were asked for"),
        ("8", "12", "modified approval"),
        ("8", "12|4", None),
        ("8", "a dozen", None),
    ],
)
def test_units_are_compared_where_the_decision_prints_both(
    units: str, asked: str, says: str | None
) -> None:
    found = told(judged({**APPROVAL, "approved_units": units, "requested_units": asked}), "A2")
    assert [f.severity for f in found] == ([Severity.WARN] if says else [])
    assert says is None or says in found[0].message
    assert not found or found[0].fields == ("approved_units", "requested_units")


def test_a_partial_approval_may_grant_less() -> None:
    values = {**APPROVAL, "determination": "partially approved", "denial_reason": "Plan limit"}
    both = {**values, "approved_units": "8", "requested_units": "12"}
    assert told(judged({**both, "appeal_deadline": "2026-05-10"}), "A2") == []


def test_a_decision_is_compared_with_the_request_that_came_with_it() -> None:
    fewer = judged({**APPROVAL, "approved_units": "8"}, beside=(request(units="12"),))
    assert "modified" in told(fewer, "A2")[0].message
    other = judged(APPROVAL, beside=(request(procedure_codes="97110|97140"),))
    assert "97140" in told(other, "A2")[0].message
    assert told(judged(APPROVAL, beside=(request(),)), "A2") == []


@pytest.mark.parametrize(
    "beside",
    [
        (request(units="12", member_id="OTHER123456"),),
        (request(units="12"), request(units="12")),
        (Companion(DocumentType.REFERRAL, fields=request(units="12").fields),),
        (),
    ],
    ids=["another patient's", "two", "no request", "none"],
)
def test_a_request_that_may_be_another_is_not_compared(beside: tuple[Companion, ...]) -> None:
    assert told(judged({**APPROVAL, "approved_units": "8"}, beside=beside), "A2") == []


EXPEDITED = {**REQUEST, "review_type": "expedited", "signature_present": "yes"}


@pytest.mark.parametrize(
    ("values", "text", "warned"),
    [
        (EXPEDITED, "a form", True),
        ({**EXPEDITED, "urgency_reason": "New onset of cauda equina"}, "a form", False),
        (EXPEDITED, "I certify that the standard review may seriously jeopardize health", False),
        (without(EXPEDITED, "signature_present"), "I certify that it is urgent", True),
        (EXPEDITED, "I certify that this information is true and accurate", True),
        (EXPEDITED, "Expedited: a delay may jeopardize life or health", True),
        ({**EXPEDITED, "review_type": "standard"}, "a form", False),
    ],
)
def test_who_asks_for_an_expedited_review_says_why(
    values: dict[str, str], text: str, warned: bool
) -> None:
    on = page("\n" * 30 + text)
    result = judged(values, DocumentType.PRIOR_AUTH_REQUEST, on=on)
    assert [f.field for f in told(result, "A3")] == (["review_type"] if warned else [])


def test_a_ticked_box_that_attests_needs_no_signature() -> None:
    on = page("Urgency:\n[ ] Standard  [x] Urgent (in checking this box, I attest that the time")
    ticked = next(word for word in on.words if word.text == "Urgent")
    document = judged(without(EXPEDITED, "signature_present"), DocumentType.PRIOR_AUTH_REQUEST)
    moved = tuple(
        field.model_copy(update={"box": ticked.box}) if field.name == "review_type" else field
        for field in document.fields
    )
    result = validate(
        document.model_copy(update={"fields": moved}),
        load_schemas()[DocumentType.PRIOR_AUTH_REQUEST],
        DecisionSettings.model_validate({}),
        [on],
        TODAY,
    )
    assert told(result, "A3") == []


def test_where_the_form_asks_for_the_reason_it_is_missed_once() -> None:
    result = judged(
        without(EXPEDITED, "signature_present"),
        DocumentType.PRIOR_AUTH_REQUEST,
        on=page("Clinical reason for urgency:\n\n\n"),
    )
    assert "urgency_reason" in result.missing
    assert told(result, "A3") == []


@pytest.mark.parametrize(
    ("planned", "says"),
    [("2026-03-15", None), ("2026-06-15", None), ("2026-06-16", "after"), ("2026-03-14", "before")],
)
def test_an_authorization_holds_on_the_planned_date(planned: str, says: str | None) -> None:
    found = told(judged(APPROVAL, beside=(request(service_start_date=planned),)), "A4")
    assert [says in f.message for f in found if says] == ([True] if says else [])
    assert bool(found) is bool(says)
    assert all(f.severity is Severity.WARN for f in found)


def test_a_referral_says_when_its_authorization_has_ended() -> None:
    values = {"authorization_valid_to": "2026-04-01", "appointment_date": "2026-04-02"}
    found = told(judged(values, DocumentType.REFERRAL), "A4")
    assert [f.fields for f in found] == [("authorization_valid_to", "appointment_date")]
    kept = {**values, "appointment_date": "2026-04-01"}
    assert told(judged(kept, DocumentType.REFERRAL), "A4") == []

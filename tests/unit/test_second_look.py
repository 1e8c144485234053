# SPDX-License-Identifier: Apache-2.0
"""Two people's answers on one document, compared."""

from __future__ import annotations

from decimal import Decimal

import pytest

from idp.document import Decision, Document, DocumentType
from idp.reviewing import Touched, is_lead_queue, lead_queue
from idp.schemas import load_schemas
from idp.second_look import (
    CLAIMS,
    DISAGREEMENT,
    compared,
    counted,
    differing,
    disputed,
    same_values,
    values_of,
)
from idp.values import Kind
from tests import fabricate
from tests.fabricate import field

SCHEMA = load_schemas()[DocumentType.REFERRAL]
EOB = load_schemas()[DocumentType.REMITTANCE_EOB]


def read(**values: str | None) -> Document:
    """A referral with these values; one without a value can't be read."""
    fields = tuple(field(name, value or "") for name, value in values.items())
    fields = tuple(each.model_copy(update={"value": each.value or None}) for each in fields)
    return fabricate.document(fields=fields, findings=(), reasons=(), missing=())


def how(base: Document, one: Document, two: Document, *asked: str) -> dict[str, Touched]:
    return compared(base, one, two, SCHEMA, asked=asked)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.PERSON, "ZOE EXAMPLE", "Zoe Example"),
        (Kind.ADDRESS, "12 High St., Reno NV", "12 High St Reno, NV"),
        (Kind.IDENTIFIER, "xqh-8017", "XQH-8017"),
        (Kind.PHONE, "(775) 555-0134", "775-555-0134"),
    ],
)
def test_what_says_the_same_is_the_same(kind: Kind, one: str, other: str) -> None:
    assert same_values(kind, [one], [other])


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.PERSON, ["Zoe Example"], ["Zoe Examples"]),
        (Kind.IDENTIFIER, ["XQH8017"], ["XQH8O17"]),
        (Kind.NPI, ["1234567893"], ["1234567890"]),
        (Kind.ICD10, ["M25.561"], ["M25.561", "M25.561"]),
        (Kind.ICD10, ["M25.561"], [None]),
        (Kind.ICD10, [None], []),
    ],
)
def test_what_says_something_else_differs(
    kind: Kind, one: list[str | None], other: list[str | None]
) -> None:
    assert not same_values(kind, one, other)


def test_a_list_says_the_same_in_any_order() -> None:
    assert same_values(Kind.ICD10, ["M25.561", "M54.5"], ["M54.5", "M25.561"])


def test_only_fields_that_either_touched_are_compared() -> None:
    base = read(patient_name="Zoe Exampel", member_id="X1", reason="pain")
    one = read(patient_name="Zoe Example", member_id="X1", reason="pain")
    found = how(base, one, base, "member_id")
    assert found == {"patient_name": Touched.ONE_CHANGED, "member_id": Touched.BOTH_KEPT}
    assert differing(found) == ("patient_name",)


def test_each_way_of_agreeing_and_differing_has_its_name() -> None:
    base = read(patient_name="A B", member_id="X1")
    one, two = read(patient_name="A C", member_id="X2"), read(patient_name="A c", member_id="X3")
    found = how(base, one, two)
    assert found == {"patient_name": Touched.BOTH_CHANGED, "member_id": Touched.DIFFERENT}
    assert [each.agrees for each in found.values()] == [True, False]


def test_a_lead_is_shown_both_answers_and_not_whose_they_are() -> None:
    names = ("patient_name", "member_id", "group_number", "reason")
    base = read(**dict.fromkeys(names, "read"))
    one, two = read(**dict.fromkeys(names, "one")), read(**dict.fromkeys(names, "two"))
    shown = disputed(base, one, two, SCHEMA, names)
    messages = [finding.message for finding in shown.findings]
    assert all("“one”" in each and "“two”" in each for each in messages)
    # Drawn for each field: neither answer stands first everywhere.
    assert {each.index("“one”") < each.index("“two”") for each in messages} == {True, False}
    assert {finding.rule for finding in shown.findings} == {DISAGREEMENT}
    assert {finding.field for finding in shown.findings} == set(names)
    assert shown.decision is Decision.REVIEW
    assert set(shown.reason_codes) == {f"rule:{DISAGREEMENT}"}
    assert values_of(shown, "reason") == ("read",)
    assert shown == disputed(base, one, two, SCHEMA, names)


def test_what_both_say_stands_in_what_the_lead_is_shown() -> None:
    base = read(patient_name="A B", member_id="X1").model_copy(update={"sampled": True})
    one = read(patient_name="A C", member_id="X2")
    shown = disputed(base, one, read(patient_name="A C", member_id="X3"), SCHEMA, ["member_id"])
    assert values_of(shown, "patient_name") == ("A C",)
    assert values_of(shown, "member_id") == ("X1",)
    assert not shown.sampled


def test_what_one_takes_away_and_one_can_not_read_is_said_in_words() -> None:
    base = read(member_id="X1")
    shown = disputed(base, read(), read(member_id=None), SCHEMA, ["member_id"])
    (finding,) = shown.findings
    assert "not on the form" in finding.message
    assert "can't be read" in finding.message


def test_claims_are_compared_by_their_values_alone() -> None:
    base = fabricate.remittance()
    (claim,) = base.claims
    surer = base.model_copy(update={"claims": (claim.model_copy(update={"confidence": 1.0}),)})
    assert compared(base, surer, base, EOB, asked=()) == {}
    paid = base.model_copy(
        update={"claims": (claim.model_copy(update={"paid": Decimal("80.51")}),)}
    )
    assert compared(base, paid, base, EOB, asked=())[CLAIMS] is Touched.ONE_CHANGED


def test_a_sample_is_counted_against_what_would_have_been_sent() -> None:
    base = read(patient_name="A B", member_id="X1", reason="pain", group_number="7", payer_name="P")
    said = read(
        patient_name="a b", member_id="X2", group_number=None, payer_name="P", urgency="urgent"
    )
    assert counted(base, said, SCHEMA) == {
        "patient_name": {"confirmed": 1},
        "member_id": {"changed": 1},
        "reason": {"removed": 1},
        "group_number": {"illegible": 1},
        "payer_name": {"confirmed": 1},
        "urgency": {"added": 1},
    }


def test_that_nothing_is_there_is_said_by_leaving_it_too() -> None:
    base = read(patient_name="A B", signature_present="no")
    assert counted(base, read(patient_name="A B"), SCHEMA) == {"patient_name": {"confirmed": 1}}
    assert how(base, base, read(patient_name="A B")) == {}
    there = read(patient_name="A B", signature_present="yes")
    assert differing(how(base, base, there)) == ("signature_present",)


def test_of_a_list_each_value_counts() -> None:
    codes = ("M25.561", "M54.5", "S83.2")
    base = fabricate.document(fields=tuple(field("diagnosis_codes", each) for each in codes))
    said = fabricate.document(
        fields=tuple(field("diagnosis_codes", each) for each in ("M54.5", "M25.562"))
    )
    assert counted(base, said, SCHEMA) == {
        "diagnosis_codes": {"confirmed": 1, "changed": 1, "removed": 1}
    }


def test_leads_have_queues_of_their_own() -> None:
    assert is_lead_queue(lead_queue("referral"))
    assert not is_lead_queue("referral")

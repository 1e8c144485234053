# SPDX-License-Identifier: Apache-2.0
"""Whom a page is about: found by labels, compared with misread letters forgiven."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.patients import Patient, compare, names_alike, patient_of
from idp.validate.across import one_patient
from tests.unit.pages import page


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Patient Name: Ada Testcase     DOB: 07/22/1968", "Ada Testcase"),
        ("Patient:  TESTCASE, ADA\nDate of Birth: 07/22/1968", "TESTCASE, ADA"),
        ("Member          DOB\nAda Testcase    07/22/1968", "Ada Testcase"),
        ("3. Member Name      4. Sex\n   Ada Testcase        F", "Ada Testcase"),
        ("RE: Ada Testcase", "Ada Testcase"),
        ("Re: Ada Testcase Date of Birth: 07/22/1968", "Ada Testcase"),
        ("PatientName:Ada Testcase", "Ada Testcase"),
        ("Patlent Name: Ada Testcase", "Ada Testcase"),
        ("Patient Information\nFull Name: Ada Testcase", "Ada Testcase"),
        ("Name: Ada Testcase\nDOB: 07/22/1968", "Ada Testcase"),
        ("Patient Last Name: Testcase    Patient First Name: Ada", "Ada Testcase"),
    ],
)
def test_a_labelled_patient_is_found(text: str, name: str) -> None:
    assert patient_of(page(text)).names == {name}


@pytest.mark.parametrize(
    "text",
    [
        "Referring Provider: Grace Hopper MD",
        "Subscriber Name: Grace Hopper",
        "Physician Name: Hopper, Grace",
        "Insured's Name: Grace Hopper",
        "Contact Person: Grace Hopper",
        "Patient Information   Insurance Information",
        "the member named above may appeal",
        "Patient Sex: Male Female",
    ],
)
def test_nobody_else_is_taken_for_the_patient(text: str) -> None:
    assert patient_of(page(text)).names == frozenset()


def test_birth_dates_and_member_numbers_are_found_behind_and_below() -> None:
    found = patient_of(page("DOB: 07/22/1968      Member ID\n                     ABC123456789"))
    assert found.births == {"1968-07-22"}
    assert found.members == {"ABC123456789"}


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("SMITH, JOHN", "John Smith", "same"),
        ("John A. Smith", "JOHN SMITH", "same"),
        ("JohnSmith", "John Smith", "same"),
        ("J0hn Srnith", "John Smith", "same"),
        ("Maria Garcia-Lopez", "GARCIA-LOPEZ, MARIA", "same"),
        ("John Smith", "Grace Hopper", "other"),
        ("Jack Testcase", "Emily Testcase", "near"),
    ],
)
def test_names_are_compared_as_people_do(first: str, second: str, alike: str) -> None:
    assert names_alike(first, second) == alike
    assert names_alike(second, first) == alike


def test_one_misread_digit_of_a_birth_date_makes_nobody_else() -> None:
    first = Patient(frozenset({"Ada Testcase"}), frozenset({"1968-07-22"}))
    assert not compare(first, Patient(births=frozenset({"1968-07-27"}))).other
    assert compare(first, Patient(births=frozenset({"1999-01-02"}))).other


@pytest.mark.parametrize(
    "second",
    [
        "Patient Name: Grace Hopper\nDOB: 01/02/1999",
        "Patient Name: Grace Hopper",
        "DOB: 01/02/1999",
        "Patient Name: Emily Testcase\nDOB: 01/02/1999",
    ],
)
def test_pages_of_two_patients_never_leave_as_one_document(second: str) -> None:
    first = "Patient Name: Ada Testcase\nDOB: 07/22/1968\nMember ID: ABC123456789"
    (finding,) = one_patient([page(first, 1), page("notes", 2), page(second, 3)])
    assert (finding.rule, finding.severity, finding.page) == ("D3", "block", 3)


@pytest.mark.parametrize(
    "second",
    [
        "Patient Name: TESTCASE, ADA\nDOB: 07/22/1968",
        "Patient: Ada Testcasc",
        "Subscriber Name: Grace Hopper",
        "Physician Name: Grace Hopper",
        "Member ID: ABC123456789",
        "nothing is said here",
    ],
)
def test_one_patients_pages_raise_no_alarm(second: str) -> None:
    first = "Patient Name: Ada Testcase\nDOB: 07/22/1968\nMember ID: ABC123456789"
    assert list(one_patient([page(first, 1), page(second, 2)])) == []


def test_a_remittance_may_speak_of_many_patients_but_not_hold_a_request() -> None:
    claims = "Patient Name: Ada Testcase  Claim 1  10.00\nPatient Name: Grace Hopper  Claim 2  9.00"
    more = "Patient Name: Alan Turing   Claim 3  12.00"
    assert list(one_patient([page(claims, 1), page(more, 2)], many=True)) == []
    request = "Patient Name: Alan Turing\nDOB: 06/23/1992"
    assert list(one_patient([page(request, 1), page(claims, 2)], many=True))
    assert list(one_patient([page("Total paid 19.00", 1), page(request, 2)], many=True))
    own = "Patient Name: Ada Testcase\nDOB: 07/22/1968"
    assert list(one_patient([page(own, 1), page(claims, 2)], many=True)) == []


@pytest.mark.parametrize(
    "text",
    ["Name:" * 4_000, "a" * 20_000, "1." * 10_000, "Patient " * 4_000, ", " * 5_000 + "DOB"],
    ids=["labels", "glued", "dotted", "bare", "commas"],
)
def test_hostile_print_takes_no_more_than_seconds(text: str) -> None:
    began = time.process_time()
    patient_of(page(text))
    assert time.process_time() - began < 5


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_any_print_gives_a_patient_that_is_like_itself(text: str) -> None:
    found = patient_of(page(text or " "))
    assert not compare(found, found).other
    assert all(name.strip() for name in found.names)


_BORN = "DOB: 07/22/1968"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ada Testcase", "Emily Testcase"),
        ("TESTCASE, ADA", "Emily Testcase"),
        ("Testcase, Eric T", "Maria Testcase"),
        ("Margaret Adams-Thompson", "Angela Adams-Thompson"),
        ("McDonald, Sarah", "Angela McDonald"),
        ("Ada Testcase", "EMILY TESTCASE JR"),
    ],
)
def test_a_page_of_a_twin_is_found_by_the_given_name(first: str, second: str) -> None:
    pages = [page(f"Patient Name: {name}\n{_BORN}", n) for n, name in enumerate((first, second), 1)]
    (finding,) = one_patient(pages)
    assert (finding.severity, finding.field, finding.page) == ("block", "patient_name", 2)
    assert "same family name and birth date" in finding.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Robert Testcase", "Bob Testcase"),
        ("Bob Testcase", "Rob Testcase"),
        ("TESTCASE, WILLIAM", "Bill Testcase"),
        ("Elizabeth Testcase", "Testcase, Betty"),
        ("R. Testcase", "Mary Testcase"),
        ("Mary E. Testcase", "Mary Testcase"),
        ("Mary Elizabeth Testcase", "Elizabeth Testcase"),
        ("Alexander Testcase", "Alex Testcase"),
        ("Christopher Testcase", "Christoper Tesicase"),
        ("Catherine Testcase", "Catnerlne Testcase"),
        ("Grace Testcase", "Grace Miller"),
        ("Anne-Marie Testcase", "Marie Testcase"),
        ("Baby Boy Testcase", "Liam Testcase"),
        ("GraceTestcase", "Grace Testcase"),
        ("Jonathan Q Testcase", "J0nathan Testcase"),
        ("Dr. Grace Testcase", "Testcase, Grace MD"),
        ("Maria Garcia Lopez", "Maria Garcia"),
        ("TESTCASE GRACE", "Grace Testcase"),
    ],
)
def test_other_forms_of_one_name_make_no_twin(first: str, second: str) -> None:
    pages = [page(f"Patient Name: {name}\n{_BORN}", n) for n, name in enumerate((first, second), 1)]
    assert list(one_patient(pages)) == []

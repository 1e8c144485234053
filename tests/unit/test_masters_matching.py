# SPDX-License-Identifier: Apache-2.0
"""Who is meant: two of three agree and the third nearly, and nobody is taken for somebody else."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.masters import (
    Member,
    MemberNumber,
    Payer,
    Printed,
    Provider,
    Verdict,
    fits,
    fits_misread,
    match_member,
    match_provider,
)
from idp.masters.payers import PayerNames
from idp.masters.people import births
from idp.masters.spelling import slips
from idp.samples.people import check_digit

ADA = Member(
    "m1",
    "Okonjo-Reyes",
    "Marisol",
    "Jane",
    born="1968-07-22",
    numbers=(MemberNumber("XZ527418096", "Blue Harbor"),),
    sex="female",
    phone="614-555-0101",
    zip="45011",
)
PRINTED = Printed("Marisol Okonjo-Reyes", "1968-07-22", "XZ527418096")


def asked(printed: Printed, *members: Member, names: frozenset[str] = frozenset()) -> Verdict:
    return match_member(printed, members or (ADA,), is_given_name=names.__contains__)


def who(verdict: Verdict) -> tuple[str, str | None]:
    best = verdict.best.member.canonical_id if verdict.best else None
    return verdict.outcome, best if verdict.outcome == "matched" else None


@pytest.mark.parametrize(
    "name",
    [
        "Marisol Okonjo-Reyes",
        "OKONJO-REYES, MARISOL",
        "Okonjo-Reyes, Marisol J",
        "Okonjo-Reyes, Marisol J.",
        "Marisol J. Okonjo-Reyes",
        "Marisol Jane Okonjo Reyes",
        "OKONJO REYES MARISOL",
        "Mrs. Marisol Okonjo-Reyes",
        "Marisol Okonjo-Reyes, RN",
        "Mar1sol 0konjo-Reyes",
        "Marisól Okonjo-Reyes",
    ],
)
def test_a_name_is_the_same_however_it_is_printed(name: str) -> None:
    found = asked(PRINTED._replace(name=name))
    assert who(found) == ("matched", "m1")
    assert found.best is not None
    assert found.best.exact == 3


@pytest.mark.parametrize(
    "printed",
    [
        PRINTED._replace(name="Marisol Okonjo-Rcyes"),
        PRINTED._replace(name="Marisal Okonjo-Reyes"),
        PRINTED._replace(name="M. Okonjo-Reyes"),
        PRINTED._replace(name="Marisol Reyes"),
        PRINTED._replace(born="1968-07-28"),
        PRINTED._replace(number="XZ527418098"),
        PRINTED._replace(number="X2S27418O96"),
        PRINTED._replace(number="XZ527418096-01"),
    ],
)
def test_two_agree_and_the_third_nearly_so_it_is_that_member(printed: Printed) -> None:
    assert who(asked(printed)) == ("matched", "m1")


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        (PRINTED._replace(number="KK000111222"), "member ID: differs"),
        (PRINTED._replace(born="1986-12-02"), "birth date: differs"),
        (PRINTED._replace(name="Odette Montrose"), "name: differs"),
        (PRINTED._replace(name="Marisol Whitlock"), "name: family name differs"),
        (PRINTED._replace(born="1968-07-28", name="Marisal Okonjo-Reyes"), "nearly the same"),
        (Printed(PRINTED.name, PRINTED.born), "member ID: not on the document"),
    ],
)
def test_anything_less_is_near_and_says_what_differs(printed: Printed, says: str) -> None:
    found = asked(printed)
    assert found.outcome == "near"
    assert found.best is not None
    assert any(says in said for said in found.best.evidence)


def test_a_namesake_of_another_birth_and_number_is_nobody() -> None:
    assert asked(Printed(PRINTED.name, "1990-01-31", "QQ111111111")).outcome == "none"


def test_without_a_birth_date_name_and_number_suffice_only_where_none_is_ever_printed() -> None:
    printed = Printed(PRINTED.name, "", PRINTED.number)
    assert asked(printed).outcome == "near"
    assert who(asked(printed._replace(births_told=False))) == ("matched", "m1")


def test_without_a_number_something_else_has_to_support_name_and_birth_date() -> None:
    assert asked(Printed(PRINTED.name, PRINTED.born)).outcome == "near"
    for beside in ({"phones": ("614-555-0101",)}, {"zip": "45011"}):
        printed = Printed(PRINTED.name, PRINTED.born)._replace(**beside)
        assert who(asked(printed)) == ("matched", "m1")


def test_twins_of_one_number_are_told_apart_by_the_given_name() -> None:
    jason = ADA._replace(canonical_id="j", last="Drummond", first="Jason", middle="", sex="male")
    mason = jason._replace(canonical_id="m", first="Mason")
    printed = Printed("Jason Drummond", ADA.born, "XZ527418096")
    assert who(asked(printed, jason, mason)) == ("matched", "j")
    assert who(asked(printed._replace(name="Mason Drummond"), jason, mason)) == ("matched", "m")
    assert who(asked(printed._replace(name="Jas0n Drumrnond"), jason, mason)) == ("matched", "j")


@pytest.mark.parametrize(("known", "other"), [("Jason", "Mason"), ("Jean", "Joan"), ("Ana", "Eva")])
def test_a_twin_who_is_not_in_the_directory_is_not_taken_for_the_other(
    known: str, other: str
) -> None:
    twin = ADA._replace(first=known, middle="")
    printed = PRINTED._replace(name=f"{other} Okonjo-Reyes")
    found = asked(printed, twin, names=frozenset({"jean", "joan", "jason", "ana", "eva"}))
    assert found.outcome == "near"


def test_without_a_given_name_twins_are_ambiguous() -> None:
    jason = ADA._replace(canonical_id="j", first="Jason")
    mason = ADA._replace(canonical_id="m", first="Mason")
    assert asked(Printed("Okonjo-Reyes", ADA.born, "XZ527418096"), jason, mason).outcome == (
        "ambiguous"
    )


def test_father_and_son_of_one_name_and_number_are_told_apart_by_birth_date() -> None:
    father = ADA._replace(canonical_id="sr", first="John", middle="", suffix="1", born="1940-05-01")
    son = father._replace(canonical_id="jr", suffix="2", born="1970-05-01")
    number = "XZ527418096"
    assert who(asked(Printed("John Okonjo-Reyes", "1970-05-01", number), father, son)) == (
        "matched",
        "jr",
    )
    assert who(asked(Printed("John Okonjo-Reyes Sr", "1940-05-01", number), father, son)) == (
        "matched",
        "sr",
    )
    # Junior with his father's birth date: a person looks.
    assert asked(Printed("John Okonjo-Reyes Jr", "1940-05-01", number), father, son).outcome in (
        "near",
        "ambiguous",
    )
    assert asked(Printed("John Okonjo-Reyes", "", number), father, son).outcome != "matched"


def test_a_son_who_is_not_in_the_directory_is_not_taken_for_his_father() -> None:
    father = ADA._replace(first="John", middle="", born="1940-05-01")
    assert asked(Printed("John Okonjo-Reyes", "1970-05-01", "XZ527418096"), father).outcome == (
        "near"
    )


def test_a_former_name_is_as_good_and_a_new_one_is_near() -> None:
    married = ADA._replace(last="Whitlock", former=("Okonjo-Reyes",))
    assert who(asked(PRINTED, married)) == ("matched", "m1")
    assert asked(PRINTED._replace(name="Marisol Montrose"), married).outcome == "near"


def test_the_same_person_entered_twice_is_ambiguous() -> None:
    assert asked(PRINTED, ADA, ADA._replace(canonical_id="m2")).outcome == "ambiguous"


def test_another_sex_keeps_a_nearly_alike_name_from_being_matched() -> None:
    carl = ADA._replace(first="Danielo", middle="", sex="male")
    printed = PRINTED._replace(name="Daniela Okonjo-Reyes", sex="female")
    assert asked(printed, carl).outcome == "near"


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("1968-07-12", "1968-12-07", "near"),
        ("1968-07-22", "1968-07-23", "near"),
        ("1968-07-22", "1969-07-22", "near"),
        ("1968-07-22", "1986-07-22", "differs"),
        ("1940-05-01", "1970-05-01", "differs"),
        ("1968-07-22", "1868-07-22", "differs"),
        ("1968-07-22", "1968-02-27", "differs"),
        ("", "1968-07-22", "absent"),
        ("7/22/68", "1968-07-22", "absent"),
    ],
)
def test_birth_dates_are_near_by_a_digit_or_when_day_and_month_change_places(
    one: str, other: str, how: str
) -> None:
    assert births(one, other).how == how


def test_evidence_never_holds_a_value() -> None:
    for printed in (
        PRINTED,
        PRINTED._replace(number="KK000111222"),
        PRINTED._replace(name="Marisol Montrose"),
        PRINTED._replace(born="1990-01-01"),
    ):
        best = asked(printed).best
        assert best is not None
        told = " ".join(best.evidence).lower()
        for value in ("okonjo", "montrose", "1968", "1990", "xz5", "kk0", "marisol"):
            assert value not in told


@given(st.dates(dt.date(1930, 1, 1), dt.date(2020, 1, 1)), st.dates(dt.date(1930, 1, 1)))
def test_births_agree_in_both_directions(one: dt.date, other: dt.date) -> None:
    assert births(one.isoformat(), other.isoformat()) == births(other.isoformat(), one.isoformat())
    assert births(one.isoformat(), one.isoformat()).how == "same"


@given(st.text("abcdeilnorst018", max_size=12), st.text("abcdeilnorst018", max_size=12))
def test_slips_are_counted_alike_in_both_directions(one: str, other: str) -> None:
    assert slips(one, other) == slips(other, one)
    assert slips(one, one) == 0


NPI = f"123456789{check_digit('123456789')}"
OTHER_NPI = f"198765432{check_digit('198765432')}"
BO = Provider("p1", NPI, "Lindqvist", "Bo", phones=("614-555-0110",), faxes=("614-555-0111",))


def outcome_of(printed: Printed, *providers: Provider) -> str:
    return match_provider(printed, providers or (BO,)).outcome


@pytest.mark.parametrize(
    ("printed", "outcome"),
    [
        (Printed("Bo Lindqvist, MD", npi=NPI), "matched"),
        (Printed("", npi=NPI), "matched"),
        (Printed("Dr. Odette Montrose", npi=NPI), "near"),
        (Printed("Bo Lindqvist"), "near"),
        (Printed("Bo Lindqvist", phones=("614-555-0110",)), "matched"),
        (Printed("Bo Lindqvlst", faxes=("614-555-0111",)), "matched"),
        (Printed("Bo Lindqvist", phones=("614-555-0110",), npi=OTHER_NPI), "near"),
        (Printed("Odette Montrose", phones=("614-555-0110",)), "none"),
    ],
)
def test_a_provider_is_matched_by_npi_or_name_and_number_never_by_name_alone(
    printed: Printed, outcome: str
) -> None:
    assert outcome_of(printed) == outcome


def test_two_places_of_one_npi_are_told_apart_by_telephone() -> None:
    other = BO._replace(canonical_id="p2", phones=("312-555-0150",), faxes=())
    assert outcome_of(Printed("Bo Lindqvist", npi=NPI), BO, other) == "ambiguous"
    found = match_provider(Printed("Bo Lindqvist", npi=NPI, phones=("312-555-0150",)), (BO, other))
    assert found.outcome == "matched"
    assert found.best is not None
    assert found.best.provider.canonical_id == "p2"


TEXAS = Payer("tx", ("Blue Harbor Health Plan of Texas",), patterns=(r"XZ\d{9}",))
TENNESSEE = Payer("tn", ("Blue Harbor Health Plan of Tennessee", "BHHP TN"))
PLANS = PayerNames((TEXAS, TENNESSEE, Payer("nw", ("Northwind Mutual Insurance Co.",))))


@pytest.mark.parametrize(
    ("name", "outcome", "payer"),
    [
        ("BLUE HARBOR HEALTH PLAN OF TEXAS, INC.", "matched", "tx"),
        ("bhhp tn", "matched", "tn"),
        ("Northw1nd Mutual lnsurance", "matched", "nw"),
        ("Blue Harbor Health P1an of Tcnnessee", "matched", "tn"),
        ("Blue Harbor Health Plan of Kansas", "ambiguous", None),
        ("Evergreen Community Care", "none", None),
    ],
)
def test_payers_are_matched_by_name_and_another_state_is_another_payer(
    name: str, outcome: str, payer: str | None
) -> None:
    found = PLANS.match(Printed(name))
    assert found.outcome == outcome
    if payer:
        assert found.best is not None
        assert found.best.canonical_id == payer


def test_a_number_is_held_against_the_payers_pattern() -> None:
    assert fits(TEXAS, "XZ527418096")
    assert fits(TEXAS, "xz 527 418 096")
    assert not fits(TEXAS, "KK527418096")
    assert not fits(TEXAS, "XZ52741809O")
    assert fits_misread(TEXAS, "XZ52741809O")
    assert not fits_misread(TEXAS, "KK52741809O")
    assert fits(TENNESSEE, "anything")

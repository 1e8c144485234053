# SPDX-License-Identifier: Apache-2.0
"""Figures of the review: what they say, and what is held back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.figures import ALL, Limits, middle, of_everybody, of_fields, of_person
from idp.reviewing import Outcome, ReviewWork, SecondLook, Touched

AT = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
LIMITS = Limits(people=3, documents=30)
OPEN = Limits(people=1, documents=10)


def piece(
    number: int,
    who: str = "ann",
    type_: str = "referral",
    seconds: float = 40.0,
    outcome: Outcome = Outcome.APPLIED,
    **outcomes: dict[str, int],
) -> ReviewWork:
    return ReviewWork(f"d{number}", type_, who, AT, seconds, outcome, outcomes)


def look(number: int, one: str = "ann", two: str = "bob", **fields: Touched) -> SecondLook:
    return SecondLook(
        document_id=f"d{number}",
        type="referral",
        base_sha256="",
        first_by=one,
        second_by=two,
        agreed=all(each.agrees for each in fields.values()),
        fields=fields,
    )


def test_a_group_of_fewer_people_than_asked_for_shows_its_number_alone() -> None:
    work = [piece(n, who) for n, who in enumerate(["ann", "bob"] * 50)]
    (of_type, overall) = of_everybody(work, [], LIMITS)
    for each in (of_type, overall):
        shown = dataclasses.asdict(each)
        assert (shown.pop("documents"), shown.pop("people")) == (100, 2)
        assert "fewer than 3 people" in shown.pop("withheld")
        shown.pop("name")
        assert not any(shown.values())
    work.append(piece(101, "cat"))
    assert of_everybody(work, [], LIMITS)[-1].seconds is not None


def test_a_person_with_few_documents_shows_their_number_alone() -> None:
    work = [piece(n, who) for n in range(29) for who in ("ann", "bob", "cat")]
    found = of_person("ann", work, [], LIMITS)
    assert (found.documents, found.seconds, found.corrected) == (29, None, None)
    assert "29" not in found.withheld
    assert of_person("ann", [*work, piece(99)], [], LIMITS).seconds is not None


def test_a_person_with_harder_documents_stands_beside_what_those_take_everybody() -> None:
    work = []
    for start, who, easy in ((0, "ann", 10), (100, "bob", 90), (200, "cat", 90)):
        for number in range(start, start + 100):
            quick = number < start + easy
            seconds = 20.0 if quick else 200.0
            kind = "referral" if quick else "remittance_eob"
            work.append(piece(number, who, kind, seconds))
    slow = of_person("ann", work, [], LIMITS)
    fast = of_person("bob", work, [], LIMITS)
    assert slow.seconds is not None
    assert fast.seconds is not None
    assert slow.seconds.median > fast.seconds.median
    # Each takes just what is usual for the types that they get: neither is slow.
    assert slow.of_usual == fast.of_usual == (1.0, 1.0, 1.0, 1.0)


def test_what_two_people_do_is_nothing_usual() -> None:
    work = [piece(n, who, "referral") for n in range(40) for who in ("ann", "bob")]
    assert of_person("ann", work, [], LIMITS).of_usual is None
    work += [piece(99, "cat", "referral", 80.0)]
    found = of_person("cat", work, [], Limits(people=3, documents=1))
    assert found.of_usual is None  # one document
    assert of_person("ann", work, [], LIMITS).of_usual == (1.0, 1.0, 1.0, 1.0)


def test_a_document_that_came_back_is_one_document_with_all_its_time() -> None:
    work = [piece(n) for n in range(19)]
    work += [
        piece(99, outcome=Outcome.CAME_BACK, seconds=100, npi={"changed": 1}),
        piece(99, seconds=60, npi={"confirmed": 1}),
    ]
    found = of_person("ann", work, [], OPEN)
    assert found.documents == 20
    assert found.seconds is not None
    assert found.seconds.median == 40
    assert found.came_back is not None
    assert found.came_back.share == 1 / 20
    assert found.corrections == 1 / 20


def test_corrections_are_a_share_of_what_was_asked() -> None:
    work = [
        piece(n, npi={"confirmed": 3, "changed": 1}, name={"confirmed_absent": 1, "added": 1})
        for n in range(20)
    ]
    found = of_person("ann", work, [], OPEN)
    assert found.corrected is not None
    assert found.corrected.share == pytest.approx(2 / 5)
    npi, name = sorted(of_fields(work, [], OPEN), key=lambda each: each.name, reverse=True)
    assert npi.corrected is not None
    assert name.corrected is not None
    assert (npi.corrected.share, name.corrected.share) == (0.25, 1.0)


def test_agreement_is_told_as_it_is_and_beyond_chance() -> None:
    kept, changed, one = Touched.BOTH_KEPT, Touched.BOTH_CHANGED, Touched.ONE_CHANGED
    looks = [look(n, name=kept if n < 80 else changed if n < 90 else one) for n in range(100)]
    (found,) = of_fields([], looks, OPEN)
    assert found.agreed is not None
    assert found.agreed.share == 0.9
    chance = 0.85**2
    assert found.kappa == pytest.approx((0.9 - chance) / (1 - chance))
    assert found.twice == 100


def test_two_who_leave_everything_as_it_was_read_agree_by_chance_alone() -> None:
    (found,) = of_fields([], [look(n, name=Touched.BOTH_KEPT) for n in range(50)], OPEN)
    assert found.agreed is not None
    assert (found.agreed.share, found.kappa) == (1.0, None)


def test_a_persons_agreement_is_of_the_documents_that_they_looked_at() -> None:
    work = [piece(n, who) for n in range(40) for who in ("ann", "bob", "cat")]
    looks = [look(n, "ann", "bob", name=Touched.BOTH_KEPT) for n in range(10)]
    looks += [look(n, "bob", "cat", name=Touched.DIFFERENT) for n in range(10, 30)]
    assert of_person("ann", work, looks, LIMITS).twice == 10
    assert of_person("bob", work, looks, LIMITS).twice == 30
    ann = of_person("ann", work, looks, LIMITS).agreed
    cat = of_person("cat", work, looks, LIMITS).agreed
    assert ann is not None
    assert cat is not None
    assert (ann.share, cat.share) == (1.0, 0.0)


def test_the_order_of_types_tells_nothing() -> None:
    work = [piece(n, who, kind) for n in range(9) for who in "abc" for kind in ("z", "a", "m")]
    assert [each.name for each in of_everybody(work, [], LIMITS)] == ["a", "m", "z", ALL]


def test_the_interval_of_a_median_holds_it_as_often_as_it_says() -> None:
    draw = random.Random(11)
    held = 0
    for _ in range(2000):
        found = middle([draw.expovariate(1 / 60) for _ in range(30)])
        assert found is not None
        held += found.low <= 60 * 0.6931471805599453 <= found.high
    assert 0.94 < held / 2000 < 0.99


@given(st.lists(st.floats(0.1, 1e5), min_size=6, max_size=200))
def test_a_median_lies_in_its_interval_and_below_the_ninetieth(seconds: list[float]) -> None:
    found = middle(seconds)
    assert found is not None
    assert min(seconds) <= found.low <= found.median <= found.high <= max(seconds)
    assert found.median <= found.p90


def test_of_five_documents_no_interval_is_told() -> None:
    assert middle([1.0] * 5) is None

# SPDX-License-Identifier: Apache-2.0
"""Whether the documents of a week are like those before it."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.learning import Seen, Week, signature, weeks
from idp.learning.drift import EDGES, classes, psi
from training.synthesise import make_one

NOW = dt.datetime(2026, 3, 30, tzinfo=dt.UTC)
COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=10)


def seen(number: int, days_ago: float, confidence: float = 0.95, **more) -> Seen:
    values = {
        "document_id": f"d{number:04d}",
        "at": NOW - dt.timedelta(days=days_ago),
        "type": "referral",
        "layout": "",
        "confidences": {"npi": confidence, "member_id": confidence},
        "missing": (),
    }
    return Seen(**(values | more))


def report(documents, corrected=None, **more) -> list[Week]:
    options = {
        "until": NOW,
        "count": 1,
        "reference_weeks": 4,
        "threshold": 0.25,
        "least_documents": 20,
    }
    return weeks(documents, corrected or {}, **(options | more))


def test_the_index_is_that_of_the_textbook() -> None:
    # Without the half that keeps empty classes finite: (.6-.5)ln(.6/.5) + (.4-.5)ln(.4/.5).
    wanted = 0.1 * math.log(1.2) - 0.1 * math.log(0.8)
    assert psi([60_000, 40_000], [50_000, 50_000]) == pytest.approx(wanted, abs=1e-4)


@given(COUNTS)
def test_the_same_distribution_has_no_shift(counts: list[int]) -> None:
    assert psi(counts, counts) == pytest.approx(0)


@given(st.data())
def test_a_shift_is_never_negative_and_the_same_both_ways(data: st.DataObject) -> None:
    one = data.draw(COUNTS)
    two = data.draw(st.lists(st.integers(0, 500), min_size=len(one), max_size=len(one)))
    assert psi(one, two) >= 0
    assert psi(one, two) == pytest.approx(psi(two, one))


def test_confidences_on_an_edge_belong_above_it() -> None:
    assert classes([0.0, EDGES[0], 1.0]) == [1, 1, *[0] * (len(EDGES) - 2), 1]


def test_a_steady_week_does_not_warn() -> None:
    documents = [seen(n, n % 35, 0.9 + (n % 7) / 100) for n in range(350)]
    assert not any(week.warns for week in report(documents))


def test_less_sure_fields_warn_and_nothing_else_does() -> None:
    documents = [seen(n, 8 + n % 27, 0.97) for n in range(100)]
    documents += [seen(100 + n, n % 7, 0.72) for n in range(40)]
    week = next(w for w in report(documents) if w.type == "referral")
    assert week.measures["confidence"].warns
    assert not week.measures["missing"].warns
    assert (week.documents, week.reference_documents) == (40, 100)


def test_more_missing_fields_and_more_corrections_warn() -> None:
    documents = [seen(n, 8 + n % 27) for n in range(100)]
    documents += [seen(100 + n, n % 7, missing=("dob", "payer_name")) for n in range(40)]
    corrected = {d.document_id: (0, 2) for d in documents[:100]}
    corrected |= {d.document_id: (1, 2) for d in documents[100:]}
    week = report(documents, corrected)[0]
    assert week.measures["missing"].warns
    assert week.measures["missing"].now == 0.5
    assert week.measures["corrected"].warns
    assert week.measures["corrected"].now == 0.5
    assert not week.measures["confidence"].warns


def test_layouts_never_met_before_are_told_from_known_ones() -> None:
    known = signature([make_one("referral", "train", 1, 0).pages[0].page])
    fresh = signature([make_one("referral", "train", 2, 0).pages[0].page])
    documents = [seen(n, 8 + n % 27, layout=known) for n in range(100)]
    steady = [seen(200 + n, n % 7, layout=known) for n in range(30)]
    new = [seen(300 + n, n % 7, layout=fresh) for n in range(10)]
    week = report(documents + steady + new)[0]
    assert week.measures["unseen_layout"].now == 0.25
    assert week.measures["unseen_layout"].warns
    assert report(documents + steady)[0].measures["unseen_layout"].now == 0


def test_few_documents_are_not_judged() -> None:
    documents = [seen(n, 8 + n % 27, 0.97) for n in range(100)]
    documents += [seen(100 + n, 1, 0.4) for n in range(5)]
    week = report(documents)[0]
    assert not week.enough
    assert not week.warns
    assert week.measures["confidence"].psi > 1


def test_types_are_judged_by_themselves() -> None:
    documents = [seen(n, 8 + n % 27, 0.97, type=t) for n in range(200) for t in ("a", "b")]
    documents += [seen(500 + n, 1, 0.97, type="a") for n in range(40)]
    documents += [seen(600 + n, 1, 0.5, type="b") for n in range(40)]
    warned = {week.type for week in report(documents) if week.warns}
    assert "b" in warned
    assert "a" not in warned


def test_each_of_several_weeks_has_the_weeks_before_it_as_reference() -> None:
    documents = [seen(n, 0.1 + n % 42) for n in range(420)]
    found = [w for w in report(documents, count=2) if w.type == "all"]
    assert [w.documents for w in found] == [70, 70]
    assert [w.reference_documents for w in found] == [280, 280]
    assert found[1].begins - found[0].begins == dt.timedelta(weeks=1)

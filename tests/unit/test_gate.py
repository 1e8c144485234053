# SPDX-License-Identifier: Apache-2.0
"""Champion against challenger: counts in, a verdict out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.learning import Compared, Counts, Evaluation, FieldPair, evaluate, judge
from idp.learning.gate import LAYOUTS_TO_DRAW, bootstrap
from idp.slices import GateSettings

POLICY = GateSettings(min_documents=10, layout_documents=3, field_documents=10, draws=300)


def document(number: int, one: Counts, two: Counts, layout: str = "a", field: str = "npi"):
    pair = FieldPair(champion=one, challenger=two)
    return Compared(name=f"d{number}", layout=layout, type="referral", fields={field: pair})


def evaluated(documents: list[Compared]) -> Evaluation:
    return evaluate(
        documents,
        challenger="fields-2",
        champion="fields-1",
        set_name="locked",
        set_sha256="0" * 64,
        kind="synthetic",
        at="2026-03-01T00:00:00+00:00",
        draws=POLICY.draws,
    )


RIGHT, WRONG, MISSED = Counts(right=1), Counts(many=1, few=1), Counts(few=1)


def test_a_wrong_value_counts_twice_and_a_missed_one_once() -> None:
    assert (RIGHT + WRONG).f1 == pytest.approx(0.5)
    assert (RIGHT + MISSED).f1 == pytest.approx(2 / 3)
    assert (RIGHT + MISSED).precision == 1
    assert Counts().f1 == 1, "nothing to find and nothing found"


def test_the_difference_is_that_of_all_values_together() -> None:
    found = evaluated(
        [document(n, RIGHT, WRONG if n < 5 else RIGHT, layout=f"l{n}") for n in range(20)]
    )
    assert found.overall.champion == 1
    assert found.overall.challenger == pytest.approx(0.75)
    assert found.overall.difference == pytest.approx(-0.25)
    assert found.precision == (1.0, 0.75)
    assert found.layouts["l3"].difference == -1
    assert found.layouts["l9"].difference == 0


def test_layouts_are_drawn_where_there_are_enough_and_else_documents() -> None:
    many = [document(n, RIGHT, RIGHT, layout=f"l{n % LAYOUTS_TO_DRAW}") for n in range(40)]
    few = [document(n, RIGHT, RIGHT, layout=f"l{n % 2}") for n in range(40)]
    assert bootstrap(many, 200)[2] == "layouts"
    assert bootstrap(few, 200)[2] == "documents"


def test_errors_of_one_layout_widen_the_interval_more_than_scattered_ones() -> None:
    def made(is_wrong) -> list[Compared]:
        return [
            document(n, RIGHT, WRONG if is_wrong(n) else RIGHT, layout=f"l{n // 10}")
            for n in range(100)
        ]

    low_scattered, high_scattered, _ = bootstrap(made(lambda n: n % 10 == 0), 1000)
    low_together, high_together, _ = bootstrap(made(lambda n: n < 10), 1000)
    assert high_together - low_together > 2 * (high_scattered - low_scattered)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_the_interval_of_a_model_with_itself_is_nothing(pairs: list[tuple[int, int]]) -> None:
    same = [Counts(right=r, many=m, few=m) for r, m in pairs]
    documents = [document(n, c, c, layout=f"l{n}") for n, c in enumerate(same)]
    assert bootstrap(documents, 200)[:2] == (0, 0)


def test_the_interval_holds_the_difference() -> None:
    documents = [
        document(n, RIGHT if n % 3 else WRONG, RIGHT if n % 4 else MISSED, layout=f"l{n % 12}")
        for n in range(120)
    ]
    found = evaluated(documents).overall
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.difference <= found.high
    assert found.low < found.high


def test_the_same_documents_give_the_same_interval() -> None:
    documents = [document(n, RIGHT, WRONG if n % 5 else RIGHT) for n in range(30)]
    assert bootstrap(documents, 500) == bootstrap(documents, 500)


def test_nothing_measured_is_not_passed() -> None:
    verdict = judge([], POLICY)
    assert not verdict.passed
    assert "never measured" in verdict.reasons[0]


def test_a_better_challenger_passes_and_the_record_says_on_what() -> None:
    verdict = judge(
        [evaluated([document(n, WRONG if n < 4 else RIGHT, RIGHT) for n in range(20)])], POLICY
    )
    assert verdict.passed
    assert "20 synthetic documents" in verdict.reasons[0]


def test_too_small_a_set_proves_nothing() -> None:
    verdict = judge([evaluated([document(n, WRONG, RIGHT) for n in range(9)])], POLICY)
    assert not verdict.passed
    assert "9 documents" in verdict.reasons[0]


def test_a_drop_of_the_limit_is_within_it_and_more_is_refused() -> None:
    def dropping(count: int) -> Evaluation:
        # Each layout has one document: only the whole set is judged.
        return evaluated(
            [document(n, RIGHT, MISSED if n < count else RIGHT, layout=f"l{n}") for n in range(201)]
        )

    at_limit = dropping(2)
    assert at_limit.overall.difference == pytest.approx(-0.005, abs=1e-4)
    assert judge([at_limit], POLICY).passed
    assert not judge([dropping(4)], POLICY).passed


def test_one_layout_that_falls_refuses_a_challenger_that_is_better_on_the_whole() -> None:
    documents = [document(n, WRONG, RIGHT, layout=f"l{n}") for n in range(30)]
    documents += [document(100 + n, RIGHT, WRONG, layout="known form") for n in range(3)]
    found = evaluated(documents)
    assert found.overall.difference > 0
    verdict = judge([found], POLICY)
    assert not verdict.passed
    assert "known form" in verdict.reasons[0]


def test_one_field_that_falls_refuses_too() -> None:
    documents = [document(n, WRONG, RIGHT, layout=f"l{n}") for n in range(60)]
    documents += [
        document(100 + n, RIGHT, WRONG if n < 2 else RIGHT, layout=f"m{n}", field="member_id")
        for n in range(12)
    ]
    verdict = judge([evaluated(documents)], POLICY)
    assert not verdict.passed
    assert "member_id" in verdict.reasons[0]


def test_every_set_has_to_be_passed() -> None:
    good = evaluated([document(n, WRONG, RIGHT) for n in range(20)])
    bad = evaluated([document(n, RIGHT, WRONG) for n in range(20)])
    assert judge([good], POLICY).passed
    assert not judge([good, bad], POLICY).passed

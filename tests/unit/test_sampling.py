# SPDX-License-Identifier: Apache-2.0
"""The quality sample is drawn fairly and secretly, and its figures are exact."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.sampling import clustered_interval, exact_interval, is_drawn, upper_bound

KEY, OTHER = b"one", b"two"
NAMES = [f"{number:064x}//1" for number in range(20_000)]


def test_about_the_share_asked_for_is_drawn() -> None:
    drawn = sum(is_drawn(KEY, name, 0.02) for name in NAMES)
    assert 340 <= drawn <= 460  # three standard deviations around 400


def test_another_installation_draws_others() -> None:
    one = {name for name in NAMES if is_drawn(KEY, name, 0.02)}
    other = {name for name in NAMES if is_drawn(OTHER, name, 0.02)}
    assert len(one & other) < 25


@settings(max_examples=30, deadline=None)
@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_what_is_drawn_stays_drawn_when_the_share_grows(name: str, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert not is_drawn(KEY, name, low) or is_drawn(KEY, name, high)
    assert not is_drawn(KEY, name, 0)
    assert is_drawn(KEY, name, 1)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # R: binom.test(hits, of)$conf.int
        (0, 50, 0.0, 0.07112173646),
        (1, 30, 0.0008435709266, 0.1721694556),
        (5, 100, 0.01643187918, 0.1128349111),
        (30, 30, 0.8842966918, 1.0),
        (3, 824, 0.0007514459, 0.0106027164),
    ],
)
def test_the_interval_of_documents_is_clopper_and_pearsons(
    hits: int, of: int, low: float, high: float
) -> None:
    interval = exact_interval(hits, of)
    assert interval is not None
    assert interval == pytest.approx((hits / of, low, high), abs=1e-9)


def test_nothing_is_said_of_nothing() -> None:
    assert exact_interval(0, 0) is None
    assert clustered_interval([]) is None
    assert clustered_interval([(0, 0)]) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_the_share_and_the_one_sided_bound_is_nearer(
    pair: tuple[int, int],
) -> None:
    hits, of = pair
    interval = exact_interval(hits, of)
    assert interval is not None
    assert 0 <= interval.low <= interval.share <= interval.high <= 1
    assert interval.share <= upper_bound(hits, of) <= interval.high + 1e-9


def test_values_that_err_together_tell_less() -> None:
    apart = clustered_interval([(1, 10)] * 10 + [(0, 10)] * 90)
    together = clustered_interval([(10, 10)] + [(0, 10)] * 99)
    assert apart is not None
    assert together is not None
    assert apart.share == together.share
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_no_error_in_many_values_of_few_documents_proves_little() -> None:
    interval = clustered_interval([(0, 100)] * 10)
    assert interval is not None
    assert interval.high > 0.2

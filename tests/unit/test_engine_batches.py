# SPDX-License-Identifier: Apache-2.0
"""Requests of several threads run as one, and each gets what it would have got alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from idp.read.engine_batches import Array, Batches


class Sums:
    """A network that is easy to check: halves the width by adding neighbours."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, x: list[Array] | Array) -> list[Array]:
        (array,) = x
        self.shapes.append(array.shape)
        flat = array.sum(axis=(1, 2))
        even = flat[:, : flat.shape[1] // 2 * 2]
        return [even.reshape(len(flat), -1, 2).sum(axis=2)[..., None]]


def halved(width: int) -> int:
    return width // 2


def lines(rows: int, width: int, seed: int) -> Array:
    return np.random.default_rng(seed).random((rows, 3, 4, width), np.float32) + 1


def together(batches: Batches, arrays: list[Array]) -> list[Array]:
    ready = threading.Barrier(len(arrays))

    def ask(array: Array) -> Array:
        ready.wait()
        return batches([array])[0]

    with ThreadPoolExecutor(len(arrays)) as threads:
        return list(threads.map(ask, arrays))


def test_requests_at_the_same_time_run_as_one() -> None:
    network = Sums()
    batches = Batches(network, most=12, wait_seconds=5)
    arrays = [lines(6, 40, 1), lines(6, 40, 2)]
    answers = together(batches, arrays)
    assert network.shapes == [(12, 3, 4, 40)]
    for array, answer in zip(arrays, answers, strict=True):
        np.testing.assert_array_equal(answer, Sums()([array])[0])


def test_lines_of_different_widths_are_filled_up_and_cut_back() -> None:
    network = Sums()
    batches = Batches(network, most=12, steps=halved, wait_seconds=5)
    arrays = [lines(6, 40, 1), lines(6, 48, 2)]
    answers = together(batches, arrays)
    assert network.shapes == [(12, 3, 4, 48)]
    for array, answer in zip(arrays, answers, strict=True):
        np.testing.assert_array_equal(answer, Sums()([array])[0])


@pytest.mark.parametrize(("steps", "width"), [(None, 48), (halved, 80)])
def test_what_does_not_fit_runs_alone(steps: Callable[[int], int] | None, width: int) -> None:
    network = Sums()
    batches = Batches(network, most=12, steps=steps, wait_seconds=0.05)
    arrays = [lines(6, 40, 1), lines(6, width, 2)]
    answers = together(batches, arrays)
    assert sorted(network.shapes) == [(6, 3, 4, 40), (6, 3, 4, width)]
    for array, answer in zip(arrays, answers, strict=True):
        np.testing.assert_array_equal(answer, Sums()([array])[0])


def test_a_run_has_at_most_so_many_rows() -> None:
    network = Sums()
    batches = Batches(network, most=12, wait_seconds=0.2)
    answers = together(batches, [lines(6, 40, seed) for seed in range(5)])
    assert len(answers) == 5
    assert sum(shape[0] for shape in network.shapes) == 30
    assert max(shape[0] for shape in network.shapes) <= 12


def test_a_lonely_request_does_not_wait_for_ever() -> None:
    network = Sums()
    batches = Batches(network, most=60, wait_seconds=0.01)
    np.testing.assert_array_equal(batches(lines(2, 40, 1))[0], Sums()([lines(2, 40, 1)])[0])


def test_an_error_reaches_everybody_who_asked_and_the_next_run_goes_on() -> None:
    def broken(x: list[Array] | Array) -> list[Array]:
        raise ValueError("no such kernel")

    batches = Batches(broken, most=12, wait_seconds=5)
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(batches, [lines(6, 40, seed)]) for seed in (1, 2)]
        for future in asked:
            with pytest.raises(ValueError, match="kernel"):
                future.result()


def test_many_threads_all_get_their_own_answers() -> None:
    batches = Batches(Sums(), most=24, steps=halved, wait_seconds=0.002)
    arrays = [lines(1 + seed % 6, 40 + seed % 9, seed) for seed in range(200)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda array: batches([array])[0], arrays))
    for array, answer in zip(arrays, answers, strict=True):
        np.testing.assert_allclose(answer, Sums()([array])[0], rtol=1e-6)
    assert batches.requests == 200
    assert batches.runs < 200

# SPDX-License-Identifier: Apache-2.0
"""What several threads want done at the same moment is done in one go, and nobody waits alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.deliver.odoo.together import Together

PATIENCE_SECONDS = 20.0


class Work:
    """Doubles numbers; the first go waits until it is let go."""

    def __init__(self) -> None:
        self.goes: list[list[int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.goes.append(list(items))
        self.begun.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        if 13 in items:
            raise ValueError("thirteen")
        return [2 * item for item in items]


def test_one_alone_is_done_at_once() -> None:
    work = Work()
    work.go_on.set()
    assert Together(work, 5)(4) == 8
    assert work.goes == [[4]]


def test_who_comes_meanwhile_goes_along_with_the_next_and_each_gets_his_own() -> None:
    work = Work()
    together = Together(work, 3)
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(together, 0)
        assert work.begun.wait(PATIENCE_SECONDS)
        others = [threads.submit(together, number) for number in range(1, 6)]
        while len(together._queue) < 5:
            threading.Event().wait(0.01)
        work.go_on.set()
        assert first.result(PATIENCE_SECONDS) == 0
        assert [each.result(PATIENCE_SECONDS) for each in others] == [2, 4, 6, 8, 10]
    assert [len(go) for go in work.goes] == [1, 3, 2]


def test_what_a_go_raises_all_of_it_learn_and_the_next_is_done() -> None:
    work = Work()
    together = Together(work, 5)
    work.go_on.set()
    with pytest.raises(ValueError, match="thirteen"):
        together(13)
    assert together(4) == 8

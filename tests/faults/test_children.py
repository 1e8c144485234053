# SPDX-License-Identifier: Apache-2.0
"""Children that die, hang, or eat all memory cost their own call and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from idp.children import Children, Limits
from idp.errors import DamagedFileError, IdpError, ParserCrashedError, TooSlowError
from tests.faults import hostile


@pytest.fixture
def children() -> Iterator[Children]:
    with Children(workers=1, limits=Limits(seconds=2, memory_mb=512)) as pool:
        yield pool


def test_results_come_back_in_the_order_of_the_items() -> None:
    with Children(workers=2, limits=Limits(seconds=10, memory_mb=512)) as pool:
        assert pool.map(hostile.double, [1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]


def test_a_killed_child_is_a_crash_and_the_pool_goes_on(children: Children) -> None:
    with pytest.raises(ParserCrashedError):
        children.call(hostile.die)
    assert children.call(hostile.double, 21) == 42


def test_a_hanging_child_is_too_slow_is_killed_and_the_pool_goes_on(children: Children) -> None:
    pid = children.call(hostile.own_pid)
    started = time.monotonic()
    with pytest.raises(TooSlowError):
        children.call(hostile.hang)
    assert time.monotonic() - started < 10
    assert children.call(hostile.double, 21) == 42
    assert not psutil.pid_exists(pid)


def test_a_child_out_of_address_space_is_a_crash_and_the_pool_goes_on() -> None:
    with Children(workers=1, limits=Limits(seconds=60, memory_mb=512)) as pool:
        with pytest.raises(ParserCrashedError, match="512 MB"):
            pool.call(hostile.eat_memory)
        assert pool.call(hostile.double, 21) == 42
        assert pool.health.killed_for_memory == 1


def test_a_child_that_outgrows_its_resident_memory_is_ended() -> None:
    limits = Limits(seconds=30, memory_mb=200, memory="resident")
    with Children(workers=1, limits=limits) as pool:
        with pytest.raises(ParserCrashedError, match="200 MB"):
            pool.call(hostile.eat_memory_resident)
        assert pool.call(hostile.double, 21) == 42
        assert pool.health.killed_for_memory == 1


def test_a_child_over_its_soft_limit_hands_in_its_result_and_is_replaced() -> None:
    limits = Limits(seconds=60, memory_mb=2048, memory="resident", soft_memory_mb=200)
    with Children(workers=1, limits=limits) as pool:
        small = pool.call(hostile.own_pid)
        assert pool.call(hostile.grow, 10) == (small, 10)
        assert pool.call(hostile.grow, 300) == (small, 300)
        assert pool.call(hostile.own_pid) != small
        health = pool.health
    assert not psutil.pid_exists(small)
    assert health.calls == 4
    assert health.replaced_for_memory == 1
    assert health.replaced_after_calls == 0
    assert 300 <= health.largest_mb < 2048


def test_every_child_warms_up_before_its_first_call_also_a_replacement(tmp_path: Path) -> None:
    limits = Limits(seconds=10, memory_mb=512, calls_per_process=1)
    notes = tmp_path / "warm"
    with Children(2, limits, warm_up=(hostile.note_pid, (str(notes),))) as pool:
        pool.warm_up()
        first = set(notes.read_text().split())
        assert len(first) == 2
        pids = pool.map(hostile.own_pid, [0, 1, 2, 3])
    assert len(set(pids)) == 4
    assert {str(pid) for pid in pids} <= set(notes.read_text().split())


def test_a_warm_up_that_fails_says_why() -> None:
    limits = Limits(seconds=10, memory_mb=512)
    with (
        Children(1, limits, warm_up=(hostile.raise_coded, ())) as pool,
        pytest.raises(DamagedFileError, match="page 3"),
    ):
        pool.warm_up()


def test_a_long_warm_up_is_not_counted_against_the_first_call() -> None:
    limits = Limits(seconds=1, memory_mb=512)
    with Children(1, limits, warm_up=(hostile.sleep, (2.5,))) as pool:
        assert pool.call(hostile.double, 21) == 42


def test_when_one_call_of_many_fails_the_others_at_work_are_ended() -> None:
    with Children(workers=2, limits=Limits(seconds=120, memory_mb=512)) as pool:
        pool.map(hostile.own_pid, [0, 1])
        started = time.monotonic()
        with pytest.raises(ParserCrashedError):
            pool.map(hostile.misbehave, ["die", "hang", "hang", "hang"])
        assert time.monotonic() - started < 30
        assert pool.map(hostile.misbehave, ["good", "better"]) == [4, 6]


def test_health_counts_what_became_of_the_children(children: Children) -> None:
    children.call(hostile.double, 1)
    with pytest.raises(TooSlowError):
        children.call(hostile.hang)
    with pytest.raises(ParserCrashedError):
        children.call(hostile.die)
    with pytest.raises(DamagedFileError):
        children.call(hostile.raise_coded)
    health = children.health
    assert (health.workers, health.calls) == (1, 2)
    assert (health.killed_too_slow, health.died, health.killed_for_memory) == (1, 1, 0)


def test_a_coded_error_arrives_whole(children: Children) -> None:
    with pytest.raises(DamagedFileError) as caught:
        children.call(hostile.raise_coded)
    assert caught.value.message == "page 3 is cut off"
    assert caught.value.operator_hint == "send page 3 again"


def test_any_other_error_is_a_crash_that_repeats_nothing_of_its_message(
    children: Children,
) -> None:
    with pytest.raises(ParserCrashedError) as caught:
        children.call(hostile.raise_other)
    assert "RuntimeError" in caught.value.message
    assert "patient" not in caught.value.message


def test_one_bad_item_of_many_does_not_hurt_the_next_batch(children: Children) -> None:
    with pytest.raises(ParserCrashedError):
        children.map(hostile.misbehave, ["good", "die", "good"])
    assert children.map(hostile.misbehave, ["good", "better"]) == [4, 6]


def test_a_child_is_replaced_after_so_many_calls() -> None:
    limits = Limits(seconds=10, memory_mb=512, calls_per_process=2)
    with Children(workers=1, limits=limits) as pool:
        pids = [pool.call(hostile.own_pid) for _ in range(4)]
    assert len(set(pids)) == 2


def test_children_run_single_threaded(children: Children) -> None:
    assert children.call(hostile.threads_allowed) == "1"


def test_a_pool_whose_idle_child_was_killed_starts_another(children: Children) -> None:
    os.kill(children.call(hostile.own_pid), signal.SIGKILL)
    time.sleep(1)
    assert children.call(hostile.double, 21) == 42


def test_closing_ends_every_child() -> None:
    with Children(workers=2, limits=Limits(seconds=10, memory_mb=512)) as pool:
        pids = pool.map(hostile.own_pid, [0, 1, 2, 3])
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with pytest.raises(ParserCrashedError):
        pool.call(hostile.double, 1)


SCRIPT = """
import signal, sys, time
from idp.children import Children, Limits
from tests.faults import hostile
if __name__ == "__main__":
    # A test run started in the background of a shell inherits an ignored Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pool = Children(workers=1, limits=Limits(seconds=300, memory_mb=512))
    print(pool.call(hostile.own_pid), flush=True)
    if sys.argv[1] == "wait":
        pool.call(hostile.hang)
    time.sleep(300)
"""


@pytest.mark.parametrize(
    ("sent", "doing"),
    [(signal.SIGINT, "wait"), (signal.SIGINT, "idle"), (signal.SIGKILL, "wait")],
)
def test_no_child_outlives_its_parent(tmp_path: Path, sent: signal.Signals, doing: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, str(script), doing],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.send_signal(sent)
    parent.wait(timeout=30)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(child)


def test_a_fault_of_ours_is_not_blamed_on_the_file() -> None:
    limits = Limits(seconds=10, memory_mb=512, input_is_hostile=False)
    with (
        Children(workers=1, limits=limits) as pool,
        pytest.raises(Exception, match=r".") as caught,
    ):
        pool.call(hostile.raise_other)
    assert not isinstance(caught.value, IdpError)

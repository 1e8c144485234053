# SPDX-License-Identifier: Apache-2.0
"""Killed anywhere, started again: the same set, each once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from idp.store import State
from idp.store.tables import Base
from tests.faults.running import (
    Running,
    count,
    drop,
    open_store,
    settled,
    states,
    wait_until,
)

pytestmark = pytest.mark.component


def test_kills_in_the_middle_lose_and_double_nothing(tmp_path):
    expected = {f"f{number}.tif": 1 + number % 2 for number in range(12)}
    for name, pages in expected.items():
        drop(tmp_path, name, f"{name} {'page ' * pages}".encode())
    for seconds in (0.9, 1.3):
        running = Running(tmp_path, seconds=0.3).wait_ready()
        time.sleep(seconds)
        running.kill()
    with Running(tmp_path):
        wait_until(lambda: settled(tmp_path, sum(expected.values())))
    found = count(tmp_path, expected)
    assert (found.lost, found.doubled, found.broken_record) == (0, 0, None)
    assert found.states == {"delivered": sum(expected.values())}


def test_emptied_engine_tables_lose_nothing(tmp_path):
    expected = {f"f{number}.tif": 1 for number in range(6)}
    for name in expected:
        drop(tmp_path, name, f"{name} page".encode())
    with Running(tmp_path, seconds=30):
        wait_until(lambda: states(tmp_path)[State.PROCESSING] >= 4)
        wait_until(lambda: states(tmp_path).total() == 6)
    with sqlite3.connect(tmp_path / "idp.sqlite") as database:
        ours = {*Base.metadata.tables, "idp_version"}
        tables = {
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }
        assert "workflow_status" in tables
        for table in tables - ours:
            database.execute(f"DROP TABLE {table}")
    with Running(tmp_path):
        wait_until(lambda: settled(tmp_path, 6))
    found = count(tmp_path, expected)
    assert (found.lost, found.doubled) == (0, 0)


def test_a_file_that_kills_the_appliance_ends_in_quarantine_and_the_others_do_not(tmp_path):
    drop(tmp_path, "poison.tif", b"poison page", channel="urgent")
    for number in range(3):
        drop(tmp_path, f"f{number}.tif", f"{number} page".encode())
    for _ in range(12):
        running = Running(tmp_path, mode="dies", concurrency=1, attempts=1).wait_ready()
        wait_until(partial(_ended_or_settled, running, tmp_path, 4))
        if not running.ended:
            running.kill()
            break
    store = open_store(tmp_path)
    fates = {row.name: (row.state, row.error) for row in store.recent()}
    assert fates["poison.tif"] == (State.QUARANTINED, "repeated_failure")
    assert [fates[f"f{number}.tif"] for number in range(3)] == [(State.DELIVERED, None)] * 3


def _ended_or_settled(running: Running, data: Path, documents: int) -> bool:
    return running.ended or settled(data, documents)


def test_a_stop_in_the_middle_ends_with_zero_and_the_next_start_goes_on(tmp_path):
    drop(tmp_path, "slow.tif", b"page")
    running = Running(tmp_path, seconds=60).wait_ready()
    wait_until(lambda: states(tmp_path)[State.PROCESSING] == 1)
    assert running.stop() == 0
    # The children that read for it were ended: that says nothing about the file.
    assert set(states(tmp_path)) == {State.RECEIVED}
    assert "Traceback" not in running.log
    with Running(tmp_path):
        wait_until(lambda: settled(tmp_path, 1))
    assert count(tmp_path, {"slow.tif": 1}).states == {"delivered": 1}


def test_a_stop_puts_back_what_hangs_and_ends_with_zero(tmp_path):
    drop(tmp_path, "hangs.tif", b"page")
    running = Running(tmp_path, mode="hangs").wait_ready()
    wait_until(lambda: states(tmp_path)[State.PROCESSING] == 1)
    assert running.stop() == 0
    (row,) = open_store(tmp_path).recent()
    assert (row.state, row.trouble, row.attempts) == (State.RECEIVED, "stopped", 0)


def test_a_stop_finishes_what_is_nearly_done(tmp_path):
    drop(tmp_path, "quick.tif", b"page")
    running = Running(tmp_path, seconds=0.5).wait_ready()
    wait_until(lambda: states(tmp_path)[State.PROCESSING] == 1)
    assert running.stop() == 0
    assert (
        states(tmp_path).total() == states(tmp_path)[State.AUTO] + states(tmp_path)[State.DELIVERED]
    )


def test_a_second_process_on_the_same_data_folder_is_refused(tmp_path):
    with Running(tmp_path):
        second = subprocess.run(
            [sys.executable, "-m", "tests.faults.stand_in", str(tmp_path), "good", "0", "{}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert second.returncode != 0
    assert "AlreadyRunningError" in second.stderr


def test_the_first_process_killed_does_not_keep_the_next_from_starting(tmp_path):
    Running(tmp_path).wait_ready().kill()
    running = Running(tmp_path).wait_ready()
    assert not running.ended
    assert running.stop() == 0

# SPDX-License-Identifier: Apache-2.0
"""Killed in the middle of a sweep of the clocks: no step is lost, none is on the record twice."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from idp.clocks import load_clockwork
from idp.store import DueClock, NewArrival, Store, new_id

pytestmark = pytest.mark.component

DOCUMENTS = 12
_KILLED = 77
_CHILD = """
import os, sys
from pathlib import Path
from idp.store import record
from tests.faults.test_clock_kills import open_store

lines, whole = int(sys.argv[2]), record.append

def append(*args, **more):
    global lines
    whole(*args, **more)
    lines -= 1
    if not lines:
        os._exit(77)

record.append = append
store = open_store(Path(sys.argv[1]))
while store.escalate(limit=5):
    pass
"""


def open_store(folder: Path) -> Store:
    steps = load_clockwork(None).steps
    return Store(f"sqlite:///{folder / 'idp.sqlite'}", folder / "store", steps=steps)


def test_killed_at_any_line_of_the_sweep_and_run_again_each_step_is_told_once(tmp_path):
    store = open_store(tmp_path)
    store.migrate()
    now = dt.datetime.now(dt.UTC)
    kept = store.content.put_bytes(b"")
    hour = dt.timedelta(hours=1)
    store.record_arrivals(
        [
            NewArrival(
                id=new_id(now),
                channel="fax",
                name=f"{number}.tif",
                sha256=kept.sha256,
                size_bytes=0,
                received_at=now,
                priority=5,
                clock=DueClock("T7", now - 10 * hour, now - hour if number % 2 else now + hour),
            )
            for number in range(DOCUMENTS)
        ]
    )
    for lines in (1, 3, 5, 2):
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, str(tmp_path), str(lines)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
        assert child.returncode == _KILLED
    while store.escalate(limit=5):
        pass
    told = Counter(
        (event.document_id, event.action)
        for event in store.events(limit=1000)
        if event.action.startswith("clock_")
    )
    assert Counter(action for _, action in told) == {
        "clock_overdue": DOCUMENTS // 2,
        "clock_urgent": DOCUMENTS // 2,
    }
    assert set(told.values()) == {1}
    assert store.clock_counts().overdue == DOCUMENTS // 2
    assert store.verify_events() is None

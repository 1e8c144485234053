# SPDX-License-Identifier: Apache-2.0
"""What we rely on from the durable-execution library; run at each of its upgrades."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading

import psutil
import pytest
import sqlalchemy as sa

from idp.engine import Engine, Lane
from idp.store import Store, connect_for_engine
from tests.faults.running import wait_until

pytestmark = pytest.mark.component


class Work:
    """A segment that notes what it did and waits while the gate is shut."""

    def __init__(self):
        self.done = []
        self.running = 0
        self.most = 0
        self.gate = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, target, job):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.gate.wait(30)
        with self.lock:
            self.running -= 1
            self.done.append(target)


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'idp.sqlite'}"
    store = Store(url, tmp_path / "store")
    store.migrate()
    store.close()
    return url


@pytest.fixture
def engine(url, work):
    engine = launch(url, work)
    yield engine
    work.gate.set()
    engine.stop(1)


def launch(url, work, concurrency=2):
    engine = Engine(
        connect_for_engine(url), executor="test", lanes={"work": Lane(work, concurrency)}
    )
    engine.launch()
    return engine


def hand_over(engine, url, *targets, priority=5, commit=True):
    database = connect_for_engine(url)
    with database.connect() as connection:
        for target in targets:
            engine.enqueue(connection, "work", target, f"job-{target}", priority)
        connection.commit() if commit else connection.rollback()
    database.dispose()


def test_a_job_of_a_transaction_that_rolls_back_never_runs(engine, url, work):
    work.gate.set()
    hand_over(engine, url, "no", commit=False)
    hand_over(engine, url, "yes")
    wait_until(lambda: work.done == ["yes"], 20)
    assert engine.live(["job-no"]) == set()


def test_the_same_job_twice_runs_once(engine, url, work):
    work.gate.set()
    for _ in range(3):
        hand_over(engine, url, "a")
    hand_over(engine, url, "b", priority=9)
    wait_until(lambda: "b" in work.done, 20)
    assert sorted(work.done) == ["a", "b"]


def test_live_tells_queued_and_running_jobs_from_all_others(engine, url, work):
    hand_over(engine, url, "a", "b", "c")
    wait_until(lambda: work.running == 2, 20)
    jobs = ["job-a", "job-b", "job-c", "job-unknown"]
    assert engine.live(jobs) == {"job-a", "job-b", "job-c"}
    assert engine.depth() == {"work": 3}
    work.gate.set()
    wait_until(lambda: engine.live(jobs) == set(), 20)
    assert sorted(work.done) == ["a", "b", "c"]


def test_no_more_jobs_run_at_a_time_than_allowed(engine, url, work):
    hand_over(engine, url, *"abcdefgh")
    wait_until(lambda: work.running == 2, 20)
    work.gate.set()
    wait_until(lambda: len(work.done) == 8, 30)
    assert work.most == 2


def test_urgent_jobs_overtake(url, work):
    engine = launch(url, work, concurrency=1)
    try:
        hand_over(engine, url, "first")
        wait_until(lambda: work.running == 1, 20)
        hand_over(engine, url, "late", priority=9)
        hand_over(engine, url, "urgent", priority=1)
        work.gate.set()
        wait_until(lambda: len(work.done) == 3, 20)
    finally:
        engine.stop(1)
    assert work.done == ["first", "urgent", "late"]


def test_a_job_cut_off_by_a_stop_begins_again_at_the_next_launch(url, work):
    engine = launch(url, work)
    hand_over(engine, url, "a")
    wait_until(lambda: work.running == 1, 20)
    engine.stop(1)
    again = Work()
    again.gate.set()
    engine = launch(url, again)
    try:
        wait_until(lambda: again.done == ["a"], 20)
    finally:
        work.gate.set()
        engine.stop(1)


def test_finished_jobs_are_forgotten_after_their_time_and_not_before(engine, url, work):
    work.gate.set()
    hand_over(engine, url, "a", "b")
    wait_until(lambda: engine.live(["job-a", "job-b"]) == set(), 20)
    now = dt.datetime.now(dt.UTC)
    assert engine.forget_finished(now) == 0
    assert engine.forget_finished(now + dt.timedelta(hours=7)) == 2
    assert engine.forget_finished(now + dt.timedelta(hours=7)) == 0


def test_nothing_is_pickled_into_the_database(engine, url, work):
    work.gate.set()
    hand_over(engine, url, "a")
    wait_until(lambda: work.done == ["a"], 20)
    database = connect_for_engine(url)
    with database.connect() as connection:
        kinds = connection.execute(sa.text("SELECT serialization FROM workflow_status")).all()
    database.dispose()
    assert kinds == [("portable_json",)]


def test_no_port_is_opened_and_nobody_is_called(engine, url, work):
    work.gate.set()
    hand_over(engine, url, "a")
    wait_until(lambda: work.done == ["a"], 20)
    sockets = psutil.Process().net_connections(kind="inet")
    assert sockets == []


def test_cloud_switches_in_the_environment_are_removed():
    code = "import idp.engine, os; print([n for n in os.environ if n.startswith('DBOS_')])"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"DBOS__CLOUD": "true", "DBOS_CONDUCTOR_KEY": "x"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"

# SPDX-License-Identifier: Apache-2.0
"""``idp run`` from the outside, and the same on PostgreSQL."""

from __future__ import annotations

import re
import signal
import urllib.request

import pytest

from idp.store import State, Store
from tests import postgres
from tests.faults.running import Running, drop, settled, states, wait_until

pytestmark = pytest.mark.component


def test_run_tells_where_to_look_serves_the_page_and_ends_with_zero_on_ctrl_c(tmp_path):
    running = Running(tmp_path, mode="run")
    try:
        wait_until(lambda: "outbox" in running.log or running.ended)
        address = re.search(r"http://\S+", running.log)[0]
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert answer.status == 200
            assert b"Needs attention" not in answer.read()
        (tmp_path / "inbox" / "fax" / "link.tif").symlink_to("/etc/hostname")
        wait_until(lambda: b"fax/link.tif: refused" in urllib.request.urlopen(address).read())
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 0
    finally:
        running.kill()


def test_logs_of_a_run_never_name_a_file_or_a_patient(tmp_path):
    drop(tmp_path, "Jane Quimby 1951-07-04.tif", b"page")
    (tmp_path / "inbox" / "fax" / "Jane Quimby link.tif").symlink_to("/etc/hostname")
    (tmp_path / "outbox").write_text("in the way")
    with Running(tmp_path) as running:
        wait_until(lambda: states(tmp_path)[State.DELIVERING] == 1)
        wait_until(lambda: "no_access" in running.log or "AccessError" in running.log)
        (tmp_path / "outbox").unlink()
        wait_until(lambda: settled(tmp_path, 1))
        assert running.stop() == 0
    assert "arrival" in running.log
    assert "Quimby" not in running.log


def test_kills_on_postgresql_lose_and_double_nothing(tmp_path):
    with postgres.server() as url:
        for number in range(8):
            drop(tmp_path, f"f{number}.tif", b"%d page" % number)
        for _ in range(2):
            running = Running(tmp_path, seconds=0.5, database_url=url).wait_ready()
            store = Store(url, tmp_path / "store")
            wait_until(lambda: store.counts()[State.PROCESSING] > 0)  # noqa: B023
            running.kill()
        with Running(tmp_path, database_url=url):
            wait_until(lambda: store.counts()[State.DELIVERED] == 8)
        assert sum(store.counts().values()) == 8
        assert len(list((tmp_path / "outbox").glob("[!.]*"))) == 8
        store.close()

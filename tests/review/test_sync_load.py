# SPDX-License-Identifier: Apache-2.0
"""What many waiting documents cost, with the real screen; IDP_REVIEW_LOAD says how many."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil

from tests.review.conftest import Running
from tests.review.office import Office

DOCUMENTS = int(os.environ.get("IDP_REVIEW_LOAD", "100"))
ROUNDS = 10
POLL_SECONDS = 5.0


def test_documents_are_sent_and_waited_for_at_little_cost(
    label_studio: Running, tmp_path: Path
) -> None:
    place = label_studio.place
    office = Office(tmp_path / "data", lambda: place.url, place.token, real_screen=True)
    office.waiting(DOCUMENTS)
    office.store.renew_reviews()
    with office.sync() as sync:
        wall, own = time.perf_counter(), time.process_time()
        sent = 0
        while step := sync.step():
            sent += step.sent
        wall, own = time.perf_counter() - wall, time.process_time() - own
        assert sent == DOCUMENTS
        threads = psutil.Process().num_threads()
        theirs = _cpu_seconds(label_studio)
        polled = time.process_time()
        for _ in range(ROUNDS):
            assert not sync.step()
        polled = (time.process_time() - polled) / ROUNDS
        theirs = (_cpu_seconds(label_studio) - theirs) / ROUNDS
        assert psutil.Process().num_threads() == threads
    office.store.close()
    share, their_share = 100 * polled / POLL_SECONDS, 100 * theirs / POLL_SECONDS
    sys.stdout.write(
        f"{DOCUMENTS} documents: {1000 * wall / DOCUMENTS:.1f} ms each to send, of them "
        f"{1000 * own / DOCUMENTS:.1f} ms our own time; waiting costs {share:.2f} % of a core "
        f"(Label Studio: {their_share:.1f} %)\n"
    )
    assert share < 2.0


def _cpu_seconds(running: Running) -> float:
    assert running.server.pid is not None
    times = psutil.Process(running.server.pid).cpu_times()
    return float(times.user + times.system)

# SPDX-License-Identifier: Apache-2.0
"""Label Studio killed at random while documents are sent and while corrections are taken.

IDP_REVIEW_CHAOS says with how many documents; 100 where it does not.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from idp.reviewing import ReviewState
from idp.store import State
from tests.review.conftest import START_SECONDS, Running
from tests.review.office import Office, value

pytestmark = pytest.mark.slow

DOCUMENTS = int(os.environ.get("IDP_REVIEW_CHAOS", "100"))
KILLS = max(3, DOCUMENTS // 50)
"""In each of the two halves."""
PATIENCE = 300 + 30 * KILLS + 2 * DOCUMENTS
"""Seconds for each half, on a machine with other work."""


class Killer(threading.Thread):
    """Kills Label Studio a few times, each time a little after it has come up."""

    def __init__(self, running: Running, seed: int, longest: float) -> None:
        super().__init__(daemon=True)
        self.killed = 0
        self._running, self._longest = running, longest
        self._random = random.Random(seed)

    def run(self) -> None:
        for _ in range(KILLS):
            assert self._running.server.wait(START_SECONDS)
            time.sleep(self._random.uniform(0.3, self._longest))
            pid = self._running.server.pid
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                self.killed += 1
            time.sleep(1.0)  # until the server has noticed

    def done(self) -> bool:
        return not self.is_alive()


@pytest.fixture
def office(label_studio: Running, tmp_path: Path) -> Iterator[Office]:
    place = label_studio.place
    made = Office(tmp_path / "data", lambda: place.url, place.token, batch=3)
    yield made
    assert label_studio.server.wait(START_SECONDS)
    made.store.close()


class Reviewer(threading.Thread):
    """Answers every document, whatever the connection does in between."""

    def __init__(self, office: Office, tasks: dict[str, list[int]]) -> None:
        super().__init__(daemon=True)
        self._office, self._tasks = office, tasks

    def run(self) -> None:
        for document_id, (task,) in self._tasks.items():
            while True:
                try:
                    self._answer(document_id, task)
                    break
                except httpx.HTTPError:
                    time.sleep(0.3)

    def _answer(self, document_id: str, task: int) -> None:
        with self._office.http() as http:
            found = http.get(f"/api/tasks/{task}/")
            if found.status_code == 404 or found.json()["annotations"]:
                return  # the answer before the kill was kept, or even taken already
        self._office.annotate(task, value("patient_name", f"Right {document_id}"))


def test_every_document_has_one_task_and_every_correction_counts_once(
    office: Office, label_studio: Running
) -> None:
    ids = office.waiting(DOCUMENTS)
    restarts = label_studio.server.restarts
    killer = Killer(label_studio, seed=1, longest=2.5)
    killer.start()

    def sent() -> bool:
        rows = office.store.reviews_of(ids).values()
        return killer.done() and all(row.state is ReviewState.SENT for row in rows)

    office.settle(PATIENCE, sent)
    assert killer.killed >= 1
    tasks = office.tasks()
    assert {each: len(own) for each, own in tasks.items()} == dict.fromkeys(ids, 1)

    killer = Killer(label_studio, seed=2, longest=6.0)
    reviewer = Reviewer(office, tasks)
    killer.start()
    reviewer.start()

    def taken() -> bool:
        over = killer.done() and not reviewer.is_alive()
        return over and all(office.state(each) is State.CORRECTED for each in ids)

    office.settle(PATIENCE, taken)
    assert killer.killed >= 1
    for document_id in ids:
        assert len(office.store.corrections(document_id)) == 1
        assert len(office.store.show(document_id).deliveries) == 1
        assert office.actions(document_id).count("reviewed") == 1
        document = office.store.document(document_id)
        assert document is not None
        name = document.field("patient_name")
        assert name is not None
        assert name.value == f"Right {document_id}"
    with contextlib.suppress(AssertionError):
        office.settle(60, lambda: office.tasks() == {})
    assert office.tasks() == {}
    assert office.pages.shown() == ()
    assert office.store.verify_events() is None
    restarts = label_studio.server.restarts - restarts
    said = f"{DOCUMENTS} documents, {restarts} restarts: one task each, each correction once"
    sys.stdout.write(f"{said}\n")

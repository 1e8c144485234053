# SPDX-License-Identifier: Apache-2.0
"""What many waiting documents cost, with the real screen; IDP_REVIEW_LOAD says how many."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa

from idp.errors import ReviewError
from idp.review.client import Client
from idp.review.sync import Sync
from tests.review.conftest import Running
from tests.review.office import Office

DOCUMENTS = int(os.environ.get("IDP_REVIEW_LOAD", "100"))
FEW = 10
ROUNDS = 10
POLL_SECONDS = 5.0
MOST_SHARE = 2.0
"""Percent of a core."""
_STEPS = 50
"""SQLite tells after so many of its instructions."""


@dataclass
class Work:
    """What a round asked of the database and of Label Studio."""

    statements: int = 0
    instructions: int = 0
    """Of SQLite, in fifties: they grow with what is looked at, however fast the machine is."""
    requests: int = 0


@contextmanager
def counted(office: Office, sync: Sync) -> Iterator[Work]:
    work = Work()
    engine = office.store._engine
    send = sync._client._send

    counting = True

    def step() -> int:
        work.instructions += counting  # the connection keeps calling it
        return 0

    def statement(*_: object) -> None:
        work.statements += 1

    def watch(connection: sa.Connection) -> None:
        found = connection.connection.driver_connection
        assert found is not None
        found.set_progress_handler(step, _STEPS)

    def request(*given: object) -> tuple[int, bytes]:
        work.requests += 1
        return send(*given)  # type: ignore[arg-type]

    sync._client._send = request  # type: ignore[method-assign, assignment]
    sa.event.listen(engine, "engine_connect", watch)
    sa.event.listen(engine, "before_cursor_execute", statement)
    try:
        yield work
    finally:
        counting = False
        sa.event.remove(engine, "engine_connect", watch)
        sa.event.remove(engine, "before_cursor_execute", statement)
        del sync._client._send


def test_documents_are_sent_and_waited_for_at_little_cost(
    label_studio: Running, tmp_path: Path
) -> None:
    place = label_studio.place
    office = Office(tmp_path / "data", lambda: place.url, place.token, batch=200, real_screen=True)
    office.waiting(FEW)
    with office.sync() as sync:
        while sync.step():
            pass
        with counted(office, sync) as with_few:
            assert not sync.step()
        office.waiting(DOCUMENTS)
        office.store.renew_reviews()
        wall, own = time.perf_counter(), time.process_time()
        sent = 0
        while step := sync.step():
            sent += step.sent
        wall, own = time.perf_counter() - wall, time.process_time() - own
        assert sent == DOCUMENTS
        with counted(office, sync) as with_many:
            assert not sync.step()
        threads = psutil.Process().num_threads()
        theirs = _cpu_seconds(label_studio)
        polled = time.process_time()
        for _ in range(ROUNDS):
            assert not sync.step()
        polled = (time.process_time() - polled) / ROUNDS
        theirs = (_cpu_seconds(label_studio) - theirs) / ROUNDS
        assert psutil.Process().num_threads() == threads
    away = _away(office)
    office.store.close()
    share, their_share = 100 * polled / POLL_SECONDS, 100 * theirs / POLL_SECONDS
    sys.stdout.write(
        f"{DOCUMENTS} documents: {1000 * wall / DOCUMENTS:.1f} ms each to send, of them "
        f"{1000 * own / DOCUMENTS:.1f} ms our own time; waiting costs {share:.2f} % of a core "
        f"(Label Studio: {their_share:.1f} %), {away:.2f} % while Label Studio is away; an idle "
        f"round: {with_many.requests} requests, {with_many.statements} statements, "
        f"{with_many.instructions} steps (with {FEW}: {with_few.instructions})\n"
    )
    assert share < MOST_SHARE
    assert away < MOST_SHARE
    # The same work, however many wait.
    assert with_many.requests == with_few.requests
    assert with_many.statements == with_few.statements
    assert with_many.instructions <= with_few.instructions + 10


def _away(office: Office) -> float:
    """Percent of a core that waiting costs while Label Studio can't be reached."""
    office.client = lambda: Client("http://127.0.0.1:9", "x" * 40)  # type: ignore[method-assign]
    used = time.process_time()
    for _ in range(ROUNDS):
        # As a connection is made, again after each trouble.
        office.pages.sweep(office.store.live_reviews(office.kept_for))
        with office.sync() as sync:
            try:
                sync.step()
            except ReviewError:
                continue
            raise AssertionError("somebody answers there")
    return 100 * (time.process_time() - used) / ROUNDS / POLL_SECONDS


def _cpu_seconds(running: Running) -> float:
    assert running.server.pid is not None
    times = psutil.Process(running.server.pid).cpu_times()
    return float(times.user + times.system)

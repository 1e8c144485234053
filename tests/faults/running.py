# SPDX-License-Identifier: Apache-2.0
"""Start, kill and count appliances that run in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from idp.store import State, Store

ENDS = {State.DELIVERED, State.INCOMPLETE, State.REVIEW, State.QUARANTINED, State.DUPLICATE}


class Running:
    """One appliance; its output goes to ``<data>/log``."""

    def __init__(
        self,
        data: Path,
        mode: str = "good",
        seconds: float = 0.05,
        database_url: str | None = None,
        **engine: int,
    ):
        self.data = data
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        if database_url is not None:
            environment["IDP_TEST_DATABASE_URL"] = database_url
        data.mkdir(parents=True, exist_ok=True)
        (data / "ready").unlink(missing_ok=True)
        with (data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.faults.stand_in",
                    str(data),
                    mode,
                    str(seconds),
                    json.dumps(engine),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
            )

    @property
    def log(self) -> str:
        return (self.data / "log").read_text()

    def wait_ready(self, seconds: float = 60) -> Running:
        wait_until(lambda: (self.data / "ready").exists() or self.ended, seconds)
        return self

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        """End the whole process group as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 60) -> int:
        """Ask it to end, as an operator would; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def __enter__(self) -> Running:
        return self.wait_ready()

    def __exit__(self, *_: object) -> None:
        self.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll until true; fails loudly when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.1)


def open_store(data: Path) -> Store:
    return Store(f"sqlite:///{data / 'idp.sqlite'}", data / "store")


def drop(data: Path, name: str, content: bytes, channel: str = "fax") -> None:
    """Put a file into a drop folder the way a careful sender does."""
    folder = data / "inbox" / channel
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{name}.tmp"
    half.write_bytes(content)
    half.rename(folder / name)


def states(data: Path) -> Counter[State]:
    """Documents by state; nothing while there is no database yet."""
    if not (data / "idp.sqlite").exists():
        return Counter()
    store = open_store(data)
    try:
        return Counter({state: n for state, n in store.counts().items() if n})
    except Exception:
        return Counter()
    finally:
        store.close()


def settled(data: Path, documents: int) -> bool:
    """Whether so many documents are there and none is at work any more."""
    found = states(data)
    return found.total() >= documents and set(found) <= ENDS


@dataclass(frozen=True)
class Count:
    """What became of a set of dropped files."""

    documents: int
    lost: int
    doubled: int
    repeated: int
    """Attempts that a kill had cut off and that were made again: that it struck in the middle."""
    states: dict[str, int]
    broken_record: int | None


def count(data: Path, expected: dict[str, int | None], *, folders: bool = True) -> Count:
    """Compare what was dropped (documents expected by file name) with what came out.

    ``folders``: what was delivered lies in the outbox, else only our own tables are asked.

    ``None`` expects at least one document: the pipeline decides how many a file holds.

    Lost: an expected document that is in no final state. Doubled: a second arrival of one file, a
    second row for one document, or a second folder in the outbox.
    """
    store = open_store(data)
    rows = store.recent(limit=100_000)
    by_name = Counter(row.name for row in rows if row.state in ENDS)
    arrivals = Counter({row.arrival_id: row.name for row in rows}.values())
    lost = sum(max(0, (wanted or 1) - by_name[name]) for name, wanted in expected.items())
    doubled = sum(
        max(0, arrivals[name] - 1) if wanted is None else max(0, by_name[name] - wanted)
        for name, wanted in expected.items()
    )
    doubled += sum(1 for row in rows if row.name not in expected)
    published = Counter()
    for folder in (data / "outbox").glob("[!.]*"):
        record = json.loads((folder / "document.json").read_text())
        published[record["source"], tuple(record["pages"])] += 1
    doubled += sum(n - 1 for n in published.values())
    delivered = {row.id for row in rows if row.state in {State.DELIVERED, State.INCOMPLETE}}
    lost += abs(len(delivered) - len(published)) if folders else 0
    found = Count(
        documents=len(rows),
        lost=lost,
        doubled=doubled,
        repeated=sum(event.action.endswith("_again") for event in store.events(limit=100_000)),
        states={str(state): n for state, n in store.counts().items() if n},
        broken_record=store.verify_events(),
    )
    store.close()
    return found

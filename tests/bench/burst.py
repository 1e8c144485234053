# SPDX-License-Identifier: Apache-2.0
"""How fast a burst of files is taken: dropped while the appliance runs, claimed, kept, recorded.

    python -m tests.bench.burst [--files 5000] [--bytes 100000] [--no-fsync] [--data FOLDER]

Everything is the real thing (drop folder with events, content store, SQLite, the engine's queue)
but the pipeline, which holds its documents until the burst is in, as reading does. Files are
written as a careful sender does: under another name, then renamed. The clock runs from the first
file's rename to the last arrival's commit. Exit status 1 unless every file was claimed exactly
once. ``--no-fsync`` shows what the disk costs; it is a switch of this bench alone.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

import sqlalchemy as sa

from idp.appliance import Appliance
from idp.settings import ChannelSettings, EngineSettings, IngestSettings, ServeSettings, Settings
from idp.store import database

_PATIENCE_SECONDS = 1800.0
_SYNCS = 200


class Outcome(NamedTuple):
    """What became of the burst."""

    seconds: float
    dropping_seconds: float
    arrivals: int
    distinct: int
    done: int
    left: int


class HeldPipeline:
    """Holds every document, as slow reading does; nothing is read."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def process(self, *_: object, **__: object) -> NoReturn:
        """Wait for the end."""
        self.closed.wait()
        raise RuntimeError("the burst is over")


@contextmanager
def held(_: Settings) -> Iterator[HeldPipeline]:
    """The pipeline of this bench."""
    pipeline = HeldPipeline()
    yield pipeline
    pipeline.closed.set()


def without_fsync() -> None:
    """Let every write of this process rest in the kernel's memory."""
    os.fsync = lambda _: None  # type: ignore[assignment]
    pragmas = database._pragmas

    def loose(connection: sqlite3.Connection) -> None:
        pragmas(connection)
        connection.execute("PRAGMA synchronous=OFF")

    database._pragmas = loose


def syncs_per_second(folder: Path) -> float:
    """What the disk does: appends of 4 KB, each made durable."""
    with tempfile.TemporaryFile(dir=folder) as file:
        start = time.perf_counter()
        for _ in range(_SYNCS):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return _SYNCS / (time.perf_counter() - start)


def drop(folder: Path, files: int, size: int) -> None:
    """The sender: ``files`` files of ``size`` bytes, all different."""
    filler = random.Random(5).randbytes(max(0, size - 8))
    for number in range(files):
        half = folder / f".{number:06d}.tmp"
        half.write_bytes(number.to_bytes(8, "big") + filler)
        half.rename(folder / f"{number:06d}.tif")


def burst(data: Path, files: int, size: int) -> Outcome:
    """Drop the files onto a running appliance and wait until all are recorded."""
    settings = Settings(
        data=data,
        serve=ServeSettings(port=0),
        ingest=IngestSettings(channels={"fax": ChannelSettings(settle_seconds=0.5)}),
        engine=EngineSettings(concurrency=4),
    )
    with Appliance(settings, pipeline=held, grace_seconds=1):
        fax = settings.channel_folder("fax")
        start = time.perf_counter()
        drop(fax, files, size)
        dropping = time.perf_counter() - start
        count = 0
        while count < files and time.perf_counter() - start < _PATIENCE_SECONDS:
            time.sleep(0.1)
            count = _count(data)
        seconds = time.perf_counter() - start
        time.sleep(1.0)  # whatever is claimed twice would show now
    with sqlite3.connect(data / "idp.sqlite") as tables:
        names = Counter(name for (name,) in tables.execute("SELECT name FROM arrivals"))
        ((distinct,),) = tables.execute("SELECT count(DISTINCT sha256) FROM arrivals")
    lying = [path for path in fax.rglob("*.tif") if path.is_file()]
    done = sum(path.relative_to(fax).parts[0] == ".done" for path in lying)
    return Outcome(seconds, dropping, names.total(), distinct, done, len(lying) - done)


def _count(data: Path) -> int:
    engine = sa.create_engine(f"sqlite:///{data / 'idp.sqlite'}")
    try:
        with engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM arrivals")).scalar_one())
    finally:
        engine.dispose()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 when a file was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--no-fsync", action="store_true")
    parser.add_argument("--data", type=Path, help="a folder on the disk to measure")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="idp-burst-", dir=asked.data) as place:
        syncs = syncs_per_second(Path(place))
        if asked.no_fsync:
            without_fsync()
        found = burst(Path(place) / "data", asked.files, asked.bytes)
    exactly_once = found.arrivals == found.distinct == found.done == asked.files and not found.left
    sys.stdout.write(
        f"{os.cpu_count()} cores; the disk makes {syncs:.0f} appends/s durable; fsync "
        f"{'off' if asked.no_fsync else 'on'}\n"
        f"{asked.files} files of {asked.bytes} bytes, dropped in {found.dropping_seconds:.1f} s\n"
        f"arrivals {found.arrivals}, distinct {found.distinct}, in .done {found.done}, "
        f"left {found.left}: {'each exactly once' if exactly_once else 'LOST OR DOUBLED'}\n"
        f"{found.seconds:.1f} s, {found.arrivals / found.seconds:.0f} files/s\n"
    )
    return int(not exactly_once)


if __name__ == "__main__":
    sys.exit(main())

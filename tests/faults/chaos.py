# SPDX-License-Identifier: Apache-2.0
"""Kill the appliance again and again while files arrive, then count.

``python -m tests.faults.chaos --kills 10 --files 60`` prints one line of figures and ends with 1
when anything was lost or doubled. The pipeline is a stand-in; everything else is the product.
``--corpus FOLDER`` drops the files of a folder instead and works with the real pipeline.
"""

from __future__ import annotations

import argparse
import platform
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.faults.running import Count, Running, count, drop, settled, states

_DROPPED = {".pdf", ".tif", ".tiff", ".png", ".jpg"}


def chaos(
    data: Path, *, kills: int, files: int, seconds: float, seed: int
) -> tuple[Count, dict[str, int]]:
    """Drop ``files`` while killing ``kills`` times; every third kill strikes while starting."""
    dice = random.Random(seed)
    expected = {f"f{number}.tif": dice.choice((1, 1, 1, 2)) for number in range(files)}
    feeder = threading.Thread(target=_feed, args=(data, expected, kills, dice.random()))
    feeder.start()
    for number in range(kills):
        running = Running(data, seconds=seconds)
        if number % 3 == 2:
            time.sleep(dice.uniform(0.3, 1.5))
        else:
            running.wait_ready()
            time.sleep(dice.uniform(0.2, 3.0))
        running.kill()
        _say(data, number, kills)
    feeder.join()
    deadline = time.monotonic() + 60 + files * (seconds + 1)
    with Running(data, seconds=seconds):
        while not settled(data, sum(expected.values())) and time.monotonic() < deadline:
            time.sleep(0.2)
    return count(data, expected), expected


def chaos_with(data: Path, corpus: Path, *, kills: int, seed: int) -> tuple[Count, int]:
    """Drop all files of ``corpus`` at once, kill the real thing in the middle, count."""
    dice = random.Random(seed)
    files = [path for path in sorted(corpus.rglob("*")) if path.suffix in _DROPPED]
    expected: dict[str, int | None] = {}
    for path in files:
        name = "-".join(path.relative_to(corpus).parts)
        expected[name] = None
        drop(data, name, path.read_bytes())
    for number in range(kills):
        running = Running(data, mode="real", concurrency=2).wait_ready(120)
        # Loading the models takes seconds: the first kills would else strike before any work.
        time.sleep(dice.uniform(5, 25))
        running.kill()
        _say(data, number, kills)
    deadline = time.monotonic() + 60 + 60 * len(files)
    with Running(data, mode="real", concurrency=2):
        while not settled(data, len(files)) and time.monotonic() < deadline:
            time.sleep(1)
    return count(data, expected), len(files)


def _say(data: Path, number: int, kills: int) -> None:
    at_work = {str(state): n for state, n in states(data).items()}
    sys.stderr.write(f"kill {number + 1}/{kills}: {at_work}\n")


def _feed(data: Path, expected: dict[str, int], kills: int, luck: float) -> None:
    """Files trickle in over the whole time, some written slowly, some in bursts."""
    pause = kills * 3.5 / len(expected)
    for number, (name, pages) in enumerate(expected.items()):
        content = f"{name} {luck} {'page ' * pages}".encode()
        if number % 10 == 0:
            folder = data / "inbox" / "fax"
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("wb") as sink:
                for byte in content:
                    sink.write(bytes([byte]))
                    sink.flush()
                    time.sleep(0.005)
        else:
            drop(data, name, content, "urgent" if number % 4 == 0 else "fax")
        if number % 8:
            time.sleep(pause)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.3, help="work per file")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--corpus", type=Path, help="drop these files, use the real pipeline")
    parser.add_argument("--data", type=Path, help="keep everything here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data or Path(scratch) / "data"
        begun = time.monotonic()
        if options.corpus is not None:
            found, files = chaos_with(data, options.corpus, kills=options.kills, seed=options.seed)
            whole = True
        else:
            files = options.files
            found, expected = chaos(
                data, kills=options.kills, files=files, seconds=options.seconds, seed=options.seed
            )
            whole = found.states == {"delivered": sum(expected.values())}
        sys.stdout.write(
            f"kills {options.kills}  files {files}  documents {found.documents}  "
            f"lost {found.lost}  doubled {found.doubled}  "
            f"cut off and repeated {found.repeated}  states {found.states}  "
            f"record {'sound' if found.broken_record is None else found.broken_record}  "
            f"{time.monotonic() - begun:.0f} s  seed {options.seed}  {platform.machine()}\n"
        )
    return 0 if whole and not (found.lost or found.doubled or found.broken_record) else 1


if __name__ == "__main__":
    sys.exit(main())

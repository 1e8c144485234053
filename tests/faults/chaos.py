# SPDX-License-Identifier: Apache-2.0
"""Kill the appliance again and again while files arrive, then count.

``python -m tests.faults.chaos --kills 10 --files 60`` prints one line of figures and ends with 1
when anything was lost or doubled. The pipeline is a stand-in; everything else is the product.
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
        at_work = {str(state): n for state, n in states(data).items()}
        sys.stderr.write(f"kill {number + 1}/{kills}: {at_work}\n")
    feeder.join()
    deadline = time.monotonic() + 60 + files * (seconds + 1)
    with Running(data, seconds=seconds):
        while not settled(data, sum(expected.values())) and time.monotonic() < deadline:
            time.sleep(0.2)
    return count(data, expected), expected


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
    parser.add_argument("--data", type=Path, help="keep everything here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data or Path(scratch) / "data"
        begun = time.monotonic()
        found, expected = chaos(
            data,
            kills=options.kills,
            files=options.files,
            seconds=options.seconds,
            seed=options.seed,
        )
        sys.stdout.write(
            f"kills {options.kills}  files {options.files}  documents {sum(expected.values())}  "
            f"lost {found.lost}  doubled {found.doubled}  "
            f"cut off and repeated {found.repeated}  states {found.states}  "
            f"record {'sound' if found.broken_record is None else found.broken_record}  "
            f"{time.monotonic() - begun:.0f} s  seed {options.seed}  {platform.machine()}\n"
        )
        whole = found.states == {"delivered": sum(expected.values())}
    return 0 if whole and not (found.lost or found.doubled or found.broken_record) else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Mutated files through the parser borders, in child processes with limits, each by its seed.

A border is a module of this package with ``seeds()``, the well-formed files that are mutated,
``MEDIA_TYPES``, what they are sniffed as, and optionally ``mutate(data, random)`` for its own ways
to break them and ``PROGRAMS = True`` where other programs belong to the border. Input ``n`` of a
run is the same on every machine for the same seed and the same seeds. What a mutated file may end
in: pages, members, or a coded input error. A child that is killed (a library crashed, hung, or
wanted more memory) is counted apart: in the product it costs the file a ``parser_crashed``.
Anything else is a fault of ours.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from idp.errors import InputError, where
from idp.ingest.formats import HEAD_BYTES, media_type_of
from idp.ingest.opened import Opened, open_here
from idp.settings import IngestSettings

BATCH = 500
"""Inputs per child process."""
SECONDS = 30
"""Longest time for one input."""
MEMORY_MB = 1536
LIMITS = IngestSettings(
    max_bytes=5_000_000,
    max_pages=20,
    max_pixels=4_000_000,
    max_parts=20,
    max_expanded_bytes=20_000_000,
    render_dpi=100,
    unpack_seconds=20,
)
_INTERESTING = (0, 1, 2, 4, 7, 16, 32, 64, 100, 127, 128, 255, 256, 1024, 4096, 32767, 32768, 65535,
                65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)  # fmt: skip
_UNHANDLED = "UNHANDLED"
_CRASH = "CRASH"


@dataclass
class Tally:
    """What became of the inputs of one border."""

    outcomes: Counter[str] = field(default_factory=Counter)
    unhandled: list[tuple[int, str]] = field(default_factory=list)
    crashes: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def inputs(self) -> int:
        return sum(self.outcomes.values())


def borders() -> tuple[str, ...]:
    """The borders there are."""
    folder = Path(__file__).parent
    return tuple(sorted(p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")))


def fuzz(border: str, inputs: int, seed: int, keep: Path | None = None) -> Tally:
    """Runs so many mutated inputs through a border; those that go wrong are left in ``keep``."""
    tally = Tally()
    start = time.monotonic()
    module = import_module(f"{__name__}.{border}")
    seeds = list(module.seeds())
    with tempfile.TemporaryDirectory(prefix="idp-fuzz-") as folder:
        (Path(folder) / "seeds").write_bytes(pickle.dumps(seeds))
        todo = 0
        while todo < inputs:
            last = min(todo + BATCH, inputs)
            todo = _batch(border, seed, todo, last, Path(folder), tally)
    tally.seconds = time.monotonic() - start
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for number, _ in (*tally.unhandled, *tally.crashes):
            name = f"{border}-{seed}-{number}"
            (keep / name).write_bytes(mutated(border, seeds, seed, number))
    return tally


def mutated(border: str, seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """Input ``number`` of a run."""
    dice = random.Random(f"{border}/{seed}/{number}")
    data = dice.choice(seeds)
    own: Callable[[bytes, random.Random], bytes] | None = getattr(
        import_module(f"{__name__}.{border}"), "mutate", None
    )
    by_own = own is not None and dice.random() < 0.5
    if own is not None and by_own:
        data = own(data, dice)
    if not by_own or dice.random() < 0.3:
        data = scrambled(data, dice, seeds)
    return data[: LIMITS.max_bytes]


def scrambled(data: bytes, dice: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A few of the ways in which any file breaks, and some that break parsers."""
    broken = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 5, 8))):
        if not broken:
            break
        at = dice.randrange(len(broken))
        length = min(dice.choice((1, 2, 4, 16, 64, 256, 1024)), len(broken) - at)
        way = dice.randrange(9)
        if way == 0:
            broken[at] ^= 1 << dice.randrange(8)
        elif way == 1:
            broken[at : at + length] = dice.randbytes(length)
        elif way == 2:
            del broken[at : at + length]
        elif way == 3:
            broken[at:at] = broken[at : at + length] * dice.choice((1, 1, 2, 10))
        elif way == 4:
            del broken[at:]
        elif way == 5:
            size, order = dice.choice((1, 2, 4)), dice.choice(("little", "big"))
            value = dice.choice(_INTERESTING) & ((1 << 8 * size) - 1)
            broken[at : at + size] = value.to_bytes(size, order)  # type: ignore[arg-type]
        elif way == 6:
            other = dice.choice(seeds)
            place = dice.randrange(len(other) or 1)
            broken[at : at + length] = other[place : place + length]
        elif way == 7:
            to = dice.randrange(len(broken))
            block = bytes(broken[at : at + length])
            del broken[at : at + length]
            broken[to:to] = block
        else:
            digits = [i for i in range(at, min(at + 200, len(broken))) if 48 <= broken[i] <= 57]
            if digits:
                number = str(dice.choice(_INTERESTING)).encode()
                broken[digits[0] : digits[0] + 1] = number
    return bytes(broken)


def _batch(border: str, seed: int, first: int, last: int, folder: Path, tally: Tally) -> int:
    """Runs inputs in a child until it ends or dies; the number of the next input."""
    # Programs of others (LibreOffice) are not ours to fuzz, and each start takes seconds.
    programs = getattr(import_module(f"{__name__}.{border}"), "PROGRAMS", False)
    path = os.environ.get("PATH", "") if programs else ""
    log = folder / "log"
    log.write_bytes(b"")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from tests.faults.fuzz import _child; _child({border!r}, {seed}, {first}, {last}, "
            f"{str(folder)!r})",
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    at = first
    for line in log.read_text().splitlines():
        number, _, outcome = line.partition(" ")
        if not outcome:  # begun
            continue
        at = int(number) + 1
        tally.outcomes[outcome.split(":")[0]] += 1
        if outcome.startswith(_UNHANDLED):
            tally.unhandled.append((int(number), outcome))
        elif outcome.startswith(_CRASH):
            tally.crashes.append((int(number), outcome))
    if done.returncode == 0:
        return last
    if done.returncode > 0 and at == first and not log.read_text():
        raise RuntimeError(f"the fuzzing child can't start: exit status {done.returncode}")
    how = signal.Signals(-done.returncode).name if done.returncode < 0 else str(done.returncode)
    tally.outcomes[_CRASH] += 1
    tally.crashes.append((at, f"{_CRASH}: {how}"))
    return at + 1


def _child(border: str, seed: int, first: int, last: int, folder: str) -> None:
    """What the child runs: every outcome is in the log before the next input begins."""
    seeds: list[bytes] = pickle.loads((Path(folder) / "seeds").read_bytes())
    workspace = Path(folder) / "work"
    media_types = import_module(f"{__name__}.{border}").MEDIA_TYPES
    with (Path(folder) / "log").open("a") as log:
        # Once before the limits: what libraries load is not the input's doing.
        _outcome(seeds[0], workspace, media_types)
        with contextlib.suppress(OSError, ValueError):
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (MEMORY_MB << 20),) * 2)
        for number in range(first, last):
            log.write(f"{number}\n")
            log.flush()
            signal.alarm(SECONDS)
            outcome = _outcome(mutated(border, seeds, seed, number), workspace, media_types)
            signal.alarm(0)
            log.write(f"{number} {outcome}\n")
            log.flush()


def _outcome(data: bytes, workspace: Path, media_types: Sequence[str]) -> str:
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir()
    path = workspace / "file"
    path.write_bytes(data)
    try:
        media_type = media_type_of(data[:HEAD_BYTES])
        if media_type not in media_types:
            return "other format"
        return _checked(open_here(path, workspace, media_type, LIMITS), workspace)
    except InputError as error:
        return error.code
    except MemoryError:
        return f"{_CRASH}: MemoryError"
    except Exception as error:
        return f"{_UNHANDLED}: {where(error)}"


def _checked(opened: Opened, workspace: Path) -> str:
    """What was opened lies where it should, inside the limits."""
    paths: list[Any] = [*opened.pages, *opened.members]
    inside = all(Path(each.path).resolve().is_relative_to(workspace.resolve()) for each in paths)
    written = sum(Path(member.path).stat().st_size for member in opened.members)
    if not inside or written > LIMITS.max_expanded_bytes:
        return f"{_UNHANDLED}: written elsewhere or over the limit"
    if len(opened.pages) > LIMITS.max_pages or len(opened.members) > LIMITS.max_parts:
        return f"{_UNHANDLED}: more pages or parts than the limits allow"
    if not (opened.pages or opened.read or opened.members or opened.left_out):
        return "nothing inside"
    return "opened, mended" if opened.flaws else "opened"

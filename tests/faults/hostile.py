# SPDX-License-Identifier: Apache-2.0
"""Functions that misbehave in a child process. Importable, because children are spawned."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from idp.errors import DamagedFileError


def double(number: int) -> int:
    return 2 * number


def die(_: object = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(_: object = None) -> None:
    time.sleep(600)


def eat_memory(_: object = None) -> int:
    hoard = []
    while True:
        hoard.append(bytearray(16 * 1024 * 1024))


def eat_memory_resident(_: object = None) -> int:
    hoard = []
    while True:
        block = bytearray(b"x") * (16 * 1024 * 1024)
        hoard.append(block)
        time.sleep(0.01)


_hoard: list[bytearray] = []


def grow(megabytes: int) -> tuple[int, int]:
    """Keep so many megabytes for good, as a leak does."""
    _hoard.append(bytearray(b"x") * (megabytes * 1024 * 1024))
    return os.getpid(), megabytes


def note_pid(path: str) -> None:
    with Path(path).open("a") as stream:
        stream.write(f"{os.getpid()}\n")


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def raise_coded(_: object = None) -> None:
    raise DamagedFileError("page 3 is cut off", hint="send page 3 again")


def raise_other(_: object = None) -> None:
    raise RuntimeError("the patient's name is in here")


def own_pid(_: object = None) -> int:
    return os.getpid()


def misbehave(what: str) -> int:
    if what == "die":
        die()
    if what == "hang":
        hang()
    return len(what)


def threads_allowed(_: object = None) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")

# SPDX-License-Identifier: Apache-2.0
"""When a file in a drop folder is whole: names, settling, and whether somebody still writes it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

DEEPEST = 8
"""How many folders below a channel are looked into."""

EMPTY_SETTLE_FACTOR = 5
"""An empty file settles so much longer: some senders create it first and write it later."""

_TEMPORARY_ENDS = ("~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp")
_LEFT_ALONE = frozenset({"thumbs.db", "desktop.ini", "seqf"})
"""``seqf`` is HylaFAX's own counter in its ``recvq``: without it, it numbers from one again."""


def is_temporary(name: str) -> bool:
    """Whether a name says that the file is not (yet) meant for us."""
    lowered = name.lower()
    return (
        lowered.startswith((".", "~$"))
        or lowered.endswith(_TEMPORARY_ENDS)
        or lowered in _LEFT_ALONE
    )


def printable(relative: Path) -> str:
    r"""A file's name as valid text: bytes that are no UTF-8 show as ``\xNN``."""
    return os.fsencode(relative).decode("utf-8", "backslashreplace")


def ledger_key(relative: Path) -> str:
    r"""A file's name as valid text that no other name has: backslashes are doubled."""
    return os.fsencode(relative).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


class Stamp(NamedTuple):
    """What changes when a file is written or replaced.

    Numbers wrap around to signed 64 bits, which databases hold: inodes of some shares and times
    after the year 2262 are larger.
    """

    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The stamp of a file, links not followed; raises ``OSError``."""
        return cls.from_stat(path.stat(follow_symlinks=False))

    @classmethod
    def from_stat(cls, found: os.stat_result) -> Self:
        """The stamp of a file by what the file system says of it."""
        return cls(_signed(found.st_ino), found.st_size, _signed(found.st_mtime_ns))


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


class Entry(NamedTuple):
    """One thing found in a drop folder; without a stamp it is refused (link, pipe, device)."""

    path: Path
    stamp: Stamp | None


def walk(folder: Path, depth: int = DEEPEST) -> Iterator[Entry]:
    """Everything in a drop folder that is not hidden or temporary; raises ``OSError`` at the top.

    Folders that can't be entered are refused like links; files that vanish are left out.
    """
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if is_temporary(entry.name):
                continue
            path = Path(entry.path)
            try:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode) and depth > 0:
                    yield from walk(path, depth - 1)
                elif stat.S_ISREG(found.st_mode):
                    yield Entry(path, Stamp.from_stat(found))
                else:
                    yield Entry(path, None)
            except FileNotFoundError:
                continue
            except OSError:
                yield Entry(path, None)


@dataclass(slots=True)
class _Watched:
    stamp: Stamp
    since: float


class Settling:
    """Tells when a file has not changed for long enough. Pure: time and stamps are given."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: dict[Path, _Watched] = {}

    def observe(self, path: Path, stamp: Stamp, now: float, *, moved: bool = False) -> bool:
        """Note what is seen now; whether the file has settled.

        Args:
            path: The file.
            stamp: Its stamp as just read.
            now: Monotonic seconds.
            moved: It came here by a rename, so that it was whole when it appeared.
        """
        watched = self._watched.get(path)
        if watched is None or watched.stamp != stamp:
            watched = _Watched(stamp, now)
            self._watched[path] = watched
        if moved and stamp.size > 0:
            return True
        return now - watched.since >= self._needed(stamp)

    def forget(self, path: Path) -> None:
        """The file is gone or taken."""
        self._watched.pop(path, None)

    def keep_only(self, present: set[Path]) -> None:
        """Forget all files that are not ``present`` any more."""
        for path in self._watched.keys() - present:
            del self._watched[path]

    def unchanged_for(self, path: Path, now: float) -> float:
        """Seconds since a file was first seen as it is."""
        watched = self._watched.get(path)
        return 0.0 if watched is None else now - watched.since

    def next_due(self, after: float = -math.inf) -> float | None:
        """When the first file can have settled that had not ``after`` (monotonic seconds)."""
        dues = (watched.since + self._needed(watched.stamp) for watched in self._watched.values())
        return min((due for due in dues if due > after), default=None)

    def __len__(self) -> int:
        return len(self._watched)

    def _needed(self, stamp: Stamp) -> float:
        return self._seconds * (1 if stamp.size else EMPTY_SETTLE_FACTOR)


class Readiness(Enum):
    """What the operating system says about a file."""

    READY = "ready"
    BEING_WRITTEN = "being written"
    UNREADABLE = "unreadable"
    GONE = "gone"


def readiness(path: Path) -> Readiness:
    """Whether a file can be read and nobody has it open for writing.

    A read lease (``F_SETLEASE``) is granted only while no writer is there; it is given back at
    once. Where leases don't work (network shares, files of another owner) the answer is ``READY``
    and the settle time alone decides. Links are not followed, pipes do not block.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Readiness.GONE
    except OSError:
        return Readiness.UNREADABLE
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Readiness.UNREADABLE
        return _lease(descriptor)
    finally:
        os.close(descriptor)


def _lease(descriptor: int) -> Readiness:
    if not hasattr(fcntl, "F_SETLEASE"):
        return Readiness.READY
    with contextlib.suppress(OSError):
        # A writer that opens the file in this instant makes the kernel signal us. The default
        # signal, SIGIO, would end the process; SIGURG is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return Readiness.BEING_WRITTEN
            return Readiness.READY
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Readiness.READY


def open_plain(path: Path) -> BinaryIO:
    """Open for reading, never through a link, never waiting for a pipe's other end."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")

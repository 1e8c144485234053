# SPDX-License-Identifier: Apache-2.0
"""Files by the sha256 of their bytes: written once, whole or not at all, never overwritten.

A file appears under its final name only after its bytes and its folder entry are on the disk, and
after they were read back and hashed again. A process killed anywhere leaves at most a file in
``tmp``, which :meth:`ContentStore.sweep` removes at the next start.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from idp.errors import DamagedStoreError

CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Kept:
    """What was stored: the hash of the bytes and how many there were."""

    sha256: str
    size_bytes: int


class ContentStore:
    """A folder of immutable files, ``ab/cdef...`` by sha256. Safe for many processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tmp = folder / "tmp"

    def path(self, sha256: str) -> Path:
        """Where the bytes are; raises :class:`DamagedStoreError` when they are not there."""
        place = self._place(sha256)
        if not place.is_file():
            raise DamagedStoreError(f"{sha256} is not in the content store {self.folder}")
        return place

    def has(self, sha256: str) -> bool:
        """Whether the bytes are there (not whether they are still sound: see :meth:`verify`)."""
        return self._place(sha256).is_file()

    def put(self, source: BinaryIO) -> Kept:
        """Store all of an open file, hashing on the way; the same bytes twice are stored once.

        Raises ``OSError`` (disk full, no access) with nothing stored.
        """
        self._tmp.mkdir(parents=True, exist_ok=True)
        tmp = self._tmp / secrets.token_hex(16)
        try:
            with tmp.open("xb") as sink:
                digest = hashlib.sha256()
                size = 0
                while chunk := source.read(CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    sink.write(chunk)
                sink.flush()
                os.fsync(sink.fileno())
            sha256 = digest.hexdigest()
            place = self._place(sha256)
            if place.is_file() and _hash_file(place) == sha256:
                sync_folder(place.parent)  # its writer may have been killed before it did
                return Kept(sha256, size)
            if _hash_file(tmp) != sha256:
                raise DamagedStoreError(f"{tmp} reads back differently from what was written")
            tmp.chmod(0o440)
            self._publish(tmp, place)
            return Kept(sha256, size)
        finally:
            with contextlib.suppress(FileNotFoundError):
                tmp.unlink()

    def put_file(self, source: Path) -> Kept:
        """Store a file of the disk; see :meth:`put`."""
        with source.open("rb") as stream:
            return self.put(stream)

    def put_bytes(self, content: bytes) -> Kept:
        """Store bytes from memory; see :meth:`put`."""
        return self.put(io.BytesIO(content))

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against their name."""
        content = self.path(sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DamagedStoreError(f"{sha256} was altered in the content store {self.folder}")
        return content

    def verify(self) -> Iterator[str]:
        """The names of all files whose bytes no longer match; reads everything."""
        for place in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
            sha256 = place.parent.name + place.name
            if _hash_file(place) != sha256:
                yield sha256

    def sweep(self) -> int:
        """Remove what killed writers left; only while no other process writes. Returns how many."""
        left = list(self._tmp.glob("*")) if self._tmp.is_dir() else []
        for tmp in left:
            tmp.unlink(missing_ok=True)
        return len(left)

    def _place(self, sha256: str) -> Path:
        if not _SHA256.match(sha256):
            raise ValueError(f"not a sha256: {sha256!r}")
        return self.folder / sha256[:2] / sha256[2:]

    def _publish(self, tmp: Path, place: Path) -> None:
        """Give ``tmp`` its final name, durably, without ever replacing a sound file."""
        new_folder = not place.parent.is_dir()
        place.parent.mkdir(parents=True, exist_ok=True)
        # A file of this name with other bytes is damage (a disk that lied about fsync): renaming
        # over it mends it. A sound one was returned by the caller already; a writer that wins the
        # race between puts the same bytes there.
        tmp.rename(place)
        sync_folder(place.parent)
        if new_folder:
            sync_folder(self.folder)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

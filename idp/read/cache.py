# SPDX-License-Identifier: Apache-2.0
"""Pages that were read before: a fax sent twice, a file queued again, a step done again.

An entry is one file, named after all that decides how a page is read: the bytes of the image as
unpacked, its resolution and text layer, and whoever reads (code, weights, engine, settings). It
holds the page's record and its upright image, and the sha256 of both: what was cut off by a kill or
altered on the disk is no entry. Entries hold what pages hold, patients' data; they lie in the data
folder, readable by its user and group alone, for a limited time and up to a limited size.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from idp.document import Page, RawPage

_MAGIC = b"idp-page-1\n"
_HASH_BYTES = 32
_LENGTH_BYTES = 8
_FREED = 0.9
"""A full cache is emptied to this share at once, so that not every page makes room for itself."""


@dataclass(frozen=True)
class CacheHealth:
    """Counts since the start, and how much lies there."""

    hits: int = 0
    misses: int = 0
    damaged: int = 0
    entries: int = 0
    size_bytes: int = 0


class PageCache:
    """A folder of pages as read. Thread-safe; several processes may share the folder.

    It never raises for what the disk does: an entry that can't be read is a miss, one that can't
    be written is not kept.
    """

    def __init__(self, folder: Path, max_bytes: int, max_age: dt.timedelta) -> None:
        """Uses ``folder`` (made with the first entry).

        Args:
            folder: For entries alone: what else lies in it is not touched.
            max_bytes: When entries together are larger, those unused for longest go.
            max_age: An entry not used for so long is no entry any more.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._lock = threading.Lock()
        self._hits = self._misses = self._damaged = 0
        self._size: int | None = None

    @property
    def health(self) -> CacheHealth:
        """What it was good for, and how much lies there (looks at the folder)."""
        entries = self._entries()
        with self._lock:
            return CacheHealth(
                hits=self._hits,
                misses=self._misses,
                damaged=self._damaged,
                entries=len(entries),
                size_bytes=sum(entry.size for entry in entries),
            )

    def key(self, raw: RawPage, reader: str) -> str:
        """The name of what ``reader`` makes of this page; reads the page's image file.

        Args:
            raw: The page as unpacked; its number is no part of the name.
            reader: Everything about who reads.

        Raises:
            OSError: the image can't be read.
        """
        about = raw.model_dump_json(exclude={"number", "path"})
        digest = hashlib.sha256()
        for part in (reader.encode(), about.encode()):
            digest.update(len(part).to_bytes(_LENGTH_BYTES, "big"))
            digest.update(part)
        with Path(raw.path).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    def get(self, key: str, number: int, image: Path) -> Page | None:
        """The page of this name as page ``number``, its image written to ``image``, or ``None``."""
        place = self._place(key)
        try:
            content = place.read_bytes()
            if time.time() - place.stat().st_mtime > self._max_age.total_seconds():
                raise FileNotFoundError
        except OSError:
            self._missed()
            return None
        try:
            record, picture = _unpacked(content)
            page = Page.model_validate_json(record)
        except ValueError:  # also what pydantic raises
            with contextlib.suppress(OSError):
                place.unlink()
            self._missed(damaged=True)
            return None
        try:
            image.write_bytes(picture)
            os.utime(place)  # used just now: the last to go
        except OSError:
            self._missed()
            return None
        with self._lock:
            self._hits += 1
        return page.model_copy(update={"number": number, "image": str(image)})

    def put(self, key: str, page: Page) -> None:
        """Keeps a page as read with the image that it names.

        Whole or not at all: written beside, then renamed. Nothing is synced to the disk: what a
        power failure leaves half written does not match its own hash.
        """
        if page.image is None:
            return
        place = self._place(key)
        half = self._folder / f"{secrets.token_hex(16)}.tmp"
        try:
            picture = Path(page.image).read_bytes()
            record = page.model_copy(update={"image": None}).model_dump_json().encode()
            content = _packed(record, picture)
            if len(content) > self._max_bytes:
                return
            place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            # Like the content store's files: nobody writes, others do not read.
            descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o440)
            with os.fdopen(descriptor, "wb") as sink:
                sink.write(content)
            half.replace(place)
        except OSError:
            with contextlib.suppress(OSError):
                half.unlink()
            return
        self._make_room(len(content))

    def expire(self) -> int:
        """Removes what was not used for too long, and what killed writers left; says how much."""
        oldest = time.time() - self._max_age.total_seconds()
        gone = self._remove([entry for entry in self._entries() if entry.used < oldest])
        for half in self._folder.glob("*.tmp"):
            with contextlib.suppress(OSError):
                if half.stat().st_mtime < time.time() - 3600:  # nobody writes for an hour
                    half.unlink()
        return gone

    def clear(self) -> int:
        """Removes every entry: for retention, which must not leave a page behind; says how many."""
        for half in self._folder.glob("*.tmp"):
            with contextlib.suppress(OSError):
                half.unlink()
        return self._remove(self._entries())

    def _missed(self, *, damaged: bool = False) -> None:
        with self._lock:
            self._misses += 1
            self._damaged += damaged

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _make_room(self, added: int) -> None:
        with self._lock:
            if self._size is None:
                self._size = sum(entry.size for entry in self._entries())
            else:
                self._size += added
            if self._size <= self._max_bytes:
                return
            entries = sorted(self._entries(), key=lambda entry: entry.used)
            self._size = sum(entry.size for entry in entries)
            leaving = []
            for entry in entries:
                if self._size <= _FREED * self._max_bytes:
                    break
                leaving.append(entry)
                self._size -= entry.size
        self._remove(leaving)

    def _remove(self, entries: list[_Entry]) -> int:
        gone = 0
        for entry in entries:
            with contextlib.suppress(OSError):
                entry.path.unlink()
                gone += 1
        return gone

    def _entries(self) -> list[_Entry]:
        found = []
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            with contextlib.suppress(OSError):  # another process removed it
                status = path.stat()
                found.append(_Entry(path, status.st_size, status.st_mtime))
        return found


@dataclass(frozen=True)
class _Entry:
    path: Path
    size: int
    used: float


def reader_name(versions: dict[str, str], settings: dict[str, object]) -> str:
    """One name for everything about who reads: versions, and the settings that decide what is seen.

    Raises:
        TypeError: a setting is no plain JSON value.
    """
    return json.dumps([versions, settings], sort_keys=True)


def _packed(record: bytes, picture: bytes) -> bytes:
    body = b"".join((len(record).to_bytes(_LENGTH_BYTES, "big"), record, picture))
    return b"".join((_MAGIC, hashlib.sha256(body).digest(), body))


def _unpacked(content: bytes) -> tuple[bytes, bytes]:
    """Record and picture; raises ``ValueError`` when they are not what was packed."""
    start = len(_MAGIC) + _HASH_BYTES
    body = content[start:]
    if not content.startswith(_MAGIC) or hashlib.sha256(body).digest() != content[:start][-32:]:
        raise ValueError("not what was written")
    length = int.from_bytes(body[:_LENGTH_BYTES], "big")
    record = body[_LENGTH_BYTES:][:length]
    return record, body[_LENGTH_BYTES + length :]

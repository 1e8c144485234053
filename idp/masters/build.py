# SPDX-License-Identifier: Apache-2.0
"""A directory is built beside the one in force and put in its place by one rename.

Killed anywhere before, the old one stays in force whole; what was left behind is removed by the
next import. Memory stays bounded however long the source is: rows go through one at a time, and the
index is sorted by SQLite on disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from idp.errors import AccessError, AlreadyRunningError, ImportedDataError
from idp.masters.keys import entry_keys
from idp.masters.nouns import Entry, Kind, Member, packed, unpacked
from idp.masters.rows import RefusedRow, RowReader
from idp.masters.spelling import plain

FORMAT = 1
"""Of the file; one of another number is imported anew."""

MOST_LINES = 20
"""Line numbers kept of each reason."""

_BATCH = 5_000
_MOST_NAMES = 200_000
"""Given names remembered; beyond it further ones are taken for slips of these."""

_TABLES = """
CREATE TABLE told (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (id INTEGER PRIMARY KEY, canonical TEXT NOT NULL UNIQUE, data TEXT NOT NULL,
                    batch INTEGER NOT NULL);
CREATE TABLE key (key INTEGER NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (key, entry))
       WITHOUT ROWID;
CREATE TABLE given (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Refused(BaseModel):
    """Rows that were refused for one reason, with the first of their line numbers."""

    model_config = ConfigDict(frozen=True)

    reason: str
    rows: int
    lines: tuple[int, ...]


class Imported(BaseModel):
    """What an import did; no value of any row."""

    model_config = ConfigDict(frozen=True)

    directory: Kind
    edition: str
    rows: int
    entries: int
    """In the directory now."""
    new: int
    replaced: int
    """By ``--update``: entries whose id was there before."""
    joined: int
    """Further rows of an entry of the same id: several numbers of a person, say."""
    refused: tuple[Refused, ...]

    @property
    def refused_rows(self) -> int:
        return sum(one.rows for one in self.refused)


def path_of(folder: Path, kind: Kind) -> Path:
    """Where a directory lies."""
    return folder / f"{kind}.sqlite"


def build(
    folder: Path,
    kind: Kind,
    rows: Iterator[tuple[int, Sequence[str]]],
    reader: RowReader,
    *,
    update: bool,
    told: dict[str, str],
) -> Imported:
    """Import rows and put the directory in force.

    Args:
        folder: Of all directories; made where there is none, for its owner alone.
        kind: Which directory.
        rows: With their line numbers.
        reader: Makes entries of them.
        update: What is there stays, but for entries whose id comes again.
        told: Kept with the directory: when, and from what source.

    Raises:
        AccessError: The folder can't be written.
        ImportedDataError: Not one row could be taken.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        with _alone(folder):
            return _built(folder, kind, rows, reader, update=update, told=told)
    except OSError as error:
        raise AccessError(f"{error.filename or folder}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise AccessError(
            f"{folder}: the {kind} can't be written ({type(error).__name__})",
            hint="Is the disk full? The directory in force stays as it is.",
        ) from error


def _built(
    folder: Path,
    kind: Kind,
    rows: Iterator[tuple[int, Sequence[str]]],
    reader: RowReader,
    *,
    update: bool,
    told: dict[str, str],
) -> Imported:
    _sweep(folder)
    stage = folder / f".{kind}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    stage.mkdir(mode=0o700)
    try:
        half = stage / "directory.sqlite"
        for name in (half, stage / "keys.sqlite"):
            name.touch(mode=0o600)
        current = path_of(folder, kind)
        if update and current.is_file():
            shutil.copyfile(current, half)
        with closing(sqlite3.connect(half, isolation_level=None)) as database:
            database.execute("ATTACH ? AS scratch", (str(stage / "keys.sqlite"),))
            done = _Building(database, kind, update=update).run(rows, reader, told)
        _sync(half)
        half.replace(current)
        _sync(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return done


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One import at a time: two updates of one directory would lose one of them."""
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"another import works in {folder}", hint="Wait until it has ended."
            ) from error
        yield
    finally:
        os.close(lock)


class _Building:
    """One import into a file that nobody reads yet."""

    def __init__(self, database: sqlite3.Connection, kind: Kind, *, update: bool) -> None:
        self._database = database
        self._kind = kind
        self._joined = self._replaced = self._new = self._rows = 0
        self._refused: dict[str, list[int]] = {}
        self._refusals: Counter[str] = Counter()
        self._given: set[str] = set()
        self._keys: list[tuple[int, int]] = []
        # Nobody reads the file before it is whole, and a torn one is thrown away.
        for name in ("main", "scratch"):
            database.execute(f"PRAGMA {name}.journal_mode=OFF")
            database.execute(f"PRAGMA {name}.synchronous=OFF")
        database.execute("PRAGMA cache_size=-65536")
        database.execute("PRAGMA temp_store=FILE")
        there = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchone()
        self._fresh = not (update and there)
        if not self._fresh and self._told("format") != str(FORMAT):
            raise ImportedDataError(
                f"the {kind} were imported by another version of idp and can't be updated",
                hint="Import the whole directory once, without --update.",
            )
        if self._fresh:
            database.executescript(_TABLES)
            database.execute(
                "CREATE TABLE scratch.raw (key INTEGER NOT NULL, entry INTEGER NOT NULL)"
            )
        self._batch = 1 + int(
            database.execute("SELECT coalesce(max(batch), 0) FROM entry").fetchone()[0]
        )

    def run(
        self, rows: Iterator[tuple[int, Sequence[str]]], reader: RowReader, told: dict[str, str]
    ) -> Imported:
        digest = hashlib.sha256(self._told("edition").encode())
        self._database.execute("BEGIN")
        for line, row in rows:
            self._rows += 1
            try:
                entry = reader.entry(row)
                text = packed(entry)
                self._take(entry, text)
            except RefusedRow as refused:
                self._refuse(refused.reason, line)
                continue
            digest.update(text.encode())
            if len(self._keys) >= _BATCH:
                self._flush()
        self._flush()
        if not self._new + self._replaced:
            raise ImportedDataError(
                f"none of the {self._rows} rows could be taken: {self._reasons()}"
            )
        self._finish(digest.hexdigest()[:12], told)
        return Imported(
            directory=self._kind,
            edition=digest.hexdigest()[:12],
            rows=self._rows,
            entries=self._count(),
            new=self._new,
            replaced=self._replaced,
            joined=self._joined,
            refused=tuple(
                Refused(reason=reason, rows=rows, lines=tuple(self._refused[reason]))
                for reason, rows in self._refusals.most_common()
            ),
        )

    def _take(self, entry: Entry, text: str) -> None:
        found = self._database.execute(
            "INSERT INTO entry (canonical, data, batch) VALUES (?, ?, ?)"
            " ON CONFLICT (canonical) DO NOTHING RETURNING id",
            (entry.canonical_id, text, self._batch),
        ).fetchone()
        if found is None:
            self._take_again(entry)
            return
        self._new += 1
        self._put_keys(found[0], entry)

    def _take_again(self, entry: Entry) -> None:
        """An entry whose id is there: of an earlier import it is replaced, of this one joined."""
        row = self._database.execute(
            "SELECT id, data, batch FROM entry WHERE canonical = ?", (entry.canonical_id,)
        ).fetchone()
        number, data, batch = int(row[0]), str(row[1]), int(row[2])
        known = unpacked(self._kind, data)
        if batch == self._batch:
            both = known.joined(entry)  # type: ignore[arg-type]
            if both is None:
                raise RefusedRow("the id of an earlier row, and somebody else's data")
            self._joined += 1
            entry = both
        else:
            self._replaced += 1
            self._flush()
            self._database.executemany(
                "DELETE FROM key WHERE key = ? AND entry = ?",
                [(key, number) for key in entry_keys(known)],
            )
        self._database.execute(
            "UPDATE entry SET data = ?, batch = ? WHERE id = ?",
            (packed(entry), self._batch, number),
        )
        self._put_keys(number, entry)

    def _put_keys(self, number: int, entry: Entry) -> None:
        self._keys.extend((key, number) for key in entry_keys(entry))
        if isinstance(entry, Member) and len(self._given) < _MOST_NAMES:
            self._given.add(plain(entry.first))

    def _flush(self) -> None:
        table = "scratch.raw" if self._fresh else "main.key"
        self._database.executemany(
            f"INSERT OR IGNORE INTO {table} VALUES (?, ?)",  # noqa: S608 - one of two names
            self._keys,
        )
        self._keys.clear()

    def _refuse(self, reason: str, line: int) -> None:
        self._refusals[reason] += 1
        lines = self._refused.setdefault(reason, [])
        if len(lines) < MOST_LINES:
            lines.append(line)

    def _finish(self, edition: str, told: dict[str, str]) -> None:
        run = self._database.execute
        if self._fresh:
            # In order, so that the index is written page after page.
            run("INSERT OR IGNORE INTO key SELECT key, entry FROM scratch.raw ORDER BY key, entry")
        self._database.executemany(
            "INSERT OR IGNORE INTO given VALUES (?)", ((n,) for n in sorted(self._given) if n)
        )
        values = {"format": str(FORMAT), "edition": edition, "entries": str(self._count()), **told}
        self._database.executemany("INSERT OR REPLACE INTO told VALUES (?, ?)", values.items())
        run("COMMIT")

    def _told(self, name: str) -> str:
        found = self._database.execute("SELECT value FROM told WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def _count(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM entry").fetchone()[0])

    def _reasons(self) -> str:
        told = [f"{reason} ({rows})" for reason, rows in self._refusals.most_common(3)]
        return "; ".join(told) or "there is none"


def _sweep(folder: Path) -> None:
    """Removes what imports left behind that were killed."""
    for left in folder.glob(".*-*-*"):
        pid = left.name.split("-")[1]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

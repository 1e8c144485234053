# SPDX-License-Identifier: Apache-2.0
"""Imports: a SQLite file per kind (and edition), built beside its place and renamed into it.

Killed at any line, what was in force stays in force; the next import sweeps the half away. One
import at a time per folder: a lock file sees to it, also between processes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import re
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from idp.errors import AccessError, ImportedDataError, NotFoundError
from idp.reference.layouts import EditionName, Layout
from idp.reference.nouns import MOST_LINES_NAMED, Edition, Update
from idp.reference.reading import Row, Source, opened, rows
from idp.reference.tables import SQL, Record, records

SUFFIX = ".sqlite"
_PART = ".part"
_LOCK = ".lock"
_CACHE_KIB = 65_536
_EVERY_ROWS = 20_000
_LEAST_SHARE = 0.5
"""A list does not shrink to less than this: the file is cut off, or another's."""
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Progress = Callable[[int, int, int], None]
"""Told rows so far, bytes read and bytes in all."""


class Asked(NamedTuple):
    """What the caller says of a file, where its name does not tell."""

    by: str
    edition: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    update: bool | None = None
    """Whether it renews single entries; none: as its name tells."""
    force: bool = False
    """Take it though it holds far fewer rows than what is in force."""


class Imported(NamedTuple):
    """What an import came to."""

    edition: Edition
    changed: bool
    """False where the very same file is in force."""


def path_of(folder: Path, kind: str, edition: str | None = None) -> Path:
    """Where an edition's file lies; without one, where that of an undated kind does."""
    return folder / (f"{kind}@{edition}{SUFFIX}" if edition else f"{kind}{SUFFIX}")


def import_file(
    folder: Path,
    path: Path,
    layout: Layout,
    asked: Asked,
    *,
    progress: Progress = lambda rows, done, size: None,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Imported:
    """Put a publisher's file in force.

    Args:
        folder: Of what is imported; made where it is not there.
        path: The file, or the ZIP archive that holds it.
        layout: That of its kind.
        asked: What its name does not tell.
        progress: Called now and then.
        now: The clock.

    Raises:
        ImportedDataError: It is no file of this kind, or too much of it is refused; what was in
            force stays in force.
        NotFoundError: It is not there.
        AccessError: The folder can't be written, or the disk is full.
    """
    if not path.is_file():
        raise NotFoundError(f"{path} is not there", hint="Give the path of the publisher's file.")
    try:
        with _locked(folder), opened(path, layout) as source:
            return _Import(folder, source, layout, asked, progress, now).run()
    except sqlite3.Error as error:
        raise AccessError(f"{folder}: {error}") from error


def remove(folder: Path, kind: str, edition: str | None = None) -> tuple[str, ...]:
    """Forget what was imported of a kind, or one edition of it; returns the files removed.

    Raises:
        NotFoundError: Nothing of it is imported.
    """
    with _locked(folder):
        wanted = [path_of(folder, kind, edition)]
        if edition is None:
            wanted += sorted(folder.glob(f"{kind}@*{SUFFIX}"))
        found = [path for path in wanted if path.is_file()]
        if not found:
            what = f"{kind} {edition}" if edition else kind
            raise NotFoundError(
                f"nothing of {what} is imported", hint="`idp reference list` tells what is."
            )
        for path in found:
            path.unlink()
        return tuple(path.name for path in found)


def about(database: sqlite3.Connection) -> Edition:
    """What a file says of itself.

    Raises:
        sqlite3.Error: It is no such file.
        ValueError: It says something else.
    """
    row = database.execute("SELECT json FROM about").fetchone()
    if row is None:
        raise ValueError("it says nothing of itself")
    return Edition.model_validate_json(row[0])


def opened_for_reading(path: Path) -> sqlite3.Connection:
    """An import, read-only; such a file never changes, so nobody needs to lock it."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for half in folder.glob(f".*{_PART}*"):
                half.unlink(missing_ok=True)
            yield
    except OSError as error:
        raise AccessError(f"{folder}: {error.strerror or error}") from error


@dataclass
class _Import:
    """One import, from the file to the rename."""

    _folder: Path
    _source: Source
    _layout: Layout
    _asked: Asked
    _progress: Progress
    _now: Callable[[], dt.datetime]
    _rows: int = 0
    _refused: list[int] = field(default_factory=list)
    _refusals: int = 0

    def run(self) -> Imported:
        told = _by_name(self._source.name, self._layout)
        update = told.update if self._asked.update is None else self._asked.update
        edition = self._asked.edition or told.edition or self._now().date().isoformat()
        if not _SLUG.fullmatch(edition):
            raise ImportedDataError(
                f"{edition!r} is no name for an edition",
                hint="Letters, digits, '.', '_' and '-', at most 64.",
            )
        valid = (self._asked.valid_from or told.valid_from, self._asked.valid_to or told.valid_to)
        if self._layout.dated and valid[0] is None:
            raise ImportedDataError(
                f"{self._source.path.name}: from when on it counts is not in its name",
                hint="Say it with --valid-from (and --valid-to).",
            )
        target = path_of(self._folder, self._layout.kind, edition if self._layout.dated else None)
        before = _known(target)
        stat = self._source.path.stat()
        sha256 = _sha256(self._source.path)
        if before is not None and _same(before, sha256, edition, valid):
            return Imported(before, changed=False)
        if update and not SQL[self._layout.table].unique:
            raise ImportedDataError(
                f"{self._layout.kind} is always imported whole", hint="Leave out --update."
            )
        if update and before is None:
            raise ImportedDataError(
                f"{self._source.path.name} only renews single entries, and no whole "
                f"{self._layout.kind} is in force",
                hint="Import the whole file first; --whole takes this one as such.",
            )
        part = self._folder / f".{target.name}-{os.getpid()}{_PART}"
        try:
            if update:
                _copied(target, part)
            found = self._built(part, fresh=not update)
            after = self._source.path.stat()
            if (after.st_size, after.st_mtime_ns) != (stat.st_size, stat.st_mtime_ns):
                raise ImportedDataError(f"{self._source.path.name} changed while it was read")
            self._judge(before, found, update=update)
            made = self._edition(edition, valid, sha256, before if update else None, found)
            _describe(part, made)
            _into_place(part, target)
        finally:
            part.unlink(missing_ok=True)
        return Imported(made, changed=True)

    def _built(self, part: Path, *, fresh: bool) -> int:
        """Fills the file; returns how many entries it has then."""
        table = SQL[self._layout.table]
        database = sqlite3.connect(part, isolation_level=None)
        try:
            for pragma in (
                # Of a new file there is nothing to journal but what an index that fails needs.
                f"journal_mode = {'MEMORY' if fresh else 'OFF'}",
                "synchronous = OFF",
                "locking_mode = EXCLUSIVE",
                f"cache_size = -{_CACHE_KIB}",
                "temp_store = FILE",
            ):
                database.execute(f"PRAGMA {pragma}")
            if fresh:
                database.execute(table.create)
            names, found = rows(self._source, self._layout)
            database.execute("BEGIN")
            database.executemany(table.insert, self._counted(names, found))
            if fresh:
                _index(database, self._layout)
            database.execute("COMMIT")
            count: int = database.execute("SELECT count(*) FROM entries").fetchone()[0]
            return count
        finally:
            database.close()

    def _counted(self, names: tuple[str, ...], found: Iterator[Row]) -> Iterator[Record]:
        most = self._layout.most_rows
        for record in records(self._layout, names, found, self._refuse):
            self._rows += 1
            if self._rows > most:
                raise ImportedDataError(
                    f"{self._source.path.name} has more than {most:,} rows",
                    hint=f"Raise most_rows in reference/{self._layout.kind}.yaml if it is genuine.",
                )
            if self._rows % _EVERY_ROWS == 0:
                self._progress(self._rows, self._source.done(), self._source.size)
            yield record
        self._progress(self._rows, self._source.size, self._source.size)

    def _refuse(self, line: int) -> None:
        self._refusals += 1
        if len(self._refused) < MOST_LINES_NAMED:
            self._refused.append(line)

    def _judge(self, before: Edition | None, found: int, *, update: bool) -> None:
        name, read = self._source.path.name, self._rows + self._refusals
        if not self._rows:
            raise ImportedDataError(
                f"{name} holds no rows of {self._layout.kind}{self._lines()}",
                hint=f"Is it the right file? {self._layout.source}",
            )
        if self._refusals > self._layout.most_refused * read:
            raise ImportedDataError(
                f"{name}: {self._refusals:,} of {read:,} rows are none of "
                f"{self._layout.kind}{self._lines()}",
                hint="A list of which so much is damaged is not taken; get the file again.",
            )
        shrunk = before is not None and not update and found < _LEAST_SHARE * before.rows
        if shrunk and before is not None and not self._asked.force:
            raise ImportedDataError(
                f"{name} has {found:,} entries, what is in force has {before.rows:,}",
                hint="It seems to be cut off, or an update. --force takes it as it is.",
            )

    def _lines(self) -> str:
        named = ", ".join(str(line) for line in self._refused[:5])
        return f" (line {named}{', ...' if self._refusals > 5 else ''})" if named else ""

    def _edition(
        self,
        edition: str,
        valid: tuple[dt.date | None, dt.date | None],
        sha256: str,
        renewed: Edition | None,
        found: int,
    ) -> Edition:
        update = Update(
            id=uuid.uuid4().hex,
            edition=edition,
            file=self._source.path.name,
            sha256=sha256,
            rows=self._rows,
            refused=self._refusals,
            imported_at=self._now(),
            by=self._asked.by,
        )
        if renewed is not None:
            return renewed.model_copy(update={"rows": found, "updates": (*renewed.updates, update)})
        return Edition(
            **update.model_dump(exclude={"rows"}),
            kind=self._layout.kind,
            valid_from=valid[0],
            valid_to=valid[1],
            rows=found,
            refused_lines=tuple(self._refused),
            layout_version=self._layout.version,
        )


class _Told(NamedTuple):
    edition: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    update: bool = False


def _by_name(name: str, layout: Layout) -> _Told:
    """What a file's name says of its edition."""
    for each in layout.editions:
        match = re.search(each.pattern, name, re.IGNORECASE)
        if match is None:
            continue
        try:
            return _Told(
                _set_in(each.name, match),
                _bound(each, each.valid_from, match),
                _bound(each, each.valid_to, match),
                each.update,
            )
        except (ValueError, IndexError, KeyError):
            continue
    return _Told()


def _set_in(text: str, match: re.Match[str]) -> str:
    groups = {f"g{number}": value or "" for number, value in enumerate(match.groups(), start=1)}
    years = {
        f"{name}_before": str(int(value) - 1) for name, value in groups.items() if value.isdigit()
    }
    return text.format(**groups, **years)


def _bound(each: EditionName, text: str, match: re.Match[str]) -> dt.date | None:
    return dt.date.fromisoformat(_set_in(text, match)) if text else None


def _same(
    before: Edition, sha256: str, edition: str, valid: tuple[dt.date | None, dt.date | None]
) -> bool:
    if any(update.sha256 == sha256 for update in before.updates):
        return True
    known = (before.sha256, before.edition, before.valid_from, before.valid_to)
    return not before.updates and known == (sha256, edition, *valid)


def _known(target: Path) -> Edition | None:
    """What is in force there; a damaged file is nothing, and is replaced."""
    if not target.is_file():
        return None
    try:
        with contextlib.closing(opened_for_reading(target)) as database:
            return about(database)
    except (sqlite3.Error, ValueError):
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _index(database: sqlite3.Connection, layout: Layout) -> None:
    """Sorted at the end, which is many times quicker than keeping order from row to row."""
    table = SQL[layout.table]
    try:
        database.execute(table.index_by_key)
    except sqlite3.IntegrityError:
        # The same key twice: the later row is the newer one.
        database.execute(
            f"DELETE FROM entries WHERE rowid NOT IN "  # noqa: S608 - our own names
            f"(SELECT max(rowid) FROM entries GROUP BY {table.key})"
        )
        database.execute(table.index_by_key)


def _describe(part: Path, made: Edition) -> None:
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE IF NOT EXISTS about (json TEXT)")
        database.execute("DELETE FROM about")
        database.execute("INSERT INTO about VALUES (?)", (made.model_dump_json(),))


def _copied(target: Path, part: Path) -> None:
    try:
        shutil.copyfile(target, part)
    except OSError as error:
        raise AccessError(f"{part.parent}: {error.strerror or error}") from error


def _into_place(part: Path, target: Path) -> None:
    try:
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise AccessError(f"{target.parent}: {error.strerror or error}") from error

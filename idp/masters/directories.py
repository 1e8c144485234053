# SPDX-License-Identifier: Apache-2.0
"""The imported directories, read-only: who may be meant by what a document prints."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from idp.errors import AccessError, IdpError, ImportedDataError, NotFoundError
from idp.masters.build import FORMAT, path_of
from idp.masters.keys import printed_member_keys, printed_provider_keys
from idp.masters.nouns import KINDS, Entry, Kind, Member, Payer, Printed, Provider, unpacked
from idp.masters.payers import PayerNames

MOST_CANDIDATES = 400
"""Entries looked at for one printed party."""

MOST_OF_A_LOOSE_KEY = 40
"""Entries of one name, telephone or tax number that are looked at; of a switchboard's or a common
name's hundreds nobody is told apart by it alone."""

_MOST_PAYERS = 20_000


class DirectoryFacts(NamedTuple):
    """What is known of a directory without any of its entries."""

    directory: Kind
    edition: str
    entries: int
    imported_at: str
    source: str
    bytes: int


class _Opened:
    """One file as it was when it was opened; a later import is another file."""

    def __init__(self, path: Path, kind: Kind, stamp: tuple[int, int]) -> None:
        self.stamp = stamp
        self.kind = kind
        self._lock = threading.Lock()
        # An import never writes to a file in force, so that no lock is needed to read it.
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self.told: dict[str, str] = dict(self._all("SELECT name, value FROM told"))

    def close(self) -> None:
        self._database.close()

    def entries(self, keys: Iterable[tuple[int, bool]]) -> tuple[Entry, ...]:
        found: dict[int, None] = {}
        for key, loose in keys:
            most = MOST_OF_A_LOOSE_KEY if loose else MOST_CANDIDATES
            rows = self._all("SELECT entry FROM key WHERE key = ? LIMIT ?", key, most + 1)
            if loose and len(rows) > most:
                continue
            found.update((int(row[0]), None) for row in rows[:most])
        numbers = list(found)[:MOST_CANDIDATES]
        marks = ",".join("?" * len(numbers))
        rows = self._all(
            f"SELECT data FROM entry WHERE id IN ({marks})",  # noqa: S608 - question marks
            *numbers,
        )
        return tuple(unpacked(self.kind, str(row[0])) for row in rows)

    def entry(self, canonical_id: str) -> Entry | None:
        rows = self._all("SELECT data FROM entry WHERE canonical = ?", canonical_id)
        return unpacked(self.kind, str(rows[0][0])) if rows else None

    def is_given_name(self, word: str) -> bool:
        return bool(self._all("SELECT 1 FROM given WHERE name = ?", word))

    @cached_property
    def payers(self) -> PayerNames:
        rows = self._all("SELECT data FROM entry ORDER BY id LIMIT ?", _MOST_PAYERS)
        found = [unpacked("payers", str(row[0])) for row in rows]
        return PayerNames(tuple(entry for entry in found if isinstance(entry, Payer)))

    def _all(self, query: str, *values: int | str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()


class Directories:
    """Members, providers and payers as imported; empty where nothing was.

    Cheap to make and to ask: files are opened when they are first needed, and again when an import
    has put another in their place, also while documents are being judged.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is opened yet, and the folder need not exist.

        Args:
            folder: Where :func:`idp.masters.build` puts them.
        """
        self.folder = folder
        self._opened: dict[Kind, _Opened] = {}
        self._lock = threading.Lock()

    def has(self, kind: Kind) -> bool:
        """Whether such a directory was imported."""
        return self._open(kind) is not None

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Name and edition of each directory, for the record of a decision."""
        found = []
        for kind in KINDS:
            try:
                edition = self.edition(kind)
            except IdpError:
                edition = "damaged"
            if edition:
                found.append((f"masters.{kind}", edition))
        return tuple(found)

    def edition(self, kind: Kind) -> str:
        """Of a directory; empty where there is none."""
        opened = self._open(kind)
        return opened.told.get("edition", "") if opened else ""

    def facts(self) -> tuple[DirectoryFacts, ...]:
        """What there is."""
        found = []
        for kind in KINDS:
            opened = self._open(kind)
            if opened is None:
                continue
            told = opened.told
            size = path_of(self.folder, kind).stat().st_size
            found.append(
                DirectoryFacts(
                    kind,
                    told.get("edition", ""),
                    int(told.get("entries", "0")),
                    told.get("imported_at", ""),
                    told.get("source", ""),
                    size,
                )
            )
        return tuple(found)

    def members(self, printed: Printed) -> tuple[Member, ...]:
        """Members who share a number, a birth date and a letter, or a name with what is printed."""
        found = self._entries("members", printed_member_keys(printed))
        return tuple(entry for entry in found if isinstance(entry, Member))

    def providers(self, printed: Printed) -> tuple[Provider, ...]:
        """Providers who share an NPI, a telephone, fax or tax number, or a name."""
        found = self._entries("providers", printed_provider_keys(printed))
        return tuple(entry for entry in found if isinstance(entry, Provider))

    @property
    def payers(self) -> PayerNames:
        """All payers with their names and patterns."""
        opened = self._open("payers")
        return opened.payers if opened else PayerNames(())

    def entry(self, kind: Kind, canonical_id: str) -> Entry | None:
        """One entry by its id."""
        opened = self._open(kind)
        return opened.entry(canonical_id) if opened else None

    def is_given_name(self, word: str) -> bool:
        """Whether some member has that given name (folded)."""
        opened = self._open("members")
        return opened is not None and opened.is_given_name(word)

    def remove(self, kind: Kind) -> None:
        """Forgets a directory; raises :class:`NotFoundError` where there is none."""
        path = path_of(self.folder, kind)
        if not path.is_file():
            raise NotFoundError(
                f"no {kind} were imported", hint="`idp masters list` shows what there is."
            )
        try:
            path.unlink()
        except OSError as error:
            raise AccessError(f"{path}: {error.strerror}") from error

    def problems(self) -> tuple[str, ...]:
        """A line for each directory that can't be read."""
        found = []
        for kind in KINDS:
            try:
                self._open(kind)
            except ImportedDataError as error:
                found.append(error.message)
        return tuple(found)

    def _entries(self, kind: Kind, keys: Iterable[tuple[int, bool]]) -> tuple[Entry, ...]:
        opened = self._open(kind)
        return opened.entries(keys) if opened else ()

    def _open(self, kind: Kind) -> _Opened | None:
        """The file in force now.

        Raises:
            ImportedDataError: It is damaged, or of another version of idp.
        """
        path = path_of(self.folder, kind)
        try:
            state = path.stat()
        except FileNotFoundError:
            self._opened.pop(kind, None)
            return None
        except OSError as error:
            raise AccessError(f"{path}: {error.strerror}") from error
        stamp = state.st_ino, state.st_mtime_ns
        with self._lock:
            held = self._opened.get(kind)
            if held is not None and held.stamp == stamp:
                return held
            # Another thread may still read the old one: it is closed when nobody holds it.
            try:
                opened = _Opened(path, kind, stamp)
            except sqlite3.Error as error:
                raise ImportedDataError(
                    f"{path} is damaged", hint=f"Import the {kind} again: `idp masters import`."
                ) from error
            if opened.told.get("format") != str(FORMAT):
                with suppress(sqlite3.Error):
                    opened.close()
                raise ImportedDataError(
                    f"{path} was made by another version of idp",
                    hint=f"Import the {kind} again: `idp masters import`.",
                )
            self._opened[kind] = opened
            return opened

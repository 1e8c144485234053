# SPDX-License-Identifier: Apache-2.0
"""Look-ups in what is imported: read-only, cheap to open, for several threads and processes.

What is not imported is not known, and the rules that would look things up in it stay silent. A
damaged file counts as not imported; :meth:`Reference.problems` names it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from idp.reference.building import SUFFIX, about, opened_for_reading, path_of
from idp.reference.layouts import Layout, Layouts, load_layouts
from idp.reference.nouns import Combination, Diagnosis, Edition, Entry, Provider
from idp.reference.specialties import Specialties, load_specialties
from idp.reference.tables import find_codes, find_combinations, find_provider
from idp.settings import Settings
from idp.values import icd10

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

Stamp = tuple[tuple[str, int, int, int], ...]
SHIPPED = "shipped"
_MOST_REMEMBERED = 20_000


class _Open(NamedTuple):
    edition: Edition
    database: sqlite3.Connection


class Reference:
    """The lists and registers in force.

    Args:
        folder: Of what is imported; one that is not there holds nothing.
        layouts: What kinds there are.
        specialties: What specialties are called, and which taxonomy codes stand for them.
    """

    def __init__(
        self,
        folder: Path | None = None,
        layouts: Layouts = MappingProxyType({}),
        specialties: Specialties | None = None,
    ) -> None:
        self._folder = folder
        self._layouts = layouts
        self._specialties = specialties or Specialties(version=0)
        self._rules = (("reference", _version(layouts, self._specialties)),) if layouts else ()
        self._combined = lru_cache(maxsize=_MOST_REMEMBERED)(self._combinations)
        self._looked = lru_cache(maxsize=_MOST_REMEMBERED)(self._look_all)
        self._lock = threading.Lock()
        self._stamp = _stamp(folder)
        self._open: dict[str, tuple[_Open, ...]] = {}
        self._problems: dict[str, str] = {}
        kinds = {name.removesuffix(SUFFIX).split("@", 1)[0] for name, *_ in self._stamp}
        for kind in sorted(kinds & layouts.keys()):
            self._open[kind] = self._opened(kind)

    @classmethod
    def of(cls, settings: Settings) -> Reference:
        """What is in force by the settings.

        Raises:
            RulesError: A layout is not well formed.
        """
        return cls(
            settings.reference_folder,
            load_layouts(settings.rules_folder),
            load_specialties(settings.rules_folder),
        )

    def renewed(self) -> Reference:
        """This, or a new one where an import has changed the folder; costs one look at it."""
        if self._folder is None or _stamp(self._folder) == self._stamp:
            return self
        return Reference(self._folder, self._layouts, self._specialties)

    def close(self) -> None:
        """Lets go of the files; not needed, for nothing is ever written."""
        with self._lock:
            for opened in self._open.values():
                for each in opened:
                    each.database.close()
            self._open = {}

    @property
    def layouts(self) -> Mapping[str, Layout]:
        return self._layouts

    @property
    def editions(self) -> tuple[Edition, ...]:
        """Everything imported, by kind and date."""
        return tuple(each.edition for kind in sorted(self._open) for each in self._open[kind])

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """What is in force, for the record of a decision; layouts have thresholds in them."""
        imported = tuple((f"reference.{each.kind}", each.version) for each in self.editions)
        return (*self._rules, *imported)

    def problems(self) -> tuple[str, ...]:
        """Files that can't be used, a line each; empty when all is well."""
        return tuple(f"{name}: {what}" for name, what in sorted(self._problems.items()))

    def silent_rules(self) -> dict[str, tuple[str, ...]]:
        """Each rule that looks nothing up for want of an import, with the kinds it wants."""
        silent: dict[str, tuple[str, ...]] = {}
        for kind, layout in sorted(self._layouts.items()):
            if not self.has(kind) and not layout.otherwise:
                for rule in layout.rules:
                    silent[rule] = (*silent.get(rule, ()), kind)
        return dict(sorted(silent.items()))

    def has(self, kind: str) -> bool:
        """Whether a list can be looked up in: it is imported, or comes with the program."""
        if self._open.get(kind):
            return True
        layout = self._layouts.get(kind)
        return layout is not None and bool(layout.entries)

    def threshold(self, kind: str, name: str, otherwise: float) -> float:
        """A least likeness as the layout of a kind states it."""
        layout = self._layouts.get(kind)
        return layout.thresholds.get(name, otherwise) if layout else otherwise

    def look(self, kind: str, code: str, on: dt.date | None = None) -> Entry | None:
        """A code of a list; none where it is not in it, or nothing is imported.

        Args:
            kind: Of the list.
            code: As the list writes it, in upper or lower case.
            on: A day: of several entries or editions, the one for it is taken.
        """
        found = list(self.look_all(kind, code, on))
        if on is not None:
            found = sorted(found, key=lambda entry: entry.active_on(on))
        return found[-1] if found else None

    def look_all(self, kind: str, code: str, on: dt.date | None = None) -> tuple[Entry, ...]:
        """Every entry of a code in the edition for a day (or the last), in the file's order."""
        dated = kind in self._layouts and self._layouts[kind].dated
        return self._looked(kind, code.strip().upper(), on if dated else None)

    def _look_all(self, kind: str, code: str, on: dt.date | None) -> tuple[Entry, ...]:
        opened = self._for(kind, on)
        if opened is not None:
            edition = opened.edition.edition
            found = self._asked(opened, lambda db: find_codes(db, code, kind, edition))
            return tuple(found or ())
        layout = self._layouts.get(kind)
        title = layout.entries.get(code) if layout and not self._open.get(kind) else None
        return (Entry(kind, code, title, edition=SHIPPED),) if title is not None else ()

    def provider(self, npi: str) -> Provider | None:
        """Who has an NPI; none where NPPES does not know it, or is not imported."""
        opened = self._for("nppes", None)
        if opened is None or not (npi.isascii() and npi.isdigit()):
            return None
        edition = opened.edition.version.split()[0]
        return self._asked(opened, lambda db: find_provider(db, int(npi), edition))

    def fits(self, specialty: str, provider: Provider) -> bool | None:
        """Whether a provider's taxonomy stands for a printed specialty; none: nobody can tell."""
        least = self.threshold("nppes", "specialty", 0.85)
        return self._specialties.fits(specialty, provider.taxonomies, least)

    def combinations(self, carc: str) -> tuple[Combination, ...]:
        """What may go with an adjustment reason; empty where the CORE table does not name it."""
        return self._combined(carc.strip().upper())

    def _combinations(self, carc: str) -> tuple[Combination, ...]:
        opened = self._for("core_combinations", None)
        if opened is None:
            return ()
        return tuple(self._asked(opened, lambda db: find_combinations(db, carc)) or ())

    def diagnosis(self, code: str, on: dt.date) -> Diagnosis:
        """What ICD-10-CM says of a code on a date of service.

        The imported edition whose dates hold the day counts; where there is none, the one that
        comes with the program.
        """
        opened = self._for("icd10cm", on)
        if opened is None:
            return Diagnosis(icd10.exists(code), icd10.is_billable(code), icd10.edition())
        bare, edition = code.replace(".", "").upper(), opened.edition.edition
        found = self._asked(opened, lambda db: find_codes(db, bare, "icd10cm", edition))
        if found is None:
            return Diagnosis(icd10.exists(code), icd10.is_billable(code), icd10.edition())
        return Diagnosis(bool(found), any(entry.billable for entry in found), edition)

    def edition(self, kind: str, on: dt.date | None = None) -> Edition | None:
        """The imported edition that counts on a day, or the last; none: nothing is imported."""
        opened = self._for(kind, on)
        return opened.edition if opened is not None else None

    def is_whole(self, edition: Edition) -> bool:
        """Whether the file of an edition is undamaged; reads it from end to end."""
        opened = next((o for o in self._open.get(edition.kind, ()) if o.edition == edition), None)
        if opened is None:
            return False

        def ask(database: sqlite3.Connection) -> bool:
            checked = database.execute("PRAGMA quick_check(1)").fetchone()[0]
            count = database.execute("SELECT count(*) FROM entries").fetchone()[0]
            return bool(checked == "ok" and count == edition.rows)

        return bool(self._asked(opened, ask))

    def _for(self, kind: str, on: dt.date | None) -> _Open | None:
        """The edition for a day, the newest of several; without a day the newest of all."""
        opened = self._open.get(kind, ())
        if on is not None:
            opened = tuple(each for each in opened if each.edition.covers(on))
        return opened[-1] if opened else None

    def _opened(self, kind: str) -> tuple[_Open, ...]:
        assert self._folder is not None
        names = [name for name, *_ in self._stamp if name.split("@", 1)[0] == kind]
        names += [path_of(self._folder, kind).name]
        found: list[_Open] = []
        for path in (self._folder / name for name in names):
            try:
                if path.is_file():
                    database = opened_for_reading(path)
                    found.append(_Open(about(database), database))
            except (OSError, sqlite3.Error, ValueError):
                self._set_aside(path.name)
        return tuple(sorted(found, key=lambda each: _age(each.edition)))

    def _asked(self, opened: _Open, ask: Callable[[sqlite3.Connection], _T]) -> _T | None:
        try:
            with self._lock:
                return ask(opened.database)
        except sqlite3.Error:
            kind = opened.edition.kind
            self._set_aside(kind)
            with self._lock:
                kept = tuple(each for each in self._open.get(kind, ()) if each is not opened)
                self._open = {**self._open, kind: kept}
            return None

    def _set_aside(self, name: str) -> None:
        self._problems[name] = "damaged; import it again"
        _log.error("reference data %s is damaged and was set aside", name)


def _version(layouts: Layouts, specialties: Specialties) -> str:
    """A hash over all that is written about lists, which imports do not change."""
    said = [layouts[kind].model_dump_json() for kind in sorted(layouts)]
    whole = "\n".join([*said, specialties.model_dump_json()])
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _age(edition: Edition) -> tuple[dt.date, dt.datetime]:
    return (edition.valid_from or dt.date.min, edition.imported_at)


def _stamp(folder: Path | None) -> Stamp:
    """Which files there are, and which of them is new."""
    if folder is None:
        return ()
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.name, entry.stat().st_ino, entry.stat().st_mtime_ns, entry.stat().st_size)
                for entry in entries
                if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
            ]
    except OSError:
        return ()
    return tuple(sorted(found))

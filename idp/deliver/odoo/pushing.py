# SPDX-License-Identifier: Apache-2.0
"""A parcel on its way: what is known of each of its rows, and what is still to be done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from idp.deliver.odoo.finding import Found
from idp.deliver.odoo.loading import Line, Loader, Value
from idp.deliver.odoo.parcel import Cell, Content, Find, Link, Parcel, Row
from idp.errors import OdooError, OdooRefusedError
from idp.handover import Handover


@dataclass(slots=True)
class Item:
    """One row on its way."""

    row: Row
    external_id: str
    sha256: str
    known: Handover | None = None
    """What the ledger knows of it."""
    record_id: int | None = None
    there: bool = False
    """Its record is known, so it is written by its number."""
    archived: bool = False
    write: bool = True
    """It is still to be written."""
    written: bool = False
    proven: bool = True
    """Its bytes were compared since they were written, or it has none."""
    gone: bool = False
    """People have deleted its record."""
    skipped: bool = False
    """Nothing is done about it, for a reason that the notes tell."""

    @property
    def cells(self) -> Mapping[str, Cell]:
        """What is written: once its record is there, the columns that are not people's by then."""
        if not self.there:
            return self.row.cells
        return {name: cell for name, cell in self.row.cells.items() if name not in self.row.kept}

    @property
    def links(self) -> list[str]:
        """The roles that it refers to."""
        return [each.role for each in _parts(self.cells) if isinstance(each, Link)]

    @property
    def finds(self) -> list[Find]:
        """What is to be looked up for it."""
        return [each for each in _parts(self.cells) if isinstance(each, Find)]

    @property
    def content(self) -> tuple[str, Content] | None:
        """The column with its file, and the file."""
        for name, cell in self.cells.items():
            if isinstance(cell, Content):
                return name, cell
        return None

    @property
    def open(self) -> bool:
        """Whether it was tried before and nobody knows how that ended."""
        return self.known is not None and self.known.record_id is None and not self.known.gone

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return not self.write and self.proven

    def lose(self) -> None:
        """Its record is no more."""
        self.gone, self.write, self.proven = True, False, True

    def skip(self) -> None:
        """Leave it as it is."""
        self.skipped, self.write, self.proven = True, False, True

    def loaded(self, line: Line, record_id: int) -> None:
        """It was written."""
        self.record_id, self.there, self.written, self.write = record_id, True, True, False
        self.proven = not any(isinstance(value, Content) for value in line.columns.values())

    def outcome(self, handover: Handover) -> Handover | None:
        """What the ledger is to be told; ``None``: nothing that it does not know."""
        known = self.known
        if self.record_id is None or self.skipped or (known is not None and known.gone):
            return None
        if self.gone:
            lost = known if known is not None else handover
            return replace(lost, record_id=self.record_id, gone=True)
        if not self.written and known is not None and known.record_id is not None:
            return None
        sure = self.proven and not self.write
        return replace(
            handover, record_id=self.record_id, content_sha256=self.sha256 if sure else None
        )


@dataclass(slots=True)
class Push:
    """One parcel on its way."""

    parcel: Parcel
    items: dict[str, Item] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    error: Exception | None = None

    @property
    def open(self) -> bool:
        """Whether it was tried before and nobody knows how that ended."""
        return any(item.open for item in self.items.values())

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return all(item.done for item in self.items.values())

    def to_write(self) -> Iterator[Item]:
        """The rows that are still to be written; none once the parcel has failed."""
        if self.error is None:
            yield from (item for item in self.items.values() if item.write)

    def note(self, code: str) -> None:
        """Remember a code for people, once."""
        if code not in self.notes:
            self.notes.append(code)


def line_of(push: Push, item: Item, loader: Loader, answers: Mapping[Find, Found]) -> Line:
    """What ``load()`` is to get for a row: all that it links to is known, all looked up.

    Raises:
        OdooRefusedError: A required record is not there, or the model has no such column.
        OdooError: What kept a record from being looked up.
    """
    number = {".id": str(item.record_id)}
    columns: dict[str, Value] = {**number} if item.there else {"id": item.external_id}
    for name, cell in item.cells.items():
        value = _value(push, f"{item.row.role}.{name}", cell, answers)
        if value is not None:
            refers = isinstance(cell, Link | Find | tuple) or _is_number(cell)
            columns[loader.column(item.row.model, name, record=refers)] = value
    return Line(item.row.model, columns, archived=item.archived)


def content_sha256(row: Row) -> str:
    """What a row says, as a hash: of what is looked up the question, of a file its own hash."""
    told = {
        "model": row.model,
        "cells": {name: _told(cell) for name, cell in row.cells.items()},
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _parts(cells: Mapping[str, Cell]) -> Iterator[Cell]:
    for cell in cells.values():
        yield from cell if isinstance(cell, tuple) else (cell,)


def _value(push: Push, place: str, cell: Cell, answers: Mapping[Find, Found]) -> Value | None:
    """A cell as ``load()`` wants it; ``None`` leaves the column out."""
    if isinstance(cell, Content):
        return cell
    if isinstance(cell, Link | Find):
        record_id = _referred(push, place, cell, answers)
        return None if record_id is None else str(record_id)
    if isinstance(cell, tuple):
        ids = [_referred(push, place, each, answers) for each in cell]
        found = [str(each) for each in ids if each is not None]
        # Where not one of several is found, those that are there stay.
        return ",".join(dict.fromkeys(found)) if found or not cell else None
    if isinstance(cell, bool):
        return "1" if cell else "0"
    return "" if cell is None else str(cell)


def _referred(
    push: Push, place: str, cell: Link | Find, answers: Mapping[Find, Found]
) -> int | None:
    if isinstance(cell, Link):
        return push.items[cell.role].record_id
    found = answers[cell]
    if isinstance(found, int):
        return found
    if isinstance(found, OdooError):
        raise found
    if cell.required:
        raise OdooRefusedError(f"{place}: {found} of {cell.model} found, and one is needed")
    push.note(f"{place}:{found}")
    return None


def _told(cell: Cell) -> object:
    if isinstance(cell, Content):
        return {"sha1": cell.sha1, "size": cell.size_bytes}
    if isinstance(cell, Link):
        return {"link": cell.role}
    if isinstance(cell, Find):
        return {"find": [cell.model, cell.domain, cell.required, cell.make]}
    if isinstance(cell, tuple):
        return [_told(each) for each in cell]
    return cell


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int) and not isinstance(cell, bool)

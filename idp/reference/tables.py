# SPDX-License-Identifier: Apache-2.0
"""The three tables that imports fill: codes, combinations and providers."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from idp.reference.layouts import Column, Layout
from idp.reference.nouns import Combination, Entry, Provider
from idp.reference.reading import CONTINUES
from idp.values.ndc import ndc_in_full

Record = tuple[str | int | None, ...]

_NOTHING_IN_IT = frozenset({"", "N/A", "NA", "NONE", "-", "--", "NULL"})
_GROUP = re.compile(r"\b(?:CO|PR|OA|PI)\b")
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X")


class RefusedRow(Exception):  # noqa: N818 - a verdict on a row, not a fault
    """A row that is none of its kind; says the column, never the value."""


class SqlTable(NamedTuple):
    """How a table is made, filled and indexed."""

    create: str
    columns: tuple[str, ...]
    key: str
    unique: bool

    @property
    def insert(self) -> str:
        marks = ", ".join("?" for _ in self.columns)
        columns = ", ".join(self.columns)
        return f"INSERT OR REPLACE INTO entries ({columns}) VALUES ({marks})"  # noqa: S608

    @property
    def index_by_key(self) -> str:
        kind = "UNIQUE INDEX" if self.unique else "INDEX"
        return f"CREATE {kind} by_key ON entries ({self.key})"


def _table(key: str, columns: str, *, unique: bool = False) -> SqlTable:
    names = tuple(column.split()[0] for column in columns.split(", "))
    return SqlTable(f"CREATE TABLE entries ({columns})", names, key, unique)


SQL: Mapping[str, SqlTable] = {
    "codes": _table(
        "code",
        "code TEXT, start TEXT, stop TEXT, modified TEXT, billable INTEGER, title TEXT, "
        "description TEXT",
    ),
    "combinations": _table("carc", "scenario TEXT, carc TEXT, rarc TEXT, groups TEXT"),
    "providers": _table(
        "npi",
        "npi INTEGER, entity INTEGER, names TEXT, city TEXT, state TEXT, zip TEXT, phone TEXT, "
        "taxonomies TEXT, deactivated TEXT, reactivated TEXT",
        unique=True,
    ),
}


def records(
    layout: Layout,
    names: Sequence[str],
    rows: Iterator[tuple[int, tuple[str, ...] | None]],
    refuse: Callable[[int], None],
) -> Iterator[Record]:
    """What goes into the table; the numbers of rows that are refused are handed to ``refuse``."""
    made = _providers if layout.table == "providers" else _values
    if layout.continued is not None and CONTINUES in names:
        yield from _joined(layout, names, rows, refuse)
        return
    convert = made(layout, names)
    for line, values in rows:
        try:
            if values is None:
                raise RefusedRow("width")
            record = convert(values)
        except RefusedRow:
            refuse(line)
            continue
        yield record


def _joined(
    layout: Layout,
    names: Sequence[str],
    rows: Iterator[tuple[int, tuple[str, ...] | None]],
    refuse: Callable[[int], None],
) -> Iterator[Record]:
    """Rows whose descriptions go on in the rows after them."""
    assert layout.continued is not None
    convert = _values(layout, names)
    mark, text = names.index(CONTINUES), names.index("description")
    code, place = names.index("code"), SQL[layout.table].columns.index("description")
    held: Record | None = None
    last = ""
    for line, values in rows:
        if values is None:
            refuse(line)
            continue
        if values[mark].strip() in layout.continued.values:
            if held is None or values[code].strip() != last:
                refuse(line)
                continue
            more = f"{held[place] or ''} {values[text].strip()}".strip()
            held = (*held[:place], more, *held[place + 1 :])
            continue
        if held is not None:
            yield held
        held = None
        try:
            held, last = convert(values), values[code].strip()
        except RefusedRow:
            refuse(line)
    if held is not None:
        yield held


def _cell(name: str, column: Column, raw: str) -> str | int | None:
    """A value as it is kept.

    Raises:
        RefusedRow: It is not what the column is for.
    """
    value = raw.strip()
    if column.dates:
        return _date(value, column.dates, name)
    if column.truth:
        return int(value in column.truth)
    if column.normal == "no_point":
        value = value.replace(".", "")
    elif column.normal == "ndc" and value:
        value = ndc_in_full(value) or ""
    if column.width and value:
        value = value.zfill(column.width)
    if (column.filled and not value) or (
        value and column.pattern and not re.fullmatch(column.pattern, value)
    ):
        raise RefusedRow(name)
    return value


@lru_cache(maxsize=50_000)
def _date(value: str, formats: tuple[str, ...], name: str) -> str | None:
    if value.upper() in _NOTHING_IN_IT:
        return None
    for each in formats:
        try:
            return dt.datetime.strptime(value, each).date().isoformat()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    raise RefusedRow(name)


def _values(layout: Layout, names: Sequence[str]) -> Callable[[Sequence[str]], Record]:
    """A converter for codes and combinations."""
    kept = SQL[layout.table].columns
    at = {name: place for place, name in enumerate(names)}
    plan = [(name, layout.columns[name], at[name]) for name in layout.columns if name in at]
    codes = layout.table == "codes"
    above: dict[str, str] = {}

    def convert(row: Sequence[str]) -> Record:
        found: dict[str, str | int | None] = {}
        for name, column, place in plan:
            raw = row[place]
            if column.carried:
                raw = above[name] = raw if raw.strip() else above.get(name, "")
            found[name] = _cell(name, column, raw)
        if codes:
            found["code"] = str(found["code"]).upper()
            if not found["code"]:
                raise RefusedRow("code")
            detail = found.pop("detail", None)
            if detail:
                found["title"] = f"{found.get('title') or ''}: {detail}".strip(": ")
        else:
            _combined(found)
        return tuple(found.get(name) for name in kept)

    return convert


def _combined(found: dict[str, str | int | None]) -> None:
    groups = _GROUP.findall(str(found.get("groups") or "").upper())
    carc = str(found.get("carc") or "").upper()
    rarc = str(found.get("rarc") or "").upper()
    if not groups or not carc:
        raise RefusedRow("groups" if carc else "carc")
    found["groups"] = " ".join(dict.fromkeys(groups))
    found["carc"], found["rarc"] = carc, "" if rarc in _NOTHING_IN_IT else rarc


def _providers(layout: Layout, names: Sequence[str]) -> Callable[[Sequence[str]], Record]:
    """A converter for NPPES; written for nine million rows."""
    at = {name: place for place, name in enumerate(names)}
    npi_shape = re.compile(layout.columns["npi"].pattern or r"\d{10}")
    taxonomies = [
        (at[f"taxonomy_{n}"], at.get(f"primary_{n}"))
        for n in range(1, layout.repeats + 1)
        if f"taxonomy_{n}" in at
    ]
    days: dict[str, Callable[[str], str | None]] = {
        name: partial(_date, formats=layout.columns[name].dates, name=name)
        for name in ("deactivated", "reactivated")
        if name in at
    }

    def cell(row: Sequence[str], name: str) -> str:
        place = at.get(name)
        return row[place].strip() if place is not None else ""

    def day(row: Sequence[str], name: str) -> str | None:
        value = cell(row, name)
        return days[name](value) if value else None

    def convert(row: Sequence[str]) -> Record:
        npi, entity = cell(row, "npi"), cell(row, "entity")
        if not npi_shape.fullmatch(npi) or entity not in ("", "1", "2"):
            raise RefusedRow("npi")
        person = [cell(row, part) for part in ("first", "middle", "last")]
        other = [cell(row, part) for part in ("other_first", "other_last")]
        said = (
            cell(row, "organization"),
            " ".join(part for part in person if part),
            cell(row, "other_organization"),
            " ".join(part for part in other if part),
        )
        coded: list[str] = []
        for place, primary in taxonomies:
            if not row[place]:
                continue
            code = row[place].strip()
            if _TAXONOMY.fullmatch(code):
                coded.insert(0 if primary is not None and row[primary] == "Y" else len(coded), code)
        return (
            int(npi),
            int(entity) if entity else None,
            "\n".join(dict.fromkeys(name for name in said if name)),
            cell(row, "city"),
            cell(row, "state"),
            cell(row, "zip"),
            cell(row, "phone"),
            " ".join(dict.fromkeys(coded)),
            day(row, "deactivated"),
            day(row, "reactivated"),
        )

    return convert


_MOST_ALIKE = 200
"""Rows of one code; a list has a handful at most."""


def find_codes(database: sqlite3.Connection, code: str, kind: str, edition: str) -> list[Entry]:
    """All rows of a code, in the order of the file."""
    found = database.execute(
        "SELECT code, title, description, start, stop, modified, billable FROM entries "
        "WHERE code = ? ORDER BY rowid LIMIT ?",
        (code, _MOST_ALIKE),
    ).fetchall()
    return [
        Entry(
            kind=kind,
            code=row[0],
            title=row[1] or "",
            description=row[2] or "",
            start=_day(row[3]),
            stop=_day(row[4]),
            modified=_day(row[5]),
            billable=None if row[6] is None else bool(row[6]),
            edition=edition,
        )
        for row in found
    ]


def find_combinations(database: sqlite3.Connection, carc: str) -> list[Combination]:
    """What may go with a reason; a reason has hundreds of remarks at most."""
    found = database.execute(
        "SELECT scenario, carc, rarc, groups FROM entries WHERE carc = ? ORDER BY rowid LIMIT ?",
        (carc, 50 * _MOST_ALIKE),
    ).fetchall()
    return [
        Combination(row[0] or "", row[1], row[2] or "", frozenset(row[3].split())) for row in found
    ]


def find_provider(database: sqlite3.Connection, npi: int, edition: str) -> Provider | None:
    """Who has an NPI."""
    row = database.execute(
        "SELECT npi, entity, names, city, state, zip, phone, taxonomies, deactivated, reactivated "
        "FROM entries WHERE npi = ?",
        (npi,),
    ).fetchone()
    if row is None:
        return None
    return Provider(
        npi=str(row[0]),
        entity=row[1],
        names=tuple(row[2].split("\n")) if row[2] else (),
        city=row[3],
        state=row[4],
        zip=row[5],
        phone=row[6],
        taxonomies=tuple(row[7].split()),
        deactivated=_day(row[8]),
        reactivated=_day(row[9]),
        edition=edition,
    )


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None

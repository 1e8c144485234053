# SPDX-License-Identifier: Apache-2.0
"""From a CSV file or a query to a directory in force."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from idp.errors import ImportedDataError, NotFoundError
from idp.masters.build import Imported, build
from idp.masters.columns import load_synonyms, parse_overrides, places
from idp.masters.nouns import Kind
from idp.masters.rows import RowReader
from idp.masters.source import open_csv, open_query


def import_directory(
    folder: Path,
    kind: Kind,
    source: str,
    *,
    now: dt.datetime,
    query: str | None = None,
    columns: str = "",
    update: bool = False,
    own_rules: Path | None = None,
) -> Imported:
    """Read a source and put the directory in force, whole or not at all.

    Args:
        folder: Of all directories.
        kind: Which of them.
        source: A CSV file's path, or an SQLAlchemy URL.
        now: The time of the import (aware); births may not lie behind it.
        query: The SELECT of a database.
        columns: ``COLUMN=HEADER,...`` where headers are not understood by themselves.
        update: Entries that the source does not have stay.
        own_rules: The installation's rules folder, for further names of columns.

    Raises:
        ImportedDataError: The source is no table, lacks what is needed, or holds nothing usable.
        NotFoundError: There is no such file.
        AccessError: The file can't be read or the folder not be written.
    """
    synonyms = load_synonyms(kind, own_rules)
    overrides = parse_overrides(columns, kind)
    database = "://" in source
    if database != (query is not None):
        raise ImportedDataError(
            "--query goes with the URL of a database, and only with it",
            hint='CSV: idp masters import members FILE.csv; SQL: URL --query "SELECT ...".',
        )
    if not database and not Path(source).is_file():
        raise NotFoundError(f"{source} is not there", hint="Give the path of a CSV file.")
    with open_query(source, query) if query is not None else open_csv(Path(source)) as table:
        reader = RowReader(kind, places(table.headers, kind, synonyms, overrides), now.date())
        told = {
            "imported_at": now.astimezone(dt.UTC).isoformat(timespec="seconds"),
            "source": _name_of(source, database=database),
        }
        return build(folder, kind, table.rows, reader, update=update, told=told)


def _name_of(source: str, *, database: bool) -> str:
    """What to call the source: a file's name, a database without its password."""
    if not database:
        return Path(source).name
    try:
        return sa.make_url(source).render_as_string(hide_password=True)
    except ArgumentError as error:
        raise ImportedDataError("SOURCE is no SQLAlchemy URL") from error

# SPDX-License-Identifier: Apache-2.0
"""Rows of a CSV file or an SQL query, one at a time, with their line numbers.

What is in the rows never gets into an error: a directory is patients' data.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from idp.errors import AccessError, ImportedDataError, MissingDependencyError

MOST_COLUMNS = 1000
MOST_CHARACTERS = 32_768
"""Of one cell; a longer one is a quotation mark that was never closed."""

_SAMPLE = 65_536
_CHUNK = 1_048_576
_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_READS = ("select", "with")


class Rows(NamedTuple):
    """The head of a source, then its rows: each with the line it begins on."""

    headers: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[str]]]


@contextmanager
def open_csv(path: Path) -> Generator[Rows]:
    """The rows of a CSV file; encoding and delimiter are told by what is in it.

    Raises:
        AccessError: The file can't be read.
        ImportedDataError: It is no table.
    """
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, errors="replace", newline="") as stream:
            delimiter = _delimiter(stream.read(_SAMPLE))
            stream.seek(0)
            rows = _csv_rows(path.name, stream, delimiter)
            _, head = next(rows, (0, ()))
            headers = tuple(cell.strip() for cell in head)
            if len(headers) > MOST_COLUMNS:
                raise ImportedDataError(f"{path.name} has more than {MOST_COLUMNS} columns")
            if not any(headers):
                raise ImportedDataError(f"{path.name} is empty")
            yield Rows(headers, rows)
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}") from error


def _csv_rows(name: str, stream: TextIO, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    csv.field_size_limit(MOST_CHARACTERS)
    reader = csv.reader(stream, delimiter=delimiter)
    line = 1
    try:
        for row in reader:
            if any(cell and not cell.isspace() for cell in row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise ImportedDataError(
            f"{name}, line {line}: this row has no end, or a cell of more than "
            f"{MOST_CHARACTERS} characters",
            hint="A quotation mark is open there. Mend it; what was imported before stays.",
        ) from error


def _encoding(path: Path) -> str:
    """By the byte order mark; else UTF-8 where all of it is, else Windows-1252."""
    with path.open("rb") as stream:
        start = stream.read(4)
        for mark, encoding in _BOMS:
            if start.startswith(mark):
                return encoding
        if start[1:2] == b"\0" or start[:1] == b"\0":
            return "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
        stream.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _delimiter(sample: str) -> str:
    """The sign that cuts the first lines into the most columns of one number."""
    whole = sample.splitlines()[:20]
    lines = whole[:-1] if len(sample) == _SAMPLE and len(whole) > 1 else whole
    best, columns = ",", 1
    for sign in _DELIMITERS:
        try:
            rows = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
        except csv.Error:
            continue
        if rows and rows[0] > columns and sum(n == rows[0] for n in rows) * 2 > len(rows):
            best, columns = sign, rows[0]
    return best


@contextmanager
def open_query(url: str, query: str) -> Generator[Rows]:
    """The rows of one query, which may read only; line 1 is its first row.

    The transaction is read-only where the database knows that, and never committed.

    Raises:
        ImportedDataError: The URL or the query is no such, or the database refuses it.
        MissingDependencyError: The database's driver is not installed.
    """
    words = query.strip().rstrip(";").split(None, 1)
    if not words or words[0].lower() not in _READS or ";" in query.strip().rstrip(";"):
        raise ImportedDataError(
            "--query has to be one SELECT", hint='Say --query "SELECT ... FROM ...".'
        )
    try:
        address = sa.make_url(url)
        engine = sa.create_engine(_read_only(address), hide_parameters=True)
    except SQLAlchemyError as error:
        raise ImportedDataError("SOURCE is no SQLAlchemy URL") from error
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the database driver {error.name} is not installed",
            hint=f"Install {error.name} beside idp, or export the table as CSV.",
        ) from error
    shown = address.render_as_string(hide_password=True)
    try:
        with engine.connect().execution_options(stream_results=True, yield_per=1000) as connection:
            if engine.dialect.name in ("postgresql", "mysql", "mariadb", "oracle"):
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            result = connection.execute(sa.text(query.strip().rstrip(";").replace(":", r"\:")))
            headers = tuple(map(str, result.keys()))
            yield Rows(headers, _query_rows(result))
            connection.rollback()
    except SQLAlchemyError as error:
        raise ImportedDataError(
            f"{shown}: the database refuses ({type(error).__name__})",
            hint="Try the query with the database's own client; it may read only.",
        ) from error
    finally:
        engine.dispose()


def _read_only(url: sa.URL) -> sa.URL:
    """SQLite has no read-only transaction; its files can be opened so."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return url
    if url.database.startswith("file:"):
        return url
    path = Path(url.database).absolute().as_uri()
    return url.set(database=path, query={**url.query, "mode": "ro", "uri": "true"})


def _query_rows(result: sa.CursorResult[tuple[object, ...]]) -> Iterator[tuple[int, Sequence[str]]]:
    for number, row in enumerate(result, 1):
        yield number, [_text(value) for value in row]


def _text(value: object) -> str:
    """A database's value as an export would have it."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)

# SPDX-License-Identifier: Apache-2.0
"""The rows of a publisher's file, one at a time: from a plain file or out of its ZIP archive.

Nothing of a file is kept in memory but the line at hand. What is foreign about it is expected:
other delimiters, a preface above the header, Windows' characters in a UTF-8 file.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple

from idp.errors import ImportedDataError
from idp.reference.layouts import Layout

MOST_CHARACTERS = 1_000_000
"""Of one line; a file without line ends is none of these lists."""
_HEAD_LINES = 60
"""The header stands among the first so many lines: CMS puts a copyright notice above it."""
_BUFFER = 1 << 20
_MIXED = "idp-windows-1252"
CONTINUES = "continues"
"""The name of the column that tells whether a row goes on with the one before."""


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    foreign = error.object[error.start : error.end]
    return foreign.decode("cp1252", errors="replace"), error.end


codecs.register_error(_MIXED, _as_windows)


class Row(NamedTuple):
    """One row: the values of the columns that were asked for, or nothing where it is broken."""

    line: int
    values: tuple[str, ...] | None


@dataclass
class Source:
    """A publisher's file, open for reading.

    ``done`` counts the bytes read so far of ``size``, both of the data as unpacked.
    """

    path: Path
    name: str
    """Of the file; behind an archive's, that of the member that is meant."""
    size: int
    stream: IO[bytes]

    def done(self) -> int:
        try:
            return self.stream.tell()
        except (OSError, ValueError):
            return 0


@contextlib.contextmanager
def opened(path: Path, layout: Layout) -> Iterator[Source]:
    """The file, or the member of a ZIP archive that the layout means.

    Raises:
        ImportedDataError: It can't be read, is a spreadsheet, or the archive holds no such member.
    """
    try:
        with contextlib.ExitStack() as stack:
            if not zipfile.is_zipfile(path):
                plain = stack.enter_context(path.open("rb", buffering=_BUFFER))
                yield Source(path, path.name, path.stat().st_size, plain)
                return
            archive = stack.enter_context(zipfile.ZipFile(path))
            member = _member(archive, path, layout)
            stream = stack.enter_context(_unlocked(archive, member, path))
            name = f"{path.name}/{Path(member.filename).name}"
            yield Source(path, name, member.file_size, stream)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ImportedDataError(f"{path.name}: the archive is damaged") from error
    except OSError as error:
        raise ImportedDataError(f"{path.name}: {error.strerror or error}") from error


def _unlocked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> IO[bytes]:
    try:
        return archive.open(member)
    except (NotImplementedError, RuntimeError) as error:
        raise ImportedDataError(
            f"{path.name}: the archive has a password, or a compression that can't be read",
            hint="Unpack it and give the file itself.",
        ) from error


def _member(archive: zipfile.ZipFile, path: Path, layout: Layout) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.filename.startswith("xl/") for info in members):
        raise ImportedDataError(
            f"{path.name} is a spreadsheet", hint="Save its sheet as CSV (UTF-8) and import that."
        )
    meant = [
        info
        for info in members
        if re.fullmatch(layout.member, Path(info.filename).name, re.IGNORECASE)
    ]
    if not meant:
        raise ImportedDataError(
            f"{path.name}: no member of the archive is named as {layout.kind} files are "
            f"({layout.member})",
            hint="Unpack it and give the file itself.",
        )
    return max(meant, key=lambda info: info.file_size)


def rows(source: Source, layout: Layout) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The names of the columns found, and the rows with their values in that order.

    Raises:
        ImportedDataError: A column that the kind needs is not there; the message names it and the
            headers it may have, never what stands in the file.
    """
    text = _text(source.stream)
    lines = _lines(text, source.path.name)
    head = list(itertools.islice(lines, _HEAD_LINES))
    found = _header(head, layout)
    if found is None and layout.has_fixed:
        return _fixed(itertools.chain(head, lines), layout)
    if found is None:
        raise _no_header(source.path.name, head, layout)
    return _delimited(itertools.chain(head, lines), layout, found)


def _text(stream: IO[bytes]) -> io.TextIOWrapper:
    start = stream.read(4)
    stream.seek(0)
    encoding = "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    return io.TextIOWrapper(stream, encoding=encoding, errors=_MIXED, newline="")


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    number = 0
    while line := text.readline(MOST_CHARACTERS):
        number += 1
        if len(line) == MOST_CHARACTERS:
            raise ImportedDataError(
                f"{name}: line {number} is longer than {MOST_CHARACTERS:,} characters"
            )
        yield line


def plain(header: str) -> str:
    """A header by its letters and digits alone."""
    return " ".join(re.findall(r"[a-z0-9]+", header.lower()))


class _Header(NamedTuple):
    record: int
    """How many records stand before the data, itself included."""
    delimiter: str
    width: int
    places: dict[str, int]


class _Wanted(NamedTuple):
    """A column that may be there, with its number where it repeats."""

    name: str
    required: bool
    headers: tuple[str, ...]


def _wanted(layout: Layout) -> Iterator[_Wanted]:
    for name, column in layout.columns.items():
        if not any("{n}" in header for header in column.headers):
            yield _Wanted(name, column.required, tuple(map(plain, column.headers)))
            continue
        for n in range(1, layout.repeats + 1):
            headers = (header.replace("{n}", str(n)) for header in column.headers)
            yield _Wanted(f"{name}_{n}", column.required and n == 1, tuple(map(plain, headers)))
    if layout.continued is not None:
        column = layout.continued.column
        yield _Wanted(CONTINUES, column.required, tuple(map(plain, column.headers)))


def _header(head: Sequence[str], layout: Layout) -> _Header | None:
    """The first record that names what the kind needs, by the delimiter that finds the most."""
    best: _Header | None = None
    for delimiter in layout.delimiters:
        records = _records(head, delimiter, layout)
        with contextlib.suppress(csv.Error):
            for number, (_, record) in enumerate(records, start=1):
                places = _places(record, layout)
                if places is not None and (best is None or len(places) > len(best.places)):
                    best = _Header(number, delimiter, len(record), places)
    return best


def _places(record: Sequence[str], layout: Layout) -> dict[str, int] | None:
    at: dict[str, int] = {}
    for place, header in enumerate(record):
        at.setdefault(plain(header), place)
    found: dict[str, int] = {}
    for name, required, headers in _wanted(layout):
        here = next((at[header] for header in headers if header in at), None)
        if here is not None:
            found[name] = here
        elif required:
            return None
    return found or None


def _no_header(name: str, head: Sequence[str], layout: Layout) -> ImportedDataError:
    """Which column is missing, by the line that comes nearest to a header."""
    known: set[str] = set()
    for delimiter in layout.delimiters:
        for line in head:
            cells = {plain(cell) for cell in line.split(delimiter)}
            here = {each.name for each in _wanted(layout) if cells.intersection(each.headers)}
            known = max(known, here, key=len)
    for column, required, headers in _wanted(layout):
        if required and column not in known:
            return ImportedDataError(
                f"{name}: no column for {column} of {layout.kind}; its header may be: "
                f"{', '.join(headers)}",
                hint=f"Is it the right file? {layout.source} Other headers can be named in "
                f"reference/{layout.kind}.yaml in the folder of rules.",
            )
    return ImportedDataError(f"{name}: holds no rows of {layout.kind}")


def _records(
    lines: Iterator[str] | Sequence[str], delimiter: str, layout: Layout
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
    )
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A quotation mark that nobody closes: the reader goes on with the next line.
            yield reader.line_num, []
            continue
        if record:
            yield reader.line_num, record


def _delimited(
    lines: Iterator[str], layout: Layout, header: _Header
) -> tuple[tuple[str, ...], Iterator[Row]]:
    names = tuple(header.places)
    pick = _picker([header.places[name] for name in names])
    least = max(header.places.values()) + 1

    def each() -> Iterator[Row]:
        records = _records(lines, header.delimiter, layout)
        for line, record in itertools.islice(records, header.record, None):
            width = len(record)
            if width == header.width:
                yield Row(line, pick(record))
            elif width < least or any(cell.strip() for cell in record[header.width :]):
                yield Row(line, None)
            else:
                yield Row(line, pick(record))

    return names, each()


def _picker(places: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """``itemgetter``, which for one place alone gives no tuple."""
    if len(places) == 1:
        place = places[0]
        return lambda record: (record[place],)
    return itemgetter(*places)


def _fixed(lines: Iterator[str], layout: Layout) -> tuple[tuple[str, ...], Iterator[Row]]:
    columns = {name: column.fixed for name, column in layout.columns.items() if column.fixed}
    if layout.continued is not None and layout.continued.column.fixed:
        columns[CONTINUES] = layout.continued.column.fixed
    names = tuple(columns)
    slices = [slice(first - 1, last) for first, last in columns.values()]

    def each() -> Iterator[Row]:
        for number, line in enumerate(lines, start=1):
            bare = line.rstrip("\r\n\x1a")
            if bare.strip():
                yield Row(number, tuple(bare[part] for part in slices))

    return names, each()

# SPDX-License-Identifier: Apache-2.0
"""Looks through the directories of a TIFF file before anything is decoded.

Pillow reads a TIFF whose tail is missing as one with fewer pages, or as pages that are white
below. This walk over the image file directories (TIFF 6.0, section 2; BigTIFF) knows how many
pages the file claims, how large they are, and whether their bytes are all there.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from idp.errors import DamagedFileError, TooLargeError, UnsupportedFileError

_SUBFILE_TYPE = 254
_WIDTH = 256
_HEIGHT = 257
_COMPRESSION = 259
_STRIP_OFFSETS = 273
_SAMPLES = 277
_ROWS_PER_STRIP = 278
_STRIP_COUNTS = 279
_PLANAR = 284
_T4_OPTIONS = 292
_T6_OPTIONS = 293
_TILE_OFFSETS = 324
_TILE_COUNTS = 325
_FAX = (2, 3, 4)  # Huffman, T.4, T.6 (TIFF 6.0, sections 10 and 11)
_OLD_JPEG = 6
_JPEG = 7
_DEFLATE = (8, 32946)
_END_OF_JPEG = b"\xff\xd9"
_JPEG_TAIL_BYTES = 64
_CHUNK_BYTES = 1 << 20
_UNCOMPRESSED_MODE = 2  # bit 1 of T4Options and T6Options
_REDUCED = 1
_MASK = 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_MOST_ENTRIES = 4096
_MOST_VALUES = 4_000_000
_LOOKED_AT = (
    _SUBFILE_TYPE, _WIDTH, _HEIGHT, _COMPRESSION, _STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP,
    _STRIP_COUNTS, _PLANAR, _T4_OPTIONS, _T6_OPTIONS, _TILE_OFFSETS, _TILE_COUNTS,
)  # fmt: skip
_SLACK_BYTES = 1  # some writers round the last strip up to an even length


@dataclass(frozen=True)
class Directory:
    """One image of the file: its frame number, its size, and whether it is a page of its own."""

    frame: int
    width: int
    height: int
    is_page: bool
    compression: int = 1
    pieces: tuple[tuple[int, int], ...] = ()
    """Place and length of each strip or tile."""

    @property
    def is_fax(self) -> bool:
        """Coded line by line as fax machines do (CCITT)."""
        return self.compression in _FAX


def walk(path: Path, most_pages: int) -> list[Directory]:
    """All images of the file in order.

    Raises:
        DamagedFileError: a directory or an image's bytes lie beyond the end of the file.
        UnsupportedFileError: T.4 or T.6 in uncompressed mode.
        TooLargeError: more than ``most_pages`` images.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(16)
        order = "<" if head[:2] == b"II" else ">"
        try:
            big = struct.unpack_from(order + "H", head, 2)[0] == 43
            offset = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
        except struct.error as error:
            raise DamagedFileError("the TIFF header is cut off") from error
        found: list[Directory] = []
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise DamagedFileError("the TIFF's pages go round in a circle")
            seen.add(offset)
            if len(found) >= 2 * most_pages + 2:
                raise TooLargeError(f"more than ingest.max_pages {most_pages} pages")
            directory, offset = _directory(stream, offset, size, order, len(found), big=big)
            found.append(directory)
    pages = [d for d in found if d.is_page]
    if not pages:  # nothing but thumbnails: then they are the pages
        pages = [replace(d, is_page=True) for d in found]
    if len(pages) > most_pages:
        raise TooLargeError(f"{len(pages)} pages, more than ingest.max_pages {most_pages}")
    return pages


def check_pieces(path: Path, directory: Directory) -> None:
    """Look at what libtiff does not: a checksum (Deflate), the mark at a picture's end (JPEG).

    Raises:
        DamagedFileError: a strip or tile is broken, though something can be drawn of it.
    """
    if directory.compression not in (*_DEFLATE, _JPEG):
        return
    broken = DamagedFileError(f"the bytes of image {directory.frame + 1} are broken")
    with path.open("rb") as stream:
        for start, length in directory.pieces:
            stream.seek(start)
            data = stream.read(length)
            if directory.compression == _JPEG:
                if _END_OF_JPEG not in data.rstrip(b"\x00")[-_JPEG_TAIL_BYTES:]:
                    raise broken
                continue
            inflate = zlib.decompressobj()
            try:
                while data and not inflate.eof:
                    inflate.decompress(data, _CHUNK_BYTES)
                    data = inflate.unconsumed_tail
            except zlib.error as error:
                raise broken from error
            if not inflate.eof:
                raise broken


def _directory(
    stream: BinaryIO, offset: int, size: int, order: str, frame: int, *, big: bool
) -> tuple[Directory, int]:
    count_format, entry_size, next_format = ("Q", 20, "Q") if big else ("H", 12, "I")
    count_size, next_size = struct.calcsize(count_format), struct.calcsize(next_format)
    cut_off = DamagedFileError(f"the file ends before its image {frame + 1}")
    if offset + count_size > size:
        raise cut_off
    stream.seek(offset)
    (entries,) = struct.unpack(order + count_format, stream.read(count_size))
    if entries == 0 or entries > _MOST_ENTRIES:
        raise DamagedFileError(f"image {frame + 1} has {entries} TIFF entries")
    body = stream.read(entries * entry_size + next_size)
    if len(body) < entries * entry_size + next_size:
        raise cut_off
    (following,) = struct.unpack_from(order + next_format, body, entries * entry_size)
    values: dict[int, tuple[int, ...]] = {}
    for i in range(entries):
        tag, kind = struct.unpack_from(order + "HH", body, i * entry_size)
        if tag in _LOOKED_AT:
            place = i * entry_size + 4
            values[tag] = _values(stream, body, place, kind, size, order, frame, big=big)
    if _WIDTH not in values or _HEIGHT not in values:
        raise DamagedFileError(f"image {frame + 1} does not say how large it is")
    pieces = tuple(
        piece
        for offsets, counts in ((_STRIP_OFFSETS, _STRIP_COUNTS), (_TILE_OFFSETS, _TILE_COUNTS))
        for piece in zip(values.get(offsets, ()), values.get(counts, ()), strict=False)
    )
    for start, length in pieces:
        if start >= size or start + length > size + _SLACK_BYTES:
            raise DamagedFileError(f"the bytes of image {frame + 1} are cut off")
    _check_strips(values, frame)
    compression = _first(values, _COMPRESSION, 1)
    options = {3: _T4_OPTIONS, 4: _T6_OPTIONS}.get(compression, 0)
    if _first(values, options, 0) & _UNCOMPRESSED_MODE:
        raise UnsupportedFileError(f"image {frame + 1} uses the uncompressed mode of T.4 or T.6")
    return (
        Directory(
            frame,
            values[_WIDTH][0],
            values[_HEIGHT][0],
            is_page=not _first(values, _SUBFILE_TYPE, 0) & (_REDUCED | _MASK),
            compression=compression,
            pieces=pieces,
        ),
        following,
    )


def _first(values: dict[int, tuple[int, ...]], tag: int, otherwise: int) -> int:
    return values[tag][0] if tag in values else otherwise


def _check_strips(values: dict[int, tuple[int, ...]], frame: int) -> None:
    """Raises :class:`DamagedFileError` where the strips are too few for the image's height."""
    # Old JPEG files keep their data in another place (tag 513), and any number of strips.
    if _STRIP_OFFSETS not in values or _first(values, _COMPRESSION, 1) == _OLD_JPEG:
        return
    height = values[_HEIGHT][0]
    rows = min(_first(values, _ROWS_PER_STRIP, height), height)
    planes = _first(values, _SAMPLES, 1) if _first(values, _PLANAR, 1) == 2 else 1
    if rows < 1 or len(values[_STRIP_OFFSETS]) * rows < height * planes:
        raise DamagedFileError(
            f"image {frame + 1} has {height} lines and strips for "
            f"{len(values[_STRIP_OFFSETS]) * rows // max(planes, 1)}"
        )


def _values(  # noqa: PLR0917
    stream: BinaryIO,
    body: bytes,
    place: int,
    kind: int,
    size: int,
    order: str,
    frame: int,
    *,
    big: bool,
) -> tuple[int, ...]:
    """The integers of one entry, which stand in it or where it points to."""
    count_format, inline = ("Q", 8) if big else ("I", 4)
    (count,) = struct.unpack_from(order + count_format, body, place)
    if kind not in _INTEGERS or not 0 < count <= _MOST_VALUES:
        raise DamagedFileError(f"image {frame + 1} has a broken TIFF entry")
    length = _SIZES[kind] * count
    where = place + struct.calcsize(count_format)
    if length <= inline:
        data = body[where : where + length]
    else:
        (pointer,) = struct.unpack_from(order + count_format, body, where)
        if pointer + length > size:
            raise DamagedFileError(f"the file ends before the table of image {frame + 1}")
        back = stream.tell()
        stream.seek(pointer)
        data = stream.read(length)
        stream.seek(back)
    if len(data) < length:
        raise DamagedFileError(f"image {frame + 1} has a broken TIFF entry")
    return struct.unpack(f"{order}{count}{_INTEGERS[kind]}", data)

# SPDX-License-Identifier: Apache-2.0
"""Which lines of a fax page could be decoded, as libtiff sees them.

A fax over a bad line has broken scan lines (TIFF class F: RFC 2306, 4.4), and a file that was cut
or written wrongly has fewer than it says. libtiff goes on after both, and what it has to say Pillow
throws away: the page looks as if nothing were printed there, or black. Here the same libtiff (the
one that Pillow is linked to) is asked line by line.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import PIL._imaging

_UNTOUCHED = 0x55
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


class Lines(NamedTuple):
    """Of one page: how many lines there should be, and how many of them can't be decoded."""

    expected: int
    broken: int
    """With lines that can be decoded after them."""
    missing: int
    """At the end of the page: cut off, or everything after the first error (T.6)."""


def broken_lines(path: Path, pages: dict[int, int]) -> dict[int, Lines]:
    """The lines of CCITT-coded pages; empty where libtiff can't be asked.

    Args:
        path: The TIFF.
        pages: Height in lines by the number of the image in the file, from 0.
    """
    try:
        library = _library()
    except (OSError, AttributeError):
        return {}
    found: dict[int, Lines] = {}
    with _listening(library) as said:
        tiff = library.TIFFOpen(bytes(path), b"r")
        if not tiff:
            return {}
        try:
            for frame, height in pages.items():
                if library.TIFFSetDirectory(tiff, frame) and not library.TIFFIsTiled(tiff):
                    found[frame] = _lines(library, tiff, height, said)
        finally:
            library.TIFFClose(tiff)
    return found


def _lines(library: Any, tiff: Any, height: int, said: list[None]) -> Lines:
    size = library.TIFFScanlineSize(tiff)
    if size <= 0:
        return Lines(height, 0, 0)
    untouched = bytes([_UNTOUCHED]) * size
    buffer = ctypes.create_string_buffer(size)
    bad, last_good = 0, -1
    for row in range(height):
        ctypes.memmove(buffer, untouched, size)
        before = len(said)
        done = library.TIFFReadScanline(tiff, buffer, row, 0)
        if done == 1 and len(said) == before and buffer.raw != untouched:
            last_good = row
        else:
            bad += 1
    missing = height - 1 - last_good
    return Lines(height, bad - missing, missing)


def _library() -> Any:
    """The functions of the libtiff behind Pillow; raises where they are not to be had."""
    library = ctypes.CDLL(PIL._imaging.__file__)
    for name, result, arguments in (
        ("TIFFOpen", ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_char_p)),
        ("TIFFSetDirectory", ctypes.c_int, (ctypes.c_void_p, ctypes.c_uint32)),
        ("TIFFIsTiled", ctypes.c_int, (ctypes.c_void_p,)),
        ("TIFFScanlineSize", ctypes.c_ssize_t, (ctypes.c_void_p,)),
        (
            "TIFFReadScanline",
            ctypes.c_int,
            (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint16),
        ),
        ("TIFFClose", None, (ctypes.c_void_p,)),
        ("TIFFSetErrorHandler", ctypes.c_void_p, (ctypes.c_void_p,)),
        ("TIFFSetWarningHandler", ctypes.c_void_p, (ctypes.c_void_p,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


@contextmanager
def _listening(library: Any) -> Iterator[list[None]]:
    """One entry for each thing that libtiff has to say."""
    said: list[None] = []

    def listen(module: bytes, message: bytes, arguments: int) -> None:
        del module, message, arguments
        said.append(None)

    handler = _Handler(listen)
    pointer = ctypes.cast(handler, ctypes.c_void_p)
    errors = library.TIFFSetErrorHandler(pointer)
    warnings = library.TIFFSetWarningHandler(pointer)
    try:
        yield said
    finally:
        with suppress(Exception):
            library.TIFFSetErrorHandler(errors)
            library.TIFFSetWarningHandler(warnings)

# SPDX-License-Identifier: Apache-2.0
"""Turns a file into page images, whatever its name says and however it means harm.

The format is told by the first bytes, never by the extension. Everything that parses runs in a
child process with limits of bytes, pages, pixels, seconds and memory; a file ends in pages or in a
coded :class:`~idp.errors.InputError`, and never in fewer pages than it holds.

Risks left open: PDFium, libtiff and libjpeg run with the rights of the user who runs idp; the
child has no sandbox beyond its limits.
"""

from __future__ import annotations

import threading
from pathlib import Path

from idp.children import Children, Limits
from idp.document import Noun, RawPage
from idp.errors import (
    AccessError,
    DamagedFileError,
    EmptyFileError,
    TooLargeError,
    UnsupportedFileError,
)
from idp.settings import IngestSettings

PDF = "application/pdf"
TIFF = "image/tiff"
PNG = "image/png"
JPEG = "image/jpeg"

_HEAD_BYTES = 1024
_CHILDREN = 2
_FILES_PER_CHILD = 100

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"MM\x00+", TIFF),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
)

_pools: dict[tuple[float, int], Children] = {}
_pools_lock = threading.Lock()


class Unpacked(Noun):
    """What a file holds: its media type as told by its bytes, and its pages."""

    media_type: str
    pages: tuple[RawPage, ...]


def unpack(path: Path, workspace: Path, limits: IngestSettings) -> Unpacked:
    """The pages of the file, their images written below ``workspace``.

    Raises:
        EmptyFileError: zero bytes.
        UnsupportedFileError: neither TIFF, PDF, PNG nor JPEG.
        DamagedFileError: broken or cut off.
        EncryptedFileError: needs a password.
        TooLargeError: over a limit of bytes, pages or pixels.
        TooSlowError: not done in ``limits.unpack_seconds``.
        ParserCrashedError: the parser died or needed more than ``limits.unpack_memory_mb``.
        AccessError: the file or the workspace can't be used.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise EmptyFileError(f"{path.name} holds no bytes")
        if size > limits.max_bytes:
            raise TooLargeError(
                f"{path.name} has {size} bytes, more than ingest.max_bytes {limits.max_bytes}"
            )
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        workspace.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AccessError(f"{path.name}: {error.strerror}") from error
    media_type = media_type_of(head)
    # The children live long: a relative path may mean another place to them.
    pages = _children(limits).call(
        unpack_here,
        path.absolute(),
        workspace.absolute(),
        media_type,
        limits,
    )
    if not pages:
        raise DamagedFileError(f"{path.name} holds no page")
    return Unpacked(media_type=media_type, pages=pages)


def media_type_of(head: bytes) -> str:
    """The media type that the first bytes of a file tell.

    Raises:
        UnsupportedFileError: none that idp reads.
    """
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    # Readers allow bytes before a PDF's header (PDF 32000-1, annex H, note 13).
    if b"%PDF-" in head[:_HEAD_BYTES]:
        return PDF
    raise UnsupportedFileError("the first bytes are those of no TIFF, PDF, PNG or JPEG")


def unpack_here(
    path: Path, workspace: Path, media_type: str, limits: IngestSettings
) -> tuple[RawPage, ...]:
    """Parses the file in this very process: what the child runs."""
    if media_type == PDF:
        from idp.ingest.unpack_pdf import unpack_pdf  # noqa: PLC0415 - loads PDFium

        return unpack_pdf(path, workspace, limits)
    from idp.ingest.unpack_image import unpack_image  # noqa: PLC0415 - loads Pillow

    return unpack_image(path, workspace, media_type, limits)


def _children(limits: IngestSettings) -> Children:
    """The children for these limits; they are started once and serve the whole process."""
    key = (limits.unpack_seconds, limits.unpack_memory_mb)
    with _pools_lock:
        if key not in _pools:
            _pools[key] = Children(
                workers=_CHILDREN,
                limits=Limits(
                    seconds=limits.unpack_seconds,
                    memory_mb=limits.unpack_memory_mb,
                    calls_per_process=_FILES_PER_CHILD,
                    quiet=True,
                ),
            )
        return _pools[key]

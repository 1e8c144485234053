# SPDX-License-Identifier: Apache-2.0
"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

from idp.errors import UnsupportedFileError
from idp.ingest.opened import JPEG, PDF, PNG, TIFF

HEAD_BYTES = 4096
"""How much of a file is looked at."""

_PDF_HEAD_BYTES = 1024
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"MM\x00+", TIFF),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
)


def media_type_of(head: bytes) -> str:
    """The media type that the first :data:`HEAD_BYTES` of a file tell.

    Raises:
        UnsupportedFileError: none that idp reads.
    """
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    # Readers allow bytes before a PDF's header (PDF 32000-1, annex H, note 13).
    if b"%PDF-" in head[:_PDF_HEAD_BYTES]:
        return PDF
    raise UnsupportedFileError("the first bytes are those of no format that idp reads")

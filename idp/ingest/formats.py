# SPDX-License-Identifier: Apache-2.0
"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

from idp.errors import UnsupportedFileError
from idp.ingest.opened import JPEG, PDF, PNG, TIFF, X12

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
    if _is_interchange(head):
        return X12
    raise UnsupportedFileError("the first bytes are those of no format that idp reads")


_ISA_BYTES = 106
_FEWEST_SEPARATORS = 10


def _is_interchange(head: bytes) -> bool:
    """Whether the bytes are those of an X12 interchange, whole or broken.

    ``ISA``, after blanks at most, and an element separator that comes again and again: text that
    happens to begin so has none. What is wrong with it is for the reader to say.
    """
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:_ISA_BYTES]
    separator = head[3:4]
    if not head.startswith(b"ISA") or not separator or separator.isalnum() or separator.isspace():
        return False
    cut_off = len(head) < _ISA_BYTES and head[4:6].isalnum() and head[6:7] == separator
    return cut_off or head.count(separator) >= _FEWEST_SEPARATORS

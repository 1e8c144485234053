# SPDX-License-Identifier: Apache-2.0
"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

from collections.abc import Callable

from idp.errors import UnsupportedFileError
from idp.ingest.opened import (
    GZIP,
    HTML,
    JPEG,
    MAIL,
    MBOX,
    OFFICE,
    OLE,
    PDF,
    PKCS7,
    PNG,
    RTF,
    TAR,
    TEXT,
    TIFF,
    TNEF,
    X12,
    ZIP,
)
from idp.ingest.text_heads import is_html, is_mail, is_mbox, is_text

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
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x78\x9f\x3e\x22", TNEF),
    (b"\x1f\x8b\x08", GZIP),
    (b"{\\rtf", RTF),
    (b"PK\x05\x06", ZIP),
    (b"PK\x07\x08", ZIP),
)
_ZIP_MEMBER = b"PK\x03\x04"
_OFFICE_FIRST = (b"[Content_Types].xml", b"_rels/.rels", b"mimetype")
_PKCS7_OID = bytes.fromhex("06092a864886f70d0107")


def media_type_of(head: bytes) -> str:
    """The media type that the first :data:`HEAD_BYTES` of a file tell.

    Raises:
        UnsupportedFileError: none that idp reads.
    """
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head.startswith(_ZIP_MEMBER):
        return _zip_kind(head)
    for looks_like, media_type in _LOOKS:
        if looks_like(head):
            return media_type
    raise UnsupportedFileError("the first bytes are those of no format that idp reads")


def _zip_kind(head: bytes) -> str:
    """Office files (OOXML, ODF) are zip archives too; their first member tells (ODF 1.3, 3.3)."""
    length = int.from_bytes(head[26:28], "little")
    first = head[30 : 30 + length]
    return OFFICE if first in _OFFICE_FIRST else ZIP


def _is_tar(head: bytes) -> bool:
    """The header of a tar's first member, by its checksum: old archives have no signature."""
    block = head[:512]
    if len(block) < 512 or not block[0]:
        return False
    try:
        told = int(block[148:156].strip(b" \x00") or b"x", 8)
    except ValueError:
        return False
    return told == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _is_pkcs7(head: bytes) -> bool:
    """The ContentInfo of S/MIME: a sequence that begins with an object identifier of PKCS #7."""
    return head[:1] == b"\x30" and _PKCS7_OID in head[2:24]


def _is_pdf(head: bytes) -> bool:
    """Readers allow bytes before a PDF's header (PDF 32000-1, annex H, note 13)."""
    return b"%PDF-" in head[:_PDF_HEAD_BYTES]


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


# The first that fits. A mail may hold a PDF as it is: who looks for the PDF first loses the mail.
_LOOKS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_is_pkcs7, PKCS7),
    (_is_tar, TAR),
    (_is_interchange, X12),
    (is_mbox, MBOX),
    (is_mail, MAIL),
    (_is_pdf, PDF),
    (is_html, HTML),
    (is_text, TEXT),
)

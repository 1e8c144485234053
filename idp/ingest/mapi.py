# SPDX-License-Identifier: Apache-2.0
"""Values of MAPI properties, as Outlook files and TNEF hold them ([MS-OXCDATA], [MS-OXRTFCP])."""

from __future__ import annotations

import datetime as dt
import struct

from compressed_rtf import decompress

from idp.ingest.charsets import codec_of, decoded

_UTF8 = 65001
_UTF16 = (1200, 1201)
_EPOCH = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)
_NO_TIME = 0x7FFF_FFFF_0000_0000
_MOST_RTF_BYTES = 10_000_000


def text_of_codepage(data: bytes, codepage: int) -> str:
    """An 8-bit string of a Windows code page; Windows-1252 where the page is not known."""
    if codepage in _UTF16:
        codepage = 0  # no code page of 8-bit strings
    codec = "utf-8" if codepage == _UTF8 else codec_of(f"cp{codepage}")
    return decoded(data.rstrip(b"\x00"), codec or "cp1252")


def filetime(data: bytes) -> dt.datetime | None:
    """Tenths of microseconds since 1601 as an aware time; none where they make no sense."""
    if len(data) < 8:
        return None
    ticks = struct.unpack_from("<Q", data)[0]
    if not 0 < ticks < _NO_TIME:
        return None
    try:
        return _EPOCH + dt.timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def rtf_of(data: bytes) -> str | None:
    """Compressed RTF as RTF, in Latin-1; none where it is broken or too long."""
    if len(data) < 16:
        return None
    raw_size = struct.unpack_from("<I", data, 4)[0]
    if raw_size > _MOST_RTF_BYTES:
        return None
    try:
        rtf = decompress(data)
    except Exception:  # the library raises a bare Exception for a wrong checksum
        return None
    return bytes(rtf).rstrip(b"\x00").decode("latin-1")

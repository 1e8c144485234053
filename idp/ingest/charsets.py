# SPDX-License-Identifier: Apache-2.0
"""Foreign bytes to text: by the charset that is named, where it can be true, else by the bytes."""

from __future__ import annotations

import codecs
import re

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALIASES = {  # names that mailers write and Python does not know, or knows too narrowly
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-1": "cp1252",  # what writes it means Windows, as all browsers take it
    "latin1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
}
# Text encodings by Python's account that decode no text of any mail and cost time without end.
_NOT_FOR_TEXT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.I)
_META_BYTES = 4096


def codec_of(charset: str | None) -> str | None:
    """Python's codec for a charset's name; none where there is none for text."""
    if not charset:
        return None
    name = charset.strip().strip("\"'").lower()
    name = _ALIASES.get(name, name)
    if re.fullmatch(r"cp-?\d{3,5}", name):
        name = name.replace("-", "")
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name.replace("-", "_") not in _NOT_FOR_TEXT else None


def decoded(data: bytes, charset: str | None = None) -> str:
    """The text, never an error: what no charset explains is shown as replacement characters.

    A byte order mark is believed first, then the charset named, then UTF-8, then Windows-1252.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    named = codec_of(charset)
    for codec in (named, "utf-8", "cp1252"):
        if codec is not None:
            try:
                return data.decode(codec)
            except (UnicodeError, ValueError):
                continue
    return data.decode(named or "cp1252", "replace")


def charset_of_html(data: bytes) -> str | None:
    """The charset that an HTML file's own head names."""
    found = _META.search(data[:_META_BYTES])
    return found.group(1).decode("ascii") if found else None

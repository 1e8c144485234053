# SPDX-License-Identifier: Apache-2.0
"""Outlook's ``winmail.dat`` (TNEF, [MS-OXTNEF]) to a letter, by a small strict reader of our own.

tnefparse was tried: on damaged files it stops in the middle of a property list, logs that and
returns what it has; it takes an attachment whose end is missing for whole, and strips zero bytes
from the end of MAPI data. All of these are files half read in silence. Here every attribute lies
inside the file and its checksum holds, or the file is damaged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from idp.document import Envelope
from idp.errors import DamagedFileError, NestedTooDeepError, TooLargeError
from idp.ingest.charsets import codec_of, decoded
from idp.ingest.letter import Attachment, Letter, Text, opened_letter
from idp.ingest.mail_headers import envelope
from idp.ingest.mapi import filetime, rtf_of, text_of_codepage
from idp.ingest.opened import HTML, RTF, TEXT, Opened
from idp.settings import IngestSettings

SIGNATURE = 0x223E9F78
_MESSAGE_LEVEL, _ATTACHMENT_LEVEL = 1, 2
_RENDERING, _TITLE, _DATA, _PROPERTIES_OF_ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9005
_SUBJECT, _BODY, _PROPERTIES, _CODEPAGE = 0x8004, 0x800C, 0x9003, 0x9007
_MOST_ATTRIBUTES, _MOST_PROPERTIES, _MOST_NESTING = 20_000, 20_000, 5

# Property types of [MS-OXCDATA] 2.11.1 and how many bytes their values take here.
_FIXED = {0x00: 4, 0x01: 4, 0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4,
          0x14: 8, 0x40: 8, 0x48: 16}  # fmt: skip
_STRING8, _UNICODE, _OBJECT, _BINARY, _TIME = 0x1E, 0x1F, 0x0D, 0x102, 0x40
_VARIABLE = (_STRING8, _UNICODE, _OBJECT, _BINARY)
_MULTIPLE = 0x1000

_P_SUBJECT, _P_TEXT, _P_RTF, _P_HTML, _P_MESSAGE_ID = 0x0037, 0x1000, 0x1009, 0x1013, 0x1035
_P_SENDER_NAME, _P_SENDER, _P_SENDER_SMTP, _P_TO = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04
_P_SENT, _P_CODEPAGE = 0x0039, 0x3FDE
_P_DATA, _P_LONG_NAME, _P_NAME, _P_DISPLAY, _P_CID, _P_MIME, _P_HIDDEN = (
    0x3701, 0x3707, 0x3704, 0x3001, 0x3712, 0x370E, 0x7FFE,
)  # fmt: skip
_IMESSAGE = bytes.fromhex("0703020000000000c000000000000046")
_OBJECT_ID_BYTES = 16


class _Value(NamedTuple):
    type: int
    data: bytes


@dataclass
class _Attached:
    name: bytes = b""
    data: bytes | None = None
    properties: dict[int, _Value] = field(default_factory=dict)


def open_tnef(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The attachments in the file and, where it holds the content, its text.

    Raises:
        DamagedFileError: cut off, a checksum that does not hold, or attributes out of order.
        NestedTooDeepError: messages in messages without end.
        TooLargeError: more than the limits allow.
    """
    return opened_letter(letter_of_tnef(path.read_bytes(), limits), workspace, limits)


def letter_of_tnef(data: bytes, limits: IngestSettings, depth: int = 0) -> Letter:
    """The message in TNEF data as a letter; raises as :func:`open_tnef` does."""
    if depth > _MOST_NESTING:
        raise NestedTooDeepError("messages in messages without end")
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != SIGNATURE:
        raise DamagedFileError("no TNEF signature")
    attributes: dict[int, bytes] = {}
    attached: list[_Attached] = []
    for level, name, value in _attributes(data):
        if level == _MESSAGE_LEVEL:
            attributes[name] = value
        elif name == _RENDERING:
            attached.append(_Attached())
        else:
            if not attached:
                raise DamagedFileError("an attachment's attribute before any attachment")
            _take(attached[-1], name, value)
    codepage = struct.unpack_from("<I", attributes.get(_CODEPAGE, b"").ljust(4, b"\x00"))[0]
    properties = _properties(attributes[_PROPERTIES]) if _PROPERTIES in attributes else {}
    letter = Letter(_envelope(attributes, properties, codepage))
    letter.texts.extend(_texts(attributes, properties, codepage))
    for each in attached:
        _attach(letter, each, codepage, limits, depth)
    return letter


def _attributes(data: bytes) -> list[tuple[int, int, bytes]]:
    """Level, name and value of each attribute ([MS-OXTNEF] 2.1.3)."""
    found: list[tuple[int, int, bytes]] = []
    place = 6
    while place < len(data):
        level = data[place]
        if level not in (_MESSAGE_LEVEL, _ATTACHMENT_LEVEL):
            if found:
                break  # mail gateways append line ends and notices
            raise DamagedFileError("no TNEF attribute where one begins")
        if place + 11 > len(data):
            raise DamagedFileError("cut off in the middle of an attribute")
        name, _, length = struct.unpack_from("<HHI", data, place + 1)
        start, stop = place + 9, place + 9 + length
        if stop + 2 > len(data):
            raise DamagedFileError("cut off in the middle of an attribute")
        value = data[start:stop]
        if sum(value) & 0xFFFF != struct.unpack_from("<H", data, stop)[0]:
            raise DamagedFileError("a checksum does not hold")
        found.append((level, name, value))
        if len(found) > _MOST_ATTRIBUTES:
            raise TooLargeError(f"more than {_MOST_ATTRIBUTES} attributes")
        place = stop + 2
    return found


def _properties(data: bytes) -> dict[int, _Value]:
    """MAPI properties by their number; named ones are of no use here and only walked over.

    Of several values the first is kept.
    """
    reader = _Reader(data)
    found: dict[int, _Value] = {}
    count = reader.number()
    if count > _MOST_PROPERTIES:
        raise DamagedFileError(f"more than {_MOST_PROPERTIES} properties")
    for _ in range(count):
        kind, name = reader.two_numbers()
        if name >= 0x8000:
            reader.skip_name()
        values = reader.values(kind)
        if name < 0x8000 and values:
            found.setdefault(name, _Value(kind & ~_MULTIPLE, values[0]))
    return found


class _Reader:
    """Numbers and values one after the other, each on a place divisible by four."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, count: int) -> bytes:
        start, stop = self._place, self._place + count
        if stop > len(self._data):
            raise DamagedFileError("cut off in the middle of a property")
        self._place = stop + (-count) % 4
        return self._data[start:stop]

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def two_numbers(self) -> tuple[int, int]:
        kind, name = struct.unpack("<HH", self.take(4))
        return kind, name

    def skip_name(self) -> None:
        """A named property's set and its number or name ([MS-OXTNEF] 2.1.3.4)."""
        self.take(16)
        if self.number() == 0:
            self.take(4)
        else:
            self.take(self.number())

    def values(self, kind: int) -> list[bytes]:
        single = kind & ~_MULTIPLE
        if single not in _VARIABLE and single not in _FIXED:
            raise DamagedFileError(f"a property of unknown type {kind:#06x}")
        several = kind & _MULTIPLE or single in _VARIABLE
        count = self.number() if several else 1
        if count > _MOST_PROPERTIES:
            raise DamagedFileError(f"more than {_MOST_PROPERTIES} values")
        if single in _FIXED:
            # Values of two bytes are packed where there are several of them.
            width = 2 if single in (0x02, 0x0B) and kind & _MULTIPLE else _FIXED[single]
            whole = self.take(count * width)
            return [whole[at : at + width] for at in range(0, len(whole), width)]
        return [self.take(self.number()) for _ in range(count)]


def _take(attached: _Attached, name: int, value: bytes) -> None:
    if name == _TITLE:
        attached.name = value
    elif name == _DATA:
        attached.data = value
    elif name == _PROPERTIES_OF_ATTACHMENT:
        attached.properties = _properties(value)


def _attach(
    letter: Letter, attached: _Attached, codepage: int, limits: IngestSettings, depth: int
) -> None:
    """Adds an attachment; what is in an attached message is added in its place."""
    properties = attached.properties
    name = next(
        filter(
            None,
            (
                _string(properties, _P_LONG_NAME, codepage),
                text_of_codepage(attached.name, codepage),
                _string(properties, _P_NAME, codepage),
                _string(properties, _P_DISPLAY, codepage),
            ),
        ),
        "",
    )
    data = attached.data
    value = properties.get(_P_DATA)
    if value is not None and value.type in (_OBJECT, _BINARY):
        data = value.data
        if value.type == _OBJECT:
            inside, data = data[:_OBJECT_ID_BYTES], data[_OBJECT_ID_BYTES:]
            if inside == _IMESSAGE:
                inner = letter_of_tnef(data, limits, depth + 1)
                _take_over(letter, inner)
                return
            if attached.data:
                data = attached.data  # the object's own file beside its OLE wrapping
    if data is None:
        letter.left_out.append((name or "attachment", "named in the message, but not in it"))
        return
    content = data
    cid = _string(properties, _P_CID, codepage).strip("<> ")
    hidden = properties.get(_P_HIDDEN)
    letter.attachments.append(
        Attachment(
            name=name or "attachment",
            read=lambda: content,
            media_type=_string(properties, _P_MIME, codepage).lower(),
            shown_as=(f"cid:{cid}",) if cid else (),
            inline=hidden is not None and hidden.data[:1] == b"\x01",
        )
    )


def _take_over(letter: Letter, inner: Letter) -> None:
    letter.texts.extend(inner.texts)
    letter.attachments.extend(inner.attachments)
    letter.left_out.extend(inner.left_out)


def _texts(
    attributes: dict[int, bytes], properties: dict[int, _Value], codepage: int
) -> list[Text]:
    """The body in the form that keeps the most: HTML, then RTF, then plain text."""
    own = properties.get(_P_CODEPAGE)
    internet = int.from_bytes(own.data[:4], "little") if own is not None else codepage
    html = properties.get(_P_HTML)
    if html is not None and html.data.strip(b"\x00 \r\n"):
        if html.type == _UNICODE:
            return [Text(HTML, html.data.decode("utf-16-le", "replace").rstrip("\x00"))]
        codec = codec_of(f"cp{internet}") if internet != 65001 else "utf-8"
        return [Text(HTML, decoded(html.data.rstrip(b"\x00"), codec))]
    plain = _string(properties, _P_TEXT, internet) or text_of_codepage(
        attributes.get(_BODY, b""), codepage
    )
    rtf = properties.get(_P_RTF)
    if rtf is not None and rtf.data:
        text = rtf_of(rtf.data)
        if text is not None:
            return [Text(RTF, text)]
        if not plain.strip():
            raise DamagedFileError("the compressed RTF text is broken")
    return [Text(TEXT, plain)] if plain.strip() else []


def _envelope(
    attributes: dict[int, bytes], properties: dict[int, _Value], codepage: int
) -> Envelope:
    sender = _string(properties, _P_SENDER_SMTP, codepage) or _string(
        properties, _P_SENDER, codepage
    )
    time = properties.get(_P_SENT)
    return envelope(
        {
            "sender": sender if "@" in sender else "",
            "sender_name": _string(properties, _P_SENDER_NAME, codepage),
            "recipient": _string(properties, _P_TO, codepage),
            "subject": _string(properties, _P_SUBJECT, codepage)
            or text_of_codepage(attributes.get(_SUBJECT, b""), codepage),
            "message_id": _string(properties, _P_MESSAGE_ID, codepage).strip("<> "),
        },
        filetime(time.data) if time is not None and time.type == _TIME else None,
    )


def _string(properties: dict[int, _Value], name: int, codepage: int) -> str:
    value = properties.get(name)
    if value is None:
        return ""
    if value.type == _UNICODE:
        return value.data.decode("utf-16-le", "replace").rstrip("\x00")
    if value.type == _STRING8:
        return text_of_codepage(value.data, codepage)
    return ""

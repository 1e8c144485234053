# SPDX-License-Identifier: Apache-2.0
"""What an S/MIME wrapper holds that needs no key: the content of signed and compressed data.

A small strict reader of BER, since the usual libraries read DER only, while mail programs write
lengths of the indefinite form and contents in pieces (RFC 5652, RFC 8551, X.690). Signatures are
not checked: who signed a document is not what idp is asked for.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple

from idp.errors import DamagedFileError, EmptyMessageError, EncryptedFileError, TooLargeError
from idp.ingest.members import Members
from idp.ingest.opened import MAIL, Opened
from idp.settings import IngestSettings

_SEQUENCE, _OCTETS, _OCTETS_IN_PIECES, _OID = 0x30, 0x04, 0x24, 0x06
_EXPLICIT_0 = 0xA0
_PKCS7 = bytes.fromhex("2a864886f70d0107")
_SIGNED = _PKCS7 + b"\x02"
_ENCRYPTED = (_PKCS7 + b"\x03", _PKCS7 + b"\x04", _PKCS7 + b"\x06")
_SMIME_TYPES = bytes.fromhex("2a864886f70d01091001")
_COMPRESSED, _AUTH_ENVELOPED = _SMIME_TYPES + b"\x09", _SMIME_TYPES + b"\x17"
_MOST_DEPTH, _MOST_ELEMENTS = 24, 200_000


class _Element(NamedTuple):
    tag: int
    start: int
    stop: int
    after: int


def open_pkcs7(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The message inside an S/MIME file (``smime.p7m``).

    Raises:
        EncryptedFileError: it can't be had without a key.
        EmptyMessageError: certificates or a detached signature only.
        DamagedFileError: broken or cut off.
        TooLargeError: unpacks to more than the limits allow.
    """
    members = Members(workspace, limits)
    members.add("signed message", content_of(path.read_bytes(), limits), media_type=MAIL)
    return members.opened()


def content_of(data: bytes, limits: IngestSettings) -> bytes:
    """The content of a ContentInfo that is signed or compressed; raises as :func:`open_pkcs7`."""
    reader = _Reader(data)
    outer = reader.at(0, len(data), _SEQUENCE)
    kind, wrapped = reader.kind_and_content(outer)
    if kind in _ENCRYPTED or kind == _AUTH_ENVELOPED:
        raise EncryptedFileError(
            "the message is encrypted (S/MIME)",
            hint="Open it where the key is and forward its content, or ask for it unencrypted.",
        )
    if wrapped is None or kind not in (_SIGNED, _COMPRESSED):
        raise DamagedFileError("an S/MIME wrapper of no known kind")
    parts = reader.children(reader.at(wrapped.start, wrapped.stop, _SEQUENCE))
    inner = next(
        (
            part
            for part in parts[1:]
            if part.tag == _SEQUENCE
            and (reader.first_is_oid(part))
            and (kind == _SIGNED or part is parts[-1])
        ),
        None,
    )
    if inner is None:
        raise DamagedFileError("an S/MIME wrapper without content")
    _, content = reader.kind_and_content(inner)
    if content is None:
        raise EmptyMessageError("certificates or a signature without the message")
    found = reader.octets(reader.at(content.start, content.stop))
    return _inflated(found, limits) if kind == _COMPRESSED else found


def _inflated(data: bytes, limits: IngestSettings) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, limits.max_expanded_bytes)
    except zlib.error as error:
        raise DamagedFileError("compressed data are broken") from error
    if unpacker.unconsumed_tail:
        raise TooLargeError(
            f"unpacks to more than ingest.max_expanded_bytes {limits.max_expanded_bytes}"
        )
    return found


class _Reader:
    """Elements of BER, definite and indefinite, each inside the one above it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._elements = 0

    def at(self, place: int, end: int, tag: int | None = None, depth: int = 0) -> _Element:
        """The element that begins here; its content ends at ``end`` at the latest."""
        data = self._data
        self._elements += 1
        if depth > _MOST_DEPTH or self._elements > _MOST_ELEMENTS:
            raise DamagedFileError("an S/MIME wrapper nested without end")
        if place + 2 > end or data[place] & 0x1F == 0x1F:
            raise DamagedFileError("an S/MIME wrapper that is cut off")
        found, length, start = data[place], data[place + 1], place + 2
        if tag is not None and found != tag:
            raise DamagedFileError("an S/MIME wrapper out of order")
        if length == 0x80:
            if not found & 0x20:
                raise DamagedFileError("an S/MIME wrapper out of order")
            inner = start
            while data[inner : inner + 2] != b"\x00\x00":
                inner = self.at(inner, end, depth=depth + 1).after
            if inner + 2 > end:
                raise DamagedFileError("an S/MIME wrapper that is cut off")
            return _Element(found, start, inner, inner + 2)
        if length & 0x80:
            count = length & 0x7F
            if count > 8 or start + count > end:
                raise DamagedFileError("an S/MIME wrapper that is cut off")
            length = int.from_bytes(data[start : start + count], "big")
            start += count
        if start + length > end:
            raise DamagedFileError("an S/MIME wrapper that is cut off")
        return _Element(found, start, start + length, start + length)

    def children(self, element: _Element) -> list[_Element]:
        found, place = [], element.start
        while place < element.stop:
            found.append(self.at(place, element.stop))
            place = found[-1].after
        return found

    def first_is_oid(self, element: _Element) -> bool:
        return element.stop > element.start and self._data[element.start] == _OID

    def kind_and_content(self, element: _Element) -> tuple[bytes, _Element | None]:
        """The object identifier of a ContentInfo, and its ``[0]`` where there is one."""
        parts = self.children(element)
        if not parts or parts[0].tag != _OID:
            raise DamagedFileError("an S/MIME wrapper out of order")
        kind = self._data[parts[0].start : parts[0].stop]
        content = parts[1] if len(parts) > 1 and parts[1].tag == _EXPLICIT_0 else None
        return kind, content

    def octets(self, element: _Element, depth: int = 0) -> bytes:
        """An OCTET STRING, whole or in pieces."""
        if element.tag == _OCTETS:
            return self._data[element.start : element.stop]
        if element.tag != _OCTETS_IN_PIECES or depth > _MOST_DEPTH:
            raise DamagedFileError("an S/MIME wrapper out of order")
        return b"".join(self.octets(each, depth + 1) for each in self.children(element))

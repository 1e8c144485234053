# SPDX-License-Identifier: Apache-2.0
"""Mails, Outlook data and archives made piece by piece, so that each piece can be wrong."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

HEADER = (
    b"From: Dr. Ann Sender <ann@example.org>\r\n"
    b"To: Intake <intake@example.com>\r\n"
    b"Subject: Referral\r\n"
    b"Message-ID: <m1@example.org>\r\n"
    b"Date: Mon, 05 Jan 2026 10:00:00 -0500\r\n"
    b"MIME-Version: 1.0\r\n"
)


def mail(body: bytes, header: bytes = HEADER) -> bytes:
    """A message: the header and a part that :func:`part` made."""
    return header + body


def part(
    kind: str,
    *content: bytes,
    name: str | None = None,
    cid: str | None = None,
    disposition: str | None = None,
    encoding: str = "base64",
) -> bytes:
    """A MIME part with its header; several contents are the parts of a multipart."""
    if kind.startswith("multipart/"):
        boundary = "=_" + sha256(b"".join(content)).hexdigest()[:16]
        inner = b"".join(f"--{boundary}\r\n".encode() + each + b"\r\n" for each in content)
        head = f'Content-Type: {kind}; boundary="{boundary}"\r\n\r\n'.encode()
        return head + inner + f"--{boundary}--\r\n".encode()
    (data,) = content
    lines = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}"]
    if name is not None:
        lines.append(f'Content-Disposition: {disposition or "attachment"}; filename="{name}"')
    elif disposition is not None:
        lines.append(f"Content-Disposition: {disposition}")
    if cid is not None:
        lines.append(f"Content-ID: <{cid}>")
    packed = base64.encodebytes(data) if encoding == "base64" else data
    return "\r\n".join([*lines, "", ""]).encode() + packed


def pdf_bytes(text: str, pages: int = 1) -> bytes:
    """A PDF with a line of text on each page."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(612, 792), invariant=1)
    for number in range(pages):
        canvas.drawString(72, 700, f"{text} {number + 1}")
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def picture_bytes(size: tuple[int, int], kind: str = "PNG") -> bytes:
    """A picture with a bar across it."""
    pixels = np.full((size[1], size[0]), 255, np.uint8)
    pixels[size[1] // 3 : size[1] // 2, size[0] // 5 :] = 0
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    if kind == "TIFF":
        image.convert("1").save(stream, kind, compression="group4", dpi=(204, 196))
    else:
        image.save(stream, kind)
    return stream.getvalue()


def zip_bytes(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these members, the same bytes on every run."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2026, 1, 5, 10, 0, 0))
            info.compress_type = method
            archive.writestr(info, content)
    return stream.getvalue()


def tnef(
    *,
    text: str = "",
    html: bytes = b"",
    rtf: str = "",
    subject: str = "Referral",
    attachments: Sequence[tuple[str, bytes]] = (),
    inner: Sequence[bytes] = (),
) -> bytes:
    """A ``winmail.dat``; ``inner`` holds TNEF of attached messages."""
    properties = [_property(0x1F, 0x0037, (subject + "\x00").encode("utf-16-le"))]
    if text:
        properties.append(_property(0x1F, 0x1000, (text + "\x00").encode("utf-16-le")))
    if html:
        properties.append(_property(0x102, 0x1013, html))
        properties.append(struct.pack("<HHI", 0x03, 0x3FDE, 65001))
    if rtf:
        properties.append(_property(0x102, 0x1009, compressed_rtf(rtf.encode("latin-1"))))
    named = struct.pack("<HH16sI", 0x1E, 0x8001, b"\x01" * 16, 1)
    name = "Keywords\x00".encode("utf-16-le")
    named += struct.pack("<I", len(name)) + name + bytes(-len(name) % 4)
    properties.append(named + struct.pack("<II", 1, 4) + b"abc\x00")
    out = [struct.pack("<IH", 0x223E9F78, 1)]
    out.append(_attribute(1, 0x9006, struct.pack("<I", 0x10000)))
    out.append(_attribute(1, 0x9007, struct.pack("<II", 1252, 0)))
    out.append(_attribute(1, 0x9003, struct.pack("<I", len(properties)) + b"".join(properties)))
    for title, content in attachments:
        long_name = _property(0x1F, 0x3707, (title + "\x00").encode("utf-16-le"))
        out.append(_attribute(2, 0x9002, bytes(14)))
        out.append(_attribute(2, 0x8010, title.encode("cp1252", "replace") + b"\x00"))
        out.append(_attribute(2, 0x800F, content))
        out.append(_attribute(2, 0x9005, struct.pack("<I", 1) + long_name))
    for message in inner:
        guid = bytes.fromhex("0703020000000000c000000000000046")
        out.append(_attribute(2, 0x9002, bytes(14)))
        out.append(
            _attribute(2, 0x9005, struct.pack("<I", 1) + _property(0x0D, 0x3701, guid + message))
        )
    return b"".join(out)


def compressed_rtf(data: bytes) -> bytes:
    """RTF in the container of [MS-OXRTFCP], not packed."""
    return struct.pack("<II4sI", len(data) + 12, len(data), b"MELA", 0) + data


def _attribute(level: int, name: int, data: bytes) -> bytes:
    return (
        struct.pack("<BHHI", level, name, 6, len(data))
        + data
        + struct.pack("<H", sum(data) & 0xFFFF)
    )


def _property(kind: int, name: int, data: bytes) -> bytes:
    return struct.pack("<HHII", kind, name, 1, len(data)) + data + bytes(-len(data) % 4)


def cms_signed(content: bytes, *, indefinite: bool = True) -> bytes:
    """S/MIME signed data without any signature: the content in pieces, as mail programs write it.

    ``indefinite`` writes lengths of the indefinite form (BER), else definite ones (DER).
    """
    if indefinite:
        pieces = b"".join(
            _ber(0x04, content[at : at + 1000]) for at in range(0, len(content), 1000)
        )
        octets = b"\x24\x80" + pieces + b"\x00\x00"
        inner = b"\x30\x80" + _oid(1) + b"\xa0\x80" + octets + bytes(4)
        signed = b"\x30\x80" + _ber(0x02, b"\x01") + _ber(0x31, b"") + inner
        signed += _ber(0x31, b"") + bytes(2)
        return b"\x30\x80" + _oid(2) + b"\xa0\x80" + signed + bytes(4)
    inner = _ber(0x30, _oid(1) + _ber(0xA0, _ber(0x04, content)))
    signed = _ber(0x30, _ber(0x02, b"\x01") + _ber(0x31, b"") + inner + _ber(0x31, b""))
    return _ber(0x30, _oid(2) + _ber(0xA0, signed))


def cms_encrypted() -> bytes:
    """S/MIME enveloped data, as far as one can see without a key."""
    return _ber(0x30, _oid(3) + _ber(0xA0, _ber(0x30, _ber(0x02, b"\x00"))))


def _oid(kind: int) -> bytes:
    return bytes.fromhex("06092a864886f70d0107") + bytes([kind])


def _ber(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    packed = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(packed)]) + packed + content

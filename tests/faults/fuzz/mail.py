# SPDX-License-Identifier: Apache-2.0
"""Seeds and mutations for the border of mail: messages, mailboxes, TNEF, archives and text."""

from __future__ import annotations

import base64
import io
import random
import struct
import tarfile
import zipfile
import zlib

from idp.ingest.opened import GZIP, HTML, MAIL, MBOX, OLE, PKCS7, RTF, TAR, TEXT, TNEF, ZIP
from tests.compound import compound, outlook
from tests.messages import (
    cms_signed,
    compressed_rtf,
    mail,
    part,
    pdf_bytes,
    picture_bytes,
    tnef,
    zip_bytes,
)

MEDIA_TYPES = (MAIL, MBOX, OLE, TNEF, PKCS7, ZIP, TAR, GZIP, RTF, HTML, TEXT)

_TOKENS = (
    b"multipart/mixed", b"multipart/alternative", b"multipart/report", b"multipart/signed",
    b"multipart/related", b"multipart/encrypted", b"message/rfc822", b"message/partial",
    b"text/plain", b"text/html", b"application/rtf", b"application/ms-tnef",
    b"application/pkcs7-mime", b"base64", b"quoted-printable", b"x-uuencode", b"8bit", b"utf-7",
    b"utf-16", b"idna", b"punycode", b"unicode_escape", b"zlib", b"\r\n\r\n", b"\n", b"--b\r\n",
    b"--b--\r\n", b"=?utf-8?q?=C3=A9?=", b"=?utf-8?b?w6k=?=", b"filename*0*=utf-8''%C3", b"\x00",
    b"\xff\xfe", b"From x\n", b"\\pict", b"\\bin99999999 ", b"\\'e9", b"\\u-1 ", b"{", b"}",
    b"<table>", b"<td colspan=99999999>", b"<div>", b"<!--", b"&#1114112;", b"begin 644 a\n",
)  # fmt: skip
_NUMBERS = (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def seeds() -> list[bytes]:
    """Small files of every format, each of which opens."""
    picture = picture_bytes((500, 900))
    document = pdf_bytes("Referral of a patient")
    plain = mail(part("text/plain", b"Patient: Ann Example\nDOB: 1 Feb 1960\nMember ID: 123\n"))
    packed = part("application/pdf", document, name="referral.pdf")
    rich = mail(
        part(
            "multipart/mixed",
            part(
                "multipart/alternative",
                part("text/plain", b"See below. " * 30),
                part("text/html", b"<table><tr><td>a<td>b</table>" + b"<p>See below. " * 30),
            ),
            part("image/png", picture, name="card.png", cid="card@example.org"),
            part("message/rfc822", plain, encoding="7bit"),
            packed,
        )
    )
    wrapped = mail(part("application/pkcs7-mime", cms_signed(plain), name="smime.p7m"))
    winmail = tnef(
        text="Please see the fax", attachments=[("fax.pdf", document)], rtf=r"{\rtf1 Hello}"
    )
    unwrapped = mail(
        part(
            "multipart/mixed",
            part("text/plain", b"hello"),
            part("application/ms-tnef", winmail, name="winmail.dat"),
        )
    )
    report = mail(
        part(
            "multipart/report",
            part("text/plain", b"It could not be delivered."),
            part("message/delivery-status", b"Reporting-MTA: dns; a\r\n\r\n", encoding="7bit"),
            part("message/rfc822", plain, encoding="7bit"),
        )
    )
    pieces = [
        mail(
            b'Content-Type: message/partial; id="p@x"; number=%d; total=2\r\n\r\n' % number + piece
        )
        for number, piece in enumerate((plain[: len(plain) // 2], plain[len(plain) // 2 :]), 1)
    ]
    mbox = b"".join(
        b"From a@example.org Mon Jan  5 10:00:00 2026\n" + each.replace(b"\r\n", b"\n") + b"\n\n"
        for each in (plain, *pieces, rich)
    )
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, content in (("a.pdf", document), ("b.txt", b"Some words of a text.\n")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    html = (
        b"<!doctype html><html><head><meta charset=iso-8859-2><title>T</title></head><body>"
        b"<p>Words<table><tr><th>Code<th>Price</tr><tr><td rowspan=2>99213<td>80.00</tr></table>"
        b"<img src='data:image/png;base64," + base64.b64encode(picture[:300]) + b"'></body></html>"
    )
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}}\f0 Dear \'e9 \u233? sir\par "
        rb"\trowd a\cell b\cell\row{\pict\pngblip " + picture[:200].hex().encode() + b"}}"
    )
    inner = outlook(texts={0x0037: "Inner", 0x1000: "Words of the inner message"}, embedded=True)
    msg = compound(
        outlook(
            texts={0x0037: "Referral", 0x007D: plain.partition(b"\r\n\r\n")[0].decode()},
            binaries={0x1009: compressed_rtf(rtf), 0x1013: html[:900]},
            attachments=[{0x3707: "fax.pdf", 0x3701: document}, {0x3704: "in.msg", 0x3701: inner}],
            recipients=[{0x39FE: "to@example.com"}],
            sent=134129088000000000,
        )
    )
    return [
        msg, plain, rich, wrapped, unwrapped, report, mbox, pieces[0], winmail, cms_signed(plain),
        zip_bytes({"a.pdf": document, "b/letter.eml": plain}),
        zip_bytes({"a.txt": b"words " * 100}, method=zipfile.ZIP_BZIP2),
        tar.getvalue(), zlib_gzip(plain), html, rtf, compressed_rtf(rtf),
        b"Code   Price\n99213  80.00\n99214  90.00\n99215  95.00\nWords \xe2\x82\xac\f\n",
    ]  # fmt: skip


def zlib_gzip(data: bytes) -> bytes:
    """Gzip without a time in it: the same bytes on every run."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def mutate(data: bytes, random: random.Random) -> bytes:
    """Wrong bytes, numbers, tokens and lines; pieces cut out, doubled and exchanged."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        if not found:
            return bytes(found)
        at = random.randrange(len(found))
        match random.randrange(9):
            case 0:
                found[at] = random.randrange(256)
            case 1:
                found[at] ^= 1 << random.randrange(8)
            case 2:
                del found[at : at + random.choice((1, 2, 4, 16, 256))]
            case 3:
                piece = found[at : at + random.choice((1, 4, 64, 512))]
                found[at:at] = piece * random.choice((1, 2, 20))
            case 4:
                number = random.choice(_NUMBERS)
                width = random.choice(("<H", "<I", ">I"))
                value = struct.pack(width, number & (0xFFFF if width == "<H" else 0xFFFFFFFF))
                found[at : at + len(value)] = value
            case 5:
                found[at:at] = random.choice(_TOKENS)
            case 6:
                token = random.choice(_TOKENS)
                found[at : at + len(token)] = token
            case 7:
                del found[at:]
            case _:
                lines = bytes(found).split(b"\n")
                first, second = random.randrange(len(lines)), random.randrange(len(lines))
                lines[first] = lines[second]
                found = bytearray(b"\n".join(lines))
    if data[:4] == b"\x78\x9f\x3e\x22" and random.random() < 0.7:
        return _with_checksums(bytes(found))
    return bytes(found)


def _with_checksums(data: bytes) -> bytes:
    """TNEF whose attributes' checksums hold again, so that what is inside them is looked at."""
    found, place = bytearray(data), 6
    while place + 11 <= len(found):
        length = struct.unpack_from("<I", found, place + 5)[0]
        stop = place + 9 + length
        if stop + 2 > len(found):
            break
        struct.pack_into("<H", found, stop, sum(found[place + 9 : stop]) & 0xFFFF)
        place = stop + 2
    return bytes(found)

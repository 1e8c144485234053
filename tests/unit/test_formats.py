# SPDX-License-Identifier: Apache-2.0
"""What a file is, is told by its bytes: a memo is no mail, a mail with a PDF in it is one."""

from __future__ import annotations

import pytest

from idp.errors import UnsupportedFileError
from idp.ingest.formats import media_type_of
from idp.ingest.opened import HTML, MAIL, MBOX, PDF, PKCS7, RTF, TEXT
from tests.messages import HEADER, cms_encrypted, cms_signed

MEMO = b"""From: Dr. Ann Example
To: Dr. Robert Sample
Date: 5 January 2026
Subject: Patient transfer
Patient: John Doe
DOB: 02/01/1960
Diagnosis: M25.561

Please see the patient.
"""


@pytest.mark.parametrize(
    "head",
    [
        HEADER + b"\r\nWords",
        HEADER,
        HEADER.replace(b"\r\n", b"\n"),
        b"\r\n\r\n" + HEADER,
        b"\xef\xbb\xbf" + HEADER,
        b"From: ann@example.org\nSubject: hello\n\nwords\n",
        b"Received: from a by b; Mon, 5 Jan 2026\n\tfor <x@y>\nSubject: x\n\n",
        b"Subject: =?utf-8?q?Referral?=\n\n",
        b"X-Odd-Header  : value\nReturn-Path: <>\nthis line is no field\n"
        + b"".join(b"X-%d: y\n" % n for n in range(9)),
        b"DKIM-Signature: v=1;\r\n" + b" b=" + b"A" * 5000,
        HEADER + b"Content-Type: application/pdf\r\n\r\n%PDF-1.7 whole in the mail",
        HEADER + b"Content-Type: text/html\r\n\r\n<html><body>words",
    ],
)
def test_a_mail_is_known_by_its_header(head: bytes) -> None:
    assert media_type_of(head[:4096]) == MAIL


@pytest.mark.parametrize(
    "head",
    [
        MEMO,
        b"Name: Ann\nDOB: 1960\nMember ID: 12\n\nNotes follow here.\n",
        b"Note: see below\n\nwords\n",
        b"Dear Ann: please call.\nSubject to change without notice: yes\n",
        b"Contact: ann@example.org\nPhone: 555 0100\nFax: 555 0101\n",
        b"12:30 patient arrived\n12:45 patient seen\n",
    ],
)
def test_a_text_with_colons_is_a_text(head: bytes) -> None:
    assert media_type_of(head) == TEXT


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"From a@b Mon Jan  5 10:00:00 2026\nSubject: x\n\nwords", MBOX),
        (b">From a@b Mon Jan  5\nSubject: x\nMessage-ID: <a@b>\n\nwords", TEXT),
        (b"From here to there is a long way.\nIt is.\n", TEXT),
        (b"<!DOCTYPE html><html><body>From: ann@example.org", HTML),
        (b"\n <!-- saved --> <HTML lang=en>", HTML),
        (b"<?xml version='1.0'?><!DOCTYPE html><html xmlns='x'>", HTML),
        (b"<div><p>a piece of a page</div>", HTML),
        (b"{\\rtf1\\ansi words}", RTF),
        (b"junk before\n%PDF-1.4\n", PDF),
        (cms_signed(b"x"), PKCS7),
        (cms_signed(b"x" * 5000, indefinite=False)[:4096], PKCS7),
        (cms_encrypted(), PKCS7),
        ("Überweisung für Ann\n".encode("cp1252"), TEXT),
        ("Überweisung für Ann\n".encode("utf-16"), TEXT),
        (("é" * 4096).encode()[:4095], TEXT),
    ],
)
def test_other_formats_of_text_are_told_apart(head: bytes, kind: str) -> None:
    assert media_type_of(head[:4096]) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"   \n\n",
        b"<?xml version='1.0'?><ClinicalDocument>",
        b'{"resourceType": "Bundle"}',
        b'[{"a": 1}]',
        b"%!PS-Adobe-3.0\n",
        b"GIF89a\x01\x00\x01\x00",
        b"\x00\x01\x02binary",
        b"MZ\x90\x00\x03\x00",
        (b"QUJD" * 19 + b"\n") * 30,
        b"------------=====#####*****\n",
    ],
)
def test_data_that_nobody_reads_is_no_text(head: bytes) -> None:
    with pytest.raises(UnsupportedFileError):
        media_type_of(head)


def test_an_interchange_is_no_text() -> None:
    isa = b"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260105*1000*^"
    try:
        kind = media_type_of(isa + b"*00501*000000001*0*P*:~GS*HP*")
    except UnsupportedFileError:
        return
    assert kind not in (TEXT, MAIL, HTML)

# SPDX-License-Identifier: Apache-2.0
"""Outlook's own files, made as compound files by these tests."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from idp.errors import EncryptedFileError, InputError, NestedTooDeepError, OfficeFileError
from idp.ingest.formats import media_type_of
from idp.ingest.opened import HTML, MAIL, OLE, RTF, TEXT
from idp.settings import IngestSettings
from tests.compound import Tree, compound, outlook
from tests.messages import cms_encrypted, cms_signed, compressed_rtf, part, pdf_bytes, picture_bytes
from tests.opening import content, names, opened

PDF = pdf_bytes("Referral", pages=3)
SUBJECT, TEXT_BODY, SENDER_NAME, SENDER, HEADERS = 0x0037, 0x1000, 0x0C1A, 0x5D01, 0x007D
RTF_BODY, HTML_BODY, DATA, NAME, CID = 0x1009, 0x1013, 0x3701, 0x3707, 0x3712
SENT = 134129088000000000  # 2026-01-15 00:00 UTC


def note(**more: object) -> Tree:
    texts = {SUBJECT: "Überweisung", SENDER_NAME: "Ann", SENDER: "ann@example.org"}
    return outlook(texts={**texts, TEXT_BODY: "See the fax."}, sent=SENT, **more)  # type: ignore[arg-type]


def test_attachments_are_members_with_the_messages_envelope(tmp_path: Path) -> None:
    message = note(
        attachments=[
            {NAME: "a.pdf", DATA: PDF},
            {NAME: "card.png", DATA: picture_bytes((600, 700))},
        ],
        recipients=[{0x39FE: "intake@example.com"}],
    )
    data = compound(message)
    assert media_type_of(data[:4096]) == OLE
    found = opened(data, tmp_path)
    assert names(found) == ["a.pdf", "card.png"]
    assert content(found, "a.pdf") == PDF
    envelope = found.members[1].envelope
    assert envelope is not None
    assert (envelope.sender, envelope.sender_name) == ("ann@example.org", "Ann")
    assert envelope.recipient == "intake@example.com"
    assert envelope.subject == "Überweisung"
    assert envelope.sent_at == dt.datetime(2026, 1, 15, tzinfo=dt.UTC)
    assert envelope.attachment == 2


def test_the_mails_own_header_is_believed_first(tmp_path: Path) -> None:
    header = "From: Real <real@example.org>\r\nMessage-ID: <x@y>\r\nSubject: Real\r\n"
    message = outlook(texts={HEADERS: header, SENDER: "other@example.org", TEXT_BODY: "Words"})
    envelope = opened(compound(message), tmp_path).members[0].envelope
    assert envelope is not None
    assert (envelope.sender, envelope.message_id) == ("real@example.org", "x@y")


@pytest.mark.parametrize(
    ("message", "kind", "shown"),
    [
        (outlook(texts={TEXT_BODY: "Plain words"}), TEXT, "Plain words"),
        (outlook(binaries={HTML_BODY: b"<p>Words of HTML"}), HTML, "Words of HTML"),
        (outlook(binaries={RTF_BODY: compressed_rtf(rb"{\rtf1 Words}")}), RTF, "Words"),
    ],
)
def test_the_body_is_read_in_whatever_form_there_is(
    tmp_path: Path, message: Tree, kind: str, shown: str
) -> None:
    found = opened(compound(message), tmp_path)
    assert names(found) == ["message text"]
    assert found.members[0].media_type == kind
    assert shown in content(found, "message text").decode()


def test_an_attached_message_becomes_a_mail_with_all_that_is_in_it(tmp_path: Path) -> None:
    inner = outlook(
        texts={SUBJECT: "Inner, really", TEXT_BODY: "Words of it", SENDER: "in@example.org"},
        attachments=[{NAME: "Befund Ä.pdf", DATA: PDF}],
        sent=SENT,
        embedded=True,
    )
    data = compound(note(attachments=[{NAME: "inner.msg", DATA: inner}]))
    found = opened(data, tmp_path)
    assert names(found) == ["inner.msg"]
    assert found.members[0].media_type == MAIL
    assert opened(data, tmp_path).members == found.members
    again = opened(content(found, "inner.msg"), tmp_path, media_type=MAIL)
    assert names(again) == ["Befund Ä.pdf"]
    assert content(again, "Befund Ä.pdf") == PDF
    envelope = again.members[0].envelope
    assert envelope is not None
    assert (envelope.subject, envelope.sender) == ("Inner, really", "in@example.org")
    assert envelope.sent_at == dt.datetime(2026, 1, 15, tzinfo=dt.UTC)


def test_a_logo_of_the_text_is_left_out(tmp_path: Path) -> None:
    message = outlook(
        binaries={HTML_BODY: b"<p>Words <img src='cid:logo@x'>"},
        attachments=[{NAME: "logo.png", DATA: picture_bytes((150, 150)), CID: "logo@x"}],
    )
    found = opened(compound(message), tmp_path)
    assert names(found) == ["message text"]
    assert found.left_out == ("logo.png: a picture of 150 x 150 pixels in the message's text",)


def test_a_signed_message_is_unwrapped_and_an_encrypted_one_says_so(tmp_path: Path) -> None:
    signed = cms_signed(part("multipart/mixed", part("application/pdf", PDF, name="a.pdf")))
    message = outlook(
        texts={0x001A: "IPM.Note.SMIME"}, attachments=[{NAME: "smime.p7m", DATA: signed}]
    )
    assert names(opened(compound(message), tmp_path)) == ["a.pdf"]
    locked = outlook(attachments=[{NAME: "smime.p7m", DATA: cms_encrypted()}])
    with pytest.raises(EncryptedFileError):
        opened(compound(locked), tmp_path)


def test_messages_in_messages_without_end_are_refused(tmp_path: Path) -> None:
    message = outlook(texts={TEXT_BODY: "x"}, embedded=True)
    for _ in range(8):
        message = outlook(attachments=[{NAME: "m.msg", DATA: message}], embedded=True)
    with pytest.raises(NestedTooDeepError):
        opened(compound(outlook(attachments=[{NAME: "m.msg", DATA: message}])), tmp_path)


def test_an_encrypted_office_file_says_so(tmp_path: Path) -> None:
    data = compound({"EncryptedPackage": b"x" * 100, "EncryptionInfo": b"y"})
    with pytest.raises(EncryptedFileError):
        opened(data, tmp_path)


def test_another_compound_file_is_handed_to_office_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("idp.ingest.open_outlook.import_module", missing)
    with pytest.raises(OfficeFileError):
        opened(compound({"WordDocument": b"w" * 5000}), tmp_path)


def test_more_than_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    data = compound(note(attachments=[{NAME: "a.pdf", DATA: PDF}]))
    with pytest.raises(InputError) as refused:
        opened(data, tmp_path, IngestSettings(max_expanded_bytes=2000))
    assert refused.value.code == "too_large"


def test_every_cut_ends_in_a_coded_error_or_in_whole_members(tmp_path: Path) -> None:
    data = compound(note(attachments=[{NAME: "a.pdf", DATA: PDF}]))
    refused = 0
    for cut in range(512, len(data), 300):
        try:
            found = opened(data[:cut], tmp_path, media_type=OLE)
        except InputError:
            refused += 1
            continue
        assert all(content(found, name) == PDF for name in names(found) if name == "a.pdf")
    assert refused

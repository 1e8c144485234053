# SPDX-License-Identifier: Apache-2.0
"""What of a mail is a document: its attachments, and its text where that holds the content."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.document import MOST_ENVELOPE_CHARACTERS
from idp.errors import (
    EmptyMessageError,
    EncryptedFileError,
    InputError,
    PartialMessageError,
    TooLargeError,
)
from idp.ingest.opened import HTML, MAIL, MBOX, PKCS7, TEXT, TNEF
from idp.ingest.unpacked import unpack
from idp.settings import IngestSettings
from tests.messages import (
    HEADER,
    cms_encrypted,
    cms_signed,
    mail,
    part,
    pdf_bytes,
    picture_bytes,
    tnef,
)
from tests.opening import LIMITS, content, names, opened, words

PDF = pdf_bytes("Referral of a patient")
NOTE = part("text/plain", b"Please find the referral attached.\r\n\r\nBest regards\r\nAnn\r\n")
ATTACHED = part("application/pdf", PDF, name="referral.pdf")
LETTER = (
    b"Dear colleagues,\r\n\r\nplease see our patient who has had pain in the right knee for six "
    b"weeks. Conservative treatment did not help. We ask for an orthopaedic consultation, and for "
    b"an MRI before it. She takes ibuprofen and has no allergies that we know of.\r\n\r\nAnn\r\n"
)


def mixed(*parts: bytes) -> bytes:
    return mail(part("multipart/mixed", *parts))


def test_each_attachment_is_a_member_with_its_bytes_and_the_mails_envelope(tmp_path: Path) -> None:
    fax = picture_bytes((1728, 2200), "TIFF")
    found = opened(mixed(NOTE, ATTACHED, part("image/tiff", fax, name="fax.tif")), tmp_path)
    assert names(found) == ["referral.pdf", "fax.tif"]
    assert content(found, "referral.pdf") == PDF
    assert content(found, "fax.tif") == fax
    first, second = (member.envelope for member in found.members)
    assert first is not None and second is not None
    assert (first.attachment, second.attachment) == (1, 2)
    assert first.sender == "ann@example.org"
    assert first.sender_name == "Dr. Ann Sender"
    assert first.recipient == "intake@example.com"
    assert first.subject == "Referral"
    assert first.message_id == "m1@example.org"
    assert first.sent_at == dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)
    assert first.told_by == ("mail",)


def test_a_covering_note_is_named_and_not_read(tmp_path: Path) -> None:
    found = opened(mixed(NOTE, ATTACHED), tmp_path)
    assert names(found) == ["referral.pdf"]
    assert found.left_out == ("message text: a covering note of 5 words beside the attachments",)


def test_a_letter_beside_an_attachment_is_a_document_and_comes_first(tmp_path: Path) -> None:
    found = opened(mixed(part("text/plain", LETTER), ATTACHED), tmp_path)
    assert names(found) == ["message text", "referral.pdf"]
    text = found.members[0]
    assert text.media_type == TEXT
    assert text.envelope is not None and text.envelope.attachment is None
    assert "right knee" in content(found, "message text").decode()


def test_a_fax_servers_notice_is_left_out_however_long(tmp_path: Path) -> None:
    notice = b"You have received a 3 page fax at 10:54.\n" + b"Please visit our help pages. " * 20
    found = opened(mixed(part("text/plain", notice), ATTACHED), tmp_path)
    assert names(found) == ["referral.pdf"]
    assert found.left_out == ("message text: a fax server's or scanner's notice",)


def test_text_that_exchange_split_off_belongs_to_the_text(tmp_path: Path) -> None:
    below = part("text/plain", b"Words below the attachment.", name="ATT00001.txt")
    found = opened(mixed(part("text/plain", LETTER), ATTACHED, below), tmp_path)
    assert names(found) == ["message text", "referral.pdf"]
    text = content(found, "message text").decode()
    assert text.index("right knee") < text.index("below the attachment")


def test_labelled_values_beside_an_attachment_are_content(tmp_path: Path) -> None:
    values = b"Patient: Ann Example\nDOB: 02/01/1960\nMember ID: X123\n"
    assert "message text" in names(opened(mixed(part("text/plain", values), ATTACHED), tmp_path))


def test_a_text_without_any_document_beside_it_is_read_however_short(tmp_path: Path) -> None:
    found = opened(mail(part("text/plain", b"Call me.")), tmp_path)
    assert names(found) == ["message text"]
    program = part("application/octet-stream", b"MZ\x90\x00\x03" * 50, name="a.exe")
    found = opened(mixed(NOTE, program), tmp_path)
    assert names(found) == ["message text", "a.exe"]


def test_html_is_taken_where_it_says_as_much_as_the_plain_text(tmp_path: Path) -> None:
    html = part("text/html", b"<table><tr><td>Code<td>Price<tr><td>99213<td>80.00</table>")
    short = part("text/plain", b"Code Price 99213 80.00")
    found = opened(mail(part("multipart/alternative", short, html)), tmp_path)
    assert found.members[0].media_type == HTML
    empty = part("text/html", b"<p>Your program shows no HTML.")
    found = opened(mail(part("multipart/alternative", part("text/plain", LETTER), empty)), tmp_path)
    assert found.members[0].media_type == TEXT


def test_a_pdf_inside_an_alternative_is_not_lost(tmp_path: Path) -> None:
    rich = part("multipart/mixed", part("text/html", b"<p>Please see"), ATTACHED)
    found = opened(mail(part("multipart/alternative", NOTE, rich)), tmp_path)
    assert names(found) == ["referral.pdf"]


@pytest.mark.parametrize(
    ("kind", "name", "data", "reason"),
    [
        ("text/x-vcard", "ann.vcf", b"BEGIN:VCARD\r\nEND:VCARD\r\n", "a business card"),
        ("application/octet-stream", "a.dat", b"BEGIN:VCARD\r\nEND:VCARD\r\n", "a business card"),
        ("text/calendar", "invite.ics", b"BEGIN:VCALENDAR\r\n", "a calendar entry"),
        ("application/pkcs7-signature", "smime.p7s", cms_signed(b""), "a signature"),
        ("application/pgp-signature", "s.asc", b"-----BEGIN PGP SIGNATURE-----", "a signature"),
    ],
)
def test_what_is_no_document_is_left_out_by_type_name_or_content(
    tmp_path: Path, kind: str, name: str, data: bytes, reason: str
) -> None:
    found = opened(mixed(NOTE, ATTACHED, part(kind, data, name=name)), tmp_path)
    assert names(found) == ["referral.pdf"]
    assert f"{name}: {reason}" in found.left_out


def test_a_logo_that_the_text_shows_is_left_out_and_a_page_there_is_not(tmp_path: Path) -> None:
    html = part("text/html", b"<p>See <img src='cid:logo@x'><img src=\"cid:page@x\">" + LETTER)
    logo = part("image/png", picture_bytes((240, 80)), name="logo.png", cid="logo@x")
    page = part("image/jpeg", picture_bytes((900, 1200), "JPEG"), name="page.jpg", cid="page@x")
    found = opened(mail(part("multipart/related", html, logo, page)), tmp_path)
    assert names(found) == ["message text", "page.jpg"]
    assert found.left_out == ("logo.png: a picture of 240 x 80 pixels in the message's text",)


def test_a_fax_is_a_document_however_long_and_however_it_is_attached(tmp_path: Path) -> None:
    long = picture_bytes((1728, 6000), "TIFF")
    fax = part("image/tiff", long, name="fax.tif", disposition="inline", cid="fax@x")
    found = opened(mail(part("multipart/related", NOTE, fax)), tmp_path)
    assert names(found) == ["fax.tif"]


def test_a_small_picture_that_is_attached_is_a_document(tmp_path: Path) -> None:
    card = part("image/png", picture_bytes((320, 200)), name="card.png")
    dot = part("image/gif", picture_bytes((1, 1), "GIF"), name="dot.gif")
    found = opened(mixed(NOTE, card, dot), tmp_path)
    assert names(found) == ["card.png"]
    assert "dot.gif: a picture of 1 x 1 pixels" in found.left_out


def test_a_mail_of_nothing_but_a_picture_gives_the_picture(tmp_path: Path) -> None:
    alone = part("image/png", picture_bytes((200, 150)), name="a.png", disposition="inline")
    assert names(opened(mixed(alone), tmp_path)) == ["a.png"]


def test_an_attached_mail_is_a_member_of_its_own(tmp_path: Path) -> None:
    inner = mail(part("text/plain", LETTER), HEADER.replace(b"Referral", b"The inner one"))
    nested = part("message/rfc822", inner, encoding="7bit")
    found = opened(mixed(NOTE, nested), tmp_path)
    assert names(found) == ["The inner one"]
    assert found.members[0].media_type == MAIL
    again = opened(content(found, "The inner one"), tmp_path, media_type=MAIL)
    assert names(again) == ["message text"]
    assert again.members[0].envelope is not None
    assert again.members[0].envelope.subject == "The inner one"


def test_an_attached_mail_with_broken_headers_comes_out_as_it_came(tmp_path: Path) -> None:
    header = (
        b"Subject: a\x00b\r\n Message-ID: <folded@in>\r\nFrom: J\xf6rg <j@x.org>\r\n"
        b"To: " + b"someone@example.org, " * 30 + b"\r\n"
    )
    inner = header + part("multipart/mixed", NOTE, ATTACHED)
    nested = part("message/rfc822", inner, name="m.eml", encoding="8bit")
    found = content(opened(mixed(NOTE, nested), tmp_path), "m.eml")
    assert found.replace(b"\r\n", b"\n").strip() == inner.replace(b"\r\n", b"\n").strip()


def test_an_attached_mail_in_base64_is_decoded(tmp_path: Path) -> None:
    inner = mail(part("text/plain", LETTER))
    found = opened(mixed(NOTE, part("message/rfc822", inner, name="m.eml")), tmp_path)
    assert content(found, "m.eml") == inner


def test_a_delivery_report_gives_its_words_and_not_the_returned_mail(tmp_path: Path) -> None:
    report = part(
        "multipart/report",
        part("text/plain", b"Your message could not be delivered."),
        part("message/delivery-status", b"Reporting-MTA: dns; mx\r\n\r\n", encoding="7bit"),
        part("message/rfc822", mixed(NOTE, ATTACHED), encoding="7bit"),
    )
    found = opened(mail(report), tmp_path)
    assert names(found) == ["message text"]
    assert "attachment: a delivery report for machines" in found.left_out
    assert "returned message: a copy of the mail that the report is on" in found.left_out


def test_a_delivery_report_without_words_shows_those_for_machines(tmp_path: Path) -> None:
    status = part("message/delivery-status", b"Reporting-MTA: dns; mx\r\n\r\n", encoding="7bit")
    found = opened(mail(part("multipart/report", status)), tmp_path)
    assert b"Reporting-MTA" in content(found, "message text")


@pytest.mark.parametrize("indefinite", [True, False])
def test_a_signed_wrapper_is_taken_off(tmp_path: Path, indefinite: bool) -> None:
    inner = part("multipart/mixed", part("text/plain", LETTER), ATTACHED)
    data = cms_signed(inner, indefinite=indefinite)
    signed = part("application/pkcs7-mime", data, name="smime.p7m")
    found = opened(mail(signed), tmp_path)
    assert names(found) == ["message text", "referral.pdf"]
    assert content(found, "referral.pdf") == PDF
    alone = opened(data, tmp_path)
    assert alone.members[0].media_type == MAIL


def test_a_clear_signed_mail_is_read_without_its_signature(tmp_path: Path) -> None:
    signature = part("application/pkcs7-signature", cms_signed(b""), name="smime.p7s")
    body = part("multipart/mixed", NOTE, ATTACHED)
    found = opened(mail(part("multipart/signed", body, signature)), tmp_path)
    assert names(found) == ["referral.pdf"]
    assert "smime.p7s: a signature" in found.left_out


@pytest.mark.parametrize(
    "body",
    [
        part("application/pkcs7-mime", cms_encrypted(), name="smime.p7m"),
        part(
            "multipart/encrypted",
            part("application/pgp-encrypted", b"Version: 1"),
            part("application/octet-stream", b"-----BEGIN PGP MESSAGE-----\n"),
        ),
        part("text/plain", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"),
    ],
    ids=["S/MIME", "PGP/MIME", "PGP in the text"],
)
def test_an_encrypted_mail_says_so(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(EncryptedFileError):
        opened(mail(body), tmp_path)


def test_an_encrypted_part_beside_a_document_is_named(tmp_path: Path) -> None:
    locked = part("application/pkcs7-mime", cms_encrypted(), name="smime.p7m")
    found = opened(mixed(NOTE, ATTACHED, locked), tmp_path)
    assert names(found) == ["referral.pdf"]
    assert "encrypted part: it needs a key (S/MIME)" in found.left_out


def test_winmail_dat_is_unwrapped_where_it_lies(tmp_path: Path) -> None:
    data = tnef(text="ignored, the mail has it", attachments=[("fax.pdf", PDF)])
    found = opened(mixed(NOTE, part("application/ms-tnef", data, name="winmail.dat")), tmp_path)
    assert names(found) == ["fax.pdf"]
    assert found.members[0].envelope is not None
    assert found.members[0].envelope.subject == "Referral"


def test_a_broken_winmail_dat_stays_to_be_refused_by_itself(tmp_path: Path) -> None:
    data = tnef(text="x", attachments=[("fax.pdf", PDF)])[:-300]
    wrapped = part("application/octet-stream", data, name="winmail.dat")
    found = opened(mixed(NOTE, ATTACHED, wrapped), tmp_path)
    assert names(found) == ["referral.pdf", "winmail.dat"]
    assert found.members[1].media_type == TNEF


def test_a_uuencoded_file_in_the_text_is_an_attachment(tmp_path: Path) -> None:
    lines = b"".join(binascii.b2a_uu(PDF[at : at + 45]) for at in range(0, len(PDF), 45))
    text = b"See the fax.\n\nbegin 644 fax.pdf\n" + lines + b"`\nend\n"
    found = opened(HEADER + b"\r\n" + text, tmp_path)
    assert names(found) == ["fax.pdf"]
    assert content(found, "fax.pdf") == PDF


def test_a_file_that_is_only_begun_stays_text_and_costs_no_time(tmp_path: Path) -> None:
    begun = b"begin 644 a.pdf\n" * 50_000
    found = opened(HEADER + b"\r\nSee here:\n" + begun, tmp_path)
    assert names(found) == ["message text"]


def test_a_piece_of_a_message_alone_is_refused_as_such(tmp_path: Path) -> None:
    piece = b'Content-Type: message/partial; id="a@b"; number=2; total=3\r\n\r\nmiddle\r\n'
    with pytest.raises(PartialMessageError):
        opened(HEADER + piece, tmp_path)


def test_a_header_and_nothing_below_it_is_an_empty_message(tmp_path: Path) -> None:
    for body in (b"\r\n", b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b--\r\n'):
        found = opened(HEADER + body, tmp_path)
        assert not found.members
        assert found.left_out == ("message text: empty",)
    (tmp_path / "empty.eml").write_bytes(HEADER + b"\r\n")
    with pytest.raises(EmptyMessageError):
        unpack(tmp_path / "empty.eml", tmp_path / "w", LIMITS)


def test_a_mail_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = mixed(NOTE, ATTACHED)
    found = opened(whole[: -len(whole) // 3], tmp_path)
    assert found.flaws == ("the message ends before its last part does: it may be cut off",)
    assert not opened(whole, tmp_path).flaws


def test_that_a_mail_is_cut_off_is_said_on_each_of_its_parts(tmp_path: Path) -> None:
    page = part("image/png", picture_bytes((900, 1200)), name="a.png")
    whole = mixed(part("text/plain", LETTER), page, ATTACHED)
    (tmp_path / "cut.eml").write_bytes(whole[: whole.index(b'filename="referral.pdf"') + 300])
    parts = unpack(tmp_path / "cut.eml", tmp_path / "w", LIMITS).parts
    assert [each.name for each in parts] == ["message text", "a.png", "referral.pdf"]
    assert all("cut off" in flaw for each in parts[:2] for flaw in each.flaws)
    assert all(each.flaws for each in parts[:2])
    assert parts[2].error is not None


def test_text_in_any_charset_is_read(tmp_path: Path) -> None:
    for charset, spelt in (("iso-8859-1", "Müller"), ("koi8-r", "шостий"), ("utf-8", "naïve")):
        body = part(f"text/plain; charset={charset}", spelt.encode(charset))
        assert spelt in content(opened(mail(body), tmp_path), "message text").decode()
    wrong = part("text/plain; charset=us-ascii", "Müller".encode("cp1252"))
    assert "Müller" in content(opened(mail(wrong), tmp_path), "message text").decode()
    hostile = part("text/plain; charset=punycode", b"Mller-kva" * 10)
    assert b"Mller-kva" in content(opened(mail(hostile), tmp_path), "message text")


def test_flowed_paragraphs_are_joined(tmp_path: Path) -> None:
    body = part("text/plain; format=flowed", b"One paragraph \r\ngoes on\r\n\r\nnext\r\n")
    assert b"One paragraph goes on\n" in content(opened(mail(body), tmp_path), "message text")


@pytest.mark.parametrize(
    ("header", "field", "value"),
    [
        (b"From: =?utf-8?q?J=C3=B6rg_M=2E?= <j@example.org>\r\n", "sender_name", "Jörg M."),
        (b"From: J\xc3\xb6rg <j@example.org>\r\n", "sender_name", "Jörg"),
        (b"From: J\xf6rg <j@example.org>\r\n", "sender_name", "Jörg"),
        (b"From: Ann Sender ann@example.org\r\n", "sender", "ann@example.org"),
        (b'From: "Last, First" <a@example.org>\r\n', "sender_name", "Last, First"),
        (b"Subject: =?utf-8?b?w6nDqQ==?=\r\n", "subject", "éé"),
        (b"Subject: =?nonsense?b?w6k=?=\r\n", "subject", "é"),
        (b"Subject: two\r\n lines\x00 and\x07 bells\r\n", "subject", "two lines and bells"),
        (b"Date: tomorrow\r\n", "sent_at", None),
        (b"Date: Mon, 05 Jan 2026 10:00:00\r\n", "sent_at", None),
        (
            b"Date: Mon, 05 Jan 2026 10:00:00 -0000\r\n",
            "sent_at",
            dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC),
        ),
        (b"Date: Mon, 31 Dec 9999 23:59:59 -2300\r\n", "sent_at", None),
    ],
)
def test_header_fields_are_read_however_they_are_spelt(
    tmp_path: Path, header: bytes, field: str, value: object
) -> None:
    name = header.partition(b":")[0]
    rest = b"".join(
        line + b"\r\n" for line in HEADER.split(b"\r\n") if line and not line.startswith(name)
    )
    found = opened(rest + header + b"\r\nWords\r\n", tmp_path, media_type=MAIL)
    assert getattr(found.members[0].envelope, field) == value


def test_envelope_texts_and_names_are_cut_and_never_a_path(tmp_path: Path) -> None:
    header = HEADER.replace(b"Referral", b"long " * 1000)
    evil = part("application/pdf", PDF, name="../../etc/\x1b[31mpass\\..\\wd.pdf")
    found = opened(mail(part("multipart/mixed", NOTE, evil), header), tmp_path)
    (member,) = found.members
    assert member.name == "wd.pdf"
    assert Path(member.path).parent == tmp_path / "workspace"
    assert member.envelope is not None and member.envelope.subject is not None
    assert len(member.envelope.subject) <= MOST_ENVELOPE_CHARACTERS


def test_more_attachments_than_the_limit_are_too_large(tmp_path: Path) -> None:
    limits = IngestSettings(max_parts=3)
    several = [part("application/pdf", PDF, name=f"{n}.pdf") for n in range(4)]
    with pytest.raises(TooLargeError):
        opened(mixed(*several), tmp_path, limits)
    with pytest.raises(TooLargeError):
        opened(mixed(*several), tmp_path, IngestSettings(max_expanded_bytes=len(PDF) * 2))


def test_parts_nested_without_end_are_refused(tmp_path: Path) -> None:
    deep = part("text/plain", b"x")
    for number in range(200):
        deep = (
            f'Content-Type: multipart/mixed; boundary="b{number}"\r\n\r\n--b{number}\r\n'.encode()
            + deep
            + f"\r\n--b{number}--\r\n".encode()
        )
    with pytest.raises(InputError) as refused:
        opened(mail(deep), tmp_path)
    assert refused.value.code == "nested_too_deep"


def test_the_text_is_set_on_a_page_and_can_be_read(tmp_path: Path) -> None:
    found = opened(mail(part("text/plain", LETTER)), tmp_path)
    page = opened(content(found, "message text"), tmp_path, media_type=TEXT)
    assert len(page.pages) == 1
    assert "orthopaedic consultation" in words(page)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.builds(
            lambda head, cut, tail: head[: cut % (len(head) + 1)] + tail,
            st.sampled_from(
                [
                    mixed(NOTE, part("text/html", b"<p>x"), part("image/png", b"x", cid="a")),
                    mail(part("application/pkcs7-mime", cms_signed(NOTE), name="smime.p7m")),
                    mail(part("multipart/report", NOTE, part("message/rfc822", NOTE))),
                    HEADER + b"Content-Type: message/partial; number=x\r\n\r\n",
                ]
            ),
            st.integers(0, 5000),
            st.binary(max_size=80),
        ),
    ),
    st.sampled_from([MAIL, MBOX, PKCS7, TNEF]),
)
def test_no_bytes_make_an_opener_of_mail_raise_anything_but_a_coded_error(
    tmp_path: Path, data: bytes, media_type: str
) -> None:
    try:
        found = opened(data or b"x", tmp_path, LIMITS, media_type)
    except InputError:
        return
    for member in found.members:
        assert member.name.isprintable() and 0 < len(member.name) <= 200
        assert Path(member.path).parent.is_relative_to(tmp_path)


def test_base64_with_foreign_characters_is_decoded_as_mail_programs_do(tmp_path: Path) -> None:
    packed = base64.encodebytes(PDF).replace(b"\n", b" \r\n!")
    head = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert content(opened(mixed(NOTE, head + packed), tmp_path), "attachment.pdf") == PDF

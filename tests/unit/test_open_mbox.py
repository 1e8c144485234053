# SPDX-License-Identifier: Apache-2.0
"""Every message of a mailbox is found once, however its lines are quoted; pieces are joined."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.errors import DamagedFileError, PartialMessageError, TooLargeError
from idp.ingest.formats import media_type_of
from idp.ingest.opened import MAIL, MBOX
from idp.settings import IngestSettings
from tests.messages import HEADER, mail, part, pdf_bytes, zip_bytes
from tests.opening import content, names, opened

LINE = b"From ann@example.org Mon Jan  5 10:00:00 2026\n"


def message(number: int, body: bytes, more: bytes = b"") -> bytes:
    header = HEADER.replace(b"\r\n", b"\n").replace(b"Referral", b"Number %d" % number)
    return header + more + b"\n" + body


def pieces_of(whole: bytes, count: int) -> list[bytes]:
    """A message in pieces, as RFC 2046, 5.2.2 has it: its whole header stands in the first."""
    size = -(-len(whole) // count)
    return [
        HEADER.replace(b"Referral", b"Piece %d" % number)
        + b'Content-Type: message/partial; id="p@x"; number=%d; total=%d\r\n\r\n' % (number, count)
        + whole[(number - 1) * size : number * size]
        for number in range(1, count + 1)
    ]


def test_each_message_is_a_member_in_order(tmp_path: Path) -> None:
    mbox = b"".join(LINE + message(n, b"Words %d\n\n" % n) for n in (1, 2, 3))
    found = opened(mbox, tmp_path)
    assert names(found) == ["message 1", "message 2", "message 3"]
    assert all(member.media_type == MAIL for member in found.members)
    assert content(found, "message 2") == message(2, b"Words 2\n")


def test_lines_of_text_that_begin_with_from_part_nothing(tmp_path: Path) -> None:
    body = b"He said:\n\nFrom Russia with love\n\n>From the heart\n>>From: quoted\n\n"
    found = opened(LINE + message(1, body) + LINE + message(2, b"x\n"), tmp_path)
    assert len(found.members) == 2
    inside = content(found, "message 1")
    assert b"\nFrom Russia with love\n" in inside
    assert b"\nFrom the heart\n" in inside, "a quoted line is as the sender wrote it"


def test_a_content_length_that_leads_to_the_end_is_believed(tmp_path: Path) -> None:
    body = b"A mailbox inside:\n\n" + LINE + b"Subject: not a message\n\nits text\n"
    one = LINE + message(1, body, b"Content-Length: %d\n" % len(body)) + b"\n"
    found = opened(one + LINE + message(2, b"x\n"), tmp_path)
    assert len(found.members) == 2
    assert b"Subject: not a message" in content(found, "message 1")
    lying = LINE + message(1, body, b"Content-Length: 7\n") + b"\n" + LINE + message(2, b"x\n")
    assert len(opened(lying, tmp_path).members) == 3


def test_separators_of_other_programs_and_line_ends_are_known(tmp_path: Path) -> None:
    for line in (b"From - Mon Jan  5 10:00:00 2026\n", b"From -\n", b"From 18443477@xxx\n"):
        mbox = (line + message(1, b"a\n\n") + line + message(2, b"b\n")).replace(b"\n", b"\r\n")
        assert media_type_of(mbox[:4096]) == MBOX
        assert len(opened(mbox, tmp_path).members) == 2
    assert media_type_of(b"\xef\xbb\xbf" + LINE + message(1, b"a\n")) == MBOX


def test_a_single_message_is_opened_at_once(tmp_path: Path) -> None:
    pdf = pdf_bytes("Referral")
    body = part("application/pdf", pdf, name="referral.pdf")
    found = opened(LINE + mail(body).replace(b"\r\n", b"\n"), tmp_path)
    assert names(found) == ["referral.pdf"]
    assert found.members[0].envelope is not None
    assert found.members[0].envelope.sender == "ann@example.org"


def test_pieces_are_joined_in_order_however_they_lie(tmp_path: Path) -> None:
    pdf = pdf_bytes("Referral")
    whole = mail(part("application/pdf", pdf, name="referral.pdf"))
    first, second, third = (p.replace(b"\r\n", b"\n") + b"\n\n" for p in pieces_of(whole, 3))
    mbox = b"".join(LINE + each for each in (third, first, message(9, b"other\n\n"), second))
    found = opened(mbox, tmp_path)
    assert names(found) == ["message 2", "message 3"]
    inner = opened(content(found, "message 2"), tmp_path, media_type=MAIL)
    assert names(inner) == ["referral.pdf"]
    assert content(inner, "referral.pdf") == pdf
    assert inner.members[0].envelope is not None
    assert inner.members[0].envelope.subject == "Referral", "of the whole, not of the piece"


def test_pieces_in_an_archive_are_joined(tmp_path: Path) -> None:
    pdf = pdf_bytes("Referral")
    pieces = pieces_of(mail(part("application/pdf", pdf, name="referral.pdf")), 2)
    archive = zip_bytes({"b.eml": pieces[1], "a.eml": pieces[0], "note.txt": b"words\n"})
    found = opened(archive, tmp_path)
    assert names(found) == ["a.eml", "note.txt"]
    inner = opened(content(found, "a.eml"), tmp_path, media_type=MAIL)
    assert content(inner, "referral.pdf") == pdf


def test_a_missing_piece_leaves_the_others_to_be_refused(tmp_path: Path) -> None:
    pieces = pieces_of(mail(part("text/plain", b"x" * 300)), 3)
    found = opened(zip_bytes({"1.eml": pieces[0], "3.eml": pieces[2]}), tmp_path)
    assert names(found) == ["1.eml", "3.eml"]
    with pytest.raises(PartialMessageError):
        opened(content(found, "3.eml"), tmp_path)


def test_more_messages_than_the_limit_are_too_large(tmp_path: Path) -> None:
    mbox = b"".join(LINE + message(n, b"x\n\n") for n in range(6))
    with pytest.raises(TooLargeError):
        opened(mbox, tmp_path, IngestSettings(max_parts=5))


def test_no_message_at_all_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError):
        opened(b"From nobody at all\n", tmp_path, media_type=MBOX)

# SPDX-License-Identifier: Apache-2.0
"""winmail.dat is read whole or refused: nothing in it is half read in silence."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from idp.errors import DamagedFileError, NestedTooDeepError
from idp.ingest.formats import media_type_of
from idp.ingest.opened import HTML, RTF, TEXT, TNEF
from tests.messages import compressed_rtf, pdf_bytes, picture_bytes, tnef
from tests.opening import content, names, opened

PDF = pdf_bytes("Referral")


def test_attachments_are_members_to_the_last_byte(tmp_path: Path) -> None:
    zeros = PDF + bytes(7)  # readers that strip zero bytes lose these
    data = tnef(text="See the fax.", attachments=[("a.pdf", PDF), ("Befund für Ä.pdf", zeros)])
    assert media_type_of(data) == TNEF
    found = opened(data, tmp_path)
    assert names(found) == ["a.pdf", "Befund für Ä.pdf"]
    assert content(found, "a.pdf") == PDF
    assert content(found, "Befund für Ä.pdf") == zeros
    assert found.members[0].envelope is not None
    assert found.members[0].envelope.subject == "Referral"
    assert found.left_out == ("message text: a covering note of 3 words beside the attachments",)


@pytest.mark.parametrize(
    ("data", "kind", "shown"),
    [
        (tnef(text="Only the text"), TEXT, "Only the text"),
        (tnef(html=b"<p>Only &auml; page"), HTML, "&auml;"),
        (tnef(rtf=r"{\rtf1 Only RTF}", text=""), RTF, "Only RTF"),
    ],
)
def test_the_body_is_read_in_the_form_that_keeps_the_most(
    tmp_path: Path, data: bytes, kind: str, shown: str
) -> None:
    found = opened(data, tmp_path)
    assert names(found) == ["message text"]
    assert found.members[0].media_type == kind
    assert shown in content(found, "message text").decode("utf-8")


def test_an_attached_message_gives_its_attachments(tmp_path: Path) -> None:
    inner = tnef(text="inner words", attachments=[("inner.pdf", PDF)])
    found = opened(tnef(text="outer", attachments=[("outer.pdf", PDF)], inner=[inner]), tmp_path)
    assert names(found) == ["outer.pdf", "inner.pdf"]


def test_messages_in_messages_without_end_are_refused(tmp_path: Path) -> None:
    data = tnef(text="x")
    for _ in range(8):
        data = tnef(inner=[data])
    with pytest.raises(NestedTooDeepError):
        opened(data, tmp_path)


def test_every_cut_is_seen(tmp_path: Path) -> None:
    data = tnef(text="See the fax.", attachments=[("a.pdf", PDF)])
    whole = opened(data, tmp_path)
    for cut in (*range(7, 400, 13), *range(400, len(data), 151), len(data) - 1):
        try:
            found = opened(data[:cut], tmp_path, media_type=TNEF)
        except DamagedFileError:
            continue
        # Only between two attributes: what is missing then is missing as a whole.
        assert set(names(found)) <= {*names(whole), "message text"}
        for member in found.members:
            if member.name == "a.pdf":
                assert content(found, "a.pdf") == PDF


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    data = bytearray(tnef(text="See the fax.", attachments=[("a.pdf", PDF)]))
    at = data.index(b"%PDF")
    data[at + 20] ^= 1
    with pytest.raises(DamagedFileError):
        opened(bytes(data), tmp_path)


def test_notices_behind_the_last_attribute_do_no_harm(tmp_path: Path) -> None:
    data = tnef(text="x", attachments=[("a.pdf", PDF)]) + b"\r\nScanned by a gateway\r\n"
    assert names(opened(data, tmp_path)) == ["a.pdf"]


def test_broken_compressed_rtf_is_said_where_it_is_all_there_is(tmp_path: Path) -> None:
    broken = bytearray(tnef(rtf=r"{\rtf1 Words}"))
    at = broken.index(b"MELA")
    broken[at : at + 4] = b"LZFu"  # now its checksum must hold, and does not
    place = 6
    while place < len(broken):  # the attributes' own checksums hold again
        length = struct.unpack_from("<I", broken, place + 5)[0]
        value = broken[place + 9 : place + 9 + length]
        struct.pack_into("<H", broken, place + 9 + length, sum(value) & 0xFFFF)
        place += 11 + length
    with pytest.raises(DamagedFileError):
        opened(bytes(broken), tmp_path)
    assert compressed_rtf(b"x")[8:12] == b"MELA"


def test_a_logo_hidden_in_the_message_is_left_out(tmp_path: Path) -> None:
    logo = picture_bytes((60, 60))
    found = opened(tnef(text="x", attachments=[("a.pdf", PDF), ("logo.png", logo)]), tmp_path)
    assert names(found) == ["a.pdf"]
    assert "logo.png: a picture of 60 x 60 pixels" in found.left_out

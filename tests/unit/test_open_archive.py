# SPDX-License-Identifier: Apache-2.0
"""Archives: every member once and whole, nothing outside the workspace, no bomb goes off."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.errors import (
    DamagedFileError,
    EmptyMessageError,
    EncryptedFileError,
    InputError,
    TooLargeError,
    UnsupportedFileError,
)
from idp.ingest.formats import media_type_of
from idp.ingest.opened import GZIP, OFFICE, TAR, ZIP
from idp.settings import IngestSettings
from tests.messages import pdf_bytes, zip_bytes
from tests.opening import LIMITS, content, names, opened

PDF = pdf_bytes("Referral")


def tar_bytes(*entries: tuple[str, bytes | str | None]) -> bytes:
    """A tar of files (bytes), symbolic links (text) and folders (none)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, inside in entries:
            info = tarfile.TarInfo(name)
            if isinstance(inside, bytes):
                info.size = len(inside)
                archive.addfile(info, io.BytesIO(inside))
            else:
                info.type = tarfile.DIRTYPE if inside is None else tarfile.SYMTYPE
                info.linkname = inside or ""
                archive.addfile(info)
    return stream.getvalue()


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_file_of_a_zip_is_a_member(tmp_path: Path, method: int) -> None:
    found = opened(zip_bytes({"a.pdf": PDF, "in/b.txt": b"words"}, method), tmp_path)
    assert names(found) == ["a.pdf", "in/b.txt"]
    assert content(found, "a.pdf") == PDF


def test_an_office_file_is_no_archive() -> None:
    for first in ("[Content_Types].xml", "_rels/.rels", "mimetype"):
        assert media_type_of(zip_bytes({first: b"x", "word/document.xml": b"y"})) == OFFICE
    assert media_type_of(zip_bytes({"a.txt": b"x", "[Content_Types].xml": b"y"})) == ZIP


def test_names_never_become_paths_and_links_are_not_followed(tmp_path: Path) -> None:
    stream = io.BytesIO(zip_bytes({"../../up.pdf": PDF, "/abs\\..\\c:\\x.pdf": PDF}))
    with zipfile.ZipFile(stream, "a") as archive:
        link = zipfile.ZipInfo("link.pdf")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    before = {path for path in tmp_path.parent.rglob("*") if tmp_path not in path.parents}
    found = opened(stream.getvalue(), tmp_path)
    assert names(found) == ["up.pdf", "abs/c:/x.pdf"]
    assert found.left_out == ("link.pdf: a link, which is not followed",)
    assert {Path(m.path).parent for m in found.members} == {tmp_path / "workspace"}
    after = {path for path in tmp_path.parent.rglob("*") if tmp_path not in path.parents}
    assert after == before


def test_what_operating_systems_leave_behind_is_named(tmp_path: Path) -> None:
    data = zip_bytes({"a.pdf": PDF, "__MACOSX/._a.pdf": b"x", "in/Thumbs.db": b"x"})
    found = opened(data, tmp_path)
    assert names(found) == ["a.pdf"]
    assert found.left_out == (
        "__MACOSX/._a.pdf: left by an operating system",
        "in/Thumbs.db: left by an operating system",
    )


def test_a_bomb_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.bin", "w", force_zip64=True) as member,
    ):
        for _ in range(120):
            member.write(bytes(1_000_000))
    with pytest.raises(TooLargeError, match="bomb"):
        opened(stream.getvalue(), tmp_path)
    with pytest.raises(TooLargeError):
        opened(zip_bytes({"a": bytes(3000)}), tmp_path, IngestSettings(max_expanded_bytes=2000))


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    data = bytearray(zip_bytes({"a.bin": bytes(5_000_000)}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(mark) + place, 100)
    with pytest.raises(DamagedFileError):
        opened(bytes(data), tmp_path, IngestSettings(max_expanded_bytes=10_000))
    assert sum(p.stat().st_size for p in (tmp_path / "workspace").iterdir()) <= 10_000


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    data = bytearray(zip_bytes({"a.bin": os.urandom(2000), "b.bin": os.urandom(2000)}))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    with pytest.raises(DamagedFileError):
        opened(bytes(data), tmp_path)


def test_more_members_than_the_limit_are_too_many(tmp_path: Path) -> None:
    limits = IngestSettings(max_parts=3)
    several = {f"{number}.txt": b"words" for number in range(4)}
    with pytest.raises(TooLargeError):
        opened(zip_bytes(several), tmp_path, limits)
    with pytest.raises(TooLargeError):
        opened(tar_bytes(*several.items()), tmp_path, limits)


@pytest.mark.parametrize("packed", [True, False])
def test_an_archive_without_files_is_empty(tmp_path: Path, packed: bool) -> None:
    data = zip_bytes({}) if packed else tar_bytes(("folder", None))
    with pytest.raises(EmptyMessageError):
        opened(data, tmp_path)


def test_every_cut_of_a_zip_is_damage(tmp_path: Path) -> None:
    data = zip_bytes({"a.pdf": PDF, "b.pdf": PDF})
    for cut in (30, 200, len(data) // 2, len(data) - 30):
        with pytest.raises(DamagedFileError):
            opened(data[:cut], tmp_path, media_type=ZIP)


def test_a_wrong_byte_in_a_member_is_seen(tmp_path: Path) -> None:
    data = bytearray(zip_bytes({"a.txt": b"words of a text" * 9}, zipfile.ZIP_STORED))
    data[data.index(b"words") + 20] ^= 4
    with pytest.raises(DamagedFileError):
        opened(bytes(data), tmp_path)


def test_an_unknown_way_of_packing_says_so(tmp_path: Path) -> None:
    data = bytearray(zip_bytes({"a.txt": b"words"}))
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", data, data.index(mark) + place, 9)  # Deflate64
    with pytest.raises(UnsupportedFileError):
        opened(bytes(data), tmp_path)


def zip_crypto(name: str, inside: bytes, password: bytes) -> bytes:
    """A zip locked in the traditional way (APPNOTE 6.1), which zipfile reads but does not write."""
    table = []
    for n in range(256):
        value = n
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = table[(keys[0] ^ byte) & 0xFF] ^ (keys[0] >> 8)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = table[(keys[2] ^ (keys[1] >> 24)) & 0xFF] ^ (keys[2] >> 8)

    for byte in password:
        update(byte)
    crc = zlib.crc32(inside)
    locked = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + inside:
        mask = (keys[2] | 2) & 0xFFFF
        locked.append(byte ^ ((mask * (mask ^ 1)) >> 8 & 0xFF))
        update(byte)
    spelt = name.encode()
    fields = struct.pack(
        "<HHHHHIIIHH", 20, 1, 0, 0, 0x5C21, crc, len(locked), len(inside), len(spelt), 0
    )
    local = b"PK\x03\x04" + fields + spelt + bytes(locked)
    central = b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + spelt
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def test_a_locked_zip_is_opened_with_a_password_from_the_list(tmp_path: Path) -> None:
    data = zip_crypto("a.pdf", PDF, "Pässe-1".encode())
    with pytest.raises(EncryptedFileError):
        opened(data, tmp_path)
    listed = tmp_path / "passwords"
    listed.write_text("wrong\nPässe-1\n", encoding="utf-8")
    found = opened(data, tmp_path, IngestSettings(passwords_file=listed))
    assert content(found, "a.pdf") == PDF
    listed.write_text("\n".join(f"wrong{number}" for number in range(400)), encoding="utf-8")
    with pytest.raises(EncryptedFileError):
        opened(data, tmp_path, IngestSettings(passwords_file=listed))


def test_every_file_of_a_tar_is_a_member_and_nothing_else(tmp_path: Path) -> None:
    data = tar_bytes(("in", None), ("in/a.pdf", PDF), ("link", "/etc/passwd"), ("/b.txt", b"words"))
    assert media_type_of(data[:4096]) == TAR
    found = opened(data, tmp_path)
    assert names(found) == ["in/a.pdf", "b.txt"]
    assert content(found, "in/a.pdf") == PDF
    assert found.left_out == ("link: a link, which is not followed",)


def test_a_tar_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    data = tar_bytes(("a.pdf", PDF), ("b.pdf", PDF))
    for cut in (700, 512 + len(PDF) // 2, 1600):
        with pytest.raises(DamagedFileError):
            opened(data[:cut], tmp_path, media_type=TAR)


def test_a_tar_that_claims_a_terabyte_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.bin")
    info.size = 1 << 40
    with pytest.raises(TooLargeError):
        opened(info.tobuf() + bytes(5000), tmp_path)


def test_a_gzip_gives_its_file_under_its_own_name(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with gzip.GzipFile("referral.pdf", "wb", fileobj=stream, mtime=0) as packed:
        packed.write(PDF)
    assert media_type_of(stream.getvalue()) == GZIP
    found = opened(stream.getvalue(), tmp_path)
    assert names(found) == ["referral.pdf"]
    assert content(found, "referral.pdf") == PDF
    assert names(opened(gzip.compress(PDF), tmp_path)) == ["unpacked file"]
    with pytest.raises(DamagedFileError):
        opened(gzip.compress(PDF)[:-6], tmp_path)
    with pytest.raises(TooLargeError):
        opened(gzip.compress(bytes(9_000_000)), tmp_path, IngestSettings(max_expanded_bytes=9999))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([zip_bytes({"a.pdf": PDF}), tar_bytes(("a.pdf", PDF)), gzip.compress(PDF)]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6),
    st.integers(0, 3000),
)
def test_no_bytes_make_an_archive_raise_anything_but_a_coded_error(
    tmp_path: Path, data: bytes, wrong: list[tuple[int, int]], cut: int
) -> None:
    broken = bytearray(data)
    for place, value in wrong:
        broken[place % len(broken)] = value
    kind = {b"P": ZIP, b"\x1f": GZIP}.get(data[:1], TAR)
    for each in (bytes(broken), bytes(broken[: cut + 1])):
        try:
            found = opened(each, tmp_path, LIMITS, kind)
        except InputError:
            continue
        assert all(Path(m.path).parent == tmp_path / "workspace" for m in found.members)

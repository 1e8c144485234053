# SPDX-License-Identifier: Apache-2.0
"""Archives to their members: zip, tar and gzip, unpacked by the standard library inside limits.

Nothing is extracted by its own name: each member is written under a name of ours, and links,
devices and folders are not followed but named. An archive is taken whole or not at all: one member
that is broken, locked or too large says that the archive is.
"""

from __future__ import annotations

import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from idp.errors import (
    DamagedFileError,
    EmptyMessageError,
    EncryptedFileError,
    TooLargeError,
    UnsupportedFileError,
)
from idp.ingest.mail_partial import join_pieces
from idp.ingest.members import CHUNK_BYTES, Members, member_name
from idp.ingest.opened import Opened
from idp.ingest.passwords import passwords
from idp.settings import IngestSettings

_SYSTEM_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx"})
_SYSTEM_REASON = "left by an operating system"
_LINK_REASON = "a link, which is not followed"

_BOMB_BYTES, _BOMB_RATIO = 100_000_000, 200
_MOST_DIRECTORY_BYTES = 16_000_000
_MOST_ENTRIES = 50_000
_END_OF_DIRECTORY = b"PK\x05\x06"
_LOCAL_HEADER = struct.Struct("<4s5HL2L2H")
_ENCRYPTED_FLAG, _AES = 0x1, 99
_KNOWN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_BROKEN_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, LookupError,
    struct.error, OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip
_BROKEN_TAR = (tarfile.TarError, EOFError, OSError, ValueError, LookupError, OverflowError,
               struct.error, RecursionError)  # fmt: skip


def open_zip(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """Every file of a zip archive as a member.

    Raises:
        EncryptedFileError: none of the passwords in ``limits.passwords_file`` opens it.
        EmptyMessageError: no file in it.
        DamagedFileError: broken, cut off, or members that lie over one another.
        UnsupportedFileError: a way of packing that is not known here.
        TooLargeError: more members or bytes than the limits allow, or a zip bomb.
    """
    _check_directory(path)
    members = Members(workspace, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            wanted = _wanted(archive, members, limits)
            _check_places(path, wanted)
            _check_sizes(wanted, limits)
            password = _password(archive, wanted, limits)
            for info in wanted:
                with archive.open(info, pwd=password) as stream:
                    members.add(info.filename, _chunks(stream))
    except _BROKEN_ZIP as error:
        raise DamagedFileError(f"the archive is broken: {type(error).__name__}") from error
    return _opened(members)


def open_tar(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """Every file of a tar archive as a member; raises as :func:`open_zip` does."""
    members = Members(workspace, limits)
    try:
        with tarfile.open(path, "r:", errorlevel=2) as archive:
            for number, info in enumerate(archive):
                if number >= _MOST_ENTRIES:
                    raise TooLargeError(f"more than {_MOST_ENTRIES} entries in the archive")
                if info.isdir():
                    continue
                if not info.isreg():
                    reason = _LINK_REASON if info.issym() or info.islnk() else "no file"
                    members.leave_out(info.name, reason)
                elif _is_system(info.name):
                    members.leave_out(info.name, _SYSTEM_REASON)
                elif info.size > limits.max_expanded_bytes:
                    raise _too_large(limits)
                else:
                    stream = archive.extractfile(info)
                    if stream is None:
                        raise DamagedFileError("the archive is broken")
                    members.add(info.name, _exactly(stream, info.size))
    except _BROKEN_TAR as error:
        raise DamagedFileError(f"the archive is broken: {type(error).__name__}") from error
    return _opened(members)


def open_gzip(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The one file in a gzip, under the name that its header gives it (RFC 1952).

    Raises:
        DamagedFileError: broken or cut off.
        TooLargeError: it unpacks to more than the limits allow.
    """
    members = Members(workspace, limits)
    try:
        with gzip.open(path) as stream:
            members.add(_gzip_name(path) or "unpacked file", _chunks(stream))
    except (EOFError, OSError, zlib.error, ValueError, struct.error) as error:
        raise DamagedFileError(f"the archive is broken: {type(error).__name__}") from error
    return members.opened()


def _check_directory(path: Path) -> None:
    """Looks at the size of a zip's directory before all of it is read into memory."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 65_557))
        tail = stream.read()
    place = tail.rfind(_END_OF_DIRECTORY)
    if place < 0 or place + 22 > len(tail):
        raise DamagedFileError("the archive has no directory: it is cut off")
    entries, length = struct.unpack_from("<HL", tail, place + 10)
    if entries > _MOST_ENTRIES or _MOST_DIRECTORY_BYTES < length < 0xFFFF_FFFF:
        raise TooLargeError(f"more than {_MOST_ENTRIES} entries in the archive")


def _wanted(
    archive: zipfile.ZipFile, members: Members, limits: IngestSettings
) -> list[zipfile.ZipInfo]:
    """The files in it; what is none is named."""
    found: list[zipfile.ZipInfo] = []
    infos = archive.infolist()
    if len(infos) > _MOST_ENTRIES:
        raise TooLargeError(f"more than {_MOST_ENTRIES} entries in the archive")
    for info in infos:
        mode = info.external_attr >> 16
        if info.is_dir():
            continue
        if stat.S_ISLNK(mode):
            members.leave_out(info.filename, _LINK_REASON)
        elif _is_system(info.filename):
            members.leave_out(info.filename, _SYSTEM_REASON)
        else:
            found.append(info)
    if len(found) > limits.max_parts:
        raise TooLargeError(f"more than ingest.max_parts {limits.max_parts} parts inside")
    for info in found:
        if info.compress_type not in (*_KNOWN_METHODS, _AES):
            raise UnsupportedFileError(
                f"the archive is packed in a way that is not known here ({info.compress_type})",
                hint="Ask for an ordinary zip (deflate), or for the documents themselves.",
            )
    return found


def _check_places(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """No two members share bytes: where they do, a small file unpacks without end."""
    reached = 0
    for info in sorted(infos, key=lambda each: each.header_offset):
        if info.header_offset < reached:
            raise DamagedFileError("members of the archive lie over one another")
        reached = info.header_offset + _LOCAL_HEADER.size + info.compress_size
    if reached > path.stat().st_size:
        raise DamagedFileError("the archive is cut off")


def _check_sizes(infos: list[zipfile.ZipInfo], limits: IngestSettings) -> None:
    """What the directory says of sizes; that it holds is seen again while unpacking."""
    if sum(info.file_size for info in infos) > limits.max_expanded_bytes:
        raise _too_large(limits)
    for info in infos:
        if info.file_size > _BOMB_BYTES and info.file_size > _BOMB_RATIO * info.compress_size:
            raise TooLargeError(
                f"a member unpacks to {info.file_size} bytes, more than {_BOMB_RATIO} times its "
                "size: a zip bomb",
                hint="No scan packs so well. Treat the archive as hostile.",
            )


def _password(
    archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], limits: IngestSettings
) -> bytes | None:
    """The password that opens the locked members; none where no member is locked."""
    locked = [info for info in infos if info.flag_bits & _ENCRYPTED_FLAG]
    if not locked:
        return None
    if any(info.compress_type == _AES for info in locked):
        raise EncryptedFileError(
            "the archive is encrypted with AES, which is not opened here",
            hint="Unpack it by hand and drop the documents, or ask for them without a password.",
        )
    smallest = min(locked, key=lambda info: info.compress_size)
    for password in _spelt(passwords(limits)):
        try:
            with archive.open(smallest, pwd=password) as stream:
                for _ in _chunks(stream):
                    pass
        except _BROKEN_ZIP:
            continue  # the check byte lets one wrong password in 256 through; the CRC none
        return password
    raise EncryptedFileError(
        "the archive needs a password",
        hint="Put its password into ingest.passwords_file, or ask for it without one.",
    )


def _spelt(words: Iterable[str]) -> Iterator[bytes]:
    """Each password as programs write it: UTF-8, and the code pages of DOS and Windows."""
    for word in words:
        spelt = (word.encode(codec, "replace") for codec in ("utf-8", "cp437", "cp1252"))
        yield from dict.fromkeys(spelt)


def _opened(members: Members) -> Opened:
    join_pieces(members)
    opened = members.opened()
    if not (opened.members or opened.left_out):
        raise EmptyMessageError("no file in the archive")
    return opened


def _chunks(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _exactly(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """All bytes that a member says it has: ``tarfile`` itself is content with fewer."""
    for chunk in _chunks(stream):
        size -= len(chunk)
        yield chunk
    if size:
        raise DamagedFileError("the archive is cut off")


def _is_system(name: str) -> bool:
    parts = [part.lower() for part in PurePosixPath(member_name(name)).parts]
    return any(part in _SYSTEM_NAMES for part in parts) or (
        bool(parts) and parts[-1].startswith("._")
    )


def _gzip_name(path: Path) -> str:
    """The original name in a gzip's header; empty where there is none."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if len(head) < 10:
        return ""
    flags, place = head[3], 10
    if flags & 4:
        place += 2 + int.from_bytes(head[place : place + 2], "little")
    if not flags & 8:
        return ""
    return head[place:].partition(b"\x00")[0].decode("latin-1")


def _too_large(limits: IngestSettings) -> TooLargeError:
    return TooLargeError(
        f"unpacks to more than ingest.max_expanded_bytes {limits.max_expanded_bytes}"
    )

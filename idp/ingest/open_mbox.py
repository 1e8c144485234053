# SPDX-License-Identifier: Apache-2.0
"""A mailbox file (mbox, RFC 4155 and its dialects) to its messages, each a member.

The dialects differ in how they keep a line of text that begins with ``From `` from being taken for
the next message: by ``>`` before it, by a Content-Length, or not at all. So a line parts two
messages only where it stands after an empty line and a header field follows, and a Content-Length
is believed where it leads exactly to such a line or to the end.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from idp.errors import DamagedFileError
from idp.ingest.mail_partial import join_pieces
from idp.ingest.members import CHUNK_BYTES, Members
from idp.ingest.open_mail import open_mail
from idp.ingest.opened import MAIL, Opened
from idp.settings import IngestSettings

_SEPARATOR = re.compile(rb"From [^\r\n]*\r?\n(?:>From [^\r\n]*\r?\n)?(?=[!-9;-~]{1,76}[ \t]{0,4}:)")
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,12})[ \t]*\r?$", re.I | re.M)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_QUOTED = re.compile(rb"(^|\n)>(>*From )")
_MOST_HEADER = 256 * 1024


def open_mbox(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """Every message of a mailbox as a member; pieces of one message are joined.

    A file that holds a single message is opened as that message.

    Raises:
        DamagedFileError: no message in it.
        TooLargeError: more messages than ``limits.max_parts``.
        InputError: what :func:`idp.ingest.open_mail.open_mail` says of a single message.
    """
    members = Members(workspace, limits)
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for number, (start, stop) in enumerate(_messages(data), 1):
            members.add(f"message {number}", _unquoted(data, start, stop), media_type=MAIL)
    if not len(members):
        raise DamagedFileError("no message in it")
    if len(members) == 1:
        (only,) = members.members
        inner = workspace / "message"
        inner.mkdir(exist_ok=True)
        return open_mail(Path(only.path), inner, limits)
    join_pieces(members)
    return members.opened()


def _messages(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where each message begins and ends, without the line that parts it from the one before."""
    found = _separator(data, 0)
    while found is not None:
        start = found[1]
        following = _separator(data, _after_length(data, start) or start)
        yield start, _before_blank(data, following[0]) if following else len(data)
        found = following


def _separator(data: mmap.mmap, place: int) -> tuple[int, int] | None:
    """Where the next line that parts two messages begins and ends."""
    while (place := data.find(b"From ", place)) >= 0:
        before = data[max(0, place - 3) : place]
        if before.endswith((b"\n\n", b"\n\r\n")) or _is_first(data, place):
            match = _SEPARATOR.match(data, place)
            if match is not None:
                return match.start(), match.end()
        place += 1
    return None


def _is_first(data: mmap.mmap, place: int) -> bool:
    """Whether nothing but a byte order mark and line ends stands before."""
    return place < 64 and not data[:place].strip(b"\xef\xbb\xbf\r\n")


def _before_blank(data: mmap.mmap, stop: int) -> int:
    """Without the empty line before a separator: it belongs to no message."""
    return stop - (2 if data[stop - 2 : stop] == b"\r\n" else 1)


def _after_length(data: mmap.mmap, start: int) -> int | None:
    """Where a message's own Content-Length says that it ends, if a separator or the end is there.

    Returns a place just before the empty line that the separator needs.
    """
    header_end = _HEADER_END.search(data, start, min(len(data), start + _MOST_HEADER))
    if header_end is None:
        return None
    length = _LENGTH.search(data, start, header_end.end())
    if length is None:
        return None
    end = header_end.end() + int(length.group(1))
    if end > len(data):
        return None
    rest = data[end : end + 64]
    if not rest.strip() or re.match(rb"(?:\r?\n){0,2}From ", rest):
        return max(header_end.end(), end - 2)
    return None


def _unquoted(data: mmap.mmap, start: int, stop: int) -> Iterator[bytes]:
    """The message in chunks of whole lines, ``>From `` at the beginning of a line as ``From ``."""
    while start < stop:
        end = min(start + CHUNK_BYTES, stop)
        if end < stop:
            cut = data.rfind(b"\n", start, end)
            end = cut + 1 if cut >= start else end
        yield _QUOTED.sub(rb"\1\2", data[start:end])
        start = end

# SPDX-License-Identifier: Apache-2.0
"""Messages sent in pieces (RFC 2046, 5.2.2): put together where all pieces lie side by side."""

from __future__ import annotations

from email.parser import BytesHeaderParser
from email.policy import compat32
from pathlib import Path
from typing import NamedTuple

from idp.ingest.members import Members
from idp.ingest.opened import MAIL, Member

_MOST_HEADER = 64 * 1024
_MOST_TOTAL = 10_000
# Of the first piece's own header, what does not describe the whole message (RFC 2046, 5.2.2.1).
_OF_THE_INNER = ("content-", "subject", "message-id", "encrypted", "mime-version")


class Piece(NamedTuple):
    """One piece of a message: whose, which, and of how many (0 where only the last one says)."""

    id: str
    number: int
    total: int


def piece_of(path: Path) -> Piece | None:
    """Which piece of a message a file is; none where it is no piece."""
    with path.open("rb") as stream:
        head = stream.read(_MOST_HEADER)
    if b"message/partial" not in head.lower():
        return None
    try:
        message = BytesHeaderParser(policy=compat32).parsebytes(head.lstrip(b"\r\n"))
        if message.get_content_type() != "message/partial":
            return None
        number, total = message.get_param("number"), message.get_param("total")
        piece = Piece(str(message.get_param("id")), int(str(number)), int(str(total or 0)))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return piece if 1 <= piece.number <= _MOST_TOTAL and piece.total <= _MOST_TOTAL else None


def join_pieces(members: Members) -> None:
    """Puts one member in the place of all pieces of a message, where none is missing."""
    pieces: dict[str, dict[int, Member]] = {}
    totals: dict[str, int] = {}
    for member in members.members:
        piece = piece_of(Path(member.path))
        if piece is not None:
            pieces.setdefault(piece.id, {}).setdefault(piece.number, member)
            totals[piece.id] = max(totals.get(piece.id, 0), piece.total)
    whole = {
        key: [found[number] for number in range(1, totals[key] + 1)]
        for key, found in pieces.items()
        if totals[key] and set(range(1, totals[key] + 1)) <= set(found)
    }
    joined: dict[str, Path] = {}
    gone: set[str] = set()
    for parts in whole.values():
        joined[parts[0].path] = _joined([Path(part.path) for part in parts])
        gone.update(part.path for part in parts[1:])
    members.replace(
        Member(name=member.name, path=str(joined[member.path]), media_type=MAIL)
        if member.path in joined
        else member
        for member in members.members
        if member.path not in gone
    )


def _joined(paths: list[Path]) -> Path:
    """Writes the whole message beside its first piece; read one piece at a time."""
    target = paths[0].with_name(f"{paths[0].name}-joined")
    with target.open("wb") as stream:
        for number, path in enumerate(paths):
            header, newline, body = _split(path.read_bytes())
            if number == 0:
                stream.write(_outer_fields(header, newline))
            stream.write(body)
    return target


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    """A message's header and body, and how its lines end."""
    data = data.lstrip(b"\r\n")
    newline = b"\r\n" if b"\r\n" in data[:2000] else b"\n"
    header, _, body = data.partition(newline * 2)
    return header, newline, body


def _outer_fields(header: bytes, newline: bytes) -> bytes:
    """Those fields of the first piece that belong to the whole; the others are in its body."""
    kept: list[bytes] = []
    keeping = False
    for line in header.split(newline):
        if not line[:1].isspace():
            name = line.partition(b":")[0].strip().lower().decode("latin-1")
            keeping = b":" in line and not name.startswith(_OF_THE_INNER)
        if keeping:
            kept.append(line)
    return newline.join(kept) + (newline if kept else b"")

# SPDX-License-Identifier: Apache-2.0
"""Turns a file into the parts to be read, whatever its name says and however it means harm.

The format is told by the first bytes, never by the extension. Everything that parses runs in a
child process with limits of bytes, pages, pixels, seconds and memory. What is inside a file (the
attachments of a mail, the members of an archive, the files in a PDF) is opened the same way, each
in its turn, within limits of number, depth and unpacked size. A file ends in parts with pages or in
a coded :class:`~idp.errors.InputError`, a part likewise, and never in fewer pages than it holds.

Risks left open: PDFium, libtiff and libjpeg run with the rights of the user who runs idp; the
child has no sandbox beyond its limits.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Self

from idp.children import Children, Limits
from idp.document import Envelope, Noun, Page, RawPage
from idp.errors import (
    AccessError,
    DamagedFileError,
    EmptyFileError,
    EmptyMessageError,
    InputError,
    NestedTooDeepError,
    TooLargeError,
)
from idp.ingest.formats import HEAD_BYTES, media_type_of
from idp.ingest.opened import MOST_NAME_CHARACTERS, Member, Opened, open_here
from idp.settings import IngestSettings
from idp.x12 import TransactionSet

_CHILDREN = 2
_FILES_PER_CHILD = 100

_pools: dict[tuple[float, int], Children] = {}
_pools_lock = threading.Lock()


class Refusal(Noun):
    """Why a part could not be opened: an error's code, message and hint."""

    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: InputError) -> Self:
        """What an error says, as data."""
        return cls(code=error.code, message=error.message, hint=error.operator_hint)


class Part(Noun):
    """One thing to read: the file itself (``name`` is none), or something inside it.

    Either ``pages`` are to be read, or ``read`` holds pages that need no reading, or ``error``
    says why there are none. ``sha256`` is of the part's own bytes, none for the file itself.
    """

    name: str | None
    sha256: str | None
    media_type: str | None
    envelope: Envelope | None = None
    message_text: bool = False
    pages: tuple[RawPage, ...] = ()
    read: tuple[Page, ...] = ()
    transaction: TransactionSet | None = None
    flaws: tuple[str, ...] = ()
    error: Refusal | None = None


class Unpacked(Noun):
    """What a file holds: its media type as told by its bytes, and its parts in order, at least one.

    ``left_out`` names what inside it was recognised as no document, with the reason.
    """

    media_type: str
    parts: tuple[Part, ...]
    left_out: tuple[str, ...] = ()

    @property
    def pages(self) -> tuple[RawPage, ...]:
        """The pages of the file itself, without those of anything inside it."""
        return tuple(page for part in self.parts if part.name is None for page in part.pages)


def unpack(path: Path, workspace: Path, limits: IngestSettings) -> Unpacked:
    """The parts of the file, their images written below ``workspace``.

    Raises:
        EmptyFileError: zero bytes.
        UnsupportedFileError: no format that idp reads.
        DamagedFileError: broken or cut off.
        EncryptedFileError: needs a password.
        EmptyMessageError: a mail or archive without anything to read.
        TooLargeError: over a limit of bytes, pages, pixels, parts or unpacked size.
        TooSlowError: not done in ``limits.unpack_seconds``.
        ParserCrashedError: the parser died or needed more than ``limits.unpack_memory_mb``.
        AccessError: the file or the workspace can't be used.
        InputError: what else the format's opener says of the whole file.
    """
    walk = _Walk(workspace, limits)
    try:
        media_type = walk.file_itself(path)
    except OSError as error:
        raise AccessError(f"{path.name}: {error.strerror}") from error
    if not walk.parts:
        raise EmptyMessageError(f"{path.name} holds nothing to read")
    return Unpacked(media_type=media_type, parts=tuple(walk.parts), left_out=tuple(walk.left_out))


class _Walk:
    """One file and all that is inside it, depth first, in the order in which it stands there."""

    def __init__(self, workspace: Path, limits: IngestSettings) -> None:
        self._workspace = workspace
        self._limits = limits
        self._children = parsing_children(limits)
        self._opened = 0
        self._bytes = 0
        self._names: set[str] = set()
        self._over: TooLargeError | None = None
        """The limit of the whole file that was passed: nothing more of it is opened."""
        self.parts: list[Part] = []
        self.left_out: list[str] = []

    def file_itself(self, path: Path) -> str:
        """Open the file; what is wrong with it as a whole is raised."""
        media_type = self._media_type(path)
        opened = self._open(path, media_type)
        self._take(None, None, media_type, opened, None, depth=0)
        return media_type

    def _member(
        self,
        member: Member,
        above: str | None,
        outer: Envelope | None,
        depth: int,
        flaws: tuple[str, ...],
    ) -> None:
        """Open something inside; what is wrong with it is the part's own.

        What was wrong with what it was in (``flaws``) is said of it too: of a mail that is cut
        off, any attachment may be what is missing.
        """
        name = self._name_for(member.name, above)
        envelope = outer if member.envelope is None else member.envelope.over(outer)
        path = Path(member.path)
        media_type = member.media_type
        sha256 = _sha256_of(path)
        try:
            if depth > self._limits.max_depth:
                raise NestedTooDeepError(f"deeper than ingest.max_depth {self._limits.max_depth}")
            media_type = media_type or self._media_type(path)
            opened = self._open(path, media_type)
        except InputError as error:
            if self._over is not None:
                raise self._over from error
            self.parts.append(
                Part(
                    name=name,
                    sha256=sha256,
                    media_type=media_type,
                    envelope=envelope,
                    error=Refusal.of(error),
                )
            )
            return
        opened = opened.model_copy(update={"flaws": (*flaws, *opened.flaws)})
        self._take(
            name,
            sha256,
            media_type,
            opened,
            envelope,
            depth=depth,
            message_text=member.message_text,
        )

    def _take(
        self,
        name: str | None,
        sha256: str | None,
        media_type: str,
        opened: Opened,
        envelope: Envelope | None,
        *,
        depth: int,
        message_text: bool = False,
    ) -> None:
        self.left_out.extend(opened.left_out)
        if opened.pages or opened.read:
            self.parts.append(
                Part(
                    name=name,
                    sha256=sha256,
                    media_type=media_type,
                    envelope=envelope,
                    message_text=message_text,
                    pages=opened.pages,
                    read=opened.read,
                    transaction=opened.transaction,
                    flaws=opened.flaws,
                )
            )
        for member in opened.members:
            flaws = () if opened.pages or opened.read else opened.flaws
            self._member(member, name, envelope, depth + 1, flaws)

    def _media_type(self, path: Path) -> str:
        size = path.stat().st_size
        if size == 0:
            raise EmptyFileError(f"{path.name} holds no bytes")
        if size > self._limits.max_bytes:
            raise TooLargeError(
                f"{path.name} has {size} bytes, more than ingest.max_bytes {self._limits.max_bytes}"
            )
        with path.open("rb") as stream:
            return media_type_of(stream.read(HEAD_BYTES))

    def _open(self, path: Path, media_type: str) -> Opened:
        self._opened += 1
        if self._opened > self._limits.max_parts + 1:
            self._over = TooLargeError(
                f"more than ingest.max_parts {self._limits.max_parts} parts inside"
            )
            raise self._over
        workspace = self._workspace / f"part-{self._opened:04d}"
        workspace.mkdir(parents=True, exist_ok=True)
        # The children live long: a relative path may mean another place to them.
        opened: Opened = self._children.call(
            open_here, path.absolute(), workspace.absolute(), media_type, self._limits
        )
        if not (opened.pages or opened.read or opened.members or opened.left_out):
            raise DamagedFileError(f"{path.name} holds no page")
        self._bytes += sum(Path(member.path).stat().st_size for member in opened.members)
        if self._bytes > self._limits.max_expanded_bytes:
            self._over = TooLargeError(
                f"unpacks to more than ingest.max_expanded_bytes {self._limits.max_expanded_bytes}"
            )
            raise self._over
        return opened

    def _name_for(self, name: str, above: str | None) -> str:
        """A name that no other part of the file has."""
        full = f"{above}/{name}" if above else name
        wanted = full = full[-MOST_NAME_CHARACTERS:] or "unnamed"
        number = 2
        while wanted in self._names:
            wanted, number = f"{full} ({number})", number + 1
        self._names.add(wanted)
        return wanted


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def unpacking() -> dict[str, int]:
    """What became of the children that unpack, over all limits; counts only."""
    with _pools_lock:
        healths = [pool.health for pool in _pools.values()]
    return {
        "calls": sum(health.calls for health in healths),
        "replaced_after_calls": sum(health.replaced_after_calls for health in healths),
        "killed_too_slow": sum(health.killed_too_slow for health in healths),
        "killed_for_memory": sum(health.killed_for_memory for health in healths),
        "died": sum(health.died for health in healths),
        "largest_mb": max((health.largest_mb for health in healths), default=0),
    }


def parsing_children(limits: IngestSettings) -> Children:
    """The children for these limits; they are started once and serve the whole process."""
    key = (limits.unpack_seconds, limits.unpack_memory_mb)
    with _pools_lock:
        if key not in _pools:
            _pools[key] = Children(
                workers=_CHILDREN,
                limits=Limits(
                    seconds=limits.unpack_seconds,
                    memory_mb=limits.unpack_memory_mb,
                    calls_per_process=_FILES_PER_CHILD,
                    quiet=True,
                ),
            )
        return _pools[key]

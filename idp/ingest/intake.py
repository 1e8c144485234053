# SPDX-License-Identifier: Apache-2.0
"""What the drop folders hand over, and to whom: the border between them and the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from idp.ingest.inbox_files import Stamp
from idp.settings import DuplicatePolicy


class KeptFile(Protocol):
    """What the content store says about a file it keeps."""

    @property
    def sha256(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


class Seen(NamedTuple):
    """A file on a read-only share as it was when it was taken; ``key`` is its name there."""

    key: str
    stamp: Stamp


class Remembered(NamedTuple):
    """What the ledger knows of a file; ``sha256s`` are those of its arrival and its sidecar."""

    stamp: Stamp
    sha256s: frozenset[str]


class Claim(NamedTuple):
    """A file that is ours: ``id`` is the key of its arrival, ``name`` is printable text."""

    id: str
    channel: str
    name: str
    received_at: dt.datetime
    priority: int
    queue: str = "process"
    site: str | None = None
    exact_duplicates: DuplicatePolicy = "skip"
    sidecar: tuple[str, str] | None = None
    """Printable name and sha256 of the file that describes it; its bytes are kept."""
    seen: tuple[Seen, ...] = ()
    """What the ledger has to remember with the arrival, on a read-only share."""


class Intake(Protocol):
    """Where taken files go. All of it is safe to repeat with the same claim id."""

    def claim_id(self) -> str:
        """A new id; later ones sort later."""

    def claimed_at(self, claim_id: str) -> dt.datetime:
        """When an id was made; raises ``ValueError`` for a text that is no id."""

    def keep(self, source: BinaryIO) -> KeptFile:
        """Store the bytes durably; raises ``OSError`` with nothing stored. Safe for threads."""

    def record(self, claims: Sequence[tuple[Claim, KeptFile]]) -> None:
        """Make arrivals, their work, and what was seen durable in one transaction: all or none."""

    def remembered(self, channel: str) -> Mapping[str, Remembered]:
        """All that the ledger knows of a read-only share, by key."""

    def see_again(self, channel: str, seen: Seen) -> None:
        """Note that a remembered file has another stamp and the same bytes."""

# SPDX-License-Identifier: Apache-2.0
"""What an opener takes out of a file: written inside the limits, named so that nothing can harm.

Every byte is counted while it is written, so that what unpacks without end is stopped at the limit
and not after it. The files are called ``member-0001`` and so on; the name that the sender gave is
text for people and never becomes a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from PIL import Image

from idp.document import Envelope
from idp.errors import TooLargeError
from idp.ingest.opened import MOST_NAME_CHARACTERS, Member, Opened, printable
from idp.settings import IngestSettings

_DRIVE = re.compile(r"^[A-Za-z]:")
_PICTURES = ("PNG", "JPEG", "GIF", "BMP", "WEBP")  # a TIFF is a fax, whatever its size

CHUNK_BYTES = 1 << 20


def member_name(name: str) -> str:
    """A foreign name or path as text for people: relative, and of what can be printed."""
    shown = printable(name[-8 * MOST_NAME_CHARACTERS :].replace("\\", "/"), 1 << 20)
    steps = [step.strip() for step in _DRIVE.sub("", shown).split("/")]
    kept = "/".join(step for step in steps if step not in ("", ".", ".."))
    return kept[-MOST_NAME_CHARACTERS:].lstrip("/ ")


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of what may be decoration, told by its header; none for anything else."""
    Image.MAX_IMAGE_PIXELS = None  # nothing is decoded here
    try:
        with Image.open(BytesIO(data), formats=_PICTURES) as image:
            return image.size
    except Exception:  # whatever a broken header makes Pillow raise, it is no picture to us
        return None


class Members:
    """Collects members below a workspace and what was left out, within the limits."""

    def __init__(self, workspace: Path, limits: IngestSettings) -> None:
        self._workspace = workspace
        self._limits = limits
        self._members: list[Member] = []
        self._left_out: list[str] = []
        self._more_left_out = 0
        self._bytes = 0
        self._files = 0

    def __len__(self) -> int:
        return len(self._members)

    def add(
        self,
        name: str,
        content: bytes | Iterable[bytes],
        *,
        media_type: str | None = None,
        envelope: Envelope | None = None,
        message_text: bool = False,
    ) -> Path:
        """Writes one member; the text of the message comes before all that was sent with it.

        Raises:
            TooLargeError: more members or bytes than the limits allow.
        """
        if len(self._members) >= self._limits.max_parts:
            raise TooLargeError(f"more than ingest.max_parts {self._limits.max_parts} parts inside")
        self._files += 1
        path = self._workspace / f"member-{self._files:04d}"
        with path.open("wb") as stream:
            for chunk in (content,) if isinstance(content, bytes) else content:
                self._bytes += len(chunk)
                if self._bytes > self._limits.max_expanded_bytes:
                    raise TooLargeError(
                        "unpacks to more than ingest.max_expanded_bytes "
                        f"{self._limits.max_expanded_bytes}"
                    )
                stream.write(chunk)
        member = Member(
            name=member_name(name) or f"part {self._files}",
            path=str(path),
            media_type=media_type,
            envelope=envelope,
            message_text=message_text,
        )
        self._members.insert(0 if message_text else len(self._members), member)
        return path

    def leave_out(self, name: str, reason: str) -> None:
        """Names something that is no document; a list without end is counted instead."""
        if len(self._left_out) >= self._limits.max_parts:
            self._more_left_out += 1
            return
        self._left_out.append(f"{member_name(name) or 'unnamed'}: {reason}")

    @property
    def members(self) -> tuple[Member, ...]:
        """Those written so far, in order."""
        return tuple(self._members)

    def replace(self, members: Iterable[Member]) -> None:
        """Puts others in their place, of files that :meth:`add` wrote."""
        self._members = list(members)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was left out, with the reason."""
        more = self._more_left_out
        return (*self._left_out, f"{more} more of this kind") if more else tuple(self._left_out)

    def opened(self, flaws: Iterable[str] = ()) -> Opened:
        """What was found, as the opener's answer."""
        return Opened(members=self.members, left_out=self.left_out, flaws=tuple(flaws))

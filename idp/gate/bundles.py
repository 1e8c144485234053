# SPDX-License-Identifier: Apache-2.0
"""Label Studio's scripts, styles and pictures, kept by the gate: compressed once, the same for all.

They are eight megabytes uncompressed, from a server that reads and sends each anew. Nothing of a
person or a patient is in them.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import time
from collections import OrderedDict
from typing import NamedTuple

from fastapi import Request, Response

MOST_BYTES = 64 * 1024 * 1024
"""Kept in all."""
MOST_BYTES_EACH = 8 * 1024 * 1024
"""Larger ones go through as they come."""
_KEPT_SECONDS = 3600.0
"""An existing Label Studio may be upgraded while the gate runs."""
_NAMED_BY_CONTENT = re.compile(r"[?&]v=[0-9a-f]{6,}|\.[0-9a-f]{12}\.")
_COMPRESSED = re.compile(r"(text/|application/(javascript|json)|image/svg|font/ttf)")
_LEVEL = 6


class Bundle(NamedTuple):
    """One file."""

    kind: str
    content: bytes
    packed: bytes | None
    """With gzip, where that makes it smaller."""
    etag: str
    until: float
    """Of the monotonic clock."""

    @property
    def size(self) -> int:
        """What it takes."""
        return len(self.content) + len(self.packed or b"")


class Bundles:
    """Files by their address; the one that was asked for longest ago goes first."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Bundle] = OrderedDict()
        self._size = 0

    def get(self, target: str) -> Bundle | None:
        """The file at an address, when it is held and not too old."""
        found = self._held.get(target)
        if found is None or found.until < time.monotonic():
            return None
        self._held.move_to_end(target)
        return found

    async def put(self, target: str, kind: str, content: bytes) -> Bundle:
        """Keep a file; it is compressed on another thread."""
        packed = None
        if _COMPRESSED.match(kind):
            packed = await asyncio.to_thread(gzip.compress, content, _LEVEL, mtime=0)
            packed = packed if len(packed) < len(content) else None
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        made = Bundle(kind, content, packed, etag, time.monotonic() + _KEPT_SECONDS)
        before = self._held.pop(target, None)
        self._size += made.size - (before.size if before is not None else 0)
        self._held[target] = made
        while self._size > MOST_BYTES:
            self._size -= self._held.popitem(last=False)[1].size
        return made


def answer_with(bundle: Bundle, request: Request, target: str) -> Response:
    """The file as this browser takes it, or that it has it already."""
    # A name that changes with its content is good for ever; the others for a day of work.
    age = "31536000, immutable" if _NAMED_BY_CONTENT.search(target) else "43200"
    headers = {
        "Cache-Control": f"private, max-age={age}",
        "ETag": bundle.etag,
        "Vary": "Accept-Encoding",
    }
    if bundle.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = bundle.content
    if bundle.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = bundle.packed
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers={**headers, "Content-Type": bundle.kind})

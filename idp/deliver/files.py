# SPDX-License-Identifier: Apache-2.0
"""The files of a delivered document, the same wherever it goes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp.deliver.overlay import draw_overlay, draw_pages
from idp.document import Document
from idp.errors import DeliveryError

DOCUMENT_NAME = "document.json"
OVERLAY_NAME = "document.pdf"
PAGES_NAME = "pages.pdf"

_CHUNK_BYTES = 1 << 20
_SAFE_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Written:
    """What :func:`write_files` made, all in one folder."""

    record: Path
    overlay: Path
    original: Path | None
    """The bytes as received, or none: then ``pages`` has what is this document's."""
    pages: Path | None


def write_files(
    folder: Path,
    record: Mapping[str, Any],
    document: Document,
    original: Path | None,
    page_images: Mapping[int, Path],
) -> Written:
    """Write a document's files into an empty folder and force them to the disk.

    Args:
        folder: Where to.
        record: The contract object.
        document: What was found.
        original: The bytes as received; None where they hold more than this document.
        page_images: Upright page image by page number; a page without one is left out.

    Raises:
        DeliveryError: The original's bytes are not those that were received.
        OSError: The disk is full, or a file can't be read.
    """
    written = folder / DOCUMENT_NAME
    write(written, pretty(record))
    copy = pages = None
    if original is None:
        pages = folder / PAGES_NAME
        draw_pages(document, page_images, pages)
        sync(pages)
    else:
        copy = folder / f"original{suffix(document)}"
        _copy(original, copy)
        if hash_of(copy) != document.sha256:
            raise DeliveryError(
                f"document {document.document_id}: the stored original is not what was received"
            )
    overlay = folder / OVERLAY_NAME
    draw_overlay(document, page_images, overlay)
    sync(overlay)
    return Written(written, overlay, copy, pages)


def suffix(document: Document) -> str:
    """The ending of the received name when it is a plain one; nothing else of that name is kept."""
    found = Path(document.source).suffix.lower()
    return found if _SAFE_SUFFIX.fullmatch(found) else ".bin"


def pretty(record: Mapping[str, Any]) -> bytes:
    """JSON as it is published."""
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def hash_of(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def write(path: Path, content: bytes) -> None:
    """Write a file and force it to the disk."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def sync(path: Path) -> None:
    """Force a file's or folder's content to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("xb") as writing:
        shutil.copyfileobj(reading, writing, _CHUNK_BYTES)
        writing.flush()
        os.fsync(writing.fileno())

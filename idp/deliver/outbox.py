# SPDX-License-Identifier: Apache-2.0
"""The outbox: one folder per delivered document, there whole or not at all, and only once.

    <outbox>/<key>/document.json    the contract object, idp.document/1
                   original.<ext>   the bytes as received, hash checked after the copy, or
                   pages.pdf        the document's own pages, where the file holds others too
                   document.pdf     the pages with the found fields outlined
                   manifest.json    name, size and sha256 of the three, written last
    <outbox>/.staging/<key>/        being built; never read this
    <outbox>/.receipts/<key>.json   what was published under a key, kept when the folder is taken

Order of a delivery: build and fsync the staging folder, fsync the receipt, rename the folder into
place. Killed before the receipt: the staging folder is thrown away and built again. Killed between
receipt and rename: the next call only renames. Killed after the rename: the next call finds the
receipt and does nothing, even when the receiver has taken the folder away in between, so nothing is
delivered twice.

Another content under a key that was used before (a document worked again after a correction) never
alters what was published: it goes to ``<key>.v2``, ``<key>.v3`` ...; its ``manifest.json`` names
the version it replaces. Timings do not count as content.

A file that holds several documents (a stack of faxes, a mail with attachments) may be about several
patients, so none of its documents takes the file along.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from idp.contract import to_contract
from idp.deliver.overlay import draw_overlay, draw_pages
from idp.document import Document
from idp.errors import AccessError, DeliveryError

_CHUNK_BYTES = 1 << 20
_SAFE_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_OUR_OWN = re.compile(r"key-.*|.*\.v\d+|.*\.")
"""Names that another key's hash or version could take, and those that end in a dot."""
_SAFE_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_MOST_VERSIONS = 1000

DOCUMENT_NAME = "document.json"
OVERLAY_NAME = "document.pdf"
PAGES_NAME = "pages.pdf"
MANIFEST_NAME = "manifest.json"


class Stored(BaseModel):
    """One file of a delivery."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    size_bytes: int


class Delivery(BaseModel):
    """What was published under a key: the content of ``manifest.json`` and of the receipt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_name: str = "idp.delivery/1"
    key: str
    folder: str
    version: int
    replaces: str | None = None
    document_id: str
    content: str
    """sha256 of the contract object without its timings."""
    files: dict[str, Stored]


class Outbox:
    """Delivers documents into a folder; keyed, atomic, repeatable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staging = folder / ".staging"
        self._receipts = folder / ".receipts"

    def deliver(
        self, document: Document, original: Path | None, page_images: Mapping[int, Path], key: str
    ) -> Path:
        """Publish one document; the same key and content again is a no-op that checks the files.

        Args:
            document: What was found.
            original: The bytes as received; their sha256 must be ``document.sha256``. None where
                they hold more than this document.
            page_images: Upright page image by page number; a page without one is left out of the
                outlined PDF.
            key: Names this delivery for ever; other content under it becomes a new version.

        Returns:
            The published folder. It may be gone when the receiver has taken it already.

        Raises:
            DeliveryError: The original's bytes are not those that were received.
            AccessError: The outbox can't be written, or the original can't be read.
        """
        try:
            for folder in (self._staging, self._receipts):
                folder.mkdir(parents=True, exist_ok=True)
            return self._deliver(document, original, page_images, key)
        except OSError as error:
            raise AccessError(
                f"outbox {self.folder}: {error.strerror or type(error).__name__}"
            ) from error

    def _deliver(
        self, document: Document, original: Path | None, page_images: Mapping[int, Path], key: str
    ) -> Path:
        record = to_contract(document)
        content = _content_hash(record)
        name = _folder_name(key)
        previous: Delivery | None = None
        for version in range(1, _MOST_VERSIONS):
            folder = name if version == 1 else f"{name}.v{version}"
            receipt = self._receipt(folder)
            if receipt is None:
                draft = Delivery(
                    key=key,
                    folder=folder,
                    version=version,
                    replaces=previous.folder if previous else None,
                    document_id=document.document_id,
                    content=content,
                    files={},
                )
                return self._publish(draft, record, document, original, page_images)
            if receipt.content == content:
                return self._again(receipt, record, document, original, page_images)
            previous = receipt
        raise DeliveryError(f"key {name}: more than {_MOST_VERSIONS} versions")

    def _again(
        self,
        receipt: Delivery,
        record: dict[str, Any],
        document: Document,
        original: Path | None,
        page_images: Mapping[int, Path],
    ) -> Path:
        """The key was used with this very content: finish, check, or mend."""
        staged, final = self._staging / receipt.folder, self.folder / receipt.folder
        if final.exists():
            if _is_whole(final, receipt):
                return final
            # The disk lost what we published: put the same content back.
            return self._publish(receipt, record, document, original, page_images)
        if not staged.exists():
            return final  # published before, and taken by the receiver
        if _is_whole(staged, receipt):
            self._move_into_place(staged, final)
            return final
        return self._publish(receipt, record, document, original, page_images)

    def _publish(
        self,
        draft: Delivery,
        record: dict[str, Any],
        document: Document,
        original: Path | None,
        page_images: Mapping[int, Path],
    ) -> Path:
        staged, final = self._staging / draft.folder, self.folder / draft.folder
        if staged.exists():
            shutil.rmtree(staged)
        staged.mkdir()
        _write(staged / DOCUMENT_NAME, _pretty(record))
        if original is None:
            draw_pages(document, page_images, staged / PAGES_NAME)
            _sync(staged / PAGES_NAME)
        else:
            copy = staged / f"original{_suffix(document)}"
            _copy(original, copy)
            if _hash(copy) != document.sha256:
                shutil.rmtree(staged)
                raise DeliveryError(
                    f"document {document.document_id}: the stored original is not what was received"
                )
        draw_overlay(document, page_images, staged / OVERLAY_NAME)
        _sync(staged / OVERLAY_NAME)
        files = {
            path.name: Stored(sha256=_hash(path), size_bytes=path.stat().st_size)
            for path in sorted(staged.iterdir())
        }
        delivery = draft.model_copy(update={"files": files})
        manifest = _pretty(delivery.model_dump(mode="json"))
        _write(staged / MANIFEST_NAME, manifest)
        _sync(staged)
        _sync(self._staging)
        half = self._staging / f"{draft.folder}.receipt"
        _write(half, manifest)
        half.replace(self._receipts / f"{draft.folder}.json")
        _sync(self._receipts)
        self._move_into_place(staged, final)
        return final

    def _move_into_place(self, staged: Path, final: Path) -> None:
        if final.exists():
            # A folder we did not finish or the disk damaged; rename can't replace a full folder.
            aside = self._staging / f"{final.name}.damaged"
            if aside.exists():
                shutil.rmtree(aside)
            final.rename(aside)
            staged.rename(final)
            shutil.rmtree(aside)
        else:
            staged.rename(final)
        _sync(self.folder)
        _sync(self._staging)

    def _receipt(self, folder: str) -> Delivery | None:
        path = self._receipts / f"{folder}.json"
        try:
            return Delivery.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise DeliveryError(f"receipt {path.name} is damaged") from error


def _folder_name(key: str) -> str:
    """The key itself where it is a plain name, else its hash: a key never leaves the outbox."""
    if _SAFE_KEY.fullmatch(key) and not _OUR_OWN.fullmatch(key):
        return key
    return f"key-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _suffix(document: Document) -> str:
    """The ending of the received name when it is a plain one; nothing else of that name is kept."""
    suffix = Path(document.source).suffix.lower()
    return suffix if _SAFE_SUFFIX.fullmatch(suffix) else ".bin"


def _content_hash(record: dict[str, Any]) -> str:
    lasting = {name: value for name, value in record.items() if name != "timings_ms"}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


def _pretty(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def _is_whole(folder: Path, delivery: Delivery) -> bool:
    """Whether every file is there with the bytes that were published."""
    for name, stored in delivery.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != stored.size_bytes:
            return False
        if _hash(path) != stored.sha256:
            return False
    return bool(delivery.files)


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("xb") as writing:
        shutil.copyfileobj(reading, writing, _CHUNK_BYTES)
        writing.flush()
        os.fsync(writing.fileno())


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(path: Path) -> None:
    """Force a file's or folder's content to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

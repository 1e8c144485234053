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
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from idp.contract import to_contract
from idp.deliver import files
from idp.document import Document
from idp.errors import AccessError, DeliveryError

_SAFE_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_OUR_OWN = re.compile(r"key-.*|.*\.v\d+|.*\.")
"""Names that another key's hash or version could take, and those that end in a dot."""
_MOST_VERSIONS = 1000

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
        self,
        document: Document,
        original: Path | None,
        page_images: Mapping[int, Path],
        key: str,
        version: int = 1,
    ) -> Path:
        """Publish one document; the same key and content again is a no-op that checks the files.

        Args:
            document: What was found.
            original: The bytes as received; their sha256 must be ``document.sha256``. None where
                they hold more than this document.
            page_images: Upright page image by page number; a page without one is left out of the
                outlined PDF.
            key: Names this delivery for ever; other content under it becomes a new version.
            version: Of the document's deliveries; each has a key of its own, so it says nothing
                here.

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
        try:
            files.write_files(staged, record, document, original, page_images)
        except DeliveryError:
            shutil.rmtree(staged)
            raise
        stored = {
            path.name: Stored(sha256=files.hash_of(path), size_bytes=path.stat().st_size)
            for path in sorted(staged.iterdir())
        }
        delivery = draft.model_copy(update={"files": stored})
        manifest = files.pretty(delivery.model_dump(mode="json"))
        files.write(staged / MANIFEST_NAME, manifest)
        files.sync(staged)
        files.sync(self._staging)
        half = self._staging / f"{draft.folder}.receipt"
        files.write(half, manifest)
        half.replace(self._receipts / f"{draft.folder}.json")
        files.sync(self._receipts)
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
        files.sync(self.folder)
        files.sync(self._staging)

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


def _content_hash(record: dict[str, Any]) -> str:
    lasting = {name: value for name, value in record.items() if name != "timings_ms"}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


def _is_whole(folder: Path, delivery: Delivery) -> bool:
    """Whether every file is there with the bytes that were published."""
    for name, stored in delivery.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != stored.size_bytes:
            return False
        if files.hash_of(path) != stored.sha256:
            return False
    return bool(delivery.files)

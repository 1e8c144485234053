# SPDX-License-Identifier: Apache-2.0
"""What is to be written for one document: rows by model, each under an external id of its own.

A parcel is made without asking the server (a look-up is written down as :class:`Find`), so it can
be printed (`idp deliver preview`), compared and hashed; the courier resolves and loads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PREFIX = "__idp__"
"""Of our external ids. No module is called so: an upgrade deletes what seems to be a module's."""


@dataclass(frozen=True, slots=True)
class Link:
    """The number of another row of the same parcel, which is loaded before."""

    role: str


@dataclass(frozen=True, slots=True)
class Find:
    """The number of a record that people keep there: the only one that the domain finds.

    None or several found: the cell stays empty and the courier says so, unless ``required``.
    ``make`` holds the values of a record to make where there is none (a tag, a folder).
    """

    model: str
    domain: tuple[tuple[str, str, str | int | bool], ...]
    required: bool = False
    make: tuple[tuple[str, str | int | bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes to be stored: a file, whose size and hash are checked after it was written."""

    path: Path
    sha1: str
    size_bytes: int


Plain = str | int | float | bool | None
Cell = Plain | Link | Find | Content | tuple[Link | Find, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One record. ``cells`` by column name, as the server's model calls it.

    A column with a path (``res_model_id/id``) is loaded as it is. ``None`` empties the cell; a
    column that is left out keeps what is there, or the server's default. Dates and times (UTC) as
    the server writes them: ``2026-11-22`` and ``2026-11-22 20:00:00``.
    """

    role: str
    model: str
    cells: Mapping[str, Cell]
    once: bool = False
    """Made with the first version and never changed again (people work on it)."""
    kept: frozenset[str] = frozenset()
    """Columns that are given when the record is made and left alone by later versions: people may
    have moved the file, tagged it or opened it to others."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """All rows of one version of one document, each after those that it links to."""

    document_id: str
    key: str
    version: int
    rows: tuple[Row, ...]
    main: str = "document"
    """The role whose record is named as the place of delivery."""
    notes: tuple[str, ...] = field(default=())
    """What could not be mapped, as codes: never a value."""

    def external_id(self, role: str) -> str:
        """The same for each version of the document."""
        digest = hashlib.sha256(f"{self.document_id}\n{role}".encode()).hexdigest()[:40]
        return f"{PREFIX}.{role}_{digest}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents go on this server, and what it calls things: by its own ``fields_get``."""

    kind: Literal["documents", "dms", "attachment"]
    folder_shape: Literal["documents.folder", "documents.document", "dms.directory", "none"]
    binary: Literal["datas", "raw"]
    """Of ``ir.attachment`` and ``documents.document``; dms has its own: :meth:`binary_of`."""
    addon: bool = False
    """Our own module is there: model ``idp.document``."""

    @property
    def model(self) -> str:
        """The model of the documents themselves."""
        return {
            "documents": "documents.document",
            "dms": "dms.file",
            "attachment": "ir.attachment",
        }[self.kind]

    def binary_of(self, model: str) -> str:
        """The column that takes a file's bytes."""
        return "content" if model == "dms.file" else self.binary


@dataclass(frozen=True, slots=True)
class Files:
    """What a document's parcel may carry, as files in a folder that lives as long as the push."""

    record: Path
    """The contract object, ``document.json``."""
    pages: Path
    """The document's own pages with the found fields outlined, PDF."""
    original: Path | None
    """The bytes as received; none where the file held other documents too."""
    original_name: str
    """``original`` with the ending as received: the name itself may tell who it is about."""
    clean: Path | None = None
    """The document's own pages with nothing drawn on them, PDF; only where ``original`` is none."""


Preview = Sequence[Mapping[str, object]]

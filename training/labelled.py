# SPDX-License-Identifier: Apache-2.0
"""Files of labelled pages: what taggers learn from, whoever made them.

One file holds the pages of one document, each with one role, party and value number for every word
of the page: ``[[PAGE, ROLES, PARTIES, SPANS], ...]``. Also read are objects with ``page`` and
``roles``, one, several, or several under ``pages``, as other programs may write them; where
``page`` is null the pages are those of the file of the same name in the folder ``pages`` beside the
file's own, as ``training.forms`` leaves them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from idp.document import Page
from training.synthesise.noise import Labelled

_FILE = TypeAdapter(list[Labelled])
_PAGES = TypeAdapter(list[Page])
_PAGE = TypeAdapter(Page)


def write_labelled(path: Path, pages: Sequence[Labelled]) -> None:
    """Writes the pages of one document, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(_FILE.dump_json(list(pages)))
    part.replace(path)


def read_file(path: Path) -> list[Labelled]:
    """The labelled pages of one document.

    Raises:
        ValueError: The file is none of ours, or has not one role for each word.
    """
    content = json.loads(path.read_bytes())
    entries = content.get("pages", [content]) if isinstance(content, dict) else content
    if any(isinstance(entry, dict) for entry in entries):
        pages = list(_of_objects(path, entries))
    else:
        pages = _FILE.validate_python(entries)
    for one in pages:
        counts = {len(one.page.words), len(one.roles), len(one.parties), len(one.spans)}
        if len(counts) != 1:
            raise ValueError(f"{path.name}: page {one.page.number} has not a role for each word")
    return pages


def _of_objects(path: Path, entries: Sequence[dict[str, Any]]) -> Iterator[Labelled]:
    beside: list[Page] = []
    if any(entry["page"] is None for entry in entries):
        beside = _PAGES.validate_json((path.parent.parent / "pages" / path.name).read_bytes())
    for place, entry in enumerate(entries):
        roles = tuple(entry["roles"])
        yield Labelled(
            _PAGE.validate_python(entry["page"]) if entry["page"] is not None else beside[place],
            roles,
            tuple(entry.get("parties") or ("",) * len(roles)),
            tuple(entry.get("spans") or (0,) * len(roles)),
        )


def read_labelled(folder: Path) -> Iterator[tuple[str, list[Labelled]]]:
    """Name and pages of each document in a folder, by name.

    Raises:
        ValueError: A file is none of ours, or has not one role for each word.
    """
    for path in sorted(folder.glob("*.json")):
        yield path.stem, read_file(path)

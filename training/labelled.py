# SPDX-License-Identifier: Apache-2.0
"""Files of labelled pages: what taggers learn from, whoever made them.

One file holds the pages of one document: ``[{"page": ..., "roles": [...], "parties": [...],
"spans": [...]}]``, one role, party and value number for each word of the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from training.synthesise.noise import Labelled

_FILE = TypeAdapter(list[Labelled])


def write_labelled(path: Path, pages: Sequence[Labelled]) -> None:
    """Writes the pages of one document, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(_FILE.dump_json(list(pages)))
    part.replace(path)


def read_labelled(folder: Path) -> Iterator[tuple[str, list[Labelled]]]:
    """Name and pages of each document in a folder, by name.

    Raises:
        ValueError: A file is none of ours, or has not one role for each word.
    """
    for path in sorted(folder.glob("*.json")):
        pages = _FILE.validate_json(path.read_bytes())
        for one in pages:
            counts = {len(one.page.words), len(one.roles), len(one.parties), len(one.spans)}
            if len(counts) != 1:
                raise ValueError(
                    f"{path.name}: page {one.page.number} has not a role for each word"
                )
        yield path.stem, pages

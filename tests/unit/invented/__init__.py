# SPDX-License-Identifier: Apache-2.0
"""Invented documents as text: ``<type>[.<subtype>]-<what>.txt``, pages split by form feeds."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Invented(NamedTuple):
    """One invented document: its name, true type and subtype, and the text of its pages."""

    name: str
    type: str
    subtype: str | None
    pages: tuple[str, ...]


def all_invented() -> tuple[Invented, ...]:
    """Every invented document, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        kind = path.stem.split("-", 1)[0]
        type_, _, subtype = kind.partition(".")
        text = path.read_text(encoding="utf-8")
        found.append(Invented(path.stem, type_, subtype or None, tuple(text.split("\f"))))
    return tuple(found)

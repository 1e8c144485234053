# SPDX-License-Identifier: Apache-2.0
"""Which layout a document is of, told by its printed labels and not by what was filled in.

A signature is a MinHash (Broder 1997) over the words of the first page that forms print (the
labels and titles of our schemas), taken in neighbouring pairs and with their place across the
page. Pairs survive a shifted fax; a value in between is not in the vocabulary and does not count.
Two signatures agree in about the share of features that their pages have in common.

It sorts documents into families for splitting data and for telling new layouts. It is no proof that
two documents are the same form, and a page on which the reader found few labels is a family alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from idp.document import Page, Word
from idp.learning.files import write_atomically
from idp.schemas import load_lexicon, load_schemas

HASHES = 64
SAME_LAYOUT = 0.24
"""Least likeness of one layout. Of pairs of copies of one generated form, filled and read
differently, about one in a hundred is less alike; of pairs of different ones at most one in 500 is
more so. Letters are mostly prose: half of their pairs are less alike, and count as layouts of their
own (100 generated layouts, ``docs/models-loop.md``)."""
_COLUMNS = 5
_LEAST_LETTERS = 3
_PRIME = (1 << 31) - 1
_NONE = ""

Signature = NDArray[np.uint32]


@cache
def _vocabulary() -> frozenset[str]:
    lexicon = load_lexicon()
    phrases: list[str] = [*lexicon.section_titles, *lexicon.other_labels]
    phrases += [label for attribute in lexicon.attributes for label in attribute.labels]
    phrases += [title for party in lexicon.parties for title in party.titles]
    phrases += [label for labels in lexicon.columns.values() for label in labels]
    for schema in load_schemas().values():
        phrases += [label for field in schema.fields for label in field.labels]
    words = {word for phrase in phrases for word in _letters(phrase)}
    return frozenset(word for word in words if len(word) >= _LEAST_LETTERS)


def _letters(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _features(words: Iterable[Word]) -> set[str]:
    found: set[str] = set()
    before = "^"
    for word in words:
        for part in _letters(word.text):
            if part not in _vocabulary():
                continue
            found.add(f"{before}>{part}")
            found.add(f"{part}@{int(word.box.x0 * _COLUMNS)}")
            before = part
    return found


@cache
def _coefficients() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    drawn = [
        int.from_bytes(hashlib.blake2b(f"layout {i}".encode(), digest_size=4).digest(), "big")
        for i in range(2 * HASHES)
    ]
    values = np.array(drawn, dtype=np.uint64) % np.uint64(_PRIME - 1) + np.uint64(1)
    return values[:HASHES], values[HASHES:]


def signature(pages: Sequence[Page]) -> str:
    """The signature of a document by its first page, as text; empty where no label was read."""
    found = _features(pages[0].words) if pages else set()
    if not found:
        return _NONE
    hashed = [
        int.from_bytes(hashlib.blake2b(f.encode(), digest_size=4).digest(), "big") for f in found
    ]
    values = np.array(hashed, dtype=np.uint64) % np.uint64(_PRIME)
    by, plus = _coefficients()
    least = ((values[:, None] * by + plus) % np.uint64(_PRIME)).min(axis=0)
    return bytes(least.astype(">u4")).hex()


def likeness(one: str, two: str) -> float:
    """The share of features in common, 0 to 1, as far as the signatures tell."""
    if not one or not two:
        return 0.0
    return float((_parsed(one) == _parsed(two)).mean())


def _parsed(text: str) -> Signature:
    return np.frombuffer(bytes.fromhex(text), dtype=">u4").astype(np.uint32)


class Layouts:
    """Layout families met so far; the first document of a family stands for it.

    Kept in a file, so that a family keeps its name, and with it its share (training or locked),
    whatever is corrected later.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read the families in ``path``; without one none are known yet."""
        self._path = path
        self._names: list[str] = []
        self._signatures: NDArray[np.uint32] = np.empty((0, HASHES), dtype=np.uint32)
        if path is not None and path.is_file():
            for entry in json.loads(path.read_text(encoding="ascii"))["layouts"]:
                self._add(entry["layout"], entry["signature"])

    def __len__(self) -> int:
        return len(self._names)

    def known(self, text: str) -> str | None:
        """The family of a signature, ``None`` when it was never met."""
        if not text or not self._names:
            return None
        like = (self._signatures == _parsed(text)).mean(axis=1)
        best = int(like.argmax())
        return self._names[best] if like[best] >= SAME_LAYOUT else None

    def family(self, text: str, otherwise: str) -> str:
        """The family of a signature, which begins one when it was never met.

        ``otherwise`` names the document: one without a label is a family of its own.
        """
        if not text:
            return f"layout-{_short(otherwise)}"
        name = self.known(text)
        if name is None:
            name = f"layout-{_short(text)}"
            self._add(name, text)
        return name

    def save(self) -> None:
        """Write the families back, whole or not at all."""
        assert self._path is not None
        entries = [
            {"layout": name, "signature": bytes(row.astype(">u4")).hex()}
            for name, row in zip(self._names, self._signatures, strict=True)
        ]
        content = json.dumps({"schema": "idp.layouts/1", "layouts": entries}, indent=1)
        write_atomically(self._path, content.encode())

    def _add(self, name: str, text: str) -> None:
        self._names.append(name)
        self._signatures = np.vstack([self._signatures, _parsed(text)])


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]

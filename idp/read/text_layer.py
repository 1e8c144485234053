# SPDX-License-Identifier: Apache-2.0
"""Words of a PDF's text layer, used only where they say what is seen on the page.

A text layer may be hidden, stale, shifted, the output of somebody's bad OCR, or meant to deceive.
So the pixels are read first. A layer word takes the place of what was read only if the two agree,
place by place; it then brings the exact spelling. Where digits differ, the pixels win and the word
is marked as doubtful. Print that the layer does not know (form values, stamps, signatures) stays
as read; layer words that show no ink are never seen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from rapidfuzz.distance import Levenshtein

from idp.document import Box, Word

_SHARED = 0.3
CONTRADICTED = 0.5
"""Most that is left of a word's confidence where the layer nearly says the same."""

_FOLDED = str.maketrans(
    {"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "i": "1", "S": "5", "s": "5", "B": "8"}
)
_DASHES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u00b4`", "'")
)


def turned(words: Sequence[Word], degrees: int) -> tuple[Word, ...]:
    """The words where they stand once the page has been turned counter-clockwise."""
    if degrees == 0:
        return tuple(words)
    turns = {
        90: lambda b: Box(b.y0, 1 - b.x1, b.y1, 1 - b.x0),
        180: lambda b: Box(1 - b.x1, 1 - b.y1, 1 - b.x0, 1 - b.y0),
        270: lambda b: Box(1 - b.y1, b.x0, 1 - b.y0, b.x1),
    }
    return tuple(word.model_copy(update={"box": turns[degrees](word.box)}) for word in words)


def reconcile(seen: Sequence[Word], layer: Sequence[Word]) -> tuple[tuple[Word, ...], float]:
    """The words of the page, and the share of them that the layer spelled.

    Args:
        seen: Words read from the pixels, in reading order.
        layer: Words of the text layer on the same, upright page.
    """
    usable = [word for word in layer if _is_sound(word.text) and 0 <= word.box.cy <= 1]
    if not usable or not seen:
        return tuple(seen), 0.0
    by_line: dict[int, list[Word]] = {}
    for word in seen:
        by_line.setdefault(word.line, []).append(word)
    usable.sort(key=lambda word: word.box.cy)
    result: list[Word] = []
    spelled = 0
    for number, words in by_line.items():
        top = min(word.box.y0 for word in words)
        bottom = max(word.box.y1 for word in words)
        near = [word for word in usable if top <= word.box.cy <= bottom]
        for read, claimed in _clusters(words, near):
            chosen, from_layer = _choose(read, claimed)
            spelled += len(chosen) if from_layer else 0
            result.extend(
                word.model_copy(update={"id": len(result) + i, "line": number})
                for i, word in enumerate(chosen)
            )
    return tuple(result), spelled / len(result)


def _is_sound(text: str) -> bool:
    return all(
        unicodedata.category(character) not in ("Co", "Cn", "Cc", "Cs") and character != "\ufffd"
        for character in text
    )


def _clusters(read: Sequence[Word], claimed: Sequence[Word]) -> list[tuple[list[Word], list[Word]]]:
    """Words read and words claimed that stand on the same place, from left to right."""
    groups: list[tuple[list[Word], list[Word]]] = []
    taken: set[int] = set()
    for word in read:
        mine = [
            c
            for c in claimed
            if c.box.overlap_x(word.box) > _SHARED * min(c.box.width, word.box.width)
            and word.box.y0 <= c.box.cy <= word.box.y1
        ]
        shared = groups and any(c.id in {g.id for g in groups[-1][1]} for c in mine)
        if shared:
            groups[-1][0].append(word)
            known = {g.id for g in groups[-1][1]}
            groups[-1][1].extend(c for c in mine if c.id not in known and c.id not in taken)
        else:
            groups.append(([word], [c for c in mine if c.id not in taken]))
        taken.update(c.id for c in mine)
    return groups


def _choose(read: list[Word], claimed: list[Word]) -> tuple[list[Word], bool]:
    if not claimed:
        return read, False
    claimed = sorted(claimed, key=lambda word: word.box.x0)
    verdict = compared("".join(word.text for word in read), "".join(word.text for word in claimed))
    if verdict == "same":
        top = min(word.box.y0 for word in read)
        bottom = max(word.box.y1 for word in read)
        surest = max(0.99, min(word.confidence for word in read))
        return [
            word.model_copy(
                update={
                    "text": unicodedata.normalize("NFKC", word.text),
                    "confidence": surest,
                    "box": Box(
                        round(max(0.0, word.box.x0), 5),
                        top,
                        round(min(1.0, word.box.x1), 5),
                        bottom,
                    ),
                }
            )
            for word in claimed
        ], True
    if verdict == "nearly":
        # Almost the same, but not where it matters: one of the two is wrong.
        return [
            word.model_copy(update={"confidence": min(word.confidence, CONTRADICTED)})
            for word in read
        ], False
    return read, False


def compared(seen: str, layer: str) -> Literal["same", "nearly", "other"]:
    """Whether the pixels as read and the layer say the same, but for blanks and misread letters."""
    seen, layer = _plain(seen), _plain(layer)
    if _agree(seen, layer):
        return "same"
    near = Levenshtein.distance(seen, layer) <= max(1, len(layer) // 3)
    return "nearly" if near else "other"


def is_literal(seen: str, layer: str) -> bool:
    """Whether every letter was read as the layer has it; blanks, dashes and case do not count."""
    return _plain(seen) == _plain(layer)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_DASHES).replace(" ", "").casefold()


def _agree(seen: str, layer: str) -> bool:
    """Whether the two say the same, but for letters that look alike; digits must be the same."""
    if seen == layer:
        return True
    if _digits(seen) == _digits(layer) and len(layer) >= 4:
        return Levenshtein.distance(seen, layer) <= len(layer) // 5
    # "O" read for "0" is the same print; "5" for "8" is not.
    return seen.translate(_FOLDED) == layer.translate(_FOLDED)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())

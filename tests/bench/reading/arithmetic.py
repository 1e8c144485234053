# SPDX-License-Identifier: Apache-2.0
"""The benchmark's arithmetic. Pure: words, marks and texts in, counts out.

A *read* word or mark comes from the engine, a *true* one from the generator. Boxes of both are
page-relative on the same upright, straightened page.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from idp.document import Box
from training.faxes import KeyField, Segment, TrueMark, TrueWord

_ROW = 0.35  # a word stands in a segment's row if its middle lies so near it, in its heights
_MARK_REACH = 0.6  # a read mark may lie so far off a true one, in its sides
BINS = 15


class ReadWord(NamedTuple):
    """One word as an engine gives it; ``line`` tells which words it says stand in one line."""

    text: str
    confidence: float
    box: Box
    line: int


class ReadMark(NamedTuple):
    """One mark as an engine gives it."""

    state: str
    box: Box
    label: str


@dataclass
class Share:
    """So many of so many; adds up."""

    hits: float = 0
    of: float = 0

    def add(self, hits: float, of: float) -> None:
        self.hits += hits
        self.of += of

    @property
    def value(self) -> float | None:
        """The share, or None of nothing."""
        return self.hits / self.of if self.of else None


def plain(text: str) -> str:
    """A text without its blanks, with quotes, dashes and compatibility forms made one."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", re.sub("[\u2018\u2019\u00b4`]", "'", text))
    return re.sub(r"\s+", "", re.sub("[\u201c\u201d]", '"', text))


def letters_only(text: str) -> str:
    """Lower-case letters and digits of a text: what the recall of values compares."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", text).lower())


def infix_distance(needle: str, hay: str) -> int:
    """Fewest edits that turn some stretch of ``hay`` into ``needle``; the rest of it is free."""
    if not needle or needle in hay:
        return 0
    text = np.array([ord(c) for c in hay], np.int32)
    places = np.arange(len(hay) + 1, dtype=np.int32)
    row = np.zeros(len(hay) + 1, np.int32)
    for letter in needle:
        below = row + 1
        below[1:] = np.minimum(below[1:], row[:-1] + (text != ord(letter)))
        # Letters of hay passed over cost one each, from the best place on their left.
        row = np.minimum.accumulate(below - places) + places
    return int(row.min())


def distance(one: str, other: str) -> int:
    """Levenshtein distance."""
    return int(Levenshtein.distance(one, other))


def row_texts(box: Box, words: Sequence[ReadWord]) -> set[str]:
    """What was read at a segment's height: its row from left to right, and each line it touches."""
    reach = _ROW * max(box.height, 0.006)
    near = [w for w in words if box.y0 - reach <= w.box.cy <= box.y1 + reach]
    texts = {plain("".join(w.text for w in sorted(near, key=lambda w: w.box.x0)))}
    for line in {w.line for w in near}:
        texts.add(plain("".join(w.text for w in words if w.line == line)))
    return texts


def segment_edits(segment: Segment, words: Sequence[ReadWord]) -> int:
    """Fewest edits between a segment and some stretch of its row, blanks apart."""
    true = plain(segment.text)
    return min(
        (infix_distance(true, text) for text in row_texts(segment.box, words)), default=len(true)
    )


def words_inside(box: Box, words: Sequence[ReadWord]) -> list[ReadWord]:
    """The read words whose middle lies in a box, a little widened, from left to right."""
    reach_x, reach_y = 0.004, _ROW * max(box.height, 0.006)
    inside = [
        w
        for w in words
        if box.x0 - reach_x <= w.box.cx <= box.x1 + reach_x
        and box.y0 - reach_y <= w.box.cy <= box.y1 + reach_y
    ]
    return sorted(inside, key=lambda w: w.box.x0)


def strict_edits(segment: Segment, words: Sequence[ReadWord]) -> int:
    """Edits between a segment and all that was read at its very place, blanks included."""
    read = " ".join(w.text for w in words_inside(segment.box, words))
    return distance(segment.text, " ".join(read.split()))


def same_words(true: Iterable[TrueWord], read: Iterable[ReadWord]) -> tuple[int, int]:
    """How many true words were read exactly, place apart, and how many there are."""
    wanted, found = Counter(w.text for w in true), Counter(w.text for w in read)
    return sum((wanted & found).values()), sum(wanted.values())


def field_exact(field: KeyField, words: Sequence[ReadWord]) -> bool:
    """Whether the words at the value's place are the value, blanks apart, and nothing else."""
    read = "".join(w.text for w in words_inside(field.box, words))
    return plain(read) == plain(field.value)


def field_in_row(field: KeyField, words: Sequence[ReadWord]) -> bool:
    """Whether the value stands exactly in its row, blanks apart."""
    return any(plain(field.value) in text for text in row_texts(field.box, words))


def _shared(box: Box, others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area that a box shares with each of the others."""
    wide = np.minimum(box.x1, others[:, 2]) - np.maximum(box.x0, others[:, 0])
    high = np.minimum(box.y1, others[:, 3]) - np.maximum(box.y0, others[:, 1])
    return np.asarray(np.clip(wide, 0, None) * np.clip(high, 0, None))


def judged_words(
    true: Sequence[TrueWord], read: Sequence[ReadWord], ignored: Sequence[Box]
) -> list[tuple[float, bool]]:
    """(confidence, right) of each read word; right is the text of the true word at its place.

    Words in ``ignored`` places (letters in brackets are marks, scribbles are no words) are left
    out; a word where none is true is wrong.
    """
    places = np.array([w.box for w in true], np.float64).reshape(-1, 4)
    left_out = np.array(ignored, np.float64).reshape(-1, 4)
    out = []
    for word in read:
        area = max(word.box.width * word.box.height, 1e-9)
        if len(left_out) and _shared(word.box, left_out).max() > 0.4 * area:
            continue
        shared = _shared(word.box, places) if len(places) else np.zeros(1)
        best = int(shared.argmax())
        right = bool(shared[best] > 0) and plain(true[best].text) == plain(word.text)
        out.append((word.confidence, right))
    return out


def calibration_error(judged: Sequence[tuple[float, bool]], *, equal_mass: bool) -> float | None:
    """Expected calibration error in :data:`BINS` bins of equal mass or equal width."""
    if not judged:
        return None
    # By confidence alone: sorting ties by truth as well would part the right from the wrong.
    data = np.array(sorted(judged, key=lambda pair: pair[0]), np.float64)
    if equal_mass:
        parts = [p for p in np.array_split(data, BINS) if len(p)]
    else:
        which = np.minimum((data[:, 0] * BINS).astype(int), BINS - 1)
        parts = [data[which == b] for b in range(BINS) if (which == b).any()]
    return float(sum(len(p) * abs(p[:, 0].mean() - p[:, 1].mean()) for p in parts) / len(data))


class MarkPair(NamedTuple):
    """A true mark and the read one at its place, if any."""

    true: TrueMark
    read: ReadMark | None


def match_marks(
    true: Sequence[TrueMark], read: Sequence[ReadMark], aspect: float
) -> tuple[list[MarkPair], list[ReadMark]]:
    """True marks with the read one nearest to their middle, one to one, and the read ones left.

    ``aspect`` is the page's height in widths: boxes are relative to both.
    """

    def apart(t: TrueMark, r: ReadMark) -> float:
        side = max(t.box.height * aspect, 1e-9)
        dx = max(0.0, abs(t.box.cx - r.box.cx) - max(0.0, t.box.width - side) / 2)
        dy = abs(t.box.cy - r.box.cy) * aspect
        return float(max(dx, dy)) / side

    near = sorted(
        (apart(t, r), i, j)
        for i, t in enumerate(true)
        for j, r in enumerate(read)
        if apart(t, r) <= _MARK_REACH
    )
    taken: dict[int, int] = {}
    used: set[int] = set()
    for _, i, j in near:
        if i not in taken and j not in used:
            taken[i] = j
            used.add(j)
    pairs = [MarkPair(t, read[taken[i]] if i in taken else None) for i, t in enumerate(true)]
    return pairs, [r for j, r in enumerate(read) if j not in used]


def label_right(pair: MarkPair) -> bool:
    """Whether a mark was given its option's words, all and only."""
    return pair.read is not None and letters_only(pair.read.label) == letters_only(pair.true.label)


def values_of(fields: dict[str, Any], without: frozenset[str]) -> list[tuple[str, str]]:
    """All printed values of a truth file: lists and claims flattened, blanks left out."""

    def flat(value: Any) -> Iterable[str]:
        if isinstance(value, dict):
            for entry in value.values():
                yield from flat(entry)
        elif isinstance(value, list):
            for entry in value:
                yield from flat(entry)
        elif value is not None and not isinstance(value, bool):
            yield str(value)

    return [
        (name, text)
        for name, entry in fields.items()
        if name not in without
        for text in flat(entry["value"] if isinstance(entry, dict) and "value" in entry else entry)
        if letters_only(text)
    ]


class Found(NamedTuple):
    """How a value was found: in one line; in the running text; or all its parts somewhere."""

    line: bool
    text: bool
    parts: bool


def find_value(value: str, lines: Sequence[str]) -> Found:
    """Looks for a value, letters and digits only, in the lines of a document in reading order."""
    wanted = letters_only(value)
    kept = [letters_only(line) for line in lines]
    whole = "".join(kept)
    in_line = any(wanted in line for line in kept)
    in_text = in_line or wanted in whole
    parts = [letters_only(part) for part in value.split()]
    return Found(in_line, in_text, in_text or all(part in whole for part in parts if part))


def slope_per_100(samples: Sequence[float]) -> float | None:
    """Least-squares growth per 100 samples, after the first fifth (warming up) is left out."""
    kept = np.array(samples[len(samples) // 5 :], np.float64)
    if len(kept) < 2:
        return None
    return float(np.polyfit(np.arange(len(kept)), kept, 1)[0] * 100)

# SPDX-License-Identifier: Apache-2.0
"""What the pictures of a text layer's characters say, read from their pixels.

A PDF may map any glyph to any character, by mistake or on purpose. Each picture is therefore read
once: the recogniser gets strips of pictures in mixed order, and only a picture that is read as the
character it is claimed to be is proven. A picture is also proven by a read one of the same letter
or digit that it equals but for size, if those of all other characters are clearly further away;
characters that some fonts draw alike (0 and O, 1 and l) are always read. What was proven stays
known as long as the process lives, so that the second page in a font costs next to nothing.

An "l" with serifs is read as "1" when it stands alone, and one such picture would have nearly every
line of a page read again. So several words that were read in their lines, letter by letter, as the
layer spells them vouch for such a picture. That holds in ordinary words alone, beside a letter that
is proven by itself, and never again once a line spoke against it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from idp.read.glyphs import Picture
from idp.read.ocr import Line, Ocr, Region
from idp.read.pixels import Gray
from idp.read.weights import KEPT_CHARACTERS

_PER_STRIP = 36
_SIZES_APART = 1.35  # within a strip, tallest to smallest print
_GAP = 0.2  # of the print's size
_MARGIN = 0.25
_TRIES = 2
_MOST_KNOWN = 50_000
_MOST_ANCHORS = 1_500
_GRID = 16
_LIKE = 0.975
_AHEAD = 0.03
"""Of 3,900 pictures of letters and digits of 15 documents none came so near to a picture of another
character of the other documents, and so far ahead of the pictures of its own."""

_ALL_DIGITS = frozenset("23456789")

_SAME_SHAPE = {
    **{c: c for c in "cosuvwxzpkymj"},
    "I": "l", "|": "l", "\u00d7": "x",
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad", "-"),
    **dict.fromkeys("\u2018\u2019\u00b4`\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u2033", '"'),
}  # fmt: skip
"""Characters that only their place or their word tells apart; digits are not among them."""

_VOUCHERS = 4
"""So many different words speak for a picture that was not read by itself."""

_EXACT = frozenset("01OolI|")
"""Proven picture by picture, never by likeness: in some fonts they are drawn alike."""


_Key = tuple[str, int, bytes]


class Proofs:
    """The pictures whose reading is known. One per process; not for use by several threads."""

    def __init__(self) -> None:
        self._known: dict[_Key, bool] = {}
        self._anchors = np.zeros((0, _GRID * _GRID), np.float32)
        self._anchored: list[str] = []
        self._vouchers: dict[_Key, set[str]] = {}
        self._objected: set[_Key] = set()

    def prove(self, pictures: Sequence[Picture], ocr: Ocr) -> NDArray[np.bool_]:
        """Whether each picture shows the character it is claimed to be."""
        result = np.zeros(len(pictures), np.bool_)
        open_ = []
        for i, picture in enumerate(pictures):
            known = self._known.get(_key(picture))
            if known is None:
                open_.append(i)
            else:
                result[i] = known
        if not open_:
            return result
        clean = {
            i: drawn for i in open_ if (drawn := _black_on_white(pictures[i].pixels)) is not None
        }
        looks = {i: _look(clean[i]) for i in clean}
        answers = self._answers([i for i in open_ if i in clean], pictures, clean, looks, ocr)
        for i in open_:
            result[i] = self._known[_key(pictures[i])] = answers.get(i, False)
        self._forget()
        return result

    def vouched(self, pictures: Sequence[Picture]) -> NDArray[np.bool_]:
        """Whether words have vouched for each picture; it counts in ordinary words alone."""
        found = (self._vouchers.get(_key(picture), ()) for picture in pictures)
        return np.array([len(words) >= _VOUCHERS for words in found], np.bool_)

    def vouch_for(self, picture: Picture, word: str) -> None:
        """A word was read in its line as the layer spells it, ``picture`` in it."""
        key = _key(picture)
        if key in self._objected:
            return
        words = self._vouchers.setdefault(key, set())
        if len(words) < _VOUCHERS:
            words.add(word.casefold())

    def object_to(self, picture: Picture) -> None:
        """A line was not read as the layer spells it, ``picture`` in it: for good."""
        key = _key(picture)
        self._vouchers.pop(key, None)
        self._objected.add(key)

    def _answers(
        self,
        todo: list[int],
        pictures: Sequence[Picture],
        clean: dict[int, Gray],
        looks: dict[int, NDArray[np.float32]],
        ocr: Ocr,
    ) -> dict[int, bool]:
        answers: dict[int, bool] = {}
        for i in todo:
            if _bar_or_dot(pictures[i], clean[i]):
                answers[i] = True
        waiting = [i for i in todo if i not in answers]
        waiting = self._by_likeness(waiting, pictures, looks, answers)
        asked = _representatives(waiting, pictures, looks)
        for attempt in range(_TRIES):
            unread = [i for i in asked if not answers.get(i)]
            for run in _strips(unread, pictures, attempt):
                for i, right in _read(run, pictures, clean, ocr).items():
                    answers[i] = right
                    if right:
                        self._anchor(pictures[i].text, looks[i])
        left = [i for i in waiting if i not in answers]
        left = self._by_likeness(left, pictures, looks, answers)
        for run in _strips(left, pictures, 0):
            answers.update(_read(run, pictures, clean, ocr))
        return answers

    def _by_likeness(
        self,
        waiting: list[int],
        pictures: Sequence[Picture],
        looks: dict[int, NDArray[np.float32]],
        answers: dict[int, bool],
    ) -> list[int]:
        """Proves what equals a read picture of its own letter; returns what it could not prove."""
        letters = [i for i in waiting if _may_be_alike(pictures[i].text)]
        if not letters or not _ALL_DIGITS.issubset(self._anchored):
            return waiting  # a digit can't be told to be nearest to its own kind yet
        likeness = np.stack([looks[i] for i in letters]) @ self._anchors.T
        names = np.array([_plain(name) for name in self._anchored])
        for row, i in zip(likeness, letters, strict=True):
            own = names == _plain(pictures[i].text)
            best = float(row[own].max(initial=-1.0))
            if best >= _LIKE and best >= float(row[~own].max(initial=-1.0)) + _AHEAD:
                answers[i] = True
        return [i for i in waiting if i not in answers]

    def _anchor(self, text: str, look: NDArray[np.float32]) -> None:
        if len(self._anchored) < _MOST_ANCHORS:
            self._anchors = np.vstack([self._anchors, look])
            self._anchored.append(text)

    def _forget(self) -> None:
        """Drops the oldest half when the memory is full."""
        if len(self._known) > _MOST_KNOWN:
            for key in list(self._known)[: _MOST_KNOWN // 2]:
                del self._known[key]
                self._vouchers.pop(key, None)
                self._objected.discard(key)


def _key(picture: Picture) -> _Key:
    # The base line counts: a comma and an apostrophe have the same pixels.
    return picture.text, picture.above << 16 | picture.pixels.shape[1], picture.pixels.tobytes()


def _may_be_alike(text: str) -> bool:
    return len(text) == 1 and text.isalnum() and text not in _EXACT


def _plain(text: str) -> str:
    """Folds what the recogniser can't tell apart: forms, accents, same shapes; never a digit."""
    folded = unicodedata.normalize("NFKD", text)
    letters = (c for c in folded if not unicodedata.combining(c))
    return "".join(_SAME_SHAPE.get(c, _SAME_SHAPE.get(c.lower(), c)) for c in letters)


def _black_on_white(pixels: Gray) -> Gray | None:
    """The picture as black on white, full contrast; ``None`` where nothing is drawn."""
    rim = np.concatenate([pixels[0], pixels[-1]])
    paper = float(np.median(rim))
    values = pixels.astype(np.float32)
    darkness = paper - values if values.mean() < paper else values - paper
    strongest = float(darkness.max())
    if strongest < 1:
        return None
    return np.asarray(255 - np.clip(darkness * (255 / strongest), 0, 255), np.uint8)


def _look(clean: Gray) -> NDArray[np.float32]:
    """The picture's shape on a small grid, whatever its size; of length one."""
    ink = 255 - clean
    rows, columns = np.flatnonzero(ink.max(axis=1) > 60), np.flatnonzero(ink.max(axis=0) > 60)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape
    scale = _GRID / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(ink, size, interpolation=way)
    grid = np.zeros((_GRID, _GRID), np.float32)
    y, x = (_GRID - size[1]) // 2, (_GRID - size[0]) // 2
    grid[y : y + size[1], x : x + size[0]] = small
    grid = np.asarray(cv2.GaussianBlur(grid, (0, 0), 0.6), np.float32)
    return grid.ravel() / np.linalg.norm(grid)


def _bar_or_dot(picture: Picture, clean: Gray) -> bool | None:
    """Whether a dash, underscore, full stop or bullet is one, by its shape alone.

    ``None`` for other characters. The recogniser often passes over single dots and strokes.
    """
    plain = _plain(picture.text)
    if plain not in {"-", "_", ".", "\u2022", "\u00b7"}:
        return None
    ink = clean < 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return None
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    full = float(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean())
    bottom = picture.above - (rows[-1] + 1)  # over the base line
    if plain == "_":
        return bool(full > 0.9 and width > 2 * height and bottom <= 0.02 * picture.size)
    if plain == "-":
        return bool(full > 0.9 and width > 1.4 * height and bottom > 0.1 * picture.size)
    round_ = full > 0.7 and max(width, height) <= 1.4 * min(width, height) + 1
    if plain == ".":
        return bool(
            round_ and height <= max(3.0, 0.35 * picture.size) and abs(bottom) <= max(2, height)
        )
    return bool(round_ and height <= 0.8 * picture.size)


def _representatives(
    waiting: list[int], pictures: Sequence[Picture], looks: dict[int, NDArray[np.float32]]
) -> list[int]:
    """What must be read: all digits and their likes, and one of each family of equal letters."""
    chosen: list[int] = []
    of_letter: dict[str, list[int]] = {}
    for i in waiting:
        text = pictures[i].text
        if _may_be_alike(text):
            family = of_letter.setdefault(text, [])
            if any(float(looks[i] @ looks[j]) >= _LIKE for j in family):
                continue
            family.append(i)
        chosen.append(i)
    return chosen


def _strips(todo: list[int], pictures: Sequence[Picture], attempt: int) -> list[list[int]]:
    """The pictures in strips of like size, in an order that spells nothing."""
    strips: list[list[int]] = []
    for i in sorted(todo, key=lambda i: pictures[i].size):
        if (
            strips
            and len(strips[-1]) < _PER_STRIP
            and pictures[i].size <= _SIZES_APART * pictures[strips[-1][0]].size
        ):
            strips[-1].append(i)
        else:
            strips.append([i])
    # A recogniser that knows the alphabet would be led by it; two like letters would be merged.
    random = np.random.default_rng(attempt)
    return [
        _apart([strip[k] for k in random.permutation(len(strip))], pictures) for strip in strips
    ]


def _apart(strip: list[int], pictures: Sequence[Picture]) -> list[int]:
    for k in range(1, len(strip)):
        if pictures[strip[k]].text == pictures[strip[k - 1]].text:
            for other in range(k + 1, len(strip)):
                if pictures[strip[other]].text != pictures[strip[k]].text:
                    strip[k], strip[other] = strip[other], strip[k]
                    break
    return strip


def _read(
    run: list[int], pictures: Sequence[Picture], clean: dict[int, Gray], ocr: Ocr
) -> dict[int, bool]:
    """Whether each picture of a strip is read as what it is claimed to be."""
    strip, spans = _drawn(run, pictures, clean)
    height, width = strip.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    line = ocr.recognise(strip, [Region(corners, 1.0)])[0]
    return _agreeing(run, pictures, spans, line, width)


def _drawn(
    run: list[int], pictures: Sequence[Picture], clean: dict[int, Gray]
) -> tuple[Gray, list[float]]:
    """The strip, and the middle of each picture on it."""
    above = max(pictures[i].above for i in run)
    below = max(clean[i].shape[0] - pictures[i].above for i in run)
    size = float(np.median([pictures[i].size for i in run]))
    gap, margin = max(2, round(_GAP * size)), max(2, round(_MARGIN * size))
    width = sum(clean[i].shape[1] + gap for i in run) + 2 * margin
    strip = np.full((above + below + 2 * margin, width), 255, np.uint8)
    x, middles = margin, []
    for i in run:
        rows, columns = clean[i].shape
        y = margin + above - pictures[i].above
        strip[y : y + rows, x : x + columns] = clean[i]
        middles.append(x + columns / 2)
        x += columns + gap
    return strip, middles


def _agreeing(
    run: list[int], pictures: Sequence[Picture], middles: list[float], line: Line, width: int
) -> dict[int, bool]:
    """Which pictures the line spells, letter by letter, in order and in place.

    A letter read beyond those expected speaks against the picture next to it: a glyph may draw
    more than one digit.
    """
    expected = [(c, k) for k, i in enumerate(run) for c in _plain(pictures[i].text)]
    read = [(c, letter.at * width) for letter in line.letters for c in _plain(letter.text)]
    read = [(c, at) for c, at in read if c != " "]
    reach = 1.5 * width / max(1, len(run))
    pairs = [
        (block.a + k, block.b + k)
        for block in Levenshtein.editops(
            [c for c, _ in expected], [c for c, _ in read]
        ).as_matching_blocks()
        for k in range(block.size)
    ]
    pairs = [(a, b) for a, b in pairs if abs(middles[expected[a][1]] - read[b][1]) <= reach]
    found = np.zeros(len(run), np.int64)
    for a, _ in pairs:
        found[expected[a][1]] += 1
    taken = {b for _, b in pairs}
    spare = [read[b][1] for b in range(len(read)) if b not in taken]
    places = np.array(middles)
    doubted = {int(np.abs(places - at).argmin()) for at in spare}
    return {
        i: k not in doubted
        and (int(found[k]) == len(_plain(pictures[i].text)) or _is_ornament(pictures[i].text))
        for k, i in enumerate(run)
    }


def _is_ornament(text: str) -> bool:
    """A sign that the recogniser has no letter for, and that is no letter or digit itself."""
    plain = _plain(text)
    return bool(plain) and not any(
        c.isalnum() or c in KEPT_CHARACTERS or unicodedata.category(c)[0] in "LNC" for c in plain
    )

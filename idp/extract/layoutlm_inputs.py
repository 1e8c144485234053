# SPDX-License-Identifier: Apache-2.0
"""A page as numbers for the LayoutLM tagger: word pieces, boxes, pattern classes, hints, windows.

Training and the appliance call the same functions. One position stands for one token of the page:
the model takes the mean of its word pieces, so that a page of 500 words costs 500 positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from idp.extract.crf_roles import ALL_ROLES
from idp.extract.features import (
    PARTY_NAMES,
    SHAPES,
    LabelTable,
    PageView,
    governing_phrases,
    plain,
    shape_of,
)

INPUTS_VERSION = 1
"""Raised whenever this module changes what it gives for the same page; models name theirs."""
PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
POSITIONS = 512
"""Positions of the model; two of them are the start and end marks of a window."""
OVERLAP = 128
"""Tokens that two neighbouring windows share: none is judged without 64 on both sides."""
PIECES, HINTS = 4, 16
_PIECES_OF_NUMBERS = 3
_GRID = 4
"""Boxes are given in steps of this many thousandths of the page: finer ones are not learned."""
_WHERE = ("c", "g", "lc", "a", "h", "l", "d")
_ROLES_A_PHRASE = 2
_BIG = 0.018
_OWN_WORDS = 6
_CACHED_WORDS = 50_000

Numbers = npt.NDArray[np.int64]


def pattern_names() -> tuple[str, ...]:
    """The pattern classes in the order of their numbers; 0 is "none of these"."""
    return ("none", *SHAPES)


def hint_names() -> tuple[str, ...]:
    """The hints in the order of their numbers; 0 is no hint."""
    roles = sorted(ALL_ROLES)
    names = ["none"]
    for where in ("best", "own", *_WHERE):
        names += [f"{where}={role}" for role in roles]
    names += [f"section={party}" for party in PARTY_NAMES]
    names += [f"mark={state}{back}" for state in ("checked", "unchecked") for back in range(4)]
    names += [f"place={n}" for n in range(5)]
    names += [f"count={n}" for n in range(10)]
    names += [f"colon={n}" for n in range(5)]
    names += ["cell", "cell_first", "big", "comma"]
    return tuple(names)


class Window(NamedTuple):
    """A stretch of a page's tokens, ``first`` up to ``end``, with the start and end marks added.

    ``pieces`` (n + 2, 4), ``boxes`` (n + 2, 4) in thousandths, ``patterns`` (n + 2,), ``hints``
    (n + 2, 16).
    """

    first: int
    end: int
    pieces: Numbers
    boxes: Numbers
    patterns: Numbers
    hints: Numbers


@dataclass(frozen=True)
class Encoded:
    """All tokens of a page, in the order of ``PageView.order``; shapes as in :class:`Window`."""

    pieces: Numbers
    boxes: Numbers
    patterns: Numbers
    hints: Numbers

    def __len__(self) -> int:
        return len(self.patterns)


def spans_of_windows(count: int, size: int = POSITIONS - 2, overlap: int = OVERLAP) -> list[range]:
    """The windows over ``count`` tokens: as few as possible, evenly spread, none out of reach."""
    if count <= size:
        return [range(count)]
    number = -(-(count - overlap) // (size - overlap))
    starts = [round(n * (count - size) / (number - 1)) for n in range(number)]
    return [range(start, start + size) for start in starts]


def owners(windows: Sequence[range], count: int) -> list[int]:
    """For each token the window that is to judge it: the one whose edges are farthest."""
    best = [-1] * count
    reach = [-1] * count
    for number, window in enumerate(windows):
        for place in window:
            left = place - window.start if window.start else count
            right = window.stop - 1 - place if window.stop < count else count
            if min(left, right) > reach[place]:
                best[place], reach[place] = number, min(left, right)
    return best


class WordPieces:
    """The pieces of words, by a vocabulary in the order of the model's rows.

    Digits are read as 0: which number it is says nothing about whose it is, and what kind of number
    it is the pattern class says.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        ids = {piece: number for number, piece in enumerate(vocabulary)}
        self.start, self.end, self.pad = ids[START], ids[END], ids[PAD]
        self._unknown = ids[UNKNOWN]
        self._tokenizer = Tokenizer(WordPiece(ids, unk_token=UNKNOWN, max_input_chars_per_word=40))
        self._tokenizer.normalizer = BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = BertPreTokenizer()
        self._known: dict[str, tuple[int, ...]] = {}

    def of(self, word: str) -> tuple[int, ...]:
        """One to four numbers."""
        text = "".join("0" if c.isdigit() else c for c in word)
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _CACHED_WORDS:
                self._known.clear()
            most = _PIECES_OF_NUMBERS if "0" in text else PIECES
            ids = self._tokenizer.encode(text, add_special_tokens=False).ids
            found = tuple(ids[:most]) or (self._unknown,)
            self._known[text] = found
        return found


class PageEncoder:
    """Pages to numbers, for a model with this vocabulary and these pattern classes and hints.

    Args:
        vocabulary: Word pieces in the order of the model's rows.
        patterns: Names of its pattern classes; one it does not know is given as 0.
        hints: Names of its hints; one it does not know is left out.
    """

    def __init__(
        self, vocabulary: Sequence[str], patterns: Sequence[str], hints: Sequence[str]
    ) -> None:
        self.words = WordPieces(vocabulary)
        self._patterns = {name: number for number, name in enumerate(patterns)}
        self._hints = {name: number for number, name in enumerate(hints)}

    def encode(self, view: PageView, table: LabelTable) -> Encoded:
        """Every token of the page; ``table`` says what the labels around it may introduce."""
        count = len(view.order)
        pieces = np.full((count, PIECES), self.words.pad, np.int64)
        boxes = np.zeros((count, 4), np.int64)
        patterns = np.zeros(count, np.int64)
        hints = np.zeros((count, HINTS), np.int64)
        marks = _marks_before(view)
        for place, index in enumerate(view.order):
            token = view.tokens[index]
            own = self.words.of(token.text)
            pieces[place, : len(own)] = own
            box = token.box
            corners = (box.x0, box.y0, max(box.x0, box.x1), max(box.y0, box.y1))
            boxes[place] = [_thousandths(c) for c in corners]
            patterns[place] = self._patterns.get(shape_of(token.text), 0)
            known = (self._hints.get(n) for n in _hints_of(view, index, table, marks))
            given = [n for n in known if n][:HINTS]
            hints[place, : len(given)] = given
        return Encoded(pieces, boxes, patterns, hints)

    def windows(self, page: Encoded) -> Iterator[Window]:
        """The windows of a page, each with its start and end marks."""
        for window in spans_of_windows(len(page)):
            cut = slice(window.start, window.stop)
            yield Window(
                window.start,
                window.stop,
                self._framed(page.pieces[cut]),
                np.concatenate([np.zeros((1, 4), np.int64), page.boxes[cut], _LAST]),
                np.pad(page.patterns[cut], 1),
                np.pad(page.hints[cut], ((1, 1), (0, 0))),
            )

    def _framed(self, pieces: Numbers) -> Numbers:
        framed = np.pad(pieces, ((1, 1), (0, 0)), constant_values=self.words.pad)
        framed[0, 0], framed[-1, 0] = self.words.start, self.words.end
        return framed


_LAST = np.full((1, 4), 1000, np.int64)


def _thousandths(share: float) -> int:
    return min(1000, max(0, round(share * 1000 / _GRID) * _GRID))


def _marks_before(view: PageView) -> dict[int, str]:
    """For each token behind a check box in its line, the box's state and how many tokens back."""
    found: dict[int, str] = {}
    for line in view.lines:
        last: tuple[int, str] | None = None
        for place, index in enumerate(line):
            if index in view.marked:
                last = (place, view.marked[index])
            if last is not None:
                found[index] = f"mark={last[1]}{min(3, place - last[0])}"
    return found


def _hints_of(
    view: PageView, index: int, table: LabelTable, marks: Mapping[int, str]
) -> Iterator[str]:
    """Names of the hints of a token, the most telling first."""
    token, piece = view.tokens[index], view.pieces[view.piece_of[index]]
    colon, back = view.colon_label(index)
    by_place: list[tuple[str, list[str]]] = []
    for where, phrase in governing_phrases(piece, colon, table):
        words = phrase.split(" ")[:_OWN_WORDS]
        said = table.role(" ".join(words))
        by_place.append((where, said.split("+")[:_ROLES_A_PHRASE] if said else []))
    own = plain(piece.text) if len(piece.tokens) <= _OWN_WORDS else ""
    yield from (f"own={r}" for r in table.role(own).split("+")[:_ROLES_A_PHRASE] if r)
    best = next((roles for where, roles in by_place if roles), [])
    yield from (f"best={role}" for role in best)
    number = piece.tokens.index(index)
    count = len(piece.tokens)
    yield f"place={min(number, 4)}"
    yield f"count={count if count < 4 else min(count // 3 + 3, 9)}"
    if piece.section:
        yield f"section={piece.section}"
    if index in marks:
        yield marks[index]
    if colon:
        yield f"colon={min(back, 4)}"
    if piece.cell >= 0:
        yield "cell_first" if piece.first_in_cell else "cell"
    if token.box.height > _BIG:
        yield "big"
    if token.text.endswith((",", ";")):
        yield "comma"
    for where, roles in by_place:
        yield from (f"{where}={role}" for role in roles)

# SPDX-License-Identifier: Apache-2.0
"""Transaction sets as pages that a person can read: one segment a line, its meaning beside it.

An X12 file has no pages. The listing gives it some, so that each extracted value can be shown where
it stands, in review as on the status page. The words' boxes are exact, not recognised: the print is
monospaced, so a column is a place. The words are those of the file and no others; the numbers of
the segments and their meanings are only drawn beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import reportlab
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from idp.document import Block, Box, Page, Word, union_of
from idp.errors import TooLargeError
from idp.ingest.x12_meanings import heading, meaning
from idp.png import write_png
from idp.x12 import SEGMENT_BLOCK, TransactionSet, X12Segment, shown_words

DPI = 120
_WIDTH, _HEIGHT = 1020, 1320
"""US letter, in pixels."""
_ACROSS, _DOWN = 8, 16
"""Pixels of one character's place: the page is a grid of them."""
_SIZE = 8 / 0.6
"""Of the type, in pixels: every character of Courier is 600 thousandths of it wide."""
_TOP, _LEFT = 40, 42
_COLUMNS = (_WIDTH - 2 * _LEFT) // _ACROSS
LINES = (_HEIGHT - 2 * _TOP) // _DOWN
_FIRST_LINE = 2
"""Line 0 is the heading, line 1 is empty."""
MOST_ON_PAGE = LINES - _FIRST_LINE
"""Segments that a page holds when each takes one line."""
_RAW = 7
"""The column where segments begin, after their numbers."""
_MEANING = 68
"""The column where meanings begin."""
_RAW_WIDTH = _MEANING - 2 - _RAW
_MEANING_LINES = 2
_INDENT = 4
_CHARACTERS = 256
_LIGHT, _BOLD = _CHARACTERS, 2 * _CHARACTERS
"""Where the grey and the bold characters begin among all."""
_GREY = 0.6
"""How black what is not the segment's own is."""


class _Run(NamedTuple):
    """A word at its place."""

    text: str
    line: int
    column: int


class _Entry(NamedTuple):
    """A segment as laid out from line 0: what is drawn, and its words."""

    lines: int
    number: _Run
    drawn: tuple[_Run, ...]
    words: tuple[_Run, ...]
    beside: tuple[_Run, ...]
    cut: bool


def listing(transaction: TransactionSet, workspace: Path, max_pages: int) -> tuple[Page, ...]:
    """The pages of a transaction set, their images written below ``workspace``.

    Each segment is one block of kind :data:`~idp.x12.SEGMENT_BLOCK` on one page; the words of the
    block are those that :func:`~idp.x12.shown_words` tells, in its order.

    Raises:
        TooLargeError: more than ``max_pages`` pages.
    """
    if len(transaction.segments) > max_pages * MOST_ON_PAGE:
        raise _too_long(max_pages)
    pages: list[Page] = []
    title = heading(transaction)[:_COLUMNS]
    for number, sheet in enumerate(_sheets(transaction), start=1):
        if number > max_pages:
            raise _too_long(max_pages)
        path = workspace / f"listing-{number:04d}.png"
        write_png(path, _picture(sheet, title))
        pages.append(_page(sheet, number, path))
    return tuple(pages)


def _too_long(max_pages: int) -> TooLargeError:
    return TooLargeError(
        f"a transaction set has more segments than fit on ingest.max_pages {max_pages} pages"
    )


class _Sheet(NamedTuple):
    """One page: its entries with the line each begins on."""

    entries: tuple[tuple[int, X12Segment, _Entry], ...]


def _sheets(transaction: TransactionSet) -> Iterator[_Sheet]:
    entries: list[tuple[int, X12Segment, _Entry]] = []
    line = _FIRST_LINE
    for segment in transaction.segments:
        entry = _entry(segment, meaning(transaction, segment))
        if line + entry.lines > LINES and entries:
            yield _Sheet(tuple(entries))
            entries, line = [], _FIRST_LINE
        entries.append((line, segment, entry))
        line += entry.lines
    if entries:
        yield _Sheet(tuple(entries))


def _entry(segment: X12Segment, told: str) -> _Entry:
    words: list[_Run] = []
    drawn: list[_Run] = []
    line, column = 0, 0
    shown = shown_words(segment)
    for place, pieces in enumerate(shown):
        if place:
            if column >= _RAW_WIDTH:
                line, column = line + 1, _INDENT
            drawn.append(_Run("*", line, _RAW + column))
            column += 1
        for index, piece in enumerate(pieces):
            gap = 1 if index else 0
            if column + gap + len(piece) > _RAW_WIDTH and column > _INDENT:
                line, column, gap = line + 1, _INDENT, 0
            run = _Run(piece, line, _RAW + column + gap)
            words.append(run)
            drawn.append(run)
            column += gap + len(piece)
    cut = sum(len("".join(pieces)) for pieces in shown) < sum(
        len("".join(element.split())) for element in segment.elements
    )
    beside = _wrapped(told, max(line + 1, _MEANING_LINES))
    return _Entry(
        lines=max([line, *(run.line for run in beside)]) + 1,
        number=_Run(f"{segment.number:>6}", 0, 0),
        drawn=tuple(drawn),
        words=tuple(words),
        beside=beside,
        cut=cut,
    )


def _wrapped(text: str, lines: int) -> tuple[_Run, ...]:
    """The meaning, on so many lines at most; what does not fit is left out."""
    width = _COLUMNS - _MEANING
    runs: list[_Run] = []
    line = column = 0
    for word in text.split():
        word = word[:width]  # noqa: PLW2901 - a word is at most a line
        if column and column + 1 + len(word) > width:
            line, column = line + 1, 0
        if line >= lines:
            break
        gap = 1 if column else 0
        runs.append(_Run(word, line, _MEANING + column + gap))
        column += gap + len(word)
    return tuple(runs)


@cache
def _types() -> NDArray[np.uint8]:
    """Every character of Latin-1 as it is printed in its place: plain, then grey, then bold."""
    return np.concatenate(
        [_type("com_____.pfb", 1.0), _type("com_____.pfb", _GREY), _type("cob_____.pfb", 1.0)]
    )


def _type(name: str, black: float) -> NDArray[np.uint8]:
    """The characters of a Courier that reportlab carries, dark on white."""
    font = ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / name), _SIZE)
    places = np.zeros((_CHARACTERS, _DOWN, _ACROSS), np.uint8)
    for code in range(_CHARACTERS):
        if chr(code).isprintable():
            image = Image.new("L", (_ACROSS, _DOWN), 0)
            ImageDraw.Draw(image).text((0, 12), chr(code), font=font, fill=255, anchor="ls")
            places[code] = np.asarray(image)
    return 255 - (places * black).astype(np.uint8)


def _picture(sheet: _Sheet, title: str) -> NDArray[np.uint8]:
    """The page as a person sees it."""
    grid = np.full((LINES, _COLUMNS), ord(" "), np.uint16)

    def put(run: _Run, first: int, type_: int) -> None:
        codes = np.frombuffer(run.text.encode("latin-1"), np.uint8).astype(np.uint16)
        grid[first + run.line, run.column : run.column + len(codes)] = codes + type_

    put(_Run(title, 0, 0), 0, _BOLD)
    for first, _, entry in sheet.entries:
        for run in entry.drawn:
            put(run, first, 0)
        for run in (entry.number, *entry.beside):
            put(run, first, _LIGHT)
        if entry.cut:
            put(_Run("+", entry.lines - 1, _MEANING - 2), first, _LIGHT)
    laid = _types()[grid].swapaxes(1, 2).reshape(LINES * _DOWN, _COLUMNS * _ACROSS)
    page = np.full((_HEIGHT, _WIDTH), 255, np.uint8)
    page[_TOP : _TOP + laid.shape[0], _LEFT : _LEFT + laid.shape[1]] = laid
    page[_TOP + _DOWN + 2, _LEFT : _LEFT + laid.shape[1]] = 95  # the rule below the heading
    return page


def _page(sheet: _Sheet, number: int, path: Path) -> Page:
    segments = [
        [run._replace(line=first + run.line) for run in entry.words]
        for first, _, entry in sheet.entries
    ]
    words: list[Word] = []
    blocks: list[Block] = []
    for runs in segments:
        own = [
            Word(id=id, text=run.text, confidence=1.0, box=_box(run), line=run.line)
            for id, run in enumerate(runs, start=len(words))
        ]
        words += own
        blocks.append(
            Block(
                kind=SEGMENT_BLOCK,
                box=union_of([word.box for word in own]),
                text=" ".join(word.text for word in own),
                word_ids=tuple(word.id for word in own),
            )
        )
    return Page(
        number=number,
        width_px=_WIDTH,
        height_px=_HEIGHT,
        dpi=DPI,
        words_source="x12",
        words=tuple(words),
        blocks=tuple(blocks),
        image=str(path),
    )


def _box(run: _Run) -> Box:
    x0 = _LEFT + run.column * _ACROSS
    y0 = _TOP + run.line * _DOWN
    return Box(
        round(x0 / _WIDTH, 5),
        round(y0 / _HEIGHT, 5),
        round((x0 + len(run.text) * _ACROSS) / _WIDTH, 5),
        round((y0 + _DOWN) / _HEIGHT, 5),
    )

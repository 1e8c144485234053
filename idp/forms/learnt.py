# SPDX-License-Identifier: Apache-2.0
"""A blank form out of corrected copies, for layouts nobody published as a PDF.

What stands at the same place on most copies is the form's own print; where people confirmed or
corrected a field's value on several copies is its place. The result is registered like any other
form, so the next copy is recognised and read there, without training anything.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np

from idp.document import Box, DocumentType, Page
from idp.forms.nouns import SLACK, BlankForm, BlankPage, Place, PrintedWord
from idp.forms.recognise import FEWEST_WORDS, Fit, found_words, laid_on

FEWEST_COPIES = 3
"""Fewer copies can't tell print from writing that two people share."""
_ON_MOST = 0.6
"""Share of the copies on which a word must stand to be print."""
_FURTHER = 4
"""Further copies that are looked at for print that the first one lacks."""
_LIKE = 0.35
"""Least share of a copy's words found on another for the two to be laid on one another. Lower than
for recognising: here the writing of one copy is looked for on the other, too."""
_OFF = 0.02
"""How far a value may begin from the usual height, page heights, or from the usual left edge
(three times as far, page widths: writing begins where it likes)."""
_RIGHT = 0.8
"""Share of the copies on which a place must hold its value and nothing else."""
_MARGIN = (0.004, -0.004)
"""How much wider and flatter a place is than its values; reading gives it :data:`SLACK` again."""
_SAME_LINE = 0.008
"""How far apart the middles of words on one line may be, page heights."""
_ROOM = 0.15
"""How much further than any value seen a place may reach to the right, page widths."""


class KnownValue(NamedTuple):
    """Where a value stands that a person confirmed or corrected."""

    field: str
    page: int
    box: Box


class Copy(NamedTuple):
    """A corrected document: its pages, numbered from 1 within it, and its known values.

    ``complete`` says that a person looked at every field: then what has no value is blank.
    """

    pages: tuple[Page, ...]
    values: tuple[KnownValue, ...]
    complete: bool = True


def learn(
    name: str, type: DocumentType, copies: Sequence[Copy], fields: Collection[str]
) -> BlankForm | None:
    """The form that the copies are filled from; ``None`` where they do not tell.

    Args:
        name: What to call it.
        type: What its copies are.
        copies: Corrected documents of one layout, at least :data:`FEWEST_COPIES`.
        fields: The fields to find places for: of one value, written and not ticked.
    """
    if len(copies) < FEWEST_COPIES:
        return None
    pages: list[BlankPage] = []
    places: list[Place] = []
    for number in range(1, min(len(copy.pages) for copy in copies) + 1):
        learnt = _page(number, copies, fields)
        if learnt is not None:
            pages.append(learnt[0])
            places += learnt[1]
    if not places:
        return None
    content = "".join(p.model_dump_json() for p in (*pages, *places))
    return BlankForm(
        name=name,
        title=f"learnt from {len(copies)} corrected copies",
        type=type,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        pages=tuple(pages),
        places=tuple(places),
    )


def _page(
    number: int, copies: Sequence[Copy], fields: Collection[str]
) -> tuple[BlankPage, list[Place]] | None:
    """Print and places of one page, in the coordinates of a copy with the usual amount of print."""
    by_size = sorted(copies, key=lambda copy: len(copy.pages[number - 1].words))
    middle = len(by_size) // 2
    base, *others = by_size[middle:] + by_size[:middle]
    on = _laid(base, copies, number)
    if len(on) < FEWEST_COPIES:
        return None
    print_ = _print(base, on, number)
    for other in others[:_FURTHER]:  # what a reader lost on one copy stands on another
        laid = next((fit for copy, fit in on if copy is other), None)
        if laid is None:
            continue
        for word in _print(other, _laid(other, copies, number), number):
            box = _back(word.box, laid)
            if not any(_covers(known.box, box) or _covers(box, known.box) for known in print_):
                print_.append(PrintedWord(text=word.text, box=box))
    if len(print_) < FEWEST_WORDS:
        return None
    boxes: dict[str, list[Box]] = defaultdict(list)
    for copy, laid in on:
        for value in copy.values:
            if value.page == number and value.field in fields:
                boxes[value.field].append(_back(value.box, laid) if laid else value.box)
    own = [word.box for word in print_]
    strangers = _strangers(on, number)
    places = [
        place
        for field, seen in sorted(boxes.items())
        if (place := _place(number, field, seen, [*own, *_others(boxes, field)], strangers))
        and _holds(place, on, own)
    ]
    print_.sort(key=lambda word: (round(word.box.cy, 2), word.box.x0))
    return BlankPage(number=number, words=tuple(print_)), places


def _laid(base: Copy, copies: Sequence[Copy], number: int) -> list[tuple[Copy, Fit | None]]:
    """The copies that the base can be laid on, with how; itself with ``None``."""
    words = base.pages[number - 1].words
    found: list[tuple[Copy, Fit | None]] = []
    for copy in copies:
        if copy is base:
            found.append((copy, None))
            continue
        laid = laid_on(words, copy.pages[number - 1].words)
        if laid is not None and laid.score >= _LIKE:
            found.append((copy, laid))
    return found


def _print(base: Copy, on: Sequence[tuple[Copy, Fit | None]], number: int) -> list[PrintedWord]:
    """The base's words that stand on most copies, and on most of them in nobody's value."""
    words = base.pages[number - 1].words
    own = [word.box for word in words]
    counts, written = [0] * len(words), [0] * len(words)
    for copy, laid in on:
        page = copy.pages[number - 1]
        seen = found_words(words, page.words, laid) if laid else range(len(words))
        there = laid.moved(own) if laid else own
        values = [v.box for v in copy.values if v.page == number]
        for index in seen:
            counts[index] += 1
            written[index] += any(_covers(box, there[index]) for box in values)
    return [
        PrintedWord(text=word.text, box=word.box)
        for word, count, as_value in zip(words, counts, written, strict=True)
        if count >= _ON_MOST * len(on) and as_value < 0.5 * count
    ]


def _back(box: Box, laid: Fit) -> Box:
    """A box of the page that was laid on, in the coordinates of the base."""
    inverse = cv2.invertAffineTransform(laid.matrix)
    corners = np.array([box[:2], box[2:]], np.float64)
    (x0, y0), (x1, y1) = corners @ inverse[:, :2].T + inverse[:, 2]
    return Box(*(float(min(1.0, max(0.0, v))) for v in (x0, y0, x1, y1)))


def _holds(place: Place, on: Sequence[tuple[Copy, Fit | None]], print_: Sequence[Box]) -> bool:
    """Whether the place holds just what people said stands there, on nearly all copies.

    Layouts that flow (a longer list pushes the rest down) have no places; guessing one would take
    a value from the sources that find it by its label.
    """
    right = judged = 0
    for copy, laid in on:
        box, own = place.box, list(print_)
        if laid is not None:
            box, *own = laid.moved([box, *own])
        box = Box(box.x0 - SLACK[0], box.y0 - SLACK[1], box.x1 + SLACK[0], box.y1 + SLACK[1])
        known = [v.box for v in copy.values if (v.field, v.page) == (place.field, place.page)]
        if not known and not copy.complete:
            continue
        words = copy.pages[place.page - 1].words
        said = {w.id for w in words if any(_covers(b, w.box) for b in known)}
        inside = {
            w.id for w in words if _covers(box, w.box) and not any(_covers(b, w.box) for b in own)
        }
        judged += 1
        right += inside == said
    return right >= _RIGHT * judged


def _covers(outer: Box, inner: Box) -> bool:
    return outer.contains(inner.cx, inner.cy)


def _others(boxes: Mapping[str, Sequence[Box]], field: str) -> list[Box]:
    """Where the values of all other fields stand."""
    return [box for name, seen in boxes.items() if name != field for box in seen]


def _strangers(on: Sequence[tuple[Copy, Fit | None]], number: int) -> list[Box]:
    """What stands on the copies and in nobody's value: print, and what no field asks for."""
    found: list[Box] = []
    for copy, laid in on:
        values = [v.box for v in copy.values if v.page == number]
        words = copy.pages[number - 1].words
        boxes = [w.box for w in words if not any(_covers(box, w.box) for box in values)]
        found += [_back(box, laid) for box in boxes] if laid else boxes
    return found


def _place(
    number: int,
    field: str,
    seen: Sequence[Box],
    taken: Sequence[Box],
    strangers: Sequence[Box],
) -> Place | None:
    """Where a field stands: all values that lie together, with room up to what stands beside.

    On none of the copies may anything else stand in that room: a longer value would have less of
    it, but a shorter one must not take its neighbour in.
    """
    y, x = median(box.cy for box in seen), median(box.x0 for box in seen)
    usual = [box for box in seen if abs(box.cy - y) < _OFF and abs(box.x0 - x) < 3 * _OFF]
    if not usual or (len(seen) > 1 and len(usual) < 0.5 * len(seen)):
        return None
    across, down = _MARGIN
    x0, y0 = min(b.x0 for b in usual) - across, median(b.y0 for b in usual) - down
    x1, y1 = max(b.x1 for b in usual), median(b.y1 for b in usual) + down
    level = [b for b in taken if abs(b.cy - y) < _SAME_LINE]
    right = [*level, *(b for b in strangers if abs(b.cy - y) < _SAME_LINE)]
    beside = min((b.x0 for b in right if b.x0 >= x1 - across), default=1.0)
    x1 = max(x1, min(x1 + _ROOM, beside - across))
    before = max((b.x1 for b in level if b.x1 <= x), default=0.0)
    box = Box(max(x0, before), max(0.0, y0), min(1.0, x1), min(1.0, y1))
    return Place(page=number, box=box, kind="text", name=field, label=field, field=field)

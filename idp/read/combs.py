# SPDX-License-Identifier: Apache-2.0
"""Combs: rows of cells that take one character each, read as one word.

Closed cells, cells with open tops between short separators, and rows of single boxes with gaps are
found by their upright strokes. Each cell is cut out inside its walls, the characters are set side
by side as in ordinary print, and that strip is read once: the recogniser knows words, not letters
between walls. The separators are then wiped, so that a comb is one long field for whoever looks
for rules, cells and check boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from idp.read.comb_cells import CHARACTER, Comb, drawn
from idp.read.ocr import Image, Letter, Line, Region
from idp.read.pixels import Mask, Pixels, Rectangle, pieces
from idp.read.rules import Ruling, Stroke

_LEAST_FILLED = 3
_MOSTLY = 0.7
_CROWDED = 1.3  # characters per filled cell from which on it is a table
_INSET = 2
_WALLS = frozenset("Il1|[]_")
_LIKE_WALLS = frozenset("Il1TLE")
_READABLE = 0.6

Recognise = Callable[[Image, list[Region]], list[Line]]
"""Reads regions of an image: :meth:`idp.read.ocr.Ocr.recognise`."""


def find_combs(
    page: Image,
    pixels: Pixels,
    ruling: Ruling,
    lines: Sequence[Line],
    recognise: Recognise | None,
) -> list[Comb]:
    """The combs of a page that hold at least three characters.

    Args:
        page: Grey, upright.
        pixels: Its masks.
        ruling: Its rules; the cells stand on them.
        lines: What was read over the walls; used where ``recognise`` is missing.
        recognise: Reads the strips; ``None`` keeps the letters of ``lines``.
    """
    found = []
    for comb in drawn(pixels, ruling):
        filled = [_content(pixels.ink, cell, pixels.dpi) for cell in comb.cells]
        taken = sum(place is not None for place in filled)
        if taken < _least_filled(comb) or not _together(filled) or _crowded(comb, taken, lines):
            continue
        read = _read(page, comb, filled, recognise) if recognise else _placed(comb, filled, lines)
        if read is not None and _plausible(read):
            found.append(read)
    return found


def wipe(pixels: Pixels, combs: Sequence[Comb]) -> None:
    """Clears the walls between the cells from the masks, in place."""
    for comb in combs:
        left, _, right, _ = comb.rectangle
        for wall in comb.walls:
            if comb.closed and (wall.x0 <= left or wall.x1 >= right):
                continue  # the outer walls stay: they make the comb one cell
            for mask in (pixels.ink, pixels.faint, pixels.firm):
                mask[wall.y0 : wall.y1, max(0, wall.x0 - 1) : wall.x1 + 1] = 0


def joined(lines: Sequence[Line], combs: Sequence[Comb]) -> list[Line]:
    """The lines with one line per comb in place of what was read across its walls."""
    if not combs:
        return list(lines)

    def covered(x: float, y: float) -> bool:
        return any(_holds(comb, x, y) for comb in combs)

    kept = (line if line.turned else line.without(covered) for line in lines)
    return [*(line for line in kept if line), *(_line(comb) for comb in combs)]


def _holds(comb: Comb, x: float, y: float) -> bool:
    x0, y0, x1, y1 = comb.rectangle
    slack = 0.15 * (y1 - y0)
    return x0 - slack <= x <= x1 + slack and y0 - slack <= y <= y1 + slack


def _line(comb: Comb) -> Line:
    """The comb as a line whose letters stand in the middle of their cells."""
    x0, y0, x1, y1 = comb.rectangle
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    letters: list[Letter] = []
    blank = False
    for cell, inside in zip(comb.cells, comb.letters, strict=True):
        at = (cell.cx - x0) / (x1 - x0)
        if not inside:
            blank = bool(letters)
            continue
        if blank:
            letters.append(Letter(" ", 1.0, at - 0.5 * (cell.x1 - cell.x0) / (x1 - x0)))
            blank = False
        step = (cell.x1 - cell.x0) / (x1 - x0) / len(inside)
        letters += [
            replace(letter, at=at + (i - (len(inside) - 1) / 2) * step)
            for i, letter in enumerate(inside)
        ]
    return Line(Region(corners, 1.0), tuple(letters))


# What stands in them


def _content(ink: Mask, cell: Stroke, dpi: float) -> Rectangle | None:
    """The box around the print in a cell, or ``None`` where there is only dirt."""
    x0, y0 = cell.x0 + _INSET, cell.y0 + _INSET
    patch = ink[y0 : cell.y1 - _INSET + 1, x0 : cell.x1 - _INSET]
    if patch.size == 0:
        return None
    parts = pieces(np.ascontiguousarray(patch))
    large = parts[np.maximum(parts[:, 2], parts[:, 3]) >= CHARACTER * dpi]
    if not len(large):
        return None
    # Dots of an i and broken strokes belong to it, specks at the walls don't.
    left, top = int(large[:, 0].min()), int(large[:, 1].min())
    right = int((large[:, 0] + large[:, 2]).max())
    bottom = int((large[:, 1] + large[:, 3]).max())
    return x0 + left, y0 + top, x0 + right, y0 + bottom


def _least_filled(comb: Comb) -> int:
    return _LEAST_FILLED if comb.closed or comb.apart else _LEAST_FILLED + 1


def _together(filled: Sequence[Rectangle | None]) -> bool:
    """Whether most cells from the first to the last filled one are filled: words, not columns."""
    places = [i for i, place in enumerate(filled) if place is not None]
    return len(places) >= _MOSTLY * (places[-1] - places[0] + 1)


def _plausible(comb: Comb) -> bool:
    """Whether what was read is one character in almost every cell."""
    cells = [cell for cell in comb.letters if cell]
    letters = [letter for cell in cells for letter in cell]
    if not letters or sum(letter.score for letter in letters) < _READABLE * len(letters):
        return False
    if sum(len(cell) == 1 for cell in cells) < _MOSTLY * len(cells):
        return False
    if comb.closed or comb.apart:
        return True
    capitals = sum(letter.text.isdigit() or letter.text.isupper() for letter in letters)
    return len(letters) <= len(cells) + 1 and capitals >= _MOSTLY * len(letters)


def _crowded(comb: Comb, taken: int, lines: Sequence[Line]) -> bool:
    """Whether more was read across the cells than a character in each: print on a rule."""
    sure = firm = 0
    for line in lines:
        region = line.region
        middle = (region.y0 + region.y1) / 2
        if line.turned or not _holds(comb, comb.cells[0].cx, middle):
            continue
        for letter in line.letters:
            if _holds(comb, region.x0 + letter.at * region.width, middle):
                firm += letter.text not in _WALLS and letter.text != " "
                sure += letter.text.isalnum() and letter.text not in _LIKE_WALLS
    return sure > _CROWDED * taken + 1 if comb.closed or comb.apart else firm > taken + 1


def _read(
    page: Image, comb: Comb, filled: Sequence[Rectangle | None], recognise: Recognise
) -> Comb | None:
    strip, places = _strip(page, comb, filled)
    height, width = strip.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    (line,) = recognise(strip, [Region(corners, 1.0)])
    letters = [letter for letter in line.letters if letter.text.strip()]
    taken = [i for i, place in enumerate(filled) if place is not None]
    if not letters or not len(taken) / _CROWDED <= len(letters) <= _CROWDED * len(taken) + 1:
        return None
    inside: list[list[Letter]] = [[] for _ in comb.cells]
    if len(letters) == len(taken):
        for i, letter in zip(taken, letters, strict=True):
            inside[i].append(letter)
    else:
        for letter in letters:
            x = letter.at * width
            nearest = min(taken, key=lambda i: abs(places[i] - x))
            inside[nearest].append(letter)
    return replace(comb, letters=tuple(tuple(cell) for cell in inside))


def _strip(
    page: Image, comb: Comb, filled: Sequence[Rectangle | None]
) -> tuple[Image, dict[int, float]]:
    """The characters side by side as in print, and where each cell's middle lies in it."""
    boxes = [place for place in filled if place is not None]
    top = int(min(y0 for _, y0, _, _ in boxes))
    bottom = int(max(y1 for *_, y1 in boxes))
    tall = bottom - top
    margin = max(3, round(0.22 * tall))
    gap = np.full((tall + 2 * margin, max(3, round(0.16 * tall))), 255, np.uint8)
    blank = np.full((tall + 2 * margin, max(4, round(0.55 * tall))), 255, np.uint8)
    parts: list[Image] = [blank]
    places: dict[int, float] = {}
    at = blank.shape[1]
    waiting = False
    for i, place in enumerate(filled):
        if place is None:
            waiting = bool(places)
            continue
        if waiting:
            parts.append(blank)
            at += blank.shape[1]
            waiting = False
        cell = comb.cells[i]
        x0, x1 = max(cell.x0, int(place[0]) - 2), min(cell.x1, int(place[2]) + 2)
        y0, y1 = max(cell.y0, top - 2), min(cell.y1, bottom + 2)
        piece = np.full((gap.shape[0], x1 - x0), 255, np.uint8)
        low = margin + y0 - top
        piece[low : low + y1 - y0] = page[y0:y1, x0:x1]
        places[i] = at + (x1 - x0) / 2
        parts += [piece, gap]
        at += piece.shape[1] + gap.shape[1]
    parts.append(blank)
    return np.ascontiguousarray(np.hstack(parts)), places


def _placed(comb: Comb, filled: Sequence[Rectangle | None], lines: Sequence[Line]) -> Comb | None:
    """The comb with the letters that were read across its walls."""
    inside: list[list[Letter]] = [[] for _ in comb.cells]
    for line in lines:
        region = line.region
        middle = (region.y0 + region.y1) / 2
        if line.turned or not _holds(comb, (comb.cells[0].x0 + comb.cells[-1].x1) / 2, middle):
            continue
        for letter in line.letters:
            if not letter.text.strip() or letter.text in "|[]":
                continue
            x = region.x0 + letter.at * region.width
            nearest = min(range(len(inside)), key=lambda i: abs(comb.cells[i].cx - x))
            cell = comb.cells[nearest]
            if filled[nearest] is not None and cell.x0 - 4 <= x <= cell.x1 + 4:
                inside[nearest].append(letter)
    count = sum(map(len, inside))
    taken = sum(place is not None for place in filled)
    if count < _LEAST_FILLED or count > _CROWDED * taken + 1:
        return None
    return replace(comb, letters=tuple(tuple(cell) for cell in inside))

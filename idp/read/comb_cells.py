# SPDX-License-Identifier: Apache-2.0
"""Where the cells of combs are drawn: upright strokes in equal steps that stand on a level rule."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from idp.read.ocr import Letter
from idp.read.pixels import Mask, Pixels, Rectangle, opened, pieces
from idp.read.rules import Ruling, Stroke

# Inches.
_FOOT = 0.055
_TALLEST = 0.5
_THICKEST = 0.05
_WIDTH = (0.13, 0.42)
_LEVEL = 0.035
CHARACTER = 0.04
_ALONE = 0.09
_RUN = 0.115
_TALLEST_PRINT = 0.35
_TORN = 0.015

_LEAST_CELLS = 3
_MOST_LOST = 3
_MOST_CELLS = 60
_STANDING = 0.8
_HALF_DRAWN = 60  # of 255: a thin line in one of four pixels
_EQUAL = 0.06  # how far a wall may be from its place, in steps
_LOW_TOP = 1.9  # a cell much taller than wide is a column of a table
_NEAR_RULE = 4
_ALONE_SHARE = 0.2
_ALIKE = 0.65


@dataclass(frozen=True)
class Comb:
    """Cells from left to right, in pixels, and the characters in them (empty cells: no text)."""

    cells: tuple[Stroke, ...]
    letters: tuple[tuple[Letter, ...], ...] = ()
    walls: tuple[Stroke, ...] = field(default=(), repr=False)
    closed: bool = False
    apart: bool = False

    @property
    def rectangle(self) -> Rectangle:
        return (
            min(cell.x0 for cell in self.cells),
            min(cell.y0 for cell in self.cells),
            max(cell.x1 for cell in self.cells),
            max(cell.y1 for cell in self.cells),
        )

    @property
    def text(self) -> tuple[str, ...]:
        """What stands in each cell."""
        return tuple("".join(letter.text for letter in cell) for cell in self.letters)


def drawn(pixels: Pixels, ruling: Ruling) -> list[Comb]:
    """Rows of cells of one width: level rules on which upright strokes stand in equal steps."""
    combs: list[Comb] = []
    for rule in sorted(ruling.horizontal, key=lambda r: (r.y0, r.x0)):
        if rule.length < (_LEAST_CELLS - 1) * _WIDTH[0] * pixels.dpi:
            continue
        feet = _feet(pixels, rule)
        while len(feet) >= _LEAST_CELLS:
            walls = _even(feet, pixels.dpi)
            if len(walls) < _LEAST_CELLS:
                break
            comb = _comb(pixels, ruling, rule, walls, feet)
            if comb and not any(_covers(other, comb) for other in combs):
                combs.append(comb)
            inside = (feet >= walls[0] - 2) & (feet <= walls[-1] + 2)
            feet = feet[~inside]
    for comb in _boxes_apart(pixels):
        if not any(_covers(other, comb) for other in combs):
            combs.append(comb)
    return _whole(combs)


def _whole(combs: Sequence[Comb]) -> list[Comb]:
    """Pieces of one comb whose walls between were lost, put together again."""
    whole: list[Comb] = []
    for comb in sorted(combs, key=lambda c: c.cells[0].x0):
        first = comb.cells[0]
        for i, other in enumerate(whole):
            last = other.cells[-1]
            pitch = comb.cells[1].cx - first.cx
            steps = (first.cx - last.cx) / pitch
            if (
                abs(last.y1 - first.y1) <= 0.2 * pitch
                and abs(other.cells[1].cx - other.cells[0].cx - pitch) <= 0.1 * pitch
                and 0.8 <= steps <= _MOST_LOST + 1.2
                and abs(steps - round(steps)) <= 0.15
            ):
                top = min(last.y0, first.y0)
                lost = tuple(
                    Stroke(
                        round(last.x0 + i * (first.x0 - last.x0) / round(steps)),
                        top,
                        round(last.x1 + i * (first.x1 - last.x1) / round(steps)),
                        first.y1,
                    )
                    for i in range(1, round(steps))
                )
                whole[i] = Comb(
                    (*other.cells, *lost, *comb.cells),
                    walls=(*other.walls, *comb.walls),
                    closed=other.closed and comb.closed,
                    apart=other.apart and comb.apart,
                )
                break
        else:
            whole.append(comb)
    return whole


def _boxes_apart(pixels: Pixels) -> list[Comb]:
    """Rows of single boxes of one size with gaps between them: four or more."""
    dpi, (height, width) = pixels.dpi, pixels.faint.shape
    half = cv2.resize(
        pixels.faint, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA
    )
    _, mask = cv2.threshold(half, _HALF_DRAWN, 255, cv2.THRESH_BINARY)
    level = 2 * pieces(opened(np.asarray(mask, np.uint8), round(_RUN * dpi / 2), 1))
    level = level[
        (level[:, 2] >= _WIDTH[0] * dpi) & (level[:, 2] <= _WIDTH[1] * dpi) & (level[:, 3] <= 12)
    ]
    combs = []
    for row in _alike(level[np.lexsort((level[:, 0], level[:, 1]))].tolist(), dpi):
        tops, sides = [], []
        for x, y, w, h, _ in row:
            found = [_side(pixels.faint, at, y, dpi) for at in (x + h // 2, x + w - 1 - h // 2)]
            tops += [tall for _, tall in found]
            sides.append(found)
        tall = round(float(np.median(tops)))
        if not 0.5 * _WIDTH[0] * dpi <= tall <= _LOW_TOP * row[0][2]:
            continue
        boxes = [
            (piece, found)
            for piece, found in zip(row, sides, strict=True)
            if all(abs(t - tall) <= max(3, _LEVEL * dpi) for _, t in found)
        ]
        if len(boxes) <= _LEAST_CELLS or len(boxes) < _STANDING * len(row):
            continue
        y = round(float(np.median([piece[1] for piece, _ in boxes])))
        cells, walls = [], []
        for _, ((left, _), (right, _)) in boxes:
            thick = 2 + max(2, round(float(np.median([piece[3] for piece, _ in boxes])) / 2))
            cells.append(Stroke(left + thick, y - tall + thick, right - thick + 1, y))
            walls += [Stroke(x - thick, y - tall - 2, x + thick + 1, y + 2) for x in (left, right)]
        if cells[0].y1 - cells[0].y0 >= CHARACTER * dpi and cells[0].x1 > cells[0].x0 + 4:
            combs.append(Comb(tuple(cells), walls=tuple(walls), apart=True))
    return combs


def _alike(level: list[list[int]], dpi: float) -> list[list[list[int]]]:
    """Level strokes of one length side by side, four or more."""
    rows: list[list[list[int]]] = []
    for piece in level:
        x, y, w, *_ = piece
        for row in reversed(rows[-16:]):
            last = row[-1]
            if (
                abs(last[1] - y) <= _LEVEL * dpi
                and abs(last[2] - w) <= max(4, 2 * _EQUAL * w)
                and 0 < x - last[0] - last[2] <= w
            ):
                row.append(piece)
                break
        else:
            rows.append([piece])
    return [row for row in rows if len(row) > _LEAST_CELLS]


def _side(mask: Mask, x: int, y: int, dpi: float) -> tuple[int, int]:
    """Where near ``x`` the upright stroke is that goes up highest from ``y``, and how high."""
    tall, _, at = max((_height(mask, x + d, y - 1, dpi), -abs(d), x + d) for d in (-3, -1, 1, 3))
    return at, tall


def _covers(a: Comb, b: Comb) -> bool:
    ax0, ay0, ax1, ay1 = a.rectangle
    bx0, by0, bx1, by1 = b.rectangle
    return min(ax1, bx1) - max(ax0, bx0) > 0 and min(ay1, by1) - max(ay0, by0) > 0.3 * (by1 - by0)


def _feet(pixels: Pixels, rule: Stroke) -> NDArray[np.float64]:
    """Middles of the thin upright strokes that stand on a rule, from left to right."""
    foot = round(_FOOT * pixels.dpi)
    x0, x1 = max(0, rule.x0 - 4), rule.x1 + 4
    band = pixels.faint[max(0, rule.y0 - foot) : max(0, rule.y0 - 1), x0:x1]
    if band.shape[0] < 4:
        return np.zeros(0)
    # A stroke may lean by a pixel: what counts is ink in a column or beside it.
    leaning = cv2.dilate(band, np.ones((1, 3), np.uint8))
    columns = np.asarray((leaning > 0).mean(axis=0) >= _STANDING, np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], columns, [0]))))
    starts, ends = edges[::2], edges[1::2]
    thin = ends - starts <= _THICKEST * pixels.dpi + 2
    starts, ends = starts[thin], ends[thin]
    if len(starts) < _LEAST_CELLS:
        return np.zeros(0)
    # Separators stand alone; where letters stand on a rule, others touch it beside them.
    touched = np.concatenate(([0], np.cumsum(_touching(band))))
    reach = round(_ALONE * pixels.dpi)
    left, right = np.maximum(0, starts - reach), np.minimum(len(touched) - 1, ends + reach)
    beside = touched[right] - touched[left] - (touched[ends] - touched[starts])
    alone = beside <= _ALONE_SHARE * 2 * reach
    return np.asarray(x0 + (starts + ends - 1)[alone] / 2, np.float64)


def _touching(band: Mask) -> NDArray[np.bool_]:
    """Columns in which something reaches the foot of the band."""
    return np.asarray((band[-_NEAR_RULE:] > 0).all(axis=0), np.bool_)


def _even(feet: NDArray[np.float64], dpi: float) -> NDArray[np.float64]:
    """The longest run of places in equal steps; where one stroke is missing its place is filled in.

    Without such a run the answer is empty.
    """
    places = feet.tolist()
    low, high = _WIDTH[0] * dpi, _WIDTH[1] * dpi
    best: list[float] = []
    most = _LEAST_CELLS - 1
    for i, start in enumerate(places):
        for other in places[i + 1 : i + 4]:
            if low <= other - start <= high:
                run, hits = _walked(places, start, other)
                if hits > most and hits >= _STANDING * len(run):
                    best, most = run, hits
    return np.asarray(best, np.float64)


def _walked(places: list[float], start: float, second: float) -> tuple[list[float], int]:
    """Where steps like the first one lead, and how many strokes stand there."""
    run, hits, missed = [start, second], 2, False
    while True:
        pitch = (run[-1] - run[0]) / (len(run) - 1)
        goal = run[-1] + pitch
        slack = min(max(2.0, _EQUAL * pitch), 5.0)
        at = bisect.bisect_left(places, goal - slack)
        if at < len(places) and places[at] <= goal + slack:
            nearest = min(
                (p for p in places[at : at + 3] if p <= goal + slack), key=lambda p: abs(p - goal)
            )
            run.append(nearest)
            hits, missed = hits + 1, False
        elif missed or goal > places[-1]:
            return (run[:-1] if missed else run), hits
        else:
            run.append(goal)
            missed = True


def _comb(
    pixels: Pixels,
    ruling: Ruling,
    rule: Stroke,
    walls: NDArray[np.float64],
    feet: NDArray[np.float64],
) -> Comb | None:
    dpi = pixels.dpi
    pitch = float(np.diff(walls).mean())
    heights = [_height(pixels.faint, round(x), rule.y0, dpi) for x in walls]
    tall = float(np.median(heights))
    alike = np.abs(np.array(heights) - tall) <= max(2.0, 0.012 * dpi)
    if float(alike.mean()) < _ALIKE:
        return None
    if not _FOOT * dpi <= tall <= min(_TALLEST * dpi, _LOW_TOP * pitch):
        return None
    top = round(rule.y0 - tall)
    ceiling = [
        r
        for r in ruling.horizontal
        if abs(r.cy - top) <= _LEVEL * dpi
        and min(r.x1, walls[-1]) - max(r.x0, walls[0]) >= 0.7 * (walls[-1] - walls[0])
    ]
    half = _half_width(pixels.faint, walls, rule.y0, round(_FOOT * dpi))
    if not ceiling:  # separators only: one cell more at either end of the line
        if abs(rule.x0 - (walls[0] - pitch)) <= 0.2 * pitch:
            walls = np.insert(walls, 0, walls[0] - pitch)
        if abs(rule.x1 - (walls[-1] + pitch)) <= 0.2 * pitch:
            walls = np.append(walls, walls[-1] + pitch)
    if len(walls) <= _LEAST_CELLS or len(walls) > _MOST_CELLS:
        return None
    sides = [*pairwise(walls.tolist())]
    gap = _gap(walls, feet, pitch) if ceiling else 0.0
    if gap:  # single boxes: each has walls of its own
        sides = [(a, b - gap) for a, b in sides]
        last = walls[-1] + pitch - gap
        if np.abs(feet - last).min() <= 5:
            sides.append((float(walls[-1]), last))
        if np.abs(feet - walls[0] + gap).min() <= 5:
            sides.insert(0, (float(walls[0] - pitch), float(walls[0] - gap)))
    edges = [(round(a + half) + 1, round(b - half)) for a, b in sides]
    top = max(r.y1 for r in ceiling) if ceiling else _open_top(pixels, edges, rule.y0)
    if rule.y0 - top < CHARACTER * dpi:
        return None
    reach = math.ceil(half)
    return Comb(
        tuple(Stroke(x0, top, x1, rule.y0) for x0, x1 in edges),
        walls=tuple(
            Stroke(round(x) - reach, round(rule.y0 - tall), round(x) + reach + 1, rule.y0)
            for x in dict.fromkeys(x for side in sides for x in side)
        ),
        closed=bool(ceiling) and not gap,
        apart=gap > 0,
    )


def _gap(walls: NDArray[np.float64], feet: NDArray[np.float64], pitch: float) -> float:
    """How far apart the boxes of a row are whose left walls are ``walls``; 0 for shared walls."""
    best, most = 0.0, _STANDING * (len(walls) - 1)
    for foot in feet[(feet > walls[0] + 0.5 * pitch) & (feet < walls[1] - 5)].tolist():
        gap = walls[1] - foot
        hits = sum(float(np.abs(feet - wall + gap).min()) <= 4 for wall in walls[1:])
        if hits >= most:
            best, most = float(gap), hits
    return best


def _height(mask: Mask, x: int, y: int, dpi: float) -> int:
    """How far ink goes up from ``(x, y)`` with gaps of a torn row or two."""
    highest = max(0, y - round(1.3 * _TALLEST * dpi))
    rows = np.asarray(mask[highest:y, max(0, x - 1) : x + 2].any(axis=1), np.bool_)[::-1]
    last, gap = 0, 0
    for i, drawn in enumerate(rows.tolist()):
        if drawn:
            last, gap = i + 1, 0
        else:
            gap += 1
            if gap > _TORN * dpi:
                break
    return last


def _half_width(mask: Mask, walls: NDArray[np.float64], y: int, foot: int) -> float:
    """Half the usual thickness of the walls."""
    wide = []
    for x in walls.tolist():
        at = round(x)
        patch = mask[max(0, y - foot) : y - 1, max(0, at - 8) : at + 9]
        columns = np.asarray(np.mean(patch > 0, axis=0) > 0.5, np.bool_).tolist()
        left = right = min(8, at)
        while left > 0 and columns[left - 1]:
            left -= 1
        while right + 1 < len(columns) and columns[right + 1]:
            right += 1
        wide.append(right - left + 1)
    return float(np.median(wide)) / 2


def _open_top(pixels: Pixels, edges: list[tuple[int, int]], bottom: int) -> int:
    """Where the characters above a line end: at the first white gap above their feet."""
    dpi = pixels.dpi
    highest = max(0, bottom - round(_TALLEST_PRINT * dpi))
    patches = [pixels.ink[highest : bottom - 1, max(0, a + 2) : b - 2] for a, b in edges]
    counts = np.sum([(patch > 0).sum(axis=1) for patch in patches], axis=0)[::-1]
    across = sum(patch.shape[1] for patch in patches)
    least = 2 + 0.01 * across
    started, blank = False, 0
    for i, count in enumerate(counts.tolist()):
        if count > 0.6 * across and i > 0.07 * dpi:
            return bottom - i + 2  # the upper line of a frame
        if count > least:
            started, blank = True, 0
        elif started:
            blank += 1
            if blank >= max(3, 0.015 * dpi) and i > 0.07 * dpi:
                return bottom - 1 - i + blank - 2
    return highest

# SPDX-License-Identifier: Apache-2.0
"""The order in which a person reads a page: columns one after the other, tables row by row.

Words come numbered by printed row, straight across the page. Here the page is cut up instead:

1. Rows break into **runs** at wide gaps, at vertical rules and at the borders of cells.
2. Cells that touch make an **area**: it is read row by row where its borders let it be cut from
   side to side, else part by part from the left; within a cell as within a page.
3. White gaps that go on from row to row are **gutters**. One is believed to part columns only
   where both sides are texts of their own: lines that run on from one to the next, that stand at
   other heights than their neighbours, or blocks under a title each. All other gaps (a label and
   its value, the columns of a table) leave a row a row.
4. From top to bottom, the page is cut between rows wherever no such gutter goes through, and from
   left to right at the gutters (a recursive X-Y cut: Nagy and Seth 1984).

All lengths are in heights of the page's usual line, so that neither resolution nor size of print
matters.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import NamedTuple

import numpy as np

from idp.document import Box, Page, Word, union_of
from idp.read.gutters import GUTTER, MANY, Gutter, Part, Run, parting_gutters

_RUN_GAP = 1.3
_WIDE_BLANK = 0.6
_FAR_WIDER = 2.2
_TOUCH = 0.35
_STANDS = 1.5  # print this much higher than wide is turned


class Scale(NamedTuple):
    """Line heights per page width and per page height."""

    x: float
    y: float

    def of(self, box: Box) -> Box:
        """A page-relative box in line heights."""
        return Box(box.x0 * self.x, box.y0 * self.y, box.x1 * self.x, box.y1 * self.y)

    def back(self, box: Box) -> Box:
        """A box in line heights, page-relative again."""
        return Box(box.x0 / self.x, box.y0 / self.y, box.x1 / self.x, box.y1 / self.y)


def scale_of(page: Page) -> Scale:
    """Line heights of a page; one of an inch's eighth where there are no words."""
    usual = _usual(page.words)
    height = max(usual * page.height_px if usual else page.dpi / 8, 1.0)
    return Scale(page.width_px / height, page.height_px / height)


def _usual(words: Sequence[Word]) -> float:
    return median([word.box.height for word in words]) if words else 0.0


def in_parts(page: Page) -> list[Part]:
    """The page's words as parts in reading order; every word is in exactly one of them."""
    scale = scale_of(page)
    level, turned = _upright(page)
    areas, homes = _areas(page, scale, level)
    upright = [scale.of(r.box) for r in page.rules if r.orientation == "vertical"]
    across = [scale.of(r.box) for r in page.rules if r.orientation == "horizontal"]
    loose: list[Run] = []
    inside: dict[int, list[tuple[int, Run]]] = {}
    for run, home in _runs(level, scale, homes, upright):
        if home is None:
            loose.append(run)
        else:
            inside.setdefault(home[0], []).append((home[1], run))
    parts = [
        _read_area(areas[number], members, across, upright)
        for number, members in sorted(inside.items())
    ]
    ordered = _read([*loose, *parts], across, upright)
    return [*ordered, *_turned_parts(turned, scale)]


def reading_order(page: Page) -> tuple[int, ...]:
    """The ids of all words of a page, each once, in the order in which a person reads them."""
    return tuple(word.id for part in in_parts(page) for word in part.words)


def _upright(page: Page) -> tuple[list[Word], list[Word]]:
    """Words that lie level, and words that stand on end: far higher than wide, and than a line."""
    line = _usual(page.words)
    level: list[Word] = []
    turned: list[Word] = []
    for word in page.words:
        x0, y0, x1, y1 = word.box
        narrow = (y1 - y0) * page.height_px > _STANDS * (x1 - x0) * page.width_px
        stands = narrow and len(word.text) >= 3 and y1 - y0 > 1.8 * line
        (turned if stands else level).append(word)
    return level, turned


def _turned_parts(words: Sequence[Word], scale: Scale) -> list[Part]:
    """Print that stands on end (margins, stamps), from left to right."""
    made = []
    for word in sorted(words, key=lambda w: (w.box.x0, w.box.y0)):
        run = Run((word,), scale.of(word.box))
        made.append(Part("turned", ((run,),), run.box))
    return made


# --- cells -------------------------------------------------------------------------------------


class _Area(NamedTuple):
    box: Box
    cells: tuple[Box, ...]


_Home = tuple[int, int]
"""Number of the area, and of the cell in it (-1: between its cells)."""


def _areas(page: Page, scale: Scale, words: Sequence[Word]) -> tuple[list[_Area], dict[int, _Home]]:
    """Cells that touch, and the words that stand in them."""
    cells = _without_frames([scale.of(cell.box) for cell in page.cells])
    if not cells or not words:
        return [], {}
    areas = [_Area(union_of(group), tuple(group)) for group in _touching(cells)]
    flat = [(n, i, cell) for n, area in enumerate(areas) for i, cell in enumerate(area.cells)]
    centres = np.array([((b := scale.of(w.box)).cx, b.cy) for w in words])
    homes: dict[int, _Home] = {}
    _place(homes, words, centres, [(n, -1, area.box) for n, area in enumerate(areas)])
    _place(homes, words, centres, flat)
    filled = {number for number, _ in homes.values()}
    return [a if n in filled else a._replace(cells=()) for n, a in enumerate(areas)], homes


def _place(
    homes: dict[int, _Home],
    words: Sequence[Word],
    centres: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    boxes: Sequence[tuple[int, int, Box]],
) -> None:
    """Notes for every word the smallest box that its middle stands in."""
    for number, cell, box in sorted(boxes, key=lambda b: -b[2].width * b[2].height):
        inside = (
            (centres[:, 0] >= box.x0)
            & (centres[:, 0] <= box.x1)
            & (centres[:, 1] >= box.y0)
            & (centres[:, 1] <= box.y1)
        )
        for i in np.flatnonzero(inside).tolist():
            homes[words[i].id] = (number, cell)


def _without_frames(cells: Sequence[Box]) -> list[Box]:
    """The cells without those that only frame others (the border of a page, of a section)."""
    if len(cells) < 2:
        return list(cells)
    boxes = np.array(cells)
    middles = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)
    kept = []
    for i, cell in enumerate(cells):
        holds = (
            (middles[:, 0] > cell.x0)
            & (middles[:, 0] < cell.x1)
            & (middles[:, 1] > cell.y0)
            & (middles[:, 1] < cell.y1)
        )
        holds[i] = False
        if not holds.any():
            kept.append(cell)
    return kept


def _touching(cells: Sequence[Box]) -> list[list[Box]]:
    """Cells in groups that hang together, each with its cells from top to bottom."""
    boxes = np.array(cells)
    apart_x = np.maximum(boxes[:, None, 0], boxes[None, :, 0]) - np.minimum(
        boxes[:, None, 2], boxes[None, :, 2]
    )
    apart_y = np.maximum(boxes[:, None, 1], boxes[None, :, 1]) - np.minimum(
        boxes[:, None, 3], boxes[None, :, 3]
    )
    # Corner to corner is no border in common.
    near = (apart_x < _TOUCH) & (apart_y < _TOUCH) & ((apart_x < 0) | (apart_y < 0))
    group = np.full(len(cells), -1)
    count = 0
    for first in range(len(cells)):
        if group[first] >= 0:
            continue
        front = [first]
        group[first] = count
        while front:
            fresh = np.flatnonzero(near[front.pop()] & (group < 0))
            group[fresh] = count
            front.extend(fresh.tolist())
        count += 1
    return [
        sorted((cells[i] for i in np.flatnonzero(group == g).tolist()), key=lambda b: (b.y0, b.x0))
        for g in range(count)
    ]


def _read_area(
    area: _Area,
    members: Sequence[tuple[int, Run]],
    across: Sequence[Box],
    upright: Sequence[Box],
) -> Part:
    """An area's words: its cells in order, each read like a page of its own."""
    within: dict[int, list[Run]] = {}
    for cell, run in members:
        within.setdefault(cell, []).append(run)
    items: list[tuple[Box, tuple[tuple[Run, ...], ...]]] = []
    for cell, runs in within.items():
        if cell < 0:  # a border was lost: every run stands for itself
            items.extend((run.box, ((run,),)) for run in runs)
            continue
        parts = _read(runs, across, upright)
        items.append((area.cells[cell], tuple(row for part in parts for row in part.rows)))
    rows = tuple(row for _, rows in _cut(items) for row in rows)
    return Part("area", rows, area.box, area.cells)


_Item = tuple[Box, tuple[tuple[Run, ...], ...]]


def _cut(items: list[_Item]) -> list[_Item]:
    """Items cut from side to side where that can be, else from top to bottom, again and again."""
    if len(items) < 2:
        return items
    for low, high in ((1, 3), (0, 2)):
        groups = _parted(items, low, high)
        if len(groups) > 1:
            return [item for group in groups for item in _cut(group)]
    return sorted(items, key=lambda item: (item[0].y0, item[0].x0))


def _parted(items: Sequence[_Item], low: int, high: int) -> list[list[_Item]]:
    groups: list[list[_Item]] = []
    end = -MANY
    for item in sorted(items, key=lambda it: it[0][low]):
        if item[0][low] >= end - _TOUCH:
            groups.append([])
        groups[-1].append(item)
        end = max(end, item[0][high])
    return groups


# --- runs --------------------------------------------------------------------------------------


def _runs(
    words: Sequence[Word], scale: Scale, homes: dict[int, _Home], upright: Sequence[Box]
) -> list[tuple[Run, _Home | None]]:
    found: list[tuple[Run, _Home | None]] = []
    walls = sorted((wall.cx, wall.y0, wall.y1) for wall in upright)
    for _, row in groupby(sorted(words, key=lambda w: (w.line, w.box.x0)), key=lambda w: w.line):
        line = [(word, scale.of(word.box)) for word in row]
        usual = _usual_gap([box for _, box in line])
        members: list[Word] = []
        boxes: list[Box] = []
        for word, box in line:
            if members and (
                homes.get(word.id) != homes.get(members[-1].id)
                or _is_wide(box.x0 - boxes[-1].x1, min(box.height, boxes[-1].height), usual)
                or _walled(boxes[-1], box, walls)
            ):
                found.append((Run(tuple(members), union_of(boxes)), homes.get(members[-1].id)))
                members, boxes = [], []
            members.append(word)
            boxes.append(box)
        found.append((Run(tuple(members), union_of(boxes)), homes.get(members[-1].id)))
    return found


def _usual_gap(boxes: Sequence[Box]) -> float:
    """The usual blank of a row; without enough words to tell, that of print set wide."""
    gaps = [b.x0 - a.x1 for a, b in pairwise(boxes)]
    return median(gaps) if len(gaps) >= 3 else _WIDE_BLANK


def _is_wide(gap: float, height: float, usual: float) -> bool:
    """Whether a gap is no blank between two words: wide as such, or far wider than its fellows."""
    return gap > _RUN_GAP * max(0.7, height) or (gap > GUTTER and gap > _FAR_WIDER * usual)


def _walled(a: Box, b: Box, walls: Sequence[tuple[float, float, float]]) -> bool:
    """Whether a vertical rule (place, top, bottom; sorted) stands between neighbours of a row."""
    left, right, y = (a.x0 + a.x1) / 2, (b.x0 + b.x1) / 2, (a.y0 + a.y1 + b.y0 + b.y1) / 4
    for x, top, bottom in walls[bisect.bisect_right(walls, (left, MANY)) :]:
        if x >= right:
            return False
        if top <= y <= bottom:
            return True
    return False


# --- gutters and bands -------------------------------------------------------------------------


def _read(items: Sequence[Run | Part], across: Sequence[Box], upright: Sequence[Box]) -> list[Part]:
    """Loose runs and areas in reading order; runs of one stretch come as one part."""
    gutters = parting_gutters(items, across, upright)
    ordered: list[Part] = []
    rows: list[tuple[Run, ...]] = []

    def close() -> None:
        if rows:
            box = union_of([run.box for row in rows for run in row])
            ordered.append(Part("text", tuple(rows), box))
            rows.clear()

    for step in _steps(list(items), gutters, 0):
        if isinstance(step, Part):
            close()
            ordered.append(step)
        elif step is None:
            close()
        else:
            rows.append(step)
    close()
    return ordered


_Step = tuple[Run, ...] | Part | None
"""A row, an area, or a break that no paragraph crosses."""

_DEEPEST = 12


def _steps(items: list[Run | Part], gutters: Sequence[Gutter], depth: int) -> list[_Step]:
    found: list[_Step] = []
    for band in _bands(items, gutters):
        columns = _columns(band, gutters) if depth < _DEEPEST else [band]
        if len(columns) > 1:
            for column in columns:
                found += [None, *_steps(column, gutters, depth + 1), None]
        else:
            found += _in_rows(band)
    return found


def _core(item: Run | Part) -> tuple[float, float]:
    """Top and bottom of what surely shares a row; letters' boxes are roomy, areas are exact."""
    box = item.box
    inset = 0.0 if isinstance(item, Part) else 0.3 * box.height
    return box.y0 + inset, box.y1 - inset


def _bands(items: Sequence[Run | Part], gutters: Sequence[Gutter]) -> list[list[Run | Part]]:
    """Items cut from side to side, wherever no item stands and no gutter goes through."""
    if not items:
        return []
    left, right = min(i.box.x0 for i in items), max(i.box.x1 for i in items)
    spans = [(*_core(item), item) for item in items]
    glued: list[tuple[float, float, Run | Part | None]] = [*spans]
    for g in gutters:
        if left < (g.x0 + g.x1) / 2 < right:
            held = [s for s in spans if g.y0 <= (s[0] + s[1]) / 2 <= g.y1]
            if held:
                glued.append((min(s[0] for s in held), max(s[1] for s in held), None))
    bands: list[list[Run | Part]] = []
    end = -MANY
    for top, bottom, item in sorted(glued, key=lambda s: s[0]):
        if top >= end:
            bands.append([])
        if item is not None:
            bands[-1].append(item)
        end = max(end, bottom)
    return [band for band in bands if band]


def _columns(band: list[Run | Part], gutters: Sequence[Gutter]) -> list[list[Run | Part]]:
    """A band cut at its gutters; where an area stands beside text, at any white between them."""
    top, bottom = min(i.box.y0 for i in band), max(i.box.y1 for i in band)
    left, right = min(i.box.x0 for i in band), max(i.box.x1 for i in band)
    cuts: list[float] = []
    for g in sorted(gutters, key=lambda g: g.y0 - g.y1):
        middle = (g.x0 + g.x1) / 2
        inside = left < middle < right and g.y0 < bottom and g.y1 > top
        if inside and not any(i.box.x0 < middle < i.box.x1 for i in band):
            cuts.append(middle)
    if not cuts and any(isinstance(item, Part) for item in band):
        end = -MANY
        for item in sorted(band, key=lambda i: i.box.x0):
            if end > -MANY and item.box.x0 >= end - _TOUCH:
                cuts.append((item.box.x0 + end) / 2)
            end = max(end, item.box.x1)
    columns: list[list[Run | Part]] = [[] for _ in range(len(cuts) + 1)]
    edges = sorted(cuts)
    for item in band:
        columns[sum(item.box.cx > edge for edge in edges)].append(item)
    return [column for column in columns if column]


def _in_rows(band: Sequence[Run | Part]) -> list[_Step]:
    """Rows from top to bottom, each from left to right; an area where its top stands."""
    rows: list[list[Run]] = []
    found: list[tuple[float, _Step]] = [
        (item.box.y0, item) for item in band if isinstance(item, Part)
    ]
    for run in sorted((i for i in band if isinstance(i, Run)), key=lambda r: r.box.cy):
        line = run.words[0].line
        mine = [row for row in rows[-3:] if row[0].words[0].line == line]
        if mine:
            mine[0].append(run)
        else:
            rows.append([run])
    for row in rows:
        row.sort(key=lambda r: r.box.x0)
        found.append((min(r.box.cy for r in row), tuple(row)))
    return [step for _, step in sorted(found, key=lambda pair: pair[0])]

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median
from typing import Literal, NamedTuple

import numpy as np

from idp.document import Box, Page, Word, union_of

_RUN_GAP = 1.3
_GUTTER = 0.8  # narrowest gutter
_WIDE_BLANK = 0.6
_FAR_WIDER = 2.2
_FAR = 6.0  # a gutter does not go on over so much white between two rows
_NEXT_LINE = 1.1  # white between two lines of one stack
_NEXT_PARAGRAPH = 1.7  # and between two paragraphs of one column
_RUNS_ON = 0.3  # of the lines of prose and more begin in the middle of a sentence
_TOUCH = 0.35
_STANDS = 1.5  # print this much higher than wide is turned
_MANY = 1e6


class Run(NamedTuple):
    """Words of one row that belong together, in reading order."""

    words: tuple[Word, ...]
    box: Box
    """In line heights."""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class Part:
    """A piece of the page that is read as one, in the order of its ``rows``.

    ``kind`` is ``area`` for cells that touch, ``turned`` for print that stands on end, and ``text``
    for everything else; ``columns`` tells in how many white-parted columns the rows stand.
    """

    kind: Literal["text", "area", "turned"]
    rows: tuple[tuple[Run, ...], ...]
    box: Box
    cells: tuple[Box, ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for row in self.rows for run in row for word in run.words)


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


class _Pair(NamedTuple):
    """What stands nearest to a gutter in one row, and how many runs there are in the row."""

    left: Run | None
    right: Run | None
    runs: int

    @property
    def boxes(self) -> list[Box]:
        return [run.box for run in (self.left, self.right) if run is not None]


@dataclass(frozen=True)
class _Gutter:
    """White from ``x0`` to ``x1`` beside the rows of ``pairs``, from top to bottom."""

    x0: float
    x1: float
    pairs: tuple[_Pair, ...]

    @property
    def y0(self) -> float:
        return min(box.y0 for pair in self.pairs for box in pair.boxes)

    @property
    def y1(self) -> float:
        return max(box.y1 for pair in self.pairs for box in pair.boxes)

    @property
    def left(self) -> list[Run]:
        return _distinct([pair.left for pair in self.pairs])

    @property
    def right(self) -> list[Run]:
        return _distinct([pair.right for pair in self.pairs])

    def stretches(self) -> list[_Gutter]:
        """The gutter in pieces, cut where both sides leave more than a line white."""
        pieces: list[list[_Pair]] = []
        end = -_MANY
        for pair in self.pairs:
            if min(box.y0 for box in pair.boxes) - end > _NEXT_LINE:
                pieces.append([])
            pieces[-1].append(pair)
            end = max(end, *(box.y1 for box in pair.boxes))
        return [_Gutter(self.x0, self.x1, tuple(piece)) for piece in pieces]

    def without_tables(self) -> list[_Gutter]:
        """The gutter in as few pieces as leave out the stretches that are surely of a table."""
        pieces: list[list[_Pair]] = [[]]
        for stretch in self.stretches():
            if _is_table(stretch):
                pieces.append([])
            else:
                pieces[-1].extend(stretch.pairs)
        return [_Gutter(self.x0, self.x1, tuple(piece)) for piece in pieces if piece]

    def below_heads(self) -> list[_Gutter]:
        """The gutter from where two titles stand side by side, if it does not begin with them."""
        for i, pair in enumerate(self.pairs[1:], 1):
            if pair.left and pair.right and _share_a_word(pair.left.text, pair.right.text):
                return [_Gutter(self.x0, self.x1, self.pairs[i:])]
        return []


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
    end = -_MANY
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
    return gap > _RUN_GAP * max(0.7, height) or (gap > _GUTTER and gap > _FAR_WIDER * usual)


def _walled(a: Box, b: Box, walls: Sequence[tuple[float, float, float]]) -> bool:
    """Whether a vertical rule (place, top, bottom; sorted) stands between neighbours of a row."""
    left, right, y = (a.x0 + a.x1) / 2, (b.x0 + b.x1) / 2, (a.y0 + a.y1 + b.y0 + b.y1) / 4
    for x, top, bottom in walls[bisect.bisect_right(walls, (left, _MANY)) :]:
        if x >= right:
            return False
        if top <= y <= bottom:
            return True
    return False


# --- gutters and bands -------------------------------------------------------------------------


def _read(items: Sequence[Run | Part], across: Sequence[Box], upright: Sequence[Box]) -> list[Part]:
    """Loose runs and areas in reading order; runs of one stretch come as one part."""
    gutters: list[_Gutter] = []
    for gutter in _gutters(items, across):
        pieces = gutter.without_tables()  # two columns may stand above or below a table
        if not any(_parts_columns(piece, upright) for piece in pieces):
            pieces = [*gutter.stretches(), *gutter.below_heads()]
        gutters += [piece for piece in pieces if _parts_columns(piece, upright)]
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


def _steps(items: list[Run | Part], gutters: Sequence[_Gutter], depth: int) -> list[_Step]:
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


def _bands(items: Sequence[Run | Part], gutters: Sequence[_Gutter]) -> list[list[Run | Part]]:
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
    end = -_MANY
    for top, bottom, item in sorted(glued, key=lambda s: s[0]):
        if top >= end:
            bands.append([])
        if item is not None:
            bands[-1].append(item)
        end = max(end, bottom)
    return [band for band in bands if band]


def _columns(band: list[Run | Part], gutters: Sequence[_Gutter]) -> list[list[Run | Part]]:
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
        end = -_MANY
        for item in sorted(band, key=lambda i: i.box.x0):
            if end > -_MANY and item.box.x0 >= end - _TOUCH:
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


class _Row(NamedTuple):
    """One printed row: its runs from left to right, and the white beside and between them."""

    runs: tuple[Run, ...]
    top: float
    bottom: float
    gaps: tuple[tuple[float, float], ...]


def _row(runs: Sequence[Run]) -> _Row:
    edges = [-_MANY, *(v for run in runs for v in (run.box.x0, run.box.x1)), _MANY]
    return _Row(
        tuple(runs),
        min(run.box.y0 for run in runs),
        max(run.box.y1 for run in runs),
        tuple(zip(edges[::2], edges[1::2], strict=True)),
    )


def _gutters(items: Sequence[Run | Part], across: Sequence[Box]) -> list[_Gutter]:
    """White that goes on over two rows or more with print at both sides."""
    rows = [_row(runs) for runs in _rows_of(items)]
    found: list[_Gutter] = []
    taken: list[list[tuple[float, float]]] = [[] for _ in rows]
    for seed, row in enumerate(rows):
        for x0, x1 in _seeds(row, rows[seed + 1] if seed + 1 < len(rows) else None):
            if any(t0 >= x0 and t1 <= x1 for t0, t1 in taken[seed]):
                continue
            white, up = _grown(rows, seed, -1, (x0, x1), across)
            white, down = _grown(rows, seed, 1, white, across)
            for i in range(up, down + 1):
                taken[i].append(white)
            gutter = _trimmed([row.runs for row in rows[up : down + 1]], *white)
            if gutter is not None:
                found.append(gutter)
    return found


def _seeds(row: _Row, below: _Row | None) -> Iterator[tuple[float, float]]:
    """White between neighbours of a row, or between runs of two rows that stand side by side."""
    if below is not None:  # columns whose lines stand at other heights
        end = -_MANY
        for x0, x1 in sorted((run.box.x0, run.box.x1) for run in (*row.runs, *below.runs)):
            if x0 - end >= _GUTTER and end > -_MANY:
                yield end, x0
            end = max(end, x1)
    for x0, x1 in row.gaps[1:-1]:
        if x1 - x0 >= _GUTTER:
            yield x0, x1


def _rows_of(items: Sequence[Run | Part]) -> list[list[Run]]:
    """Loose runs by printed row; areas stand in the rows beside them as one blank run each."""
    lines: dict[int, list[Run]] = {}
    areas = []
    for item in items:
        if isinstance(item, Part):
            areas.append(Run((), item.box))
        else:
            lines.setdefault(item.words[0].line, []).append(item)
    rows = sorted(lines.values(), key=lambda row: row[0].box.cy)
    for row in rows:
        middle = row[0].box.cy
        row.extend(area for area in areas if area.box.y0 < middle < area.box.y1)
        row.sort(key=lambda run: run.box.x0)
    return rows


def _grown(
    rows: Sequence[_Row],
    seed: int,
    step: Literal[-1, 1],
    white: tuple[float, float],
    across: Sequence[Box],
) -> tuple[tuple[float, float], int]:
    """How far a white gap goes on from row to row, and how much of its width is left there."""
    at = seed
    while 0 <= at + step < len(rows):
        here, there = rows[at], rows[at + step]
        upper, lower = (here, there) if step > 0 else (there, here)
        if lower.top - upper.bottom > _FAR:
            break
        x0, x1 = white
        left, right = x0, x0
        for a, b in there.gaps:
            low, high = max(x0, a), min(x1, b)
            if high - low > right - left:
                left, right = low, high
        if right - left < _GUTTER or _closed(across, (left, right), upper.bottom, lower.top):
            break
        white, at = (left, right), at + step
    return white, at


def _closed(across: Sequence[Box], white: tuple[float, float], bottom: float, top: float) -> bool:
    """Whether a rule runs from side to side between two rows, over the gap and beyond."""
    low, high = min(bottom, top) - 0.2, max(bottom, top) + 0.2
    return any(
        low <= rule.cy <= high and rule.x0 < white[0] - 1 and rule.x1 > white[1] + 1
        for rule in across
    )


def _trimmed(rows: Sequence[Sequence[Run]], x0: float, x1: float) -> _Gutter | None:
    """The gutter from where print stands at both sides to where it ends at one of them."""
    left = [
        max((r for r in row if r.box.x1 <= x0 + 0.01), key=_right, default=None) for row in rows
    ]
    right = [
        min((r for r in row if r.box.x0 >= x1 - 0.01), key=_left, default=None) for row in rows
    ]
    lefts = [i for i, run in enumerate(left) if run is not None]
    rights = [i for i, run in enumerate(right) if run is not None]
    if not lefts or not rights:
        return None
    first, last = max(lefts[0], rights[0]), min(lefts[-1], rights[-1])
    if last < first:
        return None  # one above the other
    first = _along(left if first == rights[0] else right, first, -1)
    last = _along(left if last == rights[-1] else right, last, 1)
    pairs = tuple(
        _Pair(left[i], right[i], len(rows[i]))
        for i in range(first, last + 1)
        if left[i] is not None or right[i] is not None
    )
    return _Gutter(x0, x1, pairs)


def _left(run: Run) -> float:
    return run.box.x0


def _right(run: Run) -> float:
    return run.box.x1


def _distinct(runs: Sequence[Run | None]) -> list[Run]:
    kept: list[Run] = []
    for run in runs:
        if run is not None and (not kept or run is not kept[-1]):
            kept.append(run)
    return kept


def _along(side: Sequence[Run | None], at: int, step: Literal[-1, 1]) -> int:
    """How far a side goes on, line under line, beyond the row where the other side ends."""
    behind = range(at, -1 if step > 0 else len(side), -step)
    last = next(run for i in behind if (run := side[i]) is not None)
    ahead = at + step
    while 0 <= ahead < len(side):
        run = side[ahead]
        if run is not None:
            white = max(run.box.y0 - last.box.y1, last.box.y0 - run.box.y1)
            flush = abs(run.box.x0 - last.box.x0) < 0.3
            if white > (_NEXT_PARAGRAPH if flush else _NEXT_LINE):
                break
            if run.box.overlap_x(last.box) <= 0:
                break
            last, at = run, ahead
        ahead += step
    return at


def _parts_columns(gutter: _Gutter, upright: Sequence[Box]) -> bool:
    """Whether the two sides are texts of their own, rather than labels and values, or a table."""
    left = [run for run in gutter.left if run.words]
    right = [run for run in gutter.right if run.words]
    for texts, others in ((left, gutter.right), (right, gutter.left)):
        areas = [run for run in others if not run.words]
        if len(areas) == 1 and areas[0].box.height > 3 and len(texts) >= 3:
            return True
    few = min(len(left), len(right))
    if few < 2 or max(_numeric(left), _numeric(right)) > 0.4:
        return False
    level = _level(gutter)
    flowing = _runs_on(left), _runs_on(right)
    if all(flowing) or (few >= 3 and len(level) <= 0.5 * few):
        return True
    if any(flowing) and _stacked(right if flowing[0] else left):
        return True
    height = gutter.y1 - gutter.y0
    walls = [w for w in upright if gutter.x0 - 0.5 <= w.cx <= gutter.x1 + 0.5]
    if few >= 3 and any(min(w.y1, gutter.y1) - max(w.y0, gutter.y0) > 0.7 * height for w in walls):
        return True
    return not _crowded(gutter) and _headed(left, right)


def _level(gutter: _Gutter) -> list[_Pair]:
    """The rows with print at both sides."""
    return [pair for pair in gutter.pairs if pair.left is not None and pair.right is not None]


def _crowded(gutter: _Gutter) -> bool:
    """Whether its rows have more than these two sides, as those of a table have."""
    level = _level(gutter)
    return sum(pair.runs > 2 for pair in level) > 0.3 * len(level)


def _is_table(gutter: _Gutter) -> bool:
    """Whether its rows are surely those of a table: figures, or more runs than the two sides."""
    left = [run for run in gutter.left if run.words]
    right = [run for run in gutter.right if run.words]
    flowing = _runs_on(left), _runs_on(right)
    if len(gutter.pairs) < 3 or all(flowing):
        return False
    if len(_level(gutter)) >= 3 and max(_numeric(left), _numeric(right)) > 0.4:
        return True
    more = sum(pair.runs > len(pair.boxes) for pair in gutter.pairs)
    return not any(flowing) and 2 * more > len(gutter.pairs)


def _runs_on(runs: Sequence[Run]) -> bool:
    """Whether lines go on from one to the next, as prose does and no table or form."""
    if len(runs) < 3 or median([len(run.text) for run in runs]) < 12:
        return False
    return sum(run.text[:1].islower() for run in runs) >= _RUNS_ON * len(runs)


def _numeric(runs: Sequence[Run]) -> float:
    """Share of runs that are mostly figures: amounts, dates, codes; no addresses."""
    return sum(
        ":" not in run.text
        and 3 * sum(c.isdigit() for c in run.text) >= 2 * sum(c.isalnum() for c in run.text) > 0
        for run in runs
    ) / max(1, len(runs))


def _stacked(runs: Sequence[Run]) -> bool:
    """Whether lines stand close below one another, as in an address."""
    return len(runs) >= 3 and all(b.box.y0 - a.box.y1 <= _NEXT_LINE for a, b in pairwise(runs))


def _headed(left: Sequence[Run], right: Sequence[Run]) -> bool:
    """Whether both sides begin side by side with a head of their own.

    Either titles of one kind ("To Provider" and "From Provider"), titles above labels ("Member"
    and "Physician" above "Name: ..."), or labels above stacks of plain lines ("From:" and "To:"
    above addresses).
    """
    heads = left[0], right[0]
    rest = left[1:], right[1:]
    if abs(heads[0].box.cy - heads[1].box.cy) > 0.5 or min(map(len, rest)) < 2:
        return False
    labelled = [sum(":" in run.text for run in side) / len(side) for side in rest]
    if all(_is_head(head.text) for head in heads):
        return min(labelled) >= 0.5 or _share_a_word(heads[0].text, heads[1].text)
    if all(head.text.endswith(":") for head in heads):
        stacks = _stacked(left) and _stacked(right)
        return max(labelled) == 0 and max(map(len, rest)) <= 7 and stacks
    return False


def _is_head(text: str) -> bool:
    plain = ":" not in text and not any(c.isdigit() for c in text)
    return plain and any(c.isalpha() for c in text) and len(text.split()) <= 6


def _share_a_word(one: str, other: str) -> bool:
    """Whether two titles have a word of four letters or more in common."""
    return any(len(word) >= 4 for word in {*one.lower().split()} & {*other.lower().split()})

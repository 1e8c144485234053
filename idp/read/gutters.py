# SPDX-License-Identifier: Apache-2.0
"""White that goes on from row to row, and whether it parts columns.

All lengths are in heights of the page's usual line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

from idp.document import Box, Word

GUTTER = 0.8  # narrowest gutter
MANY = 1e6
_FAR = 6.0  # a gutter does not go on over so much white between two rows
_NEXT_LINE = 1.1  # white between two lines of one stack
_NEXT_PARAGRAPH = 1.7  # and between two paragraphs of one column
_RUNS_ON = 0.3  # of the lines of prose and more begin in the middle of a sentence


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


class _Pair(NamedTuple):
    """What stands nearest to a gutter in one row, and how many runs there are in the row."""

    left: Run | None
    right: Run | None
    runs: int

    @property
    def boxes(self) -> list[Box]:
        return [run.box for run in (self.left, self.right) if run is not None]


@dataclass(frozen=True)
class Gutter:
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

    def stretches(self) -> list[Gutter]:
        """The gutter in pieces, cut where both sides leave more than a line white."""
        pieces: list[list[_Pair]] = []
        end = -MANY
        for pair in self.pairs:
            if min(box.y0 for box in pair.boxes) - end > _NEXT_LINE:
                pieces.append([])
            pieces[-1].append(pair)
            end = max(end, *(box.y1 for box in pair.boxes))
        return [Gutter(self.x0, self.x1, tuple(piece)) for piece in pieces]

    def without_tables(self) -> list[Gutter]:
        """The gutter in as few pieces as leave out the stretches that are surely of a table."""
        pieces: list[list[_Pair]] = [[]]
        for stretch in self.stretches():
            if _is_table(stretch):
                pieces.append([])
            else:
                pieces[-1].extend(stretch.pairs)
        return [Gutter(self.x0, self.x1, tuple(piece)) for piece in pieces if piece]

    def below_heads(self) -> list[Gutter]:
        """The gutter from where two titles stand side by side, if it does not begin with them."""
        for i, pair in enumerate(self.pairs[1:], 1):
            if pair.left and pair.right and _share_a_word(pair.left.text, pair.right.text):
                return [Gutter(self.x0, self.x1, self.pairs[i:])]
        return []


def parting_gutters(
    items: Sequence[Run | Part], across: Sequence[Box], upright: Sequence[Box]
) -> list[Gutter]:
    """The gutters that part columns, each as far as its columns go.

    Args:
        items: Loose runs and areas of one page or one cell.
        across: Level rules; no gutter goes through them.
        upright: Vertical rules; columns may have one between them.
    """
    gutters: list[Gutter] = []
    for gutter in _gutters(items, across):
        pieces = gutter.without_tables()  # two columns may stand above or below a table
        if not any(_parts_columns(piece, upright) for piece in pieces):
            pieces = [*gutter.stretches(), *gutter.below_heads()]
        gutters += [piece for piece in pieces if _parts_columns(piece, upright)]
    return gutters


class _Row(NamedTuple):
    """One printed row: its runs from left to right, and the white beside and between them."""

    runs: tuple[Run, ...]
    top: float
    bottom: float
    gaps: tuple[tuple[float, float], ...]


def _row(runs: Sequence[Run]) -> _Row:
    edges = [-MANY, *(v for run in runs for v in (run.box.x0, run.box.x1)), MANY]
    return _Row(
        tuple(runs),
        min(run.box.y0 for run in runs),
        max(run.box.y1 for run in runs),
        tuple(zip(edges[::2], edges[1::2], strict=True)),
    )


def _gutters(items: Sequence[Run | Part], across: Sequence[Box]) -> list[Gutter]:
    """White that goes on over two rows or more with print at both sides."""
    rows = [_row(runs) for runs in _rows_of(items)]
    found: list[Gutter] = []
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
        end = -MANY
        for x0, x1 in sorted((run.box.x0, run.box.x1) for run in (*row.runs, *below.runs)):
            if x0 - end >= GUTTER and end > -MANY:
                yield end, x0
            end = max(end, x1)
    for x0, x1 in row.gaps[1:-1]:
        if x1 - x0 >= GUTTER:
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
        if right - left < GUTTER or _closed(across, (left, right), upper.bottom, lower.top):
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


def _trimmed(rows: Sequence[Sequence[Run]], x0: float, x1: float) -> Gutter | None:
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
    return Gutter(x0, x1, pairs)


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


def _parts_columns(gutter: Gutter, upright: Sequence[Box]) -> bool:
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


def _level(gutter: Gutter) -> list[_Pair]:
    """The rows with print at both sides."""
    return [pair for pair in gutter.pairs if pair.left is not None and pair.right is not None]


def _crowded(gutter: Gutter) -> bool:
    """Whether its rows have more than these two sides, as those of a table have."""
    level = _level(gutter)
    return sum(pair.runs > 2 for pair in level) > 0.3 * len(level)


def _is_table(gutter: Gutter) -> bool:
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

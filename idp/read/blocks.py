# SPDX-License-Identifier: Apache-2.0
"""What the pieces of a page are: titles, paragraphs, lists, tables, form areas, headers, footers.

By geometry and punctuation alone, without a model. The kinds are those of the public layout data
sets (PubLayNet, DocLayNet) and what forms add to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from idp.document import Block, Box, Page, Word, union_of
from idp.read.gutters import Part, Run
from idp.read.order import in_parts, scale_of

TITLE, TEXT, LIST, TABLE, FORM = "title", "text", "list", "table", "form"
HEADER, FOOTER, MARGIN, FIGURE = "header", "footer", "margin", "figure"

_Kind = Literal["plain", "list", "form", "columns"]

_TALLER = 1.3
_LINE_GAP = {"plain": 0.9, "list": 1.1, "form": 1.6, "columns": 1.8}  # of the usual line
_FEWEST_ROWS = 3  # of a table without rules
_MOST_TITLE_LETTERS = 90
_HEADER_ENDS, _FOOTER_BEGINS = 0.06, 0.92  # of the page's height
_STANDS_OFF = 1.2

_LABEL = re.compile(r"[^\W\d][)\]*]?\s?:(?=\s|$|_)")
_BULLET = re.compile(r"^(?:[\u2022\u25cf\u25aa\u25e6\u00b7*\u2013-]|\(?(?:\d{1,2}|[a-zA-Z])[.)])\s")
_PAGE_OF = re.compile(r"\bpage\s*:?\s*\d+|\b\d{1,3}\s*(?:/|of)\s*\d{1,3}\b", re.IGNORECASE)
_TIME = re.compile(r"\d{1,2}:\d{2}")


class Group(NamedTuple):
    """Rows that make one block."""

    kind: str
    rows: tuple[tuple[Run, ...], ...]
    box: Box
    """In line heights."""

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for row in self.rows for run in row for word in run.words)

    @property
    def text(self) -> str:
        return "\n".join(" ".join(run.text for run in row) for row in self.rows)


def find_blocks(
    page: Page, image: NDArray[np.uint8], layout_model: str | None = None
) -> tuple[Block, ...]:
    """The page's blocks in reading order, by geometry, and as a layout model sees them.

    Args:
        page: Words, marks, rules and cells; blocks that it has already are left out.
        image: The upright page, grey.
        layout_model: Name of a layoutparser model whose regions tell what the blocks are; see
            :func:`idp.read.layout.load_detector`, also for the errors.
    """
    blocks = group_blocks(page)
    if layout_model is None:
        return blocks
    # Loaded for those alone who name a model.
    from idp.read.layout import load_detector, renamed  # noqa: PLC0415

    detector = load_detector(layout_model)
    return renamed(page, blocks, detector.detect(np.stack([image] * 3, axis=-1)))


def group_blocks(page: Page) -> tuple[Block, ...]:
    """The page's blocks in reading order; every word is in exactly one of them."""
    scale = scale_of(page)
    marks = [scale.of(mark.box) for mark in page.marks]
    groups = [group for part in in_parts(page) for group in _groups(part, marks)]
    groups = _titled(groups)
    bodies, outer = _with_margins(groups, scale.y)
    ordered = [*outer[HEADER], *bodies, *outer[FOOTER], *outer[MARGIN]]
    return tuple(
        Block(
            kind=group.kind,
            box=Box(*(round(min(1.0, max(0.0, v)), 5) for v in scale.back(group.box))),
            text=group.text,
            confidence=round(fmean(word.confidence for word in group.words), 4),
            word_ids=tuple(word.id for word in group.words),
        )
        for group in ordered
    )


def _groups(part: Part, marks: Sequence[Box]) -> Iterator[Group]:
    if part.kind == "turned":
        yield Group(MARGIN, part.rows, part.box)
    elif part.kind == "area" and len(part.cells) > 1:
        yield Group(TABLE if _is_grid(part) else FORM, part.rows, part.box)
    else:
        yield from _stretches(part.rows, marks)


def _is_grid(area: Part) -> bool:
    """Whether an area is a table: rows of cells with the same borders, and few labels in them.

    A form has rules too, but its cells differ from row to row or say what they want: "Name: ...".
    """
    rows: dict[int, list[Box]] = {}
    for cell in area.cells:
        rows.setdefault(round(cell.y0 * 2), []).append(cell)
    edges = [tuple(round(cell.x0) for cell in row) for row in rows.values() if len(row) > 1]
    alike = max((edges.count(edge) * len(edge) for edge in edges), default=0)
    labels = sum(bool(_LABEL.search(run.text)) for row in area.rows for run in row)
    runs = sum(len(row) for row in area.rows)
    return 2 * alike > len(area.cells) and alike >= 4 and labels <= 0.15 * runs


def _stretches(rows: Sequence[tuple[Run, ...]], marks: Sequence[Box]) -> Iterator[Group]:
    """Rows of one kind that stand close below one another."""
    kinds = [_kind(row, marks) for row in rows]
    for i in range(len(rows) - 2, -1, -1):
        if kinds[i + 1] == "columns" and _heads(rows[i], rows[i + 1]):
            kinds[i] = "columns"
    start = 0
    for i in range(1, len(rows) + 1):
        if i < len(rows) and _goes_on(rows[i - 1], rows[i], kinds[i - 1], kinds[i]):
            continue
        chosen = rows[start:i]
        kind = {"plain": TEXT, "list": LIST, "form": FORM, "columns": TABLE}[kinds[start]]
        if kind == TABLE and len(chosen) < _FEWEST_ROWS:
            kind = FORM
        if kind == LIST and len(chosen) < 2:
            kind = TEXT
        yield Group(kind, tuple(chosen), union_of([run.box for row in chosen for run in row]))
        start = i


def _kind(row: Sequence[Run], marks: Sequence[Box]) -> _Kind:
    box = union_of([run.box for run in row])
    text = " ".join(run.text for run in row)
    if _LABEL.search(text) or any(
        box.y0 < mark.cy < box.y1 and box.x0 - 3 < mark.cx < box.x1 + 3 for mark in marks
    ):
        return "form"
    if len(row) >= 3 or (len(row) == 2 and any(_figures(run.text) for run in row)):
        return "columns"
    if len(row) == 2:
        return "form"
    return "list" if _BULLET.match(text) else "plain"


def _heads(row: Sequence[Run], below: Sequence[Run]) -> bool:
    """Whether a row stands right above one of columns, with a head for each of them."""
    return (
        1 < len(row) == len(below)
        and not any(_LABEL.search(run.text) for run in row)
        and all(a.box.overlap_x(b.box) > 0 for a, b in zip(row, below, strict=True))
    )


def _figures(text: str) -> bool:
    return 2 * sum(c.isdigit() for c in text) >= sum(c.isalnum() for c in text) > 0


def _goes_on(above: Sequence[Run], below: Sequence[Run], kind: _Kind, next_kind: _Kind) -> bool:
    a, b = union_of([run.box for run in above]), union_of([run.box for run in below])
    low, high = sorted((_height(above), _height(below)))
    if b.y0 - a.y1 > _LINE_GAP[kind] * low or a.y0 > b.y0:
        return False
    if kind == "list":  # what a bullet says may take several lines
        return next_kind == "list" or (
            next_kind == "plain" and b.x0 > a.x0 + 0.3 and b.y0 - a.y1 < 0.6 * low
        )
    if kind != next_kind:
        # A short or empty column leaves a row of a table that looks like plain text.
        return kind == "columns" and next_kind in ("plain", "form") and b.y0 - a.y1 < 0.5 * low
    if kind == "plain":
        return high < _TALLER * low and a.overlap_x(b) > 0.4 * min(a.width, b.width)
    return True


def _height(row: Sequence[Run]) -> float:
    return median([run.box.height for run in row])


def _titled(groups: Sequence[Group]) -> list[Group]:
    """Groups of few, tall or capital lines are titles."""
    heights = [_height(row) for group in groups for row in group.rows if group.kind != MARGIN]
    usual = median(heights) if heights else 1.0
    return [
        group._replace(kind=TITLE)
        if group.kind in (TEXT, FORM) and _is_title(group, usual)
        else group
        for group in groups
    ]


def _is_title(group: Group, usual: float) -> bool:
    text = group.text
    letters = sum(c.isalpha() for c in text)
    if len(group.rows) > 3 or letters < 3 or len(text) > _MOST_TITLE_LETTERS:
        return False
    tall = median([_height(row) for row in group.rows]) > _TALLER * usual
    if group.kind == FORM:
        return tall and len(group.rows) == 1 and len(group.rows[0]) == 1 and text[-1] != ":"
    capitals = sum(c.isupper() for c in text) > 0.9 * letters and letters >= 0.7 * len(
        text.replace(" ", "")
    )
    return tall or (capitals and len(group.rows) == 1 and len(group.words) >= 2)


def _with_margins(
    groups: Sequence[Group], height: float
) -> tuple[list[Group], dict[str, list[Group]]]:
    """The body of a page, and what stands at its edges: header, footer, print on end."""
    margin = [group for group in groups if group.kind == MARGIN]
    bodies = [group for group in groups if group.kind != MARGIN]
    header: list[Group] = []
    for group in sorted(bodies, key=lambda g: g.box.cy):
        if not _at_top(group, bodies, header, height):
            break  # nothing below the first line of the body is a header
        header.append(group)
    footer: list[Group] = []
    for group in sorted(bodies, key=lambda g: -g.box.cy):
        if group in header or not _at_bottom(group, bodies, height):
            break
        footer.append(group)
    outer = {HEADER: header, FOOTER: footer, MARGIN: margin}
    taken = {id(group) for group in (*header, *footer)}
    for kind in (HEADER, FOOTER):
        ordered = sorted(outer[kind], key=lambda g: (round(g.box.cy), g.box.x0))
        outer[kind] = [group._replace(kind=kind) for group in ordered]
    return [group for group in bodies if id(group) not in taken], outer


def _at_top(group: Group, groups: Sequence[Group], above: Sequence[Group], height: float) -> bool:
    if group.box.y1 > _HEADER_ENDS * height or len(group.rows) > 2:
        return False
    if _PAGE_OF.search(group.text) or _TIME.search(group.text):
        return True  # what a fax machine prints
    below = min((g.box.y0 for g in groups if g.box.cy > group.box.y1), default=height)
    return group.kind in (TEXT, FORM) and not above and below - group.box.y1 > _STANDS_OFF


def _at_bottom(group: Group, groups: Sequence[Group], height: float) -> bool:
    if group.box.y0 < _FOOTER_BEGINS * height or len(group.rows) > 3:
        return False
    if _PAGE_OF.search(group.text) and len(group.words) < 12:
        return True
    above = max((g.box.y1 for g in groups if g.box.cy < group.box.y0), default=0.0)
    return group.box.y0 - above > 0.6

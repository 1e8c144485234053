# SPDX-License-Identifier: Apache-2.0
"""The print that asks for each place: the words left of it, above it, or (for ticks) beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idp.document import Box
from idp.forms.nouns import BlankPage, Labelled, PrintedWord, Widget

_SECTION = re.compile(r"^(section|part)\s+[0-9ivx]+[a-z]?\b|^(section|part)\s+[a-h]\b", re.I)
_REACH_LEFT, _REACH_UP, _REACH_RIGHT = 0.30, 0.035, 0.22
"""How far a label stands from its place, in page widths and heights."""
_MOST_WORDS = 14
_GAP = 0.035
"""A wider gap between two words of a line parts two labels."""


def lines_of(words: Sequence[PrintedWord]) -> list[list[int]]:
    """The places of the words, line by line from top to bottom, each from left to right."""
    lines: list[list[int]] = []
    for index in sorted(range(len(words)), key=lambda i: words[i].box.cy):
        box = words[index].box
        for line in reversed(lines[-4:]):
            last = words[line[-1]].box
            if abs(last.cy - box.cy) < 0.5 * min(last.height, box.height):
                line.append(index)
                break
        else:
            lines.append([index])
    return [sorted(line, key=lambda i: words[i].box.x0) for line in lines]


def labelled(page: BlankPage, widgets: Sequence[Widget], section: str = "") -> list[Labelled]:
    """Each widget of the page with its label and section.

    Args:
        page: The print.
        widgets: Those of this page.
        section: The title in force at the top of the page.
    """
    lines = [
        said
        for line in lines_of(page.words)
        if (said := [i for i in line if any(c.isalnum() for c in page.words[i].text)])
    ]
    titles = _titles(page, lines)
    inside = {
        index
        for widget in widgets
        for index, word in enumerate(page.words)
        if widget.box.contains(word.box.cx, word.box.cy) and widget.box.height < 0.03
    }
    made = []
    for widget in widgets:
        if widget.kind in ("check", "radio"):
            chosen = _beside(page, lines, widget, widgets)
        else:
            chosen = _left(page, lines, widget, widgets, inside)
            if not chosen:
                chosen = _above(page, lines, widget, widgets)
        above = [title for y, title in titles if y < widget.box.cy]
        made.append(
            Labelled(
                widget=widget,
                label=" ".join(page.words[i].text for i in chosen),
                section=above[-1] if above else section,
                label_words=tuple(chosen),
            )
        )
    return made


def last_title(page: BlankPage, section: str) -> str:
    """The title in force at the foot of the page."""
    titles = _titles(page, lines_of(page.words))
    return titles[-1][1] if titles else section


def is_title(text: str) -> bool:
    """Whether a printed line is the title of a section."""
    return len(text) > 8 and _SECTION.match(text) is not None


def _titles(page: BlankPage, lines: Sequence[Sequence[int]]) -> list[tuple[float, str]]:
    found = []
    for line in lines:
        text = " ".join(page.words[i].text for i in line)
        if is_title(text):
            found.append((page.words[line[0]].box.cy, text[:160]))
    return found


def _runs(page: BlankPage, line: Sequence[int]) -> list[list[int]]:
    """A line cut where its words stand far apart."""
    runs: list[list[int]] = []
    for index in line:
        if runs and page.words[index].box.x0 - page.words[runs[-1][-1]].box.x1 < _GAP:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _left(
    page: BlankPage,
    lines: Sequence[Sequence[int]],
    widget: Widget,
    widgets: Sequence[Widget],
    inside: set[int],
) -> list[int]:
    """The words before it on its line, back to another place or a wide gap."""
    box = widget.box
    stop = max(
        (
            other.box.x1
            for other in widgets
            if other is not widget
            and other.box.x1 <= box.x0 + 0.005
            and other.box.overlap_y(box) > 0.4 * min(other.box.height, box.height)
        ),
        default=0.0,
    )
    middle = box.cy if box.height < 0.03 else box.y0 + 0.01
    for line in lines:
        first = page.words[line[0]].box
        if not first.y0 - 0.004 <= middle <= first.y1 + 0.006:
            continue
        before = [
            i
            for i in line
            if page.words[i].box.cx < box.x0 and page.words[i].box.x0 >= stop - 0.005
        ]
        before = [i for i in before if page.words[i].box.x0 > box.x0 - _REACH_LEFT]
        runs = _runs(page, before)
        if runs and box.x0 - page.words[runs[-1][-1]].box.x1 < _GAP:
            return runs[-1][-_MOST_WORDS:]
    # A label in the upper left corner of the place's own cell.
    own = [i for i in sorted(inside) if box.contains(page.words[i].box.cx, page.words[i].box.cy)]
    return own[:_MOST_WORDS]


def _above(
    page: BlankPage, lines: Sequence[Sequence[int]], widget: Widget, widgets: Sequence[Widget]
) -> list[int]:
    """The nearest line over it that it shares most of its width with, up to another place."""
    box = widget.box
    right = min(
        (
            other.box.x0
            for other in widgets
            if other.box.x0 >= box.x1 - 0.005
            and other.box.overlap_y(box) > 0.4 * min(other.box.height, box.height)
        ),
        default=1.0,
    )
    for line in reversed(lines):
        y = page.words[line[0]].box.cy
        if not box.y0 - _REACH_UP < y < box.y0 + 0.3 * box.height:
            continue
        over = [i for i in line if box.x0 - 0.02 < page.words[i].box.cx < max(box.x1, right - 0.01)]
        if not over:
            continue
        between = any(
            other is not widget
            and y < other.box.cy < box.y0
            and other.box.overlap_x(box) > 0.5 * min(other.box.width, box.width)
            for other in widgets
        )
        return [] if between else _runs(page, over)[0][:_MOST_WORDS]
    return []


def _beside(
    page: BlankPage, lines: Sequence[Sequence[int]], widget: Widget, widgets: Sequence[Widget]
) -> list[int]:
    """The option's words: right of the box up to the next one, else left of it."""
    box = widget.box
    limit = min(
        (
            other.box.x0
            for other in widgets
            if other.box.x0 > box.x1
            and other.box.overlap_y(box) > 0.4 * min(other.box.height, box.height)
        ),
        default=1.0,
    )
    for line in lines:
        first = page.words[line[0]].box
        if not first.y0 - 0.006 <= box.cy <= first.y1 + 0.006:
            continue
        after = [
            i
            for i in line
            if box.cx < page.words[i].box.x0 < min(limit - 0.002, box.x1 + _REACH_RIGHT)
        ]
        runs = _runs(page, after)
        if runs and page.words[runs[0][0]].box.x0 - box.x1 < _GAP:
            return runs[0][:_MOST_WORDS]
        before = [i for i in line if page.words[i].box.x1 < box.cx]
        runs = _runs(page, before)
        if runs and box.x0 - page.words[runs[-1][-1]].box.x1 < _GAP / 2:
            return runs[-1][-_MOST_WORDS:]
    return []


def text_near(box: Box, page: BlankPage) -> str:
    """The print inside a box, in reading order."""
    return " ".join(w.text for w in page.words if box.contains(w.box.cx, w.box.cy))

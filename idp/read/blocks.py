# SPDX-License-Identifier: Apache-2.0
"""Blocks of a page behind layoutparser's port, and pictures of what was found.

layoutparser gives the Layout and TextBlock model, the port that layout detectors stand behind and
``draw_box``. Its stock weights can't be fetched; the model here groups words and cells by geometry,
and a trained detector can take its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import layoutparser as lp
import numpy as np
from layoutparser.models.base_layoutmodel import BaseLayoutModel
from PIL import Image, ImageFont

from idp.document import Block, Box, Cell, Page, Word, union_of

_WORD_GAP = 1.6  # of the line's height: wider gaps part columns
_LINE_GAP = 0.9
_TALLER = 1.3
_MOST_CELLS_APART = 0.006


class Segment(NamedTuple):
    """Words of one line without a wide gap between them."""

    words: tuple[Word, ...]
    box: Box


class GroupingLayoutModel(BaseLayoutModel):  # type: ignore[misc]
    """Groups words to titles and paragraphs, and cells to tables, by geometry alone."""

    DEPENDENCIES: tuple[str, ...] = ()
    DETECTOR_NAME = "grouping"
    MODEL_CATALOG: dict[str, dict[str, str]] = {}  # noqa: RUF012 - the base class wants a dict

    def image_loader(self, image: Page) -> Page:
        """The page itself: this model looks at words, not at pixels."""
        return image

    def detect(self, image: Page) -> Any:
        """The page's :class:`layoutparser.Layout`, in page-relative units, top to bottom."""
        page = self.image_loader(image)
        tables = [_text_block("table", box, page.words) for box in _tables(page.cells)]
        paragraphs = _paragraphs(_segments(page))
        heights = [segment.box.height for group in paragraphs for segment in group]
        usual = float(np.median(heights)) if heights else 0.0
        texts = []
        for group in paragraphs:
            box = union_of([segment.box for segment in group])
            tall = float(np.median([segment.box.height for segment in group])) > _TALLER * usual
            kind = "title" if tall and len(group) <= 3 else "text"
            text = "\n".join(" ".join(w.text for w in segment.words) for segment in group)
            score = float(np.mean([w.confidence for s in group for w in s.words]))
            texts.append(lp.TextBlock(lp.Rectangle(*box), text=text, type=kind, score=score))
        found = sorted([*tables, *texts], key=lambda b: (b.coordinates[1], b.coordinates[0]))
        return lp.Layout(found)


def find_blocks(page: Page) -> tuple[Block, ...]:
    """The blocks of a page as our own nouns."""
    return tuple(
        Block(
            kind=block.type,
            box=Box(*(round(min(1.0, max(0.0, float(v))), 5) for v in block.coordinates)),
            text=block.text or "",
            confidence=min(1.0, max(0.0, float(block.score))),
        )
        for block in GroupingLayoutModel().detect(page)
    )


def _segments(page: Page) -> list[Segment]:
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        lines.setdefault(word.line, []).append(word)
    ratio = page.height_px / max(1, page.width_px)  # widths and heights have different units
    found = []
    for words in lines.values():
        run: list[Word] = []
        for word in words:
            if run and word.box.x0 - run[-1].box.x1 > _WORD_GAP * word.box.height * ratio:
                found.append(_segment(run))
                run = []
            run.append(word)
        if run:
            found.append(_segment(run))
    return found


def _segment(words: Sequence[Word]) -> Segment:
    return Segment(tuple(words), union_of([word.box for word in words]))


def _paragraphs(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Segments of like height that stand close below one another."""
    groups: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: (s.box.y0, s.box.x0)):
        for group in reversed(groups):
            above = group[-1].box
            low, high = sorted((above.height, segment.box.height))
            if (
                segment.box.y0 - above.y1 < _LINE_GAP * low
                and segment.box.cy > above.cy + 0.5 * low
                and high < _TALLER * low
                and segment.box.overlap_x(above) > 0.4 * min(segment.box.width, above.width)
            ):
                group.append(segment)
                break
        else:
            groups.append([segment])
    return groups


def _tables(cells: Sequence[Cell]) -> list[Box]:
    """Boxes around cells that touch and make at least two rows and two columns."""
    groups: list[list[Box]] = []
    for cell in cells:
        touching = [g for g in groups if any(_touch(cell.box, other) for other in g)]
        merged = [cell.box, *(box for group in touching for box in group)]
        groups = [g for g in groups if g not in touching]
        groups.append(merged)
    return [
        union_of(group)
        for group in groups
        if len({round(box.y0, 2) for box in group}) >= 2
        and len({round(box.x0, 2) for box in group}) >= 2
    ]


def _touch(a: Box, b: Box) -> bool:
    return a.overlap_x(b) > -_MOST_CELLS_APART and a.overlap_y(b) > -_MOST_CELLS_APART


def _text_block(kind: str, box: Box, words: Sequence[Word]) -> Any:
    text = " ".join(word.text for word in words if box.contains(word.box.cx, word.box.cy))
    return lp.TextBlock(lp.Rectangle(*box), text=text, type=kind, score=1.0)


_COLOURS = {
    "word": "green",
    "checked": "red",
    "unchecked": "orange",
    "cell": "blue",
    "title": "purple",
    "text": "gray",
    "table": "navy",
}


def overlay(page: Page, image: Image.Image) -> Image.Image:
    """The page's image with words, marks, cells and blocks outlined, for people to look at."""
    _mend_fonts()
    parts: list[tuple[str, Box]] = [
        *((block.kind, block.box) for block in page.blocks),
        *(("cell", cell.box) for cell in page.cells),
        *(("word", word.box) for word in page.words),
        *((mark.state, mark.box) for mark in page.marks),
    ]
    width, height = image.size
    layout = lp.Layout(
        [
            lp.TextBlock(
                lp.Rectangle(box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height),
                type=kind,
            )
            for kind, box in parts
        ]
    )
    canvas = image.convert("RGB")
    drawn: Image.Image = lp.draw_box(canvas, layout, box_width=2, color_map=_COLOURS)
    return drawn


def _mend_fonts() -> None:
    """Gives Pillow's fonts back the method that layoutparser 0.3.4 asks for (gone in 10.0)."""
    if hasattr(ImageFont.FreeTypeFont, "getsize"):
        return

    def getsize(font: ImageFont.FreeTypeFont, text: str, *_: Any, **__: Any) -> tuple[int, int]:
        _left, _top, right, bottom = font.getbbox(text)
        return int(right), int(bottom)

    ImageFont.FreeTypeFont.getsize = getsize  # type: ignore[attr-defined]

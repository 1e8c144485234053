# SPDX-License-Identifier: Apache-2.0
"""A page's structure as a layoutparser ``Layout``, there and back; the port of layout models.

    >>> layout = to_layout(page)
    >>> titles = [block for block in layout if block.type == "title"]
    >>> words = layout.filter_by(titles[0]).get_texts()

Coordinates are pixels of the upright image. Each element has an id, and ``parent`` leads from a
word to its line and from a line to its block; blocks, lines and words come in reading order, and
``next`` leads to the one that is read next. ``type`` is ``line``, ``word``, ``cell``,
``checked_mark``, ``unchecked_mark``, ``horizontal_rule``, ``vertical_rule``, ``barcode``, or the
kind of a block (``title``, ``text``, ``list``, ``table``, ``form``, ``header``, ``footer``,
``margin``, ``figure``, ``ink``, ...). What TextBlocks have no room for is in ``page_data``.

Blocks come through layoutparser's port for layout models: our own grouping by geometry, and, where
a setting names one, a trained detector that says better what a region is.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import layoutparser as lp
import numpy as np
from layoutparser.file_utils import requires_backends
from layoutparser.models.auto_layoutmodel import ALL_AVAILABLE_BACKENDS
from layoutparser.models.base_layoutmodel import BaseLayoutModel
from layoutparser.ocr.base import BaseOCRAgent
from numpy.typing import NDArray
from PIL import Image

from idp.document import Barcode, Block, Box, Cell, Mark, Page, RawPage, Rule, Word, union_of
from idp.errors import MissingDependencyError, SettingsError
from idp.read.blocks import FIGURE, group_blocks
from idp.read.reader import Reader

LAYOUT_SCHEMA = "idp.layout/1"

_DIGITS = 7
_USUAL_DPI = 200
_MARKS = {"checked_mark": "checked", "unchecked_mark": "unchecked"}
_BARCODE = "barcode"
_RULES = {"horizontal_rule": "horizontal", "vertical_rule": "vertical"}
_HELD = {
    Word: {"id", "text", "confidence", "box"},
    Mark: {"state", "box", "label", "confidence"},
    Rule: {"orientation", "box"},
    Cell: {"box"},
    Barcode: {"text", "box"},
    Block: {"kind", "box", "text", "confidence", "word_ids"},
}
_LISTS = {"words", "marks", "rules", "cells", "barcodes", "blocks"}


# --- a page as a layout, and back ----------------------------------------------------------------


def to_layout(page: Page) -> Any:
    """The page as a :class:`layoutparser.Layout`; :func:`from_layout` gives the same page back."""
    return _Builder(page).layout()


class _Builder:
    """Gives every element its id: words keep theirs, all others are numbered after them."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._next = max((word.id for word in page.words), default=-1) + 1
        self._more: dict[str, dict[str, Any]] = {}

    def layout(self) -> Any:
        page = self._page
        words = {word.id: word for word in page.words}
        homeless = set(words) - {i for block in page.blocks for i in block.word_ids}
        blocks: list[Any] = []
        lines: list[Any] = []
        leaves: list[Any] = []
        for block in page.blocks:
            made = self._block(block)
            blocks.append(made)
            held = [words[i] for i in block.word_ids if i in words]
            self._lines(_rows(block, held), made.id, lines, leaves)
        # Pages that older versions stored have blocks that do not know their words.
        others = [word for word in page.words if word.id in homeless]
        self._lines(_by_line(others), None, lines, leaves)
        for chain in (
            [b for b, block in zip(blocks, page.blocks, strict=True) if block.word_ids],
            lines,
            leaves,
        ):
            for one, other in pairwise(chain):
                one.next = other.id
        things = [
            *(self._element(cell, "cell") for cell in page.cells),
            *(
                self._element(mark, f"{mark.state}_mark", mark.label, mark.confidence)
                for mark in page.marks
            ),
            *(self._element(rule, f"{rule.orientation}_rule") for rule in page.rules),
            *(self._element(code, _BARCODE, code.text) for code in page.barcodes),
        ]
        return lp.Layout(
            [*blocks, *lines, *leaves, *things],
            page_data={
                "schema": LAYOUT_SCHEMA,
                "width": page.width_px,
                "height": page.height_px,
                "page": page.model_dump(mode="json", exclude=_LISTS),
                "more": self._more,
            },
        )

    def _new_id(self) -> int:
        self._next += 1
        return self._next - 1

    def _block(self, block: Block) -> Any:
        return self._element(block, block.kind, block.text, block.confidence)

    def _element(
        self,
        noun: Block | Cell | Mark | Rule | Barcode,
        kind: str,
        text: str | None = None,
        score: float | None = None,
    ) -> Any:
        made = self._text_block(noun.box, kind, self._new_id(), text, score)
        self._keep(noun, made.id)
        return made

    def _lines(
        self,
        rows: Sequence[Sequence[Word]],
        parent: int | None,
        lines: list[Any],
        leaves: list[Any],
    ) -> None:
        for members in rows:
            line = self._text_block(
                union_of([word.box for word in members]),
                "line",
                self._new_id(),
                " ".join(word.text for word in members),
                min(word.confidence for word in members),
            )
            line.parent = parent
            lines.append(line)
            for word in members:
                leaf = self._text_block(word.box, "word", word.id, word.text, word.confidence)
                leaf.parent = line.id
                leaves.append(leaf)
                self._keep(word, word.id)

    def _text_block(
        self, box: Box, kind: str, number: int, text: str | None, score: float | None
    ) -> Any:
        return lp.TextBlock(self._pixels(box), text=text, id=number, type=kind, score=score)

    def _pixels(self, box: Box) -> Any:
        width, height = self._page.width_px, self._page.height_px
        return lp.Rectangle(box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height)

    def _keep(self, noun: Word | Block | Cell | Mark | Rule | Barcode, number: int) -> None:
        """Keeps what a TextBlock has no room for."""
        more = noun.model_dump(mode="json", exclude=_HELD[type(noun)], exclude_defaults=True)
        if more:
            self._more[str(number)] = more


def _rows(block: Block, words: Sequence[Word]) -> list[list[Word]]:
    """A block's words in the lines of its text; by printed row where the two do not agree."""
    rows: list[list[Word]] = []
    left = iter(words)
    for text in block.text.split("\n"):
        row: list[Word] = []
        length = -1
        while length < len(text):
            word = next(left, None)
            if word is None:
                return _by_line(words)
            row.append(word)
            length += 1 + len(word.text)
        rows.append(row)
    return _by_line(words) if next(left, None) else rows


def _by_line(words: Sequence[Word]) -> list[list[Word]]:
    return [list(row) for _, row in groupby(words, key=lambda word: word.line)]


def from_layout(layout: Any) -> Page:
    """The page that :func:`to_layout` made a layout of; boxes to seven digits.

    Elements may have been moved, dropped or changed in between; a block keeps the words whose
    ``parent`` leads to it.

    Raises:
        ValueError: The layout was not made by :func:`to_layout`.
    """
    data = layout.page_data
    if data.get("schema") != LAYOUT_SCHEMA:
        raise ValueError(f"not {LAYOUT_SCHEMA}: page_data has no page")
    more: dict[str, dict[str, Any]] = data["more"]
    size = data["width"], data["height"]
    words: list[Word] = []
    cells: list[Cell] = []
    marks: list[Mark] = []
    rules: list[Rule] = []
    codes: list[Barcode] = []
    shells: dict[int, dict[str, Any]] = {}
    block_of_line: dict[int, int] = {}
    held: dict[int, list[int]] = {}
    for element in layout:
        number, box = int(element.id), _box(element, *size)
        rest = more.get(str(number), {})
        score = {} if element.score is None else {"confidence": float(element.score)}
        if element.type == "line":
            if element.parent is not None:
                block_of_line[number] = int(element.parent)
        elif element.type == "word":
            words.append(
                Word.model_validate(
                    {"id": number, "text": element.text, "box": box, "line": 0, **score, **rest}
                )
            )
            if element.parent is not None:
                held.setdefault(int(element.parent), []).append(number)
        elif element.type == "cell":
            cells.append(Cell.model_validate({"box": box, **rest}))
        elif element.type in _MARKS:
            state = {"state": _MARKS[element.type], "label": element.text or ""}
            marks.append(Mark.model_validate({"box": box, **state, **score, **rest}))
        elif element.type in _RULES:
            orientation = _RULES[element.type]
            rules.append(Rule.model_validate({"box": box, "orientation": orientation, **rest}))
        elif element.type == _BARCODE and "symbology" in rest:
            codes.append(Barcode.model_validate({"text": element.text, "box": box, **rest}))
        else:
            shells[number] = {
                "kind": element.type,
                "box": box,
                "text": element.text or "",
                **score,
                **rest,
            }
    ids: dict[int, list[int]] = {}
    for line, block in block_of_line.items():
        ids.setdefault(block, []).extend(held.get(line, []))
    return Page.model_validate(
        {
            **data["page"],
            "words": sorted(words, key=lambda word: word.id),
            "marks": marks,
            "rules": rules,
            "cells": cells,
            "barcodes": codes,
            "blocks": [
                Block.model_validate({**shell, "word_ids": tuple(ids.get(number, ()))})
                for number, shell in shells.items()
            ],
        }
    )


def _box(element: Any, width: int, height: int) -> Box:
    x0, y0, x1, y1 = element.coordinates
    return Box(
        round(float(x0) / width, _DIGITS),
        round(float(y0) / height, _DIGITS),
        round(float(x1) / width, _DIGITS),
        round(float(y1) / height, _DIGITS),
    )


# --- layout models -------------------------------------------------------------------------------


class GroupingLayoutModel(BaseLayoutModel):  # type: ignore[misc]
    """Titles, paragraphs, lists, tables and form areas by geometry alone, in reading order."""

    DEPENDENCIES: tuple[str, ...] = ()
    DETECTOR_NAME = "grouping"
    MODEL_CATALOG: dict[str, dict[str, str]] = {}  # noqa: RUF012 - the base class wants a dict

    def image_loader(self, image: Page) -> Page:
        """The page itself: this model looks at words and rules, not at pixels."""
        return image

    def detect(self, image: Page) -> Any:
        """The page as a :class:`layoutparser.Layout`: its blocks with their lines and words."""
        page = self.image_loader(image)
        return to_layout(page.model_copy(update={"blocks": group_blocks(page)}))


def renamed(page: Page, blocks: Sequence[Block], regions: Any) -> tuple[Block, ...]:
    """Blocks with the kinds of the regions (in pixels) that hold most of their words.

    Regions without words become blocks of their own (figures). The order is not touched.
    """
    words = {word.id: word for word in page.words}
    places = [(_box(region, page.width_px, page.height_px), region) for region in regions]
    result = []
    used: set[int] = set()
    for block in blocks:
        inside = [
            sum(box.contains(words[i].box.cx, words[i].box.cy) for i in block.word_ids)
            for box, _ in places
        ]
        best = max(range(len(places)), key=inside.__getitem__, default=None)
        used.update(i for i, count in enumerate(inside) if count)
        if best is not None and 2 * inside[best] > len(block.word_ids):
            kind = str(places[best][1].type).lower()
            result.append(block.model_copy(update={"kind": kind}))
        else:
            result.append(block)
    for i, (box, region) in enumerate(places):
        if i not in used:
            score = 1.0 if region.score is None else min(1.0, max(0.0, float(region.score)))
            kind = str(region.type or FIGURE).lower()
            result.append(Block(kind=kind, box=_clipped(box), confidence=score))
    return tuple(result)


def _clipped(box: Box) -> Box:
    return Box(*(round(min(1.0, max(0.0, v)), 5) for v in box))


_detectors: dict[str, Any] = {}


def load_detector(name: str) -> Any:
    """The layout model that a setting names, loaded once per process.

    Args:
        name: ``lp://BACKEND/DATASET`` of layoutparser's model hub, or ``package.module:Class`` of a
            :class:`layoutparser.models.base_layoutmodel.BaseLayoutModel`.

    Raises:
        MissingDependencyError: what the model runs on is not installed.
        SettingsError: there is no such model, or it can't be fetched.
    """
    if name not in _detectors:
        check_detector(name)
        try:
            found = _from_module(name)() if _is_own(name) else lp.AutoLayoutModel(name)
        except (ValueError, OSError) as error:
            raise _unknown(name, error) from error
        _detectors[name] = found
    return _detectors[name]


def check_detector(name: str) -> None:
    """Whether the layout model of that name could be loaded here; loads and fetches nothing.

    Raises:
        MissingDependencyError: what the model runs on is not installed.
        SettingsError: nothing goes by that name.
    """
    if _is_own(name):
        found = _from_module(name)
        if not (isinstance(found, type) and issubclass(found, BaseLayoutModel)):
            raise _unknown(name, "it is no layoutparser BaseLayoutModel")
        return
    backends = [cls for backend, cls in ALL_AVAILABLE_BACKENDS.items() if f"/{backend}/" in name]
    if not name.startswith("lp://") or not backends:
        raise _unknown(
            name, f"the backends of layoutparser are {', '.join(ALL_AVAILABLE_BACKENDS)}"
        )
    try:
        requires_backends(backends[0], backends[0].DEPENDENCIES)
    except ImportError as error:  # layoutparser's own words name the package to install
        raise MissingDependencyError(
            f"read.layout_model {name}: {' '.join(str(error).split())}",
            hint="Install the package that the message names, or unset read.layout_model.",
        ) from error


def _is_own(name: str) -> bool:
    return not name.startswith("lp://") and ":" in name


def _from_module(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"read.layout_model {name}: Python package {error.name} is not installed",
            hint="Install it in the environment of idp, or unset read.layout_model.",
        ) from error
    except (AttributeError, ValueError, TypeError) as error:
        raise _unknown(name, error) from error


def _unknown(name: str, why: object) -> SettingsError:
    return SettingsError(
        f"read.layout_model {name}: {why}",
        hint="Name a model as lp://BACKEND/DATASET or package.module:Class, or unset it.",
    )


class ReadingAgent(BaseOCRAgent):  # type: ignore[misc]
    """idp's eyes as a layoutparser OCR agent.

    >>> with Reader(settings.read, settings.models_folder) as reader:
    ...     layout = ReadingAgent(reader).detect(Image.open("fax.png"))
    """

    DEPENDENCIES: tuple[str, ...] = ()

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def detect(self, image: Image.Image | NDArray[np.uint8]) -> Any:
        """The :class:`layoutparser.Layout` of one page, in pixels of the page set upright.

        Args:
            image: A Pillow image (its ``dpi`` is used) or an array, grey or RGB.
        """
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        across, down = picture.info.get("dpi", (_USUAL_DPI, _USUAL_DPI))
        with tempfile.TemporaryDirectory(prefix="idp-") as work:
            path = Path(work) / "image.png"
            picture.convert("L").save(path)
            raw = RawPage(
                number=1,
                path=str(path),
                dpi_x=float(across),
                dpi_y=float(down),
                bilevel=picture.mode == "1",
            )
            [page] = self._reader.read([raw], Path(work))
        return to_layout(page.model_copy(update={"image": None}))


# --- files ---------------------------------------------------------------------------------------


def write_layout(page: Page, path: Path) -> None:
    """Writes the page's layout as JSON, as ``layoutparser.load_json`` reads it."""
    text = json.dumps(to_layout(page).to_dict(), ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")

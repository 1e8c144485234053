# SPDX-License-Identifier: Apache-2.0
"""Reads one page: the only place that knows the order in which the eyes work."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from idp.document import Barcode, Box, Cell, Comb, Page, RawPage, Rule
from idp.errors import DamagedFileError
from idp.png import write_png
from idp.read.barcodes import Code, find_barcodes, whitened, without_bars
from idp.read.blocks import find_blocks
from idp.read.born_digital import Layer, read_born_digital
from idp.read.combs import Recognise, find_combs, joined, wipe
from idp.read.engine import Place
from idp.read.handwriting import mark_handwriting
from idp.read.ink import find_ink, ink_share
from idp.read.lexicon import Words, put_right
from idp.read.lexicon import load as load_words
from idp.read.marks import find_marks, labelled
from idp.read.ocr import Image, Line, Ocr
from idp.read.pixels import look
from idp.read.prepare import has_ink, ink_threshold, prepare
from idp.read.quality import assess
from idp.read.rules import Ruling, Stroke, find_rules
from idp.read.signatures import find_signatures
from idp.read.spelling import Proofs
from idp.read.text_layer import reconcile, turned
from idp.read.tiers import read_lines
from idp.read.trust import Trust, page_reading
from idp.read.trust import load as load_trust
from idp.read.upright import Upright
from idp.read.upright import upright as find_upright
from idp.read.weights import Weights
from idp.read.words import Sureness, in_order, relative, rows
from idp.settings import ReadSettings

_JUNK = 0.5  # what PaddleOCR drops by default: specks and rims read as letters
_STRAIGHT = 0.3  # degrees; a page that lies askew is a scan, its text layer somebody's OCR


_proofs = Proofs()
"""What this process knows of the pictures of letters: see :mod:`idp.read.spelling`."""


@dataclass(frozen=True)
class Eyes:
    """What a process reads with, loaded once."""

    ocr: Ocr
    trust: Trust
    words: Words


_warm: dict[tuple[Path, Place, int], Eyes] = {}


def warm(weights: Weights, place: Place, detection_side: int) -> Eyes:
    """The models of this process."""
    key = (weights.quick, place, detection_side)
    if key not in _warm:
        cv2.setNumThreads(1)
        _warm[key] = Eyes(
            Ocr(weights, place, detection_side),
            load_trust(weights.trust),
            load_words(weights.lexicon),
        )
    return _warm[key]


def read_page(raw: RawPage, workspace: Path, eyes: Eyes, settings: ReadSettings) -> Page:
    """The page as read; its upright image is written to ``workspace``.

    Raises:
        DamagedFileError: the raster can't be opened.
    """
    image = cv2.imread(raw.path, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DamagedFileError(f"page {raw.number}: the unpacked image can't be opened")
    ocr, blur = eyes.ocr, settings.blur_sigma
    came = np.asarray(image, np.uint8)
    prepared = prepare(came, raw, blur, mend=raw.glyphs is None)
    threshold = ink_threshold(prepared.image)
    layer = _by_text_layer(raw, prepared.image, ocr, settings) if prepared.as_it_came else None
    if layer is None and raw.glyphs is not None:  # a picture of a page, after all
        prepared = prepare(came, raw, blur)
        threshold = ink_threshold(prepared.image)
    if layer is not None:
        upright, lines = Upright(prepared.image, 0, 0.0, []), layer.lines
    elif has_ink(prepared.image, threshold):
        upright = find_upright(prepared.image, threshold, ocr)
        lines = read_all(upright, eyes, settings, bilevel=raw.bilevel)
    else:
        upright, lines = Upright(prepared.image, 0, 0.0, []), []
    name = f"page-{raw.number:04d}.png"
    if layer is not None:
        shutil.copyfile(raw.path, workspace / name)  # what was unpacked is upright already
    else:
        write_png(workspace / name, upright.image)
    sure = partial(eyes.trust.word, page=page_reading(lines))
    read = compose(
        raw.number, upright, lines, threshold, prepared.dpi, recognise=ocr.recognise, sure=sure
    )
    if layer is not None:
        source: Literal["ocr", "text_layer"] = "text_layer" if layer.share > 0.5 else "ocr"
        read = read.model_copy(update={"words_source": source})
    elif raw.text_layer and abs(upright.skew_degrees) < _STRAIGHT:
        words, spelled = reconcile(read.words, turned(raw.text_layer, upright.rotation))
        source = "text_layer" if spelled > 0.5 else "ocr"
        read = read.model_copy(update={"words": words, "words_source": source})
    quality = assess(
        read.words, prepared.raster, dpi=prepared.came_at, skew_degrees=upright.skew_degrees
    )
    return read.model_copy(
        update={
            "blocks": (*find_blocks(read, upright.image, settings.layout_model), *read.blocks),
            "grade": quality.grade,
            "quality": quality.value,
            "flaws": quality.reasons,
            "image": str(workspace / name),
        }
    )


def read_all(upright: Upright, eyes: Eyes, settings: ReadSettings, *, bilevel: bool) -> list[Line]:
    """All lines of a page, read as often as the settings say, ordinary words put right."""
    usual = settings.second_look_at_faxes_below if bilevel else settings.second_look_below
    doubtful = 2.0 if settings.thorough else usual
    lines = read_lines(
        upright.image,
        upright.regions,
        eyes.ocr,
        doubtful,
        known=upright.sampled,
    )
    return [put_right(line, eyes.words) for line in lines]


def _by_text_layer(raw: RawPage, page: Image, ocr: Ocr, settings: ReadSettings) -> Layer | None:
    """The quick way for pages that were drawn from a text layer, pixel by pixel as unpacked."""
    if raw.glyphs is None or raw.bilevel:
        return None
    return read_born_digital(
        page, raw.glyphs, raw.dpi_x, ocr, _proofs, second_look_below=settings.second_look_below
    )


def compose(
    number: int,
    upright: Upright,
    lines: Sequence[Line],
    threshold: int,
    dpi: float,
    *,
    recognise: Recognise | None = None,
    sure: Sureness | None = None,
) -> Page:
    """Everything that pixels and letters tell together: words, marks, rules, cells.

    ``recognise`` reads the characters of combs again, without the walls between them; ``sure``
    tells how likely a word is right.
    """
    height, width = upright.image.shape
    codes = find_barcodes(upright.image, threshold, dpi)
    lines = [line for line in lines if line.text.strip() and line.score >= _JUNK]
    lines = without_bars(lines, codes)
    pixels = look(whitened(upright.image, codes), threshold, dpi)
    ink = ink_share(pixels.ink, dpi)
    ruling = find_rules(pixels, [_rectangle(line) for line in lines])
    combs = find_combs(upright.image, pixels, ruling, lines, recognise)
    if combs:
        wipe(pixels, combs)
        lines = joined(lines, combs)
        ruling = find_rules(pixels, [_rectangle(line) for line in lines])
    boxes = find_marks(pixels, ruling, lines, [comb.rectangle for comb in combs])
    words = in_order(rows(lines), ruling.text_ink > 0, [box.rectangle for box in boxes], sure)
    words = mark_handwriting(words, ruling.text_ink)
    return Page(
        number=number,
        width_px=width,
        height_px=height,
        dpi=dpi,
        rotation=upright.rotation,
        skew_degrees=upright.skew_degrees,
        words=words,
        marks=labelled(boxes, words, ruling, (width, height), dpi),
        rules=_rules(ruling, width, height),
        cells=tuple(
            Cell(box=relative(c.x0, c.y0, c.x1, c.y1, width, height)) for c in ruling.cells
        ),
        blocks=find_ink(ruling.text_ink, words, dpi),
        ink=ink,
        signatures=find_signatures(ruling.text_ink, ruling, words, dpi),
        barcodes=tuple(_barcode(code, width, height) for code in codes),
        combs=tuple(
            Comb(
                box=relative(*comb.rectangle, width, height),
                cells=tuple(relative(c.x0, c.y0, c.x1, c.y1, width, height) for c in comb.cells),
                text=comb.text,
            )
            for comb in combs
        ),
    )


def _barcode(code: Code, width: int, height: int) -> Barcode:
    return Barcode(
        text=code.text,
        symbology=code.symbology,
        box=relative(*code.rectangle, width, height),
        complete=code.complete,
    )


def _rectangle(line: Line) -> tuple[float, float, float, float]:
    region = line.region
    return region.x0, region.y0, region.x1, region.y1


def _rules(ruling: Ruling, width: int, height: int) -> tuple[Rule, ...]:
    def box(s: Stroke) -> Box:
        return relative(s.x0, s.y0, s.x1, s.y1, width, height)

    return (
        *(Rule(orientation="horizontal", box=box(s)) for s in ruling.horizontal),
        *(Rule(orientation="vertical", box=box(s)) for s in ruling.vertical),
    )

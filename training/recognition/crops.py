# SPDX-License-Identifier: Apache-2.0
"""Lines as the product itself cuts them: generated pages, faxed, prepared and searched for lines.

Lines drawn alone (:mod:`training.recognition.strips`) have every font and every word; what they
lack is the way a text detector cuts: loose around small print, several words with wide gaps in one
region, a rule along the edge. These have it, and know what they say from the page's own truth.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import cv2

from idp.document import Box
from idp.read.engine import Place
from idp.read.ocr import Ocr, Region, crop
from idp.read.prepare import ink_threshold, pad, skew, square, straighten
from idp.read.weights import prepare
from training.faxes import KINDS, VARIANTS, Degraded, degrade, page
from training.faxes.truth import Truth
from training.recognition.forms import Forms
from training.recognition.strips import Grey

_BLUR = 0.9
_INSIDE = 0.95
_OUTSIDE = 0.1
_REAL = 0.5
_TIMES = 3  # ways to arrive that a drawn page is shown in: drawing costs as much as reading
_SILENT = 0.2  # of the crops without words


def page_lines(seed: int, cache: Path, forms: Forms | None = None) -> Iterator[tuple[Grey, str]]:
    """Crops and what they say, page after page without end, all of the training half.

    With ``forms``, half of the pages are pages of theirs. Now and then a crop says nothing: rules
    and specks that the detector took for print are part of what the product's recogniser is shown.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    cv2.setNumThreads(1)
    ocr = Ocr(prepare(cache), Place(), 960)
    while True:
        number = rng.randrange(10**6, 10**9)
        real = forms is not None and rng.random() < _REAL
        if forms is not None and real:
            drawn = forms.any_page(rng)
        else:
            drawn = page(number, rng.choice(list(KINDS)), split="train")
        silent = 0.0 if real else _SILENT  # what is outlined print on a real form has no layer
        for variant in rng.sample(list(VARIANTS), _TIMES):
            for image, text in cut_lines(degrade(drawn, variant, number), ocr, rng):
                if text or rng.random() < silent:
                    yield image, text


def cut_lines(came: Degraded, ocr: Ocr, rng: random.Random) -> Iterator[tuple[Grey, str]]:
    """The lines of one page that are known whole, as the product cuts them, and what they say."""
    squared = square(
        pad(came.pixels), *came.dpi, bilevel=came.one_bit, blur=_BLUR * rng.uniform(0.85, 1.15)
    )
    image = squared.image
    image = straighten(image, skew(image, ink_threshold(image)))
    for region in ocr.detect(image):
        text = said(region, came.upright, *image.shape)
        if text is not None:
            yield crop(image, region), text


def said(region: Region, truth: Truth, height: int, width: int) -> str | None:
    """The words in a region, "" if there are none; None where its edge cuts a word.

    Drawn marks say nothing, whatever their state: they are found in the pixels. Regions with typed
    brackets or handwriting are not known.
    """
    box = Box(region.x0 / width, region.y0 / height, region.x1 / width, region.y1 / height)
    typed = (mark.box for mark in truth.marks if mark.shape == "bracket")
    others = [*typed, *(sign.box for sign in truth.signatures)]
    if any(_share(other, box) > 0 for other in others):
        return None
    inside: list[tuple[float, str]] = []
    for word in truth.words:
        share = _share(word.box, box)
        if share >= _INSIDE * 0.5 and box.y0 <= word.box.cy <= box.y1:
            if _across(word.box, box) < _INSIDE:
                return None
            inside.append((word.box.x0, word.text))
        elif share > _OUTSIDE and _across(word.box, box) > _OUTSIDE and _down(word.box, box) > 0.4:
            return None
    return " ".join(text for _, text in sorted(inside))


def _share(inner: Box, outer: Box) -> float:
    return _across(inner, outer) * _down(inner, outer)


def _across(inner: Box, outer: Box) -> float:
    return max(0.0, inner.overlap_x(outer)) / max(inner.width, 1e-9)


def _down(inner: Box, outer: Box) -> float:
    return max(0.0, inner.overlap_y(outer)) / max(inner.height, 1e-9)

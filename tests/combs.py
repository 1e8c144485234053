# SPDX-License-Identifier: Apache-2.0
"""Draws combs: character cells of every style with a value in them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from idp.read.ocr import Image as Page
from idp.read.prepare import square

STYLES = ("closed", "separators", "boxes", "frame")


class Drawn(NamedTuple):
    """A value and where its cells are, in pixels."""

    value: str
    x0: int
    y0: int
    x1: int
    y1: int


def comb_page(
    style: str, values: list[str], thick: int = 2, grey: int = 0
) -> tuple[Page, list[Drawn]]:
    """A letter page of 200 dpi with one comb per value under a printed label."""
    image = Image.new("L", (1700, 2200), 255)
    pen = ImageDraw.Draw(image)
    label, font = ImageFont.load_default(size=22), ImageFont.load_default(size=30)
    drawn = []
    for i, value in enumerate(values):
        x, y = 200 + 15 * i, 200 + 170 * i
        wide, high, gap = 38, 42, 10 if style == "boxes" else 0
        cells = len(value) + 2
        pen.text((x, y - 36), f"{i + 1}. Beneficiary entry {i + 1}", fill=0, font=label)
        if style == "frame":
            pen.rectangle((x, y, x + cells * wide, y + high), outline=grey, width=thick)
        for k in range(cells):
            left = x + k * (wide + gap)
            if style in {"closed", "boxes"}:
                pen.rectangle((left, y, left + wide, y + high), outline=grey, width=thick)
            elif style == "separators":
                pen.line((left, y + high, left + wide, y + high), fill=grey, width=thick)
                for edge in (left, left + wide):
                    pen.line((edge, y + high - 16, edge, y + high), fill=grey, width=thick)
            elif k:
                pen.line((left, y + high - 18, left, y + high), fill=grey, width=thick)
            if k < len(value) and value[k] != " ":
                middle = (left + wide // 2, y + high // 2)
                pen.text(middle, value[k], fill=0, font=font, anchor="mm")
        drawn.append(Drawn(value, x, y, x + cells * (wide + gap) - gap, y + high))
    return np.asarray(image, np.uint8), drawn


def faxed(page: Page, dpi_y: int, seed: int = 0) -> Page:
    """The page as a thresholded 1-bit fax with specks, as the reader squares it again."""
    size = (round(page.shape[1] * 1.02), round(page.shape[0] * dpi_y / 200))
    grey = cv2.resize(page, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    random = np.random.default_rng(seed)
    black = np.where(grey + random.normal(4, 10, grey.shape) > 150, 255, 0).astype(np.uint8)
    black[random.random(black.shape) < 0.0005] = 0
    return square(black, 204, dpi_y, bilevel=True, blur=0.9).image

# SPDX-License-Identifier: Apache-2.0
"""From a drawn PDF to what a fax machine makes of it: 1 bit, 204 dots across, G3 or G4."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image

_ACROSS_DPI = 204
_LINE_PIXELS = 1728


class FaxQuality(NamedTuple):
    """Resolution and flaws of one transmission."""

    down_dpi: int
    compression: Literal["group3", "group4"]
    skew_degrees: float
    specks_per_page: int
    lost_lines: int


FINE = FaxQuality(196, "group3", 0.5, 60, 1)
STANDARD = FaxQuality(98, "group3", 0.3, 30, 1)


def fax(
    drawn: Path, target: Path, quality: FaxQuality, rng: random.Random, *, rotate: int = 0
) -> None:
    """Send the pages of a PDF through a fax line into a TIFF.

    Args:
        drawn: The PDF.
        target: The TIFF to write.
        quality: Resolution and flaws.
        rng: Where the flaws fall.
        rotate: Degrees by which the pages were laid wrongly into the machine.
    """
    pages = []
    document = pdfium.PdfDocument(drawn)
    try:
        for page in document:
            image = page.render(scale=_ACROSS_DPI / 72, grayscale=True).to_pil().convert("L")
            pages.append(_transmitted(image.rotate(rotate, expand=True), quality, rng))
    finally:
        document.close()
    pages[0].save(
        target,
        "TIFF",
        compression=quality.compression,
        save_all=True,
        append_images=pages[1:],
        dpi=(_ACROSS_DPI, quality.down_dpi),
    )


def _transmitted(image: Image.Image, quality: FaxQuality, rng: random.Random) -> Image.Image:
    skew = rng.uniform(-quality.skew_degrees, quality.skew_degrees)
    image = image.rotate(skew, Image.Resampling.BICUBIC, fillcolor=255)
    height = round(image.height * quality.down_dpi / _ACROSS_DPI)
    line = Image.new("L", (_LINE_PIXELS, image.height), 255)
    line.paste(image, ((_LINE_PIXELS - image.width) // 2, 0))
    line = line.resize((_LINE_PIXELS, height), Image.Resampling.BOX)
    dots: NDArray[np.bool_] = np.asarray(line) > 150
    dots = dots.copy()
    for _ in range(quality.specks_per_page):
        x, y = rng.randrange(_LINE_PIXELS - 2), rng.randrange(height - 2)
        dots[y : y + rng.randint(1, 2), x : x + rng.randint(1, 2)] = rng.random() < 0.3
    for _ in range(quality.lost_lines):
        y = rng.randrange(height // 8, height - 1)
        dots[y] = dots[y - 1]
    return Image.fromarray(dots)

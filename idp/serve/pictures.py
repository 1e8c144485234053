# SPDX-License-Identifier: Apache-2.0
"""Page images as browsers want them."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image

_WIDEST, _WIDEST_LARGE = 1400, 2800
_KEPT = 24


@lru_cache(maxsize=_KEPT)
def as_png(path: Path, *, large: bool = False) -> bytes:
    """A page image as a PNG of at most 1400 pixels across (``large``: 2800), in 16 greys.

    Stored images never change under their path (it is their sha256), so the result may be kept.
    """
    with Image.open(path) as opened:
        image = opened.convert("L")
    widest = _WIDEST_LARGE if large else _WIDEST
    if image.width > widest:
        size = (widest, round(image.height * widest / image.width))
        image = image.resize(size, Image.Resampling.BOX)
    packed = io.BytesIO()
    # Sixteen greys are plenty for print, and a third of the size.
    image.quantize(16, dither=Image.Dither.NONE).save(packed, "PNG")
    return packed.getvalue()

# SPDX-License-Identifier: Apache-2.0
"""Memory of one reading process over many pages of mixed sizes and kinds, never replaced.

    python -m tests.bench.soak_reading [--pages N] [--whole SHARE] [--engine NAME] [--json]

The process reads page after page in itself, without the workers that would replace it, so that
what is printed is the growth that replacing hides. Pages are generated: forms, letters, remittances
and so on, clean, scanned and faxed, whole or cut to cards, strips and half pages, so that hardly
two have one size. Slope: least squares through the resident size after each page, the first fifth
left out (models load, arenas find their size). Peak: the kernel's own high-water mark.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from idp.document import RawPage
from idp.read.page import read_page, warm
from idp.read.reader import place_of
from idp.read.weights import prepare
from idp.settings import load_settings
from training.faxes import KINDS, degrade, page

MOST_SLOPE_MB = 1.0
"""Per 100 pages."""

MOST_PEAK_MB = 1229

_VARIANTS = ("clean", "scan_200", "fine_threshold", "standard_dither", "scan_150", "fine_dither")
_SETTLING = 0.2


def piece(seed: int, folder: Path, whole: float) -> RawPage:
    """A generated page, or a piece of one; each seed has its own size."""
    rng = np.random.default_rng(seed)
    kinds = sorted(KINDS)
    kind, variant = kinds[seed % len(kinds)], _VARIANTS[seed // len(kinds) % len(_VARIANTS)]
    came = degrade(page(seed, kind), variant, seed)
    image: Image.Image = came.image
    if rng.random() >= whole:
        width = round(image.width * rng.uniform(0.25, 0.7))
        height = round(image.height * rng.uniform(0.1, 0.4))
        left = int(rng.integers(0, image.width - width))
        top = int(rng.integers(0, image.height - height))
        image = image.crop((left, top, left + width, top + height))
    elif rng.random() < 0.3:
        image = image.rotate(90, expand=True)
    path = folder / f"{seed}.png"
    image.convert("L").save(path)
    dpi_x, dpi_y = came.dpi
    return RawPage(number=1, path=str(path), dpi_x=dpi_x, dpi_y=dpi_y, bilevel=came.one_bit)


def slope_per_100(sizes: Sequence[float]) -> float:
    """Megabytes per 100 pages, by least squares.

    Raises:
        ValueError: fewer than two pages.
    """
    if len(sizes) < 2:
        raise ValueError("a slope needs two pages")
    return 100 * float(np.polyfit(np.arange(len(sizes)), np.asarray(sizes), 1)[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads, prints, and says with the exit status whether both targets were met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--whole", type=float, default=0.25, help="share of whole pages")
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    settings = load_settings()
    read = settings.read
    if asked.engine:
        read = read.model_copy(update={"engine": asked.engine})
    weights = prepare(settings.models_folder / "cache", read.detection)
    eyes = warm(weights, place_of(read), read.detection_side)
    me = psutil.Process()
    sizes: list[float] = []
    spent = 0.0
    with tempfile.TemporaryDirectory(prefix="idp-soak-") as place:
        folder = Path(place)
        for number in range(asked.pages):
            raw = piece(40_000 + number, folder, asked.whole)
            before = time.process_time()
            seen = read_page(raw, folder, eyes, read)
            spent += time.process_time() - before
            for path in (raw.path, seen.image):
                if path is not None:
                    Path(path).unlink(missing_ok=True)
            sizes.append(me.memory_info().rss / 1e6)
            if number % 20 == 19 and not asked.json:
                sys.stdout.write(
                    f"{number + 1:4d} pages  {sizes[-1]:6.0f} MB  "
                    f"{spent / (number + 1):.2f} CPU s a page\n"
                )
                sys.stdout.flush()
    settled = sizes[int(_SETTLING * len(sizes)) :]
    slope = slope_per_100(settled)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    figures = {
        "pages": asked.pages,
        "whole_share": asked.whole,
        "engine": read.engine,
        "slope_mb_per_100": round(slope, 2),
        "peak_mb": round(peak),
        "last_mb": round(sizes[-1]),
        "cpu_seconds_per_page": round(spent / asked.pages, 3),
        "load": [round(value, 1) for value in os.getloadavg()],
    }
    if asked.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write(
            f"{asked.pages} pages ({read.engine}): slope {slope:.2f} MB per 100 pages"
            f" (at most {MOST_SLOPE_MB:g}), peak {peak:.0f} MB (at most {MOST_PEAK_MB})\n"
        )
    return int(slope > MOST_SLOPE_MB or peak > MOST_PEAK_MB)


if __name__ == "__main__":
    sys.exit(main())

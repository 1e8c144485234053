# SPDX-License-Identifier: Apache-2.0
"""How many words follow each other in the true order, on pages of ten kinds, read by OCR.

``python -m tests.bench.reading_order [SEEDS]`` draws each kind of page ``SEEDS`` times (default 2),
clean and as a standard fax, and prints the share of true neighbours that are neighbours as read:
by row across the page (the order of the words), and in reading order (the order of the blocks).
Words that were misread or cut otherwise have no pair and are left out; how many pairs are left is
printed too.
"""

from __future__ import annotations

import random
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from PIL import Image

from idp.document import Page, RawPage
from idp.ingest import unpack
from idp.read import Reader
from idp.read.order import reading_order
from idp.settings import Settings
from tests.printed import HEIGHT, LAYOUTS, WIDTH, Sheet

_NEAR = 0.012  # of the page: a word's middle as set and as read


def read_as(true: Sheet, page: Page) -> list[int | None]:
    """The id of the word read for each word set, in the order of setting."""
    used: set[int] = set()
    found: list[int | None] = []
    for text, x, y, size in true.words:
        cx = (x + true.width(text, size) / 2) / WIDTH
        cy = (y + size / 2) / HEIGHT
        near = [
            word
            for word in page.words
            if word.id not in used
            and word.text == text
            and abs(word.box.cx - cx) < _NEAR
            and abs(word.box.cy - cy) < _NEAR
        ]
        best = min(near, key=lambda w: abs(w.box.cx - cx) + abs(w.box.cy - cy), default=None)
        found.append(best.id if best else None)
        if best:
            used.add(best.id)
    return found


def _fax(picture: Path, target: Path) -> Path:
    with Image.open(picture) as opened:
        image = opened.convert("L").resize((1728, 1078), Image.Resampling.LANCZOS)
    image.convert("1").save(target)
    return target


def main() -> None:
    """Read and print."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    settings = Settings()
    read = settings.read.model_copy(update={"workers": 1, "page_seconds": 600.0})
    with tempfile.TemporaryDirectory() as work, Reader(read, settings.models_folder) as reader:
        for name in ("clean", "standard fax"):
            all_right, all_rows, all_pairs = 0, 0, 0
            for layout in LAYOUTS:
                right, rows, pairs, possible = 0, 0, 0, 0
                for seed in range(seeds):
                    sheet = Sheet(random.Random(1000 + seed))
                    layout(sheet)
                    folder = Path(work) / f"{name[:1]}{layout.__name__}{seed}"
                    folder.mkdir()
                    pdf = sheet.pdf(folder / "sheet.pdf")
                    [raw] = unpack(pdf, folder, settings.ingest).pages
                    if name != "clean":
                        path = _fax(Path(raw.path), folder / "fax.png")
                        raw = RawPage(number=1, path=str(path), dpi_x=204, dpi_y=98, bilevel=True)
                    else:
                        raw = raw.model_copy(update={"text_layer": (), "glyphs": None})
                    [page] = reader.read([raw], folder)
                    found = read_as(sheet, page)
                    order = {word: i for i, word in enumerate(reading_order(page))}
                    known = [(a, b) for a, b in pairwise(found) if a is not None and b is not None]
                    right += sum(order[b] == order[a] + 1 for a, b in known)
                    rows += sum(b == a + 1 for a, b in known)
                    pairs += len(known)
                    possible += len(found) - 1
                print(  # noqa: T201
                    f"{name:12}  {layout.__name__:22}  by row {rows / pairs:.3f}  "
                    f"in reading order {right / pairs:.4f}  pairs {pairs} of {possible}",
                    flush=True,
                )
                all_right, all_rows, all_pairs = (
                    all_right + right,
                    all_rows + rows,
                    all_pairs + pairs,
                )
            print(  # noqa: T201
                f"{name:12}  all  by row {all_rows / all_pairs:.4f}  "
                f"in reading order {all_right / all_pairs:.4f}  pairs {all_pairs}",
                flush=True,
            )


if __name__ == "__main__":
    main()

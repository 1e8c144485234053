# SPDX-License-Identifier: Apache-2.0
"""Writes synthetic pages and their truth, for ``training.evaluate --pages``.

python -m training.synthesise --split heldout --count 50 --out DIR
python -m training.evaluate --corpus DIR --pages DIR/pages

With ``--paper clean,fine_dither`` the documents are drawn in real fonts, faxed, and read by the
product's reader (seconds a page; what was read before is kept), the labels aligned back:
``labelled/NAME.json`` holds pages with the role of each word (``training.train_crf --labelled``).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from idp.document import Page
from idp.read.engine import Place
from idp.read.page import Eyes, read_page, warm
from idp.read.weights import prepare
from idp.settings import ReadSettings
from training.labelled import write_labelled
from training.synthesise import FAMILIES, TYPES, Layout, draw_one, make, turns
from training.synthesise.noise import Labelled
from training.synthesise.render import arrivals, labelled, on_paper

_PAGES = TypeAdapter(list[Page])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("train", "heldout"), default="heldout")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--families", type=int, default=FAMILIES)
    parser.add_argument("--types", default=",".join(TYPES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paper", default="", help="variants of training.faxes, comma-separated")
    parser.add_argument("--cache", type=Path, default=Path("models/cache"), help="prepared models")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    pages = options.out / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    types = options.types.split(",")
    if variants := tuple(filter(None, options.paper.split(","))):
        on = _Press(options.out, variants, options.cache)
        for number, turn in enumerate(
            turns(options.count, options.families, types, options.seed), 1
        ):
            kind, index, seed = turn
            on(draw_one(kind, options.split, index, seed))
            sys.stdout.write(f"{number}/{options.count}\r")
            sys.stdout.flush()
    else:
        for made in make(
            options.split,
            options.count,
            families=options.families,
            types=types,
            seed=options.seed,
        ):
            _write_truth(options.out, made.name, {**made.truth, "file": f"{made.name}.json"})
            page_file = pages / f"{made.name}.json"
            page_file.write_bytes(_PAGES.dump_json([p.page for p in made.pages]))
    sys.stdout.write(f"{options.count} documents in {options.out}\n")
    return 0


class _Press:
    """Documents on paper: drawn, sent and read, each page once."""

    def __init__(self, out: Path, variants: Sequence[str], cache: Path) -> None:
        self._out, self._variants = out, variants
        self._settings = ReadSettings()
        self._warm: Callable[[], Eyes] = lambda: warm(
            prepare(cache, self._settings.detection), Place(), self._settings.detection_side
        )
        self._eyes: Eyes | None = None

    def __call__(self, layout: Layout) -> None:
        names = [f"{layout.name}__{variant}" for variant in self._variants]
        for variant, name in zip(self._variants, names, strict=True):
            target = self._out / "pages" / f"{name}.json"
            if target.exists():
                continue
            read = self._read(layout, variant)
            write_labelled(self._out / "labelled" / f"{name}.json", read)
            part = target.with_suffix(".part")
            part.write_bytes(_PAGES.dump_json([one.page for one in read]))
            part.replace(target)  # last: what is there is whole
        files = [f"{name}.tif" for name in names]
        _write_truth(self._out, layout.name, {**layout.truth, "file": "", "variants": files})

    def _read(self, layout: Layout, variant: str) -> list[Labelled]:
        if self._eyes is None:
            self._eyes = self._warm()
        read = []
        with tempfile.TemporaryDirectory() as folder:
            sheets = on_paper(layout.canvas, layout.name, layout.split)
            for sheet, came, raw in arrivals(sheets, variant, 0, Path(folder), "page"):
                page = read_page(raw, Path(folder), self._eyes, self._settings)
                read.append(labelled(page, sheet, came))
        return read


def _write_truth(out: Path, name: str, truth: dict[str, object]) -> None:
    text = json.dumps(truth, indent=1, ensure_ascii=False)
    (out / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())

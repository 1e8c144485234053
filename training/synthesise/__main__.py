# SPDX-License-Identifier: Apache-2.0
"""Writes synthetic pages and their truth, for ``training.evaluate --pages``.

python -m training.synthesise --split heldout --count 50 --out DIR
python -m training.evaluate --corpus DIR --pages DIR/pages
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pydantic import TypeAdapter

from idp.document import Page
from training.synthesise import FAMILIES, TYPES, make

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
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    pages = options.out / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    types = options.types.split(",")
    written = 0
    for made in make(
        options.split, options.count, families=options.families, types=types, seed=options.seed
    ):
        truth = {**made.truth, "file": f"{made.name}.json"}
        text = json.dumps(truth, indent=1, ensure_ascii=False)
        (options.out / f"{made.name}.json").write_text(text, encoding="utf-8")
        (pages / f"{made.name}.json").write_bytes(_PAGES.dump_json([p.page for p in made.pages]))
        written += 1
    sys.stdout.write(f"{written} documents in {options.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

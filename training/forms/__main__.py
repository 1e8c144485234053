# SPDX-License-Identifier: Apache-2.0
"""Fills real blank forms, faxes them, reads them, and labels what was read.

    python -m training.forms --forms DIR --out OUT --split train
    python -m training.forms --forms DIR --out OUT --split heldout --judged --variants fine

DIR holds fillable PDFs as ``FAMILY/NAME.pdf``. OUT becomes a corpus: judge the extractor on it with

    python -m training.evaluate --corpus OUT --pages OUT/pages --true-type --errors
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from idp.errors import InputError
from idp.forms import FormLibrary
from idp.read import Reader
from idp.schemas import load_schemas
from idp.settings import IngestSettings, ReadSettings
from training.forms.blanks import forms_of, load, load_library
from training.forms.fill import fill, mapped_pages
from training.forms.pages import WAYS, forget_truth, make, write_truth
from training.progress import Progress

_PAGE_SECONDS = 900.0
"""A page that is too slow to be read on a busy machine would drop its form from the figures."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--forms", type=Path, help="folder of blank fillable PDFs")
    source.add_argument("--library", type=Path, help="forms registered by `idp forms add`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "heldout"), default="train")
    parser.add_argument("--variants", default="clean,fine", help=", ".join(WAYS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=int, default=1, help="how often each form is filled")
    parser.add_argument("--limit", type=int, default=0, help="most forms; 0 is all")
    parser.add_argument("--judged", action="store_true", help="only the forms that figures are of")
    parser.add_argument("--only", default="", help="parts of file names, comma-separated")
    parser.add_argument(
        "--models", type=Path, default=Path(__file__).parents[2] / "models", help="weights"
    )
    parser.add_argument("--schemas", type=Path, help="with --library: folder of further types")
    parser.add_argument("--progress", action="store_true", help="say how far it is, in JSON")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit status 0 when at least one form was made."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = _parser()
    options = parser.parse_args(arguments)
    variants = options.variants.split(",")
    if unknown := set(variants) - set(WAYS):
        parser.error(f"unknown variants: {', '.join(sorted(unknown))}")
    if options.library:
        schemas = load_schemas(options.schemas)
        library = FormLibrary(options.library, schemas)
        blanks, count = load_library(library, schemas), len(library.forms)
    else:
        paths = forms_of(options.forms, options.split, judged_only=options.judged)
        wanted = [part for part in options.only.split(",") if part]
        chosen = [p for p in paths if not wanted or any(part in p.stem for part in wanted)]
        blanks, count = load(chosen), len(chosen)
    settings = ReadSettings(workers=1, page_seconds=_PAGE_SECONDS)
    done = pages = 0
    count = min(count, options.limit or count) * options.copies
    progress = Progress("forms filled and read", count) if options.progress else None
    with Reader(settings, options.models) as reader:
        for blank in blanks:
            if not mapped_pages(blank):
                continue
            for copy in range(options.copies):
                started = time.monotonic()
                form = fill(blank, options.split, options.seed + 1000 * copy)
                # A truth whose pages were not read anew would judge those of an earlier run.
                forget_truth(form, options.out)
                try:
                    for variant in variants:
                        pages += len(
                            make(form, variant, options.out, reader, IngestSettings()).pages
                        )
                except InputError as error:
                    sys.stdout.write(f"{blank.stem}: {error.code}\n")
                    continue
                write_truth(form, variants, options.out)
                sys.stdout.write(
                    f"{blank.family}/{blank.stem}: pages {[p.number for p in form.pages]}, "
                    f"{len(form.fields)} fields, {time.monotonic() - started:.1f} s\n"
                )
                for name, reason in form.left_out.items():
                    sys.stdout.write(f"{blank.family}/{blank.stem}: {name} not judged: {reason}\n")
                sys.stdout.flush()
                if progress is not None:
                    progress.at(done * options.copies + copy + 1)
            done += 1
            if options.limit and done >= options.limit:
                break
    sys.stdout.write(f"{done} forms, {pages} pages read\n")
    return 0 if done else 1


if __name__ == "__main__":
    raise SystemExit(main())

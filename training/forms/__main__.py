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
from training.forms.pages import WAYS, make, write_truth


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit status 0 when at least one form was made."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
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
    options = parser.parse_args(arguments)
    variants = options.variants.split(",")
    if unknown := set(variants) - set(WAYS):
        parser.error(f"unknown variants: {', '.join(sorted(unknown))}")
    if options.library:
        schemas = load_schemas(options.schemas)
        blanks = load_library(FormLibrary(options.library, schemas), schemas)
    else:
        paths = forms_of(options.forms, options.split, judged_only=options.judged)
        wanted = [part for part in options.only.split(",") if part]
        blanks = load([p for p in paths if not wanted or any(part in p.stem for part in wanted)])
    settings = ReadSettings(workers=1)
    done = pages = 0
    with Reader(settings, options.models) as reader:
        for blank in blanks:
            if not mapped_pages(blank):
                continue
            for copy in range(options.copies):
                started = time.monotonic()
                form = fill(blank, options.split, options.seed + 1000 * copy)
                write_truth(form, variants, options.out)
                try:
                    for variant in variants:
                        pages += len(
                            make(form, variant, options.out, reader, IngestSettings()).pages
                        )
                except InputError as error:
                    sys.stdout.write(f"{blank.stem}: {error.code}\n")
                    continue
                sys.stdout.write(
                    f"{blank.family}/{blank.stem}: pages {[p.number for p in form.pages]}, "
                    f"{len(form.fields)} fields, {time.monotonic() - started:.1f} s\n"
                )
                sys.stdout.flush()
            done += 1
            if options.limit and done >= options.limit:
                break
    sys.stdout.write(f"{done} forms, {pages} pages read\n")
    return 0 if done else 1


if __name__ == "__main__":
    raise SystemExit(main())

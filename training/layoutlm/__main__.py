# SPDX-License-Identifier: Apache-2.0
"""Command line of the LayoutLM tagger's training; ``python -m training.layoutlm --help``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from idp.errors import ModelError
from training.corrected import corrected_pages
from training.labelled import write_labelled
from training.layoutlm.ship import compare, ship
from training.layoutlm.train import Options, label_table, resumed, started, train
from training.layoutlm.tune import (
    Lesson,
    Tuning,
    begun,
    files_in,
    gone_on,
    key_of,
    told,
    tune,
)
from training.layoutlm.weights import shipped
from training.progress import Progress

MODELS = Path(__file__).parents[2] / "models"


def say(line: str) -> None:
    """A line of progress, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _train(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    table = label_table()
    if options.out.exists():
        run = resumed(options.out, options.device)
        run.options = replace(run.options, forms_share=options.forms_share, tokens=options.tokens)
        say(f"goes on after {run.pages} pages, {run.seconds:.0f} seconds")
    else:
        settings = Options(
            layers=options.layers,
            families=options.families,
            seed=options.seed,
            tokens=options.tokens,
            forms_share=options.forms_share,
        )
        run = started(settings, table, options.device)
    forms = tuple(sorted(p for folder in options.forms for p in folder.rglob("*.json")))
    size = sum(p.numel() for p in run.model.parameters()) / 1e6
    say(f"{len(run.vocabulary)} pieces, {size:.1f} M parameters, {len(forms)} forms")
    train(
        run,
        options.out,
        table,
        forms,
        budget=options.seconds,
        save_seconds=options.save_seconds,
        judge_seconds=options.judge_seconds,
        say=say,
        stop=asked.is_set,
    )


def _tune(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    with tempfile.TemporaryDirectory(prefix="tune-") as folder:
        more: dict[str, Any] = {}
        folders = list(options.labelled)
        if options.dataset:
            found = corrected_pages(options.dataset, options.models, options.schemas)
            for name, pages in found.by_document:
                write_labelled(Path(folder) / f"{name}.json", pages)
            folders.append(Path(folder))
            more["corrected"] = found.about(options.repeat)
        lesson = Lesson(files_in(folders), options.documents, options.repeat)
        tuning = Tuning(seed=options.seed, families=options.families)
        try:
            key = key_of(options.models, lesson, tuning)
            begin = gone_on(options.state, key, options.device) or begun(
                options.models, lesson, tuning, options.device
            )
        except (ModelError, ValueError) as error:
            raise SystemExit(str(error)) from error
        parent = shipped(options.models).version
        progress = Progress("layoutlm", lesson.documents, before=begin.document)
        ended = tune(
            begin,
            lesson,
            label_table(),
            state=options.state,
            key=key,
            tell=progress.at,
            stop=asked.is_set,
        )
        if not ended:
            raise SystemExit(f"stopped after {begin.document} documents; give it again")
        told_of = told(lesson, tuning, parent, more)
    ship(options.state, options.models, say, documents=options.judged, more=told_of)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.layoutlm", description=__doc__)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("train", help="train, or go on with a saved state")
    run.add_argument("--out", type=Path, required=True, help="the state; resumed where it exists")
    run.add_argument("--seconds", type=float, default=9000, help="CPU seconds in all; GPU: wall")
    run.add_argument("--layers", type=int, default=4, choices=range(1, 7))
    run.add_argument("--tokens", type=int, default=800, help="padded positions of a batch")
    run.add_argument("--families", type=int, default=3000, help="synthetic, per document type")
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--forms", type=Path, nargs="*", default=(), help="folders of labelled pages")
    run.add_argument("--forms-share", type=float, default=0.0, help="share of them in the stream")
    run.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    run.add_argument("--threads", type=int, default=1)
    run.add_argument("--save-seconds", type=float, default=300)
    run.add_argument("--judge-seconds", type=float, default=900)
    run.set_defaults(do=_train)
    fine = commands.add_parser(
        "tune", help="fine-tune the tagger of a models folder, ship it there"
    )
    fine.add_argument("--models", type=Path, required=True, help="its tagger is where it begins")
    fine.add_argument("--state", type=Path, required=True, help="gone on with where it exists")
    fine.add_argument("--dataset", type=Path, action="append", default=[], help="training share")
    fine.add_argument("--labelled", type=Path, action="append", default=[], help="labelled pages")
    fine.add_argument("--repeat", type=int, default=4, help="times each corrected page is shown")
    fine.add_argument("--documents", type=int, default=1500, help="shown in all")
    fine.add_argument("--families", type=int, default=3000, help="synthetic, per document type")
    fine.add_argument("--seed", type=int, default=1)
    fine.add_argument("--judged", type=int, default=100, help="held-out synthetic documents")
    fine.add_argument("--schemas", type=Path, help="folder of own document types")
    fine.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    fine.add_argument("--threads", type=int, default=1)
    fine.set_defaults(do=_tune)
    out = commands.add_parser("ship", help="export, measure, write into the models folder")
    out.add_argument("--state", type=Path, required=True)
    out.add_argument("--models", type=Path, default=MODELS)
    out.add_argument("--documents", type=int, default=200, help="held-out ones that judge")
    out.set_defaults(do=lambda o: ship(o.state, o.models, say, documents=o.documents))
    both = commands.add_parser("compare", help="the taggers of a models folder side by side")
    both.add_argument("--models", type=Path, default=MODELS)
    both.add_argument("--documents", type=int, default=200)
    both.set_defaults(do=lambda o: compare(o.models, say, documents=o.documents))
    options = parser.parse_args()
    options.do(options)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: Apache-2.0
"""Trains the tagger on synthetic pages and on filled forms together.

    python -m training.forms.teach --filled DIR --models models --out DIR2

DIR was made by ``python -m training.forms``. The weights and their manifest go to DIR2, beside the
shipped ones and not in their place: whether they are better is for a comparison to say, for example

    python -m training.forms.judge --forms BLANKS --corpus HELDOUT --models DIR2
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pycrfsuite

from idp.extract.crf import FEATURES_VERSION, MODEL_NAME
from idp.extract.crf_roles import label_roles
from idp.extract.features import LabelTable, PageView, page_features
from idp.schemas import load_schemas
from training.forms.blanks import SCHEMAS
from training.forms.pages import labelled_pages
from training.manifest import copy_models, ship
from training.train_crf import Sample, pages_of, tags_of

_PARAMETERS = {"c1": 0.08, "c2": 0.01, "feature.minfreq": 2}


def teach(filled: Path, sample: Sample, iterations: int, repeat: int) -> tuple[bytes, int, int]:
    """The weights, and how many synthetic and filled pages they were trained on.

    The labels that a schema prints are known from all types, as the product knows them.
    """
    table = LabelTable(label_roles(load_schemas(SCHEMAS)))
    trainer = pycrfsuite.Trainer(verbose=False)
    synthetic = taught = 0
    for labelled in pages_of(sample):
        view = PageView(labelled.page)
        trainer.append(page_features(view, table), tags_of(view, labelled))
        synthetic += 1
    for labelled in labelled_pages(filled):
        view = PageView(labelled.page)
        features, tags = page_features(view, table), tags_of(view, labelled)
        for _ in range(repeat):
            trainer.append(features, tags)
        taught += 1
    if not taught:
        raise FileNotFoundError(f"no labelled pages in {filled}")
    trainer.set_params({**_PARAMETERS, "max_iterations": iterations})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        trainer.train(str(path))
        return path.read_bytes(), synthetic, taught


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--filled", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path(__file__).parents[2] / "models")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=1800, help="synthetic ones")
    parser.add_argument("--families", type=int, default=360)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=45)
    parser.add_argument("--repeat", type=int, default=2, help="how often a filled page counts")
    options = parser.parse_args(arguments)
    started = time.process_time()
    sample = Sample("train", options.documents, options.families, options.seed)
    try:
        weights, synthetic, taught = teach(
            options.filled, sample, options.iterations, options.repeat
        )
    except FileNotFoundError as error:
        parser.error(str(error))
    about = {
        "features": FEATURES_VERSION,
        "licence": "Apache-2.0",
        "trained_by": "python -m training.forms.teach",
        "data": {
            "kind": "synthetic and filled forms",
            "documents": options.documents,
            "pages": synthetic,
            "filled_pages": taught,
            "repeat": options.repeat,
            "seed": options.seed,
        },
        "parameters": {**_PARAMETERS, "max_iterations": options.iterations},
        "cpu_seconds": round(time.process_time() - started),
    }
    copy_models(options.models, options.out)
    entry = ship(options.out, MODEL_NAME, ".crfsuite", weights, about)
    sys.stdout.write(json.dumps(entry, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

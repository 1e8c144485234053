# SPDX-License-Identifier: Apache-2.0
"""Trains the tagger on synthetic pages and writes it with its manifest entry.

    python -m training.train_crf       -> models/field_crf-HASH.crfsuite, models/manifest.json
    python -m training.train_crf --labelled DIR/labelled  the same, and labelled pages beside them
    python -m training.train_crf --dataset DIR/train      the same, and corrected pages beside them

Minutes on one thread. The same seed and code give the same training data; its hash stands in the
manifest. The figures in the manifest are those of held-out *synthetic* families.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pycrfsuite

from idp import __version__
from idp.extract.crf import FEATURES_VERSION, MODEL_NAME
from idp.extract.crf_roles import LABEL, NOT_VALUES, OUTSIDE, TITLE, label_roles
from idp.extract.features import LabelTable, PageView, page_features
from idp.schemas import load_schemas
from training.corrected import CorrectedPages, corrected_pages
from training.labelled import read_labelled
from training.manifest import MODELS, ship
from training.progress import Progress, to_stdout
from training.synthesise import make
from training.synthesise.noise import Labelled
from training.synthesise.values import Split

_PARAMETERS = {"c1": 0.08, "c2": 0.01, "feature.minfreq": 2}
_ITERATION = "***** Iteration #"


def tags_of(view: PageView, labelled: Labelled) -> list[str]:
    """The role of each token in reading order; a label glued to its value is cut off again."""
    tags = []
    for index in view.order:
        token = view.tokens[index]
        word, role = labelled.page.words[token.word], labelled.roles[token.word]
        is_front = len(token.text) < len(word.text) and token.box.x0 == word.box.x0
        tags.append(LABEL if is_front and role not in (OUTSIDE, TITLE) else role)
    return tags


class Sample(NamedTuple):
    """Which synthetic documents: how many, of how many families per type, from which seed."""

    split: Split
    documents: int
    families: int
    seed: int


class Corrected(NamedTuple):
    """Corrected pages to train on beside the synthetic ones, each shown ``repeat`` times."""

    found: CorrectedPages
    repeat: int


class Trainer(pycrfsuite.Trainer):  # type: ignore[misc]
    """CRFsuite's trainer that tells each iteration, from the lines it writes."""

    progress: Progress | None = None
    _iterations = 0

    def message(self, message: str) -> None:
        """Called by CRFsuite with each line."""
        if self.progress is not None and message.startswith(_ITERATION):
            self._iterations += 1
            self.progress.at(self._iterations)


class Fitted(NamedTuple):
    """Trained weights, and the pages they were trained on."""

    weights: bytes
    pages: int
    labelled: dict[str, int]
    """Pages of each folder of labelled ones."""
    data_sha256: str


def pages_of(sample: Sample, tell: Callable[[int], None] = lambda done: None) -> Iterator[Labelled]:
    """The labelled pages of a sample; ``tell`` is told how many documents are done."""
    made = make(sample.split, sample.documents, families=sample.families, seed=sample.seed)
    for number, document in enumerate(made, 1):
        yield from document.pages
        tell(number)


def examples(sample: Sample, table: LabelTable) -> Iterator[tuple[list[list[str]], list[str]]]:
    """Features and tags of each page."""
    for labelled in pages_of(sample):
        view = PageView(labelled.page)
        yield page_features(view, table), tags_of(view, labelled)


def runs(tags: list[str]) -> set[tuple[str, int, int]]:
    """The values of a tag sequence: role, first and last place."""
    found: set[tuple[str, int, int]] = set()
    start = 0
    for place in range(1, len(tags) + 1):
        if place == len(tags) or tags[place] != tags[start]:
            if tags[start] not in NOT_VALUES:
                found.add((tags[start], start, place - 1))
            start = place
    return found


def score(pairs: Iterable[tuple[list[str], list[str]]], chosen: Sample) -> dict[str, float]:
    """Exact-span precision, recall and F1 of (true tags, found tags) of the pages of a sample."""
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    truth: Counter[str] = Counter()
    for tags, answer in pairs:
        wanted, seen = runs(tags), runs(answer)
        right.update(role for role, _, _ in wanted & seen)
        found.update(role for role, _, _ in seen)
        truth.update(role for role, _, _ in wanted)
    hit = right.total()
    return {
        "precision": round(hit / max(1, found.total()), 4),
        "recall": round(hit / max(1, truth.total()), 4),
        "f1": round(2 * hit / max(1, found.total() + truth.total()), 4),
        "documents": chosen.documents,
        "families_per_type": chosen.families,
    }


def measure(tagger: pycrfsuite.Tagger, chosen: Sample, table: LabelTable) -> dict[str, float]:
    """Exact-span precision, recall and F1 over synthetic pages."""
    return score(((t, tagger.tag(features)) for features, t in examples(chosen, table)), chosen)


def fit(
    sample: Sample,
    iterations: int,
    table: LabelTable,
    corrected: Corrected | None = None,
    folders: Sequence[Path] = (),
    *,
    say: Callable[[str], None] = lambda line: None,
) -> Fitted:
    """The weights trained on a sample, folders of labelled pages and corrected pages."""
    trainer = Trainer(verbose=False)
    digest = hashlib.sha256()
    pages = 0
    progress = Progress("crf pages", sample.documents, say=say)
    read: list[Labelled] = []
    counts: dict[str, int] = {}
    for source in folders:
        own = [page for _, document in read_labelled(source) for page in document]
        place = f"{source.resolve().parent.name}/{source.name}"
        counts[place] = counts.get(place, 0) + len(own)
        read += own
    for labelled in chain(pages_of(sample, progress.at), read):
        view = PageView(labelled.page)
        trainer.append(page_features(view, table), tags_of(view, labelled))
        digest.update(labelled.page.model_dump_json().encode())
        digest.update(" ".join(labelled.roles).encode())
        pages += 1
    for labelled in corrected.found.pages if corrected else ():
        view = PageView(labelled.page)
        features, tags = page_features(view, table), tags_of(view, labelled)
        for _ in range(corrected.repeat if corrected else 0):
            trainer.append(features, tags)
    trainer.set_params({**_PARAMETERS, "max_iterations": iterations})
    trainer.progress = Progress("crf iterations", iterations, say=say)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "model"
        trainer.train(str(written))
        return Fitted(written.read_bytes(), pages, counts, digest.hexdigest())


def code_sha256() -> str:
    """Hash of everything that decides what the tagger sees: generator, features, roles, labels."""
    root = Path(__file__).parents[1]
    folders = (("training/synthesise", "*"), ("idp/extract", "features.py"), ("idp/schemas", "*"))
    digest = hashlib.sha256()
    for folder, pattern in (*folders, ("idp/extract", "crf_roles.py")):
        for path in sorted((root / folder).glob(pattern)):
            if path.suffix in (".py", ".yaml"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def opened(weights: bytes) -> pycrfsuite.Tagger:
    """A tagger on the weights, which must outlive it."""
    tagger = pycrfsuite.Tagger()
    tagger.open_inmemory(weights)
    return tagger


def train(
    models: Path,
    sample: Sample,
    iterations: int,
    corrected: Corrected | None = None,
    folders: Sequence[Path] = (),
    *,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Trains, measures on families kept out of it, and writes the model with its manifest entry.

    The held-out families stay out of the shipped model, too: adding them did nothing for real
    forms, and so anybody can check the figures of the very file that is shipped.
    """
    table = LabelTable(label_roles(load_schemas()))
    code = code_sha256()
    started = time.process_time()
    shipped = fit(sample, iterations, table, corrected, folders, say=say)
    tagger = opened(shipped.weights)
    metrics = {
        "measured_on": "synthetic pages; says little about real forms",
        "held_out_families": measure(
            tagger, Sample("heldout", min(200, sample.documents), 40, 5), table
        ),
        "seen_families_new_documents": measure(
            tagger, sample._replace(documents=min(100, sample.documents), seed=7919), table
        ),
    }
    about: dict[str, Any] = {
        "features": FEATURES_VERSION,
        "code": {"idp": __version__, "sha256": code},
        "licence": "Apache-2.0",
        "trained_by": "python -m training.train_crf",
        "data": {
            "kind": "synthetic and labelled pages" if folders else "synthetic",
            "documents": sample.documents,
            "families_per_type": sample.families,
            "seed": sample.seed,
            "pages": shipped.pages,
            "labelled_pages": sum(shipped.labelled.values()),
            "labelled_folders": shipped.labelled,
            "sha256": shipped.data_sha256,
        },
        "parameters": {**_PARAMETERS, "max_iterations": iterations},
        "cpu_seconds": round(time.process_time() - started),
        "metrics": metrics,
    }
    if corrected is not None:
        about["data"]["kind"] = "synthetic and corrected"
        about["data"]["corrected"] = corrected.found.about(corrected.repeat)
    return ship(models, MODEL_NAME, ".crfsuite", shipped.weights, about)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--documents", type=int, default=1800)
    parser.add_argument("--families", type=int, default=360, help="per document type")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=45)
    parser.add_argument(
        "--dataset", type=Path, action="append", default=[], help="training share of a data set"
    )
    parser.add_argument(
        "--labelled",
        type=Path,
        action="append",
        default=[],
        help="folder of labelled pages: of training.synthesise --paper, forms or forms.relabel",
    )
    parser.add_argument("--repeat", type=int, default=4, help="times each corrected page is shown")
    parser.add_argument("--schemas", type=Path, help="folder of own document types")
    options = parser.parse_args()
    sample = Sample("train", options.documents, options.families, options.seed)
    corrected = None
    if options.dataset:
        found = corrected_pages(options.dataset, options.models, options.schemas)
        corrected = Corrected(found, options.repeat)
    entry = train(
        options.models, sample, options.iterations, corrected, options.labelled, say=to_stdout
    )
    sys.stdout.write(json.dumps(entry, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

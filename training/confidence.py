# SPDX-License-Identifier: Apache-2.0
"""Fits how likely a value is right, and says what could leave without a person.

    python -m training.confidence DIR[=PAGES] ...

Each DIR is a corpus as ``training.synthesise --paper`` writes it: truth beside ``pages/``. Layouts
are dealt into five parts. In turn one judges, one chooses the threshold of release and three fit
the weights, so every figure comes from layouts that neither weights nor threshold have seen. The
weights that are written are fitted on all of them. A value that was missed is an error of its
document. Errors come by layout, not by value, so the bounds are of a bootstrap over layouts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.optimize import minimize

from idp.calibration import Calibration
from idp.document import DocumentType, Page
from idp.extract import Extractor
from idp.extract.trust import FEATURES, MODEL_NAME, TRUST_VERSION, features, load_trust
from idp.schemas import load_lexicon, load_schemas
from training.calibration import Seen, calibration, grade_of
from training.evaluate import cases
from training.manifest import MODELS, ship
from training.score import score_file

_PAGES = TypeAdapter(tuple[Page, ...])
_RIDGE = 1e-3
_BINS = 15
_STEP = 1e-6
_RESAMPLES = 1000
_PARTS = 5
_CHOICES = (*(round(0.5 + 0.01 * i, 2) for i in range(50)), 0.995, 0.998)
_THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
_VARIANTS = ("original", "clean", "fine_dither", "fine_threshold", "fine_g3", "std_g3")


class Judged(NamedTuple):
    """One value that was found: what is known of it, and whether it is right."""

    features: tuple[float, ...]
    right: bool
    name: str


class DocumentOf(NamedTuple):
    """A document's values; ``missed`` counts those that stand on it and were not found."""

    layout: str
    type: str
    values: tuple[Judged, ...]
    missed: int


def documents_of(folder: Path, pages: Path, models: Path) -> list[DocumentOf]:
    """The judged values of a corpus; types and boundaries are taken from the truth."""
    schemas = load_schemas()
    extractor = Extractor(models, schemas, load_lexicon())
    found: list[DocumentOf] = []
    for case in cases(folder, _VARIANTS):
        path = pages / f"{case.path.stem}.json"
        kind = DocumentType(case.truth["doc_type"])
        if not path.exists() or kind not in schemas:
            continue
        own = _PAGES.validate_json(path.read_bytes())
        proposal = extractor.propose(own, kind)
        by_number = {page.number: page for page in own}
        rows: dict[float, list[float]] = {}
        output: list[dict[str, Any]] = []
        for number, field in enumerate(proposal.fields, 1):
            page = by_number.get(field.page or 0)
            # The scorer hands confidences through: a number of its own tells the values apart.
            rows[number * _STEP] = features(field, proposal.candidates, page, schemas[kind])
            output.append({"name": field.name, "value": field.value, "confidence": number * _STEP})
        document = {
            "type": kind,
            "type_confidence": 1.0,
            "pages": [p.number for p in own],
            "decision": "review",
            "fields": output,
            "claims": [],
            "missing": [],
        }
        for scored in score_file(case.truth, [document], stem=case.stem, variant=case.variant)[0]:
            values = tuple(
                Judged(tuple(rows[v.confidence]), v.outcome == "ok", v.name)
                for v in scored.values
                if v.found is not None and v.confidence in rows
            )
            missed = sum(v.outcome == "missed" for v in scored.values)
            found.append(DocumentOf(_layout(case.stem), scored.type, values, missed))
    return found


def _layout(stem: str) -> str:
    """Documents of one layout: a synthetic name ends with its seed."""
    head, _, tail = stem.rpartition("_")
    return head if tail.isdigit() else stem


def fit(documents: Sequence[DocumentOf]) -> NDArray[np.float64]:
    """Ridge logistic regression from features to "is right"; each layout weighs alike."""
    rows, right, weight = [], [], []
    counts: dict[str, int] = defaultdict(int)
    for document in documents:
        counts[document.layout] += len(document.values)
    for document in documents:
        for value in document.values:
            rows.append(value.features)
            right.append(float(value.right))
            weight.append(1 / counts[document.layout])
    x, y, w = np.array(rows), np.array(right), np.array(weight)
    w /= w.sum()

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = x @ theta
        p = 1 / (1 + np.exp(-odds))
        value = float(np.sum(w * (np.logaddexp(0, odds) - y * odds)))
        return value + _RIDGE * float(theta @ theta), x.T @ (w * (p - y)) + 2 * _RIDGE * theta

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x)


class Rated(NamedTuple):
    """A document with the fitted probability of each of its values."""

    document: DocumentOf
    sure: tuple[float, ...]


def rated(documents: Sequence[DocumentOf], weights: NDArray[np.float64]) -> list[Rated]:
    """The documents with the probabilities that the weights give."""
    found = []
    for document in documents:
        odds = np.array([v.features for v in document.values]).reshape(-1, len(FEATURES)) @ weights
        found.append(Rated(document, tuple(float(p) for p in 1 / (1 + np.exp(-odds)))))
    return found


def calibration_error(documents: Sequence[Rated]) -> float:
    """Expected calibration error over bins of equal mass."""
    pairs = sorted(
        (p, v.right) for d in documents for p, v in zip(d.sure, d.document.values, strict=True)
    )
    bins = np.array_split(np.array(pairs, float), _BINS)
    return sum(len(b) * abs(float(b[:, 0].mean() - b[:, 1].mean())) for b in bins) / len(pairs)


class Released(NamedTuple):
    """What a threshold lets through: whole documents, and the values on them."""

    documents: int
    of: int
    values: int
    errors: int

    @property
    def coverage(self) -> float:
        return self.documents / max(1, self.of)

    @property
    def error(self) -> float:
        return self.errors / max(1, self.values)


def released(documents: Iterable[Rated], threshold: float) -> Released:
    """Documents all of whose values reach the threshold, and what is wrong or missing on them."""
    count = of = values = errors = 0
    for document, sure in documents:
        of += 1
        if not sure or min(sure) < threshold:
            continue
        count += 1
        values += len(document.values) + document.missed
        errors += sum(not v.right for v in document.values) + document.missed
    return Released(count, of, values, errors)


def bound(documents: Sequence[Rated], threshold: float) -> float | None:
    """Upper 95 % bound of the share of errors among released values; None when none is released.

    A bootstrap over layouts; where no error was seen, one more error than seen is assumed, since a
    bootstrap of zeros is zero.
    """
    by_layout: dict[str, list[Rated]] = defaultdict(list)
    for one in documents:
        by_layout[one.document.layout].append(one)
    whole = released(documents, threshold)
    if not whole.documents:
        return None
    per = [released(group, threshold) for group in by_layout.values()]
    rng = random.Random(0)  # noqa: S311 - resampling
    shares = sorted(
        sum(one.errors for one in drawn) / max(1, sum(one.values for one in drawn))
        for drawn in (rng.choices(per, k=len(per)) for _ in range(_RESAMPLES))
    )
    return max(shares[int(0.95 * _RESAMPLES)], (whole.errors + 1) / whole.values)


def threshold_for(documents: Sequence[Rated], target: float) -> float | None:
    """The lowest threshold whose bound keeps the target, or None: then nothing may leave."""
    for threshold in _CHOICES:
        upper = bound(documents, threshold)
        if upper is not None and upper <= target:
            return threshold
    return None


class Turn(NamedTuple):
    """One part as the judge of what the other parts decided."""

    judged: list[Rated]
    threshold: float | None


def turns(documents: Sequence[DocumentOf], target: float) -> list[Turn]:
    """Each part judges once; weights and thresholds come from the others."""
    parts: list[list[DocumentOf]] = [[] for _ in range(_PARTS)]
    for document in documents:
        digest = hashlib.sha256(document.layout.encode()).digest()
        parts[digest[0] % _PARTS].append(document)
    found = []
    for turn in range(_PARTS):
        tuning = (turn + 1) % _PARTS
        fitting = [d for i, part in enumerate(parts) if i not in (turn, tuning) for d in part]
        weights = fit(fitting)
        found.append(
            Turn(rated(parts[turn], weights), threshold_for(rated(parts[tuning], weights), target))
        )
    return found


def report(all_turns: Sequence[Turn], target: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Prints risk and coverage, by type and over all, and returns the figures."""
    documents = [one for turn in all_turns for one in turn.judged]
    kept = [released(t.judged, t.threshold) for t in all_turns if t.threshold is not None]
    figures: dict[str, Any] = {
        "documents": len(documents),
        "layouts": len({d.document.layout for d in documents}),
        "values": sum(len(d.sure) for d in documents),
        "calibration_error": round(calibration_error(documents), 4),
        "release": {
            "target": target,
            "thresholds": [t.threshold for t in all_turns],
            "documents": round(sum(r.documents for r in kept) / max(1, len(documents)), 4),
            "wrong_or_missed": round(
                sum(r.errors for r in kept) / max(1, sum(r.values for r in kept)), 4
            ),
        },
        "by_threshold": {},
    }
    groups = {"all": documents}
    for one in documents:
        groups.setdefault(one.document.type, []).append(one)
    for name, group in groups.items():
        total = sum(len(d.sure) + d.document.missed for d in group)
        for threshold in _THRESHOLDS:
            passing = [
                v.right
                for d in group
                for p, v in zip(d.sure, d.document.values, strict=True)
                if p >= threshold
            ]
            out = released(group, threshold)
            line = {
                "values": len(passing),
                "share_of_all": round(len(passing) / max(1, total), 3),
                "wrong": round(1 - sum(passing) / max(1, len(passing)), 4),
                "documents": round(out.coverage, 3),
                "wrong_or_missed_on_them": round(out.error, 4),
            }
            figures["by_threshold"].setdefault(name, {})[str(threshold)] = line
            say(f"{name:24s} {threshold:5.3f} " + " ".join(f"{k} {v}" for k, v in line.items()))
    say(f"calibration error {figures['calibration_error']}; release {figures['release']}")
    return figures


def table(all_turns: Sequence[Turn], source: Literal["synthetic", "real"]) -> Calibration:
    """How often values are wrong that a threshold lets through, on layouts new to the weights."""
    judged = [one for turn in all_turns for one in turn.judged]
    return calibration(
        (
            Seen(one.document.layout, sure, value.right, grade_of(value.features))
            for one in judged
            for sure, value in zip(one.sure, one.document.values, strict=True)
        ),
        documents=len(judged),
        source=source,
    )


def ship_trust(
    models: Path,
    weights: dict[str, float],
    figures: dict[str, Any],
    measured: Calibration | None = None,
) -> None:
    """Writes the weights, what was measured of them, and their manifest entry."""
    about = {
        "features": TRUST_VERSION,
        "licence": "Apache-2.0",
        "trained_by": "python -m training.confidence",
        "metrics": {"measured_on": "layouts that took no part in their fit", **figures},
    }
    stored: dict[str, Any] = {"weights": weights}
    if measured is not None:
        before = load_trust(models)
        known = before.calibration if before is not None else None
        if measured.registered is None and known is not None:
            # Registered forms are measured apart and owe nothing to these weights.
            measured = measured.model_copy(update={"registered": known.registered})
        stored["calibration"] = measured.model_dump(mode="json", exclude_none=True)
    content = (json.dumps(stored, indent=1) + "\n").encode()
    ship(models, MODEL_NAME, ".json", content, about)


def ship_registered(models: Path, measured: Calibration) -> None:
    """Puts the table of registered forms beside what was measured of the models' values.

    Raises:
        SystemExit: The folder has no fitted trust with a table.
    """
    trust = load_trust(models)
    if trust is None or trust.calibration is None:
        raise SystemExit(f"{models} has no {MODEL_NAME} with a table: fit one first")
    manifest = json.loads((models / "manifest.json").read_text(encoding="utf-8"))
    figures = manifest["models"][MODEL_NAME]["metrics"]
    figures.pop("measured_on", None)
    whole = trust.calibration.model_copy(update={"registered": measured})
    ship_trust(models, _shipped_weights(models), figures, whole)


def _shipped_weights(models: Path) -> dict[str, float]:
    trust = load_trust(models)
    if trust is None:
        raise SystemExit(f"{models} has no {MODEL_NAME}: fit one first")
    return dict(zip(FEATURES, trust.weights, strict=True))


def _folders(texts: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    for text in texts:
        folder, _, pages = text.partition("=")
        yield Path(folder), Path(pages) if pages else Path(folder) / "pages"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", nargs="+", metavar="DIR[=PAGES]")
    parser.add_argument("--target", type=float, default=0.005, help="errors among what is released")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument(
        "--source",
        choices=("synthetic", "real"),
        default="synthetic",
        help="what the corpora are, for the record",
    )
    parser.add_argument(
        "--keep-weights",
        action="store_true",
        help="measure only: the weights in force get the figures and the table of these corpora",
    )
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    options = parser.parse_args()
    documents = [
        document
        for folder, pages in _folders(options.corpus)
        for document in documents_of(folder, pages, options.models)
    ]
    judged = turns(documents, options.target)
    figures = report(judged, options.target, print)
    measured = table(judged, options.source)
    if options.keep_weights:
        weights = _shipped_weights(options.models)
    else:
        weights = {n: round(float(w), 5) for n, w in zip(FEATURES, fit(documents), strict=True)}
    if not options.dry_run:
        ship_trust(options.models, weights, figures, measured)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

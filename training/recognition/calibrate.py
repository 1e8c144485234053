# SPDX-License-Identifier: Apache-2.0
"""``python -m training.recognition.calibrate``: fits how far a word is to be believed.

Generated pages of the training half (fonts, names and values that the benchmark never draws) are
faxed in all variants and read; a logistic regression learns from which words were right. A quarter
of the pages is left out of the fit and judges it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from idp.document import Box, RawPage
from idp.read.engine import Place
from idp.read.ocr import Letter
from idp.read.page import Eyes, compose, read_all, warm
from idp.read.prepare import ink_threshold
from idp.read.prepare import prepare as prepared
from idp.read.trust import FEATURES, features, page_reading
from idp.read.upright import upright as find_upright
from idp.read.weights import SHIPPED, TRUST, prepare
from idp.read.words import by_scores
from idp.settings import ReadSettings
from training.faxes import KINDS, VARIANTS, degrade, page
from training.faxes.truth import Truth
from training.recognition.ship import ship_file

Examples = tuple[NDArray[np.float64], NDArray[np.float64]]
_HELD_OUT = 4  # every fourth page judges
_BINS = 15
_RIDGE = 1e-3
_STEP = 1e-8
# Characters in cells are read by a way of their own, with scores of their own.
_KINDS = tuple(kind for kind in KINDS if kind != "combs")


def examples(job: tuple[int, str, str], eyes: Eyes, settings: ReadSettings) -> Examples:
    """Features of each word read on one generated page, and whether it was right."""
    seed, kind, variant = job
    came = degrade(page(seed, kind, split="train"), variant, seed)
    raw = RawPage(number=1, path="", dpi_x=came.dpi[0], dpi_y=came.dpi[1], bilevel=came.one_bit)
    ready = prepared(came.pixels, raw, settings.blur_sigma)
    threshold = ink_threshold(ready.image)
    upright = find_upright(ready.image, threshold, eyes.ocr)
    lines = read_all(upright, eyes, settings, bilevel=came.one_bit)
    background = page_reading(lines)
    seen: list[list[float]] = []

    def remember(letters: Sequence[Letter]) -> float:
        seen.append(features(letters, background))
        # Later steps look at confidences, so this is one; its far digits number the word.
        return round(min(0.999, by_scores(letters)), 3) + len(seen) * _STEP

    read = compose(
        1, upright, lines, threshold, ready.dpi, recognise=eyes.ocr.recognise, sure=remember
    )
    rows, right = [], []
    for word in read.words:
        digits = (word.confidence - round(word.confidence, 3)) / _STEP
        number = round(digits)
        if not 1 <= number <= len(seen) or abs(digits - number) > 0.01 or word.handwritten:
            continue  # a confidence that another step has written
        verdict = _right(word.text, word.box, came.upright)
        if verdict is not None:
            rows.append(seen[number - 1])
            right.append(float(verdict))
    return np.array(rows).reshape(-1, len(FEATURES)), np.array(right)


def _right(text: str, box: Box, truth: Truth) -> bool | None:
    """Whether the true word at this place says the same; None on marks and signatures."""
    others = [*(mark.box for mark in truth.marks), *(sign.box for sign in truth.signatures)]
    if any(box.shared(other) > 0.3 * box.width * box.height for other in others):
        return None
    best = max(truth.words, key=lambda word: box.shared(word.box), default=None)
    if best is None or box.shared(best.box) <= 0:
        return False
    return _plain(best.text) == _plain(text)


def _plain(text: str) -> str:
    return text.translate(str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--"))


def fit(examples: Examples) -> NDArray[np.float64]:
    """Weights of a logistic regression with a little shrinkage."""
    values, right = examples
    signs = 2 * right - 1

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = signs * (values @ weights)
        value = np.logaddexp(0, -margin).mean() + _RIDGE * float(weights @ weights)
        slope = -(signs / (1 + np.exp(np.clip(margin, -50, 50)))) @ values / len(right)
        return float(value), slope + 2 * _RIDGE * weights

    found = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x, np.float64)


def calibration_error(weights: NDArray[np.float64], examples: Examples) -> float:
    """Expected calibration error in bins of equal mass."""
    values, right = examples
    surety = 1 / (1 + np.exp(-(values @ weights)))
    order = np.argsort(surety, kind="stable")
    parts = np.array_split(order, _BINS)
    gaps = [len(p) * abs(surety[p].mean() - right[p].mean()) for p in parts if len(p)]
    return float(sum(gaps) / len(right))


def main() -> None:
    """Reads the pages, fits, judges, writes ``trust.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="pages of each kind and variant")
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS))
    parser.add_argument("--every", type=int, default=1, help="take every so-manieth page")
    parser.add_argument("--cache", type=Path, default=Path("models/cache"))
    parser.add_argument("--models", type=Path, default=SHIPPED)
    options = parser.parse_args()
    settings = ReadSettings()
    eyes = warm(prepare(options.cache, settings.detection), Place(), settings.detection_side)
    jobs = [
        (options.first_seed + seed, kind, variant)
        for seed in range(options.seeds)
        for kind in _KINDS
        for variant in options.only
    ][:: options.every]
    found: list[Examples] = []
    for number, (seed, kind, variant) in enumerate(jobs, 1):
        found.append(examples((seed, kind, variant), eyes, settings))
        right = found[-1][1]
        print(f"{number}/{len(jobs)} {kind} {variant}: {right.mean():.3f} of {len(right)} right")  # noqa: T201
    learn = _joined([e for i, e in enumerate(found) if i % _HELD_OUT])
    judge = _joined([e for i, e in enumerate(found) if not i % _HELD_OUT])
    weights = fit(learn)
    report = {
        "weights": dict(zip(FEATURES, (round(float(w), 5) for w in weights), strict=True)),
        "fitted": f"generated pages, training half; {len(learn[1])} words of {len(jobs)} pages",
        "error_on_the_rest": round(calibration_error(weights, judge), 4),
        "words_of_the_rest": len(judge[1]),
    }
    ship_file(json.dumps(report, indent=1).encode() + b"\n", options.models, TRUST)
    print(json.dumps(report, indent=1))  # noqa: T201


def _joined(parts: Sequence[Examples]) -> Examples:
    return np.vstack([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""How likely a word is read right: a probability, fitted on pages whose words are known.

The recogniser's own scores are not one: it is sure of "5" for "8" on a bad fax. What tells are the
worst letter, whether a second reading agreed, and how the rest of the page could be read. The
weights are fitted by ``python -m training.recognition.calibrate`` and lie in
``models/reading/trust.json``; what they were measured on stands in ``docs/models.md``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from idp.errors import ModelError
from idp.read.ocr import Letter, Line

FEATURES = (
    "constant",
    "worst",
    "mean",
    "agreed",
    "agreed_worst",
    "contested",
    "contested_worst",
    "length",
    "digits",
    "page_worst",
    "page_contested",
)
"""Names of what :func:`features` gives, in its order."""

_LEAST, _MOST = 0.002, 0.9995  # scores are cut here: their logarithms must stay finite


@dataclass(frozen=True)
class PageReading:
    """How the page as a whole could be read: the background of every word on it."""

    worst: float = 0.0
    """Mean over the lines of the log-odds of their worst letters."""
    contested: float = 0.0
    """Share of letters on which two readings differ."""


@dataclass(frozen=True)
class Trust:
    """The fitted weights, one for each of :data:`FEATURES`."""

    weights: tuple[float, ...]

    def word(self, letters: Sequence[Letter], page: PageReading) -> float:
        """The probability that all letters of the word are right, 0..1."""
        values = features(letters, page)
        return 1 / (1 + math.exp(-sum(w * v for w, v in zip(self.weights, values, strict=True))))


def load(path: Path) -> Trust:
    """The weights in ``path``.

    Raises:
        ModelError: the file is missing or was fitted for other features.
    """
    try:
        fitted = json.loads(path.read_text(encoding="utf-8"))
        weights = fitted["weights"]
        return Trust(tuple(float(weights[name]) for name in FEATURES))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no weights for the trust in words") from error


def page_reading(lines: Sequence[Line]) -> PageReading:
    """What all lines of a page tell together."""
    read = [line for line in lines if line.letters]
    if not read:
        return PageReading()
    worst = [_odds(min(letter.score for letter in line.letters)) for line in read]
    letters = [letter for line in read for letter in line.letters]
    contested = sum(letter.look == "contested" for letter in letters) / len(letters)
    return PageReading(sum(worst) / len(worst), contested)


def features(letters: Sequence[Letter], page: PageReading) -> list[float]:
    """What is known about a word; the values belong to :data:`FEATURES`."""
    scores = [letter.score for letter in letters] or [0.0]
    worst = _odds(min(scores))
    contested = float(any(letter.look == "contested" for letter in letters))
    agreed = float(bool(letters) and all(letter.look == "agreed" for letter in letters))
    return [
        1.0,
        worst,
        _odds(sum(scores) / len(scores)),
        agreed,
        agreed * worst,
        contested,
        contested * worst,
        math.log1p(len(letters)),
        float(any(letter.text.isdigit() for letter in letters)),
        page.worst,
        math.sqrt(page.contested),
    ]


def _odds(score: float) -> float:
    score = min(_MOST, max(_LEAST, score))
    return math.log(score / (1 - score))

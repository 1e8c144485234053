# SPDX-License-Identifier: Apache-2.0
"""Character errors of a recogniser on generated lines in fonts that training never sees."""

from __future__ import annotations

from functools import cache
from typing import get_args

import numpy as np
import onnx
import onnxruntime
from rapidfuzz.distance import Levenshtein

from training.recognition.lines import Alphabet, Line, lines, normalised
from training.recognition.strips import Capture

_SEED = 77_000


def judge(model: onnx.ModelProto, alphabet: Alphabet, count: int) -> dict[str, float]:
    """Percent of wrong characters for each kind of capture, blanks counted; and of wrong lines."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    figures: dict[str, float] = {}
    wrong_lines = 0
    for number, capture in enumerate(get_args(Capture)):
        errors = characters = 0
        for line in _sample(_SEED + number, capture, count):
            image = normalised(line.image)
            image = np.pad(image, ((0, 0), (0, max(0, 48 - image.shape[1]))))
            scores = session.run(None, {name: np.repeat(image[None, None], 3, axis=1)})[0][0]
            text = " ".join(alphabet.decode(scores.argmax(axis=-1)).split())
            distance = Levenshtein.distance(text, line.text)
            errors += distance
            characters += len(line.text)
            wrong_lines += distance > 0
        figures[capture] = round(100 * errors / characters, 2)
    figures["wrong_lines"] = round(100 * wrong_lines / (count * len(figures)), 1)
    return figures


@cache
def _sample(seed: int, capture: Capture, count: int) -> tuple[Line, ...]:
    source = lines(seed, judge=True, capture=capture)
    return tuple(next(source) for _ in range(count))

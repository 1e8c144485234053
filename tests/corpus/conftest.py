# SPDX-License-Identifier: Apache-2.0
"""The real forms come from outside: ``IDP_CORPUS`` names their folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from training.evaluate import VARIANTS, Case, cases, run_product
from training.score import Json


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real forms with their ground truth."""
    named = os.environ.get("IDP_CORPUS")
    if not named:
        pytest.skip("IDP_CORPUS does not name a folder of real forms")
    folder = Path(named)
    if not any(folder.glob("*.json")):
        pytest.fail(f"no ground truth (*.json) in {folder}")
    return folder


class Processed(NamedTuple):
    """The real forms in all their variants, and what the product as installed made of each."""

    todo: list[Case]
    output: list[list[Json]]


@pytest.fixture(scope="session")
def processed(corpus: Path) -> Processed:
    """One run over all files: it takes minutes, and several tests look at it."""
    todo = list(cases(corpus, VARIANTS))
    lines: list[str] = []
    output = run_product(todo, 300, lines.append)
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    return Processed(todo, output)

# SPDX-License-Identifier: Apache-2.0
"""How a case gets before the judge: with its true fields, or extracted from its words."""

from __future__ import annotations

from idp.document import Document
from idp.judge import Judge
from idp.schemas import load_schemas
from idp.settings import Settings
from training.faults import amounts_seeds, values_seeds, whole_seeds
from training.faults.cases import Case
from training.faults.draw import papers
from training.faults.measure import Judged

SEEDERS = (amounts_seeds, values_seeds, whole_seeds)
"""Importing them enters their faults."""


def way_of(name: str) -> Judged:
    """What reads and judges a case; raises ``ValueError`` for an unknown way."""
    if name == "fields":
        return _Fields()
    raise ValueError(f"no way {name}")


class _Fields:
    """Every value as it is printed: no reading, no extraction, only the rules."""

    def __init__(self) -> None:
        self._judge = Judge(Settings(), load_schemas())

    def __call__(self, case: Case) -> Document:
        paper = papers(case)
        return self._judge.judged(
            paper.document, paper.pages, received_at=paper.received_at, arrived=paper.pages
        )

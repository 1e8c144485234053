# SPDX-License-Identifier: Apache-2.0
"""How a case gets before the judge: with its true fields, or extracted from its words."""

from __future__ import annotations

import tempfile
from pathlib import Path

from idp.document import Document
from idp.extract import extract_x12
from idp.ingest.x12_listing import listing
from idp.ingest.x12_reader import transaction_sets
from idp.judge import Judge
from idp.schemas import load_schemas
from idp.settings import Settings
from training.faults import amounts_seeds, interchange_seeds, values_seeds, whole_seeds
from training.faults.cases import Case
from training.faults.draw import document_of, papers, received_at
from training.faults.interchange import Remit, written
from training.faults.measure import Judged

SEEDERS = (amounts_seeds, interchange_seeds, values_seeds, whole_seeds)
"""Importing them enters their faults."""

_MOST_PAGES = 20


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
        if case.remit is not None:
            return self._told(case, case.remit)
        paper = papers(case)
        return self._judge.judged(
            paper.document, paper.pages, received_at=paper.received_at, arrived=paper.pages
        )

    def _told(self, case: Case, remit: Remit) -> Document:
        """An interchange is read, not recognised: every way is the same for it."""
        (transaction,) = transaction_sets(written(remit))
        with tempfile.TemporaryDirectory() as folder:
            pages = listing(transaction, Path(folder), _MOST_PAGES)
        found = extract_x12(transaction, pages)
        document = document_of(case, pages, found.fields, found.claims)
        draft = document.model_copy(
            update={"envelope": None, "findings": found.findings, "type_confidence": 1.0}
        )
        return self._judge.judged(draft, pages, received_at=received_at(case))

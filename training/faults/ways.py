# SPDX-License-Identifier: Apache-2.0
"""How a case gets before the judge: with its true fields, or extracted from its words."""

from __future__ import annotations

import tempfile
from pathlib import Path

from idp.document import Document
from idp.extract import Extractor, extract_x12
from idp.ingest.x12_listing import listing
from idp.ingest.x12_reader import transaction_sets
from idp.judge import Judge
from idp.schemas import load_lexicon, load_schemas
from idp.settings import Settings
from training.faults import (
    amounts_seeds,
    interchange_seeds,
    lookup_seeds,
    values_seeds,
    whole_seeds,
)
from training.faults.cases import Case
from training.faults.draw import Paper, document_of, papers, received_at
from training.faults.interchange import Remit, written
from training.faults.measure import Judged

SEEDERS = (amounts_seeds, interchange_seeds, lookup_seeds, values_seeds, whole_seeds)
"""Importing them enters their faults."""

_MOST_PAGES = 20
MODELS = Path(__file__).parents[2] / "models"


def way_of(name: str, settings: Settings | None = None, models: Path = MODELS) -> Judged:
    """What reads and judges a case.

    Args:
        name: ``fields`` or ``words``.
        settings: Of an installation (:func:`training.faults.world.build`); none: an empty one.
        models: Folder of weights, for what extracts.

    Raises:
        ValueError: there is no such way.
    """
    if name == "fields":
        return Fields(settings)
    if name == "words":
        return Words(models, settings)
    raise ValueError(f"no way {name}")


class Fields:
    """Every value as it is printed: no reading, no extraction, only the rules."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.judge = Judge(settings or Settings(), load_schemas())

    def __call__(self, case: Case) -> Document:
        if case.remit is not None:
            return self._told(case, case.remit)
        paper = papers(case)
        return self.judge.judged(
            self.draft(case, paper), paper.pages, received_at=paper.received_at, arrived=paper.pages
        )

    def draft(self, case: Case, paper: Paper) -> Document:
        """The document before it is judged."""
        return paper.document

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
        return self.judge.judged(draft, pages, received_at=received_at(case))


class Words(Fields):
    """The exact words of each page, out of which the product's own extraction takes the values."""

    def __init__(self, models: Path, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.extractor = Extractor(models, load_schemas(), load_lexicon())

    def draft(self, case: Case, paper: Paper) -> Document:
        found = self.extractor.extract(paper.pages, paper.document.type)
        return document_of(case, paper.pages, found.fields, found.claims)

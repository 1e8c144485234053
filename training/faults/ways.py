# SPDX-License-Identifier: Apache-2.0
"""How a case gets before the judge: with its true fields, or extracted from its words."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from idp.came import with_pages_kept
from idp.document import Document, Page
from idp.extract import Extractor, extract_x12
from idp.ingest.x12_listing import listing
from idp.ingest.x12_reader import transaction_sets
from idp.judge import Judge
from idp.schemas import load_lexicon, load_schemas
from idp.settings import Settings
from training.faults import (
    amounts_seeds,
    arrival_seeds,
    interchange_seeds,
    lookup_seeds,
    slips_seeds,
    values_seeds,
    whole_seeds,
)
from training.faults.cases import Case
from training.faults.doubles import Doubles
from training.faults.draw import Paper, document_of, papers, received_at
from training.faults.interchange import Remit, written
from training.faults.measure import Judged

SEEDERS = (
    amounts_seeds,
    arrival_seeds,
    interchange_seeds,
    lookup_seeds,
    slips_seeds,
    values_seeds,
    whole_seeds,
)
"""Importing them enters their faults."""

_MOST_PAGES = 20
MODELS = Path(__file__).parents[2] / "models"


def way_of(name: str, settings: Settings | None = None, models: Path = MODELS) -> Fields:
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


class Checked(NamedTuple):
    """A document that was judged, and its pages."""

    document: Document
    pages: tuple[Page, ...]


def _filed(case: Case, document: Document, pages: Sequence[Page]) -> Document:
    """The first document of the file, once every page was given to one, as the case has it."""
    last = document.pages[-1:]
    documents = [document]
    if case.cut == "lost":
        documents = [document.model_copy(update={"pages": document.pages[:-1]})]
    elif case.cut == "shared":
        documents.append(document.model_copy(update={"document_id": "second", "pages": last}))
    return with_pages_kept(documents, pages)[0]


class Fields:
    """Every value as it is printed: no reading, no extraction, only the rules."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.judge = Judge(settings or Settings(), load_schemas())

    def __call__(self, case: Case) -> Document:
        if case.before is None:
            return self.checked(case).document
        with Doubles() as store:
            store.take(*self.checked(case.before))
            return store.take(*self.checked(case))

    def arriving(self, store: Doubles) -> Judged:
        """The same for cases of which each arrives where the others before it did."""
        return lambda case: store.take(*self.checked(case))

    def checked(self, case: Case) -> Checked:
        """The case as it is judged by itself."""
        if case.remit is not None:
            return self._told(case, case.remit)
        paper = papers(case)
        document = self.judge.judged(
            self.draft(case, paper), paper.pages, received_at=paper.received_at, arrived=paper.pages
        )
        return Checked(_filed(case, document, paper.pages), paper.pages)

    def draft(self, case: Case, paper: Paper) -> Document:
        """The document before it is judged."""
        return paper.document

    def _told(self, case: Case, remit: Remit) -> Checked:
        """An interchange is read, not recognised: every way is the same for it."""
        (transaction,) = transaction_sets(written(remit))
        with tempfile.TemporaryDirectory() as folder:
            pages = listing(transaction, Path(folder), _MOST_PAGES)
        found = extract_x12(transaction, pages)
        document = document_of(case, pages, found.fields, found.claims)
        draft = document.model_copy(
            update={"envelope": None, "findings": found.findings, "type_confidence": 1.0}
        )
        judged = self.judge.judged(draft, pages, received_at=received_at(case))
        return Checked(judged, tuple(pages))


class Words(Fields):
    """The exact words of each page, out of which the product's own extraction takes the values."""

    def __init__(self, models: Path, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.extractor = Extractor(models, load_schemas(), load_lexicon())

    def draft(self, case: Case, paper: Paper) -> Document:
        found = self.extractor.extract(paper.pages, paper.document.type)
        return document_of(case, paper.pages, found.fields, found.claims)

# SPDX-License-Identifier: Apache-2.0
"""Fields and claims of a document, each with its place on the page.

Door: :class:`Extractor`. Structure is found first (sections, labels, parties), then every source
proposes values through one port, then they vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from idp.document import Claim, DocumentType, Field, Page
from idp.extract.claims import claims_vocabulary, read_remittance
from idp.extract.crf import CrfSource
from idp.extract.options import options_from_marks
from idp.extract.ports import Candidate, CandidateSource
from idp.extract.prose import ProseSource
from idp.extract.registered import RegisteredSource, held_to_forms
from idp.extract.signatures import signatures
from idp.extract.structure import StructureSource
from idp.extract.tables_source import TablesSource
from idp.extract.vote import vote
from idp.schemas import DocumentSchema, Lexicon

__all__ = ["Extraction", "Extractor"]


class Extraction(NamedTuple):
    """What was read from one document."""

    fields: tuple[Field, ...]
    claims: tuple[Claim, ...]


class Extractor:
    """All sources of values behind one door."""

    def __init__(
        self, models: Path, schemas: Mapping[DocumentType, DocumentSchema], lexicon: Lexicon
    ) -> None:
        self._schemas = schemas
        self._structure = StructureSource(tuple(schemas.values()), lexicon)
        self._sources: tuple[CandidateSource, ...] = (
            RegisteredSource(),
            TablesSource(lexicon),
            CrfSource(models, schemas, lexicon),
        )
        self._prose = ProseSource(lexicon)
        self._claims = claims_vocabulary(lexicon.columns)

    @property
    def versions(self) -> dict[str, str]:
        """Name and version of every source."""
        sources: tuple[CandidateSource, ...] = (self._structure, self._prose, *self._sources)
        return {s.name: s.version for s in sources}

    def extract(self, pages: Sequence[Page], type: DocumentType) -> Extraction:
        """The fields and claims of one document.

        Args:
            pages: Its pages, in order.
            type: What it is; the type's schema says which fields there are.
        """
        schema = self._schemas[type]
        structure, readings = self._structure.read(pages, schema)
        found: list[Candidate] = self._structure.from_readings(readings, schema)
        found += self._prose.from_readings(readings, schema)
        for reading in readings:
            found += options_from_marks(reading, schema)
            found += signatures(reading, schema)
        for source in self._sources:
            found += source.candidates(pages, schema, structure)
        found = [
            c
            for c in held_to_forms(found, pages, schema)
            if c.source == RegisteredSource.name or not self._structure.is_label(c.raw, schema)
        ]
        claims: tuple[Claim, ...] = ()
        if type == DocumentType.REMITTANCE_EOB:
            claims = read_remittance(pages, self._claims).claims
        return Extraction(vote(found, schema, self.versions), claims)

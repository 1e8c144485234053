# SPDX-License-Identifier: Apache-2.0
"""Fields and claims of a document, each with its place on the page.

Doors: :class:`Extractor` for pages, :func:`extract_x12` for transaction sets. Of pages, structure
is found first (sections, labels, parties), then every source proposes values through one port, then
they vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from idp.document import Blank, Claim, DocumentType, Field, Page
from idp.extract.claims import claims_vocabulary, read_remittance
from idp.extract.instructions import sentence_test
from idp.extract.options import options_from_marks
from idp.extract.ports import Candidate, CandidateSource
from idp.extract.prose import ProseSource
from idp.extract.registered import RegisteredSource, empty_places, held_to_forms
from idp.extract.signatures import signatures
from idp.extract.structure import StructureSource
from idp.extract.tables_source import TablesSource
from idp.extract.taggers import load_tagger
from idp.extract.trust import FieldTrust, load_trust, trusted
from idp.extract.vote import vote
from idp.extract.x12 import X12_VERSION, X12Extraction, extract_x12
from idp.schemas import DocumentSchema, Lexicon

__all__ = [
    "TRUST",
    "X12_VERSION",
    "Extraction",
    "Extractor",
    "FieldTrust",
    "Proposal",
    "X12Extraction",
    "extract_x12",
    "load_trust",
]


TRUST = "trust"
"""The name of the fitted trust among a document's ``model_versions``."""


class Extraction(NamedTuple):
    """What was read from one document."""

    fields: tuple[Field, ...]
    claims: tuple[Claim, ...]
    blanks: tuple[Blank, ...] = ()


class Proposal(NamedTuple):
    """The same before confidence is fitted, with all that the sources proposed."""

    fields: tuple[Field, ...]
    claims: tuple[Claim, ...]
    candidates: tuple[Candidate, ...]
    blanks: tuple[Blank, ...] = ()


class Extractor:
    """All sources of values behind one door.

    Args:
        models: The folder of weights and their manifest.
        schemas: The fields of each document type.
        lexicon: The wordings that forms have in common.
        layoutlm: Whether the LayoutLM tagger speaks with the CRF where the manifest names one.

    Raises:
        ModelError: Weights that the manifest names are missing or damaged.
    """

    def __init__(
        self,
        models: Path,
        schemas: Mapping[DocumentType, DocumentSchema],
        lexicon: Lexicon,
        *,
        layoutlm: bool = True,
    ) -> None:
        self._schemas = schemas
        self._structure = StructureSource(tuple(schemas.values()), lexicon)
        self._sources: tuple[CandidateSource, ...] = (
            RegisteredSource(),
            TablesSource(lexicon),
            load_tagger(models, schemas, layoutlm=layoutlm),
        )
        self._prose = ProseSource(lexicon)
        self._is_sentence = sentence_test(lexicon)
        self._claims = claims_vocabulary(lexicon.columns)
        self._trust = load_trust(models)

    @property
    def versions(self) -> dict[str, str]:
        """Name and version of every source."""
        sources: tuple[CandidateSource, ...] = (self._structure, self._prose, *self._sources)
        versions = {s.name: s.version for s in sources}
        return versions | ({TRUST: self._trust.version} if self._trust else {})

    def extract(self, pages: Sequence[Page], type: DocumentType) -> Extraction:
        """The fields and claims of one document, each field with its fitted confidence.

        Args:
            pages: Its pages, in order.
            type: What it is; the type's schema says which fields there are.
        """
        proposal = self.propose(pages, type)
        fields = proposal.fields
        if self._trust is not None:
            schema = self._schemas[type]
            fields = trusted(fields, proposal.candidates, pages, schema, self._trust)
        return Extraction(fields, proposal.claims, _unanswered(proposal.blanks, fields))

    def propose(self, pages: Sequence[Page], type: DocumentType) -> Proposal:
        """What the sources found and the vote chose, with the vote's own scores.

        Args:
            pages: The document's pages, in order.
            type: What it is.
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
            if c.source == RegisteredSource.name
            or not (self._structure.is_label(c.raw, schema) or self._is_sentence(c, schema))
        ]
        claims: tuple[Claim, ...] = ()
        if type == DocumentType.REMITTANCE_EOB:
            claims = read_remittance(pages, self._claims).claims
        blanks = (*self._structure.blanks(readings, schema), *empty_places(pages, schema))
        return Proposal(vote(found, schema, self.versions), claims, tuple(found), blanks)


def _unanswered(blanks: Sequence[Blank], fields: Sequence[Field]) -> tuple[Blank, ...]:
    """The first empty place of each field that got no value from elsewhere."""
    filled = {field.name for field in fields if field.value}
    first: dict[str, Blank] = {}
    for blank in blanks:
        if blank.field not in filled:
            first.setdefault(blank.field, blank)
    return tuple(first.values())

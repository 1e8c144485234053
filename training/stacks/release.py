# SPDX-License-Identifier: Apache-2.0
"""Whether a document would leave without a person: all rooms behind the cut, as they ship."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from idp.classify import Segment
from idp.document import Decision, Document, Page
from idp.extract import Extractor
from idp.schemas import load_lexicon, load_schemas
from idp.settings import load_settings
from idp.validate import validate

_TODAY = dt.date(2026, 11, 22)
"""The day of receipt: one after every date that generated documents bear."""


class Release:
    """Extraction, rules and the decision with the shipped models and default settings."""

    def __init__(self) -> None:
        self._settings = load_settings()
        self._schemas = load_schemas(self._settings.schemas_folder)
        self._extractor = Extractor(
            self._settings.models_folder, self._schemas, load_lexicon(), layoutlm=False
        )

    def __call__(self, segment: Segment, pages: Sequence[Page]) -> bool:
        """Whether these pages, taken for one document of the segment's type, leave."""
        found = self._extractor.extract(pages, segment.type)
        document = Document(
            document_id="stack",
            source="stack",
            sha256="",
            channel="fax",
            type=segment.type,
            type_confidence=segment.type_confidence,
            subtype=segment.subtype,
            cut_confidence=segment.cut_confidence,
            cut_page=segment.cut_page,
            pages=tuple(page.number for page in pages),
            fields=found.fields,
            claims=found.claims,
        )
        schema = self._schemas[segment.type]
        checked = validate(document, schema, self._settings.decision, pages, _TODAY)
        return checked.decision is Decision.AUTO

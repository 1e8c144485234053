# SPDX-License-Identifier: Apache-2.0
"""Who judges documents: the rules with all they know, the same for new and for stored ones.

The pipeline asks it for a document just read, a replay for one that was decided before, the review
for one that a person corrected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from idp.document import Document, DocumentType, Page
from idp.knowledge import Circumstances, Knowledge
from idp.schemas import DocumentSchema
from idp.settings import ChannelSettings, Settings, SiteSettings
from idp.validate import validate, with_requests


class Judge:
    """Judges documents by the settings, schemas and imported knowledge in force."""

    def __init__(self, settings: Settings, schemas: Mapping[DocumentType, DocumentSchema]) -> None:
        self._settings = settings
        self._schemas = schemas
        self._knowledge = Knowledge()

    def judged(
        self,
        draft: Document,
        pages: Sequence[Page],
        *,
        received_at: dt.datetime,
        arrived: Sequence[Page] = (),
    ) -> Document:
        """The document with findings, clocks and a decision.

        Args:
            draft: As read, or as it was decided before: what an earlier judgement added is
                replaced, what other rooms found is kept.
            pages: Those of the document.
            received_at: When it arrived (aware).
            arrived: All pages of its transmission; without them nothing is said of what was
                announced.
        """
        return validate(
            draft,
            self._schemas[draft.type],
            self._settings.decision,
            pages,
            received_at.date(),
            arrived=arrived,
            knowledge=self._knowledge,
            circumstances=self._circumstances(draft, received_at),
        )

    def compared(self, documents: Sequence[Document]) -> tuple[Document, ...]:
        """The judged documents of one file, with what they say of each other."""
        return with_requests(documents, self._schemas)

    def _circumstances(self, draft: Document, received_at: dt.datetime) -> Circumstances:
        channel = self._settings.ingest.channels.get(draft.channel) or ChannelSettings()
        name = draft.envelope.site if draft.envelope else None
        site = self._settings.sites.get(name) if name else None
        return Circumstances(
            received_at=received_at,
            site=site or SiteSettings(),
            release=channel.release,
            priority=channel.priority,
        )

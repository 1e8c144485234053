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
from idp.requirements import Companion, load_requirements
from idp.schemas import DocumentSchema
from idp.settings import ChannelSettings, Settings, SiteSettings
from idp.validate import validate


class Judge:
    """Judges documents by the settings, schemas and imported knowledge in force."""

    def __init__(self, settings: Settings, schemas: Mapping[DocumentType, DocumentSchema]) -> None:
        self._settings = settings
        self._schemas = schemas
        requirements = load_requirements(settings.rules_folder, schemas)
        self._knowledge = Knowledge(
            versions=(("requirements", requirements.version),),
            requirements=requirements,
        )

    def judged(
        self,
        draft: Document,
        pages: Sequence[Page],
        *,
        received_at: dt.datetime,
        arrived: Sequence[Page] = (),
        companions: Sequence[Companion] = (),
    ) -> Document:
        """The document with findings, clocks and a decision.

        Args:
            draft: As read, or as it was decided before: what an earlier judgement added is
                replaced, what other rooms found is kept.
            pages: Those of the document.
            received_at: When it arrived (aware).
            arrived: All pages of its transmission; without them nothing is said of what was
                announced.
            companions: The other documents of the same arrival (:func:`companions_of`).
        """
        return validate(
            draft,
            self._schemas[draft.type],
            self._settings.decision,
            pages,
            received_at.date(),
            arrived=arrived,
            knowledge=self._knowledge,
            circumstances=self._circumstances(draft, received_at, tuple(companions)),
        )

    def _circumstances(
        self, draft: Document, received_at: dt.datetime, companions: tuple[Companion, ...]
    ) -> Circumstances:
        channel = self._settings.ingest.channels.get(draft.channel) or ChannelSettings()
        name = draft.envelope.site if draft.envelope else None
        site = self._settings.sites.get(name) if name else None
        return Circumstances(
            received_at=received_at,
            site=site or SiteSettings(),
            release=channel.release,
            priority=channel.priority,
            companions=companions,
        )


def companions_of(document: Document, arrival: Sequence[Document]) -> tuple[Companion, ...]:
    """The other documents of an arrival, as :meth:`Judge.judged` wants them."""
    return tuple(
        Companion(other.type, other.subtype, len(other.pages))
        for other in arrival
        if other.document_id != document.document_id and other.error is None
    )

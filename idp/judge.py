# SPDX-License-Identifier: Apache-2.0
"""Who judges documents: the rules with all they know, the same for new and for stored ones.

The pipeline asks it for a document just read, a replay for one that was decided before, the review
for one that a person corrected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from idp.clocks import Clockwork, load_clockwork
from idp.document import Document, DocumentType, Page
from idp.knowledge import Circumstances, Knowledge
from idp.schemas import DocumentSchema
from idp.settings import ChannelSettings, Settings, SiteSettings
from idp.validate import validate


def clockwork_of(settings: Settings) -> Clockwork:
    """The clocks in force, fit for all sites; raises :class:`idp.errors.RulesError`."""
    clockwork = load_clockwork(settings.rules_folder)
    for site in (SiteSettings(), *settings.sites.values()):
        clockwork.check(site)
    return clockwork


def site_of(settings: Settings, name: str | None) -> SiteSettings:
    """What is known of a site; a provider's where nothing is."""
    known = settings.sites.get(name) if name else None
    return known or SiteSettings()


class Judge:
    """Judges documents by the settings, schemas and imported knowledge in force."""

    def __init__(self, settings: Settings, schemas: Mapping[DocumentType, DocumentSchema]) -> None:
        self._settings = settings
        self._schemas = schemas
        self._knowledge = Knowledge(clocks=clockwork_of(settings))

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

    def unread(self, refused: Document, *, received_at: dt.datetime) -> Document:
        """A document that can't be read, with the strictest clocks of its site."""
        clockwork = self._knowledge.clocks
        assert clockwork is not None
        came = self._circumstances(refused, received_at)
        running = clockwork.unread(received_at=received_at, site=came.site, priority=came.priority)
        return refused.model_copy(update=running._asdict())

    def _circumstances(self, draft: Document, received_at: dt.datetime) -> Circumstances:
        channel = self._settings.ingest.channels.get(draft.channel) or ChannelSettings()
        name = draft.envelope.site if draft.envelope else None
        return Circumstances(
            received_at=received_at,
            site=site_of(self._settings, name),
            release=channel.release,
            priority=channel.priority,
        )

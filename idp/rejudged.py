# SPDX-License-Identifier: Apache-2.0
"""A stored document judged anew, with everything that its first judgement was made from.

For a replay, which asks what today's rules would say, and for a document that a person corrected.
"""

from __future__ import annotations

from collections.abc import Sequence

from idp.arriving import marked
from idp.document import Document, DocumentType
from idp.judge import Judge
from idp.requirements import Companion
from idp.settings import ChannelSettings, Settings
from idp.signals import Correction, corrected
from idp.store import DecidedDocument, double_of
from idp.store import marked as marked_double

_OF_HOW_IT_CAME = frozenset({"D1", "P7"})
"""Rules that follow from the policies of the channel: said anew under the policies asked for."""


def judged_again(
    stored: DecidedDocument,
    judge: Judge,
    settings: Settings,
    corrections: Sequence[Correction] = (),
) -> Document:
    """The document as it would be decided now, with what a reviewer said of it.

    Args:
        stored: As it is in the store.
        judge: Judges it.
        settings: Whose policies of channels count.
        corrections: One per value.

    Raises:
        KeyError: There is no schema of its type.
    """
    document, arrival = stored.document, stored.arrival
    electronic = bool(stored.pages) and all(p.words_source == "x12" for p in stored.pages)
    told_by = document.envelope.told_by if document.envelope else ()
    # As in the pipeline: what a sidecar announces are the pages of the file, not of one part.
    whole = not electronic and (document.part is None or "sidecar" not in told_by)
    bare = document.model_copy(
        update={"findings": tuple(f for f in document.findings if f.rule not in _OF_HOW_IT_CAME)}
    )
    again = judge.judged(
        corrected(bare, corrections),
        stored.pages,
        received_at=arrival.received_at,
        arrived=stored.part if whole else (),
        companions=[
            Companion(DocumentType(type_), subtype, pages)
            for type_, subtype, pages in stored.beside
        ],
    )
    channel = settings.ingest.channels.get(arrival.channel) or ChannelSettings()
    again = marked(again, arrival, channel)
    return marked_double(again, double_of(document), channel.near_duplicates)

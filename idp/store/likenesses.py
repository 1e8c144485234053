# SPDX-License-Identifier: Apache-2.0
"""Finds the earlier document that a new one repeats, and marks the new one (rule D1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.document import Document, Finding, Page, Severity
from idp.likeness import MOST_CANDIDATES, OCCASION_BAND, Like, Traits, alike, traits
from idp.reasons import with_finding
from idp.rulebook import rule
from idp.settings import DuplicatePolicy
from idp.store.content import ContentStore
from idp.store.identity import first_at
from idp.store.tables import DocumentRecord, FingerprintRecord

LOOK_BACK = dt.timedelta(days=180)
"""How old an earlier document may be. A fax is sent twice within days, and a claim or request is
rarely answered later than half a year after; a comparison with all there ever was would slow down
with every year."""


def traits_of(document: Document, pages: Sequence[Page]) -> Traits:
    """What the document is compared by, from its own pages of the packet's."""
    own = [p for p in pages if p.part == document.part and p.number in document.pages]
    return traits(document, own)


def most_like(
    session: Session,
    content: ContentStore,
    of: Traits,
    *,
    arrival_id: str,
    since: dt.datetime,
    siblings: Sequence[tuple[str, Traits]],
) -> Like | None:
    """The document that ``of`` repeats: one of another arrival, or one of its ``siblings``.

    Processing an arrival again must not find what it gave itself the last time, so its own earlier
    results are left out and ``siblings`` are those of this time. Documents born before ``since``
    are not looked at.
    """
    bands = of.bands()
    if not bands:
        return None
    shared = sa.func.count().label("shared")
    same_occasion = sa.func.max(FingerprintRecord.band) >= OCCASION_BAND
    candidates = session.execute(
        sa.select(DocumentRecord.id, DocumentRecord.traits_sha256, shared)
        .join(FingerprintRecord, FingerprintRecord.document_id == DocumentRecord.id)
        .where(
            sa.tuple_(FingerprintRecord.band, FingerprintRecord.bucket).in_(list(bands)),
            FingerprintRecord.document_id >= first_at(since),
            DocumentRecord.arrival_id != arrival_id,
            DocumentRecord.traits_sha256.is_not(None),
        )
        .group_by(DocumentRecord.id, DocumentRecord.traits_sha256)
        .order_by(same_occasion.desc(), shared.desc(), DocumentRecord.id)
        .limit(MOST_CANDIDATES)
    ).all()
    known = [
        (row.id, Traits.model_validate_json(content.read(row.traits_sha256))) for row in candidates
    ]
    found = [like for id_, theirs in (*siblings, *known) if (like := alike(id_, of, theirs))]
    return max(found, key=lambda like: (not like.by_fields, like.likeness), default=None)


def remember(session: Session, document_id: str, of: Traits) -> None:
    """Leave the document's fingerprint, in place of an earlier one."""
    session.execute(
        sa.delete(FingerprintRecord).where(FingerprintRecord.document_id == document_id)
    )
    session.add_all(
        FingerprintRecord(document_id=document_id, band=band, bucket=bucket)
        for band, bucket in of.bands()
    )


_ABOUT = "Repeats document"
_BY_FIELDS = "the same patient, dates and codes"


@rule(
    "D1",
    severity=Severity.BLOCK,
    source="policy of the channel: near_duplicates; nothing is delivered twice",
    version=3,
)
def marked(document: Document, like: Like | None, policy: DuplicatePolicy) -> Document:
    """D1: a document that repeats an earlier one is linked to it and marked.

    Only the policy ``warn`` lets it leave by itself.
    """
    if like is None:
        return document
    share = f"{int(like.likeness * 100)} %"
    told = (
        f"{_BY_FIELDS}, and {share} of its words are the same"
        if like.by_fields
        else f"{share} of its numbers are the same"
    )
    linked = document.model_copy(
        update={"duplicate_of": like.document_id, "likeness": round(like.likeness, 4)}
    )
    finding = Finding(
        rule="D1",
        severity=Severity.WARN if policy == "warn" else Severity.BLOCK,
        message=f"{_ABOUT} {like.document_id}: {told}",
        remedy="Look at both; release this one only where it asks for something else",
    )
    return with_finding(linked, finding)


def double_of(document: Document) -> Like | None:
    """What a document was found to repeat when it was first worked."""
    if document.duplicate_of is None or document.likeness is None:
        return None
    by_fields = any(f.rule == "D1" and _BY_FIELDS in f.message for f in document.findings)
    return Like(document.duplicate_of, document.likeness, by_fields=by_fields)

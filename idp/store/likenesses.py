# SPDX-License-Identifier: Apache-2.0
"""Finds the earlier document that a new one repeats, and marks the new one (rule D1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.document import Decision, Document, Finding, Page, Severity
from idp.likeness import MOST_CANDIDATES, SAME, Like, Traits, likeness, traits
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
    buckets = of.buckets()
    if not buckets:
        return None
    shared = sa.func.count().label("shared")
    candidates = session.execute(
        sa.select(DocumentRecord.id, DocumentRecord.traits_sha256, shared)
        .join(FingerprintRecord, FingerprintRecord.document_id == DocumentRecord.id)
        .where(
            sa.tuple_(FingerprintRecord.band, FingerprintRecord.bucket).in_(
                list(enumerate(buckets))
            ),
            FingerprintRecord.document_id >= first_at(since),
            DocumentRecord.arrival_id != arrival_id,
            DocumentRecord.traits_sha256.is_not(None),
        )
        .group_by(DocumentRecord.id, DocumentRecord.traits_sha256)
        .order_by(shared.desc(), DocumentRecord.id)
        .limit(MOST_CANDIDATES)
    ).all()
    known = [
        (row.id, Traits.model_validate_json(content.read(row.traits_sha256))) for row in candidates
    ]
    alike = [Like(id_, likeness(of, theirs)) for id_, theirs in (*siblings, *known)]
    best = max(alike, key=lambda like: like.likeness, default=None)
    return best if best is not None and best.likeness >= SAME else None


def remember(session: Session, document_id: str, of: Traits) -> None:
    """Leave the document's fingerprint, in place of an earlier one."""
    session.execute(
        sa.delete(FingerprintRecord).where(FingerprintRecord.document_id == document_id)
    )
    session.add_all(
        FingerprintRecord(document_id=document_id, band=band, bucket=bucket)
        for band, bucket in enumerate(of.buckets())
    )


@rule("D1", severity=Severity.WARN, source="policy of the channel: near duplicates")
def marked(document: Document, like: Like | None, policy: DuplicatePolicy) -> Document:
    """D1: a document that repeats an earlier one is linked to it and marked.

    Only the policy ``warn`` lets it leave by itself.
    """
    if like is None:
        return document
    message = (
        f"Repeats document {like.document_id}: {int(like.likeness * 100)} % of its numbers are "
        "the same"
    )
    held = policy != "warn" and document.decision is Decision.AUTO
    return document.model_copy(
        update={
            "duplicate_of": like.document_id,
            "likeness": round(like.likeness, 4),
            "findings": (
                *document.findings,
                Finding(rule="D1", severity=Severity.WARN, message=message),
            ),
            "decision": Decision.REVIEW if held else document.decision,
            "reasons": document.reasons if policy == "warn" else (*document.reasons, message),
        }
    )

# SPDX-License-Identifier: Apache-2.0
"""The decision: whether a document leaves by itself, and every reason why it does not."""

from __future__ import annotations

from collections.abc import Sequence

from idp.document import Decision, Document, DocumentType, Finding, Grade, Page, Severity
from idp.knowledge import Circumstances
from idp.schemas import DocumentSchema
from idp.settings import DecisionSettings

NEVER_BY_ITSELF = frozenset(
    {"records_request", "appeal_letter", "authorization_reply", "junk", "message", "blank"}
)
"""Kinds of `other` that always go to a person: deadlines, the law, misdirected faxes, the text of a
mail, and files of nothing but white pages (somebody sent the wrong side)."""


def decided(
    document: Document,
    schema: DocumentSchema,
    policy: DecisionSettings,
    pages: Sequence[Page],
    circumstances: Circumstances | None = None,
) -> Document:
    """``document``, whose findings are complete, with its decision and the reasons for it.

    Args:
        document: With all findings, those of other rooms too.
        schema: That of its type.
        policy: Thresholds, and whether anything may leave by itself at all.
        pages: Those of the document.
        circumstances: How it came.
    """
    poor = tuple(page.number for page in pages if page.grade is Grade.POOR)
    reasons = [
        *_about_the_kind(document, schema, policy),
        *_about_findings(document.findings),
        *_about_confidence(document, schema, policy),
        *(f"Page {number} is hard to read" for number in poor),
    ]
    return document.model_copy(
        update={
            "decision": Decision.REVIEW if reasons else Decision.AUTO,
            "reasons": tuple(dict.fromkeys(reasons)),
        }
    )


def _percent(share: float) -> str:
    return f"{int(share * 100)} %"


def _about_the_kind(
    document: Document, schema: DocumentSchema, policy: DecisionSettings
) -> list[str]:
    reasons: list[str] = []
    if not policy.automatic:
        reasons.append("Automatic release is switched off")
    if document.type_confidence < policy.type_threshold:
        reasons.append(f"Document type is uncertain ({_percent(document.type_confidence)})")
    if document.type == DocumentType.OTHER:
        if document.subtype is None:
            reasons.append("Kind of document is not recognised")
        elif document.subtype in NEVER_BY_ITSELF:
            kinds = {kind.name: kind.title for kind in schema.subtypes}
            title = kinds.get(document.subtype, document.subtype)
            reasons.append(f"Always seen by a person: {title}")
    return reasons


def _about_findings(findings: Sequence[Finding]) -> list[str]:
    gaps = [f for f in findings if f.rule in ("C1", "C2") and f.severity is not Severity.INFO]
    blocked = [f for f in findings if f.rule not in ("C1", "C2") and f.severity is Severity.BLOCK]
    return [f.message.split(":", 1)[0] for f in gaps] + [f.message for f in blocked]


def _about_confidence(
    document: Document, schema: DocumentSchema, policy: DecisionSettings
) -> list[str]:
    reasons: list[str] = []
    for field in document.fields:
        known = schema.field(field.name)
        if field.value in (None, ""):
            continue
        limit = known.threshold if known and known.threshold is not None else None
        if field.confidence < (policy.field_threshold if limit is None else limit):
            title = known.title if known else field.name
            reasons.append(f"{title} read with {_percent(field.confidence)} confidence")
    for number, claim in enumerate(document.claims, start=1):
        if claim.confidence < policy.field_threshold:
            reasons.append(f"Claim {number} read with {_percent(claim.confidence)} confidence")
    return reasons

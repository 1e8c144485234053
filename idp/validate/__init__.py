# SPDX-License-Identifier: Apache-2.0
"""Fields to findings and a decision: formats, completeness, cross-checks, thresholds.

Rules judge paperwork only: nothing here approves or denies care.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from idp.document import Decision, Document, DocumentType, Finding, Grade, Page, Severity
from idp.schemas import DocumentSchema
from idp.settings import DecisionSettings
from idp.validate import across, electronic, rules
from idp.validate.completeness import Gap, find_gaps
from idp.validate.transmission import announced_on_cover, transmission_complete

__all__ = ["NEVER_BY_ITSELF", "announced_on_cover", "validate"]

NEVER_BY_ITSELF = frozenset(
    {"records_request", "appeal_letter", "authorization_reply", "junk", "message", "blank"}
)
"""Kinds of `other` that always go to a person: deadlines, the law, misdirected faxes, the text of a
mail, and files of nothing but white pages (somebody sent the wrong side)."""


def validate(
    document: Document,
    schema: DocumentSchema,
    policy: DecisionSettings,
    pages: Sequence[Page],
    today: dt.date,
    *,
    arrived: Sequence[Page] = (),
) -> Document:
    """``document`` with its missing fields, findings, decision and reasons filled in.

    A document leaves by itself only when its type is sure, it is clear where it begins and ends,
    nothing required is missing, every value is sure enough, no rule blocks and no page is of poor
    quality. An `other` document is routed by its subtype: it leaves by itself
    when the subtype is known and sure and not one of :data:`NEVER_BY_ITSELF`; an unrecognised one
    goes to a person.

    Args:
        document: As classified and extracted.
        schema: That of the document's type.
        policy: Thresholds, and whether anything may leave by itself at all.
        pages: The pages of the packet; those of the document are picked by number.
        today: The day of receipt, for rules on dates.
        arrived: All pages that came in the same transmission, also those of other documents;
            without them nothing is said of what was announced.
    """
    announced = document.envelope.pages_announced if document.envelope else None
    incomplete = transmission_complete(arrived, announced) if arrived else ()
    own = [page for page in pages if page.number in document.pages]
    # What an interchange says is known whole: nothing on its listing is unread, or a second form.
    told = electronic.is_electronic(own)
    gaps = find_gaps(document, schema, () if told else own)
    missing = [gap for gap in gaps if not gap.unread]
    findings = [
        *(f for f in document.findings if told and f.rule in electronic.SAID_BY_EXTRACTION),
        *_field_findings(document, schema, today),
        *across.dates_in_order(document, schema),
        *(
            electronic.balances(document)
            if told
            else _on_paper(document, own, incomplete, policy.cut_threshold)
        ),
        *(_gap_finding(gap) for gap in gaps),
    ]
    poor = tuple(page.number for page in own if page.grade is Grade.POOR)
    reasons = [
        *_about_the_kind(document, schema, policy),
        *_about_gaps_and_rules(findings, gaps),
        *_about_confidence(document, schema, policy),
        *(f"Page {number} is hard to read" for number in poor),
    ]
    return document.model_copy(
        update={
            "missing": tuple(gap.schema.name for gap in missing),
            "findings": tuple(findings),
            "decision": Decision.REVIEW if reasons else Decision.AUTO,
            "reasons": tuple(dict.fromkeys(reasons)),
        }
    )


def _on_paper(
    document: Document, pages: Sequence[Page], incomplete: Sequence[Finding], cut_threshold: float
) -> list[Finding]:
    """What only paper needs: amounts as read, pages that lack, patients and cuts mixed up."""
    return [
        *across.claims_balance(document.claims),
        *across.lines_make_claims(document.claims),
        *across.claims_make_payment(document),
        *across.pages_readable(pages),
        *incomplete,
        *(() if incomplete else across.pages_complete(pages)),
        *across.one_patient(pages, many=document.type == DocumentType.REMITTANCE_EOB),
        *across.pages_set_aside(document),
        *across.cut_is_sure(document, cut_threshold),
    ]


def _field_findings(document: Document, schema: DocumentSchema, today: dt.date) -> list[Finding]:
    order = {field.name: place for place, field in enumerate(schema.fields)}
    findings: list[Finding] = []
    for field in sorted(document.fields, key=lambda f: order.get(f.name, len(order))):
        known = schema.field(field.name)
        if known is not None and field.value not in (None, ""):
            findings.extend(rules.check(field, known, today))
    return findings


def _gap_finding(gap: Gap) -> Finding:
    """C1: what is required is there, or C2: was read; a gap of severity ``info`` keeps nothing."""
    because = f": {gap.because}" if gap.because else ""
    severity = Severity.INFO if gap.schema.severity is Severity.INFO else Severity.BLOCK
    return Finding(
        rule="C2" if gap.unread else "C1",
        severity=severity,
        field=gap.schema.name,
        message=f"{_said(gap)}{because}",
        page=gap.page,
        box=gap.box,
    )


def _said(gap: Gap) -> str:
    if gap.unread:
        return f"{gap.schema.title} seems to be printed but was not read"
    return f"{gap.schema.title} {'is left blank' if gap.asked else 'is missing'}"


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


def _about_gaps_and_rules(findings: Sequence[Finding], gaps: Sequence[Gap]) -> list[str]:
    lacking = [
        _said(gap) if gap.unread else f"{gap.schema.title} is missing"
        for gap in gaps
        if gap.schema.severity is not Severity.INFO
    ]
    blocked = [
        finding.message
        for finding in findings
        if finding.severity is Severity.BLOCK and finding.rule not in ("C1", "C2")
    ]
    return lacking + blocked


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

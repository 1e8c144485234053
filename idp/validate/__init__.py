# SPDX-License-Identifier: Apache-2.0
"""Fields to findings and a decision: formats, completeness, cross-checks, thresholds.

Rules judge paperwork only: nothing here approves or denies care.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Literal

from idp.document import Document, DocumentType, Finding, Page, Severity
from idp.knowledge import Circumstances, Knowledge
from idp.phrases import fold
from idp.requirements import Case, not_enclosed, unmet
from idp.rulebook import enter
from idp.schemas import DocumentSchema
from idp.settings import DecisionSettings
from idp.validate import (
    across,
    authorizations,
    diagnoses,
    electronic,
    identifiers,
    listed,
    masters,
    reasons,
    register,
    rules,
)
from idp.validate.completeness import Gap, find_gaps
from idp.validate.decision import POLICY_VERSION, decided
from idp.validate.kept import of_other_rooms
from idp.validate.packet import answered
from idp.validate.remittance import balanced
from idp.validate.remittance_summary import summary_of
from idp.validate.repair import repaired
from idp.validate.transmission import announced_on_cover, transmission_complete
from idp.validate.urgency import urgency_of

__all__ = ["JUDGING", "POLICY_VERSION", "announced_on_cover", "decided", "validate"]

JUDGING = ("idp.validate", "idp.reference", "idp.masters", "idp.requirements", "idp.clocks")
"""Modules whose rules every judgement applies anew."""

_MISSING = enter(
    "C1",
    "What the schema requires, by itself or because a condition holds, is there.",
    severity=Severity.BLOCK,
    source="schema: required, when, one_of; each field names its own source",
    where="idp.validate.completeness.find_gaps",
    version=2,
)
_UNREAD = enter(
    "C2",
    "What seems to be printed for a required field was read.",
    severity=Severity.BLOCK,
    source="policy of this product: an unread value is not a missing one",
    where="idp.validate.completeness.find_gaps",
    version=2,
)


LISTS_ENCLOSURES = frozenset({DocumentType.REFERRAL, DocumentType.PRIOR_AUTH_REQUEST})
"""Types that come with papers of their own: only there is what they list held against them."""


def validate(
    document: Document,
    schema: DocumentSchema,
    policy: DecisionSettings,
    pages: Sequence[Page],
    today: dt.date,
    *,
    arrived: Sequence[Page] = (),
    knowledge: Knowledge | None = None,
    circumstances: Circumstances | None = None,
) -> Document:
    """``document`` with its missing fields, findings, decision and reasons filled in.

    A document leaves by itself only when its type is sure, it is clear where it begins and ends,
    nothing required is missing, every value is sure enough, no rule blocks and no page is of poor
    quality. An `other` document is routed by its subtype: it leaves by itself when the subtype is
    known and sure and its schema does not say ``release: never``; an unrecognised one goes to a
    person. :mod:`idp.validate.decision` has the policy.

    Args:
        document: As classified and extracted.
        schema: That of the document's type.
        policy: Thresholds, and whether anything may leave by itself at all.
        pages: The pages of the packet; those of the document are picked by number.
        today: The day of receipt, for rules on dates.
        arrived: All pages that came in the same transmission, also those of other documents;
            without them nothing is said of what was announced.
        knowledge: Imported lists, directories, requirements and clocks; by default none.
        circumstances: How it came; without them no clock runs.
    """
    known = knowledge or Knowledge()
    announced = document.envelope.pages_announced if document.envelope else None
    incomplete = transmission_complete(arrived, announced) if arrived else ()
    own = [page for page in pages if page.number in document.pages]
    # What an interchange says is known whole: nothing on its listing is unread, or a second form.
    told = electronic.is_electronic(own)
    document, about_repair = repaired(document, schema, today, own)
    looked_up = masters.looked_up(document, schema, known.masters, today)
    sums = balanced(document, own, known.reductions, electronic=told)
    document = sums.document
    request = answered(document, circumstances.companions if circumstances else ())
    gaps = find_gaps(document, schema, () if told else own)
    missing = [gap for gap in gaps if not gap.unread]
    of_fields = _field_findings(document, schema, today)
    of_the_day = diagnoses.diagnoses_of_the_day(document, schema, known.reference, today)
    findings = [
        *of_other_rooms(document.findings, told=told),
        *about_repair,
        *(f for f in of_fields if of_the_day is None or f.rule != diagnoses.NUMBER),
        *identifiers.medicare_has_mbi(document),
        *(identifiers.diagnoses_hold_on_date(document, schema) if of_the_day is None else ()),
        *(of_the_day or ()),
        *across.dates_in_order(document, schema),
        *across.claims_are_past(document.claims, today),
        *authorizations.decision_is_whole(document, gaps),
        *authorizations.approval_fits_request(document, request),
        *authorizations.expedited_has_reason(document, gaps, own),
        *authorizations.valid_when_planned(document, schema, request),
        *register.provider_registered(document, schema, known.reference, today),
        *listed.procedures_listed(document, schema, known.reference, today),
        *listed.codes_listed(document, schema, known.reference, today),
        *reasons.reasons_hold(document, known.reference, today, told=told),
        *looked_up.findings,
        *masters.member_known(document, schema, looked_up.found, _role(circumstances)),
        *(() if told else _on_paper(document, own, incomplete, policy.cut_threshold)),
        *sums.findings,
        *(_gap_finding(gap) for gap in gaps if not authorizations.owed_by_decision(document, gap)),
        *_asked_by_payers(
            Case(
                document.model_copy(update={"masters": looked_up.found.matches}),
                own,
                today,
                circumstances.companions if circumstances else (),
                {field.name: field.title for field in schema.fields},
            ),
            knowledge,
        ),
    ]
    found = document.model_copy(
        update={
            "missing": tuple(gap.schema.name for gap in missing),
            "findings": tuple(findings),
            "masters": looked_up.found.matches,
            "remittance": summary_of(document, known.reductions, sums.checked, sums.imbalances),
        }
    )
    found = _timed(found, own, arrived, knowledge, circumstances)
    return decided(found, schema, policy, own, circumstances=circumstances, knowledge=knowledge)


def _timed(
    document: Document,
    pages: Sequence[Page],
    arrived: Sequence[Page],
    knowledge: Knowledge | None,
    circumstances: Circumstances | None,
) -> Document:
    """``document`` with its urgency, the clocks that run for it and its priority."""
    clockwork = knowledge.clocks if knowledge is not None else None
    if clockwork is None or circumstances is None:
        return document
    urgency, contradictions = urgency_of(document, pages, clockwork.wording, arrived=arrived)
    running = clockwork.running(
        document,
        urgency,
        received_at=circumstances.received_at,
        site=circumstances.site,
        priority=circumstances.priority,
    )
    return document.model_copy(
        update={
            "findings": (*document.findings, *contradictions),
            "urgency": urgency,
            "clocks": running.clocks,
            "priority": running.priority,
        }
    )


def _role(circumstances: Circumstances | None) -> Literal["provider", "payer"]:
    return circumstances.site.role if circumstances else "provider"


def _on_paper(
    document: Document, pages: Sequence[Page], incomplete: Sequence[Finding], cut_threshold: float
) -> list[Finding]:
    """What only paper needs: pages that lack, patients and cuts mixed up."""
    return [
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


def _asked_by_payers(case: Case, knowledge: Knowledge | None) -> Iterator[Finding]:
    """C3 and C4: what the payer asks for this service, and what the form says is enclosed."""
    if knowledge is None:
        return
    yield from unmet(case, knowledge.requirements)
    if case.document.type in LISTS_ENCLOSURES:
        yield from not_enclosed(case, knowledge.requirements)


def _gap_finding(gap: Gap) -> Finding:
    """C1: what is required is there, or C2: was read; a gap of severity ``info`` keeps nothing."""
    because = f": {gap.because}" if gap.because else ""
    severity = Severity.INFO if gap.schema.severity is Severity.INFO else Severity.BLOCK
    return Finding(
        rule=_UNREAD if gap.unread else _MISSING,
        severity=severity,
        field=gap.schema.name,
        message=f"{_said(gap)}{because}",
        page=gap.page,
        box=gap.box,
        remedy="Look at the page and type what stands there"
        if gap.unread
        else "Ask the sender for it; a draft letter lists everything that is missing",
    )


def _said(gap: Gap) -> str:
    """What lacks, by its title, and by what the form calls it where that is something else."""
    title = gap.schema.title
    printed = " ".join(gap.label.split()).rstrip(" :.*_").replace(":", " ")
    if printed and fold(printed) != fold(title):
        title = f"{title} (\u201c{printed}\u201d on the form)"
    if gap.unread:
        return f"{title} seems to be printed but was not read"
    return f"{title} {'is left blank' if gap.asked else 'is missing'}"

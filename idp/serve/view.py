# SPDX-License-Identifier: Apache-2.0
"""What the templates show: plain values, ready to be printed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from markupsafe import Markup, escape

from idp.contract import envelope_facts, imbalances_in_words, percent
from idp.document import (
    Box,
    Claim,
    Document,
    DocumentType,
    Field,
    Finding,
    Imbalance,
    MasterMatch,
    Page,
    ServiceLine,
    Severity,
)
from idp.letters import has_items
from idp.schemas import DocumentSchema
from idp.serve.waterfall import Bar, waterfall
from idp.settings import DecisionSettings
from idp.store import CLOCK_STOPPED, DocumentRow, State

Tone = Literal["good", "look", "bad", "calm"]

_MOST_CLAIMS_SHOWN = 20

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

_GROUPS: tuple[tuple[str, tuple[State, ...]], ...] = (
    ("Coming in", (State.RECEIVED, State.PROCESSING)),
    ("For a person", (State.REVIEW, State.QUARANTINED)),
    ("Going out", (State.AUTO, State.CORRECTED, State.DELIVERING)),
    ("Done", (State.DELIVERED, State.INCOMPLETE, State.DUPLICATE)),
)
TONES: dict[State, Tone] = {
    State.RECEIVED: "calm",
    State.PROCESSING: "calm",
    State.AUTO: "good",
    State.REVIEW: "look",
    State.CORRECTED: "good",
    State.DELIVERING: "good",
    State.DELIVERED: "good",
    State.INCOMPLETE: "look",
    State.QUARANTINED: "bad",
    State.DUPLICATE: "calm",
}


@dataclass(frozen=True, slots=True)
class StateTile:
    """One state with its count."""

    state: State
    number: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class StateGroup:
    """States that belong together on the overview."""

    title: str
    tiles: tuple[StateTile, ...]


@dataclass(frozen=True, slots=True)
class FieldView:
    """One found value as shown; ``number`` ties it to its frame on the page."""

    number: int
    title: str
    name: str
    value: str
    raw: str
    percent: int
    tone: Tone
    page: int | None
    note: str
    derived_from: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame on a page picture, in thousandths of the page's width."""

    number: int
    label: str
    tone: Tone
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PageView:
    """One page picture with its frames; ``height`` is in thousandths of its width."""

    number: int
    height: int
    note: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """One row of the claims table."""

    number: int
    """Ties the row to its frame on the page."""
    claim: Claim | None
    """The claim whose first row this is."""
    line: ServiceLine
    percent: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class FindingView:
    """What a rule says; ``title`` is the field's when the message does not name it itself."""

    finding: Finding
    title: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class MasterView:
    """Who of our directories a party is, and what speaks for and against it."""

    party: str
    outcome: str
    canonical_id: str
    evidence: tuple[tuple[str, Tone], ...]
    tone: Tone


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One document, ready to be printed."""

    document: Document
    title: str
    percent: int
    fields: tuple[FieldView, ...]
    claims: tuple[LineView, ...]
    missing: tuple[tuple[str, str], ...]
    """Title of each missing field, and what the rules say about it."""
    reasons: tuple[str, ...]
    """Reasons of the decision that no finding and no missing field tells already."""
    findings: tuple[FindingView, ...]
    pages: tuple[PageView, ...]
    milliseconds: int
    masters: tuple[MasterView, ...] = ()
    envelope: tuple[tuple[str, str], ...] = ()
    """How the document came, in names and values."""
    asks_sender: bool = False
    """Whether something lacks that its sender could mend: a letter can be drafted."""
    waterfall: tuple[Bar, ...] = ()
    """Of a remittance: from billed to the payment."""
    imbalances: tuple[tuple[str, Imbalance], ...] = ()
    """Of a remittance: what does not balance, and where in words."""


def state_groups(counts: Mapping[State, int]) -> tuple[StateGroup, ...]:
    """The states with their counts in the order of a document's way."""
    return tuple(
        StateGroup(
            title, tuple(StateTile(state, counts.get(state, 0), TONES[state]) for state in states)
        )
        for title, states in _GROUPS
    )


def overdue_banner(overdue: int) -> str:
    """One sentence about the documents that nobody decided in time; empty where there is none."""
    if not overdue:
        return ""
    return f"{overdue} document{'s are' if overdue > 1 else ' is'} overdue"


def type_title(row: DocumentRow, schemas: Mapping[DocumentType, DocumentSchema]) -> str:
    """What kind of document this is, in words."""
    if row.type is None or not row.pages:
        return ""
    schema = schemas.get(DocumentType(row.type))
    title = schema.title if schema else row.type
    if row.subtype:
        return f"{title}: {row.subtype.replace('_', ' ')}"
    return title


def document_view(
    document: Document,
    pages: Sequence[Page],
    schema: DocumentSchema | None,
    policy: DecisionSettings,
) -> DocumentView:
    """Everything that the document page shows.

    Args:
        document: What was found.
        pages: The pages as read, for their proportions and grades.
        schema: Titles and thresholds of its type.
        policy: The threshold of fields whose schema names none.
    """
    titles = {field.name: field.title for field in schema.fields} if schema else {}
    thresholds = (
        {field.name: field.threshold for field in schema.fields if field.threshold is not None}
        if schema
        else {}
    )
    worst = _worst_findings(document.findings)
    fields = []
    frames: dict[int, list[Frame]] = {}
    heights = {page.number: page.height_px / page.width_px for page in pages}
    for number, field in enumerate(document.fields, 1):
        finding = worst.get(field.name)
        threshold = thresholds.get(field.name, policy.field_threshold)
        tone = _tone(field, finding, threshold)
        if tone == "good" and f"doubtful_value:{field.name}" in document.reason_codes:
            tone = "look"  # sure by the settings, and not proved to keep the accuracy target
        title = titles.get(field.name, plain(field.name))
        fields.append(_field_view(number, field, title, tone, finding))
        if field.box is not None and field.page is not None:
            label = f"{title}: {field.value or field.raw}"
            frame = _frame(number, label, tone, field.box, heights.get(field.page, 1.3))
            frames.setdefault(field.page, []).append(frame)
    claims = _claim_rows(document.claims, len(fields) + 1, policy.field_threshold)
    for row in claims:
        line = row.line
        if line.box is not None and line.page is not None:
            label = f"{line.procedure_code or 'claim'}: {money(line.paid)}"
            frame = _frame(row.number, label, row.tone, line.box, heights.get(line.page, 1.3))
            frames.setdefault(line.page, []).append(frame)
    return DocumentView(
        document=document,
        title=schema.title if schema else plain(document.type),
        percent=percent(document.type_confidence),
        fields=tuple(fields),
        claims=tuple(claims),
        missing=tuple(
            (titles.get(name, plain(name)), worst[name].message if name in worst else "")
            for name in document.missing
        ),
        reasons=_further_reasons(document, titles),
        findings=tuple(
            _finding_view(finding, titles)
            for finding in document.findings
            if finding.field not in document.missing
        ),
        pages=tuple(
            PageView(
                number=page.number,
                height=round(1000 * page.height_px / page.width_px),
                note=_page_note(page),
                frames=tuple(frames.get(page.number, ())),
            )
            for page in pages
            if page.number in document.pages
        ),
        milliseconds=round(sum(document.timings_ms.values())),
        masters=_master_views(document.masters),
        envelope=envelope_facts(document.envelope) if document.envelope is not None else (),
        asks_sender=document.error is None and has_items(document),
        waterfall=waterfall(document.remittance) if document.remittance is not None else (),
        imbalances=imbalances_in_words(document),
    )


def _master_views(matches: Sequence[MasterMatch]) -> tuple[MasterView, ...]:
    """Every party; of a remittance's patients only those who are not sure, and not all of many."""
    claims = [match for match in matches if match.party.startswith("claim ")]
    doubtful = [match for match in claims if match.outcome != "matched"]
    shown = [match for match in matches if match not in claims] + doubtful[:_MOST_CLAIMS_SHOWN]
    return tuple(_master_view(match) for match in shown)


def _master_view(match: MasterMatch) -> MasterView:
    outcomes: dict[str, Tone] = {"matched": "good", "near": "look", "ambiguous": "look"}
    return MasterView(
        party=plain(match.party),
        outcome=match.outcome,
        canonical_id=match.canonical_id or "",
        evidence=tuple((said, _evidence_tone(said)) for said in match.evidence),
        tone=outcomes.get(match.outcome, "calm"),
    )


def _evidence_tone(said: str) -> Tone:
    if said.endswith(": same"):
        return "good"
    return "bad" if said.endswith("differs") or said.startswith("cover") else "look"


def plain(name: str) -> str:
    """A field's or type's name in words."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _worst_findings(findings: Sequence[Finding]) -> dict[str, Finding]:
    rank = {Severity.BLOCK: 2, Severity.WARN: 1, Severity.INFO: 0}
    worst: dict[str, Finding] = {}
    for finding in findings:
        if finding.field is None:
            continue
        held = worst.get(finding.field)
        if held is None or rank[finding.severity] > rank[held.severity]:
            worst[finding.field] = finding
    return worst


def _finding_view(finding: Finding, titles: Mapping[str, str]) -> FindingView:
    title = titles.get(finding.field, plain(finding.field)) if finding.field else ""
    named = finding.message.lower().startswith(title.lower())
    return FindingView(finding, "" if named else title, _severity_tone(finding.severity))


def _further_reasons(document: Document, titles: Mapping[str, str]) -> tuple[str, ...]:
    """The reasons that neither a finding nor the list of missing fields tells already."""
    told = [finding.message for finding in document.findings]
    told += [f"{titles.get(name, plain(name))} is missing" for name in document.missing]
    return tuple(
        reason for reason in document.reasons if not any(m.startswith(reason) for m in told)
    )


def _severity_tone(severity: Severity) -> Tone:
    tones: dict[Severity, Tone] = {
        Severity.BLOCK: "bad",
        Severity.WARN: "look",
        Severity.INFO: "calm",
    }
    return tones[severity]


def _tone(field: Field, finding: Finding | None, threshold: float) -> Tone:
    if finding is not None and finding.severity is Severity.BLOCK:
        return "bad"
    if finding is not None and finding.severity is Severity.WARN:
        return "look"
    return "good" if field.confidence >= threshold else "look"


def _field_view(
    number: int, field: Field, title: str, tone: Tone, finding: Finding | None
) -> FieldView:
    return FieldView(
        number=number,
        title=title,
        name=field.name,
        value=field.value if field.value is not None else field.raw,
        raw=field.raw,
        percent=percent(field.confidence),
        tone=tone,
        page=field.page,
        note=finding.message if finding is not None else "",
        derived_from=", ".join(plain(name) for name in field.derived_from),
    )


def _frame(number: int, label: str, tone: Tone, box: Box, proportion: float) -> Frame:
    """The frame of a box on a page that is ``proportion`` times as high as wide."""
    pad = 2.0
    return Frame(
        number=number,
        label=label,
        tone=tone,
        x=round(box.x0 * 1000 - pad, 1),
        y=round(box.y0 * 1000 * proportion - pad, 1),
        width=round(box.width * 1000 + 2 * pad, 1),
        height=round(box.height * 1000 * proportion + 2 * pad, 1),
    )


def _page_note(page: Page) -> str:
    parts = [f"{page.grade} quality", f"{len(page.words)} words"]
    if page.rotation:
        parts.append(f"turned {page.rotation}°")
    if abs(page.skew_degrees) >= 0.3:
        parts.append(f"straightened {page.skew_degrees:+.1f}°")
    if page.words_source == "text_layer":
        parts.append("from the PDF's text")
    if page.words_source == "x12":
        parts.append("listing of an X12 interchange")
    return ", ".join(parts)


def _claim_rows(claims: Sequence[Claim], number: int, threshold: float) -> list[LineView]:
    """One row per service line, numbered on from ``number``."""
    rows: list[LineView] = []
    for claim in claims:
        for place, line in enumerate(claim.service_lines or (claim,)):
            rows.append(
                LineView(
                    number=number + len(rows),
                    claim=claim if place == 0 else None,
                    line=line,
                    percent=percent(line.confidence),
                    tone="good" if line.confidence >= threshold else "look",
                )
            )
    return rows


def ago(when: dt.datetime, now: dt.datetime) -> str:
    """How long before ``now``, in the largest fitting unit."""
    seconds = max((now - when).total_seconds(), 0)
    if seconds < 2:
        return "now"
    for limit, size, unit in (
        (90, 1, "s"),
        (90 * _MINUTE, _MINUTE, "min"),
        (36 * _HOUR, _HOUR, "h"),
    ):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / _DAY:.0f} d"


def until(when: dt.datetime, now: dt.datetime) -> str:
    """How long from ``now`` until a time limit: ``due in 3 h``, or ``overdue 2 d``."""
    if when > now:
        return f"due in {ago(now - (when - now), now)}"
    late = ago(when, now)
    return "overdue" if late == "now" else f"overdue {late}"


def due_tone(row: DocumentRow, now: dt.datetime) -> Tone:
    """How pressing a document's clock is; its escalation says so, and the time where it is over."""
    if row.clock_due_at is None or row.state in CLOCK_STOPPED:
        return "calm"
    if row.clock_due_at <= now:
        return "bad"
    return "look" if row.escalation else "calm"


def with_code(text: str | None) -> Markup:
    """A hint with its `commands` set as code; everything else is escaped."""
    parts = (text or "").split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def moment(when: dt.datetime) -> str:
    """A time of the machine's zone, to the second."""
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S}"


def money(amount: Decimal | None) -> str:
    """An amount with two decimals; nothing for nothing."""
    return "" if amount is None else f"{amount:,.2f}"

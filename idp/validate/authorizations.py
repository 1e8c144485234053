# SPDX-License-Identifier: Apache-2.0
"""Rules on authorizations: whether a decision says what it must, and fits what was asked.

They judge the paper, not the care: that a decision is complete says nothing of whether it is right.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from idp.document import Document, DocumentType, Field, Finding, Page, Place, Severity
from idp.rulebook import rule
from idp.schemas import DocumentSchema
from idp.validate.completeness import Gap

APPROVED = frozenset({"approved", "partially approved"})
_DENIED = frozenset({"denied", "partially approved"})

_OWED: Mapping[str, tuple[frozenset[str], str]] = {
    "auth_number": (APPROVED, "an approval has a number"),
    "effective_from": (APPROVED, "an approval has a period"),
    "effective_to": (APPROVED, "an approval has a period"),
    "denial_reason": (_DENIED, "a denial has a specific reason"),
    "information_requested": (frozenset({"pended"}), "a pended request says what is still needed"),
}
_LINES = frozenset({"service_descriptions", "medication_name", "procedure_codes"})
_LAW = "CMS-0057-F; 42 CFR 431.80(a), 422.122(a), 438.210(c), 457.732(a)"

_SAYS_NOTHING = re.compile(
    r"(?:the|this|your|our|was|is|has|been|have|we|request(?:ed)?|service|services|authorization|"
    r"prior|claim|see|attached|letter|below|above|reason|decision|determination|status|"
    r"denied|denial|den(?:y|ies)|not|un(?:able)?|approved|approve|approval|authorized|"
    r"certified|adverse|non|to|for|n/?a|none|of|[^\w]+)*",
    re.I,
)
_HARM = r"(?:jeopardi[sz]e|maximum\s+function|life\s+or\s+health|imminent)"
_HURRY = rf"(?:{_HARM}|urgent\b|urgency\b|expedited\b|emergen\w+)"
_BESIDE = re.compile(rf"\b(?:attest(?:s|ed|ing)?\b|certif(?:y|ied)\b|{_HARM})", re.I)
"""Beside the box that is ticked: what the tick says."""
_ATTESTS = re.compile(
    rf"\b(?:attest(?:s|ed|ing)?|certif(?:y|ies|ied))\b[^.]{{0,200}}?\b{_HURRY}", re.I
)
"""Over a signature: that all of it is true and accurate is no reason to hurry."""

_LINES_BESIDE = 1.5
"""An attestation printed beside the box that is ticked goes on over the next line."""


def _values(fields: Sequence[Field], *names: str) -> list[Field]:
    return [field for field in fields if field.name in names and field.value]


def _dates(fields: Sequence[Field], *names: str) -> list[tuple[Field, dt.date]]:
    found: list[tuple[Field, dt.date]] = []
    for field in _values(fields, *names):
        try:
            found.append((field, dt.date.fromisoformat(field.value or "")))
        except ValueError:
            continue
    return found


def _determination(document: Document) -> str | None:
    field = document.field("determination")
    wanted = document.type == DocumentType.PRIOR_AUTH_DETERMINATION
    return field.value if wanted and field is not None else None


def _about(
    number: str, severity: Severity, message: str, remedy: str, fields: Sequence[Field]
) -> Finding:
    places = tuple(
        dict.fromkeys(Place(page=f.page, box=f.box) for f in fields if f.page is not None)
    )
    first = places[0] if places else None
    return Finding(
        rule=number,
        severity=severity,
        field=fields[0].name if fields else None,
        message=message,
        page=first.page if first else None,
        box=first.box if first else None,
        remedy=remedy,
        fields=tuple(dict.fromkeys(field.name for field in fields)),
        places=places,
    )


def owed_by_decision(document: Document, gap: Gap) -> bool:
    """Whether a gap is one of what rule A1 demands, which then speaks of it instead of C1."""
    decided = _determination(document)
    if decided is None or gap.unread:
        return False
    if gap.schema.name in _LINES:
        return decided in APPROVED
    return decided in _OWED.get(gap.schema.name, (frozenset(), ""))[0]


@rule("A1", severity=Severity.BLOCK, source=_LAW)
def decision_is_whole(document: Document, gaps: Sequence[Gap]) -> Iterator[Finding]:
    """A1: an approval has number, period and service, a denial its reason, a pend what is missing.

    The reason has to be specific: one that only repeats the decision is none.
    """
    decided = _determination(document)
    for gap in gaps:
        if owed_by_decision(document, gap):
            why = _OWED.get(gap.schema.name, (frozenset(), "an approval says of what"))[1]
            yield Finding(
                rule="A1",
                severity=Severity.BLOCK,
                field=gap.schema.name,
                message=f"{gap.schema.title} {'is left blank' if gap.asked else 'is missing'}: "
                f"{why} (CMS-0057-F, 42 CFR 431.80)",
                page=gap.page,
                box=gap.box,
                remedy="Ask the payer for a complete notice",
            )
    reasons = _values(document.fields, "denial_reason")
    empty = [f for f in reasons if _SAYS_NOTHING.fullmatch(f.value or "")]
    if decided in _DENIED and reasons and len(empty) == len(reasons):
        yield _about(
            "A1",
            Severity.BLOCK,
            "The reason for denial only repeats the decision: a denial has a specific reason "
            "(CMS-0057-F, 42 CFR 431.80)",
            "Ask the payer for the specific reason",
            empty,
        )


@rule("A2", severity=Severity.WARN, source="278 X217 HSD, HCR01 (A6 modified); policy")
def approval_fits_request(document: Document, request: Sequence[Field]) -> Iterator[Finding]:
    """A2: no more is approved than was asked; fewer units or other codes make it a modification.

    Args:
        document: The decision.
        request: The fields of the request that it answers, where that is at hand; else only what
            the decision itself says of what was asked is compared.
    """
    if _determination(document) not in APPROVED:
        return
    whole = _determination(document) == "approved"
    approved = _values(document.fields, "approved_units")
    asked = _values(document.fields, "requested_units") or _values(request, "units")
    own = tuple(field for field in asked if field in document.fields)
    more, less = _units_differ(approved, asked)
    if more:
        yield _about(
            "A2",
            Severity.WARN,
            f"{_sum(approved)} units are approved, {_sum(asked)} were asked for",
            "Compare both with the page; one of them may be misread, or they count other things",
            (*approved, *own),
        )
    elif less and whole:
        yield _about(
            "A2",
            Severity.WARN,
            f"It says approved, but {_sum(approved)} of {_sum(asked)} units are: that is a "
            "modified approval",
            "Work it as a partial approval: the rest was not granted",
            (*approved, *own),
        )
    if not whole:
        return
    granted = {field.value for field in _values(document.fields, "procedure_codes")}
    wanted = {field.value for field in _values(request, "procedure_codes")}
    if granted and wanted and granted != wanted:
        other = ", ".join(sorted(str(code) for code in granted ^ wanted))
        yield _about(
            "A2",
            Severity.WARN,
            f"It says approved, but not for the codes that were asked for ({other}): that is a "
            "modified approval",
            "Compare the codes with the request before the service is given",
            _values(document.fields, "procedure_codes"),
        )


def _units_differ(approved: Sequence[Field], asked: Sequence[Field]) -> tuple[bool, bool]:
    """Whether more, and whether fewer units are approved; neither where they don't pair."""
    pairs = _pairs(approved, asked)
    return any(a > b for a, b in pairs), any(a < b for a, b in pairs)


def _pairs(approved: Sequence[Field], asked: Sequence[Field]) -> list[tuple[Decimal, Decimal]]:
    if not approved or len(approved) != len(asked):
        return []
    try:
        return [
            (Decimal(one.value or ""), Decimal(other.value or ""))
            for one, other in zip(approved, asked, strict=True)
        ]
    except ArithmeticError:
        return []


def _sum(fields: Sequence[Field]) -> str:
    return f"{sum((Decimal(field.value or '0') for field in fields), Decimal(0)):f}"


@rule("A3", severity=Severity.WARN, source="42 CFR 422.570(c), 438.210(d)(2); CMS-0057-F")
def expedited_has_reason(
    document: Document, gaps: Sequence[Gap], pages: Sequence[Page]
) -> Iterator[Finding]:
    """A3: who asks for an expedited review gives the reason, or attests that there is one.

    To attest is to sign a page that says so, or to tick a box that does.

    Args:
        document: A request; of other types nothing is said.
        gaps: Where the form itself asks for the reason, completeness has said that it is missing.
        pages: Those of the document.
    """
    asked = document.field("review_type")
    if document.type != DocumentType.PRIOR_AUTH_REQUEST or asked is None:
        return
    if asked.value != "expedited" or _values(document.fields, "urgency_reason"):
        return
    if any(gap.schema.name == "urgency_reason" for gap in gaps):
        return
    signed = any(field.value == "yes" for field in _values(document.fields, "signature_present"))
    if signed and any(_ATTESTS.search(page.text) for page in pages):
        return
    if any(_BESIDE.search(_beside(asked, page)) for page in pages):
        return
    yield _about(
        "A3",
        Severity.WARN,
        "An expedited review is asked for, and neither a reason nor an attestation is given",
        "Ask the requesting provider why the standard time frame would do harm",
        (asked,),
    )


def _beside(field: Field, page: Page) -> str:
    """The words on the lines of a value and the next: "urgent (in checking this box, I attest"."""
    box = field.box
    if box is None or page.number != field.page:
        return ""
    reach = _LINES_BESIDE * box.height
    near = [w for w in page.words if box.y0 - reach / 2 <= w.box.cy <= box.y1 + reach]
    return " ".join(word.text for word in near)


_PLANNED = ("service_start_date", "service_end_date", "appointment_date")
_BEGINS, _ENDS = "effective_from", ("effective_to", "authorization_valid_to")


@rule("A4", severity=Severity.WARN, source="278 X217 DTP*472, DTP*007; policy of this product")
def valid_when_planned(
    document: Document, schema: DocumentSchema, request: Sequence[Field]
) -> Iterator[Finding]:
    """A4: an authorization or referral holds on the days for which the service is planned.

    Args:
        document: With a period of validity.
        schema: That of its type.
        request: The fields of what it answers, where that is at hand, for the dates planned there.
    """
    planned = _dates(document.fields, *_PLANNED)
    if not planned and _determination(document) in APPROVED:
        planned = _dates(request, *_PLANNED)
    begins = min(_dates(document.fields, _BEGINS), key=lambda found: found[1], default=None)
    ends = max(_dates(document.fields, *_ENDS), key=lambda found: found[1], default=None)
    for field, date in planned:
        own = (field,) if field in document.fields else ()
        known = schema.field(field.name)
        title = known.title if known is not None else "The planned date"
        if ends is not None and date > ends[1]:
            yield _about(
                "A4",
                Severity.WARN,
                f"{title} {date.isoformat()} lies after {ends[1].isoformat()}, the last day on "
                "which the authorization holds",
                "Ask for an extension, or plan the service earlier",
                (ends[0], *own),
            )
        elif begins is not None and date < begins[1]:
            yield _about(
                "A4",
                Severity.WARN,
                f"{title} {date.isoformat()} lies before {begins[1].isoformat()}, the first day "
                "on which the authorization holds",
                "Ask for an earlier beginning, or plan the service later",
                (begins[0], *own),
            )

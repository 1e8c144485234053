# SPDX-License-Identifier: Apache-2.0
"""C3: what this payer asks for this service and does not have in hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from idp.document import Document, Finding, Page, Severity
from idp.phrases import Text
from idp.requirements.enclosed import Companion, came, listed
from idp.requirements.load import Entry, Requirements
from idp.requirements.match import applies, is_payer, values
from idp.requirements.nouns import Requirement, compiled
from idp.rulebook import rule

_REMEDIES = {
    "attachments": "Send it, or the page of the record that shows it, with the request.",
    "signature": "Have it signed and dated, and send that page again.",
    "own_form": "Send the request on the payer's own form.",
    "mentions": "Write it into the request, or attach the page of the record that says it.",
    "fields": "Fill it in and send that page again.",
}


@rule(
    "C3",
    severity=Severity.BLOCK,
    source="rules/payers/*.yaml: each requirement cites its own, and every finding names it",
)
def unmet(
    document: Document,
    pages: Sequence[Page],
    requirements: Requirements,
    companions: Sequence[Companion],
    on: dt.date,
    titles: Mapping[str, str],
) -> Iterator[Finding]:
    """What the payer asks for this service on that day is there: fields, attachments, signature.

    Args:
        document: With its fields.
        pages: Its pages.
        requirements: Those in force here.
        companions: The other documents of the same arrival: an attachment may be one of them.
        on: The day of receipt.
        titles: Names of fields in words.
    """
    printed = Text(page.text for page in pages)
    payers: dict[str, bool] = {}
    for entry in requirements.entries:
        asked = entry.requirement
        if not asked.in_force(on):
            continue
        name = entry.programme.programme
        if name not in payers:
            payers[name] = is_payer(entry.programme.payers, document, printed)
        if not payers[name] or not applies(asked.applies, document, requirements.kinds, pages):
            continue
        lacking = _lacking(asked, document, pages, printed, requirements, companions)
        if lacking is not None:
            yield _finding(entry, lacking, titles)


@rule(
    "C4",
    severity=Severity.WARN,
    source="X12 278 PWK: attachments announced against attachments received",
)
def not_enclosed(
    pages: Sequence[Page], requirements: Requirements, companions: Sequence[Companion]
) -> Iterator[Finding]:
    """What a form says is attached or enclosed did come with it."""
    for each in listed(requirements.kinds.attachments, pages):
        kind = requirements.kinds.attachments[each.kind]
        if not came(kind, companions, pages):
            yield Finding(
                rule="C4",
                severity=Severity.WARN,
                message=f"The form says that it comes with {kind.title}; nothing of the kind was "
                "found among what arrived",
                page=each.page,
                box=each.box,
                remedy="Ask the sender for it, or look whether it is on a page read as "
                "something else.",
            )


def _lacking(
    asked: Requirement,
    document: Document,
    pages: Sequence[Page],
    printed: Text,
    requirements: Requirements,
    companions: Sequence[Companion],
) -> tuple[str, ...] | None:
    """The fields that lack, perhaps none by name; ``None`` when the requirement is met."""
    if asked.fields:
        blank = tuple(name for name in asked.fields if not values(document, name))
        return blank or None
    if asked.one_of:
        return None if any(values(document, name) for name in asked.one_of) else asked.one_of
    if asked.signature:
        return None if _is_signed(document, pages) else ("signature_present",)
    if asked.attachments:
        kinds = [requirements.kinds.attachments[name] for name in asked.attachments]
        return None if any(came(kind, companions, pages) for kind in kinds) else ()
    if asked.own_form:
        return None if any(phrase in printed for phrase in asked.own_form) else ()
    if asked.mentions:
        return None if any(phrase in printed for phrase in asked.mentions) else ()
    wrong = tuple(
        name
        for name, pattern in asked.shapes.items()
        if any(not compiled(pattern).fullmatch(value) for value in values(document, name))
    )
    return wrong or None


def _is_signed(document: Document, pages: Sequence[Page]) -> bool:
    """Whether somebody signed; a signature that may be one is left to the rules on fields."""
    if any(value.lower() in ("true", "yes", "present") for value in values(
        document, "signature_present"
    )):
        return True
    return any(s.state != "absent" for page in pages for s in page.signatures)


def _finding(entry: Entry, lacking: Sequence[str], titles: Mapping[str, str]) -> Finding:
    asked = entry.requirement
    named = ", ".join(titles.get(name, name) for name in lacking)
    what = f" ({named})" if named and not asked.signature else ""
    return Finding(
        rule="C3",
        severity=asked.severity,
        field=lacking[0] if lacking else None,
        fields=tuple(lacking) if len(lacking) > 1 else (),
        message=f"{entry.programme.title} asks for {asked.asks}{what} - "
        f"{'not what is given' if asked.shapes else 'not found'} [{entry.cited}]",
        remedy=asked.remedy or _remedy(asked),
    )


def _remedy(asked: Requirement) -> str:
    for name in ("attachments", "signature", "own_form", "mentions"):
        if getattr(asked, name):
            return _REMEDIES[name]
    return _REMEDIES["fields"]

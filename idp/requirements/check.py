# SPDX-License-Identifier: Apache-2.0
"""C3: what this payer asks for this service and does not have in hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from idp.document import Document, Finding, Page, Severity
from idp.phrases import Text
from idp.requirements.enclosed import Companion, came, listed
from idp.requirements.load import Entry, Requirements
from idp.requirements.match import applies, is_payer, is_printed, values
from idp.requirements.nouns import Requirement, compiled
from idp.rulebook import rule


class Case(NamedTuple):
    """One document that is held against the requirements, and what came with it."""

    document: Document
    pages: Sequence[Page]
    on: dt.date
    """The day of receipt."""
    companions: Sequence[Companion] = ()
    """The other documents of the same arrival: an attachment may be one of them."""
    titles: Mapping[str, str] = MappingProxyType({})
    """Names of fields in words."""


_REMEDIES = {
    "attachments": "Send it, or the page of the record that shows it, with the request",
    "signature": "Have it signed and dated, and send that page again",
    "own_form": "Send the request on the payer's own form",
    "mentions": "Write it into the request, or attach the page of the record that says it",
    "fields": "Fill it in and send that page again",
}


@rule(
    "C3",
    severity=Severity.BLOCK,
    source="rules/payers/*.yaml: each requirement cites its own, and every finding names it",
)
def unmet(case: Case, requirements: Requirements) -> Iterator[Finding]:
    """What the payer asks for this service on that day is there: fields, attachments, signature."""
    printed = Text(page.text for page in case.pages)
    payers: dict[str, bool] = {}
    for entry in requirements.entries:
        asked = entry.requirement
        if not asked.in_force(case.on):
            continue
        name = entry.programme.programme
        if name not in payers:
            payers[name] = is_payer(entry.programme.payers, case.document, printed)
        if not payers[name]:
            continue
        if not applies(asked.applies, case.document, requirements.kinds, case.pages):
            continue
        lacking = _lacking(asked, case, printed, requirements)
        if lacking is not None:
            yield _finding(entry, lacking, case.titles)


@rule(
    "C4",
    severity=Severity.WARN,
    source="X12 278 PWK: attachments announced against attachments received",
)
def not_enclosed(case: Case, requirements: Requirements) -> Iterator[Finding]:
    """What a form says is attached or enclosed did come with it."""
    for each in listed(requirements.kinds.attachments, case.pages):
        kind = requirements.kinds.attachments[each.kind]
        if not came(kind, case.companions, case.pages):
            yield Finding(
                rule="C4",
                severity=Severity.WARN,
                message=f"The form says that it comes with {kind.title}; nothing of the kind was "
                "found among what arrived",
                page=each.page,
                box=each.box,
                remedy="Ask the sender for it, or look whether it is on a page read as "
                "something else",
            )


def _lacking(
    asked: Requirement, case: Case, printed: Text, requirements: Requirements
) -> tuple[str, ...] | None:
    """The fields that lack, perhaps none by name; ``None`` when the requirement is met."""
    document = case.document
    phrases = asked.own_form or asked.mentions
    kinds = [requirements.kinds.attachments[name] for name in asked.attachments]
    if asked.one_of:
        lacking, met = asked.one_of, any(values(document, name) for name in asked.one_of)
    elif asked.signature:
        lacking, met = ("signature_present",), _is_signed(document, case.pages)
    elif kinds:
        lacking, met = (), any(came(kind, case.companions, case.pages) for kind in kinds)
    elif phrases:
        lacking, met = (), any(is_printed(phrase, printed) for phrase in phrases)
    else:
        lacking = tuple(
            name
            for name in (*asked.fields, *asked.shapes)
            if not _is_given(values(document, name), asked.shapes.get(name))
        )
        met = not lacking
    return None if met else lacking


def _is_given(found: Sequence[str], shape: str | None) -> bool:
    """Whether a field is filled in, or, where a shape is asked for, has it if it is filled in."""
    if shape is None:
        return bool(found)
    return all(compiled(shape).fullmatch(value) for value in found)


def _is_signed(document: Document, pages: Sequence[Page]) -> bool:
    """Whether somebody signed; a signature that may be one is left to the rules on fields."""
    if any(
        value.lower() in ("true", "yes", "present")
        for value in values(document, "signature_present")
    ):
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

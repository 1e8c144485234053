# SPDX-License-Identifier: Apache-2.0
"""Two people's answers on one document: where they differ, and what a lead is shown of it.

Answers are compared as documents, value by value, not as clicks: whoever typed a name in capitals
says the same as whoever left it as it was read.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from idp.document import Document, Field, Finding, Severity
from idp.reasons import with_finding
from idp.reviewing import Touched
from idp.rulebook import enter
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind, parse

DISAGREEMENT = enter(
    "E1",
    "Two people who looked at a document say the same of every value.",
    severity=Severity.BLOCK,
    source="policy of this product: review.four_eyes",
    where="idp.second_look.disputed",
)
CLAIMS = "claims"
"""The name under which the claims of a remittance are compared."""
ABSENT, ILLEGIBLE = "not on the form", "can't be read"

_LOOSE = frozenset({Kind.PERSON, Kind.ORGANIZATION, Kind.ADDRESS, Kind.TEXT})
"""Kinds in which capitals, points and blanks say nothing."""
_NOT_THERE = "no"
_WORD = re.compile(r"\w+")
_MOST_SHOWN = 120
"""Longest answer beside a field, in characters; both are kept whole."""


def same_values(kind: Kind, one: Sequence[str | None], other: Sequence[str | None]) -> bool:
    """Whether two people's values of a field say the same, in whatever order.

    Args:
        kind: Of the field.
        one: What one said; ``None`` is a value that can't be read.
        other: What the other said.
    """
    return Counter(plain(kind, each) for each in one) == Counter(
        plain(kind, each) for each in other
    )


def plain(kind: Kind, value: str | None) -> str | None:
    """A value as it is compared: the same for everything that says the same."""
    if value is None:
        return None
    if kind in _LOOSE:
        return " ".join(_WORD.findall(value.casefold()))
    if kind is Kind.OPTION:  # one of the schema's own words, or nothing
        return value
    parsed = parse(kind, value)
    return (parsed.value if parsed.valid and parsed.value else value).casefold().strip()


def compared(
    base: Document,
    first: Document,
    second: Document,
    schema: DocumentSchema,
    *,
    asked: Collection[str],
) -> dict[str, Touched]:
    """What two people made of each field that either was asked about or changed.

    Args:
        base: As it was before both.
        first: As it is by the one.
        second: As it is by the other.
        schema: That of its type.
        asked: Fields that either said something of, be it only that they are right.
    """
    found: dict[str, Touched] = {}
    for field in schema.fields:
        was, one, two = (_said(each, field) for each in (base, first, second))
        changed = [not same_values(field.kind, was, each) for each in (one, two)]
        if any(changed) or field.name in asked:
            found[field.name] = _touched(changed, same=same_values(field.kind, one, two))
    claims = [_claims(each) for each in (base, first, second)]
    changed = [claims[0] != each for each in claims[1:]]
    if any(changed) or CLAIMS in asked:
        found[CLAIMS] = _touched(changed, same=claims[1] == claims[2])
    return found


def values_of(document: Document, name: str) -> tuple[str | None, ...]:
    """All values of a field; ``None`` stands for one that can't be read."""
    return tuple(field.value or None for field in document.fields if field.name == name)


def _said(document: Document, field: FieldSchema) -> tuple[str | None, ...]:
    """The same, but that nothing is there (no signature) is said by leaving it as well."""
    values = values_of(document, field.name)
    if field.kind is not Kind.PRESENCE:
        return values
    return tuple(value for value in values if plain(field.kind, value) != _NOT_THERE)


def differing(touched: Mapping[str, Touched]) -> tuple[str, ...]:
    """The fields of which the two say different things."""
    return tuple(name for name, how in touched.items() if not how.agrees)


def disputed(
    base: Document,
    first: Document,
    second: Document,
    schema: DocumentSchema,
    names: Collection[str],
) -> Document:
    """The document for a lead: what both say is in it, where they differ both answers are shown.

    Which answer stands first is drawn for each field, the same on every run: nothing tells whose
    it is. In the input stands what was read.

    Args:
        base: As it was before both.
        first: As it is by the one, judged.
        second: As it is by the other.
        schema: That of its type.
        names: The fields in dispute.
    """
    kept = [field for field in first.fields if field.name not in names]
    as_read = [field for field in base.fields if field.name in names]
    order = {field.name: place for place, field in enumerate(schema.fields)}
    merged = sorted((*kept, *as_read), key=lambda field: order.get(field.name, len(order)))
    found = first.model_copy(
        update={
            "fields": tuple(merged),
            "claims": base.claims if CLAIMS in names else first.claims,
            # Not blind, though it may be of the quality sample: the lead decides between answers.
            "sampled": False,
        }
    )
    for name in names:
        found = with_finding(found, _both_said(name, first, second, as_read))
    return found


def _touched(changed: Sequence[bool], *, same: bool) -> Touched:
    if not any(changed):
        return Touched.BOTH_KEPT
    if same:
        return Touched.BOTH_CHANGED
    return Touched.DIFFERENT if all(changed) else Touched.ONE_CHANGED


def _both_said(name: str, first: Document, second: Document, as_read: Sequence[Field]) -> Finding:
    if name == CLAIMS:
        return Finding(
            rule=DISAGREEMENT,
            severity=Severity.BLOCK,
            message="Two people corrected the claims differently",
            remedy="Compare them with the page; the rows are as they were read",
        )
    answers = [_in_words(values_of(each, name)) for each in (first, second)]
    drawn = hashlib.sha256(f"{first.document_id} {name}".encode()).digest()[0]
    one, other = reversed(answers) if drawn % 2 else answers
    place = next((field for field in as_read if field.name == name), None)
    return Finding(
        rule=DISAGREEMENT,
        severity=Severity.BLOCK,
        field=name,
        message=f"Two people differ: {one}, or {other}",
        page=place.page if place is not None and place.box is not None else None,
        box=place.box if place is not None else None,
        remedy="Your answer decides; the input holds what was read",
    )


def _in_words(values: Sequence[str | None]) -> str:
    if not values:
        return ABSENT
    shown = "; ".join(ILLEGIBLE if each is None else f"“{each}”" for each in values)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[: _MOST_SHOWN - 1]}…"


def _claims(document: Document) -> list[dict[str, Any]]:
    """The claims' values alone: where on the page they stand and how sure they are says nothing."""
    return [
        claim.model_dump(exclude={**_BESIDE, "service_lines": {"__all__": _BESIDE}})
        for claim in document.claims
    ]


_BESIDE: dict[str, Any] = dict.fromkeys(("confidence", "page", "box", "cells", "derived"), True)


def counted(base: Document, final: Document, schema: DocumentSchema) -> dict[str, dict[str, int]]:
    """What was wrong in a document, by field: what would have been sent against what was said.

    Args:
        base: As it would have been sent.
        final: As people say that it is.
        schema: That of its type.
    """
    found: dict[str, dict[str, int]] = {}
    for field in schema.fields:
        was, now = (
            Counter(plain(field.kind, value) for value in _said(each, field))
            for each in (base, final)
        )
        illegible = now.pop(None, 0)
        was.pop(None, None)  # what was read without a form was never sent as a value
        same = (was & now).total()
        lost, new = (was - now).total(), (now - was).total()
        unread = min(illegible, lost)
        changed = min(lost - unread, new)
        outcomes = {
            "confirmed": same,
            "changed": changed,
            "removed": lost - unread - changed,
            "added": new - changed,
            "illegible": illegible,
        }
        if any(outcomes.values()):
            found[field.name] = {name: number for name, number in outcomes.items() if number}
    return found

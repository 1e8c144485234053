# SPDX-License-Identifier: Apache-2.0
"""Whether a requirement speaks of a document: its payer, its type, its service."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from idp.document import Document, Page
from idp.phrases import Text, fold
from idp.requirements.nouns import Applies, Codes, Kinds, Payers, compiled
from idp.schemas import Condition

ALIKE = 90.0
"""How alike (of 100) two payers' names are, folded, to be one: a letter or two misread."""
LEAST_SIGNS = 8
"""Shorter names ("Aetna") are not compared fuzzily: too many words look like them."""
_WORD = re.compile(r"[^\W_]+")
_DRUG_FIELDS = ("medication_name",)


def values(document: Document, name: str) -> tuple[str, ...]:
    """All filled-in values of a field."""
    return tuple(field.value for field in document.fields if field.name == name and field.value)


def is_payer(payers: Payers, document: Document, text: Text) -> bool:
    """Whether the document is of one of these payers, or on a form that they use.

    Args:
        payers: As the programme names them.
        document: With its fields; what the own directory says of its payer counts first.
        text: What is printed on its pages.
    """
    if payers.everyone:
        return True
    ids = {
        match.canonical_id
        for match in document.masters
        if match.directory == "payers" and match.outcome == "matched"
    }
    if ids & set(payers.ids):
        return True
    names = values(document, "payer_name")
    if any(_is_named(name, payers) for name in names):
        return True
    if any(
        compiled(pattern).fullmatch(number)
        for pattern in payers.member_ids
        for number in values(document, "member_id")
    ):
        return not any(_excluded(name, payers) for name in names)
    return any(is_printed(phrase, text) for phrase in payers.printed)


def is_printed(phrase: str, text: Text) -> bool:
    """Whether a phrase is printed, misread letters forgiven; numbers of forms must be right.

    ``NOFR001`` and ``NOFR002`` are two forms.
    """
    found = text.similarity(phrase)
    return found == 1.0 if any(sign.isdigit() for sign in phrase) else found > 0


def _is_named(name: str, payers: Payers) -> bool:
    return not _excluded(name, payers) and any(same_payer(name, alias) for alias in payers.names)


def _excluded(name: str, payers: Payers) -> bool:
    return any(_holds(name, word) for word in payers.unless_names)


def same_payer(name: str, alias: str) -> bool:
    """Whether a printed name is a payer's: the same, longer by some words, or a letter misread."""
    if _holds(name, alias):
        return True
    first, second = fold(name), fold(alias)
    if min(len(first), len(second)) < LEAST_SIGNS:
        return first == second
    return fuzz.ratio(first, second) >= ALIKE


def _holds(name: str, alias: str) -> bool:
    """Whether the words of ``alias`` stand in ``name``, one after the other."""
    words = [fold(word) for word in _WORD.findall(name)]
    wanted = [fold(word) for word in _WORD.findall(alias)]
    size = len(wanted)
    return size > 0 and any(
        words[start : start + size] == wanted for start in range(len(words) - size + 1)
    )


def applies(applies_to: Applies, document: Document, kinds: Kinds, pages: Sequence[Page]) -> bool:
    """Whether the document is of the type and about the service that is meant."""
    if document.type not in applies_to.types:
        return False
    if applies_to.subtypes and document.subtype not in applies_to.subtypes:
        return False
    is_drug = any(values(document, name) for name in _DRUG_FIELDS)
    if applies_to.drug is not None and applies_to.drug is not is_drug:
        return False
    places = {p for value in values(document, "place_of_service") for p in value.split("/")}
    if applies_to.places and not places & set(applies_to.places):
        return False
    if not all(holds(condition, document, pages) for condition in applies_to.when):
        return False
    return _is_service(applies_to, document, kinds)


def _is_service(applies_to: Applies, document: Document, kinds: Kinds) -> bool:
    groups: list[Codes] = [kinds.services[name] for name in applies_to.services]
    if applies_to.codes or applies_to.words:
        groups.append(applies_to.own_codes)
    if not groups:
        return True
    codes = values(document, "procedure_codes")
    said = Text(
        (
            *values(document, "service_descriptions"),
            *values(document, "referred_to_specialty"),
            *values(document, "medication_name"),
        )
    )
    return any(
        any(group.has(code) for code in codes) or any(word in said for word in group.words)
        for group in groups
    )


def holds(condition: Condition, document: Document, pages: Sequence[Page]) -> bool:
    """Whether a condition holds of a document's values and marks."""
    if condition.all:
        return all(holds(each, document, pages) for each in condition.all)
    if condition.subtypes:
        return document.subtype in condition.subtypes
    if condition.ticked:
        return any(
            mark.state == "checked" and fold(mark.label) in {fold(t) for t in condition.ticked}
            for page in pages
            for mark in page.marks
        )
    return condition.holds_of(values(document, condition.field))

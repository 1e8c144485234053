# SPDX-License-Identifier: Apache-2.0
"""How strongly a page speaks for each document type, from the evidence in the schemas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from idp.classify.sheet import Sheet
from idp.document import DocumentType
from idp.phrases import Text
from idp.schemas import DocumentSchema, Evidence

TITLE_BONUS = 2.0
"""Points that a phrase gains by standing in a heading, at most as many as it has."""

NOTHING_KNOWN = 2.0
"""The score of `other` on an empty page when no kind of other document is recognised."""

BY_CHANCE = 250.0
"""Words of print in which one more point of evidence is found by chance, in any document."""

MOST_BY_CHANCE = 4.0

MOST_UNKNOWN = 0.75
"""Confidence of `other` at most when its kind is not known."""

TEMPERATURE = 2.2
"""Points of evidence that make a type e times as likely as another (fitted on misread pages)."""

_DAMPED_ABOVE = 6.0
_FURTHER_TITLES = 0.2


class Votes(NamedTuple):
    """Points for each type, and the best kind of `other` document with its points."""

    points: dict[DocumentType, float]
    subtype: str | None
    subtype_points: float

    def ranked(self) -> list[tuple[float, DocumentType]]:
        """Types with their points, best first, in a fixed order where equal."""
        return sorted(((p, t) for t, p in self.points.items()), key=lambda x: (-x[0], x[1]))

    @property
    def best(self) -> DocumentType:
        return self.ranked()[0][1]

    @property
    def margin(self) -> float:
        """How many points the best type is ahead of the second."""
        first, second = self.ranked()[:2]
        return first[0] - second[0]

    @property
    def strongest(self) -> float:
        """The points of the best type."""
        return self.ranked()[0][0]


def _strength(evidence: Evidence, sheet: Sheet) -> float:
    if evidence.signal:
        return sheet.signals.get(evidence.signal, 0.0)
    if evidence.where == "title":
        return sheet.title.similarity(evidence.phrase)
    if evidence.where == "head":
        return sheet.head.similarity(evidence.phrase)
    found = sheet.text.similarity(evidence.phrase)
    if found and evidence.weight > 1 and sheet.title.similarity(evidence.phrase):
        return found * (1.0 + min(TITLE_BONUS, evidence.weight) / evidence.weight)
    return found


def _points(evidence: Sequence[Evidence], sheet: Sheet) -> float:
    """Sum of the evidence; many weak phrases count less and less (they say the same thing)."""
    gained = lost = 0.0
    titles: list[float] = []
    for item in evidence:
        strength = _strength(item, sheet)
        if not strength:
            continue
        value = strength * item.weight
        if value < 0:
            lost += value
        elif item.where == "title":
            titles.append(value)
        else:
            gained += value
    if gained > _DAMPED_ABOVE:
        gained = _DAMPED_ABOVE + 2.0 * math.sqrt(gained - _DAMPED_ABOVE)
    heading = max(titles) + _FURTHER_TITLES * (sum(titles) - max(titles)) if titles else 0.0
    return gained + heading + lost


def votes(sheet: Sheet, schemas: Mapping[DocumentType, DocumentSchema]) -> Votes:
    """The points of every type on one page."""
    points: dict[DocumentType, float] = {
        type_: _points(schema.evidence, sheet)
        for type_, schema in schemas.items()
        if type_ != DocumentType.OTHER
    }
    kinds = sorted(
        (
            (_points(kind.evidence, sheet), kind.name)
            for kind in schemas[DocumentType.OTHER].subtypes
        ),
        key=lambda x: (-x[0], x[1]),
    )
    subtype_points, subtype = kinds[0] if kinds else (0.0, "")
    nothing = NOTHING_KNOWN + min(MOST_BY_CHANCE, sheet.word_count / BY_CHANCE)
    points[DocumentType.OTHER] = max(nothing, subtype_points)
    known = subtype if subtype_points >= nothing else None
    return Votes(points, known, subtype_points)


def heading_points(
    heading: Text,
    kind: tuple[DocumentType, str | None],
    schemas: Mapping[DocumentType, DocumentSchema],
) -> float:
    """The points of the best phrase of a kind that stands in a heading."""
    schema = schemas[kind[0]]
    found = schema.evidence
    if kind[1] is not None:
        found = next((each.evidence for each in schema.subtypes if each.name == kind[1]), ())
    return max(
        (item.weight * heading.similarity(item.phrase) for item in found if item.phrase),
        default=0.0,
    )


def total(pages: Sequence[Votes]) -> Votes:
    """The points of a document: its strongest page counts whole, the others a third."""
    points: dict[DocumentType, float] = {}
    for type_ in pages[0].points:
        values = sorted((page.points[type_] for page in pages), reverse=True)
        points[type_] = values[0] + sum(max(0.0, value) for value in values[1:]) / 3
    best = max(pages, key=lambda page: page.subtype_points)
    if best.subtype is None:
        points[DocumentType.OTHER] = max(page.points[DocumentType.OTHER] for page in pages)
    return Votes(points, best.subtype, best.subtype_points)


def confidence(all_votes: Votes) -> float:
    """How sure the best type is, 0..1: its share among all types at :data:`TEMPERATURE`.

    `other` of no known kind is never sure: a page too badly read to say anything looks the same.
    """
    ranked = all_votes.ranked()
    top = ranked[0][0]
    share = 1.0 / sum(math.exp((points - top) / TEMPERATURE) for points, _ in ranked)
    unknown = all_votes.best == DocumentType.OTHER and all_votes.subtype is None
    return round(min(MOST_UNKNOWN if unknown else 0.999, share), 4)

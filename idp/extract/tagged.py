# SPDX-License-Identifier: Apache-2.0
"""From tagged pages to proposed values: what all taggers have in common.

A tagger says what each token of a page is (a name, an NPI, a label) and how sure it is of that.
Runs of tokens become values, parties are assigned, parts are put together, kinds are checked: the
same way whether a CRF or a transformer has tagged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from idp.document import Page
from idp.extract.crf_roles import fields_by_role
from idp.extract.crf_spans import Parties, Span, completed, compose, spans_of, with_parties
from idp.extract.features import LabelTable, PageView
from idp.extract.ports import Candidate, Structure
from idp.extract.whole_sentences import in_whole_sentences
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind, find, parse

TAGGERS = frozenset({"crf", "layoutlm", "crf+layoutlm"})
"""Names of the sources whose values a tagger has seen in the words themselves."""
Chances = npt.NDArray[np.float32]
"""The probability of each label for each token, in the order of the view (tokens, labels)."""
_UNLABELLED = 0.5
"""What is left of the confidence of a value for which no label speaks."""
_MALFORMED = 0.6
"""What is left of the confidence of a value that has not the shape of its kind."""
_WORTHLESS_WHEN_MALFORMED = frozenset({Kind.OPTION, Kind.PERSON, Kind.ORGANIZATION})
"""Kinds of which a malformed value is another value, not a misread one."""
_LEAST = 0.05
_SAID_ONCE = frozenset({"diagnosis_codes", "diagnosis_descriptions", "medications_tried"})
"""Lists in which a value that stands on the page twice is one value."""
_SPEAK_FOR_THEMSELVES = frozenset({"DETERMINATION", "APPEAL_DAYS", "DENIAL", "PAYER", "PRACTICE"})
"""Roles found in prose and letterheads, where no label stands."""


def _without_repeats(found: Sequence[Candidate], structure: Structure) -> list[Candidate]:
    """Each code and description once, at its surest place; no signature date beside a form's own.

    Pages repeat a diagnosis in their summary, and a signature's date is the form's date only where
    the form has no other place for it.
    """
    asked = {name for label in structure.labels for name in label.fields}
    best: dict[tuple[str, str], Candidate] = {}
    kept: list[Candidate] = []
    for candidate in found:
        if candidate.field == "form_date" and "submission_date" in asked:
            continue
        if candidate.field not in _SAID_ONCE:
            kept.append(candidate)
            continue
        key = (candidate.field, candidate.value.lower())
        if key not in best or candidate.confidence > best[key].confidence:
            best[key] = candidate
    return [*kept, *best.values()]


def likeliest(
    view: PageView, labels: Sequence[str], chances: Chances
) -> tuple[dict[int, str], dict[int, float]]:
    """The likeliest label of each token and its probability."""
    best = chances.argmax(1)
    tags = {i: labels[best[n]] for n, i in enumerate(view.order)}
    return tags, {i: float(chances[n, best[n]]) for n, i in enumerate(view.order)}


class TaggedSource(ABC):
    """A source of values whose pages a tagger has read.

    Args:
        version: Of the weights.
        table: What labels may introduce, as the tagger was trained with.
    """

    name: str
    labels: tuple[str, ...]
    """What it may answer, in the order of :meth:`probabilities`."""

    def __init__(self, version: str, table: LabelTable) -> None:
        self.version = version
        self._table = table

    @abstractmethod
    def tag(self, view: PageView) -> tuple[dict[int, str], dict[int, float]]:
        """The role of each token and the probability of that role."""

    @abstractmethod
    def probabilities(self, view: PageView) -> Chances:
        """The probability of each label for each token."""

    def candidates(
        self, pages: Sequence[Page], schema: DocumentSchema, structure: Structure
    ) -> list[Candidate]:
        """All proposed values, best first within a field; lists in the order of the page."""
        fields = fields_by_role(schema)
        found: list[Candidate] = []
        for page in pages:
            found += self._on_page(page, schema, fields, structure)
        found = _without_repeats(found, structure)
        names = [f.name for f in schema.fields]
        found.sort(key=lambda c: (names.index(c.field), -c.confidence))
        return found

    def _on_page(
        self,
        page: Page,
        schema: DocumentSchema,
        fields: Mapping[tuple[str, str], FieldSchema],
        structure: Structure,
    ) -> list[Candidate]:
        view = PageView(page)
        tags, sure = self.tag(view)
        tags = completed(view, tags, sure)
        spans = in_whole_sentences(view, spans_of(view, tags, sure, self._table))
        parties = Parties(
            view, tags, self._table, kind=schema.type, structure=structure, page=page.number
        )
        found = []
        for span in compose(with_parties(spans, parties)):
            field = fields.get((span.role, span.party))
            if field is None:
                continue
            if candidate := self._candidate(view, page, span, field):
                found.append(candidate)
        return found

    def _candidate(
        self, view: PageView, page: Page, span: Span, field: FieldSchema
    ) -> Candidate | None:
        text = span.text
        if field.kind is Kind.EMAIL:
            spotted = find(field.kind, text)
            if not spotted:
                return None  # no address at all, or the sentence about it
            text = spotted[0].text
        parsed = parse(field.kind, text, options=field.options or None)
        if not parsed.value or (field.kind in _WORTHLESS_WHEN_MALFORMED and not parsed.valid):
            return None
        confidence = span.confidence
        if not span.labelled and span.role not in _SPEAK_FOR_THEMSELVES:
            confidence *= _UNLABELLED
        if not parsed.valid:
            confidence *= _MALFORMED
        if confidence < _LEAST:
            return None
        return Candidate(
            field=field.name,
            value=parsed.value,
            raw=text,
            valid=parsed.valid,
            confidence=min(1.0, max(0.0, confidence)),
            page=page.number,
            box=span.box,
            word_ids=tuple(dict.fromkeys(view.tokens[i].word for i in span.tokens)),
            source=self.name,
        )

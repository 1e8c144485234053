# SPDX-License-Identifier: Apache-2.0
"""The tagger as a source of values: a CRF on geometry and label features, roles to fields.

The model is a file that ``training`` made and ``models/manifest.json`` describes; a file that is
not the one described there is refused.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pycrfsuite
from pydantic import BaseModel, ConfigDict, ValidationError

from idp.document import DocumentType, Page
from idp.errors import ModelError
from idp.extract.crf_roles import fields_by_role, label_roles
from idp.extract.crf_spans import Parties, Span, completed, compose, spans_of, with_parties
from idp.extract.features import LabelTable, PageView, page_features
from idp.extract.ports import Candidate, Structure
from idp.schemas import DocumentSchema, FieldSchema, Lexicon
from idp.values import Kind, parse

MODEL_NAME = "field_crf"
FEATURES_VERSION = 1
"""Raised whenever :mod:`idp.extract.features` changes what it gives; models name theirs."""

_UNLABELLED = 0.5
"""What is left of the confidence of a value for which no label speaks."""
_MALFORMED = 0.6
"""What is left of the confidence of a value that has not the shape of its kind."""
_LEAST = 0.05
_SAID_ONCE = frozenset({"diagnosis_codes", "diagnosis_descriptions", "medications_tried"})
"""Lists in which a value that stands on the page twice is one value."""
_SPEAK_FOR_THEMSELVES = frozenset({"DETERMINATION", "APPEAL_DAYS", "DENIAL", "PAYER", "PRACTICE"})
"""Roles found in prose and letterheads, where no label stands."""


class ModelEntry(BaseModel):
    """What the manifest says about the tagger."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    sha256: str
    version: str
    features: int


def load_entry(models: Path) -> ModelEntry:
    """The tagger's manifest entry; raises :class:`ModelError` when there is none."""
    path = models / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return ModelEntry.model_validate(manifest["models"][MODEL_NAME])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise ModelError(f"{path.name}: no usable entry for {MODEL_NAME}") from error


def read_weights(models: Path, entry: ModelEntry) -> bytes:
    """The tagger's weights, after they were found to be those of the manifest.

    Raises:
        ModelError: The file is missing, was changed, or was trained on other features.
    """
    path = models / entry.file
    if entry.features != FEATURES_VERSION:
        raise ModelError(
            f"{entry.file} was trained on features {entry.features}, not {FEATURES_VERSION}"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{entry.file} can't be read") from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelError(f"{entry.file} is not the file of the manifest")
    return content


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


class CrfSource:
    """Proposes what the tagger sees; gives all candidates, best first within a field.

    Args:
        models: Folder with ``manifest.json`` and the weights.
        schemas: All schemas; their labels tell the features what a label may introduce.
        lexicon: Its attribute labels are used the same way.

    Raises:
        ModelError: The weights are missing or damaged.
    """

    name = "crf"

    def __init__(
        self,
        models: Path,
        schemas: Mapping[DocumentType, DocumentSchema],
        lexicon: Lexicon | None = None,
    ) -> None:
        entry = load_entry(models)
        self._weights = read_weights(models, entry)  # kept: the tagger reads them in place
        self._one_at_a_time = threading.Lock()  # the tagger holds the page between its calls
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(self._weights)
        self.version = entry.version
        del lexicon  # the features were trained on the schemas' labels
        self._table = LabelTable(label_roles(schemas))

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

    def tag(self, view: PageView) -> tuple[dict[int, str], dict[int, float]]:
        """The role of each token and the marginal probability of that role."""
        if not view.order:
            return {}, {}
        features = page_features(view, self._table)
        with self._one_at_a_time:
            self._tagger.set(features)
            tags = dict(zip(view.order, self._tagger.tag(), strict=True))
            sure = {i: self._tagger.marginal(tags[i], n) for n, i in enumerate(view.order)}
        return tags, sure

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
        spans = spans_of(view, tags, sure, self._table)
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
        parsed = parse(field.kind, span.text, options=field.options or None)
        if not parsed.value or (field.kind is Kind.OPTION and not parsed.valid):
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
            raw=span.text,
            valid=parsed.valid,
            confidence=min(1.0, max(0.0, confidence)),
            page=page.number,
            box=span.box,
            word_ids=tuple(dict.fromkeys(view.tokens[i].word for i in span.tokens)),
            source=self.name,
        )

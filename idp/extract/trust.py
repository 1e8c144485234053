# SPDX-License-Identifier: Apache-2.0
"""How likely a value is right: a probability, fitted on layouts that the sources never saw.

The vote's own score says which candidate is best, not how often such a candidate is right. What
tells are whether independent sources agree, whether another one contradicts, how surely the words
were read, and whether the value has the shape of its kind. The weights are fitted by
``python -m training.confidence`` and lie in the models folder; what they were measured on
stands in ``docs/models.md``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from idp.calibration import Calibration
from idp.document import Field, Grade, Page
from idp.errors import ModelError
from idp.extract.ports import Candidate
from idp.extract.vote import FORM, agree
from idp.extract.weights import is_named, load_entry, read_weights
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind

MODEL_NAME = "field_trust"
TRUST_VERSION = 1
"""Raised whenever :func:`features` changes what it gives."""

_SOURCES = ("crf", "form", "layoutlm", "prose", "structure", "tables")
_SHAPED = frozenset(
    {Kind.DATE, Kind.PHONE, Kind.NPI, Kind.TAX_ID, Kind.ICD10, Kind.PROCEDURE_CODE, Kind.MONEY}
)
_GROUPS: Mapping[str, frozenset[Kind]] = {
    "shaped": _SHAPED,
    "identifier": frozenset({Kind.IDENTIFIER}),
    "name": frozenset({Kind.PERSON, Kind.ORGANIZATION}),
    "address": frozenset({Kind.ADDRESS}),
    "text": frozenset({Kind.TEXT, Kind.QUANTITY}),
}
"""Kinds that err alike; choices and signatures are the rest."""

FEATURES = (
    "constant",
    "score",
    "agreeing",
    "agreeing_first",
    "contradicted",
    "read_worst",
    "read_mean",
    "malformed",
    "unlabelled",
    "fair_page",
    "poor_page",
    *(f"from_{name}" for name in _SOURCES),
    *(f"is_{name}" for name in _GROUPS),
)
"""Names of what :func:`features` gives, in its order."""

_LEAST, _MOST = 0.002, 0.998


@dataclass(frozen=True)
class FieldTrust:
    """The fitted weights, one for each of :data:`FEATURES`."""

    weights: tuple[float, ...]
    version: str
    calibration: Calibration | None = None
    """How often values are wrong that a probability lets through, where that was measured."""

    def probability(self, values: Sequence[float]) -> float:
        """The probability that a value with these features is right, 0..1."""
        return 1 / (1 + math.exp(-sum(w * v for w, v in zip(self.weights, values, strict=True))))


def load_trust(models: Path) -> FieldTrust | None:
    """The weights below ``models``, or ``None`` where the manifest names none.

    Raises:
        ModelError: The file is damaged, is not the manifest's, or was fitted for other features.
    """
    if not is_named(models, MODEL_NAME):
        return None
    entry = load_entry(models, MODEL_NAME)
    content = read_weights(models, entry, TRUST_VERSION)
    try:
        stored = json.loads(content)
        weights = tuple(float(stored["weights"][name]) for name in FEATURES)
        measured = stored.get("calibration")
        calibration = Calibration.model_validate(measured) if measured is not None else None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{entry.file}: no usable weights ({error}); fit them again") from error
    return FieldTrust(weights, entry.version, calibration)


def trusted(
    fields: Iterable[Field],
    candidates: Sequence[Candidate],
    pages: Sequence[Page],
    schema: DocumentSchema,
    trust: FieldTrust,
) -> tuple[Field, ...]:
    """The fields with their fitted confidence."""
    by_number = {page.number: page for page in pages}
    found: list[Field] = []
    for field in fields:
        if field.source == FORM:  # the fit knows nothing of recognised forms
            found.append(field)
            continue
        values = features(field, candidates, by_number.get(field.page or 0), schema)
        sure = round(min(0.999, trust.probability(values)), 4)
        found.append(field.model_copy(update={"confidence": sure}))
    return tuple(found)


def features(
    field: Field, candidates: Sequence[Candidate], page: Page | None, schema: DocumentSchema
) -> list[float]:
    """What tells whether a field is right, in the order of :data:`FEATURES`."""
    about = schema.field(field.name)
    kind = about.kind if about else Kind.TEXT
    chosen = _chosen(field, candidates)
    others = [c for c in candidates if c.field == field.name and c.source != field.source]
    agreeing = {c.source for c in others if chosen and agree(c, chosen, kind)}
    against = max(
        (c.confidence for c in others if chosen and _rivals(c, chosen, about, kind)), default=0.0
    )
    read = [page.words[i].confidence for i in field.word_ids if i < len(page.words)] if page else []
    grade = page.grade if page else Grade.POOR
    return [
        1.0,
        _odds(field.confidence),
        float(len(agreeing)),
        float(bool(agreeing)),
        against,
        _odds(min(read, default=_LEAST)),
        _odds(sum(read) / len(read) if read else _LEAST),
        float(chosen is not None and not chosen.valid),
        float(chosen is None or not chosen.label),
        float(grade is Grade.FAIR),
        float(grade is Grade.POOR),
        *(float(name in field.source.split("+")) for name in _SOURCES),
        *(float(kind in kinds) for kinds in _GROUPS.values()),
    ]


def _chosen(field: Field, candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate that became the field."""
    return next(
        (
            c
            for c in candidates
            if c.field == field.name
            and c.source == field.source
            and c.value == field.value
            and c.page == field.page
        ),
        None,
    )


def _rivals(other: Candidate, chosen: Candidate, about: FieldSchema | None, kind: Kind) -> bool:
    """Whether another source holds a different value; of a list, at the same place."""
    if agree(other, chosen, kind):
        return False
    if about is not None and about.list:
        return other.page == chosen.page and other.box.shared(chosen.box) > 0
    return True


def _odds(share: float) -> float:
    cut = min(_MOST, max(_LEAST, share))
    return math.log(cut / (1 - cut))

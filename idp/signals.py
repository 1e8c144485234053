# SPDX-License-Identifier: Apache-2.0
"""The nouns of learning: what people corrected, and what the models did with a document.

Corrections hold values and live where documents do; observations hold names, numbers and versions
only, so they may be counted, printed and logged.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field as Bounded
from pydantic import model_validator

from idp.document import Box, Document, Field, Noun


class Answer(StrEnum):
    """What a reviewer said of a field."""

    VALUE = "value"
    NOT_ON_FORM = "not_on_form"
    ILLEGIBLE = "illegible"


class Correction(Noun):
    """A reviewer's word on one value: confirmed, changed, added, or taken away.

    ``before`` is what the product had found, ``after`` what it should have; both normalised like
    ``Field.value``. ``origin`` tells, in Label Studio's words, how the answer came to be: a
    ``prediction`` left as it was, one that was changed, or ``manual`` work. A list field repeats
    its name, once per value.
    """

    name: str = Bounded(pattern=r"^[a-z][a-z0-9_]*$")
    answer: Answer = Answer.VALUE
    before: str | None = None
    after: str | None = None
    page: int | None = Bounded(default=None, ge=1)
    box: Box | None = None
    origin: Literal["prediction", "prediction-changed", "manual"] = "manual"

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.answer is Answer.VALUE) != (self.after is not None):
            raise ValueError(f"{self.name}: a value goes with the answer `value`, and only with it")
        if (self.box is None) != (self.page is None):
            raise ValueError(f"{self.name}: page and box go together")
        return self

    @property
    def outcome(self) -> str:
        """In one word, without a value: ``confirmed``, ``changed``, ``added``, ``removed`` ..."""
        if self.answer is Answer.ILLEGIBLE:
            return "illegible"
        if self.answer is Answer.NOT_ON_FORM:
            return "removed" if self.before is not None else "confirmed_absent"
        if self.before is None:
            return "added"
        return "confirmed" if self.before == self.after else "changed"


REVIEW = "review"
"""The source of a value that a reviewer confirmed, changed or added."""


def corrected(document: Document, corrections: Sequence[Correction]) -> Document:
    """The document with what a reviewer said of its fields; findings and decision stay as they are.

    A value that was confirmed or changed is sure from then on; one that was changed counts as
    printed so, for what was read was wrong. One taken away is gone, an illegible one has no value
    any more. An answer on a value that the document does not have (it was read again since)
    goes to the field's first open value, or is added. Claims are not corrected here.

    Args:
        document: As it was shown.
        corrections: One per value, as recorded.
    """
    fields: list[Field | None] = list(document.fields)
    open_places = set(range(len(fields)))
    for correction in corrections:
        place = _place_of(correction, fields, open_places)
        if place is None:
            if correction.answer is Answer.VALUE:
                fields.append(_said(correction, None))
            continue
        open_places.discard(place)
        known = fields[place]
        fields[place] = (
            None if correction.answer is Answer.NOT_ON_FORM else _said(correction, known)
        )
    return document.model_copy(
        update={"fields": tuple(field for field in fields if field is not None)}
    )


def _place_of(
    correction: Correction, fields: Sequence[Field | None], open_places: Set[int]
) -> int | None:
    """Which value the correction speaks of: the one that it had before, else the first of its name.

    What has nothing before is added, unless a value without text waits for it.
    """
    own = [
        (place, field)
        for place, field in enumerate(fields)
        if place in open_places and field is not None and field.name == correction.name
    ]
    for place, field in own:
        if (field.value or None) == correction.before:
            return place
    if correction.before is None and correction.answer is Answer.VALUE:
        return None
    return own[0][0] if own else None


def _said(correction: Correction, known: Field | None) -> Field:
    """The value as the reviewer has it, where he or the reader saw it."""
    changed = known is None or known.value != correction.after
    page, box = correction.page, correction.box
    if known is not None and box is None:
        page, box = known.page, known.box
    raw = correction.after if changed else known.raw if known else ""
    moved = known is None or box != known.box
    return Field(
        name=correction.name,
        value=correction.after,
        raw=raw or "",
        confidence=1.0,
        page=page,
        box=box,
        word_ids=() if moved or known is None else known.word_ids,
        source=REVIEW,
        # Without a place on the page it is the reviewer's word alone.
        derived_from=() if box is not None else (REVIEW,),
    )


class Agreement(StrEnum):
    """What champion and challenger made of one field."""

    SAME = "same"
    DIFFERENT = "different"
    CHAMPION_ONLY = "champion_only"
    CHALLENGER_ONLY = "challenger_only"


class ShadowRun(Noun):
    """What a challenger would have said of a document; never delivered.

    ``fields`` are kept where documents are kept; ``error`` is a class name when it failed.
    """

    challenger: str
    agreement: dict[str, Agreement] = Bounded(default_factory=dict)
    fields: tuple[Field, ...] = ()
    error: str | None = None


class Observation(Noun):
    """What the models did with one document, without any of its values.

    ``confidences`` holds the least sure value of each field found; ``layout`` is the signature of
    :func:`idp.learning.signature`.
    """

    models: str
    layout: str
    confidences: dict[str, float] = Bounded(default_factory=dict)
    missing: tuple[str, ...] = ()
    shadow: ShadowRun | None = None

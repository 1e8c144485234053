# SPDX-License-Identifier: Apache-2.0
"""The nouns of learning: what people corrected, and what the models did with a document.

Corrections hold values and live where documents do; observations hold names, numbers and versions
only, so they may be counted, printed and logged.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field as Bounded
from pydantic import model_validator

from idp.document import Box, Field, Noun


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

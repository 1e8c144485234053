# SPDX-License-Identifier: Apache-2.0
"""How often values are wrong that a confidence lets through, as it was measured, not hoped.

``python -m training.confidence`` writes the table into the file of the fitted trust: for each
threshold, how many values of layouts that took no part in the fit pass it, how many of them are
wrong, and the upper 95 % bound of that share. A threshold keeps an accuracy target only when its
bound does.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from idp.document import Grade


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Strict):
    """What a threshold lets through."""

    threshold: float = Field(ge=0, le=1)
    values: int = Field(ge=1)
    wrong: int = Field(ge=0)
    upper: float = Field(ge=0, le=1)
    """Upper bound (one-sided, 95 %) of the share of wrong values."""


class Calibration(_Strict):
    """The table, by the quality of the pages, with what it was measured on."""

    source: Literal["synthetic", "real"]
    layouts: int = Field(ge=0)
    documents: int = Field(ge=0)
    values: int = Field(ge=0)
    seen: bool = False
    """Whether the layouts were known to the models: else the figures are of new layouts."""
    steps: dict[Grade, tuple[Step, ...]]
    registered: Calibration | None = None
    """The same for values read at the places of registered forms, whose confidence is another;
    none where that was not measured. ``python -m training.forms.release`` measures it."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for grade, steps in self.steps.items():
            if any(step.wrong > step.values for step in steps):
                raise ValueError(f"{grade}: more values wrong than there are")
        return self

    def threshold(self, grade: Grade, target: float) -> float | None:
        """The lowest threshold that is proved to keep the target on pages of this quality.

        Args:
            grade: Of the page that a value stands on.
            target: Share of the values that must be right.

        Returns:
            None where no threshold's bound keeps the target, or nothing was measured.
        """
        kept = [
            step.threshold for step in self.steps.get(grade, ()) if step.upper <= 1 - target + 1e-12
        ]
        return min(kept, default=None)

# SPDX-License-Identifier: Apache-2.0
"""The words by which senders say how urgent something is: ``rules/urgency.yaml``."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic import Field, model_validator

from idp.clocks.files import Strict, read_yaml
from idp.clocks.rules import Level
from idp.phrases import fold

FILE = "urgency.yaml"


class UrgencyWording(Strict):
    """What counts as a word of urgency, where, and what looks like one and is none."""

    version: int = Field(1, ge=1)
    values: dict[str, Level]
    """Values of the fields ``review_type`` and ``urgency``, and the codes of X12 UM06."""
    ticks: dict[Level, tuple[str, ...]]
    """Words beside a ticked box: its whole label, or how it begins."""
    not_ticks: tuple[str, ...] = ()
    """Labels that begin like one and speak of something else."""
    value_labels: tuple[str, ...] = ()
    """Labels behind which a word of urgency stands typed or written, without a box."""
    attestations: tuple[str, ...]
    """What a certification says, by which a longer wait would do harm."""
    first_person: tuple[str, ...]
    """How a statement begins that somebody makes, unlike a form's instruction."""
    cover: dict[Level, tuple[str, ...]]
    """Single words on a cover sheet or in a subject."""
    cover_fillers: tuple[str, ...] = ()
    """Words that may stand beside one on a line of its own."""
    cover_labels: tuple[str, ...] = ()
    """Labels behind which a line may say more than that."""
    not_cover: tuple[str, ...] = ()
    """A line with one of these is an instruction, a choice nobody made, or about something else."""

    @model_validator(mode="after")
    def _sound(self) -> UrgencyWording:
        for name in ("ticks", "cover"):
            words = [word for each in getattr(self, name).values() for word in each]
            if double := {word for word in words if words.count(word) > 1}:
                raise ValueError(f"{name}: at two levels: {', '.join(sorted(double))}")
        return self

    @cached_property
    def folded_ticks(self) -> tuple[tuple[str, Level], ...]:
        """Folded label and level, the longest first, so that `non-urgent` is not `urgent`."""
        pairs = [(fold(word), level) for level, words in self.ticks.items() for word in words]
        return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))

    @cached_property
    def cover_words(self) -> dict[str, Level]:
        """Folded word of a cover sheet -> level."""
        return {fold(word): level for level, words in self.cover.items() for word in words}


def load_wording(own: Path | None, shipped: Path) -> UrgencyWording:
    """An appliance's own wording, which takes the place of the shipped one, else that.

    Raises:
        RulesError: The file is missing, is not YAML, or breaks its shape.
    """
    if own is not None and (own / FILE).exists():
        return read_yaml(own / FILE, UrgencyWording)
    return read_yaml(shipped / FILE, UrgencyWording)

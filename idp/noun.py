# SPDX-License-Identifier: Apache-2.0
"""What all nouns are made of: immutable records, rectangles, places on a page."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class Noun(BaseModel):
    """Base of all nouns: immutable, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(NamedTuple):
    """A rectangle in page-relative units (0..1, origin top left)."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def cx(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(
            min(self.x0, other.x0),
            min(self.y0, other.y0),
            max(self.x1, other.x1),
            max(self.y1, other.y1),
        )

    def overlap_x(self, other: Box) -> float:
        """Shared width; negative is the gap between the two."""
        return min(self.x1, other.x1) - max(self.x0, other.x0)

    def overlap_y(self, other: Box) -> float:
        """Shared height; negative is the gap between the two."""
        return min(self.y1, other.y1) - max(self.y0, other.y0)

    def shared(self, other: Box) -> float:
        """Area in common."""
        return max(0.0, self.overlap_x(other)) * max(0.0, self.overlap_y(other))

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies inside."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


def union_of(boxes: list[Box]) -> Box:
    """The smallest box around all of ``boxes``; raises ``ValueError`` when there is none."""
    if not boxes:
        raise ValueError("no boxes to join")
    first, *rest = boxes
    for box in rest:
        first = first.union(box)
    return first


class Place(Noun):
    """Where on the document something stands; without a box, somewhere on the page."""

    page: int
    box: Box | None = None

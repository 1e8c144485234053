# SPDX-License-Identifier: Apache-2.0
"""What stands on a drawn page, and where: the nouns of the truth, and how they move with a page.

Boxes are page-relative (0..1, origin top left), as in :mod:`idp.document`. A word's box is the
ink's to about a point: its width is the font's own, its height follows from its letters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from idp.document import Box

Affine = NDArray[np.float64]
"""3 x 3, from page-relative coordinates to page-relative coordinates."""

Shape = Literal["box", "circle", "oval", "bracket"]
Part = Literal["body", "header"]
KeyKind = Literal["name", "date", "npi", "phone", "id", "money", "code", "address", "text"]


class TrueWord(NamedTuple):
    """One printed word; ``segment`` is its place in :attr:`Truth.segments`."""

    text: str
    box: Box
    segment: int
    size_pt: float
    part: Part = "body"


class Segment(NamedTuple):
    """A run of words drawn in one go: a label, a value, a line of a paragraph."""

    text: str
    box: Box


class TrueMark(NamedTuple):
    """A place to mark, what was done to it, and the option's words beside it."""

    box: Box
    state: Literal["checked", "unchecked"]
    label: str
    shape: Shape
    style: str


class KeyField(NamedTuple):
    """A value that must be read exactly, and the label it stands under."""

    kind: KeyKind
    label: str
    value: str
    box: Box


class SignatureLine(NamedTuple):
    """A line to sign on, and whether somebody did."""

    box: Box
    signed: bool


@dataclass(frozen=True)
class Truth:
    """Everything on a page."""

    words: tuple[TrueWord, ...] = ()
    segments: tuple[Segment, ...] = ()
    marks: tuple[TrueMark, ...] = ()
    fields: tuple[KeyField, ...] = ()
    signatures: tuple[SignatureLine, ...] = ()

    def moved(self, matrix: Affine) -> Truth:
        """The truth on a page that was moved by ``matrix``; boxes stay upright rectangles."""
        return replace(
            self,
            words=tuple(w._replace(box=moved(w.box, matrix)) for w in self.words),
            segments=tuple(s._replace(box=moved(s.box, matrix)) for s in self.segments),
            marks=tuple(m._replace(box=moved(m.box, matrix)) for m in self.marks),
            fields=tuple(f._replace(box=moved(f.box, matrix)) for f in self.fields),
            signatures=tuple(s._replace(box=moved(s.box, matrix)) for s in self.signatures),
        )


def moved(box: Box, matrix: Affine) -> Box:
    """The smallest upright box around the moved corners of a box."""
    corners = np.array(
        [[box.x0, box.x1, box.x1, box.x0], [box.y0, box.y0, box.y1, box.y1], [1.0] * 4]
    )
    xs, ys = (matrix @ corners)[:2]
    return Box(float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))

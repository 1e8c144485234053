# SPDX-License-Identifier: Apache-2.0
"""Pages with exact truth, and the ways in which they arrive: printed, scanned, faxed.

    drawn = page(7, "form")                     # a PDF of one page and its truth
    fax = degrade(drawn, "fine_dither", 7)      # the raster that arrives, the truth moved along

Everything is seeded: the same arguments and the same installed fonts give the same bytes. All
people, numbers and addresses are fictitious.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from reportlab.lib.pagesizes import letter

from training.faxes.degrade import VARIANTS, Degraded, Drawn, Turn, Variant, degrade
from training.faxes.fonts import faces
from training.faxes.pages import KINDS, Page, draw_style
from training.faxes.paper import Paper
from training.faxes.truth import KeyField, Segment, SignatureLine, TrueMark, TrueWord, Truth
from training.synthesise.values import Split

__all__ = [
    "KINDS",
    "VARIANTS",
    "Degraded",
    "Drawn",
    "KeyField",
    "Segment",
    "SignatureLine",
    "TrueMark",
    "TrueWord",
    "Truth",
    "Turn",
    "Variant",
    "degrade",
    "page",
]

_NARROW_PRINT = 0.2
"""Share of pages printed in a condensed face."""


def page(seed: int, kind: str, *, split: Split = "heldout") -> Drawn:
    """A drawn page of a kind of :data:`KINDS`.

    Args:
        seed: Which of them.
        kind: ``form``, ``choices``, ``remittance``, ``letter``, ``small_print`` or ``combs``.
        split: Fonts and values of the training half or of the held-out half. What is to be
            measured is drawn from the held-out half.

    Raises:
        KeyError: no such kind.
    """
    draw = KINDS[kind]
    rng = random.Random(f"{kind}/{split}/{seed}")  # noqa: S311 - not for secrets
    narrow = rng.random() < _NARROW_PRINT
    face = rng.choice(faces(split, "narrow" if narrow else "print"))
    typed = rng.choice(faces(split, "typed"))
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        paper = Paper(Path(file.name), rng, letter, face, typed)
        draw(Page(paper, draw_style(rng, split)))
        paper.save()
        return Drawn(kind, seed, Path(file.name).read_bytes(), paper.truth, letter)

# SPDX-License-Identifier: Apache-2.0
"""Real models turn real print upright, also where the orientation model guesses wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from idp.read.engine import Place
from idp.read.ocr import Image as Grey
from idp.read.ocr import Line, Ocr, Region
from idp.read.prepare import ink_threshold, square, turn
from idp.read.upright import upright
from idp.read.weights import prepare

pytestmark = pytest.mark.component

_LETTER = (
    "Notice of coverage decision",
    "Dear Ms. Quillfeather, we have reviewed the request",
    "sent by Devon R. Abernathy, MD on July 22, 2026.",
    "The service is approved for twelve visits.",
    "Member ID: W80019914   Reference: 40718-22",
    "Please call (512) 555-0166 with any question.",
)
_NUMBERS = tuple(
    f"{4071 + 37 * i}   07/{10 + i}/26   {99201 + 11 * i}   {118 * i + 60}.00   {72 * i + 31}.15"
    for i in range(9)
)
_SPARSE = ("FAX COVER SHEET", "To: Radiology   Pages: 2")


class Misled:
    """The real eyes with an orientation model that is sure and wrong."""

    def __init__(self, ocr: Ocr, guess: int) -> None:
        self._ocr = ocr
        self._guess = guess

    def orientation(self, page: Grey) -> tuple[int, float, dict[int, float]]:
        """Always the same."""
        scores = dict.fromkeys((0, 90, 180, 270), 0.02) | {self._guess: 0.94}
        return self._guess, 0.94, scores

    def detect(self, page: Grey) -> list[Region]:
        """As the detector does."""
        return self._ocr.detect(page)

    def recognise(
        self, page: Grey, regions: list[Region], tier: Literal["quick", "thorough"] = "thorough"
    ) -> list[Line]:
        """As the recognisers do."""
        return self._ocr.recognise(page, regions, tier)


@pytest.fixture(scope="module")
def ocr(tmp_path_factory: pytest.TempPathFactory) -> Ocr:
    shipped = Path(__file__).parents[2] / "models" / "reading"
    weights = prepare(tmp_path_factory.mktemp("models"), "tiny", shipped)
    return Ocr(weights, Place(), 960)


def standard_fax(lines: tuple[str, ...]) -> Grey:
    """Print as a standard fax brings it: one bit, half the rows, then square again."""
    page = Image.new("L", (1728, 1800), 255)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=38)
    for i, line in enumerate(lines):
        pen.text((170, 240 + 110 * i), line, fill=0, font=font)
    coarse = np.asarray(page.resize((1728, 900), Image.Resampling.BOX))
    dots = np.where(coarse > 140, 255, 0).astype(np.uint8)
    return square(dots, 204.0, 102.0, bilevel=True, blur=0.9).image


@pytest.mark.parametrize(
    ("lines", "turned", "guess"),
    [
        (_LETTER, 90, 0),
        (_LETTER, 180, 0),
        (_NUMBERS, 180, 0),
        (_NUMBERS, 270, 90),
        (_SPARSE, 180, 0),
        (_SPARSE, 90, 180),
    ],
    ids=["letter-90", "letter-180", "numbers-180", "numbers-270", "sparse-180", "sparse-90"],
)
def test_a_standard_fax_comes_upright_against_a_wrong_guess(
    ocr: Ocr, lines: tuple[str, ...], turned: int, guess: int
) -> None:
    page = turn(standard_fax(lines), -turned)
    found = upright(page, ink_threshold(page), Misled(ocr, guess))
    assert found.rotation == turned


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_all_four_turns_of_a_standard_fax_are_told(ocr: Ocr, turned: int) -> None:
    page = turn(standard_fax(_LETTER), -turned)
    found = upright(page, ink_threshold(page), ocr)
    assert found.rotation == turned
    assert found.sampled

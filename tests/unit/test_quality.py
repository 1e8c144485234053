# SPDX-License-Identifier: Apache-2.0
"""A page's quality is a number, a grade and reasons that a person understands."""

from __future__ import annotations

import numpy as np
import pytest

from idp.document import Box, Grade, Word
from idp.read.quality import assess
from idp.read.repair import Repaired

_RASTER = np.full((64, 64), 255, np.uint8)
_FINE = (204.0, 196.0)


def words(*confidences: float) -> list[Word]:
    box = Box(0, 0, 0.1, 0.1)
    return [
        Word(id=i, text="Abernathy", confidence=confidence, box=box, line=i)
        for i, confidence in enumerate(confidences)
    ]


def raster(**flaws: object) -> Repaired:
    return Repaired(_RASTER, **{"bilevel": True, **flaws})  # type: ignore[arg-type]


def test_a_page_of_sure_words_is_good_and_has_no_reasons() -> None:
    quality = assess(words(*[0.99] * 20), raster(), dpi=_FINE, skew_degrees=0.4)
    assert quality.grade is Grade.GOOD
    assert quality.value == pytest.approx(0.99)
    assert quality.reasons == ()


def test_the_grade_falls_with_the_share_of_doubtful_words() -> None:
    def grade(doubtful: int) -> Grade:
        confidences = [0.5] * doubtful + [0.995] * (40 - doubtful)
        return assess(words(*confidences), raster(), dpi=_FINE, skew_degrees=0).grade

    assert [grade(n) for n in (0, 6, 20)] == [Grade.GOOD, Grade.FAIR, Grade.POOR]


def test_flaws_of_the_raster_are_named_the_costly_ones_first_and_lower_the_number() -> None:
    good = words(*[0.99] * 20)
    flawed = assess(
        good,
        raster(specks=9.0, lost_rows=8, streaks=1, inverted=True),
        dpi=(204.0, 98.0),
        skew_degrees=5.0,
    )
    assert flawed.reasons[:2] == ("standard resolution", "noise")
    assert set(flawed.reasons[2:]) == {"dropped lines", "askew", "streaks", "white on black"}
    assert flawed.value < assess(good, raster(), dpi=_FINE, skew_degrees=0).value


def test_a_coarse_grey_scan_is_no_standard_fax() -> None:
    quality = assess([], raster(bilevel=False), dpi=(100.0, 100.0), skew_degrees=0)
    assert quality.reasons == ("coarse scan",)


def test_a_page_without_words_is_good_unless_it_is_flawed() -> None:
    assert assess([], raster(), dpi=_FINE, skew_degrees=0).value == 1.0
    faint = assess([], raster(bilevel=False, contrast=40), dpi=_FINE, skew_degrees=0)
    assert faint.reasons == ("faint",)
    assert faint.grade is Grade.GOOD


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_the_number_stays_between_0_and_1(confidence: float) -> None:
    quality = assess(words(confidence), raster(specks=50.0), dpi=(204.0, 98.0), skew_degrees=9)
    assert 0.0 <= quality.value <= 1.0

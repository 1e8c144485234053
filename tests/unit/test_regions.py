# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from idp.read.ocr import Letter, Line, Region

LEVEL = Region(np.array([[10, 20], [210, 20], [210, 50], [10, 50]], np.float32), 0.9)
ASKEW = Region(np.array([[10, 20], [210, 30], [209, 60], [9, 50]], np.float32), 0.9)
LINE = Line(LEVEL, tuple(Letter(c, 0.9, (i + 0.5) / 4) for i, c in enumerate("A BC")))


def test_all_of_a_region_is_the_region() -> None:
    assert ASKEW.part(0.0, 1.0) is ASKEW


@given(st.floats(0.05, 0.95))
def test_two_parts_of_a_region_meet_where_it_was_cut(at: float) -> None:
    left, right = ASKEW.part(0.0, at), ASKEW.part(at, 1.0)
    assert np.allclose(left.corners[1], right.corners[0], atol=1e-3)
    assert np.allclose(left.corners[2], right.corners[3], atol=1e-3)
    assert np.allclose(left.corners[0], ASKEW.corners[0], atol=1e-3)
    assert np.allclose(right.corners[2], ASKEW.corners[2], atol=1e-3)


def test_a_part_of_a_region_that_lies_askew_lies_askew_as_much() -> None:
    middle = ASKEW.part(0.25, 0.75)
    slope = (middle.corners[1] - middle.corners[0])[1] / (middle.corners[1] - middle.corners[0])[0]
    assert abs(slope - 10 / 200) < 1e-3


def test_a_region_of_many_corners_is_cut_by_its_rectangle() -> None:
    corners = np.array([[0, 0], [50, -2], [100, 0], [100, 20], [50, 22], [0, 20]], np.float32)
    half = Region(corners, 1.0).part(0.5, 1.0)
    assert (half.x0, half.x1) == (50.0, 100.0)


def test_letters_under_a_thing_go_and_the_others_stay() -> None:
    kept = LINE.without(lambda x, _y: x > 150)
    assert kept is not None
    assert kept.text == "A B"


def test_of_a_line_that_is_covered_nothing_is_left() -> None:
    assert LINE.without(lambda _x, _y: True) is None
    assert LINE.without(lambda x, _y: not 50 < x < 100) is None, "a blank is nothing"

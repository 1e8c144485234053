# SPDX-License-Identifier: Apache-2.0
"""Pages come out square, straight and at one resolution, whatever fax or scanner they came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from idp.read.prepare import (
    DPI,
    Image,
    has_ink,
    ink_threshold,
    pad,
    skew,
    square,
    straighten,
    true_dpi,
    turn,
)


def printed(width: int = 1700, height: int = 2200) -> Image:
    """A page of text-like rows."""
    random = np.random.default_rng(7)
    page = np.full((height, width), 255, np.uint8)
    for top in range(150, height - 150, 48):
        x = 150
        while x < width - 150:
            length = int(random.integers(30, 120))
            page[top : top + 18, x : min(width - 150, x + length)] = 20
            x += length + 14
    return page


@pytest.mark.parametrize(
    ("pixels", "dpi", "expected"),
    [
        ((1728, 1078), (204.0, 98.0), (1728, 2244)),
        ((1728, 2156), (204.0, 196.0), (1728, 2244)),
        ((1728, 4301), (204.0, 391.0), (1728, 2244)),
        ((2550, 3300), (300.0, 300.0), (1700, 2200)),
        ((1700, 2200), (200.0, 200.0), (1700, 2200)),
        ((850, 1100), (100.0, 100.0), (1700, 2200)),
    ],
)
def test_every_resolution_becomes_square_at_about_200_dpi(
    pixels: tuple[int, int], dpi: tuple[float, float], expected: tuple[int, int]
) -> None:
    page = np.full((pixels[1], pixels[0]), 255, np.uint8)
    squared = square(page, *dpi, bilevel=True, blur=0.9)
    assert squared.image.shape == (expected[1], expected[0])
    assert squared.dpi == pytest.approx(DPI, rel=0.03)


def test_only_one_bit_pages_are_blurred() -> None:
    page = printed(400, 400)
    grey = square(page, 200, 200, bilevel=False, blur=0.9)
    soft = square(page, 200, 200, bilevel=True, blur=0.9)
    assert np.array_equal(grey.image, page)
    assert len(np.unique(soft.image)) > len(np.unique(page))


@pytest.mark.parametrize("degrees", [-7.0, -2.3, -0.4, 0.0, 0.7, 1.8, 5.5])
def test_skew_is_measured_and_taken_away(degrees: float) -> None:
    page = printed()
    askew = straighten(page, -degrees)
    found = skew(askew, ink_threshold(askew))
    assert found == pytest.approx(degrees, abs=0.12)
    again = straighten(askew, found)
    assert skew(again, ink_threshold(again)) == pytest.approx(0.0, abs=0.12)


def test_a_page_with_next_to_no_ink_is_not_turned() -> None:
    page = np.full((500, 500), 255, np.uint8)
    page[100:103, 100:103] = 0
    assert skew(page, ink_threshold(page)) == 0.0


def test_a_blank_page_has_no_ink_and_a_printed_one_has() -> None:
    blank = np.full((800, 600), 250, np.uint8)
    assert not has_ink(blank, ink_threshold(blank))
    assert has_ink(printed(600, 800), ink_threshold(printed(600, 800)))


def test_a_grey_page_with_paper_noise_only_has_no_ink() -> None:
    noise = np.random.default_rng(1).normal(235, 4, (800, 600)).clip(0, 255).astype(np.uint8)
    assert not has_ink(noise, ink_threshold(noise))


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    dpi_x=st.floats(1, 2400),
    dpi_y=st.floats(1, 2400),
    bilevel=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_no_size_and_no_resolution_is_too_odd(
    width: int, height: int, dpi_x: float, dpi_y: float, bilevel: bool
) -> None:
    page = pad(np.full((height, width), 255, np.uint8))
    squared = pad(square(page, dpi_x, dpi_y, bilevel=bilevel, blur=0.9).image)
    assert min(squared.shape) >= 32
    assert max(squared.shape) <= 5000
    assert skew(squared, ink_threshold(squared)) == 0.0


@given(st.sampled_from([0, 90, 180, 270, 360]))
def test_turning_there_and_back_changes_nothing(degrees: int) -> None:
    page = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(turn(turn(page, degrees), 360 - degrees), page)


def fax_of_letters(height: int) -> Image:
    """A page of a fax machine's width with letters that are squeezed as its lines are few."""
    page = Picture.new("L", (1728, 2244), 255)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=34)
    for row in range(150, 2100, 80):
        pen.text((150, row), "Referring provider and member number 4071", fill=0, font=font)
    squeezed = page.resize((1728, height), Picture.Resampling.BOX)
    return np.asarray(squeezed.point(lambda level: 255 if level > 140 else 0), np.uint8)


@pytest.mark.parametrize("tagged", [98.0, 196.0, 204.0, 391.0])
@pytest.mark.parametrize(("height", "true"), [(1078, 98.0), (2156, 196.0), (4301, 391.0)])
def test_letters_tell_the_density_of_a_fax_whose_tags_are_wrong(
    height: int, true: float, tagged: float
) -> None:
    found = true_dpi(fax_of_letters(height), 204.0, tagged)
    assert found[1] == pytest.approx(true, rel=0.05)


def test_a_short_slip_of_paper_keeps_its_density() -> None:
    slip = fax_of_letters(2156)[:900]
    assert true_dpi(slip, 204.0, 196.0) == (204.0, 196.0)


def test_a_fax_lying_on_its_side_is_corrected_too() -> None:
    page = np.ascontiguousarray(np.rot90(fax_of_letters(1078)))
    assert true_dpi(page, 196.0, 204.0) == (98.0, 204.0)


def test_pages_that_no_fax_machine_sent_keep_their_tags() -> None:
    assert true_dpi(printed(1700, 700), 200.0, 200.0) == (200.0, 200.0)

# SPDX-License-Identifier: Apache-2.0
"""What machines add to a raster is taken away, what they lost comes back, print stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from idp.read.repair import Image, repair

_DPI = (204.0, 196.0)


@pytest.fixture(scope="module")
def form() -> Image:
    """A thresholded page of print in a ruled frame with a column of cells."""
    page = Picture.new("L", (1728, 2156), 255)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=32)
    for i in range(26):
        pen.text((160, 160 + 70 * i), f"Member {i} Abernathy 18472635{i:02}", fill=0, font=font)
    pen.rectangle((120, 130, 1600, 2020), outline=0, width=4)
    pen.line((1000, 130, 1000, 2020), fill=0, width=3)
    for i in range(12):
        pen.line((1000, 130 + 157 * i, 1600, 130 + 157 * i), fill=0, width=3)
    return np.asarray(page.point(lambda level: 255 if level > 140 else 0), np.uint8)


def test_a_flawless_page_comes_back_as_it_is(form: Image) -> None:
    mended = repair(form, *_DPI, bilevel=True)
    assert mended.image is form
    assert (mended.lost_rows, mended.streaks, mended.border, mended.inverted) == (0, 0, 0.0, False)


def test_white_on_black_is_turned_round(form: Image) -> None:
    mended = repair(255 - form, *_DPI, bilevel=True)
    assert mended.inverted
    assert np.array_equal(mended.image, form)


def test_a_page_with_large_black_areas_is_not_turned_round(form: Image) -> None:
    dark = form.copy()
    dark[300:1100, 200:1500] = 0
    assert not repair(dark, *_DPI, bilevel=True).inverted


def test_rows_that_the_line_lost_are_put_back(form: Image) -> None:
    lost = form.copy()
    rows = [172, 244, 313, 600, 1223]
    for row in rows:
        lost[row] = 255
    crossing = [row for row in rows if np.count_nonzero(form[row] == 0) >= 12]
    mended = repair(lost, *_DPI, bilevel=True)
    assert mended.lost_rows >= len(crossing) - 1
    before = np.mean(np.abs(lost[rows].astype(int) - form[rows]))
    after = np.mean(np.abs(mended.image[rows].astype(int) - form[rows]))
    assert after < before / 2


@pytest.mark.parametrize(("top", "bottom"), [(0, 2156), (0, 1400), (900, 2156)])
def test_a_dark_streak_goes_and_print_and_rules_stay(form: Image, top: int, bottom: int) -> None:
    streaked = form.copy()
    streaked[top:bottom, 320:322] = 0
    mended = repair(streaked, *_DPI, bilevel=True)
    assert mended.streaks == 1
    here = slice(318, 324)
    before = np.mean(streaked[:, here] != form[:, here])
    assert np.mean(mended.image[:, here] != form[:, here]) < before / 4
    assert np.array_equal(mended.image[:, :316], form[:, :316])
    assert np.array_equal(mended.image[:, 330:], form[:, 330:])


def test_the_rules_of_a_form_are_no_streaks(form: Image) -> None:
    assert repair(form, *_DPI, bilevel=True).streaks == 0


def test_the_black_border_of_a_scanner_goes_and_a_title_bar_stays(form: Image) -> None:
    bar = form.copy()
    bar[40:110, 120:1600] = 0
    cv2.putText(bar, "PRIOR AUTHORIZATION", (300, 95), cv2.FONT_HERSHEY_SIMPLEX, 1.6, [255], 4)
    framed = bar.copy()
    framed[:, :60] = 0
    framed[2120:] = 0
    mended = repair(framed, *_DPI, bilevel=True)
    assert mended.border > 0.03
    assert np.all(mended.image[:, :60] == 255)
    assert np.all(mended.image[2120:] == 255)
    assert np.array_equal(mended.image[:2100, 80:], bar[:2100, 80:])


def test_punch_holes_go_and_filled_circles_of_the_form_stay(form: Image) -> None:
    punched = form.copy()
    for y in (400, 1000, 1700):
        cv2.circle(punched, (60, y), 26, [0], -1)
    cv2.circle(punched, (1300, 700), 11, [0], -1)
    mended = repair(punched, *_DPI, bilevel=True)
    assert mended.border > 0
    for y in (400, 1000, 1700):
        assert np.all(mended.image[y - 20 : y + 20, 40:80] == 255)
    assert mended.image[700, 1300] == 0


def test_a_faint_page_gets_full_contrast_and_a_good_one_is_left_alone(form: Image) -> None:
    faint = (175 + form.astype(np.float32) * (50 / 255)).astype(np.uint8)
    mended = repair(faint, 200, 200, bilevel=False)
    assert mended.contrast == pytest.approx(50, abs=4)
    assert mended.image.min() <= 5
    assert np.median(mended.image) >= 250
    good = (20 + form.astype(np.float32) * (225 / 255)).astype(np.uint8)
    assert repair(good, 200, 200, bilevel=False).image is good


def test_paper_that_darkens_over_the_page_is_levelled(form: Image) -> None:
    shade = np.linspace(1.0, 0.55, form.shape[1], dtype=np.float32)
    shaded = ((25 + form * (215 / 255)) * shade).astype(np.uint8)
    mended = repair(shaded, 200, 200, bilevel=False).image
    paper = [int(np.median(mended[40:100, x : x + 200])) for x in (100, 800, 1500)]
    assert max(paper) - min(paper) < 25
    assert min(paper) > 200
    ink = form == 0
    assert np.mean(mended[ink] < 128) > 0.95


def test_specks_and_screens_of_dots_are_measured(form: Image) -> None:
    dice = np.random.default_rng(4)
    peppered = form.copy()
    peppered[dice.random(form.shape) < 0.0008] = 0
    grey = (form.astype(np.int16) // 3 + 150).clip(0, 255).astype(np.uint8)
    screened = np.asarray(Picture.fromarray(grey).convert("1").convert("L"), np.uint8)
    clean, pepper, screen = (
        repair(page, *_DPI, bilevel=True) for page in (form, peppered, screened)
    )
    assert clean.specks < 1 < 8 < pepper.specks
    assert clean.dithered < 0.02 < 0.1 < screen.dithered


@pytest.mark.parametrize("size", [(1, 1), (31, 400), (33, 33), (64, 2000)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_no_size_and_no_shade_is_too_odd(size: tuple[int, int], level: int) -> None:
    page = np.full(size, level, np.uint8)
    for bilevel in (False, True):
        assert repair(page, *_DPI, bilevel=bilevel).image.shape == size

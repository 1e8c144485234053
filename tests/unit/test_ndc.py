# SPDX-License-Identifier: Apache-2.0
"""National Drug Codes: ten digits in three shapes come to eleven in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.values.ndc import ndc_in_full, ndc_readings

SHAPES = [(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)]
digits = st.text("0123456789", min_size=11, max_size=11)


@given(digits, st.sampled_from(SHAPES), st.sampled_from(["-", " ", " - ", "\u2013"]))
def test_a_code_with_its_dashes_is_padded_part_by_part(
    text: str, shape: tuple[int, int, int], dash: str
) -> None:
    labeler, product, package = (text[:5][: shape[0]], text[5:9][: shape[1]], text[9:][: shape[2]])
    printed = dash.join((labeler, product, package))
    full = ndc_in_full(printed)
    assert full is not None and len(full) == 11
    assert (int(full[:5]), int(full[5:9]), int(full[9:])) == (
        int(labeler),
        int(product),
        int(package),
    )
    assert ndc_in_full(full) == full


@given(digits)
def test_eleven_digits_stay_as_they_are(text: str) -> None:
    assert ndc_readings(text) == (text,)
    assert ndc_in_full(f"{text[:5]}-{text[5:9]}-{text[9:]}") == text


@given(digits.map(lambda text: text[:10]))
def test_ten_bare_digits_have_each_reading_that_a_package_may_have(text: str) -> None:
    readings = ndc_readings(text)
    dashed = {
        ndc_in_full(f"{text[:4]}-{text[4:8]}-{text[8:]}"),
        ndc_in_full(f"{text[:5]}-{text[5:8]}-{text[8:]}"),
        ndc_in_full(f"{text[:5]}-{text[5:9]}-{text[9:]}"),
    }
    assert set(readings) == dashed
    assert all(len(reading) == 11 for reading in readings)
    assert ndc_in_full(text) == (readings[0] if len(readings) == 1 else None)


@given(st.text(max_size=20))
def test_nothing_else_is_one(text: str) -> None:
    for reading in ndc_readings(text):
        assert len(reading) == 11 and reading.isdigit()
        assert sum(sign.isdigit() for sign in text) in (10, 11)


@pytest.mark.parametrize(
    "text", ["", "-", "123-4567-89", "12345-67890-1", "1234567890123", "1234A-5678-90", "12-34"]
)
def test_a_shape_that_the_fda_does_not_give_is_none(text: str) -> None:
    assert ndc_readings(text) == ()
    assert ndc_in_full(text) is None


def test_a_product_without_its_package_has_nine_digits() -> None:
    assert ndc_in_full("0093-7146") == "000937146"
    assert ndc_in_full("50090-123") == "500900123"

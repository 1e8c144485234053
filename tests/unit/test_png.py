# SPDX-License-Identifier: Apache-2.0
"""What is written as PNG is what every reader of PNG finds in it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from idp.png import write_png


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (333, 257)])
def test_a_grey_image_comes_back_pixel_by_pixel(tmp_path: Path, size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    path = tmp_path / "grey.png"
    write_png(path, image)
    assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), image)
    with Image.open(path) as opened:
        opened.verify()
    with Image.open(path) as opened:
        assert opened.mode == "L"
        assert np.array_equal(np.asarray(opened), image)


def test_a_cut_out_of_a_page_is_written_as_seen(tmp_path: Path) -> None:
    page = np.arange(100 * 80, dtype=np.int64).reshape(100, 80).astype(np.uint8)
    write_png(tmp_path / "cut.png", page[10:40:2, 5:77])
    assert np.array_equal(cv2.imread(str(tmp_path / "cut.png"), 0), page[10:40:2, 5:77])


@pytest.mark.parametrize("image", [np.zeros((0, 4), np.uint8), np.zeros((2, 2, 3), np.uint8)])
def test_what_is_no_grey_image_is_refused(tmp_path: Path, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no grey image"):
        write_png(tmp_path / "no.png", image)
    assert not (tmp_path / "no.png").exists()

# SPDX-License-Identifier: Apache-2.0
"""Which OpenCV is installed. Three distributions write into the one folder ``cv2``.

layoutparser asks for opencv-python, paddlex for opencv-contrib-python and rapidocr for
opencv-python-headless. Whichever pip unpacks last wins, so all three must be the same version, or
the folder is a mixture of two.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import cv2
import numpy as np
from cv2 import version

NAMES = ("opencv-python", "opencv-contrib-python", "opencv-python-headless")


def test_every_installed_opencv_is_the_one_that_imports() -> None:
    installed = {}
    for name in NAMES:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    print(f"cv2 {version.opencv_version}, headless {version.headless}: {installed}")  # noqa: T201
    assert installed
    assert set(installed.values()) == {version.opencv_version}


def test_all_three_are_pinned_to_one_version() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    pins = {
        line.split("==")[0]: line.split("==")[1]
        for line in project["project"]["dependencies"]
        if line.startswith("opencv")
    }
    assert set(pins) == set(NAMES)
    assert len(set(pins.values())) == 1


def test_cv2_works_without_a_display() -> None:
    page = np.full((20, 20), 255, np.uint8)
    cv2.line(page, (2, 10), (17, 10), [0], 1)
    assert int((page == 0).sum()) == 16

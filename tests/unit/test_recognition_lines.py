# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import reportlab

from idp.document import Box
from idp.read.ocr import Region
from idp.read.weights import SHIPPED
from training.faxes import page
from training.faxes.truth import Truth
from training.recognition.crops import said
from training.recognition.ship import ship_file
from training.recognition.strips import Capture, Look, strip

FONT = str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")
WIDTH, HEIGHT = 1700, 2200


def region(box: Box) -> Region:
    x0, y0, x1, y1 = box.x0 * WIDTH, box.y0 * HEIGHT, box.x1 * WIDTH, box.y1 * HEIGHT
    return Region(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32), 1.0)


@pytest.fixture(scope="module")
def truth() -> Truth:
    return page(3, "letter", split="train").truth


@pytest.mark.parametrize("capture", get_args(Capture))
def test_a_line_has_ink_and_paper_in_every_way_to_arrive(capture: Capture) -> None:
    image = strip("Member ID: 4471-A", Look(FONT, 9.0, capture, seed=5))
    assert image.dtype == np.uint8
    assert 15 < image.shape[0] < 70
    assert image.shape[1] > 3 * image.shape[0]
    assert np.percentile(image, 2) < 120 < np.percentile(image, 80)


def test_the_same_look_gives_the_same_line() -> None:
    look = Look(FONT, 9.0, "standard", seed=5)
    assert np.array_equal(strip("0.00", look), strip("0.00", look))


def test_a_region_around_a_printed_run_says_its_words(truth: Truth) -> None:
    said_right = [
        said(region(segment.box), truth, HEIGHT, WIDTH) == segment.text
        for segment in truth.segments
    ]
    assert sum(said_right) >= 0.9 * len(said_right)


def test_a_region_that_cuts_a_word_says_nothing(truth: Truth) -> None:
    word = max(truth.words, key=lambda word: word.box.width)
    half = Box(word.box.x0, word.box.y0, word.box.cx, word.box.y1)
    assert said(region(half), truth, HEIGHT, WIDTH) is None


def test_paper_without_print_says_nothing(truth: Truth) -> None:
    assert said(region(Box(0.0, 0.0, 0.02, 0.005)), truth, HEIGHT, WIDTH) == ""


def test_the_manifest_knows_every_shipped_reading_model() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text(encoding="utf-8"))
    shipped = {path.name for path in SHIPPED.iterdir()} - {"manifest.json"}
    assert set(manifest["models"]) == shipped


def test_shipping_a_file_writes_its_hash(tmp_path: Path) -> None:
    ship_file(b"one", tmp_path, "a.json", {"origin": "here"})
    ship_file(b"two", tmp_path, "b.json")
    models = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["models"]
    assert models["a.json"]["bytes"] == 3
    assert models["a.json"]["origin"] == "here"
    assert len(models["b.json"]["sha256"]) == 64

# SPDX-License-Identifier: Apache-2.0
"""Generated pages: the same arguments give the same page, and the truth lies where the ink is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from idp.document import Box
from training.faxes import KINDS, VARIANTS, Degraded, Truth, degrade, page
from training.faxes.fonts import faces, names

TURNS = (0, 90, 180, 270)


def dark(came: Degraded, boxes: Sequence[Box]) -> list[float]:
    """The share of black in each of the boxes of the raster."""
    black = came.pixels < 128
    high, wide = black.shape
    parts = [
        black[int(b.y0 * high) : round(b.y1 * high) + 1, int(b.x0 * wide) : round(b.x1 * wide) + 1]
        for b in boxes
    ]
    return [float(np.mean(part)) for part in parts]


def test_the_same_seed_draws_the_same_page() -> None:
    first, second = page(3, "form"), page(3, "form")
    assert first.pdf == second.pdf
    assert first.truth == second.truth


def test_another_seed_and_the_other_half_draw_other_pages() -> None:
    texts = {
        tuple(w.text for w in drawn.truth.words)
        for drawn in (page(3, "form"), page(4, "form"), page(3, "form", split="train"))
    }
    assert len(texts) == 3


def test_the_same_seed_sends_the_same_dots() -> None:
    drawn = page(5, "letter")
    first, second = degrade(drawn, "noisy", 5), degrade(drawn, "noisy", 5)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.placed == second.placed
    assert degrade(drawn, "noisy", 6).image.tobytes() != first.image.tobytes()


def test_no_face_stands_in_both_halves() -> None:
    assert names("train")
    assert names("heldout")
    assert not set(names("train")) & set(names("heldout"))
    assert faces("heldout", "typed")


@pytest.mark.parametrize("kind", KINDS)
def test_everything_drawn_lies_on_the_page(kind: str) -> None:
    truth = page(11, kind).truth
    boxes = [w.box for w in truth.words] + [m.box for m in truth.marks]
    assert len(truth.words) > 50
    assert all(0 <= b.x0 < b.x1 <= 1 and 0 <= b.y0 < b.y1 <= 1 for b in boxes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_belongs_to_its_segment(kind: str) -> None:
    truth = page(12, kind).truth
    texts = ["" for _ in truth.segments]
    for word in truth.words:
        texts[word.segment] += f" {word.text}"
    assert [text.strip() for text in texts] == [segment.text for segment in truth.segments]


def test_words_have_ink_and_the_gaps_between_lines_have_none() -> None:
    came = degrade(page(1, "letter"), "clean", 1)
    words = came.placed.words
    assert min(dark(came, [w.box for w in words])) > 0.05
    above = [Box(w.box.x0, w.box.y0 - 0.003, w.box.x1, w.box.y0 - 0.001) for w in words]
    assert np.mean(dark(came, above)) < 0.02


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("variant", ["standard_threshold", "scan_150"])
def test_the_truth_moves_along_with_skew_and_turn(variant: str, turn: int) -> None:
    came = degrade(page(2, "form"), variant, 2, turn=turn)  # type: ignore[arg-type]
    boxes = [w.box for w in came.placed.words if len(w.text) > 3]
    there = dark(came, boxes)
    assert np.mean([share > 0.03 for share in there]) > 0.97
    elsewhere = [b._replace(y0=b.y0 + 0.04, y1=b.y1 + 0.04) for b in boxes]
    assert np.mean(dark(came, elsewhere)) < np.mean(there)


def test_a_standard_fax_has_pixels_that_are_not_square() -> None:
    came = degrade(page(2, "letter"), "standard_dither", 1)
    assert came.dpi == (204, 98)
    assert came.image.size == (1728, 1078)
    assert came.image.mode == "1"


def test_places_on_the_raster_can_be_straightened() -> None:
    came = degrade(page(2, "letter"), "fine_threshold", 4)
    for placed, upright in zip(came.placed.words, came.upright.words, strict=True):
        middle = came.to_upright @ np.array([placed.box.cx, placed.box.cy, 1.0])
        assert middle[:2] == pytest.approx([upright.box.cx, upright.box.cy], abs=1e-6)


def test_marks_come_in_all_shapes_and_checked_ones_are_darker() -> None:
    states: dict[str, list[float]] = {"checked": [], "unchecked": []}
    seen: Counter[str] = Counter()
    for seed in range(3):
        came = degrade(page(seed, "choices"), "clean", seed)
        for mark in came.placed.marks:
            seen[mark.shape] += 1
            states[mark.state] += dark(came, [mark.box])
    assert set(seen) == {"box", "circle", "oval", "bracket"}
    assert np.mean(states["checked"]) > 1.3 * np.mean(states["unchecked"])


def test_the_sending_machine_s_line_is_told_from_the_page() -> None:
    upright: Truth = degrade(page(1, "form"), "fine_dither", 1).upright
    header = [w for w in upright.words if w.part == "header"]
    assert header
    assert max(w.box.y1 for w in header) < 0.04
    assert all(upright.segments[w.segment].text for w in header)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_can_be_saved(variant: str, tmp_path: Path) -> None:

    came = degrade(page(1, "letter"), variant, 1)
    path = came.save(tmp_path, "page")
    with Image.open(path) as file:
        assert file.size == came.image.size
        assert tuple(round(float(d)) for d in file.info["dpi"]) == came.dpi

# SPDX-License-Identifier: Apache-2.0
"""Places to sign, drawn here: signed by pen, typed, or left empty."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from idp.document import Box, Signature, Word
from idp.read.ocr import Image
from idp.read.pixels import look
from idp.read.rules import find_rules
from idp.read.signatures import find_signatures

SIZE = (1400, 800)
DPI = 200.0


def word(
    number: int, text: str, x0: float, y0: float, x1: float, y1: float, sure: float = 0.99
) -> Word:
    box = Box(x0 / SIZE[0], y0 / SIZE[1], x1 / SIZE[0], y1 / SIZE[1])
    return Word(id=number, text=text, confidence=sure, box=box, line=round(y1 / 50))


def paper() -> Image:
    """A line to sign on, right of where its label is."""
    page = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    cv2.line(page, (330, 402), (900, 402), [0], 2)
    return page


def scrawl(page: Image, x0: int = 380, y0: int = 380) -> None:
    xs = np.arange(0, 260)
    ys = 22 * np.sin(xs / 11.0) * np.cos(xs / 37.0)
    points = np.stack([x0 + xs, y0 + ys], axis=1).round().astype(np.int32)
    cv2.polylines(page, [points], False, [0], 3)


def signed(page: Image, *more: Word) -> tuple[Signature, ...]:
    pixels = look(page, 128, DPI)
    words = [word(0, "Signature:", 120, 376, 300, 404), *more]
    ruling = find_rules(pixels, [])
    return find_signatures(ruling.text_ink, ruling, words, DPI)


def test_pen_strokes_on_the_line_are_a_signature() -> None:
    page = paper()
    scrawl(page)
    (found,) = signed(page)
    assert (found.state, found.how, found.label) == ("present", "pen", "Signature:")
    assert found.box.x0 * SIZE[0] == pytest.approx(380, abs=8)
    assert found.box.x1 * SIZE[0] == pytest.approx(640, abs=8)


def test_an_empty_line_is_unsigned_with_its_specks_and_streaks() -> None:
    page = paper()
    random = np.random.default_rng(2)
    page[random.random(page.shape) < 0.001] = 0
    cv2.line(page, (600, 0), (600, SIZE[1]), [0], 1)
    (found,) = signed(page)
    assert (found.state, found.how) == ("absent", "")


def test_print_on_the_line_is_no_pen_stroke() -> None:
    page = paper()
    cv2.putText(page, "Ada Testcase", (380, 396), cv2.FONT_HERSHEY_SIMPLEX, 1.0, [0], 2)
    typed = word(1, "Ada", 380, 370, 440, 398), word(2, "Testcase", 455, 370, 600, 398)
    (found,) = signed(page, *typed)
    assert (found.state, found.how) == ("unsure", "typed")


@pytest.mark.parametrize("text", ["/s/ Ada Testcase", "Electronically signed by A. Testcase"])
def test_an_electronic_signature_counts_as_typed(text: str) -> None:
    page = paper()
    cv2.putText(page, text, (350, 396), cv2.FONT_HERSHEY_SIMPLEX, 0.8, [0], 2)
    parts = text.split()
    step = 500 / len(parts)
    words = [
        word(i + 1, part, 350 + i * step, 372, 340 + (i + 1) * step, 398)
        for i, part in enumerate(parts)
    ]
    (found,) = signed(page, *words)
    assert (found.state, found.how) == ("present", "typed")


def test_a_word_read_into_a_scrawl_is_still_a_pen() -> None:
    page = paper()
    scrawl(page)
    (found,) = signed(page, word(1, "wwww", 380, 358, 640, 402, sure=0.5))
    assert (found.state, found.how) == ("present", "pen")


def test_prose_about_signatures_asks_for_none() -> None:
    page = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    words = [
        word(i, text, 100 + 110 * i, 376, 200 + 110 * i, 404)
        for i, text in enumerate(
            [
                "I",
                "know",
                "that",
                "my",
                "signature",
                "here",
                "means",
                "that",
                "I",
                "agree",
                "to",
                "it",
            ]
        )
    ]
    pixels = look(page, 128, DPI)
    ruling = find_rules(pixels, [])
    assert find_signatures(ruling.text_ink, ruling, words, DPI) == ()

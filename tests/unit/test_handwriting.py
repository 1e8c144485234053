# SPDX-License-Identifier: Apache-2.0
"""Words drawn in straight print and in swinging pen strokes, told apart."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from idp.document import Box, Word
from idp.read.handwriting import DOUBTFUL, figures, mark_handwriting
from idp.read.pixels import Mask

SIZE = (1200, 700)


def word(number: int, text: str, place: tuple[int, int, int, int], line: int) -> Word:
    x0, y0, x1, y1 = place
    box = Box(x0 / SIZE[0], y0 / SIZE[1], x1 / SIZE[0], y1 / SIZE[1])
    return Word(id=number, text=text, confidence=0.99, box=box, line=line)


def page() -> tuple[Mask, list[Word]]:
    """Six printed words and one line that a pen has written below."""
    image = Image.new("L", SIZE, 0)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=26)
    words = []
    for i, text in enumerate(("Patient", "Provider", "Request", "Number", "Address", "HEALTH")):
        at = (80 + 180 * i, 100)
        pen.text(at, text, fill=255, font=font)
        words.append(word(i, text, pen.textbbox(at, text, font=font), 0))
    mask = np.asarray(image, np.uint8).copy()
    random = np.random.default_rng(4)
    for k in range(7):  # leaning loops of a pen, none like the other
        t = np.linspace(0, 2 * np.pi * random.uniform(0.8, 1.4), 60)
        tall, wide = random.uniform(14, 26), random.uniform(8, 16)
        y = 330 + random.normal(0, 4) + tall * np.sin(t)
        x = 120 + 34 * k + wide * np.cos(t) + 0.45 * (330 - y) + 6 * t
        points = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(mask, [points], False, [255], 2)
    rows, columns = np.nonzero(mask[280:400])
    box = (int(columns.min()), 280 + int(rows.min()), int(columns.max()), 281 + int(rows.max()))
    return mask, [*words, word(6, "Fredric", box, 1)]


def test_a_pen_is_told_from_print_and_never_sure() -> None:
    mask, words = page()
    marked = mark_handwriting(words, mask)
    assert [w.text for w in marked if w.handwritten] == ["Fredric"]
    assert marked[-1].confidence == DOUBTFUL
    assert marked[:-1] == tuple(words[:-1])


def test_too_little_ink_tells_nothing() -> None:
    mask = np.zeros((40, 60), np.uint8)
    assert figures(mask, 3) is None
    mask[10:14, 10:14] = 255
    assert figures(mask, 1) is None


def test_a_page_without_words_has_no_handwriting() -> None:
    assert mark_handwriting([], np.zeros((100, 100), np.uint8)) == ()

# SPDX-License-Identifier: Apache-2.0
"""Draws a line of text as it stands on a form, then prints, scans and faxes it.

What comes out is what :mod:`idp.read` cuts from a prepared page: a grey crop with square pixels,
rough edges, and whatever else stood near the words: rules, boxes, the lines above and below.
"""

# Places read better in their order than by name.
# ruff: noqa: PLR0917

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.recognition.fonts import load

Grey = NDArray[np.uint8]
Shades = NDArray[np.float32]
Pixels = TypeVar("Pixels", Grey, Shades)
Capture = Literal["scan", "fine", "fine_dithered", "standard", "standard_dithered", "copy"]

_DRAWN = 2.0  # drawing happens at so many times the resolution of a fine fax
_DPI = 204.0
_BLUR = 0.9  # as idp.read.prepare does with 1-bit pages


@dataclass(frozen=True)
class Look:
    """Everything about one line but its words."""

    font: str
    points: float
    capture: Capture
    seed: int


def draw_look(rng: random.Random, fonts: list[tuple[str, float]], capture: Capture | None) -> Look:
    """A look by chance: sizes as forms have them, faxes more often than scans."""
    (font,) = rng.choices([f for f, _ in fonts], [weight for _, weight in fonts])
    points = rng.choice(
        (rng.uniform(5.5, 8), rng.uniform(7, 11), rng.uniform(8, 12), rng.uniform(10, 20))
    )
    captures: tuple[Capture, ...] = (
        "scan", "fine", "fine_dithered", "standard", "standard_dithered", "copy",
    )  # fmt: skip
    chosen = capture or rng.choices(captures, (0.22, 0.22, 0.14, 0.2, 0.12, 0.1))[0]
    if chosen.startswith("standard"):
        points = max(points, 7.0)  # nothing smaller survives 98 lines per inch
    return Look(font, points, chosen, rng.randrange(2**31))


def strip(text: str, look: Look) -> Grey:
    """The line as a crop: grey, 0 is ink, square pixels, one line of text."""
    rng = np.random.default_rng(look.seed)
    paper, box, em = _printed(text, look, rng)
    tilt = float(np.clip(rng.normal(0, 0.5), -1.8, 1.8)) if rng.random() < 0.5 else 0.0
    page = _captured(paper, look.capture, tilt, rng)
    return _cut(page, box, em, rng)


def _printed(
    text: str, look: Look, rng: np.random.Generator
) -> tuple[Grey, tuple[float, float, float, float], float]:
    """The paper, the box of the words on it, and the em, all at the drawing's resolution."""
    em = look.points / 72 * _DPI * _DRAWN
    font = load(look.font, max(8, round(em)))
    spread = float(rng.uniform(-0.02, 0.12)) * em if rng.random() < 0.25 else 0.0
    gap = float(rng.uniform(1.0, 2.2)) if rng.random() < 0.2 else 1.0
    if rng.random() < 0.2:
        gap = float(rng.uniform(1.5, 6.0))
    blank = font.getlength(" ") or em / 4
    words = text.split(" ")
    widths = [_width(word, font, spread) for word in words]
    length = sum(widths) + blank * gap * (len(words) - 1)
    pad_x, pad_y = 1.6 * em, 1.8 * em
    size = (int(length + 2 * pad_x) + 2, int(2 * pad_y + 1.2 * em) + 2)
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    ink = int(rng.integers(0, 130)) if rng.random() < 0.25 else 0
    middle = size[1] / 2
    base = middle + 0.33 * em  # capitals stand .7 em high: their middle is the line's
    x = pad_x
    for word, width in zip(words, widths, strict=True):
        _write(pen, x, base, word, font, spread, ink)
        x += width + blank * gap
    right = x - blank * gap
    _furnish(pen, rng, (pad_x, right), base, em, size, look, ink)
    return np.asarray(image, np.uint8), (pad_x, middle - em / 2, right, middle + em / 2), em


def _width(word: str, font: object, spread: float) -> float:
    return float(font.getlength(word)) + spread * max(0, len(word) - 1)  # type: ignore[attr-defined]


def _write(
    pen: ImageDraw.ImageDraw,
    x: float,
    base: float,
    word: str,
    font: object,
    spread: float,
    ink: int,
) -> None:
    if spread == 0:
        pen.text((x, base), word, font=font, fill=ink, anchor="ls")  # type: ignore[arg-type]
        return
    for letter in word:
        pen.text((x, base), letter, font=font, fill=ink, anchor="ls")  # type: ignore[arg-type]
        x += float(font.getlength(letter)) + spread  # type: ignore[attr-defined]


def _furnish(
    pen: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    across: tuple[float, float],
    base: float,
    em: float,
    size: tuple[int, int],
    look: Look,
    ink: int,
) -> None:
    """Rules, boxes, check boxes and neighbouring lines, as they stand around words on forms."""
    weight = max(1, round(rng.uniform(0.4, 1.6) / 72 * _DPI * _DRAWN))
    if rng.random() < 0.28:  # a rule below, close enough to touch what hangs down
        y = base + rng.uniform(0.06, 0.6) * em
        start = across[0] - rng.uniform(-2.0, 1.6) * em
        pen.line(
            (start, y, size[0] if rng.random() < 0.7 else across[1], y), fill=ink, width=weight
        )
    if rng.random() < 0.14:
        y = base - rng.uniform(0.85, 1.3) * em
        pen.line((0, y, size[0], y), fill=ink, width=weight)
    if rng.random() < 0.14:
        x = across[0] - rng.uniform(0.12, 0.7) * em
        pen.line((x, 0, x, size[1]), fill=ink, width=weight)
    if rng.random() < 0.12:
        x = across[1] + rng.uniform(0.12, 0.7) * em
        pen.line((x, 0, x, size[1]), fill=ink, width=weight)
    if rng.random() < 0.06:  # a check box in front, which is no letter
        side = rng.uniform(0.55, 0.95) * em
        x1 = across[0] - rng.uniform(0.2, 0.6) * em
        box = (x1 - side, base - side, x1, base)
        pen.rectangle(box, outline=ink, width=weight)
        if rng.random() < 0.4:
            pen.line(box, fill=ink, width=weight)
            pen.line((box[0], box[3], box[2], box[1]), fill=ink, width=weight)
    neighbour = load(look.font, max(8, round(em)))
    for step in (-1, 1):
        if rng.random() < 0.4:
            y = base + step * rng.uniform(1.12, 1.6) * em
            letters = "".join(rng.choice(list("aegmnoptxyHRST 1590,"), 60))
            start = across[0] - rng.uniform(0.0, 2.0) * em
            pen.text((start, y), letters, font=neighbour, fill=ink, anchor="ls")


def _captured(paper: Grey, capture: Capture, tilt: float, rng: np.random.Generator) -> Grey:
    """Scanned (and faxed), then prepared as :mod:`idp.read.prepare` does; the size is halved."""
    height, width = paper.shape
    spread = rng.uniform(0.3, 1.3)
    image: Shades = np.asarray(cv2.GaussianBlur(paper, (0, 0), spread), np.float32)
    if tilt:
        image = _turned(image, tilt)
    steps = 0.5 if capture.startswith("standard") else 1.0
    out = (max(2, round(width / _DRAWN)), max(2, round(height / _DRAWN * steps)))
    image = np.asarray(cv2.resize(image, out, interpolation=cv2.INTER_AREA), np.float32)
    if capture == "scan":
        image = _toned(image, rng, strong=False)
        image = image + rng.normal(0, rng.uniform(0, 9), image.shape).astype(np.float32)
        grey = np.clip(image, 0, 255).astype(np.uint8)
        if rng.random() < 0.5:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
            grey = np.asarray(
                cv2.imdecode(cv2.imencode(".jpg", grey, quality)[1], cv2.IMREAD_GRAYSCALE), np.uint8
            )
        if rng.random() < 0.3:  # a coarse scan, enlarged
            scale = rng.uniform(0.5, 0.8)
            small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            grey = np.asarray(cv2.resize(small, out, interpolation=cv2.INTER_LINEAR), np.uint8)
        return _turned(grey, -tilt) if tilt else grey
    image = _toned(image, rng, strong=True)
    if capture == "copy":  # a fax of a fax
        first = _bilevel(image, rng, dithered=rng.random() < 0.4)
        image = np.asarray(cv2.GaussianBlur(first, (0, 0), rng.uniform(0.6, 1.0)), np.float32)
        image = _turned(image, rng.normal(0, 0.3))
    black = _bilevel(image, rng, dithered=capture.endswith("dithered"))
    _spoil(black, rng)
    if steps != 1.0:
        full = (out[0], max(2, round(height / _DRAWN)))
        black = np.asarray(cv2.resize(black, full, interpolation=cv2.INTER_LINEAR), np.uint8)
    blur = _BLUR * rng.uniform(0.85, 1.15)
    grey = np.asarray(cv2.GaussianBlur(black, (0, 0), blur), np.uint8)
    return _turned(grey, -tilt) if tilt else grey


def _turned(image: Pixels, degrees: float) -> Pixels:
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=[255]
    )
    return np.asarray(turned, image.dtype)


def _toned(image: Shades, rng: np.random.Generator, *, strong: bool) -> Shades:
    """Lighter or darker ink and paper, with a slow change across the line."""
    ink = rng.uniform(0, 70 if strong else 110)
    paper = rng.uniform(200, 255)
    toned = ink + image * ((paper - ink) / 255)
    if rng.random() < 0.3:
        toned += np.linspace(0, rng.uniform(-30, 30), image.shape[1], dtype=np.float32)
    return np.asarray(toned, np.float32)


def _bilevel(image: Shades, rng: np.random.Generator, *, dithered: bool) -> Grey:
    noise = rng.uniform(2, 28)
    noisy = image + rng.normal(0, noise, image.shape).astype(np.float32)
    if dithered:
        lifted = np.clip(noisy * rng.uniform(0.95, 1.15), 0, 255).astype(np.uint8)
        return np.asarray(Image.fromarray(lifted).convert("1").convert("L"), np.uint8).copy()
    level = rng.uniform(95, 185)
    return np.where(noisy < level, 0, 255).astype(np.uint8)


def _spoil(black: Grey, rng: np.random.Generator) -> None:
    """Specks, streaks and lost rows, in place."""
    height, width = black.shape
    if rng.random() < 0.6:
        share = rng.choice([0.0005, 0.002, 0.006, 0.015])
        specks = rng.random(black.shape) < share
        black[specks] = 0
        if rng.random() < 0.5:
            black[rng.random(black.shape) < share] = 255
    if rng.random() < 0.06:
        x = int(rng.integers(0, width))
        black[:, x : x + int(rng.integers(1, 3))] = int(rng.choice([0, 255]))
    if rng.random() < 0.08:
        y = int(rng.integers(0, height - 1))
        black[y] = 255 if rng.random() < 0.5 else black[y - 1]


def _cut(
    page: Grey, box: tuple[float, float, float, float], em: float, rng: np.random.Generator
) -> Grey:
    """The region as a text detector would mark it: never exact, always around the words."""
    x0, y0, x1, y1 = (value / _DRAWN for value in box)
    em /= _DRAWN
    height = em * rng.uniform(0.95, 1.7)
    middle = (y0 + y1) / 2 + em * rng.normal(0.02, 0.05)
    top, bottom = middle - height / 2, middle + height / 2
    left, right = x0 - em * rng.uniform(0.0, 0.45), x1 + em * rng.uniform(0.0, 0.45)
    rows = slice(max(0, int(top)), min(page.shape[0], int(bottom) + 1))
    return np.ascontiguousarray(page[rows, max(0, int(left)) : min(page.shape[1], int(right) + 1)])

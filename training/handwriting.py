# SPDX-License-Identifier: Apache-2.0
"""Fits the function that tells handwritten words from printed ones, on words drawn here.

    python -m training.handwriting --pens FOLDER --prints FOLDER --out idp/read/handwriting.json

Both folders hold typefaces (ttf, otf, woff), searched with their subfolders. A third of each is
kept back; what is printed at the end was measured on those. Words are drawn clean and as fine and
standard faxes, dithered or thresholded. The shipped figures were fitted on 25 free pen typefaces
and the print typefaces of a Debian system, 16 pages of each kind.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from idp.read.handwriting import expanded, figures
from idp.read.prepare import ink_threshold, square

KINDS = ("clean", "fine", "std")
_SIZE = (1700, 2200)
_LINES_PER_INCH = {"fine": 196, "std": 98}
_WORDS = [
    "patient",
    "referral",
    "provider",
    "diagnosis",
    "request",
    "medical",
    "number",
    "member",
    "therapy",
    "hospital",
    "treatment",
    "lumbar",
    "pain",
    "radiculopathy",
    "evaluation",
    "insurance",
    "authorization",
    "outpatient",
    "group",
    "policy",
    "address",
    "street",
    "phone",
    "date",
    "birth",
    "name",
    "weekly",
    "daily",
    "chronic",
    "disorder",
    "bilateral",
    "injection",
    "left",
    "right",
    "knee",
    "shoulder",
    "spine",
    "without",
    "contrast",
    "follow",
    "Alice",
    "Springs",
    "Cameron",
]
_SIGNS = ("(512)", "555-0166", "M54.50", "99213", "MD", "No.", "Yes", "TX", "$125.00", "10mg")
_PENALTY = 2.0

Grey = NDArray[np.uint8]
Numbers = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws, fits, measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pens", type=Path, required=True)
    parser.add_argument("--prints", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=8)
    options = parser.parse_args(arguments)
    random = np.random.default_rng(0)
    pens, prints = (_typefaces(folder, random) for folder in (options.pens, options.prints))
    train = _drawn(pens[: len(pens) * 2 // 3], prints[: len(prints) * 2 // 3], options.pages, 0)
    test = _drawn(pens[len(pens) * 2 // 3 :], prints[len(prints) * 2 // 3 :], options.pages, 5)
    rows, hand, _ = train
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    weights = fitted(_scaled(rows, mean, scale), hand)
    for kind in KINDS:
        print(kind, _figures_of(test, kind, mean, scale, weights))  # noqa: T201 - its output
    options.out.write_text(
        json.dumps(
            {
                "mean": mean.round(5).tolist(),
                "scale": scale.round(5).tolist(),
                "weights": weights.round(4).tolist(),
            }
        ),
        encoding="utf-8",
    )


def fitted(rows: Numbers, hand: NDArray[np.bool_]) -> Numbers:
    """Weights of a logistic regression with a ridge penalty, both classes of equal weight."""
    share = float(hand.mean())
    balance = np.where(hand, 0.5 / share, 0.5 / (1 - share))
    weights = np.zeros(rows.shape[1])
    ridge = _PENALTY * np.eye(len(weights))
    ridge[0, 0] = 1e-6
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (balance * (chance - hand)) + ridge @ weights
        bend = (rows * (balance * chance * (1 - chance))[:, None]).T @ rows + ridge
        step = np.linalg.solve(bend, slope)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _scaled(rows: Numbers, mean: Numbers, scale: Numbers) -> Numbers:
    return expanded(np.clip((rows - mean) / scale, -3, 3))


def _figures_of(
    drawn: tuple[Numbers, NDArray[np.bool_], NDArray[np.str_]],
    kind: str,
    mean: Numbers,
    scale: Numbers,
    weights: Numbers,
) -> str:
    rows, hand, kinds = drawn
    odds = _scaled(rows, mean, scale) @ weights
    pens, prints = odds[(kinds == kind) & hand], odds[(kinds == kind) & ~hand]
    return ", ".join(
        f"{(pens > np.quantile(prints, 1 - false)).mean():.3f} of {len(pens)} words found "
        f"at {false:.1%} of {len(prints)} false (odds {np.quantile(prints, 1 - false):.2f})"
        for false in (0.005, 0.02, 0.05)
    )


def _typefaces(folder: Path, random: np.random.Generator) -> list[Path]:
    found = sorted(p for s in ("ttf", "otf", "woff") for p in folder.rglob(f"*.{s}"))
    random.shuffle(found)
    return found


def _drawn(
    pens: Sequence[Path], prints: Sequence[Path], pages: int, seed: int
) -> tuple[Numbers, NDArray[np.bool_], NDArray[np.str_]]:
    rows, hand, kinds = [], [], []
    for number in range(pages):
        for kind in KINDS:
            for by_pen, faces in ((True, pens), (False, prints)):
                page, places = _page(
                    np.random.default_rng([seed, number, by_pen]), faces, by_pen=by_pen
                )
                grey = page if kind == "clean" else _faxed(page, kind, 10 * number + seed)
                mask = np.where(grey < ink_threshold(grey), 255, 0).astype(np.uint8)
                x, y = grey.shape[1] / _SIZE[0], grey.shape[0] / _SIZE[1]
                for text, (x0, y0, x1, y1) in places:
                    top, left = max(0, int(y0 * y) - 1), max(0, int(x0 * x))
                    row = figures(mask[top : int(y1 * y) + 2, left : int(x1 * x) + 1], len(text))
                    if row is not None:
                        rows.append(row)
                        hand.append(by_pen)
                        kinds.append(kind)
    return np.array(rows), np.array(hand), np.array(kinds)


def _page(
    random: np.random.Generator, faces: Sequence[Path], *, by_pen: bool
) -> tuple[Grey, list[tuple[str, tuple[int, int, int, int]]]]:
    page = np.full((_SIZE[1], _SIZE[0]), 255, np.uint8)
    places = []
    y = 80
    while y < _SIZE[1] - 140:
        face = faces[int(random.integers(len(faces)))]
        size = int(random.integers(34, 84)) if by_pen else int(random.integers(18, 40))
        font = ImageFont.truetype(str(face), size)
        x, tallest = int(random.integers(60, 200)), 0
        while x < _SIZE[0] - 200:
            text = _text(random)
            patch = _word(font, text, random, by_pen=by_pen)
            drop = int(random.integers(-5, 6)) if by_pen else 0
            height, width = patch.shape
            if x + width > _SIZE[0] - 10 or y + drop + height > _SIZE[1] - 10:
                break
            room = page[y + drop : y + drop + height, x : x + width]
            np.minimum(room, patch, out=room)
            box = (x + 11, y + drop + 11, x + width - 11, y + drop + height - 11)
            places.append((text, box))
            tallest = max(tallest, height)
            x += width - 20 + int(size * random.uniform(0.25, 0.6))
        y += max(tallest - 18, 20) + int(random.integers(4, 20))
    return page, places


def _text(random: np.random.Generator) -> str:
    kind = int(random.integers(6))
    if kind < 3:
        word = str(random.choice(_WORDS))
        return (word, word, word.upper(), word.capitalize())[int(random.integers(4))]
    if kind == 3:
        return "".join(random.choice(list("0123456789"), random.integers(2, 11)))
    if kind == 4:
        month, day, year = random.integers(1, 13), random.integers(1, 29), random.integers(30, 99)
        return f"{month:02d}/{day:02d}/19{year}"
    return str(random.choice(_SIGNS))


def _word(
    font: ImageFont.FreeTypeFont, text: str, random: np.random.Generator, *, by_pen: bool
) -> Grey:
    x0, y0, x1, y1 = (round(v) for v in font.getbbox(text))
    image = Image.new("L", (x1 - x0 + 30, y1 - y0 + 30), 255)
    faint = by_pen and random.random() > 0.6
    ink = int(random.integers(0, 110)) if faint else 0
    ImageDraw.Draw(image).text((15 - x0, 15 - y0), text, fill=ink, font=font)
    patch = np.asarray(image, np.uint8)
    return _by_hand(patch, random) if by_pen else patch


def _by_hand(patch: Grey, random: np.random.Generator) -> Grey:
    """No word like the other: size, slant, angle and a slow wobble of the pen."""
    wide, tall = random.uniform(0.85, 1.15), random.uniform(0.85, 1.15)
    patch = np.asarray(cv2.resize(patch, None, fx=wide, fy=tall, interpolation=cv2.INTER_AREA))
    if random.random() < 0.25:
        patch = np.asarray(cv2.erode(patch, np.ones((2, 2), np.uint8)))
    height, width = patch.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.normal(0, 2), 1.0)
    turn[0, 1] += random.normal(0, 0.12)
    patch = np.asarray(cv2.warpAffine(patch, turn, (width, height), borderValue=[255]))
    across, down = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    reach = random.uniform(0.2, 1.6)
    shifts = []
    for _ in range(2):
        noise = random.normal(0, 1, (height, width)).astype(np.float32)
        smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), 14))
        shifts.append(smooth * (reach / (float(smooth.std()) + 1e-6)))
    bent = cv2.remap(
        patch, across + shifts[0], down + shifts[1], cv2.INTER_LINEAR, borderValue=[255]
    )
    return np.asarray(bent, np.uint8)


def _faxed(page: Grey, kind: str, seed: int) -> Grey:
    """A 1-bit fax of the page, laid askew and straightened, as the reader sees it."""
    random = np.random.default_rng(seed)
    lines = _LINES_PER_INCH[kind]
    angle = float(random.uniform(-0.8, 0.8))
    askew = _turned(page, angle)
    size = (round(page.shape[1] * 1.02), round(page.shape[0] * lines / 200))
    grey = cv2.resize(askew, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = np.clip(grey + random.normal(4, 8, grey.shape), 0, 255).astype(np.uint8)
    if random.random() < 0.5:
        black = np.asarray(Image.fromarray(grey).convert("1")).astype(np.uint8) * 255
    else:
        black = np.where(grey > random.integers(120, 190), 255, 0).astype(np.uint8)
    specks = random.random(black.shape)
    black[specks < 0.0005] = 0
    black[specks > 0.9993] = 255
    return _turned(square(black, 204, lines, bilevel=True, blur=0.9).image, -angle)


def _turned(page: Grey, degrees: float) -> Grey:
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(page, matrix, (width, height), borderValue=[255]), np.uint8)


if __name__ == "__main__":
    main()

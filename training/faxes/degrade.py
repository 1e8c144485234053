# SPDX-License-Identifier: Apache-2.0
"""Printing, scanning and faxing: from a drawn page to the raster that arrives.

The order is that of the machines: the page is copied lighter or darker, laid askew into the feeder,
sampled, made one bit by a threshold or by error diffusion, and loses and gains dots on the line.
The truth's boxes move along.
"""

from __future__ import annotations

import io
import math
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image

from idp.document import Box
from training.faxes.fonts import Face
from training.faxes.paper import Paper
from training.faxes.truth import Affine, Truth
from training.synthesise import values as v

Pixels = NDArray[np.uint8]
Turn = Literal[0, 90, 180, 270]

_OVERSAMPLED = 2
_FAX_WIDTHS = (1728, 2048, 2432)
"""Dots per line of A4, B4 and A3 machines (ITU-T T.4); a page laid sideways needs the widest."""
_HEADER_INCHES = 0.2


@dataclass(frozen=True)
class Variant:
    """One way to arrive. Ranges are drawn from evenly, counts are per page."""

    dpi: tuple[int, int]
    """Across and down."""
    one_bit: Literal["", "dither", "threshold"] = ""
    density: tuple[float, float] = (1.0, 1.0)
    """Of the copied ink: below 1 the copy is light."""
    threshold: tuple[int, int] = (120, 150)
    """Grey level under which a dot is black: high is a dark copy."""
    paper: tuple[int, int] = (255, 255)
    blur: tuple[float, float] = (0.0, 0.0)
    """Of the optics, in dots of the raster."""
    grain: float = 0.0
    """Standard deviation of the sensor's noise, grey levels."""
    white_point: float = 2.5
    """How far below its own grey the paper counts as white, in standard deviations of the noise."""
    skew: tuple[float, float] = (0.0, 0.0)
    """Degrees, either way."""
    specks: int = 0
    lost_lines: int = 0
    streaks: int = 0
    header: bool = False
    jpeg: tuple[int, int] | None = None


_LINE = {"skew": (0.3, 1.5), "grain": 5.0, "specks": 150, "lost_lines": 3, "streaks": 1}


def _fax(down: int, one_bit: Literal["dither", "threshold"], **other: object) -> Variant:
    options: dict[str, object] = {**_LINE, "blur": (0.3, 0.6), "header": True, **other}
    return Variant(dpi=(204, down), one_bit=one_bit, **options)  # type: ignore[arg-type]


_PEPPERED: dict[str, object] = {
    "density": (0.68, 0.85), "paper": (236, 247), "white_point": 0.0, "specks": 600,
}  # fmt: skip
_RAGGED: dict[str, object] = {
    "density": (0.75, 0.9), "threshold": (118, 138), "grain": 14.0, "specks": 400,
}  # fmt: skip

VARIANTS: dict[str, Variant] = {
    "clean": Variant(dpi=(200, 200)),
    "scan_150": Variant((150, 150), skew=(0.2, 1.0), grain=4, blur=(0.3, 0.6), jpeg=(60, 85)),
    "scan_200": Variant((200, 200), skew=(0.2, 1.0), grain=4, blur=(0.3, 0.7), jpeg=(55, 85)),
    "scan_300": Variant((300, 300), skew=(0.2, 1.0), grain=4, blur=(0.4, 0.9), jpeg=(50, 85)),
    "fine_dither": _fax(196, "dither"),
    "fine_threshold": _fax(196, "threshold"),
    "fine_light": _fax(196, "threshold", density=(0.62, 0.75), threshold=(105, 130)),
    "fine_dark": _fax(196, "threshold", threshold=(185, 215), blur=(0.5, 0.8), paper=(246, 253)),
    "standard_dither": _fax(98, "dither"),
    "standard_threshold": _fax(98, "threshold"),
    "superfine_dither": _fax(391, "dither"),
    "superfine_threshold": _fax(391, "threshold"),
    "fine_dither_poor": _fax(196, "dither", **_PEPPERED),
    "fine_threshold_poor": _fax(196, "threshold", **_RAGGED),
    "noisy": _fax(
        196, "threshold", skew=(0.3, 2.0), grain=14.0, specks=2500, lost_lines=8, streaks=2,
        density=(0.75, 1.0), threshold=(110, 170),
    ),
}  # fmt: skip
"""``clean`` and ``*_dither`` / ``*_threshold`` are what the targets of the benchmark speak of."""


@dataclass(frozen=True)
class Drawn:
    """A born-digital page: a PDF of one page, and what stands on it."""

    kind: str
    seed: int
    pdf: bytes
    truth: Truth
    size_pt: tuple[float, float]

    def render(self, dpi: float) -> Pixels:
        """The page in grey, 0 is ink."""
        document = pdfium.PdfDocument(self.pdf)
        try:
            picture = document[0].render(scale=dpi / 72, grayscale=True).to_numpy()
        finally:
            document.close()
        return np.ascontiguousarray(picture.reshape(picture.shape[:2]), np.uint8)


@dataclass(frozen=True)
class Degraded:
    """A page as it arrives.

    Attributes:
        image: The raster, mode ``1`` or ``L``.
        dpi: Across and down; a standard fax has non-square pixels.
        turn: Degrees by which the page lies turned clockwise: what reading must turn it back by.
        skew_degrees: How much its lines fall to the right, clockwise positive, before the turn.
        placed: The truth in the raster as it is, turned and askew.
        upright: The truth on the raster once it is turned back and straightened about its middle.
    """

    image: Image.Image
    dpi: tuple[int, int]
    turn: Turn
    skew_degrees: float
    placed: Truth
    upright: Truth
    to_upright: Affine
    """From places in the raster to places on the straightened page."""
    drawn_to_upright: Affine
    """From places on the drawn page to places on the straightened page."""
    jpeg_quality: int | None = None

    @property
    def one_bit(self) -> bool:
        return self.image.mode == "1"

    @property
    def pixels(self) -> Pixels:
        """The raster in grey, 0 is ink."""
        return np.asarray(self.image.convert("L"), np.uint8)

    def save(self, folder: Path, stem: str) -> Path:
        """Writes the file in which such a page arrives: G3 TIFF, JPEG or PNG; returns its path."""
        if self.one_bit:
            path = folder / f"{stem}.tif"
            self.image.save(path, "TIFF", compression="group3", dpi=self.dpi)
        elif self.jpeg_quality is not None:
            path = folder / f"{stem}.jpg"
            self.image.save(path, "JPEG", quality=self.jpeg_quality, dpi=self.dpi)
        else:
            path = folder / f"{stem}.png"
            self.image.save(path, "PNG", compress_level=1, dpi=self.dpi)
        return path


def degrade(drawn: Drawn, how: str | Variant, seed: int, *, turn: Turn = 0) -> Degraded:
    """The page as it arrives; the same arguments give the same dots.

    Args:
        drawn: The page.
        how: A name of :data:`VARIANTS`, or a variant of one's own.
        seed: Where the flaws fall.
        turn: Degrees by which it was laid wrongly into the machine, clockwise.

    Raises:
        KeyError: no such variant.
    """
    variant = VARIANTS[how] if isinstance(how, str) else how
    rng = random.Random(f"{drawn.kind}/{drawn.seed}/{how}/{seed}/{turn}")  # noqa: S311
    noise = np.random.default_rng(rng.randrange(2**32))
    across, down = variant.dpi
    fine = drawn.render(across * _OVERSAMPLED)
    fine = np.ascontiguousarray(np.rot90(fine, -(turn // 90)))
    to_raster = _turning(turn)
    if variant.one_bit:
        fine, fitted = _onto_line(fine)
        to_raster = fitted @ to_raster
    degrees = rng.uniform(*variant.skew) * rng.choice((-1, 1))
    height, width = fine.shape
    askew = _rotation(degrees, width, height)
    fine = _copied(fine, variant, degrees, rng)
    size = (width // _OVERSAMPLED, round(height / _OVERSAMPLED * down / across))
    grey = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.uint8)
    grey = _sensed(grey, variant, noise)
    placed = drawn.truth.moved(askew @ to_raster)
    straight = _turning((360 - turn) % 360)
    drawn_to_upright = np.asarray(straight @ to_raster)
    upright = drawn.truth.moved(drawn_to_upright)
    to_upright = np.asarray(straight @ np.linalg.inv(askew))
    quality = rng.randint(*variant.jpeg) if variant.jpeg else None
    if not variant.one_bit:
        image = Image.fromarray(_streaked(grey, variant, rng))
        if quality is not None:
            image = _through_jpeg(image, quality)
        return Degraded(
            image,
            variant.dpi,
            turn,
            degrees,
            placed,
            upright,
            to_upright,
            drawn_to_upright,
            quality,
        )
    dots = _one_bit(grey, variant, rng)
    dots = _on_the_line(dots, variant, rng, noise)
    if variant.header:
        dots, header = _with_header(dots, variant.dpi, rng)
        placed = _joined(placed, header)
        if turn == 0:
            # Printed straight, by the machine: it lies askew once the page is straightened.
            upright = _joined(upright, header.moved(to_upright))
    image = Image.fromarray(dots)
    return Degraded(
        image, variant.dpi, turn, degrees, placed, upright, to_upright, drawn_to_upright
    )


def _turning(turn: int) -> Affine:
    """Page-relative places on a page turned clockwise."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[(turn // 90) % 4]
    middle = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]], np.float64)
    turned = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], np.float64)
    return np.asarray(middle @ turned @ np.linalg.inv(middle))


def _rotation(degrees: float, width: int, height: int) -> Affine:
    """Page-relative places on a page of that many pixels turned a little, clockwise positive."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    scale = np.diag([width, height, 1.0])
    middle = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1]], np.float64)
    turned = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], np.float64)
    whole = np.linalg.inv(scale) @ middle @ turned @ np.linalg.inv(middle) @ scale
    return np.asarray(whole)


def _onto_line(fine: Pixels) -> tuple[Pixels, Affine]:
    """The page in the middle of a fax line of the width it needs."""
    height, width = fine.shape
    slack = 0.02 * width  # letter paper is six dots wider than the line of an A4 machine
    line = next((w for w in _FAX_WIDTHS if w * _OVERSAMPLED >= width - slack), _FAX_WIDTHS[-1])
    line *= _OVERSAMPLED
    offset = (line - width) // 2
    page = np.full((height, line), 255, np.uint8)
    source = fine[:, max(0, -offset) : max(0, -offset) + line]
    page[:, max(0, offset) : max(0, offset) + source.shape[1]] = source
    matrix = np.array([[width / line, 0, offset / line], [0, 1, 0], [0, 0, 1]], np.float64)
    return page, matrix


def _copied(fine: Pixels, variant: Variant, degrees: float, rng: random.Random) -> Pixels:
    """Copied lighter, and laid askew."""
    density, paper = rng.uniform(*variant.density), rng.uniform(*variant.paper)
    if density < 1 or paper < 255:
        levels = paper - (255 - np.arange(256)) / 255 * (paper * density)
        fine = np.asarray(cv2.LUT(fine, np.clip(levels, 0, 255).astype(np.uint8)), np.uint8)
    if degrees:
        height, width = fine.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
        fine = np.asarray(
            cv2.warpAffine(
                fine, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=[255]
            ),
            np.uint8,
        )
    sigma = rng.uniform(*variant.blur) * _OVERSAMPLED
    if sigma:
        fine = np.asarray(cv2.GaussianBlur(fine, (0, 0), sigma), np.uint8)
    return fine


def _sensed(grey: Pixels, variant: Variant, noise: np.random.Generator) -> Pixels:
    if not variant.grain:
        return grey
    # The white point lies below the paper's own grey, or all paper would come out peppered: which
    # it does on machines that do not care.
    grain = noise.normal(variant.white_point * variant.grain, variant.grain, grey.shape).astype(
        np.float32
    )
    return np.clip(grey + grain, 0, 255).astype(np.uint8)


def _streaked(image: Pixels, variant: Variant, rng: random.Random) -> Pixels:
    """Dark lines down the page from dirt on the glass."""
    height, width = image.shape
    for _ in range(rng.randint(0, 2 * variant.streaks) if variant.streaks else 0):
        x = rng.randrange(width // 20, width - width // 20)
        top = 0 if rng.random() < 0.6 else rng.randrange(height // 2)
        image[
            top : height if rng.random() < 0.6 else height - top // 2, x : x + rng.choice((1, 1, 2))
        ] = 0
    return image


def _one_bit(grey: Pixels, variant: Variant, rng: random.Random) -> NDArray[np.bool_]:
    """White dots; error diffusion is Pillow's Floyd-Steinberg."""
    if variant.one_bit == "dither":
        return np.array(Image.fromarray(grey).convert("1"))
    return np.asarray(grey > rng.randint(*variant.threshold))


def _on_the_line(
    dots: NDArray[np.bool_], variant: Variant, rng: random.Random, noise: np.random.Generator
) -> NDArray[np.bool_]:
    """Streaks, specks, and scan lines that were lost: repeated, or white."""
    height, width = dots.shape
    dots = _streaked(dots.astype(np.uint8), variant, rng).astype(bool)
    count = noise.poisson(variant.specks)
    xs, ys = noise.integers(0, width - 1, count), noise.integers(0, height - 1, count)
    white = noise.random(count) < 0.25
    dots[ys, xs] = white
    wide = noise.random(count) < 0.3
    dots[ys[wide], xs[wide] + 1] = white[wide]
    for _ in range(rng.randint(0, 2 * variant.lost_lines)):
        y = rng.randrange(height // 20, height - 1)
        dots[y] = dots[y - 1] if rng.random() < 0.5 else True
    return dots


def _through_jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    stream.seek(0)
    return Image.open(stream).convert("L")


def _with_header(
    dots: NDArray[np.bool_], dpi: tuple[int, int], rng: random.Random
) -> tuple[NDArray[np.bool_], Truth]:
    """The line that the sending machine prints across the top."""
    height, width = dots.shape
    across, down = dpi
    size_pt = (width / across * 72, _HEADER_INCHES * 72)
    face = Face("Courier", "Courier", "Courier-Bold")
    day = f"{rng.randint(1, 12):02d}/{rng.randint(1, 28):02d}/{rng.randint(2024, 2026)}"
    sender = v.practice(rng, "train").upper()[:28].strip()
    texts = (
        f"{day} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}",
        f"{sender} ({rng.randint(201, 989)}){rng.randint(200, 999)}-{rng.randint(0, 9999):04d}",
        f"P.{rng.randint(1, 9):03d}/{rng.randint(9, 30):03d}",
    )
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        paper = Paper(Path(file.name), rng, size_pt, face, face)
        for x, text in zip((18.0, 170.0, size_pt[0] - 90.0), texts, strict=True):
            paper.text(x, 10.5, text, 8.5, face.bold)
        paper.save()
        strip = Drawn("header", 0, Path(file.name).read_bytes(), paper.truth, size_pt).render(
            across
        )
    rows = round(_HEADER_INCHES * down)
    strip = np.asarray(cv2.resize(strip, (width, rows), interpolation=cv2.INTER_AREA), np.uint8)
    dots[:rows] = strip > 140
    share = rows / height

    def lowered(box: Box) -> Box:
        return Box(box.x0, box.y0 * share, box.x1, box.y1 * share)

    truth = Truth(
        words=tuple(w._replace(box=lowered(w.box), part="header") for w in paper.truth.words),
        segments=tuple(s._replace(box=lowered(s.box)) for s in paper.truth.segments),
    )
    return dots, truth


def _joined(page: Truth, header: Truth) -> Truth:
    """The page's truth with the header's words behind its own."""
    base = len(page.segments)
    return Truth(
        words=(*page.words, *(w._replace(segment=w.segment + base) for w in header.words)),
        segments=(*page.segments, *header.segments),
        marks=page.marks,
        fields=page.fields,
        signatures=page.signatures,
    )

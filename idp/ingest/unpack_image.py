# SPDX-License-Identifier: Apache-2.0
"""TIFF, PNG and JPEG to page images, by Pillow, one page at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, TiffImagePlugin

from idp.document import RawPage
from idp.errors import DamagedFileError, TooLargeError
from idp.ingest.opened import Opened
from idp.ingest.tiff_lines import Lines, broken_lines
from idp.ingest.unpack_tiff import check_pieces, walk
from idp.settings import IngestSettings

_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _ORIENTATION = 282, 283, 296, 274
_CENTIMETRE = 3
_SIDEWAYS = (5, 6, 7, 8)  # TIFF/EXIF orientations that swap width and height

_DPI = (50.0, 2500.0)
_SIDE_INCHES = (0.5, 24.0)
_LETTER_INCHES = (8.5, 11.0)
_MOST_LINES = 100_000
"""No paper is that long: 13 m at the finest line density of T.4."""
_MOST_LOST_LINES = 0.1
"""Share of a fax page's lines that may be damaged; one with more is asked for again."""
# Line lengths of ITU-T T.4 and what they mean in dots per inch (8 and 16 per millimetre).
_FAX_WIDTHS = {1728: 204.0, 2048: 204.0, 2432: 204.0, 3456: 408.0, 4096: 408.0, 4864: 408.0}


def open_tiff(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """Every page of a TIFF as a PBM (1-bit) or PNG (grey) in ``workspace``.

    Raises:
        DamagedFileError: broken or cut off.
        TooLargeError: more pages or pixels than the limits allow, told from the headers.
        UnsupportedFileError: T.4 or T.6 in uncompressed mode.
    """
    with _decoding(path):
        return _unpack_tiff(path, workspace, limits)


def open_picture(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """A PNG or JPEG as one page; raises as :func:`open_tiff` does."""
    with _decoding(path), Image.open(path, formats=("PNG", "JPEG")) as image:
        _check_pixels(image.width, image.height, 1, limits)
        image.load()
        upright = ImageOps.exif_transpose(image)
        sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
        dpi = image.info.get("dpi", (0, 0))
        dpi_x, dpi_y = (dpi[1], dpi[0]) if sideways else (dpi[0], dpi[1])
        return Opened(pages=(_write(upright, 1, (float(dpi_x), float(dpi_y)), workspace),))


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """What Pillow's readers raise on bytes that make no sense, as one coded error."""
    Image.MAX_IMAGE_PIXELS = None  # our own limit holds, and is told from the headers
    warnings.simplefilter("ignore")  # odd tags are no news; what matters is checked
    try:
        yield
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError) as error:
        raise DamagedFileError(f"{path.name} can't be decoded: {type(error).__name__}") from error


def _unpack_tiff(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    directories = walk(path, limits.max_pages)
    for number, directory in enumerate(directories, 1):
        _check_pixels(directory.width, directory.height, number, limits)
    lines = broken_lines(path, {d.frame: d.height for d in directories if d.is_fax})
    pages, flaws = [], []
    with Image.open(path, formats=("TIFF",)) as image:
        for number, directory in enumerate(directories, 1):
            check_pieces(path, directory)
            image.seek(directory.frame)
            if (image.width, image.height) != (directory.width, directory.height) and (
                image.height,
                image.width,
            ) != (directory.width, directory.height):
                raise DamagedFileError(f"page {number}: two sizes are given")
            assert isinstance(image, TiffImagePlugin.TiffImageFile)
            tags = image.tag_v2
            dpi_x, dpi_y = _number(tags.get(_X_RESOLUTION)), _number(tags.get(_Y_RESOLUTION))
            if tags.get(_RESOLUTION_UNIT) == _CENTIMETRE:
                dpi_x, dpi_y = dpi_x * 2.54, dpi_y * 2.54
            turned = tags.get(_ORIENTATION, 1)
            image.load()  # Pillow turns the pixels as the orientation tag says
            dpi = (dpi_y, dpi_x) if turned in _SIDEWAYS else (dpi_x, dpi_y)
            shown: Image.Image = image
            if directory.frame in lines:
                flaws += _judged(lines[directory.frame], number)
                shown = _without_missing(image, lines[directory.frame], upright=turned == 1)
            pages.append(_write(shown, number, dpi, workspace))
    return Opened(pages=tuple(pages), flaws=tuple(flaws))


def _judged(lines: Lines, number: int) -> list[str]:
    """What is wrong with a fax page in words; raises where too little of it is left."""
    lost = lines.broken + lines.missing
    if lost > _MOST_LOST_LINES * lines.expected:
        raise DamagedFileError(
            f"page {number}: {lost} of {lines.expected} fax lines are broken or missing"
        )
    return [f"page {number}: {lost} of {lines.expected} fax lines are damaged"] if lost else []


def _without_missing(image: Image.Image, lines: Lines, *, upright: bool) -> Image.Image:
    """The page with white paper for lines that never came: libtiff leaves there what was before."""
    if not lines.missing or not upright or image.mode != "1":
        return image
    whole = image.copy()
    whole.paste(1, (0, lines.expected - lines.missing, image.width, image.height))
    return whole


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def _check_pixels(width: int, height: int, number: int, limits: IngestSettings) -> None:
    if width < 1 or height < 1:
        raise DamagedFileError(f"page {number} has no pixels")
    if height > _MOST_LINES:
        raise TooLargeError(f"page {number} has {height} lines, more than {_MOST_LINES}")
    if width * height > limits.max_pixels:
        raise TooLargeError(
            f"page {number} has {width} x {height} pixels, "
            f"more than ingest.max_pixels {limits.max_pixels}"
        )


def _write(image: Image.Image, number: int, dpi: tuple[float, float], workspace: Path) -> RawPage:
    bilevel = image.mode == "1"
    flat = image if bilevel else _grey(image)
    dpi_x, dpi_y = believable_dpi(image.width, image.height, *dpi)
    target = workspace / f"raw-{number:04d}.{'pbm' if bilevel else 'png'}"
    if bilevel:
        flat.save(target, format="PPM")
    else:
        flat.save(target, format="PNG", compress_level=1)
    return RawPage(number=number, path=str(target), dpi_x=dpi_x, dpi_y=dpi_y, bilevel=bilevel)


def _grey(image: Image.Image) -> Image.Image:
    """The image in shades of grey; what is transparent shows white paper."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        low, high = image.convert("F").getextrema()
        assert isinstance(low, float)
        assert isinstance(high, float)
        scale = 255.0 / 65535.0 if high > 255 else 1.0
        return image.convert("F").point(lambda value: value * scale).convert("L")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        paper.alpha_composite(layered)
        return paper.convert("L")
    return image.convert("L")


def believable_dpi(width: int, height: int, dpi_x: float, dpi_y: float) -> tuple[float, float]:
    """The resolution, guessed where none is given or where it makes no sense.

    A side of less than half an inch or more than two feet makes no sense. The guess: a fax by its
    line length, else a letter page.
    """

    def sound(pixels: int, dpi: float) -> bool:
        return _DPI[0] <= dpi <= _DPI[1] and _SIDE_INCHES[0] <= pixels / dpi <= _SIDE_INCHES[1]

    sound_x, sound_y = sound(width, dpi_x), sound(height, dpi_y)
    if sound_x and sound_y:
        return dpi_x, dpi_y
    if sound_x and not dpi_y:
        return dpi_x, dpi_x
    if width in _FAX_WIDTHS:
        fine = _FAX_WIDTHS[width]
        # Of the T.4 line densities, the one that makes the page nearest to a letter page.
        return fine, min(
            (98.0, 196.0, 391.0), key=lambda dpi: abs(height / dpi - _LETTER_INCHES[1])
        )
    short, long = sorted((width, height))
    guess = max(short / _LETTER_INCHES[0], long / _LETTER_INCHES[1])
    return max(guess, 1.0), max(guess, 1.0)

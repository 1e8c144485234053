# SPDX-License-Identifier: Apache-2.0
"""Which of the characters that a text layer claims are drawn, and by what pictures.

PDFium draws every occurrence of a glyph of one font and size with the same pixels, at whole pixels.
So the characters of a page come down to a few hundred pictures, equal to the last bit, and what
is true of a picture (:mod:`idp.read.spelling` finds out what it says) is true of each place where
those very pixels stand. Characters that are hidden, covered, white on white, shifted or made up
show other pixels, or none.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from idp.document import Glyphs
from idp.read.pixels import Gray

_LARGEST = 120  # pixels; larger letters are left to the recogniser
_FAINTEST = 40  # grey levels between a character and its paper
_TOLERANCE = 24  # grey levels; drawing is exact, but rounds where colours are blended
_TRIED = 6
_SHIFTS = (0, -1, 1)  # PDFium moves a glyph by a pixel to keep the gaps of a line even
_NARROW = 5

Places = NDArray[np.float64]


class Picture(NamedTuple):
    """How one character is drawn: its pixels, cut along its box with a row more above and below.

    ``above`` is the number of rows from the top to the base line; ``rise`` and ``fall`` are how far
    its ink goes above and below that line; ``size`` is the rise of the tallest letter of the word
    where it was first seen, which tells the size of print. All in pixels.
    """

    text: str
    pixels: Gray
    above: int
    rise: int
    fall: int
    size: float


class Claims(NamedTuple):
    """The characters that have a place on the page, in the file's order, in pixels.

    ``boxes`` is n x 4 (x0, y0, x1, y1), ``origins`` n x 2, ``first`` says whether a word starts
    there, ``shown`` is the number of the picture that is seen in that place, or -1.
    """

    text: str
    boxes: Places
    origins: Places
    first: NDArray[np.bool_]
    shown: NDArray[np.int64]


def find_pictures(page: Gray, glyphs: Glyphs) -> tuple[Claims, list[Picture]]:
    """What is seen where the layer claims characters."""
    claimed = _claimed(glyphs, *page.shape)
    text, boxes, origins, first = claimed
    corners = np.floor(origins + 0.5).astype(np.int64)
    # Boxes are those of the outline, the drawn glyph hangs on its rounded origin.
    above_below = np.array([0, 1])
    low = np.floor(boxes[:, :2] - origins + 0.02).astype(np.int64) - above_below
    high = np.ceil(boxes[:, 2:] - origins - 0.02).astype(np.int64) + above_below
    start, size = corners + low, high - low
    inside = (
        (start >= 1).all(axis=1)
        & (start[:, 0] + size[:, 0] < page.shape[1] - 1)
        & (start[:, 1] + size[:, 1] < page.shape[0] - 1)
        & (size <= _LARGEST).all(axis=1)
        & (size >= 1).all(axis=1)
    )
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    keys = np.column_stack([np.array([ord(c) for c in text], np.int64), low, size])
    for i, key in zip(np.flatnonzero(inside).tolist(), keys[inside].tolist(), strict=True):
        groups[tuple(key)].append(i)
    shown = np.full(len(text), -1, np.int64)
    pictures: list[Picture] = []
    for key, members in groups.items():
        width, height = key[3], key[4]
        places = [(int(start[i, 0]), int(start[i, 1])) for i in members]
        for pixels, who in _distinct(page, places, width, height):
            drawn = [members[k] for k in who]
            ink = _inked_rows(pixels)
            if ink is None:
                continue
            shown[drawn] = len(pictures)
            above = -key[2]
            pictures.append(
                Picture(chr(key[0]), pixels, above, above - ink[0], ink[1] - above, 0.0)
            )
    claims = Claims(text, boxes, origins, first, shown)
    return claims, _sized(claims, pictures)


def _claimed(
    glyphs: Glyphs, height: int, width: int
) -> tuple[str, Places, Places, NDArray[np.bool_]]:
    """The printed characters with a place, and which of them the file parts from those before."""
    places = np.frombuffer(glyphs.places, "<f4").reshape(-1, 6).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        places *= (width, height, width, height, width, height)
    blank = np.array([character == " " for character in glyphs.text], np.bool_)
    placed = (
        ~blank
        & (np.abs(places) < 1e6).all(axis=1)  # no number is not below it
        & (places[:, 2] - places[:, 0] > 0.5)
        & (places[:, 3] - places[:, 1] > 0.5)
    )
    kept = np.flatnonzero(placed)
    blanks = np.cumsum(blank)[kept]
    first = np.ones(len(kept), np.bool_)
    first[1:] = blanks[1:] != blanks[:-1]
    text = "".join(glyphs.text[i] for i in kept.tolist())
    return text, places[kept, :4], places[kept, 4:], first


def _inked_rows(pixels: Gray) -> tuple[int, int] | None:
    """The first row with ink and the first one below it; ``None`` where nothing is to be seen."""
    low, high = int(pixels.min()), int(pixels.max())
    if high - low < _FAINTEST:
        return None
    # Paper is what the rim shows, whichever of the two is darker.
    dark = int(pixels[0, 0]) * 2 > low + high
    middle = (low + high) // 2
    rows = np.flatnonzero((pixels < middle if dark else pixels > middle).any(axis=1))
    return int(rows[0]), int(rows[-1]) + 1


def _sized(claims: Claims, pictures: list[Picture]) -> list[Picture]:
    """The pictures with the size of the print that they were first seen in."""
    if not pictures:
        return pictures
    rises = np.array([picture.rise for picture in pictures] + [0], np.int64)
    starts = np.flatnonzero(claims.first)
    tallest = np.maximum.reduceat(rises[claims.shown], starts)[np.cumsum(claims.first) - 1]
    numbers, first = np.unique(claims.shown, return_index=True)
    sizes = dict(zip(numbers.tolist(), tallest[first].tolist(), strict=True))
    return [p._replace(size=max(1.0, float(sizes[i]))) for i, p in enumerate(pictures)]


def _distinct(
    page: Gray, places: list[tuple[int, int]], width: int, height: int
) -> list[tuple[Gray, list[int]]]:
    """The different pictures seen in these places, and the indexes of the places that show each."""
    seen: dict[bytes, list[int]] = defaultdict(list)
    for i, (x, y) in enumerate(places):
        seen[page[y : y + height, x : x + width].tobytes()].append(i)
    found: list[tuple[Gray, Gray, list[int]]] = []
    # The commonest picture first: the rarer ones are the same with a neighbour's ink at the edge.
    for who in sorted(seen.values(), key=len, reverse=True):
        x, y = places[who[0]]
        same = _known(page, (x, y), (width, height), found)
        if same is None:
            pixels = page[y : y + height, x : x + width]
            found.append((pixels, _core(pixels), list(who)))
        else:
            same.extend(who)
    return [(pixels, who) for pixels, _, who in found]


def _core(pixels: Gray) -> Gray:
    """A picture without its outermost columns, where neighbours may touch it."""
    return pixels if pixels.shape[1] < _NARROW else pixels[:, 1:-1]


def _known(
    page: Gray,
    place: tuple[int, int],
    size: tuple[int, int],
    found: list[tuple[Gray, Gray, list[int]]],
) -> list[int] | None:
    """The places that show the same picture as this one, give or take a pixel sideways."""
    (x, y), (width, height) = place, size
    for shift in _SHIFTS if found else ():
        here = page[y : y + height, x + shift : x + shift + width].astype(np.int16)
        core = here if width < _NARROW else here[:, 1:-1]
        for pixels, known, who in found[:_TRIED]:
            if np.abs(core - known).max() >= _TOLERANCE:
                continue
            if width < _NARROW or not _lacks(here, pixels):
                return who
    return None


def _lacks(here: NDArray[np.int16], pixels: Gray) -> bool:
    """Whether an outermost column is nearer to the paper than in the known picture.

    Ink of a neighbour may be added there, its own must not be missing: an "o" is no "c".
    """
    paper = int(pixels[0, 0]) if pixels[0, 0] == pixels[0, -1] else int(pixels[0].max())
    for column in (0, -1):
        ours = np.abs(here[:, column] - paper)
        theirs = np.abs(pixels[:, column].astype(np.int16) - paper)
        if (theirs - ours).max() >= 3 * _TOLERANCE:
            return True
    return False

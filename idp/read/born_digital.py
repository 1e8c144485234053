# SPDX-License-Identifier: Apache-2.0
"""The quick way for a born-digital page: its text layer, believed where the pixels prove it.

Instead of looking for lines and reading them all, the way runs backwards. Each character that the
layer claims must be drawn where it is claimed (:mod:`idp.read.glyphs`) by a picture that was read
as that character (:mod:`idp.read.spelling`). Words of proven characters are taken as they are. What
ink is left once they are wiped out (stamps, drawn values, logos, words of which one character was
not proven) is read as on any other page. Where too much is left the layer is of no use, and the
whole page is read from its pixels.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from idp.document import Glyphs
from idp.read.glyphs import Claims, Picture, find_pictures
from idp.read.ocr import Letter, Line, Ocr, Region
from idp.read.pixels import Gray, Mask, components, opened
from idp.read.spelling import Proofs
from idp.read.text_layer import CONTRADICTED, compared, is_literal
from idp.read.tiers import read_lines

_FEWEST = 15  # characters; below that there is nothing to gain
_MOST_PICTURES = 0.6  # per character: a scan under its own OCR shows another picture everywhere
_MOST_PICTURES_FREE = 120
_PROVEN_AT_LEAST = 0.6
_MOST_REGIONS = 150
_MOST_LEFT = 0.3  # of the page
_SURE = 0.995
"""Confidence of a letter that was proven."""

_JUNK = 0.6  # mean score below which what is read from left-over ink is no print

# Of a line's height above its base line.
_WORD_GAP = 0.55
_BLANK = 0.06
_LINE_GAP = 0.75
_MARGIN, _LEFT, _RIGHT = 0.28, 0.25, 0.12
_X_HEIGHT = 0.72
_TALL_LETTERS = frozenset("bdfhijklt0123456789/\\?!&$%@#*'\"\u2019\u201c\u201d")
_APOSTROPHES = frozenset("'\u2019")
_LEADERS = frozenset("_.\u2026")
_WORD = re.compile(r"[^\w]*(?:[A-Z]['\u2019])?[A-Za-z][a-z]+(?:['\u2019-][A-Za-z]?[a-z]+)?[^\w]*")
_BRACKETS = frozenset("()[]{}|")

# Inches.
_RULE = 0.25
_WIDEST_MARGIN = 0.025
_SPECK = 0.02
_SOLID = 0.1
_JOIN = (0.12, 0.03)
_LOWEST_PRINT = 0.035
_THIN = 0.025
_TALL_STROKE = 0.15
_BOX = (0.05, 0.32)
_ONE_LINE = 0.17
_SMALLEST = 0.02  # letters of less than two points are a grey line to people
_PAD = 0.04

_DARKER = 45  # grey levels than the paper around
_SHRINK = 2


Rectangle = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels."""


Span = tuple[float, float, float, float]
"""The same, between pixels."""


class Words(NamedTuple):
    """Runs of characters: where each starts and ends (exclusive) among the claims."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Print(NamedTuple):
    """What a text layer claims, how its characters are drawn, and which of them make words."""

    claims: Claims
    pictures: Sequence[Picture]
    words: Words
    dpi: float


class Layer(NamedTuple):
    """The lines of a page and the share of their letters that the text layer spelled."""

    lines: list[Line]
    share: float


def read_born_digital(
    page: Gray, glyphs: Glyphs, dpi: float, ocr: Ocr, proofs: Proofs, *, second_look_below: float
) -> Layer | None:
    """The lines of a page; ``None`` where the layer is of no use.

    Args:
        page: As drawn, at the resolution it was drawn at.
        glyphs: What its text layer claims.
        dpi: Of the page.
        ocr: Reads pictures of characters and left-over ink.
        proofs: What is known of earlier pages; grows.
        second_look_below: See :func:`idp.read.tiers.read_lines`.
    """
    claims, pictures = find_pictures(page, glyphs)
    seen = int(np.count_nonzero(claims.shown >= 0))
    most = max(_MOST_PICTURES_FREE, _MOST_PICTURES * seen)
    if seen < _FEWEST or len(pictures) > most or not _runs_upright(claims):
        return None
    words = _words(claims)
    proven = proofs.prove(pictures, ocr)
    drawn = claims.shown >= 0
    believed = np.zeros(len(claims.text), np.bool_)
    believed[drawn] = proven[claims.shown[drawn]]
    if np.count_nonzero(believed) < _PROVEN_AT_LEAST * seen:
        return None
    taken = _whole(words, believed)
    sizes = np.array([picture.size for picture in pictures])[claims.shown]
    doubted = _whole(words, drawn & (sizes >= _SMALLEST * dpi)) & ~taken
    left = _left(page, claims, words, taken | doubted, dpi)
    shown = Print(claims, pictures, words, dpi)
    lines = [line for line, _ in _lines(shown, taken)]
    claimed = _lines(shown, doubted)
    if len(left) + len(claimed) > _MOST_REGIONS or _area(left) > _MOST_LEFT * page.size:
        return None
    if left or claimed:
        rest = _without(page, claims, words, taken)
        known = _vouched(shown, believed, proofs)
        # What is vouched for counts as read: the lines are the same as if they had been.
        unread = [line for line, segment in claimed if not known[segment].all()]
        checked = iter(_checked(rest, unread, ocr))
        for line, segment in claimed:
            if known[segment].all():
                lines.append(line)
                continue
            read, literal = next(checked)
            lines.append(read)
            if literal:
                _vouch(shown, segment, believed, proofs)
            elif not read.exact:
                _object(shown, segment, believed, proofs)
        drawn_words = read_lines(rest, _found(rest, left, dpi, ocr), ocr, second_look_below)
        lines += [line for line in drawn_words if line.score >= _JUNK]
    spelled = sum(len(line.letters) for line in lines if line.exact)
    letters = sum(len(line.letters) for line in lines)
    return Layer(lines, spelled / letters if letters else 0.0)


def _checked(page: Gray, claimed: Sequence[Line], ocr: Ocr) -> list[tuple[Line, bool]]:
    """Lines that the layer spells and no picture proves, as they are read in one piece.

    Beside each whether every letter was read as spelled; a long line with one misread letter still
    says the same. What the quick recogniser reads as the layer says needs no second opinion: two
    agree.
    """
    if not claimed:
        return []
    quick = ocr.recognise(page, [line.region for line in claimed], "quick")
    settled = [_settled(line, claim) for line, claim in zip(quick, claimed, strict=True)]
    open_ones = [i for i, (line, _) in enumerate(settled) if not line.exact]
    thorough = ocr.recognise(page, [claimed[i].region for i in open_ones])
    for i, line in zip(open_ones, thorough, strict=True):
        settled[i] = _settled(line, claimed[i])
    return settled


def _settled(line: Line, claimed: Line) -> tuple[Line, bool]:
    return _agreed(line, claimed), is_literal(line.text, claimed.text)


def _vouched(shown: Print, believed: NDArray[np.bool_], proofs: Proofs) -> NDArray[np.bool_]:
    """Words whose every character is proven, or vouched for beside a proven letter of the word."""
    claims, words = shown.claims, shown.words
    drawn = claims.shown >= 0
    sure = believed.copy()
    sure[drawn] |= proofs.vouched(shown.pictures)[claims.shown[drawn]]
    letters = np.array([c.isalpha() for c in claims.text], np.bool_)
    beside = np.logical_or.reduceat(believed & letters, words.starts)
    by_words = _whole(words, sure) & beside & _ordinary(claims.text, words)
    return np.asarray(_whole(words, believed) | by_words, np.bool_)


def _vouch(
    shown: Print, segment: Sequence[int], believed: NDArray[np.bool_], proofs: Proofs
) -> None:
    """A line was read letter by letter as the layer spells it: its words speak for its letters."""
    claims, words = shown.claims, shown.words
    ordinary = _ordinary(claims.text, words)
    for k in segment:
        start, end = int(words.starts[k]), int(words.ends[k])
        for i in range(start, end):
            if ordinary[k] and not believed[i]:
                proofs.vouch_for(shown.pictures[claims.shown[i]], claims.text[start:end])


def _object(
    shown: Print, segment: Sequence[int], believed: NDArray[np.bool_], proofs: Proofs
) -> None:
    """A line was read otherwise than the layer spells it: any of its letters may be why."""
    for k in segment:
        for i in range(int(shown.words.starts[k]), int(shown.words.ends[k])):
            if not believed[i]:
                proofs.object_to(shown.pictures[shown.claims.shown[i]])


def _ordinary(text: str, words: Words) -> NDArray[np.bool_]:
    """Which words are spelled as words are: no number and no code hides in them."""
    runs = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
    return np.array([_WORD.fullmatch(text[a:b]) is not None for a, b in runs], np.bool_)


def _runs_upright(claims: Claims) -> bool:
    """Whether words run from left to right."""
    inner = ~claims.first[1:]
    step = np.diff(claims.origins, axis=0)[inner]
    if not len(step):
        return False
    along = (step[:, 0] > 0) & (step[:, 0] > 2 * np.abs(step[:, 1]))
    return bool(along.mean() > 0.9)


def _words(claims: Claims) -> Words:
    """Characters that stand next to one another, parted at the layer's blanks and at wide gaps.

    Runs of underscores and long rows of dots are rules and leaders, no part of a word.
    """
    boxes, text = claims.boxes, claims.text
    parted = claims.first.copy()
    if len(text) > 1:
        before, after = boxes[:-1], boxes[1:]
        height = np.maximum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
        gap = after[:, 0] - before[:, 2]
        drop = np.abs(np.diff(claims.origins[:, 1]))
        # A blank that takes no room is PDFium's guess at a change of fonts.
        parted[1:] &= (gap > _BLANK * height) | (drop > 0.2 * height)
        quote = np.array([c in _APOSTROPHES for c in text[1:]], np.bool_)
        parted[1:] &= ~quote | (gap > 0.5 * height) | (drop > 0.2 * height)
        parted[1:] |= (gap > _WORD_GAP * height) | (gap < -0.8 * height) | (drop > 0.5 * height)
    line = np.array([c == "_" for c in text], np.bool_)
    parted |= line
    parted[1:] |= line[:-1]
    starts = np.flatnonzero(parted)
    ends = np.append(starts[1:], len(text))
    return Words(starts, ends)


def _whole(words: Words, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which words consist of good characters only."""
    if not len(words.starts):
        return np.zeros(0, np.bool_)
    return np.asarray(np.logical_and.reduceat(good, words.starts), np.bool_)


def _left(
    page: Gray, claims: Claims, words: Words, taken: NDArray[np.bool_], dpi: float
) -> list[Rectangle]:
    """Where there is print that the taken words do not explain, in pixels of the page."""
    inch = dpi / _SHRINK
    height, width = (max(1, round(side / _SHRINK)) for side in page.shape)
    ink = _ink(
        np.asarray(cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    )
    wiped = np.repeat(taken, words.ends - words.starts)
    boxes = np.clip(claims.boxes[wiped] / _SHRINK, 0, (width, height) * 2)
    low = np.maximum(np.floor(boxes[:, :2]).astype(int) - 1, 0).tolist()
    high = (np.ceil(boxes[:, 2:]).astype(int) + 1).tolist()
    # White words on a black bar leave a bar, black words on paper nothing.
    for (x0, y0), (x1, y1) in zip(low, high, strict=True):
        ink[y0:y1, x0:x1] = 255
    side = max(3, round(_SOLID * inch))
    solid = cv2.dilate(opened(ink, side, side), np.ones((3, 3), np.uint8))
    for (x0, y0), (x1, y1) in zip(low, high, strict=True):
        ink[y0:y1, x0:x1] = 0
    ink = np.asarray(cv2.subtract(ink, solid), np.uint8)
    for across, down in ((round(_RULE * inch), 1), (1, round(_RULE * inch))):
        rules = cv2.dilate(opened(ink, across, down), np.ones((3, 3), np.uint8))
        ink = np.asarray(cv2.subtract(ink, rules), np.uint8)
    return [
        (x0 * _SHRINK, y0 * _SHRINK, x1 * _SHRINK, y1 * _SHRINK)
        for x0, y0, x1, y1 in _regions(ink, inch)
    ]


def _ink(page: Gray) -> Mask:
    """What is darker than the paper or the shading around it."""
    height, width = page.shape
    size = (max(1, width // 4), max(1, height // 4))
    coarse = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    paper = cv2.dilate(coarse, np.ones((9, 9), np.uint8))
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_NEAREST)
    _, mask = cv2.threshold(cv2.subtract(paper, page), _DARKER, 255, cv2.THRESH_BINARY)
    return np.asarray(mask, np.uint8)


def _regions(ink: Mask, inch: float) -> list[Rectangle]:
    """Rectangles around pieces of print that stand close together; check boxes are none."""
    canvas = np.zeros_like(ink)
    for part in components(ink).tolist():
        x, y, w, h, _ = part
        if max(w, h) >= _SPECK * inch and not _is_box(ink, part, inch):
            canvas[y : y + h, x : x + w] = 255
    reach = (2 * round(_JOIN[0] * inch) + 1, 2 * round(_JOIN[1] * inch) + 1)
    joined = cv2.morphologyEx(
        canvas, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, reach)
    )
    return [
        (x, y, x + w, y + h)
        for x, y, w, h, _ in components(np.asarray(joined, np.uint8)).tolist()
        if h >= _LOWEST_PRINT * inch and (w > _THIN * inch or h <= _TALL_STROKE * inch)
    ]


def _is_box(ink: Mask, part: Sequence[int], inch: float) -> bool:
    """Whether a piece is the frame of a check box, whatever stands in it: those are marks."""
    x, y, w, h, _ = part
    if not (_BOX[0] * inch <= min(w, h) and max(w, h) <= _BOX[1] * inch):
        return False
    if max(w, h) > 1.35 * min(w, h):
        return False
    patch = ink[y : y + h, x : x + w]
    sides = (patch[:2].any(axis=0), patch[-2:].any(axis=0), patch[:, :2].any(axis=1),
             patch[:, -2:].any(axis=1))  # fmt: skip
    return min(float(side.mean()) for side in sides) > 0.9


def _area(rectangles: Sequence[Rectangle]) -> int:
    return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in rectangles)


def _lines(shown: Print, chosen_words: NDArray[np.bool_]) -> list[tuple[Line, list[int]]]:
    """These words as the layer spells them, in lines as the detector would have cut them.

    Beside each line the words that it is made of.
    """
    claims, words = shown.claims, shown.words
    chosen = [k for k in np.flatnonzero(chosen_words).tolist() if _says(claims.text, words, k)]
    spans = {k: _extent(claims, words, k) for k in chosen}
    chosen = _once(chosen, spans)
    segments: list[list[int]] = []
    for k in chosen:
        if segments and _continues(spans[segments[-1][-1]], spans[k]):
            segments[-1].append(k)
        else:
            segments.append([k])
    return [(_line(shown, segment, spans), segment) for segment in segments]


def _says(text: str, words: Words, k: int) -> bool:
    """Whether a word has anything to read: underscores and rows of dots are rules and leaders."""
    return not set(text[words.starts[k] : words.ends[k]]) <= _LEADERS


def _extent(claims: Claims, words: Words, k: int) -> Span:
    boxes = claims.boxes[words.starts[k] : words.ends[k]]
    x0, y0 = boxes[:, :2].min(axis=0).tolist()
    x1, y1 = boxes[:, 2:].max(axis=0).tolist()
    return x0, y0, x1, y1


def _once(chosen: list[int], spans: dict[int, Span]) -> list[int]:
    """Without the words that are printed twice on one spot to look bold."""
    kept: list[int] = []
    taken: dict[tuple[int, int], list[int]] = {}
    for k in chosen:
        x0, y0, x1, y1 = spans[k]
        cell = (round((x0 + x1) / 32), round((y0 + y1) / 32))
        around = [
            o
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
            for o in taken.get((cell[0] + dx, cell[1] + dy), ())
        ]
        if any(_same_spot(spans[k], spans[o]) for o in around):
            continue
        taken.setdefault(cell, []).append(k)
        kept.append(k)
    return kept


def _same_spot(a: Span, b: Span) -> bool:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    return wide > 0.6 * min(a[2] - a[0], b[2] - b[0]) and tall > 0.6 * min(a[3] - a[1], b[3] - b[1])


def _line(shown: Print, segment: Sequence[int], spans: dict[int, Span]) -> Line:
    """A line with a box as roomy as the detector's, and its letters where they stand."""
    claims, words = shown.claims, shown.words
    letters: list[tuple[str, float]] = []
    above, below = 0.0, 0.0
    first, last = int(words.starts[segment].min()), int(words.ends[segment].max())
    boxes, origins = claims.boxes[first:last].tolist(), claims.origins[first:last, 1].tolist()
    base = float(np.median([claims.origins[words.starts[k], 1] for k in segment]))
    for k in segment:
        if letters:
            letters.append((" ", spans[k][0]))
        for i in range(int(words.starts[k]), int(words.ends[k])):
            x0, _, x1, _ = boxes[i - first]
            picture = shown.pictures[claims.shown[i]]
            said = unicodedata.normalize("NFKC", claims.text[i])
            step = (x1 - x0) / max(1, len(said))
            letters.extend((c, x0 + (n + 0.5) * step) for n, c in enumerate(said))
            if claims.text[i] in _BRACKETS:
                continue  # they reach further than letters do
            low = base - origins[i - first]  # of what hangs higher or lower than the first word
            rise = picture.rise + low
            above = max(above, rise if _is_tall(claims.text[i]) else rise / _X_HEIGHT)
            below = max(below, picture.fall - low)
    if above <= 0:  # brackets alone, or dots
        above = max(base - min(spans[k][1] for k in segment), 2.0)
    x0 = min(spans[k][0] for k in segment) - _LEFT * above
    x1 = max(spans[k][2] for k in segment) + _RIGHT * above
    margin = min(_MARGIN * above, _WIDEST_MARGIN * shown.dpi)
    y0, y1 = base - above - margin, base + max(margin, below + 0.2 * margin)
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    return Line(
        Region(corners, 1.0),
        tuple(Letter(c, _SURE, (at - x0) / (x1 - x0)) for c, at in letters),
        exact=True,
    )


def _is_tall(character: str) -> bool:
    return character.isupper() or character in _TALL_LETTERS


def _continues(before: Span, after: Span) -> bool:
    """Whether a word goes on with a line: beside it, and no further than a blank is wide."""
    height = max(before[3] - before[1], after[3] - after[1])
    shared = min(before[3], after[3]) - max(before[1], after[1])
    level = shared > 0.5 * min(before[3] - before[1], after[3] - after[1])
    return level and -0.3 * height < after[0] - before[2] < _LINE_GAP * height


def _agreed(line: Line, claimed: Line) -> Line:
    """The line as the layer spells it where both say the same, doubtful where they nearly do."""
    verdict = compared(line.text, claimed.text)
    if verdict == "same" and not line.turned:
        return claimed
    if verdict == "other":
        return line
    letters = tuple(replace(c, score=min(c.score, CONTRADICTED)) for c in line.letters)
    return replace(line, letters=letters)


def _without(page: Gray, claims: Claims, words: Words, taken: NDArray[np.bool_]) -> Gray:
    """The page without the words that need no reading: half a neighbour would be misread."""
    rest = page.copy()
    wiped = np.repeat(taken, words.ends - words.starts)
    boxes = np.clip(claims.boxes[wiped], 1, (page.shape[1], page.shape[0]) * 2)
    low = np.floor(boxes[:, :2]).astype(int) - 1
    high = np.ceil(boxes[:, 2:]).astype(int) + 1
    for (x0, y0), (x1, y1) in zip(low.tolist(), high.tolist(), strict=True):
        rest[y0:y1, x0:x1] = rest[y0, x0]
    return rest


def _found(page: Gray, left: Sequence[Rectangle], dpi: float, ocr: Ocr) -> list[Region]:
    """Lines in the left-over print: what is low enough is one, the detector parts the rest."""
    height, width = page.shape
    pad = round(_PAD * dpi)
    regions: list[Region] = []
    for x0, y0, x1, y1 in left:
        a, b = max(0, x0 - pad), max(0, y0 - pad)
        c, d = min(width, x1 + pad), min(height, y1 + pad)
        if y1 - y0 <= _ONE_LINE * dpi:
            corners = np.array([[a, b], [c, b], [c, d], [a, d]], np.float32)
            regions.append(Region(corners, 1.0))
            continue
        for region in ocr.detect(np.ascontiguousarray(page[b:d, a:c])):
            corners = np.asarray(region.corners + np.array([a, b], np.float32), np.float32)
            regions.append(Region(corners, region.score))
    return regions

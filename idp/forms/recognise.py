# SPDX-License-Identifier: Apache-2.0
"""Which registered form a page is a filled copy of, and where on it the form's places lie.

Words in common choose a few forms; then the blank is laid onto the page by the centres of words
that both have (affine, RANSAC), and what counts is how much of the blank's print is found where it
must stand. A page on which less than :data:`ENOUGH` of it is found is no copy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from idp.document import Box, FormMatch, FormPlace, Page, Word
from idp.forms.nouns import BlankForm, BlankPage, Place

ENOUGH = 0.5
"""Least share of a blank's words found at their places. Measured on held-out forms: filled copies
as standard faxes stay above .6, pages of other forms below .35."""
FEWEST_WORDS = 12
"""A blank page with fewer words of its own can't be told from others."""
_SHARED = 0.25
"""Least share of a blank's different words that a page must hold to be looked at closely."""
_LOOKED_AT = 6
"""Most blank pages that one page is laid on."""
_LONG = 3
"""Letters below which a word says too little to lay pages on one another."""
_REPEATS = 3
"""A word that stands more often than this on a page pairs with too many."""
_MOST_PAIRS = 1500
_REACH = 0.012
"""How far from its place a word may be read, page widths or heights."""
_ALIKE = 70.0
"""Least likeness of a printed word and the word read at its place (0..100)."""
_BEYOND_DOUBT = 0.9
"""No other form is looked at once so much is found."""
_SCALES = (0.8, 1.25)
_TILT = 0.1
_FEWEST_PAIRS = 8
_NEIGHBOURS = 6

Points = NDArray[np.float64]


def flat(text: str) -> str:
    """Letters and digits only, lower case."""
    return "".join(c for c in text.lower() if c.isalnum())


class _Print(NamedTuple):
    """The words of a page that have letters or digits, and their centres."""

    texts: list[str]
    centres: Points
    boxes: list[Box]
    ids: list[int]


def _print_of(words: Sequence[tuple[str, Box]]) -> _Print:
    said = [(i, flat(text), box) for i, (text, box) in enumerate(words)]
    said = [entry for entry in said if entry[1]]
    centres = np.array([(box.cx, box.cy) for _, _, box in said], np.float64).reshape(-1, 2)
    return _Print([t for _, t, _ in said], centres, [b for *_, b in said], [i for i, *_ in said])


class Fit(NamedTuple):
    """A blank page laid onto a page: ``matrix`` (2 x 3) takes places of the blank to the page.

    ``anchors`` are the places of the words it rests on, ``rests`` how far each of them is off.
    """

    score: float
    matrix: Points
    anchors: Points
    rests: Points
    print_boxes: tuple[Box, ...]
    """Where the blank's own words lie on the page."""

    def moved(self, boxes: Sequence[Box]) -> list[Box]:
        """Where boxes of the blank lie on the page.

        Laid on, then drawn along by the words near them, since paper and fax feeds stretch.
        """
        if not boxes:
            return []
        flat_boxes = np.array(boxes, np.float64)
        centres = (flat_boxes[:, :2] + flat_boxes[:, 2:]) / 2
        far = np.hypot(
            centres[:, :1] - self.anchors[None, :, 0], centres[:, 1:] - self.anchors[None, :, 1]
        )
        count = min(_NEIGHBOURS, len(self.anchors))
        near = np.argpartition(far, count - 1, axis=1)[:, :count]
        off = np.median(self.rests[near], axis=1)
        first = _through(self.matrix, flat_boxes[:, :2]) + off
        second = _through(self.matrix, flat_boxes[:, 2:]) + off
        laid = np.clip(np.hstack([first, second]), 0.0, 1.0)
        return [Box(*map(float, row)) for row in laid]


class _BlankPrint(NamedTuple):
    form: BlankForm
    page: BlankPage
    words: _Print
    tokens: frozenset[str]


class Recogniser:
    """Compares pages with all registered forms. Pure: no state but the forms."""

    def __init__(self, forms: Sequence[BlankForm]) -> None:
        self._forms = tuple(forms)
        self._pages: list[_BlankPrint] = []
        for form in forms:
            for page in form.pages:
                words = _print_of([(w.text, w.box) for w in page.words])
                if len(words.texts) >= FEWEST_WORDS:
                    tokens = frozenset(t for t in words.texts if len(t) >= _LONG)
                    self._pages.append(_BlankPrint(form, page, words, tokens))

    def recognise(self, page: Page) -> FormMatch | None:
        """The form that a page is a copy of, or ``None``."""
        seen = _print_of([(w.text, w.box) for w in page.words])
        tokens = frozenset(t for t in seen.texts if len(t) >= _LONG)
        ranked = sorted(
            (
                (len(b.tokens & tokens) / max(1, len(b.tokens)), i)
                for i, b in enumerate(self._pages)
            ),
            reverse=True,
        )
        best: tuple[Fit, _BlankPrint] | None = None
        for share, index in ranked[:_LOOKED_AT]:
            if share < _SHARED:
                break
            found = fit(self._pages[index].words, seen)
            if found and (best is None or found.score > best[0].score):
                best = found, self._pages[index]
                if found.score > _BEYOND_DOUBT:
                    break
        if best is None or best[0].score < ENOUGH:
            return None
        laid, blank = best
        own = [p for p in blank.form.places if p.page == blank.page.number]
        boxes = laid.moved([place.box for place in own])
        return FormMatch(
            name=blank.form.name,
            type=blank.form.type,
            page=blank.page.number,
            score=round(laid.score, 4),
            places=tuple(_placed(p, box) for p, box in zip(own, boxes, strict=True)),
            printed=_own_print(blank.words, page.words, laid),
        )


def _placed(place: Place, box: Box) -> FormPlace:
    return FormPlace(
        box=box,
        ticks=place.kind in ("check", "radio"),
        field=place.field,
        part=place.part,
        option=place.option,
        group=place.group,
        comb=place.comb,
        undecided=place.undecided,
    )


def fit(blank: _Print, seen: _Print) -> Fit | None:
    """The blank laid onto what was read, or ``None`` where no sensible way is found."""
    here, there = _pairs(blank, seen)
    if len(here) < _FEWEST_PAIRS:
        return None
    estimate: Any = cv2.estimateAffine2D(  # the stubs know nothing of failure
        here,
        there,
        method=cv2.RANSAC,
        ransacReprojThreshold=_REACH,
        maxIters=3000,
        confidence=0.999,
    )
    laid_on, inside = estimate
    if laid_on is None:
        return None
    matrix: Points = np.array(laid_on, np.float64)
    if not _sensible(matrix):
        return None
    kept = inside.ravel().astype(bool)
    if kept.sum() < _FEWEST_PAIRS:
        return None
    anchors, rests = here[kept], there[kept] - _through(matrix, here[kept])
    laid = Fit(0.0, matrix, anchors, rests, ())
    laid = laid._replace(print_boxes=tuple(laid.moved(blank.boxes)))
    return laid._replace(score=_found(blank, seen, laid))


def laid_on(words: Sequence[Word], others: Sequence[Word]) -> Fit | None:
    """One copy's words laid onto another's, or ``None`` where no sensible way is found."""
    return fit(
        _print_of([(w.text, w.box) for w in words]), _print_of([(w.text, w.box) for w in others])
    )


def found_words(words: Sequence[Word], others: Sequence[Word], laid: Fit) -> list[int]:
    """Places among ``words`` of those that the other page has where the fit puts them."""
    blank = _print_of([(w.text, w.box) for w in words])
    seen = _print_of([(w.text, w.box) for w in others])
    return [
        blank.ids[place]
        for place, text in enumerate(blank.texts)
        if any(
            _same(text, laid.print_boxes[place], seen.texts[i], seen.boxes[i])
            for i in _near(seen, laid.print_boxes[place])
        )
    ]


def _near(seen: _Print, box: Box) -> list[int]:
    """The words that were read about a place."""
    level = np.abs(seen.centres[:, 1] - box.cy) < _REACH
    beside = np.abs(seen.centres[:, 0] - box.cx) < box.width + 4 * _REACH
    return [int(i) for i in np.nonzero(level & beside)[0]]


def _through(matrix: Points, points: Points) -> Points:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def _pairs(blank: _Print, seen: _Print) -> tuple[Points, Points]:
    """Places of the same words on both pages; a word that repeats pairs with each."""
    counts, counted = Counter(blank.texts), Counter(seen.texts)
    where: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(seen.texts):
        where[text].append(place)
    pairs = [
        (i, j)
        for i, text in enumerate(blank.texts)
        if len(text) >= _LONG and counts[text] <= _REPEATS and 0 < counted[text] <= _REPEATS
        for j in where[text]
    ]
    # Rare and long words first, should a page hold more pairs than are needed.
    pairs.sort(key=lambda p: (counts[blank.texts[p[0]]], -len(blank.texts[p[0]])))
    pairs = pairs[:_MOST_PAIRS]
    if not pairs:
        return np.zeros((0, 2)), np.zeros((0, 2))
    first, second = zip(*pairs, strict=True)
    return blank.centres[list(first)], seen.centres[list(second)]


def _sensible(matrix: Points) -> bool:
    (a, b, _), (c, d, _) = matrix
    low, high = _SCALES
    return bool(low < a < high and low < d < high and abs(b) < _TILT and abs(c) < _TILT)


def _found(blank: _Print, seen: _Print, laid: Fit) -> float:
    """Share of the blank's letters, in words of two or more, that were read at their places."""
    found = whole = 0
    for place, text in enumerate(blank.texts):
        if len(text) < 2:
            continue
        whole += len(text)
        box = laid.print_boxes[place]
        if any(_same(text, box, seen.texts[i], seen.boxes[i]) for i in _near(seen, box)):
            found += len(text)
    return found / whole if whole else 0.0


def _same(text: str, box: Box, read: str, there: Box) -> bool:
    """Whether a printed word was read there, alone or run together with its neighbours."""
    near = abs(box.cx - there.cx) < _REACH and abs(box.cy - there.cy) < _REACH
    if near and float(fuzz.ratio(text, read)) >= _ALIKE:
        return True
    return len(read) > len(text) >= _LONG and there.contains(box.cx, box.cy) and text in read


def _own_print(blank: _Print, words: Sequence[Word], laid: Fit) -> dict[int, str]:
    """The words that are the form's own print, with what remains of each."""
    boxes = np.array(laid.print_boxes, np.float64)
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    found: dict[int, str] = {}
    for word in words:
        read = flat(word.text)
        if not read:
            continue
        shared = np.minimum(boxes[:, 2], word.box.x1) - np.maximum(boxes[:, 0], word.box.x0)
        level = np.abs(middles - word.box.cy) < _REACH
        near = [
            (blank.texts[i], laid.print_boxes[i])
            for i in np.nonzero(level & (shared > -_REACH / 2))[0]
        ]
        if any(_at(text, box, read, word.box) for text, box in near):
            found[word.id] = ""
            continue
        near.sort(key=lambda entry: entry[1].x0)
        inside = [text for text, box in near if word.box.contains(box.cx, box.cy)]
        rest = _without(word.text, inside)
        if rest is not None:
            found[word.id] = rest
    return found


def _at(text: str, box: Box, read: str, there: Box) -> bool:
    """Whether a read word is that printed one: where it must stand, and much like it."""
    if abs(box.cx - there.cx) > _REACH or abs(box.cy - there.cy) > _REACH:
        return False
    shared = box.shared(there) / max(1e-9, min(box.width * box.height, there.width * there.height))
    short = max(len(text), len(read)) <= 3
    alike = text == read if short else float(fuzz.ratio(text, read)) >= 55.0
    return shared > 0.3 and alike


def _without(raw: str, printed: Sequence[str]) -> str | None:
    """What remains of a read word when printed words run into it; ``None`` when none does."""
    joined = "".join(printed)
    read = flat(raw)
    if len(joined) < _LONG or joined == read:
        return "" if joined and joined == read else None
    if fuzz.ratio(joined, read) >= 80.0 and abs(len(joined) - len(read)) <= 2:
        return ""
    for head in (True, False):
        part = read[: len(joined)] if head else read[-len(joined) :]
        if len(read) > len(joined) and fuzz.ratio(joined, part) >= 80.0:
            return _cut(raw, len(joined), head=head)
    return None


def _cut(raw: str, count: int, *, head: bool) -> str:
    """``raw`` without its first (or last) ``count`` letters and digits."""
    places = [i for i, c in enumerate(raw) if c.isalnum()]
    if head:
        return raw[places[count - 1] + 1 :].lstrip(" :.,;)-_")
    return raw[: places[-count]].rstrip(" :.,;(-_")

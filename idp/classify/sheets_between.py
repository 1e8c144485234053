# SPDX-License-Identifier: Apache-2.0
"""Sheets that are no page of any document: separator sheets and blank backs.

A sheet is only set aside when nothing on it could be missed: a stamp, a signature, handwriting, a
tick or a picture keeps it with its document, and so does any doubt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from idp.classify.boundaries import Seen
from idp.document import INK
from idp.schemas import Separator

MOST_WORDS_OF_A_SHEET = 60
"""A separator sheet says what it is and how to use it, and no more."""

MOST_INK_OF_A_BLANK = 0.0015
"""Share of the page: some thirty letters' worth in pieces larger than specks."""

_MOST_SPECKS = 25
"""So many signs may be read into specks and into print that shines through."""

_MOST_STROKES = 12
"""Pieces of ink on a separator sheet: its own big letters where a fax spoilt them, a note."""

_SURE_WORD = 0.75
_SEPARATOR_POINTS = 4.0
_WORD = re.compile(r"[^\W\d_]{3,}|\d{3,}")
_LEFT_BLANK = "intentionally left blank"


class Between(Enum):
    """What a page is to the documents around it."""

    PAGE = "page"
    FIRST_PAGE = "first page"
    """A separator's barcode on a page that says something: a label stuck on a first page."""
    SEPARATOR = "separator"
    BLANK = "blank"


def between(seen: Seen, separators: Sequence[Separator]) -> Between:
    """Whether a page is one of a document, begins one by its barcode, or is set aside."""
    matching = [
        separator
        for barcode in seen.page.barcodes
        if barcode.complete
        for separator in separators
        if separator.matches(barcode.text, barcode.symbology)
    ]
    if matching:
        alone = all(separator.sheet for separator in matching) and _says_little(seen)
        return Between.SEPARATOR if alone else Between.FIRST_PAGE
    if seen.votes.subtype == "separator" and _named_a_separator(seen):
        return Between.SEPARATOR
    return Between.BLANK if is_blank(seen) else Between.PAGE


def _says_little(seen: Seen) -> bool:
    return (
        seen.sheet.word_count <= MOST_WORDS_OF_A_SHEET
        and not seen.patient
        and not _was_worked_on(seen, _MOST_STROKES)
    )


def _named_a_separator(seen: Seen) -> bool:
    """Whether words alone say it, where a fax spoilt the barcode."""
    points = seen.votes.subtype_points
    return points >= _SEPARATOR_POINTS and seen.votes.strongest <= points and _says_little(seen)


def _was_worked_on(seen: Seen, strokes: int = 0) -> bool:
    """Whether a pen or a stamp left something: more than so many pieces of ink, or a meaning."""
    page = seen.page
    return (
        any(mark.state == "checked" for mark in page.marks)
        or any(signature.state != "absent" for signature in page.signatures)
        or sum(block.kind == INK for block in page.blocks) > strokes
        or any(word.handwritten for word in page.words)
        or any(any(comb.text) for comb in page.combs)
    )


def is_blank(seen: Seen) -> bool:
    """Whether a page holds nothing: white, specks, or "intentionally left blank".

    The line that a fax machine prints above a page does not count; a page number does: somebody
    counts on that page.
    """
    page, sheet = seen.page, seen.sheet
    if page.form is not None or page.barcodes or _was_worked_on(seen):
        return False
    if sheet.word_count <= _MOST_SPECKS and sheet.text.similarity(_LEFT_BLANK) > 0:
        return True
    if page.ink is not None and page.ink > MOST_INK_OF_A_BLANK:
        return False
    if seen.number is not None or sheet.word_count > _MOST_SPECKS:
        return False
    inside = {id(word) for run in sheet.runs for word in run.parts}
    return not any(
        id(word) in inside and word.confidence >= _SURE_WORD and _WORD.search(word.text)
        for word in page.words
    )

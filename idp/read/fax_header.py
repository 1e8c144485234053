# SPDX-License-Identifier: Apache-2.0
"""The fax header line of a page: found, read, and taken out of the page's words.

Its numbers and dates are the machines', not the patient's: left among the words they become phone
numbers and dates of the form. Taking a line of the form for a header would lose it, so a line must
be at the very top, small, and have the shape of a machine's (:mod:`idp.read.fax_header_text`).

A fax that was sent on has two: every machine prints above what it received. The lower one is the
older and names the sender; the upper one counts the pages of the transmission that came here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from statistics import median

from idp.document import Block, FaxHeader, Page, RawPage, Word, union_of
from idp.read.fax_header_text import HeaderText, parse_header, parse_wrapped

TOP = 0.06
"""Share of the page's height in which header lines lie; they are printed on the paper's edge."""

_TALLEST = 0.021
"""A header's print is at most so high, as a share of the page (6 mm on a letter page)."""

_SHARED = 0.45
"""Words stand on one line when so much of the lower one's height is shared."""

_SLIGHT_DEGREES = 0.3
_MOST_LINES = 3
_MOST_WORDS = 40
_FAR = 2.5
"""A second header line follows the first within so many line heights."""

_STRAY_CHARACTERS = 3
"""What may stand above a header: specks that were read as a sign or two."""


def without_fax_headers(pages: Sequence[Page], raw: Sequence[RawPage]) -> tuple[Page, ...]:
    """All pages of a part with their fax headers read and out of their words.

    Args:
        pages: As read.
        raw: The same pages before reading, which tell how many bits their images have.
    """
    bilevel = {each.number for each in raw if each.bilevel}
    return tuple(without_fax_header(page, bilevel=page.number in bilevel) for page in pages)


def without_fax_header(page: Page, *, bilevel: bool = False) -> Page:
    """The page with its fax header read and out of its words; the very page where it has none.

    Args:
        page: As read. A page whose words came from a PDF's text layer was never on a fax line.
        bilevel: The page's image has one bit per pixel: such a one may have been, whatever its
            text layer says.
    """
    if page.words_source == "x12" or (page.words_source == "text_layer" and not bilevel):
        return page
    headers = max((_headers(page, slope) for slope in _slopes(page)), key=_word_count)
    if not headers:
        return page
    lines = [line for line, _ in headers]
    found = [header for _, header in headers]
    words = [word for line in lines for word in line]
    header = _joined(found)
    return _without(page, {word.id for word in words}).model_copy(
        update={
            "fax_header": FaxHeader(
                text="\n".join(" ".join(word.text for word in line) for line in lines),
                box=union_of([word.box for word in words]),
                sender=header.sender,
                sender_name=header.sender_name,
                recipient=header.recipient,
                sent_at=header.sent_at,
                page=header.page,
                pages=header.pages,
            )
        }
    )


_Headers = list[tuple[list[Word], HeaderText]]
"""Header lines from the top, each with its words from left to right."""


def _word_count(headers: _Headers) -> int:
    return sum(len(words) for words, _ in headers)


def _slopes(page: Page) -> Iterator[float]:
    """How the header may lie, in page heights per page width.

    The machine prints it straight onto a sheet that was fed askew, and making that sheet straight
    leaves the line askew.
    """
    yield 0.0
    if abs(page.skew_degrees) >= _SLIGHT_DEGREES:
        slope = math.tan(math.radians(page.skew_degrees)) * page.width_px / page.height_px
        yield from (slope, -slope)


def _headers(page: Page, slope: float) -> _Headers:
    rows = list(_rows(page, slope))
    found: _Headers = []
    place = 0
    while place < len(rows) and len(found) < _MOST_LINES:
        row = rows[place]
        after = rows[place + 1] if place + 1 < len(rows) else []
        if found and not _follows(found[-1][0], row):
            break
        if (header := parse_header(_text(row))) is not None:
            found.append((row, header))
            place += 1
        elif (
            after
            and _follows(row, after)
            and (header := parse_wrapped(_text(row), _text(after))) is not None
        ):
            found.append(([*row, *after], header))
            place += 2
        elif not found and len(_text(row)) <= _STRAY_CHARACTERS:
            place += 1
        else:
            break
    return found


def _rows(page: Page, slope: float) -> Iterator[list[Word]]:
    """The rows of small print in the top strip, from the top; ends at the first that is large."""
    rows: list[list[Word]] = []
    for word in sorted(
        (word for word in page.words if word.box.y0 < TOP and word.text.strip()),
        key=lambda word: word.box.x0,
    ):
        shared = {id(row): _shared(row[-1], word, slope) for row in rows}
        best = max(rows, key=lambda row: shared[id(row)], default=None)
        if best is not None and shared[id(best)] > _SHARED:
            best.append(word)
        else:
            rows.append([word])
    for row in sorted(rows, key=lambda row: min(_level(word, slope) for word in row)):
        if median(word.box.height for word in row) > _TALLEST or len(row) > _MOST_WORDS:
            return
        if median(word.box.cy for word in row) > TOP:
            return
        yield row


def _level(word: Word, slope: float) -> float:
    """Where the word's middle would be if the line were level."""
    return word.box.cy - slope * word.box.cx


def _shared(left: Word, right: Word, slope: float) -> float:
    """The share of the lower one's height that two words have in common on a sloping line."""
    apart = abs(_level(left, slope) - _level(right, slope))
    high, low = sorted((left.box.height, right.box.height))
    return min(1.0, ((high + low) / 2 - apart) / max(min(high, low), 1e-6))


def _follows(above: Sequence[Word], below: Sequence[Word]) -> bool:
    upper, lower = (union_of([word.box for word in words]) for words in (above, below))
    height = median(word.box.height for word in (*above, *below))
    return lower.y0 - upper.y1 < _FAR * height


def _text(row: Sequence[Word]) -> str:
    return " ".join(word.text for word in row)


def _joined(headers: Sequence[HeaderText]) -> HeaderText:
    """One header of several lines: the sender's side from the oldest, the count from the newest.

    Lines stand newest first, unless their times say otherwise.
    """
    timed = [header.sent_at for header in headers if header.sent_at is not None]
    newest_first = all(
        later.replace(tzinfo=None) >= earlier.replace(tzinfo=None)
        for later, earlier in pairwise(timed)
    )
    oldest = list(reversed(headers)) if newest_first else list(headers)

    def first(name: str, order: Sequence[HeaderText]) -> object:
        return next((v for each in order if (v := getattr(each, name)) is not None), None)

    counted = next((each for each in headers if each.page is not None), None)
    values = {
        name: first(name, oldest) for name in ("sender", "sender_name", "recipient", "sent_at")
    }
    return HeaderText(
        **values,  # type: ignore[arg-type]
        page=counted.page if counted else None,
        pages=counted.pages if counted else None,
    )


def _without(page: Page, gone: AbstractSet[int]) -> Page:
    """The page without some words; ids are counted anew, and blocks speak of the new ones."""
    kept = [word for word in page.words if word.id not in gone]
    new = {word.id: number for number, word in enumerate(kept)}
    words = tuple(word.model_copy(update={"id": new[word.id]}) for word in kept)
    blocks = (
        block if gone.isdisjoint(block.word_ids) else _shrunk(block, page, gone)
        for block in page.blocks
    )
    return page.model_copy(
        update={
            "words": words,
            "blocks": tuple(
                block.model_copy(update={"word_ids": tuple(new[i] for i in block.word_ids)})
                for block in blocks
                if block is not None
            ),
        }
    )


def _shrunk(block: Block, page: Page, gone: AbstractSet[int]) -> Block | None:
    """A block without some of its words; ``None`` when it had no others."""
    by_id = {word.id: word for word in page.words}
    left = [by_id[i] for i in block.word_ids if i not in gone]
    if not left:
        return None
    lines: dict[int, list[str]] = {}
    for word in left:
        lines.setdefault(word.line, []).append(word.text)
    return block.model_copy(
        update={
            "word_ids": tuple(word.id for word in left),
            "text": "\n".join(" ".join(words) for words in lines.values()),
            "box": union_of([word.box for word in left]),
        }
    )

# SPDX-License-Identifier: Apache-2.0
"""Values of recognised forms: what stands in each known place.

The page carries the form it is a copy of, laid onto it (:class:`idp.document.FormMatch`); what is
the form's own print is known word by word. A value is what is left over in its place. Other
sources are held to the form as well: they may not take its print for a value, nor what stands in a
place that asks for something else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from idp.document import Blank, Box, FormPlace, Page, Word, union_of
from idp.extract.ports import Candidate, Structure
from idp.forms import SLACK
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind, parse
from idp.values.slips import looks_numeric, to_digits

NAME = "form"
VERSION = "registered-2"
SURE = 0.985
"""Confidence of a well-formed value at its registered place, read without doubt."""
_ILL_FORMED = 0.6
"""What is left of it when the value has not the shape it ought to have."""
_TOUCHED, _REACHED = 0.05, 0.15
"""Shares of a word's width that touch a place, and that count as standing in it."""
_OWN_SHARE = 0.7
"""A word with that much of its width in one place stands there whole."""
_BLANK_CELL = 1.6
"""Cells from one character to the next of a comb that leave an empty one between them."""
_MARK_REACH = 0.012
_AS_LETTERS, _AS_SMALL = str.maketrans("0158", "OISB"), str.maketrans("015]|!", "olslll")
_NUMBERS = frozenset({"month", "day", "year", "area", "prefix", "line", "zip", "zip4"})
_STROKES = re.compile(r"[\s\-\u2013\u2014/\\.,:|()_]+")
_WORDS = frozenset({"first", "middle", "last", "city", "state"})
_FREE = frozenset({Kind.OPTION, Kind.SEX, Kind.PRESENCE})
"""Kinds whose evidence is a mark beside printed words."""


class Piece(NamedTuple):
    """Text in a place: the word it comes from, and the part of its box."""

    text: str
    word: Word
    box: Box


def _stands(box: Box, place: Box) -> float:
    """Share of a word's width that lies in a place, 0 where it stands above or below it."""
    across, down = SLACK
    if not place.y0 - down <= box.cy <= place.y1 + down:
        return 0.0
    wide = Box(place.x0 - across, place.y0, place.x1 + across, place.y1)
    return max(0.0, box.overlap_x(wide)) / max(1e-9, box.width)


def pieces_of(page: Page) -> dict[int, list[Piece]]:
    """What was written into each place of the page's form, by the place's index.

    A word that runs across several places is cut where one ends and the next begins.
    """
    form = page.form
    found: dict[int, list[Piece]] = defaultdict(list)
    if form is None:
        return found
    places = [(i, p) for i, p in enumerate(form.places) if not p.ticks]
    for word in page.words:
        text = form.printed.get(word.id, word.text)
        if not text.strip():
            continue
        over = [(share, i, p) for i, p in places if (share := _stands(word.box, p.box)) > _TOUCHED]
        over.sort(key=lambda o: (-round(o[0], 1), abs(o[2].box.cy - word.box.cy)))
        if not over:
            continue
        share, index, main = over[0]
        level = [o for o in over if abs(o[2].box.cy - main.box.cy) < SLACK[1]]
        # Writing runs over to the right, but begins in its own place: "P" before "MORGAN".
        first = word.box.x0 + word.box.width / len(text) / 2
        begins = any(o[2].box.x1 <= main.box.x0 + SLACK[0] and o[2].box.x1 > first for o in level)
        several = [o for o in level if o[0] > _REACHED or (begins and o[2].box.x1 > first)]
        if len(several) > 1 and (share < _OWN_SHARE or begins):
            for part, piece in _parted(text, word, several):
                found[part].append(piece)
        elif share > _REACHED:
            found[index].append(Piece(text, word, word.box))
    return found


def _parted(
    text: str, word: Word, over: Sequence[tuple[float, int, FormPlace]]
) -> Iterable[tuple[int, Piece]]:
    """A word's characters, each given to the place under it."""
    step = word.box.width / max(1, len(text))
    by_place: dict[int, list[int]] = defaultdict(list)
    for at in range(len(text)):
        x = word.box.x0 + (at + 0.5) * step
        index = min(
            over, key=lambda o: max(o[2].box.x0 - x, x - o[2].box.x1, 0.0)
        )[1]  # fmt: skip
        by_place[index].append(at)
    for index, members in by_place.items():
        part = text[members[0] : members[-1] + 1]
        x0, x1 = word.box.x0 + members[0] * step, word.box.x0 + (members[-1] + 1) * step
        yield index, Piece(part, word, Box(x0, word.box.y0, x1, word.box.y1))


def text_of(place: FormPlace, pieces: Sequence[Piece]) -> str:
    """The writing of one place, its lines from top to bottom."""
    if place.comb:
        return _run(place, pieces)
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: p.box.cy):
        last = lines[-1][-1].box if lines else None
        if last is not None and abs(last.cy - piece.box.cy) < 0.6 * max(last.height, 0.004):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    ordered = [p for line in lines for p in sorted(line, key=lambda p: p.box.x0)]
    return " ".join(p.text for p in ordered).strip()


def _run(place: FormPlace, pieces: Sequence[Piece]) -> str:
    """Characters of a comb joined; an empty cell is a blank."""
    cell = place.box.width / place.comb
    text, last = "", None
    for piece in sorted(pieces, key=lambda p: p.box.x0):
        if last is not None:
            text += " " if piece.box.x0 - last > (_BLANK_CELL - 0.6) * cell else ""
        text += piece.text.replace("|", "").strip(" _")  # the lines between its cells
        last = piece.box.x1
    return text.strip()


def composed(by_part: Mapping[str, str], kind: Kind) -> str:
    """One value out of its pieces, in the order in which people write it."""
    if set(by_part) == {""}:
        return by_part[""]

    def take(*parts: str) -> list[str]:
        return [by_part[p] for p in parts if by_part.get(p)]

    if kind is Kind.PERSON:
        return " ".join(take("first", "middle", "last", ""))
    if kind is Kind.ADDRESS:
        tail = " ".join((*take("state"), "-".join(take("zip", "zip4"))))
        street = " ".join(take("street", "", "unit"))
        return ", ".join(part for part in (street, *take("city"), tail.strip()) if part)
    if kind is Kind.DATE:
        return "/".join(take("month", "day", "year")) or " ".join(take(""))
    if kind is Kind.PHONE:
        return "-".join(take("area", "prefix", "line", ""))
    return " ".join(take(*sorted(by_part)))


class RegisteredSource:
    """The values of recognised forms."""

    name = NAME
    version = VERSION

    def candidates(
        self, pages: Sequence[Page], schema: DocumentSchema, structure: Structure
    ) -> list[Candidate]:
        """One value per group of places that is filled in."""
        del structure
        found: list[Candidate] = []
        for page in pages:
            if page.form is None:
                continue
            pieces = pieces_of(page)
            groups: dict[tuple[str, int], list[int]] = defaultdict(list)
            for index, place in enumerate(page.form.places):
                if place.field:
                    groups[place.field, place.group].append(index)
            for (name, _), members in groups.items():
                field = schema.field(name)
                if field is None:
                    continue
                made = _ticked(page, field, members) or _written(page, field, members, pieces)
                found += [made] if made else []
        # The fullest and surest of several places for one field first.
        return sorted(found, key=lambda c: (-c.confidence, -len(c.value)))


def empty_places(pages: Sequence[Page], schema: DocumentSchema) -> list[Blank]:
    """The places for writing of recognised forms that nobody wrote into, one for each field."""
    found: list[Blank] = []
    for page in pages:
        if page.form is None:
            continue
        pieces = pieces_of(page)
        for index, place in enumerate(page.form.places):
            if place.field and not place.ticks and not pieces.get(index):
                if schema.field(place.field) is None:
                    continue
                found.append(Blank(field=place.field, page=page.number, box=place.box))
    return found


def _written(
    page: Page, field: FieldSchema, members: Sequence[int], pieces: Mapping[int, list[Piece]]
) -> Candidate | None:
    form = page.form
    assert form is not None
    by_part: dict[str, str] = {}
    used: list[Piece] = []
    for index in members:
        place = form.places[index]
        own = pieces.get(index, [])
        text = _tidied(text_of(place, own), place.part) if own and not place.ticks else ""
        if text:
            by_part[place.part] = f"{by_part[place.part]} {text}" if place.part in by_part else text
            used += own
    if not used:
        return None
    raw = composed(by_part, field.kind)
    parsed = parse(field.kind, raw, options=field.options or None)
    if not parsed.valid or field.kind is Kind.PERSON:
        mended = parse(field.kind, _mended(raw, field.kind), options=field.options or None)
        parsed = mended if mended.valid else parsed
    # One misread word makes a wrong value: it is as sure as its worst (docs/decisions).
    read = min(p.word.confidence for p in used)
    sure = SURE * read * (1.0 if parsed.valid else _ILL_FORMED)
    return Candidate(
        field.name,
        parsed.value,
        raw,
        valid=parsed.valid,
        confidence=round(sure, 4),
        page=page.number,
        box=union_of([p.box for p in used]),
        word_ids=tuple(dict.fromkeys(p.word.id for p in used)),
        source=NAME,
    )


def _tidied(text: str, part: str) -> str:
    """What a place holds, as far as its part tells: only digits, or letters instead of digits.

    The strokes printed between the boxes of a date or a telephone number fall into one of them.
    """
    if part in _NUMBERS:
        bare = _STROKES.sub("", text)
        return to_digits(bare) if looks_numeric(bare) else text
    return _in_letters(text) if part in _WORDS else text


def _in_letters(text: str) -> str:
    """Digits and strokes within words, and alone among them, as the letters they are like."""
    if not any(each.isalpha() for each in text):
        return text
    return " ".join(map(_word_in_letters, text.split(" ")))


def _word_in_letters(word: str) -> str:
    letters, digits = sum(map(str.isalpha, word)), sum(map(str.isdigit, word))
    if letters < digits and len(word) > 1:
        return word  # a number, with what ran into it
    if any(each.islower() for each in word):
        return word[0].translate(_AS_LETTERS) + word[1:].translate(_AS_SMALL)
    return word.translate(_AS_LETTERS)


def _mended(raw: str, kind: Kind) -> str:
    """What was misread, as far as the place tells what it must be.

    There are no digits in a name, and between the numbers of a date only strokes.
    """
    if kind is Kind.PERSON:
        return _in_letters(raw)
    if kind is Kind.DATE:
        return re.sub(r"(?<=\d)\s*[.,;:|lI]\s*(?=\d)", "/", raw)
    return raw


def _ticked(page: Page, field: FieldSchema, members: Sequence[int]) -> Candidate | None:
    """The option whose place holds a mark; none where two do."""
    form = page.form
    assert form is not None
    chosen: list[tuple[str, Box, float]] = []
    for index in members:
        place = form.places[index]
        if not place.ticks or not place.option:
            continue
        near = [
            mark
            for mark in page.marks
            if abs(mark.box.cx - place.box.cx) < _MARK_REACH
            and abs(mark.box.cy - place.box.cy) < _MARK_REACH
        ]
        mark = min(near, key=lambda m: abs(m.box.cx - place.box.cx), default=None)
        if mark is not None and mark.state == "checked":
            chosen.append((place.option, mark.box, mark.confidence))
    if len({option for option, *_ in chosen}) != 1:
        return None
    option, box, sure = chosen[0]
    return Candidate(
        field.name,
        option,
        option,
        valid=True,
        confidence=round(SURE * (0.8 + 0.2 * sure), 4),
        page=page.number,
        box=box,
        word_ids=(),
        source=NAME,
    )


def held_to_forms(
    candidates: Iterable[Candidate], pages: Sequence[Page], schema: DocumentSchema
) -> list[Candidate]:
    """The candidates without those that a recognised form contradicts."""
    by_number = {page.number: page for page in pages if page.form is not None}
    owners: dict[tuple[int, int], set[str]] = defaultdict(set)
    ticked: set[str] = set()
    for number, page in by_number.items():
        assert page.form is not None
        ticked |= {p.field for p in page.form.places if p.ticks and p.field}
        for index, pieces in pieces_of(page).items():
            if page.form.places[index].undecided:
                continue
            for piece in pieces:
                owners[number, piece.word.id].add(page.form.places[index].field)
    kept = []
    for candidate in candidates:
        found = by_number.get(candidate.page)
        if found is None or candidate.source == NAME:
            kept.append(candidate)
            continue
        assert found.form is not None
        field = schema.field(candidate.field)
        if field is not None and field.kind in _FREE:
            if candidate.field not in ticked:
                kept.append(candidate)
            continue
        ids = candidate.word_ids
        own_print = bool(ids) and all(found.form.printed.get(i) == "" for i in ids)
        foreign = any(
            owners.get((candidate.page, i)) and candidate.field not in owners[candidate.page, i]
            for i in ids
        )
        if not own_print and not foreign:
            kept.append(candidate)
    return kept

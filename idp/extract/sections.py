# SPDX-License-Identifier: Apache-2.0
"""Labels, section titles and parties of a document: the structure that values hang on.

Real forms ask for an NPI three times; whose one it is follows from the label's own words, else from
the titled section or column it stands in, else from the label beside or above it that names
somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from idp.document import Box, Page
from idp.extract.bare_labels import goes_on_as_label, is_surely, takes
from idp.extract.label_places import (
    LONGEST,
    NEEDS_COLON,
    before_lines,
    goes_on,
    parenthesis_end,
    stands_as_label,
    swallows,
    without_parentheses,
)
from idp.extract.labels import (
    OTHER_PERSON,
    LabelTable,
    Meaning,
    TitleTable,
    squash,
    strip_numbering,
)
from idp.extract.layout import Piece, Sheaf, sheaf_of
from idp.extract.ports import Label, Section, Structure
from idp.extract.readings import Found, Reading, Title
from idp.extract.tables_lines import Token
from idp.extract.wrapped import join_wrapped

_SHORT_LABELS = frozenset(
    squash(w)
    for w in re.findall(
        r"\w+",
        "mi npi dob fax tin sex zip ssn mrn age city cpt icd pos qty pcp dx ein mbi sig tel ph st",
    )
)
_COUNTED = frozenset(
    {"npi", "tax_id", "phone", "mobile", "fax", "dob", "member_id", "group_number", "zip"}
)
_OF_ONE_PERSON = frozenset({"dob", "sex", "age", "medical_record_number", "phone", "email"})
_OFFICES = frozenset(
    {"npi", "tax_id", "dea", "specialty", "phone", "fax", "practice"}
    | {"address", "address_2", "city", "state", "zip", "city_state_zip"}
)
"""What is asked of an office: in a row of such labels each goes on with the one before."""
_UNKNOWN_WORDS = 8
_FLUSH = 2.0
_NAME_PARTS = frozenset({"last_name", "first_name", "middle_name"})
_SETTERS_REACH = 2.6
_END_OF_TIME = 2
"""How many rows under "From" its "To" may stand."""
_ENDS = (":", "?")
_PLACE = re.compile(r"(?i)facility|practice|clinic|office|group|hospital|agency")


def read_structure(
    pages: Sequence[Page], labels: LabelTable, titles: TitleTable
) -> tuple[Structure, list[Reading]]:
    """Labels with their parties, and titled sections, of all pages of a document."""
    readings = []
    for page in pages:
        reading = Reading(sheaf_of(page))
        _find_labels(reading, labels)
        join_wrapped(reading, labels)
        _find_titles(reading, titles, labels)
        _give_parties(reading, labels)
        readings.append(reading)
    return _structure(readings), readings


def _find_labels(reading: Reading, table: LabelTable) -> None:
    for piece in reading.sheaf.pieces:
        if reading.sheaf.rows[piece.row][piece.start].boxed:
            continue
        for found in _labels_of(reading.sheaf, piece, table):
            tokens = reading.tokens(found)
            found.box = (
                tokens[0].x0,
                min(t.y0 for t in tokens),
                tokens[-1].x1,
                max(t.y1 for t in tokens),
            )
            reading.labels.append(found)
            words = [t.text for t in reading.sheaf.rows[piece.row][piece.start : found.start]]
            numbered = bool(words) and strip_numbering([*words, "x"]) == len(words)
            start = piece.start if numbered else found.start  # "1.b." is no value either
            reading.taken.update((found.row, i) for i in range(start, found.end))


def _clean(tokens: Sequence[Token]) -> str:
    return " ".join(t.text for t in tokens).rstrip(":?_. ")


def _labels_of(sheaf: Sheaf, piece: Piece, table: LabelTable) -> Iterator[Found]:
    row = sheaf.rows[piece.row]
    begin = piece.start + strip_numbering([t.text for t in row[piece.start : piece.end]])
    at = begin
    lined = before_lines(sheaf, row, piece)
    for colon in range(begin, piece.end):
        if colon < at or not (row[colon].text.endswith(_ENDS) or colon in lined):
            continue
        if not row[colon].text.endswith(_ENDS) and goes_on(row, at, colon, piece.end, table):
            continue
        if row[colon].text.endswith("?") and colon - at > _UNKNOWN_WORDS:
            at = colon + 1
            continue
        found = _with_colon(row, piece.row, at, colon, begin=begin, table=table)
        if found:
            yield found
            at = found.end
    option = _beside_mark(sheaf, row[piece.start])
    alone = not option and stands_as_label(sheaf, row, piece, begin, table)
    if at == begin and not option and (bare := _without_colon(row, piece, begin, table, alone)):
        yield bare
        at = bare.end
    elif (
        at == begin > piece.start
        and row[piece.start].text[:1].isdigit()
        and piece.end - begin <= _UNKNOWN_WORDS
        and row[begin].text[:1].isalpha()
        and not any(c.isdigit() for c in row[begin].text)
    ):
        # "27. Mod": a numbered box is a label, known or not.
        yield Found(piece.row, piece.start, piece.end, Meaning(quality=0.5), colon=False)
        at = piece.end
    yield from _inside_text(row, piece, at, table)


def _inside_text(row: Sequence[Token], piece: Piece, at: int, table: LabelTable) -> Iterator[Found]:
    """``Jane Roe, DOB 05/30/1950 Phone 480-555-0126``: labels that their numbers give away."""
    i = at
    while i < piece.end - 1:
        for end in range(min(i + 3, piece.end - 1), i, -1):
            text = _clean(row[i:end]).strip("()[]•·,-\u2013")
            meaning = table.exact(text) if text and not row[i].text.startswith("(id") else None
            digits = sum(c.isdigit() for c in row[end].text)
            if meaning and meaning.attribute in _COUNTED and digits >= 3:
                yield Found(piece.row, i, end, meaning, colon=False)
                i = end
                break
        i += 1


def _with_colon(
    row: Sequence[Token], index: int, at: int, colon: int, *, begin: int, table: LabelTable
) -> Found | None:
    """The label that ends at a colon; an unknown one ends the value before it all the same."""
    end = colon + 1
    words = [t.text.rstrip(":?_") for t in row[at:end]]
    for start in range(max(at, end - LONGEST), end):
        text = _clean(without_parentheses(row[start:end]))
        meaning = table.look_up(text) if text else None
        if meaning is None and start == at == begin and len(words) <= _UNKNOWN_WORDS:
            meaning = table.parse(words)
        if meaning:
            if start > at and at == begin and _is_label_like(row[at:start]):
                # "Visit Date:" is not the "Date:": what stands before belongs to the label.
                return Found(index, at, end, Meaning(quality=0.5), colon=True)
            return Found(index, start, end, meaning, colon=True)
    if row[colon].text.endswith("?"):
        return None
    if at == begin and end - at <= _UNKNOWN_WORDS:
        return Found(index, at, end, Meaning(quality=0.5), colon=True)
    start = colon
    while start > at and colon - start < 2 and row[start - 1].text.isalpha():
        start -= 1
    return Found(index, start, end, Meaning(quality=0.3), colon=True)


def _is_label_like(tokens: Sequence[Token]) -> bool:
    """Up to three plain words: part of a longer label, not a value before it."""
    return len(tokens) <= 3 and all(re.fullmatch(r"[A-Za-z'/&.-]+", t.text) for t in tokens)


def _without_colon(
    row: Sequence[Token],
    piece: Piece,
    begin: int,
    table: LabelTable,
    alone: bool = False,  # noqa: FBT001, FBT002
) -> Found | None:
    """A label that a blank, a line or a typed value ends.

    ``alone`` says that the words stand as a field's label does, and may be as short as "Date".
    """
    longest = min(piece.end, begin + LONGEST)
    for end in range(longest, begin, -1):
        text = _clean(row[begin:end])
        key = squash(text)
        short = len(key) <= NEEDS_COLON and key not in _SHORT_LABELS
        stop = parenthesis_end(row, end, piece.end)
        surely = (alone and stop == piece.end) or is_surely(text, row[end : piece.end])
        if len(key) < 2 or (short and not surely):
            continue
        meaning = None if table.is_wording(text) else table.look_up(text)
        if meaning is None or swallows(row[begin:end], meaning, table):
            continue
        if stop < piece.end and end - begin > 1 and goes_on_as_label(row[stop].text):
            stop = piece.end
        if stop == piece.end:
            return Found(piece.row, begin, stop, meaning, colon=False)
        rest = row[stop : piece.end]
        has_digits = any(c.isdigit() for c in rest[0].text)
        if has_digits and (meaning.attribute in _COUNTED or takes(meaning, rest, table)):
            return Found(piece.row, begin, stop, meaning, colon=False)
        named = (
            meaning.quality == 1.0
            and end - begin >= 2
            and (meaning.fields or (meaning.attribute in _NAME_PARTS and len(rest) == 1))
            and len(rest) <= 6
            and all(t.text[:1].isupper() or not t.text[:1].isalpha() for t in rest)
            and not row[begin].text.isupper()
        )
        if named:
            return Found(piece.row, begin, stop, meaning, colon=False)
    return None


def _find_titles(reading: Reading, table: TitleTable, labels: LabelTable) -> None:
    sheaf = reading.sheaf
    by_row: dict[int, list[Found]] = {}
    for found in reading.labels:
        by_row.setdefault(found.row, []).append(found)
    for piece in sheaf.pieces:
        row = sheaf.rows[piece.row]
        tokens = row[piece.start : piece.end]
        words = [t.text for t in tokens]
        if _beside_mark(sheaf, tokens[0]):
            continue
        known = table.look_up([w.rstrip(":") for w in words])
        if known is None:
            continue
        party, _quality = known
        own = [f for f in by_row.get(piece.row, []) if piece.start <= f.start < piece.end]
        if len(words) == 1 and own and _begins_a_time(reading, own[0]):
            continue
        if any(f.meaning.attribute not in (None, "name") for f in own):
            continue
        plainly = re.fullmatch(r"(?i)info(?:rmation)?|details|data", words[-1].strip(" :.()"))
        if own and not plainly and not _heads_labels(reading, piece, table):
            continue
        if words[-1].endswith(":") and piece.end < len(row) and not own:
            beside = [
                t.text
                for p in sheaf.pieces
                if (p.row, p.start) == (piece.row, piece.end)
                for t in row[p.start : p.end]
            ]
            if party is None or table.look_up([w.rstrip(":") for w in beside]) is None:
                continue
        for found in own:
            reading.labels.remove(found)
        if party is None and (asked := _asks(words, labels)):
            reading.labels.append(
                Found(
                    piece.row,
                    piece.start,
                    piece.end,
                    asked,
                    colon=words[-1].endswith(":"),
                    box=(
                        tokens[0].x0,
                        min(t.y0 for t in tokens),
                        tokens[-1].x1,
                        max(t.y1 for t in tokens),
                    ),
                )
            )
        reading.taken.update((piece.row, i) for i in range(piece.start, piece.end))
        reading.titles.append(
            Title(
                piece.row,
                tuple(tokens),
                party,
                tokens[0].x0,
                tokens[-1].x1,
                min(t.y0 for t in tokens),
            )
        )
    _set_regions(reading)


def _begins_a_time(reading: Reading, found: Found) -> bool:
    """``From`` with a ``To`` or ``Through`` beside or under it asks for a day, not for somebody."""

    def asks(label: Found, end: str) -> bool:
        return any(name.endswith(end) for name in label.meaning.fields)

    return any(asks(found, e) for e in ("start_date", "_from")) and any(
        other is not found
        and 0 <= other.row - found.row <= _END_OF_TIME
        and any(asks(other, e) for e in ("end_date", "_to"))
        for other in reading.labels
    )


def _asks(words: Sequence[str], table: LabelTable) -> Meaning | None:
    """The meaning of a title that asks for text itself ("Reason for Referral")."""
    core = TitleTable.bare(words)
    for text in (" ".join(core), " ".join(words)):
        meaning = table.look_up(text) if text else None
        if meaning and meaning.fields and meaning.attribute is None and table.is_text(meaning):
            return meaning
    return None


def _beside_mark(sheaf: Sheaf, token: Token) -> bool:
    """Whether the words follow a check box: then they are an option."""
    return any(
        0 <= token.x0 - m[2] + 4 < 2.5 * sheaf.unit and m[1] - 4 < token.cy < m[3] + 4
        for m in sheaf.marks
    )


def _heads_labels(reading: Reading, piece: Piece, titles: TitleTable) -> bool:
    """Whether a label follows directly under the words, so that they are a title and no label."""
    sheaf = reading.sheaf
    row = sheaf.rows[piece.row]
    for other in sheaf.pieces:
        if other.row == piece.row and other.start == piece.end:
            words = [t.text for t in row[other.start : other.end]]
            if (piece.row, other.start) not in reading.taken and titles.look_up(words) is None:
                return False  # what stands beside is a value
    tokens = row[piece.start : piece.end]
    left = row[piece.start - 1].x1 if piece.start else 0.0
    right = row[piece.end].x0 if piece.end < len(row) else sheaf.sheet.width
    bottom = max(t.y1 for t in tokens)
    for index in range(piece.row + 1, min(piece.row + 3, len(sheaf.rows))):
        under = [
            i for i, t in enumerate(sheaf.rows[index]) if left <= t.x0 < right and t.cy > bottom
        ]
        if under:
            # Of a title set flush left the column begins at its first letter: what stands before
            # is a long value of the column beside.
            flush = [
                i
                for i in under
                if abs(sheaf.rows[index][i].x0 - tokens[0].x0) < _FLUSH * sheaf.unit
            ]
            close = sheaf.rows[index][under[0]].y0 - bottom < 2.5 * sheaf.unit
            return close and any(
                f.row == index and f.start <= first + 1 and f.end > first
                for first in (under[0], *flush[:1])
                for f in reading.labels
            )
    return False


def _set_regions(reading: Reading) -> None:
    """Side-by-side titles share the width at a rule, else before the next; until the next title."""
    width, height = reading.sheaf.sheet.width, reading.sheaf.sheet.height
    unit = reading.sheaf.unit
    titles = sorted(reading.titles, key=lambda t: (t.y0, t.x0))
    spans = {id(t): (t.x0, t.x1) for t in titles}
    for title in titles:
        beside = [t for t in titles if t is not title and abs(t.y0 - title.y0) < 0.8 * unit]
        own0, own1 = spans[id(title)]
        right = min((spans[id(t)][0] for t in beside if spans[id(t)][0] > own1), default=None)
        left = max((spans[id(t)][1] for t in beside if spans[id(t)][1] < own0), default=None)
        start, end = 0.0, width
        if right is not None:
            end = _split(reading, own1, right, title.y0)
        if left is not None:
            start = _split(reading, left, own0, title.y0)
        elif right is None and own0 > 0.48 * width:
            start = own0 - 2 * unit
        title.x0, title.x1 = start, end
    for i, title in enumerate(titles):
        title.y1 = min(
            (
                t.y0
                for t in titles[i + 1 :]
                if t.y0 > title.y0 + unit
                and min(t.x1, title.x1) - max(t.x0, title.x0) > 0.5 * (title.x1 - title.x0)
            ),
            default=height,
        )
    reading.titles = titles


def _split(reading: Reading, left: float, right: float, y: float) -> float:
    """Where two titles side by side part: at a rule beside or below them, else at the middle."""
    unit = reading.sheaf.unit
    rules = [
        (min(y1, y + 40 * unit) - max(y0, y), x)
        for x, y0, y1 in reading.sheaf.sheet.vertical
        if left < x < right and y0 <= y + 4 * unit and y1 > y + 0.5 * unit
    ]
    if rules:
        return max(rules)[1]
    middle = reading.sheaf.sheet.width / 2
    near = left < middle < right and right - middle < 0.16 * reading.sheaf.sheet.width
    return middle if near else right - unit


def _give_parties(reading: Reading, table: LabelTable) -> None:
    """Own words first, then the nearest label that names somebody, then the section."""
    unit = reading.sheaf.unit
    setters: list[Found] = []
    reaches: dict[int, float] = {}  # how far down each provider's labels follow without a break
    head = head_end(reading)
    for found in sorted(reading.labels, key=lambda f: (f.row, f.start)):
        if found.meaning.party and not _yields(reading, found, table, setters):
            found.party = found.meaning.party
            setters.append(found)
            continue
        x, y = found.box[0], (found.box[1] + found.box[3]) / 2
        title = title_at(reading, x, y)
        party = title.party if title else None
        setter = _setter_for(reading, found, setters, title)
        if setter is not None:
            close = found.box[1] - reaches.get(id(setter), setter.box[1]) < _SETTERS_REACH * unit
            switched = _is_provider(party) and _is_provider(setter.party)
            if party is None or setter.party == party or close or switched:
                party = setter.party
                if _is_provider(party) and found.meaning.attribute in _OFFICES:
                    reaches[id(setter)] = found.box[1]
        role = ("payer", found.meaning.attribute or "")
        if party is None and role in table.by_role and found.box[1] < head:
            party = "payer"
        found.party = party or table.schema.subject


def _yields(reading: Reading, found: Found, table: LabelTable, setters: Sequence[Found]) -> bool:
    """Whether a label names just any provider, under a title that says which: the title's it is.

    "Facility:" under "Referral From" is the referring practice; under "Rendering Provider" it is
    the rendering facility itself.
    """
    text = _clean(without_parentheses(reading.tokens(found)))
    title = title_at(reading, found.box[0], (found.box[1] + found.box[3]) / 2)
    attribute = _generic_attribute(text, table)
    if attribute and (title is None or not _is_provider(title.party)):
        # No title says which provider: a name right above or beside it does ("Office Phone").
        named = _setter_for(reading, found, setters, title)
        near = named and found.box[1] - named.box[1] < _SETTERS_REACH * reading.sheaf.unit
        if named is None or not near or not _is_provider(named.party):
            return False
        fields = table.fields_of(named.party, attribute)
        found.meaning = Meaning(fields, attribute, None, found.meaning.quality)
        return True
    if title is None or title.party == found.meaning.party or not _is_provider(title.party):
        return False
    if attribute:
        fields = table.fields_of(title.party, attribute)
        found.meaning = Meaning(fields, attribute, None, found.meaning.quality)
        return True
    if squash(text) not in table.generic:
        return False
    place = squash(text) in table.attributes or found.meaning.attribute == "practice"
    attribute = "practice" if place or _PLACE.search(text) else "name"
    fields = table.fields_of(title.party, attribute)
    found.meaning = Meaning(fields, attribute, None, found.meaning.quality)
    return True


def _generic_attribute(text: str, table: LabelTable) -> str | None:
    """``Office Fax``: what is asked of a provider of whom nothing more is said.

    A place is named on purpose ("Facility Fax" beside the prescriber's), a person or office not.
    """
    words = text.split()
    for cut in range(1, len(words)):
        front = squash(" ".join(words[:cut]))
        if front in table.generic and (front == squash("office") or not _PLACE.search(words[0])):
            attribute = table.attributes.get(squash(" ".join(words[cut:])))
            if attribute and attribute != "name":
                return attribute
    return None


def head_end(reading: Reading) -> float:
    """Where the letterhead ends: at the first party's title or the first label with a party."""
    height = reading.sheaf.sheet.height
    titles = [t.y0 for t in reading.titles if t.party not in (None, "payer")]
    labels = [
        f.box[1]
        for f in reading.labels
        if f.meaning.party in ("patient", "subscriber")
        or f.meaning.attribute in ("dob", "member_id", "npi")
    ]
    return min((*titles, *labels, 0.25 * height))


def _is_provider(party: str | None) -> bool:
    """Providers follow each other in one section: the latest that a label names goes on."""
    return party == "referred_to" or (party or "").endswith("_provider")


def title_at(reading: Reading, x: float, y: float) -> Title | None:
    """The title of the section that holds a point in pixels."""
    holding = [t for t in reading.titles if t.x0 <= x <= t.x1 and t.y0 - 2 <= y <= t.y1]
    return max(holding, key=lambda t: t.y0, default=None)


def _setter_for(
    reading: Reading, found: Found, setters: Sequence[Found], title: Title | None
) -> Found | None:
    """The label that names whom an unnamed one speaks of.

    The nearest to its left on the row; else the latest above. In a form of two columns that is the
    latest in its own column: the row of the other column's latest has a label in this one, too.
    """
    unit = reading.sheaf.unit
    x0, y0 = found.box[0], found.box[1]
    above = [
        s
        for s in setters
        if s.box[0] <= x0 + 2 * unit
        and s.box[1] <= y0 + unit
        and (title is None or title_at(reading, s.box[0], (s.box[1] + s.box[3]) / 2) is title)
    ]
    beside = [s for s in above if abs(s.box[1] - y0) < 0.6 * unit]
    if beside:
        return max(beside, key=lambda s: s.box[0])
    # A contact's own phone stands beside the name; what stands below is the office's.
    above = [
        s
        for s in above
        if s.party != "contact" and (s.party != OTHER_PERSON or _right_under(found, s, unit))
    ]
    if not above:
        return None
    latest = max(above, key=lambda s: (round(s.box[1] / unit), s.box[0]))
    aligned = [s for s in above if abs(s.box[0] - x0) < 3 * unit]
    own = max(aligned, key=lambda s: s.box[1], default=None)
    if own is None or own is latest:
        return latest
    in_column = any(
        abs(f.box[0] - x0) < 3 * unit and abs(f.box[1] - latest.box[1]) < 0.8 * unit
        for f in reading.labels
    )
    return own if in_column else latest


def _right_under(found: Found, setter: Found, unit: float) -> bool:
    """Whether a label that names nobody may go on about a spouse whose name stands over it.

    An address after the spouse's name is the address of both.
    """
    return (
        found.box[1] - setter.box[1] < _SETTERS_REACH * unit
        and abs(found.box[0] - setter.box[0]) < _FLUSH * unit
        and found.meaning.attribute in _OF_ONE_PERSON
    )


def _structure(readings: Sequence[Reading]) -> Structure:
    labels: list[Label] = []
    sections: list[Section] = []
    for reading in readings:
        sheet = reading.sheaf.sheet
        number = reading.sheaf.page.number
        for found in reading.labels:
            tokens = reading.tokens(found)
            labels.append(
                Label(
                    number,
                    _clean(tokens),
                    reading.sheaf.box(list(tokens)),
                    tuple(i for t in tokens for i in t.word_ids),
                    found.meaning.fields,
                    found.meaning.attribute,
                    found.party,
                    found.meaning.party is not None,
                    found.meaning.quality,
                    found.colon,
                )
            )
        for title in reading.titles:
            sections.append(
                Section(
                    number,
                    _clean(title.tokens),
                    title.party,
                    Box(
                        max(0.0, title.x0 / sheet.width),
                        max(0.0, title.y0 / sheet.height),
                        min(1.0, title.x1 / sheet.width),
                        min(1.0, title.y1 / sheet.height),
                    ),
                    tuple(i for t in title.tokens for i in t.word_ids),
                )
            )
    return Structure(tuple(labels), tuple(sections))

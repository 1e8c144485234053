# SPDX-License-Identifier: Apache-2.0
"""Values in several parts: last and first names, street and city, two numbers behind one label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idp.extract.answers import Value, candidate_of, joined, tokens_at
from idp.extract.labels import LabelTable, squash
from idp.extract.ports import Candidate
from idp.extract.readings import Reading
from idp.schemas import DocumentSchema
from idp.values import find
from idp.values.names import STATES
from idp.values.slips import to_digits

_NEXT_PART = 6
"""How many text heights under one part of a value the next may begin."""
_BETWEEN = frozenset({"address_2", "city"})
_UNIT_WORDS = 2
_COUNTER = squash("number")
_STATE_LETTERS = 4
"""The shortest state's name that is not an abbreviation (Iowa, Ohio, Utah)."""


def composed(
    reading: Reading, values: Sequence[Value], table: LabelTable, schema: DocumentSchema
) -> list[Candidate]:
    """Names out of last, first and middle; addresses out of street, city, state and ZIP."""
    made: list[Candidate] = []
    for value in values:
        attribute = value.found.meaning.attribute
        if attribute == "last_name":
            parts = [value, *_near(value, values, ("first_name", "middle_name"), reading, table)]
            made += _join_parts(reading, parts, "name", table, schema)
        elif attribute == "address" and not _is_print(value.spot.text, table):
            wanted = ("address_2", "city_state_zip", "city", "state", "zip")
            parts = [value, *_near(value, values, wanted, reading, table)]
            made += _join_parts(reading, parts, "address", table, schema)
    return made


def _near(
    value: Value,
    values: Sequence[Value],
    wanted: Sequence[str],
    reading: Reading,
    table: LabelTable,
) -> list[Value]:
    """The nearest later answer of each wanted attribute that speaks of the same party."""
    unit = reading.sheaf.unit
    chosen: list[Value] = []
    last = value
    for attribute in wanted:
        near = [
            v
            for v in values
            if v.found.meaning.attribute == attribute
            and _fits(attribute, v.spot.text)
            and not (attribute in ("address_2", "city", "state") and table.is_head(v.spot.text))
            and (v.found.party == value.found.party or v.found.meaning.party is None)
            and -1.2 * unit <= v.found.box[1] - value.found.box[1]
            and v.found.box[1] - _reached(reading, last) <= _NEXT_PART * unit
            and (
                abs(v.found.box[0] - value.found.box[0]) < 0.5 * reading.sheaf.sheet.width
                or any(abs(v.found.box[1] - p.found.box[1]) < unit for p in (value, *chosen))
            )
        ]
        if not near:
            continue

        def distance(v: Value) -> float:
            down = abs(v.found.box[1] - value.found.box[1])
            across = abs(v.found.box[0] - value.found.box[0])
            other = 0.0 if v.found.party == value.found.party else 20 * unit
            return down + 0.15 * across + other

        part = min(near, key=distance)
        if part.found.box[1] > last.found.box[1]:
            last = part
        if all(part.spot.tokens != other.spot.tokens for other in (value, *chosen)):
            chosen.append(part)
    if any(v.found.meaning.attribute == "city_state_zip" for v in chosen):
        chosen = [v for v in chosen if v.found.meaning.attribute not in ("city", "state", "zip")]
    return chosen


def _reached(reading: Reading, part: Value) -> float:
    """The height of the last part asked for under an answered one: those between may be blank."""
    unit = reading.sheaf.unit
    reach = part.found.box[1]
    for label in sorted(reading.labels, key=lambda f: f.box[1]):
        follows = 0 < label.box[1] - reach <= _NEXT_PART * unit
        beside = abs(label.box[0] - part.found.box[0]) < 0.5 * reading.sheaf.sheet.width
        if follows and beside and label.meaning.attribute in _BETWEEN:
            reach = label.box[1]
    return reach


def _fits(attribute: str, text: str) -> bool:
    """Whether a part of an address has the shape of one: other print near its label has not."""
    if attribute == "zip":
        return (
            re.fullmatch(r"\d{5}(?:-?\d{4})?", to_digits(re.sub(r"[\s,.]", "", text))) is not None
        )
    if attribute == "state":
        word = _spelled(text).strip(" .,")
        return word.upper() in STATES or (word.isalpha() and len(word) >= _STATE_LETTERS)
    if attribute == "address_2":
        # "Apartment" over another label's words: a number or a letter, hardly a sentence.
        return any(c.isdigit() for c in text) or len(text.split()) <= _UNIT_WORDS
    return attribute != "city" or sum(c.isalpha() for c in text) > sum(c.isdigit() for c in text)


def _is_print(text: str, table: LabelTable) -> bool:
    """Whether a street is nothing but labels of its parts ("Apt. Ste. Flr. Number")."""
    return all(
        squash(word) in table.attributes or squash(word) == _COUNTER for word in text.split()
    )


def _spelled(text: str) -> str:
    """``O H``: two letters in boxes are one word."""
    letters = text.split()
    return "".join(letters) if all(len(word) == 1 for word in letters) else text


def _join_parts(
    reading: Reading,
    parts: Sequence[Value],
    attribute: str,
    table: LabelTable,
    schema: DocumentSchema,
) -> list[Candidate]:
    head = parts[0]
    party = head.found.party
    names = table.fields_of(party, attribute) if party else ()
    if not names and party is None and attribute == "name":
        names = table.fields_of("patient", "name")
    made: list[Candidate] = []
    for name in names:
        field = schema.field(name)
        if field is None:
            continue
        tokens = [t for part in parts for t in part.spot.tokens]
        if attribute == "name":
            raw = " ".join((*(p.spot.text for p in parts[1:]), head.spot.text))
        else:
            raw = _address(parts)
        one = candidate_of(reading, head, field, tokens, raw)
        made += [one] if one else []
    return made


def _address(parts: Sequence[Value]) -> str:
    by_attribute = {p.found.meaning.attribute: p.spot.text.strip(" ,") for p in parts}
    street = ", ".join(
        text
        for key in ("address", "address_2", "city_state_zip", "city")
        if (text := by_attribute.get(key))
    )
    tail = " ".join(_spelled(text) for key in ("state", "zip") if (text := by_attribute.get(key)))
    return ", ".join(part for part in (street, tail) if part)


def split_pairs(
    reading: Reading, values: Sequence[Value], table: LabelTable, schema: DocumentSchema
) -> list[Candidate]:
    """``NPI/TIN`` and ``Phone/Fax``: two values behind one label."""
    pairs = {"npi_and_tax_id": ("npi", "tax_id"), "phone_and_fax": ("phone", "fax")}
    made: list[Candidate] = []
    for value in values:
        attributes = pairs.get(value.found.meaning.attribute or "")
        party = value.found.party
        if attributes is None or party is None:
            continue
        text, starts = joined(value.spot.tokens)
        for index, attribute in enumerate(attributes):
            for name in table.fields_of(party, attribute):
                field = schema.field(name)
                spans = find(field.kind, text) if field else ()
                place = index if attribute in ("phone", "fax") else 0
                if field and len(spans) > place:
                    own = tokens_at(value.spot.tokens, starts, spans[place].start, spans[place].end)
                    one = candidate_of(reading, value, field, own, spans[place].text)
                    made += [one] if one else []
    return made

# SPDX-License-Identifier: Apache-2.0
"""Which places hold a form's answers, where a person has looked: ``checked.yaml``.

What ``idp forms add`` guesses of a form is right for most places and not for all. Nothing can be
judged by a guess, so what the table says of a form stands instead of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args

import yaml

from idp.extract.crf_roles import role_of
from idp.forms.meaning import Meaning, plain
from idp.forms.nouns import Labelled, Part
from idp.schemas import DocumentSchema, FieldSchema
from training.forms.whole import REST, lacking

CHECKED = Path(__file__).with_name("checked.yaml")
_PARTS = frozenset(get_args(Part)) - {""}
PART_ROLES: Mapping[str, str] = {
    "first": "FIRST", "middle": "MIDDLE", "last": "LAST", "street": "STREET", "unit": "STREET",
    "city": "CITY", "state": "STATE", "zip": "ZIP", "zip4": "ZIP",
}  # fmt: skip


class Place(NamedTuple):
    """A place as the table names it: its number, and a word that is printed or said there."""

    number: int
    word: str


@dataclass(frozen=True)
class CheckedForm:
    """What a person says of one form: the places of its fields, and those to leave empty."""

    fields: Mapping[str, tuple[Mapping[str, Place], ...]]
    """Field: its groups of places by part or option (``""`` where the value stands whole)."""
    blank: frozenset[int]


class Applied(NamedTuple):
    """Meanings and groups of all places, and the places that stay empty."""

    meanings: tuple[Meaning, ...]
    groups: tuple[int, ...]
    blank: frozenset[int]


@cache
def checked_forms(path: Path = CHECKED) -> Mapping[str, CheckedForm]:
    """The table, by ``FAMILY/NAME``.

    Raises:
        ValueError: an entry names no place, or a place twice.
    """
    table = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {name: _form(name, entry or {}) for name, entry in table.items()}


def _form(name: str, entry: Mapping[str, object]) -> CheckedForm:
    blank = frozenset(_numbers(name, str(entry.get("blank") or "")))
    fields: dict[str, tuple[Mapping[str, Place], ...]] = {}
    seen: set[int] = set(blank)
    for field, several in entry.items():
        if field == "blank":
            continue
        made: list[Mapping[str, Place]] = []
        for group in several if isinstance(several, list) else [several]:
            parts = group if isinstance(group, dict) else {"": group}
            places = {str(part): _place(name, field, text) for part, text in parts.items()}
            for place in places.values():
                if place.number in seen:
                    raise ValueError(f"{name}: place {place.number} stands there twice")
                seen.add(place.number)
            made.append(places)
        fields[str(field)] = tuple(made)
    return CheckedForm(fields, blank)


def _place(name: str, field: str, text: object) -> Place:
    found = re.fullmatch(r"(\d+) (\S.*)", str(text))
    if found is None:
        raise ValueError(f"{name}: {field}: {text!r} is no number and word of a place")
    return Place(int(found[1]), found[2])


def _numbers(name: str, text: str) -> list[int]:
    """``3, 8-11`` as 3, 8, 9, 10 and 11."""
    found: list[int] = []
    for piece in filter(None, (p.strip() for p in text.split(","))):
        ends = re.fullmatch(r"(\d+)(?:-(\d+))?", piece)
        if ends is None:
            raise ValueError(f"{name}: blank: {piece!r} is no number of a place")
        found += range(int(ends[1]), int(ends[2] or ends[1]) + 1)
    return found


def applied(
    form: CheckedForm,
    items: Sequence[Labelled],
    guessed: Sequence[Meaning],
    schema: DocumentSchema,
) -> Applied:
    """The table's word instead of the guess.

    A place that the table does not name is nobody's: filled with somebody else's values, judged by
    nobody.

    Raises:
        ValueError: a place, field, part or option that there is not, a word that does not stand at
            the place, or a group that is no whole value.
    """
    made = [_nobody(meaning) for meaning in guessed]
    numbers = [0] * len(items)
    last = 0
    if unknown := [n for n in form.blank if n >= len(items)]:
        raise ValueError(f"there is no place {unknown[0]}")
    for name, several in form.fields.items():
        field = schema.field(name)
        if field is None:
            raise ValueError(f"{schema.type} has no field {name}")
        for group in several:
            last += 1
            ticks = bool(group) and all(
                _ticks(items, place) for place in group.values()
            )  # fmt: skip
            if not ticks and (short := lacking(field.kind, frozenset(group))):
                raise ValueError(f"{name}: a value without {', '.join(sorted(short))}")
            for part, place in group.items():
                _must_stand(items, place)
                made[place.number] = _meaning(field, part, ticks=ticks)
                numbers[place.number] = last
    return Applied(tuple(made), tuple(numbers), form.blank)


def _nobody(meaning: Meaning) -> Meaning:
    """What is left of a guess that the table does not confirm."""
    if not meaning.field and meaning.party != "patient":
        return meaning
    return meaning._replace(field="", option="", party="other")


def _ticks(items: Sequence[Labelled], place: Place) -> bool:
    return place.number < len(items) and items[place.number].widget.kind in ("check", "radio")


def _must_stand(items: Sequence[Labelled], place: Place) -> None:
    if place.number >= len(items):
        raise ValueError(f"there is no place {place.number}")
    item = items[place.number]
    said = plain(f"{item.label} {item.widget.tooltip} {item.widget.name}")
    if plain(place.word) not in said:
        raise ValueError(f"{place.word!r} does not stand at place {place.number}")


def _meaning(field: FieldSchema, part: str, *, ticks: bool) -> Meaning:
    role = role_of(field) or "X_TEXT"
    party = field.party or ""
    if ticks:
        if part not in field.options:
            raise ValueError(f"{field.name} has no option {part!r}")
        return Meaning(role, "", party, field.name, part)
    if part == REST:
        return Meaning("ADDRESS", "city", party, field.name)
    if part and part not in _PARTS:
        raise ValueError(f"{field.name}: {part!r} is no part")
    known: Part = part  # type: ignore[assignment]  # one of Part, as was just asked
    return Meaning(PART_ROLES.get(part, role), known, party, field.name)

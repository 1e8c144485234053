# SPDX-License-Identifier: Apache-2.0
"""What each place of a form asks for, by the table in ``fields.yaml``.

Three witnesses speak for a place: its tooltip, the printed label beside it, and its field's name.
Tooltips of real forms can name a neighbouring line and labels can be cut wrongly, so that a place
whose witnesses contradict each other is left without a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idp.errors import SchemaError
from idp.forms.nouns import Labelled, Part, WidgetKind
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind

TABLE = Path(__file__).with_name("fields.yaml")
_NAME_PARTS: Mapping[str, str] = {"FIRST": "NAME", "LAST": "NAME", "MIDDLE": "NAME"}
_ADDRESS_PARTS: Mapping[str, str] = dict.fromkeys(("STREET", "CITY", "STATE", "ZIP"), "ADDRESS")
_ONCE = frozenset({*_NAME_PARTS, "NAME", "DOB", "SEX", "EMAIL", "PHONE", "MOBILE"})
_COVERAGE = frozenset({"MEMBER_ID", "GROUP", "PAYER"})
_FAMILIES = {
    **_NAME_PARTS,
    **_ADDRESS_PARTS,
    "MOBILE": "PHONE",
    "SIGN_DATE": "X_DATE",
    "DOB": "X_DATE",
}
_HOW = re.compile(
    r"^enter (the )?(last |first |middle |second |next )?(\d|two|three|four|five)|characters max|"
    r"^this (is|field)|read only|pre ?populat|pre ?fill|auto ?populat|line \d of|required field|"
    r"please (print|sign)|dollar amount"
)
"""Sentences of a tooltip that say how to fill a place in, not what with."""
_WHERE = re.compile(r"mailing|residen|physical|\bhome\b|permanent|current|you live|veteran|patient")
_YOU = 5
"""The subject entry of "your" and "about you": whoever the form is about."""
_NARROW = 0.025
"""Page widths below which a place holds one character of a row that the file does not call one."""
_QUESTION = re.compile(r"^\W*(?:section [ivx0-9]+\b.{0,90}?\W)?(\d{1,3})\s*\.?\s*[a-z]?\b", re.I)
_PARTED: Mapping[str, str] = {
    "DOB": "date", "SIGN_DATE": "date", "X_DATE": "date",
    "PHONE": "phone", "MOBILE": "phone", "FAX": "phone", "ZIP": "zip",
}  # fmt: skip


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoleRow(_Row):
    """One line of the table: what a pattern means."""

    role: str
    pattern: re.Pattern[str]
    part: Part = ""
    attribute: str = ""
    fields: tuple[str, ...] = ()
    kinds: tuple[WidgetKind, ...] = ()
    weak: bool = False
    """Believed only where nothing else speaks."""


class PartRow(_Row):
    """Which piece of a value a sentence speaks of."""

    part: Part
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


class PartyRow(_Row):
    """Whom a pattern names."""

    party: str
    pattern: re.Pattern[str]
    subject: int = 0


class Table(_Row):
    """The whole of ``fields.yaml``."""

    roles: tuple[RoleRow, ...]
    parts: dict[Literal["date", "phone", "zip"], tuple[PartRow, ...]]
    parties: tuple[PartyRow, ...]
    schema_parties: dict[str, tuple[str, ...]]
    options: dict[str, dict[str, re.Pattern[str]]] = Field(default_factory=dict)


class Meaning(NamedTuple):
    """What a place asks for.

    ``role`` is empty where nothing is known, ``sure`` false where the witnesses contradict.
    """

    role: str = ""
    part: Part = ""
    party: str = ""
    field: str = ""
    option: str = ""
    sure: bool = True


@cache
def load_table(path: Path = TABLE) -> Table:
    """The table; raises :class:`SchemaError` when it is not well formed."""
    try:
        return Table.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SchemaError(f"{path.name}: {error}") from error


def plain(text: str) -> str:
    """Lower-case words: brackets dropped, ``camelCase`` and ``snake_case`` parted."""
    text = re.sub(r"\([^()]*\)", " ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)", " ", text)
    return " ".join(re.sub(r"[^a-z0-9#+]+", " ", text.lower()).split())


def _own_name(name: str) -> str:
    """The last part of a field's full name that says something, without its counter."""
    last = name.rsplit(".", 1)[-1]
    return plain(re.sub(r"\[\d+\]$", "", last))


def sentences(text: str) -> list[str]:
    """The sentences of a tooltip as plain words, the last (the most particular) first."""
    text = re.sub(r"\bV\. ?A\.|\bU\. ?S\.", "VA", text)
    parts = re.split(r"(?<=[a-zA-Z)])[.:;]\s+|(?<=\d)\.\s+(?=[A-Z])", text)
    found = [plain(part) for part in parts]
    return [part for part in reversed(found) if part and not part.isdigit()]


def _role_in(texts: Sequence[str], kind: WidgetKind, table: Table, *, weak: bool) -> RoleRow | None:
    for text in texts:
        for row in table.roles:
            if row.weak and not weak:
                continue
            if (not row.kinds or kind in row.kinds) and row.pattern.search(text):
                return row
    return None


def _part_in(role: str, texts: Sequence[str], table: Table) -> Part:
    rows = table.parts.get(_PARTED.get(role, ""), ())  # type: ignore[call-overload]
    for text in texts:
        for row in rows:
            if row.pattern.search(text) and not (row.unless and row.unless.search(text)):
                part: Part = row.part
                return part
    return ""


def _family(role: str) -> str:
    return _FAMILIES.get(role, role)


def _role_of(item: Labelled, table: Table) -> tuple[str, Part, RoleRow | None, bool]:
    """Role, part, the row that says so, and whether the witnesses agree."""
    widget = item.widget
    name = _own_name(widget.name)
    tips = sentences(widget.tooltip)
    if tips and plain(widget.tooltip) == name:
        tips = []
    whats = [tip for tip in tips if not _HOW.search(tip)] or tips
    label = [plain(item.label)] if item.label else []
    witnesses = [
        found
        for texts, weak in ((whats, False), (label, False), ([name], True))
        if (found := _role_in(texts, widget.kind, table, weak=weak))
    ]
    if not witnesses:
        return "", "", None, True
    counts: dict[str, int] = {}
    for row in witnesses:
        counts[_family(row.role)] = counts.get(_family(row.role), 0) + 1
    best = witnesses[0]
    sure = True
    if len(counts) > 1:
        most = max(counts.values())
        agreed = [f for f, n in counts.items() if n == most]
        if most > 1:
            best = next(w for w in witnesses if _family(w.role) == agreed[0])
        else:
            sure = best.role.startswith("X_")
    same = [r for r in witnesses if _family(r.role) == _family(best.role)]
    exact = [r.role for r in same]
    if len(set(exact)) > 1:
        # "Name" beside "Last name" is a last name; a last beside a first name is one too many.
        particular = [role for role in exact if role in _FAMILIES] or exact
        leader = max(particular, key=particular.count)
        if len(set(particular)) > 1 and particular.count(leader) == 1:
            sure = False
        best = next(r for r in same if r.role == leader)
    part = best.part
    found_part = _part_in(best.role, [*tips[:2], *label, name] if tips else [name, *label], table)
    return best.role, found_part or part, best, sure


def _party_in(text: str, table: Table) -> PartyRow | None:
    return next((row for row in table.parties if row.pattern.search(text)), None)


def meanings(
    items: Sequence[Labelled], schema: DocumentSchema, table: Table | None = None
) -> list[Meaning]:
    """The meaning of every place of one form.

    Args:
        items: All places of the form, in reading order.
        schema: Of the form's type: which fields there are.
        table: By default the shipped one.
    """
    table = table or load_table()
    rows = _parties(items, table)
    asked = [_role_of(item, table) for item in items]
    named = (
        row.subject
        for row, (role, *_) in zip(rows, asked, strict=True)
        if row and row.subject and _family(role) == "NAME"
    )
    subject = min(named, default=0)
    made: list[Meaning] = []
    seen: set[tuple[str, str]] = set()
    for item, row, (role, part, role_row, agreed) in zip(items, rows, asked, strict=True):
        party = row.party if row else "patient"
        another = row is not None and 0 < subject < row.subject < _YOU
        if another and role not in _COVERAGE:  # "Member ID" on a form about a patient is theirs
            party = "other"
        if role == "NAME" and row is None and not _is_plain_name(item):
            party = "other"  # the name of a thing, or of nobody in particular
        if row is None and role in _ONCE and _asked_again(item, role, part, seen):
            party = "other"
        narrow = item.widget.box.width < _NARROW and not _fits_narrow(role, part)
        sure = agreed and not (narrow and not _ticks(item))
        field = field_of(role_row, party, schema, table) if sure and role_row else ""
        option = _option(item, field, schema, table) if field else ""
        known = schema.field(field) if field else None
        if known and _ticks(item) != bool(option) and not (known.kind is Kind.SEX and not option):
            field = ""
        if _ticks(item) and not option:
            field = ""
        made.append(Meaning(role, part, party, field, option, sure))
    return composed(items, made)


def _parties(items: Sequence[Labelled], table: Table) -> list[PartyRow | None]:
    """Whom each place speaks of: by its own words, its question's, else its section's title."""
    own: list[PartyRow | None] = []
    for item in items:
        said = sentences(item.widget.tooltip)
        texts = (
            said[0] if said else "",
            _own_name(item.widget.name),
            plain(item.label),
            " ".join(reversed(said)),
        )
        own.append(next((row for text in texts if (row := _party_in(text, table))), None))
    questions = [_question(item) for item in items]
    by_question: dict[tuple[int, str, str], PartyRow] = {}
    for question, party in zip(questions, own, strict=True):
        if question and party:
            by_question.setdefault(question, party)
    return [
        party
        or (by_question.get(question) if question else None)
        or _party_in(plain(item.section), table)
        for item, question, party in zip(items, questions, own, strict=True)
    ]


def _asked_again(item: Labelled, role: str, part: str, seen: set[tuple[str, str]]) -> bool:
    """Whether nobody in particular is asked a second time: another member of the household."""
    if _ticks(item):  # the ticks of one choice share a name
        key = (role, f"{item.widget.page}/{item.widget.name}")
        again = any(r == role and name != key[1] for r, name in seen)
    else:
        key = (role, part)
        again = key in seen
    seen.add(key)
    return again


def _ticks(item: Labelled) -> bool:
    return item.widget.kind in ("check", "radio")


def _fits_narrow(role: str, part: str) -> bool:
    return role in ("MIDDLE", "STATE") or part in ("month", "day", "area", "unit")


def _is_plain_name(item: Labelled) -> bool:
    """Whether a place asks for "Name" and nothing more: that of the person it is about."""
    tips = [tip for tip in sentences(item.widget.tooltip) if not _HOW.search(tip)]
    text = re.sub(
        r"\b(\d+ ?[a-z]?|your|full|legal|print|printed|please|enter)\b",
        " ",
        (tips or [plain(item.label) or _own_name(item.widget.name)])[0],
    )
    return text.split() in (["name"], ["name", "last", "first", "middle"])


def _question(item: Labelled) -> tuple[int, str, str] | None:
    """Page, section and number of the question that a place answers a part of."""
    asked = _QUESTION.match(item.widget.tooltip) or _QUESTION.match(item.label)
    return (item.widget.page, item.section, asked.group(1)) if asked else None


def field_of(row: RoleRow, party: str, schema: DocumentSchema, table: Table) -> str:
    """The schema's field for a role of a party, or an empty string."""
    for name in row.fields:
        if schema.field(name):
            return name
    if row.role == "PAYER":
        return next((f.name for f in schema.fields if _is(f, "payer", "name")), "")
    if row.attribute in ("member_id", "group_number") and party in ("patient", "subscriber"):
        return next((f.name for f in schema.fields if f.attribute == row.attribute), "")
    for known in table.schema_parties.get(party, ()):
        for field in schema.fields:
            if _is(field, known, row.attribute):
                return field.name
    return ""


def _is(field: FieldSchema, party: str, attribute: str) -> bool:
    return bool(attribute) and field.party == party and field.attribute == attribute


def _option(item: Labelled, field: str, schema: DocumentSchema, table: Table) -> str:
    """What a tick at this place means for the field; empty for places to write in."""
    if item.widget.kind not in ("check", "radio"):
        return ""
    tips = sentences(item.widget.tooltip)
    texts = [plain(item.widget.on_state), plain(item.label), *tips[:1]]
    for text in texts:
        for option, pattern in table.options.get(field, {}).items():
            if text and pattern.search(text):
                return option
        known = schema.field(field)
        for option, wordings in (known.options if known else {}).items():
            if text and text in (option, *wordings):
                return option
    return ""


def composed(items: Sequence[Labelled], found: Sequence[Meaning]) -> list[Meaning]:
    """Wholes that turn out to be parts ("Address" before "City"), and parts that make no whole."""
    made = _by_lengths(items, found)
    for index, meaning in enumerate(made):
        if not meaning.field or meaning.part:
            continue
        before = found[index - 1] if index else Meaning()
        after = next((m for m in found[index + 1 : index + 4] if m.field == meaning.field), None)
        if _family(meaning.role) == "ADDRESS" and after and after.part in ("unit", "city"):
            made[index] = meaning._replace(part="street")
        elif before.field == meaning.field and before.part == "area":
            made[index] = meaning._replace(part="line")
    numbers = groups(items, made)
    whole = {
        number
        for number, meaning in zip(numbers, made, strict=True)
        if meaning.part in ("", "street") or _family(meaning.role) != "ADDRESS"
    }
    first = {m.field: n for m, n in reversed(list(zip(made, numbers, strict=True)))}
    own = {
        number
        for item, meaning, number in zip(items, made, numbers, strict=True)
        if first.get(meaning.field) == number
        or _family(meaning.role) != "ADDRESS"
        or _WHERE.search(plain(f"{item.widget.tooltip} {item.label} {item.widget.name}"))
    }  # a second address without a word on it is somebody else's
    whole &= own
    parts: dict[int, set[str]] = {}
    for meaning, number in zip(made, numbers, strict=True):
        parts.setdefault(number, set()).add(meaning.part)
    whole -= {
        number
        for meaning, number in zip(made, numbers, strict=True)
        if _family(meaning.role) in ("PHONE", "X_DATE")
        and "" not in parts[number]
        and not (parts[number] >= {"area", "line"} or parts[number] >= {"month", "day", "year"})
    }  # half a date or half a telephone number
    return [
        meaning if number in whole or not meaning.field else meaning._replace(field="", part="")
        for number, meaning in zip(numbers, made, strict=True)
    ]  # a state or a city alone is no address


_LENGTHS: Mapping[tuple[int, ...], tuple[frozenset[str], tuple[Part, ...]]] = {
    (3, 3, 4): (frozenset({"PHONE", "MOBILE", "FAX"}), ("area", "prefix", "line")),
    (2, 2, 4): (frozenset({"DOB", "SIGN_DATE"}), ("month", "day", "year")),
}
"""Three places in a row that hold so many characters are those parts, whatever they are called."""


def _by_lengths(items: Sequence[Labelled], found: Sequence[Meaning]) -> list[Meaning]:
    made = list(found)
    for start in range(len(items) - 2):
        three = items[start : start + 3]
        key = tuple(item.widget.max_length or 0 for item in three)
        if key not in _LENGTHS:
            continue
        roles, parts = _LENGTHS[key]
        same = {(m.role, m.field) for m in made[start : start + 3]}
        level = abs(three[0].widget.box.cy - three[2].widget.box.cy) < 0.01
        if level and len(same) == 1 and found[start].role in roles:
            for place, part in enumerate(parts, start):
                made[place] = made[place]._replace(part=part)
    return made


def groups(items: Sequence[Labelled], found: Sequence[Meaning]) -> list[int]:
    """Which places hold one value together: numbers from 1, 0 for places without a field.

    Parts of one field that follow one another belong together until a part comes again.
    """
    numbers: list[int] = []
    open_groups: dict[str, tuple[int, set[str], int]] = {}
    last = 0
    for item, meaning in zip(items, found, strict=True):
        if not meaning.field:
            numbers.append(0)
            continue
        key = meaning.option or meaning.part
        number, seen, page = open_groups.get(meaning.field, (0, set(), 0))
        whole = not meaning.part and not meaning.option
        if number == 0 or key in seen or whole or page != item.widget.page:
            last += 1
            number, seen = last, set()
        open_groups[meaning.field] = (number, seen | {key}, item.widget.page)
        numbers.append(number)
    return numbers

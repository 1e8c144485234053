# SPDX-License-Identifier: Apache-2.0
"""One row of a source as an entry of a directory, or why it is refused."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence

from idp.masters.nouns import Entry, Kind, Member, MemberNumber, Payer, Provider
from idp.masters.spelling import generation, plain
from idp.values import Kind as ValueKind
from idp.values import parse
from idp.values.names import is_organisation
from idp.values.slips import compact, squeeze

MOST_OF_A_VALUE = 200
MOST_VALUES = 50
"""Values of one kind that an entry may have."""

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T]0?0:00.*)?")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: 0?0:00.*)?")
_COMPACT_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")
_SEVERAL = re.compile(r"[;|\n]+")
_OPEN_END = frozenset({"9999-12-31", "9999-12-30", "2999-12-31"})
_REPEATED_GROUP = re.compile(r"(?<!\\)\)\s*[*+{]")
_SEXES = {"F": "female", "M": "male", "": ""}
"""What nearly every row says, without asking further."""

_EARLIEST = "1880-01-01"


class RefusedRow(Exception):  # noqa: N818 - never leaves this package
    """The row can't be taken; ``reason`` says why, without any of its values."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RowReader:
    """Makes entries of one kind out of rows whose columns are known."""

    def __init__(self, kind: Kind, places: Mapping[str, Sequence[int]], today: dt.date) -> None:
        self._kind = kind
        self._places = places
        self._today = today.isoformat()

    def entry(self, row: Sequence[str]) -> Entry:
        """The entry of one row.

        Raises:
            RefusedRow: It lacks what an entry needs, or a value is not of its kind.
        """
        cells = {column: self._cell(row, places) for column, places in self._places.items()}
        if self._kind == "members":
            return self._member(cells, row)
        if self._kind == "providers":
            return self._provider(cells)
        return self._payer(cells)

    def _cell(self, row: Sequence[str], places: Sequence[int]) -> str:
        """The first column that says something."""
        for place in places:
            text = squeeze(row[place]) if place < len(row) else ""
            if text and text.upper() not in ("NULL", "N/A", "\\N"):
                if len(text) > MOST_OF_A_VALUE and self._kind != "payers":
                    raise RefusedRow(f"a value of more than {MOST_OF_A_VALUE} characters")
                return text
        return ""

    def _all(self, row: Sequence[str], column: str) -> Iterable[str]:
        """Every value of all columns of one meaning."""
        for place in self._places.get(column, ()):
            yield from several(row[place]) if place < len(row) else ()

    def _member(self, cells: Mapping[str, str], row: Sequence[str]) -> Member:
        last, first, middle, suffix = person(cells)
        born = self._date(cells, "dob", "the birth date is no date")
        if born and not _EARLIEST <= born <= self._today:
            raise RefusedRow("the birth date lies in the future or too far back")
        payer = cells.get("payer", "")
        numbers = tuple(
            MemberNumber(number, payer)
            for number in dict.fromkeys(self._all(row, "member_id"))
            if len(compact(number)) >= 3
        )
        if not plain(last):
            raise RefusedRow("no family name")
        if not born and not numbers:
            raise RefusedRow("neither a birth date nor a member ID")
        return Member(
            canonical_id=cells.get("canonical_id") or _derived(last, first, born, numbers),
            last=last,
            first=first,
            middle=middle,
            suffix=suffix,
            former=tuple(self._all(row, "former_names")),
            born=born,
            numbers=numbers,
            sex=_sex(cells.get("sex", "")),
            phone=telephone(cells.get("phone", "")),
            zip=cells.get("zip", "")[:10],
            group=cells.get("group", ""),
            active_from=self._date(cells, "active_from", "the begin of the cover is no date"),
            active_to=_ended(self._date(cells, "active_to", "the end of the cover is no date")),
        )

    def _provider(self, cells: Mapping[str, str]) -> Provider:
        organisation = cells.get("organisation", "")
        named = cells.get("name", "")
        if named and not organisation and is_organisation(named):
            organisation, cells = named, {**cells, "name": ""}
        last, first, middle, suffix = person(cells)
        npi = cells.get("npi", "")
        if npi and not parse(ValueKind.NPI, npi).valid:
            raise RefusedRow("the NPI is not ten digits with a check digit that holds")
        if not npi and not plain(last) and not organisation:
            raise RefusedRow("neither an NPI nor a name")
        known = cells.get("canonical_id") or npi
        return Provider(
            canonical_id=known or _derived(last, first, organisation, ()),
            npi=parse(ValueKind.NPI, npi).value if npi else "",
            last=last,
            first=first,
            middle=middle,
            suffix=suffix,
            organisation=organisation,
            tax_id=re.sub(r"\D", "", cells.get("tax_id", "")),
            phones=telephones(cells.get("phone", "")),
            faxes=telephones(cells.get("fax", "")),
            specialty=cells.get("specialty", ""),
        )

    def _payer(self, cells: Mapping[str, str]) -> Payer:
        names = (cells.get("name", ""), *several(cells.get("aliases", "")))
        if not plain(names[0]):
            raise RefusedRow("no name")
        pattern = cells.get("member_id_pattern", "")
        if pattern:
            check_pattern(pattern)
        ids = tuple(several(cells.get("payer_id", "")))
        return Payer(
            canonical_id=cells.get("canonical_id") or (ids[0] if ids else compact(names[0])),
            names=tuple(dict.fromkeys(name for name in names if plain(name)))[:MOST_VALUES],
            payer_ids=ids,
            patterns=(pattern,) if pattern else (),
            phones=telephones(cells.get("phone", "")),
            faxes=telephones(cells.get("fax", "")),
        )

    def _date(self, cells: Mapping[str, str], column: str, reason: str) -> str:
        text = cells.get(column, "")
        if not text:
            return ""
        born = dt.date.fromisoformat(self._today) if column == "dob" else None
        found = date(text, born)
        if found is None:
            raise RefusedRow(reason)
        return found


def person(cells: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Family name, given name, middle name and generation, from columns or one whole name."""
    last, first = cells.get("last_name", ""), cells.get("first_name", "")
    middle, suffix = cells.get("middle_name", ""), generation(cells.get("suffix", ""))
    whole = cells.get("name", "")
    if not last and whole:
        before, comma, rest = whole.partition(",")
        words = (rest if comma else before).split()
        if comma:
            last, first, middle = before.strip(), words[0] if words else "", " ".join(words[1:])
        else:
            kept = [word for word in words if not generation(word)]
            suffix = suffix or next((generation(w) for w in words if generation(w)), "")
            last = kept[-1] if kept else ""
            first = kept[0] if len(kept) > 1 else ""
            middle = " ".join(kept[1:-1])
    parts = last.replace(",", " ").split()
    if not suffix and len(parts) > 1 and generation(parts[-1]):
        last, suffix = " ".join(parts[:-1]), generation(parts[-1])
    return last, first, middle, suffix


def several(text: str) -> tuple[str, ...]:
    """Values that share a cell, cut at ``;`` and ``|``."""
    parts = (squeeze(part) for part in _SEVERAL.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))[:MOST_VALUES]


def date(text: str, not_after: dt.date | None = None) -> str | None:
    """ISO 8601; a database's midnight is left out, month first where it is not told.

    ``not_after`` tells the century of a two-digit year.
    """
    found = _ISO.fullmatch(text)
    year, month, day = found.groups() if found else ("", "", "")
    if not found and (american := _AMERICAN.fullmatch(text)):
        month, day, year = american.groups()
    if year:
        try:
            return dt.date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            return None
    if _COMPACT_DATE.fullmatch(text):
        return date(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    parsed = parse(ValueKind.DATE, text, not_after=not_after)
    return parsed.value if parsed.valid else None


def telephone(text: str) -> str:
    """``NNN-NNN-NNNN``; what is no number is left out: nobody is found by it."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == 10:
        return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    return _parsed(ValueKind.PHONE, text).split(" x")[0]


def telephones(text: str) -> tuple[str, ...]:
    """All numbers of a cell."""
    return tuple(dict.fromkeys(number for part in several(text) if (number := telephone(part))))


def check_pattern(pattern: str) -> None:
    """A pattern that can be used, and that no member number can keep busy.

    Raises:
        RefusedRow: It is no regular expression, is too long, repeats a group, or fits nothing
            at all.
    """
    if len(pattern) > MOST_OF_A_VALUE:
        raise RefusedRow(f"the member ID pattern has more than {MOST_OF_A_VALUE} characters")
    if _REPEATED_GROUP.search(pattern):
        raise RefusedRow("the member ID pattern repeats a group: write it out")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(pattern, re.IGNORECASE)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise RefusedRow("the member ID pattern is no regular expression") from error
    if compiled.fullmatch(""):
        raise RefusedRow("the member ID pattern fits an empty number: it tells nothing")


def _ended(text: str) -> str:
    return "" if text in _OPEN_END or text.startswith("9999") else text


def _sex(text: str) -> str:
    found = _SEXES.get(text)
    return found if found is not None else _parsed(ValueKind.SEX, text)


def _parsed(kind: ValueKind, text: str) -> str:
    parsed = parse(kind, text) if text else None
    return parsed.value if parsed is not None and parsed.valid else ""


def _derived(*parts: object) -> str:
    """An id for a row that brings none: the same row gets the same one at every import."""
    told = "\x1f".join(str(part).casefold() for part in parts)
    return f"d-{hashlib.sha256(told.encode()).hexdigest()[:16]}"

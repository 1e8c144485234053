# SPDX-License-Identifier: Apache-2.0
"""Entries of the directories: members, providers, payers, as imported."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

Kind = Literal["members", "providers", "payers"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class MemberNumber(NamedTuple):
    """A number that a payer gave to a person; ``payer`` as the source names it, or empty."""

    number: str
    payer: str = ""


class Member(NamedTuple):
    """A person whom some payer covers; dates are ISO 8601, what is not known is empty."""

    canonical_id: str
    last: str
    first: str
    middle: str = ""
    suffix: str = ""
    former: tuple[str, ...] = ()
    """Former family names, each with nothing else."""
    born: str = ""
    numbers: tuple[MemberNumber, ...] = ()
    sex: str = ""
    phone: str = ""
    zip: str = ""
    group: str = ""
    active_from: str = ""
    active_to: str = ""

    def joined(self, other: Member) -> Member | None:
        """Both rows of one person as one entry; none where they speak of two people."""
        same = (self.last, self.first, self.born) == (other.last, other.first, other.born)
        if not same:
            return None
        return self._replace(
            numbers=tuple(dict.fromkeys((*self.numbers, *other.numbers))),
            former=tuple(dict.fromkeys((*self.former, *other.former))),
            active_from=_widest(self.active_from, other.active_from, min),
            active_to=_widest(self.active_to, other.active_to, max),
        )


class Provider(NamedTuple):
    """A physician, practice or facility; telephone numbers ``NNN-NNN-NNNN``."""

    canonical_id: str
    npi: str = ""
    last: str = ""
    first: str = ""
    middle: str = ""
    suffix: str = ""
    organisation: str = ""
    tax_id: str = ""
    phones: tuple[str, ...] = ()
    faxes: tuple[str, ...] = ()
    specialty: str = ""

    def joined(self, other: Provider) -> Provider | None:
        """Several places of one provider as one entry; none where they are two."""
        if (self.npi, self.last, self.first) != (other.npi, other.last, other.first):
            return None
        return self._replace(
            phones=tuple(dict.fromkeys((*self.phones, *other.phones))),
            faxes=tuple(dict.fromkeys((*self.faxes, *other.faxes))),
        )


class Payer(NamedTuple):
    """A health plan, administrator or review organisation."""

    canonical_id: str
    names: tuple[str, ...]
    """The name, then other names it goes by."""
    payer_ids: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    """Regular expressions that the whole of a member number of this payer matches."""
    phones: tuple[str, ...] = ()
    faxes: tuple[str, ...] = ()

    def joined(self, other: Payer) -> Payer | None:
        """Several rows of one payer as one entry."""
        return self._replace(
            names=tuple(dict.fromkeys((*self.names, *other.names))),
            payer_ids=tuple(dict.fromkeys((*self.payer_ids, *other.payer_ids))),
            patterns=tuple(dict.fromkeys((*self.patterns, *other.patterns))),
            phones=tuple(dict.fromkeys((*self.phones, *other.phones))),
            faxes=tuple(dict.fromkeys((*self.faxes, *other.faxes))),
        )


Entry = Member | Provider | Payer
TYPES: dict[Kind, type[Member] | type[Provider] | type[Payer]] = {
    "members": Member,
    "providers": Provider,
    "payers": Payer,
}


def packed(entry: Entry) -> str:
    """The entry as one line of text."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


def unpacked(kind: Kind, text: str) -> Entry:
    """What :func:`packed` made."""
    values: list[Any] = [tuple(v) if isinstance(v, list) else v for v in json.loads(text)]
    if kind != "members":
        return TYPES[kind](*values)
    member = Member(*values)
    return member._replace(numbers=tuple(MemberNumber(*number) for number in member.numbers))


class Printed(NamedTuple):
    """What a document says of one party; what it does not say is empty.

    ``name`` is one person's or organisation's name as normalised by extraction.
    """

    name: str = ""
    born: str = ""
    number: str = ""
    payer: str = ""
    """The canonical id of the payer that the document names, where our directory knows it."""
    sex: str = ""
    phones: tuple[str, ...] = ()
    faxes: tuple[str, ...] = ()
    zip: str = ""
    group: str = ""
    npi: str = ""
    tax_id: str = ""
    organisation: str = ""
    on: dt.date | None = None
    """The day on which cover is asked about."""
    births_told: bool = True
    """Whether papers of its kind print a birth date; remittances never do."""

    @property
    def empty(self) -> bool:
        """Whether nothing is said by which anybody could be found."""
        return not (self.name or self.number or self.npi or self.organisation)


def _widest(first: str, second: str, widest: Callable[[str, str], str]) -> str:
    """Of two ends of a period the farther one; an open end stays open."""
    return widest(first, second) if first and second else ""

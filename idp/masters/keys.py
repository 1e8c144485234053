# SPDX-License-Identifier: Apache-2.0
"""By what entries are found: keys that a printed party shares with whoever may be meant.

A key is a hash of 63 bits, so an index of a million members stays small and holds no value. Each
key survives another slip: a wrong digit in the number leaves birth date and name, a wrong birth
date leaves the number and the name with the year.
"""

from __future__ import annotations

from collections.abc import Iterator

from idp.masters.nouns import Entry, Member, Payer, Printed, Provider
from idp.masters.spelling import hashed, name_of, number_key, plain
from idp.values.slips import compact

_LIKE_LETTERS = str.maketrans("cgoqdeljtfrvwyknhxpbszm", "ccccccilltfuuyknhkpbssn")


def entry_keys(entry: Entry) -> frozenset[int]:
    """All keys of one entry."""
    if isinstance(entry, Member):
        return frozenset(_member_keys(entry))
    if isinstance(entry, Provider):
        return frozenset(_provider_keys(entry))
    return frozenset(_payer_keys(entry))


def _member_keys(member: Member) -> Iterator[int]:
    for number in member.numbers:
        yield hashed("id", number_key(number.number))
    first = plain(member.first)
    lasts = {plain(last) for last in (member.last, *member.former)}
    if member.born:
        yield hashed("born-first", member.born, _begins(first))
        for last in lasts:
            yield hashed("born-last", member.born, _begins(last))
    for last in lasts:
        yield hashed("name", last, first)
        if member.born:
            year, month, day = member.born.split("-")
            yield hashed("name-year", last, first, year)
            yield hashed("name-day", last, first, *sorted((month, day)))


def printed_member_keys(printed: Printed) -> Iterator[tuple[int, bool]]:
    """Keys of a printed person, and whether so many share one that only a few may be asked."""
    if number := number_key(printed.number):
        yield hashed("id", number), False
    readings = list(dict.fromkeys(_readings(printed.name)))
    if printed.born:
        for begins in dict.fromkeys(_begins(word) for pair in readings for word in pair):
            yield hashed("born-first", printed.born, begins), False
            yield hashed("born-last", printed.born, begins), False
    for last, first in readings:
        if printed.born.count("-") == 2:
            year, month, day = printed.born.split("-")
            yield hashed("name-year", last, first, year), False
            yield hashed("name-day", last, first, *sorted((month, day))), False
    for last, first in readings:
        yield hashed("name", last, first), True


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """Family and given name by every sensible reading of a printed name."""
    name = name_of(text)
    words = name.words
    if name.comma:
        yield "".join(words[: name.comma]), words[name.comma] if words[name.comma :] else ""
        return
    if len(words) == 1:
        yield words[0], ""
    for cut in range(1, len(words)):
        yield "".join(words[cut:]), words[0]
        yield "".join(words[:cut]), words[cut]


def _begins(word: str) -> str:
    """The first letter, letters that are read for each other as one."""
    return word[:1].translate(_LIKE_LETTERS)


def _provider_keys(provider: Provider) -> Iterator[int]:
    if provider.npi:
        yield hashed("npi", provider.npi)
    if provider.tax_id:
        yield hashed("tax", provider.tax_id)
    for number in (*provider.phones, *provider.faxes):
        yield hashed("phone", number)
    if provider.last:
        yield hashed("name", plain(provider.last), plain(provider.first))
    if provider.organisation:
        yield hashed("organisation", plain(provider.organisation))


def printed_provider_keys(printed: Printed) -> Iterator[tuple[int, bool]]:
    """Keys of a printed provider; see :func:`printed_member_keys`."""
    if printed.npi:
        yield hashed("npi", printed.npi), False
    if printed.tax_id:
        yield hashed("tax", "".join(s for s in printed.tax_id if s.isdigit())), True
    for number in (*printed.phones, *printed.faxes):
        yield hashed("phone", number.split(" x")[0]), True
    for last, first in dict.fromkeys(_readings(printed.name)):
        yield hashed("name", last, first), True
    for name in (printed.organisation, printed.name):
        if name:
            yield hashed("organisation", plain(name)), True


def _payer_keys(payer: Payer) -> Iterator[int]:
    for name in payer.names:
        yield hashed("name", plain(name))
    for number in payer.payer_ids:
        yield hashed("payer", compact(number))

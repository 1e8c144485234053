# SPDX-License-Identifier: Apache-2.0
"""A thousand documents as faxes are read, against five thousand members: nobody is mistaken.

People come from the samples' registry with more names than it has, so that namesakes, relatives,
twins and shared numbers stand in one directory. Documents are read with slips in name, birth date
and number, and one in ten is about somebody whom the directory does not have: a twin, a junior, a
namesake, a neighbour in number.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import re
import sys
from collections import Counter
from typing import NamedTuple

import pytest

from idp.masters import Directories, Printed, Verdict, ask_member, import_directory
from idp.samples.people import Registry
from idp.values import Kind, parse

NOW = dt.datetime(2026, 3, 12, tzinfo=dt.UTC)
MEMBERS, DOCUMENTS = 5_000, 1_000
_SLIPS = {
    "0": "O", "O": "0", "1": "I", "I": "1", "5": "S", "S": "5", "8": "B", "B": "8", "2": "Z",
    "Z": "2", "e": "c", "c": "e", "a": "o", "o": "a", "n": "h", "h": "b", "r": "t", "l": "i",
    "i": "l", "u": "v", "t": "f", "m": "rn", "d": "cl", "3": "8", "6": "8", "9": "4", "7": "1",
    "4": "9",
}  # fmt: skip
_BEGINNINGS = re.findall(
    r"\w+", "Bel Car Dor El Fen Gar Hal Is Jor Ken Lor Mar Nor Os Per Quin Ros Sel Tor Val"
)
_MIDDLES = re.findall(r"\w+", "a e i o an en in on ar er")
_ENDINGS = re.findall(r"\w+", "dan ta ra lin mond beth lia vin ston ley wick ford ner sen")


class Person(NamedTuple):
    key: str
    first: str
    last: str
    born: dt.date
    sex: str
    number: str
    phone: str


def people(dice: random.Random) -> list[Person]:
    """Members; about one in twelve shares name, birth date or number with another."""
    registry = Registry(7)
    firsts = sorted({b + m + e for b in _BEGINNINGS for m in _MIDDLES for e in _ENDINGS[:5]})
    lasts = sorted({b + m + e for b in _BEGINNINGS for m in _MIDDLES for e in _ENDINGS[5:]})
    found: list[Person] = []
    while len(found) < MEMBERS:
        drawn, cover = registry.person(), registry.cover()
        key = f"m{len(found)}"
        one = Person(key, dice.choice(firsts), dice.choice(lasts), drawn.born, drawn.sex,
                     cover.member_id, drawn.phone)  # fmt: skip
        found.append(one)
        kind = dice.random()
        relative = one._replace(key=f"m{len(found)}", phone=registry.phone())
        if kind < 0.03:  # twins with the family's number
            found.append(relative._replace(first=dice.choice(firsts)))
        elif kind < 0.05:  # father and son of one name and number
            found.append(relative._replace(born=generation(one.born)))
        elif kind < 0.07:  # a namesake
            found.append(
                relative._replace(born=registry.person().born, number=registry.cover().member_id)
            )
        elif kind < 0.08:  # the same name and birth date, another person
            found.append(relative._replace(number=registry.cover().member_id))
    return found[:MEMBERS]


def generation(born: dt.date) -> dt.date:
    """The birth date of a father or a son."""
    return born + dt.timedelta(days=365 * (28 if born.year < 1985 else -28))


def stranger(one: Person, dice: random.Random, registry: Registry) -> Person:
    """Somebody whom the directory does not have, as like a member as people are."""
    first = Registry(dice.randrange(10**6)).person().first
    other = registry.cover().member_id
    return dice.choice(
        (
            one._replace(key="", first=first),  # a twin, not enrolled
            one._replace(key="", born=generation(one.born)),  # father or son
            one._replace(key="", born=registry.person().born, number=other),
            one._replace(key="", number=other, first=first, born=registry.person().born),
        )
    )


def read(text: str, dice: random.Random, share: float) -> str:
    """As a recogniser gives it back: here and there a sign that looks alike."""
    return "".join(
        _SLIPS[sign] if sign in _SLIPS and dice.random() < share else sign for sign in text
    )


def printed(one: Person, dice: random.Random, share: float) -> Printed:
    """What extraction makes of a form about somebody, read with slips."""
    name = dice.choice((f"{one.first} {one.last}", f"{one.last}, {one.first}",
                        f"{one.last.upper()}, {one.first.upper()}"))  # fmt: skip
    born = read(f"{one.born:%m/%d/%Y}", dice, share)
    date = parse(Kind.DATE, born, not_after=NOW.date())
    number = dice.random() > 0.05
    return Printed(
        name=parse(Kind.PERSON, read(name, dice, share)).value,
        born=date.value if date.valid and dice.random() > 0.05 else "",
        number=read(one.number, dice, share) if number else "",
        sex=one.sex.lower() if dice.random() < 0.5 else "",
        phones=(parse(Kind.PHONE, one.phone).value,) if dice.random() < 0.4 else (),
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> tuple[Directories, list[Person]]:
    folder = tmp_path_factory.mktemp("masters")
    members = people(random.Random(11))
    source = folder / "members.csv"
    with source.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(("MRN", "First Name", "Last Name", "DOB", "Sex", "Member ID", "Phone"))
        rows.writerows((p.key, p.first, p.last, p.born, p.sex, p.number, p.phone) for p in members)
    done = import_directory(folder / "masters", "members", str(source), now=NOW)
    assert (done.entries, done.refused) == (MEMBERS, ())
    return Directories(folder / "masters"), members


def tally(directories: Directories, members: list[Person], share: float) -> Counter[str]:
    dice, registry = random.Random(23), Registry(29)
    counted: Counter[str] = Counter()
    known = {(*one[1:4], one.number) for one in members}
    for number in range(DOCUMENTS):
        one = dice.choice(members)
        about = stranger(one, dice, registry) if number % 10 == 0 else one
        if (*about[1:4], about.number) in known:
            about = one  # the other of two who are both enrolled is no stranger
        verdict = ask_member(printed(about, dice, share), directories)
        counted[_told(about, verdict)] += 1
    return counted


def _told(about: Person, verdict: Verdict) -> str:
    if verdict.outcome != "matched" or verdict.best is None:
        return f"{'stranger' if not about.key else 'member'} {verdict.outcome}"
    return "right" if verdict.best.member.canonical_id == about.key else "WRONG"


@pytest.mark.parametrize(
    ("page", "share", "least"),
    [("clean", 0.0, 0.85), ("fine fax", 0.01, 0.80), ("fax", 0.04, 0.70)],
)
def test_nobody_is_mistaken_and_most_are_found(
    directory: tuple[Directories, list[Person]], page: str, share: float, least: float
) -> None:
    counted = tally(*directory, share)
    told = sum(n for what, n in counted.items() if what in ("right", "WRONG"))
    sys.stdout.write(
        f"\n{page}, {share:.0%} of the signs misread: {dict(counted)}; {told} matched\n"
    )
    assert counted["WRONG"] == 0
    of_members = DOCUMENTS - sum(n for what, n in counted.items() if what.startswith("stranger"))
    assert counted["right"] / of_members >= least

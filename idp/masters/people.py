# SPDX-License-Identifier: Apache-2.0
"""Whether somebody printed on a document is a member: the rule of two of three.

Of name, birth date and member number two agree exactly and the third nearly: it is that member. Two
agree and the third speaks against it, or one agrees and the others nearly: a person decides. Plain
functions of what is printed and of the candidates; what differs is told, never with whose value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple

import yaml
from pydantic import TypeAdapter

from idp.masters.nouns import Member, Printed
from idp.masters.spelling import (
    Closeness,
    Name,
    name_of,
    number_key,
    plain,
    slips,
    word_closeness,
)
from idp.settings import SHIPPED_RULES
from idp.values.slips import compact

Agreement = Literal["same", "near", "differs", "absent"]
Outcome = Literal["matched", "near", "ambiguous", "none"]

_WEIGHT: dict[Agreement, float] = {"same": 1.0, "near": 0.6, "absent": 0.3, "differs": 0.0}
_CLEARLY = 0.15
"""How much better than the next the best of several near ones has to be."""

_GENERATION = 10
"""In years: births further apart are no slip of a pen but father and son."""

_SHORTEST_NUMBER = 6
_LONGEST_TAIL = 3
"""Signs behind a member's number that count the people of a family."""

_FEWEST_LETTERS = 2


class Agreed(NamedTuple):
    """One thing held against a directory's: how it agrees, and that in words without a value."""

    how: Agreement
    said: str
    slip: bool = False
    """It agrees, or nearly, but is not sign for sign what the directory has."""


class Compared(NamedTuple):
    """What is printed held against one member."""

    member: Member
    name: Agreed
    born: Agreed
    number: Agreed
    births_told: bool = True
    beside: tuple[Agreed, ...] = ()
    """Sex, telephone, ZIP, group, payer, cover: they support or warn, they do not identify."""

    @property
    def three(self) -> tuple[Agreed, Agreed, Agreed]:
        return self.name, self.born, self.number

    @property
    def exact(self) -> int:
        return sum(one.how == "same" for one in self.three)

    @property
    def against(self) -> bool:
        """Whether one of the three speaks against it."""
        return any(one.how == "differs" for one in self.three)

    @property
    def score(self) -> float:
        """0..1: how much of the three agrees, 1.0 for all of them exactly."""
        return round(sum(_WEIGHT[one.how] for one in self.three) / 3, 3)

    @property
    def evidence(self) -> tuple[str, ...]:
        return tuple(one.said for one in (*self.three, *self.beside) if one.said)

    @property
    def outcome(self) -> Literal["matched", "near", "none"]:
        """By the rule of two of three, as if there were no other candidate."""
        if self.exact >= 2:
            return "matched" if not self.against and self._enough() else "near"
        if self.number.how == "same":
            return "near"
        if self.against and not (self.exact and "near" in (o.how for o in self.three)):
            return "none"
        return "near" if self.exact else "none"

    def _enough(self) -> bool:
        """Whether two that agree suffice where the third is not told, and nothing else warns."""
        if any(one.how == "differs" and one.said.startswith("sex") for one in self.beside):
            return False
        if self.name.how == "absent":
            return False  # twins share the birth date, families the number
        if self.born.how == "absent":
            # Father and son share name, number and household; who prints births has to tell.
            return not self.births_told
        if self.number.how == "absent":
            return any(one.how == "same" for one in self.beside)
        return True


class Verdict(NamedTuple):
    """What becomes of all candidates together; ``best`` is nobody's where the outcome is none."""

    outcome: Outcome
    best: Compared | None = None
    others: tuple[Compared, ...] = ()
    """Further candidates that a person has to tell from the best."""


def match_member(
    printed: Printed,
    candidates: Iterable[Member],
    *,
    is_given_name: Callable[[str], bool] = lambda word: False,
    payer_of: Callable[[str], str] = lambda text: "",
) -> Verdict:
    """Which of the candidates is meant.

    Args:
        printed: What the document says.
        candidates: Who may be meant; each once.
        is_given_name: Whether a folded word is somebody's given name: then it is no slip for
            another one (Jean is not Joan misread).
        payer_of: The canonical id of a payer as the member directory names it.
    """
    compared = [
        one
        for one in (compare(printed, m, is_given_name, payer_of) for m in candidates)
        if one.outcome != "none"
    ]
    compared.sort(key=lambda one: (-one.score, one.member.canonical_id))
    matched = [one for one in compared if one.outcome == "matched"]
    if matched:
        whole = [one for one in matched if one.exact == 3]
        winners = whole or matched
        best = winners[0]
        # Where the third was not told, nobody else may come into question at all.
        rivals = winners[1:]
        if any(one.how == "absent" for one in best.three):
            rivals = [one for one in compared if one is not best and not one.against]
        if rivals:
            return Verdict("ambiguous", best, tuple(rivals))
        return Verdict("matched", best)
    if not compared:
        return Verdict("none")
    best, rest = compared[0], compared[1:]
    close = [one for one in rest if best.score - one.score < _CLEARLY]
    return Verdict("ambiguous" if close else "near", best, tuple(close))


def compare(
    printed: Printed,
    member: Member,
    is_given_name: Callable[[str], bool] = lambda word: False,
    payer_of: Callable[[str], str] = lambda text: "",
) -> Compared:
    """What is printed held against one member."""
    return Compared(
        member,
        _names(printed.name, member, is_given_name),
        births(printed.born, member.born),
        _numbers(printed.number, member),
        printed.births_told,
        tuple(_beside(printed, member, payer_of)),
    )


def _names(printed: str, member: Member, is_given_name: Callable[[str], bool]) -> Agreed:
    if not printed:
        return Agreed("absent", "name: not on the document")
    name = name_of(printed)
    best = Agreed("differs", "name: differs")
    order = ("differs", "near", "same")
    lasts = ((member.last, False), *((former, True) for former in member.former))
    for given, family in _readings(name):
        for last, former in lasts:
            found = _reading(given, family, member, last, is_given_name)
            if former and found.how == "same":
                found = Agreed("same", "name: same as a former one")
            better = order.index(found.how) > order.index(best.how)
            if better or (best.said == "name: differs" and found.how == best.how):
                best = found
    if best.how == "differs" or name.suffix == member.suffix:
        return best
    if name.suffix and member.suffix:
        return Agreed("differs", "name: another generation (Jr., Sr.)")
    said = f"{best.said}; a generation (Jr., Sr.) is told on one side only"
    return Agreed("near", said, best.slip)


def _readings(name: Name) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every way to take the words as given and family names."""
    words = name.words
    if name.comma:
        yield words[name.comma :], words[: name.comma]
        return
    if len(words) == 1:
        yield (), words
    for cut in range(1, len(words)):
        yield words[:cut], words[cut:]
        yield words[cut:], words[:cut]


def _reading(
    given: Sequence[str],
    family: Sequence[str],
    member: Member,
    last: str,
    is_given_name: Callable[[str], bool],
) -> Agreed:
    """One way to read a name held against the member's, with one of his family names."""
    lasts = _family_closeness("".join(family), last)
    firsts, first_said = _given_closeness(given, member, is_given_name)
    if lasts == "other" and firsts == "other":
        return Agreed("differs", "name: differs")
    if lasts == "other":
        return Agreed("differs", "name: family name differs")
    if firsts == "other":
        return Agreed("differs", "name: given name differs")
    if lasts == "same" and firsts == "same":
        return Agreed("same", "name: same")
    said = [first_said] if firsts == "near" else []
    said += ["family name nearly the same"] if lasts == "near" else []
    return Agreed("near", f"name: {', '.join(said)}", slip=True)


def _family_closeness(printed: str, last: str) -> Closeness:
    whole = plain(last)
    found = word_closeness(printed, whole)
    if found != "other":
        return found
    parts = [plain(part) for part in last.replace("-", " ").split()]
    return "near" if len(parts) > 1 and printed in parts and len(printed) > 2 else "other"


def _given_closeness(
    given: Sequence[str], member: Member, is_given_name: Callable[[str], bool]
) -> tuple[Closeness, str]:
    first, middle = plain(member.first), plain(member.middle)
    if not given or not first:
        return "near", "no given name is told" if first else "the directory has no given name"
    if "".join(given) == first + middle or "".join(given) == first:
        return "same", ""
    own, rest = given[0], "".join(given[1:])
    if own == first:
        if not rest or not middle or _initial_of(rest, middle):
            return "same", ""
        close = word_closeness(rest, middle) if len(rest) > 1 else "other"
        return "near", "middle name differs" if close == "other" else "middle name nearly the same"
    said = _other_given(given, first, middle, is_given_name)
    return ("near", said) if said else ("other", "")


def _other_given(
    given: Sequence[str], first: str, middle: str, is_given_name: Callable[[str], bool]
) -> str:
    """In which way other given names may still be the same person's; empty when they are not."""
    own, joined = given[0], "".join(given)
    if min(len(own), len(first)) < _FEWEST_LETTERS:
        fits = own[0] == first[0] or joined[1:] == first
        return "given name by its first letter" if fits else ""
    if first in _nicknames().get(own, frozenset()):
        return "a short form of the given name"
    if middle and own == middle and len(middle) >= _FEWEST_LETTERS:
        return "the middle name stands for the given name"
    for word in (own, joined):
        if word_closeness(word, first) == "near" and not is_given_name(word):
            return "given name nearly the same"
    return ""


def _initial_of(one: str, other: str) -> bool:
    """Whether both are one middle name, or one is the first letter of the other."""
    if min(len(one), len(other)) == 1:
        return one[0] == other[0]
    return one == other


def is_short_form(first: str, second: str) -> bool:
    """Whether one person may go by both given names (``bob``, ``robert``), as plain words.

    Two short forms of one full name (``bob``, ``rob``) are one person's, too.
    """
    known = _nicknames()
    ones, others = known.get(first, frozenset()), known.get(second, frozenset())
    return second in ones or bool((ones | {first}) & others)


@cache
def _nicknames() -> Mapping[str, frozenset[str]]:
    """Each given name with those that the same person may go by."""
    path = SHIPPED_RULES / "masters" / "nicknames.yaml"
    if not path.is_file():
        return {}
    told = TypeAdapter(list[list[str]]).validate_python(
        yaml.safe_load(path.read_text(encoding="utf-8"))
    )
    found: dict[str, set[str]] = {}
    for full, *short in told:
        for name in short:
            found.setdefault(full, set()).add(name)
            found.setdefault(name, set()).add(full)
    return {name: frozenset(others) for name, others in found.items()}


def births(printed: str, known: str) -> Agreed:
    """Two birth dates: the same, or nearly: a digit, or day and month changed places."""
    if not printed or not known:
        side = "in the directory" if printed else "on the document"
        return Agreed("absent", f"birth date: not {side}")
    if printed == known:
        return Agreed("same", "birth date: same")
    try:
        one, other = dt.date.fromisoformat(printed), dt.date.fromisoformat(known)
    except ValueError:
        return Agreed("absent", "birth date: not readable as a date")
    near = _how_near(one, other)
    return (
        Agreed("near", f"birth date: {near}", slip=True)
        if near
        else Agreed("differs", "birth date: differs")
    )


def _how_near(one: dt.date, other: dt.date) -> str:
    """In which way two dates are nearly one; empty when they are not."""
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return "day and month changed places"
    left, right = f"{one:%Y%m%d}", f"{other:%Y%m%d}"
    if abs(one.year - other.year) > _GENERATION:
        return ""
    if sum(a != b for a, b in zip(left, right, strict=True)) == 1:
        return "one digit differs"
    return "two digits changed places" if slips(left, right) <= 1.0 else ""


def _numbers(printed: str, member: Member) -> Agreed:
    """A printed member number held against all that the member has."""
    if not compact(printed):
        return Agreed("absent", "member ID: not on the document")
    if not member.numbers:
        return Agreed("absent", "member ID: not in the directory")
    found = [_number(printed, number.number) for number in member.numbers]
    order = {"same": 0, "near": 1, "differs": 2}
    return min(found, key=lambda one: (order[one.how], one.slip))


def _number(printed: str, known: str) -> Agreed:
    if compact(printed) == compact(known):
        return Agreed("same", "member ID: same")
    one, other = number_key(printed), number_key(known)
    if one == other:
        return Agreed("same", "member ID: same but for signs read for each other", slip=True)
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _SHORTEST_NUMBER:
        return Agreed("differs", "member ID: differs")
    if longer.startswith(shorter) and len(longer) - len(shorter) <= _LONGEST_TAIL:
        return Agreed("near", "member ID: same but for its last signs", slip=True)
    if slips(one.lower(), other.lower()) <= 1.0:
        return Agreed("near", "member ID: nearly the same", slip=True)
    return Agreed("differs", "member ID: differs")


def _beside(printed: Printed, member: Member, payer_of: Callable[[str], str]) -> Iterable[Agreed]:
    """What supports or warns; only what both sides tell."""
    if printed.sex in ("female", "male") and member.sex in ("female", "male"):
        # Half of all people have the same sex: it warns, but supports nobody.
        same = printed.sex == member.sex
        yield Agreed("near", "sex: same") if same else Agreed("differs", "sex: differs")
    if printed.phones and member.phone and member.phone in printed.phones:
        yield Agreed("same", "telephone: same")
    if printed.zip and member.zip and printed.zip[:5] == member.zip[:5]:
        yield Agreed("same", "ZIP code: same")
    if printed.group and member.group and compact(printed.group) == compact(member.group):
        yield Agreed("same", "group: same")
    payers = {payer_of(number.payer) for number in member.numbers if number.payer} - {""}
    if printed.payer and payers and printed.payer not in payers:
        yield Agreed("differs", "payer: differs")
    if printed.on is not None:
        day = printed.on.isoformat()
        if member.active_to and member.active_to < day:
            yield Agreed("differs", "cover: has ended")
        elif member.active_from and member.active_from > day:
            yield Agreed("differs", "cover: has not begun")

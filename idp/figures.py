# SPDX-License-Identifier: Apache-2.0
"""Figures of the review for those who answer for it: aggregate, with how far each can be trusted.

They say how the work is, not how good somebody is: documents differ, and nobody chooses theirs.
So there is no ranking and no list of people; one person's figures stand beside what the same kinds
of documents take everybody, and are shown only from enough documents on. ``docs/review-figures.md``
says what they are not good for.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from idp.reviewing import Outcome, ReviewWork, SecondLook, Touched
from idp.sampling import Interval, clustered_interval, exact_interval

_CORRECTED = ("changed", "removed", "added")
_ASKED = ("confirmed", "illegible", *_CORRECTED)
_FEWEST_FOR_AN_INTERVAL = 6
"""Below it no two of the values enclose the median with 95 %."""
_RISK = 0.025
ALL = "all"


class Middle(NamedTuple):
    """The median with its 95 % interval, and what nine of ten stay below."""

    median: float
    low: float
    high: float
    p90: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a group of answers; what too few stand for is left out.

    ``withheld`` says why figures are left out: they would be one person's, or chance.
    """

    name: str
    documents: int
    people: int
    withheld: str = ""
    seconds: Middle | None = None
    of_usual: Middle | None = None
    """One person's seconds a document as a multiple of the median of its type over everybody, so
    that who gets the long ones is not the slow one. Types that few people work on are left out."""
    corrections: float | None = None
    """Values changed, taken away or added, per document."""
    corrected: Interval | None = None
    """Of the values that people were asked about."""
    came_back: Interval | None = None
    """Of the documents."""
    twice: int = 0
    """Documents that two people looked at."""
    agreed: Interval | None = None
    """Of the fields that either was asked about or changed."""
    kappa: float | None = None
    """Agreement beyond that of two who would leave as much as it was read without looking."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on figures are shown."""

    people: int
    """In a group."""
    documents: int
    """Of one person."""


def of_everybody(
    work: Sequence[ReviewWork], looks: Sequence[SecondLook], limits: Limits
) -> tuple[Figures, ...]:
    """The figures of each document type, then of all."""
    types = sorted({each.type for each in work})
    groups = [*((name, {name}) for name in types), (ALL, set(types))]
    found = []
    for name, own in groups:
        counted = _figures(
            name,
            [each for each in work if each.type in own],
            [each for each in looks if each.type in own],
        )
        found.append(_held_back(counted, limits))
    return tuple(found)


def of_fields(
    work: Sequence[ReviewWork], looks: Sequence[SecondLook], limits: Limits
) -> tuple[Figures, ...]:
    """How often each field is corrected, and how often two people agree on it; by its name."""
    names = {name for each in work for name in each.outcomes}
    names |= {name for each in looks for name in each.fields}
    found = []
    for name in sorted(names):
        own = [each for each in work if name in each.outcomes]
        twice = [each for each in looks if name in each.fields]
        share, agreed, kappa = _corrected(own, {name}), *_agreement(twice, {name})
        documents = {each.document_id for each in own} | {each.document_id for each in twice}
        people = {each.reviewer for each in own}
        people |= {who for look in twice for who in (look.first_by, look.second_by) if who}
        figures = Figures(
            name=name,
            documents=len(documents),
            people=len(people),
            corrected=share,
            twice=len(twice),
            agreed=agreed,
            kappa=kappa,
        )
        found.append(_held_back(figures, limits))
    return tuple(found)


def of_person(
    name: str, work: Sequence[ReviewWork], looks: Sequence[SecondLook], limits: Limits
) -> Figures:
    """One person's figures; their times also beside what the same kinds take everybody.

    Args:
        name: Their sign-in name.
        work: Of everybody.
        looks: Of everybody.
        limits: From how many of their documents on anything is shown, and from how many people on
            something is called usual.
    """
    own = [each for each in work if each.reviewer == name]
    twice = [each for each in looks if name in (each.first_by, each.second_by)]
    counted = _figures(name, own, twice)
    if counted.documents < limits.documents:
        return _bare(counted, f"fewer than {limits.documents} documents say nothing of a person")
    usual = _usual(work, limits.people)
    types = {each.document_id: each.type for each in own}
    timed = _timed(own).items()
    multiples = [
        seconds / usual[types[document_id]]
        for (document_id, _), seconds in timed
        if types[document_id] in usual
    ]
    return dataclasses.replace(counted, of_usual=middle(multiples))


def middle(seconds: Collection[float]) -> Middle | None:
    """The median with its exact 95 % interval (order statistics), and the 90th percentile."""
    ordered = sorted(seconds)
    number = len(ordered)
    if number < _FEWEST_FOR_AN_INTERVAL:
        return None
    below, rank = 0.0, 0
    # The largest rank that the median lies below with at most the risk.
    while (chance := below + math.comb(number, rank) / 2**number) <= _RISK:
        below, rank = chance, rank + 1
    low, high = max(rank - 1, 0), min(number - rank, number - 1)
    return Middle(
        median=statistics.median(ordered),
        low=ordered[low],
        high=ordered[high],
        p90=ordered[math.ceil(0.9 * number) - 1],
    )


def _figures(
    name: str,
    work: Sequence[ReviewWork],
    looks: Sequence[SecondLook],
) -> Figures:
    documents = {each.document_id for each in work}
    back = {each.document_id for each in work if each.outcome is Outcome.CAME_BACK}
    corrections = sum(_number(each.outcomes, _CORRECTED) for each in work)
    agreed, kappa = _agreement(looks)
    return Figures(
        name=name,
        documents=len(documents),
        people=len({each.reviewer for each in work}),
        seconds=middle(_timed(work).values()),
        corrections=corrections / len(documents) if documents else None,
        corrected=_corrected(work),
        came_back=exact_interval(len(back), len(documents)),
        twice=len(looks),
        agreed=agreed,
        kappa=kappa,
    )


def _usual(work: Sequence[ReviewWork], people: int) -> dict[str, float]:
    """The median seconds of a document, by type, where so many people worked on it."""
    by_type: dict[str, list[ReviewWork]] = defaultdict(list)
    for each in work:
        by_type[each.type].append(each)
    found: dict[str, float] = {}
    for type_, own in by_type.items():
        timed = _timed(own)
        if len({who for _, who in timed}) >= people:
            found[type_] = statistics.median(timed.values())
    return found


def _timed(work: Iterable[ReviewWork]) -> dict[tuple[str, str], float]:
    """Seconds by document and person: two people's looks at one document are two pieces of work."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for each in work:
        sums[each.document_id, each.reviewer] += each.seconds or 0.0
    return {key: seconds for key, seconds in sums.items() if seconds > 0}


def _corrected(work: Sequence[ReviewWork], names: Collection[str] = ()) -> Interval | None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each in work:
        outcomes = {n: o for n, o in each.outcomes.items() if not names or n in names}
        counts[each.document_id][0] += _number(outcomes, _CORRECTED)
        counts[each.document_id][1] += _number(outcomes, _ASKED)
    return clustered_interval([(hits, of) for hits, of in counts.values()])


def _number(outcomes: Mapping[str, Mapping[str, int]], wanted: Sequence[str]) -> int:
    return sum(counts.get(name, 0) for counts in outcomes.values() for name in wanted)


def _agreement(
    looks: Sequence[SecondLook], names: Collection[str] = ()
) -> tuple[Interval | None, float | None]:
    """The share of fields on which two people agree, and the same beyond chance.

    Chance is that of two people who leave values as they were read as often as these do, without
    looking; that two correct a value to the same one by chance is taken for impossible.
    """
    fields = [
        [how for name, how in look.fields.items() if not names or name in names] for look in looks
    ]
    agreed = clustered_interval([(sum(h.agrees for h in own), len(own)) for own in fields])
    if agreed is None:
        return None, None
    counts = Counter(how for own in fields for how in own)
    total = counts.total()
    kept = (counts[Touched.BOTH_KEPT] + counts[Touched.ONE_CHANGED] / 2) / total
    by_chance = kept**2
    kappa = (agreed.share - by_chance) / (1 - by_chance) if by_chance < 1 else None
    return agreed, kappa


def _held_back(figures: Figures, limits: Limits) -> Figures:
    if figures.people >= limits.people:
        return figures
    return _bare(figures, f"fewer than {limits.people} people: it would be theirs")


def _bare(figures: Figures, why: str) -> Figures:
    return Figures(figures.name, figures.documents, figures.people, withheld=why)


class Line(NamedTuple):
    """Figures ready to be printed; what is not known or not shown is empty."""

    name: str
    documents: str
    people: str
    median: str
    p90: str
    of_usual: str
    corrected: str
    came_back: str
    agreed: str
    withheld: str


def line_of(figures: Figures) -> Line:
    """The figures in words."""
    seconds = figures.seconds
    usual = figures.of_usual
    kappa = "" if figures.kappa is None else f", kappa {figures.kappa:.2f}"
    return Line(
        name=figures.name.replace("_", " "),
        documents=f"{figures.documents:,}",
        people=f"{figures.people:,}",
        median=""
        if seconds is None
        else f"{seconds.median:.0f} s ({seconds.low:.0f} to {seconds.high:.0f})",
        p90="" if seconds is None else f"{seconds.p90:.0f} s",
        of_usual=""
        if usual is None
        else f"{usual.median:.2f} times ({usual.low:.2f} to {usual.high:.2f})",
        corrected=_percent(figures.corrected),
        came_back=_percent(figures.came_back),
        agreed=f"{_percent(figures.agreed)}{kappa}" if figures.agreed else "",
        withheld=figures.withheld,
    )


def as_plain(figures: Figures) -> dict[str, object]:
    """The figures for scripts: shares 0..1, seconds."""
    plain = dataclasses.asdict(figures)
    for name in ("seconds", "of_usual", "corrected", "came_back", "agreed"):
        value = getattr(figures, name)
        plain[name] = None if value is None else value._asdict()
    return plain


def _percent(share: Interval | None) -> str:
    if share is None:
        return ""
    return f"{100 * share.share:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"

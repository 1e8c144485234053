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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    """Seconds: the median with its 95 % interval, and what nine of ten stay below."""

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
    expected_seconds: float | None = None
    """What the same mix of documents takes everybody: the mean of the types' medians."""
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
    usual = _usual(work)
    types = sorted({each.type for each in work})
    groups = [*((name, {name}) for name in types), (ALL, set(types))]
    found = []
    for name, own in groups:
        counted = _figures(
            name,
            [each for each in work if each.type in own],
            [each for each in looks if each.type in own],
            usual,
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
    """One person's figures, beside what the same mix of documents takes everybody.

    Args:
        name: Their sign-in name.
        work: Of everybody.
        looks: Of everybody.
        limits: From how many of their documents on anything is shown.
    """
    own = [each for each in work if each.reviewer == name]
    twice = [each for each in looks if name in (each.first_by, each.second_by)]
    counted = _figures(name, own, twice, _usual(work))
    if counted.documents < limits.documents:
        return _bare(counted, f"fewer than {limits.documents} documents say nothing of a person")
    if len({each.reviewer for each in work}) < limits.people:
        # The mix of everybody would be that of one or two others.
        return _without_expected(counted)
    return counted


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
    usual: Mapping[str, float],
) -> Figures:
    per_document = _by_document(work, lambda each: each.seconds or 0.0)
    timed = [seconds for seconds in per_document.values() if seconds > 0]
    types = {each.document_id: each.type for each in work}
    expected = [usual[type_] for type_ in types.values() if type_ in usual]
    back = {each.document_id for each in work if each.outcome is Outcome.CAME_BACK}
    corrections = sum(_number(each.outcomes, _CORRECTED) for each in work)
    agreed, kappa = _agreement(looks)
    return Figures(
        name=name,
        documents=len(types),
        people=len({each.reviewer for each in work}),
        seconds=middle(timed),
        expected_seconds=statistics.fmean(expected) if expected else None,
        corrections=corrections / len(types) if types else None,
        corrected=_corrected(work),
        came_back=exact_interval(len(back), len(types)),
        twice=len(looks),
        agreed=agreed,
        kappa=kappa,
    )


def _usual(work: Sequence[ReviewWork]) -> dict[str, float]:
    """The median seconds of a document, by type, over everybody."""
    by_type: dict[str, list[ReviewWork]] = defaultdict(list)
    for each in work:
        by_type[each.type].append(each)
    found: dict[str, float] = {}
    for type_, own in by_type.items():
        timed = [s for s in _by_document(own, lambda each: each.seconds or 0.0).values() if s > 0]
        if timed:
            found[type_] = statistics.median(timed)
    return found


def _by_document(
    work: Iterable[ReviewWork], counted: Callable[[ReviewWork], float]
) -> dict[tuple[str, str], float]:
    """Sums by document and person: two people's looks at one document are two pieces of work."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for each in work:
        sums[each.document_id, each.reviewer] += counted(each)
    return sums


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


def _without_expected(figures: Figures) -> Figures:
    return Figures(
        figures.name,
        figures.documents,
        figures.people,
        seconds=figures.seconds,
        corrections=figures.corrections,
        corrected=figures.corrected,
        came_back=figures.came_back,
        twice=figures.twice,
        agreed=figures.agreed,
        kappa=figures.kappa,
    )


class Line(NamedTuple):
    """Figures ready to be printed; what is not known or not shown is empty."""

    name: str
    documents: str
    people: str
    median: str
    p90: str
    expected: str
    corrected: str
    came_back: str
    agreed: str
    withheld: str


def line_of(figures: Figures) -> Line:
    """The figures in words."""
    seconds = figures.seconds
    expected = figures.expected_seconds
    kappa = "" if figures.kappa is None else f", kappa {figures.kappa:.2f}"
    return Line(
        name=figures.name.replace("_", " "),
        documents=f"{figures.documents:,}",
        people=f"{figures.people:,}",
        median=""
        if seconds is None
        else f"{seconds.median:.0f} s ({seconds.low:.0f} to {seconds.high:.0f})",
        p90="" if seconds is None else f"{seconds.p90:.0f} s",
        expected="" if expected is None or seconds is None else f"{expected:.0f} s",
        corrected=_percent(figures.corrected),
        came_back=_percent(figures.came_back),
        agreed=f"{_percent(figures.agreed)}{kappa}" if figures.agreed else "",
        withheld=figures.withheld,
    )


def as_plain(figures: Figures) -> dict[str, object]:
    """The figures for scripts: shares 0..1, seconds."""
    plain = dataclasses.asdict(figures)
    for name in ("seconds", "corrected", "came_back", "agreed"):
        value = getattr(figures, name)
        plain[name] = None if value is None else value._asdict()
    return plain


def _percent(share: Interval | None) -> str:
    if share is None:
        return ""
    return f"{100 * share.share:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"

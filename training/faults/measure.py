# SPDX-License-Identifier: Apache-2.0
"""Counts: what of the seeded faults is found, what is said of sound documents, and how well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from idp.document import Document, Finding, Severity
from training.faults.book import Manner
from training.faults.cases import Case, make
from training.faults.pools import dice

LEAST_RECALL = 0.98
LEAST_OF_DIGITS = 0.99
"""Of one-digit errors in remittances, found by any of the balances."""
MOST_FALSE_ALARMS = 0.01
_SPEAKS_FOR = {"C1": ("A1",)}
"""Of what a decision owes, A1 says that it is missing in the place of C1."""
GRAVITY: dict[str, Severity] = {
    **dict.fromkeys(("N1", "N3", "N4", "N5", "D2", "D3", "R1", "R2", "R3", "R4"), Severity.BLOCK),
    **dict.fromkeys(("R9", "A1", "P2", "P3", "C1"), Severity.BLOCK),
    **dict.fromkeys(("N2", "N6", "N7", "N8", "D1", "R5", "R7", "R8"), Severity.WARN),
    **dict.fromkeys(("A2", "A3", "A4", "P1"), Severity.WARN),
}
"""What the list of rules that was asked for has beside each; ``docs/rules.md`` says where and why
findings are graver or milder. Rules that are not here were not in it."""
_INFORMS = frozenset({"N9"})
"""Rules whose gravest finding informs."""
_RANK = {Severity.INFO: 0, Severity.WARN: 1, Severity.BLOCK: 2}
_TRIES = 60
"""Sound documents looked at for each fault that is wanted, until one has a place for it."""


class Faulty(NamedTuple):
    """A document with one fault in it."""

    manner: Manner
    case: Case
    fields: tuple[str, ...]
    says: str = ""


class Missed(NamedTuple):
    """A fault that its rule did not find."""

    case: str
    manner: str
    said: str
    """What was found instead."""


class Quality(NamedTuple):
    """How good the findings of the seeded faults are: counts of what is as it should be."""

    findings: int = 0
    named: int = 0
    remedied: int = 0
    placed: int = 0
    to_place: int = 0
    graded: int = 0
    to_grade: int = 0
    """Findings of rules in :data:`GRAVITY`."""


class Tally(NamedTuple):
    """The figures of one rule."""

    rule: str
    documents: int
    found: int
    sound: int
    alarms: int
    infos: int
    missed: tuple[Missed, ...]
    cries: tuple[str, ...]
    """What was said of sound documents."""
    quality: Quality
    unnamed: tuple[str, ...]
    """Findings without a remedy, the right field, a place or the severity that was asked for."""
    by_manner: tuple[tuple[str, int, int], ...]

    @property
    def recall(self) -> float:
        return self.found / self.documents if self.documents else 0.0

    @property
    def rate(self) -> float:
        return self.alarms / self.sound if self.sound else 0.0

    @property
    def holds(self) -> bool:
        """Whether both bounds are kept; a rule without faults is not measured and holds."""
        least = LEAST_OF_DIGITS if "/" in self.rule else LEAST_RECALL
        kept = self.recall >= least if self.documents else True
        return kept and self.rate <= MOST_FALSE_ALARMS


Judged = Callable[[Case], Document]


def seeded(manners: Sequence[Manner], count: int, seed: int = 0) -> Iterator[Faulty]:
    """``count`` documents with one fault each, the manners taking turns.

    A manner that finds no place in many sound documents is passed over; the count is then reached
    by the others.
    """
    live = list(manners)
    made = 0
    number = 0
    while live and made < count:
        for one in tuple(live):
            if made == count:
                break
            found, number = _one(one, number, seed)
            if found is None:
                live.remove(one)
                continue
            made += 1
            yield found


def _one(one: Manner, number: int, seed: int) -> tuple[Faulty | None, int]:
    for _ in range(_TRIES):
        number += 1
        rng = dice("fault", one.rule, one.name, number, seed)
        kind = one.kinds[number % len(one.kinds)]
        case = make(kind, number, seed)
        made = one.seed(case, rng)
        if made is not None:
            name = f"{made.case.name}-{one.rule}-{number}"
            return Faulty(one, made.case._replace(name=name), made.fields, made.says), number
    return None, number


class Alarms(NamedTuple):
    """What was said of sound documents."""

    documents: int
    loud: Counter[str]
    """Of how many documents each rule said something that matters."""
    infos: Counter[str]
    """Of how many it only had something to tell."""
    said: dict[str, Counter[str]]


def measure(
    rule: str,
    manners: Sequence[Manner],
    judged: Judged,
    count: int,
    sound: Alarms,
    *,
    step: Callable[[], None] = lambda: None,
) -> Tally:
    """The figures of one rule.

    Args:
        rule: Its number.
        manners: The ways to break it.
        judged: What reads and judges a case.
        count: How many faults to seed.
        sound: What was said of sound documents.
        step: Called after each document.
    """
    pairs: list[tuple[Faulty, Document]] = []
    missed: list[Missed] = []
    for faulty in seeded(manners, count):
        step()
        document = judged(faulty.case)
        pairs.append((faulty, document))
        if not found_by(faulty, document):
            said = _instead(document.findings)
            missed.append(Missed(faulty.case.name, faulty.manner.name, said))
    return tallied(rule, pairs, sound, missed)


def tallied(
    rule: str,
    pairs: Iterable[tuple[Faulty, Document]],
    sound: Alarms,
    missed: Sequence[Missed],
) -> Tally:
    """The figures of a rule from documents that were judged."""
    unnamed: list[str] = []
    quality = Quality()
    by: dict[str, list[int]] = {}
    for faulty, document in pairs:
        counts = by.setdefault(faulty.manner.name, [0, 0])
        counts[0] += 1
        if mine := found_by(faulty, document):
            counts[1] += 1
            quality = _judge(quality, faulty, mine, unnamed)
    loud = [sound.loud[one] for one in rule.split("/")]
    return Tally(
        rule,
        sum(counts[0] for counts in by.values()),
        sum(counts[1] for counts in by.values()),
        sound.documents,
        max(loud),
        sum(sound.infos[one] for one in rule.split("/")),
        tuple(missed),
        tuple(text for text, _ in sound.said.get(rule, Counter()).most_common(5)),
        quality,
        tuple(unnamed),
        tuple((name, n, hit) for name, (n, hit) in by.items()),
    )


def findings_of(document: Document, rule: str) -> list[Finding]:
    """What a rule, or one of several, says that matters."""
    rules = [*rule.split("/"), *_SPEAKS_FOR.get(rule, ())]
    return [
        finding
        for finding in document.findings
        if finding.rule in rules and (finding.severity is not Severity.INFO or rule in _INFORMS)
    ]


def found_by(faulty: Faulty, document: Document) -> list[Finding]:
    """The findings that speak of the fault."""
    mine = findings_of(document, faulty.manner.rule)
    return [finding for finding in mine if faulty.says in finding.message]


def alarms(cases: Iterable[Case], judged: Judged, step: Callable[[], None]) -> Alarms:
    """What the rules say of sound documents."""
    count = 0
    loud: Counter[str] = Counter()
    infos: Counter[str] = Counter()
    said: dict[str, Counter[str]] = {}
    for case in cases:
        step()
        count += 1
        document = judged(case)
        for rule in {f.rule for f in document.findings}:
            mine = findings_of(document, rule)
            (loud if mine else infos)[rule] += 1
            for finding in mine:
                text = f"{finding.field or '-'}: {finding.message} [{case.name}]"
                said.setdefault(rule, Counter())[text] += 1
    return Alarms(count, loud, infos, said)


def _instead(findings: Sequence[Finding]) -> str:
    told = [f"{f.rule} {f.field or ''}: {f.message}" for f in findings]
    return "; ".join(told) or "nothing"


def _judge(
    quality: Quality, faulty: Faulty, mine: Sequence[Finding], unnamed: list[str]
) -> Quality:
    fields = set(faulty.fields)
    named = not fields or any({f.field, *f.fields} & fields for f in mine)
    remedied = all(f.remedy for f in mine)
    placed = any(f.box is not None or f.page is not None or f.places for f in mine)
    what = f"{faulty.manner.rule} ({faulty.manner.name})"
    asked = [GRAVITY[each] for each in faulty.manner.rule.split("/") if each in GRAVITY]
    said = max(mine, key=lambda finding: _RANK[finding.severity]).severity
    if asked and said not in asked:
        unnamed.append(f"{what} says {said}, not {asked[0]}")
    if not named:
        unnamed.append(f"{what} names {mine[0].field}, not {'/'.join(faulty.fields)}")
    if not remedied:
        unnamed.append(f"{what} has no remedy")
    if faulty.manner.placed and not placed:
        unnamed.append(f"{what} has no place")
    return Quality(
        quality.findings + 1,
        quality.named + named,
        quality.remedied + remedied,
        quality.placed + (placed and faulty.manner.placed),
        quality.to_place + faulty.manner.placed,
        quality.graded + (said in asked),
        quality.to_grade + bool(asked),
    )

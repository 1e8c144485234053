# SPDX-License-Identifier: Apache-2.0
"""Balances as equations between amounts: what does not hold, what must stand in an empty place.

Nothing here knows what a claim is. An :class:`Amount` was read, or was not; an :class:`Equation`
says that amounts, added and taken away, give nothing. From both come

- the equations that fail,
- amounts that nobody could read and that follow from the others (:func:`followed`), one at a time:
  what only several equations together would tell stays open,
- the one amount that, put right, makes failing equations hold (:func:`culprits`).

All of it is exact: amounts are decimals, and a cent too much is too much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

MOST_CULPRITS = 3
"""So many wrong amounts are told apart where their equations meet; more than that is no proof."""
MOST_CANDIDATES = 2_000
"""So many amounts of failing equations are tried; of more nothing is said."""


class Key(NamedTuple):
    """Which amount: of the payment (no claim), of a claim, of its total row, or of a line.

    ``claim`` and ``line`` count from 1; line 0 is the claim's own row, -1 its total row.
    """

    claim: int
    line: int
    name: str

    @property
    def path(self) -> str:
        """As people and programs are told: ``claims.1.lines.2.paid``."""
        if not self.claim:
            return self.name
        within = {0: "", -1: "totals."}.get(self.line, f"lines.{self.line}.")
        return f"claims.{self.claim}.{within}{self.name}"


class Term(NamedTuple):
    """An amount in an equation, taken as often as ``times`` says."""

    key: Key
    times: int


class Equation(NamedTuple):
    """The terms and the constant add up to nothing; ``said`` is the term that the rest gives."""

    rule: str
    terms: tuple[Term, ...]
    said: Key
    claim: int = 0
    line: int = 0
    constant: Decimal = Decimal(0)


class Culprit(NamedTuple):
    """The one amount that, put right, makes equations hold; ``value`` is what it would be."""

    key: Key
    value: Decimal


Values = Mapping[Key, Decimal]


def left_over(equation: Equation, values: Values) -> Decimal | None:
    """What the terms add up to; none where one of them is unknown."""
    total = equation.constant
    for term in equation.terms:
        value = values.get(term.key)
        if value is None:
            return None
        total += term.times * value
    return total


def expected(equation: Equation, values: Values) -> Decimal:
    """What ``said`` would have to be by the other terms, all of which are known."""
    times = next(term.times for term in equation.terms if term.key == equation.said)
    rest = left_over(equation, values)
    if rest is None:
        raise ValueError("an amount of the equation is unknown")
    return values[equation.said] - rest / times


def failing(equations: Iterable[Equation], values: Values) -> list[Equation]:
    """Those that are known whole and don't hold."""
    return [each for each in equations if left_over(each, values)]


def followed(
    equations: Sequence[Equation], values: Values, unknown: Collection[Key]
) -> dict[Key, tuple[Decimal, Equation]]:
    """The unknown amounts that follow, each with the equation that it follows from.

    An amount follows where it is the only one of an equation that is not known. One that follows
    differently from two equations, or from others that do, is given up: then something that was
    read is wrong, and nobody knows what.
    """
    given_up: set[Key] = set()
    while True:
        known = dict(values)
        found: dict[Key, tuple[Decimal, Equation]] = {}
        waiting = [e for e in equations if any(t.key in unknown for t in e.terms)]
        while waiting:
            step: list[Equation] = []
            for equation in waiting:
                open_terms = [t for t in equation.terms if t.key not in known]
                if len(open_terms) != 1 or open_terms[0].key in given_up:
                    step.append(equation)
                    continue
                (term,) = open_terms
                value = _solved(equation, term, known)
                if term.key in unknown and value is not None:
                    known[term.key] = value
                    found[term.key] = (value, equation)
            if len(step) == len(waiting):
                break
            waiting = step
        wrong = {
            term.key
            for equation in failing(equations, known)
            for term in equation.terms
            if term.key in found
        }
        if not wrong:
            return found
        given_up |= wrong


def _solved(equation: Equation, term: Term, known: Values) -> Decimal | None:
    """The value of the only open term, where it is an amount of whole cents."""
    rest = equation.constant
    for other in equation.terms:
        if other.key != term.key:
            rest += other.times * known[other.key]
    times = sum(t.times for t in equation.terms if t.key == term.key)
    value = -rest / times if times else None
    return value if value is not None and value == value.quantize(Decimal("0.01")) else None


def confirmations(key: Key, equations: Iterable[Equation], values: Values) -> int:
    """How many equations hold in which the amount stands."""
    return sum(
        left_over(each, values) == 0
        for each in equations
        if any(term.key == key for term in each.terms)
    )


def culprits(
    equations: Sequence[Equation], values: Values
) -> tuple[dict[int, Culprit], dict[int, tuple[Culprit, ...]]]:
    """For each failing equation (by place) the amount to blame, and the amounts that may be.

    An amount is to blame when it alone, with a single digit put right, makes all hold that fails
    around it, and nothing fail that held: that is how amounts are misread. Where several could, or
    more than a digit would have to change, they are only suspects.
    """
    by_key: dict[Key, list[int]] = defaultdict(list)
    for place, equation in enumerate(equations):
        for term in equation.terms:
            by_key[term.key].append(place)
    bad = {place for place, e in enumerate(equations) if left_over(e, values)}
    blamed: dict[int, Culprit] = {}
    suspects: dict[int, tuple[Culprit, ...]] = {}
    while bad:
        cluster = _around(next(iter(sorted(bad))), bad, equations, by_key)
        bad -= cluster
        one, several = _of_cluster(cluster, equations, by_key, values)
        blamed |= one
        suspects |= several
    return blamed, suspects


def _around(
    start: int, bad: set[int], equations: Sequence[Equation], by_key: Mapping[Key, Sequence[int]]
) -> set[int]:
    """The failing equations that hang together with one by the amounts that they share."""
    found, todo = {start}, [start]
    while todo:
        for term in equations[todo.pop()].terms:
            more = [p for p in by_key[term.key] if p in bad and p not in found]
            found.update(more)
            todo.extend(more)
    return found


def _of_cluster(
    cluster: set[int],
    equations: Sequence[Equation],
    by_key: Mapping[Key, Sequence[int]],
    values: Values,
) -> tuple[dict[int, Culprit], dict[int, tuple[Culprit, ...]]]:
    known = dict(values)
    left = set(cluster)
    blamed: dict[int, Culprit] = {}
    for _ in range(MOST_CULPRITS):
        keys = {term.key for place in left for term in equations[place].terms}
        if len(keys) > MOST_CANDIDATES:
            return {}, {}
        tried = [t for key in sorted(keys) for t in _trials(key, left, equations, by_key, known)]
        whole = [t for t in tried if t.heals == left]
        best = whole or [
            t for t in tried if len(t.heals) >= 2 and t.heals < left and t.spares(equations)
        ]
        most = max((len(t.heals) for t in best), default=0)
        likely = [
            t for t in best if len(t.heals) == most and one_digit_apart(known[t.key], t.value)
        ]
        if len(likely) != 1:
            found = tuple(Culprit(t.key, t.value) for t in likely or whole)
            return blamed, dict.fromkeys(left, found)
        (found_one,) = likely
        culprit = Culprit(found_one.key, found_one.value)
        touched = {p for p in by_key[culprit.key] if p in left}
        for place in touched:
            blamed.setdefault(place, culprit)
        known[culprit.key] = culprit.value
        left = {p for p in left if left_over(equations[p], known)}
        if not left:
            return blamed, {}
    return {}, {}


class _Trial(NamedTuple):
    """An amount put right: the equations that hold then, and those that still don't."""

    key: Key
    value: Decimal
    heals: set[int]
    others: frozenset[int]

    def spares(self, equations: Sequence[Equation]) -> bool:
        """Whether what it does not heal is a sum over more than one claim: others may be wrong."""
        return all(not equations[place].claim for place in self.others)


def _trials(
    key: Key,
    left: set[int],
    equations: Sequence[Equation],
    by_key: Mapping[Key, Sequence[int]],
    known: Values,
) -> Iterable[_Trial]:
    """Each value of an amount that heals one of its failing equations and harms none that holds."""
    mine = [p for p in by_key[key] if left_over(equations[p], known) is not None]
    if any(p not in left for p in mine):
        return
    wanted: dict[Decimal, set[int]] = defaultdict(set)
    for place in mine:
        times = sum(t.times for t in equations[place].terms if t.key == key)
        rest = left_over(equations[place], known)
        if times and rest is not None:
            wanted[known[key] - rest / times].add(place)
    for value, heals in wanted.items():
        yield _Trial(key, value, heals, frozenset(mine) - heals)


def one_digit_apart(first: Decimal, second: Decimal) -> bool:
    """Whether one is the other with a digit changed, lost or added, or without its sign."""
    a, b = f"{abs(first):.2f}", f"{abs(second):.2f}"
    if (first < 0) != (second < 0):
        return a == b
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b, strict=True)) == 1
    long, short = (a, b) if len(a) > len(b) else (b, a)
    return len(long) - len(short) == 1 and any(
        long[:at] + long[at + 1 :] == short for at in range(len(long)) if long[at] != "."
    )

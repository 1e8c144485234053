# SPDX-License-Identifier: Apache-2.0
"""Several faults on one document, of rules that do not get in each other's way.

Reading a page costs seconds, so a page that is read carries as many faults as it has places for:
each of another rule, none at a field that another one has touched. What each rule finds is counted
as if its fault were the only one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from idp.document import Document, Page
from training.faults.book import Manner, manners
from training.faults.cases import Case, make
from training.faults.measure import Alarms, Faulty, Judged, Missed, Tally, findings_of, tallied
from training.faults.pools import dice

FAXED = (
    *("N1", "N3", "N5", "N6", "N8", "D2", "D3", "F1", "F2", "P3", "C1", "A1", "A3"),
    *("R1", "R2", "R3", "R4", "R5", "R7"),
)
"""Rules whose faults can be told from what is printed on one page."""
_TOLD_OTHERWISE = frozenset(
    {
        "the fax header counts more pages",
        "the fax server announced more pages",
        "all of them count more pages",
        "more pages than the fax server announced",
    }
)
_TOGETHER = (frozenset({"R1", "R4"}), frozenset({"R3", "R5"}), frozenset({"R4", "R5"}))
"""The only balances that are broken in one document: an amount takes part in several."""
_KINDS = (
    *("prior_auth_request", "prior_auth_determination", "remittance_eob", "remittance_eob"),
    *("prior_auth_request", "prior_auth_determination", "remittance_eob", "remittance_eob"),
    "referral",
)
_MOST = 6

Why = Literal["reading", "extraction", "rule"]


class Pack(NamedTuple):
    """A document and the faults in it."""

    case: Case
    faults: tuple[Faulty, ...]


def packs(count: int, rules: Iterable[str] = FAXED, seed: int = 0) -> Iterator[Pack]:
    """``count`` documents on paper with faults of the rules; the same arguments give the same.

    Rules of which there are few so far come first, so that all have about as many in the end.
    """
    wanted = set(rules) & set(FAXED)
    known = manners()
    book = [one for rule in FAXED if rule in wanted for one in known[rule]]
    book = [one for one in book if one.name not in _TOLD_OTHERWISE and not one.listed]
    so_far: Counter[str] = Counter()
    for number in range(count):
        pack = _pack(number, book, seed, so_far)
        so_far.update(faulty.manner.rule for faulty in pack.faults)
        yield pack


def _pack(number: int, book: Sequence[Manner], seed: int, so_far: Counter[str]) -> Pack:
    kind = _KINDS[number % len(_KINDS)]
    case = make(kind, number, seed + 1)
    rng = dice("pack", number, seed)
    todo = [one for one in book if kind in one.kinds]
    rng.shuffle(todo)
    todo.sort(key=lambda one: so_far[one.rule])
    found: list[Faulty] = []
    touched: set[str] = set()
    rules: set[str] = set()
    for one in todo:
        if one.rule in rules or len(found) == _MOST or _clashes(one.rule, rules):
            continue
        made = one.seed(case, rng)
        if made is None or _changes(case, made.case) & touched:
            continue
        touched |= _changes(case, made.case) | set(made.fields)
        touched -= {"claims"}
        rules.add(one.rule)
        found.append(Faulty(one, made.case, made.fields))
        case = made.case
    whole = case._replace(name=f"pack-{number}-{seed}")
    return Pack(whole, tuple(one._replace(case=whole) for one in found))


def _clashes(rule: str, others: set[str]) -> bool:
    if not rule.startswith("R") or rule == "R7":
        return False
    balances = {other for other in others if other.startswith("R") and other != "R7"}
    return any({rule, other} not in _TOGETHER for other in balances)


def _changes(before: Case, after: Case) -> set[str]:
    """What of the facts differs: names of fields, or of whole parts."""
    names = {e.name for e in (*before.entries, *after.entries)}
    changed = {name for name in names if before.entry(name) != after.entry(name)}
    for part in ("claims", "attached", "lost", "grade"):
        if getattr(before, part) != getattr(after, part):
            changed.add(part)
    return changed


def measure_packs(
    made: Sequence[Pack],
    judged: Judged,
    quiet: Alarms,
    pages_of: Callable[[Case], Sequence[Page]],
    *,
    step: Callable[[], None] = lambda: None,
) -> tuple[list[Tally], dict[tuple[str, Why], int]]:
    """The figures of each rule, and how many misses of each are whose."""
    by_rule: dict[str, list[tuple[Faulty, Document]]] = {}
    whose: dict[tuple[str, Why], int] = {}
    missed: dict[str, list[Missed]] = {}
    for pack in made:
        step()
        document = judged(pack.case)
        for faulty in pack.faults:
            rule = faulty.manner.rule
            by_rule.setdefault(rule, []).append((faulty, document))
            if not findings_of(document, rule):
                why = blame(faulty, document, pages_of(pack.case))
                whose[rule, why] = whose.get((rule, why), 0) + 1
                text = f"[{why}] {'/'.join(faulty.fields)}"
                missed.setdefault(rule, []).append(Missed(pack.case.name, faulty.manner.name, text))
    return [
        tallied(rule, pairs, quiet, missed.get(rule, [])) for rule, pairs in sorted(by_rule.items())
    ], whose


def _bare(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def blame(faulty: Faulty, document: Document, pages: Sequence[Page]) -> Why:
    """Why a fault was not found: its print was misread, not extracted, or the rule said nothing."""
    printed = [
        _bare(text)
        for name in faulty.fields
        if (entry := faulty.case.entry(name)) is not None
        for text in entry.texts
    ]
    read = _bare(" ".join(page.text for page in pages))
    if any(text and text not in read for text in printed):
        return "reading"
    if faulty.case.claims and faulty.manner.rule.startswith("R"):
        return _blame_amounts(faulty.case, document, read)
    values = {_bare(f.raw) for f in document.fields} | {
        _bare(f.value or "") for f in document.fields
    }
    if any(text and not any(text in value for value in values) for text in printed):
        return "extraction"
    return "rule"


def _blame_amounts(case: Case, document: Document, read: str) -> Why:
    wanted = {
        amount
        for claim in case.claims
        for row in (*(line.amounts for line in claim.lines), claim.totals)
        for amount in row
        if amount
    }
    if any(_bare(f"{amount:.2f}") not in read for amount in wanted):
        return "reading"
    got = {
        getattr(row, part, None)
        for claim in document.claims
        for row in (claim, *claim.service_lines)
        for part in (
            "billed",
            "allowed",
            "adjustment",
            "deductible",
            "copay",
            "coinsurance",
            "paid",
        )
    }
    return "rule" if wanted <= got else "extraction"

# SPDX-License-Identifier: Apache-2.0
"""Faults of remittances on paper: one amount that no longer fits the others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

from training.faults.book import Seeded, manner
from training.faults.cases import Amounts, Case, ClaimFacts, LineFacts, money
from training.faults.values_seeds import any_digit

PAPER = ("remittance_eob",)
ANY_BALANCE = "R1/R2/R3/R4"
"""One of the balances, whichever: every digit of every amount is to be watched by one of them."""
_PARTS = ("billed", "allowed", "adjustment", "deductible", "copay", "coinsurance", "paid")
_BALANCING = ("billed", "adjustment", "deductible", "copay", "coinsurance", "paid")


def other_amount(amount: Decimal, rng: random.Random) -> Decimal:
    """The amount with one digit changed, be it that of the cents."""
    return Decimal(any_digit(f"{amount:.2f}", rng))


def _with(amounts: Amounts, part: str, amount: Decimal | None) -> Amounts:
    return amounts._replace(**{part: amount})


def _claim(case: Case, number: int, claim: ClaimFacts) -> Case:
    return case._replace(claims=(*case.claims[:number], claim, *case.claims[number + 1 :]))


def _line(claim: ClaimFacts, number: int, line: LineFacts) -> ClaimFacts:
    return claim._replace(lines=(*claim.lines[:number], line, *claim.lines[number + 1 :]))


def _one_cell(
    case: Case, rng: random.Random, parts: Sequence[str], *, totals: bool
) -> Seeded | None:
    """One digit of one printed amount of a line, or of a claim's totals."""
    places = [
        (c, n, part)
        for c, claim in enumerate(case.claims)
        for n in (range(1) if totals else range(len(claim.lines)))
        for part in parts
        if getattr(claim.totals if totals else claim.lines[n].amounts, part) is not None
    ]
    if not places:
        return None
    number, row, part = rng.choice(places)
    claim = case.claims[number]
    if totals:
        amount = other_amount(getattr(claim.totals, part), rng)
        claim = claim._replace(totals=_with(claim.totals, part, amount))
    else:
        line = claim.lines[row]
        amount = other_amount(getattr(line.amounts, part), rng)
        claim = _line(claim, row, line._replace(amounts=_with(line.amounts, part, amount)))
    return Seeded(_claim(case, number, claim), (part, "paid", "allowed"))


@manner("R1", "one digit of a line's amount", kinds=PAPER)
def _line_digit(case: Case, rng: random.Random) -> Seeded | None:
    return _one_cell(case, rng, _BALANCING, totals=False)


@manner("R1", "one digit of what a line allows", kinds=PAPER)
def _line_allowed(case: Case, rng: random.Random) -> Seeded | None:
    return _one_cell(case, rng, ("allowed",), totals=False)


@manner("R2", "one digit of a claim's total", kinds=PAPER)
def _total_digit(case: Case, rng: random.Random) -> Seeded | None:
    return _one_cell(case, rng, _BALANCING, totals=True)


def _shifted(case: Case, rng: random.Random, first: str, second: str, sign: int) -> Seeded | None:
    """Two totals of a claim moved so that the claim balances, but its lines do not make it."""
    many = [n for n, claim in enumerate(case.claims) if len(claim.lines) > 1]
    if not many:
        return None
    number = rng.choice(many)
    claim = case.claims[number]
    off = Decimal(rng.randint(100, 9000)) / 100
    totals = _with(claim.totals, first, getattr(claim.totals, first) + off)
    totals = _with(totals, second, getattr(totals, second) + sign * off)
    return Seeded(_claim(case, number, claim._replace(totals=totals)), (first, second))


@manner("R3", "a claim bills more than its lines", kinds=PAPER)
def _more_billed(case: Case, rng: random.Random) -> Seeded | None:
    return _shifted(case, rng, "billed", "adjustment", 1)


@manner("R3", "a service line lost", kinds=PAPER)
def _lost_line(case: Case, rng: random.Random) -> Seeded | None:
    many = [n for n, claim in enumerate(case.claims) if len(claim.lines) > 1]
    if not many:
        return None
    number = rng.choice(many)
    claim = case.claims[number]
    out = rng.randrange(len(claim.lines))
    lines = (*claim.lines[:out], *claim.lines[out + 1 :])
    return Seeded(_claim(case, number, claim._replace(lines=lines)), ("billed", "paid"))


@manner("R4", "one digit of the payment", kinds=PAPER)
def _payment(case: Case, rng: random.Random) -> Seeded | None:
    paid = sum((claim.totals.paid or Decimal(0) for claim in case.claims), Decimal(0))
    return Seeded(case.put("payment_amount", money(other_amount(paid, rng))), ("payment_amount",))


@manner("R4", "one digit of a printed total", kinds=PAPER)
def _printed_total(case: Case, rng: random.Random) -> Seeded | None:
    names = [name for name in ("total_billed", "total_paid") if case.text(name)]
    if not names:
        return None
    name = rng.choice(names)
    part = name.removeprefix("total_")
    whole = sum((getattr(claim.totals, part) for claim in case.claims), Decimal(0))
    return Seeded(case.put(name, money(other_amount(whole, rng))), (name,))


@manner("R4", "a claim lost", kinds=PAPER)
def _lost_claim(case: Case, rng: random.Random) -> Seeded | None:
    if len(case.claims) < 2:
        return None
    out = rng.randrange(len(case.claims))
    if not case.claims[out].totals.paid:
        return None
    claims = (*case.claims[:out], *case.claims[out + 1 :])
    return Seeded(case._replace(claims=claims), ("payment_amount", "total_paid", "total_billed"))


@manner(ANY_BALANCE, "one digit of any amount", kinds=PAPER)
def _anywhere(case: Case, rng: random.Random) -> Seeded | None:
    where = rng.random()
    if where < 0.1:
        return _payment(case, rng)
    if where < 0.2:
        return _printed_total(case, rng)
    return _one_cell(case, rng, _PARTS, totals=where < 0.45)


@manner("R5", "one digit of the patient's share", kinds=PAPER)
def _share(case: Case, rng: random.Random) -> Seeded | None:
    if not case.text("patient_responsibility"):
        return None
    own = sum(
        (
            getattr(claim.totals, part)
            for claim in case.claims
            for part in ("deductible", "copay", "coinsurance")
        ),
        Decimal(0),
    )
    text = money(other_amount(own, rng))
    return Seeded(case.put("patient_responsibility", text), ("patient_responsibility",))


@manner("R7", "a group code that does not exist", kinds=PAPER)
def _group(case: Case, rng: random.Random) -> Seeded | None:
    return with_reason(case, rng, rng.choice(("CA-45", "XX-45", "PC-1", "AO-23")))


def with_reason(case: Case, rng: random.Random, text: str) -> Seeded | None:
    """Another reason code on one of the lines."""
    number = rng.randrange(len(case.claims))
    claim = case.claims[number]
    row = rng.randrange(len(claim.lines))
    claim = _line(claim, row, claim.lines[row]._replace(carc=text))
    return Seeded(_claim(case, number, claim), ("carc", "adjustment"))


# -- R9 --------------------------------------------------------------------------------------


@manner("R9", "an amount that nobody can read", kinds=PAPER)
def _unreadable(case: Case, rng: random.Random) -> Seeded | None:
    """The amount is to be proposed out of the others, and no other one."""
    number = rng.randrange(len(case.claims))
    claim = case.claims[number]
    row = rng.randrange(len(claim.lines))
    part = rng.choice(("billed", "paid"))
    line = claim.lines[row]
    amount: Decimal = getattr(line.amounts, part)
    if not amount:
        return None
    claim = _line(claim, row, line._replace(amounts=_with(line.amounts, part, None)))
    return Seeded(_claim(case, number, claim), (part,), f"{amount:.2f}")

# SPDX-License-Identifier: Apache-2.0
"""Faults of electronic remittances: one amount or one code that no longer fits."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from training.faults.amounts_seeds import ANY_BALANCE, other_amount
from training.faults.book import Seeded, manner
from training.faults.cases import Case
from training.faults.interchange import REVERSAL, Cas, Payment, Remit, Service, reversed_

TOLD = ("remittance_835",)


def _changed(case: Case, change: Callable[[Remit], Remit | None], *fields: str) -> Seeded | None:
    found = change(case.remit) if case.remit else None
    return Seeded(case._replace(remit=found), fields) if found else None


def _claim(remit: Remit, number: int, claim: Payment) -> Remit:
    return remit._replace(claims=(*remit.claims[:number], claim, *remit.claims[number + 1 :]))


def _service(claim: Payment, number: int, service: Service) -> Payment:
    return claim._replace(
        services=(*claim.services[:number], service, *claim.services[number + 1 :])
    )


def _plain(remit: Remit) -> list[int]:
    """The claims that nothing in the file takes back."""
    taken = {claim.number for claim in remit.claims if claim.status == REVERSAL}
    return [n for n, claim in enumerate(remit.claims) if claim.number not in taken]


def _in_a_line(
    remit: Remit, rng: random.Random, change: Callable[[Service], Service]
) -> Remit | None:
    places = _plain(remit)
    if not places:
        return None
    number = rng.choice(places)
    claim = remit.claims[number]
    row = rng.randrange(len(claim.services))
    return _claim(remit, number, _service(claim, row, change(claim.services[row])))


@manner("R1", "835: one digit of SVC02, SVC03 or a CAS", kinds=TOLD)
def _line(case: Case, rng: random.Random) -> Seeded | None:
    def change(service: Service) -> Service:
        return _digit_of_line(service, rng)

    return _changed(case, lambda r: _in_a_line(r, rng, change), *_OF_A_LINE)


_OF_A_LINE = ("paid", "billed", "adjustment", "deductible", "copay", "coinsurance")


def _digit_of_line(service: Service, rng: random.Random) -> Service:
    part = rng.choice(("billed", "paid", "cas"))
    if part == "billed":
        return service._replace(billed=other_amount(service.billed, rng))
    if part == "paid":
        return service._replace(paid=other_amount(service.paid, rng))
    at = rng.randrange(len(service.cas))
    cas = service.cas[at]._replace(amount=other_amount(service.cas[at].amount, rng))
    return service._replace(cas=(*service.cas[:at], cas, *service.cas[at + 1 :]))


def _digit_of_claim(claim: Payment, rng: random.Random) -> Payment:
    if rng.random() < 0.5:
        return claim._replace(billed=other_amount(claim.billed, rng))
    return claim._replace(paid=other_amount(claim.paid, rng))


def _in_a_claim(
    remit: Remit, rng: random.Random, change: Callable[[Payment], Payment]
) -> Remit | None:
    places = _plain(remit)
    if not places:
        return None
    number = rng.choice(places)
    return _claim(remit, number, change(remit.claims[number]))


@manner("R2", "835: one digit of CLP03 or CLP04", kinds=TOLD)
def _whole(case: Case, rng: random.Random) -> Seeded | None:
    return _changed(
        case, lambda r: _in_a_claim(r, rng, lambda c: _digit_of_claim(c, rng)), "paid", "billed"
    )


@manner("R3", "835: a service line lost", kinds=TOLD)
def _lost(case: Case, rng: random.Random) -> Seeded | None:
    def change(claim: Payment) -> Payment:
        out = rng.randrange(len(claim.services))
        return claim._replace(services=(*claim.services[:out], *claim.services[out + 1 :]))

    def one(remit: Remit) -> Remit | None:
        if not all(len(remit.claims[n].services) > 1 for n in _plain(remit)):
            return None
        return _in_a_claim(remit, rng, change)

    return _changed(case, one, "billed", "paid")


@manner("R4", "835: one digit of BPR02", kinds=TOLD)
def _payment(case: Case, rng: random.Random) -> Seeded | None:
    return _changed(
        case, lambda r: r._replace(amount=other_amount(r.amount, rng)), "payment_amount"
    )


@manner("R4", "835: a provider adjustment with the sign turned", kinds=TOLD)
def _sign(case: Case, rng: random.Random) -> Seeded | None:
    return _changed(
        case,
        lambda r: r._replace(plb=tuple((why, -much) for why, much in r.plb)) if r.plb else None,
        "payment_amount",
    )


@manner(ANY_BALANCE, "835: one digit of any amount", kinds=TOLD)
def _any(case: Case, rng: random.Random) -> Seeded | None:
    def change(remit: Remit) -> Remit | None:
        where = rng.random()
        if where < 0.1:
            return remit._replace(amount=other_amount(remit.amount, rng))
        if where < 0.4:
            return _in_a_claim(remit, rng, lambda c: _digit_of_claim(c, rng))
        return _in_a_line(remit, rng, lambda s: _digit_of_line(s, rng))

    return _changed(case, change, "payment_amount", *_OF_A_LINE)


@manner("R5", "835: one digit of CLP05", kinds=TOLD)
def _share(case: Case, rng: random.Random) -> Seeded | None:
    def change(claim: Payment) -> Payment:
        return claim._replace(share=other_amount(claim.share, rng))

    return _changed(case, lambda r: _in_a_claim(r, rng, change), "patient_responsibility")


def with_cas(case: Case, rng: random.Random, change: Callable[[Cas], Cas]) -> Seeded | None:
    """One reason of one CAS segment changed."""

    def one(service: Service) -> Service:
        at = rng.randrange(len(service.cas))
        cas = change(service.cas[at])
        return service._replace(cas=(*service.cas[:at], cas, *service.cas[at + 1 :]))

    return _changed(case, lambda r: _in_a_line(r, rng, one), "carc", "adjustment")


@manner("R7", "835: a group that does not exist", kinds=TOLD)
def _group(case: Case, rng: random.Random) -> Seeded | None:
    group = rng.choice(("CR", "XX", "CA", "PO"))
    return with_cas(
        case, rng, lambda c: c._replace(group=group) if c.group != "PR" else c._replace(group="PX")
    )


@manner("R7", "835: a reason left out", kinds=TOLD)
def _no_reason(case: Case, rng: random.Random) -> Seeded | None:
    return with_cas(case, rng, lambda c: c._replace(reason=""))


@manner("R8", "835: a reversal that takes back another amount", kinds=TOLD)
def _unlike(case: Case, rng: random.Random) -> Seeded | None:
    def change(remit: Remit) -> Remit | None:
        for number, claim in enumerate(remit.claims):
            if claim.status != REVERSAL:
                continue
            service = claim.services[0]
            off = -other_amount(-service.paid, rng) - service.paid
            cas = service.cas[0]._replace(amount=service.cas[0].amount - off)
            moved = service._replace(paid=service.paid + off, cas=(cas, *service.cas[1:]))
            whole = _service(claim, 0, moved)._replace(paid=claim.paid + off)
            return _claim(remit, number, whole)._replace(amount=remit.amount + off)
        return None

    return _changed(case, change, "paid", "billed")


@manner("R8", "835: a claim reversed twice", kinds=TOLD)
def _twice(case: Case, rng: random.Random) -> Seeded | None:
    def change(remit: Remit) -> Remit | None:
        number = rng.randrange(len(remit.claims))
        claim = remit.claims[number]
        if claim.status == REVERSAL or claim.paid > remit.amount:
            return None
        back = reversed_(claim)
        known = any(c.status == REVERSAL and c.number == claim.number for c in remit.claims)
        more = (back,) if known else (back, back)
        total = remit.amount + back.paid * len(more)
        if total < Decimal(0):
            return None
        return remit._replace(claims=(*remit.claims, *more), amount=total)

    return _changed(case, change, "paid", "billed")

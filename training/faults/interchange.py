# SPDX-License-Identifier: Apache-2.0
"""Electronic remittances (X12 835) as facts that balance, and as the bytes that a payer sends."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from training.faults.pools import PROCEDURES, SPLIT, dice
from training.synthesise import values

CONTRACTUAL = ("CO", "45")
REVERSAL = "22"


class Cas(NamedTuple):
    """One reason of a CAS segment."""

    group: str
    reason: str
    amount: Decimal


class Service(NamedTuple):
    """An SVC with what follows it."""

    code: str
    billed: Decimal
    paid: Decimal
    cas: tuple[Cas, ...]
    remarks: tuple[str, ...] = ()


class Payment(NamedTuple):
    """A CLP with what follows it."""

    account: str
    number: str
    status: str
    patient: tuple[str, str]
    member: str
    billed: Decimal
    paid: Decimal
    share: Decimal
    cas: tuple[Cas, ...]
    services: tuple[Service, ...]


class Remit(NamedTuple):
    """A transaction set."""

    payer: str
    payee: str
    npi: str
    trace: str
    day: dt.date
    amount: Decimal
    claims: tuple[Payment, ...]
    plb: tuple[tuple[str, Decimal], ...] = ()


def remit(number: int, seed: int, received: dt.date) -> Remit:
    """A remittance that balances to the cent; at times with provider adjustments and reversals."""
    rng = dice("835", number, seed)
    claims = [_claim(rng) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        old = _claim(rng)
        claims = [old, reversed_(old), *claims]
    plb: tuple[tuple[str, Decimal], ...] = ()
    if rng.random() < 0.4:
        plb = ((rng.choice(("WO", "L6", "FB", "72")), _cents(rng, -40, 40) or Decimal(1)),)
    paid = sum((claim.paid for claim in claims), Decimal(0))
    amount = paid - sum((value for _, value in plb), Decimal(0))
    if amount < 0:
        plb, amount = (), paid
    day = received - dt.timedelta(days=rng.randint(1, 5))
    return Remit(
        values.pick(rng, "payers", SPLIT).upper().replace("&", "AND"),
        values.practice(rng, SPLIT).upper().replace("&", "AND"),
        values.npi(rng),
        values.digits(rng, 9),
        day,
        amount,
        tuple(claims),
        plb,
    )


def reversed_(claim: Payment) -> Payment:
    """The claim taken back: every amount with its sign turned (X221A1 1.10.2.8)."""
    return claim._replace(
        status=REVERSAL,
        billed=-claim.billed,
        paid=-claim.paid,
        share=Decimal(0),
        cas=tuple(c._replace(amount=-c.amount) for c in claim.cas),
        services=tuple(
            s._replace(
                billed=-s.billed,
                paid=-s.paid,
                cas=tuple(c._replace(amount=-c.amount) for c in s.cas),
            )
            for s in claim.services
        ),
    )


def _cents(rng: random.Random, low: int, high: int) -> Decimal:
    return Decimal(rng.randint(low * 100, high * 100)) / 100


def _claim(rng: random.Random) -> Payment:
    services = []
    for _ in range(rng.randint(1, 3)):
        billed = _cents(rng, 100, 1500)
        allowed = (billed * rng.randint(40, 90) / 100).quantize(Decimal("0.01"))
        share = rng.choice((Decimal(0), (allowed / 5).quantize(Decimal("0.01"))))
        cas = [Cas(*CONTRACTUAL, billed - allowed)]
        if share:
            cas.append(Cas("PR", rng.choice(("1", "2", "3")), share))
        services.append(Service(rng.choice(PROCEDURES)[0], billed, allowed - share, tuple(cas)))
    own: tuple[Cas, ...] = ()
    paid = sum((s.paid for s in services), Decimal(0))
    if rng.random() < 0.2 and paid > 50:
        own = (Cas("CO", "253", (paid / 50).quantize(Decimal("0.01"))),)
    whole = (*own, *(c for s in services for c in s.cas))
    first, _, last = values.person(rng, SPLIT)
    return Payment(
        f"A{values.digits(rng, 6)}",
        values.digits(rng, 12),
        "1",
        (first.upper(), last.upper()),
        f"{values.letters(rng, 3)}{values.digits(rng, 9)}",
        sum((s.billed for s in services), Decimal(0)),
        paid - sum((c.amount for c in own), Decimal(0)),
        sum((c.amount for c in whole if c.group == "PR"), Decimal(0)),
        own,
        tuple(services),
    )


def written(remit: Remit) -> bytes:
    """The interchange (005010X221A1)."""
    body = list(_segments(remit))
    inside = ["ST*835*0001", *body, f"SE*{len(body) + 2}*0001"]
    day = f"{remit.day:%Y%m%d}"
    segments = [
        f"ISA*00*{' ' * 10}*00*{' ' * 10}*ZZ*{'PAYER':15}*ZZ*{'CLINIC':15}*{remit.day:%y%m%d}*1405"
        "*^*00501*000000001*0*T*:",
        f"GS*HP*PAYER*CLINIC*{day}*1405*1*X*005010X221A1",
        *inside,
        "GE*1*1",
        "IEA*1*000000001",
    ]
    return ("~\n".join(segments) + "~\n").encode("ascii")


def _segments(remit: Remit) -> Iterator[str]:
    day = f"{remit.day:%Y%m%d}"
    yield (
        f"BPR*I*{remit.amount}*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765"
        f"*{day}"
    )
    yield f"TRN*1*{remit.trace}*1512345678"
    yield f"DTM*405*{day}"
    yield f"N1*PR*{remit.payer}"
    yield f"N1*PE*{remit.payee}*XX*{remit.npi}"
    yield "LX*1"
    for claim in remit.claims:
        share = claim.share if claim.status != REVERSAL else ""
        yield (
            f"CLP*{claim.account}*{claim.status}*{claim.billed}*{claim.paid}*{share}*12"
            f"*{claim.number}*11"
        )
        yield from (f"CAS*{c.group}*{c.reason}*{c.amount}" for c in claim.cas)
        yield f"NM1*QC*1*{claim.patient[1]}*{claim.patient[0]}****MI*{claim.member}"
        for service in claim.services:
            yield f"SVC*HC:{service.code}*{service.billed}*{service.paid}**1"
            yield f"DTM*472*{day}"
            yield from (f"CAS*{c.group}*{c.reason}*{c.amount}" for c in service.cas)
            yield from (f"LQ*HE*{remark}" for remark in service.remarks)
    for reason, amount in remit.plb:
        yield f"PLB*{remit.npi}*{remit.day.year}1231*{reason}:{remit.trace}*{amount}"

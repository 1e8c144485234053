# SPDX-License-Identifier: Apache-2.0
"""Remittances on paper in all sets of columns that payers print, and one digit wrong in them.

python -m training.faults.remittances --count 2000

Prints by column how many wrong digits the balances R1 to R5 find, and what they say of remittances
without a fault. The documents are those that a perfect reader gives: claims with their service
lines, totals of claims where printed, totals of the statement, the payment.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from idp.document import Box, Claim, Document, DocumentType, Field, ServiceLine
from idp.reductions import Reductions
from idp.validate.remittance import balanced

CENT = Decimal("0.01")
COLUMN_SETS: dict[str, tuple[str, ...]] = {
    "everything": (
        *("billed", "allowed", "adjustment", "deductible", "copay", "coinsurance"),
        *("patient_responsibility", "paid"),
    ),
    "shares by part": (
        *("billed", "allowed", "adjustment", "deductible", "copay", "coinsurance", "paid"),
    ),
    "share as a whole": ("billed", "allowed", "adjustment", "patient_responsibility", "paid"),
    "nothing allowed": ("billed", "adjustment", "deductible", "copay", "coinsurance", "paid"),
    "no adjustment": ("billed", "allowed", "deductible", "copay", "coinsurance", "paid"),
    "not covered apart": (
        *("billed", "adjustment", "noncovered", "allowed", "deductible", "copay", "coinsurance"),
        "paid",
    ),
    "another payer": (
        *("billed", "allowed", "adjustment", "deductible", "copay", "coinsurance"),
        *("other_amount", "paid"),
    ),
}
_TOTALS = {
    "billed": "total_billed",
    "allowed": "total_allowed",
    "adjustment": "total_adjustment",
    "deductible": "total_deductible",
    "copay": "total_copay",
    "coinsurance": "total_coinsurance",
    "patient_responsibility": "patient_responsibility",
    "paid": "total_paid",
}


class Cell(NamedTuple):
    """One amount of a document: of the statement (claim -1), a claim's total (line -1), a line."""

    claim: int
    line: int
    name: str

    @property
    def column(self) -> str:
        """What it is called in the figures."""
        if self.claim < 0:
            return "payment" if self.name == "payment_amount" else "statement total"
        return f"claim total {self.name}" if self.line < 0 else self.name


def remittance(seed: int, columns: str | None = None) -> Document:
    """A remittance that balances; the same arguments give the same one.

    Args:
        seed: Which one.
        columns: The name of one of :data:`COLUMN_SETS`; by default any.
    """
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    shown = COLUMN_SETS[columns or rng.choice(sorted(COLUMN_SETS))]
    with_lines, with_totals = rng.random() < 0.8, rng.random() < 0.7
    reversal = rng.random() < 0.15
    claims: list[Claim] = []
    for number in range(rng.choice((1, 2, 3, 5))):
        count = rng.choice((1, 1, 2, 3, 6)) if with_lines else 1
        sign = -1 if reversal and number == 0 else 1
        rows = [_row(rng, shown, sign) for _ in range(count)]
        whole = {name: sum((row[name] for row in rows), Decimal(0)) for name in shown}
        number_of = {"claim_number": f"C{seed}-{number}", "patient_name": "ADA EXAMPLE"}
        lines = tuple(ServiceLine.model_validate({**row, "page": 1}) for row in rows)
        claims.append(
            Claim.model_validate(
                {
                    **whole,
                    **number_of,
                    "page": 1,
                    "totals": (whole if with_totals else {}) if with_lines else None,
                    "service_lines": lines if with_lines else (),
                }
            )
        )
    fields = [_field("payment_amount", _sum(claims, "paid"))]
    if rng.random() < 0.8 or not (with_lines and with_totals):
        fields += [_field(_TOTALS[n], _sum(claims, n)) for n in shown if n in _TOTALS]
    return Document(
        document_id="d",
        source="made",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.REMITTANCE_EOB,
        type_confidence=1.0,
        pages=(1,),
        fields=tuple(fields),
        claims=tuple(claims),
    )


def _row(rng: random.Random, shown: tuple[str, ...], sign: int) -> dict[str, Decimal]:
    billed = Decimal(rng.randint(2_000, 250_000)) * CENT
    denied = rng.random() < 0.1
    noncovered = _part(rng, billed, 3) if "noncovered" in shown else Decimal(0)
    left = billed - noncovered
    allowed = Decimal(0) if denied else left - _part(rng, left, 1)
    deductible, copay = _part(rng, allowed, 3), _part(rng, allowed, 2)
    coinsurance = _part(rng, allowed, 2)
    other = _part(rng, allowed, 3) if "other_amount" in shown else Decimal(0)
    share = deductible + copay + coinsurance
    row = {
        "billed": billed,
        "noncovered": noncovered,
        "adjustment": left - allowed,
        "allowed": allowed,
        "deductible": deductible,
        "copay": copay,
        "coinsurance": coinsurance,
        "patient_responsibility": share,
        "other_amount": other,
        "paid": allowed - share - other,
    }
    return {name: sign * row[name] for name in shown}


def _part(rng: random.Random, whole: Decimal, seldom: int) -> Decimal:
    """Nothing mostly, else up to a quarter."""
    if rng.randrange(seldom + 1) != 0 and seldom > 1:
        return Decimal("0.00")
    return (whole * rng.randint(1, 25) / 100).quantize(CENT)


def _sum(claims: list[Claim], name: str) -> Decimal:
    return sum((getattr(claim, name) for claim in claims), Decimal(0))


def _field(name: str, amount: Decimal) -> Field:
    return Field(
        name=name,
        value=f"{amount:.2f}",
        raw=f"{amount:.2f}",
        confidence=0.99,
        page=1,
        box=Box(0.1, 0.1, 0.2, 0.12),
        source="made",
    )


def cells(document: Document) -> Iterator[Cell]:
    """All amounts that stand on the document."""
    for number, claim in enumerate(document.claims):
        rows = claim.service_lines or (claim,)
        for at, row in enumerate(rows):
            for name in _amounts(row):
                yield Cell(number, at, name)
        for name in claim.totals or {}:
            yield Cell(number, -1, name)
    for field in document.fields:
        yield Cell(-1, 0, field.name)


def _amounts(row: ServiceLine) -> list[str]:
    names = dict.fromkeys(name for shown in COLUMN_SETS.values() for name in shown)
    return [name for name in names if getattr(row, name) is not None]


def value_of(document: Document, cell: Cell) -> Decimal:
    """What stands in a cell."""
    if cell.claim < 0:
        field = document.field(cell.name)
        return Decimal((field.value if field else None) or 0)
    claim = document.claims[cell.claim]
    if cell.line < 0:
        return (claim.totals or {})[cell.name]
    row = claim.service_lines[cell.line] if claim.service_lines else claim
    return Decimal(getattr(row, cell.name))


def with_values(document: Document, values: Mapping[Cell, Decimal | None]) -> Document:
    """The document with other amounts, or none, in some cells, as a reader would give it."""
    claims = list(document.claims)
    fields = list(document.fields)
    for cell, value in values.items():
        if cell.claim < 0:
            at = next(n for n, f in enumerate(fields) if f.name == cell.name)
            fields[at] = fields[at].model_copy(
                update={"value": None if value is None else f"{value:.2f}"}
            )
            continue
        claim = claims[cell.claim]
        if cell.line < 0:
            kept = {n: v for n, v in (claim.totals or {}).items() if n != cell.name}
            new = kept if value is None else {**kept, cell.name: value}
            claims[cell.claim] = claim.model_copy(update={"totals": new})
        elif claim.service_lines:
            lines = list(claim.service_lines)
            lines[cell.line] = lines[cell.line].model_copy(update={cell.name: value})
            claims[cell.claim] = claim.model_copy(update={"service_lines": tuple(lines)})
        else:
            claims[cell.claim] = claim.model_copy(update={cell.name: value})
    return document.model_copy(update={"claims": tuple(claims), "fields": tuple(fields)})


def other_digit(amount: Decimal, rng: random.Random) -> Decimal:
    """The amount with one of its digits another."""
    text = f"{amount:.2f}"
    at = rng.choice([n for n, c in enumerate(text) if c.isdigit()])
    digit = rng.choice([d for d in "0123456789" if d != text[at]])
    return Decimal(text[:at] + digit + text[at + 1 :])


class Figures(NamedTuple):
    """How many wrong digits there were, were found, and were named, by column."""

    seeded: Counter[str]
    found: Counter[str]
    named: Counter[str]
    wrongly: Counter[str]
    sound: int
    alarms: int


def measure(count: int, seed: int = 0) -> Figures:
    """Judges ``count`` remittances sound and with one digit wrong."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    alarms = 0
    for number in range(count):
        sound = remittance(seed * 1_000_000 + number)
        alarms += bool(_said(sound)[0])
        cell = rng.choice(list(cells(sound)))
        wrong = other_digit(value_of(sound, cell), rng)
        found, culprits = _said(with_values(sound, {cell: wrong}))
        tally["seeded"][cell.column] += 1
        tally["found"][cell.column] += found
        right = culprits == {(_path(sound, cell), value_of(sound, cell))}
        tally["named"][cell.column] += right
        tally["wrongly"][cell.column] += bool(culprits) and not right
    return Figures(tally["seeded"], tally["found"], tally["named"], tally["wrongly"], count, alarms)


def _said(document: Document) -> tuple[bool, set[tuple[str, Decimal]]]:
    """Whether a balance fails, and which amounts are named as wrong with what they should be."""
    result = balanced(document, (), Reductions(), electronic=False)
    named = {
        (each.culprit, each.proposed)
        for each in result.imbalances
        if each.culprit is not None and each.proposed is not None
    }
    return bool(result.findings), named


def _path(document: Document, cell: Cell) -> str:
    if cell.claim < 0:
        return cell.name
    claim = document.claims[cell.claim]
    within = "totals." if cell.line < 0 else f"lines.{cell.line + 1}."
    return f"claims.{cell.claim + 1}.{within if claim.service_lines else ''}{cell.name}"


def main() -> int:
    """Command line; status 1 where the figures asked for are not reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    figures = measure(options.count, options.seed)
    say = sys.stdout.write
    say(f"{'column':40} {'seeded':>7} {'found':>7} {'share':>7} {'named':>7} {'wrongly':>8}\n")
    for column in sorted(figures.seeded):
        seeded, found = figures.seeded[column], figures.found[column]
        say(
            f"{column:40} {seeded:7} {found:7} {found / seeded:7.4f} "
            f"{figures.named[column]:7} {figures.wrongly[column]:8}\n"
        )
    seeded, found = figures.seeded.total(), figures.found.total()
    say(
        f"{'all':40} {seeded:7} {found:7} {found / seeded:7.4f} "
        f"{figures.named.total():7} {figures.wrongly.total():8}\n"
        f"sound {figures.sound}, with a finding {figures.alarms}\n"
    )
    return 0 if found >= 0.99 * seeded and figures.alarms <= 0.01 * figures.sound else 1


if __name__ == "__main__":
    sys.exit(main())

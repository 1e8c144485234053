# SPDX-License-Identifier: Apache-2.0
"""What a remittance is made of, for its balances: every amount with its name, value and place.

The equations themselves are in :mod:`idp.validate.balances_paper` and
:mod:`idp.validate.balances_x12`; what follows from them is told by :mod:`idp.validate.remittance`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from idp.document import Claim, Document, Field, Place, ServiceLine
from idp.validate.equations import Equation, Key

AMOUNTS = (
    *("billed", "allowed", "adjustment", "noncovered", "deductible", "copay", "coinsurance"),
    *("other_amount", "patient_responsibility", "paid"),
)
"""The amounts of a line and of a claim, in the order in which they are printed mostly."""
SHARES = ("deductible", "copay", "coinsurance")
"""What the patient bears, by its parts."""
MAY_BE_BLANK = frozenset(AMOUNTS) - {"billed", "allowed", "paid"}
"""Where nothing stands in a column of these, nothing is meant."""


@dataclass
class Ledger:
    """The amounts of a document by their keys, and the equations between them."""

    values: dict[Key, Decimal] = field(default_factory=dict)
    places: dict[Key, Place] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    unread: set[Key] = field(default_factory=set)
    """Something stands there that could not be read, or an amount that is never left blank."""
    blank: set[Key] = field(default_factory=set)
    """Nothing stands there; it counts as nothing unless the balances prove otherwise."""

    def note(self, key: Key, value: Decimal | None, place: Place | None) -> None:
        """Enters an amount, read or not, with its place."""
        if value is not None:
            self.values[key] = value
        if place is not None:
            self.places[key] = place


def rows(claim: Claim) -> Iterator[tuple[int, ServiceLine]]:
    """The rows that a claim is made of with their numbers; a claim without lines is row 0.

    A line without a single amount is left out: it is no line, or its amounts are the claim's.
    """
    if claim.service_lines:
        for at, line in enumerate(claim.service_lines, start=1):
            if any(getattr(line, name) is not None or name in line.cells for name in AMOUNTS):
                yield at, line
    else:
        yield 0, claim


def place_of(row: ServiceLine, name: str) -> Place | None:
    """Where an amount of a row stands; the row where the cell itself is not known."""
    if name in row.cells:
        return row.cells[name]
    return Place(page=row.page, box=row.box) if row.page is not None else None


def label(claim: Claim, number: int) -> str:
    """What people call a claim."""
    return f"Claim {claim.claim_number or claim.patient_account or number}"


def amount_of(found: Field | None) -> Decimal | None:
    """The value of a field of money; none where it is none."""
    if found is None or not found.value:
        return None
    try:
        value = Decimal(found.value)
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


def printed(document: Document, name: str) -> Field | None:
    """A field that stands on the page; one that was computed says nothing of its own."""
    return next((f for f in document.fields if f.name == name and not f.derived_from), None)


def total(amounts: Sequence[Decimal | None]) -> Decimal:
    """The sum of those that are known."""
    return sum((amount for amount in amounts if amount is not None), Decimal(0))

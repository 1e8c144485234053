# SPDX-License-Identifier: Apache-2.0
"""The nouns of a remittance: claims with their service lines, and what they come to.

The rooms take them from :mod:`idp.document`, like all nouns.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import Field as Bounded

from idp.noun import Box, Noun, Place


class Adjustment(Noun):
    """One reason why less was paid than billed: 835 CAS, or a code printed in the row.

    ``group`` is CO, PR, OA or PI where it is said, ``amount`` none where no amount stands beside.
    """

    group: str = ""
    reason: str
    amount: Decimal | None = None

    @property
    def code(self) -> str:
        """Group and reason as they are printed: ``CO-45``."""
        return f"{self.group}-{self.reason}" if self.group else self.reason


class ServiceLine(Noun):
    """One service line of a remittance (835 loop 2110, SVC/CAS/DTM)."""

    service_date: dt.date | None = None
    procedure_code: str | None = None
    units: Decimal | None = None
    billed: Decimal | None = None
    allowed: Decimal | None = None
    adjustment: Decimal | None = None
    carc: str | None = None
    rarc: str | None = None
    deductible: Decimal | None = None
    copay: Decimal | None = None
    coinsurance: Decimal | None = None
    noncovered: Decimal | None = None
    """Where it stands in a column of its own, apart from ``adjustment``."""
    other_amount: Decimal | None = None
    """A further column: paid by another payer, withheld, sequestration, interest."""
    patient_responsibility: Decimal | None = None
    """All that is the patient's, as said (835 CLP05): the shares above are its parts."""
    paid: Decimal | None = None
    adjustments: tuple[Adjustment, ...] = ()
    """The reasons one by one; a claim's are those of the claim as a whole, beyond its lines'."""
    note: str | None = None
    confidence: float = Bounded(default=0.0, ge=0, le=1)
    page: int | None = None
    box: Box | None = None
    derived: tuple[str, ...] = ()
    """Amounts above that nobody could read and a balance proposes (rule R9)."""
    cells: dict[str, Place] = Bounded(default_factory=dict)
    """Where each amount is printed, by its name; also of one that could not be read."""


class Claim(ServiceLine):
    """One claim of a remittance (835 loop 2100, CLP), with its service lines.

    The amounts here are the claim's totals; a claim of one line repeats that line's date and
    procedure so that a plain table of claims needs no join.
    """

    patient_name: str | None = None
    member_id: str | None = None
    group_number: str | None = None
    patient_account: str | None = None
    claim_number: str | None = None
    status: str | None = None
    """X12 CLP02: 1 to 3 paid as primary to tertiary, 4 denied, 22 the reversal of a payment."""
    totals: dict[str, Decimal] | None = None
    """What a total row of the claim prints, by name, where its amounts above are its lines' (on
    paper); none where the amounts above are the claim's own."""
    service_lines: tuple[ServiceLine, ...] = ()

    def every_adjustment(self) -> tuple[Adjustment, ...]:
        """Those of the claim as a whole and those of its lines."""
        return (*self.adjustments, *(a for line in self.service_lines for a in line.adjustments))

    def responsibility(self) -> Decimal:
        """What the reasons of group PR add up to."""
        amounts = (a.amount for a in self.every_adjustment() if a.group == "PR")
        return sum((amount for amount in amounts if amount is not None), Decimal(0))


class ReasonGroup(Noun):
    """One reason for which a remittance pays less than billed: how often, and how much."""

    group: str = ""
    reason: str
    remarks: tuple[str, ...] = ()
    category: str
    """Of our own, as ``authorization``; ``contractual`` and ``patient`` are no denials."""
    title: str
    denial: bool
    queue: str | None = None
    """Where denials of this kind are worked."""
    claims: int
    amount: Decimal | None = None
    """None where no amount is said for some of them."""


class Imbalance(Noun):
    """One balance of a remittance that does not hold: where, and by how much."""

    rule: str
    claim: int | None = None
    """Which of the document's claims, from 1; none: the payment as a whole."""
    line: int | None = None
    """Which of its service lines, from 1."""
    name: str
    """Of the amount that the others should give."""
    expected: Decimal
    said: Decimal
    culprit: str | None = None
    """The one amount that, put right, makes everything balance; ``claims.1.lines.2.paid``."""
    proposed: Decimal | None = None
    """What that amount would be."""


class RemittanceSummary(Noun):
    """A remittance for people: from billed to paid, what was denied and why, does it balance.

    ``billed`` less ``adjusted`` less ``patient`` is what the claims pay; less
    ``provider_adjusted`` (835 PLB, positive lowers) it is ``payment``. ``left_over`` is what is
    left over; none of them is there where an amount that it needs is not.
    """

    claims: int
    denied: tuple[str, ...] = ()
    """Claims of which nothing was paid for a reason that is a denial: number, account or place."""
    reversed: int = 0
    billed: Decimal | None = None
    adjusted: Decimal | None = None
    patient: Decimal | None = None
    paid: Decimal | None = None
    provider_adjusted: Decimal | None = None
    payment: Decimal | None = None
    left_over: Decimal | None = None
    balanced: bool | None = None
    """None where nothing could be checked."""
    checked: int = 0
    """How many balances were."""
    imbalances: tuple[Imbalance, ...] = ()
    reasons: tuple[ReasonGroup, ...] = ()
    """The largest amount first."""

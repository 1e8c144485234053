# SPDX-License-Identifier: Apache-2.0
"""A remittance for people: from billed to paid, reasons grouped, denied claims by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from idp.document import (
    Adjustment,
    Claim,
    Document,
    Imbalance,
    ReasonGroup,
    RemittanceSummary,
    ServiceLine,
)
from idp.reductions import Reductions
from idp.validate.balances import SHARES, amount_of, rows, total

_REVERSAL = "22"
_DENIED = "4"


class Steps(NamedTuple):
    """What one row says on the way from billed to paid; none where it is not said."""

    billed: Decimal | None
    adjusted: Decimal | None
    patient: Decimal | None
    paid: Decimal | None


def summary_of(
    document: Document, reductions: Reductions, checked: int, imbalances: Sequence[Imbalance]
) -> RemittanceSummary | None:
    """The summary of a remittance; none where there are no claims.

    Args:
        document: With its claims, proposed amounts filled in.
        reductions: The categories of reason codes.
        checked: How many of its balances are known whole.
        imbalances: Those of them that do not hold.
    """
    if not document.claims:
        return None
    steps = [_steps(claim) for claim in document.claims]
    billed, adjusted, patient, paid = (
        _whole([getattr(each, name) for each in steps]) for name in Steps._fields
    )
    recovered = [amount_of(f) for f in document.fields if f.name == "provider_adjustments"]
    left = None
    if billed is not None and paid is not None:
        left = billed - (adjusted or Decimal(0)) - (patient or Decimal(0)) - paid
    return RemittanceSummary(
        claims=len(document.claims),
        denied=tuple(
            claim.claim_number or claim.patient_account or str(number)
            for number, claim in enumerate(document.claims, start=1)
            if _is_denied(claim, reductions)
        ),
        reversed=sum(is_reversal(claim) for claim in document.claims),
        billed=billed,
        adjusted=adjusted,
        patient=patient,
        paid=paid,
        provider_adjusted=total(recovered) if recovered else None,
        payment=amount_of(document.field("payment_amount")),
        left_over=left,
        balanced=not imbalances if checked else None,
        checked=checked,
        imbalances=tuple(imbalances),
        reasons=_grouped(document.claims, reductions),
    )


def is_reversal(claim: Claim) -> bool:
    """Whether the claim takes back an earlier one."""
    return claim.status == _REVERSAL or (claim.billed is not None and claim.billed < 0)


def _whole(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum, where every claim says its part."""
    return None if None in amounts else total(amounts)


def _steps(claim: Claim) -> Steps:
    if claim.billed is not None and claim.paid is not None:
        return _row_steps(claim, claim.every_adjustment())
    parts = [_row_steps(row, row.adjustments) for _, row in rows(claim)]
    return Steps(*(_whole([getattr(each, name) for each in parts]) for name in Steps._fields))


def _row_steps(row: ServiceLine, reasons: Sequence[Adjustment]) -> Steps:
    shares = [getattr(row, name) for name in SHARES]
    patient: Decimal | None = total(shares)
    if all(share is None for share in shares):
        patient = row.patient_responsibility or Decimal(0)
    named = [a.amount for a in reasons if a.group == "PR" and a.amount is not None]
    more = Decimal(0)
    if named and row.adjustment is not None and total(named) != patient:
        # An 835 counts what the patient bears for other reasons among the adjustments.
        more = total(named) - (patient or Decimal(0))
    if row.adjustment is not None:
        adjusted = row.adjustment - more
    elif row.billed is not None and row.allowed is not None:
        adjusted = row.billed - row.allowed
    else:
        adjusted = Decimal(0)
    return Steps(row.billed, adjusted, (patient or Decimal(0)) + more, row.paid)


def _reasons(row: ServiceLine) -> Iterator[Adjustment]:
    """The reasons of a row; as many as its codes where no more is known of them."""
    if row.adjustments or not row.carc:
        yield from row.adjustments
        return
    for code in row.carc.split(", "):
        group, _, reason = code.rpartition("-")
        yield Adjustment(group=group, reason=reason)


def _rows_with_reasons(claim: Claim) -> Iterator[ServiceLine]:
    yield from claim.service_lines
    if not claim.service_lines or claim.adjustments:
        yield claim


def _is_denied(claim: Claim, reductions: Reductions) -> bool:
    if is_reversal(claim) or claim.paid or not claim.billed:
        return False
    if claim.status == _DENIED:
        return True
    return claim.paid is not None and any(
        reductions.category(a.group, a.reason).denial
        for row in _rows_with_reasons(claim)
        for a in _reasons(row)
    )


def _grouped(claims: Sequence[Claim], reductions: Reductions) -> tuple[ReasonGroup, ...]:
    """Group code and reason with its claims, remarks and amount, the largest amount first."""
    seen: dict[tuple[str, str], list[tuple[int, Decimal | None, str]]] = {}
    for number, claim in enumerate(claims, start=1):
        for row in _rows_with_reasons(claim):
            for each in _reasons(row):
                entry = (number, each.amount, row.rarc or "")
                seen.setdefault((each.group, each.reason), []).append(entry)
    groups: list[ReasonGroup] = []
    for (group, reason), entries in seen.items():
        category = reductions.category(group, reason)
        remarks = {code for _, _, codes in entries for code in codes.split(", ") if code}
        groups.append(
            ReasonGroup(
                group=group,
                reason=reason,
                remarks=tuple(sorted(remarks)) if category.denial else (),
                category=category.name,
                title=category.title,
                denial=category.denial,
                queue=category.queue,
                claims=len({number for number, _, _ in entries}),
                amount=_whole([amount for _, amount, _ in entries]),
            )
        )
    return tuple(sorted(groups, key=lambda g: (-(g.amount or Decimal(0)), g.group, g.reason)))

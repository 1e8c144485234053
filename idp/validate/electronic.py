# SPDX-License-Identifier: Apache-2.0
"""The balances of an electronic remittance (X12 835), to the cent.

Unlike a page, a transaction set states every reduction, and nothing of it was misread: where it
does not balance, it is wrong, and nobody should post it. What a payer allowed is informational and
never part of a balance (X12 RFI 2601).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from idp.document import Claim, Document, Field, Finding, Page, ServiceLine, Severity
from idp.rulebook import rule

SAID_BY_EXTRACTION = frozenset({"R5", "R7", "X1", "X2", "X3"})
"""Rules that look at segments, which only extraction sees: what they said is kept."""


def said_by_extraction(finding: Finding) -> bool:
    """Whether extraction found it: of R7 only what breaks a segment, and so blocks.

    What rule R7 says of codes against their lists is said anew with the lists in force.
    """
    looked_up = finding.rule == "R7" and finding.severity is not Severity.BLOCK
    return finding.rule in SAID_BY_EXTRACTION and not looked_up


def is_electronic(pages: Sequence[Page]) -> bool:
    """Whether the pages are the listing of a transaction set."""
    return bool(pages) and all(page.words_source == "x12" for page in pages)


def balances(document: Document) -> Iterator[Finding]:
    """R1 to R4: lines, claims, lines to claims, and claims to the payment."""
    for number, claim in enumerate(document.claims, start=1):
        what = f"Claim {claim.claim_number or claim.patient_account or number}"
        yield from _balance(claim, what, "R2")
        for place, line in enumerate(claim.service_lines, start=1):
            yield from _balance(line, f"{what}, line {place}", "R1")
        yield from _lines_make_claim(claim, what)
    yield from _claims_make_payment(document)


def _sum(amounts: Sequence[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


@rule("R1", severity=Severity.BLOCK, source="X12 RFI 2348, 2601")
@rule("R2", severity=Severity.BLOCK, source="X12 RFI 2601")
def _balance(line: ServiceLine, what: str, rule: str) -> Iterator[Finding]:
    """R1, R2: billed less all adjustments is paid (X12 RFI 2348, 2601)."""
    if line.billed is None or line.paid is None:
        return
    taken = _sum((line.adjustment, line.deductible, line.coinsurance, line.copay))
    if line.billed - taken != line.paid:
        yield Finding(
            rule=rule,
            severity=Severity.BLOCK,
            field="paid",
            message=f"{what}: {line.billed:.2f} billed less {taken:.2f} adjustments is "
            f"{line.billed - taken:.2f}, the file says {line.paid:.2f} paid",
            page=line.page,
            box=line.box,
        )


@rule("R3", severity=Severity.BLOCK, source="X12 RFI 1053")
def _lines_make_claim(claim: Claim, what: str) -> Iterator[Finding]:
    """R3: the lines' charges add up to the claim's (X12 RFI 1053).

    What they paid need not: adjustments of the claim as a whole lie between. That is R2's.
    """
    billed = [line.billed for line in claim.service_lines]
    if not billed or claim.billed is None or None in billed:
        return
    if _sum(billed) != claim.billed:
        yield Finding(
            rule="R3",
            severity=Severity.BLOCK,
            field="billed",
            message=f"{what}: its lines add up to {_sum(billed):.2f} billed, the claim says "
            f"{claim.billed:.2f}",
            page=claim.page,
            box=claim.box,
        )


@rule("R4", severity=Severity.BLOCK, source="835 TR3 1.10.2.1.3")
def _claims_make_payment(document: Document) -> Iterator[Finding]:
    """R4: what the claims pay, less the provider adjustments, is the payment (835 TR3 1.10.2.1.3).

    A positive provider adjustment lowers the payment, a negative one raises it.
    """
    payment = document.field("payment_amount")
    paid = [claim.paid for claim in document.claims]
    if payment is None or None in paid:
        return
    adjusted = _sum(
        [_amount(field) for field in document.fields if field.name == "provider_adjustments"]
    )
    said = _amount(payment)
    if said is None:
        return
    if _sum(paid) - adjusted != said:
        yield Finding(
            rule="R4",
            severity=Severity.BLOCK,
            field="payment_amount",
            message=f"The claims pay {_sum(paid):.2f}, less {adjusted:.2f} provider adjustments "
            f"that is {_sum(paid) - adjusted:.2f}; the file says {said:.2f} is paid",
            page=payment.page,
            box=payment.box,
        )


def _amount(field: Field) -> Decimal | None:
    try:
        return Decimal(field.value or "")
    except ArithmeticError:
        return None

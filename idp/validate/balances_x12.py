# SPDX-License-Identifier: Apache-2.0
"""The balances of an electronic remittance (X12 835).

Unlike a page, a transaction set states every reduction. What a payer allowed (AMT*B6) is in none of
them (R6).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from idp.document import Claim, Document, Finding, Place, ServiceLine, Severity
from idp.rulebook import enter, rule
from idp.validate.balances import SHARES, Ledger, amount_of, label, place_of, rows, total
from idp.validate.equations import Equation, Key, Term

_REDUCTIONS = ("adjustment", *SHARES)
_ADJUSTED = "provider_adjustments"

_ALLOWED = enter(
    "R6",
    "What a payer allowed is informational: no balance of an 835 uses it.",
    severity=Severity.INFO,
    source="X12 RFI 2601",
    where="idp.validate.balances_x12",
)


def ledger_of(document: Document) -> Ledger:
    """The amounts of an 835 and the equations that must hold between them, to the cent."""
    ledger = Ledger()
    for number, claim in enumerate(document.claims, start=1):
        for place, line in rows(claim):
            if place:
                _enter_row(ledger, number, place, line, _REDUCTIONS)
        _enter_row(ledger, number, 0, claim, ())
        own = _own_reductions(claim)
        if own:
            where = place_of(claim, "adjustment")
            ledger.note(Key(number, 0, "adjustment"), own, where)
        ledger.equations += (
            *_lines_balance(ledger, number, claim),
            *_claim_balances(ledger, number, claim),
            *_lines_make_claim(ledger, number, claim),
        )
    ledger.equations += _claims_make_payment(document, ledger)
    return ledger


def _enter_row(
    ledger: Ledger, claim: int, line: int, row: ServiceLine, reductions: tuple[str, ...]
) -> None:
    for name in ("billed", "paid", *reductions):
        ledger.note(Key(claim, line, name), getattr(row, name), place_of(row, name))


def _own_reductions(claim: Claim) -> Decimal:
    """What the claim's own CAS segments take away, beyond those of its lines."""
    whole = total([getattr(claim, name) for name in _REDUCTIONS])
    lines = [getattr(line, name) for line in claim.service_lines for name in _REDUCTIONS]
    return whole - total(lines)


def _known(ledger: Ledger, claim: int, line: int, names: tuple[str, ...]) -> list[Term]:
    """The reductions of a row that are there; no CAS says that nothing is taken away."""
    keys = (Key(claim, line, name) for name in names)
    return [Term(key, -1) for key in keys if key in ledger.values]


@rule("R1", severity=Severity.BLOCK, source="X12 RFI 2348, 2601", version=2)
def _lines_balance(ledger: Ledger, number: int, claim: Claim) -> Iterator[Equation]:
    """R1: on each line of an 835, SVC02 less its CAS is SVC03."""
    for place, _ in enumerate(claim.service_lines, start=1):
        paid = Key(number, place, "paid")
        terms = (
            Term(Key(number, place, "billed"), 1),
            *_known(ledger, number, place, _REDUCTIONS),
            Term(paid, -1),
        )
        yield Equation("R1", terms, paid, number, place)


@rule("R2", severity=Severity.BLOCK, source="X12 RFI 2601", version=2)
def _claim_balances(ledger: Ledger, number: int, claim: Claim) -> Iterator[Equation]:
    """R2: on each claim of an 835, CLP03 less all CAS, its own and its lines', is CLP04."""
    paid = Key(number, 0, "paid")
    taken = [
        term
        for place, _ in enumerate(claim.service_lines, start=1)
        for term in _known(ledger, number, place, _REDUCTIONS)
    ]
    own = _known(ledger, number, 0, ("adjustment",))
    terms = (Term(Key(number, 0, "billed"), 1), *own, *taken, Term(paid, -1))
    yield Equation("R2", terms, paid, number)


@rule("R3", severity=Severity.BLOCK, source="X12 RFI 1053", version=2)
def _lines_make_claim(ledger: Ledger, number: int, claim: Claim) -> Iterator[Equation]:
    """R3: the SVC02 of an 835 add up to CLP03, its SVC03 less the claim's own CAS to CLP04."""
    if not claim.service_lines:
        return
    for name in ("billed", "paid"):
        whole = Key(number, 0, name)
        lines = (Term(Key(number, at, name), 1) for at in range(1, len(claim.service_lines) + 1))
        own = _known(ledger, number, 0, ("adjustment",)) if name == "paid" else []
        yield Equation("R3", (*lines, *own, Term(whole, -1)), whole, number)


@rule("R4", severity=Severity.BLOCK, source="835 TR3 1.10.2.1.3", version=2)
def _claims_make_payment(document: Document, ledger: Ledger) -> Iterator[Equation]:
    """R4: in an 835, the CLP04 less the provider adjustments (PLB) are BPR02.

    A positive provider adjustment lowers the payment, a negative one raises it.
    """
    payment = document.field("payment_amount")
    said = amount_of(payment)
    if payment is None or said is None:
        return
    key = Key(0, 0, "payment_amount")
    place = Place(page=payment.page, box=payment.box) if payment.page is not None else None
    ledger.note(key, said, place)
    adjusted: list[Term] = []
    listed = (field for field in document.fields if field.name == _ADJUSTED)
    for at, field in enumerate(listed, start=1):
        where = Place(page=field.page, box=field.box) if field.page is not None else None
        term = Term(Key(0, at, _ADJUSTED), -1)
        ledger.note(term.key, amount_of(field), where)
        adjusted.append(term)
    paid = (Term(Key(at, 0, "paid"), 1) for at in range(1, len(document.claims) + 1))
    yield Equation("R4", (*paid, *adjusted, Term(key, -1)), key)


@rule("R5", severity=Severity.WARN, source="835 X221A1 CLP05, CAS", version=2)
def patient_shares(document: Document) -> Iterator[Finding]:
    """R5: the patient's share (CLP05) is the sum of the adjustments of group PR.

    A reversal (CLP02 22) says nothing of it.
    """
    for number, claim in enumerate(document.claims, start=1):
        said = claim.patient_responsibility
        adds_up = claim.responsibility()
        if said is None or claim.status == "22" or said == adds_up:
            continue
        place = place_of(claim, "patient_responsibility")
        yield Finding(
            rule="R5",
            severity=Severity.WARN,
            field="patient_responsibility",
            message=f"{label(claim, number)}: the patient's responsibility is {said:.2f} (CLP05), "
            f"the adjustments of group PR add up to {adds_up:.2f}",
            remedy="Ask the payer which of the two is right before the patient gets a bill",
            page=place.page if place else None,
            box=place.box if place else None,
            places=(place,) if place else (),
        )

# SPDX-License-Identifier: Apache-2.0
"""Remittances: what balances is silent, what does not is named with place and likely cause."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.document import Box, Claim, Document, Finding, Page, Place, ServiceLine, Severity
from idp.reductions import Reductions, load_reductions
from idp.validate.remittance import Balanced, balanced
from idp.validate.remittance_summary import summary_of
from tests.unit.pages import page
from training.faults.remittances import (
    COLUMN_SETS,
    Cell,
    cells,
    measure,
    other_digit,
    remittance,
    value_of,
    with_values,
)

SHIPPED = load_reductions()
seeds = st.integers(0, 10**6)


def judged(document: Document, *pages: Page, reductions: Reductions = SHIPPED) -> Balanced:
    return balanced(document, pages, reductions, electronic=False)


def told(result: Balanced) -> list[tuple[str, Severity]]:
    return [(f.rule, f.severity) for f in result.findings]


def with_lines(*rows: dict[str, Any], totals: dict[str, str] | None = None) -> Document:
    """A remittance of one claim with these lines."""
    lines = tuple(
        ServiceLine.model_validate(
            {
                "page": 1,
                "box": Box(0, at / 10, 1, at / 10 + 0.05),
                "cells": {name: Place(page=1, box=Box(0.1, at / 10, 0.2, at / 10)) for name in row},
                **{name: value for name, value in row.items() if value is not None},
            }
        )
        for at, row in enumerate(rows)
    )
    claim = Claim.model_validate(
        {
            "claim_number": "C1",
            "page": 1,
            "service_lines": lines,
            "totals": totals or {},
            **{
                name: sum(Decimal(row[name] or 0) for row in rows)
                for name in rows[0]
                if all(row[name] is not None for row in rows)
            },
        }
    )
    return remittance(1).model_copy(update={"claims": (claim,), "fields": ()})


ROW = {"billed": "200.00", "adjustment": "50.00", "allowed": "150.00", "copay": "36.63"}
PAID = {**ROW, "paid": "113.37"}


@settings(max_examples=150, deadline=None)
@given(seeds, st.sampled_from(sorted(COLUMN_SETS)))
def test_a_remittance_that_balances_stays_silent(seed: int, columns: str) -> None:
    result = judged(remittance(seed, columns))
    assert result.findings == ()
    assert result.imbalances == ()
    assert result.checked > 0


@settings(max_examples=200, deadline=None)
@given(seeds, st.integers(0, 10**6), st.integers(-99_999, 99_999).filter(bool))
def test_any_other_amount_in_a_balance_is_found(seed: int, at: int, cents: int) -> None:
    document = remittance(seed, "shares by part")
    every = list(cells(document))
    cell = every[at % len(every)]
    wrong = value_of(document, cell) + Decimal(cents) / 100
    result = judged(with_values(document, {cell: wrong}))
    assert result.imbalances


@settings(max_examples=200, deadline=None)
@given(seeds, st.integers(0, 10**6))
def test_an_amount_that_is_derived_is_the_true_one(seed: int, at: int) -> None:
    document = remittance(seed, "everything")
    every = [cell for cell in cells(document) if cell.claim >= 0 and cell.line >= 0]
    cell = every[at % len(every)]
    result = judged(with_values(document, {cell: None}))
    derived = [c for c in _derived(result.document) if c.name == cell.name]
    assert all(value_of(result.document, c) == value_of(document, c) for c in derived)
    if cell.name in ("billed", "allowed", "paid") and len(every) > len(COLUMN_SETS["everything"]):
        assert cell in derived
        assert result.imbalances == ()


@settings(max_examples=300, deadline=None)
@given(seeds, st.integers(0, 10**6), st.integers(0, 10**6))
def test_of_two_unknown_amounts_none_is_proposed_wrongly(seed: int, one: int, two: int) -> None:
    document = remittance(seed)
    every = [cell for cell in cells(document) if cell.claim >= 0]
    gone = {every[one % len(every)], every[two % len(every)]}
    result = judged(with_values(document, dict.fromkeys(gone)))
    for cell in _derived(result.document):
        assert value_of(result.document, cell) == value_of(document, cell)


@settings(max_examples=200, deadline=None)
@given(seeds, st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_an_unknown_amount_beside_a_wrong_one_is_never_silent(
    seed: int, at: int, rng: random.Random
) -> None:
    document = remittance(seed, "everything")
    every = [cell for cell in cells(document) if cell.claim >= 0 and cell.line >= 0]
    gone = every[at % len(every)]
    wrong = rng.choice([cell for cell in every if cell != gone])
    seeded = with_values(document, {gone: None, wrong: other_digit(value_of(document, wrong), rng)})
    result = judged(seeded)
    assert any(f.severity is not Severity.INFO for f in result.findings)


def _derived(document: Document) -> list[Cell]:
    return [
        Cell(number, at, name)
        for number, claim in enumerate(document.claims)
        for at, row in enumerate(claim.service_lines or (claim,))
        for name in row.derived
    ]


def test_one_digit_wrong_is_found_in_every_set_of_columns() -> None:
    figures = measure(600, seed=3)
    assert figures.found.total() >= 0.99 * figures.seeded.total()
    assert figures.alarms <= 0.01 * figures.sound
    assert figures.wrongly.total() == 0


def test_a_wrong_digit_is_named_with_its_cell_and_what_it_should_be() -> None:
    wrong = {**PAID, "copay": "36.83"}
    document = with_lines(PAID, wrong, totals={"copay": "73.26", "paid": "226.74"})
    result = judged(document)
    assert {f.rule for f in result.findings} == {"R1", "R3"}
    line = next(f for f in result.findings if f.rule == "R1")
    assert line.message == (
        "Claim C1, line 2: 150.00 allowed less 36.83 copay is 113.17; the page says 113.37 paid, "
        "0.20 too much"
    )
    assert line.remedy.startswith("Look at copay of claim C1, line 2 first: 36.63 instead of 36.83")
    cells_of = document.claims[0].service_lines[1].cells
    assert line.places[0] == cells_of["paid"]
    assert line.fields == ("paid", "copay", "allowed")
    (first, _) = result.imbalances
    assert (first.claim, first.line, first.culprit) == (1, 2, "claims.1.lines.2.copay")
    assert first.proposed == Decimal("36.63")


def test_an_amount_nobody_could_read_is_proposed_marked_and_shown_to_a_person() -> None:
    document = with_lines({**ROW, "paid": None}, PAID)
    result = judged(document)
    (line, other) = result.document.claims[0].service_lines
    assert (line.paid, line.derived, other.derived) == (Decimal("113.37"), ("paid",), ())
    assert result.document.claims[0].paid == Decimal("226.74")
    assert told(result) == [("R9", Severity.BLOCK)]
    (finding,) = result.findings
    assert finding.message == ("Paid of claim C1, line 1 was not read; the balances give 113.37")
    assert finding.places[0] == line.cells["paid"]
    assert judged(result.document) == result


def test_an_amount_that_the_others_do_not_tell_stays_open() -> None:
    document = with_lines({**ROW, "copay": None, "paid": None}, PAID)
    result = judged(document)
    assert result.document == document
    assert told(result) == [("R9", Severity.BLOCK), ("R9", Severity.BLOCK)]


def test_a_column_left_blank_means_nothing() -> None:
    blank = {"billed": "80.00", "adjustment": "20.00", "allowed": "60.00", "paid": "60.00"}
    document = with_lines(PAID, {**blank, "copay": None})
    lines = list(document.claims[0].service_lines)
    lines[1] = lines[1].model_copy(
        update={"cells": {n: p for n, p in lines[1].cells.items() if n != "copay"}}
    )
    claim = document.claims[0].model_copy(update={"service_lines": tuple(lines)})
    document = document.model_copy(update={"claims": (claim,)})
    result = judged(document)
    assert (result.findings, result.document) == ((), document)


def test_a_reduction_that_a_remark_names_is_explained() -> None:
    row = {"billed": "154.24", "allowed": "154.24", "copay": "38.56", "paid": "113.37"}
    document = with_lines(row, totals={**row, "paid": "115.68"})
    remark = page("A REDUCTION IN PAYMENT OF $2.31 HAS BEEN APPLIED DUE TO SEQUESTRATION.")
    result = judged(document, remark)
    assert told(result) == [("R1", Severity.INFO)]
    assert result.imbalances == ()
    assert told(judged(document)) == [("R1", Severity.BLOCK), ("R3", Severity.BLOCK)]
    assert judged(document, remark, reductions=Reductions()).imbalances


def test_what_is_left_unread_beside_a_remark_is_not_proposed_from_its_row() -> None:
    row = {"billed": "154.24", "allowed": "154.24", "copay": "38.56", "paid": "113.37"}
    document = with_lines({**row, "paid": None}, row)
    result = judged(document, page("PAYMENT REDUCED BY 2.31 DUE TO SEQUESTRATION"))
    assert result.document == document


def test_a_recovery_explains_why_less_is_paid_than_the_claims() -> None:
    document = with_lines(PAID, PAID)
    payment = remittance(1).field("payment_amount")
    assert payment is not None
    less = payment.model_copy(update={"value": "126.74", "raw": "126.74"})
    document = document.model_copy(update={"fields": (less,)})
    note = page("OVERPAYMENT RECOVERY FOR CLAIM 7781: 100.00")
    assert told(judged(document, note)) == [("R4", Severity.INFO)]
    (finding,) = judged(document).findings
    assert (finding.rule, finding.severity) == ("R4", Severity.BLOCK)
    assert "126.74 total paid, 100.00 too little" in finding.message


@pytest.mark.parametrize("negative", [True, False])
def test_a_payment_of_nothing_and_a_payment_taken_back_balance(negative: bool) -> None:
    sign = -1 if negative else 0
    amounts = {name: str(Decimal(value) * sign) for name, value in PAID.items()}
    document = with_lines(amounts, totals=amounts)
    assert judged(document).imbalances == ()


def _claim(status: str, sign: int, **other: str) -> Claim:
    amounts = {name: str(Decimal(value) * sign) for name, value in {**PAID, **other}.items()}
    return Claim.model_validate(
        {**amounts, "claim_number": "C1", "status": status, "page": 1, "totals": None}
    )


def _reversal_findings(*claims: Claim) -> list[Finding]:
    document = remittance(1).model_copy(update={"claims": claims, "fields": ()})
    return [f for f in judged(document).findings if f.rule == "R8"]


def test_a_reversal_mirrors_the_claim_that_it_takes_back() -> None:
    paid, back = _claim("1", 1), _claim("22", -1)
    again = _claim("1", 1, copay="30.00", paid="120.00")
    assert _reversal_findings(paid, back) == []
    assert _reversal_findings(back, again) == []
    assert _reversal_findings(paid, back, again) == []


def test_a_reversal_that_takes_back_something_else_is_told() -> None:
    other = _claim("22", -1, copay="30.00", paid="120.00")
    (finding,) = _reversal_findings(_claim("1", 1), other)
    assert finding.severity is Severity.WARN
    assert finding.message == "Claim C1 takes back -120.00 paid; the claim before it has 113.37"
    (raised,) = _reversal_findings(_claim("22", 1))
    assert "its amounts raise it" in raised.message


def test_a_claim_is_taken_back_once() -> None:
    paid, back = _claim("1", 1), _claim("22", -1)
    (finding,) = _reversal_findings(paid, back, back)
    assert finding.severity is Severity.WARN
    assert "is taken back a second time" in finding.message
    (unpaid,) = _reversal_findings(back, back)
    assert unpaid.message == finding.message
    # Paid again in between, it may be taken back again.
    assert _reversal_findings(paid, back, paid, back) == []
    assert len(_reversal_findings(paid, back, paid, back, back)) == 1


def test_two_claims_of_one_account_are_taken_back_one_by_one() -> None:
    back = _claim("22", -1).model_copy(update={"patient_account": "A1"})
    other = back.model_copy(update={"claim_number": "C2"})
    assert _reversal_findings(back, other) == []


def test_reasons_are_grouped_with_claims_amounts_and_queues() -> None:
    denied = {"billed": "460.00", "adjustment": "460.00", "paid": "0.00", "status": "4"}
    reason = {"group": "CO", "reason": "197", "amount": "460.00"}
    line = ServiceLine.model_validate(
        {**{n: denied[n] for n in ("billed", "adjustment", "paid")}, "adjustments": [reason]}
        | {"rarc": "N54"}
    )
    contract = {"group": "CO", "reason": "45", "amount": "50.00"}
    share = {"group": "PR", "reason": "3", "amount": "36.63"}
    paid = ServiceLine.model_validate({**PAID, "adjustments": [contract, share]})
    claims = (
        Claim.model_validate({**denied, "claim_number": "C2", "service_lines": (line,)}),
        Claim.model_validate({**PAID, "claim_number": "C1", "service_lines": (paid,)}),
    )
    document = remittance(1).model_copy(update={"claims": claims, "fields": ()})
    found = summary_of(document, SHIPPED, 4, ())
    assert found is not None
    assert found.denied == ("C2",)
    assert [
        (r.group, r.reason, r.category, r.denial, r.claims, r.amount) for r in found.reasons
    ] == [
        ("CO", "197", "authorization", True, 1, Decimal("460.00")),
        ("CO", "45", "contractual", False, 1, Decimal("50.00")),
        ("PR", "3", "patient", False, 1, Decimal("36.63")),
    ]
    assert (found.reasons[0].queue, found.reasons[0].remarks) == ("denials_authorization", ("N54",))
    assert (found.billed, found.adjusted, found.patient, found.paid) == (
        *(Decimal("660.00"), Decimal("510.00"), Decimal("36.63"), Decimal("113.37")),
    )
    assert (found.left_over, found.balanced) == (Decimal("0.00"), True)


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_the_way_from_billed_to_paid_leaves_nothing_over(seed: int) -> None:
    document = remittance(seed, "shares by part")
    found = summary_of(document, SHIPPED, 1, ())
    assert found is not None
    assert found.left_over == 0

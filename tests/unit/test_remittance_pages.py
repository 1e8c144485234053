# SPDX-License-Identifier: Apache-2.0
"""Remittances from the printed page to their balances: page ends, signs, cells and their places."""

from __future__ import annotations

from decimal import Decimal

import pytest

from idp.document import Box, Document, Field, Page
from idp.extract.claims import claims_vocabulary, read_remittance
from idp.reductions import load_reductions
from idp.schemas import load_lexicon
from idp.validate.remittance import Balanced, balanced
from tests.unit.table_pages import page_of
from training.faults.remittances import remittance

VOCABULARY = claims_vocabulary(load_lexicon().columns)
REDUCTIONS = load_reductions()

FIRST = """
Patient: Ada Quill   Claim #: 26-00451
Service Date   Procedure    Charges    Adjustment   Allowed    Copay     Paid
01/22/2026     97110         160.00         62.00     98.00    19.60    78.40
01/22/2026     97140          85.00         33.00     52.00    10.40    41.60
Claim Total                  245.00         95.00    150.00    30.00   120.00
"""
CUT = """
Patient: Ada Quill   Claim #: 26-00451
Service Date   Procedure    Charges    Adjustment   Allowed    Copay     Paid
01/22/2026     97110         160.00         62.00     98.00    19.60    78.40
"""
REST = """
Claim #: 26-00451 (continued)
Service Date   Procedure    Charges    Adjustment   Allowed    Copay     Paid
01/22/2026     97140          85.00         33.00     52.00    10.40    41.60
Claim Total                  245.00         95.00    150.00    30.00   120.00
"""


def read(*texts: str, **totals: str) -> tuple[Document, tuple[Page, ...]]:
    """What the tables of these pages say, with totals of the statement beside them."""
    pages = tuple(page_of(text, number=number) for number, text in enumerate(texts, 1))
    fields = tuple(
        Field(
            name=name,
            value=value,
            raw=value,
            confidence=0.99,
            page=1,
            box=Box(0.1, 0.9, 0.2, 0.92),
            source="test",
        )
        for name, value in totals.items()
    )
    found = read_remittance(pages, VOCABULARY)
    document = remittance(1).model_copy(
        update={
            "claims": found.claims,
            "fields": fields,
            "pages": tuple(page.number for page in pages),
        }
    )
    return document, pages


def judged(document: Document, pages: tuple[Page, ...]) -> Balanced:
    return balanced(document, pages, REDUCTIONS, electronic=False)


def test_lines_claims_and_payment_of_a_page_balance() -> None:
    result = judged(*read(FIRST, payment_amount="120.00", total_billed="245.00"))
    assert result.findings == ()
    # Two lines and the claim twice each, five columns, two totals.
    assert result.checked == 2 * 2 + 2 + 5 + 2


def test_a_claim_that_goes_on_after_the_page_end_is_one_claim() -> None:
    document, pages = read(CUT, REST, payment_amount="120.00")
    assert [len(claim.service_lines) for claim in document.claims] == [2]
    assert judged(document, pages).findings == ()


@pytest.mark.parametrize(
    ("right", "wrong", "name", "rules"),
    [
        ("41.60", "47.60", "paid", {"R1", "R3"}),
        ("33.00", "83.00", "adjustment", {"R1", "R3"}),
        ("150.00", "160.00", "allowed", {"R2", "R3"}),
        ("10.40", "10.46", "copay", {"R1", "R3"}),
    ],
)
def test_a_digit_misread_on_the_page_is_named_with_its_cell(
    right: str, wrong: str, name: str, rules: set[str]
) -> None:
    result = judged(*read(FIRST.replace(right, wrong), payment_amount="120.00"))
    assert {finding.rule for finding in result.findings} >= rules
    named = {(each.culprit or "").rpartition(".")[2] for each in result.imbalances}
    assert named == {name}
    assert {each.proposed for each in result.imbalances} == {Decimal(right)}
    for finding in result.findings:
        assert finding.box is not None
        # The cell, not the row: no wider than a few digits.
        assert finding.box.width < 0.15
        assert len(finding.places) == len(set(finding.places)) > 1


@pytest.mark.parametrize("negative", ["({})", "{}-", "-{}", "{}CR"])
def test_amounts_taken_back_balance_however_their_sign_is_printed(negative: str) -> None:
    amounts = ("160.00", "62.00", "98.00", "19.60", "78.40")
    row = "  ".join(negative.format(amount).rjust(12) for amount in amounts)
    text = (
        "Patient: Ada Quill   Claim #: 26-00451\n"
        "Service Date   Procedure       Charges    Adjustment       Allowed         Copay"
        "          Paid\n"
        f"01/22/2026     97110      {row}\n"
    )
    document, pages = read(text, payment_amount="-78.40")
    assert document.claims[0].paid == Decimal("-78.40")
    assert judged(document, pages).findings == ()


def test_a_cell_that_could_not_be_read_is_proposed_in_its_place() -> None:
    document, pages = read(FIRST.replace("41.60", "4?.~0"), payment_amount="120.00")
    line = document.claims[0].service_lines[1]
    assert line.paid is None
    result = judged(document, pages)
    filled = result.document.claims[0].service_lines[1]
    assert (filled.paid, filled.derived) == (Decimal("41.60"), ("paid",))
    assert [finding.rule for finding in result.findings] == ["R9"]
    assert result.findings[0].places[0].page == 1


def test_a_payment_that_lacks_a_claim_says_by_how_much() -> None:
    document, pages = read(FIRST, payment_amount="198.40")
    (finding,) = judged(document, pages).findings
    assert finding.message == (
        "The claims pay 120.00; the page says 198.40 total paid, 78.40 too much"
    )
    assert "A claim or a page may be missing" in finding.remedy

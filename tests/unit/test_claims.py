# SPDX-License-Identifier: Apache-2.0
"""Remittances of invented layouts give the claims and totals that they show."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from idp.document import Claim
from idp.extract.claims import Remittance, claims_vocabulary, read_remittance
from idp.extract.claims_balance import checks
from idp.extract.claims_cells import settle
from idp.schemas import load_lexicon
from tests.unit.table_layouts import Layout, comparable, layouts, match_rows
from tests.unit.table_pages import page_of

VOCABULARY = claims_vocabulary(load_lexicon().columns)
LAYOUTS = layouts("remittance_layouts.yaml") + layouts("remittance_layouts_2.yaml")
NAMES = [layout.name for layout in LAYOUTS]
NOT_YET = {"member, claim and account in three rows of the left column": 1}
"""Cells known to be missed, by layout; a row of amounts with a label but no word for total."""


def read(layout: Layout, *, ruled: bool = False, noise: float = 0.0, seed: int = 0) -> Remittance:
    pages = [
        page_of(text, number=number, ruled=ruled, noise=noise, jitter_px=2 * noise, seed=seed)
        for number, text in enumerate(layout.pages, 1)
    ]
    return read_remittance(pages, VOCABULARY)


@pytest.mark.parametrize("ruled", [False, True], ids=["no rules", "ruled"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_every_claim_and_cell_of_a_layout_is_read(layout: Layout, ruled: bool) -> None:
    match = match_rows(layout.rows, read(layout, ruled=ruled).claims)
    allowed = NOT_YET.get(layout.name, 0)
    assert match.counts["found"] == len(layout.rows), match.differences
    assert match.counts["extra"] == 0, match.differences
    assert match.counts["false"] == 0, match.differences
    assert match.counts["missed"] <= allowed, match.differences


@pytest.mark.parametrize("layout", [x for x in LAYOUTS if x.values], ids=lambda x: x.name)
def test_the_totals_of_the_statement_are_read_with_their_place(layout: Layout) -> None:
    found = {e.name: e for e in read(layout).statement}
    got = {name: comparable(found[name].value) if name in found else None for name in layout.values}
    assert got == {name: comparable(value) for name, value in layout.values.items()}
    assert all(e.word_ids and e.box.width > 0 for e in found.values())


def test_bent_characters_cost_few_cells() -> None:
    counts: Counter[str] = Counter()
    for seed in range(3):
        for layout in LAYOUTS:
            remittance = read(layout, noise=0.08, seed=seed)
            counts += match_rows(layout.rows, remittance.claims).counts
    precision = counts["right"] / (counts["right"] + counts["false"])
    recall = counts["right"] / (counts["right"] + counts["missed"])
    assert counts["found"] == counts["rows"]
    assert precision >= 0.97
    assert recall >= 0.95


def claims_of(text: str) -> tuple[Claim, ...]:
    return read_remittance([page_of(text)], VOCABULARY).claims


def test_a_claim_of_one_line_repeats_the_line_even_where_its_total_differs() -> None:
    (claim,) = claims_of(
        """
PATIENT NAME   CLAIM NUMBER   SERVICE DATE   PROCEDURE   BILLED    ALLOWED   COPAY    AMOUNT PAID
ADA QUILL      7700123401     03/04/2026     99213       154.24    154.24    38.56    113.37
TOTALS:                                                  154.24              38.56    115.68
"""
    )
    assert claim.paid == Decimal("113.37")
    assert claim.service_lines[0].paid == claim.paid
    assert claim.procedure_code == "99213"


def test_a_claim_of_several_lines_has_the_printed_total() -> None:
    (claim,) = claims_of(
        """
Patient: Ada Quill   Claim #: 26-00451
Service Date   Procedure    Charges     Allowed     Paid
01/22/2026     97110         160.00       98.00    78.40
01/22/2026     97140          85.00       52.00    41.60
Claim Total                  245.00      150.00   119.99
"""
    )
    assert len(claim.service_lines) == 2
    assert claim.paid == Decimal("119.99")
    assert claim.procedure_code is None


def test_a_note_is_explained_by_its_legend() -> None:
    (claim,) = claims_of(
        """
Patient Name   Claim No     Date       CPT     Billed    Allowed   Notes   Paid
Ada Quill      77001234     03/04/26   11102   460.00       0.00   K7      0.00

K7 - PRECERTIFICATION ABSENT (CO-197). CLAIM DENIED.
"""
    )
    assert claim.note == "K7"
    assert claim.carc == "CO-197"


def test_patient_shares_are_taken_from_their_adjustment_codes() -> None:
    (claim,) = claims_of(
        """
Patient: Ada Quill   Claim #: 26-00451
Svc Date    Proc     Charge    Allowed     Paid    Adj Group/Reason   Adj Amt
02/14/2026  27447   4200.00    2310.00  1848.00    CO-45              1890.00
                                                   PR-2                462.00
"""
    )
    assert claim.adjustment == Decimal("1890.00")
    assert claim.coinsurance == Decimal("462.00")
    assert claim.carc == "CO-45, PR-2"


def test_the_provider_and_the_tax_id_are_not_the_patient_and_the_member_id() -> None:
    (claim,) = claims_of(
        """
Payee Name: Prairie Neurology      Federal Tax ID: 40-0806929     EOB Date: 09/13/2025
Patient Name (Last, First): Quill, Ada     Claim (if known): 26-00451     Member ID: W35651177
Svc Date    Proc     Charge    Allowed     Paid
02/14/2026  99213    200.00     100.00   100.00
"""
    )
    assert claim.patient_name == "Quill, Ada"
    assert claim.member_id == "W35651177"
    assert claim.service_date is not None
    assert claim.service_date.year == 2026


def test_values_below_their_labels_name_the_claim() -> None:
    (claim,) = claims_of(
        """
Patient                 Claim Number
Ada Quill               26-00451
Member ID
W35651177
Svc Date    Proc     Charge    Allowed     Paid
02/14/2026  99213    200.00     100.00   100.00
"""
    )
    assert (claim.patient_name, claim.claim_number) == ("Ada Quill", "26-00451")
    assert claim.member_id == "W35651177"


def test_the_balance_chooses_between_readings() -> None:
    amounts = {
        "billed": Decimal("212.00"),
        "allowed": Decimal("12840"),
        "adjustment": Decimal("83.60"),
    }
    best, balanced, changed = settle(amounts, {"allowed": [Decimal("128.40")]}, ())
    assert best["allowed"] == Decimal("128.40")
    assert balanced
    assert changed == {"allowed"}


def test_the_balance_moves_an_amount_to_its_empty_neighbour() -> None:
    amounts = {
        "allowed": Decimal("190.00"),
        "deductible": Decimal("30.00"),
        "paid": Decimal("110.00"),
        "copay": Decimal("50.00"),
        "billed": Decimal("310.00"),
        "noncovered": Decimal("120.00"),
    }
    columns = ("billed", "noncovered", "adjustment", "allowed", "deductible", "copay", "paid")
    best, balanced, _ = settle(amounts, {}, columns)
    assert balanced
    assert sum(best.values()) == sum(amounts.values())


def test_the_balance_never_makes_up_an_amount() -> None:
    amounts = {
        "billed": Decimal("212.00"),
        "allowed": Decimal("100.00"),
        "adjustment": Decimal("1.00"),
    }
    best, balanced, changed = settle(dict(amounts), {}, ())
    assert best == amounts
    assert balanced is False
    assert not changed


def test_too_few_amounts_neither_hold_nor_fail() -> None:
    assert checks({"billed": Decimal(1)}) == (0, 0)


def test_a_column_whose_head_is_lost_is_named_by_the_balance() -> None:
    claims = claims_of(
        """
Patient: Ada Quill   Claim #: 26-00451
Service Date   Procedure    Charges     ~~~~~       Adjustment    Deductible      Paid
01/22/2026     97110         160.00       98.00          62.00         10.00     88.00
01/22/2026     97140          85.00       52.00          33.00          0.00     52.00
"""
    )
    assert [line.allowed for line in claims[0].service_lines] == [
        Decimal("98.00"),
        Decimal("52.00"),
    ]


def test_a_document_without_tables_has_no_claims() -> None:
    assert claims_of("Dear Sir or Madam,\nthank you for your letter of 01/05/2026.\n") == ()

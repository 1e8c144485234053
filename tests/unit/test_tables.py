# SPDX-License-Identifier: Apache-2.0
"""Heads, columns and rows: found by vocabulary, with or without ruling lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.document import Box, Page, Word
from idp.extract.tables import find_tables, medication_vocabulary, service_vocabulary
from idp.extract.tables_header import find_headers
from idp.extract.tables_lines import Sheet, Token, sheet_of
from idp.extract.tables_rows import assign
from idp.extract.tables_vocabulary import Vocabulary, normalise
from idp.schemas import load_lexicon
from tests.unit.table_pages import page_of

COLUMNS = load_lexicon().columns
SERVICES = service_vocabulary(COLUMNS)
MEDICATIONS = medication_vocabulary(COLUMNS)


def claims() -> Vocabulary:
    from idp.extract.claims import claims_vocabulary  # noqa: PLC0415

    return claims_vocabulary(COLUMNS)


@pytest.mark.parametrize("vocabulary", [SERVICES, MEDICATIONS, claims()])
def test_no_wording_of_a_family_means_two_columns(vocabulary: Vocabulary) -> None:
    assert vocabulary.clashes == []


def test_abbreviations_plurals_and_fillers_do_not_count() -> None:
    assert normalise("Dates of Svc") == normalise("DATE SERVICE") == ("date", "service")


@pytest.mark.parametrize("ruled", [True, False])
def test_a_stack_of_heads_is_read_as_one_column_each(ruled: bool) -> None:
    page = page_of(
        """
| PATIENT   | BILLED   | CONTRACTUAL   | AMOUNT  |
| NAME      | AMOUNT   | ADJUSTMENT    | PAID    |
""",
        ruled=ruled,
    )
    (header,) = find_headers(sheet_of(page), claims())
    assert [c.role for c in header.columns] == ["patient_name", "billed", "adjustment", "paid"]


def test_misread_and_glued_heads_are_still_heads() -> None:
    page = page_of("PATIENTNAME    PR0CEDURE    BlLLED    AL LOWED    DEDUOTIBLE    PAlD\n")
    (header,) = find_headers(sheet_of(page), claims())
    roles = {"patient_name", "procedure_code", "billed", "allowed", "deductible", "paid"}
    assert header.roles == roles


def test_running_text_and_labels_are_no_heads() -> None:
    page = page_of(
        """
If you have paid the deductible or the copay amount billed we will adjust the allowed amount.
Patient Name: Ada Quill     Member ID: 5512     Claim Number: 77   Paid: yes
"""
    )
    assert find_headers(sheet_of(page), claims()) == []


SERVICE_PAGE = """
Planned Service or Procedure        Code    Start Date   End Date     Diagnosis Description   Code
MRI lumbar spine without contrast   72148   03/18/2026   06/18/2026   Low back pain           M54.50
Physical therapy evaluation         97161   03/20/2026   06/18/2026   Radiculopathy, lumbar   M54.16

[ ] Inpatient   [x] Outpatient   [ ] Provider Office
Number of Sessions: 12     Duration: 6 weeks
"""


def cells(page: Page, vocabulary: Vocabulary) -> list[dict[str, str]]:
    return [
        {cell.role: cell.text for cell in row}
        for table in find_tables([page], vocabulary)
        for row in table.rows
    ]


def test_two_columns_called_code_are_told_apart() -> None:
    rows = cells(page_of(SERVICE_PAGE), SERVICES)
    assert [r["procedure_code"] for r in rows] == ["72148", "97161"]
    assert [r["diagnosis_code"] for r in rows] == ["M54.50", "M54.16"]
    assert rows[0]["service_description"] == "MRI lumbar spine without contrast"


def test_a_table_ends_at_check_boxes_and_labels() -> None:
    assert len(cells(page_of(SERVICE_PAGE), SERVICES)) == 2


def test_wrapped_text_stays_in_its_row() -> None:
    page = page_of(
        """
CPT Code   Description of Service         Units   ICD-10
---------------------------------------------------------
| 27447  | Total knee arthroplasty,     | 1     | M17.11 |
|        | right, with implant          |       |        |
---------------------------------------------------------
| 97110  | Therapeutic exercise         | 12    | M17.11 |
---------------------------------------------------------
"""
    )
    rows = cells(page, SERVICES)
    assert [r["procedure_code"] for r in rows] == ["27447", "97110"]
    assert rows[0]["service_description"] == "Total knee arthroplasty, right, with implant"


def test_a_medication_history_is_a_table_too() -> None:
    page = page_of(
        """
Drug Name           Dates taken             Reason for discontinuation

Methotrexate        01/2025 - 06/2025       No response after six months
Sulfasalazine       07/2025 - 09/2025       Rash
"""
    )
    rows = cells(page, MEDICATIONS)
    assert [r["medication"] for r in rows] == ["Methotrexate", "Sulfasalazine"]
    assert rows[1]["medication_outcome"] == "Rash"


def test_a_page_without_words_has_no_tables() -> None:
    page = Page(number=1, width_px=1700, height_px=2200, dpi=200)
    assert find_tables([page], SERVICES) == []


WORD = st.sampled_from(["99213", "154.24", "11/20/24", "Office", "visit", "CO-45", "2", "W8001"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(WORD, st.integers(1, 90)), min_size=1, max_size=12, unique_by=lambda w: w[1])
)
def test_words_go_to_columns_from_left_to_right(words: list[tuple[str, int]]) -> None:
    head = "Service Date   Procedure   Units   Billed   Allowed   Adjustment   Reason Code   Paid\n"
    sheet = sheet_of(page_of(head))
    (header,) = find_headers(sheet, claims())
    tokens = [
        Token(text, x * 10.0, 300.0, x * 10.0 + 9.0 * len(text), 318.0, 1, (i,), 0.9)
        for i, (text, x) in enumerate(sorted(words, key=lambda w: w[1]))
    ]
    placed = assign(tokens, header.columns, sheet)
    assert len(placed) == len(tokens)
    assert placed == sorted(placed)
    assert all(0 <= at < len(header.columns) for at in placed)


ANYTHING = st.sampled_from(
    [
        *("Patient", "Name", "Claim", "#:", "Billed", "Amount", "Paid", "TOTAL", "99213", "$"),
        *("154.24", "CO-45", "11/20/24", "Deductible", "-", "|", "Service", "Date", "A2"),
        *("(if", "known):", "....."),
    ]
)
PLACES = st.tuples(ANYTHING, st.floats(0, 0.95), st.floats(0, 0.95), st.floats(0, 0.05))


@settings(max_examples=60, deadline=None)
@given(st.lists(PLACES, max_size=60))
def test_no_heap_of_words_breaks_the_reading(heap: list[tuple[str, float, float, float]]) -> None:
    from idp.extract.claims import read_remittance  # noqa: PLC0415

    words = tuple(
        Word(id=i, text=text, confidence=0.5, box=Box(x, y, min(1, x + 0.05), y + height), line=0)
        for i, (text, x, y, height) in enumerate(heap)
    )
    page = Page(number=1, width_px=1700, height_px=2200, dpi=200, words=words)
    again = page.model_copy(update={"number": 2})
    read_remittance([page, again], claims())
    for vocabulary in (SERVICES, MEDICATIONS):
        find_tables([page], vocabulary)


AMOUNTS = st.lists(st.integers(1, 999_999), min_size=5, max_size=5)


@settings(max_examples=40, deadline=None)
@given(AMOUNTS, st.integers(-3, 6))
def test_amounts_set_aside_of_their_heads_still_go_one_to_each(
    cents: list[int], aside: int
) -> None:
    heads = ["Billed", "Allowed", "Deduct", "Copay", "Paid"]
    first = "Service Date  Procedure " + "".join(f"{h:>12}" for h in heads)
    shown = "".join(f"{c / 100:>12.2f}" for c in cents)
    rows = "\n".join(f"01/0{n}/2026     99213" + " " * (5 + aside) + shown for n in (1, 2, 3))
    page = page_of(f"{first}\n{rows}\n")
    from idp.extract.claims import read_remittance  # noqa: PLC0415

    (claim,) = read_remittance([page], claims()).claims
    line = claim.service_lines[0]
    got = [line.billed, line.allowed, line.deductible, line.copay, line.paid]
    assert [int(a * 100) if a is not None else None for a in got] == cents


def test_a_dense_page_takes_little_time() -> None:
    row = "01/22/2026     97110        2      160.00       98.00         0.00       19.60    78.40"
    head = (
        "Service Date   Procedure   Qty    Charges     Allowed   Deductible   Coinsurance   Payment"
    )
    page = page_of("\n".join([head, *[row] * 60]))
    sheet: Sheet = sheet_of(page)
    claims_words = claims()
    started = time.process_time()
    for _ in range(5):
        find_headers(sheet, claims_words)
    assert (time.process_time() - started) / 5 < 0.25

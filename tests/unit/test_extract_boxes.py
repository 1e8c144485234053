# SPDX-License-Identifier: Apache-2.0
"""Values in character boxes, whose empty cells are no blank, and labels that are no captions."""

from __future__ import annotations

import pytest

from idp.document import Box, Comb, Page, Rule
from idp.extract.labels import LabelTable
from tests.unit.pages import COLUMNS, ROWS, page
from tests.unit.test_extract_structure import LEXICON, REQUEST, SCHEMAS, read


def comb(sheet: Page, row: int, start: int, text: str, cells: int) -> Comb:
    """A comb at a place of the grid, two columns to a cell."""
    at = [
        Box((start + 4 + 2 * i) / COLUMNS, (row + 2) / ROWS, (start + 6 + 2 * i) / COLUMNS,
            (row + 2.8) / ROWS)
        for i in range(cells)
    ]  # fmt: skip
    return Comb(
        box=at[0].union(at[-1]), cells=tuple(at), text=tuple(text[i : i + 1] for i in range(cells))
    )


def test_the_parts_of_a_name_in_boxes_are_one_name_however_many_cells_are_empty() -> None:
    sheet = page("""
PATIENT INFORMATION
Patient Name (First, Middle Initial, Last)
TESS                     H   QUILLFEATHER
Date of Birth
""")
    sheet = sheet.model_copy(
        update={"combs": (comb(sheet, 2, 0, "TESS", 12), comb(sheet, 2, 29, "QUILLFEATHER", 18))}
    )
    assert read(sheet, REQUEST)["patient_name"] == ["Tess H Quillfeather"]


def test_the_same_words_without_boxes_are_cut_at_the_blank() -> None:
    found = read(
        """
PATIENT INFORMATION
Patient Name (First, Middle Initial, Last)
TESS                     H   QUILLFEATHER
Date of Birth
""",
        REQUEST,
    )
    assert found.get("patient_name") != ["Tess H Quillfeather"]


def test_pairs_of_boxes_under_month_day_and_year_are_one_date() -> None:
    found = read(
        """
PATIENT INFORMATION
Patient Date of Birth
Month    Day     Year
0 2     0 3     1973
Phone: 614-555-0120
""",
        REQUEST,
    )
    assert found["patient_dob"] == ["1973-02-03"]


def test_single_digits_in_columns_stay_apart() -> None:
    found = read("PATIENT\nDate of Birth:  1         2         3         4", REQUEST)
    assert found.get("patient_dob") is None


def test_a_label_under_the_upper_wall_of_its_box_is_no_caption() -> None:
    sheet = page(
        """
PATIENT INFORMATION
expedite processing of the form
Patient Name

Patient Phone
614-555-0120
Member ID

"""
        + "Signature"
    )
    left, right = 3 / COLUMNS, 60 / COLUMNS
    levels = [(row + 1.9) / ROWS for row in (2, 4, 6, 8)]
    rules = [
        *(Rule(orientation="horizontal", box=Box(left, y, right, y + 0.001)) for y in levels),
        *(
            Rule(orientation="vertical", box=Box(x, levels[0], x + 0.001, levels[-1]))
            for x in (left, right)
        ),
    ]
    found = read(sheet.model_copy(update={"rules": tuple(rules)}), REQUEST)
    assert found["patient_phone"] == ["614-555-0120"]
    assert "patient_name" not in found
    assert "member_id" not in found


@pytest.mark.parametrize(
    ("label", "party", "attribute"),
    [
        ("Veteran/Beneficiary's Name", "patient", "name"),
        ("Enrollee/Member Name", "patient", "name"),
        ("Name of insured or subscriber", "subscriber", "name"),
        ("State/Province", None, "state"),
        ("ZIP Code/Postal Code", None, "zip"),
    ],
)
def test_a_label_of_two_words_for_one_thing_means_that_thing(label, party, attribute):
    found = LabelTable(SCHEMAS[REQUEST], LEXICON).look_up(label)
    assert found is not None
    assert (found.party, found.attribute) == (party, attribute)


@pytest.mark.parametrize("label", ["Patient/Provider Phone Number or", "Yes/No", "and/or"])
def test_two_words_for_two_things_mean_neither(label):
    found = LabelTable(SCHEMAS[REQUEST], LEXICON).look_up(label)
    assert found is None or found.attribute is None

# SPDX-License-Identifier: Apache-2.0
"""Values in drawn boxes beside or under their labels, and print that is no value."""

from __future__ import annotations

from idp.document import Box, Cell, DocumentType, Page, Rule
from idp.extract.instructions import sentence_test
from idp.extract.ports import Candidate
from tests.unit.pages import COLUMNS, ROWS, page
from tests.unit.test_extract_structure import LEXICON, REQUEST, SCHEMAS, STRUCTURE, read


def boxed(sheet: Page, *places: tuple[int, int, int]) -> Page:
    """A page with boxes drawn around ``(row, from column, to column)``."""
    boxes = [
        Box((left + 4) / COLUMNS, (row + 1.9) / ROWS, (right + 4) / COLUMNS, (row + 2.9) / ROWS)
        for row, left, right in places
    ]
    rules = [
        Rule(orientation="vertical", box=Box(x, box.y0, x + 0.001, box.y1))
        for box in boxes
        for x in (box.x0, box.x1)
    ]
    cells = tuple(Cell(box=box) for box in boxes)
    return sheet.model_copy(update={"cells": cells, "rules": tuple(rules)})


def test_a_box_beside_its_label_holds_the_value_of_a_label_of_two_lines() -> None:
    sheet = page("""
PATIENT INFORMATION
1.a. Family Name     QUILLFEATHER
(Last Name)
1.b. Given Name      TESS
(First Name)
1.c. Middle Name     H
""")
    found = read(boxed(sheet, (1, 19, 45), (3, 19, 45), (5, 19, 45)), REQUEST)
    assert found["patient_name"] == ["Tess H Quillfeather"]


def test_an_empty_box_leaves_its_field_blank_whatever_is_printed_behind_it() -> None:
    text = """
PATIENT INFORMATION
Patient Name: Tess Quillfeather
Date of Birth            04/05/1981
"""
    schema = SCHEMAS[REQUEST]

    def births(sheet: Page) -> list[str]:
        _, readings = STRUCTURE.read([sheet], schema)
        found = STRUCTURE.from_readings(readings, schema)
        return [c.value for c in found if c.field == "patient_dob"]

    assert births(page(text)) == ["1981-04-05"]
    assert births(boxed(page(text), (2, 15, 23))) == []


def test_boxes_side_by_side_take_the_parts_of_one_number() -> None:
    sheet = page("""
PATIENT INFORMATION
Telephone Number
614   555   0120        Member ID: H4471902
""")
    found = read(boxed(sheet, (2, 0, 4), (2, 5, 10), (2, 11, 16)), REQUEST)
    assert found["patient_phone"] == ["614-555-0120"]


def test_the_parts_of_an_address_are_near_each_other_not_near_the_street() -> None:
    sheet = page("""
PATIENT INFORMATION
Street Number and Name   12 Example Street

City or Town     Columbus

State    OH

ZIP Code   43004
""")
    found = read(boxed(sheet, (1, 24, 60), (3, 16, 60), (5, 8, 12), (7, 10, 60)), REQUEST)
    assert found["patient_address"] == ["12 Example Street, Columbus, OH 43004"]


def test_a_sentence_of_instructions_is_nobodys_name_and_no_address() -> None:
    is_sentence = sentence_test(LEXICON)
    schema = SCHEMAS[DocumentType.PRIOR_AUTH_REQUEST]

    def told(field: str, raw: str) -> bool:
        box = Box(0.1, 0.1, 0.2, 0.2)
        return is_sentence(Candidate(field, raw, raw, True, 0.9, 1, box, (), "structure"), schema)

    assert told("patient_address", "If the beneficiary lives outside the United States")
    assert told("patient_name", "name, print the would you")
    assert not told("patient_name", "Will May Page")
    assert not told("patient_address", "12 Grant Street, Columbus, OH 43004")
    assert not told("clinical_notes", "please see what is attached")

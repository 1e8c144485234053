# SPDX-License-Identifier: Apache-2.0
"""Where words stand as labels, whom they speak of, and parts of an address that are far apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.document import Box, DocumentType, Page, Rule
from idp.extract.labels import LabelTable, TitleTable
from idp.extract.structure import StructureSource
from idp.schemas import load_schemas
from tests.unit.pages import COLUMNS, ROWS, page
from tests.unit.test_extract_field_boxes import boxed
from tests.unit.test_extract_structure import LEXICON, REQUEST, SCHEMAS, read

INTAKE = load_schemas(Path("examples/schemas"))[DocumentType("patient_intake")]
OWN = StructureSource((INTAKE,), LEXICON)


def intake(sheet: Page | str) -> dict[str, list[str]]:
    """The values of an intake form by field."""
    sheet = page(sheet) if isinstance(sheet, str) else sheet
    _, readings = OWN.read([sheet], INTAKE)
    found: dict[str, list[str]] = {}
    for one in OWN.from_readings(readings, INTAKE):
        found.setdefault(one.field, []).append(one.value)
    return found


def lined(sheet: Page, row: int, left: int, right: int) -> Page:
    """A page with a line to write on under some columns of a row."""
    y = (row + 2.9) / ROWS
    rule = Rule(
        orientation="horizontal",
        box=Box((left + 4) / COLUMNS, y, (right + 4) / COLUMNS, y + 0.0005),
    )
    return sheet.model_copy(update={"rules": (*sheet.rules, rule)})


@pytest.mark.parametrize(
    "words",
    ["Your First Name", "Preferred E-mail Address", "Telephone Number, including area code"],
)
def test_words_around_a_label_leave_its_meaning(words: str) -> None:
    assert LabelTable(INTAKE, LEXICON).look_up(words) is not None


def test_your_name_is_the_name_of_whoever_fills_the_form_in() -> None:
    found = intake("""
Spouse's Name: Ilse Vantongeren
Your Name: Tess Quillfeather
""")
    assert found["patient_name"] == ["Tess Quillfeather"]


def test_your_says_nothing_where_a_type_has_no_subject() -> None:
    meaning = LabelTable(SCHEMAS[REQUEST], LEXICON).look_up("Your Name")
    assert meaning is None or meaning.party is None


def test_an_address_after_the_spouses_name_is_the_patients() -> None:
    found = intake("""
Your Name: Tess Quillfeather
Spouse's Name: Ilse Vantongeren
Mailing Address: 12 Alder Ct
City: Dayton    State: OH    ZIP: 45402
""")
    assert found["patient_address"] == ["12 Alder Ct, Dayton, OH 45402"]


def test_a_counted_part_about_an_interpreter_keeps_its_values() -> None:
    found = intake("""
Part 1. Information About You, the Applicant
Last Name: Quillfeather
First Name: Tess
Part 9. Interpreter's Contact Information, Certification, and Signature
Last Name: Vantongeren
First Name: Ilse
""")
    assert found["patient_name"] == ["Tess Quillfeather"]


@pytest.mark.parametrize(
    ("title", "party"),
    [
        ("Part 9. Interpreter's Contact Information, Certification, and Signature", "other_person"),
        ("Part 2. Information About You, the Conditional Resident", "patient"),
    ],
)
def test_counted_parts_say_whom_they_are_about(title: str, party: str) -> None:
    assert (TitleTable(INTAKE, LEXICON).look_up(title.split()) or ("", 0))[0] == party


def test_a_date_without_a_colon_is_a_label_in_a_row_of_labels() -> None:
    found = intake("""
Patient Signature             Date
                              02/27/2026
""")
    assert found["form_date"] == ["2026-02-27"]


def test_a_short_word_in_running_text_is_no_label() -> None:
    found = intake("""
The form that was sent on the
Date
02/27/2026 was kept by the office until the following week
""")
    assert "form_date" not in found


def test_a_label_of_one_word_goes_on_in_a_long_remark() -> None:
    found = intake("""
7. ADDRESS (Number and street or rural route, city or P.O., State and ZIP Code)
12 Alder Ct, Dayton, OH 45402
""")
    assert found["patient_address"] == ["12 Alder Ct, Dayton, OH 45402"]


def test_parts_of_an_address_are_found_across_blank_ones_and_the_page() -> None:
    found = intake("""
Street Address: 12 Alder Ct

Apt.:

City: Dayton                                                  State: OH    ZIP: 45402
""")
    assert found["patient_address"] == ["12 Alder Ct, Dayton, OH 45402"]


def test_two_letters_in_boxes_are_a_state() -> None:
    found = intake("""
Street Address: 12 Alder Ct
City: Dayton    State: O H    ZIP: 45402
""")
    assert found["patient_address"] == ["12 Alder Ct, Dayton, OH 45402"]


def test_a_street_of_nothing_but_labels_is_none() -> None:
    found = intake("""
Street Address
Apt. Ste. Flr. Number
City: Dayton    State: OH    ZIP: 45402
""")
    assert not any("Flr" in value for value in found.get("patient_address", []))


def test_a_word_on_a_line_is_a_value_and_no_label() -> None:
    sheet = page("""
Your Name: Tess Quillfeather
City of Birth  DAYTON          Street
""")
    sheet = lined(lined(sheet, 1, 14, 22), 1, 22, 30)
    _, (reading,) = OWN.read([sheet], INTAKE)
    assert all(reading.text(found) != "DAYTON" for found in reading.labels)


def test_labels_in_a_row_of_cells_stand_over_their_values() -> None:
    sheet = page("""
PATIENT INFORMATION
Patient Name       Date of Birth
Tess Quillfeather  04/05/1981
""")
    places = [(1, 0, 18), (1, 18, 34), (2, 0, 18), (2, 18, 34)]
    found = read(boxed(sheet, *places), REQUEST)
    assert found["patient_name"] == ["Tess Quillfeather"]
    assert found["patient_dob"] == ["1981-04-05"]


def test_an_initial_is_no_part_of_its_label() -> None:
    found = intake("""
Family Name: Quillfeather
Given Name: Tess
Middle Name H
""")
    assert found["patient_name"] == ["Tess H Quillfeather"]


@pytest.mark.parametrize("words", ["Form", "MD", "Paid"])
def test_what_small_words_leave_of_a_title_is_no_title(words: str) -> None:
    assert TitleTable(SCHEMAS[REQUEST], LEXICON).look_up(words.split()) is None


def test_form_completed_by_is_a_title_all_the_same() -> None:
    titles = TitleTable(SCHEMAS[REQUEST], LEXICON)
    assert (titles.look_up(["Form", "Completed", "By"]) or ("", 0))[0] == "contact"

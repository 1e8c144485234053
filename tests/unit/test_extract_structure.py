# SPDX-License-Identifier: Apache-2.0
"""Fields by structure: labels, parties, blanks, composition, options, letters, and the vote."""

from __future__ import annotations

import pytest

from idp.document import Box, DocumentType, Mark, Page, Rule
from idp.extract.labels import LabelTable, TitleTable, squash
from idp.extract.options import options_from_marks
from idp.extract.ports import Candidate
from idp.extract.prose import ProseSource
from idp.extract.structure import StructureSource
from idp.extract.vote import vote
from idp.schemas import load_lexicon, load_schemas
from tests.unit.pages import COLUMNS, ROWS, page

SCHEMAS = load_schemas()
LEXICON = load_lexicon()
STRUCTURE = StructureSource(tuple(SCHEMAS.values()), LEXICON)
PROSE = ProseSource(LEXICON)
REQUEST = DocumentType.PRIOR_AUTH_REQUEST
REFERRAL = DocumentType.REFERRAL
LETTER = DocumentType.PRIOR_AUTH_DETERMINATION


def read(sheet: Page | str, kind: DocumentType) -> dict[str, list[str]]:
    """All values of a page by field, as voted."""
    schema = SCHEMAS[kind]
    one = page(sheet) if isinstance(sheet, str) else sheet
    _, readings = STRUCTURE.read([one], schema)
    found = STRUCTURE.from_readings(readings, schema) + PROSE.from_readings(readings, schema)
    for reading in readings:
        found += options_from_marks(reading, schema)
    values: dict[str, list[str]] = {}
    for field in vote(found, schema, {}):
        values.setdefault(field.name, []).append(field.value or "")
    return values


def test_the_party_of_a_label_is_that_of_the_section_it_stands_in() -> None:
    found = read(
        """
REQUESTING PROVIDER INFORMATION
Name: Ilse Vantongeren, MD          NPI: 1457389201
Phone: 317-555-0144                 Fax: 317-555-0145

SERVICING PROVIDER INFORMATION
Name: Cobblestone Imaging LLC       NPI: 1639254801
Phone: 317-555-0170                 Fax: 317-555-0171
""",
        REQUEST,
    )
    assert found["requesting_provider_npi"] == ["1457389201"]
    assert found["servicing_provider_npi"] == ["1639254801"]
    assert found["requesting_provider_fax"] == ["317-555-0145"]
    assert found["servicing_provider_phone"] == ["317-555-0170"]
    assert "Vantongeren" in found["requesting_provider_name"][0]
    assert found["servicing_provider_name"] == ["Cobblestone Imaging LLC"]


def test_titles_side_by_side_divide_the_page() -> None:
    found = read(
        """
PATIENT INFORMATION                             PRESCRIBER INFORMATION
Name: Odalys Brennerman                         Name: Piet Hollander, DO
Phone: 614-555-0120                             Phone: 614-555-0177
""",
        REQUEST,
    )
    assert found["patient_name"] == ["Odalys Brennerman"]
    assert found["patient_phone"] == ["614-555-0120"]
    assert found["requesting_provider_phone"] == ["614-555-0177"]


def test_the_label_s_own_words_name_its_party_without_any_section() -> None:
    found = read(
        """
Patient Name: Odalys Brennerman
Prescriber Name: Piet Hollander, DO
Prescriber NPI: 1457389201
Office Fax: 614-555-0178
""",
        REQUEST,
    )
    assert found["requesting_provider_npi"] == ["1457389201"]
    assert found["requesting_provider_fax"] == ["614-555-0178"]


def test_a_blank_stays_blank() -> None:
    found = read(
        """
Patient Name: Odalys Brennerman
Subscriber Name:
Member ID: XQP447120983
Group Number:
Date of Birth: 03/14/1961
""",
        REQUEST,
    )
    assert "subscriber_name" not in found
    assert "group_number" not in found
    assert found["member_id"] == ["XQP447120983"]
    assert found["patient_dob"] == ["1961-03-14"]


def test_values_stand_below_their_labels_within_the_column() -> None:
    found = read(
        """
Patient Name               Date of Birth        Member ID
Odalys Brennerman          03/14/1961           XQP447120983
""",
        REQUEST,
    )
    assert found["patient_name"] == ["Odalys Brennerman"]
    assert found["patient_dob"] == ["1961-03-14"]
    assert found["member_id"] == ["XQP447120983"]


def test_glued_and_misread_labels_are_known() -> None:
    table = LabelTable(SCHEMAS[REQUEST], LEXICON)
    for text in ("PatientName", "Patlent Name", "PATIENT NAME", "Patient Nam e"):
        meaning = table.look_up(text)
        assert meaning is not None and meaning.fields == ("patient_name",), text
    assert squash("Member ID #") == squash("memberid") == squash("Member lD No.")


def test_member_number_is_a_number_and_member_is_a_person() -> None:
    table = LabelTable(SCHEMAS[REQUEST], LEXICON)
    number, person = table.look_up("Member #"), table.look_up("Member")
    assert number is not None and number.fields == ("member_id",)
    assert person is not None and person.attribute == "name" and person.party == "patient"


def test_unknown_labels_end_the_value_before_them() -> None:
    found = read("Patient Name: Odalys Brennerman  Shoe size: 41  DOB: 03/14/1961", REQUEST)
    assert found["patient_name"] == ["Odalys Brennerman"]


def test_names_and_addresses_are_composed() -> None:
    found = read(
        """
PATIENT INFORMATION
Last Name: Brennerman      First Name: Odalys      MI: K
Address: 77 Quillback Ln   City: Dublin    State: OH    Zip: 43017
""",
        REQUEST,
    )
    assert set(found["patient_name"][0].replace(",", "").split()) >= {"Odalys", "Brennerman"}
    for part in ("77 Quillback Ln", "Dublin", "OH", "43017"):
        assert part in found["patient_address"][0]


def test_a_failed_npi_is_kept_with_less_confidence() -> None:
    schema = SCHEMAS[REQUEST]
    for raw, valid in (("1457389202", False), ("1457389203", True)):
        found = STRUCTURE.candidates(
            [page(f"Requesting Provider NPI: {raw}")], schema, STRUCTURE.read([], schema)[0]
        )
        npi = next(c for c in found if c.field == "requesting_provider_npi")
        assert npi.value == raw
        if not valid:
            assert not npi.valid and npi.confidence < 0.6


def test_a_line_to_write_on_stands_for_a_colon() -> None:
    sheet = page(
        "Telephone 419-555-0129    Address 5 Quarry Ct, Findlay OH 45840\n\nPatient: A. Bee"
    )
    row = (2 + 0.9) / ROWS
    lines = [(13, 25), (38, 66)]
    rules = tuple(
        Rule(
            orientation="horizontal",
            box=Box((4 + a) / COLUMNS - 0.032, row, (4 + b) / COLUMNS, row + 0.0005),
        )
        for a, b in lines
    )
    found = read(sheet.model_copy(update={"rules": rules}), REFERRAL)
    assert "patient_address" not in found or found["patient_address"][0].startswith("5 Quarry")


def test_numbers_in_the_head_of_a_form_are_the_payer_s() -> None:
    found = read(
        """
Meadowlark Health Plan
Fax completed form to: 800-555-0190     Questions? Call 800-555-0191

Patient Name: Odalys Brennerman
Patient Phone: 614-555-0120
""",
        REQUEST,
    )
    assert found["payer_fax"] == ["800-555-0190"]
    assert found["payer_phone"] == ["800-555-0191"]
    assert found["payer_name"] == ["Meadowlark Health Plan"]
    assert found["patient_phone"] == ["614-555-0120"]


def test_ticked_options_answer_the_nearest_question() -> None:
    sheet = page(
        """
Review Type:    Standard        Expedited
Sex:            Male            Female
"""
    )
    marks = []
    for word in sheet.words:
        if word.text in ("Standard", "Expedited", "Male", "Female"):
            box = Box(word.box.x0 - 0.022, word.box.y0, word.box.x0 - 0.006, word.box.y1)
            state = "checked" if word.text in ("Expedited", "Female") else "unchecked"
            marks.append(Mark(state=state, box=box, label=word.text))
    found = read(sheet.model_copy(update={"marks": tuple(marks)}), REQUEST)
    assert found["review_type"] == ["expedited"]
    assert found["patient_sex"][0].lower().startswith("f")


@pytest.mark.parametrize(
    ("sentence", "decision"),
    [
        ("Your request has been approved as medically necessary.", "approved"),
        ("We are unable to approve this request.", "denied"),
        ("The service was partially approved.", "partially approved"),
        ("Your request is PENDED until we receive the records.", "pended"),
        ("This request has been withdrawn.", "cancelled"),
        ("NOTICE OF ADVERSE DETERMINATION", "denied"),
    ],
)
def test_letters_say_what_was_decided(sentence: str, decision: str) -> None:
    found = read(
        f"Dear Dr. Hollander:\n\n{sentence}\nIf a request is denied you may appeal.", LETTER
    )
    assert found["determination"] == [decision]


def test_a_condition_decides_nothing() -> None:
    found = read("If your request is denied you may appeal within 60 days.", LETTER)
    assert "determination" not in found


def test_letters_name_period_number_and_days_to_appeal() -> None:
    found = read(
        """
Your authorization number is A4471-0098. It is valid from 02/01/2026 through 04/30/2026.
You may file an appeal within 180 days of receiving this letter.
""",
        LETTER,
    )
    assert found["auth_number"] == ["A4471-0098"]
    assert found["effective_from"] == ["2026-02-01"]
    assert found["effective_to"] == ["2026-04-30"]
    assert found["appeal_deadline_days"] == ["180"]


def test_a_value_of_two_sources_is_surer_than_that_of_one() -> None:
    box = Box(0.1, 0.1, 0.2, 0.12)

    def candidate(source: str, value: str, confidence: float) -> Candidate:
        return Candidate("member_id", value, value, True, confidence, 1, box, (1,), source)

    schema = SCHEMAS[REQUEST]
    alone = vote([candidate("structure", "X1", 0.7)], schema, {})[0]
    both = vote([candidate("structure", "X1", 0.7), candidate("crf", "X1", 0.6)], schema, {})[0]
    against = vote([candidate("structure", "X1", 0.7), candidate("crf", "Y2", 0.6)], schema, {})[0]
    assert both.confidence > alone.confidence > against.confidence


def test_a_section_title_is_no_value() -> None:
    found = read("Patient Name:\nSECTION IV - PROVIDER INFORMATION\nPhone: 614-555-0177", REQUEST)
    assert "patient_name" not in found


def test_titles_are_known_whatever_their_numbering() -> None:
    titles = TitleTable(SCHEMAS[REQUEST], LEXICON)
    for text in ("SECTION III - PATIENT INFORMATION", "3. Patient Information", "Part B: Patient"):
        found = titles.look_up(text.split())
        assert found is not None and found[0] == "patient", text
    assert (
        titles.look_up(["This", "is", "a", "sentence", "that", "runs", "on", "and", "on"]) is None
    )


def test_no_label_means_two_parties_at_once() -> None:
    for kind in (REQUEST, REFERRAL, LETTER):
        table = LabelTable(SCHEMAS[kind], LEXICON)
        for field in SCHEMAS[kind].fields:
            if field.party and field.attribute and field.attribute != "name":
                meaning = table.look_up(f"{field.party.replace('_', ' ')} {field.attribute}")
                assert meaning is None or field.name in meaning.fields or not meaning.fields


LINES = tuple(
    Rule(orientation="horizontal", box=Box(x / COLUMNS, y / ROWS, (x + 26) / COLUMNS, y / ROWS))
    for y in (4.5, 8.5)
    for x in (4, 40)
)
"""What the values of the next two pages are written on."""


def test_a_label_under_its_line_names_what_stands_over_it() -> None:
    sheet = page("""
REQUESTING PROVIDER
Ilse Vantongeren, MD                1457389201

Provider Name                       NPI

317-555-0144                        317-555-0145

Phone                               Fax
""")
    found = read(sheet.model_copy(update={"rules": LINES}), REQUEST)
    assert found["requesting_provider_name"] == ["Ilse Vantongeren, MD"]
    assert found["requesting_provider_npi"] == ["1457389201"]
    assert found["requesting_provider_phone"] == ["317-555-0144"]
    assert found["requesting_provider_fax"] == ["317-555-0145"]


def test_a_blank_over_a_caption_stays_blank() -> None:
    sheet = page("""
REQUESTING PROVIDER


Provider Name                       NPI

317-555-0144                        317-555-0145

Phone                               Fax
""")
    found = read(sheet.model_copy(update={"rules": LINES}), REQUEST)
    assert "requesting_provider_npi" not in found
    assert found["requesting_provider_fax"] == ["317-555-0145"]


@pytest.mark.parametrize("leader", ["........", ",......,", "\u2026.......", ":......."])
def test_dots_that_lead_to_a_value_stand_for_a_colon(leader: str) -> None:
    found = read(f"PATIENT\nName {leader} Odalys Brennerman\nPhone{leader}614-555-0120", REQUEST)
    assert found["patient_name"] == ["Odalys Brennerman"]
    assert found["patient_phone"] == ["614-555-0120"]


def test_a_date_in_boxes_with_printed_dashes_is_one_date() -> None:
    found = read("PATIENT\nDate of Birth:  1  2  -  1  6  -  1  9  6  0", REQUEST)
    assert found["patient_dob"] == ["1960-12-16"]


def blanks(text: str, kind: DocumentType) -> dict[str, str]:
    schema = SCHEMAS[kind]
    _, readings = STRUCTURE.read([page(text)], schema)
    return {blank.field: blank.label for blank in STRUCTURE.blanks(readings, schema)}


def test_a_label_without_an_answer_is_a_blank_of_whom_its_section_speaks() -> None:
    found = blanks(
        """
PATIENT INFORMATION
Name: Odalys Brennerman             Phone:
Member ID #:                        Group #: 4410

SERVICING PROVIDER INFORMATION
Name: Cobblestone Imaging LLC       NPI #:
Phone: 317-555-0170                 Fax: 317-555-0171
""",
        REQUEST,
    )
    assert found["patient_phone"] == "Phone:"
    assert found["servicing_provider_npi"] == "NPI #:"
    assert found["member_id"] == "Member ID #:"
    assert not found.keys() & {"patient_name", "group_number", "servicing_provider_phone"}


def test_a_ticked_row_with_questions_of_its_own_is_no_place_of_service() -> None:
    box = Box(0.06, 0.04, 0.08, 0.05)
    sheet = page("    Home Health (MD Signed Order Attached?  Yes  No)")
    for label, value in (
        ("Home Health (MD Signed Order Attached?", None),
        ("Home", ["home"]),
    ):
        mark = Mark(state="checked", box=box, label=label)
        beside = Mark(state="unchecked", box=box._replace(x0=0.5, x1=0.52), label="Outpatient")
        seen = sheet.model_copy(update={"marks": (mark, beside)})
        assert read(seen, REQUEST).get("place_of_service") == value

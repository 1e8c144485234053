# SPDX-License-Identifier: Apache-2.0
"""Labels without colons, in two lines, beside typed values; where running text ends."""

from __future__ import annotations

import pytest

from idp.document import Box, DocumentType, Mark
from idp.extract.crf_spans import Span
from idp.extract.features import PageView
from idp.extract.options import options_from_marks
from idp.extract.whole_sentences import in_whole_sentences
from tests.unit.pages import COLUMNS, ROWS, page
from tests.unit.structured import SCHEMAS, STRUCTURE, read

REQUEST = DocumentType.PRIOR_AUTH_REQUEST


def mark(state: str, row: int, column: int, label: str = "") -> Mark:
    x, y = (column + 4) / COLUMNS, (row + 2) / ROWS
    box = Box(x, y, x + 1 / COLUMNS, y + 0.8 / ROWS)
    return Mark.model_validate({"state": state, "label": label, "box": box})


def test_referred_to_heads_another_party_than_referred_by() -> None:
    found = read(
        """
REFERRED BY
Name: Ilse Vantongeren, MD
Fax: 317-555-0145

REFERRED TO
Name: Cobblestone Imaging LLC
Fax: 317-555-0171
""",
        DocumentType.REFERRAL,
    )
    assert found["referring_provider_fax"] == "317-555-0145"
    assert found["referred_to_fax"] == "317-555-0171"


def test_a_short_label_needs_no_colon_above_its_value() -> None:
    found = read(
        """
PATIENT INFORMATION
Patient Name                 Ph
Quillfeather, Tamsin         317-555-0199
"""
    )
    assert found["patient_phone"] == "317-555-0199"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("DATE 02/22/2026", "issue_date", "2026-02-22"),
        ("DATE ISSUED (PRINT) 09/25/2024", "issue_date", "2024-09-25"),
    ],
)
def test_a_day_right_behind_its_label_needs_no_colon(line: str, field: str, value: str) -> None:
    assert read(line, DocumentType.REMITTANCE_EOB)[field] == value


def test_a_bare_date_beside_a_signature_is_not_the_day_of_the_request() -> None:
    found = read("Prescriber Signature: Ilse Vantongeren       Date: 01/07/2026")
    assert found["form_date"] == "2026-01-07"
    assert "submission_date" not in found


def test_how_to_answer_is_not_what_is_asked() -> None:
    found = read("PATIENT\nSex (M/F)\nMale", DocumentType.REFERRAL)
    assert found["patient_sex"] == "male"


def test_a_label_in_two_lines_asks_for_what_both_say() -> None:
    found = read(
        """
REQUESTING PROVIDER
Provider Name: Ilse Vantongeren, MD

AUTHORIZATION       Reauthorization
TYPE:
"""
    )
    assert found["request_type"] == "renewal"


def test_an_office_phone_beside_a_named_facility_is_the_facilitys() -> None:
    found = read("Name of Facility                 Office Phone\nHarbor Imaging      317-555-0171")
    assert "requesting_provider_phone" not in found


def test_labels_of_an_office_go_on_with_the_provider_that_was_named() -> None:
    found = read(
        """
PATIENT INFORMATION
Patient Name: Quillfeather, Tamsin

Specialist Name: Harbor Imaging
Specialist Fax: 317-555-0171
City: Dover
State: OH
Phone: 317-555-0172
""",
        DocumentType.REFERRAL,
    )
    assert found["referred_to_phone"] == "317-555-0172"
    assert "patient_phone" not in found


def test_running_text_ends_at_a_row_of_check_boxes() -> None:
    found = read(
        """
Clinical Notes:
Failed six weeks of therapy and of two drugs that were given daily.
Inpatient     Outpatient     Home     Office
""",
        marks=(mark("unchecked", 2, 12, "Outpatient"), mark("unchecked", 2, 27, "Home")),
    )
    assert found["clinical_notes"].startswith("Failed six weeks")
    assert "Outpatient" not in found["clinical_notes"]


def test_a_title_is_not_answered_by_the_value_over_it() -> None:
    found = read(
        """
PAYER
Plan Name          Group
Harbor Health      445566

CLINICAL NOTES
"""
    )
    assert "clinical_notes" not in found


def test_a_paragraph_ends_where_a_wider_blank_follows_a_full_stop() -> None:
    found = read(
        """
Clinical Notes:
Failed six weeks of therapy and of two drugs that were given daily
at home, then in the office by a nurse who wrote of it every day.

Please send this form with every record that you have of the member.
"""
    )
    assert found["clinical_notes"].endswith("every day.")


def test_drugs_in_one_answer_are_an_entry_each() -> None:
    schema = SCHEMAS[REQUEST]
    _, readings = STRUCTURE.read([page("Drugs Tried: Naproxen, Sumatriptan 50 mg")], schema)
    found = [c.value for c in STRUCTURE.from_readings(readings, schema)]
    assert found == ["Naproxen", "Sumatriptan 50 mg"]


def test_a_box_behind_its_option_is_read_with_the_words_before_it() -> None:
    sheet = page("Type of Request:    New Request      Extension   ").model_copy(
        update={"marks": (mark("checked", 0, 32), mark("unchecked", 0, 47, "Extension"))}
    )
    _, readings = STRUCTURE.read([sheet], SCHEMAS[REQUEST])
    chosen = [c for r in readings for c in options_from_marks(r, SCHEMAS[REQUEST])]
    assert [c.value for c in chosen] == ["initial"]


def test_a_reason_is_the_sentences_that_a_tagger_knows_words_of() -> None:
    view = PageView(
        page(
            """
This decision was made because the drug is not on
the formulary. Two preferred drugs were not tried.
You may appeal.
"""
        )
    )
    words = [t.text for t in view.tokens]
    some = [words.index("formulary."), words.index("preferred")]
    tagged = [
        Span("DENIAL", (i,), words[i], view.tokens[i].box, view.piece_of[i], 0.9, False)
        for i in some
    ]
    whole = in_whole_sentences(view, tagged)
    assert [s.text for s in whole] == [
        "the drug is not on the formulary. Two preferred drugs were not tried."
    ]

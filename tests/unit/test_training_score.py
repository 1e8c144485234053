# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.evaluate import cases
from training.normalise import comparable, match_values, same
from training.score import expected_documents, figures, judged_fields, score_file


@pytest.mark.parametrize(
    ("printed", "iso"),
    [
        ("03/11/2026", "2026-03-11"),
        ("3-1-26", "2026-03-01"),
        ("2026-03-11T10:00", "2026-03-11"),
        ("031126", "2026-03-11"),
        ("March 11th, 2026", "2026-03-11"),
        ("11-Mar-26", "2026-03-11"),
        ("07/22/68", "1968-07-22"),
        ("27/05/1984", "1984-05-27"),
    ],
)
def test_dates_compare_whatever_their_format(printed: str, iso: str) -> None:
    assert comparable(printed, "date") == iso


def test_a_date_that_is_no_date_still_compares_by_its_characters() -> None:
    assert comparable("13/45/2020", "date") == "13452020"


def test_phones_drop_country_code_and_extension() -> None:
    assert comparable("+1 (512) 555-0143", "phone") == "5125550143"
    assert comparable("512.555.0143 ext 22", "phone") == "5125550143"


def test_names_forgive_order_and_credentials_but_not_content() -> None:
    assert comparable("ABERNATHY, Devon R., MD", "name") == comparable("Devon R. Abernathy", "name")
    assert comparable("Devon Abernathy", "name") != comparable("Devon R. Abernathy", "name")


def test_money_is_signed_and_normal() -> None:
    assert comparable("($1,200.50)", "money") == "-1200.5"
    assert comparable("$1,200.50", "money") == "1200.5"


def test_options_have_synonyms_and_presence_is_yes_or_blank() -> None:
    assert comparable("Standard", "enum") == comparable("non-urgent", "enum")
    assert comparable(True, "presence") == "yes"
    assert comparable(False, "presence") is None


def test_long_texts_match_at_85_percent_of_their_words() -> None:
    assert same("a b c d e f g h i j", "a b c d e f g h i x", "text")
    assert not same("a b c d", "a b x y", "text")
    assert same("cigna", "cigna health management", "org")


def test_matching_is_a_multiset_match() -> None:
    right, missed, wrong = match_values(["73721", "73721"], ["73721", "99213"], "code")
    assert (right, missed, wrong) == (["73721"], ["73721"], ["99213"])


TRUTH = {
    "doc_type": "prior_auth_request",
    "pages": 1,
    "expected_missing": ["group_number"],
    "fields": {
        "patient_name": {"value": "Ann Lee", "page": 1},
        "patient_dob": {"value": "01/02/1970", "page": 1},
        "member_id": {"value": "A-77", "page": 1},
        "group_number": {"value": None, "page": 1},
        "urgency": {"value": "urgent", "page": 1},
    },
}
FOUND = {
    "type": "prior_auth_request",
    "pages": [1],
    "fields": [
        {"name": "patient_name", "value": "LEE, ANN", "confidence": 0.9},
        {"name": "member_id", "value": "A78", "confidence": 0.8},
        {"name": "group_number", "value": "G1", "confidence": 0.7},
        {"name": "review_type", "value": "expedited", "confidence": 0.6},
        {"name": "patient_phone", "value": "512-555-0143", "confidence": 0.6},
    ],
    "missing": ["patient_dob"],
}


def test_one_document_counts_right_wrong_missed_and_blank_filled() -> None:
    scored, surplus = score_file(TRUTH, [FOUND], stem="x", variant="original")
    assert surplus == 0
    outcomes = {v.name: v.outcome for v in scored[0].values}
    assert outcomes == {
        "patient_name": "ok",
        "patient_dob": "missed",
        "member_id": "wrong",
        "group_number": "blank_filled",
        "review_type": "ok",
    }
    result = figures(scored)
    assert (result.precision, result.recall) == (2 / 4, 2 / 4)
    assert scored[0].unjudged == 1
    assert (scored[0].missing.wanted, scored[0].missing.reported) == (1, 0)
    assert scored[0].missing.false == 1


def test_no_output_is_all_missed() -> None:
    scored, _ = score_file(TRUTH, [], stem="x", variant="original")
    result = figures(scored)
    assert (result.precision, result.recall, result.f1, result.missed) == (0.0, 0.0, 0.0, 4)


def test_values_of_a_surplus_document_are_false() -> None:
    surplus_document = {
        "type": "referral",
        "pages": [2],
        "fields": [{"name": "patient_name", "value": "Bob"}],
    }
    scored, surplus = score_file(TRUTH, [FOUND, surplus_document], stem="x", variant="original")
    assert surplus == 1
    assert figures(scored).extra == 1


def test_neighbouring_pages_of_one_type_are_one_document() -> None:
    truth = {
        "doc_type": "other",
        "page_types": ["other", "referral", "referral"],
        "fields": {"patient_name": {"value": "Ann", "page": 3}},
    }
    documents = expected_documents(truth)
    assert [(d.type, d.pages) for d in documents] == [("other", [1]), ("referral", [2, 3])]
    assert documents[1].fields == {"patient_name": ["Ann"]}


def test_claim_cells_are_paired_by_claim_and_counted_by_cell() -> None:
    truth = {
        "doc_type": "remittance_eob",
        "pages": 1,
        "fields": {
            "claims": {
                "page": 1,
                "value": [
                    {"claim_number": "1", "billed": "10.00", "paid": "5.00"},
                    {"claim_number": "2", "billed": "20.00", "paid": "8.00"},
                ],
            }
        },
    }
    found = {
        "type": "remittance_eob",
        "pages": [1],
        "claims": [{"claim_number": "2", "billed": "20", "paid": "9.00"}],
    }
    scored, _ = score_file(truth, [found], stem="x", variant="original")
    cells = scored[0].cells
    assert (cells.rows, cells.rows_found, cells.rows_extra) == (2, 1, 0)
    assert (cells.right, cells.missed, cells.wrong) == (2, 4, 1)


def test_a_cell_that_all_claims_share_answers_the_document_field() -> None:
    truth = {
        "doc_type": "remittance_eob",
        "pages": 1,
        "fields": {"patient_account": {"value": "77", "page": 1}},
    }
    found = {
        "type": "remittance_eob",
        "pages": [1],
        "claims": [{"patient_account": "77"}, {"patient_account": "77"}],
    }
    scored, _ = score_file(truth, [found], stem="x", variant="original")
    assert figures(scored).right == 1


def test_every_judged_field_counts_for_a_type() -> None:
    table = judged_fields()
    assert all(table.types[name] for name in table.kinds)
    assert all(name in table.kinds for name in table.aliases.values())


def test_cases_takes_only_the_wanted_variants(tmp_path: Path) -> None:
    truth = {**TRUTH, "file": "a.pdf", "variants": ["fax/a__fine_g3.tif", "fax/a__std_g3.tif"]}
    (tmp_path / "a.json").write_text(json.dumps(truth))
    (tmp_path / "unrelated.json").write_text("{}")
    found = [(c.stem, c.variant, c.path.name) for c in cases(tmp_path, ["original", "std_g3"])]
    assert found == [("a", "original", "a.pdf"), ("a", "std_g3", "a__std_g3.tif")]

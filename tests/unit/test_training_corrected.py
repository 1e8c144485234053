# SPDX-License-Identifier: Apache-2.0
"""What people said becomes what each word is; the rest is what the tagger says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from idp.document import Page
from idp.learning import likeness, signature
from tests.unit.test_crf import page_of
from training.corrected import CorrectedPages, corrected_pages
from training.labelled import read_labelled, write_labelled
from training.manifest import MODELS
from training.synthesise import make_one

_PAGES = TypeAdapter(list[Page])

FORM = (
    (0.1, 0.05, "Prior Authorization Request"),
    (0.1, 0.12, "Patient Name: Marisol Quintanilla"),
    (0.6, 0.12, "Date of Birth: 07/22/1968"),
    (0.1, 0.14, "Member ID: W527418096"),
    (0.6, 0.14, "Policy Key: ZK-88-1204"),
    (0.1, 0.20, "Requesting Provider NPI: 1234567893"),
)


def put(folder: Path, page: Page, fields: dict, *, complete: bool = False) -> Path:
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    (folder / "pages" / "d.json").write_bytes(_PAGES.dump_json([page]))
    truth = {"doc_type": "prior_auth_request", "layout": "l", "complete": complete}
    (folder / "d.json").write_text(json.dumps({**truth, "fields": fields}))
    return folder


def value(text: str, box: list[float] | None = None) -> dict:
    place = {"value": text, "page": 1 if box else None, "box": box, "origin": "manual"}
    return {"value": text, "page": 1, "places": [place]}


def roles_of(found: CorrectedPages) -> dict[str, str]:
    (labelled,) = found.pages
    return {w.text: r for w, r in zip(labelled.page.words, labelled.roles, strict=True)}


def box_of(page: Page, text: str) -> list[float]:
    return list(next(w.box for w in page.words if w.text == text))


def test_the_words_under_a_corrected_value_get_its_role(tmp_path: Path) -> None:
    page = page_of(*FORM)
    fields = {"member_id": value("ZK-88-1204", box_of(page, "ZK-88-1204"))}
    roles = roles_of(corrected_pages([put(tmp_path, page, fields)], MODELS))
    assert roles["ZK-88-1204"] == "MEMBER_ID"


def test_where_the_person_pointed_elsewhere_the_tagger_is_not_believed(tmp_path: Path) -> None:
    page = page_of(*FORM)
    fields = {"member_id": value("ZK-88-1204", box_of(page, "ZK-88-1204"))}
    roles = roles_of(corrected_pages([put(tmp_path, page, fields)], MODELS))
    assert roles["W527418096"] == "O"


def test_what_nobody_spoke_of_is_what_the_tagger_says(tmp_path: Path) -> None:
    page = page_of(*FORM)
    fields = {"member_id": value("ZK-88-1204", box_of(page, "ZK-88-1204"))}
    roles = roles_of(corrected_pages([put(tmp_path, page, fields)], MODELS))
    assert roles["1234567893"] == "NPI"
    assert roles["07/22/1968"] == "DOB"
    assert roles["NPI:"] == "LABEL"


def test_a_label_inside_the_box_stays_a_label(tmp_path: Path) -> None:
    page = page_of(*FORM)
    words = {w.text: w.box for w in page.words}
    drawn = [words["Patient"].x0, words["Patient"].y0, words["Quintanilla"].x1, 0.133]
    fields = {"patient_name": value("Marisol Quintanilla", drawn)}
    roles = roles_of(corrected_pages([put(tmp_path, page, fields)], MODELS))
    assert (roles["Name:"], roles["Marisol"], roles["Quintanilla"]) == ("LABEL", "NAME", "NAME")


def test_a_value_without_a_box_is_found_where_it_stands_once(tmp_path: Path) -> None:
    page = page_of(*FORM)
    fields = {"patient_dob": value("1968-07-22"), "member_id": value("ZK-88-1204")}
    roles = roles_of(corrected_pages([put(tmp_path, page, fields)], MODELS))
    assert (roles["07/22/1968"], roles["ZK-88-1204"]) == ("DOB", "MEMBER_ID")


def test_a_value_that_stands_twice_or_nowhere_teaches_nothing(tmp_path: Path) -> None:
    page = page_of(*FORM, (0.1, 0.3, "Group: ZK-88-1204"))
    fields = {"member_id": value("ZK-88-1204"), "group_number": value("not printed")}
    assert corrected_pages([put(tmp_path, page, fields)], MODELS).pages == ()


def test_nothing_trains_on_a_locked_share(tmp_path: Path) -> None:
    folder = put(tmp_path / "locked", page_of(*FORM), {})
    with pytest.raises(ValueError, match="locked"):
        corrected_pages([folder], MODELS)


def test_corrected_pages_are_files_that_every_trainer_reads(tmp_path: Path) -> None:
    page = page_of(*FORM)
    fields = {"member_id": value("ZK-88-1204", box_of(page, "ZK-88-1204"))}
    found = corrected_pages([put(tmp_path / "set", page, fields)], MODELS)
    ((name, pages),) = found.by_document
    write_labelled(tmp_path / "out" / f"{name}.json", pages)
    assert list(read_labelled(tmp_path / "out")) == [(name, list(pages))]


def test_copies_of_one_form_are_alike_whatever_is_filled_in() -> None:
    def of(family: int, seed: int) -> str:
        return signature([p.page for p in make_one("referral", "train", family, seed).pages])

    same = [likeness(of(family, 0), of(family, 1)) for family in range(5)]
    other = [likeness(of(family, 0), of(family + 1, 0)) for family in range(5)]
    assert min(same) > max(other)
    assert signature([page_of()]) == ""
    assert likeness("", "") == 0

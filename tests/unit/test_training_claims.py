# SPDX-License-Identifier: Apache-2.0
"""Corrected claims of a remittance become what the words under their cells are."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter

from idp.document import Page
from tests.unit.test_crf import page_of
from training.corrected import corrected_pages
from training.corrected_claims import claim_places
from training.manifest import MODELS
from training.synthesise import make_one

TABLE = (
    (0.1, 0.05, "Explanation of Payment"),
    (0.1, 0.20, "06/03/2026"),
    (0.3, 0.20, "99213"),
    (0.4, 0.20, "1"),
    (0.5, 0.20, "$120.00"),
    (0.7, 0.20, "$80.00"),
    (0.1, 0.24, "06/03/2026"),
    (0.3, 0.24, "36415"),
    (0.4, 0.24, "2"),
    (0.5, 0.24, "$14.50"),
    (0.7, 0.24, "$9.25"),
)
LINE = {"service_date": "2026-06-03", "procedure_code": "99213", "billed": "120.00", "paid": "80"}


def roles_on(page: Page, *claims: dict) -> dict[tuple[str, int], str]:
    words = page.words
    return {
        (words[index].text, round(100 * words[index].box.y0)): place.role
        for place in claim_places([page], claims)
        for index in place.words
    }


def test_a_line_is_the_row_that_holds_its_cells() -> None:
    found = roles_on(page_of(*TABLE), {"service_lines": [LINE]})
    assert found == {
        ("06/03/2026", 20): "C_DATE",
        ("99213", 20): "C_CODE",
        ("$120.00", 20): "C_MONEY",
        ("$80.00", 20): "C_MONEY",
    }


def test_a_line_that_could_be_two_rows_is_not_placed() -> None:
    twice = page_of(*TABLE, *((x, y + 0.1, text) for x, y, text in TABLE[1:6]))
    assert roles_on(twice, LINE) == {}
    both = roles_on(twice, {"service_lines": [LINE, LINE]})
    assert {y for _, y in both} == {20, 30}, "as many rows as lines that are alike"


def test_a_row_with_few_of_the_cells_is_another_line() -> None:
    other = {**LINE, "billed": "77.00", "paid": "12.00", "allowed": "3.00"}
    assert roles_on(page_of(*TABLE), other) == {}


def test_what_is_said_of_generated_remittances_is_what_their_words_are() -> None:
    right = told = 0
    for family in range(8):
        made = make_one("remittance_eob", "train", family, 5)
        truth = {(p.page.number, i): role for p in made.pages for i, role in enumerate(p.roles)}
        claims = made.truth["fields"]["claims"]["value"]
        for place in claim_places([p.page for p in made.pages], claims):
            told += len(place.words)
            right += sum(truth[place.page, index] == place.role for index in place.words)
    assert told > 60
    assert right / told > 0.97


def test_a_corrected_table_teaches_although_nobody_spoke_of_a_field(tmp_path: Path) -> None:
    page = page_of(*TABLE)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "d.json").write_bytes(TypeAdapter(list[Page]).dump_json([page]))
    fields = {"claims": {"value": [{"service_lines": [LINE]}], "page": 1}}
    truth = {"doc_type": "remittance_eob", "layout": "l", "complete": True, "fields": fields}
    (tmp_path / "d.json").write_text(json.dumps(truth))
    (labelled,) = corrected_pages([tmp_path], MODELS).pages
    roles = {w.text: r for w, r in zip(labelled.page.words, labelled.roles, strict=True)}
    assert (roles["99213"], roles["$80.00"]) == ("C_CODE", "C_MONEY")

# SPDX-License-Identifier: Apache-2.0
"""The table source proposes the values of service and medication tables, and no others."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
import yaml

from idp.document import DocumentType
from idp.extract.ports import Candidate, Structure
from idp.extract.tables_source import TablesSource
from idp.schemas import load_lexicon, load_schemas
from tests.unit.table_layouts import DATA, comparable, layouts
from tests.unit.table_pages import page_of

SOURCE = TablesSource(load_lexicon())
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(
    (DATA / "service_layouts.yaml").read_text(encoding="utf-8")
)
JUDGED = (
    *("procedure_codes", "service_descriptions", "diagnosis_codes", "diagnosis_descriptions"),
    *("service_start_date", "service_end_date", "effective_from", "effective_to", "units"),
    *("approved_units", "medications_tried"),
)
NOTHING = Structure((), ())


def candidates(one: dict[str, Any], *, ruled: bool) -> list[Candidate]:
    pages = [page_of(text, number=n, ruled=ruled) for n, text in enumerate(one["pages"], 1)]
    schema = load_schemas()[DocumentType(one["type"])]
    return SOURCE.candidates(pages, schema, NOTHING)


@pytest.mark.parametrize("ruled", [True, False], ids=["ruled", "no rules"])
@pytest.mark.parametrize("name", SERVICES)
def test_a_table_gives_its_values_row_by_row(name: str, ruled: bool) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for candidate in candidates(SERVICES[name], ruled=ruled):
        if candidate.field in JUDGED:
            found[candidate.field].append(comparable(candidate.value))
    wanted = {
        field: [comparable(v) for v in values]
        for field, values in SERVICES[name]["candidates"].items()
    }
    assert dict(found) == wanted


@pytest.mark.parametrize("name", SERVICES)
def test_every_candidate_shows_its_words(name: str) -> None:
    for candidate in candidates(SERVICES[name], ruled=True):
        assert candidate.word_ids
        assert candidate.source == "tables"
        assert 0 < candidate.confidence <= 1
        assert 0 <= candidate.box.x0 < candidate.box.x1 <= 1


def test_words_that_others_know_for_labels_are_no_values() -> None:
    class AllLabels(Structure):
        def label_words(self, page: int) -> frozenset[int]:
            return frozenset(range(10_000)) if page else frozenset()

    one = SERVICES["approved services of a letter"]
    schema = load_schemas()[DocumentType(one["type"])]
    assert SOURCE.candidates([page_of(one["pages"][0])], schema, AllLabels((), ())) == []


def test_a_remittance_gives_the_totals_of_its_statement() -> None:
    layout = layouts("remittance_layouts.yaml")[0]
    schema = load_schemas()[DocumentType.REMITTANCE_EOB]
    pages = [page_of(text) for text in layout.pages]
    found = {c.field: comparable(c.value) for c in SOURCE.candidates(pages, schema, NOTHING)}
    assert found == {name: comparable(value) for name, value in layout.values.items()}


def test_other_documents_have_no_tables_to_read() -> None:
    schema = load_schemas()[DocumentType.OTHER]
    page = page_of(SERVICES["approved services of a letter"]["pages"][0])
    assert SOURCE.candidates([page], schema, NOTHING) == []

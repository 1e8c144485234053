# SPDX-License-Identifier: Apache-2.0
"""The product as installed, over real forms and their fax variants, scored against the truth."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from tests.corpus.conftest import Processed
from training.evaluate import Case, report
from training.score import Figures, Json, Scored, score_file

pytestmark = pytest.mark.slow

# What the first version promises (the figures reached are in docs/models.md). "original" and
# "fine_g3" are asked for; the other two keep what is there from falling.
CORE_F1 = {"original": 0.70, "fine_g3": 0.65, "std_g3": 0.50, "noisy_g4": 0.50}
TYPES_WRONG_AT_MOST = 1


class Judged(NamedTuple):
    todo: list[Case]
    output: list[list[Json]]
    documents: list[Scored]
    figures: dict[str, Figures]


@pytest.fixture(scope="module")
def judged(processed: Processed) -> Judged:
    todo, output = processed
    lines: list[str] = []
    documents: list[Scored] = []
    surplus = 0
    for case, found in zip(todo, output, strict=True):
        scored, extra = score_file(case.truth, found, stem=case.stem, variant=case.variant)
        documents += scored
        surplus += extra
    reached = report(documents, surplus, lines.append)
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    return Judged(todo, output, documents, reached)


def test_every_real_form_gives_documents(judged: Judged) -> None:
    empty = [c.path.name for c, found in zip(judged.todo, judged.output, strict=True) if not found]
    assert empty == []


def test_no_real_form_is_refused(judged: Judged) -> None:
    refused = [
        (case.path.name, document.get("error"))
        for case, found in zip(judged.todo, judged.output, strict=True)
        for document in found
        if document["decision"] == "quarantine"
    ]
    assert refused == []


def test_the_types_of_the_originals_are_right(judged: Judged) -> None:
    wrong = [
        (d.stem, d.type, d.found_type)
        for d in judged.documents
        if d.variant == "original" and d.type != d.found_type
    ]
    assert len(wrong) <= TYPES_WRONG_AT_MOST, wrong


@pytest.mark.parametrize("variant", sorted(CORE_F1))
def test_core_fields_are_found(judged: Judged, variant: str) -> None:
    key = f"{variant}/all printed"
    if key not in judged.figures:
        pytest.skip(f"the corpus has no {variant}")
    assert judged.figures[key].f1 >= CORE_F1[variant]


def test_every_value_shows_where_it_came_from(judged: Judged) -> None:
    for found in judged.output:
        for document in found:
            for field in document["fields"]:
                assert field["box"] is None or (
                    len(field["box"]) == 4 and all(0 <= edge <= 1 for edge in field["box"])
                ), field["name"]
                assert field["page"] is None or field["page"] in document["pages"]

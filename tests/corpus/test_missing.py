# SPDX-License-Identifier: Apache-2.0
"""``missing`` of real forms against what a person finds missing, each deviation with its reason.

Compared are documents whose truth says what is expected to be missing, and whose type was found.
A deviation that is not explained below fails, and so does an explanation that nothing needs any
more.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from tests.corpus.conftest import Processed
from training.evaluate import Case
from training.score import Json

pytestmark = pytest.mark.slow

VARIANTS = ("original", "fine_g3")
CALLED = {"signature": "signature_present"}
"""Names of the truth that are called otherwise in the schemas."""

_INCONSISTENT = (
    "the row of places is unticked on both Texas forms; the truth of h02 counts it as missing, "
    "that of h03 does not, and the form asks for it"
)
EXPLAINED: dict[tuple[str, str, str, str], str] = {
    ("h03_tx_nofr001_incomplete", "original", "more", "place_of_service"): _INCONSISTENT,
    ("h03_tx_nofr001_incomplete", "fine_g3", "more", "place_of_service"): _INCONSISTENT,
    ("h03_tx_nofr001_incomplete", "fine_g3", "less", "service_end_date"): (
        "on the fax the head of the column is read as one label with its neighbour's, so its "
        "empty cell is not known for what it is"
    ),
    ("h38_cms1500_aws", "original", "less", "patient_dob"): (
        "box 3 shares its line with the label of box 4, which has no colon and is taken for an "
        "answer"
    ),
    ("h38_cms1500_aws", "fine_g3", "less", "patient_dob"): (
        "box 3 shares its line with the label of box 4, which has no colon and is taken for an "
        "answer"
    ),
}
"""Stem, variant, whether more or less is said to be missing than expected, field: why."""


class Compared(NamedTuple):
    """One document of the corpus that says what is expected to be missing."""

    case: Case
    found: Json | None
    deviations: frozenset[tuple[str, str, str, str]]


@pytest.fixture(scope="module")
def compared(processed: Processed) -> list[Compared]:
    rows = [
        _compared(case, found)
        for case, found in zip(*processed, strict=True)
        if case.variant in VARIANTS and "expected_missing" in case.truth
    ]
    sys.stdout.write("\n" + "\n".join(map(_line, rows)) + "\n")
    return rows


def _compared(case: Case, found: list[Json]) -> Compared:
    right = next((d for d in found if d["type"] == case.truth["doc_type"]), None)
    expected = {CALLED.get(name, name) for name in case.truth["expected_missing"]}
    missing = set(right["missing"]) if right else set()
    deviations = (
        {("more", name) for name in missing - expected}
        | {("less", name) for name in expected - missing}
        if right
        else set()
    )
    return Compared(
        case, right, frozenset((case.stem, case.variant, how, name) for how, name in deviations)
    )


def _line(row: Compared) -> str:
    said = ", ".join(f"{how} {name}" for _, _, how, name in sorted(row.deviations)) or "as expected"
    if row.found is None:
        said = "type not found"
    count = len(row.found["missing"]) if row.found else 0
    return f"MISSING {row.case.stem:36} {row.case.variant:9} {count:2} {said}"


def test_what_is_missing_is_what_a_person_finds_missing(compared: list[Compared]) -> None:
    unexplained = {each for row in compared for each in row.deviations} - set(EXPLAINED)
    assert unexplained == set()


def test_no_explanation_is_left_over(compared: list[Compared]) -> None:
    judged = {(row.case.stem, row.case.variant) for row in compared}
    needed = {each for row in compared for each in row.deviations}
    left = {each for each in EXPLAINED if each[:2] in judged} - needed
    assert left == set()


def test_the_type_of_every_original_is_found(compared: list[Compared]) -> None:
    assert [
        row.case.stem for row in compared if row.found is None and row.case.variant == "original"
    ] == []

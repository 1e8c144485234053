# SPDX-License-Identifier: Apache-2.0
"""A quick edition of the benchmark: each rule finds the faults seeded for it, and is quiet else."""

from __future__ import annotations

import pytest

from training.faults.__main__ import run
from training.faults.book import manners
from training.faults.measure import Tally
from training.faults.ways import Fields

pytestmark = pytest.mark.component

FAULTS, SOUND = 20, 40
RULES = (
    *("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "D2", "F1", "F2", "A2", "A4", "P1", "P3"),
    *("R1", "R2", "R3", "R4", "R5", "R7", "R8", "R9", "R1/R2/R3/R4"),
    *("A1", "A3", "C1", "C3", "C4", "D3", "N9", "N10", "P2", "U1"),
)
"""All but D1, of which each fault takes a database of its own."""


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return {tally.rule: tally for tally in run(RULES, FAULTS, SOUND, Fields)}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_its_seeded_faults_and_nothing_in_sound_documents(
    rule: str, tallies: dict[str, Tally]
) -> None:
    tally = tallies[rule]
    assert tally.documents == FAULTS
    assert tally.sound == SOUND
    assert tally.holds, (tally.recall, tally.rate, tally.missed[:3], tally.cries)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_found_names_the_field_that_is_wrong(rule: str, tallies: dict[str, Tally]) -> None:
    quality = tallies[rule].quality
    assert quality.named == quality.findings


def test_every_way_of_seeding_a_fault_finds_documents_to_seed_it_in(
    tallies: dict[str, Tally],
) -> None:
    for rule in RULES:
        used = {name for name, _, _ in tallies[rule].by_manner}
        assert used == {one.name for one in manners()[rule]}

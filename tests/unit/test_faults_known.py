# SPDX-License-Identifier: Apache-2.0
"""Every rule of the book has seeded faults, or a reason why it has none."""

from __future__ import annotations

import idp.appliance  # noqa: F401 - enters the rules of all rooms
import training.faults.ways  # noqa: F401 - enters the seeders
from idp.rulebook import entries
from training.faults.book import UNSEEDED, manners


def test_every_rule_is_seeded_or_it_is_said_why_not() -> None:
    seeded = {rule for key in manners() for rule in key.split("/")}
    known = {entry.rule for entry in entries()}
    assert known - seeded - set(UNSEEDED) == set()
    assert set(UNSEEDED) & seeded == set()
    assert set(UNSEEDED) <= known
    assert all(UNSEEDED.values())

# SPDX-License-Identifier: Apache-2.0
"""Findings speak plainly: a remedy is there, ends without a full stop, and says no house words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

import training.faults.ways  # noqa: F401 - enters the seeders
from training.faults.book import manners
from training.faults.measure import seeded
from training.faults.ways import Fields

ROOT = Path(__file__).parents[2]
STIFF = ("has not the shape", "would make everything balance", "paid in all", "in all,")


@pytest.fixture(scope="module")
def fields() -> Fields:
    return Fields()


@pytest.mark.parametrize("rule", sorted(manners()))
def test_a_remedy_says_what_to_do_and_ends_without_a_full_stop(rule: str, fields: Fields) -> None:
    told = [
        finding for faulty in seeded(manners()[rule], 3) for finding in fields(faulty.case).findings
    ]
    if not any(one.listed for one in manners()[rule]):
        assert told
    for finding in told:
        assert finding.remedy or finding.severity == "info", finding
        assert not finding.remedy.endswith((".", " ")), finding
        assert not finding.message.endswith("."), finding
        assert not any(words in finding.message + finding.remedy for words in STIFF), finding


def test_no_remedy_in_the_rules_of_payers_ends_with_a_full_stop() -> None:
    for path in (ROOT / "rules" / "payers").glob("*.yaml"):
        known = yaml.safe_load(path.read_text(encoding="utf-8"))
        for each in known.get("requirements", ()) if isinstance(known, dict) else ():
            assert not each.get("remedy", "").endswith("."), (path.name, each["id"])


def _literals(call: ast.Call) -> list[str]:
    """The ends of the texts that a call gives as a remedy."""
    given = [k.value for k in call.keywords if k.arg == "remedy"]
    return [
        node.value
        for value in given
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_no_remedy_in_the_code_ends_with_a_full_stop() -> None:
    calls = [
        (path.name, text)
        for path in (ROOT / "idp").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for text in _literals(node)
    ]
    assert calls
    assert [each for each in calls if each[1].rstrip().endswith(".")] == []

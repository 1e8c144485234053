# SPDX-License-Identifier: Apache-2.0
"""Categories of reasons and remarks are data: checked strictly, the appliance's own first."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.errors import RulesError
from idp.reductions import MOST_BYTES, load_reductions


def own(folder: Path, name: str, text: str) -> Path:
    (folder / "remittance").mkdir(exist_ok=True)
    (folder / "remittance" / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("code", "category", "denial"),
    [
        ("CO-197", "authorization", True),
        ("CO-16", "information", True),
        ("CO-22", "coordination", True),
        ("CO-29", "timely_filing", True),
        ("CO-45", "contractual", False),
        ("CO-50", "necessity", True),
        ("PR-96", "noncovered", True),
        ("CO-97", "bundled", True),
        ("OA-109", "wrong_payer", True),
        ("PI-204", "noncovered", True),
        ("PR-1", "patient", False),
        ("CO-1", "other", True),
        ("-45", "contractual", False),
        ("CO-9999", "other", True),
    ],
)
def test_each_code_has_its_category(code: str, category: str, denial: bool) -> None:
    found = load_reductions().category(*code.split("-"))
    assert (found.name, found.denial) == (category, denial)
    assert (found.queue is not None) == denial


def test_what_the_appliance_says_of_a_code_comes_first(tmp_path: Path) -> None:
    text = "categories: [{name: ours, title: Ours, denial: true, queue: mine, reasons: ['45']}]"
    changed = load_reductions(own(tmp_path, "denials.yaml", text))
    assert changed.category("CO", "45").name == "ours"
    assert changed.category("CO", "197").name == "authorization"
    assert changed.version != load_reductions().version
    assert load_reductions(tmp_path / "not there") == load_reductions()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("denials.yaml", "categories: [{name: ours, title: Ours, denial: true, color: red}]"),
        ("denials.yaml", "categories: [{name: Our Own, title: Ours, denial: true}]"),
        ("denials.yaml", "categories: {"),
        ("denials.yaml", "- 45"),
        ("denials.yaml", ""),
        ("remarks.yaml", "remarks: [{kind: fee, title: Fee, words: [], where: [payment]}]"),
        ("remarks.yaml", "remarks: [{kind: fee, title: Fee, words: [fee], where: [page]}]"),
        ("remarks.yaml", "remarks: [{kind: f, title: F, words: [f], where: [line], rate: 2}]"),
        ("remarks.yaml", "#" * (MOST_BYTES + 1)),
    ],
)
def test_a_file_that_is_not_well_formed_is_named(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(RulesError, match=name):
        load_reductions(own(tmp_path, name, text))

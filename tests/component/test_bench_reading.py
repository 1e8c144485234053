# SPDX-License-Identifier: Apache-2.0
"""The reading benchmark runs on two real readings and says what it measured."""

from __future__ import annotations

import json

import pytest

from tests.bench.reading.__main__ import main

pytestmark = pytest.mark.component


def test_the_quick_benchmark_runs_on_two_pages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDP_CORPUS", raising=False)
    asked = ["--quick", "--json", "--pages", "2", "--only", "generated", "forms"]
    assert main([*asked, "--variants", "clean", "--kinds", "choices", "form"]) == 0
    result = json.loads(capsys.readouterr().out)
    own = {name: score for name, score in result["generated"].items() if name.startswith("idp")}
    assert sum(score["pages"] for score in own.values()) == 2
    assert own["idp clean form"]["letters"] < 0.02
    assert own["idp clean form"]["words"] > 0.9
    assert own["idp clean choices"]["states"] > 0.9
    assert all(score["cpu_seconds"] > 0 for score in own.values())
    measured = {target["name"]: target["reached"] for target in result["targets"]}
    assert measured["CER clean"] is not None
    assert measured["CER fine_dither"] is None
    assert any("IDP_CORPUS" in line for line in result["not_run"])
    assert result["crashed"] == []

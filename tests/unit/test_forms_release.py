# SPDX-License-Identifier: Apache-2.0
"""What of registered forms would leave: the arithmetic, on copies made up here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idp.document import Grade
from idp.extract import load_trust
from training.confidence import ship_registered, ship_trust
from training.forms.release import Copy, Limits, Value, leaving, table_of
from training.manifest import MODELS, copy_models


def read(sure: float, *, right: bool = True, source: str = "form") -> Value:
    return Value(sure, right, source, Grade.GOOD)


def copy(form: str, *values: Value, missed: int = 0) -> Copy:
    return Copy(form, "original", True, values, missed)


LIMITS = Limits(registered=lambda grade: 0.98, others=lambda grade: None)


def test_a_copy_leaves_when_all_its_values_may_and_what_was_missed_is_wrong() -> None:
    out = leaving(
        [
            copy("a", read(0.99), read(0.985, right=False), missed=1),
            copy("a", read(0.99), read(0.97)),
            copy("b", read(0.99), read(0.99, source="crf")),
            copy("c"),
        ],
        LIMITS,
    )
    assert (out.documents, out.of, out.forms) == (1, 4, 1)
    assert (out.values, out.wrong, out.missed) == (3, 1, 1)
    assert out.upper is not None
    assert out.upper > 2 / 3
    assert leaving([copy("c")], LIMITS).upper is None


def test_the_table_is_of_registered_places_alone() -> None:
    copies = [
        copy(
            f"form {n}", read(0.99), read(0.99, right=n > 0), read(0.99, source="crf", right=False)
        )
        for n in range(40)
    ]
    table = table_of(copies)
    step = next(s for s in table.steps[Grade.GOOD] if s.threshold == 0.985)
    assert (step.values, step.wrong, table.layouts) == (80, 1, 40)
    assert 1 / 80 < step.upper < 0.1


def test_the_table_stays_when_the_models_are_measured_anew(tmp_path: Path) -> None:
    copy_models(MODELS, tmp_path)
    before = load_trust(tmp_path)
    assert before is not None
    assert before.calibration is not None
    table = table_of([copy(f"form {n}", read(0.99)) for n in range(12)])
    ship_registered(tmp_path, table)
    kept = load_trust(tmp_path)
    assert kept is not None
    assert kept.weights == before.weights
    assert kept.calibration == before.calibration.model_copy(update={"registered": table})
    weights = json.loads(next(tmp_path.glob("field_trust-*.json")).read_text())["weights"]
    ship_trust(tmp_path, weights, {}, before.calibration.model_copy(update={"registered": None}))
    again = load_trust(tmp_path)
    assert again is not None
    assert again.calibration is not None
    assert again.calibration.registered == table


def test_a_folder_without_a_fitted_trust_gets_no_table(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="fit one first"):
        ship_registered(tmp_path, table_of([copy("a", read(0.99))]))

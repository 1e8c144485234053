# SPDX-License-Identifier: Apache-2.0
"""Confidence of values: what it is fitted from, and what a threshold lets through."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from idp.document import Box, DocumentType, Field
from idp.errors import ModelError
from idp.extract import Extractor
from idp.extract.ports import Candidate
from idp.extract.trust import FEATURES, MODEL_NAME, FieldTrust, features, load_trust
from idp.extract.weights import load_entry
from idp.schemas import load_lexicon, load_schemas
from tests.unit.pages import page
from training.confidence import (
    DocumentOf,
    Judged,
    Rated,
    bound,
    calibration_error,
    fit,
    rated,
    released,
    ship_trust,
    threshold_for,
    turns,
)

SCHEMA = load_schemas()[DocumentType.REFERRAL]
PLACE = Box(0.1, 0.1, 0.3, 0.12)
SHEET = page("Name: Odalys Brennerman")


def candidate(source: str, value: str, confidence: float = 0.9) -> Candidate:
    return Candidate(
        "patient_name", value, value, True, confidence, 1, PLACE, (1, 2), source, "Name"
    )


def field(source: str = "structure", value: str = "Odalys Brennerman") -> Field:
    return Field(
        name="patient_name", value=value, raw=value, confidence=0.9, page=1, box=PLACE,
        word_ids=(1, 2), source=source,
    )  # fmt: skip


def seen(candidates: list[Candidate]) -> dict[str, float]:
    return dict(zip(FEATURES, features(field(), candidates, SHEET, SCHEMA), strict=True))


def test_another_source_that_says_the_same_is_an_agreement() -> None:
    found = seen(
        [candidate("structure", "Odalys Brennerman"), candidate("crf", "Brennerman, Odalys")]
    )
    assert (found["agreeing"], found["contradicted"]) == (1.0, 0.0)


def test_another_source_that_says_otherwise_is_a_contradiction() -> None:
    found = seen(
        [candidate("structure", "Odalys Brennerman"), candidate("crf", "Piet Hollander", 0.7)]
    )
    assert (found["agreeing"], found["contradicted"]) == (0.0, 0.7)


def test_a_tagger_of_two_networks_is_both() -> None:
    both = candidate("crf+layoutlm", "Odalys Brennerman")
    values = features(field("crf+layoutlm"), [both], SHEET, SCHEMA)
    found = dict(zip(FEATURES, values, strict=True))
    assert (found["from_crf"], found["from_layoutlm"], found["from_structure"]) == (1.0, 1.0, 0.0)


def test_the_worst_word_of_a_value_is_remembered() -> None:
    words = list(SHEET.words)
    words[2] = words[2].model_copy(update={"confidence": 0.4})
    blurred = SHEET.model_copy(update={"words": tuple(words)})
    values = features(field(), [candidate("structure", "Odalys Brennerman")], blurred, SCHEMA)
    assert dict(zip(FEATURES, values, strict=True))["read_worst"] < 0


def manifest(folder: Path, entry: dict[str, object] | None = None) -> None:
    text = json.dumps({"schema": "idp.models/1", "models": {MODEL_NAME: entry} if entry else {}})
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def test_a_manifest_that_names_no_weights_gives_no_trust(tmp_path: Path) -> None:
    manifest(tmp_path)
    assert load_trust(tmp_path) is None


def test_what_was_shipped_is_what_is_loaded(tmp_path: Path) -> None:
    manifest(tmp_path)
    ship_trust(tmp_path, dict.fromkeys(FEATURES, 0.0), {})
    ship_trust(tmp_path, dict.fromkeys(FEATURES, 0.25), {})
    trust = load_trust(tmp_path)
    assert trust is not None
    assert set(trust.weights) == {0.25}
    assert len(list(tmp_path.glob("field_trust-*"))) == 1


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    manifest(tmp_path)
    ship_trust(tmp_path, dict.fromkeys(FEATURES, 0.25), {})
    (file,) = tmp_path.glob("field_trust-*")
    file.write_text(file.read_text().replace("0.25", "0.35"))
    with pytest.raises(ModelError, match="not the file of the manifest"):
        load_trust(tmp_path)


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    manifest(tmp_path)
    ship_trust(tmp_path, {"constant": 1.0}, {})
    with pytest.raises(ModelError, match="fit them again"):
        load_trust(tmp_path)


def test_the_shipped_weights_believe_agreement_more_than_contradiction() -> None:
    trust = load_trust(Path(__file__).parents[2] / "models")
    assert trust is not None
    same = [candidate("structure", "Odalys Brennerman"), candidate("crf", "Odalys Brennerman")]
    other = [candidate("structure", "Odalys Brennerman"), candidate("crf", "Piet Hollander")]
    sure, unsure = (trust.probability(features(field(), c, SHEET, SCHEMA)) for c in (same, other))
    assert sure > unsure + 0.05


def test_the_fitted_confidence_is_what_a_field_carries(tmp_path: Path) -> None:
    models = Path(__file__).parents[2] / "models"
    extractor = Extractor(models, load_schemas(), load_lexicon())
    sheet = page("PATIENT INFORMATION\nName: Odalys Brennerman    DOB: 07/02/1961")
    plain = extractor.propose([sheet], DocumentType.REFERRAL).fields
    fitted = extractor.extract([sheet], DocumentType.REFERRAL).fields
    assert [f.value for f in plain] == [f.value for f in fitted]
    assert [f.confidence for f in plain] != [f.confidence for f in fitted]
    assert extractor.versions["trust"] == load_entry(models, MODEL_NAME).version


def invented(layouts: int, *, seed: int = 0) -> list[DocumentOf]:
    """Documents whose values are right as often as one of their features says."""
    rng = random.Random(seed)
    made = []
    for layout in range(layouts):
        values = []
        for _ in range(12):
            odds = rng.uniform(-2, 5)
            row = [0.0] * len(FEATURES)
            row[0], row[1] = 1.0, odds
            values.append(Judged(tuple(row), rng.random() < 1 / (1 + 2.718281828**-odds), "x"))
        made.append(DocumentOf(f"layout-{layout}", "referral", tuple(values), 0))
    return made


def test_the_fit_finds_how_often_values_are_right() -> None:
    weights = fit(invented(400))
    assert calibration_error(rated(invented(200, seed=1), weights)) < 0.02


def one(sure: float, *, right: bool = True, missed: int = 0, layout: str = "a") -> Rated:
    value = Judged((0.0,) * len(FEATURES), right, "x")
    return Rated(DocumentOf(layout, "referral", (value,), missed), (sure,))


def test_a_document_leaves_only_when_its_least_sure_value_reaches_the_threshold() -> None:
    both = Rated(one(0.99).document._replace(values=one(0.99).document.values * 2), (0.99, 0.5))
    assert released([one(0.99), both], 0.9).documents == 1


def test_what_was_missed_on_a_released_document_is_an_error() -> None:
    assert released([one(0.99, missed=2)], 0.9).error == pytest.approx(2 / 3)


def test_no_error_seen_on_few_values_proves_little() -> None:
    upper = bound([one(0.99, layout=str(i)) for i in range(10)], 0.9)
    assert upper == pytest.approx(0.1)


def test_where_no_threshold_keeps_the_target_nothing_may_leave() -> None:
    documents = [one(0.99, right=i % 3 > 0, layout=str(i)) for i in range(60)]
    assert threshold_for(documents, 0.005) is None


def test_errors_of_one_layout_widen_the_bound() -> None:
    spread = [one(0.99, right=i % 20 > 0, layout=str(i)) for i in range(200)]
    heaped = [one(0.99, right=i % 20 > 0, layout=str(i % 20)) for i in range(200)]
    few, many = bound(spread, 0.9), bound(heaped, 0.9)
    assert few is not None
    assert many is not None
    assert many > few


def test_no_layout_is_judged_by_weights_that_saw_it() -> None:
    documents = invented(50)
    judged = [d.document.layout for turn in turns(documents, 0.01) for d in turn.judged]
    assert sorted(judged) == sorted(d.layout for d in documents)


def test_a_trust_of_zeros_knows_nothing() -> None:
    assert FieldTrust((0.0,) * len(FEATURES), "0").probability([1.0] * len(FEATURES)) == 0.5

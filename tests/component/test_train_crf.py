# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from idp.document import DocumentType
from idp.extract.crf import MODEL_NAME, CrfSource, load_entry
from idp.extract.ports import Structure
from idp.schemas import load_schemas
from training.manifest import MODELS, write_atomically
from training.synthesise import make_one
from training.train_crf import Sample, runs, train

pytestmark = pytest.mark.component
SMALL = Sample("train", 10, 2, 3)


def test_what_is_trained_can_be_used_and_says_what_it_is(tmp_path: Path) -> None:
    entry = train(tmp_path, SMALL, iterations=8)
    assert load_entry(tmp_path).sha256 == entry["sha256"]
    assert entry["licence"] == "Apache-2.0"
    assert "synthetic" in entry["metrics"]["measured_on"]
    assert 0 <= entry["metrics"]["held_out_families"]["f1"] <= 1
    schema = load_schemas()[DocumentType.PRIOR_AUTH_REQUEST]
    pages = [p.page for p in make_one("prior_auth_request", "train", 1, 50).pages]
    assert CrfSource(tmp_path, load_schemas()).candidates(pages, schema, Structure((), ()))


def test_the_same_seed_trains_on_the_same_pages(tmp_path: Path) -> None:
    one = train(tmp_path / "one", SMALL, iterations=2)
    two = train(tmp_path / "two", SMALL, iterations=2)
    assert one["data"] == two["data"]
    assert one["code"] == two["code"]
    assert one["sha256"] == two["sha256"]


def test_a_second_model_keeps_the_entries_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"models": {"other": {"file": "x"}}}')
    train(tmp_path, SMALL, iterations=2)
    assert '"other"' in (tmp_path / "manifest.json").read_text()
    assert MODEL_NAME in (tmp_path / "manifest.json").read_text()


def test_a_new_model_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    train(tmp_path, SMALL, iterations=2)
    entry = train(tmp_path, SMALL, iterations=3)
    assert [p.name for p in tmp_path.glob("*.crfsuite")] == [entry["file"]]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["weights"]


def test_runs_are_the_values_of_a_tag_sequence() -> None:
    tags = ["LABEL", "NAME", "NAME", "O", "NPI", "PHONE", "PHONE"]
    assert runs(tags) == {("NAME", 1, 2), ("NPI", 4, 4), ("PHONE", 5, 6)}


def test_the_shipped_model_knows_the_values_of_families_it_was_trained_on() -> None:
    source = CrfSource(MODELS, load_schemas())
    schema = load_schemas()[DocumentType.PRIOR_AUTH_REQUEST]
    right = total = 0
    for index in range(12):
        made = make_one("prior_auth_request", "train", index, 4321)
        wanted = made.truth["fields"].get("member_id", {}).get("value")
        if not wanted:
            continue
        total += 1
        pages = [p.page for p in made.pages]
        found = source.candidates(pages, schema, Structure((), ()))
        right += wanted.replace("-", "").replace(" ", "") in {
            c.value.replace("-", "").replace(" ", "") for c in found if c.field == "member_id"
        }
    assert total >= 6
    assert right / total >= 0.6  # misread digits are the page's noise, not the tagger's

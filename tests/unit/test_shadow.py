# SPDX-License-Identifier: Apache-2.0
"""A challenger beside the champion: who sees what, where they agree, what the card says."""

from __future__ import annotations

import hashlib

import pytest
from pydantic import ValidationError

from idp.document import Box, Field
from idp.learning import ModelRecord, Tally, compare, is_drawn, model_card
from idp.learning.gate import Counts, evaluate
from idp.signals import Agreement, Correction
from tests.unit.test_gate import document

HASHES = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(4000)]


def field(name: str, value: str) -> Field:
    box = Box(0.1, 0.1, 0.2, 0.12)
    return Field(name=name, value=value, raw=value, confidence=0.9, page=1, box=box, source="crf")


def test_the_share_of_documents_is_kept_and_the_same_ones_are_drawn() -> None:
    drawn = [h for h in HASHES if is_drawn(h, 0.2)]
    assert 0.17 < len(drawn) / len(HASHES) < 0.23
    assert drawn == [h for h in HASHES if is_drawn(h, 0.2)]
    assert set(drawn) < {h for h in HASHES if is_drawn(h, 0.5)}, "a larger share adds to it"
    assert not any(is_drawn(h, 0.0) for h in HASHES)
    assert all(is_drawn(h, 1.0) for h in HASHES)


def test_fields_agree_when_all_their_values_do() -> None:
    one = [field("npi", "1"), field("codes", "a"), field("codes", "b"), field("name", "x")]
    two = [field("codes", "b"), field("codes", "a"), field("name", "y"), field("dob", "z")]
    assert compare(one, two) == {
        "codes": Agreement.SAME,
        "dob": Agreement.CHALLENGER_ONLY,
        "name": Agreement.DIFFERENT,
        "npi": Agreement.CHAMPION_ONLY,
    }
    assert compare([], []) == {}


def test_who_was_right_is_told_where_a_person_has_looked() -> None:
    tally = Tally("fields-1")
    one, two = [field("npi", "1"), field("name", "x")], [field("npi", "2")]
    tally.add({n: a.value for n, a in compare(one, two).items()}, None)
    tally.add({}, "ModelError")
    said = [
        Correction(name="npi", before="1", after="2"),
        Correction(name="name", before="x", answer="not_on_form"),
        Correction(name="dob", answer="illegible"),
    ]
    tally.judge(said, one, two)
    report = tally.report()
    assert (report.documents, report.failed, report.agreement) == (2, 1, 0)
    npi, name = report.fields["npi"], report.fields["name"]
    assert (npi.judged, npi.champion_right, npi.challenger_right) == (1, 0, 1)
    assert (name.judged, name.champion_right, name.challenger_right) == (1, 0, 1)
    assert "dob" not in report.fields


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"before": "1", "after": "1"}, "confirmed"),
        ({"before": "1", "after": "2"}, "changed"),
        ({"after": "2"}, "added"),
        ({"before": "1", "answer": "not_on_form"}, "removed"),
        ({"answer": "not_on_form"}, "confirmed_absent"),
        ({"before": "1", "answer": "illegible"}, "illegible"),
    ],
)
def test_a_correction_says_in_one_word_what_it_was(said: dict[str, str], outcome: str) -> None:
    assert Correction(name="npi", **said).outcome == outcome


@pytest.mark.parametrize(
    "said",
    [{}, {"after": "1", "answer": "illegible"}, {"after": "1", "page": 1}, {"after": "1", "x": 1}],
)
def test_half_a_correction_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Correction(name="npi", **said)


MANIFEST = {
    "field_crf": {
        "file": "field_crf.crfsuite",
        "version": "field_crf-1",
        "data": {"kind": "synthetic", "documents": 3, "families_per_type": 2, "sha256": "0"},
        "metrics": {"measured_on": "synthetic pages", "held_out_families": {"f1": 0.5}},
    },
    "unlabelled": {"metrics": {"f1": 0.99}},
}


def record() -> ModelRecord:
    return ModelRecord(
        version="fields-1",
        sha256="0" * 64,
        files={},
        models={"field_crf": "field_crf-1"},
        registered_at="2026-03-01T00:00:00+00:00",
        registered_by="test",
        manifest=MANIFEST,
    )


def evaluation(kind: str):
    counts = Counts(right=1)
    return evaluate(
        [document(n, counts, counts) for n in range(3)],
        challenger="fields-1",
        champion="fields-0",
        set_name="locked",
        set_sha256="0" * 64,
        kind=kind,
        at="2026-03-01T00:00:00+00:00",
        draws=200,
    )


def test_every_figure_of_a_card_says_what_it_was_measured_on() -> None:
    card = model_card(record(), [evaluation("real")])
    rows = [r for r in card.split("## Figures from training")[1].splitlines() if "| 0." in r]
    rows += [r for r in card.splitlines() if r.startswith(("| field_crf", "| unlabelled"))]
    assert rows
    assert all("**synthetic**" in row for row in rows), "what does not say so is not called real"
    assert "### locked: **real**, 3 documents" in card
    assert "| real | documents |" in card


def test_a_card_says_what_nobody_measured() -> None:
    assert "**Real documents of any kind.**" in model_card(record(), [evaluation("synthetic")])
    gaps = model_card(record(), [evaluation("real")]).split("## Not measured on")[1]
    assert "Real documents of any kind" not in gaps
    assert "Real documents of type remittance_eob." in gaps
    assert "Real documents of type referral." not in gaps
    assert "Handwriting" in gaps

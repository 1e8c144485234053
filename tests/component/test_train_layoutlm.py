# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers", reason="make install-train")
torch = pytest.importorskip("torch", reason="make install-train")

from idp.extract.features import PageView  # noqa: E402
from idp.extract.layoutlm import MODEL_NAME, LayoutLmSource  # noqa: E402
from idp.extract.layoutlm_inputs import PageEncoder, hint_names, pattern_names  # noqa: E402
from idp.schemas import load_schemas  # noqa: E402
from training.labelled import write_labelled  # noqa: E402
from training.layoutlm.ship import ship  # noqa: E402
from training.layoutlm.train import (  # noqa: E402
    Options,
    Run,
    averaged,
    label_table,
    resumed,
    started,
    tags,
    train,
)
from training.layoutlm.tune import Lesson, Tuning, begun, gone_on, key_of, tune  # noqa: E402
from training.layoutlm.weights import shipped  # noqa: E402
from training.manifest import MODELS  # noqa: E402
from training.synthesise import make_one  # noqa: E402

pytestmark = [pytest.mark.component, pytest.mark.slow]


def test_a_run_goes_on_where_it_stood_and_what_ships_answers_as_the_network_does(
    tmp_path: Path,
) -> None:
    torch.set_num_threads(1)
    table, state = label_table(), tmp_path / "state.pt"
    lines: list[str] = []
    run = started(Options(layers=1, families=20, tokens=600), table, "cpu")
    for budget in (6.0, 12.0):
        train(
            run,
            state,
            table,
            (),
            budget=budget,
            save_seconds=2,
            judge_seconds=999,
            say=lines.append,
        )
        steps, pages = run.step, run.pages
        run = resumed(state, "cpu")
        assert (run.step, run.pages) == (steps, pages)
        assert run.seconds >= budget
    assert steps > 2
    ship(state, tmp_path, lines.append, documents=5)
    entry = json.loads((tmp_path / "manifest.json").read_text())["models"][MODEL_NAME]
    assert entry["bytes"] <= 20_000_000
    assert entry["data"]["pages"] == pages
    source = LayoutLmSource(tmp_path, load_schemas())
    encoder = PageEncoder(run.vocabulary, pattern_names(), hint_names())
    view = PageView(make_one("referral", "train", 1, 1).pages[0].page)
    wanted = tags(averaged(run), encoder, view, table)
    found, _ = source.tag(view)
    same = np.mean([found[i] == tag for i, tag in zip(view.order, wanted, strict=True)])
    assert same > 0.9


def test_fine_tuning_that_was_killed_comes_to_the_same_weights(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    table = label_table()
    files = []
    for seed in (1, 2):
        files.append(tmp_path / f"corrected-{seed}.json")
        write_labelled(files[-1], make_one("referral", "heldout", 3, seed).pages)
    lesson, tuning = Lesson(tuple(files), documents=64, repeat=4), Tuning(families=20)
    key = key_of(MODELS, lesson, tuning)

    def learnt(state: Path, *, cut_off: bool) -> dict[str, Any]:
        run = begun(MODELS, lesson, tuning, "cpu")
        if cut_off:
            looks = iter((False, True))
            assert not tune(run, lesson, table, state=state, key=key, stop=lambda: next(looks))
            gone = gone_on(state, key, "cpu")
            assert gone is not None
            assert 0 < gone.document < lesson.documents
            run = gone
        assert tune(run, lesson, table, state=state, key=key)
        return run.average

    one = learnt(tmp_path / "one.pt", cut_off=False)
    two = learnt(tmp_path / "two.pt", cut_off=True)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert gone_on(tmp_path / "one.pt", "of something else", "cpu") is None
    begin = shipped(MODELS).weights
    assert any(not torch.equal(begin[name], one[name]) for name in begin)


def test_the_weights_that_ship_come_back_as_the_network_that_was_exported() -> None:
    """Of int8: what the network in memory answers is what the appliance answers."""
    source = shipped(MODELS)
    run = Run(Options(layers=source.layers), source.vocabulary, "cpu")
    missing, unknown = run.model.load_state_dict(source.weights, strict=False)
    assert not unknown
    assert all("pooler" in name for name in missing)
    run.model.eval()
    encoder = PageEncoder(run.vocabulary, pattern_names(), hint_names())
    view = PageView(make_one("referral", "train", 1, 1).pages[0].page)
    wanted = tags(run.model, encoder, view, label_table())
    found, _ = LayoutLmSource(MODELS, load_schemas()).tag(view)
    assert np.mean([found[i] == tag for i, tag in zip(view.order, wanted, strict=True)]) > 0.95

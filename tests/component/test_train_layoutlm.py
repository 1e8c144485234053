# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers", reason="make install-train")
torch = pytest.importorskip("torch", reason="make install-train")

from idp.extract.features import PageView  # noqa: E402
from idp.extract.layoutlm import MODEL_NAME, LayoutLmSource  # noqa: E402
from idp.extract.layoutlm_inputs import PageEncoder, hint_names, pattern_names  # noqa: E402
from idp.schemas import load_schemas  # noqa: E402
from training.layoutlm.ship import ship  # noqa: E402
from training.layoutlm.train import (  # noqa: E402
    Options,
    averaged,
    label_table,
    resumed,
    started,
    tags,
    train,
)
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

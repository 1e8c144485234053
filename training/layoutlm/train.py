# SPDX-License-Identifier: Apache-2.0
"""The training run: one script for CPU and CUDA, resumable at every saved state.

The learning rate rises, stays, and falls over the last quarter of the budget; what is kept beside
the weights is their running average, which is what ships.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from idp.extract.crf_roles import label_roles
from idp.extract.features import LabelTable, PageView
from idp.extract.layoutlm_inputs import (
    INPUTS_VERSION,
    PageEncoder,
    hint_names,
    owners,
    pattern_names,
)
from idp.schemas import load_schemas
from training.layoutlm.batches import batches, collate
from training.layoutlm.data import IGNORED, LABELS, Example, Stream, labelled_at
from training.layoutlm.model import Tagger, groups, with_minilm
from training.layoutlm.vocabulary import full_vocabulary, minilm_folder, pieces_seen, pruned
from training.train_crf import Sample, pages_of, score, tags_of

HELD_OUT = Sample("heldout", 200, 40, 5)
"""The families that judge the CRF, too."""
_WARM_UP = 150
_FALL = 0.25
"""The share of the budget over which the rate falls."""
_AVERAGE = 0.999
_DOCUMENTS_FOR_VOCABULARY = 1500


@dataclass(frozen=True)
class Options:
    """How to train; all of it is kept in the saved state."""

    layers: int = 4
    families: int = 3000
    seed: int = 1
    rate: float = 4e-4
    fresh_rate: float = 1.5e-3
    tokens: int = 800
    forms_share: float = 0.0


class Run:
    """A training run in memory: network, average, optimiser, and how far it has come."""

    def __init__(self, options: Options, vocabulary: list[str], device: str) -> None:
        self.options, self.vocabulary, self.device = options, vocabulary, device
        torch.manual_seed(options.seed)
        self.model = Tagger(
            pieces=len(vocabulary),
            patterns=len(pattern_names()),
            hints=len(hint_names()),
            labels=len(LABELS),
            layers=options.layers,
        )
        self.average: dict[str, torch.Tensor] = {}
        self.document = self.step = self.pages = 0
        self.seconds = 0.0
        self.optimiser: torch.optim.Optimizer | None = None

    def begin(self) -> None:
        """Moves to the device and makes the optimiser; after the weights are there."""
        self.model.to(self.device)
        own = self.options
        self.optimiser = torch.optim.AdamW(
            groups(self.model, own.rate, own.fresh_rate), lr=own.rate, betas=(0.9, 0.98), fused=True
        )
        if not self.average:
            self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, or to ship."""
        assert self.optimiser is not None
        return {
            "options": asdict(self.options),
            "inputs": INPUTS_VERSION,
            "vocabulary": self.vocabulary,
            "patterns": pattern_names(),
            "hints": hint_names(),
            "labels": LABELS,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "document": self.document,
            "step": self.step,
            "pages": self.pages,
            "seconds": self.seconds,
        }


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes beside the target and renames: a killed run leaves the state before."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def resumed(path: Path, device: str) -> Run:
    """The run of a saved state; raises :class:`SystemExit` for one of other inputs."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    now = {"inputs": INPUTS_VERSION, "patterns": pattern_names(), "hints": hint_names()}
    now["labels"] = LABELS
    if any(_same(state[key]) != _same(value) for key, value in now.items()):
        raise SystemExit(f"{path.name} was trained on other inputs or labels: begin anew")
    run = Run(Options(**state["options"]), list(state["vocabulary"]), device)
    run.model.load_state_dict(state["model"])
    run.begin()
    assert run.optimiser is not None
    run.optimiser.load_state_dict(state["optimiser"])
    run.average = {k: v.to(device) for k, v in state["average"].items()}
    run.document, run.step = state["document"], state["step"]
    run.pages, run.seconds = state["pages"], state["seconds"]
    return run


def _same(value: object) -> object:
    return list(value) if isinstance(value, (list, tuple)) else value


def started(options: Options, table: LabelTable, device: str) -> Run:
    """A new run: vocabulary of the pages and labels, MiniLM's weights."""
    folder = minilm_folder()
    everything = full_vocabulary(folder)
    stream = Stream("train", options.families, options.seed)
    texts = [
        word.text
        for number in range(_DOCUMENTS_FOR_VOCABULARY)
        for labelled in labelled_at(stream, number)
        for word in labelled.page.words
    ]
    rows = pruned(everything, pieces_seen([*table.phrases, *texts], everything))
    run = Run(options, [everything[row] for row in rows], device)
    with_minilm(run.model, folder, rows)
    run.begin()
    return run


def autocast(device: str) -> Callable[[], AbstractContextManager[Any]]:
    """bf16 where the processor has it: elsewhere it is slower than fp32."""
    if device.startswith("cuda"):
        able = torch.cuda.is_bf16_supported()
    else:
        flags = Path("/proc/cpuinfo")
        able = flags.exists() and "avx512_bf16" in flags.read_text(encoding="utf-8")
    if not able:
        return nullcontext
    return lambda: torch.autocast(device.partition(":")[0], dtype=torch.bfloat16)


def _share_of_rate(run: Run, budget: float) -> float:
    left = 1 - run.seconds / budget
    return min(1.0, (run.step + 1) / _WARM_UP) * min(1.0, max(0.03, left / _FALL))


def train(
    run: Run,
    out: Path,
    table: LabelTable,
    forms: tuple[Path, ...],
    *,
    budget: float,
    save_seconds: float,
    judge_seconds: float,
    say: Callable[[str], None],
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Trains until ``budget`` CPU seconds (wall seconds on a GPU) are spent in all; saves.

    Args:
        run: New or resumed.
        out: Where states are saved.
        table: What labels may introduce.
        forms: Files of labelled pages of real forms, mixed in by ``options.forms_share``.
        budget: Seconds over all resumptions together.
        save_seconds: Wall time between two saved states.
        judge_seconds: Wall time between two looks at held-out families.
        say: Progress, a line at a time.
        stop: Asked between two steps whether to save and return now.
    """
    own = run.options
    stream = Stream("train", own.families, own.seed, forms, own.forms_share)
    encoder = PageEncoder(run.vocabulary, pattern_names(), hint_names())
    clock = time.perf_counter if run.device.startswith("cuda") else time.process_time
    cast = autocast(run.device)
    began, before = clock(), run.seconds
    saved = judged = reported = time.monotonic()
    mean_loss = math.nan
    for document, batch in batches(stream, run.document, encoder, table, own.tokens):
        run.seconds = before + clock() - began
        now = time.monotonic()
        if run.seconds >= budget or stop():
            break
        loss = step(run, batch.inputs, batch.goals, _share_of_rate(run, budget), cast)
        run.document, run.step, run.pages = document, run.step + 1, run.pages + len(batch.goals)
        mean_loss = loss if math.isnan(mean_loss) else 0.98 * mean_loss + 0.02 * loss
        if now - reported > 30:
            say(f"step {run.step} pages {run.pages} seconds {run.seconds:.0f} loss {mean_loss:.4f}")
            reported = now
        if now - saved > save_seconds:
            save(out, run.state())
            saved = time.monotonic()
        if now - judged > judge_seconds:
            paused = clock()
            figures = measure(averaged(run), encoder, table, HELD_OUT._replace(documents=60))
            began += clock() - paused
            say(f"judged after {run.pages} pages: {json.dumps(figures)}")
            judged = time.monotonic()
    save(out, run.state())


def step(
    run: Run,
    inputs: tuple[torch.Tensor, ...],
    goals: torch.Tensor,
    share: float,
    cast: Callable[[], AbstractContextManager[Any]],
) -> float:
    """One step of the optimiser and of the average; gives the loss."""
    assert run.optimiser is not None
    run.model.train()
    for group in run.optimiser.param_groups:
        group["lr"] = group["peak"] * share
    with cast():
        logits = run.model(*(x.to(run.device) for x in inputs))
    loss = functional.cross_entropy(
        logits.float().flatten(0, 1), goals.to(run.device).flatten(), ignore_index=IGNORED
    )
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    run.optimiser.step()
    run.optimiser.zero_grad(set_to_none=True)
    keep = min(_AVERAGE, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for name, value in run.model.state_dict().items():
            run.average[name].lerp_(value, 1 - keep)
    return float(loss.item())


def averaged(run: Run) -> Tagger:
    """A copy of the network with the averaged weights, ready to judge or to export."""
    copy: Tagger = Run(run.options, run.vocabulary, "cpu").model
    copy.load_state_dict(run.average)
    copy.eval()
    return copy


@torch.no_grad()  # type: ignore[untyped-decorator]
def tags(model: Tagger, encoder: PageEncoder, view: PageView, table: LabelTable) -> list[str]:
    """The label of each token of a page by the network in memory, in the order of the view."""
    page = encoder.encode(view, table)
    windows = list(encoder.windows(page))
    judge = owners([range(w.first, w.end) for w in windows], len(page))
    found = [""] * len(page)
    for number, window in enumerate(windows):
        blank = torch.zeros(len(window.patterns), dtype=torch.long).numpy()
        batch = collate([Example(window, blank)], encoder.words.pad)
        best = model(*batch.inputs)[0].argmax(-1).tolist()
        for place in range(window.first, window.end):
            if judge[place] == number:
                found[place] = LABELS[best[place - window.first + 1]]
    return found


def measure(
    model: Tagger, encoder: PageEncoder, table: LabelTable, chosen: Sample
) -> dict[str, float]:
    """Exact-span figures of the network in memory, as ``train_crf.measure`` takes them."""

    def pairs() -> Iterator[tuple[list[str], list[str]]]:
        for labelled in pages_of(chosen):
            view = PageView(labelled.page)
            yield tags_of(view, labelled), tags(model, encoder, view, table)

    return score(pairs(), chosen)


def label_table() -> LabelTable:
    """What the schemas' labels may introduce, as in the appliance."""
    return LabelTable(label_roles(load_schemas()))

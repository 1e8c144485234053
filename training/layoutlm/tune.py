# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning: the LayoutLM tagger of a models folder learns further from corrected pages.

It begins with the weights in the folder (:mod:`training.layoutlm.weights`), so it takes minutes
where training takes hours. The pages are shown among synthetic ones, or the tagger would forget
what they do not hold. How much is shown is counted in documents and not in seconds: the same call
gives the same weights on one CPU thread, also when it was killed and given again in between.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from idp.extract.features import LabelTable
from idp.extract.layoutlm_inputs import PageEncoder, hint_names, pattern_names
from idp.learning import hash_of, sha256_of
from training.layoutlm.batches import batches
from training.layoutlm.data import Stream
from training.layoutlm.train import Options, Run, autocast, resumed, save, step
from training.layoutlm.weights import shipped

_WARM_UP = 40
_SAVE_SECONDS = 60.0
_MOST_SHARE = 0.4
"""Of the stream: more of the same few pages would be learnt by heart."""


class Lesson(NamedTuple):
    """What is learnt from: files of labelled pages, among so many documents in all."""

    files: tuple[Path, ...]
    documents: int
    repeat: int

    @property
    def share(self) -> float:
        """Of the stream: each file about ``repeat`` times, as far as that leaves room."""
        return min(_MOST_SHARE, self.repeat * len(self.files) / self.documents)


@dataclass(frozen=True)
class Tuning:
    """How to fine-tune; the rates are a fourth of training's, for the weights are good already."""

    seed: int = 1
    families: int = 3000
    rate: float = 1e-4
    fresh_rate: float = 3e-4
    tokens: int = 800


def key_of(models: Path, lesson: Lesson, tuning: Tuning) -> str:
    """One hash for everything that a run comes from: a saved state of another is not gone on with.

    Raises:
        ModelError: The folder names no LayoutLM tagger.
    """
    files = hash_of([(path.name, sha256_of(path)) for path in lesson.files])
    told = [shipped(models).version, files, lesson.documents, lesson.repeat, repr(tuning)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def begun(models: Path, lesson: Lesson, tuning: Tuning, device: str) -> Run:
    """A new run with the folder's weights.

    Raises:
        ModelError: The folder names no LayoutLM tagger, or it is damaged.
        ValueError: It was trained on other inputs than there are now.
    """
    source = shipped(models)
    options = Options(
        layers=source.layers,
        families=tuning.families,
        seed=tuning.seed,
        rate=tuning.rate,
        fresh_rate=tuning.fresh_rate,
        tokens=tuning.tokens,
        forms_share=lesson.share,
    )
    run = Run(options, source.vocabulary, device)
    missing, _ = run.model.load_state_dict(source.weights, strict=False)
    if any("pooler" not in name for name in missing):  # the pooler takes no part
        raise ValueError(f"{source.version} is no network of ours: train one from scratch")
    run.begin()
    return run


def gone_on(state: Path, key: str, device: str) -> Run | None:
    """The run that was killed, if it came from the same; else none."""
    if not state.is_file():
        return None
    found = torch.load(state, map_location="cpu", weights_only=True)
    return resumed(state, device) if found.get("tuning") == key else None


def tune(
    run: Run,
    lesson: Lesson,
    table: LabelTable,
    *,
    state: Path,
    key: str,
    tell: Callable[[int], None] = lambda done: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Show the run the lesson's documents; whether it came to the end.

    A state is saved where a chunk of documents ends, so that what follows does not depend on
    where it was cut off.

    Args:
        run: New, or gone on with.
        lesson: What it learns from.
        table: What labels may introduce.
        state: Where states are saved.
        key: Of :func:`key_of`.
        tell: Told after each chunk how many documents were shown.
        stop: Asked after each chunk whether to save and return now.
    """
    own = run.options
    stream = Stream("train", own.families, own.seed, lesson.files, own.forms_share)
    encoder = PageEncoder(run.vocabulary, pattern_names(), hint_names())
    cast = autocast(run.device)
    chunk = run.document
    saved = time.monotonic()
    began, before = time.process_time(), run.seconds
    for document, batch in batches(stream, run.document, encoder, table, own.tokens):
        if document != chunk:
            run.document = chunk
            run.seconds = before + time.process_time() - began
            tell(run.document)
            if run.document >= lesson.documents or stop():
                break
            if time.monotonic() - saved > _SAVE_SECONDS:
                save(state, {**run.state(), "tuning": key})
                saved = time.monotonic()
            chunk = document
        # Dropout of a step follows from its number, not from what came before it in this process.
        torch.manual_seed(own.seed * 1_000_003 + run.step)
        share = _share_of_rate(run, lesson.documents)
        step(run, batch.inputs, batch.goals, share, cast)
        run.step, run.pages = run.step + 1, run.pages + len(batch.goals)
    save(state, {**run.state(), "tuning": key})
    return run.document >= lesson.documents


def _share_of_rate(run: Run, documents: int) -> float:
    left = 1 - run.document / documents
    return min(1.0, (run.step + 1) / _WARM_UP) * max(0.05, left)


def told(lesson: Lesson, tuning: Tuning, parent: str, more: dict[str, Any]) -> dict[str, Any]:
    """What the manifest says of where the weights come from."""
    return {
        "initial_weights": parent,
        "trained_by": "python -m training.layoutlm tune",
        "data": {
            "kind": f"synthetic and {'corrected' if 'corrected' in more else 'labelled pages'}",
            "documents": lesson.documents,
            "families_per_type": tuning.families,
            "seed": tuning.seed,
            "labelled_files": len(lesson.files),
            "labelled_share": round(lesson.share, 4),
            "labelled_sha256": hash_of([(p.name, sha256_of(p)) for p in lesson.files]),
            **more,
        },
    }


def files_in(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The files of labelled pages of several folders, in order."""
    return tuple(path for folder in folders for path in sorted(folder.rglob("*.json")))

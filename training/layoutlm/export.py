# SPDX-License-Identifier: Apache-2.0
"""From a saved state to the file that ships: int8 ONNX with its vocabulary in the metadata."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from idp.extract.features import LabelTable
from idp.extract.layoutlm_inputs import HINTS, PIECES, PageEncoder
from training.layoutlm.batches import collate
from training.layoutlm.data import IGNORED, Example, Stream, examples_at
from training.layoutlm.model import Tagger

MOST_BYTES = 20_000_000
_OPSET = 17
_TEMPERATURES = tuple(n / 20 for n in range(14, 61))


class _Windows(nn.Module):  # type: ignore[misc]
    """One window at a time, without padding: the appliance never batches."""

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.tagger = tagger

    def forward(
        self,
        pieces: torch.Tensor,
        boxes: torch.Tensor,
        patterns: torch.Tensor,
        hints: torch.Tensor,
    ) -> torch.Tensor:
        return self.tagger(pieces, boxes, patterns, hints, torch.ones_like(patterns))


def exported(tagger: Tagger, *, quantised: bool) -> onnx.ModelProto:
    """The network as an ONNX graph; int8 weights per output channel where ``quantised``.

    Weights take seven bits: eight overflow the 16-bit sums of processors without VNNI.
    """
    # Of the wrapper: an export gives back the mode it found, and dropout with it.
    wrapper = _Windows(tagger).eval()
    names = {"pieces": (PIECES,), "boxes": (4,), "patterns": (), "hints": (HINTS,)}
    sample = tuple(torch.zeros((1, 7, *shape), dtype=torch.long) for shape in names.values())
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's remarks about constants of the graph
        path, small = Path(folder) / "model.onnx", Path(folder) / "small.onnx"
        torch.onnx.export(
            wrapper,
            sample,
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=list(names),
            output_names=["logits"],
            dynamic_axes={name: {1: "tokens"} for name in (*names, "logits")},
        )
        if not quantised:
            return onnx.load(str(path))
        quantize_dynamic(
            str(path),
            str(small),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        )
        return onnx.load(str(small))


def with_lists(
    model: onnx.ModelProto,
    *,
    vocabulary: list[str],
    patterns: list[str],
    hints: list[str],
    labels: list[str],
    temperature: float,
) -> bytes:
    """The graph as a file, with what is needed to make its inputs and to name its answers."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(
        model,
        {
            "vocabulary": "\n".join(vocabulary),
            "patterns": "\n".join(patterns),
            "hints": "\n".join(hints),
            "labels": "\n".join(labels),
            "temperature": f"{temperature:.3f}",
        },
    )
    content: bytes = model.SerializeToString()
    return content


@torch.no_grad()  # type: ignore[untyped-decorator]
def temperature_of(
    tagger: Tagger, encoder: PageEncoder, table: LabelTable, stream: Stream, documents: range
) -> float:
    """What the logits are divided by so that probabilities are as large as they are right.

    Fitted (least negative log likelihood) on documents that neither train nor judge.
    """
    logits, goals = [], []
    for example in _windows(stream, encoder, table, documents):
        batch = collate([example], encoder.words.pad)
        own = batch.goals[0] != IGNORED
        logits.append(tagger(*batch.inputs)[0][own].numpy())
        goals.append(batch.goals[0][own].numpy())
    x, y = np.concatenate(logits).astype(np.float64), np.concatenate(goals)

    def loss(temperature: float) -> float:
        z = x / temperature
        z -= z.max(1, keepdims=True)
        return float(np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]))

    return min(_TEMPERATURES, key=loss)


def _windows(
    stream: Stream, encoder: PageEncoder, table: LabelTable, documents: range
) -> Iterator[Example]:
    for number in documents:
        yield from examples_at(stream, number, encoder, table, forget=False)

# SPDX-License-Identifier: Apache-2.0
"""The network of a models folder, back from its ONNX file, to be trained further.

What ships is int8 without the optimiser's state. For fine-tuning that is enough: the weights are
off by less than a step of training, and every installation has them, whoever trained them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from idp.extract.layoutlm import MODEL_NAME
from idp.extract.layoutlm_inputs import INPUTS_VERSION, hint_names, pattern_names
from idp.extract.weights import load_entry, read_weights
from training.layoutlm.data import LABELS

_ROOT = "tagger."
_LAYER = "stock.layoutlm.encoder.layer."


class Shipped(NamedTuple):
    """A network as it was exported: its weights by name, its vocabulary, how many layers."""

    version: str
    vocabulary: list[str]
    layers: int
    weights: dict[str, torch.Tensor]


def shipped(models: Path) -> Shipped:
    """The LayoutLM tagger of a models folder.

    Raises:
        ModelError: The manifest names none, or the file is damaged.
        ValueError: It was trained on other inputs or labels than there are now.
    """
    entry = load_entry(models, MODEL_NAME)
    model = onnx.load_from_string(read_weights(models, entry, INPUTS_VERSION))
    lists = {each.key: each.value.split("\n") for each in model.metadata_props}
    now = {"patterns": pattern_names(), "hints": hint_names(), "labels": LABELS}
    for name, value in now.items():
        if lists.get(name) != list(value):
            raise ValueError(f"{entry.file} was trained on other {name}: train one from scratch")
    weights = _weights(model.graph)
    layers = {n.removeprefix(_LAYER).split(".")[0] for n in weights if n.startswith(_LAYER)}
    return Shipped(entry.version, lists["vocabulary"], len(layers), weights)


def _weights(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """Every parameter by its name in the network; int8 ones times their scales."""
    stored = {each.name: each for each in graph.initializer}
    found: dict[str, torch.Tensor] = {}
    for name, kept in stored.items():
        if name.startswith(_ROOT) and name.endswith((".weight", ".bias")):
            found[name.removeprefix(_ROOT)] = _tensor(numpy_helper.to_array(kept))
        elif name.startswith(_ROOT) and name.endswith("_quantized"):
            whole = name.removesuffix("_quantized")
            found[whole.removeprefix(_ROOT)] = _tensor(_scaled(stored, whole))
    for node in graph.node:
        # The exporter renames the matrices of linear layers; their nodes keep the layers' names.
        if node.op_type in ("MatMulInteger", "MatMul") and node.input[1] in stored:
            layer = node.name.removeprefix("/").split("/MatMul")[0].replace("/", ".")
            whole = node.input[1].removesuffix("_quantized")
            quantised = node.op_type == "MatMulInteger"
            matrix = _scaled(stored, whole) if quantised else numpy_helper.to_array(stored[whole])
            found[f"{layer.removeprefix(_ROOT)}.weight"] = _tensor(matrix.T)
    return found


def _scaled(stored: dict[str, onnx.TensorProto], name: str) -> Any:
    values, scale, zero = (
        numpy_helper.to_array(stored[f"{name}_{part}"]).astype(np.float32)
        for part in ("quantized", "scale", "zero_point")
    )
    return (values - zero) * scale


def _tensor(array: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32))

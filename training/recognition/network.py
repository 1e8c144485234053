# SPDX-License-Identifier: Apache-2.0
"""An ONNX graph as a trainable torch module, and its weights back into the same graph.

PP-OCRv6 is published as ONNX. Rebuilding the architecture by hand would drift from it; walking its
graph node by node can't. What was learnt goes back into the initializers of the very same file, so
that the product loads it as it loads the original.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

Tensor = Any  # torch is no dependency of the type check


class GraphNetwork(nn.Module):  # type: ignore[misc]
    """The graph of ``model``. Weights of convolutions, norms and matrices are trainable.

    Running statistics of the norms stay as published: batches of generated lines would drag them
    away from what real pages give.

    Raises:
        NotImplementedError: the graph has an operator that is not known here.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        self.model = model
        self._input = model.graph.input[0].name
        self._output = model.graph.output[0].name
        self._constants: dict[str, Tensor] = {}
        self._trained: dict[str, str] = {}
        statistics = _statistics(model.graph.node)
        self.weights = nn.ParameterDict()
        for tensor in model.graph.initializer:
            value = torch.from_numpy(numpy_helper.to_array(tensor).copy())
            if value.is_floating_point() and value.numel() > 1 and tensor.name not in statistics:
                key = f"w{len(self._trained)}"
                self._trained[tensor.name] = key
                self.weights[key] = nn.Parameter(value)
            else:
                self._constants[tensor.name] = value
        self._steps = [
            step for node in _with_gelu(model.graph.node) if (step := _Step(node)).known()
        ]

    def forward(self, images: Tensor) -> Tensor:
        """Logarithms of the class probabilities, (batch, steps, classes)."""
        values: dict[str, Tensor] = {self._input: images, "": None}
        values.update(self._constants)
        values.update({name: self.weights[key] for name, key in self._trained.items()})
        result: Tensor = None
        for step in self._steps:
            got = [values[name] for name in step.inputs]
            if step.output == self._output:  # the softmax: training wants its logarithm
                result = functional.log_softmax(got[0], dim=-1)
                break
            values[step.output] = step.run(got)
        return result

    def trained(self) -> onnx.ModelProto:
        """The graph with the weights as they are now."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for tensor in model.graph.initializer:
            key = self._trained.get(tensor.name)
            if key is not None:
                value = self.weights[key].detach().cpu().numpy().astype(np.float32)
                tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
        return model


def _statistics(nodes: Sequence[onnx.NodeProto]) -> set[str]:
    """Names of the running means and variances of all norms, through their identities."""
    behind = {node.output[0]: node.input[0] for node in nodes if node.op_type == "Identity"}
    names: set[str] = set()
    for node in nodes:
        if node.op_type == "BatchNormalization":
            for name in node.input[3:5]:
                while name in behind:
                    names.add(name)
                    name = behind[name]  # noqa: PLW2901 - a walk to the source
                names.add(name)
    return names


def _with_gelu(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The nodes with each spelled-out GELU as one, which saves memory and a third of the time.

    Spelled out it is x / √2, erf, + 1, times x, halved.
    """
    source = {node.output[0]: node for node in nodes}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    dropped: set[str] = set()
    whole: dict[str, onnx.NodeProto] = {}
    for node in nodes:
        if node.op_type != "Erf":
            continue
        divided = source[node.input[0]]
        (plus,) = readers[node.output[0]]
        (times,) = readers[plus.output[0]]
        (halved,) = readers[times.output[0]]
        kinds = [n.op_type for n in (divided, plus, times, halved)]
        if kinds != ["Div", "Add", "Mul", "Mul"]:
            raise NotImplementedError("an erf that is no GELU")
        dropped.update(n.output[0] for n in (divided, node, plus, times))
        whole[halved.output[0]] = onnx.helper.make_node(
            "Gelu", [divided.input[0]], [halved.output[0]]
        )
    return [whole.get(n.output[0], n) for n in nodes if n.output[0] not in dropped]


class _Step:
    """One node with its attributes unpacked."""

    def __init__(self, node: onnx.NodeProto) -> None:
        self.kind: str = node.op_type
        self.inputs: list[str] = list(node.input)
        self.output: str = node.output[0]
        self.settings: dict[str, Any] = {
            a.name: onnx.helper.get_attribute_value(a) for a in node.attribute
        }

    def known(self) -> bool:
        if self.kind not in _RUN:
            raise NotImplementedError(f"operator {self.kind} of the recogniser's graph")
        return True

    def run(self, got: list[Tensor]) -> Tensor:
        return _RUN[self.kind](got, self.settings)


def _conv(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
    top, left, bottom, right = _padding(settings)
    image = got[0]
    if (top, left) != (bottom, right):
        image, top, left = functional.pad(image, (left, right, top, bottom)), 0, 0
    return functional.conv2d(
        image,
        got[1],
        got[2] if len(got) > 2 else None,
        stride=tuple(settings["strides"]),
        padding=(top, left),
        groups=settings.get("group", 1),
    )


def _padding(settings: dict[str, Any]) -> tuple[int, int, int, int]:
    """Top, left, bottom, right."""
    if settings.get("auto_pad", b"NOTSET") == b"SAME_UPPER":
        if any(step != 1 for step in settings["strides"]):
            raise NotImplementedError("SAME padding with strides")
        rows, columns = (side - 1 for side in settings["kernel_shape"])
        return rows // 2, columns // 2, rows - rows // 2, columns - columns // 2
    top, left, bottom, right = settings.get("pads", [0, 0, 0, 0])
    return top, left, bottom, right


def _pool(how: Callable[..., Tensor]) -> Callable[[list[Tensor], dict[str, Any]], Tensor]:
    def run(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
        top, left, bottom, right = _padding(settings)
        image = got[0]
        if any((top, left, bottom, right)):
            image = functional.pad(image, (left, right, top, bottom), value=float("-inf"))
        return how(image, tuple(settings["kernel_shape"]), tuple(settings["strides"]))

    return run


def _norm(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
    return functional.batch_norm(
        got[0], got[3], got[4], got[1], got[2], training=False, eps=settings["epsilon"]
    )


def _mean(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
    return got[0].mean(dim=tuple(settings["axes"]), keepdim=bool(settings.get("keepdims", 1)))


def _squeeze(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
    axes = settings["axes"] if "axes" in settings else [int(v) for v in got[1]]
    value = got[0]
    for axis in sorted(axes, reverse=True):
        value = value.squeeze(axis)
    return value


def _unsqueeze(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
    axes = settings["axes"] if "axes" in settings else [int(v) for v in got[1]]
    value = got[0]
    for axis in sorted(axes):
        value = value.unsqueeze(axis)
    return value


def _slice(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
    starts, ends = [int(v) for v in got[1]], [int(v) for v in got[2]]
    axes = [int(v) for v in got[3]] if len(got) > 3 else list(range(len(starts)))
    steps = [int(v) for v in got[4]] if len(got) > 4 else [1] * len(starts)
    where: list[slice] = [slice(None)] * got[0].dim()
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        where[axis] = slice(start, end, step)
    return got[0][tuple(where)]


def _reshape(got: list[Tensor], settings: dict[str, Any]) -> Tensor:
    shape = [int(v) for v in got[1]]
    return got[0].reshape([got[0].shape[i] if v == 0 else v for i, v in enumerate(shape)])


_RUN: dict[str, Callable[[list[Tensor], dict[str, Any]], Tensor]] = {
    "Add": lambda g, s: g[0] + g[1],
    "AveragePool": _pool(functional.avg_pool2d),
    "BatchNormalization": _norm,
    "Concat": lambda g, s: torch.cat([v.reshape(1) if v.dim() == 0 else v for v in g], s["axis"]),
    "Conv": _conv,
    "Div": lambda g, s: g[0] / g[1],
    "Erf": lambda g, s: torch.erf(g[0]),
    "Gelu": lambda g, s: functional.gelu(g[0]),
    "HardSigmoid": lambda g, s: torch.clamp(g[0] * s["alpha"] + s["beta"], 0, 1),
    "Identity": lambda g, s: g[0],
    "MatMul": lambda g, s: g[0] @ g[1],
    "MaxPool": _pool(functional.max_pool2d),
    "Mul": lambda g, s: g[0] * g[1],
    "Pow": lambda g, s: g[0] ** g[1],
    "ReduceMean": _mean,
    "Relu": lambda g, s: functional.relu(g[0]),
    "Reshape": _reshape,
    "Shape": lambda g, s: torch.tensor(g[0].shape, dtype=torch.int64),
    "Sigmoid": lambda g, s: torch.sigmoid(g[0]),
    "Slice": _slice,
    "Softmax": lambda g, s: torch.softmax(g[0], s["axis"]),
    "Sqrt": lambda g, s: torch.sqrt(g[0]),
    "Squeeze": _squeeze,
    "Sub": lambda g, s: g[0] - g[1],
    "Transpose": lambda g, s: g[0].permute(s["perm"]),
    "Unsqueeze": _unsqueeze,
}

# SPDX-License-Identifier: Apache-2.0
"""What runs the networks: ONNX Runtime or OpenVINO, on the CPU or a GPU, with the same results.

PaddleOCR prepares pictures and decodes answers; between the two it calls a *runner* with one
array. The runners here take that place. All compute in 32-bit floats, also where the hardware
offers less (bfloat16 on CPUs, TF32 on GPUs), so that a setting changes the time and not the words.
A device that is not there is an error, never a silent fall back to another one.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from idp.errors import MissingDependencyError, ModelError
from idp.read.engine_batches import Array, Batches, Runner

LINES_PER_PAGE = 6
"""Lines in one request to the recogniser: more gain nothing on a CPU (measured)."""

EngineName = Literal["onnxruntime", "openvino"]

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_CUDA_HINT = (
    "Install the CUDA build (IDP_ACCELERATOR=gpu make install, or gpu.Dockerfile) on a machine with"
    " an NVIDIA driver, or set read.device = cpu."
)


@dataclass(frozen=True)
class Place:
    """Where networks run."""

    engine: EngineName = "onnxruntime"
    device: str = "cpu"
    """``cpu``, ``gpu`` or ``gpu:N``; OpenVINO's GPUs are Intel's, ONNX Runtime's NVIDIA's."""
    pages: int = 1
    """Pages read at the same time by as many threads, their requests run together; for GPUs."""

    @property
    def on_gpu(self) -> bool:
        return self.device != "cpu"

    @property
    def number(self) -> int:
        """Which of several GPUs."""
        return int(self.device.partition(":")[2] or 0)


def check(place: Place) -> None:
    """Says early, before any model is loaded, that something is not installed.

    Raises:
        MissingDependencyError: the engine's package, or its build for the device, is not there.
    """
    if place.engine == "openvino":
        if importlib.util.find_spec("openvino") is None:
            raise MissingDependencyError(
                "read.engine is openvino, but the package openvino is not installed",
                hint='pip install "idp[openvino]", or set read.engine = onnxruntime.',
            )
        if place.on_gpu:
            _openvino_device(place)
    elif place.on_gpu:
        import onnxruntime  # noqa: PLC0415 - heavy

        if _CUDA not in onnxruntime.get_available_providers():
            raise MissingDependencyError(
                f"read.device is {place.device}, but this ONNX Runtime has no CUDA provider",
                hint=_CUDA_HINT,
            )


def version(place: Place) -> str:
    """Engine, release and device, for the record of what read a page.

    Raises:
        MissingDependencyError: the engine is not installed.
    """
    if place.engine == "openvino":
        check(Place("openvino"))
        return f"openvino {importlib.metadata.version('openvino')} {place.device}"
    for package in ("onnxruntime", "onnxruntime-gpu"):  # two builds, never both installed
        try:
            return f"{package} {importlib.metadata.version(package)} {place.device}"
        except importlib.metadata.PackageNotFoundError:
            continue
    raise MissingDependencyError("neither onnxruntime nor onnxruntime-gpu is installed")


def devices(place: Place) -> tuple[str, ...]:
    """What the engine finds on this machine, in its own words.

    Raises:
        MissingDependencyError: the engine is not installed.
    """
    check(Place(place.engine))
    if place.engine == "openvino":
        import openvino  # noqa: PLC0415 - optional

        return tuple(str(device) for device in openvino.Core().available_devices)
    import onnxruntime  # noqa: PLC0415 - heavy

    return tuple(onnxruntime.get_available_providers())


def runner(model: Path, place: Place) -> Runner:
    """Loads ``model`` (an ONNX file) where ``place`` says; one thread on a CPU.

    Raises:
        MissingDependencyError: the engine or the device is not there.
        ModelError: the file can't be loaded.
    """
    check(place)
    if place.engine == "openvino":
        return OpenvinoRunner(model, place)
    return OnnxRunner(model, place)


def text_steps(width: int) -> int:
    """How many steps a PP-OCR recogniser gives for a line of this width in pixels.

    Two strides of 2, padded, then the mean of pairs.
    """
    return -(-width // 4) // 2


def attach(
    module: Any, model: Path, place: Place, *, steps: Callable[[int], int] | None = None
) -> None:
    """Lets a loaded PaddleOCR module (``TextDetection``, ...) run its network at ``place``.

    Args:
        module: Its predictor keeps preparing the pictures and decoding the answers.
        model: The ONNX file of the network.
        place: Where it runs; with several pages at a time requests are run together.
        steps: For text recognisers, :func:`text_steps`; see :class:`Batches`.

    Raises:
        MissingDependencyError: the engine or the device is not there.
        ModelError: the file can't be loaded.
    """
    run = runner(model, place)
    if place.pages > 1:
        run = Batches(run, most=LINES_PER_PAGE * place.pages, steps=steps)
    module.paddlex_predictor.runner = run


def paddle_options() -> dict[str, Any]:
    """How to create a PaddleOCR module whose own runner is replaced by :func:`attach`.

    It loads the network once for nothing; without graph optimisation that takes a few ms.
    """
    return {
        "engine": "onnxruntime",
        "engine_config": {
            "intra_op_num_threads": 1,
            "inter_op_num_threads": 1,
            "graph_optimization_level": 0,
            "enable_cpu_mem_arena": False,
        },
        "device": "cpu",
    }


class OnnxRunner:
    """A network in ONNX Runtime."""

    def __init__(self, model: Path, place: Place) -> None:
        """Loads the network; see :func:`runner`."""
        import onnxruntime  # noqa: PLC0415 - heavy

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Pages and lines come in many sizes. By default the arena doubles with each new one and a
        # plan of its own is kept per size: 1.6 GB after 20 pages. One arena for all networks that
        # grows by what is asked for, without plans, stays at a third of it in the same time.
        options.enable_mem_pattern = False
        if not place.on_gpu:
            _share_one_arena()
            options.add_session_config_entry("session.use_env_allocators", "1")
        providers: list[Any] = [_CPU]
        if place.on_gpu:
            cuda = {
                "device_id": place.number,
                "use_tf32": 0,
                # The default search times every algorithm anew for every new size of input.
                "cudnn_conv_algo_search": "HEURISTIC",
                "arena_extend_strategy": "kSameAsRequested",
            }
            providers = [(_CUDA, cuda), _CPU]
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), sess_options=options, providers=providers
            )
        except Exception as error:
            if place.on_gpu:
                raise MissingDependencyError(
                    f"{place.device} can't be used: {type(error).__name__}", hint=_CUDA_HINT
                ) from error
            raise ModelError(f"{model.name}: {type(error).__name__} in ONNX Runtime") from error
        # Without driver or libraries ONNX Runtime warns and goes on with the CPU.
        if place.on_gpu and _CUDA not in self._session.get_providers():
            raise MissingDependencyError(
                f"{place.device} was asked for, but ONNX Runtime could only use"
                f" {', '.join(self._session.get_providers())}",
                hint=_CUDA_HINT,
            )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, x: list[Array] | Array) -> list[Array]:
        """See :class:`Runner`."""
        feed = {self._input: np.ascontiguousarray(_one(x))}
        return [np.asarray(output) for output in self._session.run(None, feed)]


class OpenvinoRunner:
    """A network in OpenVINO."""

    def __init__(self, model: Path, place: Place) -> None:
        """Loads the network; see :func:`runner`."""
        import openvino  # noqa: PLC0415 - optional

        device = _openvino_device(place)
        options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if device == "CPU":
            options |= {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
        core = openvino.Core()
        try:
            compiled = core.compile_model(core.read_model(str(model)), device, options)
        except RuntimeError as error:
            raise ModelError(f"{model.name}: {type(error).__name__} in OpenVINO") from error
        self._compiled = compiled
        self._request = compiled.create_infer_request()

    def __call__(self, x: list[Array] | Array) -> list[Array]:
        """See :class:`Runner`."""
        answer = self._request.infer([np.ascontiguousarray(_one(x))])
        # A copy: OpenVINO writes the next answer into the same memory.
        return [np.array(answer[output]) for output in self._compiled.outputs]


def _one(x: list[Array] | Array) -> Array:
    if isinstance(x, np.ndarray):
        return x
    (only,) = x
    return only


@functools.cache
def _share_one_arena() -> None:
    """Registers the one arena of this process's CPU networks; it grows by what is asked for."""
    import onnxruntime  # noqa: PLC0415 - heavy

    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    same_as_requested = onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(memory, same_as_requested)


def _openvino_device(place: Place) -> str:
    """OpenVINO's name of the device.

    Raises:
        MissingDependencyError: OpenVINO sees no such GPU.
    """
    if not place.on_gpu:
        return "CPU"
    import openvino  # noqa: PLC0415 - optional

    seen = [str(device) for device in openvino.Core().available_devices]
    gpus = [device for device in seen if device.startswith("GPU")]
    if place.number >= len(gpus):
        raise MissingDependencyError(
            f"read.device is {place.device}, but OpenVINO sees only {', '.join(seen) or 'nothing'}",
            hint="OpenVINO's GPUs are Intel's and need their driver; else set read.device = cpu.",
        )
    return gpus[place.number]

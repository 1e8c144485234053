# SPDX-License-Identifier: Apache-2.0
"""What reading costs: two workers beside one, memory over many pages; the machine's facts."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import psutil

from idp.document import RawPage
from idp.settings import Settings
from tests.bench.reading import arithmetic as a
from tests.bench.reading.engines import Product
from training.faxes import degrade, page
from training.faxes.fonts import names

Say = Callable[[str], None]

_SOAK = (("form", "fine_threshold"), ("letter", "scan_200"), ("remittance", "standard_dither"))
_PAGES_PER_WORKER = 6


class Throughput(NamedTuple):
    """Pages a minute with one and with two workers, and what else kept the cores busy."""

    one: float
    two: float
    cores: int
    load_before: float

    @property
    def ratio(self) -> float:
        return self.two / self.one


class Soak(NamedTuple):
    """Resident memory of one worker over many pages, megabytes."""

    pages: int
    slope: float | None
    peak: float
    samples: list[float]


def reference_ms() -> float:
    """CPU milliseconds of a fixed piece of work on one thread.

    Busy neighbours on shared cores slow every CPU second down; this tells by how much.
    """
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (2000, 1600), np.uint8)
    left = rng.random((512, 512), np.float32)
    before = time.process_time()
    for _ in range(10):
        cv2.GaussianBlur(picture, (0, 0), 2.0)
        left = left @ left
        left /= left.max()
    return 1000 * (time.process_time() - before)


def facts() -> dict[str, str]:
    """What the figures depend on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load": f"{load} (1, 5, 15 minutes)",
        "python": platform.python_version(),
        "onnxruntime": importlib.metadata.version("onnxruntime"),
        "fonts": ", ".join(names("heldout")),
    }


def _rasters(product: Product, count: int, first: int) -> tuple[RawPage, ...]:
    """Different pages, so that no cache of results helps."""
    out: list[RawPage] = []
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as place:
        for number in range(count):
            kind, variant = _SOAK[(first + number) % len(_SOAK)]
            came = degrade(page(first + number, kind), variant, first + number)
            out += product.unpacked(came.save(Path(place), f"page-{number}"))
    return tuple(p.model_copy(update={"number": n}) for n, p in enumerate(out, 1))


def throughput(settings: Settings, say: Say, *, pages: int = _PAGES_PER_WORKER) -> Throughput:
    """Wall-clock throughput of one and of two workers over the same pages, both warm."""
    load = os.getloadavg()[0]
    rates = []
    for workers in (1, 2):
        say(f"throughput with {workers} worker(s)")
        with Product(settings, workers=workers) as product:
            # Different warm-up pages, enough for every worker to get one.
            product.read_raw(_rasters(product, 2 * workers, 20_000 + 100 * workers))
            rasters = _rasters(product, 2 * pages, 20_500)
            _, wall = product.read_raw(rasters)
        rates.append(60 * len(rasters) / wall)
    return Throughput(rates[0], rates[1], os.cpu_count() or 1, load)


def soak(settings: Settings, pages: int, say: Say) -> Soak:
    """Reads that many pages in one worker, looking at its memory after each."""
    samples: list[float] = []
    with Product(settings) as product:
        for number in range(pages):
            raw = _rasters(product, 1, 30_000 + number)
            product.read_raw(raw)
            for one in raw:
                Path(one.path).unlink(missing_ok=True)
            samples.append(product.workers_memory_mb())
            if number % 10 == 9 or number == pages - 1:
                say(f"soak {number + 1}/{pages}: {samples[-1]:.0f} MB")
    return Soak(pages, a.slope_per_100(samples), max(samples, default=0.0), samples)

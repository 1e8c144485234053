# SPDX-License-Identifier: Apache-2.0
"""Micro-batches for GPUs: requests of several pages that are read at once run as one.

A GPU runs sixty lines in little more than the time of six; a CPU does not, so there this is not
used. The pages of a batch are read by as many threads, each as if it were alone; where their
requests to one network meet, they are laid together, run once, and taken apart again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_WAIT_SECONDS = 0.005
_MOST_PADDING = 1.25
"""Lines are laid together with lines at most so many times as wide: empty pixels cost time too."""


class Runner(Protocol):
    """Runs one network: one array in, all its outputs out."""

    def __call__(self, x: list[Array] | Array) -> list[Array]:
        """The outputs for a batch; the first axis of everything is the batch."""


@dataclass(frozen=True, eq=False)  # a request is itself, however alike the pictures
class _Request:
    array: Array
    answer: Future[list[Array]]


class Batches:
    """A runner that lays together what several threads ask for at the same time. Thread-safe.

    ``steps`` is for text recognisers: their pictures are filled up with zeros to the widest, as
    PaddleOCR itself does within a batch, and the answers cut back to as many steps as ``steps``
    tells for their own width. Networks without it share a run only with pictures of their size.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        most: int,
        steps: Callable[[int], int] | None = None,
        wait_seconds: float = _WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wraps ``runner``; a run has at most ``most`` rows (or one request, if that has more)."""
        self._runner = runner
        self._most = most
        self._steps = steps
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[_Request] = []
        self._running = False
        self.runs = 0
        self.requests = 0

    def __call__(self, x: list[Array] | Array) -> list[Array]:
        """See :class:`Runner`; waits a few ms for company."""
        array = x if isinstance(x, np.ndarray) else x[0]
        mine = _Request(array, Future())
        with self._changed:
            self._waiting.append(mine)
            self.requests += 1
            self._changed.notify_all()
        while not mine.answer.done():
            batch = self._taken(mine)
            if batch:
                self._run(batch)
        return mine.answer.result()

    def _taken(self, mine: _Request) -> list[_Request]:
        """What this thread is to run now: its own request and those that fit it, or nothing."""
        with self._changed:
            deadline = self._clock() + self._wait_seconds
            while not mine.answer.done():
                left = deadline - self._clock()
                full = sum(len(request.array) for request in self._waiting) >= self._most
                if not self._running and (full or left <= 0) and mine in self._waiting:
                    batch = self._fitting(mine)
                    self._waiting = [other for other in self._waiting if other not in batch]
                    self._running = True
                    return batch
                self._changed.wait(max(0.0, left) if left > 0 else None)
        return []

    def _fitting(self, mine: _Request) -> list[_Request]:
        batch = [mine]
        rows = len(mine.array)
        for other in self._waiting:
            if other is mine or rows + len(other.array) > self._most:
                continue
            if self._fits(mine.array, other.array):
                batch.append(other)
                rows += len(other.array)
        return batch

    def _fits(self, a: Array, b: Array) -> bool:
        if a.shape[1:] == b.shape[1:]:
            return True
        if self._steps is None or a.shape[1:-1] != b.shape[1:-1]:
            return False
        narrow, wide = sorted((a.shape[-1], b.shape[-1]))
        return bool(wide <= _MOST_PADDING * narrow)

    def _run(self, batch: list[_Request]) -> None:
        try:
            answers = self._answers([request.array for request in batch])
        except BaseException as error:
            for request in batch:
                request.answer.set_exception(error)
        else:
            for request, answer in zip(batch, answers, strict=True):
                request.answer.set_result(answer)
        with self._changed:
            self._running = False
            self.runs += 1
            self._changed.notify_all()

    def _answers(self, arrays: list[Array]) -> list[list[Array]]:
        if len(arrays) == 1:
            return [self._runner(arrays)]
        width = max(array.shape[-1] for array in arrays)
        outputs = self._runner([np.concatenate([_padded(array, width) for array in arrays])])
        ends = np.cumsum([len(array) for array in arrays])
        answers = []
        for array, end in zip(arrays, ends.tolist(), strict=True):
            mine = [output[end - len(array) : end] for output in outputs]
            if self._steps is not None and array.shape[-1] != width:
                mine = [output[:, : self._steps(array.shape[-1])] for output in mine]
            answers.append(mine)
        return answers


def _padded(array: Array, width: int) -> Array:
    missing = width - array.shape[-1]
    if missing == 0:
        return array
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, missing)])

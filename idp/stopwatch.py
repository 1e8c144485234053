# SPDX-License-Identifier: Apache-2.0
"""How long each stage took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Wall time per stage, in milliseconds."""

    def __init__(
        self, on_stage: Callable[[str], None], milliseconds: dict[str, float] | None = None
    ) -> None:
        self._on_stage = on_stage
        self.milliseconds = dict(milliseconds or {})

    def copy(self) -> Stopwatch:
        """A stopwatch that starts from these figures, for one of several documents."""
        return Stopwatch(self._on_stage, self.milliseconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        self._on_stage(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = (time.perf_counter() - start) * 1000
            self.milliseconds[name] = round(self.milliseconds.get(name, 0.0) + elapsed, 1)

# SPDX-License-Identifier: Apache-2.0
"""What makes trouble: a server killed and started again, connections cut at random requests."""

from __future__ import annotations

import random
import threading
import time
from types import TracebackType
from typing import Self

from tests.odoo.cutting import Cut, CuttingProxy
from tests.odoo.server import OdooServer

_CUTS: tuple[Cut, ...] = ("before", "half", "after", "after")


class Trouble(threading.Thread):
    """Kills the server now and then while ``with`` lasts, and plans cuts for the proxy."""

    def __init__(
        self,
        server: OdooServer,
        proxy: CuttingProxy,
        *,
        seed: int,
        cut_every: tuple[float, float],
        kill_every: tuple[float, float],
        kills: int,
        most_cuts: int = 10_000,
    ) -> None:
        """Prepare.

        Args:
            server: To be killed.
            proxy: To be cut.
            seed: Of the dice.
            cut_every: Seconds between two cuts, at random between these.
            kill_every: Seconds that the server may live.
            kills: How often it is killed; then it is left alone.
            most_cuts: After so many all requests pass: one who waits longer after each cut would
                else meet one at each attempt, for ever.
        """
        super().__init__(daemon=True)
        self.killed = 0
        self._server, self._proxy = server, proxy
        self._dice = random.Random(seed)
        self._cut_every, self._kill_every, self._kills = cut_every, kill_every, kills
        self._most_cuts = most_cuts
        self._over = threading.Event()
        self._failed: BaseException | None = None

    @property
    def cuts(self) -> int:
        """Connections that were cut so far, by the proxy or with the server."""
        return sum(n for cut, n in self._proxy.seen.items() if cut != "pass") + self.killed

    @property
    def spent(self) -> bool:
        """Whether the server was killed as often as it was to be, or that went wrong."""
        return self.killed >= self._kills or self._failed is not None

    def run(self) -> None:
        try:
            self._trouble()
        except BaseException as error:
            self._failed = error

    def _trouble(self) -> None:
        next_kill = time.monotonic() + self._dice.uniform(*self._kill_every)
        while not self._over.wait(self._dice.uniform(*self._cut_every)):
            if time.monotonic() > next_kill and self.killed < self._kills:
                self._server.kill()
                self.killed += 1
                self._over.wait(self._dice.uniform(0.0, 1.0))
                self._server.start()
                next_kill = time.monotonic() + self._dice.uniform(*self._kill_every)
            elif not self._proxy.plan and self.cuts < self._most_cuts:
                self._proxy.plan.append(self._dice.choice(_CUTS))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self.join(180)
        self._proxy.plan.clear()
        if self._failed is not None:
            raise self._failed

# SPDX-License-Identifier: Apache-2.0
"""How far a training program is, a line of JSON at a time, for whoever started it.

    {"progress": {"part": "layoutlm", "done": 320, "all": 1500, "seconds_left": 410}}

What is left is told from what was done so far in this very run, and not before that says anything.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

_EVERY_SECONDS = 2.0
_LEAST_SECONDS = 5.0
_LEAST_SHARE = 0.02


def to_stdout(line: str) -> None:
    """A line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Progress:
    """Tells how many of so many steps of one part are done; often enough, and not more often.

    Args:
        part: What is under way, in one or two words.
        all: How many steps there are.
        before: How many of them an earlier run did.
        say: Where lines go.
        clock: Seconds, rising.
    """

    def __init__(
        self,
        part: str,
        all: int,
        *,
        before: int = 0,
        say: Callable[[str], None] = to_stdout,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._part, self._all, self._before = part, all, before
        self._say, self._clock = say, clock
        self._began = self._told = clock()
        self._say_now(before)

    def at(self, done: int) -> None:
        """So many steps are done by now."""
        now = self._clock()
        if now - self._told >= _EVERY_SECONDS or done >= self._all:
            self._told = now
            self._say_now(done)

    def _say_now(self, done: int) -> None:
        line = {"part": self._part, "done": done, "all": self._all, "seconds_left": None}
        spent, own = self._clock() - self._began, done - self._before
        if own > 0 and (spent >= _LEAST_SECONDS or own >= _LEAST_SHARE * self._all):
            line["seconds_left"] = round(spent / own * max(0, self._all - done))
        self._say(json.dumps({"progress": line}))

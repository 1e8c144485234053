# SPDX-License-Identifier: Apache-2.0
"""The thread that keeps Label Studio in step: round after round, through every trouble."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from idp.errors import ReviewError, where
from idp.review.sync import SHORTEST_PAUSE, Sync

LONGEST_PAUSE = 60.0
"""Seconds between two attempts when Label Studio is out of reach; the first is the shortest, and
each is twice the one before."""
_LOOK_SECONDS = 1.0
"""Between two looks whether another process hints."""

_log = logging.getLogger(__name__)


class ReviewLoop:
    """Runs rounds in one thread until told to stop; outlives every trouble."""

    def __init__(
        self, connect: Callable[[], Sync], *, poll_seconds: float, hint_file: Path | None = None
    ) -> None:
        """Prepare; nothing is asked before :meth:`start`.

        Args:
            connect: Makes the sync; asked again until it succeeds, and after each trouble.
            poll_seconds: Pause between two rounds that did nothing.
            hint_file: When it appears, somebody in another process asks to look at once.
        """
        self._hint_file = hint_file
        self._connect = connect
        self._poll_seconds = poll_seconds
        self._wake = threading.Event()
        self._stopping = False
        self._trouble: str | None = None
        self._troubled = 0
        self._thread = threading.Thread(target=self._run, name="review", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Let the round at work end, for at most so many seconds; the next start goes on."""
        self._stopping = True
        self._wake.set()
        self._thread.join(seconds)

    def hint(self) -> None:
        """Somebody says that there is something to take: look at once."""
        self._wake.set()

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at; empty when all is well."""
        found = [] if self._trouble is None else [f"review: {self._trouble}"]
        if self._troubled:
            found.append(f"review: {self._troubled} answers can't be taken; the log says why")
        return tuple(found)

    def _run(self) -> None:
        sync: Sync | None = None
        pause = SHORTEST_PAUSE
        hinted = False
        while not self._stopping:
            hinted = self._wake.is_set() or hinted
            self._wake.clear()
            try:
                sync = sync or self._connect()
                if hinted:
                    sync.look()
                    hinted = False
                busy = bool(sync.step())
                self._troubled, self._trouble, pause = sync.troubled, None, SHORTEST_PAUSE
                wait = 0.0 if busy else self._poll_seconds
            except Exception as error:
                told = error.message if isinstance(error, ReviewError) else where(error)
                if told != self._trouble:
                    _log.warning("review: %s", told)
                self._trouble = told
                if sync is not None:
                    sync.close()
                sync, wait, pause = None, pause, min(2 * pause, LONGEST_PAUSE)
            hinted = self._pause(wait)
        if sync is not None:
            sync.close()

    def _pause(self, seconds: float) -> bool:
        """Wait so long, or until somebody hints; returns whether somebody did."""
        deadline = time.monotonic() + seconds
        while not (hinted := self._hinted()) and (left := deadline - time.monotonic()) > 0:
            self._wake.wait(min(left, _LOOK_SECONDS))
        return hinted

    def _hinted(self) -> bool:
        if self._hint_file is not None:
            with suppress(FileNotFoundError):
                self._hint_file.unlink()
                return True
        return self._wake.is_set()

# SPDX-License-Identifier: Apache-2.0
"""Keeps Label Studio ready for reviewers: our own one runs, and its projects are as they should be.

The appliance starts and stops it and asks it for trouble; nothing else of the appliance waits for
it. While Label Studio is away documents wait in state ``review``, and catch up by themselves.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from idp.errors import ReviewError, where
from idp.review.access import place_of
from idp.review.provisioning import Screen, provision
from idp.review.server import LabelStudio, healthy
from idp.slices import ReviewSettings

_LOOK_SECONDS = 1.0
_HEALTH_EVERY_SECONDS = 15.0
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Station:
    """Between :meth:`start` and :meth:`stop` Label Studio is there and set up, or it says why not.

    Nothing here raises. Every start sets the projects up again, which changes only what differs.
    """

    def __init__(
        self, settings: ReviewSettings, folder: Path, screens: Callable[[], Sequence[Screen]]
    ) -> None:
        """Prepares; nothing is started or written yet.

        Args:
            settings: The review's options.
            folder: The review folder (``settings.review_folder``).
            screens: Makes what the projects show.
        """
        self._settings = settings
        self._folder = folder
        self._screens = screens
        self._server = LabelStudio(settings, folder) if settings.label_studio == "own" else None
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._problem: str | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start in the background; returns at once. Without Label Studio it does nothing."""
        if self._settings.label_studio == "none" or self._thread is not None:
            return
        if self._server is not None:
            self._server.start()
        self._thread = threading.Thread(target=self._keep, name="review-station", daemon=True)
        self._thread.start()

    def stop_soon(self) -> None:
        """Say that the end is near; :meth:`stop` does the rest."""
        self._stopping.set()

    def stop(self) -> None:
        """End it, and our own Label Studio with it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._server is not None:
            self._server.stop()

    def wait(self, seconds: float) -> bool:
        """Whether the projects are set up within so many seconds; they stay so."""
        return self._ready.wait(seconds)

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at; empty when all is well or just starting."""
        of_server = self._server.problem() if self._server is not None else None
        told = dict.fromkeys(filter(None, (of_server, self._problem)))
        return tuple(f"review: {problem}; documents wait in review" for problem in told)

    def _keep(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            if not self._answers():
                continue
            try:
                self._set_up()
                break
            except ReviewError as error:
                self._note(error.message)
            except Exception as error:
                # The appliance outlives all trouble with Label Studio; the next round tries anew.
                self._note(where(error))
            self._stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        if self._server is None:
            self._watch()

    def _answers(self) -> bool:
        """Whether it answers now; waits a moment before it says no."""
        if self._server is not None:
            return self._server.wait(_LOOK_SECONDS)
        with suppress(ReviewError):
            if healthy(place_of(self._settings, self._folder).url):
                return True
        self._note("Label Studio does not answer")
        self._stopping.wait(_HEALTH_EVERY_SECONDS)
        return False

    def _set_up(self) -> None:
        """Bring the projects to the plan.

        Raises:
            ReviewError: Label Studio can't be reached or refuses.
        """
        outcome = provision(self._settings, self._folder, self._screens(), stopping=self._stopping)
        for key, changes in outcome.changes.items():
            if changes:
                _log.info("Label Studio, project %s: %s", key, ", ".join(changes))
        self._problem = None
        if outcome.problems:
            # All else is set up: these wait for somebody, not for another try.
            self._note("; ".join(outcome.problems))
        self._ready.set()

    def _watch(self) -> None:
        """Look whether a Label Studio that is not ours still answers."""
        url = place_of(self._settings, self._folder).url
        refused = self._problem
        while not self._stopping.wait(_HEALTH_EVERY_SECONDS):
            if healthy(url):
                self._problem = refused
            else:
                self._note("Label Studio does not answer")

    def _note(self, problem: str) -> None:
        if problem != self._problem and not self._stopping.is_set():
            _log.warning("%s", problem)
            self._problem = problem

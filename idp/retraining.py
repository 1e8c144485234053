# SPDX-License-Identifier: Apache-2.0
"""From corrections to a challenger that was evaluated, in one go; promoted by people alone.

One run at a time: it holds a lock that the kernel lets go of when the process dies. How far it came
stands in ``<data>/models/retrain.json``, for the status page and ``idp models retrain --status``. A
run that was killed is begun again from the corrections; what it had registered is the same version
again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import AlreadyRunningError, IdpError, NotFoundError, where
from idp.learning import (
    LOCKED,
    TRAIN,
    Evaluation,
    Registry,
    judge,
    make_dataset,
    model_card,
    write_atomically,
)
from idp.settings import Settings
from idp.store import Store
from idp.training_runs import (
    NICENESS,
    Progress,
    Tagger,
    Wanted,
    check_installed,
    compared,
    is_installed,
    not_installed,
    trained,
    training_share,
)

_KEPT_SECONDS = 1.0
"""How often at most the state file is written while a program tells how far it is."""
_STOP_SECONDS = 10.0
_CHILD = f"import os; os.nice({NICENESS}); from idp.cli import main; main()"


class Step(StrEnum):
    """How far a retraining has come."""

    COLLECTING = "collecting"
    TRAINING = "training"
    EVALUATING = "evaluating"
    DONE = "done"
    FAILED = "failed"


_ENDED = frozenset({Step.DONE, Step.FAILED})


class Retraining(BaseModel):
    """One retraining; no values, no names of documents. Times are aware."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    by: str
    started_at: dt.datetime
    step: Step
    step_at: dt.datetime
    corrections: int
    """Submissions and cuts of people that there were when it began."""
    learnt: int = 0
    """How many of them the last retraining that ended well had."""
    documents: int = 0
    """Corrected documents that it trains on."""
    locked: int = 0
    """Corrected documents that it is judged on."""
    version: str | None = None
    passed: bool | None = None
    """What the gate says; none where there was nothing to judge it on."""
    reasons: tuple[str, ...] = ()
    champion_f1: float | None = None
    challenger_f1: float | None = None
    trouble: str | None = None
    """The code of what stopped it."""
    tagger: Tagger = Tagger.CRF
    progress: Progress | None = None
    """How far the program at work is, while one is at work."""

    @property
    def ended(self) -> bool:
        return self.step in _ENDED


class _Run:
    """The state file of one run, and its lines on the record."""

    def __init__(self, settings: Settings, store: Store, by: str, tagger: Tagger) -> None:
        self._path = _state_file(settings)
        self._store = store
        now = dt.datetime.now(dt.UTC)
        before = last(settings)
        self.state = Retraining(
            id=uuid.uuid4().hex,
            by=by,
            started_at=now,
            step=Step.COLLECTING,
            step_at=now,
            corrections=store.taught(),
            learnt=before.learnt if before is not None else 0,
            tagger=tagger,
        )
        self._kept = time.monotonic()
        self._keep()
        self._note("models_retrain_began")

    def to(self, step: Step, **more: object) -> None:
        """The next step."""
        now = dt.datetime.now(dt.UTC)
        self.state = self.state.model_copy(
            update={"step": step, "step_at": now, "progress": None, **more}
        )
        self._keep()
        if step in _ENDED:
            self._note("models_retrain_ended")

    def at(self, progress: Progress) -> None:
        """How far the program at work is."""
        self.state = self.state.model_copy(update={"progress": progress})
        if time.monotonic() - self._kept >= _KEPT_SECONDS:
            self._keep()

    def _keep(self) -> None:
        self._kept = time.monotonic()
        write_atomically(self._path, (self.state.model_dump_json(indent=1) + "\n").encode())

    def _note(self, action: str) -> None:
        state = self.state
        entry: dict[str, str | None] = {
            "id": f"{state.id} {action}",
            "action": action,
            "at": state.step_at.isoformat(),
            "by": state.by,
            "step": state.step,
            "corrections": str(state.corrections),
            "version": state.version,
            "passed": None if state.passed is None else str(state.passed).lower(),
            "trouble": state.trouble,
        }
        self._store.note_models([entry])


def retrain(
    settings: Settings,
    store: Store,
    *,
    by: str,
    wanted: Wanted = Wanted(),  # noqa: B008 - frozen
    tell: Callable[[Retraining], None] = lambda state: None,
) -> Retraining:
    """Collect what people corrected, train on it, evaluate; the models in force stay in force.

    Args:
        settings: All options.
        store: Where the corrections are.
        by: Who asked, for the record.
        wanted: Which tagger is trained, and how.
        tell: Told each step as it begins, and how far the program at work is.

    Returns:
        How it ended: with a registered version and what the gate says of it.

    Raises:
        AlreadyRunningError: Another retraining is at work.
        MissingDependencyError: The training package, or what the tagger needs, is not here.
        NotFoundError: Nobody has corrected anything that may be trained on.
        TrainingError: A program failed.
    """
    check_installed(wanted.tagger)
    with _alone(settings):
        run = _Run(settings, store, by, wanted.tagger)
        try:
            _retrain(settings, store, run, wanted, tell)
        except BaseException as error:
            trouble = error.code if isinstance(error, IdpError) else where(error)
            run.to(Step.FAILED, trouble=trouble)
            raise
        return run.state


def _retrain(
    settings: Settings,
    store: Store,
    run: _Run,
    wanted: Wanted,
    tell: Callable[[Retraining], None],
) -> None:
    tell(run.state)
    root = settings.registry_folder
    registry = Registry(root, settings.models_folder)
    folder = root / "retrain-data"
    manifest = make_dataset(
        store.corrected_documents(),
        folder,
        root,
        settings.learning.locked_share,
        cuts=store.cut_packets(),
    )
    counts = manifest["counts"]
    run.to(
        Step.TRAINING,
        documents=counts[TRAIN]["documents"],
        locked=counts[LOCKED]["documents"],
    )
    if not counts[TRAIN]["documents"]:
        raise NotFoundError(
            "nobody has corrected anything that may be trained on",
            hint="Documents of some layouts are locked for evaluation; correct some of others.",
        )
    tell(run.state)
    note = f"retrained on {counts[TRAIN]['documents']} corrected documents"

    def going(progress: Progress) -> None:
        run.at(progress)
        tell(run.state)

    shares = [training_share(folder)]
    made = trained(settings, registry, shares, wanted, by=run.state.by, note=note, tell=going)
    run.to(Step.EVALUATING, version=made.version)
    tell(run.state)
    champion = registry.current().version
    sets = [folder / LOCKED] if counts[LOCKED]["documents"] else []
    if settings.learning.locked_set is not None:
        sets.append(settings.learning.locked_set)
    found = [compared(settings, registry, made.version, champion, each) for each in sets]
    for evaluation in found:
        registry.keep_evaluation(made.version, evaluation)
    changes = [each for each in registry.current().history if each.version == made.version]
    registry.keep_card(
        made.version,
        model_card(registry.record(made.version), registry.evaluations(made.version), changes),
    )
    run.to(Step.DONE, learnt=run.state.corrections, **_told(settings, found))
    tell(run.state)


def _told(settings: Settings, found: list[Evaluation]) -> dict[str, object]:
    if not found:
        return {"reasons": ("there is no locked document to judge it on",)}
    verdict = judge(found, settings.learning.gate)
    overall = found[0].overall
    return {
        "passed": verdict.passed,
        "reasons": verdict.reasons,
        "champion_f1": overall.champion,
        "challenger_f1": overall.challenger,
    }


def last(settings: Settings) -> Retraining | None:
    """The retraining at work, or the one that ended last; none before the first."""
    try:
        return Retraining.model_validate_json(_state_file(settings).read_bytes())
    except (OSError, ValidationError):
        return None


def is_running(settings: Settings) -> bool:
    """Whether a retraining is at work in any process."""
    with _opened(settings) as stream:
        return not _grasped(stream)


def _state_file(settings: Settings) -> Path:
    return settings.registry_folder / "retrain.json"


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[BinaryIO]:
    settings.registry_folder.mkdir(parents=True, exist_ok=True)
    with (settings.registry_folder / "retrain.lock").open("ab") as stream:
        yield stream


def _grasped(stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    with _opened(settings) as stream:
        if not _grasped(stream):
            raise AlreadyRunningError(
                "a retraining is at work already",
                hint="`idp models retrain --status` tells how far it is.",
            )
        yield


class Offer(NamedTuple):
    """A retraining as the status page offers it."""

    last: Retraining | None
    running: bool
    killed: bool
    """The last one never ended."""
    fresh: int
    """What people said since the last one that ended well."""
    missing: str | None
    """Why none can be started here."""


class Trainer:
    """Starts retrainings as children at low priority, and ends the one at work at the end."""

    def __init__(self, settings: Settings, options: Sequence[str] = ()) -> None:
        """Prepare; nothing is started.

        Args:
            settings: All options.
            options: Further options of ``idp models retrain``.
        """
        self._settings = settings
        self._options = tuple(options)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, by: str) -> None:
        """Start one; returns at once.

        Args:
            by: Who asked, for the record.

        Raises:
            AlreadyRunningError: One is at work.
            MissingDependencyError: The training package is not here.
        """
        if not is_installed():
            raise not_installed()
        with self._lock:
            if self._busy() or is_running(self._settings):
                raise AlreadyRunningError(
                    "a retraining is at work already", hint="This page shows how far it is."
                )
            self._settings.registry_folder.mkdir(parents=True, exist_ok=True)
            log = self._settings.registry_folder / "retrain.log"
            log.touch(mode=0o600)
            with log.open("wb") as stream:
                self._child = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    [
                        *(sys.executable, "-c", _CHILD),
                        *("models", "retrain", f"--by={by}", "--json", *self._options),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    # Settings given in code must reach it; the rest it reads as we did.
                    env={**os.environ, "IDP_DATA": str(self._settings.data.absolute())},
                    start_new_session=True,
                )

    def offered(self, store: Store) -> Offer:
        """What the status page shows: how the last one ended, and what a new one would learn."""
        found, busy = last(self._settings), self.busy()
        fresh = store.taught() - (found.learnt if found is not None else 0)
        return Offer(
            last=found,
            running=busy,
            killed=found is not None and not busy and not found.ended,
            fresh=max(fresh, 0),
            missing=None if is_installed() else not_installed().message,
        )

    def busy(self) -> bool:
        """Whether a retraining is at work, started here or elsewhere."""
        with self._lock:
            return self._busy() or is_running(self._settings)

    def close(self) -> None:
        """End the one at work, if we started it; it may be started again."""
        with self._lock:
            child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def _busy(self) -> bool:
        return self._child is not None and self._child.poll() is None

# SPDX-License-Identifier: Apache-2.0
"""Challengers made and compared by the training programs, each in a process of its own.

The appliance never imports ``training/``: what it needs may not even be installed. A program runs
on one thread, at low priority, and touches nothing that is in force.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from pydantic import TypeAdapter, ValidationError

from idp.errors import MissingDependencyError, NotFoundError, RefusedError, TrainingError
from idp.learning import TRAIN, Compared, Evaluation, ModelRecord, Registry, evaluate
from idp.settings import Settings

NICENESS = 10
"""How much the training programs stand back for the service."""

_COMPARED = TypeAdapter(tuple[Compared, ...])
_TAIL = 2000
_PR_SET_PDEATHSIG = 1


def is_installed() -> bool:
    """Whether the training package is here; it comes with a checkout."""
    return importlib.util.find_spec("training") is not None


def not_installed() -> MissingDependencyError:
    """What is told where it is not."""
    return MissingDependencyError(
        "the training package is not installed",
        hint="It comes with a checkout: `make install-train` there; `idp models register` "
        "takes a models folder that was trained on another machine.",
    )


def trained(
    settings: Settings,
    registry: Registry,
    shares: Sequence[Path],
    wanted: Mapping[str, int],
    *,
    by: str,
    note: str = "",
) -> ModelRecord:
    """Train beside a copy of the models in force, and register the outcome.

    Args:
        settings: All options.
        registry: Where the versions are.
        shares: Folders of corrected documents, as :func:`training_share` gives them.
        wanted: Options of ``training.train_crf`` by name.
        by: Who asked, for the record.
        note: A line for the model card.

    Raises:
        MissingDependencyError: The training package is not here.
        TrainingError: The program failed.
    """
    parent = registry.current().version
    staging = settings.registry_folder / "staging"
    _remove_abandoned(staging)
    stage = staging / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        for name in registry.record(parent).files:
            target = stage / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(registry.folder(parent) / name, target)
        command = ["--models", str(stage), "--schemas", str(settings.schemas_folder)]
        for name, value in wanted.items():
            command += [f"--{name}", str(value)]
        for share in shares:
            command += ["--dataset", str(share)]
        _run("training.train_crf", command)
        return registry.register(stage, by=by, parent=registry.identity(parent), note=note)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def training_share(folder: Path) -> Path:
    """The part of a data set that may be trained on.

    Raises:
        NotFoundError: There is none, or it is empty.
    """
    share = folder / TRAIN if (folder / "dataset.json").is_file() else folder
    if not any(share.glob("*.json")):
        raise NotFoundError(
            f"no corrected documents in {share}",
            hint="`idp models dataset` makes a data set once people have corrected documents.",
        )
    return share.absolute()


def compared(
    settings: Settings, registry: Registry, version: str, champion: str, folder: Path
) -> Evaluation:
    """A version beside the champion on a set that nobody trains on.

    Raises:
        RefusedError: The folder is what models are trained on.
        NotFoundError: It holds no pages.
        TrainingError: The program failed, or what it says can't be read.
    """
    if folder.name == TRAIN and (folder.parent / "dataset.json").is_file():
        raise RefusedError(
            f"{folder} is what models are trained on", hint="Evaluate on its locked share."
        )
    if not any(folder.glob("pages/*.json")):
        raise NotFoundError(
            f"no pages/NAME.json in {folder}",
            hint="Name the locked share of a data set, or a corpus with its pages as read.",
        )
    out = settings.registry_folder / f".compared-{uuid.uuid4().hex}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        _run(
            "training.compare",
            [
                *("--champion", str(registry.folder(champion).absolute())),
                *("--challenger", str(registry.folder(version).absolute())),
                *("--set", str(folder.absolute())),
                *("--schemas", str(settings.schemas_folder)),
                *("--json", str(out)),
            ],
        )
        found = json.loads(out.read_text(encoding="utf-8"))
        documents = _COMPARED.validate_python(found["documents"])
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise TrainingError(f"the comparison can't be read: {type(error).__name__}") from error
    finally:
        out.unlink(missing_ok=True)
    return evaluate(
        documents,
        challenger=registry.identity(version),
        champion=registry.identity(champion),
        set_name=str(folder),
        set_sha256=found["set_sha256"],
        kind=found["kind"],
        at=dt.datetime.now(dt.UTC).isoformat(),
        draws=settings.learning.gate.draws,
    )


def _remove_abandoned(staging: Path) -> None:
    """What trainings left behind that were killed."""
    for folder in staging.glob("*-*"):
        pid = folder.name.split("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _run(module: str, arguments: Sequence[str]) -> None:
    """Run a program of the training package, one thread, low priority."""
    if not is_installed():
        raise not_installed()
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(  # noqa: S603 - our own program, no shell
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **threads},
        preexec_fn=_stand_back,
    )
    if done.returncode:
        sys.stderr.write(done.stderr[-_TAIL:])
        raise TrainingError(f"python -m {module} ended with {done.returncode}")


def _stand_back() -> None:
    """In the child: low priority, and it ends with us, also when we are killed (Linux)."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

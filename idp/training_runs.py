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
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import psutil
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from idp.errors import MissingDependencyError, NotFoundError, RefusedError, TrainingError
from idp.learning import (
    TRAIN,
    Compared,
    Evaluation,
    ModelRecord,
    Registry,
    evaluate,
    hash_of,
    sha256_of,
)
from idp.settings import Settings

NICENESS = 10
"""How much the training programs stand back for the service."""

CRF: Mapping[str, int] = {
    "documents": 1800,
    "families": 360,
    "iterations": 45,
    "seed": 1,
    "repeat": 4,
}
"""Options of ``training.train_crf`` where nothing else is wanted: minutes on one thread."""

LAYOUTLM: Mapping[str, int] = {"documents": 1500, "seed": 1, "repeat": 4, "judged": 100}
"""Options of ``training.layoutlm tune``: about ten minutes on one thread."""

_NEEDED = ("torch", "transformers", "onnx")
"""What the LayoutLM tagger is trained with; the appliance runs it without."""


class Tagger(StrEnum):
    """Which tagger is trained; the other one stays as it is in force."""

    CRF = "crf"
    LAYOUTLM = "layoutlm"
    BOTH = "both"


class Wanted(NamedTuple):
    """What is to be trained, and how: options of the training programs by name."""

    tagger: Tagger = Tagger.CRF
    crf: Mapping[str, int] = CRF
    layoutlm: Mapping[str, int] = LAYOUTLM


class Progress(BaseModel):
    """How far a training program is; ``seconds_left`` only once enough was done to tell."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    part: str
    done: int
    all: int
    seconds_left: int | None = None

    @property
    def words(self) -> str:
        """For people."""
        if self.seconds_left is None:
            return f"{self.part}: {self.done} of {self.all}"
        minutes = max(1, round(self.seconds_left / 60))
        return f"{self.part}: {self.done} of {self.all}, about {minutes} min left"


class _Line(BaseModel):
    progress: Progress


Tell = Callable[[Progress], None]


def _nobody(progress: Progress) -> None:
    del progress


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


def check_installed(tagger: Tagger = Tagger.CRF) -> None:
    """Raises :class:`MissingDependencyError` where a tagger can't be trained here."""
    if not is_installed():
        raise not_installed()
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if tagger is not Tagger.CRF and missing:
        raise MissingDependencyError(
            f"{', '.join(missing)}: not installed, and the LayoutLM tagger is trained with it",
            hint="`make install-train` in the checkout installs it; `--tagger crf` needs nothing.",
        )


def trained(
    settings: Settings,
    registry: Registry,
    shares: Sequence[Path],
    wanted: Wanted,
    *,
    by: str,
    note: str = "",
    labelled: Sequence[Path] = (),
    tell: Tell = _nobody,
) -> ModelRecord:
    """Train beside a copy of the models in force, and register the outcome.

    A fine-tuning that was killed goes on where it stood when the same is asked for again.

    Args:
        settings: All options.
        registry: Where the versions are.
        shares: Folders of corrected documents, as :func:`training_share` gives them.
        wanted: What is trained, and how.
        by: Who asked, for the record.
        note: A line for the model card.
        labelled: Folders of labelled pages (files of ``training.labelled``) to learn from as well.
        tell: Told how far the program at work is.

    Raises:
        MissingDependencyError: The training package, or what the tagger needs, is not here.
        TrainingError: The program failed.
    """
    check_installed(wanted.tagger)
    parent = registry.current().version
    staging = settings.registry_folder / "staging"
    _remove_abandoned(staging)
    stage = staging / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        for name in registry.record(parent).files:
            target = stage / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(registry.folder(parent) / name, target)
        common = ["--models", str(stage), "--schemas", str(settings.schemas_folder)]
        for share in shares:
            common += ["--dataset", str(share)]
        for folder in labelled:
            common += ["--labelled", str(folder.absolute())]
        if wanted.tagger is not Tagger.CRF:
            # First: what nobody spoke of on a corrected page is labelled by the CRF in force.
            learnt = (*shares, *labelled)
            state = _state_of(settings, registry.identity(parent), wanted.layoutlm, learnt)
            options = [*common, "--state", str(state), *_options(wanted.layoutlm)]
            _run("training.layoutlm", ["tune", *options], tell)
            state.unlink(missing_ok=True)
        if wanted.tagger is not Tagger.LAYOUTLM:
            _run("training.train_crf", [*common, *_options(wanted.crf)], tell)
        return registry.register(stage, by=by, parent=registry.identity(parent), note=note)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _options(wanted: Mapping[str, int]) -> list[str]:
    return [word for name, value in wanted.items() for word in (f"--{name}", str(value))]


def _state_of(
    settings: Settings, parent: str, wanted: Mapping[str, int], learnt: Sequence[Path]
) -> Path:
    """Where a fine-tuning keeps its state; states of other ones, given up long ago, go."""
    told = [(name, str(value)) for name, value in wanted.items()]
    told += [
        (f"{place} {path.relative_to(folder)}", sha256_of(path))
        for place, folder in enumerate(learnt)
        for path in sorted(folder.rglob("*.json"))
    ]
    home = settings.registry_folder / "tuning"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)  # it has seen patients' data
    state = home / f"{hash_of([*told, ('parent', parent)])[:16]}.pt"
    for other in home.glob("*.pt"):
        if other != state:
            other.unlink(missing_ok=True)
    return state


def filled(
    settings: Settings,
    folder: Path,
    split: str,
    *,
    copies: int,
    limit: int = 0,
    tell: Tell = _nobody,
) -> int:
    """Fill the registered forms with fictitious people, fax, read and label them.

    What was read before is not read again.

    Args:
        settings: All options.
        folder: Becomes a corpus: truths, ``pages/``, and ``labelled/`` for training.
        split: Whose people and fonts: ``train``, or ``heldout`` for what judges.
        copies: How often each form is filled.
        limit: Most forms; 0 is all.
        tell: Told how far it is.

    Returns:
        How many documents the corpus holds.

    Raises:
        MissingDependencyError: The training package is not here.
        TrainingError: The program failed, or no form could be filled.
    """
    options = {"copies": copies, "limit": limit}
    _run(
        "training.forms",
        [
            *("--library", str(settings.forms_folder.absolute())),
            *("--out", str(folder.absolute()), "--split", split, "--variants", "clean,fine"),
            *("--models", str(settings.models_folder), "--schemas", str(settings.schemas_folder)),
            *("--progress", *_options(options)),
        ],
        tell,
    )
    return sum(1 for _ in folder.glob("pages/*.json"))


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
                # What would run is judged, not what the folder could do.
                *(() if settings.extract.layoutlm else ("--no-layoutlm",)),
            ],
        )
        found = json.loads(out.read_text(encoding="utf-8"))
        documents = _COMPARED.validate_python(found["documents"])
        one, two = (float(each) for each in found["documents_per_cpu_second"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
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
        documents_per_cpu_second=(one, two),
    )


def _remove_abandoned(staging: Path) -> None:
    """What trainings left behind that were killed."""
    for folder in staging.glob("*-*"):
        pid = folder.name.split("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _run(module: str, arguments: Sequence[str], tell: Tell = _nobody) -> None:
    """Run a program of the training package, one thread, low priority."""
    if not is_installed():
        raise not_installed()
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as troubles,
        subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=troubles,
            text=True,
            env={**os.environ, **threads},
            preexec_fn=_stand_back,  # noqa: PLW1509 - two system calls, no lock
        ) as child,
    ):
        assert child.stdout is not None
        try:
            for line in child.stdout:
                if line.startswith('{"progress"'):
                    with contextlib.suppress(ValidationError):
                        tell(_Line.model_validate_json(line).progress)
        except BaseException:
            child.kill()
            raise
        if child.wait():
            troubles.seek(max(0, troubles.seek(0, os.SEEK_END) - _TAIL))
            sys.stderr.write(troubles.read())
            raise TrainingError(f"python -m {module} ended with {child.returncode}")


def _stand_back() -> None:
    """In the child: low priority, and it ends with us, also when we are killed (Linux)."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

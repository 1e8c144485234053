# SPDX-License-Identifier: Apache-2.0
"""The projects that reviewers work in: one per document type, and one for doubtful cuts.

What they should be like is a :class:`Plan`, plain data made here. ``review_ui/provision.py`` brings
Label Studio to it, in Label Studio's own environment and with its own SDK; it changes only what
differs, so that it may be called at every start. The numbers of the projects are kept in
``<review folder>/projects.json``; losing that file loses nothing, since a project is known by the
mark in its description.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import ReviewError
from idp.review.access import (
    WEBHOOK_PATH,
    appliance_mark,
    hook_file,
    make_private,
    place_of,
    webhook_secret,
)
from idp.review.pages import links_of
from idp.review.server import PROGRAMS, interpreter_of
from idp.slices import ReviewSettings

MODEL_VERSION = "idp"
"""What every prediction of a queue is named after: Label Studio serves the least sure first only
among those of one name. Which models spoke stands in the task's data."""
DUE = "due_at"
"""Key in a task's data: when the first clock ends, ISO 8601 in UTC, so that text sorts as time."""
NO_DUE = "9999"
"""What stands there when no clock runs: it sorts last."""

_ACTIONS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")
_STORAGE_TITLE = "idp pages"
_MOST_SECONDS = 300.0
_MOST_ANSWER_BYTES = 1_000_000
_LOOK_SECONDS = 0.2
_PASSED_ON = ("PATH", "LANG", "TMPDIR")
_OPEN = {
    "conjunction": "and",
    "items": [
        {
            "filter": "filter:tasks:completed_at",
            "operator": "empty",
            "type": "Datetime",
            "value": True,
        }
    ],
}
_DEFAULT_INSTRUCTION = (
    "<p>Correct what is wrong in the open fields and submit. A field that is not on the page is "
    "<b>missing</b>; one that nobody can read is <b>illegible</b>.</p>"
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Screen(NamedTuple):
    """What one project shows."""

    key: str
    """The document type, or :data:`idp.reviewing.SPLITTING`."""
    title: str
    config: str
    """The labelling config, XML."""
    instruction: str = _DEFAULT_INSTRUCTION


class ProjectPlan(_Frozen):
    """One project as it should be."""

    key: str
    options: dict[str, Any]
    model_version: str = MODEL_VERSION
    views: tuple[dict[str, Any], ...]


class WebhookPlan(_Frozen):
    """Where Label Studio says that somebody answered, and with what it proves itself."""

    url: str
    headers: dict[str, str]
    actions: tuple[str, ...] = _ACTIONS


class Plan(_Frozen):
    """All that is set up in one Label Studio."""

    mark: str
    projects: tuple[ProjectPlan, ...]
    storage: str | None
    storage_title: str = _STORAGE_TITLE
    webhook: WebhookPlan | None
    webhook_path: str = WEBHOOK_PATH


class Provisioned(_Frozen):
    """What is set up; the content of ``projects.json``."""

    format: Literal[1] = 1
    url: str
    projects: dict[str, int]

    def project(self, key: str) -> int:
        """The number of a document type's project.

        Raises:
            ReviewError: There is none.
        """
        if key not in self.projects:
            raise ReviewError(
                f"there is no project for {key}", hint="`idp review setup` makes what is missing."
            )
        return self.projects[key]


class Outcome(NamedTuple):
    """What one setting up did."""

    provisioned: Provisioned
    changes: dict[str, tuple[str, ...]]
    """What was changed, by project; empty where all was as it should be."""
    problems: tuple[str, ...]
    """What Label Studio refused; everything else was done."""


def plan_of(
    screens: Sequence[Screen],
    *,
    mark: str,
    storage: Path | None,
    webhook: WebhookPlan | None,
) -> Plan:
    """The plan for these screens.

    Args:
        screens: What each project shows.
        mark: What our projects' descriptions begin with; one word.
        storage: Folder of the page images on the same machine, or ``None``.
        webhook: Where answers are hinted at, or ``None``.
    """
    return Plan(
        mark=mark,
        projects=tuple(_project(screen) for screen in screens),
        storage=None if storage is None else str(storage.absolute()),
        webhook=webhook,
    )


def _project(screen: Screen) -> ProjectPlan:
    return ProjectPlan(
        key=screen.key,
        options={
            "title": screen.title,
            # Label Studio keeps both without the white space around them.
            "label_config": screen.config.strip(),
            "expert_instruction": screen.instruction.strip(),
            "show_instruction": False,
            "show_skip_button": True,
            "enable_empty_annotation": False,
            "show_annotation_history": False,
            "show_collab_predictions": True,
            "reveal_preannotations_interactively": False,
            "maximum_annotations": 1,
            "sampling": "Uncertainty sampling",
        },
        views=(
            _view("Nearest deadline first", [f"tasks:data.{DUE}"], _OPEN),
            _view("Least sure first", ["tasks:predictions_score"], _OPEN),
            _view("All", ["-tasks:updated_at"], {"conjunction": "and", "items": []}),
        ),
    )


def _view(title: str, ordering: list[str], filters: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": title, "type": "list", "ordering": ordering, "filters": filters}


def webhook_of(settings: ReviewSettings, folder: Path) -> WebhookPlan | None:
    """Where Label Studio hints that something was answered; ``None`` where polling must do.

    Our own one hints to a receiver of its own on loopback, whatever address, port and certificate
    the gate has. An existing one hints to the gate, where ``review.address`` says where that is.
    """
    if settings.label_studio == "own":
        try:
            address = hook_file(folder).read_text(encoding="ascii").strip()
        except OSError:
            return None  # never ran: the first start makes it
    elif settings.address is not None:
        address = settings.address
    else:
        return None
    return WebhookPlan(
        url=f"{address}{WEBHOOK_PATH}",
        headers={"Authorization": f"Bearer {webhook_secret(folder)}"},
    )


def standing_plan(settings: ReviewSettings, folder: Path, screens: Sequence[Screen]) -> Plan:
    """The plan of this installation: its mark, its folder of pages, its receiver.

    Raises:
        ReviewError: The review folder can't be written.
    """
    return plan_of(
        screens,
        mark=appliance_mark(folder),
        # Where pages are links there is no folder to see. An existing one on this machine that
        # can't see it refuses it, and the operator is told.
        storage=folder / "pages" if links_of(settings, folder) is None else None,
        webhook=webhook_of(settings, folder),
    )


def provisioned(folder: Path) -> Provisioned | None:
    """What was set up last; ``None`` before that, and when the file is damaged."""
    try:
        return Provisioned.model_validate_json((folder / "projects.json").read_bytes())
    except (OSError, ValidationError):
        return None


def provision(
    settings: ReviewSettings,
    folder: Path,
    screens: Sequence[Screen],
    *,
    stopping: threading.Event | None = None,
) -> Outcome:
    """Bring Label Studio to the plan; again and again without harm, also when cut off in between.

    Args:
        settings: The review's options.
        folder: The review folder (``settings.review_folder``).
        screens: What each project shows.
        stopping: Set when it is to be given up.

    Raises:
        ReviewError: Its environment is missing, or Label Studio can't be reached or refuses.
    """
    place = place_of(settings, folder)
    python = interpreter_of(settings)
    make_private(folder)
    make_private(folder / "pages")
    plan = standing_plan(settings, folder, screens)
    asked = {
        "url": place.url,
        "token": place.token,
        "request_seconds": settings.request_seconds,
        "plan": plan.model_dump(mode="json"),
    }
    with _alone(folder):
        answer = _child(python, json.dumps(asked).encode(), stopping or threading.Event())
        if "error" in answer:
            raise ReviewError(answer["error"])
        done = Provisioned(
            url=place.url,
            projects={key: project["id"] for key, project in answer["projects"].items()},
        )
        _keep(folder / "projects.json", done)
    changes = {key: tuple(project["changes"]) for key, project in answer["projects"].items()}
    return Outcome(done, changes, tuple(answer["problems"]))


def _keep(path: Path, done: Provisioned) -> None:
    half = path.with_suffix(".tmp")
    try:
        with half.open("w", encoding="utf-8") as stream:
            stream.write(done.model_dump_json(indent=1))
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(path)
    except OSError as error:
        raise ReviewError(f"{path} can't be written: {error.strerror}") from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two at a time would each make the projects that they do not find."""
    with (folder / "provisioning.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _child(python: Path, asked: bytes, stopping: threading.Event) -> dict[str, Any]:
    """Run the program in Label Studio's environment.

    Raises:
        ReviewError: It fails, takes too long, or we are stopping.
    """
    with tempfile.TemporaryFile() as told:
        # A file without a name, not a pipe: it takes any size at once, whatever the child does.
        told.write(asked)
        told.seek(0)
        child = subprocess.Popen(  # noqa: S603 - our own program, what it is told is ours
            [python, PROGRAMS / "provision.py"],
            stdin=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
    deadline = time.monotonic() + _MOST_SECONDS
    try:
        while True:
            try:
                answer, _ = child.communicate(timeout=_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if stopping.is_set():
                    raise ReviewError("setting Label Studio up was cut off") from None
                if time.monotonic() > deadline:
                    raise ReviewError("setting Label Studio up took too long") from None
    finally:
        child.kill()
        child.wait()
    if child.returncode != 0 or len(answer) > _MOST_ANSWER_BYTES:
        raise ReviewError(
            f"review_ui/provision.py failed (status {child.returncode})",
            hint="Run `scripts/review` again: the environment may be of another version.",
        )
    found: dict[str, Any] = json.loads(answer)
    return found

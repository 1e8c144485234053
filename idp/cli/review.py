# SPDX-License-Identifier: Apache-2.0
"""Verbs about Label Studio: set up, status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import typer
from rich.table import Table
from rich.text import Text

from idp.cli.border import messages, print_json, tables
from idp.errors import ExitCode, ReviewError
from idp.review import (
    LabelStudio,
    Place,
    healthy,
    place_of,
    provision,
    provisioned,
    screens_of,
)
from idp.review.status import ProjectState, project_states, release_of
from idp.settings import Settings, load_settings

_START_SECONDS = 300.0
_QUICK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """What ``idp status`` says of the review, in one line."""

    answers: bool
    url: str
    problem: str | None


def review_line(settings: Settings) -> ReviewLine | None:
    """Whether Label Studio answers now; ``None`` where there is none."""
    if settings.review.label_studio == "none":
        return None
    try:
        url = place_of(settings.review, settings.review_folder).url
    except ReviewError as error:
        return ReviewLine(answers=False, url="", problem=error.message)
    answers = healthy(url, _QUICK_SECONDS)
    problem = None if answers else "Label Studio does not answer; documents wait in review"
    return ReviewLine(answers=answers, url=url, problem=problem)


def set_up(*, as_json: bool) -> None:
    """Bring the projects to the plan and tell what was changed.

    Raises:
        ReviewError: No Label Studio is wanted, it can't be started or reached, or it refuses.
    """
    settings = load_settings()
    screens = screens_of(settings)
    with _running(settings):
        outcome = provision(settings.review, settings.review_folder, screens)
    if as_json:
        print_json(
            {
                "schema": "idp.review.setup/1",
                "url": outcome.provisioned.url,
                "projects": outcome.provisioned.projects,
                "changes": {key: list(changes) for key, changes in outcome.changes.items()},
                "problems": list(outcome.problems),
            }
        )
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("project", "number", "changed"):
            table.add_column(heading, overflow="fold")
        for key, number in outcome.provisioned.projects.items():
            changed = ", ".join(outcome.changes[key]) or "nothing: it was as it should be"
            table.add_row(Text(key), Text(str(number)), Text(changed))
        tables().print(table)
        for problem in outcome.problems:
            messages().print(Text(problem, "red"))
    if outcome.problems:
        raise typer.Exit(ExitCode.NO_ACCESS)


@contextmanager
def _running(settings: Settings) -> Iterator[Place]:
    """A Label Studio that answers; our own is started when it does not run."""
    review, folder = settings.review, settings.review_folder
    if review.label_studio != "own":
        yield place_of(review, folder)
        return
    if review.port and healthy(place_of(review, folder).url, _QUICK_SECONDS):
        yield place_of(review, folder)
        return
    messages().print("[dim]starting Label Studio; the first time takes a minute[/]")
    server = LabelStudio(review, folder)
    server.start()
    try:
        waited = 0.0
        while not server.wait(1.0):
            waited += 1.0
            # Trouble with starting does not go away while somebody waits for it here.
            if (problem := server.problem()) is not None or waited > _START_SECONDS:
                raise ReviewError(problem or "Label Studio did not come up")
        yield place_of(review, folder)
    finally:
        server.stop()


def show_review(*, as_json: bool) -> None:
    """Whether it answers, and its projects.

    Raises:
        ReviewError: No Label Studio is wanted, or it does not answer.
    """
    settings = load_settings()
    place = place_of(settings.review, settings.review_folder)
    if not healthy(place.url):
        raise ReviewError(f"Label Studio does not answer at {place.url}")
    release = release_of(place)
    known = provisioned(settings.review_folder)
    states: tuple[ProjectState, ...] = ()
    if known is not None:
        states = project_states(place, known, seconds=settings.review.request_seconds)
    if as_json:
        print_json(
            {
                "schema": "idp.review.status/1",
                "url": place.url,
                "release": release,
                "set_up": known is not None,
                "projects": [asdict(state) for state in states],
            }
        )
        return
    console = tables()
    console.print(Text(f"Label Studio {release} answers at {place.url}"))
    if known is None:
        console.print(Text("its projects are not set up: `idp review setup`", "yellow"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("project")
    for heading in ("number", "tasks"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for state in states:
        tasks = "" if state.tasks is None else f"{state.tasks:,}"
        trouble = Text(state.problem or "", "red")
        table.add_row(state.key, str(state.number), tasks, trouble)
    console.print(table)

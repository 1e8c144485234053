# SPDX-License-Identifier: Apache-2.0
"""What an administrator asks of Label Studio: its release, and what stands in its projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx

from idp.errors import ReviewError
from idp.review.access import Place, own_url, place_of
from idp.review.client import Client
from idp.review.provisioning import Provisioned, provisioned
from idp.review.server import VERSION, healthy, installed
from idp.slices import ReviewSettings

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ProjectState:
    """One project and how many tasks it has; what is answered and taken is removed from it."""

    key: str
    number: int
    tasks: int | None
    """``None`` with a ``problem``."""
    problem: str | None = None


def release_of(place: Place) -> str:
    """The release that answers there.

    Raises:
        ReviewError: It does not answer as Label Studio does.
    """
    try:
        answer = httpx.get(f"{place.url}/api/version", timeout=_SECONDS, trust_env=False)
        return str(answer.raise_for_status().json()["release"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise ReviewError(
            f"{place.url} does not answer as Label Studio does: {type(error).__name__}"
        ) from error


def project_states(place: Place, known: Provisioned, *, seconds: float) -> tuple[ProjectState, ...]:
    """Every project as it stands now; one that is gone or closed to us is no error.

    Args:
        place: The Label Studio.
        known: What was set up there.
        seconds: Longest wait for one answer.
    """
    states = []
    with Client(place.url, place.token, seconds=seconds) as client:
        for key, number in known.projects.items():
            try:
                states.append(ProjectState(key, number, client.count(number)))
            except ReviewError as error:
                states.append(ProjectState(key, number, None, error.message))
    return tuple(states)


def examine_review(settings: ReviewSettings, folder: Path) -> tuple[str, str, tuple[str, ...]]:
    """For ``idp doctor``: the release, what is well, and what an operator should know.

    Args:
        settings: The review's options.
        folder: The review folder (``settings.review_folder``).

    Raises:
        ReviewError: It is to be there and is not installed, does not answer or refuses our token.
    """
    if settings.label_studio == "none":
        return "", "none wanted (review.label_studio)", ()
    release = ""
    if settings.label_studio == "own":
        release = installed(settings)["label-studio"]
        if release != VERSION:
            return release, "", (f"the screen is made for {VERSION}: run `scripts/review`",)
        if not healthy(_url(settings, folder)):
            return release, "", ("installed, and not running: `idp run` starts it",)
    place = place_of(settings, folder)
    release = release_of(place)
    advice = []
    if release != VERSION:
        advice.append(f"the screen is made for {VERSION}")
    known = provisioned(folder)
    if known is None:
        return release, f"answers at {place.url}", (*advice, "not set up: `idp review setup`")
    if settings.label_studio == "existing" and settings.address is None:
        advice.append(
            f"no webhook: answers are found by polling alone, every {settings.poll_seconds:g} s "
            "(review.address tells it where the gate is)"
        )
    states = project_states(place, known, seconds=settings.request_seconds)
    if states and all(state.problem for state in states):
        raise ReviewError(states[0].problem or "")
    advice += [f"project {state.key}: {state.problem}" for state in states if state.problem]
    tasks = sum(state.tasks or 0 for state in states)
    return release, f"{len(states)} projects, {tasks:,} tasks at {place.url}", tuple(advice)


def _url(settings: ReviewSettings, folder: Path) -> str:
    """The address of our own one; one that nothing answers at when it was never started."""
    try:
        return own_url(settings, folder)
    except ReviewError:
        return "http://127.0.0.1:9"

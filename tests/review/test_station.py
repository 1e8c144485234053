# SPDX-License-Identifier: Apache-2.0
"""The appliance with its own Label Studio: it comes up without it, and says so."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from idp.appliance import Appliance
from idp.cli.review import review_line
from idp.review import VERSION, Station, provision, provisioned, screens_in_force
from idp.review.status import examine_review
from idp.settings import Settings
from idp.store import State
from tests.faults.running import drop, wait_until
from tests.faults.stand_in import pipeline_of, settings_for
from tests.review.conftest import START_SECONDS, Running, review_settings


def told_by(appliance: Appliance, wanted: str) -> str:
    """What the status page shows of the review, once it shows it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for problem in appliance.problems():
            if wanted in problem:
                return problem
        time.sleep(0.1)
    raise AssertionError(appliance.problems())


def without_label_studio(tmp_path: Path) -> Settings:
    settings = settings_for(tmp_path / "data")
    review = review_settings(environment=tmp_path / "nothing-here")
    return settings.model_copy(update={"review": review})


def test_the_appliance_works_without_label_studio_and_says_so(tmp_path: Path) -> None:
    settings = without_label_studio(tmp_path)
    drop(settings.data, "one.tif", b"page")
    drop(settings.data, "two.tif", b"page review")
    with Appliance(settings, pipeline=pipeline_of("good", 0)) as appliance:
        problem = told_by(appliance, "there is no environment with Label Studio")
        wait_until(lambda: appliance.store.counts().get(State.DELIVERED) == 1)
        wait_until(lambda: appliance.store.counts().get(State.REVIEW) == 1)
        assert problem.startswith("review: ")
        assert problem.endswith("documents wait in review")
        line = review_line(settings)
    assert line is not None
    assert not line.answers
    assert line.problem


def test_it_is_set_up_by_itself(label_studio: Running, tmp_path: Path) -> None:
    """On a copy of the database, since making one anew takes longer than all of the rest."""
    folder = tmp_path / "review"
    shutil.copytree(label_studio.folder / "label-studio", folder / "label-studio")
    station = Station(review_settings(), folder, lambda: screens_in_force(None))
    assert provisioned(folder) is None
    station.start()
    try:
        assert station.wait(START_SECONDS), station.problems()
        assert station.problems() == ()
        done = provisioned(folder)
        assert done is not None
        assert set(done.projects) == {screen.key for screen in screens_in_force(None)}
        release, told, advice = examine_review(review_settings(), folder)
        assert release == VERSION
        assert told.startswith("6 projects, 0 tasks at http://127.0.0.1:")
        assert advice == ()
    finally:
        station.stop()
    assert examine_review(review_settings(), folder)[2] == (
        "installed, and not running: `idp run` starts it",
    )


def test_an_existing_one_is_used_by_address_and_token(
    label_studio: Running, tmp_path: Path
) -> None:
    """One of somebody else's: set up, not started; several appliances may share it."""
    existing = review_settings(
        label_studio="existing",
        url=f"{label_studio.place.url}/",
        token_file=label_studio.folder / "token",
    )
    guest = label_studio.folder / "guest"
    station = Station(existing, guest, lambda: screens_in_force(None))
    station.start()
    try:
        assert station.wait(120), station.problems()
        assert station.problems() == ()
        done = provisioned(guest)
        assert done is not None
        ours = provisioned(label_studio.folder)
        assert ours is None or not set(done.projects.values()) & set(ours.projects.values())
    finally:
        station.stop()
    outside = provision(existing, tmp_path / "review", screens_in_force(None)[:1])
    assert ["storage: 400" in problem for problem in outside.problems] == [True], (
        "it can't see the page images there, and says so"
    )


def test_stopping_does_not_wait_for_label_studio(needed: None, tmp_path: Path) -> None:
    station = Station(review_settings(), tmp_path / "review", lambda: screens_in_force(None))
    station.start()
    time.sleep(1)
    began = time.monotonic()
    station.stop()
    assert time.monotonic() - began < 15


def test_a_missing_environment_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="there is no environment with Label Studio") as caught:
        examine_review(review_settings(environment=tmp_path / "none"), tmp_path / "review")
    assert "scripts/review" in caught.value.operator_hint  # type: ignore[attr-defined]

# SPDX-License-Identifier: Apache-2.0
"""One button from corrections to a challenger that was evaluated and is not in force."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from idp.cli import app
from idp.errors import AlreadyRunningError, ExitCode, MissingDependencyError
from idp.gate import hashed
from idp.learning import SHIPPED, Registry
from idp.retraining import Step, Trainer, is_running, last
from idp.serve import create_app
from idp.settings import load_settings
from idp.store import Role
from tests.component.test_models_loop import (
    COPIES,
    FAMILIES,
    TINY,
    corrected,
    data,
    store,
)

pytestmark = pytest.mark.component

__all__ = ["corrected", "data", "store"]
OURS = {"Origin": "http://127.0.0.1:8600", "Sec-Fetch-Site": "same-origin"}


def _ended(group: int) -> None:
    """The program at work ends with the one that started it, however that ended."""
    deadline = time.monotonic() + 10
    while any(os.getpgid(each) == group for each in psutil.pids() if psutil.pid_exists(each)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def retrain_(*words: str) -> Any:
    return CliRunner().invoke(app, ["models", "retrain", "--json", *words])


def test_only_one_at_a_time_and_a_killed_one_is_begun_again(data: Path, store: Any) -> None:
    settings = load_settings()
    command = [sys.executable, "-c", "from idp.cli import main; main()"]
    child = subprocess.Popen([*command, "models", "retrain"], start_new_session=True)
    try:
        deadline = time.monotonic() + 90
        while not ((found := last(settings)) and found.step is Step.TRAINING):
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.1)
        assert is_running(settings)
        refused = retrain_(*TINY)
        assert refused.exit_code == ExitCode.ALREADY_RUNNING
        with pytest.raises(AlreadyRunningError):
            Trainer(settings).start("person:ada")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    _ended(child.pid)
    assert not is_running(settings)
    status = CliRunner().invoke(app, ["models", "retrain", "--status"])
    assert "killed" in status.stdout
    assert json.loads(retrain_(*TINY).stdout)["step"] == "done"
    assert [each.name for each in (data / "models" / "staging").iterdir()] == []
    noted = [e.action for e in store.events(limit=20) if e.action.startswith("models_retrain")]
    assert noted == ["models_retrain_began", "models_retrain_began", "models_retrain_ended"]


def test_the_button_is_for_administrators_alone(
    data: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_SERVE__SIGN_ON", "true")
    settings = load_settings()
    trainer = Trainer(settings, TINY)
    started: list[str] = []
    monkeypatch.setattr(trainer, "start", started.append)
    app_of_it = create_app(settings, store, trainer=trainer)
    home, password = "http://127.0.0.1:8600", "seven wet umbrellas"
    for name, role in (("lea", Role.LEAD), ("ada", Role.ADMINISTRATOR)):
        store.add_person(name, role, hashed(password, name=name, fewest=12), actor="test")
        client = TestClient(app_of_it, base_url=home, follow_redirects=False)
        given = {"name": name, "password": password}
        assert client.post("/gate/sign-in", data=given, headers=OURS).status_code == 303
        page = client.get("/")
        assert page.status_code == 200
        answer = client.post("/models/retrain", headers=OURS)
        if role is Role.LEAD:
            assert "/models/retrain" not in page.text
            assert answer.status_code == 403
            assert started == []
        else:
            assert "/models/retrain" in page.text
            assert answer.status_code == 303
            assert started == ["user:ada"]


def test_the_button_starts_one_and_shows_how_it_ended(
    data: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_LEARNING__LOCKED_SHARE", "0.5")
    monkeypatch.setenv("IDP_LEARNING__GATE__MIN_DOCUMENTS", "2")
    settings = load_settings()
    trainer = Trainer(settings, TINY)
    client = TestClient(
        create_app(settings, store, trainer=trainer), base_url="http://127.0.0.1:8600"
    )
    page = client.get("/").text
    assert f"Train on {FAMILIES * COPIES} new corrections" in page
    assert client.post("/models/retrain").status_code == 403, "another site's page"
    answer = client.post("/models/retrain", headers=OURS, follow_redirects=False)
    assert answer.status_code == 303
    assert "Retraining" in client.get("/").text
    assert client.post("/models/retrain", headers=OURS).status_code == 409
    deadline = time.monotonic() + 240
    while trainer.busy():
        assert time.monotonic() < deadline, last(settings)
        time.sleep(0.3)
    found = last(settings)
    assert found is not None
    assert (found.step, found.by) == (Step.DONE, "status page"), found
    shown = client.get("/").text
    assert found.version is not None
    assert found.version in shown
    assert "not promoted" in shown
    assert "Train on" not in shown, "nothing new was corrected since"
    assert found.learnt == FAMILIES * COPIES
    assert found.documents + found.locked == FAMILIES * COPIES
    assert found.passed is False, "a dozen pages teach little"
    assert "the gate refuses it" in shown
    assert found.challenger_f1 is not None
    assert found.champion_f1 is not None
    assert found.challenger_f1 < found.champion_f1
    registry = Registry(settings.registry_folder, settings.models_folder)
    assert registry.current().version == SHIPPED, "nobody promoted it"
    (evaluation,) = registry.evaluations(found.version)
    assert evaluation.overall.documents == found.locked
    assert "retrained on" in registry.record(found.version).note
    trainer.close()


def test_stopping_ends_the_one_at_work(data: Path) -> None:
    settings = load_settings()
    trainer = Trainer(settings)
    trainer.start("status page")
    deadline = time.monotonic() + 90
    while not is_running(settings):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    trainer.close()
    assert not is_running(settings)
    assert not trainer.busy()


def test_without_the_training_package_it_says_so(
    data: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("idp.retraining", "idp.training_runs"):
        monkeypatch.setattr(f"{module}.is_installed", lambda: False)
    refused = retrain_(*TINY)
    assert refused.exit_code == ExitCode.MISSING_DEPENDENCY
    assert "make install-train" in refused.stderr
    settings = load_settings()
    with pytest.raises(MissingDependencyError):
        Trainer(settings).start("status page")
    client = TestClient(
        create_app(settings, store, trainer=Trainer(settings)), base_url="http://127.0.0.1:8600"
    )
    page = client.get("/").text
    assert "Train on" not in page
    assert "training package is not installed" in page


def test_a_tagger_that_needs_more_than_there_is_says_what_to_install(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.training_runs._NEEDED", ("no_such_package",))
    for words in (("train",), ("retrain",)):
        refused = CliRunner().invoke(app, ["models", *words, "--tagger", "layoutlm"])
        assert refused.exit_code == ExitCode.MISSING_DEPENDENCY
        assert "make install-train" in refused.stderr
        assert "--tagger crf" in refused.stderr
    assert last(load_settings()) is None, "nothing began"

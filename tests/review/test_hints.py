# SPDX-License-Identifier: Apache-2.0
"""Label Studio says that something was answered: at once, and whatever the gate speaks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from idp.gate import gate_of, receiver_of
from idp.review.access import hook_file, webhook_secret
from idp.review.loop import ReviewLoop
from idp.review.provisioning import standing_plan
from idp.review.sync import Sync
from idp.settings import Settings
from idp.slices import AccessSettings, ReviewSettings
from idp.store import State
from tests.component.test_users_cli import certificate
from tests.review.conftest import Running
from tests.review.office import Office, value

DOCUMENTS = int(os.environ.get("IDP_REVIEW_HINTS", "20"))
NEVER = 3600.0
"""Seconds between two polls: what is found sooner was hinted at."""


@pytest.fixture
def office(label_studio: Running, tmp_path: Path) -> Iterator[Office]:
    place = label_studio.place
    review = ReviewSettings(label_studio="own", gate_port=0)
    made = Office(tmp_path / "data", lambda: place.url, place.token, review=review, retain_days=1)
    yield made
    made.store.close()


def subscribe(office: Office) -> None:
    """As provisioning does for every project."""
    plan = standing_plan(office.settings.review, office.settings.review_folder, ())
    assert plan.webhook is not None
    hook = {
        "url": plan.webhook.url,
        "headers": plan.webhook.headers,
        "actions": list(plan.webhook.actions),
        "send_for_all_actions": False,
        "send_payload": False,
        "project": office.project,
    }
    with office.http() as http:
        http.post("/api/webhooks/", json=hook).raise_for_status()


def running(office: Office) -> ReviewLoop:
    def connect() -> Sync:
        pages, kept_for = office.pages, office.kept_for
        client = office.client()
        return Sync(office.store, office.desk, client, office.projects, pages, kept_for=kept_for)

    return ReviewLoop(connect, poll_seconds=NEVER)


def soon(what: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "nobody hinted"
        time.sleep(0.1)


def test_a_whole_queue_is_answered_and_mended_by_hints_alone(
    office: Office, tmp_path: Path
) -> None:
    """With a gate that speaks TLS on a port of its own choice, and no poll in between."""
    pem, key = certificate(tmp_path)
    access = AccessSettings(certificate=pem, key=key)
    settings = office.settings.model_copy(update={"access": access})
    ids = office.waiting(DOCUMENTS)
    loop = running(office)
    with receiver_of(settings, loop.hint), gate_of(settings, office.store, loop.hint) as gate:
        assert gate is not None
        assert gate.address.startswith("https://")
        subscribe(office)
        loop.start()
        try:
            soon(lambda: len(office.tasks()) == DOCUMENTS)
            made = {
                document_id: office.annotate(task, value("patient_name", f"Right {document_id}"))
                for document_id, (task,) in office.tasks().items()
            }
            soon(lambda: all(office.state(each) is State.CORRECTED for each in ids))
            office.deliver()
            office.mend(made[ids[0]], value("patient_name", "Mended"))
            soon(lambda: office.state(ids[0]) is State.CORRECTED)
        finally:
            loop.stop()
    assert [office.value(each, "patient_name") for each in ids] == [
        "Mended",
        *(f"Right {each}" for each in ids[1:]),
    ]
    assert not loop.problems()
    assert all(office.actions(each).count("reviewed") == 1 for each in ids)


def test_an_anonymous_hint_is_no_hint(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, review=ReviewSettings(label_studio="own", gate_port=0))
    hints: list[int] = []
    with receiver_of(settings, lambda: hints.append(1)):
        address = hook_file(settings.review_folder).read_text().strip()
        url = f"{address}/hooks/label-studio"
        with httpx.Client(trust_env=False) as client:
            for headers in (
                {},
                {"Authorization": "Bearer wrong"},
                {"Authorization": "Token wrong"},
                {"Cookie": "idp=guessed"},
            ):
                answer = client.post(url, json={"action": "x"}, headers=headers)
                assert (answer.status_code, answer.content) == (401, b"")
            right = {"Authorization": f"Bearer {webhook_secret(settings.review_folder)}"}
            for path in ("/", "/gate/", "/api/projects/", "/data/local-files/", "/metrics"):
                assert client.get(f"{address}{path}", headers=right).status_code == 404
            assert client.get(url, headers=right).status_code == 405
            foreign = {**right, "Host": "evil.example"}
            assert client.post(url, headers=foreign).status_code == 421
            assert not hints
            assert client.post(url, content=b"{", headers=right).status_code == 204
            assert hints == [1]


def test_the_receiver_keeps_its_port_where_it_can(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, review=ReviewSettings(label_studio="own"))
    place = hook_file(settings.review_folder)
    with receiver_of(settings, lambda: None):
        first = place.read_text()
    with receiver_of(settings, lambda: None):
        assert place.read_text() == first
        # Another takes the next one, and says so.
        with receiver_of(settings, lambda: None):
            assert place.read_text() != first


def test_where_no_label_studio_of_ours_runs_nothing_listens(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with receiver_of(settings, lambda: None):
        assert not hook_file(settings.review_folder).exists()

# SPDX-License-Identifier: Apache-2.0
"""A Label Studio elsewhere: a personal access token, and pages by links that are signed."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from idp.errors import ReviewError
from idp.gate import gate_of
from idp.review import LabelStudio, Place, place_of, provision, screens_in_force
from idp.review.access import USER, own_password
from idp.review.client import Client
from idp.review.pages import Links, links_of
from idp.review.provisioning import standing_plan
from idp.review.server import free_port
from idp.slices import ReviewSettings
from idp.store import State
from tests.review.conftest import START_SECONDS, Running, review_settings
from tests.review.office import Office, value


class Elsewhere(NamedTuple):
    """An office whose Label Studio knows it by a personal access token only."""

    office: Office
    settings: ReviewSettings
    place: Place
    legacy_token: str
    gate: str
    hints: list[float]

    def task(self, document_id: str) -> dict[str, object]:
        (number,) = self.office.tasks()[document_id]
        with self.office.http() as http:
            found: dict[str, object] = http.get(f"/api/tasks/{number}/").json()
        return found

    def links(self, document_id: str) -> list[str]:
        data = self.task(document_id)["data"]
        assert isinstance(data, dict)
        return list(data["pages"])


@pytest.fixture(scope="module")
def other(label_studio: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A second Label Studio, as of a fresh installation: without the older kind of tokens."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("token", "password"):
        shutil.copy2(label_studio.folder / name, folder / name)
    _copy_database(label_studio.folder / "label-studio", folder / "label-studio")
    settings = review_settings()
    server = LabelStudio(settings, folder)
    server.start()
    try:
        assert server.wait(START_SECONDS), server.problem()
        place = place_of(settings, folder)
        with httpx.Client(base_url=place.url, timeout=30, trust_env=False) as browser:
            token = _personal_token(browser, own_password(folder))
        yield Place(place.url, token)
    finally:
        server.stop()


@pytest.fixture
def elsewhere(other: Place, label_studio: Running, tmp_path: Path) -> Iterator[Elsewhere]:
    token_file = tmp_path / "their-token"
    token_file.write_text(f"{other.token}\n", encoding="ascii")
    gate = f"http://127.0.0.1:{free_port(0)}"
    review = ReviewSettings.model_validate(
        {
            "label_studio": "existing",
            "url": other.url,
            "token_file": token_file,
            "environment": label_studio.settings.environment,
            "gate_port": urlsplit(gate).port,
            "address": gate,
        }
    )
    office = Office(tmp_path / "data", lambda: other.url, other.token, review=review)
    hints: list[float] = []
    with gate_of(office.settings, office.store, lambda: hints.append(time.monotonic())):
        yield Elsewhere(office, review, other, label_studio.place.token, gate, hints)
    office.store.close()


def test_the_older_kind_of_token_is_refused_there_and_ours_is_not(elsewhere: Elsewhere) -> None:
    legacy = Client(elsewhere.place.url, elsewhere.legacy_token)
    with legacy, pytest.raises(ReviewError, match="401"):
        legacy.count(elsewhere.office.project)
    with Client(elsewhere.place.url, elsewhere.place.token) as client:
        assert client.count(elsewhere.office.project) == 0


def test_it_is_set_up_with_that_token_without_a_folder_and_hints_to_the_gate(
    elsewhere: Elsewhere,
) -> None:
    folder, settings = elsewhere.office.settings.review_folder, elsewhere.settings
    screens = screens_in_force(None)[:1]
    outcome = provision(settings, folder, screens)
    assert outcome.problems == ()
    number = outcome.provisioned.project(screens[0].key)
    with elsewhere.office.http() as http:
        assert http.get("/api/storages/localfiles", params={"project": number}).json() == []
        (webhook,) = http.get("/api/webhooks/", params={"project": number}).json()
    assert webhook["url"] == f"{elsewhere.gate}/hooks/label-studio"
    assert provision(settings, folder, screens).changes == {screens[0].key: ()}


def test_a_document_is_shown_answered_and_hinted_at_from_there(elsewhere: Elsewhere) -> None:
    office = elsewhere.office
    plan = standing_plan(elsewhere.settings, office.settings.review_folder, ())
    assert plan.webhook is not None
    with office.http() as http:
        hook = {
            "url": plan.webhook.url,
            "headers": plan.webhook.headers,
            "actions": list(plan.webhook.actions),
            "send_for_all_actions": False,
            "send_payload": False,
            "project": office.project,
        }
        http.post("/api/webhooks/", json=hook).raise_for_status()
    (document_id,) = office.waiting()
    office.settle()
    (link,) = elsewhere.links(document_id)
    assert link.startswith(f"{elsewhere.gate}/review-pages?")
    shown = httpx.get(link, trust_env=False)
    assert shown.content == office.store.page_image(document_id, 1).read_bytes()
    assert shown.headers["access-control-allow-origin"] == elsewhere.place.url
    assert shown.headers["cache-control"] == "no-store"
    assert "set-cookie" not in shown.headers
    assert not elsewhere.hints
    office.submit(document_id, value("patient_name", "Zoe Right"))
    assert len(elsewhere.hints) == 1
    office.settle()
    assert office.state(document_id) is State.CORRECTED
    assert office.tasks() == {}
    gone = httpx.get(link, trust_env=False)
    assert (gone.status_code, gone.content) == (404, b"")


def test_whoever_has_no_link_of_ours_that_is_still_good_gets_nothing(elsewhere: Elsewhere) -> None:
    office = elsewhere.office
    first, second = office.waiting(2)
    office.settle()
    (link,) = elsewhere.links(first)
    assert httpx.get(link, trust_env=False).status_code == 200
    folder = office.settings.review_folder
    links = links_of(elsewhere.settings, folder)
    assert links is not None
    expired = replace(links, good_for=dt.timedelta(seconds=-1))
    forged = replace(links, key=b"another")
    said = dict(parse_qsl(urlsplit(link).query))
    changed = [
        {**said, "d": f"pages/{second}/p1.png"},
        {**said, "d": f"pages/{first}/p2.png"},
        {**said, "d": f"pages/{first}/../{second}/p1.png"},
        {**said, "until": str(int(said["until"]) + 1)},
        {**said, "until": "9" * 40},
        {**said, "proof": said["proof"][:-1]},
        {**said, "proof": "\N{LATIN SMALL LETTER E WITH ACUTE}"},
        {**said, "more": "1"},
        {"d": said["d"]},
        {},
    ]
    base = f"{elsewhere.gate}/review-pages"
    refused = [
        *(f"{base}?{urlencode(each)}" for each in changed),
        f"{link}&d={said['d']}",
        expired.url(first, 1),
        forged.url(first, 1),
    ]
    for url in refused:
        answer = httpx.get(url, trust_env=False)
        assert (answer.status_code, answer.content) == (403, b""), url
    # The folder itself is still closed to whoever is not signed in.
    closed = httpx.get(f"{elsewhere.gate}/data/local-files/?d=pages/{first}/p1.png")
    assert (closed.status_code, closed.content) == (401, b"")


def test_links_are_replaced_in_the_task_before_they_expire(elsewhere: Elsewhere) -> None:
    office = elsewhere.office
    (document_id,) = office.waiting()
    office.settle()
    before = elsewhere.task(document_id)
    with office.sync() as sync:
        assert sync.renew() == 0
        office.store._clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=4)
        with pytest.MonkeyPatch.context() as patch:
            later = time.time() + 4 * 86400
            patch.setattr("idp.review.pages.time.time", lambda: later)
            assert sync.renew() == 1
            assert sync.renew() == 0
    after = elsewhere.task(document_id)
    assert after["id"] == before["id"]
    was, is_now = before["data"], after["data"]
    assert isinstance(was, dict)
    assert isinstance(is_now, dict)
    assert {**was, "pages": 0} == {**is_now, "pages": 0}
    assert until(is_now["pages"][0]) - until(was["pages"][0]) >= 4 * 86400 - 60
    for link in (*was["pages"], *is_now["pages"]):  # who has it open sees it to the end
        assert httpx.get(link, trust_env=False).status_code == 200


def test_a_browser_shows_the_page_there_and_nowhere_else(elsewhere: Elsewhere) -> None:
    office = elsewhere.office
    (document_id,) = office.waiting()
    office.settle()
    (link,) = elsewhere.links(document_id)
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - may be missing
    except ImportError:
        program = None
    if program is None:
        if os.environ.get("IDP_REQUIRE_ALL"):
            pytest.fail("Chromium and playwright are needed")
        pytest.skip("needs Chromium and playwright")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        fetched = "url => fetch(url).then(a => a.blob()).then(b => b.size, () => -1)"
        page.goto(f"{elsewhere.place.url}/user/login/")
        size = office.store.page_image(document_id, 1).stat().st_size
        assert page.evaluate(fetched, link) == size
        page.goto(elsewhere.place.url.replace("127.0.0.1", "localhost") + "/user/login/")
        assert page.evaluate(fetched, link) == -1
        browser.close()


def test_links_of_a_document_are_of_no_use_for_another() -> None:
    links = Links("https://gate.example.org", b"key", dt.timedelta(days=1), dt.timedelta(hours=12))
    said = dict(parse_qsl(urlsplit(links.url("a", 1)).query))
    assert links.proves("a", 1, said["until"], said["proof"])
    assert not links.proves("a", 11, said["until"], said["proof"])
    assert not links.proves("b", 1, said["until"], said["proof"])
    assert "key" not in repr(links)


@pytest.mark.parametrize("address", ["http://review.example.org", "https://a.example/path", "x"])
def test_an_address_that_is_in_clear_or_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        ReviewSettings.model_validate({"address": address})


def until(link: str) -> int:
    return int(dict(parse_qsl(urlsplit(link).query))["until"])


def _copy_database(source: Path, target: Path) -> None:
    """The whole of a running Label Studio: a first start of another would take a minute."""
    target.mkdir(mode=0o700)
    shutil.copy2(source / ".env", target / ".env")
    name = "label_studio.sqlite3"
    was, copy = sqlite3.connect(source / name), sqlite3.connect(target / name)
    with was, copy:
        was.backup(copy)
    was.close()
    copy.close()


def _personal_token(browser: httpx.Client, password: str) -> str:
    """Turn the older kind off, as it is by default, and make one of the newer kind."""
    sign_in = "/user/login/"
    browser.get(sign_in)
    form = {
        "email": USER,
        "password": password,
        "csrfmiddlewaretoken": browser.cookies["csrftoken"],
    }
    headers = {"Referer": f"{browser.base_url}{sign_in}"}
    assert browser.post(sign_in, data=form, headers=headers).status_code == 302
    headers["X-CSRFToken"] = browser.cookies["csrftoken"]
    kinds = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False}
    browser.post("/api/jwt/settings", json=kinds, headers=headers).raise_for_status()
    made = browser.post("/api/token/", headers=headers).raise_for_status()
    return str(made.json()["token"])

# SPDX-License-Identifier: Apache-2.0
"""The gate before the real Label Studio: whose work it is, and what a reviewer can't do."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest
from PIL import Image

from idp.gate import Listener, Upstream, create_gate, hashed
from idp.gate.apart import Apart
from idp.gate.app import own_key
from idp.gate.proxy import Proxy
from idp.settings import Settings
from idp.store import Role, Store
from tests.review.conftest import Running
from tests.unit.test_gate_routes import NOBODY, REVIEWERS_NOT

PASSWORD = "seven wet umbrellas"
SCREEN = """<View><Image name="page" valueList="$pages"/>
<TextArea name="v" toName="page" editable="true" transcription="true" maxSubmissions="1" rows="1"/>
</View>"""
RESULT = [
    {"id": "v", "from_name": "v", "to_name": "page", "type": "textarea", "value": {"text": ["A"]}}
]


class Ward(NamedTuple):
    """A gate before Label Studio, with a queue of a few documents."""

    url: str
    project: int
    tasks: list[int]
    store: Store
    running: Running
    folder: Path

    def come_in(self, name: str) -> httpx.Client:
        """A browser of somebody who signed in."""
        client = httpx.Client(
            base_url=self.url, timeout=60, trust_env=False, headers={"Origin": self.url}
        )
        answer = client.post("/gate/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303
        return client

    def number(self, name: str) -> int | None:
        return self.store.person(name).label_studio_user

    def next_task(self, client: httpx.Client) -> dict[str, Any]:
        answer = client.post(
            f"/api/dm/actions?id=next_task&project={self.project}",
            json={"ordering": [], "selectedItems": {"all": False, "included": []}},
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture(scope="module")
def ward(label_studio: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    folder = tmp_path_factory.mktemp("gate")
    settings = Settings(data=folder)
    store = Store(settings.resolved_database_url, folder / "store")
    store.migrate()
    for name, role in (
        ("rita", Role.REVIEWER),
        ("rob", Role.REVIEWER),
        ("lea", Role.LEAD),
        ("max", Role.MANAGER),
    ):
        store.add_person(name, role, hashed(PASSWORD, name=name, fewest=12), actor="test")
    with label_studio.client() as ours:
        project = ours.post(
            "/api/projects/", json={"title": "Behind the gate", "label_config": SCREEN}
        ).json()["id"]
        tasks: list[int] = []
        for number in range(6):
            pages = settings.review_folder / "pages" / f"document-{number}"
            pages.mkdir(parents=True)
            Image.new("L", (300, 400), 200).save(pages / "p1.png")
            image = f"/data/local-files/?d=pages/document-{number}/p1.png"
            made = ours.post(
                f"/api/projects/{project}/import?return_task_ids=true",
                json=[{"data": {"document_id": f"document-{number}", "pages": [image]}}],
            )
            tasks += made.json()["task_ids"]
    app = create_gate(
        settings,
        store,
        lambda: Upstream(label_studio.place.url, label_studio.place.token),
        "secret",
        lambda: None,
    )
    with Listener(app, host="127.0.0.1", port=0, name="gate", option="") as gate:
        yield Ward(
            gate.address.rstrip("/"), project, tasks, store, label_studio, settings.review_folder
        )
    store.close()


def test_what_somebody_submits_is_theirs_and_nobody_elses(ward: Ward) -> None:
    rita, rob = ward.come_in("rita"), ward.come_in("rob")
    mine = ward.next_task(rita)
    rob.get("/gate/")  # he is known in Label Studio from now on
    body = {"result": RESULT, "lead_time": 4.2}
    forged = {**body, "completed_by": ward.number("rob")}
    address = f"/api/tasks/{mine['id']}/annotations"
    assert rita.post(address, json=forged).status_code == 403
    assert rita.post(address, json=[body]).status_code == 403
    assert (
        rita.post(
            address, content=b'{"result":[],"result":[1]}', headers={"Content-Type": "text/plain"}
        ).status_code
        == 403
    )
    made = rita.post(address, json=body)
    assert made.status_code == 201
    assert made.json()["completed_by"] == ward.number("rita")
    assert ward.number("rita") != ward.number("rob")
    found = ward.store.person_of_label_studio(made.json()["completed_by"])
    assert found is not None
    assert found.name == "rita"
    assert ward.next_task(rob)["id"] != mine["id"]
    again = f"/api/annotations/{made.json()['id']}/"
    assert rita.patch(again, json={"result": RESULT, "lead_time": 5}).status_code == 200
    assert rob.patch(again, json={"result": []}).status_code == 403
    assert rob.get(f"/api/tasks/{mine['id']}").status_code == 403
    assert rob.post(address, json=body).status_code == 403
    with ward.running.client() as ours:
        kept = ours.get(f"/api/tasks/{mine['id']}/annotations/").json()
    assert [each["completed_by"] for each in kept] == [ward.number("rita")]
    for cookie in (*rita.cookies.jar, *rob.cookies.jar):
        assert cookie.name == "idp"  # no session of Label Studio's in a browser


def test_a_page_is_shown_to_whom_the_document_was_handed(ward: Ward) -> None:
    rob, lea, max_ = ward.come_in("rob"), ward.come_in("lea"), ward.come_in("max")
    image = ward.next_task(rob)["data"]["pages"][0]
    shown = rob.get(image)
    assert shown.status_code == 200
    assert shown.content.startswith(b"\x89PNG")
    others = [f"/data/local-files/?d=pages/document-{number}/p1.png" for number in range(6)]
    seen = [rob.get(other).status_code for other in others]
    assert seen.count(200) <= 2
    assert seen.count(403) >= 4
    assert {lea.get(other).status_code for other in others} == {200}
    assert {max_.get(other).status_code for other in others} == {403}
    assert {httpx.get(ward.url + other, trust_env=False).status_code for other in others} == {401}
    viewed = [e for e in ward.store.events(limit=500) if e.action == "page_viewed"]
    assert {e.actor for e in viewed} == {"user:rob", "user:lea"}


def test_no_dangerous_route_opens_and_nothing_changes(ward: Ward) -> None:
    with ward.running.client() as ours:
        before = _facts(ours)
    rita = ward.come_in("rita")
    anonymous = httpx.Client(base_url=ward.url, headers={"Origin": ward.url}, trust_env=False)
    ways = [
        (method, _of(target, ward)) for method, target in (*NOBODY, *REVIEWERS_NOT)
        if method not in {"TRACE"}
    ]  # fmt: skip
    for method, target in ways:
        body: dict[str, Any] = {} if method == "GET" else {"json": {"title": "mine"}}
        refused = rita.request(method, target, **body)
        assert refused.status_code == 403, (method, target)
        unknown = anonymous.request(method, target, **body)
        assert (unknown.status_code, unknown.content) == (401, b""), (method, target)
        # Nor by a token of Label Studio's own.
        token = {"Authorization": f"Token {ward.running.place.token}"}
        assert anonymous.request(method, target, headers=token, **body).status_code == 401
    with ward.running.client() as ours:
        assert _facts(ours) == before


def test_label_studio_listens_on_loopback_only(ward: Ward) -> None:
    port = int(ward.running.place.url.rpartition(":")[2])
    bound = {
        one.laddr.ip
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port
    }
    assert bound == {"127.0.0.1"}


def test_a_session_that_label_studio_no_longer_takes_is_made_anew(ward: Ward) -> None:
    lea = ward.store.person("lea")
    remembered: list[int] = []

    async def ask() -> Any:
        place = ward.running.place
        key = own_key(ward.folder)
        proxy = Proxy(
            lambda: Upstream(place.url, place.token),
            key,
            lambda _, n: remembered.append(n),
            60,
            Apart(ward.store, ward.folder),
        )
        first = await proxy.ask(lea, "/api/current-user/whoami")
        proxy._users._cookies[lea.id] = "sessionid=of-another-day"
        assert await proxy.ask(lea, "/api/current-user/whoami") == first
        assert not proxy._client.cookies  # no cookie of one person goes out with another's request
        return first

    told = asyncio.run(ask())
    assert told["first_name"] == "lea"
    assert remembered == [told["id"], told["id"]]


def test_answers_bring_neither_cookies_nor_lax_policies(ward: Ward) -> None:
    lea = ward.come_in("lea")
    page = lea.get(f"/projects/{ward.project}/data")
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert lea.get(f"/api/tasks?project={ward.project}").json()["total"] == len(ward.tasks)


def test_label_studios_program_is_kept_by_the_gate_and_by_browsers(ward: Ward) -> None:
    lea = ward.come_in("lea")
    page = lea.get(f"/projects/{ward.project}/data").text
    found = re.search(r'src="(/react-app/main\.js\?v=[0-9a-f]+)"', page)
    assert found is not None
    # Label Studio does not say how long it is.
    first = lea.get(found[1])
    assert "immutable" in first.headers["cache-control"]
    assert first.headers["content-encoding"] == "gzip"
    again = lea.get(found[1], headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    ours = re.search(r'src="(/gate/assets/screen\.js\?v=[0-9a-f]+)"', page)
    assert ours is not None
    assert "immutable" in lea.get(ours[1]).headers["cache-control"]
    assert lea.get("/gate/assets/screen.js").headers["cache-control"] == "no-store"


def test_a_reviewer_works_in_a_browser_through_the_gate(ward: Ward, tmp_path: Path) -> None:
    program = next(
        (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))),
        None,
    )
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - may be missing
    except ImportError:
        program = None
    if program is None:
        if os.environ.get("IDP_REQUIRE_ALL"):
            pytest.fail("Chromium and playwright are needed")
        pytest.skip("needs Chromium and playwright")
    elsewhere: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on(
            "request",
            lambda r: None if r.url.startswith((ward.url, "blob:", "data:"))
            else elsewhere.append(r.url),
        )  # fmt: skip
        page.goto(f"{ward.url}/projects/{ward.project}/data?labeling=1")
        assert "/gate/sign-in" in page.url
        page.fill("#name", "rita")
        page.fill("#password", PASSWORD)
        page.click("button")
        page.fill("input[name=v]", "typed by rita", timeout=60_000)
        with page.expect_response(lambda r: "/annotations" in r.url) as submitted:
            page.click('button:has-text("Submit")')
        assert submitted.value.status == 201
        assert submitted.value.json()["completed_by"] == ward.number("rita")
        assert page.evaluate("document.cookie") == ""
        page.goto(f"{ward.url}/gate/")
        assert "rita" in page.inner_text("header")
        page.click('button:has-text("Sign out")')
        page.goto(f"{ward.url}/projects/{ward.project}/data?labeling=1")
        assert "/gate/sign-in" in page.url
        browser.close()
    assert elsewhere == []


def _of(target: str, ward: Ward) -> str:
    """The address with the number of the project that is there."""
    return target.replace("/projects/1", f"/projects/{ward.project}").replace(
        "/tasks/1/", f"/tasks/{ward.tasks[-1]}/"
    )


def _facts(ours: httpx.Client) -> list[Any]:
    """What a dangerous request would change."""
    projects = ours.get("/api/projects/?page_size=500").json()["results"]
    return [
        sorted((p["id"], p["title"], p["task_number"]) for p in projects),
        ours.get("/api/webhooks/").json(),
        sorted(user["id"] for user in ours.get("/api/users/").json()),
        ours.get("/api/invite").json(),
    ]

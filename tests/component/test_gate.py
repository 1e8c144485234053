# SPDX-License-Identifier: Apache-2.0
"""The gate with the real store: who gets in, for how long, and what stands on the record.

Label Studio itself is not there in these tests; ``tests/review/test_gate.py`` has the real one.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from idp.errors import NotFoundError, ReviewError, SettingsError, WrongStateError
from idp.gate import Upstream, create_gate, hashed
from idp.gate.passwords import fits
from idp.gate.sign_on import ADDRESS_FAILURES
from idp.reviews import Known
from idp.serve import create_app
from idp.settings import Settings
from idp.slices import AccessSettings
from idp.store import Role, Store

pytestmark = pytest.mark.component

HOME = "http://127.0.0.1:8602"
FORM = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}
HTML = {"Accept": "text/html"}
PASSWORD = "seven wet umbrellas"
HASH = hashed(PASSWORD, name="nobody", fewest=12)
SECRET = "s3cret-of-the-hook"
NOWHERE = Upstream("http://127.0.0.1:9", "0" * 40)


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def go_on(self, **time: float) -> None:
        self.now += dt.timedelta(**time)


class Gate:
    def __init__(self, folder: Path, **access: object) -> None:
        self.clock = Clock()
        self.settings = Settings(data=folder, access=AccessSettings.model_validate(access))
        self.store = Store(self.settings.resolved_database_url, folder / "store", clock=self.clock)
        self.store.migrate()
        for role in Role:
            self.store.add_person(f"{role}-1", role, HASH, actor="test")
        self.hints: list[None] = []
        self.app = create_gate(
            self.settings, self.store, lambda: NOWHERE, SECRET, lambda: self.hints.append(None)
        )

    def client(self, address: str = "127.0.0.1") -> TestClient:
        return TestClient(self.app, base_url=HOME, follow_redirects=False, client=(address, 50000))

    def signed_in(self, role: Role) -> TestClient:
        client = self.client()
        answer = sign_in(client, f"{role}-1")
        assert answer == 303
        return client

    def actions(self) -> list[str]:
        return [event.action for event in self.store.events(limit=1000)]


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path)
    yield gate
    gate.store.close()


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> int:
    return client.post(
        "/gate/sign-in", data={"name": name, "password": password}, headers=FORM
    ).status_code


PATHS = [
    "/", "/gate/", "/gate/password", "/projects/1/data?labeling=1", "/projects/", "/api/version",
    "/api/projects/1", "/api/tasks/1", "/api/webhooks/", "/api/current-user/whoami", "/admin/",
    "/static/css/main.css", "/react-app/main.js", "/data/local-files/?d=pages/a/p1.png",
    "/data/upload/1/a.png", "/health", "/version/", "/user/login/", "/user/signup/",
    "/heidi-tips", "/nothing/of/the/kind", "/metrics", "/healthz",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_nobody_who_is_not_signed_in_gets_anything(gate: Gate, path: str) -> None:
    client = gate.client()
    for headers in ({}, {"Cookie": "idp=guessed"}, {"Authorization": f"Token {NOWHERE.token}"}):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (401, b"")
    shown = client.get(path, headers=HTML)
    assert shown.status_code == 303
    assert shown.headers["location"].startswith("/gate/sign-in?next=")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, path, headers=FORM)
        assert (answer.status_code, answer.content) == (401, b"")


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(gate: Gate) -> None:
    client = gate.client()
    answer = client.post(
        "/gate/sign-in",
        data={"name": "REVIEWER-1 ", "password": PASSWORD, "next": "/projects/1/data?labeling=1"},
        headers=FORM,
    )
    assert answer.headers["location"] == "/projects/1/data?labeling=1"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Max-Age" not in cookie  # gone with the browser


def test_behind_tls_the_cookie_never_leaves_without_it(tmp_path: Path) -> None:
    gate = Gate(tmp_path, behind_tls=True)
    answer = gate.client().post(
        "/gate/sign-in", data={"name": "lead-1", "password": PASSWORD}, headers=FORM
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-idp=")
    assert "Secure" in cookie
    gate.store.close()


def test_passwords_do_not_cross_a_network_in_clear(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path).model_copy(deep=True)
    open_to_all = settings.review.model_copy(update={"gate_host": "0.0.0.0"})
    settings = settings.model_copy(update={"review": open_to_all})
    store = Store(settings.resolved_database_url, tmp_path / "store")
    with pytest.raises(SettingsError, match="in clear"):
        create_gate(settings, store, lambda: NOWHERE, SECRET, lambda: None)


@pytest.mark.parametrize(
    "goes_to", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x", ""]
)
def test_signing_in_leads_nowhere_else(gate: Gate, goes_to: str) -> None:
    answer = gate.client().post(
        "/gate/sign-in",
        data={"name": "lead-1", "password": PASSWORD, "next": goes_to},
        headers=FORM,
    )
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
     {"Origin": "null"}, {"Sec-Fetch-Site": "same-site", "Origin": HOME}],
)  # fmt: skip
def test_another_site_can_neither_sign_in_nor_submit(gate: Gate, headers: dict[str, str]) -> None:
    client = gate.signed_in(Role.LEAD)
    for path in ("/gate/sign-in", "/gate/sign-out", "/api/tasks/1/annotations", "/gate/password"):
        assert client.post(path, headers=headers).status_code == 403
    assert client.get("/gate/", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/gate/password").status_code == 200  # still signed in


def test_a_session_ends_by_signing_out_by_idling_and_by_time(gate: Gate) -> None:
    client = gate.signed_in(Role.MANAGER)
    assert client.get("/gate/").status_code == 200
    token = client.cookies["idp"]
    assert client.post("/gate/sign-out", headers=FORM).status_code == 303
    assert client.get("/gate/").status_code == 401
    assert client.get("/gate/", headers={"Cookie": f"idp={token}"}).status_code == 401

    client = gate.signed_in(Role.MANAGER)
    for _ in range(5):
        gate.clock.go_on(minutes=15)
        assert client.get("/gate/").status_code == 200
    gate.clock.go_on(minutes=21)
    assert client.get("/gate/").status_code == 401

    client = gate.signed_in(Role.MANAGER)
    for _ in range(39):
        gate.clock.go_on(minutes=15)
        assert client.get("/gate/").status_code == 200
    gate.clock.go_on(minutes=16)
    assert client.get("/gate/").status_code == 401
    assert gate.actions().count("signed_in") == 3
    assert gate.actions().count("signed_out") == 1


def test_removing_a_person_and_a_new_password_end_sessions_at_once(gate: Gate) -> None:
    manager, lead = gate.signed_in(Role.MANAGER), gate.signed_in(Role.LEAD)
    gate.store.remove_person("manager-1", actor="test")
    gate.store.set_password("lead-1", hashed("another good one", name="x", fewest=12), actor="t")
    assert manager.get("/gate/").status_code == 401
    assert lead.get("/gate/").status_code == 401
    assert sign_in(gate.client(), "manager-1") == 401
    assert sign_in(gate.client(), "lead-1") == 401
    assert sign_in(gate.client(), "lead-1", "another good one") == 303
    with pytest.raises(NotFoundError):
        gate.store.person("manager-1")
    assert gate.store.people(removed=True)[2].active is False
    again = gate.store.add_person("Manager-1", Role.LEAD, HASH, actor="test")
    assert again.id == gate.store.person("manager-1").id
    with pytest.raises(WrongStateError):
        gate.store.add_person("manager-1", Role.LEAD, HASH, actor="test")


def test_a_password_that_somebody_else_chose_opens_its_own_change_alone(gate: Gate) -> None:
    gate.store.set_password("lead-1", HASH, actor="user:root", must_change=True)
    client = gate.signed_in(Role.LEAD)
    for path in ("/", "/gate/", "/projects/1/data", "/data/local-files/?d=pages/a/p1.png"):
        shown = client.get(path, headers=HTML)
        assert (shown.status_code, shown.headers["location"]) == (303, "/gate/password")
        assert client.get(path).status_code == 403
    assert client.post("/api/tasks/1/annotations", json={}, headers=FORM).status_code == 403
    assert "Somebody else chose" in client.get("/gate/password").text

    def change(new: str) -> int:
        given = {"old": PASSWORD, "new": new, "again": new}
        return client.post("/gate/password", data=given, headers=FORM).status_code

    assert change(PASSWORD) == 400  # the same again is none of their own
    assert change("eight dry raincoats") == 303
    assert not gate.store.person("lead-1").must_change
    again = gate.client()
    assert sign_in(again, "lead-1", "eight dry raincoats") == 303
    assert again.get("/gate/").status_code == 200


def test_who_a_proxy_vouches_for_needs_no_password_and_changes_none(tmp_path: Path) -> None:
    gate = Gate(tmp_path, header="X-Remote-User", trusted_proxies=("10.0.0.5",))
    gate.store.set_password("lead-1", HASH, actor="user:root", must_change=True)
    client = gate.client("10.0.0.5")
    for _ in range(2):  # with the session that the first request began, too
        assert client.get("/gate/", headers={"X-Remote-User": "lead-1"}).status_code == 200
    gate.store.close()


def test_five_wrong_passwords_lock_the_account_for_a_while(gate: Gate) -> None:
    client = gate.client()
    for _ in range(5):
        assert sign_in(client, "lead-1", "a wrong password") == 401
    assert sign_in(client, "lead-1") == 401  # the right one, and locked
    locked = gate.store.person("lead-1").locked_until
    assert locked is not None
    gate.clock.go_on(minutes=16)
    assert sign_in(client, "lead-1") == 303
    assert gate.store.person("lead-1").locked_until is None
    assert gate.actions().count("sign_in_failed") == 5


def test_an_address_that_guesses_must_wait_and_others_need_not(gate: Gate) -> None:
    guesser = gate.client("10.0.0.7")
    for number in range(ADDRESS_FAILURES):
        # Too long to be a password: refused at once, and counted.
        assert sign_in(guesser, f"nobody-{number}", "x" * 257) == 401
    assert sign_in(guesser, "lead-1") == 429
    assert sign_in(gate.client("10.0.0.8"), "lead-1") == 303


def test_names_and_passwords_are_in_no_log(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client = gate.client()
        sign_in(client, "reviewer-1", "an unlikely guess")
        sign_in(client, "nobody-known", "an unlikely guess")
        client = gate.signed_in(Role.REVIEWER)
        client.get("/api/webhooks/")
        client.get("/data/local-files/?d=pages/a/p1.png")
        client.post("/gate/sign-out", headers=FORM)
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("idp"))
    assert "sign-in failed" in ours
    for secret in ("reviewer-1", "nobody-known", "an unlikely guess", PASSWORD, SECRET):
        assert secret not in ours


def test_passwords_are_kept_as_argon2id_and_bad_ones_refused() -> None:
    assert HASH.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert fits(PASSWORD, HASH)
    assert not fits(PASSWORD + " ", HASH)
    assert not fits(PASSWORD, None)
    assert not fits("x" * 10_000, HASH)
    for bad in ("short", "x" * 300, "aaaaaaaaaaaaaaaa", "rita and her dog"):
        with pytest.raises(SettingsError) as refused:
            hashed(bad, name="rita", fewest=12)
        assert bad not in str(refused.value)


def test_a_person_changes_their_own_password_with_the_old_one(gate: Gate) -> None:
    client = gate.signed_in(Role.REVIEWER)
    fields = {"old": "wrong", "new": "nine dry umbrellas", "again": "nine dry umbrellas"}
    assert client.post("/gate/password", data=fields, headers=FORM).status_code == 401
    fields["old"] = PASSWORD
    differing = {**fields, "again": "others"}
    assert client.post("/gate/password", data=differing, headers=FORM).status_code == 400
    assert client.post("/gate/password", data=fields, headers=FORM).status_code == 303
    assert client.get("/gate/").status_code == 401
    assert sign_in(gate.client(), "reviewer-1", "nine dry umbrellas") == 303


def test_only_a_trusted_proxy_may_say_who_somebody_is(tmp_path: Path) -> None:
    gate = Gate(tmp_path, header="X-Remote-User", trusted_proxies=["10.1.0.0/30"])
    named = {"X-Remote-User": "lead-1"}
    assert gate.client("10.1.0.9").get("/gate/password", headers=named).status_code == 401
    trusted = gate.client("10.1.0.1")
    assert trusted.get("/gate/password", headers={"X-Remote-User": "a-stranger"}).status_code == 401
    first = trusted.get("/gate/password", headers=named)
    assert first.status_code == 200
    assert "idp=" in first.headers["set-cookie"]
    assert "set-cookie" not in trusted.get("/gate/password", headers=named).headers
    other = trusted.get("/gate/password", headers={"X-Remote-User": "manager-1"})
    assert "manager-1" in other.text
    events = gate.store.events(limit=10)
    assert [e.actor for e in events if e.action == "signed_in"] == ["user:lead-1", "user:manager-1"]
    gate.store.close()


@pytest.mark.parametrize(
    ("role", "status"), [(Role.LEAD, 200), (Role.ADMINISTRATOR, 200),
                         (Role.MANAGER, 403), (Role.REVIEWER, 403)]
)  # fmt: skip
def test_a_page_image_is_shown_by_role_and_put_on_record(
    gate: Gate, role: Role, status: int
) -> None:
    folder = gate.settings.review_folder / "pages" / "0192-ab"
    folder.mkdir(parents=True)
    (folder / "p1.png").write_bytes(b"\x89PNG of a page")
    client = gate.signed_in(role)
    for _ in range(2):
        answer = client.get("/data/local-files/?d=pages/0192-ab/p1.png")
        assert answer.status_code == status
    viewed = [e for e in gate.store.events(limit=50) if e.action == "page_viewed"]
    if status == 200:
        assert answer.content == b"\x89PNG of a page"
        assert answer.headers["cache-control"] == "no-store"
        assert [(e.actor, e.document_id) for e in viewed] == [(f"user:{role}-1", "0192-ab")]
    else:
        assert viewed == []


@pytest.mark.parametrize(
    "query",
    ["d=gate-key", "d=../idp.sqlite", "d=pages/../gate-key", "d=pages/0192-ab/p2.png", "",
     "d=pages/0192-ab/p1.png&d=gate-key", "d=/etc/passwd", "x=pages/0192-ab/p1.png",
     "d=pages%2f..%2fgate-key", "d=pages/0192-ab/p1.png%00"],
)  # fmt: skip
def test_nothing_but_page_images_is_shown(gate: Gate, query: str) -> None:
    folder = gate.settings.review_folder / "pages" / "0192-ab"
    folder.mkdir(parents=True)
    (folder / "p1.png").write_bytes(b"a page")
    answer = gate.signed_in(Role.ADMINISTRATOR).get(f"/data/local-files/?{query}")
    assert answer.status_code in (403, 404)
    assert b"a page" not in answer.content


def test_a_hint_needs_the_secret_and_is_not_believed_further(gate: Gate) -> None:
    client = gate.client()
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {SECRET}x"}):
        answer = client.post("/hooks/label-studio", json={"action": "x"}, headers=headers)
        assert (answer.status_code, answer.content) == (401, b"")
    assert not gate.hints
    right = {"Authorization": f"Bearer {SECRET}"}
    assert client.post("/hooks/label-studio", content=b"{", headers=right).status_code == 204
    assert len(gate.hints) == 1
    assert gate.signed_in(Role.ADMINISTRATOR).get("/hooks/label-studio").status_code != 204


def test_with_label_studio_down_the_gate_says_so_and_stands(gate: Gate) -> None:
    client = gate.signed_in(Role.LEAD)
    assert client.get("/projects/1/data").status_code == 502
    home = client.get("/gate/")
    assert home.status_code == 200
    assert "not ready" in home.text


def test_a_manager_sees_numbers_and_no_queue(gate: Gate) -> None:
    client = gate.signed_in(Role.MANAGER)
    assert "/projects/" not in client.get("/gate/").text
    for path in ("/projects/1/data?labeling=1", "/api/tasks/1", "/static/a.css"):
        assert client.get(path).status_code == 403


def test_a_request_without_end_is_cut_off(gate: Gate) -> None:
    client = gate.signed_in(Role.LEAD)
    answer = client.post(
        "/api/tasks/1/annotations", content=b"x" * (8 * 1024 * 1024 + 1), headers=FORM
    )
    assert answer.status_code == 413
    endless = client.post("/gate/sign-in", content=b"name=" + b"x" * 20_000, headers=FORM)
    assert endless.status_code == 401


def test_the_gates_pages_run_nothing_of_others(gate: Gate) -> None:
    answer = gate.client().get("/gate/sign-in?next=%22%3E%3Cscript%3E&said=%3Cscript%3E")
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"


def test_the_status_page_can_ask_for_the_same_sign_on(gate: Gate) -> None:
    settings = gate.settings.model_copy(
        update={"serve": gate.settings.serve.model_copy(update={"sign_on": True})}
    )
    app = create_app(settings, gate.store)
    page = TestClient(app, base_url=HOME, follow_redirects=False)
    for path in ("/", "/quarantine", "/documents/x", "/documents/x/pages/1"):
        assert page.get(path).status_code == 401
    assert page.get("/", headers=HTML).headers["location"] == "/gate/sign-in?next=%2F"
    assert page.get("/healthz").status_code == 200
    assert sign_in(page, "manager-1") == 303
    assert page.get("/").status_code == 403
    assert sign_in(page, "lead-1") == 303
    assert page.get("/").status_code == 200
    assert page.post("/documents/x/release", headers=FORM).status_code == 404


def test_the_record_holds_together(gate: Gate) -> None:
    gate.signed_in(Role.LEAD).post("/gate/sign-out", headers=FORM)
    gate.store.set_role("lead-1", Role.REVIEWER, actor="cli:x")
    gate.store.set_label_studio_user(gate.store.person("lead-1").id, 4)
    gate.store.set_label_studio_user(gate.store.person("reviewer-1").id, 4)
    found = gate.store.person_of_label_studio(4)
    assert found is not None
    assert found.name == "reviewer-1"
    assert gate.store.person_of_label_studio(5) is None
    assert gate.store.verify_events() is None


def test_a_review_is_on_record_under_the_name_of_the_sign_in(gate: Gate) -> None:
    gate.store.set_label_studio_user(gate.store.person("reviewer-1").id, 7)
    client = Known(gate.store, NOWHERE.url, NOWHERE.token, seconds=1)
    assert client.person(7) == "reviewer-1"
    gate.store.remove_person("reviewer-1", actor="test")
    assert client.person(7) == "reviewer-1"  # what was done stays theirs
    with pytest.raises(ReviewError):
        client.person(8)  # not one of ours: Label Studio is asked, and is not there
    client.close()

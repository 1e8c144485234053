# SPDX-License-Identifier: Apache-2.0
"""Our own Label Studio keeps to itself, comes back after a kill, and never outlives us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from idp.review import LabelStudio, place_of
from idp.review.server import VERSION, healthy
from tests.review.conftest import START_SECONDS, Running, review_settings

RESTART_SECONDS = 120.0


def test_it_answers_as_the_release_we_know(label_studio: Running) -> None:
    assert healthy(label_studio.place.url)
    with label_studio.client() as client:
        assert client.get("/api/version").json()["release"] == VERSION
        assert client.get("/api/current-user/whoami").json()["email"] == "appliance@idp.invalid"


def test_no_answer_waits_for_an_acknowledgement(label_studio: Running) -> None:
    took = []
    with label_studio.client() as client:
        for _ in range(20):
            start = time.perf_counter()
            client.get("/health/").raise_for_status()
            took.append(time.perf_counter() - start)
    # On a connection that was used before, headers and body sent apart cost 40 ms each time.
    assert min(took[1:]) < 0.035


def test_it_listens_on_loopback_only(label_studio: Running) -> None:
    assert label_studio.server.pid is not None
    process = psutil.Process(label_studio.server.pid)
    listening = [c.laddr for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert [address.ip for address in listening] == ["127.0.0.1"]
    assert process.children() == []


@pytest.mark.parametrize(
    "path",
    ["/api/projects/", "/api/tasks", "/data/local-files/?d=pages/x/p1.png", "/api/webhooks/"],
)
def test_nobody_gets_anything_without_a_token(label_studio: Running, path: str) -> None:
    answer = httpx.get(f"{label_studio.place.url}{path}", trust_env=False)
    assert answer.status_code in (401, 302, 403)


def test_a_foreign_name_leads_nowhere_and_nobody_signs_up(label_studio: Running) -> None:
    with label_studio.client() as client:
        foreign = client.get("/api/projects/", headers={"Host": "evil.example"})
        assert foreign.status_code == httpx.codes.BAD_REQUEST
        page = client.get("/user/login/", headers={"Origin": "http://evil.example"})
        assert "access-control-allow-origin" not in page.headers
    with httpx.Client(base_url=label_studio.place.url, trust_env=False) as stranger:
        stranger.get("/user/login/")
        refused = stranger.post(
            "/user/signup/",
            data={
                "email": "me@example.org",
                "password": "a long enough one",
                "csrfmiddlewaretoken": stranger.cookies["csrftoken"],
            },
            headers={"Referer": f"{label_studio.place.url}/user/signup/"},
        )
        assert refused.status_code == httpx.codes.FORBIDDEN


def test_it_asks_nothing_of_the_internet(label_studio: Running) -> None:
    """Label Studio's tips are fetched from outside on every page; here that fails at once."""
    began = time.monotonic()
    with label_studio.client() as client:
        assert client.get("/heidi-tips").status_code == httpx.codes.NOT_FOUND
    assert time.monotonic() - began < 2
    assert label_studio.server.pid is not None
    environment = psutil.Process(label_studio.server.pid).environ()
    assert environment["SENTRY_DSN"] == environment["FRONTEND_SENTRY_DSN"] == ""
    assert environment["COLLECT_ANALYTICS"] == "false"
    assert environment["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert label_studio.place.token not in environment.values()


def test_what_it_keeps_is_for_this_user_only(label_studio: Running) -> None:
    for name in ("token", "password", "label-studio.log"):
        assert (label_studio.folder / name).stat().st_mode & 0o777 == 0o600, name
    for folder in (label_studio.folder, label_studio.folder / "label-studio"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert label_studio.place.token not in repr(label_studio.place)


def kill_and_wait(server: LabelStudio) -> None:
    """Kill it and wait until another answers."""
    before = server.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + RESTART_SECONDS
    while server.pid in (None, before) or not server.wait(0.2):
        assert time.monotonic() < deadline, server.problem()
        time.sleep(0.2)


def test_killed_it_comes_back_and_a_lost_token_is_set_anew(label_studio: Running) -> None:
    """One restart proves both: a new token is drawn and set, as after a restored backup."""
    server, folder = label_studio.server, label_studio.folder
    old = (folder / "token").read_text(encoding="ascii")
    (folder / "token").unlink()
    try:
        kill_and_wait(server)
        assert server.restarts >= 1
        assert server.problem() is None
        place = place_of(label_studio.settings, folder)
        assert place.token != label_studio.place.token
        headers = {"Authorization": f"Token {place.token}"}
        whoami = f"{place.url}/api/current-user/whoami"
        assert httpx.get(whoami, headers=headers, trust_env=False).status_code == httpx.codes.OK
        stale = {"Authorization": f"Token {label_studio.place.token}"}
        assert httpx.get(whoami, headers=stale, trust_env=False).status_code == (
            httpx.codes.UNAUTHORIZED
        )
    finally:
        (folder / "token").write_text(old, encoding="ascii")
        kill_and_wait(server)
    assert place_of(label_studio.settings, folder) == label_studio.place


def test_a_taken_port_is_told_and_not_gone_round(needed: None, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = LabelStudio(review_settings(port=port), tmp_path / "review")
        server.start()
        try:
            assert not server.wait(2)
            assert server.problem() == (
                f"Label Studio: can't listen on 127.0.0.1:{port}: Address already in use"
            )
        finally:
            server.stop()
    assert server.pid is None


ENDS_AT_ONCE = """
import os, sys, time
from pathlib import Path
from idp.review import LabelStudio
from tests.review.conftest import review_settings
server = LabelStudio(review_settings(), Path(sys.argv[1]))
server.start()
while server.pid is None:
    assert server.problem() is None, server.problem()
    time.sleep(0.05)
print(server.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_it_dies_with_whoever_started_it(needed: None, tmp_path: Path) -> None:
    """Also by SIGKILL, of which nobody hears: else the next start would find its port taken."""
    out = subprocess.run(
        [sys.executable, "-c", ENDS_AT_ONCE, str(tmp_path / "review")],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    child = int(out.stdout)
    deadline = time.monotonic() + 30
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "Label Studio outlived the appliance"
        time.sleep(0.1)

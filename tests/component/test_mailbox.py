# SPDX-License-Identifier: Apache-2.0
"""Mailboxes on a real IMAP server: nothing lost, nothing doubled, whatever is killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idp.errors import MailboxError
from idp.ingest.mailbox import Mailbox, Mailboxes, waiting
from idp.settings import IngestSettings, MailboxSettings
from idp.store import Store
from tests import imap_server
from tests.imap_server import USER, Server

pytestmark = pytest.mark.component

SIGKILLED = -9


@pytest.fixture
def server() -> Iterator[Server]:
    with imap_server.server() as made:
        yield made


def mail(number: int, size: int = 0) -> bytes:
    body = b"x" * 76 + b"\r\n"
    head = f"From: desk@birchwood.example\r\nSubject: referral {number}\r\n\r\npage {number}\r\n"
    return head.encode() + body * (size // len(body))


def options(server: Server, **other: object) -> MailboxSettings:
    chosen = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "user": USER,
        "password_file": server.password_file,
    }
    return MailboxSettings(**(chosen | other))


def box(server: Server, folder: Path, **other: object) -> Mailbox:
    """A mailbox whose drop folder is emptied at once: what is there is on the record."""
    limit = other.pop("max_bytes", 10_000)
    return Mailbox(
        "intake",
        options(server, **other),
        folder,
        max_bytes=limit,
        recorded=lambda channel, names: [n for n in names if (folder / n).exists()],
    )


def taken(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.eml"))]


def test_every_mail_becomes_one_file_with_its_own_bytes(server, tmp_path):
    sent = [mail(number) for number in range(3)]
    for each in sent:
        server.deliver(each)
    intake = box(server, tmp_path)
    assert intake.empty() == 3
    assert taken(tmp_path) == sent
    assert server.flags() == ["S", "S", "S"]
    assert intake.empty() == 0


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_encrypted_connection_is_checked_against_the_authority(server, security):
    port = server.tls_port if security == "tls" else server.port
    trusted = options(
        server, host="localhost", port=port, security=security, ca_file=server.certificate
    )
    assert waiting("intake", trusted) == 0
    stranger = trusted.model_copy(update={"ca_file": None})
    with pytest.raises(MailboxError, match="certificate is not trusted"):
        waiting("intake", stranger)


def test_a_mail_is_let_go_of_only_when_it_is_on_the_record(server, tmp_path, monkeypatch):
    monkeypatch.setattr("idp.ingest.mailbox._CONFIRM_SECONDS", 0.5)
    server.deliver(mail(1))
    known: set[str] = set()
    intake = Mailbox(
        "intake",
        options(server),
        tmp_path,
        max_bytes=10_000,
        recorded=lambda channel, names: known & set(names),
    )
    assert intake.empty() == 0
    assert server.flags() == [""]
    (only,) = tmp_path.glob("*.eml")
    claimed = tmp_path / ".claimed" / "01" / only.name
    claimed.parent.mkdir(parents=True)
    only.rename(claimed)
    assert intake.empty() == 0
    assert not list(tmp_path.glob("*.eml")), "what is claimed is not written again"
    known.add(only.name)
    claimed.unlink()
    assert intake.empty() == 1
    assert server.flags() == ["S"]
    assert not list(tmp_path.glob("*.eml")), "what is on the record is not written again"


def test_a_mail_that_is_too_large_stays_and_is_a_problem(server, tmp_path):
    server.deliver(mail(1))
    server.deliver(mail(2, 50_000))
    server.deliver(mail(3))
    intake = box(server, tmp_path)
    assert intake.empty() == 2
    assert taken(tmp_path) == [mail(1), mail(3)]
    (problem,) = intake.problems()
    assert "mail 2 has" in problem
    assert "ingest.max_bytes 10000" in problem
    assert Counter(server.flags()) == {"S": 2, "": 1}


def test_a_mail_is_moved_where_the_settings_say(server, tmp_path):
    server.deliver(mail(1))
    assert box(server, tmp_path, after="move", move_to="Taken & done").empty() == 1
    assert server.flags() == []
    assert len(server.flags("Taken &- done")) == 1


def test_deleting_leaves_what_others_marked(server, tmp_path):
    server.deliver(mail(1))
    (server.maildir / "cur" / "1700009999.9.test:2,ST").write_bytes(mail(9))
    if os.getuid() == 0:
        status = server.maildir.stat()
        os.chown(server.maildir / "cur" / "1700009999.9.test:2,ST", status.st_uid, status.st_gid)
    assert box(server, tmp_path, after="delete").empty() == 1
    assert taken(tmp_path) == [mail(1)]
    assert server.flags() == ["ST"]


def test_a_wrong_password_is_told_without_the_password(server, tmp_path):
    secret = tmp_path / "wrong"
    secret.write_text("not the pass word\n")
    with pytest.raises(MailboxError, match="refuses the login") as caught:
        waiting("intake", options(server, password_file=secret))
    assert "pass word" not in str(caught.value)


def test_a_server_that_is_down_holds_up_no_other(server, tmp_path):
    folders = {name: tmp_path / name for name in ("email", "second")}
    for folder in folders.values():
        folder.mkdir()
    settings = IngestSettings(
        channels={"email": {}, "second": {}},
        mailboxes={
            "down": options(server, port=1, poll_seconds=1),
            "up": options(server, channel="second", poll_seconds=1),
        },
    )
    server.deliver(mail(1))
    all_boxes = Mailboxes(
        settings,
        folders,
        lambda channel, names: [n for n in names if (folders[channel] / n).exists()],
    )
    all_boxes.start()
    try:
        wait_until(lambda: server.flags() == ["S"])
        (problem,) = all_boxes.problems()
        assert problem.startswith("mailbox down:")
    finally:
        begun = time.monotonic()
        all_boxes.stop()
    assert time.monotonic() - begun < 5


def test_a_server_that_hangs_does_not_keep_the_appliance_from_stopping(server, tmp_path):
    with silent() as port:
        one = Mailboxes(
            IngestSettings(mailboxes={"mute": options(server, port=port)}),
            {"email": tmp_path},
            lambda channel, names: (),
        )
        one.start()
        time.sleep(0.5)
        begun = time.monotonic()
        one.stop()
        assert time.monotonic() - begun < 10


def test_twenty_mails_are_taken_once_through_kills_and_a_restart(server, tmp_path):
    sent = [mail(number, 3_000_000 if number == 7 else 0) for number in range(20)]
    for each in sent:
        server.deliver(each)
    data = tmp_path / "data"

    def appliance(place: str, count: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable, "-m", "tests.component.mailbox_stand_in", str(data),
                str(server.port), str(server.password_file), "seen", place, str(count),
            ]
        )  # fmt: skip

    # Killed: before a mail is written, after it was written, before and after the first are
    # marked. The large one is mail 8.
    for place, count in (("_write:before", 4), ("_write:after", 5), ("_settle:before", 1)):
        assert appliance(place, count).wait(60) == SIGKILLED
    running = appliance("_settle:after", 1)
    server.stop()
    time.sleep(1)
    server.start()
    assert running.wait(90) == SIGKILLED
    running = appliance("never", 0)
    try:
        wait_until(lambda: server.flags() == ["S"] * 20, 90)
        # Another round finds nothing to do.
        time.sleep(2)
    finally:
        running.terminate()
        running.wait(30)
    store = Store(f"sqlite:///{data / 'idp.sqlite'}", data / "store")
    try:
        rows = store.recent(1000)
        assert len(rows) == 20
        assert len({row.name for row in rows}) == 20
        kept = [store.original(row.id).read_bytes() for row in rows]
        assert sorted(kept) == sorted(sent)
        assert not any(row.duplicate_of for row in rows)
    finally:
        store.close()
    assert not list((data / "inbox" / "email").glob("*.eml"))


def wait_until(there, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.1)


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        held = []
        threading.Thread(
            target=lambda: held.append(listener.accept()), name="silent", daemon=True
        ).start()
        yield listener.getsockname()[1]

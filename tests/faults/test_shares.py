# SPDX-License-Identifier: Apache-2.0
"""Shares where nothing may be moved, that hang, that come and go; and drop folders of their own."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time

import pytest

from idp.arriving import StoreIntake
from idp.ingest import Inbox
from idp.settings import ChannelSettings, IngestSettings
from idp.store import State, Store
from tests.faults.dropping import Clock, Intake, lying_in, make_inbox, mounted, pass_time
from tests.faults.running import wait_until

pytestmark = pytest.mark.component


class Killed(BaseException):
    """What nothing catches, as nothing catches a kill."""


class Queue:
    """Stands for the engine: what was enqueued in a transaction that was committed."""

    def __init__(self):
        self.jobs = []

    def enqueue(self, connection, queue, target, job, priority):
        self.jobs.append((queue, target))


@pytest.fixture
def intake():
    return Intake()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'idp.sqlite'}", tmp_path / "store")
    store.migrate()
    yield store
    store.close()


def scanner(share, **settings):
    options = {"folder": share, "keep_files": True, "watch": "poll", "settle_seconds": 2}
    return {"scan": ChannelSettings(**(options | settings))}


def inbox_of(tmp_path, intake, clock, share, **settings):
    return make_inbox(tmp_path, intake, clock, channels=scanner(share, **settings))


def test_files_on_a_read_only_share_are_taken_once_and_stay(tmp_path, intake, clock, share):
    for name in ("a.tif", "b.tif"):
        (share / name).write_bytes(name.encode())
    inbox = inbox_of(tmp_path, intake, clock, share)
    pass_time(inbox, clock, 60)
    pass_time(inbox_of(tmp_path, intake, clock, share), clock, 60)
    assert intake.contents == [b"a.tif", b"b.tif"]
    assert intake.calls == 2
    assert lying_in(share) == ["a.tif", "b.tif"]
    assert [channel.remembered for channel in inbox.health().channels] == [2]
    assert inbox.health().problems == ()


def test_a_share_mounted_read_only_works(tmp_path, intake, clock, share):
    (share / "a.tif").write_bytes(b"fax")
    (share / "a.xml").write_bytes(b"<fax/>")
    place = tmp_path / "mounted"
    place.mkdir()
    with mounted("-o", "bind,ro", source=share, place=place):
        with pytest.raises(OSError, match="Read-only"):
            (place / "probe").touch()
        pass_time(inbox_of(tmp_path, intake, clock, place), clock)
        assert intake.sidecars == {"a.tif": b"<fax/>"}
        (share / "b.tif").write_bytes(b"later")
        pass_time(inbox_of(tmp_path, intake, clock, place), clock)
        assert intake.contents == [b"fax", b"later"]


def test_a_share_that_must_not_be_moved_on_says_which_setting_helps(tmp_path, intake, clock, share):
    (share / "a.tif").write_bytes(b"fax")
    place = tmp_path / "mounted"
    place.mkdir()
    with mounted("-o", "bind,ro", source=share, place=place):
        inbox = inbox_of(tmp_path, intake, clock, place, keep_files=False)
        pass_time(inbox, clock)
        (problem,) = inbox.health().problems
        assert problem.startswith("scan/a.tif: Read-only file system")
        assert "keep_files" in problem
    assert intake.contents == []


def test_a_changed_file_is_a_new_arrival(tmp_path, intake, clock, share):
    inbox = inbox_of(tmp_path, intake, clock, share)
    for content in (b"one", b"two", b"three"):
        (share / "a.tif").write_bytes(content)
        pass_time(inbox, clock)
    assert intake.contents == [b"one", b"three", b"two"]


def test_a_share_that_numbers_its_files_anew_brings_nothing_twice(tmp_path, intake, clock, share):
    (share / "a.tif").write_bytes(b"fax")
    (share / "a.xml").write_bytes(b"<fax/>")
    pass_time(inbox_of(tmp_path, intake, clock, share), clock)
    for name in ("a.tif", "a.xml"):
        found = (share / name).stat()
        shutil.copy(share / name, share / "new")
        (share / "new").rename(share / name)
        os.utime(share / name, ns=(found.st_atime_ns, found.st_mtime_ns))
    inbox = inbox_of(tmp_path, intake, clock, share)
    pass_time(inbox, clock, 90)
    assert intake.calls == 1
    known = intake.remembered("scan")
    assert known["a.tif"].stamp.inode == (share / "a.tif").stat().st_ino
    (share / "a.tif").unlink()
    (share / "a.tif").write_bytes(b"FAX")
    os.utime(share / "a.tif", ns=(found.st_atime_ns, known["a.tif"].stamp.modified_ns))
    pass_time(inbox, clock)
    assert intake.contents == [b"FAX", b"fax"]


def test_a_sidecar_that_comes_after_its_document_is_taken_by_itself(tmp_path, intake, clock, share):
    inbox = inbox_of(tmp_path, intake, clock, share)
    (share / "a.tif").write_bytes(b"fax")
    pass_time(inbox, clock)
    (share / "a.xml").write_bytes(b"<fax/>")
    pass_time(inbox, clock, 60)
    assert intake.sidecars == {"a.tif": None, "a.xml": None}


def test_a_file_that_changes_while_it_is_copied_is_copied_again(tmp_path, intake, clock, share):
    (share / "a.tif").write_bytes(b"half")

    def grow():
        intake.after_keep = lambda: None
        (share / "a.tif").write_bytes(b"half whole")

    intake.after_keep = grow
    pass_time(inbox_of(tmp_path, intake, clock, share), clock)
    assert intake.contents == [b"half whole"]


def test_names_that_print_alike_are_told_apart(tmp_path, intake, clock, share):
    for raw in (b"caf\xe9.tif", b"caf\\xe9.tif", b"new\nline.tif"):
        (share / os.fsdecode(raw)).write_bytes(raw)
    for _ in range(2):
        pass_time(inbox_of(tmp_path, intake, clock, share), clock, 60)
    assert intake.calls == 3


def test_the_arrival_and_the_ledger_are_one_transaction(tmp_path, store, clock, share):
    (share / "a.tif").write_bytes(b"fax")
    (share / "a.json").write_bytes(b"{}")
    queue = Queue()
    intake = StoreIntake(store, queue)
    record, keep = intake.record, intake.keep

    def killed(step, *, after):
        def run(*arguments):
            if after:
                step(*arguments)
            raise Killed

        return run

    def broken(*_):
        queue.enqueue = Queue().enqueue
        raise Killed

    for break_it in (
        lambda: setattr(intake, "keep", killed(keep, after=False)),
        lambda: setattr(intake, "keep", killed(keep, after=True)),
        lambda: setattr(intake, "record", killed(record, after=False)),
        lambda: setattr(queue, "enqueue", broken),
    ):
        break_it()
        with pytest.raises(Killed):
            pass_time(inbox_of(tmp_path, intake, clock, share), clock)
        intake.keep, intake.record = keep, record
        assert store.recent() == ()
        assert store.ledger("scan") == ()
    intake.record = killed(record, after=True)
    with pytest.raises(Killed):
        pass_time(inbox_of(tmp_path, intake, clock, share), clock)
    intake.record = record
    pass_time(inbox_of(tmp_path, intake, clock, share), clock, 90)
    (row,) = store.recent()
    assert (row.name, row.state) == ("a.tif", State.RECEIVED)
    arrival = store.show(row.id).arrival
    assert arrival.sidecar_name == "a.json"
    assert store.content.read(arrival.sidecar_sha256) == b"{}"
    assert sorted(line.path for line in store.ledger("scan")) == ["a.json", "a.tif"]
    assert store.ledger_counts() == {"scan": 2}


def test_a_changed_file_is_a_second_arrival_in_the_store_too(tmp_path, store, clock, share):
    intake = StoreIntake(store, Queue())
    for content in (b"one", b"two"):
        (share / "a.tif").write_bytes(content)
        pass_time(inbox_of(tmp_path, intake, clock, share, site="north"), clock)
    assert len(store.recent()) == 2
    assert {store.show(row.id).arrival.site for row in store.recent()} == {"north"}
    ((line),) = store.ledger("scan")
    assert line.size_bytes == 3


def test_trouble_with_one_file_does_not_hold_up_the_others(tmp_path, intake, clock, share):
    for name in "abc":
        (share / name).write_bytes(name.encode())

    def full():
        if intake.calls == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    intake.before_keep = full
    inbox = inbox_of(tmp_path, intake, clock, share)
    pass_time(inbox, clock, 20)
    assert any("No space left" in problem for problem in inbox.health().problems)
    intake.before_keep = lambda: None
    pass_time(inbox, clock, 100)
    assert intake.contents == [b"a", b"b", b"c"]
    assert inbox.health().problems == ()


def test_a_share_that_is_not_there_at_the_start_is_taken_up_when_it_comes(tmp_path, intake):
    share = tmp_path / "not-mounted"
    channels = {
        "scan": ChannelSettings(folder=share, settle_seconds=0),
        "fax": ChannelSettings(settle_seconds=0),
    }
    inbox = make_inbox(tmp_path, intake, time.monotonic, channels=channels, rescan_seconds=0.2)
    inbox.start()
    try:
        (inbox.folders["fax"] / "a.tif").write_bytes(b"fax")
        wait_until(lambda: intake.contents == [b"fax"], 10)
        assert not share.exists()
        assert any("not-mounted" in problem for problem in inbox.health().problems)
        share.mkdir()
        (share / "b.tif").write_bytes(b"scan")
        wait_until(lambda: intake.contents == [b"fax", b"scan"], 10)
        wait_until(lambda: inbox.health().problems == (), 10)
    finally:
        inbox.stop()


def test_a_share_that_hangs_holds_up_no_other_folder(tmp_path, intake, share, monkeypatch):
    channels = {
        "fax": ChannelSettings(settle_seconds=0),
        **scanner(share, settle_seconds=0, priority=1),
    }
    released = threading.Event()
    scan = os.scandir

    def hang(path):
        if path in (share, str(share)):
            released.wait()
        return scan(path)

    monkeypatch.setattr(os, "scandir", hang)
    inbox = make_inbox(tmp_path, intake, time.monotonic, channels=channels, rescan_seconds=0.2)
    inbox.start()
    try:
        (inbox.folders["fax"] / "a.tif").write_bytes(b"fax")
        wait_until(lambda: intake.contents == [b"fax"], 10)
        assert inbox.health().settling == 0
    finally:
        released.set()
        inbox.stop()


def test_a_share_is_scanned_without_events(tmp_path, intake, share):
    channels = scanner(share, settle_seconds=0, keep_files=False)
    inbox = make_inbox(tmp_path, intake, time.monotonic, channels=channels, rescan_seconds=0.2)
    inbox.start()
    try:
        assert inbox._hints._folders == {}
        (share / "a.tif").write_bytes(b"scan")
        wait_until(lambda: intake.contents == [b"scan"], 10)
        assert all(name.startswith(".done/") for name in lying_in(share))
    finally:
        inbox.stop()


def test_a_claim_carries_the_channels_queue_site_priority_and_policy(
    tmp_path, intake, clock, share
):
    settings = {"queue": "slow", "site": "north", "priority": 7, "exact_duplicates": "hold"}
    (share / "a.tif").write_bytes(b"fax")
    pass_time(inbox_of(tmp_path, intake, clock, share, **settings), clock)
    ((claim, _),) = intake.recorded.values()
    assert {name: getattr(claim, name) for name in settings} == settings


def test_a_full_disk_of_our_own_keeps_the_file_where_it_is(tmp_path, clock, share):
    place = tmp_path / "small"
    place.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=2m", source="tmpfs", place=place):
        store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}", place / "store")
        store.migrate()
        (share / "big.tif").write_bytes(os.urandom(3_000_000))
        (share / "small.tif").write_bytes(b"fax")
        settings = IngestSettings(
            channels={"scan": ChannelSettings(folder=share, settle_seconds=1)}
        )
        inbox = Inbox(tmp_path / "inbox", settings, StoreIntake(store, Queue()), now=clock)
        pass_time(inbox, clock, 60)
        assert [row.name for row in store.recent()] == ["small.tif"]
        assert any("No space left" in problem for problem in inbox.health().problems)
        assert inbox.health().claimed == 1
        assert list((place / "store" / "tmp").iterdir()) == []
        (claimed,) = [name for name in lying_in(share) if name.startswith(".claimed/")]
        assert (share / claimed).stat().st_size == 3_000_000
        (share / claimed).write_bytes(b"a smaller one")  # as if there were room again
        pass_time(inbox, clock, 100)
        assert len(store.recent()) == 2
        assert inbox.health().problems == ()
        store.close()

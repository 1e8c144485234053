# SPDX-License-Identifier: Apache-2.0
"""What people, drivers and file systems do to a drop folder, and what strangers put into it."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import threading
import time
from pathlib import Path

import pytest

from idp.ingest import inbox_claims, inbox_files
from idp.ingest.inbox_files import DEEPEST
from idp.settings import ChannelSettings
from idp.store import identity
from tests.faults import dropping
from tests.faults.dropping import Clock, Intake, lying_in, make_inbox, pass_time
from tests.faults.running import wait_until

pytestmark = pytest.mark.component

OVERFLOW = Path("/proc/sys/fs/inotify/max_queued_events")


@pytest.fixture
def intake():
    return Intake()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fax(tmp_path):
    folder = tmp_path / "inbox" / "fax"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def inbox(tmp_path, intake, clock):
    return make_inbox(tmp_path, intake, clock)


def set_clock(monkeypatch, days):
    """The wall clock jumps, and the process starts anew: ids no longer ascend from the last."""
    today = dt.datetime.now(dt.UTC)
    monkeypatch.setattr(dropping, "now", lambda: today + dt.timedelta(days=days))
    monkeypatch.setattr(identity, "_last", 0)


def open_inbox(fax):
    """All of a channel but what is done."""
    return [name for name in lying_in(fax) if not name.startswith(".done/")]


def test_names_at_the_limit_of_the_file_system_are_taken_with_their_sidecars(
    inbox, intake, clock, fax
):
    emoji = "📠" * 62
    for stem in ("a" * 251, emoji + "abc"):
        (fax / f"{stem}.tif").write_bytes(b"fax")
        (fax / f"{stem}.xml").write_bytes(b"<fax/>")
        assert len(os.fsencode(f"{stem}.tif")) == 255
    pass_time(inbox, clock)
    assert list(intake.sidecars.values()) == [b"<fax/>", b"<fax/>"]
    assert open_inbox(fax) == []


def test_a_stranger_with_a_name_at_the_limit_among_the_claims_is_taken(inbox, intake, clock, fax):
    (fax / ".claimed" / ("x" * 255)).mkdir(parents=True)
    (fax / ".claimed" / ("x" * 255) / ("y" * 255)).write_bytes(b"stray")
    pass_time(inbox, clock, 30)
    assert intake.contents == [b"stray"]
    assert open_inbox(fax) == []


def test_everything_that_strangers_put_among_the_claims_is_taken(inbox, intake, clock, fax):
    claim = fax / ".claimed" / intake.claim_id()
    for path in (
        fax / ".claimed" / "loose.tif",
        fax / ".claimed" / "stray" / "a.tif",
        fax / ".claimed" / "stray" / "deep" / "b.tif",
        claim / "c.tif",
        claim / "d.tif",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())
    pass_time(inbox, clock, 60)
    assert intake.contents == [b"a.tif", b"b.tif", b"c.tif", b"d.tif", b"loose.tif"]
    assert open_inbox(fax) == []


def test_a_link_in_place_of_our_folder_is_not_followed(tmp_path, inbox, intake, clock, fax):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / intake.claim_id()).mkdir(parents=True)
    secret = elsewhere / intake.claim_id() / "secret.tif"
    secret.parent.mkdir()
    secret.write_bytes(b"secret")
    (fax / ".claimed").symlink_to(elsewhere)
    (fax / "a.tif").write_bytes(b"fax")
    pass_time(inbox, clock, 30)
    assert intake.contents == []
    assert any(".claimed in it is not a plain folder" in each for each in inbox.health().problems)
    (fax / ".claimed").unlink()
    (fax / ".claimed").mkdir()
    (fax / ".claimed" / intake.claim_id()).symlink_to(secret.parent)
    pass_time(inbox, clock, 60)
    assert intake.contents == [b"fax"]
    assert secret.read_bytes() == b"secret"


def test_a_link_put_in_place_of_a_settled_file_is_not_followed(
    tmp_path, inbox, intake, clock, fax, monkeypatch
):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (fax / "a.tif").write_bytes(b"fax")
    claim = inbox_claims.ClaimedChannel._claim

    def swapped(channel, group):
        (fax / "a.tif").unlink()
        (fax / "a.tif").symlink_to(secret)
        return claim(channel, group)

    monkeypatch.setattr(inbox_claims.ClaimedChannel, "_claim", swapped)
    pass_time(inbox, clock)
    assert intake.contents == []
    assert secret.read_bytes() == b"secret"


def test_folders_deeper_than_the_limit_are_pointed_out(inbox, intake, clock, fax):
    deep = fax.joinpath(*(f"{level}" for level in range(DEEPEST)))
    (deep / "too deep").mkdir(parents=True)
    (deep / "a.tif").write_bytes(b"fax")
    (deep / "too deep" / "b.tif").write_bytes(b"fax")
    pass_time(inbox, clock)
    assert intake.names == [str((deep / "a.tif").relative_to(fax))]
    assert any("too deep: refused" in problem for problem in inbox.health().problems)


def test_a_folder_that_may_not_be_entered_does_not_hold_up_the_others(
    inbox, intake, clock, fax, monkeypatch
):
    (fax / "locked").mkdir()
    (fax / "locked" / "a.tif").write_bytes(b"fax")
    (fax / "b.tif").write_bytes(b"b")
    scan = os.scandir

    def guarded(path):
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scan(path)

    with monkeypatch.context() as patch:
        patch.setattr(inbox_files.os, "scandir", guarded)
        pass_time(inbox, clock)
        assert intake.contents == [b"b"]
        assert any("fax/locked: refused" in problem for problem in inbox.health().problems)
    pass_time(inbox, clock)
    assert intake.contents == [b"b", b"fax"]


def test_a_file_that_may_not_be_read_does_not_hold_up_the_others(
    inbox, intake, clock, fax, monkeypatch
):
    for name in ("a.tif", "b.tif", "b.xml"):
        (fax / name).write_bytes(name.encode())
    opened = os.open

    def guarded(path, *arguments, **options):
        if Path(path).name in {"a.tif", "b.xml"}:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(inbox_files.os, "open", guarded)
        pass_time(inbox, clock, 20)
        assert intake.contents == []
        assert sorted(inbox.health().problems) == [
            "fax/a.tif: can't be read",
            "fax/b.xml: can't be read",
        ]
        pass_time(inbox, clock, 20)
        assert intake.sidecars == {"b.tif": None}
    pass_time(inbox, clock, 60)
    assert intake.contents == [b"a.tif", b"b.tif", b"b.xml"]


def test_a_sender_that_makes_the_file_first_and_fills_it_later_is_waited_for(
    inbox, intake, clock, fax
):
    (fax / "a.tif").touch()
    pass_time(inbox, clock, 8)
    (fax / "a.tif").write_bytes(b"fax")
    pass_time(inbox, clock, 30)
    assert intake.contents == [b"fax"]


def test_an_upload_that_is_renamed_into_place_is_taken_under_its_last_name(
    inbox, intake, clock, fax
):
    with (fax / "a.tif.filepart").open("ab", buffering=0) as writer:
        for _ in range(5):
            writer.write(b"x")
            clock.now += 3
            inbox.scan()
    assert intake.contents == []
    (fax / "a.tif.filepart").rename(fax / "a.tif")
    pass_time(inbox, clock)
    assert (intake.names, intake.contents) == (["a.tif"], [b"xxxxx"])


def test_the_fax_servers_own_counter_is_left_where_it_is(inbox, intake, clock, fax):
    (fax / "seqf").write_bytes(b"12")
    (fax / "fax00012.tif").write_bytes(b"fax")
    pass_time(inbox, clock, 90)
    assert intake.names == ["fax00012.tif"]
    assert (fax / "seqf").exists()


@pytest.mark.parametrize("modified", [0, 32_503_680_000], ids=["1970", "3000"])
def test_times_of_files_from_a_wrong_clock_do_not_matter(inbox, intake, clock, fax, modified):
    (fax / "a.tif").write_bytes(b"fax")
    os.utime(fax / "a.tif", (modified, modified))
    pass_time(inbox, clock, 5)
    assert intake.contents == [b"fax"]


def test_a_clock_set_back_takes_nothing_twice_and_keeps_what_is_done(
    tmp_path, intake, clock, fax, monkeypatch
):
    (fax / "a.tif").write_bytes(b"a")
    pass_time(make_inbox(tmp_path, intake, clock), clock)
    earlier = Intake()
    earlier.recorded = intake.recorded
    set_clock(monkeypatch, -400)
    (fax / "b.tif").write_bytes(b"b")
    pass_time(make_inbox(tmp_path, earlier, clock), clock)
    assert earlier.contents == [b"a", b"b"]
    assert len(lying_in(fax)) == 2


def test_a_clock_set_forward_loses_nothing_that_is_not_recorded(
    tmp_path, intake, clock, fax, monkeypatch
):
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    intake.before_keep = full
    (fax / "a.tif").write_bytes(b"a")
    pass_time(make_inbox(tmp_path, intake, clock), clock)
    set_clock(monkeypatch, 4000)
    intake.before_keep = lambda: None
    pass_time(make_inbox(tmp_path, intake, clock), clock, 4000)
    assert intake.contents == [b"a"]


def test_events_that_are_lost_lose_no_file(tmp_path, intake):
    channels = {"fax": ChannelSettings(settle_seconds=0.1)}
    inbox = make_inbox(tmp_path, intake, time.monotonic, channels=channels, rescan_seconds=0.5)
    inbox.start()
    try:
        inbox._hints.on_any_event = lambda event: None
        for number in range(300):
            (inbox.folders["fax"] / f"{number}.tif").write_bytes(b"%d" % number)
        wait_until(lambda: len(intake.recorded) == 300, 60)
        assert len(set(intake.contents)) == 300
    finally:
        inbox.stop()


def test_a_queue_of_events_that_overflows_loses_no_file(tmp_path, intake, caplog):
    with small_event_queue():
        channels = {"fax": ChannelSettings(settle_seconds=0.1)}
        inbox = make_inbox(tmp_path, intake, time.monotonic, channels=channels, rescan_seconds=1.0)
        inbox.start()
    try:
        reading = threading.Event()
        heard = inbox._hints.on_any_event

        def slow(event):
            reading.wait(0.01)
            heard(event)

        inbox._hints.on_any_event = slow
        for number in range(1000):
            (inbox.folders["fax"] / f"{number}.tif").write_bytes(b"%d" % number)
        wait_until(lambda: len(intake.recorded) == 1000, 120)
        reading.set()
        assert len(set(intake.contents)) == 1000
        assert "events were lost" in caplog.text
    finally:
        inbox.stop()


@contextlib.contextmanager
def small_event_queue():
    """A short queue for watches made meanwhile; to be asked for, since it is everybody's."""
    if not os.environ.get("IDP_MAY_CHANGE_KERNEL_SETTINGS"):
        pytest.skip("changes a kernel setting: set IDP_MAY_CHANGE_KERNEL_SETTINGS=1 to run it")
    before = OVERFLOW.read_text()
    OVERFLOW.write_text("16")
    try:
        yield
    finally:
        OVERFLOW.write_text(before)

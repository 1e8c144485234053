# SPDX-License-Identifier: Apache-2.0
"""The drop folders against slow writers, odd names, full disks and vanishing shares."""

from __future__ import annotations

import datetime as dt
import errno
import itertools
import os
import shutil
import time
import uuid

import pytest

from idp.settings import ChannelSettings
from tests.faults.dropping import (
    Clock,
    Intake,
    lying_in,
    make_inbox,
    pass_time,
    tells_of_writers,
)
from tests.faults.running import wait_until

pytestmark = pytest.mark.component


@pytest.fixture
def intake():
    return Intake()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(tmp_path, intake, clock):
    return make_inbox(tmp_path, intake, clock)


@pytest.fixture
def fax(tmp_path):
    folder = tmp_path / "inbox" / "fax"
    for name in (".claimed", ".done"):
        (folder / name).mkdir(parents=True)
    return folder


def test_a_file_present_before_the_start_is_taken_once_and_kept_in_done(inbox, intake, clock, fax):
    (fax / "a.tif").write_bytes(b"fax")
    inbox.scan()
    assert intake.contents == []
    pass_time(inbox, clock)
    assert intake.contents == [b"fax"]
    assert intake.calls == 1
    (claim, _), *_ = intake.recorded.values()
    assert (claim.name, claim.channel, claim.priority) == ("a.tif", "fax", 3)
    assert lying_in(fax) == [f".done/{claim.id}/a.tif"]


def test_a_file_still_growing_is_not_taken(inbox, intake, clock, fax):
    with (fax / "a.tif").open("ab", buffering=0) as writer:
        for _ in range(10):
            writer.write(b"x" * 100)
            clock.now += 1
            inbox.scan()
        assert intake.contents == []
    pass_time(inbox, clock)
    assert intake.contents == [b"x" * 1000]


def test_a_writer_that_pauses_longer_than_the_settle_time_is_waited_for(
    inbox, intake, clock, fax, tmp_path
):
    with (fax / "a.tif").open("ab", buffering=0) as writer:
        writer.write(b"first")
        if not tells_of_writers(fax / "a.tif"):
            pytest.skip("this file system does not tell of writers")
        pass_time(inbox, clock, 60)
        assert intake.contents == []
        writer.write(b" second")
    pass_time(inbox, clock)
    assert intake.contents == [b"first second"]


def test_a_writer_that_reopens_per_page_is_taken_whole(inbox, intake, clock, fax):
    for page in range(4):
        with (fax / "a.tif").open("ab") as writer:
            writer.write(b"page%d " % page)
        clock.now += 1.5
        inbox.scan()
    pass_time(inbox, clock)
    assert intake.contents == [b"page0 page1 page2 page3 "]


def test_a_file_that_grows_while_it_is_hashed_is_taken_again_whole(inbox, intake, clock, fax):
    (fax / "a.tif").write_bytes(b"half")

    def grow():
        intake.after_keep = lambda: None
        (path,) = (fax / ".claimed").rglob("a.tif")
        with path.open("ab") as writer:
            writer.write(b" whole")

    intake.after_keep = grow
    pass_time(inbox, clock)
    assert intake.contents == [b"half whole"]


def test_a_file_that_grows_after_it_was_recorded_arrives_a_second_time(inbox, intake, clock, fax):
    (fax / "a.tif").write_bytes(b"half")

    def grow():
        intake.after_record = lambda: None
        (path,) = (fax / ".claimed").rglob("a.tif")
        with path.open("ab") as writer:
            writer.write(b" whole")

    intake.after_record = grow
    pass_time(inbox, clock)
    assert intake.contents == [b"half", b"half whole"]


def test_an_empty_file_is_recorded_too(inbox, intake, clock, fax):
    (fax / "a.tif").touch()
    pass_time(inbox, clock, 5)
    assert intake.contents == []
    pass_time(inbox, clock, 15)
    assert intake.contents == [b""]


@pytest.mark.parametrize("step", ["before_keep", "after_keep", "before_record", "after_record"])
def test_killed_at_any_step_the_next_start_takes_it_once(tmp_path, intake, clock, fax, step):
    class Killed(BaseException):
        pass

    def die():
        raise Killed

    (fax / "a.tif").write_bytes(b"fax")
    setattr(intake, step, die)
    with pytest.raises(Killed):
        pass_time(make_inbox(tmp_path, intake, clock), clock)
    assert len(lying_in(fax)) == 1
    setattr(intake, step, lambda: None)
    pass_time(make_inbox(tmp_path, intake, clock), clock)
    assert intake.contents == [b"fax"]
    assert lying_in(fax)[0].startswith(".done/")


def test_killed_between_folder_and_rename_leaves_nothing_behind(inbox, intake, clock, fax):
    (fax / ".claimed" / intake.claim_id()).mkdir()
    pass_time(inbox, clock)
    assert list((fax / ".claimed").iterdir()) == []


def test_what_somebody_else_put_into_the_claims_is_taken_too(inbox, intake, clock, fax):
    (fax / ".claimed" / "stray").mkdir()
    (fax / ".claimed" / "stray" / "a.tif").write_bytes(b"stray")
    pass_time(inbox, clock)
    assert intake.contents == [b"stray"]


def test_a_full_disk_keeps_the_file_and_says_so_until_it_is_mended(inbox, intake, clock, fax):
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (fax / "a.tif").write_bytes(b"fax")
    intake.before_keep = full
    pass_time(inbox, clock, 100)
    assert any("No space left" in problem for problem in inbox.health().problems)
    assert inbox.health().claimed == 1
    intake.before_keep = lambda: None
    pass_time(inbox, clock, 100)
    assert intake.contents == [b"fax"]
    assert inbox.health().problems == ()


def test_one_file_in_trouble_does_not_hold_up_the_others(inbox, intake, clock, fax):
    for name in "abc":
        (fax / name).write_bytes(name.encode())
    turn = itertools.count()

    def broken():
        if next(turn) < 2:  # all together, then the first of them
            raise RuntimeError("database is away")

    intake.before_record = broken
    pass_time(inbox, clock, 2.5)
    assert len(intake.contents) == 2
    pass_time(inbox, clock)
    assert intake.contents == [b"a", b"b", b"c"]


def test_links_and_pipes_are_refused_and_left(inbox, intake, clock, fax, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (fax / "link.tif").symlink_to(secret)
    (fax / "folder").symlink_to(tmp_path)
    os.mkfifo(fax / "pipe.tif")
    pass_time(inbox, clock)
    assert intake.contents == []
    assert len(inbox.health().problems) == 3
    assert (fax / "link.tif").is_symlink()


@pytest.mark.parametrize(
    "raw",
    [b"new\nline.tif", "📠 fax.tif".encode(), b"caf\xe9.tif", b"-rf", b" ", b"a" * 250 + b".tif"],
)
def test_odd_names_are_taken_and_kept_byte_by_byte(inbox, intake, clock, fax, raw):
    (fax / os.fsdecode(raw)).write_bytes(b"fax")
    pass_time(inbox, clock)
    assert intake.contents == [b"fax"]
    intake.names[0].encode()
    (done,) = (path for path in (fax / ".done").rglob("*") if path.is_file())
    assert os.fsencode(done.name) == raw


def test_files_in_subfolders_are_taken_with_their_path(inbox, intake, clock, fax):
    (fax / "clinic" / "monday").mkdir(parents=True)
    (fax / "clinic" / "monday" / "a.tif").write_bytes(b"fax")
    pass_time(inbox, clock)
    assert intake.names == ["clinic/monday/a.tif"]


def test_temporary_names_are_left_until_they_are_renamed(inbox, intake, clock, fax):
    for name in (".a.tif.tmp", "b.part", "c.tif~"):
        (fax / name).write_bytes(b"fax")
    pass_time(inbox, clock)
    assert intake.contents == []
    (fax / "b.part").rename(fax / "b.tif")
    pass_time(inbox, clock)
    assert intake.names == ["b.tif"]


def test_a_folder_that_vanishes_is_reported_and_its_return_is_noticed(
    inbox, intake, clock, fax, tmp_path
):
    shutil.move(fax, tmp_path / "away")
    pass_time(inbox, clock)
    assert any("fax" in problem for problem in inbox.health().problems)
    shutil.move(tmp_path / "away", fax)
    (fax / "a.tif").write_bytes(b"fax")
    pass_time(inbox, clock)
    assert intake.contents == [b"fax"]
    assert inbox.health().problems == ()


def test_files_beside_the_drop_folders_are_pointed_out(inbox, intake, clock, fax):
    (fax.parent / "lost.tif").write_bytes(b"fax")
    pass_time(inbox, clock)
    assert "1 file(s)" in inbox.health().problems[0]


def test_done_files_are_removed_after_their_days(tmp_path, intake, clock, fax):
    young = intake.claim_id()
    days = dt.timedelta(days=8) // dt.timedelta(milliseconds=1)
    old = str(uuid.UUID(int=uuid.UUID(young).int - (days << 80)))
    for name in (old, young):
        (fax / ".done" / name).mkdir()
    make_inbox(tmp_path, intake, clock, keep_done_days=7).scan()
    assert [path.name for path in (fax / ".done").iterdir()] == [young]


def test_urgent_channels_go_first(tmp_path, intake, clock):
    channels = {
        "slow": ChannelSettings(priority=9, settle_seconds=0),
        "urgent": ChannelSettings(priority=1, settle_seconds=0),
    }
    inbox = make_inbox(tmp_path, intake, clock, channels=channels)
    for name in channels:
        folder = tmp_path / "inbox" / name
        (folder / ".claimed").mkdir(parents=True)
        (folder / "a").write_bytes(name.encode())
    inbox.scan()
    assert [claim.channel for claim, _ in intake.recorded.values()] == ["urgent", "slow"]


def test_the_running_inbox_hears_of_files_and_renames_quickly(tmp_path, intake):
    settings = {"channels": {"fax": ChannelSettings(settle_seconds=0.2)}, "rescan_seconds": 3600.0}
    inbox = make_inbox(tmp_path, intake, time.monotonic, **settings)
    inbox.start()
    try:
        fax = inbox.folders["fax"]
        (fax / "a.tif").write_bytes(b"written")
        (fax / ".b.tmp").write_bytes(b"renamed")
        (fax / ".b.tmp").rename(fax / "b.tif")
        wait_until(lambda: intake.contents == [b"renamed", b"written"], 10)
    finally:
        inbox.stop()


def test_a_burst_of_files_is_taken_completely(tmp_path, intake):
    settings = {"channels": {"fax": ChannelSettings(settle_seconds=0.1)}, "rescan_seconds": 1.0}
    inbox = make_inbox(tmp_path, intake, time.monotonic, **settings)
    inbox.start()
    try:
        for number in range(500):
            (inbox.folders["fax"] / f"{number}.tif").write_bytes(b"%d" % number)
        wait_until(lambda: len(intake.recorded) == 500, 60)
        assert len(set(intake.contents)) == 500
    finally:
        inbox.stop()


def test_a_broken_pass_is_reported_and_the_inbox_goes_on(tmp_path, intake):
    settings = {"channels": {"fax": ChannelSettings(settle_seconds=0)}, "rescan_seconds": 0.2}
    inbox = make_inbox(tmp_path, intake, time.monotonic, **settings)
    works = intake.claim_id
    intake.claim_id = lambda: 1 / 0
    inbox.start()
    try:
        (inbox.folders["fax"] / "a.tif").write_bytes(b"fax")
        wait_until(lambda: any("ZeroDivisionError" in p for p in inbox.health().problems), 10)
        intake.claim_id = works
        wait_until(lambda: intake.contents == [b"fax"], 10)
    finally:
        inbox.stop()

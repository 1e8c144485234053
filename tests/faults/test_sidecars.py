# SPDX-License-Identifier: Apache-2.0
"""Sidecars and done files: bound to their document, whatever comes late or is killed between."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from idp.settings import ChannelSettings
from tests.faults.dropping import Clock, Intake, lying_in, make_inbox, pass_time

pytestmark = pytest.mark.component

X12 = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260102*"


class Killed(BaseException):
    """What nothing catches, as nothing catches a kill."""


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


def channel(**settings):
    return {"fax": ChannelSettings(**({"settle_seconds": 2, "sidecar_seconds": 30} | settings))}


def drop(folder, **files):
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)


def test_a_sidecar_beside_its_document_is_recorded_with_it_and_goes_to_done(
    tmp_path, intake, clock, fax
):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    drop(fax, fax_tif=b"fax", fax_xml=b"<fax/>")
    pass_time(inbox, clock)
    assert intake.sidecars == {"fax.tif": b"<fax/>"}
    ((claim, _),) = intake.recorded.values()
    assert claim.sidecar[0] == "fax.xml"
    assert lying_in(fax) == [
        f".done/{claim.id}/.bound/sidecar/fax.xml",
        f".done/{claim.id}/fax.tif",
    ]


def test_a_sidecar_that_came_first_waits_for_its_document(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    drop(fax, fax_xml=b"<fax/>")
    pass_time(inbox, clock, 25)
    assert intake.contents == []
    drop(fax, fax_tif=b"fax")
    pass_time(inbox, clock)
    assert intake.sidecars == {"fax.tif": b"<fax/>"}


def test_a_sidecar_whose_document_never_comes_is_taken_as_a_file_of_its_own(
    tmp_path, intake, clock, fax
):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    drop(fax, fax_xml=b"<fax/>")
    pass_time(inbox, clock, 32)
    assert intake.sidecars == {"fax.xml": None}
    assert intake.contents == [b"<fax/>"]


def test_an_optional_sidecar_is_not_waited_for_longer_than_the_document_settles(
    tmp_path, intake, clock, fax
):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    drop(fax, fax_tif=b"fax")
    pass_time(inbox, clock, 4)
    assert intake.sidecars == {"fax.tif": None}


def test_a_sidecar_still_being_written_is_waited_for(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    drop(fax, fax_tif=b"fax")
    with (fax / "fax.xml").open("ab", buffering=0) as writer:
        for _ in range(8):
            writer.write(b"<fax/>")
            clock.now += 1
            inbox.scan()
        assert intake.contents == []
    pass_time(inbox, clock)
    assert intake.sidecars == {"fax.tif": b"<fax/>" * 8}


def test_a_sidecar_without_end_does_not_hold_its_document_for_ever(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    drop(fax, fax_tif=b"fax")
    with (fax / "fax.xml").open("ab", buffering=0) as writer:
        for _ in range(32):
            writer.write(b"<fax/>")
            clock.now += 1
            inbox.scan()
        assert intake.sidecars == {"fax.tif": None}
    pass_time(inbox, clock, 40)
    assert intake.contents == [b"<fax/>" * 32, b"fax"]


def test_a_required_sidecar_is_waited_for_and_bound(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel(sidecar="required"))
    drop(fax, fax_tif=b"fax")
    pass_time(inbox, clock, 20)
    assert intake.contents == []
    drop(fax, fax_json=b"{}")
    pass_time(inbox, clock, 8)
    assert intake.sidecars == {"fax.tif": b"{}"}


def test_a_document_is_taken_without_a_required_sidecar_that_never_comes(
    tmp_path, intake, clock, fax
):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel(sidecar="required"))
    drop(fax, fax_tif=b"fax")
    pass_time(inbox, clock, 29)
    assert intake.contents == []
    pass_time(inbox, clock, 5)
    assert intake.sidecars == {"fax.tif": None}


def test_a_remittance_named_like_a_sidecar_is_a_document_at_once(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel(sidecar_seconds=3600))
    drop(fax, remit_tif=b"scan", remit_txt=X12)
    pass_time(inbox, clock, 5)
    assert intake.sidecars == {"remit.tif": None, "remit.txt": None}


def test_two_documents_of_one_stem_both_get_the_sidecar(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    drop(fax, a_tif=b"tif", a_pdf=b"pdf", a_xml=b"<fax/>")
    pass_time(inbox, clock, 60)
    assert intake.sidecars == {"a.tif": b"<fax/>", "a.pdf": b"<fax/>"}
    assert all(name.startswith(".done/") for name in lying_in(fax))


def test_with_a_done_suffix_a_document_waits_for_its_done_file(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel(done_suffix=".done"))
    drop(fax, a_tif=b"a", b_tif=b"b", a_done=b"", c_done=b"")
    pass_time(inbox, clock, 60)
    assert intake.contents == [b"a"]
    assert sorted(inbox.health().problems) == [
        "fax/b.tif: waits for its .done file",
        "fax/c.done: announces a file that is not there",
    ]
    (fax / "b.tif.done").touch()
    pass_time(inbox, clock, 60)
    assert intake.contents == [b"a", b"b"]
    left = [name for name in lying_in(fax) if not name.startswith(".done/")]
    assert left == ["c.done"]


def test_another_document_of_the_same_name_gets_its_own_sidecar(tmp_path, intake, clock, fax):
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    for number in range(3):
        drop(fax, fax_tif=b"fax%d" % number, fax_xml=b"<fax%d/>" % number)
        pass_time(inbox, clock)
    taken = {content: claim.sidecar for claim, content in intake.recorded.values()}
    kept = {content: intake.kept[sidecar[1]] for content, sidecar in taken.items()}
    assert kept == {b"fax%d" % number: b"<fax%d/>" % number for number in range(3)}


def test_a_document_that_grows_after_it_was_recorded_keeps_its_sidecar(
    tmp_path, intake, clock, fax
):
    drop(fax, fax_tif=b"half", fax_xml=b"<fax/>")

    def grow():
        intake.after_record = lambda: None
        (path,) = (fax / ".claimed").rglob("fax.tif")
        with path.open("ab") as writer:
            writer.write(b" whole")

    intake.after_record = grow
    pass_time(make_inbox(tmp_path, intake, clock, channels=channel()), clock)
    assert intake.contents == [b"half", b"half whole"]
    assert [claim.sidecar is not None for claim, _ in intake.recorded.values()] == [True, True]


def test_a_link_named_like_a_sidecar_is_refused(tmp_path, intake, clock, fax):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (fax / "fax.xml").symlink_to(secret)
    drop(fax, fax_tif=b"fax")
    pass_time(make_inbox(tmp_path, intake, clock, channels=channel()), clock, 60)
    assert intake.sidecars == {"fax.tif": None}
    assert (fax / "fax.xml").is_symlink()


def test_a_sidecar_of_a_size_that_describes_nothing_is_a_document(tmp_path, intake, clock, fax):
    drop(fax, fax_tif=b"fax", fax_txt=b"x" * 2_000_000)
    pass_time(make_inbox(tmp_path, intake, clock, channels=channel()), clock, 5)
    assert intake.sidecars == {"fax.tif": None, "fax.txt": None}


def test_a_full_disk_while_the_sidecar_is_kept_loses_neither(tmp_path, intake, clock, fax):
    drop(fax, fax_tif=b"fax", fax_xml=b"<fax/>")
    calls = []

    def full():
        calls.append(1)
        if len(calls) % 2 == 0 and len(calls) < 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    intake.before_keep = full
    inbox = make_inbox(tmp_path, intake, clock, channels=channel())
    pass_time(inbox, clock, 60)
    assert intake.sidecars == {"fax.tif": b"<fax/>"}
    assert inbox.health().problems == ()


def test_a_full_disk_while_a_shared_sidecar_is_copied_leaves_neither_document_without(
    tmp_path, intake, clock, fax, monkeypatch
):
    drop(fax, a_tif=b"tif", a_pdf=b"pdf", a_xml=b"<fax/>")
    copy, turns = shutil.copyfileobj, []

    def full(*arguments):
        turns.append(1)
        if len(turns) < 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        copy(*arguments)

    monkeypatch.setattr(os, "link", lambda *_, **__: _not_permitted())
    monkeypatch.setattr(shutil, "copyfileobj", full)
    pass_time(make_inbox(tmp_path, intake, clock, channels=channel()), clock, 90)
    assert len(turns) >= 3
    assert intake.sidecars == {"a.tif": b"<fax/>", "a.pdf": b"<fax/>"}
    assert all(name.startswith(".done/") for name in lying_in(fax))


class Killer:
    """Counts what changes the disk or the record, and kills before or after the one wanted."""

    def __init__(self, monkeypatch, intake):
        self.turn = 0
        self.at = 0
        self.after = False
        for owner, name in (
            (Path, "rename"),
            (Path, "mkdir"),
            (shutil, "rmtree"),
            (os, "link"),
            (intake, "keep"),
            (intake, "record"),
        ):
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, step):
        def run(*arguments, **options):
            self.turn += 1
            mine = self.turn == self.at
            if mine and not self.after:
                raise Killed
            try:
                return step(*arguments, **options)
            finally:
                if mine:
                    raise Killed

        return run

    def arm(self, at, *, after):
        self.turn, self.at, self.after = 0, at, after


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
def test_killed_between_any_two_steps_nothing_is_lost_doubled_or_left_unbound(
    tmp_path, monkeypatch, after, links
):
    files = {
        "fax.tif": b"fax",
        "fax.xml": b"<fax/>",
        "fax.tif.done": b"",
        "a.tif": b"tif",
        "a.pdf": b"pdf",
        "a.json": b"{}",
        "a.done": b"",
        "clinic/b.tif": b"b",
        "clinic/b.tif.txt": b"note",
        "clinic/b.done": b"",
    }
    expected = {"fax.tif": b"<fax/>", "a.tif": b"{}", "a.pdf": b"{}", "clinic/b.tif": b"note"}
    if not links:
        monkeypatch.setattr(os, "link", lambda *_, **__: _not_permitted())
    kills = 0
    for at in range(1, 200):
        place = tmp_path / str(at)
        intake, clock = Intake(), Clock()
        for name, content in files.items():
            path = place / "inbox" / "fax" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        settings = channel(done_suffix=".done", sidecar="required", sidecar_seconds=600)
        with monkeypatch.context() as patch:
            killer = Killer(patch, intake)
            killer.arm(at, after=after)
            try:
                pass_time(make_inbox(place, intake, clock, channels=settings), clock)
                killed = False
            except Killed:
                killed = True
        kills += killed
        pass_time(make_inbox(place, intake, clock, channels=settings), clock, 60)
        assert intake.sidecars == expected, at
        assert len(intake.recorded) == len(expected), at
        fax = place / "inbox" / "fax"
        assert all(name.startswith(".done/") for name in lying_in(fax)), (at, lying_in(fax))
        if not killed:
            break
    else:
        pytest.fail("the steps never end")
    assert kills > 30


def _not_permitted():
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))

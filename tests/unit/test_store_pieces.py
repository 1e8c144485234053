# SPDX-License-Identifier: Apache-2.0
"""Ids, states and the content store by themselves."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.errors import DamagedStoreError
from idp.store import ContentStore, State, born_at, new_id
from idp.store import content as content_module
from idp.store.rows import FIRST, LEFT, MOVES, TO_DELIVER, TO_PROCESS

times = st.datetimes(
    min_value=dt.datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=dt.datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)


@given(st.lists(times, min_size=2, max_size=50))
def test_ids_ascend_whatever_the_clock_does(moments):
    ids = [new_id(moment) for moment in moments]
    assert ids == sorted(set(ids))


def test_ids_of_many_threads_are_all_different():
    found: list[str] = []
    now = dt.datetime.now(dt.UTC)
    threads = [
        threading.Thread(target=lambda: found.extend(new_id(now) for _ in range(500)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 2000


@pytest.mark.parametrize("text", ["", "x", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])
def test_other_texts_are_not_taken_for_ids(text):
    with pytest.raises(ValueError):
        born_at(text)


def test_every_state_has_its_moves_and_can_be_reached():
    assert set(MOVES) == set(State)
    reached = set(FIRST)
    while more := {after for state in reached for after in MOVES[state]} - reached:
        reached |= more
    assert reached == set(State)


def test_what_has_left_never_comes_back_to_processing():
    reached = {State.DELIVERED, State.INCOMPLETE, State.DELIVERING, State.AUTO}
    while (
        more := {
            after for state in reached for after in MOVES[state] if state is not State.QUARANTINED
        }
        - reached
    ):
        reached |= more
    assert not reached & TO_PROCESS
    assert TO_DELIVER < LEFT


def test_every_state_of_work_leads_on_without_a_person():
    for state in TO_PROCESS | TO_DELIVER:
        assert MOVES[state] - {state}


@given(st.binary(max_size=5000))
def test_content_comes_back_as_it_was_put(tmp_path_factory, content):
    store = ContentStore(tmp_path_factory.mktemp("store"))
    kept = store.put_bytes(content)
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    assert kept.size_bytes == len(content)
    assert store.read(kept.sha256) == content
    assert list(store.verify()) == []


def test_the_same_content_twice_is_one_file_that_is_not_touched(tmp_path):
    store = ContentStore(tmp_path)
    first = store.path(store.put_bytes(b"one").sha256).stat()
    again = store.path(store.put_bytes(b"one").sha256).stat()
    assert (first.st_ino, first.st_mtime_ns) == (again.st_ino, again.st_mtime_ns)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_damaged_file_is_noticed_and_mended_by_the_same_content(tmp_path):
    store = ContentStore(tmp_path)
    sha256 = store.put_bytes(b"sound").sha256
    path = store.path(sha256)
    path.chmod(0o600)
    path.write_bytes(b"rotten")
    assert list(store.verify()) == [sha256]
    with pytest.raises(DamagedStoreError):
        store.read(sha256)
    store.put_bytes(b"sound")
    assert store.read(sha256) == b"sound"


def test_what_is_not_there_is_an_error_and_bad_names_never_reach_the_disk(tmp_path):
    store = ContentStore(tmp_path)
    with pytest.raises(DamagedStoreError):
        store.path("0" * 64)
    for name in ("../../etc/passwd", "", "0" * 63, "G" * 64, "0" * 64 + "\n"):
        with pytest.raises(ValueError, match="not a sha256"):
            store.path(name)


def test_an_error_in_the_middle_leaves_nothing(tmp_path):
    class Breaks(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 0:
                raise OSError("cable pulled")
            return super().read(10)

    store = ContentStore(tmp_path)
    with pytest.raises(OSError, match="cable"):
        store.put(Breaks(b"x" * 100))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_disk_that_writes_something_else_is_noticed(tmp_path, monkeypatch):
    store = ContentStore(tmp_path)
    monkeypatch.setattr(content_module, "_hash_file", lambda path: "0" * 64)
    with pytest.raises(DamagedStoreError):
        store.put_bytes(b"one")
    assert not store.has(hashlib.sha256(b"one").hexdigest())


def test_the_name_appears_only_after_bytes_and_before_the_folder_are_synced(tmp_path, monkeypatch):
    steps = []
    fsync = os.fsync
    monkeypatch.setattr(
        content_module.os,
        "fsync",
        lambda fd: (steps.append(str(Path(f"/proc/self/fd/{fd}").readlink())), fsync(fd)),
    )
    kept = ContentStore(tmp_path).put_bytes(b"one")
    assert [step.startswith(str(tmp_path / "tmp")) for step in steps] == [True, False, False]
    assert steps[1:] == [str(tmp_path / kept.sha256[:2]), str(tmp_path)]


def test_leftovers_of_killed_writers_are_swept(tmp_path):
    store = ContentStore(tmp_path)
    assert store.sweep() == 0
    store.put_bytes(b"one")
    (tmp_path / "tmp" / "half").write_bytes(b"on")
    assert store.sweep() == 1
    assert list(store.verify()) == []

# SPDX-License-Identifier: Apache-2.0
"""When a file counts as whole, by time and stamps alone."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.ingest.inbox_files import EMPTY_SETTLE_FACTOR, Settling, Stamp, is_temporary, printable

FILE = Path("f.tif")


def stamp(size: int = 10, modified: int = 0) -> Stamp:
    return Stamp(inode=1, size=size, modified_ns=modified)


def test_a_file_settles_after_its_time_and_not_before():
    settling = Settling(2)
    assert not settling.observe(FILE, stamp(), 100.0)
    assert not settling.observe(FILE, stamp(), 101.9)
    assert settling.observe(FILE, stamp(), 102.0)


def test_every_change_starts_the_time_anew():
    settling = Settling(2)
    settling.observe(FILE, stamp(), 100)
    assert not settling.observe(FILE, stamp(size=20), 102)
    assert not settling.observe(FILE, stamp(size=20, modified=1), 103.5)
    assert settling.observe(FILE, stamp(size=20, modified=1), 105.5)


def test_another_file_under_the_same_name_starts_anew():
    settling = Settling(2)
    settling.observe(FILE, stamp(), 100)
    assert not settling.observe(FILE, Stamp(2, 10, 0), 102)


def test_a_renamed_file_is_whole_at_once_but_an_empty_one_is_not():
    settling = Settling(2)
    assert settling.observe(FILE, stamp(), 100, moved=True)
    assert not settling.observe(Path("empty"), stamp(size=0), 100, moved=True)


def test_an_empty_file_settles_longer_but_it_does():
    settling = Settling(2)
    settling.observe(FILE, stamp(size=0), 100)
    assert not settling.observe(FILE, stamp(size=0), 102)
    assert settling.observe(FILE, stamp(size=0), 100 + 2 * EMPTY_SETTLE_FACTOR)


def test_files_that_went_away_are_forgotten():
    settling = Settling(2)
    settling.observe(FILE, stamp(), 100)
    settling.keep_only(set())
    assert len(settling) == 0
    assert settling.next_due() is None
    assert not settling.observe(FILE, stamp(), 103)


@given(st.integers(0, 2**64 - 1), st.integers(-(2**62), 2**66))
def test_stamps_fit_into_a_database_whatever_a_file_system_says(inode, modified):
    found = SimpleNamespace(st_ino=inode, st_size=3, st_mtime_ns=modified)
    seen = Stamp.from_stat(found)
    assert all(-(2**63) <= number < 2**63 for number in seen)
    other = SimpleNamespace(st_ino=inode ^ 1, st_size=3, st_mtime_ns=modified + 1)
    assert Stamp.from_stat(other)[0] != seen[0]
    assert Stamp.from_stat(other)[2] != seen[2]


@given(st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_what_settles_has_not_changed_for_the_whole_time(steps):
    settling, now, history = Settling(3), 0.0, []
    for pause, size in steps:
        now += pause
        seen = stamp(size=size + 1)
        history.append((now, seen))
        if settling.observe(FILE, seen, now):
            since = next(t for t, s in history if all(x == seen for u, x in history if u >= t))
            assert now - since >= 3


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        ".fax.tif.tmp",
        "a.tmp",
        "A.PART",
        "a.filepart",
        "a.tif~",
        "~$a.docx",
        "a.pdf.crdownload",
        "Thumbs.db",
        "desktop.ini",
    ],
)
def test_temporary_names_are_left_alone(name):
    assert is_temporary(name)


@pytest.mark.parametrize(
    "name", ["a.tif", "tmp", "part.pdf", "a~b.pdf", "fax", "📠.tif", "a.tmp.tif"]
)
def test_other_names_are_taken(name):
    assert not is_temporary(name)


@given(st.binary(min_size=1, max_size=60).filter(lambda b: b"\0" not in b and b"/" not in b))
def test_every_name_becomes_text_that_a_database_takes(raw):
    printable(Path(os.fsdecode(raw))).encode("utf-8")


def test_undecodable_bytes_show_as_escapes():
    assert printable(Path(os.fsdecode(b"caf\xe9\n.tif"))) == "caf\\xe9\n.tif"

# SPDX-License-Identifier: Apache-2.0
"""Drop folders on a clock that does not wait, and an intake that misbehaves on request."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from idp.ingest import Inbox, Remembered
from idp.settings import ChannelSettings, IngestSettings
from idp.store import born_at, new_id


def now():
    """The wall clock; tests set it."""
    return dt.datetime.now(dt.UTC)


class Kept(NamedTuple):
    sha256: str
    size_bytes: int


class Intake:
    """Records in memory, keyed by claim id as the store does; misbehaves on request."""

    def __init__(self):
        self.recorded = {}
        self.calls = 0
        self.kept = {}
        self.ledger = {}
        self.before_keep = lambda: None
        self.after_keep = lambda: None
        self.before_record = lambda: None
        self.after_record = lambda: None

    def claim_id(self):
        return new_id(now())

    def claimed_at(self, claim_id):
        return born_at(claim_id)

    def keep(self, source):
        self.before_keep()
        content = source.read()
        self.after_keep()
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return Kept(sha256, len(content))

    def record(self, claims):
        self.before_record()
        for claim, kept in claims:
            self._record(claim, kept)
        self.after_record()

    def _record(self, claim, kept):
        self.calls += 1
        self.recorded.setdefault(claim.id, (claim, self.kept[kept.sha256]))
        hashes = frozenset({kept.sha256, *(claim.sidecar or ("", kept.sha256))[1:]})
        for seen in claim.seen:
            self.ledger[claim.channel, seen.key] = Remembered(seen.stamp, hashes)

    def remembered(self, channel):
        return {key: known for (of, key), known in self.ledger.items() if of == channel}

    def see_again(self, channel, seen):
        known = self.ledger[channel, seen.key]
        self.ledger[channel, seen.key] = Remembered(seen.stamp, known.sha256s)

    @property
    def contents(self):
        return sorted(content for _, content in self.recorded.values())

    @property
    def names(self):
        return sorted(claim.name for claim, _ in self.recorded.values())

    @property
    def sidecars(self):
        """The sidecar's bytes by the document's name."""
        return {
            claim.name: self.kept[claim.sidecar[1]] if claim.sidecar else None
            for claim, _ in self.recorded.values()
        }


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def make_inbox(tmp_path, intake, clock, **settings):
    channels = {"fax": ChannelSettings(priority=3, settle_seconds=2)}
    options = {"channels": channels, "rescan_seconds": 5.0} | settings
    return Inbox(tmp_path / "inbox", IngestSettings(**options), intake, now=clock)


def pass_time(inbox, clock, seconds=15.0):
    """Scans as the inbox's thread would, on a clock that does not wait."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += max(0.05, min(inbox.scan(), end - clock.now))
    inbox.scan()


def tells_of_writers(path):
    """Whether the file system refuses a read lease on a file that is open for writing."""
    with path.open("rb") as reader:
        try:
            fcntl.fcntl(reader, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
    return False


def lying_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextmanager
def mounted(*options: str, source: Path | str, place: Path) -> Iterator[Path]:
    """Something mounted; without the rights for it the test is skipped."""
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, *options, str(source), str(place)], capture_output=True, text=True, check=False
    )
    if not done or done.returncode:
        pytest.skip("may not mount here (not root, or in a container without the rights)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)

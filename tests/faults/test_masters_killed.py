# SPDX-License-Identifier: Apache-2.0
"""An import killed anywhere leaves the directory in force as it was."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idp.errors import AlreadyRunningError
from idp.masters import Directories, Printed, ask_member, import_directory

pytestmark = pytest.mark.component
NOW = dt.datetime(2026, 3, 12, tzinfo=dt.UTC)
ROWS = 25_000
ADA = Printed("Ada Example", "1968-07-22", "XZ527418096")
IMPORT = """
import datetime as dt, sys
from pathlib import Path
from idp.masters import import_directory
import_directory(Path(sys.argv[1]), "members", sys.argv[2], now=dt.datetime.now(dt.UTC))
"""


def test_a_killed_import_changes_nothing_and_the_next_one_tidies_up(tmp_path: Path) -> None:
    folder = tmp_path / "masters"
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text(
        "mrn,last name,first name,dob,member id\nm1,Example,Ada,1968-07-22,XZ527418096\n"
    )
    with large.open("w") as stream:
        stream.write("mrn,last name,first name,dob,member id\n")
        stream.writelines(
            f"p{n},Last{n % 977},First{n % 89},{1940 + n % 60}-0{1 + n % 9}-1{n % 10},QX{n:09d}\n"
            for n in range(ROWS)
        )
    import_directory(folder, "members", str(small), now=NOW)
    before = (folder / "members.sqlite").read_bytes()
    for seconds in (0.0, 0.3, 1.0):
        running = subprocess.Popen(  # no shell: our own interpreter
            [sys.executable, "-c", IMPORT, str(folder), str(large)]
        )
        _wait_for(folder, running, 1)
        time.sleep(seconds)
        with pytest.raises(AlreadyRunningError):
            import_directory(folder, "members", str(small), now=NOW)
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        assert list(folder.glob(".members-*")), "it was killed too late to leave anything"
        assert (folder / "members.sqlite").read_bytes() == before
        assert ask_member(ADA, Directories(folder)).outcome == "matched"
    # Killed while the last pages are written: the old one is in force, or the new one, whole.
    running = subprocess.Popen([sys.executable, "-c", IMPORT, str(folder), str(large)])
    _wait_for(folder, running, 2_000_000)
    running.kill()
    running.wait()
    assert Directories(folder).facts()[0].entries in (1, ROWS)
    done = import_directory(folder, "members", str(large), now=NOW)
    assert done.entries == ROWS
    assert not list(folder.glob(".members-*"))
    assert ask_member(ADA, Directories(folder)).outcome == "none"


def _wait_for(folder: Path, running: subprocess.Popen[bytes], least: int) -> None:
    """Until the half-made directory has so many bytes."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert running.poll() is None, "the import ended before it could be killed"
        if any(
            path.stat().st_size >= least
            for path in folder.glob(f".members-{running.pid}-*/directory.sqlite")
        ):
            return
        time.sleep(0.002)
    raise AssertionError("the import did not begin")

# SPDX-License-Identifier: Apache-2.0
"""A real clamd for the time of a test, that knows one signature: the harmless EICAR test string."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EICAR = "".join(
    # In two pieces, so that this file is not itself taken for the test file.
    (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*")
).encode()
SIGNATURE = "Eicar-Test-Signature"
_SECONDS = 60


class Clamd:
    """A daemon in a folder of its own; it can be stopped and started again."""

    def __init__(self, folder: Path, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = folder / "clamd.conf"
        self.socket = folder / "clamd.ctl"
        database = folder / "signatures"
        database.mkdir()
        (database / "test.ndb").write_text(f"{SIGNATURE}:0:*:{EICAR.hex()}\n")
        self._settings.write_text(
            f"DatabaseDirectory {database}\nLocalSocket {self.socket}\nForeground yes\n"
            "StreamMaxLength 1M\nAlertExceedsMax yes\nMaxFileSize 800K\nExitOnOOM yes\n"
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "--config-file", str(self._settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _SECONDS
        while not self.socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"clamd does not start: {self._process.poll()}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_SECONDS)
            self._process = None

    def pause(self) -> None:
        """It is there, takes connections and never answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def clamd() -> Iterator[Clamd]:
    """A daemon that is not started yet; skips the test where ClamAV is not installed."""
    program = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        if os.environ.get("IDP_REQUIRE_ALL"):
            pytest.fail("ClamAV (clamav-daemon) is not installed")
        pytest.skip("ClamAV (clamav-daemon) is not installed")
    # The path of a socket may have 107 characters; pytest's own folders can be longer.
    with tempfile.TemporaryDirectory(prefix="idp-clamd-") as folder:
        daemon = Clamd(Path(folder), program)
        try:
            yield daemon
        finally:
            daemon.stop()

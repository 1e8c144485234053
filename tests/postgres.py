# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server for the time of a test, or the reason why there is none."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

_SECONDS = 60


def _program(name: str) -> str:
    found = shutil.which(name) or next(
        (str(p) for p in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None
    )
    if found is None:
        pytest.skip(f"PostgreSQL is not installed: no {name}")
    return found


@contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh, empty database; skips the test where PostgreSQL is not installed."""
    if url := os.environ.get("IDP_TEST_POSTGRES_URL"):
        yield url
        return
    initdb, postgres = _program("initdb"), _program("postgres")
    owner: dict[str, int] = {}
    folder = Path(tempfile.mkdtemp(prefix="idp-postgres-"))
    if os.geteuid() == 0:
        # It refuses to run as root.
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL can't run as root, and there is no user postgres")
        owner = {"user": user.pw_uid, "group": user.pw_gid}
        os.chown(folder, user.pw_uid, user.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    process = None
    try:
        subprocess.run(
            [
                initdb,
                "-D",
                str(data),
                "-U",
                "idp",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "-N",
            ],
            check=True,
            capture_output=True,
            timeout=_SECONDS,
            cwd=folder,
            **owner,
        )
        process = subprocess.Popen(
            [
                postgres,
                "-D",
                str(data),
                "-p",
                str(port),
                "-h",
                "127.0.0.1",
                "-k",
                str(folder),
                "-F",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **owner,
        )
        _wait_for(port)
        yield f"postgresql+psycopg://idp@127.0.0.1:{port}/postgres"
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)  # at once: the data is thrown away
            process.wait(_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            psycopg.connect(
                f"host=127.0.0.1 port={port} user=idp dbname=postgres connect_timeout=2"
            ).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)

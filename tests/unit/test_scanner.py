# SPDX-License-Identifier: Apache-2.0
"""Whatever answers at clamd's address, no file passes that clamd did not call clean."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idp.errors import InfectedFileError, ScannerDownError, SettingsError, TooLargeError
from idp.ingest import Scanner
from idp.installation import is_house_fault


@contextmanager
def answering(answer: bytes, heard: list[bytes]) -> Iterator[str]:
    """Something at an address that hears one stream out and says one thing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                stream = connection.makefile("rb")
                heard.append(stream.read(len(b"zINSTREAM\0")))
                while length := int.from_bytes(stream.read(4), "big"):
                    heard.append(stream.read(length))
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", InfectedFileError),
        (b"INSTREAM size limit exceeded. ERROR\0", TooLargeError),
        (b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", TooLargeError),
        (b"stream: Can't allocate memory ERROR\0", ScannerDownError),
        (b"stream: OK, says somebody else\0", ScannerDownError),
        (b"HTTP/1.1 400 Bad Request\0", ScannerDownError),
        (b"", ScannerDownError),
    ],
)
def test_only_a_clear_answer_lets_a_file_pass(
    tmp_path: Path, answer: bytes, error: type[Exception]
) -> None:
    (tmp_path / "file").write_bytes(b"page" * 50_000)
    heard: list[bytes] = []
    with answering(answer, heard) as address, pytest.raises(error):
        Scanner(address).scan(tmp_path / "file")


def test_every_byte_is_shown_in_chunks(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    (tmp_path / "file").write_bytes(data)
    heard: list[bytes] = []
    with answering(b"stream: OK\0", heard) as address:
        Scanner(address).scan(tmp_path / "file")
    assert heard[0] == b"zINSTREAM\0"
    assert b"".join(heard[1:]) == data


def test_nobody_at_the_address_is_a_scanner_that_is_down_and_the_houses_fault(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_bytes(b"page")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"127.0.0.1:{port}", str(tmp_path / "gone.ctl")):
        with pytest.raises(ScannerDownError) as down:
            Scanner(address).scan(tmp_path / "file")
        assert is_house_fault(down.value)
        assert "files wait for it" in (Scanner(address).problem() or "")


@pytest.mark.parametrize("address", ["clamd", "run/clamd.ctl", "host:", "host:0", ":3310", "a:x"])
def test_an_address_that_is_none_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(SettingsError, match="clamd"):
        Scanner(address)

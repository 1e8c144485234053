# SPDX-License-Identifier: Apache-2.0
"""The virus scanner: bytes as received are shown to clamd before anything parses them.

clamd's INSTREAM (clamd(8)) takes the bytes in chunks, so the daemon needs no access to our files.
A file that could not be scanned whole is never passed on as clean: the daemon away, too slow or
confused is :class:`~idp.errors.ScannerDownError`, and the file waits. Written here, in few lines,
since the kept Python client (clamav-client) is under the GPL.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from idp.errors import InfectedFileError, ScannerDownError, SettingsError, TooLargeError

_CHUNK_BYTES = 1 << 16
_CONNECT_SECONDS = 5.0
_SCAN_SECONDS = 120.0
_MOST_ANSWER_BYTES = 4096
_TOO_LARGE = b"INSTREAM size limit exceeded"
_LIMIT = b"Heuristics.Limits.Exceeded"


class Scanner:
    """A clamd at a socket's path or at HOST:PORT. Thread-safe: every call has its own connection.

    What the daemon itself skips because of its limits (MaxScanSize, MaxFileSize, MaxRecursion) it
    reports only where ``AlertExceedsMax yes`` stands in clamd.conf; else it calls the file clean.
    """

    def __init__(self, address: str, *, seconds: float = _SCAN_SECONDS) -> None:
        """Remembers the address; connects to nothing yet.

        Args:
            address: ``/run/clamav/clamd.ctl`` or ``host:3310``.
            seconds: How long the answer may take.

        Raises:
            SettingsError: the address is neither.
        """
        self._address = address
        self._seconds = seconds
        self._place: str | tuple[str, int] = address
        if not address.startswith("/"):
            host, _, port = address.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise SettingsError(
                    f"ingest.clamd {address!r} is neither an absolute path nor HOST:PORT"
                )
            self._place = (host.strip("[]"), int(port))

    def scan(self, path: Path) -> None:
        """Returns when the daemon knows nothing against the file.

        Raises:
            InfectedFileError: it does; the message is the signature's name.
            TooLargeError: over a limit of the daemon's (``StreamMaxLength`` and others).
            ScannerDownError: no daemon, or no answer that could be understood.
        """
        answer = self._answer(b"zINSTREAM\0", path, self._seconds)
        if answer == b"stream: OK":
            return
        if answer.endswith(b" FOUND") and _LIMIT not in answer:
            name = answer.removeprefix(b"stream: ").removesuffix(b" FOUND")
            shown = "".join(c for c in name.decode("ascii", "replace") if c.isprintable())
            raise InfectedFileError(f"the virus scanner knows it as {shown[:100]}")
        if answer.startswith(_TOO_LARGE) or _LIMIT in answer:
            raise TooLargeError(
                "over a limit of the virus scanner, which has not seen all of it",
                hint="Raise StreamMaxLength, MaxScanSize, MaxFileSize or MaxRecursion in "
                "clamd.conf, restart clamd and queue the file again.",
            )
        raise ScannerDownError("the virus scanner answers with an error")

    def version(self) -> str:
        """What the daemon calls itself and its signatures; raises :class:`ScannerDownError`."""
        answer = self._answer(b"zVERSION\0", None, _CONNECT_SECONDS).decode("ascii", "replace")
        if not answer.startswith("ClamAV"):
            raise ScannerDownError("the virus scanner answers with an error")
        return answer

    def problem(self) -> str | None:
        """Why the scanner is of no use at the moment, in words; none when it is well."""
        try:
            self.version()
        except ScannerDownError as error:
            return f"virus scanner {self._address}: {error.message}; files wait for it"
        return None

    def _answer(self, command: bytes, path: Path | None, seconds: float) -> bytes:
        try:
            with self._connected() as connection:
                connection.settimeout(seconds)
                connection.sendall(command)
                if path is not None:
                    # A daemon that has heard enough (too large) answers and closes: what it said
                    # is there to be read though sending fails.
                    with suppress(BrokenPipeError, ConnectionResetError):
                        _send(connection, path)
                return _received(connection)
        except TimeoutError as error:
            raise ScannerDownError("no answer in time") from error
        except OSError as error:
            raise ScannerDownError(error.strerror or "can't be reached") from error

    def _connected(self) -> socket.socket:
        if isinstance(self._place, tuple):
            connection = socket.create_connection(self._place, timeout=_CONNECT_SECONDS)
        else:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(_CONNECT_SECONDS)
                connection.connect(self._place)
            except OSError:
                connection.close()
                raise
        return connection


def _send(connection: socket.socket, path: Path) -> None:
    """The file in chunks, each with its length before it; one of length zero ends it."""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
    connection.sendall(bytes(4))


def _received(connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _MOST_ANSWER_BYTES:
        block = connection.recv(_MOST_ANSWER_BYTES)
        if not block:
            break
        answer += block
    return answer.rstrip(b"\0\n")

# SPDX-License-Identifier: Apache-2.0
"""A connection that is cut at a chosen place: before the server has the request, or after."""

from __future__ import annotations

import collections
import contextlib
import socket
import ssl
import struct
import threading
import time
from pathlib import Path
from typing import Literal, Self

Cut = Literal["pass", "before", "half", "after", "slow"]
"""What becomes of one request: passed on; nothing of it passed on; half of it passed on; all of
it, and the connection is cut when the answer begins; the answer is held back ``delay`` seconds."""

_PIECE = 65_536


class CuttingProxy:
    """Passes connections on to a port of this machine; each request as :attr:`plan` says.

    ``plan`` is taken from the left, one for each request that goes through; when it is empty
    everything passes. With a certificate it speaks TLS to those who come.
    """

    def __init__(
        self, target: int, *, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate, key)
        self.plan: collections.deque[Cut] = collections.deque()
        self.delay = 1.0
        self.seen: collections.Counter[Cut] = collections.Counter()
        """How many requests met with what."""
        self.connections = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        # Wakes accept().
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                incoming, _ = self._listener.accept()
            except OSError:
                return
            if self._closed:
                incoming.close()
                return
            threading.Thread(target=self._serve, args=(incoming,), daemon=True).start()

    def _serve(self, incoming: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(incoming)
            if self._context is not None:
                incoming = stack.enter_context(
                    self._context.wrap_socket(incoming, server_side=True)
                )
            with self._lock:
                self.connections += 1
            outgoing = stack.enter_context(
                socket.create_connection(("127.0.0.1", self._target), timeout=5)
            )
            incoming.settimeout(300)
            outgoing.settimeout(300)
            while self._exchange(incoming, outgoing):
                pass

    def _exchange(self, incoming: socket.socket, outgoing: socket.socket) -> bool:
        """One request and its answer; whether another may follow."""
        head, body = _head(incoming)
        if not head:
            return False
        with self._lock:
            cut: Cut = self.plan.popleft() if self.plan else "pass"
            self.seen[cut] += 1
        length = _length(head)
        if cut == "before":
            _reset(incoming)
            return False
        stop = length // 2 if cut == "half" else length
        outgoing.sendall(head + body[:stop])
        sent = len(body)
        while sent < stop:
            piece = incoming.recv(min(_PIECE, stop - sent))
            if not piece:
                return False
            outgoing.sendall(piece)
            sent += len(piece)
        if cut == "half":
            _reset(incoming)
            return False
        head, body = _head(outgoing)
        if not head:
            return False
        if cut == "after":
            _reset(incoming)
            return False
        if cut == "slow":
            time.sleep(self.delay)
        incoming.sendall(head + body)
        left = _length(head) - len(body)
        while left > 0:
            piece = outgoing.recv(min(_PIECE, left))
            if not piece:
                return False
            incoming.sendall(piece)
            left -= len(piece)
        return b"connection: close" not in head.lower()


def _head(source: socket.socket) -> tuple[bytes, bytes]:
    """Everything up to the empty line, and what came with it of the rest."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = source.recv(_PIECE)
        if not piece:
            return b"", b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _reset(connection: socket.socket) -> None:
    """Cut it as a dead machine's network does: no orderly end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

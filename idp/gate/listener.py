# SPDX-License-Identifier: Apache-2.0
"""A web application in a thread of its own: the gate, the status page."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from idp.errors import SettingsError

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_MOST_AT_ONCE = 500
"""Connections that are served at a time; further ones are told 503."""


class Listener:
    """Serves an application while its ``with`` block lasts; ``address`` tells where.

    Raises:
        SettingsError: The address or port can't be listened on, or the certificate is none.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        host: str,
        port: int,
        name: str,
        option: str,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """Prepare; nothing listens before ``with``.

        Args:
            app: What to serve.
            host: Address.
            port: Its port; 0 picks one.
            name: Of the thread, and of the application in messages.
            option: The setting that names the port, for a hint.
            certificate: Chain and private key (PEM) for TLS.
        """
        self._host, self._port = host, port
        self._name, self._option = name, option
        self._secure = certificate is not None
        if certificate is not None:
            try:
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*certificate)
            except OSError as error:  # a certificate that is none raises one as well
                raise SettingsError(
                    f"{name}: the certificate or its key can't be used: {type(error).__name__}",
                    hint="Both are PEM files; the key belongs to the certificate, unencrypted.",
                ) from error
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                # What a proxy says of the visitor counts only where the settings trust it.
                proxy_headers=False,
                limit_concurrency=_MOST_AT_ONCE,
                ssl_certfile=str(certificate[0]) if certificate is not None else None,
                ssl_keyfile=str(certificate[1]) if certificate is not None else None,
                timeout_graceful_shutdown=int(_STOP_SECONDS),
            )
        )
        # The appliance handles signals; a second handler in a thread would not even be allowed.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._socket: socket.socket | None = None
        self.address = ""

    def __enter__(self) -> Self:
        host, port = self._host, self._port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # With its protocol named: only then does asyncio switch Nagle's algorithm off on what is
        # accepted, without which every answer's body waits 40 ms behind its headers.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise SettingsError(
                f"{self._name}: can't listen on {host}:{port}: {error.strerror}",
                hint=f"Another program uses the port: choose another with {self._option}.",
            ) from error
        self._socket = listener
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if self._secure else "http"
        self.address = f"{scheme}://{shown}:{listener.getsockname()[1]}/"
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started and self._thread.is_alive():
            if time.monotonic() > deadline:
                raise SettingsError(f"{self._name}: it did not start in time")
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS + 1)
        if self._socket is not None:
            self._socket.close()

    def _serve(self) -> None:
        assert self._socket is not None
        self._server.run(sockets=[self._socket])

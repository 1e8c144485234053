# SPDX-License-Identifier: Apache-2.0
"""The status page in a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from idp.errors import SettingsError
from idp.slices import ServeSettings

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


class StatusPage:
    """Serves an application while its ``with`` block lasts; ``address`` tells where.

    Raises:
        SettingsError: The address or port can't be listened on.
    """

    def __init__(self, app: FastAPI, settings: ServeSettings) -> None:
        self._settings = settings
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=int(_STOP_SECONDS),
            )
        )
        # The appliance handles signals; a second handler in a thread would not even be allowed.
        self._thread = threading.Thread(target=self._serve, name="status-page", daemon=True)
        self._socket: socket.socket | None = None
        self.address = ""

    def __enter__(self) -> Self:
        host, port = self._settings.host, self._settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise SettingsError(
                f"serve: can't listen on {host}:{port}: {error.strerror}",
                hint="Another program uses the port: choose another with IDP_SERVE__PORT.",
            ) from error
        self._socket = listener
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{listener.getsockname()[1]}/"
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started and self._thread.is_alive():
            if time.monotonic() > deadline:
                raise SettingsError("serve: the status page did not start in time")
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

# SPDX-License-Identifier: Apache-2.0
"""The status page in a thread of its own."""

from __future__ import annotations

from fastapi import FastAPI

from idp.gate import Listener
from idp.slices import ServeSettings


class StatusPage(Listener):
    """Serves the status page while its ``with`` block lasts; ``address`` tells where.

    Raises:
        SettingsError: The address or port can't be listened on.
    """

    def __init__(self, app: FastAPI, settings: ServeSettings) -> None:
        super().__init__(
            app,
            host=settings.host,
            port=settings.port,
            name="serve",
            option="IDP_SERVE__PORT",
        )

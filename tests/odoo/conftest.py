# SPDX-License-Identifier: Apache-2.0
"""A real Odoo for the tests of this folder: one server, each test module with its own database.

``scripts/odoo`` installs it; IDP_ODOO names another folder. Without one the tests of this folder
say so and are skipped, or fail where IDP_REQUIRE_ALL is set (``make test-odoo``).

A module that needs more than project, crm, contacts, dms and helpdesk_mgmt says so::

    MODULES = ("documents_stand_in",)
    GROUPS = ("documents_stand_in.group_documents_user",)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from idp.slices import OdooSettings
from tests.odoo.cutting import CuttingProxy
from tests.odoo.server import BOT, Admin, NotInstalledError, OdooServer


@pytest.fixture(scope="session")
def server() -> Iterator[OdooServer]:
    """Odoo, answering; stopped and removed at the session's end."""
    try:
        running = OdooServer()
    except NotInstalledError as error:
        if os.environ.get("IDP_REQUIRE_ALL"):
            raise
        pytest.skip(str(error))
    try:
        running.start_postgres()
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def database(server: OdooServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of this test module's own database."""
    name = request.module.__name__.rpartition(".")[2]
    server.create(name, getattr(request.module, "MODULES", ()))
    try:
        if groups := getattr(request.module, "GROUPS", ()):
            server.grant(name, groups)
        yield name
    finally:
        server.drop(name)


@pytest.fixture(scope="module")
def admin(server: OdooServer, database: str) -> Admin:
    """Sees everything in this test module's database."""
    return server.admin(database)


BotSettings = Callable[..., OdooSettings]


@pytest.fixture(scope="module")
def bot_settings(server: OdooServer, database: str) -> BotSettings:
    """Settings of the least-privilege bot; name what is to differ."""

    def make(**options: Any) -> OdooSettings:
        return OdooSettings.model_validate(
            {
                "url": server.url,
                "database": database,
                "user": BOT,
                "key_file": server.key_file,
                "connect_seconds": 5,
                "request_seconds": 60,
                **options,
            }
        )

    return make


@pytest.fixture
def cutting(server: OdooServer) -> Iterator[CuttingProxy]:
    """A connection to the server that can be cut; ``bot_settings(url=cutting.url)``."""
    with CuttingProxy(server.port) as proxy:
        yield proxy

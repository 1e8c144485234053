# SPDX-License-Identifier: Apache-2.0
"""The bot's rights are enough, and with any one of them less the error names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idp.cli.app import app
from idp.deliver.odoo.checks import ALWAYS, BY_PLACE, BY_WORK, look, needed, rights_lacking
from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.json2 import Json2
from idp.deliver.odoo.json_rpc import JsonRpc
from idp.deliver.odoo.targets import place_of
from idp.errors import OdooRightsError
from idp.slices import OdooSettings
from tests.odoo.conftest import BotSettings
from tests.odoo.server import Admin, OdooServer

MODULES = ("documents_stand_in",)
GROUPS = ("documents_stand_in.group_documents_user",)

WORK = ("project.task", "crm.lead", "helpdesk.ticket")
RIGHTS = [
    (model, operation)
    for model, operations in {
        **ALWAYS,
        **BY_PLACE["documents"],
        **BY_PLACE["dms"],
        **BY_WORK["project.task"],
        **BY_WORK["crm.lead"],
        **BY_WORK["helpdesk.ticket"],
    }.items()
    for operation in operations
]
GROUP_OF = {
    "sales_team.group_sale_salesman_all_leads": ("crm.lead", "create"),
    "helpdesk_mgmt.group_helpdesk_user": ("helpdesk.ticket", "create"),
    "dms.group_dms_user": ("dms.file", "create"),
    "documents_stand_in.group_documents_user": ("documents.document", "create"),
}
"""Groups of docs/odoo.md, and something that only each of them lets the bot do.

Any internal user may make tasks in Odoo 19; the group of project lets it see the projects.
"""


@pytest.fixture(scope="module")
def odoo(bot_settings: BotSettings) -> Iterator[JsonRpc | Json2]:
    connected = connect(bot_settings())
    yield connected
    connected.close()


@contextmanager
def without(admin: Admin, model: str, operation: str) -> Iterator[None]:
    """Nobody may do this with this model, but for superusers."""
    held = admin.rows(
        "ir.model.access", [["model_id.model", "=", model], [f"perm_{operation}", "=", True]]
    )
    ids = [row["id"] for row in held]
    admin.call("ir.model.access", "write", ids, vals={f"perm_{operation}": False})
    try:
        yield
    finally:
        admin.call("ir.model.access", "write", ids, vals={f"perm_{operation}": True})


def test_the_listed_groups_are_enough(bot_settings: BotSettings, odoo: JsonRpc | Json2) -> None:
    found = look(bot_settings(), WORK)
    assert found.version == "19.0"
    assert found.advice == ()
    for place in ("documents", "dms", "attachment"):
        wanted = needed(place_of(odoo, place), WORK)
        assert list(rights_lacking(odoo, wanted)) == []


@pytest.mark.parametrize(("model", "operation"), RIGHTS)
def test_with_one_right_less_the_error_names_it(
    admin: Admin, odoo: JsonRpc | Json2, model: str, operation: str
) -> None:
    wanted = {m: tuple(o for n, o in RIGHTS if n == m) for m, _ in RIGHTS}
    with without(admin, model, operation):
        told = [error.message for error in rights_lacking(odoo, wanted)]
    assert told == [
        f"the bot user lacks the right to {operation} {model}, and no group of that server gives it"
    ]
    assert list(rights_lacking(odoo, wanted)) == []


@pytest.mark.parametrize(("group", "right"), GROUP_OF.items())
def test_with_one_group_less_the_error_names_a_group_that_gives_it(
    server: OdooServer, database: str, odoo: JsonRpc | Json2, group: str, right: tuple[str, str]
) -> None:
    model, operation = right
    server.revoke(database, [group])
    try:
        told = [error.message for error in rights_lacking(odoo, {model: (operation,)})]  # type: ignore[dict-item]
        if model == "dms.file":  # which looks at the folder before the rights
            done = None
        else:
            with pytest.raises(OdooRightsError) as raised:
                odoo.call(model, operation, vals_list=[{"name": "x"}])
            done = raised.value.message
    finally:
        server.grant(database, [group])
    assert len(told) == 1
    # Odoo looks at a file's folder first and may name that one.
    named = (model, "dms.directory") if model == "dms.file" else (model,)
    lacks = tuple(
        f"the bot user lacks the right to {operation} {each}: one of the gr" for each in named
    )
    assert told[0].startswith(lacks)
    assert done in (None, told[0])


def test_the_doctor_fails_for_a_missing_right_and_names_it(
    admin: Admin, bot_settings: BotSettings
) -> None:
    with (
        without(admin, "ir.attachment", "create"),
        pytest.raises(OdooRightsError, match=r"create ir\.attachment"),
    ):
        look(bot_settings(place="attachment"))


def test_the_doctor_advises_of_work_items_that_the_bot_may_not_make(
    admin: Admin, bot_settings: BotSettings
) -> None:
    with without(admin, "crm.lead", "create"):
        (said,) = look(bot_settings(), WORK).advice
    assert "create crm.lead" in said


def test_the_doctor_warns_of_a_bot_with_too_many_rights(
    server: OdooServer, database: str, bot_settings: BotSettings
) -> None:
    server.grant(database, ["base.group_system"])
    try:
        (said,) = look(bot_settings()).advice
    finally:
        server.revoke(database, ["base.group_system", "base.group_erp_manager"])
    assert "more rights than it needs" in said
    assert look(bot_settings()).advice == ()


def test_idp_doctor_has_a_line_for_the_server(
    bot_settings: BotSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: OdooSettings = bot_settings()
    monkeypatch.setenv("IDP_DATA", str(tmp_path))
    monkeypatch.setenv("IDP_DELIVER__TO", "odoo")
    for name in ("url", "database", "user", "key_file"):
        monkeypatch.setenv(f"IDP_DELIVER__ODOO__{name.upper()}", str(getattr(settings, name)))
    checks = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)["checks"]
    (line,) = [check for check in checks if check["name"] == "Odoo"]
    assert line["verdict"] == "ok", line
    assert line["version"] == "19.0"
    assert "as idp-bot" in line["detail"]

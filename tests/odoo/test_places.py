# SPDX-License-Identifier: Apache-2.0
"""Where documents go: by setting, or by what the server has and the bot may write.

Documents is a stand-in here (``tests/odoo/addons``), in the shape of 18 and later.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.targets import place_of
from idp.errors import OdooRightsError
from tests.odoo.conftest import BotSettings
from tests.odoo.filing import holds_what_every_place_holds
from tests.odoo.server import Admin, OdooServer

MODULES = ("documents_stand_in",)
GROUPS = ("documents_stand_in.group_documents_user",)


def test_documents_is_taken_where_it_is_there(bot_settings: BotSettings) -> None:
    place = place_of(connect(bot_settings()), "auto")
    assert (place.kind, place.folder_shape) == ("documents", "documents.document")
    assert (place.binary, place.addon) == ("datas", False)


@pytest.mark.parametrize("kind", ["documents", "dms", "attachment"])
def test_a_setting_says_otherwise(bot_settings: BotSettings, kind: str) -> None:
    assert place_of(connect(bot_settings()), kind).kind == kind


@pytest.mark.parametrize("protocol", ["jsonrpc", "json2"])
def test_filed_in_documents(
    bot_settings: BotSettings, admin: Admin, tmp_path: Path, protocol: str
) -> None:
    root = admin.make("documents.document", name=f"By {protocol}", type="folder")
    admin.make("documents.document", name="Referrals", type="folder", folder_id=root)
    odoo = connect(bot_settings(protocol=protocol))
    place = place_of(odoo, "documents")
    holds_what_every_place_holds(tmp_path, odoo, admin, place, f"By {protocol}/Referrals")


def test_filed_in_dms(bot_settings: BotSettings, admin: Admin, tmp_path: Path) -> None:
    groups = [row["id"] for row in admin.rows("dms.access.group", [])]
    admin.call("dms.access.group", "write", groups, vals={"perm_unlink": True})
    odoo = connect(bot_settings())
    holds_what_every_place_holds(tmp_path, odoo, admin, place_of(odoo, "dms"), "Incoming")


def test_without_the_right_the_next_place_is_taken_and_a_wanted_one_names_it(
    server: OdooServer, database: str, bot_settings: BotSettings
) -> None:
    server.revoke(database, GROUPS)
    try:
        odoo = connect(bot_settings())
        assert place_of(odoo, "auto").kind == "dms"
        with pytest.raises(OdooRightsError, match=r"read documents\.document"):
            place_of(odoo, "documents")
    finally:
        server.grant(database, GROUPS)

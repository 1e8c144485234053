# SPDX-License-Identifier: Apache-2.0
"""Documents as 13 to 17 have it (a stand-in): its folders are a model of their own."""

from __future__ import annotations

from pathlib import Path

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.targets import place_of
from tests.odoo.conftest import BotSettings
from tests.odoo.filing import holds_what_every_place_holds
from tests.odoo.server import Admin

MODULES = ("documents_stand_in_17",)
GROUPS = ("documents_stand_in_17.group_documents_user",)


def test_filed_in_a_workspace(bot_settings: BotSettings, admin: Admin, tmp_path: Path) -> None:
    root = admin.make("documents.folder", name="Paperwork")
    admin.make("documents.folder", name="Referrals", parent_folder_id=root)
    odoo = connect(bot_settings())
    place = place_of(odoo)
    assert (place.kind, place.folder_shape) == ("documents", "documents.folder")
    holds_what_every_place_holds(tmp_path, odoo, admin, place, "Paperwork/Referrals")

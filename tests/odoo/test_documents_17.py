# SPDX-License-Identifier: Apache-2.0
"""Documents as 13 to 17 have it: folders, tags and access, on a stand-in of our own.

Enterprise can't be had without a contract: tests/odoo/addons says what the stand-in is made from.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.mapping import load_mapping
from idp.deliver.odoo.mapping_checks import check_mapping
from idp.deliver.odoo.targets import place_of
from tests.odoo.conftest import BotSettings
from tests.odoo.desk import FOLDERS, Desk, prepare, record
from tests.odoo.handing import Watched
from tests.odoo.server import Admin
from tests.paperwork import SCHEMAS, paper

MODULES = ("documents_stand_in_17",)
GROUPS = ("documents_stand_in_17.group_documents_user",)
TAGS = ("Referral", "Prior authorization", "Determination", "Remittance")


@pytest.fixture(scope="module")
def made(admin: Admin) -> Admin:
    prepare(admin)
    root = admin.make("documents.folder", name="Paperwork")
    for name in FOLDERS:
        admin.make("documents.folder", name=name, parent_folder_id=root)
    facet = admin.make("documents.facet", name="Kind", folder_id=root)
    for name in TAGS:
        admin.make("documents.tag", name=name, facet_id=facet)
    return admin


def test_each_document_stands_in_its_workspace_with_its_tag(
    made: Admin, bot_settings: BotSettings, tmp_path: Path
) -> None:
    odoo = connect(bot_settings())
    place = place_of(odoo)
    assert (place.kind, place.folder_shape) == ("documents", "documents.folder")
    own = tmp_path / "rules" / "odoo"
    own.mkdir(parents=True)
    (own / "referral.yaml").write_text("tags: [Kind/Referral]\n", encoding="utf-8")
    mapping = load_mapping(own.parent, SCHEMAS)
    assert [str(each) for each in check_mapping(odoo, mapping, place)] == []
    desk = Desk(tmp_path, Watched(odoo), place, mapping)
    try:
        for type_ in SCHEMAS:
            handed, _ = desk.hand_over(paper(type_))
            fields = ("folder_id", "tag_ids", "res_model", "res_id")
            found = record(made, handed, "document", *fields)
            assert found["folder_id"][1] == mapping.of(type_).folder.rpartition("/")[2]
            assert len(found["tag_ids"]) == len(mapping.of(type_).tags)
            # No partner has the made-up member number; everything else was found.
            assert {note.partition(".")[2] for note in handed.notes} <= {"partner_id:none"}
    finally:
        desk.house.close()
        odoo.close()

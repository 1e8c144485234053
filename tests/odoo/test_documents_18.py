# SPDX-License-Identifier: Apache-2.0
"""Documents as 18 and later have it: folders, tags and access, on a stand-in of our own.

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

MODULES = ("documents_stand_in",)
GROUPS = ("documents_stand_in.group_documents_user",)
TAGS = ("Referral", "Prior authorization", "Determination", "Remittance")


@pytest.fixture(scope="module")
def made(admin: Admin) -> Admin:
    prepare(admin)
    root = admin.make("documents.document", type="folder", name="Paperwork")
    for name in FOLDERS:
        admin.make("documents.document", type="folder", name=name, folder_id=root)
    for name in TAGS:
        admin.make("documents.tag", name=name)
    return admin


def test_each_document_stands_in_its_folder_and_is_nobody_elses(
    made: Admin, bot_settings: BotSettings, tmp_path: Path
) -> None:
    odoo = connect(bot_settings())
    place = place_of(odoo)
    mapping = load_mapping(None, SCHEMAS)
    assert (place.kind, place.folder_shape) == ("documents", "documents.document")
    assert [str(each) for each in check_mapping(odoo, mapping, place)] == []
    desk = Desk(tmp_path, Watched(odoo), place, mapping)
    try:
        for type_ in SCHEMAS:
            handed, document = desk.hand_over(paper(type_))
            found = record(
                made,
                handed,
                "document",
                *("folder_id", "tag_ids", "access_internal", "access_via_link", "partner_id"),
                *("res_model", "res_id", "name", "checksum"),
            )
            folder = mapping.of(type_).folder.rpartition("/")[2]
            assert found["folder_id"][1] == folder
            assert (found["access_internal"], found["access_via_link"]) == ("none", "none")
            assert len(found["tag_ids"]) == len(mapping.of(type_).tags)
            if "work" in handed.records:
                assert (found["res_model"], found["res_id"]) == handed.records["work"]
            # No partner has the made-up member number; everything else was found.
            assert {note.partition(".")[2] for note in handed.notes} <= {"partner_id:none"}
        number = handed.records["document"][1]
        elsewhere = made.make("documents.document", type="folder", name="Moved")
        made.call("documents.document", "write", [number], vals={"folder_id": elsewhere})
        changed = document.model_copy(update={"sampled": True})
        again, _ = desk.hand_over(changed, version=2)
        assert again.records == handed.records
        assert record(made, again, "document", "folder_id")["folder_id"][0] == elsewhere
    finally:
        desk.house.close()
        odoo.close()

# SPDX-License-Identifier: Apache-2.0
"""Made-up documents handed over to a real Odoo by the mapping, as the appliance does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from idp.deliver.odoo.courier import Courier, Handed
from idp.deliver.odoo.mapping import OdooMapping
from idp.deliver.odoo.packing import MappedPacker
from idp.deliver.odoo.parcel import Place
from idp.document import Document
from tests.odoo.handing import House, Watched
from tests.odoo.server import Admin
from tests.paperwork import CIRCUMSTANCES, SCHEMAS, files

FOLDERS = ("Referrals", "Prior authorizations", "Determinations", "Remittances", "Other")


def prepare(admin: Admin) -> int:
    """Make what docs/odoo-mapping.md tells administrators to, and two partners.

    Returns:
        The project's number.
    """
    project = admin.make("project.project", name="Paperwork", privacy_visibility="employees")
    admin.make("project.task", name="Other paperwork", project_id=project)
    admin.make("res.partner", name="Barton Clinic", ref="1234567893")
    admin.make("res.partner", name="Evergreen Mutual", ref="P-77")
    return project


class Desk:
    """Hands made-up documents over, as the appliance does."""

    def __init__(self, folder: Path, odoo: Watched, place: Place, mapping: OdooMapping) -> None:
        self.house = House(folder / "house")
        self.odoo, self.place, self.folder = odoo, place, folder
        self.stored: dict[str, Document] = {}
        self.packer = MappedPacker(
            mapping, SCHEMAS, self.house.store, lambda _: CIRCUMSTANCES, self.stored.get
        )
        self.courier = Courier(odoo, self.house.store)

    def hand_over(
        self, document: Document, version: int = 1, *, alone: bool = True
    ) -> tuple[Handed, Document]:
        if document.document_id not in self.stored:
            document = document.model_copy(update={"document_id": self.house.document()})
        self.stored[document.document_id] = document
        folder = self.folder / f"{document.document_id}.{version}"
        folder.mkdir()
        written = files(folder, alone=alone)
        written.record.write_text(json.dumps(self.packer.record(document)), encoding="utf-8")
        parcel = self.packer.parcel(
            document, written, self.odoo, self.place, key=folder.name, version=version
        )
        (handed,) = self.courier.hand_over([parcel])
        assert handed.error is None, handed.error
        self.packer.handed(document, self.odoo.identity, handed.records)
        return handed, document


def record(admin: Admin, handed: Handed, role: str, *fields: str) -> dict[str, Any]:
    model, number = handed.records[role]
    (found,) = admin.rows(model, [["id", "=", number]], *fields)
    return found


def activities(admin: Admin, model: str, number: int) -> list[dict[str, Any]]:
    return admin.rows(
        "mail.activity",
        [["res_model", "=", model], ["res_id", "=", number]],
        "summary",
        "date_deadline",
        "activity_type_id",
        "note",
    )

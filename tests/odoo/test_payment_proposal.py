# SPDX-License-Identifier: Apache-2.0
"""A payment is proposed in a real Odoo with bookkeeping, and nothing is posted."""

from __future__ import annotations

from pathlib import Path

import yaml

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.mapping import load_mapping
from idp.deliver.odoo.parcel import Place
from tests.odoo.conftest import BotSettings
from tests.odoo.desk import Desk, prepare, record
from tests.odoo.handing import Watched
from tests.odoo.server import Admin
from tests.paperwork import SCHEMAS, paper

MODULES = ("account",)
GROUPS = ("account.group_account_invoice",)


def test_a_payment_is_proposed_as_a_draft_and_posts_nothing(
    admin: Admin, bot_settings: BotSettings, tmp_path: Path
) -> None:
    prepare(admin)
    if not (journals := admin.rows("account.journal", [["type", "=", "bank"]], "code")):
        (company,) = admin.rows("res.company", [])
        admin.make(
            "account.journal", name="Bank", code="IDPB", type="bank", company_id=company["id"]
        )
        journals = [{"code": "IDPB"}]
    payment = {
        "model": "account.payment",
        "journal": journals[0]["code"],
        "title": ["{payer_name}", "{eft_number}"],
    }
    entries = len(admin.rows("account.move", []))
    own = tmp_path / "rules" / "odoo"
    own.mkdir(parents=True)
    (own / "remittance_eob.yaml").write_text(yaml.safe_dump({"work": [payment]}), encoding="utf-8")
    odoo = connect(bot_settings())
    desk = Desk(
        tmp_path,
        Watched(odoo),
        Place("attachment", "none", "datas"),
        load_mapping(own.parent, SCHEMAS),
    )
    try:
        handed, _ = desk.hand_over(paper("remittance_eob"))
    finally:
        desk.house.close()
        odoo.close()
    assert handed.records["work"][0] == "account.payment"
    found = record(
        admin, handed, "work", "state", "amount", "memo", "date", "payment_type", "partner_id"
    )
    assert found["state"] == "draft"
    assert (found["amount"], found["date"]) == (1250.4, "2026-03-09")
    assert found["memo"] == "Evergreen Mutual · EFT-88041"
    assert found["payment_type"] == "inbound"
    assert found["partner_id"][1] == "Evergreen Mutual"
    assert len(admin.rows("account.move", [])) == entries

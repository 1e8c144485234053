# SPDX-License-Identifier: Apache-2.0
"""Our module on the real server: its own tests, and what several pushes at a time leave there."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp.contract import to_contract
from idp.deliver.odoo.connection import connect
from idp.errors import OdooRightsError
from idp.schemas import load_schemas
from tests.fabricate import document
from tests.odoo.conftest import BotSettings
from tests.odoo.server import Admin, OdooServer

MODULES = ("idp_documents",)
GROUPS = ("idp_documents.group_idp_bot",)


def row(key: str) -> dict[str, Any]:
    """One document as it is loaded: one call, one row."""
    found = document(document_id=key)
    schema = load_schemas()[found.type]
    return {
        "id": f"__idp__.fields_{key}",
        "name": f"Referral {key}",
        "idp_key": key,
        "kind": found.type,
        "kind_label": schema.title,
        "received_at": "2026-11-22 20:00:00",
        "payload": json.dumps(to_contract(found)),
        "labels": json.dumps({each.name: [each.title, each.kind] for each in schema.fields}),
    }


@pytest.fixture(scope="module", autouse=True)
def _admin_sees_it(server: OdooServer, database: str) -> None:
    """Nobody does by being an administrator."""
    server.grant(database, ("idp_documents.group_idp_manager",), user="admin")


def test_the_modules_own_tests_pass(server: OdooServer, database: str) -> None:
    told = server.test_module(database, "idp_documents")
    assert "0 failed, 0 error(s) of 13 tests" in told, told[-3000:]


def test_a_contract_object_becomes_searchable_lines(
    bot_settings: BotSettings, admin: Admin
) -> None:
    values = row("searchable")
    found = connect(bot_settings()).call(
        "idp.document", "load", fields=list(values), data=[list(values.values())]
    )
    assert found["ids"], found["messages"]
    lines = admin.rows(
        "idp.document.field", [["document_id", "in", found["ids"]]], "name", "value", "confidence"
    )
    expected = document().fields
    assert [(each["name"], each["value"]) for each in lines] == [
        (each.name, each.value) for each in expected
    ]
    assert admin.rows("idp.document", [["field_ids.value", "=", expected[0].value]])


def test_eight_pushes_at_a_time_leave_one_document(bot_settings: BotSettings, admin: Admin) -> None:
    values = row("eightfold")

    def push(_: int) -> list[int]:
        odoo = connect(bot_settings())
        for _attempt in range(20):
            try:
                answer = odoo.call(
                    "idp.document", "load", fields=list(values), data=[list(values.values())]
                )
            except Exception:
                continue  # a lost race; the same again is no second one
            if answer["ids"]:
                return list(answer["ids"])
        return []

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(push, range(8)))
    (there,) = admin.rows("idp.document", [["idp_key", "=", "eightfold"]])
    assert ids == [[there["id"]]] * 8
    lines = admin.rows("idp.document.field", [["document_id", "=", there["id"]]])
    assert len(lines) == len(document().fields)


def test_our_bot_can_not_delete(bot_settings: BotSettings) -> None:
    values = row("lasting")
    odoo = connect(bot_settings())
    made = odoo.call("idp.document", "load", fields=list(values), data=[list(values.values())])
    with pytest.raises(OdooRightsError):
        odoo.call("idp.document", "unlink", made["ids"])

# SPDX-License-Identifier: Apache-2.0
"""``idp deliver preview --server`` and ``check`` against a real server: they look and write not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from idp.cli import app
from idp.document import Decision
from tests.fabricate import Shelf, document
from tests.odoo.conftest import BotSettings
from tests.odoo.server import Admin

_LOOKED_AT = ("crm.lead", "crm.tag", "dms.file", "dms.tag", "ir.attachment", "res.partner")


@pytest.fixture
def shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot_settings: BotSettings
) -> Iterator[Shelf]:
    """A store of an appliance that delivers to the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path))
    monkeypatch.setenv("IDP_DELIVER__TO", "odoo")
    odoo = bot_settings()
    for name in ("url", "database", "user", "key_file"):
        monkeypatch.setenv(f"IDP_DELIVER__ODOO__{name.upper()}", str(getattr(odoo, name)))
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.store.close()


def idp_(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def counts(admin: Admin) -> dict[str, int]:
    return {model: len(admin.rows(model, [])) for model in _LOOKED_AT}


def answer(told: dict[str, Any], role: str, column: str) -> str:
    (found,) = [
        each["answer"] for each in told["found"] if (each["role"], each["column"]) == (role, column)
    ]
    return str(found)


def test_preview_says_what_look_ups_find_and_makes_nothing(shelf: Shelf, admin: Admin) -> None:
    document_id = shelf.put(document(decision=Decision.REVIEW))
    before = counts(admin)
    told = idp_("deliver", "preview", document_id, "--server", "--json")
    assert told.exit_code == 0, told.output
    plain = json.loads(told.output)
    assert {row["model"] for row in plain["rows"]} >= {"crm.lead", "dms.file"}
    assert answer(plain, "work", "tag_ids") == "there is none: it would be made"
    assert counts(admin) == before
    admin.make("crm.tag", name="Referral")
    again = json.loads(idp_("deliver", "preview", document_id, "--server", "--json").output)
    assert answer(again, "work", "tag_ids").startswith("crm.tag ")
    assert "→ crm.tag" in idp_("deliver", "preview", document_id, "--server").output


def test_check_asks_the_server(shelf: Shelf) -> None:
    told = json.loads(idp_("deliver", "check", "--json").output)
    mapping = next(each for each in told["checks"] if each["name"] == "Odoo mapping")
    assert mapping["verdict"] in {"ok", "warn", "fail"}
    assert "nothing goes to Odoo" not in mapping["detail"]

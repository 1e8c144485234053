# SPDX-License-Identifier: Apache-2.0
"""Documents of many threads go to Odoo together; what is not theirs never counts against them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.sink import OdooSink
from idp.document import Document, DocumentType
from idp.errors import OdooError, OdooRefusedError
from idp.installation import is_house_fault
from idp.packer import packer_for
from idp.settings import Settings
from tests.odoo.conftest import BotSettings
from tests.odoo.handing import House, There, Watched
from tests.odoo.server import Admin


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    yield house
    house.close()


@pytest.fixture(scope="module")
def there(admin: Admin) -> There:
    return There(admin)


class Desk:
    """A sink with real documents."""

    def __init__(self, house: House, odoo: Any) -> None:
        self.house = house
        self.sink = OdooSink(
            odoo,
            packer_for(Settings(data=house.folder), house.store),
            house.store,
            house.folder / "work",
            wanted="attachment",
        )

    def referral(self) -> tuple[Document, Path]:
        document_id = self.house.document()
        row = self.house.store.show(document_id).arrival
        original = self.house.store.content.path(row.sha256)
        document = Document(
            document_id=document_id,
            source="fax.tif",
            sha256=row.sha256,
            channel="fax",
            type=DocumentType.REFERRAL,
            type_confidence=0.99,
            pages=(),
        )
        return document, original

    def deliver(self, each: tuple[Document, Path]) -> str:
        document, original = each
        return self.sink.deliver(document, original, {}, f"{document.document_id}-v1")


def test_twenty_threads_deliver_in_a_few_calls_and_each_gets_its_own_place(
    house: House, there: There, bot_settings: BotSettings
) -> None:
    odoo = Watched(connect(bot_settings()))
    desk = Desk(house, lambda: odoo)
    desk.deliver(desk.referral())
    referrals = [desk.referral() for _ in range(20)]
    odoo.counted()
    with ThreadPoolExecutor(20) as threads:
        places = list(threads.map(desk.deliver, referrals))
    assert odoo.counted()["load"] < 40
    assert len(set(places)) == 20
    for (document, _), place in zip(referrals, places, strict=True):
        number = int(place.removeprefix("odoo:ir.attachment/"))
        (file,) = there.admin.rows(
            "ir.attachment", [["id", "=", number]], "res_model", "res_id", "create_uid"
        )
        assert file["res_model"] == "crm.lead"
        known = {each.role: each for each in house.store.handovers_of(document.document_id)}
        assert known["work"].record_id == file["res_id"]
        assert known["document"].record_id == number
    assert not list((house.folder / "work").iterdir())


def test_a_server_that_is_not_there_is_no_documents_fault(
    house: House, bot_settings: BotSettings
) -> None:
    desk = Desk(house, lambda: connect(bot_settings(url="http://127.0.0.1:9")))
    with pytest.raises(OdooError) as told:
        desk.deliver(desk.referral())
    assert is_house_fault(told.value)


def test_a_wrong_key_is_no_documents_fault(
    house: House, bot_settings: BotSettings, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("none\n")
    key.chmod(0o600)
    desk = Desk(house, lambda: connect(bot_settings(key_file=key)))
    with pytest.raises(OdooError) as told:
        desk.deliver(desk.referral())
    assert is_house_fault(told.value)


def test_what_is_refused_is_the_documents_own() -> None:
    assert not is_house_fault(OdooRefusedError("no"))

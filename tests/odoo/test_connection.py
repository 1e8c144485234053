# SPDX-License-Identifier: Apache-2.0
"""One contract, two protocols, a real server."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.json2 import Json2
from idp.deliver.odoo.json_rpc import JsonRpc
from idp.errors import (
    OdooError,
    OdooRefusedError,
    OdooRightsError,
    OdooUncertainError,
    OdooUnreachableError,
)
from tests.odoo.certificates import Certificates, certificates
from tests.odoo.conftest import BotSettings
from tests.odoo.cutting import CuttingProxy
from tests.odoo.server import Admin, OdooServer

PROTOCOLS = ("jsonrpc", "json2")
SECRET_TEXT = "Jane Q. Invented, born 1961-02-03"
"""Stands for what a document says: it must be in no log and no message."""


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def odoo(bot_settings: BotSettings, protocol: str) -> Iterator[JsonRpc | Json2]:
    connected = connect(bot_settings(protocol=protocol))
    try:
        yield connected
    finally:
        connected.close()


def load(odoo: JsonRpc | Json2, name: str, text: str = "first") -> dict[str, Any]:
    content = base64.b64encode(text.encode()).decode()
    answer: dict[str, Any] = odoo.call(
        "ir.attachment",
        "load",
        fields=["id", "name", "datas"],
        data=[[f"__idp__.{name}", f"{name}.txt", content]],
    )
    return answer


def test_auto_takes_json2_of_odoo_19(bot_settings: BotSettings) -> None:
    odoo = connect(bot_settings())
    assert (odoo.protocol, odoo.version) == ("json2", (19, 0))
    odoo.close()


def test_both_protocols_name_the_server_alike(
    bot_settings: BotSettings, server: OdooServer, database: str
) -> None:
    names = {connect(bot_settings(protocol=each)).identity for each in PROTOCOLS}
    assert names == {f"{server.url}?db={database}"}


def test_create_takes_a_list_and_gives_a_list(odoo: JsonRpc | Json2) -> None:
    ids = odoo.call("project.task", "create", vals_list=[{"name": "one"}, {"name": "two"}])
    assert len(ids) == 2
    assert odoo.call("project.task", "write", ids, vals={"name": "both"}) is True
    rows = odoo.call(
        "project.task", "search_read", domain=[["id", "in", ids]], fields=["name"], order="id"
    )
    assert rows == [{"id": ids[0], "name": "both"}, {"id": ids[1], "name": "both"}]


def test_a_load_is_repeated_without_a_double(odoo: JsonRpc | Json2, protocol: str) -> None:
    name = f"repeated_{protocol}"
    first, again = load(odoo, name), load(odoo, name)
    assert first["ids"] == again["ids"]
    (row,) = odoo.call("ir.attachment", "read", first["ids"], fields=["checksum", "file_size"])
    assert row["checksum"] == hashlib.sha1(b"first").hexdigest()
    assert row["file_size"] == 5


def test_a_refused_load_is_an_answer(odoo: JsonRpc | Json2) -> None:
    answer = odoo.call(
        "ir.attachment", "load", fields=["id", "type"], data=[["__idp__.bad", "of no type"]]
    )
    assert answer["ids"] is False
    assert answer["messages"]


def test_an_external_id_is_looked_up(odoo: JsonRpc | Json2, protocol: str) -> None:
    made = load(odoo, f"looked_up_{protocol}")["ids"][0]
    assert odoo.call(
        "ir.model.data",
        "check_object_reference",
        module="__idp__",
        xml_id=f"looked_up_{protocol}",
    ) == ["ir.attachment", made]
    with pytest.raises(OdooRefusedError, match=r"check_object_reference: ValueError"):
        odoo.call("ir.model.data", "check_object_reference", module="__idp__", xml_id="none")


def test_methods_of_records_may_be_called_on_none(odoo: JsonRpc | Json2) -> None:
    assert odoo.call("project.task", "has_access", [], operation="create") is True
    assert odoo.call("res.groups", "has_access", [], operation="create") is False


def test_fields_are_told(odoo: JsonRpc | Json2) -> None:
    told = odoo.call("ir.attachment", "fields_get", allfields=["datas"], attributes=["type"])
    assert told["datas"]["type"] == "binary"


def test_notes_and_activities_give_lists(odoo: JsonRpc | Json2) -> None:
    (task,) = odoo.call("project.task", "create", vals_list=[{"name": "noted"}])
    note = odoo.call(
        "project.task", "message_post", [task], body="a note", subtype_xmlid="mail.mt_note"
    )
    activity = odoo.call(
        "project.task",
        "activity_schedule",
        [task],
        act_type_xmlid="mail.mail_activity_data_todo",
        summary="look",
    )
    for made in (note, activity):
        assert [type(each) for each in made] == [int]


def test_what_is_deleted_is_gone(odoo: JsonRpc | Json2) -> None:
    made = load(odoo, "deleted")["ids"]
    assert odoo.call("ir.attachment", "unlink", made) is True
    assert odoo.call("ir.attachment", "search_count", domain=[["id", "in", made]]) == 0


@pytest.mark.parametrize(
    ("model", "method", "named", "message"),
    [
        ("no.such.model", "search", {"domain": []}, "the server has no model no.such.model"),
        ("res.partner", "no_such_method", {}, "res.partner.no_such_method: "),
        ("res.partner", "search", {"no_such": 1}, "res.partner.search: "),
        ("res.partner", "search", {"domain": [["no_such", "=", 1]]}, "no_such"),
        ("project.task", "create", {"vals_list": [{"no_such": 1}]}, "field no_such"),
    ],
)
def test_mistakes_of_ours_are_refused(
    odoo: JsonRpc | Json2, model: str, method: str, named: dict[str, Any], message: str
) -> None:
    with pytest.raises(OdooRefusedError) as raised:
        odoo.call(model, method, **named)
    assert message in raised.value.message


def test_a_missing_record_is_refused(odoo: JsonRpc | Json2) -> None:
    with pytest.raises(OdooRefusedError, match=r"project\.task\.write: MissingError"):
        odoo.call("project.task", "write", [99_999_999], vals={"name": "none"})


def test_a_missing_right_names_model_operation_and_group(odoo: JsonRpc | Json2) -> None:
    with pytest.raises(OdooRightsError) as raised:
        odoo.call("crm.team", "create", vals_list=[{"name": SECRET_TEXT}])
    assert raised.value.message == (
        "the bot user lacks the right to create crm.team: "
        'one of the groups "Sales/Administrator" gives it'
    )
    with pytest.raises(OdooRightsError) as raised:
        odoo.call("project.project", "create", vals_list=[{"name": SECRET_TEXT}])
    assert raised.value.message == (
        "the bot user lacks the right to create project.project: "
        'one of the groups "Project/Administrator" gives it'
    )


def test_a_field_kept_from_the_bot_is_named(odoo: JsonRpc | Json2) -> None:
    with pytest.raises(OdooRightsError, match=r"read the field signup_type of res\.partner"):
        odoo.call("res.partner", "search_read", domain=[], fields=["signup_type"])


def test_values_are_in_no_message(odoo: JsonRpc | Json2) -> None:
    (task,) = odoo.call("project.task", "create", vals_list=[{"name": SECRET_TEXT}])
    for method, ids, named in (
        ("write", [task], {"vals": {"parent_id": task, "name": SECRET_TEXT}}),
        ("write", [task], {"vals": {"stage_id": SECRET_TEXT}}),
        ("write", [task], {"vals": {"date_deadline": SECRET_TEXT}}),
        ("search", None, {"domain": [[SECRET_TEXT, "=", 1]]}),
        (SECRET_TEXT.split(maxsplit=1)[0], None, {}),
    ):
        with pytest.raises(OdooError) as raised:
            odoo.call("project.task", method, ids, **named)
        told = f"{raised.value} {raised.value!r} {raised.value.__cause__!r}"
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        assert SECRET_TEXT not in told
        assert "1961" not in told


def test_a_wrong_key_is_refused(bot_settings: BotSettings, protocol: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("0" * 40)
    with pytest.raises(OdooRefusedError, match="does not take the user's API key"):
        connect(bot_settings(protocol=protocol, key_file=key))


def test_another_users_key_is_refused(bot_settings: BotSettings, protocol: str) -> None:
    with pytest.raises(OdooRefusedError, match="API key"):
        connect(bot_settings(protocol=protocol, user="admin"))


def test_a_missing_database_is_refused(bot_settings: BotSettings, protocol: str) -> None:
    with pytest.raises(OdooRefusedError, match="no database"):
        connect(bot_settings(protocol=protocol, database="no_such"))


def test_a_key_that_everybody_may_read_is_not_used(
    bot_settings: BotSettings, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("0" * 40)
    key.chmod(0o644)
    with pytest.raises(OdooError, match="can be read by everybody"):
        connect(bot_settings(key_file=key))


def test_neither_key_nor_content_is_logged(
    bot_settings: BotSettings,
    protocol: str,
    server: OdooServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = server.key_file.read_text().strip()
    root = logging.getLogger()
    loud = [root, *(logging.getLogger(n) for n in ("odoorpc", "odoorpc.rpc.jsonrpclib", "idp"))]
    before = [each.level for each in loud]
    try:
        root.setLevel(logging.DEBUG)
        odoo = connect(bot_settings(protocol=protocol))
        for each in loud:
            each.setLevel(logging.DEBUG)  # after our silence: as a file of log settings would
        caplog.set_level(logging.DEBUG)
        load(odoo, f"logged_{protocol}", SECRET_TEXT)
        with pytest.raises(OdooError) as raised:
            odoo.call("project.task", "write", [1], vals={SECRET_TEXT: 1})
        told = [repr(odoo), repr(vars(odoo)), repr(raised.value), str(raised.value)]
        odoo.close()
    finally:
        for each, level in zip(loud, before, strict=True):
            each.setLevel(level)
    encoded = base64.b64encode(SECRET_TEXT.encode()).decode()
    assert any(record.name.startswith("httpcore") for record in caplog.records), "it is loud"
    for text in (caplog.text, *told):
        for secret in (key, SECRET_TEXT, encoded):
            assert secret not in text


def test_nobody_listening_means_nothing_happened(bot_settings: BotSettings, protocol: str) -> None:
    with pytest.raises(OdooUnreachableError, match="Connection refused"):
        connect(bot_settings(protocol=protocol, url="http://127.0.0.1:1"))


def test_what_is_cut_off_is_uncertain_and_can_be_repeated(
    bot_settings: BotSettings, protocol: str, cutting: CuttingProxy, admin: Admin
) -> None:
    odoo = connect(bot_settings(protocol=protocol, url=cutting.url))
    for cut in ("before", "half", "after"):
        name = f"cut_{cut}_{protocol}"
        cutting.plan.append(cut)
        with pytest.raises(OdooUncertainError):
            load(odoo, name)
        came = admin.rows("ir.attachment", [["name", "=", f"{name}.txt"]])
        assert len(came) == (1 if cut == "after" else 0)
        assert load(odoo, name)["ids"], "connected again by itself"
        assert len(admin.rows("ir.attachment", [["name", "=", f"{name}.txt"]])) == 1
    odoo.close()


def test_an_answer_that_does_not_come_in_time_is_uncertain(
    bot_settings: BotSettings, protocol: str, cutting: CuttingProxy
) -> None:
    odoo = connect(bot_settings(protocol=protocol, url=cutting.url, request_seconds=1.0))
    cutting.delay = 3.0
    cutting.plan.append("slow")
    start = time.monotonic()
    with pytest.raises(OdooUncertainError, match="no answer within 1 s"):
        odoo.call("res.users", "context_get")
    assert time.monotonic() - start < 2.5
    odoo.close()


def test_connections_are_kept(
    bot_settings: BotSettings, protocol: str, cutting: CuttingProxy
) -> None:
    odoo = connect(bot_settings(protocol=protocol, url=cutting.url))
    before = cutting.connections
    for _ in range(5):
        odoo.call("res.users", "context_get")
    # The test's server may end one after each answer; ours never makes two for one call.
    assert cutting.connections - before <= 5
    odoo.close()


def test_threads_share_a_connection(odoo: JsonRpc | Json2, protocol: str) -> None:
    made: list[int] = []

    def work(number: int) -> None:
        made.extend(load(odoo, f"thread_{number}_{protocol}")["ids"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(made)) == 6


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


def test_tls_with_an_authority_of_ones_own(
    bot_settings: BotSettings, protocol: str, server: OdooServer, pair: Certificates
) -> None:
    with CuttingProxy(server.port, certificate=pair.certificate, key=pair.key) as proxy:
        odoo = connect(bot_settings(protocol=protocol, url=proxy.url, ca=pair.authority))
        assert odoo.identity.startswith("https://localhost:")
        assert load(odoo, f"tls_{protocol}")["ids"]
        odoo.close()


def test_a_certificate_that_is_not_trusted_means_nothing_happened(
    bot_settings: BotSettings, protocol: str, server: OdooServer, pair: Certificates
) -> None:
    with CuttingProxy(server.port, certificate=pair.certificate, key=pair.key) as proxy:
        with pytest.raises(OdooUnreachableError, match="certificate is not trusted"):
            connect(bot_settings(protocol=protocol, url=proxy.url))
        with pytest.raises(OdooUnreachableError, match="certificate is not trusted"):
            connect(
                bot_settings(
                    protocol=protocol,
                    url=proxy.url.replace("localhost", "127.0.0.1"),
                    ca=pair.authority,
                )
            )
        assert proxy.seen.total() == 0


def test_a_killed_server_is_used_again_when_it_is_back(
    bot_settings: BotSettings, protocol: str, server: OdooServer
) -> None:
    odoo = connect(bot_settings(protocol=protocol))
    server.kill()
    try:
        with pytest.raises((OdooUnreachableError, OdooUncertainError)):
            odoo.call("res.users", "context_get")
        with pytest.raises(OdooUnreachableError):
            odoo.call("res.users", "context_get")
    finally:
        server.start()
    assert odoo.call("res.users", "context_get")
    odoo.close()

# SPDX-License-Identifier: Apache-2.0
"""Answers that are none of Odoo's, and what Odoo's own errors say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr

from idp.deliver.odoo import wire as wire_module
from idp.deliver.odoo.connection import connect, greet, key_of
from idp.deliver.odoo.json2 import Json2
from idp.deliver.odoo.json_rpc import JsonRpc
from idp.deliver.odoo.refusals import missing_right, refusal
from idp.deliver.odoo.wire import Wire, address_of
from idp.errors import (
    OdooError,
    OdooRefusedError,
    OdooRightsError,
    OdooUncertainError,
    OdooUnreachableError,
)
from idp.slices import OdooSettings

KEY = "k" * 40


class Said(NamedTuple):
    """What the little server answers to everything."""

    status: int = 200
    body: bytes = b""
    kind: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()


class Little:
    """An HTTP server that says one thing."""

    def __init__(self) -> None:
        self.said = Said()
        self.asked: list[str] = []
        little = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                little.asked.append(self.path)
                self.send_response(little.said.status)
                self.send_header("Content-Type", little.said.kind)
                self.send_header("Content-Length", str(len(little.said.body)))
                for name, value in little.said.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(little.said.body)

            do_GET = do_POST  # noqa: N815 - as the base class calls it

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def little() -> Iterator[Little]:
    server = Little()
    yield server
    server.close()


def settings(little: Little, **options: Any) -> OdooSettings:
    return OdooSettings.model_validate(
        {"url": little.url, "database": "d", "user": "u", "request_seconds": 5, **options}
    )


@pytest.fixture(params=["json2", "jsonrpc"])
def odoo(request: pytest.FixtureRequest, little: Little) -> Iterator[Json2 | JsonRpc]:
    wire, key = Wire(settings(little)), SecretStr(KEY)
    if request.param == "json2":
        yield Json2(wire, database="d", key=key, version=(19, 0))
    else:
        yield JsonRpc(wire, database="d", user="u", key=key, version=(18, 0))
    wire.close()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(200, b"<html>portal</html>"), OdooUncertainError),
        (Said(502, b"<html>bad gateway</html>"), OdooUncertainError),
        (Said(503), OdooUncertainError),
        (Said(404, b"<html>nothing here</html>"), OdooUnreachableError),
        (Said(403, b"<html>blocked</html>"), OdooUnreachableError),
        (Said(429), OdooUnreachableError),
        (Said(413), OdooRefusedError),
        (Said(302, headers=(("Location", "http://elsewhere.invalid/"),)), OdooUnreachableError),
        (Said(308, headers=(("Location", "/elsewhere"),)), OdooUnreachableError),
    ],
)
def test_an_answer_of_something_else_is_judged_alike(
    odoo: Json2 | JsonRpc, little: Little, said: Said, error: type[OdooError]
) -> None:
    little.said = said
    with pytest.raises(OdooError) as raised:
        odoo.call("res.partner", "search", domain=[])
    assert type(raised.value) is error
    assert len(little.asked) == 1, "no redirect is followed, nothing is repeated here"
    assert KEY not in str(raised.value)
    assert KEY not in repr(odoo)


@pytest.mark.parametrize(
    "body",
    [
        {"jsonrpc": "2.0", "error": {"code": 100, "message": "Session expired"}},
        {"jsonrpc": "2.0", "error": "broken"},
        {"some": "json"},
        [],
    ],
)
def test_a_json_rpc_answer_without_its_parts_is_uncertain(little: Little, body: object) -> None:
    little.said = Said(200, json.dumps(body).encode(), "application/json")
    odoo = JsonRpc(
        Wire(settings(little)), database="d", user="u", key=SecretStr(KEY), version=(18, 0)
    )
    with pytest.raises(OdooUncertainError):
        odoo.call("res.partner", "search", domain=[])
    odoo.close()


def test_an_answer_without_end_is_not_read(
    odoo: Json2 | JsonRpc, little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "MOST_ANSWER_BYTES", 1000)
    little.said = Said(200, b" " * 5000, "application/json")
    with pytest.raises(OdooUncertainError, match="more than 1000 bytes"):
        odoo.call("res.partner", "search", domain=[])


@pytest.mark.parametrize(
    ("info", "version"), [([19, 0, 0, "final", 0, ""], (19, 0)), (["saas~18", 2, 0], (18, 2))]
)
def test_a_version_is_read(little: Little, info: list[object], version: tuple[int, int]) -> None:
    little.said = Said(200, json.dumps({"version_info": info}).encode(), "application/json")
    wire = Wire(settings(little))
    assert greet(wire).version == version
    wire.close()


def test_what_is_not_odoo_is_said_so(little: Little, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o600)
    little.said = Said(200, b"<html>hello</html>")
    with pytest.raises(OdooUnreachableError, match="something else than Odoo answers"):
        connect(settings(little, key_file=tmp_path / "key"))


@pytest.mark.parametrize("url", ["", "odoo", "ftp://odoo", "https://", "https://u:p@odoo"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(OdooError, match=r"deliver\.odoo\.url is no address"):
        address_of(OdooSettings(url=url))


def test_an_address_has_one_spelling() -> None:
    for url in (
        "https://Odoo.Example.org/",
        "https://odoo.example.org:443",
        " https://odoo.example.org ",
    ):
        assert address_of(OdooSettings(url=url)) == "https://odoo.example.org"


def test_a_key_file_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with pytest.raises(OdooError, match="can't be read"):
        key_of(file)
    file.write_text("\nsecond line\n")
    file.chmod(0o600)
    with pytest.raises(OdooError, match="is empty"):
        key_of(file)
    file.write_text(f" {KEY} \nsecond line\n")
    assert key_of(file).get_secret_value() == KEY
    assert KEY not in repr(key_of(file))


def test_values_in_odoos_texts_are_left_out() -> None:
    told = refusal(
        "res.partner",
        "write",
        "odoo.exceptions.ValidationError",
        "The operation cannot be completed: Jane Invented, born 1961, field 'vat' must be unique",
    )
    assert told.message == "res.partner.write: ValidationError, field vat"
    told = refusal("dms.file", "create", "odoo.exceptions.UserError", "A required field is empty")
    assert told.message == "dms.file.create: UserError"


def test_states_of_the_server_are_uncertain() -> None:
    for kind in ("psycopg2.errors.SerializationFailure", "psycopg2.OperationalError"):
        assert isinstance(refusal("a.b", "load", kind, "..."), OdooUncertainError)


def test_rules_that_keep_records_away_are_named_without_the_records() -> None:
    told = missing_right(
        "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\n"
        "Sorry, IDP bot (id=5) doesn't have 'write' access to:\n"
        "- Task, Jane Invented (project.task: 5, company=Hospital)\n\nBlame the following rules:"
    )
    assert isinstance(told, OdooRightsError)
    assert told.message.startswith("the bot user lacks the right to write some records of project.")
    assert "Jane" not in str(told)

# SPDX-License-Identifier: Apache-2.0
"""``idp users`` and the listener's TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from typer.testing import CliRunner

from idp.cli import app
from idp.errors import ExitCode, SettingsError
from idp.gate import Listener
from idp.settings import Settings
from idp.store import Store

pytestmark = pytest.mark.component

PASSWORD = "seven wet umbrellas"


def call(folder: Path, *words: str, stdin: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(
        app, ["users", *words], input=stdin, env={"IDP_DATA": str(folder), "COLUMNS": "200"}
    )
    return result.exit_code, result.stdout, result.stderr


def test_an_account_is_made_changed_listed_and_removed(tmp_path: Path) -> None:
    code, _, said = call(
        tmp_path, "add", "Rita", "--role", "reviewer", "--stdin", stdin=f"{PASSWORD}\n"
    )
    assert code == 0, said
    assert "rita may come in as reviewer" in said
    assert call(tmp_path, "add", "rob", "--role", "lead", "--sign-on")[0] == 0
    assert call(tmp_path, "role", "rita", "lead")[0] == 0
    code, out, _ = call(tmp_path, "list", "--json")
    told = json.loads(out)
    assert told["schema"] == "idp.users/1"
    assert [
        (p["name"], p["role"], p["has_password"], p["must_change"]) for p in told["people"]
    ] == [("rita", "lead", True, True), ("rob", "lead", False, False)]
    assert "$argon2" not in out
    assert call(tmp_path, "remove", "rita")[0] == 0
    assert [p["name"] for p in json.loads(call(tmp_path, "list", "--json")[1])["people"]] == ["rob"]
    assert "removed" in call(tmp_path, "list", "--all")[1]
    store = Store(Settings(data=tmp_path).resolved_database_url, tmp_path / "store")
    events = store.events(limit=20)
    assert {e.action for e in events} == {"person_added", "person_role_changed", "person_removed"}
    assert all(e.actor.startswith("cli") for e in events)
    assert store.verify_events() is None
    store.close()


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("add", "rita", "--role", "reviewer", "--stdin"), "short\n"),
        (("add", "rita", "--role", "reviewer", "--stdin"), ""),
        (("add", "rita", "--role", "reviewer"), f"{PASSWORD}\n"),
        (("add", "../x", "--role", "reviewer", "--sign-on"), ""),
    ],
)
def test_no_account_without_a_good_name_and_password(
    tmp_path: Path, words: tuple[str, ...], stdin: str
) -> None:
    code, _, said = call(tmp_path, *words, stdin=stdin)
    assert code == ExitCode.BAD_SETTINGS, said
    assert PASSWORD not in said
    assert json.loads(call(tmp_path, "list", "--json")[1])["people"] == []


def test_an_unknown_name_and_a_known_one_are_told(tmp_path: Path) -> None:
    assert call(tmp_path, "remove", "nobody")[0] == ExitCode.NOT_FOUND
    assert call(tmp_path, "add", "rob", "--role", "lead", "--sign-on")[0] == 0
    assert call(tmp_path, "add", "ROB", "--role", "lead", "--sign-on")[0] == ExitCode.USAGE
    assert call(tmp_path, "add", "ann", "--role", "owner", "--sign-on")[0] == ExitCode.USAGE


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gate")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "gate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "gate.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "gate.pem", folder / "gate.key"


def listener(files: tuple[Path, Path]) -> Listener:
    pages = FastAPI()

    @pages.get("/")
    def _here() -> str:
        return "here"

    return Listener(pages, host="127.0.0.1", port=0, name="gate", option="IDP_X", certificate=files)


def test_the_gate_speaks_tls_with_a_certificate_and_nothing_else(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(files[0]))
    with listener(files) as gate:
        assert gate.address.startswith("https://127.0.0.1:")
        answer = httpx.get(gate.address, verify=trust, trust_env=False)
        assert answer.json() == "here"
        with pytest.raises(httpx.HTTPError):
            httpx.get(gate.address.replace("https", "http"), trust_env=False)


def test_a_certificate_that_is_none_is_told_before_anything_listens(tmp_path: Path) -> None:
    pem, key = certificate(tmp_path)
    key.write_text("no key", encoding="ascii")
    with pytest.raises(SettingsError, match="certificate"):
        listener((pem, key))
    with pytest.raises(SettingsError, match="certificate"):
        listener((tmp_path / "absent.pem", key))

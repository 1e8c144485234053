# SPDX-License-Identifier: Apache-2.0
"""Connecting to an Odoo server: which version it is, which protocol to speak, whose key."""

from __future__ import annotations

import logging
import os
import re
import stat
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from idp.deliver.odoo.json2 import Json2
from idp.deliver.odoo.json_rpc import JsonRpc, version_asked
from idp.deliver.odoo.wire import Wire
from idp.errors import OdooError, OdooRefusedError, OdooUnreachableError
from idp.slices import OdooSettings

_FIRST_WITH_JSON2 = (19, 0)
_MOST_KEY_BYTES = 4096

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server tells of itself to anybody."""

    version: tuple[int, int]
    date: str
    """Of its answer, by its own clock; an HTTP date."""


def connect(settings: OdooSettings) -> JsonRpc | Json2:
    """A server that answered, and that takes the bot's key.

    Three or four short requests; give it back by ``close()``. A lost connection is made again by
    itself at the next call.

    Raises:
        OdooUnreachableError: It does not answer, or what answers is not Odoo.
        OdooUncertainError: It took the request and did not answer.
        OdooRefusedError: It has no such database, or does not take the key.
        OdooError: The settings are not whole, or a file that they name is of no use.
    """
    key = key_of(settings.key_file)
    wire = Wire(settings)
    try:
        version = greet(wire).version
        odoo = _signed_in(wire, settings, key, version)
    except BaseException:
        wire.close()
        raise
    _log.info("odoo %d.%d at %s by %s", version[0], version[1], odoo.identity, odoo.protocol)
    return odoo


def greet(wire: Wire) -> Greeting:
    """Ask a server for its version.

    Raises:
        OdooUnreachableError: What answers is not Odoo.
        OdooError: As :meth:`Wire.post`, or what a proxy says.
    """
    for path in ("/web/version", "/json/version"):
        answer = wire.get(path)
        told = answer.json()
        if isinstance(told, dict) and (version := _version(told.get("version_info"))):
            return Greeting(version, answer.date)
        if answer.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise wire.not_odoo(answer)
    if version := _version(version_asked(wire)):
        return Greeting(version, answer.date)
    raise OdooUnreachableError(f"something else than Odoo answers at {wire.address}")


def _version(info: Any) -> tuple[int, int] | None:
    """Of ``[19, 0, 0, "final", 0, ""]``, or ``["saas~18", 2, ...]`` of an Online release."""
    if not isinstance(info, list) or len(info) < 2:
        return None
    found = [re.search(r"\d+", str(part)) for part in info[:2]]
    if found[0] is None or found[1] is None:
        return None
    return int(found[0][0]), int(found[1][0])


def _signed_in(
    wire: Wire, settings: OdooSettings, key: SecretStr, version: tuple[int, int]
) -> JsonRpc | Json2:
    database, user = settings.database, settings.user
    if database is None or user is None:
        raise OdooError("deliver.odoo.database and deliver.odoo.user are not set")
    later = version >= _FIRST_WITH_JSON2
    if settings.protocol == "json2" and not later:
        raise OdooError(
            f"Odoo {version[0]}.{version[1]} has no JSON-2",
            hint="Set deliver.odoo.protocol to auto or jsonrpc.",
        )
    if settings.protocol == "jsonrpc" or not later:
        old = JsonRpc(wire, database=database, user=user, key=key, version=version)
        old.sign_in()
        return old
    odoo = Json2(wire, database=database, key=key, version=version)
    # The key alone decides who is meant: anybody's would do.
    uid = odoo.call("res.users", "context_get").get("uid")
    (me,) = odoo.call("res.users", "read", [uid], fields=["login"])
    if me.get("login") != user:
        raise OdooRefusedError(
            "the API key is another user's", hint="deliver.odoo.user names the key's own user."
        )
    return odoo


def key_of(path: Path | None) -> SecretStr:
    """The API key: the first line of a file that nobody else may read.

    Raises:
        OdooError: There is no such file, others may read it, or its first line is empty.
    """
    if path is None:
        raise OdooError("deliver.odoo.key_file is not set")
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            line = file.readline(_MOST_KEY_BYTES).strip().decode("ascii")
    except (OSError, UnicodeDecodeError):
        raise OdooError("the file of deliver.odoo.key_file can't be read") from None
    if mode & stat.S_IRWXO:
        raise OdooError(
            "the file of deliver.odoo.key_file can be read by everybody on this machine",
            hint="chmod 600 it; make a new API key if others had access.",
        )
    if not line:
        raise OdooError("the first line of deliver.odoo.key_file is empty")
    return SecretStr(line)

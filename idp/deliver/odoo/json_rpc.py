# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC by OdooRPC: the interface of Odoo 18 and before; 19 still has it.

Of OdooRPC only the call itself is used. Its records (``env``, ``browse``) read every field of a
model, which a bot with few rights may not, and its connections know neither an own certificate
authority nor a limit: it is handed ours instead.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

import odoorpc
import odoorpc.error
from pydantic import SecretStr

from idp.deliver.odoo.refusals import not_understood, refusal, wrong_key
from idp.deliver.odoo.wire import Answer, Wire
from idp.errors import OdooError

_PATH = "/jsonrpc"
_RECORDS = frozenset(("message_post", "activity_schedule"))
"""Methods whose record is one number in older servers and a list of one in later ones."""


def silence() -> None:
    """Keep OdooRPC from logging what it sends: the API key and whole documents, at DEBUG.

    A filter besides the level, since whoever turns everything to DEBUG would undo the level.
    """
    for name in ("odoorpc", "odoorpc.rpc", "odoorpc.rpc.jsonrpclib"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        if _grave not in logger.filters:
            logger.addFilter(_grave)


def _grave(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


class _Body:
    """An answer as OdooRPC reads it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def read(self) -> bytes:
        return self._answer.body


class _Opener:
    """Takes the place of ``urllib``'s in OdooRPC: the same wire as JSON-2 has."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def open(self, request: Request, timeout: float | None = None) -> _Body:
        """Send; the wire's own time-outs hold."""
        del timeout
        assert isinstance(request.data, bytes)
        answer = self._wire.post(urlsplit(request.full_url).path, request.data)
        if answer.status != 200:
            raise self._wire.not_odoo(answer)
        if not isinstance(told := answer.json(), dict) or "jsonrpc" not in told:
            # HTML with status 200: a proxy's page, or a portal's.
            raise not_understood(self._wire.address)
        error = told.get("error")
        if error and not (isinstance(error, dict) and isinstance(error.get("data"), dict)):
            # OdooRPC would fail with a KeyError.
            raise not_understood(self._wire.address)
        return _Body(answer)


class JsonRpc:
    """An :class:`~idp.deliver.odoo.port.Odoo` by JSON-RPC. Safe for threads."""

    protocol = "jsonrpc"

    def __init__(
        self, wire: Wire, *, database: str, user: str, key: SecretStr, version: tuple[int, int]
    ) -> None:
        """Nothing is asked yet; the first call signs the user in."""
        silence()
        self._wire = wire
        self._database = database
        self._user = user
        self._key = key
        self._version = version
        self._uid: int | None = None
        self._lock = threading.Lock()
        parts = urlsplit(wire.address)
        secure = parts.scheme == "https"
        self._odoo = odoorpc.ODOO(
            parts.hostname,
            protocol="jsonrpc+ssl" if secure else "jsonrpc",
            port=parts.port or (443 if secure else 80),
            version=f"{version[0]}.{version[1]}",
            opener=_Opener(wire),
        )

    def __repr__(self) -> str:
        return f"JsonRpc({self.identity!r})"

    @property
    def identity(self) -> str:
        return f"{self._wire.address}?db={self._database}"

    @property
    def version(self) -> tuple[int, int]:
        return self._version

    def close(self) -> None:
        """Give the connections back."""
        self._wire.close()

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, **named: Any) -> Any:
        """See :class:`~idp.deliver.odoo.port.Odoo`."""
        args: list[Any] = [] if ids is None else [list(ids)]
        if method == "create":
            # Odoo looks at the first argument to tell whether one number or a list is wanted.
            args.append(named.pop("vals_list"))
        result = self._rpc(
            "object",
            "execute_kw",
            [
                *(self._database, self.sign_in(), self._key.get_secret_value()),
                *(model, method, args, named),
            ],
            model,
            method,
        )
        if method in _RECORDS and isinstance(result, int) and not isinstance(result, bool):
            return [result]
        return result

    def sign_in(self) -> int:
        """The user's number; raises :class:`OdooRefusedError` where the key is not taken."""
        with self._lock:
            if self._uid is None:
                uid = self._rpc(
                    "common",
                    "login",
                    [self._database, self._user, self._key.get_secret_value()],
                    "res.users",
                    "login",
                )
                if not isinstance(uid, int) or isinstance(uid, bool):
                    raise wrong_key()
                self._uid = uid
            return self._uid

    def _rpc(self, service: str, name: str, args: list[Any], model: str, method: str) -> Any:
        try:
            answer = self._odoo.json(_PATH, {"service": service, "method": name, "args": args})
        except odoorpc.error.RPCError as error:
            said = error.info["data"] if isinstance(error.info, dict) else {}
            told: OdooError = refusal(
                model, method, str(said.get("name") or ""), str(said.get("message") or "")
            )
        else:
            return answer.get("result")
        # Outside the handler: the server's words are no part of what is raised.
        raise told


def version_asked(wire: Wire) -> list[Any] | None:
    """``server_version_info`` as a server without ``/web/version`` tells it."""
    asked = {"jsonrpc": "2.0", "method": "call", "params": {}}
    told = wire.post("/web/webclient/version_info", json.dumps(asked).encode()).json()
    result = told.get("result") if isinstance(told, dict) else None
    info = result.get("server_version_info") if isinstance(result, dict) else None
    return info if isinstance(info, list) else None

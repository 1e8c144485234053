# SPDX-License-Identifier: Apache-2.0
"""JSON-2, the interface of Odoo 19 and later: one address for each method, arguments by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from idp.deliver.odoo.refusals import is_no_database, not_understood, refusal, wrong_key
from idp.deliver.odoo.wire import Answer, Wire
from idp.errors import OdooError


class Json2:
    """An :class:`~idp.deliver.odoo.port.Odoo` by JSON-2. Safe for threads."""

    protocol = "json2"

    def __init__(
        self, wire: Wire, *, database: str, key: SecretStr, version: tuple[int, int]
    ) -> None:
        """Nothing is asked yet; the server tells at the first call whether it takes the key."""
        self._wire = wire
        self._database = database
        self._key = key
        self._version = version

    def __repr__(self) -> str:
        return f"Json2({self.identity!r})"

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
        if ids is not None:
            named["ids"] = list(ids)
        answer = self._wire.post(
            f"/json/2/{model}/{method}",
            json.dumps(named).encode(),
            {
                "Authorization": f"bearer {self._key.get_secret_value()}",
                "X-Odoo-Database": self._database,
            },
        )
        if answer.status == HTTPStatus.OK:
            return self._result(answer)
        raise self._error(answer, model, method)

    def _result(self, answer: Answer) -> Any:
        try:
            return json.loads(answer.body)
        except ValueError:
            raise not_understood(self._wire.address) from None

    def _error(self, answer: Answer, model: str, method: str) -> OdooError:
        told = answer.json()
        if isinstance(told, dict) and isinstance(told.get("name"), str):
            if answer.status == HTTPStatus.UNAUTHORIZED:
                return wrong_key()
            return refusal(model, method, told["name"], str(told.get("message")))
        if answer.status == HTTPStatus.NOT_FOUND:
            text = answer.body.decode(errors="replace")
            if is_no_database(text):
                return refusal(model, method, "NotFound", text)
        return self._wire.not_odoo(answer)

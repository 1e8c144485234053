# SPDX-License-Identifier: Apache-2.0
"""The one way to an Odoo server: a call by model, method, ids and named arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Odoo(Protocol):
    """A server, a database and a bot user on it. Safe for threads."""

    @property
    def identity(self) -> str:
        """Address and database: what a handover is remembered under. Holds no secret."""

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor, as ``(19, 0)``; an Online release ``saas~18.2`` is ``(18, 2)``."""

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, **named: Any) -> Any:
        """Call a public method of a model (``ids`` is ``None``) or of records.

        Raises:
            OdooUnreachableError: Nothing can have happened (refused, no route, bad certificate).
            OdooUncertainError: It may or may not have happened (time-out, connection lost, 5xx).
            OdooRightsError: The bot may not do this; the message names model and operation.
            OdooRefusedError: The server says no (validation, unknown field or model, wrong key).
        """

# SPDX-License-Identifier: Apache-2.0
"""What ``idp doctor`` finds out about the Odoo server that documents go to."""

from __future__ import annotations

from idp.deliver.odoo.checks import look
from idp.packer import mapping_of
from idp.settings import Settings


def examine_odoo(settings: Settings) -> tuple[str, str, tuple[str, ...]]:
    """The server's version, what there is to say of it, and what an operator should know.

    Raises:
        OdooError: It can't be used as it is.
        RulesError: The mapping can't be read.
    """
    if settings.deliver.to != "odoo":
        return "", "documents go to the outbox", ()
    found = look(settings.deliver.odoo, mapping_of(settings).models)
    return found.version, found.detail, found.advice

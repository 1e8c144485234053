# SPDX-License-Identifier: Apache-2.0
"""``idp doctor`` on the mapping to Odoo: well formed, and what it names is on the server."""

from __future__ import annotations

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.mapping_checks import Fault, check_mapping
from idp.deliver.odoo.targets import place_of
from idp.errors import OdooError, OdooRefusedError
from idp.packer import mapping_of
from idp.settings import Settings

_MOST_TOLD = 8


def examine_mapping(settings: Settings) -> tuple[str, str, str]:
    """The mapping's version, what is fine, and what is not but lets documents pass.

    Raises:
        RulesError: A file is not well formed.
        OdooError: The server does not answer, or lacks what documents can't do without.
    """
    mapping = mapping_of(settings)
    told = f"{len(mapping.types)} types"
    if settings.deliver.to != "odoo":
        return mapping.digest, f"{told}; nothing goes to Odoo (deliver.to)", ""
    odoo = connect(settings.deliver.odoo)
    try:
        place = place_of(odoo, settings.deliver.odoo.place)
        faults = check_mapping(odoo, mapping, place)
    except OdooRefusedError as error:
        raise OdooError(error.message, hint=error.operator_hint) from error
    finally:
        odoo.close()
    if grave := [fault for fault in faults if fault.verdict == "fail"]:
        raise OdooError(_told(grave), hint="docs/odoo-mapping.md says how to change it")
    return mapping.digest, f"{told}; all of it is on the server ({place.kind})", _told(faults)


def _told(faults: tuple[Fault, ...] | list[Fault]) -> str:
    more = len(faults) - _MOST_TOLD
    said = "; ".join(str(fault) for fault in faults[:_MOST_TOLD])
    return f"{said}; and {more} more" if more > 0 else said

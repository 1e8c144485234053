# SPDX-License-Identifier: Apache-2.0
"""Who makes parcels for Odoo: the mapping in force with all it knows of documents and their sites.

The appliance makes them to deliver, ``idp deliver preview`` to show what would be written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from idp.clocks import zone_of
from idp.deliver.odoo.facts import Circumstances
from idp.deliver.odoo.mapping import OdooMapping, load_mapping
from idp.deliver.odoo.packing import MappedPacker
from idp.document import Document
from idp.errors import NotFoundError
from idp.judge import site_of
from idp.schemas import load_schemas
from idp.settings import Settings
from idp.store import Store


def mapping_of(settings: Settings) -> OdooMapping:
    """The mapping to Odoo in force; raises :class:`idp.errors.RulesError`."""
    return load_mapping(settings.rules_folder, load_schemas(settings.schemas_folder))


def packer_for(
    settings: Settings,
    store: Store,
    *,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> MappedPacker:
    """Makes parcels of stored documents.

    Args:
        settings: Where rules and schemas lie, and what is known of sites.
        store: When documents arrived, and what was handed over.
        clock: The time, aware.

    Raises:
        RulesError: The mapping is not well formed.
    """

    def circumstances(document: Document) -> Circumstances:
        site = document.envelope.site if document.envelope else None
        zone = zone_of(site_of(settings, site).timezone)
        now = clock()
        decided_at = None
        try:
            received_at = store.row(document.document_id).received_at
            decisions = store.decisions(document.document_id)
            decided_at = max((each.at for each in decisions), default=None)
        except NotFoundError:  # looked at and not kept: a file on the command line
            received_at = now
        return Circumstances(
            received_at=received_at,
            zone=zone,
            today=now.astimezone(zone).date(),
            decided_at=decided_at,
        )

    return MappedPacker(
        mapping_of(settings),
        load_schemas(settings.schemas_folder),
        store,
        circumstances,
        store.document,
    )

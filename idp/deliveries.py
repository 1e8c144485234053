# SPDX-License-Identifier: Apache-2.0
"""Where finished documents go, put together from the settings: the outbox folder or an Odoo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from idp.deliver import Outbox
from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.courier import Limits
from idp.deliver.odoo.sink import OdooSink
from idp.document import Document
from idp.packer import packer_for
from idp.settings import Settings
from idp.store import Store

OUTBOX_AT_ONCE = 2


class Sink(Protocol):
    """Where documents are delivered; the same key again is no second delivery."""

    def deliver(
        self,
        document: Document,
        original: Path | None,
        page_images: Mapping[int, Path],
        key: str,
        version: int = 1,
    ) -> Path | str:
        """See :meth:`idp.deliver.Outbox.deliver`; returns where it is now."""


def sink_of(settings: Settings, store: Store) -> Sink:
    """What takes finished documents; asks no server before the first of them.

    Raises:
        RulesError: The mapping is not well formed.
    """
    if settings.deliver.to == "outbox":
        return Outbox(settings.outbox_folder)
    odoo = settings.deliver.odoo
    return OdooSink(
        lambda: connect(odoo),
        packer_for(settings, store),
        store,
        settings.data / "work",
        wanted=odoo.place,
        batch=odoo.batch,
        limits=limits_of(settings),
    )


def deliveries_at_once(settings: Settings) -> int:
    """How many deliveries may be at work: to Odoo as many as are handed over together."""
    return OUTBOX_AT_ONCE if settings.deliver.to == "outbox" else settings.deliver.odoo.batch


def limits_of(settings: Settings) -> Limits:
    """How much goes to Odoo in one call."""
    odoo = settings.deliver.odoo
    return Limits(odoo.batch_megabytes, odoo.max_megabytes, odoo.look_up_seconds)

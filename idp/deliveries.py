# SPDX-License-Identifier: Apache-2.0
"""Where finished documents go, put together from the settings: the outbox folder or an Odoo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from idp.deliver import Outbox
from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.courier import Limits
from idp.deliver.odoo.facts import Circumstances
from idp.deliver.odoo.mapping import OdooMapping, load_mapping
from idp.deliver.odoo.parcel import Files, Parcel, Place
from idp.deliver.odoo.parcels import parcel_of, record_of, sought
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.sink import OdooSink
from idp.deliver.odoo.targets import models_of
from idp.deliver.odoo.work_items import WORK, Existing
from idp.document import Document
from idp.handover import Handover
from idp.judge import site_of
from idp.schemas import load_schemas
from idp.settings import Settings
from idp.store import Store

OUTBOX_AT_ONCE = 2
_SAME_PATIENT = ("member_id", "patient_dob")
"""Two documents that both name these and differ in one are not about the same."""


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
        OdooPacker(settings, store),
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


class OdooPacker:
    """Makes parcels of documents by the mapping in force. Safe for threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Load what all documents are mapped by; raises :class:`RulesError`."""
        self._settings = settings
        self._store = store
        self._schemas = load_schemas(settings.schemas_folder)
        self.mapping: OdooMapping = load_mapping(settings.rules_folder, self._schemas)
        self._models: tuple[Odoo | None, Mapping[str, Any]] = (None, {})

    def record(self, document: Document) -> dict[str, Any]:
        """The contract object as it is to be kept."""
        return record_of(document, self.mapping)

    def parcel(
        self, document: Document, files: Files, odoo: Odoo, place: Place, *, key: str, version: int
    ) -> Parcel:
        """All rows of one version of a document; see :func:`parcel_of`."""
        self._note_numbers(document)
        return parcel_of(
            document,
            files,
            self.mapping,
            place,
            key=key,
            version=version,
            schema=self._schemas[document.type],
            models=self._models_of(odoo),
            circumstances=self._circumstances(document),
            belongs=self._belongs(document, odoo),
        )

    def _models_of(self, odoo: Odoo) -> Mapping[str, Any]:
        """What the bot may write there, asked once for each connection."""
        asked, models = self._models
        if asked is not odoo:
            models = models_of(odoo, self.mapping.models)
            self._models = (odoo, models)
        return models

    def _circumstances(self, document: Document) -> Circumstances:
        row = self._store.row(document.document_id)
        decisions = self._store.decisions(document.document_id)
        site = site_of(self._settings, document.envelope.site if document.envelope else None)
        here = dt.datetime.now().astimezone().tzinfo
        assert here is not None
        zone = ZoneInfo(site.timezone) if site.timezone else here
        return Circumstances(
            received_at=row.received_at,
            zone=zone,
            today=dt.datetime.now(zone).date(),
            decided_at=max((each.at for each in decisions), default=None),
        )

    def _note_numbers(self, document: Document) -> None:
        """Keep the numbers by which a later document may be found to belong to this one."""
        fields = {
            each.its
            for mapping in (*self.mapping.types.values(), self.mapping.default)
            for each in mapping.belongs_to
            if each.type == document.type
        }
        numbers = [
            (field.name, field.value)
            for field in document.fields
            if field.name in fields and field.value
        ]
        self._store.note_numbers(document.document_id, document.type, numbers)

    def _belongs(self, document: Document, odoo: Odoo) -> Existing | None:
        """The work item there of the earlier document that this one belongs to."""
        for each in sought(document, self.mapping):
            for document_id in self._store.documents_by_number(each.type, each.field, each.value):
                earlier = self._store.document(document_id)
                if earlier is None or document_id == document.document_id:
                    continue
                if not _may_be_of_one_patient(document, earlier):
                    continue
                for known in self._store.handovers_of(document_id):
                    found = _existing(known, odoo)
                    if found is not None:
                        return found
        return None


def _existing(known: Handover, odoo: Odoo) -> Existing | None:
    """A work item that people still have before them."""
    if known.server != odoo.identity or known.role != WORK or known.gone or not known.record_id:
        return None
    domain = [["id", "=", known.record_id]]
    there = odoo.call(known.model, "search_read", domain=domain, fields=["id"], limit=1)
    return Existing(known.model, known.record_id) if there else None


def _may_be_of_one_patient(one: Document, other: Document) -> bool:
    """Whether nothing says that two documents with the same number are about different people."""
    for name in _SAME_PATIENT:
        here, there = one.field(name), other.field(name)
        if here and there and here.value and there.value and here.value != there.value:
            return False
    return True

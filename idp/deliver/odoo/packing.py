# SPDX-License-Identifier: Apache-2.0
"""Makes parcels for one server: the mapping, the document types, and what is there already.

A document that belongs to an earlier one (a determination to its request) is attached to that one's
work item. They find each other by a number that both hold, and nothing must say that they are about
different patients. Of the earlier one the ledger keeps a hash of the number, beside what it keeps
of every record; no name is ever compared.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from idp.deliver.odoo.facts import Circumstances
from idp.deliver.odoo.mapping import OdooMapping
from idp.deliver.odoo.parcel import PREFIX, Files, Parcel, Place
from idp.deliver.odoo.parcels import parcel_of, record_of, sought
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.server import ASSUMED, Models
from idp.deliver.odoo.targets import fields_of, lacking, may
from idp.deliver.odoo.work_items import WORK, Existing
from idp.document import Document, DocumentType
from idp.handover import Handover, HandoverLedger
from idp.schemas import DocumentSchema

REFERENCE = "reference"
"""The role of a number by which later documents find a work item."""
_SAME_PATIENT = ("member_id", "patient_dob")
"""Two documents that both name one of these and differ in it are not about the same patient."""
_KEEP_SECONDS = 300.0
"""So long it is believed what models a server has."""

_log = logging.getLogger(__name__)


class Known(NamedTuple):
    """What models a server has for us."""

    models: Models
    withheld: tuple[str, ...] = ()
    """Those for work items that are there and the bot may not make."""


class MappedPacker:
    """Makes parcels by the mapping. Safe for threads."""

    def __init__(
        self,
        mapping: OdooMapping,
        schemas: Mapping[DocumentType, DocumentSchema],
        ledger: HandoverLedger,
        circumstances: Callable[[Document], Circumstances],
        earlier: Callable[[str], Document | None],
    ) -> None:
        """Prepare; no server is asked before the first document.

        Args:
            mapping: What becomes what.
            schemas: Document types.
            ledger: Where it is kept what was handed over.
            circumstances: When a document arrived, and the day it is at its site.
            earlier: A stored document by its id.
        """
        self._mapping = mapping
        self._schemas = schemas
        self._ledger = ledger
        self._circumstances = circumstances
        self._earlier = earlier
        self._lock = threading.Lock()
        self._models: dict[tuple[str, Place], tuple[float, Known]] = {}

    def record(self, document: Document) -> Mapping[str, Any]:
        """The contract object as it is to be kept."""
        return record_of(document, self._mapping)

    def parcel(
        self, document: Document, files: Files, odoo: Odoo, place: Place, *, key: str, version: int
    ) -> Parcel:
        """All rows of one version of a document.

        Raises:
            OdooRightsError: The bot may make none of the work items that the server has for it.
            OdooError: See :class:`~idp.deliver.odoo.port.Odoo`: models and an earlier work item are
                asked for.
        """
        known = self._known_models(odoo, place)
        rules = self._mapping.of(document.type).work
        if rules and not any(rule.model in known.models for rule in rules):
            for rule in rules:
                if rule.model in known.withheld:
                    raise lacking(odoo, rule.model, "create")
        return parcel_of(
            document,
            files,
            self._mapping,
            place,
            key=key,
            version=version,
            schema=self._schemas[document.type],
            models=known.models,
            circumstances=self._circumstances(document),
            belongs=self._belongs(document, odoo),
        )

    def assumed(self, document: Document, files: Files, place: Place) -> Parcel:
        """What would be written into an Odoo 19 that has everything; no server is asked.

        A document that belongs to an earlier one shows a work item of its own here.
        """
        return parcel_of(
            document,
            files,
            self._mapping,
            place,
            key=document.document_id,
            version=1,
            schema=self._schemas[document.type],
            models=ASSUMED,
            circumstances=self._circumstances(document),
        )

    def handed(
        self, document: Document, server: str, records: Mapping[str, tuple[str, int]]
    ) -> None:
        """Remember by which numbers later documents find the work item of this one.

        To be called after each hand-over, however often: the same again changes nothing. A number
        that two documents hold finds neither.
        """
        if WORK not in records:
            return
        model, record_id = records[WORK]
        ids = {}
        for mapping in (*self._mapping.types.values(), self._mapping.default):
            for each in mapping.belongs_to:
                field = document.field(each.its) if each.type == document.type else None
                if field is not None and field.value and field.value.strip():
                    ids[reference_id(each.type, each.its, field.value)] = each.its
        known = self._ledger.handovers(server, list(ids))
        self._ledger.handed_over(
            [
                Handover(
                    server=server,
                    external_id=external_id,
                    document_id=document.document_id,
                    role=REFERENCE,
                    model=model,
                    record_id=record_id,
                    gone=external_id in known
                    and known[external_id].document_id != document.document_id,
                )
                for external_id in ids
                if external_id not in known
                or known[external_id].document_id != document.document_id
            ]
        )

    def _known_models(self, odoo: Odoo, place: Place) -> Known:
        with self._lock:
            until, known = self._models.get((odoo.identity, place), (0.0, Known({})))
            if time.monotonic() >= until:
                known = models_of(odoo, self._mapping, place)
                until = time.monotonic() + _KEEP_SECONDS
                self._models[odoo.identity, place] = until, known
            return known

    def _belongs(self, document: Document, odoo: Odoo) -> Existing | None:
        """The work item of the earlier document, if there is one and it is still there."""
        for each in sought(document, self._mapping):
            external_id = reference_id(each.type, each.field, each.value)
            found = self._ledger.handovers(odoo.identity, [external_id]).get(external_id)
            if found is None or found.document_id == document.document_id:
                continue
            if found.gone:
                _log.info("document %s: several hold its number", document.document_id)
                return None
            if not _may_be_of_one_patient(document, self._earlier(found.document_id)):
                _log.info("document %s: its number is another patient's", document.document_id)
                continue
            work_id = Parcel(found.document_id, "", 1, ()).external_id(WORK)
            work = self._ledger.handovers(odoo.identity, [work_id]).get(work_id)
            if work is None or work.gone or work.record_id is None:
                continue
            if odoo.call(work.model, "search_count", domain=[["id", "=", work.record_id]]):
                return Existing(work.model, work.record_id)
        return None


def _may_be_of_one_patient(one: Document, other: Document | None) -> bool:
    """Whether nothing says that two documents with the same number are about different people."""
    if other is None:
        return False
    for name in _SAME_PATIENT:
        here, there = one.field(name), other.field(name)
        if here and there and here.value and there.value and here.value != there.value:
            return False
    return True


def reference_id(type_: str, field: str, value: str) -> str:
    """Under what the ledger keeps a number of a document: a hash, written alike however spaced."""
    number = "".join(value.split()).casefold()
    digest = hashlib.sha256(f"{type_}\n{field}\n{number}".encode()).hexdigest()[:40]
    return f"{PREFIX}.{REFERENCE}_{digest}"


def models_of(odoo: Odoo, mapping: OdooMapping, place: Place) -> Known:
    """The columns of the models that the mapping may use and the bot may write.

    Raises:
        OdooError: See :class:`~idp.deliver.odoo.port.Odoo`.
    """
    wanted = [*mapping.models, place.model]
    if place.kind == "documents":
        wanted.append("documents.tag")
    if place.addon:
        wanted.append("idp.document")
    models: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    withheld: list[str] = []
    for model in dict.fromkeys(wanted):
        fields = fields_of(odoo, model)
        if fields is None:
            continue
        if model in mapping.models and not may(odoo, model, "create"):
            withheld.append(model)
            continue
        models[model] = fields
    return Known(models, tuple(withheld))

# SPDX-License-Identifier: Apache-2.0
"""Makes parcels for one server: the mapping, the document types, and what is there already.

A document that belongs to an earlier one (a determination to its request) is attached to that one's
work item. They find each other by a number that both hold, never by a name, and nothing must say
that they are about different patients.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, Protocol

from idp.deliver.odoo.facts import Circumstances
from idp.deliver.odoo.mapping import OdooMapping
from idp.deliver.odoo.parcel import Files, Parcel, Place
from idp.deliver.odoo.parcels import parcel_of, record_of, sought
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.server import ASSUMED, Models
from idp.deliver.odoo.targets import fields_of, lacks, may
from idp.deliver.odoo.work_items import WORK, Existing
from idp.document import Document, DocumentType
from idp.handover import Handover
from idp.schemas import DocumentSchema

_SAME_PATIENT = ("member_id", "patient_dob")
"""Two documents that both name one of these and differ in it are not about the same patient."""
_KEEP_SECONDS = 300.0
"""So long it is believed what models a server has."""

_log = logging.getLogger(__name__)


class Earlier(Protocol):
    """What is on record of documents that came before."""

    def note_numbers(
        self, document_id: str, type_: str, numbers: Collection[tuple[str, str]]
    ) -> None:
        """Keep by which numbers (field, value) a document may be found; replaces those before."""

    def documents_by_number(self, type_: str, field: str, number: str) -> tuple[str, ...]:
        """The documents of a type that hold this number, the latest first."""

    def document(self, document_id: str) -> Document | None:
        """The result in force."""

    def handovers_of(self, document_id: str) -> tuple[Handover, ...]:
        """Every record that is there, or may be, because of one document."""


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
        earlier: Earlier,
        circumstances: Callable[[Document], Circumstances],
    ) -> None:
        """Prepare; no server is asked before the first document.

        Args:
            mapping: What becomes what.
            schemas: Document types.
            earlier: What is on record.
            circumstances: When a document arrived, and the day it is at its site.
        """
        self._mapping = mapping
        self._schemas = schemas
        self._earlier = earlier
        self._circumstances = circumstances
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
        self._note_numbers(document)
        known = self._known_models(odoo, place)
        rules = self._mapping.of(document.type).work
        if rules and not any(rule.model in known.models for rule in rules):
            for rule in rules:
                if rule.model in known.withheld:
                    raise lacks(rule.model, "create")
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

    def _known_models(self, odoo: Odoo, place: Place) -> Known:
        with self._lock:
            until, known = self._models.get((odoo.identity, place), (0.0, Known({})))
            if time.monotonic() >= until:
                known = models_of(odoo, self._mapping, place)
                until = time.monotonic() + _KEEP_SECONDS
                self._models[odoo.identity, place] = until, known
            return known

    def _note_numbers(self, document: Document) -> None:
        """Keep the numbers by which later documents may be found to belong to this one."""
        fields = {
            each.its
            for mapping in (*self._mapping.types.values(), self._mapping.default)
            for each in mapping.belongs_to
            if each.type == document.type
        }
        numbers = {(f.name, f.value) for f in document.fields if f.name in fields and f.value}
        self._earlier.note_numbers(document.document_id, document.type, sorted(numbers))

    def _belongs(self, document: Document, odoo: Odoo) -> Existing | None:
        """The one work item of an earlier document that holds the same number; none of several."""
        for each in sought(document, self._mapping):
            found: set[Existing] = set()
            for earlier in self._earlier.documents_by_number(each.type, each.field, each.value):
                if earlier != document.document_id and _may_be_of_one_patient(
                    document, self._earlier.document(earlier)
                ):
                    found.update(self._work_of(earlier, odoo))
            if len(found) > 1:
                _log.info("document %s: its number is that of several", document.document_id)
                return None
            if found:
                return found.pop()
        return None

    def _work_of(self, document_id: str, odoo: Odoo) -> tuple[Existing, ...]:
        """The work item of a document, if it is still there."""
        return tuple(
            Existing(known.model, known.record_id)
            for known in self._earlier.handovers_of(document_id)
            if known.server == odoo.identity and known.role == WORK and not known.gone
            if known.record_id is not None
            if odoo.call(known.model, "search_count", domain=[["id", "=", known.record_id]])
        )


def _may_be_of_one_patient(one: Document, other: Document | None) -> bool:
    """Whether nothing says that two documents with the same number are about different people."""
    if other is None:
        return False
    for name in _SAME_PATIENT:
        here, there = one.field(name), other.field(name)
        if here and there and here.value and there.value and here.value != there.value:
            return False
    return True


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

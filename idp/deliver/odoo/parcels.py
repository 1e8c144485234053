# SPDX-License-Identifier: Apache-2.0
"""From a document and the mapping to a parcel: what is written into Odoo, row by row.

Nothing here asks a server, a clock or the settings. The same document, files and mapping give the
same parcel, whoever makes it and how often.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp.contract import to_contract
from idp.deliver.odoo import server
from idp.deliver.odoo.facts import Circumstances, Facts, facts_of
from idp.deliver.odoo.mapping import OdooMapping, PartnerRule, TypeMapping
from idp.deliver.odoo.parcel import Cell, Content, Files, Find, Link, Parcel, Place, Row
from idp.deliver.odoo.work_items import (
    WORK,
    Context,
    Existing,
    activity_rows,
    arrival_row,
    deadline_row,
    work_row,
)
from idp.document import Document
from idp.schemas import DocumentSchema

DOCUMENT, ORIGINAL, RECORD, ADDON = "document", "original", "fields", "record"
"""Roles: what stands for the document, the bytes as received, its fields as JSON, the addon's."""
ADDON_MODEL = "idp.document"
_SUFFIXES = {"pages": ".pdf", "record": ".json"}
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')
_MOST_NAME_SIGNS = 150


@dataclass(frozen=True, slots=True)
class Sought:
    """A number by which an earlier document is found that this one belongs to."""

    type: str
    field: str
    value: str


def sought(document: Document, mapping: OdooMapping) -> tuple[Sought, ...]:
    """By what the work item is found that a document belongs to, the best first; never a name."""
    found = []
    for each in mapping.of(document.type).belongs_to:
        field = document.field(each.by)
        if field is not None and field.value and field.value.strip():
            found.append(Sought(each.type, each.its, field.value.strip()))
    return tuple(found)


def record_of(document: Document, mapping: OdooMapping) -> dict[str, Any]:
    """The contract object as it is attached: without what changes when nothing else does."""
    left_out = set(mapping.general.leave_out)
    return {name: each for name, each in to_contract(document).items() if name not in left_out}


def parcel_of(
    document: Document,
    files: Files,
    mapping: OdooMapping,
    place: Place,
    *,
    key: str,
    version: int,
    schema: DocumentSchema,
    models: server.Models,
    circumstances: Circumstances,
    belongs: Existing | None = None,
) -> Parcel:
    """All rows of one version of a document.

    Args:
        document: As decided.
        files: Its files; their bytes are hashed here, and read by who sends them.
        mapping: What becomes what.
        place: Where documents go on the server.
        key: Of the delivery.
        version: Of the document's deliveries, from 1.
        schema: That of its type.
        models: ``fields_get`` of the models that the bot may write; others are not used.
        circumstances: When it arrived, and the day it is.
        belongs: The work item of an earlier document that this one is attached to.
    """
    made = _Making(
        document,
        files,
        mapping=mapping,
        place=place,
        schema=schema,
        models=models,
        circumstances=circumstances,
    )
    rows, notes = made.rows(belongs, version)
    return Parcel(document.document_id, key, version, rows, main=DOCUMENT, notes=notes)


class _Making:
    """One document on its way into rows."""

    def __init__(
        self,
        document: Document,
        files: Files,
        *,
        mapping: OdooMapping,
        place: Place,
        schema: DocumentSchema,
        models: server.Models,
        circumstances: Circumstances,
    ) -> None:
        self.document, self.files, self.place = document, files, place
        self.schema, self.models, self.circumstances = schema, models, circumstances
        self.mapping = mapping
        self.general = mapping.general
        self.type: TypeMapping = mapping.of(document.type)
        self.facts: Facts = facts_of(
            document,
            schema,
            self.general,
            circumstances,
            original_name=files.original_name,
            folder=self.type.folder if place.kind != "attachment" else "",
        )
        site = document.envelope.site if document.envelope else None
        self.context = Context(
            facts=self.facts,
            general=self.general,
            circumstances=circumstances,
            models=models,
            company=self.general.companies.of(site, document.channel),
            partner=partner_of(document, self.type.partner, self.general.partner_column),
        )

    def rows(
        self, belongs: Existing | None, version: int
    ) -> tuple[tuple[Row, ...], tuple[str, ...]]:
        """All rows, each after those that it links to, and what could not be mapped."""
        notes = [f"withheld:{name}" for name in self.facts.withheld]
        work, rule = (None, None) if belongs else work_row(self.type.work, self.context)
        if self.type.work and work is None and belongs is None:
            notes.append("no_work_model")
        target: Row | Existing | None = belongs or work
        addon: Row | None = None
        if self.place.addon and target is None:
            # Without a work item the addon's record is where files and activities hang.
            addon = target = self._addon(None, None, version)
        held = self._files(target)
        if self.place.addon and addon is None:
            addon = self._addon(held[0], belongs or work, version)
            after: tuple[Row, ...] = (addon,)
        else:
            after = ()
        before = tuple(each for each in (work, addon if not after else None) if each is not None)
        activities = self._activities(target, belongs, rule.assignee if rule else None)
        if self.facts.items and self.type.activities and target is None:
            notes.append("no_place_for_activities")
        return (*before, *held, *after, *activities), tuple(notes)

    def _activities(
        self, target: Row | Existing | None, belongs: Existing | None, assignee: str | None
    ) -> tuple[Row, ...]:
        if target is None:
            return ()
        rows: list[Row] = []
        if belongs is not None and self.type.arrived is not None:
            rows.append(arrival_row(self.type.arrived, belongs, assignee, self.context))
        if self.type.activities is not None:
            rows += activity_rows(self.type.activities, target, assignee, self.context)
            if isinstance(target, Row) and target.role == WORK:
                deadline = deadline_row(self.type.activities, target, assignee, self.context)
                rows += [deadline] if deadline is not None else []
        return tuple(rows)

    def _files(self, target: Row | Existing | None) -> tuple[Row, ...]:
        """The files, the document first; all with the same columns, so that one call takes them."""
        common = {
            "documents": self._in_documents,
            "dms": self._in_dms,
            "attachment": self._attached,
        }[self.place.kind](target)
        binary = self.place.binary_of(self.place.model)
        rows: list[Row] = []
        taken: set[str] = set()
        for rule in self.type.files:
            path = self._path(rule.what)
            if path is None:
                continue
            title = self.context.title(rule.name, _MOST_NAME_SIGNS)
            suffix = _SUFFIXES.get(rule.what) or path.suffix
            name = unique(f"{_NOT_IN_NAMES.sub('-', title)}{suffix}", taken)
            role = {"pages": DOCUMENT, "original": ORIGINAL, "record": RECORD}[rule.what]
            cells = {"name": name, binary: content(path), **common}
            rows.append(Row(role, self.place.model, cells, kept=frozenset(common)))
        rows.sort(key=lambda row: row.role != DOCUMENT)
        return tuple(rows)

    def _path(self, what: str) -> Path | None:
        if what == "pages":
            return self.files.pages
        if what == "record":
            return self.files.record
        # A file that held other documents too stays where it is: these are this one's own pages.
        return self.files.original or self.files.clean

    def _in_documents(self, target: Row | Existing | None) -> dict[str, Cell]:
        model, shape = "documents.document", self.place.folder_shape
        cells: dict[str, Cell] = {"folder_id": server.folder(shape, self.type.folder)}
        if self.type.tags:
            cells["tag_ids"] = tuple(self._document_tag(tag) for tag in self.type.tags)
        if self.type.owner:
            cells["owner_id"] = server.user(self.type.owner)
        if self.context.partner is not None:
            cells["partner_id"] = self.context.partner
        if self.context.company and server.has(self.models, model, "company_id"):
            cells["company_id"] = server.named("res.company", self.context.company, required=True)
        cells.update(_linked(target))
        if shape == "documents.document":
            # Said outright: what is not said is inherited, and may be open to everybody.
            cells["access_internal"] = self.general.access.internal
            cells["access_via_link"] = self.general.access.link
        return cells

    def _document_tag(self, written: str) -> Find:
        """A tag of Documents; up to 17 each is of a facet, later there are none."""
        facet, _, name = written.rpartition("/")
        make = "documents.tag" in self.general.make_tags
        if facet and "facet_id" in self.models.get("documents.tag", {}):
            return Find("documents.tag", (("name", "=", name), ("facet_id.name", "=", facet)))
        return server.named("documents.tag", name, make=make)

    def _in_dms(self, target: Row | Existing | None) -> dict[str, Cell]:
        del target  # a file of dms hangs in its directory only
        cells: dict[str, Cell] = {
            "directory_id": server.folder("dms.directory", self.type.folder),
        }
        make = "dms.tag" in self.general.make_tags
        if self.type.category:
            cells["category_id"] = server.named("dms.category", self.type.category)
        if self.type.tags:
            cells["tag_ids"] = tuple(
                server.named("dms.tag", tag.rpartition("/")[2], make=make) for tag in self.type.tags
            )
        return cells

    def _attached(self, target: Row | Existing | None) -> dict[str, Cell]:
        """Always on a record: an attachment of none is seen by nobody but its maker."""
        home = self.general.home
        cells = _linked(target) or {
            "res_model": home.model,
            "res_id": server.named(home.model, home.name, required=True),
        }
        if self.context.company:
            cells["company_id"] = server.named("res.company", self.context.company, required=True)
        return cells

    def _addon(self, filed: Row | None, work: Row | Existing | None, version: int) -> Row:
        """The record of our own addon, whose lines are made from ``payload`` on the server."""
        document, told = self.document, self.facts.open
        urgency = document.urgency.level if document.urgency else "routine"
        payload = json.dumps(record_of(document, self.mapping), ensure_ascii=False)
        clock = min(document.clocks, key=lambda each: each.due_at, default=None)
        labels = {field.name: [field.title, field.kind] for field in self.schema.fields}
        payer = next(iter(self.facts.all.get("payer_name", ())), None)
        cells: dict[str, Cell] = {
            "name": self.context.title(self.type.title),
            "idp_key": document.document_id,
            "version": version,
            "kind": str(document.type),
            "kind_label": self.schema.title,
            "subtype": document.subtype,
            "channel": document.channel,
            "site": told["document.site"][0] or None,
            "pages": len(document.pages),
            "received_at": server.moment(self.circumstances.received_at),
            "decision": str(document.decision),
            "urgency": urgency,
            "priority": document.priority,
            "due_at": server.moment(clock.due_at) if clock else None,
            "clock": clock.rule if clock else None,
            "payer_name": payer,
            "source_sha256": document.sha256,
            "payload": payload,
            "labels": json.dumps(labels, ensure_ascii=False),
        }
        if self.circumstances.decided_at is not None:
            cells["decided_at"] = server.moment(self.circumstances.decided_at)
        if self.context.partner is not None:
            cells["partner_id"] = self.context.partner
        if self.context.company:
            cells["company_id"] = server.named("res.company", self.context.company, required=True)
        if filed is not None:
            cells.update(filed_model=filed.model, filed_res_id=Link(filed.role))
        if work is not None:
            cells["work_model"] = work.model
            cells["work_res_id"] = Link(work.role) if isinstance(work, Row) else work.record_id
        known = {name for name in cells if server.has(self.models, ADDON_MODEL, name)}
        return Row(ADDON, ADDON_MODEL, {name: cells[name] for name in cells if name in known})


def _linked(target: Row | Existing | None) -> dict[str, Cell]:
    """The record that a file hangs on."""
    if target is None:
        return {}
    number: Cell = Link(target.role) if isinstance(target, Row) else target.record_id
    return {"res_model": target.model, "res_id": number}


def partner_of(document: Document, rules: tuple[PartnerRule, ...], column: str) -> Find | None:
    """The partner whom the first number names that the document holds; never one by name."""
    for rule in rules:
        number: str | None
        if rule.field:
            field = document.field(rule.field)
            number = field.value if field is not None else None
        else:
            number = next(
                (
                    each.canonical_id
                    for each in document.masters
                    if each.directory == rule.master and each.outcome == "matched"
                ),
                None,
            )
        if number and number.strip():
            return Find("res.partner", ((rule.column or column, "=", number.strip()),))
    return None


def unique(name: str, taken: set[str]) -> str:
    """A name that none of the document's other files has: dms takes each once in a directory."""
    stem, dot, suffix = name.rpartition(".")
    number, tried = 1, name
    while tried in taken:
        number += 1
        tried = f"{stem} {number}{dot}{suffix}"
    taken.add(tried)
    return tried


def content(path: Path) -> Content:
    """A file to be sent, by its hash and size."""
    with path.open("rb") as stream:
        sha1 = hashlib.file_digest(stream, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    return Content(path, sha1, path.stat().st_size)

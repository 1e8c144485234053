# SPDX-License-Identifier: Apache-2.0
"""The mapping held against a server: does what it names exist there, and may it be written.

Nothing is written. Each complaint names the YAML file and key, and what would mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from idp.deliver.odoo import server
from idp.deliver.odoo.mapping import (
    DEFAULT,
    GENERAL,
    ActivityRule,
    General,
    OdooMapping,
    TypeMapping,
    WorkRule,
)
from idp.deliver.odoo.packing import models_of
from idp.deliver.odoo.parcel import Find, Place
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.targets import Fields, Operation, fields_of, may
from idp.errors import OdooRefusedError, OdooRightsError


class Fault(NamedTuple):
    """One thing in the mapping that this server has not, or does not allow."""

    verdict: Literal["fail", "warn"]
    """``fail``: documents can't be delivered; ``warn``: a cell stays empty."""
    file: str
    key: str
    said: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.said} ({self.hint})"


def check_mapping(odoo: Odoo, mapping: OdooMapping, place: Place) -> tuple[Fault, ...]:
    """What of the mapping does not fit the server; empty: all of it does.

    Raises:
        OdooError: The server does not answer, or refuses the bot altogether.
    """
    return tuple(dict.fromkeys(_Check(odoo, mapping, place).faults()))


class _Check:
    """One look at one server; each question is asked once."""

    def __init__(self, odoo: Odoo, mapping: OdooMapping, place: Place) -> None:
        self.odoo, self.mapping, self.place = odoo, mapping, place
        known = models_of(odoo, mapping, place)
        self.models, self.withheld = known
        self._counts: dict[Find, int | None] = {}
        self._fields: dict[str, Fields | None] = {}

    def faults(self) -> Iterator[Fault]:
        yield from self._of_general(self.mapping.general)
        types = {**self.mapping.types, DEFAULT: self.mapping.default}
        for name, each in types.items():
            file = self.mapping.sources.get(name, f"{name}.yaml")
            yield from self._of_place(each, file)
            yield from self._of_work(each, file)
            yield from self._of_partner(each, file)
            for key, rule in (("activities", each.activities), ("arrived", each.arrived)):
                if rule is not None and (each.work or self.place.addon):
                    yield from self._of_activities(rule, file, key)

    def _of_general(self, general: General) -> Iterator[Fault]:
        file = self.mapping.sources.get(GENERAL, f"{GENERAL}.yaml")
        if self.place.kind == "attachment" and not self.place.addon:
            home = server.named(general.home.model, general.home.name, required=True)
            hint = f"make that {general.home.model} and let the bot see it, or name another"
            yield from self._there(home, file, "home", hint)
            if self._may(general.home.model, "write") is False:
                yield Fault(
                    "fail",
                    file,
                    "home",
                    f"the bot user lacks the right to write {general.home.model}",
                    "only who may write a record may attach to it: name another",
                )
        companies = general.companies
        for key, names in (
            ("sites", companies.sites),
            ("channels", companies.channels),
            ("default", {"": companies.default} if companies.default else {}),
        ):
            for where, name in names.items():
                find = server.named("res.company", name, required=True)
                place = f"companies.{key}{f'.{where}' if where else ''}"
                yield from self._there(find, file, place, "and let the bot be allowed in it")
        for level, wanted in general.priority.items():
            for model in ("project.task", "crm.lead", "helpdesk.ticket"):
                if model in self.models and (
                    (step := server.step(self.models, model, wanted)) is None or step != wanted
                ):
                    yield Fault(
                        "warn",
                        file,
                        f"priority.{level}",
                        f"{model} has no step {wanted}: it gets {step or 'none'}",
                        "fewer steps in `priority`",
                    )

    def _of_place(self, mapping: TypeMapping, file: str) -> Iterator[Fault]:
        place, make = self.place, self.mapping.general.make_tags
        if place.kind == "attachment":
            return
        folder = server.folder(place.folder_shape, mapping.folder)
        yield from self._there(folder, file, "folder", "make it there, or name another")
        tags = "documents.tag" if place.kind == "documents" else "dms.tag"
        for tag in mapping.tags:
            find = server.named(tags, tag.rpartition("/")[2], make=tags in make)
            yield from self._there(find, file, "tags", "make it there, or take it out")
        if place.kind == "dms" and mapping.category:
            find = server.named("dms.category", mapping.category)
            yield from self._there(find, file, "category", "make it there, or take it out")
        if mapping.owner and place.kind == "documents":
            yield from self._there(server.user(mapping.owner), file, "owner", "a sign-in name")
        if place.folder_shape == "documents.document":
            documents = self.models.get(place.model, {})
            general = self.mapping.sources.get(GENERAL, f"{GENERAL}.yaml")
            wanted = {
                "access_internal": self.mapping.general.access.internal,
                "access_via_link": self.mapping.general.access.link,
            }
            for column, value in wanted.items():
                if column not in documents:
                    said = f"{place.model} has no column {column}"
                elif value not in _selection(documents[column]):
                    said = f"{place.model}.{column} knows no {value!r}"
                else:
                    continue
                yield Fault("fail", general, "access", said, "this version is not known: report it")

    def _of_work(self, mapping: TypeMapping, file: str) -> Iterator[Fault]:
        if not mapping.work:
            return
        usable = [rule for rule in mapping.work if rule.model in self.models]
        named = ", ".join(rule.model for rule in mapping.work)
        if not usable:
            lacking = [rule.model for rule in mapping.work if rule.model in self.withheld]
            if lacking:
                yield Fault(
                    "fail",
                    file,
                    "work",
                    f"the bot user lacks the right to create {lacking[0]}",
                    "give it the right: docs/odoo.md lists all",
                )
            else:
                yield Fault(
                    "warn",
                    file,
                    "work",
                    f"the server has none of {named}: documents are filed, no work is made of them",
                    "install the module, or name another model",
                )
        for number, rule in enumerate(mapping.work):
            if rule not in usable:
                continue
            yield from self._of_rule(rule, file, f"work.{number}")
            if rule.model != "account.payment":
                return  # those after it are never used here; a payment is not always proposed

    def _of_rule(self, rule: WorkRule, file: str, key: str) -> Iterator[Fault]:
        fields = self.models[rule.model]
        for name, written in rule.values.items():
            column = fields.get(name)
            fixed = written.written if not written.names else None
            if column is None:
                said = f"{rule.model} has no column {name}"
            elif column.get("readonly"):
                said = f"{rule.model}.{name} can't be written"
            elif column["type"] in ("many2one", "many2many", "one2many", "binary"):
                said = f"{rule.model}.{name} does not take a text"
            elif (
                column["type"] == "selection"
                and fixed is not None
                and fixed not in _selection(column)
            ):
                said = f"{rule.model}.{name} knows no {fixed!r}"
            else:
                continue
            known = ", ".join(_selection(column or {})) or "take it out"
            yield Fault("fail", file, f"{key}.values.{name}", said, known)
        for found, part, hint in self._sought(rule):
            yield from self._there(found, file, f"{key}.{part}", hint)

    def _sought(self, rule: WorkRule) -> Iterator[tuple[Find, str, str]]:
        """What a work rule looks for on the server."""
        if rule.project:
            find = server.named("project.project", rule.project, required=True)
            yield find, "project", "make it there and let the bot see it, or name another"
        if rule.team:
            team = server.relation(self.models, rule.model, "team_id") or "crm.team"
            yield (
                server.named(team, rule.team, required=True),
                "team",
                "make it there, or name another",
            )
        if rule.stage:
            stages = server.relation(self.models, rule.model, "stage_id") or "project.task.type"
            domain: list[tuple[str, str, str | int | bool]] = [("name", "=", rule.stage)]
            if stages == "project.task.type" and rule.project:
                domain.append(("project_ids.name", "=", rule.project))
            yield Find(stages, tuple(domain)), "stage", "as it is called there, in English"
        if rule.assignee:
            yield server.user(rule.assignee), "assignee", "a sign-in name"
        if rule.journal:
            journal = Find("account.journal", (("code", "=", rule.journal),), required=True)
            yield journal, "journal", "the code of a bank or cash journal"
        tags = server.relation(self.models, rule.model, "tag_ids")
        for tag in rule.tags:
            make = tags in self.mapping.general.make_tags
            yield server.named(tags, tag, make=make), "tags", "make it there, or take it out"

    def _of_partner(self, mapping: TypeMapping, file: str) -> Iterator[Fault]:
        partners = self._fields_of("res.partner")
        for number, rule in enumerate(mapping.partner):
            column = rule.column or self.mapping.general.partner_column
            if partners is None or column not in partners:
                yield Fault(
                    "fail",
                    file,
                    f"partner.{number}",
                    f"res.partner has no column {column}",
                    "name the one that holds the number (partner_column in _general.yaml)",
                )

    def _of_activities(self, rule: ActivityRule, file: str, key: str) -> Iterator[Fault]:
        if "." in rule.type:
            module, _, name = rule.type.partition(".")
            try:
                self.odoo.call(
                    "ir.model.data", "check_object_reference", module=module, xml_id=name
                )
            except (OdooRefusedError, OdooRightsError):
                yield Fault(
                    "fail",
                    file,
                    f"{key}.type",
                    f"there is no {rule.type}",
                    "name one of your own by its name",
                )
        else:
            find = server.named("mail.activity.type", rule.type)
            yield from self._there(find, file, f"{key}.type", "as it is called there, in English")
        if rule.user:
            yield from self._there(server.user(rule.user), file, f"{key}.user", "a sign-in name")

    def _there(self, find: Find, file: str, key: str, hint: str) -> Iterator[Fault]:
        """A complaint unless the server has exactly one record of that sort."""
        name = next((str(value) for column, _, value in find.domain if column != "type"), "")
        count = self._count(find)
        if count == 1 or (count == 0 and find.make and self._may(find.model, "create")):
            return
        if count is None:
            said = f"{find.model} is not there, or the bot user may not read it"
        elif count == 0 and find.make:
            said = f"no {find.model} {name!r}, and the bot user may make none"
        elif count == 0:
            said = f"no {find.model} {name!r}"
        else:
            said = f"{count} of {find.model} are called {name!r}"
        yield Fault("fail" if find.required else "warn", file, key, said, hint)

    def _count(self, find: Find) -> int | None:
        if find not in self._counts:
            try:
                found = self.odoo.call(
                    find.model,
                    "search_count",
                    domain=[list(each) for each in find.domain],
                    context={"lang": "en_US"},
                )
                self._counts[find] = int(found)
            except (OdooRefusedError, OdooRightsError):
                self._counts[find] = None
        return self._counts[find]

    def _may(self, model: str, operation: Operation) -> bool | None:
        """Whether the bot may; ``None`` where there is no such model."""
        try:
            return may(self.odoo, model, operation)
        except OdooRefusedError:
            return None

    def _fields_of(self, model: str) -> Fields | None:
        if model not in self._fields:
            self._fields[model] = fields_of(self.odoo, model)
        return self._fields[model]


def _selection(column: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that a column of choices knows."""
    return tuple(str(each[0]) for each in column.get("selection") or ())

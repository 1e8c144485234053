# SPDX-License-Identifier: Apache-2.0
"""What a mapping must know of a server: its models' columns, by its own ``fields_get``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from idp.deliver.odoo.parcel import Find

ATTRIBUTES = ("type", "relation", "selection", "required", "readonly", "string")
"""What of a column is asked for."""

Models = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Answers of ``fields_get`` by model; a model that is not there, or not to be written, lacks."""

_MODULES = {
    "project.task": "project",
    "project.project": "project",
    "crm.lead": "crm",
    "crm.team": "sales_team",
    "account.payment": "account",
    "res.partner": "base",
    "idp.document": "idp_documents",
}


_TEXT: Mapping[str, Any] = {"type": "char"}
_STEPS: Mapping[str, Any] = {
    "type": "selection",
    "selection": [[str(step), str(step)] for step in range(4)],
}


def _to(model: str, kind: str = "many2one") -> Mapping[str, Any]:
    return {"type": kind, "relation": model}


ASSUMED: Models = {
    "project.task": {
        "name": _TEXT,
        "description": {"type": "html"},
        "project_id": _to("project.project"),
        "stage_id": _to("project.task.type"),
        "user_ids": _to("res.users", "many2many"),
        "priority": _STEPS,
        "date_deadline": {"type": "datetime"},
        "tag_ids": _to("project.tags", "many2many"),
        "partner_id": _to("res.partner"),
    },
    "crm.lead": {
        "name": _TEXT,
        "type": {"type": "selection", "selection": [["lead", ""], ["opportunity", ""]]},
        "description": {"type": "html"},
        "team_id": _to("crm.team"),
        "stage_id": _to("crm.stage"),
        "user_id": _to("res.users"),
        "priority": _STEPS,
        "date_deadline": {"type": "date"},
        "tag_ids": _to("crm.tag", "many2many"),
        "partner_id": _to("res.partner"),
        "company_id": _to("res.company"),
    },
    "helpdesk.ticket": {
        "name": _TEXT,
        "description": {"type": "html"},
        "team_id": _to("helpdesk.ticket.team"),
        "stage_id": _to("helpdesk.ticket.stage"),
        "user_id": _to("res.users"),
        "priority": _STEPS,
        "tag_ids": _to("helpdesk.ticket.tag", "many2many"),
        "partner_id": _to("res.partner"),
        "company_id": _to("res.company"),
    },
    "account.payment": {"memo": _TEXT},
}
"""Odoo 19 with all modules for work, for a preview where no server is asked."""


def has(models: Models, model: str, column: str) -> bool:
    """Whether a model has a column; one of which nothing is known is taken to have it."""
    return model not in models or column in models[model]


def relation(models: Models, model: str, column: str) -> str:
    """The model that a column points to; empty where that is not known."""
    return str(models.get(model, {}).get(column, {}).get("relation") or "")


def model_id(models: Models, model: str) -> str:
    """The external id of a model's own record, which a bot may use but not read."""
    module = _MODULES.get(model)
    if model == "helpdesk.ticket":
        oca = relation(models, model, "team_id") == "helpdesk.ticket.team"
        module = "helpdesk_mgmt" if oca else "helpdesk"
    if module is None:
        raise ValueError(f"no activities on {model}")
    return f"{module}.model_{model.replace('.', '_')}"


def step(models: Models, model: str, wanted: str, column: str = "priority") -> str | None:
    """The highest step of a selection that is not over the wanted one; none: it has none."""
    selection = models.get(model, {}).get(column, {}).get("selection")
    if not selection:
        return wanted if column in models.get(model, {column: {}}) else None
    steps = sorted(str(each[0]) for each in selection if str(each[0]).isdigit())
    return max((each for each in steps if int(each) <= int(wanted)), default=None)


def moment(when: dt.datetime) -> str:
    """A time as the server writes it: UTC, without a zone."""
    return f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def deadline(
    models: Models, model: str, column: str, due_at: dt.datetime, zone: dt.tzinfo
) -> str | None:
    """An end of time in a column of days or of times; none where the model has no such column."""
    if not has(models, model, column):
        return None
    kind = models.get(model, {}).get(column, {}).get("type", "datetime")
    return moment(due_at) if kind == "datetime" else day(due_at, zone)


def day(when: dt.datetime, zone: dt.tzinfo) -> str:
    """The day of a time, as people of the site say it."""
    return when.astimezone(zone).date().isoformat()


def user(login: str) -> Find:
    """The user who signs in so."""
    return Find("res.users", (("login", "=", login),))


def named(model: str, name: str, *, required: bool = False, make: bool = False) -> Find:
    """The record of that name."""
    return Find(
        model,
        (("name", "=", name),),
        required=required,
        make=(("name", name),) if make else (),
    )


def folder(shape: str, path: str) -> Find:
    """A folder by its path from the root; documents without their folder would be lost or open."""
    parent = {
        "documents.folder": "parent_folder_id",
        "documents.document": "folder_id",
        "dms.directory": "parent_id",
    }[shape]
    names = path.split("/")[::-1]
    domain: list[tuple[str, str, str | int | bool]] = []
    if shape == "documents.document":
        domain.append(("type", "=", "folder"))
    up = ""
    for name in names:
        domain.append((f"{up}name", "=", name))
        up += f"{parent}."
    domain.append((up.removesuffix("."), "=", False))
    return Find(shape, tuple(domain), required=True)

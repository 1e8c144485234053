# SPDX-License-Identifier: Apache-2.0
"""What the verbs of ``idp rules`` print."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rich.table import Table
from rich.text import Text

from idp.cli.border import print_json, tables
from idp.deliver.odoo.mapping import load_mapping
from idp.errors import NotFoundError
from idp.letters import Templates
from idp.requirements import Entry, Requirements, load_requirements, same_payer
from idp.schemas import load_schemas
from idp.settings import load_settings

SCHEMA = "idp.requirements/1"


def _requirements() -> Requirements:
    settings = load_settings()
    return load_requirements(settings.rules_folder, load_schemas(settings.schemas_folder))


def record(entry: Entry) -> dict[str, Any]:
    """One requirement as plain JSON values."""
    return {
        "programme": entry.programme.programme,
        "programme_title": entry.programme.title,
        "file": entry.file,
        **entry.requirement.model_dump(mode="json"),
        "source": entry.source.model_dump(mode="json"),
        "cited": entry.cited,
    }


def list_requirements(*, payer: str | None, type_: str | None, as_json: bool) -> None:
    """The requirements in force today, of one payer or one document type where asked for."""
    known = _requirements()
    today = dt.datetime.now().astimezone().date()
    shown = [
        entry
        for entry in known.entries
        if entry.requirement.in_force(today)
        and (payer is None or _is_of(entry, payer))
        and (type_ is None or type_ in entry.requirement.applies.types)
    ]
    if as_json:
        print_json(
            {
                "schema": SCHEMA,
                "version": known.version,
                "requirements": [record(entry) for entry in shown],
            }
        )
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "asks for", "severity", "source"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for entry in shown:
        asked = entry.requirement
        table.add_row(asked.id, Text(asked.asks), str(asked.severity), Text(entry.cited))
    tables().print(table if shown else Text("no requirements", "dim"))


def _is_of(entry: Entry, payer: str) -> bool:
    programme = entry.programme
    names = (programme.programme.replace("_", " "), programme.title, *programme.payers.names)
    return any(same_payer(payer, name) or same_payer(name, payer) for name in names)


def show_requirement(id_: str, *, as_json: bool) -> None:
    """One requirement, whole.

    Raises:
        NotFoundError: There is none of this id.
    """
    found = next((e for e in _requirements().entries if e.requirement.id == id_), None)
    if found is None:
        raise NotFoundError(f"no requirement {id_!r}", hint="`idp rules list` names them.")
    if as_json:
        print_json({"schema": SCHEMA, **record(found)})
        return
    asked, console = found.requirement, tables()
    console.print(Text(f"{found.programme.title} asks for {asked.asks}", "bold"))
    applies = asked.applies.model_dump(mode="json", exclude_defaults=True)
    need = asked.model_dump(
        mode="json",
        include={
            *("fields", "one_of", "attachments", "signature"),
            *("own_form", "mentions", "shapes"),
        },
        exclude_defaults=True,
    )
    grid = Table.grid(padding=(0, 2))
    for name, value in (
        *((f"applies: {key}", _said(each)) for key, each in applies.items()),
        *((f"needs: {key}", _said(each)) for key, each in need.items()),
        ("severity", str(asked.severity)),
        ("from", str(asked.effective_from or "")),
        ("to", str(asked.effective_to or "")),
        ("remedy", asked.remedy),
        ("source", found.cited),
        ("publisher", found.source.publisher),
        ("address", found.source.url),
        ("file", found.file),
    ):
        if value:
            grid.add_row(Text(name, "dim"), Text(value))
    console.print(grid)


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(each)}" for key, each in value.items())
    return str(value)


def check_rules(*, as_json: bool) -> None:
    """Read every file of requirements, every template of letters and the mapping to Odoo.

    Raises:
        RulesError: One is not well formed; the message names file and key.
    """
    settings = load_settings()
    schemas = load_schemas(settings.schemas_folder)
    known = load_requirements(settings.rules_folder, schemas)
    Templates(settings.rules_folder).check(tuple(schemas))
    mapping = load_mapping(settings.rules_folder, schemas)
    programmes = {entry.programme.programme for entry in known.entries}
    if as_json:
        print_json(
            {
                "schema": SCHEMA,
                "version": known.version,
                "programmes": len(programmes),
                "requirements": len(known.entries),
                "odoo": {"version": mapping.digest, "types": sorted(mapping.types)},
            }
        )
        return
    tables().print(
        f"{len(known.entries)} requirements of {len(programmes)} programmes, "
        f"{len(mapping.types)} types mapped to Odoo, all well formed"
    )

# SPDX-License-Identifier: Apache-2.0
"""Verbs about imported code lists and registers: import, list, check, remove, look."""

from __future__ import annotations

import datetime as dt
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from idp.cli.border import messages, print_json, tables
from idp.cli.house import actor, has_run, open_store
from idp.errors import ImportedDataError, NotFoundError
from idp.reference import Asked, Edition, Entry, Layout, Provider, Reference, import_file, remove
from idp.settings import Settings, load_settings


def import_reference(
    kind: str,
    path: Path,
    *,
    edition: str | None,
    valid: tuple[dt.date | None, dt.date | None],
    update: bool | None,
    force: bool,
    as_json: bool,
) -> None:
    """Import a file, showing how far it is, and put that on the record."""
    settings = load_settings()
    reference = Reference.of(settings)
    layout = _layout(reference, kind)
    asked = Asked(
        by=actor(),
        edition=edition,
        valid_from=valid[0],
        valid_to=valid[1],
        update=update,
        force=force,
    )
    begun = time.monotonic()
    read = 0
    with Progress(
        TextColumn(f"{kind}: {{task.fields[rows]:,}} rows"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=messages(),
        disable=as_json or not sys.stderr.isatty(),
        transient=True,
    ) as shown:
        task = shown.add_task(kind, rows=0, total=None)

        def progress(rows: int, done: int, size: int) -> None:
            nonlocal read
            read = rows
            shown.update(task, rows=rows, completed=done, total=size)

        imported = import_file(settings.reference_folder, path, layout, asked, progress=progress)
    seconds = time.monotonic() - begun
    note_imports(settings, reference.renewed().editions)
    record = _record(layout, imported.edition) | {
        "changed": imported.changed,
        "seconds": round(seconds, 2),
        "rows_per_second": round(read / seconds) if seconds and imported.changed else None,
    }
    if as_json:
        print_json({"schema": "idp.reference/1", **record})
        return
    say = messages()
    if not imported.changed:
        say.print(f"{kind} {imported.edition.edition} is in force with this very file already")
        return
    done = imported.edition
    last = done.updates[-1] if done.updates else done
    say.print(
        f"{kind} {last.edition} is in force from the next document on: {done.rows:,} entries, "
        f"{read:,} rows in {seconds:.1f} s ({read / max(seconds, 1e-3):,.0f} rows/s)",
        markup=False,
        soft_wrap=True,
    )
    if last.refused:
        lines = ", ".join(str(line) for line in done.refused_lines[:10]) or "not kept"
        say.print(f"{last.refused:,} rows refused, the first on lines {lines}", markup=False)


def note_imports(settings: Settings, editions: Sequence[Edition]) -> None:
    """Put imports on the record; where no service ever ran, its first start does it."""
    if has_run(settings):
        store = open_store(settings)
        store.note_models([entry for each in editions for entry in each.events()])
        store.close()


def list_reference(*, as_json: bool) -> None:
    """Every kind and edition, and what is silent for want of one."""
    reference = Reference.of(load_settings())
    records = [
        record for layout in reference.layouts.values() for record in _records(reference, layout)
    ]
    silent = reference.silent_rules()
    if as_json:
        print_json(
            {
                "schema": "idp.reference_list/1",
                "kinds": records,
                "silent_rules": {rule: list(kinds) for rule, kinds in silent.items()},
                "problems": list(reference.problems()),
            }
        )
        return
    table = Table("kind", "edition", "entries", "refused", "imported", "by", "rules", box=None)
    for record in records:
        known = record["rows"] is not None
        table.add_row(
            record["kind"],
            Text(record["edition"] or "-", "" if known else "dim"),
            f"{record['rows']:,}" if known else "",
            str(record["refused"] or "") if known else "",
            (record["imported_at"] or "")[:10],
            record["by"] or "",
            " ".join(record["rules"]),
        )
    out = tables()
    out.print(table)
    for rule, kinds in silent.items():
        out.print(Text(f"{rule} looks nothing up in: {', '.join(kinds)} (not imported)", "dim"))
    _say_problems(reference)


def check_reference(*, as_json: bool) -> None:
    """Whether every file is whole, and which are old.

    Raises:
        ImportedDataError: One is damaged.
    """
    settings = load_settings()
    reference = Reference.of(settings)
    today = dt.datetime.now(dt.UTC).date()
    damaged = list(reference.problems())
    old: list[str] = []
    for edition in reference.editions:
        if not reference.is_whole(edition):
            damaged.append(f"{edition.kind} {edition.edition}: damaged; import it again")
    for kind, layout in reference.layouts.items():
        editions = [each for each in reference.editions if each.kind == kind]
        last = max((each.last_import for each in editions), default=None)
        if last is not None and (today - last.date()).days > layout.old_after_days:
            days = (today - last.date()).days
            old.append(f"{kind}: imported {days} days ago; it is renewed {layout.renewed}")
    if as_json:
        print_json(
            {
                "schema": "idp.reference_check/1",
                "whole": not damaged,
                "checked": len(reference.editions),
                "damaged": damaged,
                "old": old,
            }
        )
    else:
        out = tables()
        for line in old:
            out.print(Text(line, "yellow"))
        out.print(f"{len(reference.editions)} files, {len(damaged)} damaged, {len(old)} old")
    if damaged:
        raise ImportedDataError("; ".join(damaged))


def remove_reference(kind: str, *, edition: str | None, as_json: bool) -> None:
    """Forget an import and put that on the record."""
    settings = load_settings()
    _layout(Reference.of(settings), kind)
    files = remove(settings.reference_folder, kind, edition)
    if has_run(settings):
        store = open_store(settings)
        store.note_models(
            [
                {
                    "id": uuid.uuid4().hex,
                    "action": "reference_removed",
                    "at": dt.datetime.now(dt.UTC).isoformat(),
                    "by": actor(),
                    "kind": kind,
                    "edition": edition,
                }
            ]
        )
        store.close()
    if as_json:
        print_json({"schema": "idp.reference_removed/1", "kind": kind, "files": list(files)})
    else:
        messages().print(f"{', '.join(files)} removed", markup=False)


def look_up(kind: str, code: str, *, on: dt.date | None, as_json: bool) -> None:
    """What a list says of a code.

    Raises:
        NotFoundError: The kind is not imported, or does not know the code.
    """
    reference = Reference.of(load_settings())
    layout = _layout(reference, kind)
    day = on or dt.datetime.now(dt.UTC).date()
    if not reference.has(kind):
        raise NotFoundError(
            f"{kind} is not imported", hint=f"`idp reference import {kind} FILE`: {layout.source}"
        )
    found = _found(reference, layout, code, day)
    if not found:
        raise NotFoundError(
            f"{kind} does not know {code}", hint="`idp reference list` tells which edition it is."
        )
    if as_json:
        print_json({"schema": "idp.reference_look/1", "kind": kind, "found": found})
        return
    for record in found:
        table = Table(box=None, show_header=False)
        for name, value in record.items():
            if value not in (None, "", []):
                said = ", ".join(value) if isinstance(value, list) else str(value)
                table.add_row(name, Text(said))
        tables().print(table)


def _found(reference: Reference, layout: Layout, code: str, day: dt.date) -> list[dict[str, Any]]:
    if layout.table == "providers":
        provider = reference.provider(code)
        return [_provider(provider, day)] if provider else []
    if layout.table == "combinations":
        return [
            {
                "scenario": row.scenario,
                "carc": row.carc,
                "rarc": row.rarc or None,
                "groups": sorted(row.groups),
            }
            for row in reference.combinations(code)
        ]
    bare = code.replace(".", "") if layout.dated else code
    return [_entry(entry, day) for entry in reference.look_all(layout.kind, bare, day)]


def _entry(entry: Entry, day: dt.date) -> dict[str, Any]:
    return {
        "code": entry.code,
        "title": entry.title,
        "description": entry.description,
        "billable": entry.billable,
        "start": _iso(entry.start),
        "stop": _iso(entry.stop),
        "modified": _iso(entry.modified),
        "in_force": entry.active_on(day),
        "on": day.isoformat(),
        "edition": entry.edition,
    }


def _provider(provider: Provider, day: dt.date) -> dict[str, Any]:
    return {
        "npi": provider.npi,
        "entity": {1: "person", 2: "organisation"}.get(provider.entity or 0),
        "names": list(provider.names),
        "city": provider.city,
        "state": provider.state,
        "zip": provider.zip,
        "phone": provider.phone,
        "taxonomies": list(provider.taxonomies),
        "deactivated": _iso(provider.deactivated),
        "reactivated": _iso(provider.reactivated),
        "in_force": provider.active_on(day),
        "on": day.isoformat(),
        "edition": provider.edition,
    }


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _layout(reference: Reference, kind: str) -> Layout:
    layout = reference.layouts.get(kind)
    if layout is None:
        raise NotFoundError(
            f"there is no kind {kind}", hint=f"One of: {', '.join(sorted(reference.layouts))}."
        )
    return layout


def _records(reference: Reference, layout: Layout) -> list[dict[str, Any]]:
    editions = [each for each in reference.editions if each.kind == layout.kind]
    return [_record(layout, each) for each in editions] or [_record(layout, None)]


def _record(layout: Layout, edition: Edition | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "kind": layout.kind,
        "title": layout.title,
        "rules": list(layout.rules),
        "renewed": layout.renewed,
        "source": layout.source,
        "licence": layout.licence,
        "edition": layout.otherwise or None,
        "rows": None,
        "refused": None,
        "imported_at": None,
        "by": None,
    }
    if edition is None:
        return record
    last = edition.updates[-1] if edition.updates else edition
    return record | {
        "edition": last.edition,
        "valid_from": _iso(edition.valid_from),
        "valid_to": _iso(edition.valid_to),
        "rows": edition.rows,
        "refused": last.refused,
        "refused_lines": list(edition.refused_lines),
        "imported_at": last.imported_at.isoformat(),
        "by": last.by,
        "file": last.file,
        "sha256": last.sha256,
        "updates": len(edition.updates),
    }


def _say_problems(reference: Reference) -> None:
    for line in reference.problems():
        messages().print(f"[bold red]damaged[/] {line}")

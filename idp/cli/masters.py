# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``idp masters``."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rich.table import Table
from rich.text import Text

from idp.cli.border import messages, print_json, tables
from idp.cli.house import actor, has_run, open_store
from idp.errors import ImportedDataError
from idp.masters import (
    Directories,
    Kind,
    Printed,
    ask_member,
    import_directory,
    match_provider,
)
from idp.settings import Settings, load_settings
from idp.values import Kind as ValueKind
from idp.values import parse

_TONES = {"matched": "green", "near": "yellow", "ambiguous": "yellow", "none": "red"}


def import_masters(
    kind: Kind, source: str, *, query: str | None, columns: str, update: bool, as_json: bool
) -> None:
    """Import a directory and say what was taken and what not."""
    settings, now = load_settings(), dt.datetime.now(dt.UTC)
    done = import_directory(
        settings.masters_folder,
        kind,
        source,
        now=now,
        query=query,
        columns=columns,
        update=update,
        own_rules=settings.rules_folder,
    )
    _note(
        settings,
        "masters_imported",
        {"id": f"{kind} {done.edition} {now.isoformat()}", "directory": kind,
         "edition": done.edition, "entries": str(done.entries), "rows": str(done.rows)},
        now,
    )  # fmt: skip
    if as_json:
        print_json({"schema": "idp.masters.import/1", **done.model_dump(mode="json")})
        return
    say = messages()
    say.print(
        f"{done.rows:,} rows: {done.new:,} new, {done.replaced:,} replaced, {done.joined:,} joined "
        f"to a row of the same id, {done.refused_rows:,} refused",
        markup=False,
    )
    for refused in done.refused:
        lines = ", ".join(str(line) for line in refused.lines)
        more = " ..." if refused.rows > len(refused.lines) else ""
        say.print(
            f"  {refused.rows:,} refused: {refused.reason} (line {lines}{more})", markup=False
        )
    say.print(f"{done.entries:,} {kind} in force, edition {done.edition}", markup=False)


def _note(settings: Settings, action: str, told: dict[str, str], now: dt.datetime) -> None:
    """On the audit record, where an appliance has run: names and numbers, nobody's values."""
    if has_run(settings):
        store = open_store(settings)
        store.note_models([{**told, "action": action, "at": now.isoformat(), "by": actor()}])
        store.close()


def list_masters(*, as_json: bool) -> None:
    """What there is."""
    settings = load_settings()
    facts = Directories(settings.masters_folder).facts()
    if as_json:
        records = [fact._asdict() for fact in facts]
        print_json({"schema": "idp.masters/1", "directories": records})
        return
    if not facts:
        tables().print(Text("none yet: idp masters import members FILE.csv", "dim"))
        return
    table = Table("directory", "entries", "edition", "imported", "source", "MB", box=None)
    for fact in facts:
        table.add_row(
            fact.directory,
            f"{fact.entries:,}",
            fact.edition,
            fact.imported_at,
            Text(fact.source),
            f"{fact.bytes / 1e6:.1f}",
        )
    tables().print(table)


def find_in_masters(
    kind: Kind,
    *,
    name: str,
    dob: str,
    number: str,
    phone: str,
    fax: str,
    tax_id: str,
    payer: str,
    as_json: bool,
) -> None:
    """Ask a directory and explain its answer."""
    directories = Directories(load_settings().masters_folder)
    if not directories.has(kind):
        raise ImportedDataError(
            f"no {kind} were imported", hint=f"`idp masters import {kind} FILE.csv` does it."
        )
    born = parse(ValueKind.DATE, dob, not_after=dt.datetime.now(dt.UTC).date()) if dob else None
    if born is not None and not born.valid:
        raise ImportedDataError("--dob is no date", hint="Say it as 1968-07-22 or 7/22/1968.")
    printed = Printed(
        name=name,
        born=born.value if born else "",
        number=number,
        payer=directories.payers.id_of(payer) if payer else "",
        phones=_telephones(phone),
        faxes=_telephones(fax),
        npi=number if kind == "providers" else "",
        tax_id=tax_id,
        on=dt.datetime.now(dt.UTC).date(),
    )
    outcome, candidates = _asked(kind, printed, directories)
    if as_json:
        print_json({"schema": "idp.masters.find/1", "outcome": outcome, "candidates": candidates})
        return
    console = tables()
    console.print(Text(outcome, f"bold {_TONES[outcome]}"))
    for candidate in candidates:
        line = Text(f"  {candidate['canonical_id']}", "bold")
        line.append(f"  {candidate['name']}")
        line.append(f"  {candidate['outcome']} {candidate['score']:.2f}", "dim")
        console.print(line, soft_wrap=True)
        for said in candidate["evidence"]:
            console.print(Text(f"      {said}", "dim"), soft_wrap=True)


def _asked(
    kind: Kind, printed: Printed, directories: Directories
) -> tuple[str, list[dict[str, Any]]]:
    """The outcome, and each candidate with what speaks for and against it."""
    if kind == "members":
        people = ask_member(printed, directories)
        return people.outcome, [
            _candidate(
                one.member.canonical_id,
                f"{one.member.last}, {one.member.first}",
                one.outcome,
                one.score,
                one.evidence,
            )
            for one in (*((people.best,) if people.best else ()), *people.others)
        ]
    if kind == "providers":
        practices = match_provider(printed, directories.providers(printed))
        return practices.outcome, [
            _candidate(
                one.provider.canonical_id,
                one.provider.organisation or f"{one.provider.last}, {one.provider.first}",
                one.outcome,
                one.score,
                one.evidence,
            )
            for one in (*((practices.best,) if practices.best else ()), *practices.others)
        ]
    found = directories.payers.match(printed)
    best = found.best
    return found.outcome, [
        _candidate(best.canonical_id, best.names[0], found.outcome, found.score, found.evidence)
    ] if best is not None else []


def _candidate(
    canonical_id: str, name: str, outcome: str, score: float, evidence: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "canonical_id": canonical_id,
        "name": name,
        "outcome": outcome,
        "score": score,
        "evidence": list(evidence),
    }


def _telephones(text: str) -> tuple[str, ...]:
    parsed = parse(ValueKind.PHONE, text) if text else None
    return (parsed.value,) if parsed is not None and parsed.valid else ()


def remove_masters(kind: Kind) -> None:
    """Forget a directory."""
    settings, now = load_settings(), dt.datetime.now(dt.UTC)
    directories = Directories(settings.masters_folder)
    edition = directories.versions
    directories.remove(kind)
    told = dict(edition).get(f"masters.{kind}", "")
    _note(
        settings,
        "masters_removed",
        {"id": f"{kind} removed {now.isoformat()}", "directory": kind, "edition": told},
        now,
    )
    messages().print(f"{kind} removed; documents judged by them stay as they are", markup=False)

# SPDX-License-Identifier: Apache-2.0
"""The work of ``idp decisions`` and ``idp quality``."""

from __future__ import annotations

import datetime as dt
import re
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from idp.cli.border import messages, print_json, tables
from idp.cli.house import open_store
from idp.errors import NotFoundError, SettingsError
from idp.quality import line_of, verdict
from idp.replay import Replay, Report, as_plain, changed_parts
from idp.sampling import Interval
from idp.settings import load_settings
from idp.store import DecisionRow, QualityRow

_AGO = re.compile(r"(\d{1,5})([dh])\Z")
_MOST_SHOWN = 20


def since_when(text: str | None, now: dt.datetime) -> dt.datetime | None:
    """The time that ``--since`` names; one without a zone is this machine's.

    Raises:
        NotFoundError: It names none.
    """
    if text is None:
        return None
    if found := _AGO.fullmatch(text.strip()):
        hours = int(found[1]) * (24 if found[2] == "d" else 1)
        return now - dt.timedelta(hours=hours)
    try:
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except ValueError as error:
        raise NotFoundError(
            f"no time {text!r}", hint="Give a date (2026-11-01), a time, or 30d, 12h."
        ) from error


def settings_from(file: Path | None, changes: Sequence[str]) -> dict[str, Any]:
    """Settings by name, nested as in ``idp.toml``: those of the file, then the single ones.

    Raises:
        SettingsError: The file is no TOML, or a change is not NAME=VALUE.
    """
    try:
        found: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {error}") from error
    for change in changes:
        name, equals, text = change.partition("=")
        *folders, last = name.strip().split(".")
        if not equals or not all((*folders, last)):
            raise SettingsError(
                f"{change!r} is no setting", hint="Give --set decision.field_threshold=.8"
            )
        place = found
        for folder in folders:
            place = place.setdefault(folder, {})
            if not isinstance(place, dict):
                raise SettingsError(f"{name}: {folder} is a value, not a table")
        place[last] = _value(text.strip())
    return found


def _value(text: str) -> object:
    """A TOML value; what is none is taken as text, so that quotes may be left out."""
    number = re.sub(r"^([+-]?)\.", r"\g<1>0.", text)
    try:
        return tomllib.loads(f"value = {number}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def show_decisions(text: str, *, as_json: bool) -> None:
    """Every decision on a document, and what differed between one and the next."""
    store = open_store(load_settings())
    document_id = store.resolve(text)
    rows = store.decisions(document_id)
    parts = [store.rules_version(row.rules_version) for row in rows]
    changes = [
        changed_parts(parts[at - 1], parts[at])
        if at and rows[at].rules_version != rows[at - 1].rules_version
        else ()
        for at in range(len(rows))
    ]
    if as_json:
        print_json(
            {
                "schema": "idp.decisions/1",
                "document_id": document_id,
                "decisions": [
                    {
                        **TypeAdapter(DecisionRow).dump_python(row, mode="json"),
                        "changed_parts": list(changed),
                    }
                    for row, changed in zip(rows, changes, strict=True)
                ],
            }
        )
        return
    console = tables()
    if not rows:
        console.print(Text(f"{document_id}: no decision is on record", "dim"))
    for row, changed in zip(rows, changes, strict=True):
        _print_decision(console, row, changed)


def _print_decision(console: Console, row: DecisionRow, changed: Sequence[str]) -> None:
    sampled = ", quality sample" if row.sampled else ""
    console.print(
        Text.assemble(
            (f"{row.at.astimezone():%Y-%m-%d %H:%M:%S}  ", "dim"),
            (row.decision.value, "bold"),
            f"  by {row.actor}, policy {row.release or 'not told'}{sampled}",
        )
    )
    facts = {
        "rules": row.rules_version[:12],
        "models": " ".join(f"{name} {version}" for name, version in sorted(row.models.items())),
        "said": " ".join(row.rules) or "nothing",
    }
    for name, fact in facts.items():
        console.print(Text(f"  {name:7} {fact}"), soft_wrap=True)
    for each in changed:
        console.print(Text(f"  changed {each}", "dim"), soft_wrap=True)


def replay_decisions(
    *,
    since: str | None,
    limit: int | None,
    type: str | None,
    file: Path | None,
    changes: Sequence[str],
    as_json: bool,
) -> None:
    """Decide stored documents again and print what differs."""
    began = time.monotonic()
    store = open_store(load_settings())
    start = since_when(since, dt.datetime.now(dt.UTC))
    judging = load_settings(**settings_from(file, changes))
    ids = store.decided_ids(since=start, type=type, limit=limit)
    report = Report()
    with Progress(
        "deciding again",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=messages(),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=len(ids))
        for _ in Replay(store, judging).run(ids, report):
            progress.advance(task)
    seconds = time.monotonic() - began
    if as_json:
        print_json(as_plain(report, seconds=seconds, since=start))
        return
    _print_report(tables(), report, seconds)


def _print_report(console: Console, report: Report, seconds: float) -> None:
    console.print(
        Text.assemble(
            (f"{report.documents} documents decided again in {seconds:.1f} s: ", "bold"),
            f"{report.same} the same, {len(report.differences)} different",
            f", {len(report.failed)} could not be judged" if report.failed else "",
        )
    )
    for part, number in report.changed_parts.most_common(_MOST_SHOWN):
        console.print(Text(f"  {part}  ({number} documents)", "dim"), soft_wrap=True)
    if not report.differences:
        return
    for move, number in sorted(report.moves.items()):
        console.print(Text(f"  {move}: {number}", "bold"))
    table = Table("rule or reason", "gone", "new", box=None)
    for code, (gone, new) in report.by_code.items():
        table.add_row(code, str(gone or ""), str(new or ""))
    console.print(table)
    for each in report.differences[:_MOST_SHOWN]:
        signs = [*(f"-{code}" for code in each.gone), *(f"+{code}" for code in each.new)]
        line = f"  {each.document_id}  {each.before} -> {each.after}  {' '.join(signs)}"
        console.print(Text(line), soft_wrap=True)
    if len(report.differences) > _MOST_SHOWN:
        more = len(report.differences) - _MOST_SHOWN
        console.print(Text(f"  and {more} more: --json lists all", "dim"))


def show_quality(*, since: str | None, as_json: bool) -> None:
    """What people found in the quality sample, by type."""
    settings = load_settings()
    rows = open_store(settings).quality(since=since_when(since, dt.datetime.now(dt.UTC)))
    target = settings.decision.accuracy_target
    if as_json:
        print_json(
            {
                "schema": "idp.quality/1",
                "quality_sample": settings.decision.quality_sample,
                "accuracy_target": target or None,
                "types": [quality_record(row) for row in rows],
            }
        )
        return
    console = tables()
    table = Table(
        "type",
        "left",
        "sampled",
        "checked",
        "documents wrong",
        "values wrong",
        "missed",
        "wrong among those that left",
        box=None,
    )
    for row in rows:
        table.add_row(*line_of(row))
    console.print(table)
    console.print(Text(verdict(rows[-1], target), "bold"), soft_wrap=True)


def quality_record(row: QualityRow) -> dict[str, Any]:
    """One line of ``idp quality --json``."""
    plain: dict[str, Any] = TypeAdapter(QualityRow).dump_python(row, mode="json")
    for name in ("documents_interval", "values_interval"):
        interval = getattr(row, name)
        plain[name] = dict(zip(Interval._fields, interval, strict=True)) if interval else None
    left = row.left_wrong
    plain["left_wrong"] = dict(zip(Interval._fields, left, strict=True)) if left else None
    return {**plain, "few": row.few}

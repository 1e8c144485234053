# SPDX-License-Identifier: Apache-2.0
"""Tables for people. Text from documents is never taken as markup."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from idp.cli.render_remittance import remittance
from idp.contract import envelope_facts, percent
from idp.document import Decision, Document, Envelope, Finding, MasterMatch, Page, Severity

if TYPE_CHECKING:
    from idp.channels import ChannelRow
    from idp.ingest import Refusal
    from idp.store import DocumentDetail, DocumentRow, State

_DECISION_STYLE = {
    Decision.AUTO: "bold green",
    Decision.REVIEW: "bold yellow",
    Decision.QUARANTINE: "bold red",
}
_SEVERITY_STYLE = {Severity.BLOCK: "red", Severity.WARN: "yellow", Severity.INFO: "cyan"}
_OUTCOME_STYLE = {"matched": "green", "near": "yellow", "ambiguous": "yellow", "none": "dim"}
_STATE_STYLE = {
    "received": "cyan",
    "processing": "cyan",
    "auto": "green",
    "review": "yellow",
    "corrected": "green",
    "delivering": "green",
    "delivered": "bold green",
    "incomplete": "yellow",
    "quarantined": "bold red",
    "duplicate": "dim",
}


def document(console: Console, found: Document) -> None:
    """One document: what it is, what was found, what is missing, what becomes of it."""
    head = Text()
    head.append(found.source, "bold")
    if found.part:
        head.append(f" ({found.part})")
    if found.error is None:
        name = found.type.replace("_", " ")
        head.append(f"  {name}{f' / {found.subtype}' if found.subtype else ''} ", "bold cyan")
        head.append(f"{percent(found.type_confidence)}%", "cyan")
        if found.form is not None:
            head.append(f"  form {found.form.name} {percent(found.form.score)}%", "green")
        head.append(f"  page{'s' if len(found.pages) != 1 else ''} {_pages(found.pages)}", "dim")
    head.append(f"  {found.decision}", _DECISION_STYLE[found.decision])
    console.print(head, soft_wrap=True)
    if found.error is not None:
        console.print(Text(f"  {found.error}: {'; '.join(found.reasons)}", "red"), soft_wrap=True)
        console.print(Text(f"  hint: {found.hint}", "dim"), soft_wrap=True)
        console.print()
        return
    if found.envelope is not None:
        _envelope(console, found.envelope)
    if found.fields:
        console.print(Padding(_fields(found), (0, 0, 0, 2)))
    if found.claims:
        console.print(Padding(_claims(found), (0, 0, 0, 2)))
    _time(console, found)
    if found.remittance is not None:
        remittance(console, found)
    if found.missing:
        line = Text("  missing  ", "bold yellow")
        line.append(", ".join(found.missing))
        console.print(line)
    _masters(console, found.masters)
    _list_findings(console, found.findings)
    told = tuple(finding.message for finding in found.findings)
    for reason in found.reasons:
        if any(message.startswith(reason) for message in told):
            continue
        line = Text("  because  ", "dim")
        line.append(reason)
        console.print(line)
    if found.timings_ms:
        parts = "  ".join(f"{stage} {ms:.0f}" for stage, ms in found.timings_ms.items())
        console.print(Text(f"  ms       {parts}", "dim"))
    console.print()


def _envelope(console: Console, envelope: Envelope) -> None:
    """How the document came, on as few lines as there are facts."""
    for name, value in envelope_facts(envelope):
        line = Text(f"  {name:<7}  ", "dim")
        line.append(value)
        console.print(line, soft_wrap=True)


def _time(console: Console, found: Document) -> None:
    """How urgent it is and why, and each clock that runs."""
    if found.urgency is not None:
        style = "" if found.urgency.level == "routine" else "bold red"
        line = Text.assemble(("  urgency  ", "dim"), (found.urgency.level, style), "  ")
        why = (
            each.what + (f" (page {each.page})" if each.page else "")
            for each in found.urgency.evidence
        )
        line.append("; ".join(dict.fromkeys(why)), "dim")
        console.print(line)
    for clock in found.clocks:
        line = Text("  clock    ", "dim")
        line.append(f"{clock.title} by {clock.due_at.astimezone():%Y-%m-%d %H:%M}, ")
        line.append_text(_due(clock.due_at, pressing=False))
        line.append(f"  {clock.length}  [{clock.rule}]", "dim")
        console.print(line)


def _pages(pages: Sequence[int]) -> str:
    if len(pages) > 2 and list(pages) == list(range(pages[0], pages[-1] + 1)):
        return f"{pages[0]}-{pages[-1]}"
    return ",".join(map(str, pages))


def _fields(found: Document) -> Table:
    table = _table("field", "value", ("conf", "right"), ("page", "right"))
    troubled: dict[str | None, Severity] = {}
    for finding in found.findings:
        if troubled.get(finding.field) is not Severity.BLOCK:
            troubled[finding.field] = finding.severity
    for field in found.fields:
        severity = troubled.get(field.name)
        style = _SEVERITY_STYLE[severity] if severity else ""
        table.add_row(
            Text(field.name, style),
            Text(field.value if field.value is not None else field.raw, style),
            f"{percent(field.confidence)}%",
            str(field.page) if field.page else Text("derived", "dim"),
        )
    return table


def _claims(found: Document) -> Table:
    table = _table(
        "claim",
        "patient",
        "date",
        "code",
        ("billed", "right"),
        ("allowed", "right"),
        ("adjust", "right"),
        "carc",
        ("paid", "right"),
        ("conf", "right"),
    )
    for claim in found.claims:
        lines = claim.service_lines or (claim,)
        for number, line in enumerate(lines):
            first = number == 0
            table.add_row(
                Text((claim.claim_number or claim.patient_account or "") if first else ""),
                Text((claim.patient_name or "") if first else ""),
                str(line.service_date or ""),
                Text(line.procedure_code or ""),
                _money(line.billed),
                _money(line.allowed),
                _money(line.adjustment),
                Text(line.carc or ""),
                _money(line.paid),
                f"{percent(line.confidence)}%",
            )
    return table


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _masters(console: Console, matches: Sequence[MasterMatch]) -> None:
    """Who of our directories each party is, and why."""
    shown = [match for match in matches if match.directory != "members" or not _is_claim(match)]
    for match in shown:
        line = Text("  who      ", "dim")
        line.append(f"{match.party.replace('_', ' ')}: ", "bold")
        line.append(match.outcome, _OUTCOME_STYLE[match.outcome])
        if match.canonical_id:
            line.append(f" {match.canonical_id}")
        line.append(f"  {'; '.join(match.evidence)}", "dim")
        console.print(line, soft_wrap=True)
    if claims := [match for match in matches if _is_claim(match)]:
        counted = Counter(match.outcome for match in claims)
        line = Text("  who      ", "dim")
        line.append(f"patients of {len(claims)} claims: ", "bold")
        line.append(", ".join(f"{number} {outcome}" for outcome, number in counted.items()))
        console.print(line)


def _is_claim(match: MasterMatch) -> bool:
    return match.party.startswith("claim ")


def _list_findings(console: Console, findings: Sequence[Finding]) -> None:
    for finding in findings:
        line = Text(f"  {finding.severity:<7}  ", _SEVERITY_STYLE[finding.severity])
        if finding.field:
            line.append(f"{finding.field}: ", "bold")
        line.append(finding.message)
        line.append(f"  [{finding.rule}]", "dim")
        console.print(line)
        if finding.remedy:
            console.print(Padding(Text(finding.remedy, "dim"), (0, 0, 0, 11)))


def page(console: Console, path: Path, seen: Page) -> None:
    """One page as text, under a line about how it was read."""
    head = Text(f"{path} ", "bold")
    head.append(
        f"page {seen.number}  {seen.width_px}x{seen.height_px} px  {seen.dpi:.0f} dpi  "
        f"turned {seen.rotation}°  skew {seen.skew_degrees:+.1f}°  {seen.grade}  "
        f"{len(seen.words)} words ({seen.words_source})",
        "dim",
    )
    console.print(head)
    if seen.fax_header is not None:
        for line in seen.fax_header.text.split("\n"):
            console.print(Text(f"fax header: {line}", "dim"))
    console.print(seen.text, markup=False)
    for mark in seen.marks:
        console.print(f"[{'x' if mark.state == 'checked' else ' '}] {mark.label}", markup=False)
    console.print()


def refused(console: Console, path: Path, error: Refusal) -> None:
    """A file that could not be read."""
    console.print(
        Text.assemble((str(path), "bold"), "  ", (error.code, "red"), f": {error.message}")
    )
    console.print(Text(f"  hint: {error.hint}", "dim"), soft_wrap=True)
    console.print()


def counts(console: Console, numbers: Mapping[State, int]) -> None:
    """How many documents stand in each state, on one line."""
    line = Text()
    for state, number in numbers.items():
        line.append(f"{state} ", "dim")
        line.append(f"{number}", _STATE_STYLE[state] if number else "dim")
        line.append("   ")
    console.print(line)


def reading(counts: Mapping[str, int]) -> str:
    """One line about the reading processes: how many, what they did, what became of them."""
    told = [f"{counts.get('workers', 0)} processes", f"{counts.get('calls', 0)} pages read"]
    if "cache_hits" in counts:
        size = counts.get("cache_size_bytes", 0) / 1e6
        told.append(f"{counts['cache_hits']} remembered ({size:.0f} MB kept)")
    fates = {
        "replaced after their pages": "replaced_after_calls",
        "replaced for memory": "replaced_for_memory",
        "killed as too slow": "killed_too_slow",
        "killed for memory": "killed_for_memory",
        "died": "died",
    }
    told += [f"{counts[name]} {fate}" for fate, name in fates.items() if counts.get(name)]
    return "reading: " + ", ".join(told)


def rows(console: Console, documents: Iterable[DocumentRow]) -> None:
    """A list of documents; the id is cut to the part that every verb takes."""
    table = _table("id", "state", "type", "file", "note", ("changed", "right"))
    for column in (0, 1, 5):
        table.columns[column].no_wrap = True
    for row in documents:
        note = Text()
        if row.error:
            note.append(row.error, "red")
        elif row.missing:
            note.append(f"{row.missing} missing", "yellow")
        elif row.trouble:
            note.append(f"attempt {row.attempts}: {row.trouble}", "yellow")
        table.add_row(
            short(row.id),
            Text(row.state, _STATE_STYLE[row.state]),
            (row.subtype or row.type or "").replace("_", " "),
            Text(f"{row.channel}/{row.name}"),
            note,
            ago(row.changed_at),
        )
    console.print(table)


def waiting(console: Console, documents: Iterable[DocumentRow]) -> None:
    """What waits for a person: how pressing each is, and by when it must be decided."""
    table = _table("id", "state", "type", "file", ("priority", "right"), "urgency", "clock", "due")
    for column in (0, 1, 7):
        table.columns[column].no_wrap = True
    for row in documents:
        table.add_row(
            short(row.id),
            Text(row.state, _STATE_STYLE[row.state]),
            (row.subtype or row.type or "").replace("_", " "),
            Text(f"{row.channel}/{row.name}"),
            str(row.priority),
            Text(row.urgency or "", "" if row.urgency in (None, "routine") else "bold red"),
            row.clock or "",
            _due(row.clock_due_at, pressing=row.escalation > 0),
        )
    console.print(table)


def _due(due_at: dt.datetime | None, *, pressing: bool) -> Text:
    """``due in 3 h``; in red where it is over."""
    if due_at is None:
        return Text("")
    left = due_at - dt.datetime.now(dt.UTC)
    if left > dt.timedelta():
        return Text(f"due in {_span(left)}", "yellow" if pressing else "")
    return Text(f"overdue {_span(-left)}", "bold red")


def _span(length: dt.timedelta) -> str:
    seconds = length.total_seconds()
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def lying(console: Console, documents: Iterable[DocumentRow]) -> None:
    """What lies in quarantine: why, and what mends it."""
    for row in documents:
        line = Text(short(row.id), "bold")
        line.append(f"  {row.error or 'held'}", "red")
        line.append(f"  {row.channel}/{row.name}")
        line.append(f"  {ago(row.changed_at)}", "dim")
        console.print(line, soft_wrap=True)
        for reason in row.reasons:
            console.print(Padding(Text(reason), (0, 0, 0, 10)))
        if row.hint:
            console.print(Padding(Text(f"hint: {row.hint}", "dim"), (0, 0, 0, 10)))


def short(document_id: str) -> str:
    """The last eight characters of an id, which every verb takes."""
    return document_id[-8:]


def detail(console: Console, found: DocumentDetail) -> None:
    """Everything about one document."""
    row = found.row
    head = Text(f"{row.id}  ", "bold")
    head.append(row.state, _STATE_STYLE[row.state])
    head.append(f"  {row.channel}/", "dim")
    head.append(row.name, "dim")
    head.append(f"  received {row.received_at.astimezone():%Y-%m-%d %H:%M}", "dim")
    head.append(f"  priority {row.priority}", "dim")
    console.print(head)
    if row.location:
        console.print(Text(f"delivered to {row.location}"), soft_wrap=True)
    if found.document is not None:
        document(console, found.document)
    elif row.error:
        console.print(Text(f"{row.error}: {row.hint}", "red"), soft_wrap=True)
    if found.siblings:
        console.print(Text("other documents of this file", "bold"))
        rows(console, found.siblings)
    table = _table("when", "who", "what", "from", "to")
    for event in found.events:
        table.add_row(
            f"{event.at.astimezone():%Y-%m-%d %H:%M:%S}",
            Text(event.actor),
            Text(event.action),
            event.before or "",
            event.after or "",
        )
    console.print(table)


def ago(moment: dt.datetime) -> str:
    """How long ago, in the largest fitting unit."""
    return f"{_span(max(dt.datetime.now(dt.UTC) - moment, dt.timedelta()))} ago"


def _table(*columns: str | tuple[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for column in columns:
        name, justify = column if isinstance(column, tuple) else (column, "left")
        right = justify == "right"
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=right)
    return table


def channels(console: Console, found: Sequence[ChannelRow]) -> None:
    """The drop folders and how their files are taken."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("channel", "folder", "queue", "priority", "site", "watch", ""):
        table.add_column(head, overflow="fold")
    for row in found:
        table.add_row(
            Text(row.name, "bold"),
            Text(str(row.folder)),
            Text(row.queue),
            Text(str(row.priority)),
            Text(row.site or ""),
            Text(row.watch),
            Text(row.manner, "dim"),
        )
    console.print(table)

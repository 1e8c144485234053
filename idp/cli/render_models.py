# SPDX-License-Identifier: Apache-2.0
"""Tables of ``idp models`` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from idp.learning import Evaluation, Shadow, ShadowReport, Verdict, Week
    from idp.retraining import Retraining
    from idp.store import SortedRow

_NUMBERS = "right"


def _table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, justify=_NUMBERS if column in numbers else "left")  # type: ignore[arg-type]
    return table


def versions(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a version; a figure only with what it was measured on."""
    table = _table("version", "", "models", "registered", "F1 beside the champion")
    for row in rows:
        mark = "in force" if row["in_force"] else "shadow" if row["in_shadow"] else ""
        figures = [
            f"{e['challenger']:.3f} ({e['difference']:+.3f}) {e['kind']} {e['set']}"
            for e in row["evaluations"]
        ]
        table.add_row(
            Text(row["version"], "bold"),
            Text(mark, "green"),
            Text(", ".join(row["models"].values())),
            Text((row["registered_at"] or "")[:16].replace("T", " ")),
            Text("\n".join(figures)),
        )
    console.print(table)


def evaluation(console: Console, found: Evaluation) -> None:
    """Overall, then types, layouts and fields, weakest last."""
    overall = found.overall
    interval = (
        f", 95 % interval {overall.low:+.3f} to {overall.high:+.3f} (drawn: {overall.drawn})"
        if overall.low is not None and overall.high is not None
        else ""
    )
    console.print(
        Text.assemble(
            (found.set_name, "bold"),
            f"  {found.kind}, {overall.documents} documents, {len(found.layouts)} layouts\n",
            f"F1 {overall.champion:.3f} -> {overall.challenger:.3f} ({overall.difference:+.3f}"
            f"{interval}); precision {found.precision[0]:.3f} -> {found.precision[1]:.3f}",
        ),
        soft_wrap=True,
    )
    if found.documents_per_cpu_second is not None:
        one, two = found.documents_per_cpu_second
        console.print(Text(f"documents per CPU second (extraction): {one:.1f} -> {two:.1f}"))
    numbers = ("documents", "champion", "challenger", "difference")
    table = _table("", *numbers, numbers=numbers)
    for what, several in (
        ("type", found.types),
        ("layout", found.layouts),
        ("field", found.fields),
    ):
        for name, row in sorted(several.items(), key=lambda item: item[1].difference):
            style = "red" if row.difference < 0 else "green" if row.difference > 0 else ""
            table.add_row(
                Text(f"{what} {name}"),
                str(row.documents),
                f"{row.champion:.3f}",
                f"{row.challenger:.3f}",
                Text(f"{row.difference:+.3f}", style),
            )
    console.print(table)


def verdict(console: Console, found: Verdict) -> None:
    """What the gate says, and why."""
    word, style = ("passes", "bold green") if found.passed else ("is refused", "bold red")
    console.print(Text.assemble("gate: ", (word, style)))
    for reason in found.reasons:
        console.print(Text(f"  {reason}"), soft_wrap=True)


def retraining(console: Console, state: Retraining, *, running: bool) -> None:
    """How far a retraining is, or how it ended."""
    style = "bold red" if state.step == "failed" else "bold"
    cut_off = not running and not state.ended
    word = "killed; give it again" if cut_off else str(state.step)
    console.print(Text.assemble("retraining: ", (word, style)))
    console.print(Text(f"begun {state.started_at:%Y-%m-%d %H:%M} by {state.by}"), soft_wrap=True)
    if state.documents:
        console.print(Text(f"{state.documents} documents to train on, {state.locked} to judge by"))
    if running and state.progress is not None:
        console.print(Text(state.progress.words))
    if state.trouble is not None:
        console.print(Text(f"trouble: {state.trouble}", "red"))
    if state.version is not None:
        console.print(Text(state.version))
    if state.champion_f1 is not None and state.challenger_f1 is not None:
        console.print(Text(f"F1 {state.challenger_f1:.3f}, in force {state.champion_f1:.3f}"))
    if state.passed is not None:
        word, style = ("passes", "bold green") if state.passed else ("is refused", "bold red")
        console.print(Text.assemble("gate: ", (word, style)))
    for reason in state.reasons:
        console.print(Text(f"  {reason}"), soft_wrap=True)


def shadow(console: Console, running: Shadow, report: ShadowReport | None) -> None:
    """Where champion and challenger differ: names and counts only."""
    console.print(
        Text(f"{running.version} sees {running.share:.0%} of the documents since {running.since}")
    )
    if report is None or not report.documents:
        console.print(Text("nothing yet", "dim"))
        return
    same = "" if report.agreement is None else f", the same in {report.agreement:.1%} of fields"
    console.print(Text(f"{report.documents} documents, {report.failed} failed{same}"))
    numbers = ("same", "different", "champion only", "challenger only", "judged", "right: old/new")
    table = _table("field", *numbers, numbers=numbers)
    for name, tally in sorted(report.fields.items(), key=lambda item: item[1].same - item[1].seen):
        table.add_row(
            name,
            str(tally.same),
            str(tally.different),
            str(tally.champion_only),
            str(tally.challenger_only),
            str(tally.judged),
            f"{tally.champion_right}/{tally.challenger_right}" if tally.judged else "",
        )
    console.print(table)


def drift(console: Console, found: Sequence[Week], threshold: float) -> None:
    """One line a week and type; what shifted stands out."""
    if not found:
        console.print(Text("no documents in these weeks", "dim"))
        return
    names = ("confidence", "missing", "corrected", "unseen_layout")
    table = _table("week of", "type", "documents", *names, numbers=("documents", *names))
    for week in found:
        cells = []
        for name in names:
            measure = week.measures[name]
            if measure.now is None:
                cells.append(Text(""))
                continue
            shift = "" if measure.psi is None or not week.enough else f" ({measure.psi:.2f})"
            cells.append(Text(f"{measure.now:.3f}{shift}", "bold red" if measure.warns else ""))
        few = "" if week.enough else " (too few)"
        table.add_row(f"{week.begins:%Y-%m-%d}", week.type, Text(f"{week.documents}{few}"), *cells)
    console.print(table)
    console.print(
        Text(f"in brackets: shift from the weeks before (PSI); above {threshold} is red", "dim")
    )


def sorting(console: Console, rows: Sequence[SortedRow], weeks: int) -> None:
    """How often people corrected type and cut, by source and type as read; nothing without any."""
    if not rows:
        return
    table = _table(
        "source", "type as read", "looked at", "other type", "cut otherwise",
        numbers=("looked at", "other type", "cut otherwise"),
    )  # fmt: skip
    for row in rows:
        shares = [f"{n} ({n / row.looked:.1%})" if n else "0" for n in (row.retyped, row.wrong_cut)]
        table.add_row(row.channel, row.type, str(row.looked), *shares)
    console.print(Text(f"what people said of type and cut, last {weeks} weeks", "bold"))
    console.print(table)

# SPDX-License-Identifier: Apache-2.0
"""What lies in the other system, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from idp.outgoing import DeliveryState, HandoverFigures, Placed, in_words


def placed(console: Console, found: Sequence[Placed]) -> None:
    """The records there are because of one document."""
    console.print(Text("in Odoo", "bold"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("what", "record", "state", "who", "where"):
        table.add_column(heading, overflow="fold")
    for each in found:
        state = "deleted there" if each.gone else each.state or ""
        if each.record_id is None and not each.gone:
            state = "not known whether it was written"
        if each.stage and each.state == "open":
            state = f"{state}, {each.stage}"
        number = "" if each.record_id is None else f" {each.record_id}"
        table.add_row(
            Text(each.role.replace("_", " ")),
            Text(f"{each.model}{number}"),
            Text(state, "red" if each.gone else ""),
            Text(each.assignee or ""),
            Text(each.link or "", "dim"),
        )
    console.print(table)


def outgoing_line(counts: dict[DeliveryState, int]) -> Text | None:
    """What was given up or put off, in one line; nothing where all goes well."""
    dead, later = counts[DeliveryState.DEAD], counts[DeliveryState.PUT_OFF]
    if dead:
        some = f"deliver{'y was' if dead == 1 else 'ies were'} given up: `idp deliver list`"
        return Text(f"{dead} {some}", "bold red")
    if later:
        some = f"deliver{'y is' if later == 1 else 'ies are'} put off: `idp deliver list`"
        return Text(f"{later} {some}", "yellow")
    return None


def handover_line(figures: HandoverFigures) -> Text | None:
    """What lies in Odoo, in one line; nothing before anything was handed over."""
    if not figures:
        return None
    parts = [f"{figures.open} open"]
    parts += [f"{number} {name}" for number, name in _worth_saying(figures)]
    times = [
        f"{name} {in_words(spread.median)}"
        for name, spread in (
            ("taken after", figures.to_assigned),
            ("done after", figures.to_done),
        )
        if spread is not None
    ]
    line = f"in Odoo: {', '.join(parts)}"
    return Text(f"{line}; half are {', '.join(times)}" if times else line, "dim")


def _worth_saying(figures: HandoverFigures) -> list[tuple[int, str]]:
    counts = (
        (figures.unassigned, "with nobody"),
        (figures.overdue, "overdue"),
        (figures.done, "done"),
        (figures.deleted, "deleted there"),
        (figures.uncertain, "in doubt"),
    )
    return [(number, name) for number, name in counts if number]

# SPDX-License-Identifier: Apache-2.0
"""A remittance for people at a terminal: its balance, what is off, reasons and denied claims."""

from __future__ import annotations

import itertools
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from idp.document import Document, ReasonGroup, RemittanceSummary

_MOST_DENIED = 20
_MOST_NAMED = 20


def remittance(console: Console, found: Document) -> None:
    """The balance on one line, then what to look at first, then the reasons by amount."""
    summary = found.remittance
    if summary is None:
        return
    line = Text("  balance  ", "dim")
    for title, amount in _way(summary):
        line.append(f"{title} ", "dim")
        line.append(f"{amount:,.2f}   ")
    word, style = _verdict(summary)
    line.append(word, style)
    console.print(line, soft_wrap=True)
    for culprit, proposed in _culprits(summary).items():
        line = Text("  look at  ", "red")
        line.append(culprit.replace(".", " ").replace("_", " "), "bold")
        line.append(f" first: {proposed:,.2f} would make it balance")
        console.print(line, soft_wrap=True)
    if summary.reasons:
        console.print(Padding(_reasons(summary.reasons), (0, 0, 0, 2)))
    if summary.denied:
        line = Text("  denied   ", "bold yellow")
        line.append(", ".join(summary.denied[:_MOST_DENIED]))
        more = len(summary.denied) - _MOST_DENIED
        line.append(f" and {more} more" if more > 0 else "")
        console.print(line, soft_wrap=True)


def _way(summary: RemittanceSummary) -> list[tuple[str, Decimal]]:
    steps = (
        ("billed", summary.billed),
        ("adjusted", summary.adjusted),
        ("patient", summary.patient),
        ("left over", summary.left_over or None),
        ("claims pay", summary.paid),
        ("provider adjustments", summary.provider_adjusted),
        ("payment", summary.payment),
    )
    return [(title, amount) for title, amount in steps if amount is not None]


def _culprits(summary: RemittanceSummary) -> dict[str, Decimal]:
    """Each amount that alone explains what fails, with what it would be."""
    found = {
        each.culprit: each.proposed
        for each in summary.imbalances
        if each.culprit is not None and each.proposed is not None
    }
    return dict(itertools.islice(found.items(), _MOST_NAMED))


def _verdict(summary: RemittanceSummary) -> tuple[str, str]:
    if summary.balanced is None:
        return "nothing to check", "dim"
    return ("balances", "green") if summary.balanced else ("does not balance", "bold red")


def _reasons(reasons: tuple[ReasonGroup, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("code", "reason", "remarks"):
        table.add_column(name, overflow="fold")
    for name in ("claims", "amount"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("queue", overflow="fold")
    for each in reasons:
        table.add_row(
            Text(f"{each.group}-{each.reason}" if each.group else each.reason),
            Text(each.title, "yellow" if each.denial else ""),
            Text(", ".join(each.remarks)),
            str(each.claims),
            "" if each.amount is None else f"{each.amount:,.2f}",
            Text(each.queue or "", "dim"),
        )
    return table

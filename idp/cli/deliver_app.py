# SPDX-License-Identifier: Apache-2.0
"""``idp deliver``: what leaves, what failed, begin it anew."""

from __future__ import annotations

from typing import Annotated

import typer

from idp.cli.border import guarded
from idp.outgoing import DeliveryState

_EPILOG = """[bold]When a delivery failed[/]
  idp deliver list                     what waits, what failed, and why
  idp deliver retry --all              once the cause is mended: begin all of it now

A delivery that is out of luck for reasons of the other side (it is down, a right is missing) is
[bold]put_off[/] and goes on by itself. One that was refused again and again is [bold]dead[/]: its
document waits in quarantine for `idp deliver retry`.
"""

deliver_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="What leaves: list deliveries, retry those that failed.",
)

Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]


@deliver_app.command("list")
@guarded
def list_(
    *,
    state: Annotated[
        DeliveryState | None,
        typer.Option(help="Only these; without it all that are not done."),
    ] = None,
    json: Json = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most deliveries to list.")] = 100,
) -> None:
    """Deliveries that wait or failed: since when, how often tried, what stopped them.

    Example:  idp deliver list --state dead --json | jq -r '.deliveries[].document_id'
    """
    from idp.cli.deliver import list_deliveries  # noqa: PLC0415

    list_deliveries(state, limit=limit, as_json=json)


@deliver_app.command("retry")
@guarded
def retry(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Document ids, or their last 6 or more characters."),
    ] = None,
    *,
    all: Annotated[bool, typer.Option("--all", help="Everything that failed or waits.")] = False,
    json: Json = False,
) -> None:
    """Begin deliveries that were given up or put off now; a running appliance takes them up.

    What was given up leaves quarantine and is tried as often as the first time. It is the same
    delivery, under the same key, so what had arrived after all is not delivered twice. Calling it
    again is safe: what has begun is left alone. Who did it is on the record.

    Example:  idp deliver retry 7f3a91c2
    Example:  idp deliver retry --all
    """
    from idp.cli.deliver import retry_deliveries  # noqa: PLC0415

    if bool(documents) == all:
        raise typer.BadParameter("name documents, or --all")
    retry_deliveries(documents or None, as_json=json)

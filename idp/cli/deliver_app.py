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

[bold]Before anything is delivered to Odoo[/]
  idp deliver check                    does the server answer, may our user do all that it must?
  idp deliver preview --server ID      what would be written there, and what look-ups find

A delivery that is out of luck for reasons of the other side (it is down, a right is missing) is
[bold]put_off[/] and goes on by itself. One that was refused again and again is [bold]dead[/]: its
document waits in quarantine for `idp deliver retry`.
"""

deliver_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="What leaves: list deliveries, retry those that failed, preview and check Odoo.",
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


@deliver_app.command("preview")
@guarded
def preview(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID|FILE", help="A stored document, or a file that is processed and not kept."
        ),
    ],
    *,
    server: Annotated[
        bool,
        typer.Option(
            "--server", help="Ask the server of deliver.odoo; without it an Odoo 19 is assumed."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """What would be written into Odoo, record by record, by the mapping in force; a dry run.

    Nothing is written, also with --server: look-ups are made, what would be made is not. Values of
    the document are shown.

    Example:  idp deliver preview fax.tif
    Example:  idp deliver preview 7f3a91c2 --server
    """
    from idp.cli.deliver_preview import preview_delivery  # noqa: PLC0415

    preview_delivery(what, server=server, as_json=json)


@deliver_app.command("check")
@guarded
def check(*, json: Json = False) -> None:
    """Can documents be delivered to Odoo: the lines of `idp doctor` about it alone.

    Example:  idp deliver check
    """
    from idp.cli.doctor import examine  # noqa: PLC0415

    examine(as_json=json, about="odoo")

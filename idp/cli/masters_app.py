# SPDX-License-Identifier: Apache-2.0
"""``idp masters``: our own members, providers and payers, imported and asked."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from idp.cli.border import guarded

_EPILOG = """[bold]Examples[/]
  idp masters import members members.csv
  idp masters import members export.csv --columns canonical_id=MRN,member_id=CARDNO --update
  idp masters import payers sqlite:///plans.db --query "SELECT name, pattern FROM plan"
  idp masters list
  idp masters find members --name "Example, Ada" --dob 1968-07-22 --id XZ527418096

An import replaces the whole directory in one step, and the running service takes it up with the
next document. The directories hold patients' data: they lie in the data folder, for its owner only.
"""

masters_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="Directories of members, providers and payers: who a document means, and whether the "
    "member ID is right.",
)

Directory = Annotated[
    Literal["members", "providers", "payers"], typer.Argument(metavar="members|providers|payers")
]
Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]


@masters_app.command("import")
@guarded
def import_(
    directory: Directory,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A CSV file, or an SQLAlchemy URL.")
    ],
    *,
    query: Annotated[
        str | None, typer.Option(metavar="SELECT", help="What to read from the database.")
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            metavar="COLUMN=HEADER,...",
            help="Where a header is not understood by itself: member_id=MRN,last_name=NAME1.",
        ),
    ] = "",
    update: Annotated[
        bool, typer.Option("--update", help="Keep entries that SOURCE does not have.")
    ] = False,
    json: Json = False,
) -> None:
    """Replace a directory by what is in SOURCE, whole or not at all.

    Encoding, delimiter and the meaning of the columns are recognised. Rows that can't be taken are
    counted with their line numbers; what they hold is never printed.

    Example:  idp masters import members members.csv --columns member_id=MRN
    """
    from idp.cli.masters import import_masters  # noqa: PLC0415

    import_masters(directory, source, query=query, columns=columns, update=update, as_json=json)


@masters_app.command("list")
@guarded
def list_(*, json: Json = False) -> None:
    """What was imported: entries, edition, source, when.

    Example:  idp masters list --json | jq '.directories[].entries'
    """
    from idp.cli.masters import list_masters  # noqa: PLC0415

    list_masters(as_json=json)


@masters_app.command()
@guarded
def find(
    directory: Directory,
    *,
    name: Annotated[str, typer.Option(help="As printed: 'Last, First M' or 'First Last'.")] = "",
    dob: Annotated[str, typer.Option(help="Birth date.")] = "",
    id: Annotated[  # the option's name is --id
        str, typer.Option("--id", help="Member ID; of a provider the NPI.")
    ] = "",
    phone: Annotated[str, typer.Option(help="Telephone.")] = "",
    fax: Annotated[str, typer.Option(help="Fax.")] = "",
    tax_id: Annotated[str, typer.Option(help="Tax ID of a provider.")] = "",
    payer: Annotated[str, typer.Option(help="The payer's name, for a member.")] = "",
    json: Json = False,
) -> None:
    """Who is meant, as a document would be judged, and why: candidate by candidate.

    Example:  idp masters find members --name "Ada Exarnple" --dob 7/22/1968 --id XZS27418O96
    """
    from idp.cli.masters import find_in_masters  # noqa: PLC0415

    find_in_masters(
        directory, name=name, dob=dob, number=id, phone=phone, fax=fax, tax_id=tax_id,
        payer=payer, as_json=json,
    )  # fmt: skip


@masters_app.command()
@guarded
def remove(directory: Directory) -> None:
    """Forget a directory; documents that were judged by it stay as they are.

    Example:  idp masters remove members
    """
    from idp.cli.masters import remove_masters  # noqa: PLC0415

    remove_masters(directory)

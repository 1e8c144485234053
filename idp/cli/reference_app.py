# SPDX-License-Identifier: Apache-2.0
"""``idp reference``: code lists and registers that the rules look things up in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from idp.cli.border import guarded

_EPILOG = """[bold]Example[/]
  idp reference list                                       what there is, and what lacks
  idp reference import nppes NPPES_Data_Dissemination.zip  nine million rows take some minutes
  idp reference import hcpcs HCPC2026_JAN_ANWEB.txt
  idp reference import icd10cm icd10cm_order_2027.txt      beside the edition before
  idp reference import carc carc.csv --edition 2026-11
  idp reference look hcpcs J1885 --on 2026-03-12

The running service takes an import up with the next document. Where to get each file, how often,
and under which licence: docs/decisions/reference.md.
"""

reference_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="Code lists and registers (NPPES, HCPCS, ICD-10-CM, CARC, ...) that rules look things "
    "up in.",
)

Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]
Kind = Annotated[
    str, typer.Argument(metavar="KIND", help="As `idp reference list` names it: nppes, hcpcs, ...")
]
_DAY = ["%Y-%m-%d"]


@reference_app.command("import")
@guarded
def import_(
    kind: Kind,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="As its publisher gives it; a ZIP as it is.")
    ],
    *,
    edition: Annotated[
        str | None, typer.Option(help="Its name; by default as the file's name tells, or today.")
    ] = None,
    valid_from: Annotated[
        dt.datetime | None,
        typer.Option(formats=_DAY, help="First day of service (icd10cm), if its name is silent."),
    ] = None,
    valid_to: Annotated[
        dt.datetime | None, typer.Option(formats=_DAY, help="Last day of service (icd10cm).")
    ] = None,
    update: Annotated[
        bool | None,
        typer.Option(
            "--update/--whole",
            help="Renews single entries (NPPES weekly), or is a whole file; by default as its "
            "name tells.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take it though it has far fewer rows than before.")
    ] = False,
    json: Json = False,
) -> None:
    """Put a publisher's file in force, on the record; the same file again changes nothing.

    Killed halfway, what was in force before stays so. Example: idp reference import carc carc.csv
    """
    from idp.cli.reference import import_reference  # noqa: PLC0415 - heavy

    import_reference(
        kind,
        file,
        edition=edition,
        valid=(valid_from.date() if valid_from else None, valid_to.date() if valid_to else None),
        update=update,
        force=force,
        as_json=json,
    )


@reference_app.command("list")
@guarded
def list_(*, json: Json = False) -> None:
    """Every kind: what is in force, since when, by whom; and which rules look nothing up."""
    from idp.cli.reference import list_reference  # noqa: PLC0415 - heavy

    list_reference(as_json=json)


@reference_app.command()
@guarded
def check(*, json: Json = False) -> None:
    """Are the imported files whole, and is a newer edition due? Reads them from end to end."""
    from idp.cli.reference import check_reference  # noqa: PLC0415 - heavy

    check_reference(as_json=json)


@reference_app.command()
@guarded
def remove(
    kind: Kind,
    *,
    edition: Annotated[
        str | None, typer.Option(help="Of kinds with several (icd10cm); by default all.")
    ] = None,
    json: Json = False,
) -> None:
    """Forget an import, on the record: rules then look nothing up in it.

    Example: idp reference remove icd10cm --edition 2024
    """
    from idp.cli.reference import remove_reference  # noqa: PLC0415 - heavy

    remove_reference(kind, edition=edition, as_json=json)


@reference_app.command()
@guarded
def look(
    kind: Kind,
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="A code, an NPI, or a CARC (core_combinations).")
    ],
    *,
    on: Annotated[
        dt.datetime | None, typer.Option(formats=_DAY, help="Of that day; by default today.")
    ] = None,
    json: Json = False,
) -> None:
    """What a list says of a code, as the rules see it.

    Example: idp reference look nppes 1234567893
    """
    from idp.cli.reference import look_up  # noqa: PLC0415 - heavy

    look_up(kind, code, on=on.date() if on else None, as_json=json)

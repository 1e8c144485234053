# SPDX-License-Identifier: Apache-2.0
"""``idp rules``: what payers ask for, beside what the schemas require."""

from __future__ import annotations

from typing import Annotated

import typer

from idp.cli.border import guarded

_EPILOG = """[bold]Your own[/] lie in <data>/rules/payers, one YAML file each, and are laid over
those of the program: a requirement with the id of an earlier one takes its place.

  idp rules list --payer cigna           what Cigna asks for
  idp rules show tx-nofr001-dme-order    one requirement with its source
  idp rules check                        are all files well formed?
"""

rules_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="Requirements of payers: who asks for what, for which service, since when, by which "
    "document.",
)

Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]


@rules_app.command("list")
@guarded
def list_(
    *,
    payer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what this payer asks for.")
    ] = None,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only for this document type.")
    ] = None,
    json: Json = False,
) -> None:
    """Every requirement in force today.

    Example:  idp rules list --payer "Cigna Healthcare" --type prior_auth_request
    """
    from idp.cli.rules import list_requirements  # noqa: PLC0415

    list_requirements(payer=payer, type_=type_, as_json=json)


@rules_app.command("show")
@guarded
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `idp rules list` names it.")],
    *,
    json: Json = False,
) -> None:
    """One requirement: for whom, when, what lacks when it is not met, and where it is written.

    Example:  idp rules show cigna-drug-alternatives
    """
    from idp.cli.rules import show_requirement  # noqa: PLC0415

    show_requirement(id_, as_json=json)


@rules_app.command("check")
@guarded
def check(*, json: Json = False) -> None:
    """Read all files of requirements, letters and the mapping to Odoo; a fault names file and key.

    Example:  idp rules check && systemctl restart idp
    """
    from idp.cli.rules import check_rules  # noqa: PLC0415

    check_rules(as_json=json)

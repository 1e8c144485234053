# SPDX-License-Identifier: Apache-2.0
"""``idp users``: who may come in to review, and as what."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from idp.cli.border import guarded

_EPILOG = """[bold]Examples[/]
  idp users add rita --role reviewer            asks for the password, twice, unseen
  pass show idp/rita | idp users add rita --role reviewer --stdin
  idp users add rita --role reviewer --sign-on  only through the trusted proxy, no password
  idp users list
  idp users role rita lead
  idp users password rita
  idp users remove rita

[bold]Roles[/]: a reviewer sees the documents handed to them; a lead sees all that wait and may mend
anybody's review; an administrator the same; a manager sees numbers and no patient's page.
Every change is on the record under your name. See docs/review-access.md.
"""

users_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="People who may come in through the gate to review.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Sign-in name, small letters.")]
RoleName = Literal["reviewer", "lead", "manager", "administrator"]
Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]
Stdin = Annotated[
    bool, typer.Option("--stdin", help="Read the password from standard input, one line.")
]
NoPassword = Annotated[
    bool, typer.Option("--sign-on", help="No password: only the trusted proxy lets them in.")
]


@users_app.command()
@guarded
def add(
    name: Name,
    *,
    role: Annotated[RoleName, typer.Option(help="What they may do.")],
    stdin: Stdin = False,
    sign_on: NoPassword = False,
) -> None:
    """An account; one that was removed is restored with the new role and password.

    The password is for the first sign-in alone: it opens nothing but the page that changes it.

    Example:  idp users add rita --role reviewer
    """
    from idp.cli.users import add_user  # noqa: PLC0415

    add_user(name, role, stdin=stdin, sign_on=sign_on)


@users_app.command("list")
@guarded
def list_(
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Removed people as well.")] = False,
    json: Json = False,
) -> None:
    """Who there is, their role, and when they last signed in.

    Example:  idp users list --json | jq -r '.people[] | [.name, .role, .signed_in_at] | @tsv'
    """
    from idp.cli.users import list_users  # noqa: PLC0415

    list_users(everybody=everybody, as_json=json)


@users_app.command()
@guarded
def role(
    name: Name,
    role: Annotated[RoleName, typer.Argument(metavar="reviewer|lead|manager|administrator")],
) -> None:
    """Change what somebody may do, from their next click on.

    Example:  idp users role rita lead
    """
    from idp.cli.users import change_role  # noqa: PLC0415

    change_role(name, role)


@users_app.command()
@guarded
def password(name: Name, *, stdin: Stdin = False, sign_on: NoPassword = False) -> None:
    """A new password; lifts a lock, and ends all of their sessions.

    It is for one sign-in alone: it opens nothing but the page that changes it.

    Example:  idp users password rita
    """
    from idp.cli.users import change_password  # noqa: PLC0415

    change_password(name, stdin=stdin, sign_on=sign_on)


@users_app.command()
@guarded
def remove(name: Name) -> None:
    """Shut somebody out at once; what they did stays on the record under their name.

    Example:  idp users remove rita
    """
    from idp.cli.users import remove_user  # noqa: PLC0415

    remove_user(name)

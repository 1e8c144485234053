# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``idp users``."""

from __future__ import annotations

import datetime as dt
import getpass
import re
import sys

from pydantic import TypeAdapter
from rich.table import Table
from rich.text import Text

from idp.cli.border import messages, print_json, tables
from idp.cli.house import actor
from idp.errors import SettingsError
from idp.settings import Settings, load_settings
from idp.store import PersonRow, Role, Store

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_MOST_LINE = 1024


def add_user(name: str, role: str, *, stdin: bool, sign_on: bool) -> None:
    """Make an account."""
    settings = load_settings()
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise SettingsError(
            "a name has 1 to 64 small letters, digits and . _ @ -, and begins with one of the "
            "first two"
        )
    store = _open(settings)
    kept = None if sign_on else _new_password(settings, name, stdin=stdin)
    person = store.add_person(name, Role(role), kept, actor=actor(), must_change=True)
    store.close()
    messages().print(f"{person.name} may come in as {person.role}{_changes(kept)}", markup=False)


def list_users(*, everybody: bool, as_json: bool) -> None:
    """Who there is."""
    settings = load_settings()
    store = _open(settings)
    people = store.people(removed=everybody)
    store.close()
    if as_json:
        plain = TypeAdapter(tuple[PersonRow, ...]).dump_python(people, mode="json")
        print_json({"schema": "idp.users/1", "people": plain})
        return
    if not people:
        tables().print(Text("nobody yet: idp users add NAME --role reviewer", "dim"))
        return
    table = Table("name", "role", "signs on by", "last signed in", "state", box=None)
    now = dt.datetime.now(dt.UTC)
    for person in people:
        seen = person.signed_in_at
        table.add_row(
            Text(person.name),
            person.role,
            "password" if person.has_password else "proxy",
            f"{seen.astimezone():%Y-%m-%d %H:%M}" if seen is not None else "never",
            _state(person, now),
        )
    tables().print(table)


def change_role(name: str, role: str) -> None:
    """Change what somebody may do."""
    store = _open(load_settings())
    person = store.set_role(name, Role(role), actor=actor())
    store.close()
    messages().print(f"{person.name} is {person.role}", markup=False)


def change_password(name: str, *, stdin: bool, sign_on: bool) -> None:
    """Give somebody a new password."""
    settings = load_settings()
    store = _open(settings)
    name = store.person(name).name
    kept = None if sign_on else _new_password(settings, name, stdin=stdin)
    store.set_password(name, kept, actor=actor(), must_change=True)
    store.close()
    messages().print(
        f"{name} has a new way in{_changes(kept)}; all sessions have ended", markup=False
    )


def remove_user(name: str) -> None:
    """Shut somebody out."""
    store = _open(load_settings())
    person = store.remove_person(name, actor=actor())
    store.close()
    messages().print(f"{person.name} is shut out; all sessions have ended", markup=False)


def _changes(kept: str | None) -> str:
    return "" if kept is None else ", and chooses a password of their own at the first sign-in"


def _open(settings: Settings) -> Store:
    """The store with its tables as of this version: accounts may come before the first start."""
    settings.data.mkdir(mode=0o750, parents=True, exist_ok=True)
    store = Store(settings.resolved_database_url, settings.data / "store")
    store.migrate()
    return store


def _state(person: PersonRow, now: dt.datetime) -> str:
    if not person.active:
        return "removed"
    if person.locked_until is not None and person.locked_until > now:
        return f"locked until {person.locked_until.astimezone():%H:%M}"
    return "must change the password" if person.must_change else ""


def _new_password(settings: Settings, name: str, *, stdin: bool) -> str:
    """The hash of a password as typed; never from the command line, where others could see it."""
    from idp.gate import hashed  # noqa: PLC0415 - heavy

    if stdin:
        password = sys.stdin.readline(_MOST_LINE).rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("New password: ")
        if getpass.getpass("Once more: ") != password:
            raise SettingsError("the two passwords differ", hint="Call it again.")
    else:
        raise SettingsError(
            "there is no terminal to type a password at",
            hint="Pipe it in with --stdin, or use --sign-on.",
        )
    return hashed(password, name=name, fewest=settings.access.password_characters)

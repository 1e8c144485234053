# SPDX-License-Identifier: Apache-2.0
"""What an error of Odoo's means to us, in words that hold no value of a document.

Odoo's own texts quote what was sent ("The partner 'Jane Doe' ..."), so of them only the class,
names of models, fields and operations, and groups that give a right are passed on.
"""

from __future__ import annotations

import re

from idp.errors import (
    OdooError,
    OdooRefusedError,
    OdooRightsError,
    OdooUncertainError,
)

_OPERATIONS = {"access": "read", "modify": "write", "create": "create", "delete": "unlink"}
_BY_METHOD = {
    **dict.fromkeys(("read", "search", "search_read", "search_count", "name_search"), "read"),
    **dict.fromkeys(("create", "load", "name_create"), "create"),
    "write": "write",
    "unlink": "unlink",
}
_MODEL = r"\((?P<model>[a-z0-9_]+(?:\.[a-z0-9_]+)*)(?:[:)])"
# ir.model.access: no group of the bot's gives it.
_NO_ACCESS = re.compile(rf"not allowed to (?P<operation>access|modify|create|delete) .*?{_MODEL}")
# ir.rule: not these records.
_RULE = re.compile(
    rf"doesn't have '(?P<operation>read|write|create|unlink)' access to:\s*- [^\n]*?{_MODEL}"
)
# A field with groups of its own.
_FIELD = re.compile(
    rf'rights to access the field "(?P<field>[a-z0-9_]+)" on .*?{_MODEL}'
    r"(?:.*?Operation: (?P<operation>read|write))?",
    re.DOTALL,
)
_GROUPS = re.compile(r"allowed for the following groups:\n(?P<groups>(?:\s+- [^\n]+\n?)+)")
_NO_GROUP = "No group currently allows this operation"
_NAMED_FIELD = re.compile(
    # Quoted, or with a dot or underscore: other words after "field" are of a sentence.
    r"""[Ff]ields? (?:(?P<quote>['"`])(?=[a-z0-9_.]+(?P=quote))|(?=[a-z0-9]+[._]))"""
    r"(?P<field>[a-z][a-z0-9_.]*[a-z0-9_])"
)

_UNKNOWN_USER = frozenset(("AccessDenied", "SessionExpiredException", "Unauthorized"))
_TRANSIENT = frozenset(
    (
        "ConcurrencyError",
        "DeadlockDetected",
        "InterfaceError",
        "LockNotAvailable",
        "MemoryError",
        "OperationalError",
        "PoolError",
        "ReadOnlySqlTransaction",
        "SerializationFailure",
        "AdminShutdown",
        "LockError",
        "QueryCanceled",
    )
)
"""Errors of the server's state, not of what was sent: rolled back, and worth another try."""

_MOST_GROUPS = 6


def refusal(model: str, method: str, name: str, text: str) -> OdooError:
    """The error for what the server says of a call.

    Args:
        model: Called.
        method: Called.
        name: Class of the server's exception, as ``odoo.exceptions.AccessError``.
        text: Its message; read for names only.
    """
    kind = name.rpartition(".")[2] or "unnamed error"
    if kind in _UNKNOWN_USER:
        return wrong_key()
    if kind == "AccessError":
        operation = _BY_METHOD.get(method, method)
        return missing_right(text) or OdooRightsError(f"the bot user may not {operation} {model}")
    if is_no_database(text):
        told = "the server has no database of that name"
        return OdooRefusedError(told, hint="Check deliver.odoo.database.")
    if kind in _TRANSIENT:
        return OdooUncertainError(f"{model}.{method}: {kind} on the server")
    if is_no_model(model, text):
        return OdooRefusedError(f"the server has no model {model}")
    fields = ", ".join(sorted({found["field"] for found in _NAMED_FIELD.finditer(text)}))
    return OdooRefusedError(f"{model}.{method}: {kind}" + (f", field {fields}" if fields else ""))


def missing_right(text: str) -> OdooRightsError | None:
    """The right that a message of Odoo's says is missing; ``None`` where it says something else.

    Also for the messages of ``load()``, which are no exceptions.
    """
    if found := _NO_ACCESS.search(text):
        operation = _OPERATIONS[found["operation"]]
        told = f"the bot user lacks the right to {operation} {found['model']}"
        groups = _groups(text)
        if groups:
            return OdooRightsError(
                f"{told}: one of the groups {groups} gives it",
                hint="Give the bot user one of these groups (docs/odoo.md, Rights).",
            )
        if _NO_GROUP in text:
            return OdooRightsError(f"{told}, and no group of that server gives it")
        return OdooRightsError(told)
    if found := _FIELD.search(text):
        what = f"{found['operation'] or 'read'} the field {found['field']} of {found['model']}"
        return OdooRightsError(f"the bot user lacks the right to {what}")
    if found := _RULE.search(text):
        what = f"{found['operation']} some records of {found['model']}"
        return OdooRightsError(
            f"the bot user lacks the right to {what}: a record rule of that server keeps it out",
            hint="See docs/odoo.md, Rights: teams, projects, companies and folders have members.",
        )
    return None


def _groups(text: str) -> str:
    found = _GROUPS.search(text)
    if found is None:
        return ""
    names = [line.strip().removeprefix("- ").strip() for line in found["groups"].splitlines()]
    names = [f'"{name}"' for name in names if name]
    more = f" and {len(names) - _MOST_GROUPS} more" if len(names) > _MOST_GROUPS else ""
    return ", ".join(names[:_MOST_GROUPS]) + more


def wrong_key() -> OdooRefusedError:
    """The bot's name or key is not taken."""
    return OdooRefusedError(
        "the server does not take the user's API key",
        hint="Check deliver.odoo.user and the first line of deliver.odoo.key_file; make a new "
        "API key for the bot in its preferences where it has expired.",
    )


def is_no_database(text: str) -> bool:
    """Whether a message says that the database is not there."""
    return "No database is selected" in text or bool(
        re.search(r'database "[^"]+" does not exist', text)
    )


def is_no_model(model: str, text: str) -> bool:
    """Whether a message says that the model is not there."""
    return (
        f"Object {model} doesn't exist" in text
        or f"the model {model!r} does not exist" in text
        or f"KeyError: '{model}'" in text
    )


def not_understood(address: str) -> OdooUncertainError:
    """An answer without the parts that the protocol wants."""
    return OdooUncertainError(f"{address}: an answer that is none of Odoo's protocol")

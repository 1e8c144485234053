# SPDX-License-Identifier: Apache-2.0
"""What may go through to Label Studio: a list of rules by role; whatever is not on it may not."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from idp.store import Role

_PLACEHOLDERS = {"{n}": "[0-9]{1,18}", "{file}": "[A-Za-z0-9][A-Za-z0-9._@/-]*"}
# No percent sign: what Label Studio would decode to something else never reaches the rules.
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9._@/-]*")
_NUMBER = re.compile("/([0-9]{1,18})(?=/|$)")
_MOST_PARAMETERS = 50

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Rule(BaseModel):
    """One thing that may be asked of Label Studio; ``routes.yaml`` explains the keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    methods: frozenset[Method]
    path: str
    query: dict[str, tuple[str, ...]] = {}
    body: tuple[str, ...] | None = None
    check: Literal["served", "answer", "own", "next"] | None = None
    answer: Literal["stream", "json", "page", "bundle"] = "stream"
    ahead: tuple[str, ...] = ()
    instead: Any = None
    roles: frozenset[Role]

    def fits(self, method: str, path: str, query: dict[str, list[str]]) -> bool:
        """Whether a request is what the rule speaks of."""
        return (
            method in self.methods
            and _pattern(self.path).fullmatch(path) is not None
            and all(_has(query, key, values) for key, values in self.query.items())
        )


def shipped_rules() -> tuple[Rule, ...]:
    """The rules that come with the program, in their order."""
    text = resources.files("idp.gate").joinpath("routes.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Rule, ...]).validate_python(yaml.safe_load(text))


def rule_for(
    rules: tuple[Rule, ...], role: Role, method: str, raw_path: bytes, raw_query: bytes
) -> Rule | None:
    """The rule that lets a role's request through, or ``None``: it is refused.

    Args:
        rules: In their order.
        role: Of the person who asks.
        method: In capitals.
        raw_path: As sent, not decoded.
        raw_query: As sent, without the question mark.
    """
    try:
        path = raw_path.decode("ascii")
        given = parse_qsl(
            raw_query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw_query),
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        return None
    if not _PLAIN_PATH.fullmatch(path) or ".." in path or "//" in path:
        return None
    query: dict[str, list[str]] = {}
    for key, value in given:
        query.setdefault(key, []).append(value)
    for rule in rules:
        if role in rule.roles and rule.fits(method, path, query):
            return rule
    return None


def numbers(path: str) -> list[int]:
    """The numbers that are a part of a path by themselves, in their order."""
    return [int(found) for found in _NUMBER.findall(path)]


def _has(query: dict[str, list[str]], key: str, values: tuple[str, ...]) -> bool:
    """The parameter is there exactly once, with one of the values; no values: with any."""
    given = query.get(key, [])
    return len(given) == 1 and (not values or given[0] in values)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    for placeholder, pattern in _PLACEHOLDERS.items():
        path = path.replace(placeholder, pattern)
    return re.compile(path)

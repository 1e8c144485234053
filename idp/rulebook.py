# SPDX-License-Identifier: Apache-2.0
"""The book of rules: every rule that a finding may carry, with its promise and its source.

A rule is entered where it is written: a function by :func:`rule`, one that has no function of its
own by :func:`enter`. ``docs/rules.md`` is made from the book, and a test fails where a finding
carries a rule that is not in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from idp.document import Severity

_Function = TypeVar("_Function", bound=Callable[..., object])


class RuleEntry(NamedTuple):
    """One entry: ``severity`` is the gravest that the rule gives, ``version`` grows with it."""

    rule: str
    promise: str
    severity: Severity
    source: str
    where: str
    """Module and function, or the module alone."""
    version: int


_BOOK: dict[tuple[str, str], RuleEntry] = {}


def rule(
    number: str, *, severity: Severity, source: str, version: int = 1
) -> Callable[[_Function], _Function]:
    """Enters the decorated function; the first line of its docstring is the promise.

    Args:
        number: What its findings carry, as ``N1``.
        severity: The gravest that it gives.
        source: Where the rule comes from: a standard with its clause, a code of regulations.
        version: To be raised whenever the function would judge some document differently.
    """

    def entered(function: _Function) -> _Function:
        promise = (inspect.getdoc(function) or "").split("\n", 1)[0]
        name = getattr(function, "__qualname__", "")
        where = f"{function.__module__}.{name}"
        _put(RuleEntry(number, promise, severity, source, where, version))
        return function

    return entered


def enter(
    number: str, promise: str, *, severity: Severity, source: str, where: str, version: int = 1
) -> str:
    """Enters a rule without a function of its own and returns its number."""
    _put(RuleEntry(number, promise, severity, source, where, version))
    return number


def entries() -> tuple[RuleEntry, ...]:
    """Everything entered so far, by number; modules enter their rules when they are imported."""
    return tuple(sorted(_BOOK.values(), key=lambda e: (e.rule[0], int(e.rule[1:] or 0), e.where)))


def _put(entry: RuleEntry) -> None:
    if not entry.promise or not entry.source:
        raise ValueError(f"rule {entry.rule} at {entry.where} names no promise or no source")
    known = _BOOK.get((entry.rule, entry.where))
    if known is not None and known != entry:
        raise ValueError(f"rule {entry.rule} at {entry.where} is entered twice")
    _BOOK[entry.rule, entry.where] = entry

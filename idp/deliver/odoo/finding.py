# SPDX-License-Identifier: Apache-2.0
"""Records that people keep on the server, by what a mapping says of them: many in one question."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from idp.deliver.odoo.loading import Line, Loader
from idp.deliver.odoo.parcel import PREFIX, Find
from idp.errors import OdooError, OdooRefusedError

NONE = "none"
SEVERAL = "several"

Found = int | str | OdooError
"""A number, :data:`NONE`, :data:`SEVERAL`, or why it could not even be looked for."""

_NEGATIVE_SHARE = 0.1
"""Of the time that a number is remembered, what was not found is not found: people add it."""
_SPARE_ROWS = 200
_MOST_AT_ONCE = 100


class Finder:
    """Looks records up in batches and remembers them for a while. Safe for threads."""

    def __init__(self, loader: Loader, *, keep_seconds: float) -> None:
        self._loader = loader
        self._keep_seconds = keep_seconds
        self._known: dict[Find, tuple[float, Found]] = {}

    def find(self, wanted: Collection[Find]) -> dict[Find, Found]:
        """What is there for each. Records with ``make`` are made where there is none.

        Raises:
            OdooUnreachableError, OdooUncertainError: The server does not answer.
        """
        now = time.monotonic()
        answers = {
            find: known[1]
            for find in wanted
            if (known := self._known.get(find)) is not None and now < known[0]
        }
        groups: dict[tuple[str, tuple[str, ...]], list[Find]] = defaultdict(list)
        alone: list[Find] = []
        for find in dict.fromkeys(wanted):
            if find in answers:
                continue
            names = tuple(sorted({name for name, _, _ in find.domain}))
            plain = all(operator == "=" and "." not in name for name, operator, _ in find.domain)
            if plain and find.domain and len(names) == len(find.domain):
                groups[find.model, names].append(find)
            else:
                alone.append(find)
        for (model, names), finds in groups.items():
            for start in range(0, len(finds), _MOST_AT_ONCE):
                answers.update(self._together(model, names, finds[start : start + _MOST_AT_ONCE]))
        for find in alone:
            answers[find] = self._alone(find)
        for find in wanted:
            if answers[find] == NONE and find.make:
                answers[find] = self._make(find)
        self._remember(answers)
        return answers

    def forget(self, finds: Iterable[Find]) -> None:
        """Look these up anew at the next question."""
        for find in finds:
            self._known.pop(find, None)

    def _remember(self, answers: Mapping[Find, Found]) -> None:
        now = time.monotonic()
        for find, found in answers.items():
            if find in self._known and now < self._known[find][0]:
                continue
            if isinstance(found, int):
                self._known[find] = (now + self._keep_seconds, found)
            elif isinstance(found, str):
                self._known[find] = (now + self._keep_seconds * _NEGATIVE_SHARE, found)
        for find in [each for each, (until, _) in list(self._known.items()) if until <= now]:
            self._known.pop(find, None)

    def _together(
        self, model: str, names: Sequence[str], finds: Sequence[Find]
    ) -> dict[Find, Found]:
        """One question for finds that ask for the same fields."""
        if len(finds) == 1:
            return {finds[0]: self._alone(finds[0])}
        domain: list[Any] = ["|"] * (len(finds) - 1)
        for find in finds:
            domain += ["&"] * (len(find.domain) - 1)
            domain += [list(term) for term in find.domain]
        limit = 2 * len(finds) + _SPARE_ROWS
        try:
            rows = self._loader.odoo.call(
                model, "search_read", domain=domain, fields=list(names), limit=limit
            )
        except OdooRefusedError:
            rows = None
        if rows is None or len(rows) >= limit:
            # One that is wrong, or that finds hundreds, does not speak for the others.
            return {find: self._alone(find) for find in finds}
        return {find: _only([row["id"] for row in rows if _matches(row, find)]) for find in finds}

    def _alone(self, find: Find) -> Found:
        try:
            rows = self._loader.odoo.call(
                find.model,
                "search_read",
                domain=[list(term) for term in find.domain],
                fields=["id"],
                limit=2,
            )
        except OdooError as error:
            if _is_of_the_line(error):
                raise
            return error
        return _only([row["id"] for row in rows])

    def _make(self, find: Find) -> Found:
        """Make what is not there, under an external id of its own: two at once make one."""
        told = repr((find.model, sorted(find.make)))
        external_id = f"{PREFIX}.made_{hashlib.sha256(told.encode()).hexdigest()[:40]}"
        try:
            columns = {
                self._loader.column(
                    find.model, name, record=isinstance(value, int) and not isinstance(value, bool)
                ): ("1" if value else "0") if isinstance(value, bool) else str(value)
                for name, value in find.make
            }
            line = Line(find.model, {"id": external_id, **columns})
            return self._loader.load_one(lambda: line) or NONE
        except OdooError as error:
            if _is_of_the_line(error):
                raise
            return error


def _is_of_the_line(error: OdooError) -> bool:
    """Whether the server is out of reach: then nothing else is worth asking."""
    return error.code in {"odoo_unreachable", "odoo_uncertain"}


def _only(ids: Sequence[int]) -> Found:
    if not ids:
        return NONE
    return ids[0] if len(ids) == 1 else SEVERAL


def _matches(row: Mapping[str, Any], find: Find) -> bool:
    return all(_equal(row[name], value) for name, _, value in find.domain)


def _equal(there: object, wanted: object) -> bool:
    """Whether a value as ``read`` gives it (``[id, name]`` for a record) is the one wanted."""
    if isinstance(there, list):
        of_one_record = len(there) == 2 and isinstance(there[1], str)
        return wanted == there[0] if of_one_record else wanted in there
    return there == wanted

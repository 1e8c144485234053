# SPDX-License-Identifier: Apache-2.0
"""Keeps people's looks at one document apart: who gave one is not handed the next.

What counts is decided where answers are taken (:mod:`idp.looks`); the gate sees to it that nobody
works in vain, and that what leads decide on is shown to leads alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from idp.gate.routes import numbers
from idp.review import provisioned
from idp.reviewing import LEADS_ONLY, NOT_FOR, is_lead_queue
from idp.store import PersonRow, Role, Store

_LEADS = frozenset({Role.LEAD, Role.ADMINISTRATOR})
_OF_THE_QUEUE = frozenset({"query", "view"})
"""Parameters by which a browser could say which tasks it is handed the next one of."""
_MOST_PARAMETERS = 50


class Apart:
    """Knows what is not for somebody. It blocks: the store and a file are asked."""

    def __init__(self, store: Store, folder: Path) -> None:
        """Prepare.

        Args:
            store: Where the looks are.
            folder: The review folder, where the projects' numbers are.
        """
        self._store = store
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._leads_only: frozenset[int] = frozenset()

    def is_closed(self, person: PersonRow, path: str, raw_query: bytes) -> bool:
        """Whether a request names a project that only leads work in, and this is none."""
        if person.role in _LEADS:
            return False
        closed = self.leads_only()
        if not closed:
            return False
        asked = {value for key, value in _parted(raw_query) if key == "project"}
        named = set(numbers(path)) if "/projects/" in path else set()
        return bool(closed & named) or any(str(number) in asked for number in closed)

    def leads_only(self) -> frozenset[int]:
        """The numbers of the projects that only leads work in."""
        try:
            stat = (self._folder / "projects.json").stat()
        except OSError:
            return self._leads_only
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            known = provisioned(self._folder)
            if known is not None:
                self._leads_only = frozenset(
                    number for key, number in known.projects.items() if is_lead_queue(key)
                )
                self._seen = seen
        return self._leads_only

    def narrowed(self, person: PersonRow, raw_query: bytes) -> bytes:
        """The query of a request for the next task, without the tasks that are not for them.

        The filter goes into the address: in the body it would make Label Studio hand out tasks
        that others have open, in another order.
        """
        if not self._store.has_looked(person.name):
            return raw_query
        kept = [(key, value) for key, value in _parted(raw_query) if key not in _OF_THE_QUEUE]
        left_out = {
            "filter": f"filter:tasks:data.{NOT_FOR}",
            "operator": "not_contains",
            "type": "String",
            "value": person.id,
        }
        query = json.dumps({"filters": {"conjunction": "and", "items": [left_out]}})
        return urlencode([*kept, ("query", query)]).encode("ascii")

    def may_see(self, person: PersonRow, told: Any, *, next_one: bool) -> bool:
        """Whether an answer of Label Studio's holds no task that is not for this person.

        Leads may look at every task of the list; they are only not handed what they may not answer.
        """
        for each in told if isinstance(told, list) else [told]:
            data = each.get("data") if isinstance(each, dict) else None
            if not isinstance(data, dict):
                continue
            mine = person.id in str(data.get(NOT_FOR, "")).split()
            if mine and (next_one or person.role not in _LEADS):
                return False
            if data.get(LEADS_ONLY) and person.role not in _LEADS:
                return False
        return True

    def may_answer(self, person: PersonRow, task: int) -> bool:
        """Whether their answer to a task would count."""
        return self._store.may_look(task, person.name, as_lead=person.role in _LEADS)


def _parted(raw_query: bytes) -> list[tuple[str, str]]:
    """A query that the rules let through, as its parts."""
    return parse_qsl(
        raw_query.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
    )

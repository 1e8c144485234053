# SPDX-License-Identifier: Apache-2.0
"""How each of Odoo's models says what became of a work item: which columns, and what they mean.

Releases differ, so a model is read by those of its columns that the server has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OPEN, DONE, CANCELLED, GONE = "open", "done", "cancelled", "gone"

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkModel:
    """One kind of work item. Columns that the server does not have are left out of the question."""

    columns: tuple[str, ...]
    state: Callable[[Values], str]
    people: tuple[str, ...] = ()
    """The first of these that the server has says who works on it."""
    assigned: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()
    """The first of these that is set says when."""

    def wanted(self, there: Collection[str]) -> tuple[str, ...]:
        """The columns to be read from a server that has these."""
        names = (*self.columns, *self.people, *self.assigned, *self.completed, "write_date")
        return tuple(dict.fromkeys(name for name in names if name in there))


def _task(values: Values) -> str:
    """``state`` from 17 on; before and beside it a folded stage, which sets ``date_end``."""
    state = str(values.get("state") or "")
    if state.endswith("_canceled"):
        return CANCELLED
    if state.endswith("_done") or values.get("is_closed") or values.get("date_end"):
        return DONE
    return OPEN if values.get("active", True) else CANCELLED


def _lead(values: Values) -> str:
    """A lost lead is archived; a won one is certain (``won_status`` from 17 on)."""
    certain = "won_status" not in values and float(values.get("probability") or 0) >= 100
    if values.get("won_status") == "won" or certain:
        return DONE
    lost = values.get("won_status") == "lost" or not values.get("active", True)
    return CANCELLED if lost else OPEN


def _ticket(values: Values) -> str:
    """Closed by its stage: OCA calls it ``closed``, the Enterprise edition ``fold``."""
    if values.get("closed") or values.get("fold") or values.get("close_date"):
        return DONE
    return OPEN if values.get("active", True) else CANCELLED


def _payment(values: Values) -> str:
    """A draft waits for a person; what is posted is dealt with."""
    state = values.get("state")
    if state in {"canceled", "cancel", "cancelled", "rejected"}:
        return CANCELLED
    return OPEN if state in {None, False, "draft"} else DONE


def _ours(values: Values) -> str:
    """Our own module says it in our own words."""
    state = str(values.get("state") or OPEN)
    return CANCELLED if state == OPEN and not values.get("active", True) else state


WORK_MODELS: dict[str, WorkModel] = {
    "project.task": WorkModel(
        ("state", "is_closed", "stage_id", "active"),
        _task,
        people=("user_ids", "user_id"),
        assigned=("date_assign",),
        completed=("date_end",),
    ),
    "crm.lead": WorkModel(
        ("won_status", "probability", "stage_id", "active"),
        _lead,
        people=("user_id",),
        assigned=("date_open",),
        completed=("date_closed",),
    ),
    "helpdesk.ticket": WorkModel(
        ("closed", "fold", "stage_id", "active"),
        _ticket,
        people=("user_id",),
        assigned=("assigned_date", "assign_date"),
        completed=("closed_date", "close_date"),
    ),
    "account.payment": WorkModel(("state",), _payment),
    "idp.document": WorkModel(
        ("state", "active"),
        _ours,
        people=("user_id",),
        assigned=("assigned_at",),
        completed=("completed_at",),
    ),
}
"""Every model whose records are work of people."""


def first_person(value: object) -> int | None:
    """The number of the first user in a many-to-one or many-to-many value."""
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return int(value[0])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def first_moment(values: Values, columns: Sequence[str]) -> dt.datetime | None:
    """The first of these columns that holds a time; servers speak of UTC and do not say so."""
    for name in columns:
        if values.get(name):
            return moment_of(str(values[name]))
    return None


def moment_of(text: str) -> dt.datetime:
    """``2026-11-22 20:15:00`` as an aware time."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def stage_of(values: Values) -> str | None:
    """The stage's name as people there see it; of a model without stages its state."""
    stage = values.get("stage_id")
    if isinstance(stage, Sequence) and not isinstance(stage, str) and len(stage) > 1:
        return str(stage[1])
    return str(values["state"]) if values.get("state") and "stage_id" not in values else None

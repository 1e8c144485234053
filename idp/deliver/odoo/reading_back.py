# SPDX-License-Identifier: Apache-2.0
"""What Odoo's people did with the work items, read back into our ledger.

A round asks for those that were changed since the last one (``write_date``, by the server's clock,
with an overlap, for a transaction may be seen later than the time that it wrote). What was never
read, and now and then everything, is asked for without that limit: a stage that was renamed or a
record that was deleted changes no ``write_date``. The watermark is kept in memory and moves only
when a round has ended, so the first round after a start or an outage reads everything anew and
nothing is missed by a kill.

A record that is not found may be deleted, or only be out of the bot's sight. It counts as gone only
when its external id is gone too, which Odoo removes with the record.

Only what Odoo's people do is read: never a name, a title or a text.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.work_models import (
    DONE,
    GONE,
    OPEN,
    WORK_MODELS,
    Values,
    first_moment,
    first_person,
    moment_of,
    stage_of,
)
from idp.errors import OdooError, OdooRefusedError, OdooRightsError, where
from idp.handover import Handover, WorkState

SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
"""Seconds between two attempts when Odoo is out of reach; doubled each time."""
OVERLAP = dt.timedelta(minutes=5)
"""Longer than a transaction of Odoo's lasts."""
COMPLETE_SECONDS = 900.0
"""Between two rounds that ask for everything."""
REOPENED_DAYS = 14
"""So long after it was finished a work item is still looked at: people open things again."""
AT_ONCE = 200
"""Records asked for in one call."""
CONFIRMED_AT_ONCE = 50
"""Records of which is asked one by one whether they were deleted, in one round."""
ROLES = ("work", "record")
"""Work items, and the records of our own module where nothing else was made to work on."""

_log = logging.getLogger(__name__)


class WorkLedger(Protocol):
    """The store's side; see :class:`idp.store.handovers.Handovers`."""

    def work_to_read(
        self, server: str, *, role: str = "work", finished_since: dt.datetime | None = None
    ) -> Sequence[tuple[Handover, WorkState | None]]:
        """Work items that are there, each with what was last seen of it."""

    def note_work_states(self, states: Sequence[WorkState]) -> int:
        """Keep what was seen; returns of how many something had changed."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one round found, in numbers."""

    asked: int = 0
    changed: int = 0
    gone: int = 0
    out_of_sight: int = 0
    """Neither deleted nor visible to the bot: its rights, a company, a private project."""


class ReadingBack:
    """Reads the work items of one server; one thread at a time."""

    def __init__(
        self,
        odoo: Odoo,
        ledger: WorkLedger,
        *,
        bot: str | None = None,
        close: Callable[[], None] = lambda: None,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            odoo: The server.
            ledger: Where it is kept what is there.
            bot: Our own sign-in name: Odoo gives what it makes to it, which is to nobody.
            close: Gives the connection back.
            clock: Our own; for how long finished items are looked at.
        """
        self._odoo = odoo
        self._ledger = ledger
        self._bot = bot
        self.close = close
        self._clock = clock
        self._columns: dict[str, tuple[str, ...]] = {}
        self._logins: dict[int, str] = {}
        self._watermark: dt.datetime | None = None
        self._complete_at = 0.0
        self.out_of_sight = 0

    def step(self) -> Look:
        """One round.

        Raises:
            OdooError: The server can't be asked; the next round asks for all of it again.
        """
        complete = self._watermark is None or time.monotonic() >= self._complete_at
        since = None if complete or self._watermark is None else self._watermark - OVERLAP
        look, more = Look(), False
        latest = self._watermark
        for (handovers, known), old in self._batches(complete=complete):
            if not self._columns_of(handovers[0].model):
                continue
            states = self._read(handovers, since if old else None, known)
            if states:
                changed_at = max(state.changed_at for state in states)
                latest = changed_at if latest is None else max(latest, changed_at)
            missing: list[Handover] = []
            if since is None or not old:
                seen = {state.external_id for state in states}
                missing = [each for each in handovers if each.external_id not in seen]
            checked = missing[:CONFIRMED_AT_ONCE]
            more = more or len(missing) > len(checked)
            gone = self._confirm(checked, known)
            changed = self._ledger.note_work_states([*states, *gone])
            look = Look(
                look.asked + len(handovers),
                look.changed + changed,
                look.gone + len(gone),
                look.out_of_sight + len(checked) - len(gone),
            )
        if complete:
            self._complete_at = time.monotonic() + (0 if more else COMPLETE_SECONDS)
            self.out_of_sight = look.out_of_sight
        self._watermark = latest
        return look

    def _batches(
        self, *, complete: bool
    ) -> Iterable[tuple[tuple[list[Handover], dict[str, WorkState]], bool]]:
        """What is to be asked for in one call each, and whether it was read before."""
        finished_since = self._clock() - dt.timedelta(days=REOPENED_DAYS)
        for role in ROLES:
            groups: dict[tuple[str, bool], list[tuple[Handover, WorkState | None]]]
            groups = defaultdict(list)
            for handover, state in self._ledger.work_to_read(
                self._odoo.identity, role=role, finished_since=finished_since
            ):
                if handover.model in WORK_MODELS and handover.record_id is not None:
                    groups[handover.model, state is not None].append((handover, state))
            for (_model, old), group in groups.items():
                for start in range(0, len(group), AT_ONCE):
                    some = group[start : start + AT_ONCE]
                    known = {each.external_id: state for each, state in some if state is not None}
                    yield ([each for each, _state in some], known), old and not complete

    def _read(
        self,
        handovers: Sequence[Handover],
        since: dt.datetime | None,
        known: Mapping[str, WorkState],
    ) -> list[WorkState]:
        """The states of those that are there and, with ``since``, were changed after it."""
        model = handovers[0].model
        domain: list[object] = [["id", "in", [each.record_id for each in handovers]]]
        if since is not None:
            domain.append(["write_date", ">=", f"{since.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"])
        rows = self._odoo.call(
            model,
            "search_read",
            domain=domain,
            fields=list(self._columns_of(model)),
            context={"active_test": False},
        )
        by_number = {int(row["id"]): row for row in rows}
        self._learn_logins(model, by_number.values())
        return [
            self._state(each, by_number[each.record_id], known.get(each.external_id))
            for each in handovers
            if each.record_id in by_number
        ]

    def _columns_of(self, model: str) -> tuple[str, ...]:
        """The columns that this server's model has; none where it has no such model any more."""
        if model not in self._columns:
            try:
                there = self._odoo.call(model, "fields_get", attributes=["type"])
            except OdooRefusedError:
                there = {}
            self._columns[model] = WORK_MODELS[model].wanted(there) if there else ()
        return self._columns[model]

    def _state(self, handover: Handover, row: Values, known: WorkState | None) -> WorkState:
        work = WORK_MODELS[handover.model]
        changed_at = moment_of(str(row["write_date"]))
        state = work.state(row)
        people = next((row[name] for name in work.people if name in row), None)
        person = first_person(people)
        login = None if person is None else self._logins.get(person, str(person))
        if login == self._bot:
            login = None
        assigned_at = None
        if login is not None:
            assigned_at = _assigned_at(first_moment(row, work.assigned), known, changed_at)
        completed_at = None
        if state != OPEN:
            before = known.completed_at if known is not None and known.state == state else None
            completed_at = first_moment(row, work.completed) or before or changed_at
        return WorkState(
            server=handover.server,
            external_id=handover.external_id,
            state=state,
            stage=stage_of(row),
            assignee=login,
            assigned_at=assigned_at,
            completed_at=completed_at,
            changed_at=changed_at,
        )

    def _learn_logins(self, model: str, rows: Iterable[Values]) -> None:
        """Sign-in names of people that were not met yet; their numbers where it is not told."""
        columns = WORK_MODELS[model].people
        met = {
            person
            for row in rows
            for person in [first_person(next((row[n] for n in columns if n in row), None))]
            if person is not None
        }
        new = sorted(met - self._logins.keys())
        if not new:
            return
        try:
            found = self._odoo.call(
                "res.users",
                "search_read",
                domain=[["id", "in", new]],
                fields=["login"],
                context={"active_test": False},
            )
        except OdooRightsError:
            found = []
        self._logins.update({int(each["id"]): str(each["login"]) for each in found})
        self._logins.update({each: str(each) for each in new if each not in self._logins})

    def _confirm(
        self, missing: Sequence[Handover], known: Mapping[str, WorkState]
    ) -> list[WorkState]:
        """Those of which the external id is gone as well: somebody deleted the record."""
        gone = [each for each in missing if not self._has_external_id(each)]
        if gone and self._count(gone):
            raise OdooRefusedError("records without their external ids: nothing is noted as gone")
        return [self._gone(each, known.get(each.external_id)) for each in gone]

    def _gone(self, handover: Handover, before: WorkState | None) -> WorkState:
        now = self._clock()
        if before is not None:
            return replace(before, state=GONE, completed_at=before.completed_at or now)
        return WorkState(
            server=handover.server,
            external_id=handover.external_id,
            state=GONE,
            stage=None,
            assignee=None,
            assigned_at=None,
            completed_at=now,
            changed_at=now,
        )

    def _count(self, handovers: Sequence[Handover]) -> int:
        """How many are there after all.

        That it is answered at all shows that the refusals before were not about the bot (a key
        that was withdrawn meanwhile).
        """
        domain = [["id", "in", [each.record_id for each in handovers]]]
        context = {"active_test": False}
        model = handovers[0].model
        return int(self._odoo.call(model, "search_count", domain=domain, context=context))

    def _has_external_id(self, handover: Handover) -> bool:
        module, _dot, name = handover.external_id.partition(".")
        try:
            self._odoo.call("ir.model.data", "check_object_reference", module=module, xml_id=name)
        except OdooRefusedError:
            return False
        except OdooRightsError:
            return True
        return True


def _assigned_at(
    told: dt.datetime | None, known: WorkState | None, changed_at: dt.datetime
) -> dt.datetime:
    """Since when somebody has it; passing it on to another person changes nothing of that.

    Columns tell the time of the first assignment, which may have been Odoo's own to the bot: one
    from before it was last seen with nobody is none.
    """
    if known is None:
        return told or changed_at
    if known.assignee is not None:
        return known.assigned_at or told or changed_at
    return told if told is not None and told > known.changed_at else changed_at


class ReadingBackLoop:
    """Runs rounds in one thread until told to stop; outlives every trouble."""

    def __init__(self, connect: Callable[[], ReadingBack], *, poll_seconds: float) -> None:
        """Prepare; nothing is asked before :meth:`start`.

        Args:
            connect: Makes the reader; asked again until it succeeds, and after each trouble.
            poll_seconds: Pause between two rounds.
        """
        self._connect = connect
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._trouble: str | None = None
        self._out_of_sight = 0
        self._thread = threading.Thread(target=self._run, name="reading back", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Let the round at work end, for at most so many seconds; the next start goes on."""
        self._stopping.set()
        self._thread.join(seconds)

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at; empty when all is well."""
        found = [] if self._trouble is None else [f"reading back from Odoo: {self._trouble}"]
        if self._out_of_sight:
            found.append(
                f"reading back from Odoo: {self._out_of_sight} work items are there and the bot "
                "does not see them (company, private project)"
            )
        return tuple(found)

    def _run(self) -> None:
        reader: ReadingBack | None = None
        pause = SHORTEST_PAUSE
        while not self._stopping.is_set():
            try:
                reader = reader or self._connect()
                look = reader.step()
                if look.changed or look.gone:
                    _log.info("%d work items changed in Odoo, %d gone", look.changed, look.gone)
                self._out_of_sight, self._trouble = reader.out_of_sight, None
                wait, pause = self._poll_seconds, SHORTEST_PAUSE
            except Exception as error:
                told = error.message if isinstance(error, OdooError) else where(error)
                if told != self._trouble:
                    _log.warning("reading back from Odoo: %s", told)
                self._trouble = told
                if reader is not None:
                    reader.close()
                reader, wait, pause = None, pause, min(2 * pause, LONGEST_PAUSE)
            self._stopping.wait(wait)
        if reader is not None:
            reader.close()


__all__ = ["DONE", "GONE", "OPEN", "Look", "ReadingBack", "ReadingBackLoop", "WorkLedger"]

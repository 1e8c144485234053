# SPDX-License-Identifier: Apache-2.0
"""The store's side of handing over: which record of another system is whose, and what became of it.

Ids, roles, hashes, states and times; never a value of a document.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from idp.handover import Handover, WorkState
from idp.store.tables import HandoverRecord

_AT_ONCE = 400
"""External ids named in one statement: databases limit its parameters."""
_FINISHED = ("done", "cancelled", "gone")
_Each = TypeVar("_Each", Handover, WorkState)


class Handovers:
    """Implements :class:`idp.handover.HandoverLedger`, and keeps the states of work items."""

    _engine: sa.Engine
    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def handovers(self, server: str, external_ids: Collection[str]) -> Mapping[str, Handover]:
        """What is known of these, by external id."""
        with Session(self._engine) as session:
            found = _rows(session, server, external_ids)
            return {external_id: _as_handover(row) for external_id, row in found.items()}

    def handovers_of(self, document_id: str) -> tuple[Handover, ...]:
        """Every record that is there, or may be, because of one document; in order of writing."""
        with Session(self._engine) as session:
            found = session.scalars(
                sa.select(HandoverRecord)
                .where(HandoverRecord.document_id == document_id)
                .order_by(HandoverRecord.intended_at, HandoverRecord.external_id)
            )
            return tuple(_as_handover(row) for row in found)

    def intend(self, handovers: Sequence[Handover]) -> None:
        """Note before an attempt that these may be there from now on; what is known stays.

        Of an intent that is open already only the hash may change: to none, where it differs, for
        then nobody knows which of the contents is the one that is there.
        """
        if not handovers:
            return
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for server, group in _by_server(handovers).items():
                known = self._noted(session, server, group, now)
                for each in group:
                    row = known[each.external_id]
                    if row.record_id is None and row.content_sha256 != each.content_sha256:
                        row.content_sha256 = None

    def handed_over(self, handovers: Sequence[Handover]) -> None:
        """Note what was written, or found gone."""
        if not handovers:
            return
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for server, group in _by_server(handovers).items():
                known = self._noted(session, server, group, now)
                for each in group:
                    row = known[each.external_id]
                    row.record_id = each.record_id
                    row.version = each.version
                    row.content_sha256 = each.content_sha256
                    row.gone = each.gone
                    if each.content_sha256 is not None:
                        row.written_at = now

    def _noted(
        self, session: Session, server: str, handovers: Sequence[Handover], now: dt.datetime
    ) -> dict[str, HandoverRecord]:
        """The rows of these, made where there was none: by another writer, too, at this moment."""
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        for each in handovers:
            session.execute(
                dialect.insert(HandoverRecord).values(_new(each, now)).on_conflict_do_nothing()
            )
        return _rows(session, server, [each.external_id for each in handovers])

    def work_to_read(
        self, server: str, *, role: str = "work", finished_since: dt.datetime | None = None
    ) -> tuple[tuple[Handover, WorkState | None], ...]:
        """The work items that are there, each with what was last seen of it; oldest look first.

        Args:
            server: Which installation.
            role: What the mapping calls work items.
            finished_since: Those, too, that were finished after this time (they may be opened
                again); without it only those that are not known to be finished.
        """
        wanted = sa.or_(HandoverRecord.state.is_(None), HandoverRecord.state.not_in(_FINISHED))
        if finished_since is not None:
            wanted = sa.or_(
                wanted,
                sa.and_(HandoverRecord.state != "gone", HandoverRecord.changed_at > finished_since),
            )
        with Session(self._engine) as session:
            found = session.scalars(
                sa.select(HandoverRecord)
                .where(
                    HandoverRecord.server == server,
                    HandoverRecord.role == role,
                    HandoverRecord.record_id.is_not(None),
                    ~HandoverRecord.gone,
                    wanted,
                )
                .order_by(HandoverRecord.seen_at.asc().nulls_first(), HandoverRecord.external_id)
            )
            return tuple((_as_handover(row), _as_work_state(row)) for row in found)

    def note_work_states(self, states: Sequence[WorkState]) -> int:
        """Keep what was seen of work items; returns of how many something had changed.

        An older sight never replaces a newer one. A work item found gone is not made again.
        """
        changed = 0
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            for server, group in _by_server(states).items():
                known = _rows(session, server, [each.external_id for each in group])
                for each in group:
                    row = known.get(each.external_id)
                    if row is None or (row.changed_at and row.changed_at > each.changed_at):
                        continue
                    changed += _as_work_state(row) != each
                    row.seen_at = now
                    row.state, row.stage, row.assignee = each.state, each.stage, each.assignee
                    row.assigned_at = each.assigned_at
                    row.completed_at = each.completed_at
                    row.changed_at = each.changed_at
                    row.gone = row.gone or each.state == "gone"
        return changed

    def work_states(self, document_id: str) -> tuple[WorkState, ...]:
        """What was last seen of a document's work items."""
        with Session(self._engine) as session:
            found = session.scalars(
                sa.select(HandoverRecord)
                .where(
                    HandoverRecord.document_id == document_id,
                    HandoverRecord.changed_at.is_not(None),
                )
                .order_by(HandoverRecord.external_id)
            )
            states = (_as_work_state(row) for row in found)
            return tuple(state for state in states if state is not None)


def _by_server(each: Iterable[_Each]) -> dict[str, list[_Each]]:
    grouped: dict[str, list[_Each]] = {}
    for one in each:
        grouped.setdefault(one.server, []).append(one)
    return grouped


def _rows(
    session: Session, server: str, external_ids: Collection[str]
) -> dict[str, HandoverRecord]:
    found: dict[str, HandoverRecord] = {}
    wanted = sorted(set(external_ids))
    for start in range(0, len(wanted), _AT_ONCE):
        rows = session.scalars(
            sa.select(HandoverRecord).where(
                HandoverRecord.server == server,
                HandoverRecord.external_id.in_(wanted[start : start + _AT_ONCE]),
            )
        )
        found.update((row.external_id, row) for row in rows)
    return found


def _new(handover: Handover, now: dt.datetime) -> dict[str, object]:
    return {**dataclasses.asdict(handover), "intended_at": now}


def _as_handover(row: HandoverRecord) -> Handover:
    return Handover(
        server=row.server,
        external_id=row.external_id,
        document_id=row.document_id,
        role=row.role,
        model=row.model,
        record_id=row.record_id,
        version=row.version,
        content_sha256=row.content_sha256,
        gone=row.gone,
    )


def _as_work_state(row: HandoverRecord) -> WorkState | None:
    if row.changed_at is None:
        return None
    return WorkState(
        server=row.server,
        external_id=row.external_id,
        state=row.state,
        stage=row.stage,
        assignee=row.assignee,
        assigned_at=row.assigned_at,
        completed_at=row.completed_at,
        changed_at=row.changed_at,
    )

# SPDX-License-Identifier: Apache-2.0
"""The ledger of read-only shares: which files were taken, and what they were like then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.store.rows import LedgerRow
from idp.store.tables import Arrival, LedgerRecord


class Ledger:
    """Read and mend the ledger; its lines are written with the arrivals."""

    _engine: sa.Engine
    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def ledger(self, channel: str) -> tuple[LedgerRow, ...]:
        """All files of a channel that were taken, each as it was at the last time."""
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(LedgerRecord, Arrival.sha256, Arrival.sidecar_sha256)
                .join(Arrival, Arrival.id == LedgerRecord.arrival_id)
                .where(LedgerRecord.channel == channel)
            ).all()
            return tuple(
                LedgerRow(
                    path=line.path,
                    inode=line.inode,
                    size_bytes=line.size_bytes,
                    modified_ns=line.modified_ns,
                    sha256s=frozenset(each for each in (sha256, beside) if each is not None),
                )
                for line, sha256, beside in found
            )

    def ledger_counts(self) -> dict[str, int]:
        """How many files the ledger knows, by channel; channels without any are not there."""
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(LedgerRecord.channel, sa.func.count()).group_by(LedgerRecord.channel)
            ).all()
        return {row.channel: row[1] for row in found}

    def see_again(self, channel: str, row: LedgerRow) -> None:
        """A file that was taken has another stamp and the same bytes: remember the new stamp."""
        with Session(self._writing) as session, session.begin():
            line = session.get_one(LedgerRecord, (channel, row.path))
            line.inode, line.size_bytes = row.inode, row.size_bytes
            line.modified_ns, line.seen_at = row.modified_ns, self._clock()

    def _remember(
        self, session: Session, channel: str, arrival_id: str, rows: Sequence[LedgerRow]
    ) -> None:
        """Write the lines of an arrival in its transaction."""
        for row in rows:
            session.merge(
                LedgerRecord(
                    channel=channel,
                    path=row.path,
                    inode=row.inode,
                    size_bytes=row.size_bytes,
                    modified_ns=row.modified_ns,
                    arrival_id=arrival_id,
                    seen_at=self._clock(),
                )
            )

# SPDX-License-Identifier: Apache-2.0
"""How files arrive in the running appliance: from the drop folders into the store, and marked.

Between the rooms: the drop folders know no tables, the store knows no folders.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from idp.clocks import Running
from idp.document import Document, Finding, Severity
from idp.engine import Engine
from idp.ingest import Claim, KeptFile, Remembered, Seen, Stamp
from idp.reasons import with_finding
from idp.rulebook import enter
from idp.settings import ChannelSettings
from idp.store import ArrivalRow, DueClock, Kept, LedgerRow, NewArrival, Store, born_at, new_id

_DUPLICATE = "The same bytes arrived before."
_NO_SIDECAR = "The sidecar that this folder requires did not come."

_ARRIVED_BEFORE = enter(
    "D1",
    "The same bytes did not arrive before.",
    severity=Severity.BLOCK,
    source="policy of the channel: exact_duplicates",
    where="idp.arriving.marked",
)
_NO_SIDECAR_CAME = enter(
    "P7",
    "A folder that requires a sidecar beside each file got one.",
    severity=Severity.BLOCK,
    source="policy of the channel: sidecar",
    where="idp.arriving.marked",
)

_log = logging.getLogger(__name__)


Unread = Callable[[dt.datetime, str | None, int], Running]
"""When, at which site and with which priority of its channel a file came -> its clocks."""


class StoreIntake:
    """Where the inbox puts what it takes."""

    def __init__(self, store: Store, engine: Engine, unread: Unread | None = None) -> None:
        """Prepare.

        Args:
            store: Where the files go.
            engine: Works them.
            unread: Tells the clocks of a file that nobody has read; without it none run yet.
        """
        self._store = store
        self._engine = engine
        self._unread = unread

    def claim_id(self) -> str:
        return new_id(dt.datetime.now(dt.UTC))

    def claimed_at(self, claim_id: str) -> dt.datetime:
        return born_at(claim_id)

    def keep(self, source: BinaryIO) -> Kept:
        return self._store.content.put(source)

    def remembered(self, channel: str) -> Mapping[str, Remembered]:
        return {
            row.path: Remembered(Stamp(row.inode, row.size_bytes, row.modified_ns), row.sha256s)
            for row in self._store.ledger(channel)
        }

    def see_again(self, channel: str, seen: Seen) -> None:
        self._store.see_again(channel, LedgerRow(seen.key, *seen.stamp))

    def record(self, claims: Sequence[tuple[Claim, KeptFile]]) -> None:
        arrivals = self._store.record_arrivals(
            [self._new(claim, kept) for claim, kept in claims], enqueue=self._engine.enqueue
        )
        for arrival in arrivals:
            first = f", duplicate of {arrival.duplicate_of}" if arrival.duplicate_of else ""
            _log.info("arrival %s on %s%s", arrival.id, arrival.channel, first)

    def _new(self, claim: Claim, kept: KeptFile) -> NewArrival:
        clock, priority = None, None
        if self._unread is not None:
            running = self._unread(claim.received_at, claim.site, claim.priority)
            first = next(iter(running.clocks), None)
            if first is not None:
                clock = DueClock(first.rule, first.starts_at, first.due_at)
            priority = running.priority
        return NewArrival(
            id=claim.id,
            channel=claim.channel,
            name=claim.name,
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            received_at=claim.received_at,
            priority=claim.priority,
            queue=claim.queue,
            site=claim.site,
            sidecar=claim.sidecar,
            exact_duplicates=claim.exact_duplicates,
            ledger=tuple(LedgerRow(seen.key, *seen.stamp) for seen in claim.seen),
            clock=clock,
            document_priority=priority,
        )


def marked(document: Document, arrival: ArrivalRow, channel: ChannelSettings) -> Document:
    """What a folder's policies say about how a document came: marked, or held for a person.

    The same bytes again (rule D1): ``warn`` marks, ``hold`` also asks a person; so it does where
    a person overrides ``skip``. A sidecar that the folder requires and that did not come (rule
    P7) asks a person.
    """
    if arrival.duplicate_of is not None:
        held = channel.exact_duplicates == "hold"
        severity = Severity.BLOCK if held else Severity.WARN
        document = with_finding(
            document, Finding(rule=_ARRIVED_BEFORE, severity=severity, message=_DUPLICATE)
        )
    if channel.sidecar == "required" and arrival.sidecar_name is None:
        document = with_finding(
            document, Finding(rule=_NO_SIDECAR_CAME, severity=Severity.BLOCK, message=_NO_SIDECAR)
        )
    return document

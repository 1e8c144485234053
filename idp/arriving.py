# SPDX-License-Identifier: Apache-2.0
"""How files arrive in the running appliance: from the drop folders into the store, and marked.

Between the rooms: the drop folders know no tables, the store knows no folders.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from idp.document import Document, Finding, Severity
from idp.engine import Engine
from idp.ingest import Claim, KeptFile, Remembered, Seen, Stamp
from idp.reasons import with_finding
from idp.rulebook import enter
from idp.settings import ChannelSettings
from idp.store import ArrivalRow, Kept, LedgerRow, NewArrival, Store, born_at, new_id

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


class StoreIntake:
    """Where the inbox puts what it takes."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine

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
            [
                NewArrival(
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
                )
                for claim, kept in claims
            ],
            enqueue=self._engine.enqueue,
        )
        for arrival in arrivals:
            first = f", duplicate of {arrival.duplicate_of}" if arrival.duplicate_of else ""
            _log.info("arrival %s on %s%s", arrival.id, arrival.channel, first)


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

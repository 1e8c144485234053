# SPDX-License-Identifier: Apache-2.0
"""The nouns of handing over: what was written into another system, and what became of it there.

No values of a document: ids, roles, hashes, states and times only, so all of it may be printed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Handover:
    """One record that is, or may be, in another system because of one of our documents.

    It is noted before the first attempt to write it (``record_id`` is ``None`` then) and completed
    after; one that stayed incomplete means that nobody knows whether it was written.
    """

    server: str
    """Which installation: :attr:`idp.deliver.odoo.port.Odoo.identity`."""
    external_id: str
    """``__idp__.<role>_<hash>``: the same for each version of the same document."""
    document_id: str
    role: str
    """``document``, ``fields``, ``work``, ``activity_1`` ...; the mapping's own name for it."""
    model: str
    record_id: int | None = None
    version: int = 1
    """Of the delivery that wrote it last."""
    content_sha256: str | None = None
    """Of what was written last; of an open intent what may have been written. ``None`` where
    nobody can say: several contents were tried, or what was written did not pass the check."""
    gone: bool = False
    """People have deleted it there: it is not made again."""


@dataclass(frozen=True, slots=True)
class WorkState:
    """What the other system's people have done with a work item. Times are aware."""

    server: str
    external_id: str
    state: str | None
    """``open``, ``done``, ``cancelled`` or ``gone``."""
    stage: str | None
    """As it is called there."""
    assignee: str | None
    """Sign-in name of the first."""
    assigned_at: dt.datetime | None
    completed_at: dt.datetime | None
    changed_at: dt.datetime
    """By the other system's clock: the watermark of reading back."""


class HandoverLedger(Protocol):
    """Where it is kept what was handed over; each method is one transaction."""

    def handovers(self, server: str, external_ids: Collection[str]) -> Mapping[str, Handover]:
        """What is known of these, by external id."""

    def intend(self, handovers: Sequence[Handover]) -> None:
        """Note before an attempt that these may be there from now on; what is known stays.

        Of an intent that is open already only the hash may change: to none, where it differs.
        """

    def handed_over(self, handovers: Sequence[Handover]) -> None:
        """Note what was written, or found gone."""

# SPDX-License-Identifier: Apache-2.0
"""Drop folders on which nothing may be moved: files are copied, and a ledger remembers them.

The ledger's line is written in the transaction that records the arrival, so that a kill leaves
both or neither. A file whose size or time has changed since is a new arrival. One whose inode
alone has changed (some shares number anew at each mount) is read again: with the same bytes it is
the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from idp.ingest.inbox_channel import Channel, Look
from idp.ingest.inbox_files import Stamp, ledger_key, open_plain, printable
from idp.ingest.inbox_groups import Bound, Group
from idp.ingest.intake import KeptFile, Remembered, Seen


class RememberedChannel(Channel):
    """A drop folder that is only read."""

    _ledger: dict[str, Remembered] | None = None

    def prune(self) -> None:
        """Nothing: the ledger outlives its files, which may come back when the share does."""

    def _prepare_inside(self) -> None:
        """Nothing is made on a share that is only read."""

    def _check(self) -> None:
        """Nothing of ours lies there."""

    def _go_on(self, look: Look) -> None:
        """Nothing is begun before it is recorded; the ledger is read once."""
        if self._ledger is None:
            self._ledger = dict(self._intake.remembered(self.name))

    def _remembered_count(self) -> int | None:
        return None if self._ledger is None else len(self._ledger)

    def _wanted(self, bound: Bound, look: Look) -> tuple[list[Group], list[Group]]:
        """What the ledger does not know; a late sidecar of a known document is on its own."""
        there = {ledger_key(path) for path in look.stamps} if self._retries else set()
        self._retries = {key: retry for key, retry in self._retries.items() if key in there}
        documents, lone = [], []
        for group in bound.groups:
            if not self._knows(look, group.document):
                documents.append(group)
            elif group.sidecar is not None and not self._knows(look, group.sidecar):
                lone.append(Group(group.sidecar, None, group.done, announced=group.announced))
        lone += [group for group in bound.waiting if not self._knows(look, group.document)]
        return documents, lone

    def _take(self, look: Look, groups: Sequence[Group]) -> None:
        for group in groups:
            if self._stopping():
                break
            key = ledger_key(group.document)
            if not self._must_wait(look, key) and self._can_be_read(look, group.document):
                taking = partial(self._take_whole, look, group)
                self._attempt(look, key, printable(group.document), taking)

    def _take_whole(self, look: Look, group: Group) -> bool:
        """Keep and record; ``False`` when the file changes meanwhile."""
        assert self._ledger is not None
        kept = self._kept(group.document, look.stamps[group.document])
        if kept is None:
            return False
        seen = Seen(ledger_key(group.document), look.stamps[group.document])
        known = self._ledger.get(seen.key)
        if known is not None and _same_but_inode(known, seen.stamp, kept.sha256):
            self._intake.see_again(self.name, seen)
            self._ledger[seen.key] = Remembered(seen.stamp, known.sha256s)
            return True
        sidecar, every, hashes = None, [seen], {kept.sha256}
        if group.sidecar is not None:
            kept_beside = self._kept(group.sidecar, look.stamps[group.sidecar])
            if kept_beside is None:
                return False
            sidecar = (printable(group.sidecar), kept_beside.sha256)
            every.append(Seen(ledger_key(group.sidecar), look.stamps[group.sidecar]))
            hashes.add(kept_beside.sha256)
        claim = self._claim_of(self._intake.claim_id(), group.document, sidecar)
        self._intake.record([(claim._replace(seen=tuple(every)), kept)])
        for each in every:
            self._ledger[each.key] = Remembered(each.stamp, frozenset(hashes))
        return True

    def _kept(self, relative: Path, stamp: Stamp) -> KeptFile | None:
        """The bytes in the content store; ``None`` when they are not those of the stamp."""
        path = self.folder / relative
        with open_plain(path) as stream:
            kept = self._intake.keep(stream)
        same = Stamp.of(path) == stamp and kept.size_bytes == stamp.size
        return kept if same else None

    def _knows(self, look: Look, relative: Path) -> bool:
        known = self._ledger.get(ledger_key(relative)) if self._ledger is not None else None
        return known is not None and known.stamp == look.stamps[relative]


def _same_but_inode(known: Remembered, stamp: Stamp, sha256: str) -> bool:
    return known.stamp[1:] == stamp[1:] and sha256 in known.sha256s

# SPDX-License-Identifier: Apache-2.0
"""The drop folders: every file that settles is taken once, whatever is killed in between.

Events of the operating system are only a hint that makes it quick; the truth is the scan, at the
start, after a hint, and every ``rescan_seconds``. For each file:

1. *Settle.* Unchanged (inode, size, time) for the channel's settle time, nobody has it open for
   writing where the file system can tell, not a temporary name; its sidecar and done file are
   there where the channel asks for them (:mod:`idp.ingest.inbox_groups`).
2. *Claim.* Renamed to ``<channel>/.claimed/<claim id>/<name>``: the same file system by
   construction, one winner, the name kept byte by byte. The claim id is the arrival's key. Its
   sidecar and done files follow (:mod:`idp.ingest.inbox_claims`).
3. *Keep.* Copied into the content store while being hashed. Changed meanwhile: again, later.
4. *Record.* One transaction, keyed by the claim id: repeating it changes nothing.
5. *Done.* Moved to ``<channel>/.done/<claim id>/<name>``, removed after ``keep_done_days``. If it
   grew after it was recorded, it is claimed again instead, as a second arrival.

Killed after 2, the sweep of ``.claimed`` at the next pass goes on with 3. On a share where nothing
may be moved a ledger stands for 2 and 5 (:mod:`idp.ingest.inbox_ledger`). Trouble (disk full, no
access, a share that went away) leaves the file where it is, shows in :meth:`Inbox.health`, and is
tried again. Each share (``watch = "poll"``) has a thread of its own: one that hangs, as a network
share does when its server is gone, holds up no other.

Left open: a writer that pauses longer than the settle time on a share without leases and goes on
after step 5 writes into ``.done``; what it adds is not seen. File names can name patients, so they
are shown to operators by :meth:`Inbox.health` and never logged.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from idp.ingest.inbox_channel import Channel, ChannelHealth, where
from idp.ingest.inbox_claims import CLAIMED, DONE, ClaimedChannel
from idp.ingest.inbox_files import is_temporary
from idp.ingest.inbox_hints import Hints
from idp.ingest.inbox_ledger import RememberedChannel
from idp.ingest.intake import Claim, Intake, KeptFile, Remembered, Seen
from idp.settings import IngestSettings

__all__ = [
    "CLAIMED",
    "DONE",
    "ChannelHealth",
    "Claim",
    "Inbox",
    "InboxHealth",
    "Intake",
    "KeptFile",
    "Remembered",
    "Seen",
]

_PRUNE_SECONDS = 3600.0
_SHORTEST_WAIT_SECONDS = 0.05
_HUNG_SECONDS = 10.0
"""How long stopping waits for a share that may hang; nothing of it is lost, as after a kill."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InboxHealth:
    """For the status page; names are for operators' eyes, not for logs."""

    settling: int
    claimed: int
    problems: tuple[str, ...]
    channels: tuple[ChannelHealth, ...]


class _Round:
    """Channels that one thread looks after, the urgent ones first."""

    def __init__(self, name: str, channels: Sequence[Channel]) -> None:
        self.name = name
        self.channels = tuple(channels)
        self.problem: str | None = None
        self.next_prune = 0.0
        self.thread: threading.Thread | None = None


class Inbox:
    """Watches the drop folders in threads of its own and hands what settles to the intake."""

    def __init__(
        self,
        folder: Path,
        settings: IngestSettings,
        intake: Intake,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._now = now
        self._stopping = threading.Event()
        self._strays: tuple[str, ...] = ()
        channels: list[Channel] = []
        for name, each in sorted(
            settings.channels.items(), key=lambda item: (item[1].priority, item[0])
        ):
            kind = RememberedChannel if each.keep_files else ClaimedChannel
            place = each.folder or folder / name
            channels.append(
                kind(name, place, settings, intake, now=now, stopping=self._stopping.is_set)
            )
        self._channels = tuple(channels)
        told = [channel for channel in channels if channel.settings.watch == "events"]
        shares = [channel for channel in channels if channel.settings.watch == "poll"]
        self._told = _Round("inbox", told)
        self._rounds = (self._told, *(_Round(f"inbox-{each.name}", [each]) for each in shares))
        self._hints = Hints({channel.name: channel.folder for channel in told})

    @property
    def folders(self) -> Mapping[str, Path]:
        """Drop folder by channel."""
        return {channel.name: channel.folder for channel in self._channels}

    def start(self) -> None:
        """Make the drop folders below the inbox and begin; raises :class:`AccessError`.

        A folder of its own (a share) is never made: while it is not there, that is a problem to
        be shown, and it is taken up when it comes.
        """
        for channel in self._channels:
            channel.prepare()
        self._hints.start()
        for each in self._rounds:
            each.thread = threading.Thread(
                target=self._loop, args=(each,), name=each.name, daemon=True
            )
            each.thread.start()

    def stop(self) -> None:
        """Take no more files; returns when those at hand are through."""
        self._stopping.set()
        self._hints.wake()
        for each in self._rounds:
            if each.thread is not None:
                each.thread.join(None if each is self._told else _HUNG_SECONDS)
                each.thread = None
        self._hints.stop()

    def health(self) -> InboxHealth:
        """What is going on and what is wrong, as the last passes saw it."""
        channels = tuple(channel.health() for channel in self._channels)
        own = [each.problem for each in self._rounds if each.problem]
        problems = [text for channel in channels for text in channel.problems]
        return InboxHealth(
            settling=sum(channel.settling for channel in channels),
            claimed=sum(channel.claimed for channel in channels),
            problems=(*own, *problems, *self._strays),
            channels=channels,
        )

    def scan(self) -> float:
        """One pass over all channels; returns the seconds after which the next makes sense."""
        return min(self._pass(each) for each in self._rounds)

    def _pass(self, each: _Round) -> float:
        """One pass over the channels of one thread."""
        moved: set[Path] = set()
        if each is self._told:
            moved = self._hints.take()
            self._strays = self._beside()
        wait = self._settings.rescan_seconds
        for channel in each.channels:
            wait = min(wait, channel.scan(moved))
            if self._stopping.is_set():
                break
        if self._now() >= each.next_prune:
            each.next_prune = self._now() + _PRUNE_SECONDS
            for channel in each.channels:
                channel.prune()
        return wait

    def _loop(self, each: _Round) -> None:
        wait = 0.0
        while not self._stopping.is_set():
            if each is self._told:
                self._hints.wait(wait)
            else:
                self._stopping.wait(wait)
            if self._stopping.is_set():
                return
            try:
                if each is self._told:
                    self._hints.revive()
                wait = max(_SHORTEST_WAIT_SECONDS, self._pass(each))
                each.problem = None
            except Exception as error:
                # The inbox outlives every trouble: what can't be taken now is there next time.
                # No message and no trace: an OSError's text holds the file's name.
                _log.error("a pass over the drop folders failed: %s", where(error))
                each.problem = f"{each.name}: {type(error).__name__}; see the log"
                wait = self._settings.rescan_seconds

    def _beside(self) -> tuple[str, ...]:
        """Files beside the drop folders, which nobody takes."""
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            strays = sum(
                1 for entry in entries if not entry.is_dir() and not is_temporary(entry.name)
            )
            if strays:
                return (
                    f"{strays} file(s) lie in {self._folder} itself: "
                    "move them into one of its drop folders",
                )
        return ()

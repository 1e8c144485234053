# SPDX-License-Identifier: Apache-2.0
"""The drop folders: every file that settles is taken once, whatever is killed in between.

Events of the operating system are only a hint that makes it quick; the truth is the scan, at the
start, after a hint, and every ``rescan_seconds``. For each file:

1. *Settle.* Unchanged (inode, size, time) for the channel's settle time, nobody has it open for
   writing where the file system can tell, not a temporary name.
2. *Claim.* Renamed to ``<channel>/.claimed/<claim id>/<name>``: the same file system by
   construction, one winner, the name kept byte by byte. The claim id is the arrival's key.
3. *Keep.* Copied into the content store while being hashed. Changed meanwhile: again, later.
4. *Record.* One transaction, keyed by the claim id: repeating it changes nothing.
5. *Done.* Moved to ``<channel>/.done/<claim id>/<name>``, removed after ``keep_done_days``. If it
   grew after it was recorded, it is claimed again instead, as a second arrival.

Killed after 2, the sweep of ``.claimed`` at the next pass goes on with 3. Trouble (disk full, no
access, a share that went away) leaves the file where it is, shows in :meth:`Inbox.health`, and is
tried again.

Left open: a writer that pauses longer than the settle time on a share without leases and goes on
after step 5 writes into ``.done``; what it adds is not seen. File names can name patients, so they
are shown to operators by :meth:`Inbox.health` and never logged.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from idp.errors import AccessError
from idp.ingest.inbox_files import (
    Readiness,
    Settling,
    Stamp,
    is_temporary,
    printable,
    readiness,
    walk,
)
from idp.ingest.inbox_hints import Hints
from idp.settings import ChannelSettings, IngestSettings

CLAIMED = ".claimed"
DONE = ".done"
_BATCH = 64
"""Files taken of one channel before the more urgent channels are looked at again."""
_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0
_PRUNE_SECONDS = 3600.0
_SHORTEST_WAIT_SECONDS = 0.05

_log = logging.getLogger(__name__)


class KeptFile(Protocol):
    """What the content store says about a file it keeps."""

    @property
    def sha256(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


class Claim(NamedTuple):
    """A file that is ours: ``id`` is the key of its arrival, ``name`` is printable text."""

    id: str
    channel: str
    name: str
    received_at: dt.datetime
    priority: int


class Intake(Protocol):
    """Where taken files go. All of it is safe to repeat with the same claim id."""

    def claim_id(self) -> str:
        """A new id; later ones sort later."""

    def claimed_at(self, claim_id: str) -> dt.datetime:
        """When an id was made; raises ``ValueError`` for a text that is no id."""

    def keep(self, source: BinaryIO) -> KeptFile:
        """Store the bytes durably; raises ``OSError`` with nothing stored."""

    def record(self, claim: Claim, kept: KeptFile) -> None:
        """Make the arrival and its work durable in one transaction."""


@dataclass(frozen=True, slots=True)
class InboxHealth:
    """For the status page; names are for operators' eyes, not for logs."""

    settling: int
    claimed: int
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Retry:
    failures: int
    not_before: float


class _Channel:
    """One drop folder."""

    def __init__(self, name: str, folder: Path, settings: ChannelSettings) -> None:
        self.name = name
        self.folder = folder
        self.settings = settings
        self.settling = Settling(settings.settle_seconds)
        self.retries: dict[str, _Retry] = {}
        self.problems: dict[str, str] = {}

    @property
    def claimed(self) -> Path:
        return self.folder / CLAIMED

    @property
    def done(self) -> Path:
        return self.folder / DONE

    def claims(self) -> Iterator[Path]:
        """The claim folders, oldest first."""
        if self.claimed.is_dir():
            yield from sorted(self.claimed.iterdir())


class Inbox:
    """Watches the drop folders in a thread of its own and hands what settles to the intake."""

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
        self._intake = intake
        self._now = now
        self._channels = sorted(
            (_Channel(name, folder / name, each) for name, each in settings.channels.items()),
            key=lambda channel: (channel.settings.priority, channel.name),
        )
        self._hints = Hints({channel.name: channel.folder for channel in self._channels})
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._next_prune = 0.0
        self._own_problem: str | None = None

    @property
    def folders(self) -> Mapping[str, Path]:
        """Drop folder by channel."""
        return {channel.name: channel.folder for channel in self._channels}

    def start(self) -> None:
        """Make the drop folders and begin; raises :class:`AccessError` when it can't."""
        for channel in self._channels:
            try:
                channel.claimed.mkdir(parents=True, exist_ok=True)
                channel.done.mkdir(exist_ok=True)
            except OSError as error:
                raise AccessError(f"drop folder {channel.folder}: {error.strerror}") from error
        self._hints.start()
        self._thread = threading.Thread(target=self._loop, name="inbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more files; returns when the one at hand is through."""
        self._stopping.set()
        self._hints.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._hints.stop()

    def health(self) -> InboxHealth:
        """What is going on and what is wrong."""
        own = (self._own_problem,) if self._own_problem else ()
        problems = [text for channel in self._channels for text in channel.problems.copy().values()]
        claimed = 0
        for channel in self._channels:
            with contextlib.suppress(OSError):
                claimed += sum(1 for _ in channel.claims())
        return InboxHealth(
            settling=sum(len(channel.settling) for channel in self._channels),
            claimed=claimed,
            problems=(*own, *problems, *self._strays()),
        )

    def scan(self) -> float:
        """One pass over all channels; returns the seconds after which the next makes sense."""
        moved = self._hints.take()
        wait = self._settings.rescan_seconds
        for channel in self._channels:
            wait = min(wait, self._scan_channel(channel, moved))
            if self._stopping.is_set():
                break
        if self._now() >= self._next_prune:
            self._next_prune = self._now() + _PRUNE_SECONDS
            self._prune()
        return wait

    def _loop(self) -> None:
        wait = 0.0
        while not self._stopping.is_set():
            self._hints.wait(wait)
            if self._stopping.is_set():
                return
            try:
                self._hints.revive()
                wait = max(_SHORTEST_WAIT_SECONDS, self.scan())
                self._own_problem = None
            except Exception as error:
                # The inbox outlives every trouble: what can't be taken now is there next time.
                # No message and no trace: an OSError's text holds the file's name.
                _log.error("a pass over the drop folders failed: %s", _where(error))
                self._own_problem = f"inbox: {type(error).__name__}; see the log"
                wait = self._settings.rescan_seconds

    def _scan_channel(self, channel: _Channel, moved: set[Path]) -> float:
        """Take what is ready in one channel; the seconds until something else may be."""
        wait = self._settings.rescan_seconds
        now = self._now()
        try:
            entries = list(walk(channel.folder))
        except OSError as error:
            channel.problems["folder"] = f"{channel.folder}: {error.strerror}"
            return wait
        problems: dict[str, str] = {}
        wait = min(wait, self._take_claims(channel, problems))
        channel.settling.keep_only({entry.path for entry in entries if entry.stamp is not None})
        settled = []
        for path, stamp in entries:
            name = printable(path.relative_to(channel.folder))
            if stamp is None:
                problems[name] = f"{channel.name}/{name}: refused, not a plain file or readable"
            elif channel.settling.observe(path, stamp, now, moved=path in moved):
                settled.append((path, name))
        for path, name in settled[:_BATCH]:
            if self._stopping.is_set():
                break
            if not self._claim_and_take(channel, path, name, problems):
                wait = min(wait, _FIRST_RETRY_SECONDS)
        if len(settled) > _BATCH:
            wait = 0.0
        channel.problems = problems
        due = channel.settling.next_due()
        if due is not None and due > now:
            wait = min(wait, due - now)
        return wait

    def _claim_and_take(
        self, channel: _Channel, path: Path, name: str, problems: dict[str, str]
    ) -> bool:
        """Steps 2 to 5 for a settled file; ``False`` when it should be looked at again soon."""
        state = readiness(path)
        if state is Readiness.BEING_WRITTEN:
            return False
        if state is Readiness.UNREADABLE:
            problems[name] = f"{channel.name}/{name}: can't be read"
            return True
        try:
            claim_id = self._claim(channel, path)
        except OSError as error:
            problems[name] = f"{channel.name}/{name}: {error.strerror}"
            return True
        channel.settling.forget(path)
        if claim_id is not None:
            self._take(channel, claim_id, problems)
        return True

    def _claim(self, channel: _Channel, path: Path) -> str | None:
        """Make the file ours by a rename; ``None`` when it is gone. Raises ``OSError``."""
        claim_id = self._intake.claim_id()
        target = channel.claimed / claim_id / path.relative_to(channel.folder)
        target.parent.mkdir(parents=True)
        try:
            path.rename(target)
        except FileNotFoundError:
            shutil.rmtree(channel.claimed / claim_id)
            return None
        except OSError:
            shutil.rmtree(channel.claimed / claim_id)
            raise
        return claim_id

    def _take_claims(self, channel: _Channel, problems: dict[str, str]) -> float:
        """Go on with claims that an earlier pass or process left; seconds until one is due."""
        wait = self._settings.rescan_seconds
        for folder in channel.claims():
            retry = channel.retries.get(folder.name)
            if retry is not None and retry.not_before > self._now():
                wait = min(wait, retry.not_before - self._now())
                if folder.name in channel.problems:
                    problems[folder.name] = channel.problems[folder.name]
                continue
            self._take(channel, folder.name, problems)
            if self._stopping.is_set():
                break
        return wait

    def _take(self, channel: _Channel, claim_id: str, problems: dict[str, str]) -> None:
        """Steps 3 to 5 for one claim; trouble leaves it for later."""
        try:
            whole = self._take_whole(channel, claim_id)
            trouble = None if whole else "still changes"
        except Exception as error:
            reason = error.strerror if isinstance(error, OSError) else None
            trouble = reason or type(error).__name__
            _log.warning(
                "channel %s: claim %s can't be taken now: %s", channel.name, claim_id, _where(error)
            )
        if trouble is None:
            channel.retries.pop(claim_id, None)
            return
        failures = channel.retries[claim_id].failures + 1 if claim_id in channel.retries else 0
        pause = min(_FIRST_RETRY_SECONDS * 2**failures, _LONGEST_RETRY_SECONDS)
        channel.retries[claim_id] = _Retry(failures, self._now() + pause)
        problems[claim_id] = f"{channel.name}/{CLAIMED}/{claim_id}: {trouble}; tried again"

    def _take_whole(self, channel: _Channel, claim_id: str) -> bool:
        """Keep and record one claim; ``False`` when somebody is still writing to it."""
        folder = channel.claimed / claim_id
        path = _only_file(folder)
        if path is None:
            # Killed between making the folder and the rename, or nothing but folders came.
            shutil.rmtree(folder)
            return True
        try:
            received_at = self._intake.claimed_at(claim_id)
        except ValueError:
            # Not made by us: back to the start, where it settles and is claimed properly.
            path.rename(channel.folder / f"{claim_id}-{path.name}")
            shutil.rmtree(folder)
            return True
        before = Stamp.of(path)
        if readiness(path) is Readiness.BEING_WRITTEN:
            return False
        with _open_plain(path) as stream:
            kept = self._intake.keep(stream)
        if Stamp.of(path) != before or kept.size_bytes != before.size:
            return False
        relative = path.relative_to(folder)
        claim = Claim(
            id=claim_id,
            channel=channel.name,
            name=printable(relative),
            received_at=received_at,
            priority=channel.settings.priority,
        )
        self._intake.record(claim, kept)
        if Stamp.of(path) != before:
            again = channel.claimed / self._intake.claim_id() / relative
            again.parent.mkdir(parents=True)
            path.rename(again)
            shutil.rmtree(folder)
        elif self._settings.keep_done_days == 0:
            shutil.rmtree(folder)
        else:
            channel.done.mkdir(exist_ok=True)
            folder.rename(channel.done / claim_id)
        return True

    def _prune(self) -> None:
        """Remove what has lain in ``.done`` for long enough."""
        oldest = self._intake.claimed_at(self._intake.claim_id()) - dt.timedelta(
            days=self._settings.keep_done_days
        )
        for channel in self._channels:
            with contextlib.suppress(OSError):
                for folder in channel.done.iterdir():
                    with contextlib.suppress(ValueError, OSError):
                        if self._intake.claimed_at(folder.name) < oldest:
                            shutil.rmtree(folder)

    def _strays(self) -> tuple[str, ...]:
        """Files beside the drop folders, which nobody takes."""
        with contextlib.suppress(OSError):
            strays = sum(
                1
                for entry in os.scandir(self._folder)
                if not entry.is_dir() and not is_temporary(entry.name)
            )
            if strays:
                return (
                    f"{strays} file(s) lie in {self._folder} itself: "
                    "move them into one of its drop folders",
                )
        return ()


def _only_file(folder: Path) -> Path | None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            return path
    return None


def _open_plain(path: Path) -> BinaryIO:
    """Open for reading, never through a link."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def _where(error: BaseException) -> str:
    """An error's class and place, without its text."""
    trace = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(trace[-1].filename).name}:{trace[-1].lineno}" if trace else ""
    return f"{type(error).__name__}{place}"

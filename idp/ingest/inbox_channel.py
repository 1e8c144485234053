# SPDX-License-Identifier: Apache-2.0
"""One drop folder: what is in it, what belongs together, and what may be taken now.

How a file is taken is the business of two kinds of channel: :mod:`idp.ingest.inbox_claims` moves
it, :mod:`idp.ingest.inbox_ledger` leaves it where it is and remembers it.
"""

from __future__ import annotations

import errno
import logging
import stat
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from idp.errors import AccessError
from idp.ingest.formats import HEAD_BYTES
from idp.ingest.inbox_files import (
    Readiness,
    Settling,
    Stamp,
    open_plain,
    printable,
    readiness,
    walk,
)
from idp.ingest.inbox_groups import (
    MOST_SIDECAR_BYTES,
    Bound,
    Group,
    bind,
    is_document,
    users,
)
from idp.ingest.intake import Claim, Intake
from idp.settings import ChannelSettings, IngestSettings

BATCH = 64
"""Files taken of one channel before the more urgent channels are looked at again."""
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0

_NOT_ALLOWED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_READ_ONLY_HINT = "; if nothing may be moved here, set keep_files for this channel"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """For the status page; names are for operators' eyes, not for logs."""

    name: str
    folder: Path
    settling: int
    claimed: int
    remembered: int | None
    """Files that the ledger of a read-only share knows; ``None`` where files are moved."""
    problems: tuple[str, ...]


@dataclass(slots=True)
class Look:
    """What one pass over the folder sees, and the trouble it meets."""

    now: float
    stamps: Mapping[Path, Stamp]
    users: dict[Path, int]
    problems: dict[str, str]
    wait: float
    """Seconds after which another pass makes sense."""

    def again_in(self, seconds: float) -> None:
        """Another pass makes sense that soon."""
        self.wait = min(self.wait, max(seconds, 0.0))


class Channel(ABC):
    """What both kinds of drop folder do alike. Used by one thread; ``health`` by any."""

    def __init__(
        self,
        name: str,
        folder: Path,
        ingest: IngestSettings,
        intake: Intake,
        *,
        now: Callable[[], float],
        stopping: Callable[[], bool],
    ) -> None:
        self.name = name
        self.folder = folder
        self.settings: ChannelSettings = ingest.channels[name]
        self._ingest = ingest
        self._intake = intake
        self._now = now
        self._stopping = stopping
        self._settling = Settling(self.settings.settle_seconds)
        self._retries: dict[str, _Retry] = {}
        self._problems: dict[str, str] = {}
        self._own_documents: dict[Path, tuple[Stamp, bool]] = {}

    @property
    def is_ours(self) -> bool:
        """Whether the folder is below the inbox, so that we make it; a share is never made."""
        return self.settings.folder is None

    def prepare(self) -> None:
        """Make the folder if it is ours; raises :class:`AccessError`."""
        if not self.is_ours:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._prepare_inside()
        except OSError as error:
            raise AccessError(f"drop folder {self.folder}: {error.strerror}") from error

    def health(self) -> ChannelHealth:
        """What the last pass saw; touches no disk, since a share may hang."""
        return ChannelHealth(
            name=self.name,
            folder=self.folder,
            settling=len(self._settling),
            claimed=self._claimed_count(),
            remembered=self._remembered_count(),
            problems=tuple(self._problems.copy().values()),
        )

    def scan(self, moved: set[Path]) -> float:
        """Take what is ready; the seconds until something else may be.

        Args:
            moved: Files that are known to have come by a rename, so that they were whole at once.
        """
        look = Look(self._now(), {}, {}, {}, self._ingest.rescan_seconds)
        try:
            self._check()
            entries = list(walk(self.folder))
        except OSError as error:
            self._problems = {"folder": f"{self.folder}: {error.strerror}"}
            return look.wait
        self._go_on(look)
        stamps: dict[Path, Stamp] = {}
        for path, stamp in entries:
            relative = path.relative_to(self.folder)
            if stamp is None:
                self._complain(look, relative, "refused, not a plain file or readable")
            else:
                stamps[relative] = stamp
        look.stamps = stamps
        ready = self._ready(look, moved)
        self._take(look, ready[:BATCH])
        if len(ready) > BATCH:
            look.again_in(0.0)
        self._problems = look.problems
        due = self._settling.next_due(look.now)
        if due is not None:
            look.again_in(due - look.now)
        return look.wait

    @abstractmethod
    def prune(self) -> None:
        """Remove what is kept for a limited time only."""

    @abstractmethod
    def _prepare_inside(self) -> None:
        """Make what the channel needs inside its folder; raises ``OSError``."""

    @abstractmethod
    def _check(self) -> None:
        """Raise ``OSError`` when the folder must not be worked in now."""

    @abstractmethod
    def _go_on(self, look: Look) -> None:
        """Go on with what an earlier pass or process began."""

    @abstractmethod
    def _wanted(self, bound: Bound, look: Look) -> tuple[list[Group], list[Group]]:
        """The documents to take, and those that are sidecars without a document."""

    @abstractmethod
    def _take(self, look: Look, groups: Sequence[Group]) -> None:
        """Take documents that are whole, with their companions, until it is time to stop."""

    def _claimed_count(self) -> int:
        return 0

    def _remembered_count(self) -> int | None:
        return None

    def _ready(self, look: Look, moved: set[Path]) -> list[Group]:
        """The groups to take now, as they are to be taken; the others are waited for."""
        bound = self._bind(look.stamps)
        documents, lone = self._wanted(bound, look)
        look.users = users((*bound.groups, *bound.waiting))
        watched = {path for group in (*documents, *lone) for path in (group.document, *_of(group))}
        watched.update(bound.unclaimed)
        self._settling.keep_only(watched)
        self._own_documents = {
            path: known for path, known in self._own_documents.items() if path in look.stamps
        }
        settled = {
            path: self._settling.observe(path, look.stamps[path], look.now) for path in watched
        }
        for path in bound.unclaimed:
            if self._settling.unchanged_for(path, look.now) >= self.settings.sidecar_seconds:
                self._complain(look, path, "announces a file that is not there")
        ready = []
        for group in (*documents, *lone):
            whole = settled[group.document] or self._came_whole(group, look, moved)
            if whole and (found := self._complete(group, look, settled, lone=group in lone)):
                ready.append(found)
        return ready

    def _came_whole(self, group: Group, look: Look, moved: set[Path]) -> bool:
        """A document that was renamed into place need not settle, once its sidecar is there.

        While one may still come, the settle time is its chance.
        """
        return (
            self.folder / group.document in moved
            and look.stamps[group.document].size > 0
            and (self.settings.sidecar == "none" or group.sidecar is not None)
        )

    def _complete(
        self, group: Group, look: Look, settled: Mapping[Path, bool], *, lone: bool
    ) -> Group | None:
        """The group once nothing more is waited for: without its sidecar when that took too long.

        No file waits for ever for another, but for the done file that the channel asks for.
        """
        patience = self.settings.sidecar_seconds - self._settling.unchanged_for(
            group.document, look.now
        )
        if self.settings.done_suffix and not group.announced:
            if patience <= 0:
                wanted = self.settings.done_suffix
                self._complain(look, group.document, f"waits for its {wanted} file")
            else:
                look.again_in(patience)
            return None
        if group.sidecar is not None:
            trouble = self._trouble_with(group.sidecar, settled)
            if trouble is None:
                return group
            if patience <= 0:
                return group._replace(sidecar=None)
            if trouble is not Readiness.BEING_WRITTEN:
                self._complain(look, group.sidecar, "can't be read")
        elif not lone and self.settings.sidecar != "required":
            return group
        if patience > 0:
            look.again_in(patience if group.sidecar is None else FIRST_RETRY_SECONDS)
            return None
        return group

    def _trouble_with(self, sidecar: Path, settled: Mapping[Path, bool]) -> Readiness | None:
        """Why a sidecar can't be taken yet; ``None`` when it can."""
        if not settled[sidecar]:
            return Readiness.BEING_WRITTEN
        state = readiness(self.folder / sidecar)
        return None if state is Readiness.READY else state

    def _bind(self, stamps: Mapping[Path, Stamp]) -> Bound:
        return bind(
            stamps,
            sidecars=self.settings.sidecar,
            done_suffix=self.settings.done_suffix,
            is_own=lambda path: self._is_own(path, stamps[path]),
        )

    def _is_own(self, relative: Path, stamp: Stamp) -> bool:
        """Whether a file named like a sidecar is a document of its own; looked at once."""
        known = self._own_documents.get(relative)
        if known is not None and known[0] == stamp:
            return known[1]
        own = stamp.size > MOST_SIDECAR_BYTES
        if not own and stamp.size:
            try:
                with open_plain(self.folder / relative) as stream:
                    own = is_document(stream.read(HEAD_BYTES))
            except OSError:
                return False  # can't be told now; asked again at the next pass
        self._own_documents[relative] = (stamp, own)
        return own

    def _can_be_read(self, look: Look, relative: Path) -> bool:
        """Whether nobody writes the file and we may read it; else it is noted why not."""
        state = readiness(self.folder / relative)
        if state is Readiness.UNREADABLE:
            self._complain(look, relative, "can't be read")
        elif state is Readiness.BEING_WRITTEN:
            look.again_in(FIRST_RETRY_SECONDS)
        return state in {Readiness.READY, Readiness.GONE}

    def _claim_of(self, claim_id: str, relative: Path, sidecar: tuple[str, str] | None) -> Claim:
        """What is recorded of a file of this channel; raises ``ValueError`` for a foreign id."""
        return Claim(
            id=claim_id,
            channel=self.name,
            name=printable(relative),
            received_at=self._intake.claimed_at(claim_id),
            priority=self.settings.priority,
            queue=self.settings.queue,
            site=self.settings.site,
            exact_duplicates=self.settings.exact_duplicates,
            sidecar=sidecar,
        )

    def _attempt(self, look: Look, key: str, place: str, taking: Callable[[], bool]) -> bool:
        """Run steps that trouble leaves for later, less and less often; whether they ended."""
        try:
            trouble = None if taking() else "still changes"
        except Exception as error:
            reason = error.strerror if isinstance(error, OSError) else None
            trouble = reason or type(error).__name__
            _log.warning(
                "channel %s: %s can't be taken now: %s", self.name, _claim_name(key), where(error)
            )
        if trouble is None:
            self._retries.pop(key, None)
            return True
        failures = self._retries[key].failures + 1 if key in self._retries else 0
        pause = min(FIRST_RETRY_SECONDS * 2**failures, LONGEST_RETRY_SECONDS)
        self._retries[key] = _Retry(failures, self._now() + pause)
        look.problems[key] = f"{self.name}/{place}: {trouble}; tried again"
        look.again_in(pause)
        return False

    def _must_wait(self, look: Look, key: str) -> bool:
        """Whether trouble with this was so recent that it is left alone now."""
        retry = self._retries.get(key)
        if retry is None or retry.not_before <= self._now():
            return False
        look.again_in(retry.not_before - self._now())
        if key in self._problems:
            look.problems[key] = self._problems[key]
        return True

    def _complain(self, look: Look, relative: Path, what: str) -> None:
        name = printable(relative)
        look.problems[name] = f"{self.name}/{name}: {what}"

    def _complain_of(self, look: Look, relative: Path, error: OSError) -> None:
        hint = _READ_ONLY_HINT if error.errno in _NOT_ALLOWED else ""
        self._complain(look, relative, f"{error.strerror}{hint}")


@dataclass(slots=True)
class _Retry:
    failures: int
    not_before: float


def refuse_link(folder: Path) -> None:
    """Raise ``OSError`` when a folder of ours is a link that leads somewhere else."""
    try:
        mode = folder.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        raise OSError(errno.ENOTDIR, f"{folder.name} in it is not a plain folder")


def where(error: BaseException) -> str:
    """An error's class and place, without its text: an ``OSError``'s holds the file's name."""
    trace = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(trace[-1].filename).name}:{trace[-1].lineno}" if trace else ""
    return f"{type(error).__name__}{place}"


def _of(group: Group) -> tuple[Path, ...]:
    return (group.sidecar,) if group.sidecar else ()


def _claim_name(key: str) -> str:
    """Claim ids may be logged, names of files may not."""
    return f"claim {key}" if _is_id(key) else "a file"


def _is_id(key: str) -> bool:
    return len(key) == 36 and all(character in "0123456789abcdef-" for character in key)

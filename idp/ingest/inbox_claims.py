# SPDX-License-Identifier: Apache-2.0
"""Drop folders whose files are moved: claimed, kept, recorded, done.

The claim's folder says how far it came, whatever is killed in between::

    .claimed/<claim id>/                    made; nothing is ours yet
    .claimed/<claim id>/fax.tif             the document is ours
    .claimed/<claim id>/.expected/          made with it where a sidecar or done file comes along
    .claimed/<claim id>/.expected/sidecar/  brought after the document, one by one
    .claimed/<claim id>/.bound/             renamed from .expected: all of them are here

A claim that still has ``.expected`` looks for the companions of its document's name again; one
without it expects none, so that what another file of that name brings later is not taken for its
own. What documents share (``a.tif`` and ``a.pdf`` with ``a.xml``) is copied for each but the last.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from idp.ingest.inbox_channel import Channel, Look, refuse_link, where
from idp.ingest.inbox_files import Readiness, Stamp, open_plain, printable, readiness, walk
from idp.ingest.inbox_groups import Bound, Group, users
from idp.ingest.intake import Claim, KeptFile

CLAIMED = ".claimed"
DONE = ".done"
_EXPECTED = ".expected"
_BOUND = ".bound"
_SIDECAR = "sidecar"
_ANNOUNCEMENT = "done"
_HALF = ".half"
_TOGETHER = 32
"""Claims recorded in one transaction: as many as a kill may make us keep again."""
_AT_A_TIME = 8
"""Files that are made durable at a time; more bring nothing (docs/arrival/folders.md)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """A claim whose bytes are kept, as its document was then."""

    path: Path
    before: Stamp
    claim: Claim
    kept: KeptFile


class ClaimedChannel(Channel):
    """A drop folder that is emptied."""

    @property
    def claimed(self) -> Path:
        return self.folder / CLAIMED

    @property
    def done(self) -> Path:
        return self.folder / DONE

    def prune(self) -> None:
        """Remove what has lain in ``.done`` for long enough."""
        oldest = self._intake.claimed_at(self._intake.claim_id()) - dt.timedelta(
            days=self._ingest.keep_done_days
        )
        with contextlib.suppress(OSError):
            for folder in self.done.iterdir():
                with contextlib.suppress(ValueError, OSError):
                    if self._intake.claimed_at(folder.name) < oldest:
                        shutil.rmtree(folder)

    def _prepare_inside(self) -> None:
        self.claimed.mkdir(exist_ok=True)
        self.done.mkdir(exist_ok=True)

    def _check(self) -> None:
        refuse_link(self.claimed)
        refuse_link(self.done)

    def _claimed_count(self) -> int:
        return len(self._retries)

    def _wanted(self, bound: Bound, look: Look) -> tuple[list[Group], list[Group]]:
        del look
        return list(bound.groups), list(bound.waiting)

    def _go_on(self, look: Look) -> None:
        """Go on with claims that an earlier pass or process left."""
        left = sorted(self.claimed.iterdir()) if self.claimed.is_dir() else []
        due = [each.name for each in left if not self._must_wait(look, each.name)]
        self._work_on(look, [each for each in due if self._brought(look, each)])
        self._retries = {
            key: retry for key, retry in self._retries.items() if (self.claimed / key).exists()
        }

    def _take(self, look: Look, groups: Sequence[Group]) -> None:
        """Steps 2 to 5 for settled documents, some at a time."""
        for start in range(0, len(groups), _TOGETHER):
            claims: list[str] = []
            for group in groups[start : start + _TOGETHER]:
                if self._stopping():
                    break
                claim_id = self._try_claim(look, group)
                # Before the next is claimed: what two documents share is still in its place.
                if claim_id is not None and self._brought(look, claim_id, group):
                    claims.append(claim_id)
            self._work_on(look, claims)

    def _try_claim(self, look: Look, group: Group) -> str | None:
        """Make a document ours if it can be; trouble is noted."""
        if not self._can_be_read(look, group.document):
            return None
        try:
            claim_id = self._claim(group)
        except OSError as error:
            self._complain_of(look, group.document, error)
            return None
        self._settling.forget(group.document)
        if claim_id is None:
            for companion in group.companions:
                look.users[companion] -= 1
        return claim_id

    def _claim(self, group: Group) -> str | None:
        """Make the document ours by a rename; ``None`` when it is gone. Raises ``OSError``."""
        claim_id = self._intake.claim_id()
        folder = self.claimed / claim_id
        self.claimed.mkdir(exist_ok=True)
        try:
            (folder / group.document).parent.mkdir(parents=True)
            if group.companions:
                (folder / _EXPECTED).mkdir()
            (self.folder / group.document).rename(folder / group.document)
        except FileNotFoundError:
            shutil.rmtree(folder)
            return None
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return claim_id

    def _work_on(self, look: Look, claim_ids: Sequence[str]) -> None:
        """Steps 3 to 5 for claims; trouble with one leaves it for later and the others as they are.

        Several are kept at a time, and recorded in one transaction: what takes long is the disk,
        which makes many files durable nearly as quickly as one.
        """
        for start in range(0, len(claim_ids), _TOGETHER):
            if self._stopping():
                return
            self._record(look, self._keep(look, claim_ids[start : start + _TOGETHER]))

    def _try(self, look: Look, claim_id: str, step: Callable[[], bool]) -> bool:
        return self._attempt(look, claim_id, f"{CLAIMED}/{claim_id}", step)

    def _keep(self, look: Look, claim_ids: Sequence[str]) -> list[_Held]:
        """Step 3: the claims whose bytes are in the content store now."""
        held: list[_Held] = []

        def settle(kept: Future[_Held | None]) -> bool:
            result = kept.result()
            if result is not None:
                held.append(result)
            return result is not None

        with ThreadPoolExecutor(max(1, min(_AT_A_TIME, len(claim_ids)))) as pool:
            keeping = {each: pool.submit(self._kept, self.claimed / each) for each in claim_ids}
        for claim_id, kept in keeping.items():
            if (self.claimed / claim_id).exists():
                self._try(look, claim_id, partial(settle, kept))
        return held

    def _record(self, look: Look, held: Sequence[_Held]) -> None:
        """Steps 4 and 5: all in one transaction, or each in its own when that fails."""
        together = False
        if len(held) > 1:
            try:
                self._intake.record([(each.claim, each.kept) for each in held])
                together = True
            except Exception as error:
                _log.warning("channel %s: not recorded together: %s", self.name, where(error))
        for each in held:
            self._try(look, each.claim.id, partial(self._finish, each, recorded=together))

    def _brought(self, look: Look, claim_id: str, group: Group | None = None) -> bool:
        """The end of step 2: whether what belongs to the document is in its claim."""
        return self._try(look, claim_id, partial(self._bring, look, claim_id, group))

    def _bring(self, look: Look, claim_id: str, group: Group | None) -> bool:
        folder = self.claimed / claim_id
        path = self._document_in(folder)
        if path is not None and (folder / _EXPECTED).is_dir():
            relative = path.relative_to(folder)
            others = list(self._still_expecting(folder)) if self._retries or not group else []
            beside = self._companions(look, relative, others, group)
            self._bring_companions(folder, *beside)
        return True

    def _kept(self, folder: Path) -> _Held | None:
        """Keep a claim's bytes; ``None`` when it came to nothing or somebody still writes.

        Runs in a thread of its own.
        """
        path = next(iter(sorted(_documents(folder))), None)
        if path is None:
            return None
        before = Stamp.of(path)
        if readiness(path) is Readiness.BEING_WRITTEN:
            return None
        with open_plain(path) as stream:
            kept = self._intake.keep(stream)
        if Stamp.of(path) != before or kept.size_bytes != before.size:
            return None
        relative = path.relative_to(folder)
        beside, sidecar = self._sidecar_in(folder), None
        if beside is not None:
            before_beside = Stamp.of(beside)
            with open_plain(beside) as stream:
                kept_beside = self._intake.keep(stream)
            if Stamp.of(beside) != before_beside or readiness(beside) is Readiness.BEING_WRITTEN:
                return None
            sidecar = (printable(relative.parent / beside.name), kept_beside.sha256)
        return _Held(path, before, self._claim_of(folder.name, relative, sidecar), kept)

    def _finish(self, held: _Held, *, recorded: bool) -> bool:
        """Record the claim if it is not yet, and put its files away."""
        if not recorded:
            self._intake.record([(held.claim, held.kept)])
        folder = self.claimed / held.claim.id
        if Stamp.of(held.path) != held.before:
            # It grew after it was recorded: a second arrival, with the same companions.
            folder.rename(self.claimed / self._intake.claim_id())
        elif self._ingest.keep_done_days == 0:
            shutil.rmtree(folder)
        else:
            self.done.mkdir(exist_ok=True)
            folder.rename(self.done / held.claim.id)
        return True

    def _document_in(self, folder: Path) -> Path | None:
        """The claim's document; ``None`` when the claim came to nothing and is gone.

        What somebody else put there goes back into the drop folder, where it settles and is
        claimed properly.
        """
        try:
            self._intake.claimed_at(folder.name)
            refuse_link(folder)
        except (ValueError, OSError):
            self._give_back(folder)
            return None
        documents = sorted(_documents(folder))
        if not documents:
            # Killed between making the folder and the rename, or the document was taken away.
            if any(_plain_files(folder)):
                self._give_back(folder)
            else:
                shutil.rmtree(folder)
            return None
        first, *others = documents
        for other in others:
            self._give_back(other)
        return first

    def _give_back(self, path: Path) -> None:
        """Out of the claims, under a name that no other has and that is not too long."""
        home = self.folder / f"found-{self._intake.claim_id()}"
        if path.is_dir() and not path.is_symlink():
            for part in (_EXPECTED, _BOUND):
                with contextlib.suppress(FileNotFoundError):
                    (path / part).rename(path / part.removeprefix("."))
            path.rename(home)
        else:
            home.mkdir()
            path.rename(home / path.name)

    def _companions(
        self, look: Look, relative: Path, others: Sequence[Path], group: Group | None
    ) -> tuple[Group, dict[Path, int]]:
        """What lies in the drop folder for a document that is ours already, and for how many."""
        if group is not None and not others:
            return group, look.users
        beside = {
            path.relative_to(self.folder): stamp
            for path, stamp in walk((self.folder / relative).parent, depth=0)
            if stamp is not None
        }
        for document in (relative, *others):
            if document.parent == relative.parent:
                beside.setdefault(document, Stamp(0, 0, 0))
        bound = self._bind(beside)
        every = (*bound.groups, *bound.waiting)
        return group or next(each for each in every if each.document == relative), users(every)

    def _still_expecting(self, but: Path) -> Iterator[Path]:
        """The documents of other claims that did not get yet what belongs to them."""
        for folder in self.claimed.iterdir():
            if folder != but and (folder / _EXPECTED).is_dir():
                yield from (path.relative_to(folder) for path in _documents(folder))

    def _bring_companions(self, folder: Path, group: Group, wanted_by: dict[Path, int]) -> None:
        """Move the companions into the claim; what is there already is not brought again."""
        expected = folder / _EXPECTED
        for companion in group.companions:
            kind = _SIDECAR if companion == group.sidecar else _ANNOUNCEMENT
            place = expected / kind / companion.name
            place.parent.mkdir(exist_ok=True)
            shared = wanted_by.get(companion, 1) > 1
            # A sidecar that came before a kill is ours; another one of its name is not.
            here = kind == _SIDECAR and any(place.parent.iterdir())
            with contextlib.suppress(FileNotFoundError):
                if not shared and not here:
                    (self.folder / companion).rename(place)
                elif kind == _SIDECAR and not here:
                    _copy(self.folder / companion, expected / _HALF, place)
            wanted_by[companion] = wanted_by.get(companion, 1) - 1
        expected.rename(folder / _BOUND)

    def _sidecar_in(self, folder: Path) -> Path | None:
        place = folder / _BOUND / _SIDECAR
        return next(iter(sorted(_plain_files(place))), None) if place.is_dir() else None


def _copy(source: Path, half: Path, place: Path) -> None:
    """A whole copy under its name, or none: a second name where the file system has those."""
    half.unlink(missing_ok=True)
    try:
        os.link(source, half, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:
        with open_plain(source) as stream, half.open("wb") as sink:
            shutil.copyfileobj(stream, sink)
    half.rename(place)


def _documents(folder: Path) -> Iterator[Path]:
    """The plain files of a claim that are not companions."""
    for path in _plain_files(folder):
        if path.relative_to(folder).parts[0] not in {_EXPECTED, _BOUND}:
            yield path


def _plain_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path

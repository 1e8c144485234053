# SPDX-License-Identifier: Apache-2.0
"""Keeps Label Studio in step with our tables: shows what waits, takes what was answered.

One round asks what people answered, puts in what waits, removes what is done, sends what is to be
shown. Our tables say what should be there; a round may end at any line, by a kill of ours or of
Label Studio's, and the next one goes on:

- That there may be a task is noted before it is made, so an import that may have happened is
  looked up before it is repeated. Tasks are told apart by document and round, never by number.
- An answer is taken once for each revision of its annotation, in one transaction with all that
  follows from it. There is no watermark to lose: answers are asked for by time, with an overlap,
  and all of them after a start and after every outage. Label Studio's counts of answers are wrong
  after a kill, so now and then the answers themselves are listed.
- What was answered stays a while, so that who answered can mend a slip; then task and pages go, the
  pages also while Label Studio is out of reach.
- Webhooks are only a reason to look at once.
- Now and then the tasks are counted; where the number is not ours, they are compared one by one.
- A round with nothing to do costs the same however many documents wait: of our own tables only
  what the record has new lines for is looked at, and all of them now and then.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from idp.errors import IdpError, ReviewRefusedError, where
from idp.review.client import DOCUMENT_ID, PAGES, ROUND, Annotation, Client, Task
from idp.review.pages import PageFolder
from idp.reviewing import Outcome, ReviewRow, ReviewState

SHORTEST_PAUSE = 1.0
"""Seconds before what failed is tried again the first time; doubled each time."""
FIRST_RETRY = dt.timedelta(seconds=30)
LONGEST_RETRY = dt.timedelta(minutes=30)
"""Between two attempts to show a document that can't be shown."""
COMPARE_SECONDS = 300.0
SEARCH_SECONDS = 60.0
"""Between two looks for answers that Label Studio holds and has not counted."""
OVERLAP = dt.timedelta(minutes=1)
REMOVED_AT_ONCE = 50
RENEWED_AT_ONCE = 50
SENT_AT_ONCE = 500
"""Documents; then answers are looked for again."""

_log = logging.getLogger(__name__)


class Places(Protocol):
    """The store's side of the queue; see :class:`idp.store.reviews.Reviews`."""

    def review_head(self) -> int: ...
    def renew_reviews(self, since: int | None = None) -> int: ...
    def reviews_to_send(self, limit: int) -> tuple[ReviewRow, ...]: ...
    def begin_sending(self, ids: Collection[str], project: int) -> None: ...
    def finish_sending(
        self,
        rounds: Mapping[str, int],
        tasks: Mapping[str, int],
        renew_in: dt.timedelta | None = None,
    ) -> None: ...
    def reviews_to_renew(self, limit: int) -> tuple[ReviewRow, ...]: ...
    def finish_renewing(self, rounds: Mapping[str, int], renew_in: dt.timedelta | None) -> None: ...
    def put_off_sending(
        self, ids: Collection[str], trouble: str, retry_in: dt.timedelta
    ) -> None: ...
    def reviews_to_remove(
        self, limit: int, *, kept_for: dt.timedelta, since: int | None
    ) -> tuple[ReviewRow, ...]: ...
    def finish_removing(self, rounds: Mapping[str, int]) -> None: ...
    def lost_reviews(self, ids: Collection[str]) -> int: ...
    def review_tasks(self, project: int) -> int: ...
    def reviews_in(self, project: int) -> tuple[ReviewRow, ...]: ...
    def known_answers(self, keys: Collection[str]) -> frozenset[str]: ...


class Desk(Protocol):
    """Makes tasks of documents, and of answers what follows from them."""

    def task(self, row: ReviewRow) -> dict[str, Any]:
        """The task that shows a document, with its pages put where Label Studio sees them."""

    def take(self, annotation: Annotation, reviewer: str) -> Outcome | None:
        """Take one answer; the same again changes nothing. ``None``: it must wait a little."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one round did."""

    taken: int = 0
    removed: int = 0
    sent: int = 0
    mended: int = 0

    def plus(self, other: Step) -> Step:
        """Both together."""
        return Step(
            self.taken + other.taken,
            self.removed + other.removed,
            self.sent + other.sent,
            self.mended + other.mended,
        )

    def __bool__(self) -> bool:
        return bool(self.taken or self.removed or self.sent or self.mended)


class Sync:
    """Feeds and empties one Label Studio; one thread at a time."""

    def __init__(
        self,
        places: Places,
        desk: Desk,
        client: Client,
        projects: Mapping[str, int],
        pages: PageFolder,
        *,
        batch: int = 200,
        kept_for: dt.timedelta = dt.timedelta(0),
    ) -> None:
        """Prepare.

        Args:
            places: The queue in our tables.
            desk: Makes tasks and takes answers.
            client: The Label Studio.
            projects: The number of its project, by document type; leads have their own.
            pages: The page images that it sees.
            batch: Most documents sent in one call.
            kept_for: How long what was answered stays, to be mended by who answered.
        """
        self._places = places
        self._desk = desk
        self._client = client
        self._projects = dict(projects)
        self._pages = pages
        self._batch = batch
        self._kept_for = kept_for
        self._since: dict[int, dt.datetime] = {}
        """By project, when the last answer was made that is known of."""
        self._held: dict[tuple[str | None, int], Annotation] = {}
        """Answers that must wait for the delivery of what was said before, by their annotation."""
        self._asked = False
        self._head: int | None = None
        """How far the record went when all was in order the last time."""
        self._people: dict[int, str] = {}
        self._not_ours: dict[int, int] = defaultdict(int)
        self._later: dict[str, tuple[float, float]] = {}
        """Answers that could not be taken: when they are tried again, and the pause before it."""
        self._counts: dict[int, tuple[int, int]] = {}
        """Answers and skips by project at the last look: where they are the same, nothing is new.
        A later edit of a skip or of what was taken shows with a hint or the next search."""
        self._compare_at = self._search_at = 0.0
        self._seen: dict[int, set[tuple[str, int]]] = defaultdict(set)
        """Annotations taken before, by project: they are not fetched again when all are listed."""

    @property
    def troubled(self) -> int:
        """How many answers could not be taken so far; they are tried again."""
        return len(self._later)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def look(self) -> None:
        """Somebody hints: the next round asks for answers even where their number is the same."""
        self._asked = True

    def step(self) -> Step:
        """One round; raises :class:`ReviewError` when Label Studio is out of reach."""
        whole = time.monotonic() >= self._compare_at
        head = self._places.review_head()
        since = None if whole else self._head
        taken = self.take()
        while self._places.renew_reviews(since):
            pass
        removed = self.remove(since)
        sent = self.send()
        self.renew()
        mended = 0
        if whole:
            mended = sum(self.compare(project) for project in sorted({*self._projects.values()}))
            self._compare_at = time.monotonic() + COMPARE_SECONDS
        self._head = head
        done = Step(taken, removed, sent, mended)
        if done:
            # What was removed may hide what came meanwhile: the numbers would be the same.
            self._counts.clear()
        return done

    def take(self) -> int:
        """Take all answers that were not taken yet; returns how many."""
        search = time.monotonic() >= self._search_at
        asked = search or self._asked or bool(self._later)
        taken = sum(self._take_one(each) for each in tuple(self._held.values()))
        projects = sorted({*self._projects.values()})
        counts = self._client.answer_counts(projects)
        for project in projects:
            known = self._counts.get(project)
            if known is not None and known == counts.get(project) and not asked:
                continue
            before = taken
            if counts.get(project) != _NONE:
                taken += self._take_recent(project)
            if search and self._places.review_tasks(project):
                taken += self._take(project, self._uncounted(project))
            if taken > before:
                counts.pop(project, None)  # an edit of what was just taken changes no number
        self._counts = counts
        self._asked = False
        if search:
            self._search_at = time.monotonic() + SEARCH_SECONDS
        return taken

    def _take_recent(self, project: int) -> int:
        """Take what was answered since the last answer that is known of."""
        last = self._since.get(project)
        since = None if last is None else last - OVERLAP
        # All of them first: while pages are asked for, nothing may change what is on them.
        found = {
            each.key: each
            for some in (self._client.answered, self._client.skipped)
            for each in some(project, since)
        }
        taken = self._take(project, found.values())
        stamps = [each.updated_at for each in found.values()]
        self._since[project] = max([*stamps, last or _LONG_AGO])
        return taken

    def _uncounted(self, project: int) -> list[Annotation]:
        """Answers that Label Studio holds and has not counted."""
        there = list(self._client.annotated(project))
        seen = self._seen[project]
        seen &= {(str(task.document_id), number) for task, number in there}
        fresh = {
            number: task for task, number in there if (str(task.document_id), number) not in seen
        }
        found = (self._client.annotation(task, number) for number, task in fresh.items())
        return [each for each in found if each is not None]

    def remove(self, since: int | None = None) -> int:
        """Remove the tasks and pages of what is no longer to be there; returns how many.

        Args:
            since: Of what left the review without an answer, only what the record has lines for
                after this one.
        """
        removed = 0
        if any(row.state is ReviewState.DONE for row in self._to_remove(since)):
            # What somebody mended in the last moment changes no number, and is seen before it goes.
            self.look()
            self.take()
        while rows := self._to_remove(since):
            unnumbered = defaultdict(list)
            for row in rows:
                if row.task_id is not None:
                    self._client.remove(row.task_id, row.document_id)
                elif row.project is not None:
                    unnumbered[row.project].append(row.document_id)
            for project, ids in unnumbered.items():
                self._remove_tasks(self._client.find(project, ids))
            for row in rows:
                self._pages.hide(row.document_id)
            self._places.finish_removing({row.document_id: row.round for row in rows})
            gone = {row.document_id for row in rows}
            for each in [held for held in self._held.values() if held.task.document_id in gone]:
                self._take_one(each)  # too late by now, which is to be on the record
            removed += len(rows)
        return removed

    def _to_remove(self, since: int | None) -> tuple[ReviewRow, ...]:
        return self._places.reviews_to_remove(REMOVED_AT_ONCE, kept_for=self._kept_for, since=since)

    def send(self) -> int:
        """Show what waits and is due, the most pressing first; returns how many."""
        sent = 0
        for _ in range(-(-SENT_AT_ONCE // self._batch)):
            rows = self._places.reviews_to_send(self._batch)
            if not rows:
                break
            by_project: dict[int, list[ReviewRow]] = defaultdict(list)
            for row in rows:
                project = self._projects.get(row.queue)
                if project is None:
                    self._put_off(row, "no_project")
                else:
                    by_project[project].append(row)
            for project, own in by_project.items():
                sent += self._send(project, own)
        return sent

    def renew(self) -> int:
        """Replace the links to pages in tasks before they expire; returns in how many.

        Those of what waited longest first, a few in each round. It is no work that calls for
        another round at once, nor for another look at the answers.
        """
        rows = self._places.reviews_to_renew(RENEWED_AT_ONCE)
        done: dict[str, int] = {}
        for row in rows:
            try:
                pages = self._desk.task(row)["data"][PAGES]
            except Exception as error:
                _log.error("document %s can't be shown: %s", row.document_id, where(error))
            else:
                if row.task_id is not None:
                    # One that is not there any more is sent again after the next comparison.
                    self._client.relink(Task(row.task_id, row.document_id, row.round), pages)
            done[row.document_id] = row.round
        if done:
            self._places.finish_renewing(done, self._pages.renewed_after)
        return len(done)

    def compare(self, project: int) -> int:
        """Mend what differs between a project and our tables; returns how many tasks.

        Doubles and what is not to be there are removed, what somebody deleted is sent again. Tasks
        that show no document of ours are left alone.
        """
        expected = self._places.review_tasks(project)
        if self._client.count(project) == expected + self._not_ours[project]:
            return 0
        rows = {row.document_id: row for row in self._places.reviews_in(project)}
        there: dict[str, list[Task]] = defaultdict(list)
        self._not_ours[project] = 0
        for task in list(self._client.tasks(project)):
            if task.document_id is None:
                self._not_ours[project] += 1
            else:
                there[task.document_id].append(task)
        wrong: list[Task] = []
        for document_id, tasks in there.items():
            kept = _kept(tasks, rows.get(document_id))
            wrong.extend(task for task in tasks if task is not kept)
        self._remove_tasks(wrong)
        lost = [
            row.document_id
            for row in rows.values()
            if row.state is ReviewState.SENT and row.document_id not in there
        ]
        ended = [
            row
            for row in rows.values()
            if row.state is ReviewState.DONE and row.document_id not in there
        ]
        for row in ended:
            self._pages.hide(row.document_id)
        self._places.finish_removing({row.document_id: row.round for row in ended})
        for start in range(0, len(lost), self._batch):
            self._places.lost_reviews(lost[start : start + self._batch])
        if wrong or lost:
            _log.warning(
                "project %d: %d tasks too many were removed, %d were missing",
                project,
                len(wrong),
                len(lost),
            )
        return len(wrong) + len(lost)

    def _take(self, project: int, annotations: Iterable[Annotation]) -> int:
        taken = 0
        for some in _in_batches(sorted(annotations, key=lambda each: each.updated_at)):
            known = self._places.known_answers([each.key for each in some])
            for each in some:
                fresh = each.key not in known and self._take_one(each)
                taken += fresh
                if fresh or each.key in known:
                    self._seen[project].add((str(each.task.document_id), each.id))
        return taken

    def _take_one(self, annotation: Annotation) -> bool:
        if annotation.task.document_id is None:
            return False
        again_at, pause = self._later.get(annotation.key, (0.0, SHORTEST_PAUSE))
        if time.monotonic() < again_at:
            return False
        reviewer = self._person(annotation.by)
        try:
            outcome = self._desk.take(annotation, reviewer)
        except Exception as error:
            # One answer that can't be taken must not keep the others; it is tried again.
            self._later[annotation.key] = (
                time.monotonic() + pause,
                min(2 * pause, LONGEST_RETRY.total_seconds()),
            )
            _log.error(
                "document %s: an answer can't be taken: %s",
                annotation.task.document_id,
                where(error),
            )
            return False
        self._later.pop(annotation.key, None)
        held = (annotation.task.document_id, annotation.id)
        if outcome is None:
            self._held[held] = annotation  # only its last revision: that says it all
            return False
        self._held.pop(held, None)
        _log.info("document %s: review %s", annotation.task.document_id, outcome)
        return True

    def _person(self, number: int | None) -> str:
        if number is None:
            return "unknown"
        if number not in self._people:
            self._people[number] = self._client.person(number)
        return self._people[number]

    def _send(self, project: int, rows: Sequence[ReviewRow]) -> int:
        """Show documents of one project."""
        for row in rows:
            if row.project is not None and row.project != project:
                self._remove_tasks(self._client.find(row.project, [row.document_id]))
        there = self._already_there(project, rows)
        tasks: dict[str, dict[str, Any]] = {}
        rounds = {row.document_id: row.round for row in rows}
        for row in rows:
            if row.document_id in there:
                continue
            try:
                task = self._desk.task(row)
            except Exception as error:
                self._put_off(row, error.code if isinstance(error, IdpError) else "not_shown")
                _log.error("document %s can't be shown: %s", row.document_id, where(error))
                continue
            data = {**task["data"], DOCUMENT_ID: row.document_id, ROUND: row.round}
            tasks[row.document_id] = {**task, "data": data}
        if tasks:
            self._places.begin_sending(tasks.keys(), project)
            try:
                numbers = self._client.add(project, list(tasks.values()))
            except ReviewRefusedError as error:
                return self._send_singly(project, rows, tasks, error)
            there |= dict(zip(tasks, numbers, strict=True))
        self._places.finish_sending(rounds, there, self._pages.renewed_after)
        return len(there)

    def _send_singly(
        self,
        project: int,
        rows: Sequence[ReviewRow],
        tasks: Collection[str],
        error: ReviewRefusedError,
    ) -> int:
        """Something in a batch was refused: whatever is refused alone is put off."""
        refused = [row for row in rows if row.document_id in tasks]
        if len(refused) == 1:
            self._put_off(refused[0], error.code)
            _log.error("document %s can't be shown: %s", refused[0].document_id, error.message)
            return 0
        return sum(self._send(project, [row]) for row in rows)

    def _already_there(self, project: int, rows: Sequence[ReviewRow]) -> dict[str, int]:
        """The tasks of this round that exist; earlier rounds' and doubles are removed.

        Only what was never tried is not looked up.
        """
        tried = {row.document_id: row for row in rows if row.project is not None or row.attempts}
        if not tried:
            return {}
        found: dict[str, list[Task]] = defaultdict(list)
        for task in self._client.find(project, list(tried)):
            found[task.document_id or ""].append(task)
        there: dict[str, int] = {}
        for document_id, tasks in found.items():
            kept = _kept(tasks, tried[document_id])
            self._remove_tasks([task for task in tasks if task is not kept])
            if kept is not None:
                there[document_id] = kept.id
        return there

    def _remove_tasks(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            if task.document_id is not None:
                self._client.remove(task.id, task.document_id)

    def _put_off(self, row: ReviewRow, trouble: str) -> None:
        pause = min(FIRST_RETRY * 2 ** min(row.attempts, 10), LONGEST_RETRY)
        self._places.put_off_sending([row.document_id], trouble, pause)


_THERE = frozenset({ReviewState.SENT, ReviewState.TO_SEND, ReviewState.DONE})
_NONE = (0, 0)
_LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def _kept(tasks: Sequence[Task], row: ReviewRow | None) -> Task | None:
    """Which of a document's tasks is the one that should be there."""
    if row is None or row.state not in _THERE:
        return None
    own = [task for task in tasks if task.round == row.round and task.whole]
    return next((task for task in own if task.id == row.task_id), own[0] if own else None)


def _in_batches(annotations: Sequence[Annotation], size: int = 50) -> Iterable[list[Annotation]]:
    for start in range(0, len(annotations), size):
        yield list(annotations[start : start + size])

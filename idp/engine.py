# SPDX-License-Identifier: Apache-2.0
"""Durable execution behind a thin port: a job handed over in a transaction runs, also after a kill.

Behind the port is DBOS Transact. It holds only short-lived execution state, in the database of our
own tables so that a row and its job are one transaction (its tables are those that our migrations
do not make; on PostgreSQL they sit in the schema ``dbos``). They may be emptied at any time: the
store's sweep hands every piece of work over again.

Jobs run *at least once*: the same job may begin again after a kill. A segment therefore shows its
job token to the store, which counts attempts and refuses late results. A segment ends where a
person is waited for; nothing here waits.

What is set against the library's defaults, and why:

- ``application_version`` is constant. The default is a hash of the source: any edit would leave
  queued work of the version before untouched for ever.
- The serialiser is JSON. The default is pickle: whoever can write the database could run code.
- The executor id is unique to the data folder and stable: recovery at start covers exactly the
  work that this installation had begun.
- ``DBOS_*`` variables are removed before the import: some of them switch on the vendor's cloud.
- Priorities are always set: work without one would run before all other.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

for _name in [name for name in os.environ if name.startswith("DBOS_")]:
    del os.environ[_name]

from dbos import (  # noqa: E402 - the environment is read at import
    DBOS,
    DBOSClient,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
)

APPLICATION = "idp"
APPLICATION_VERSION = "1"
POLL_SECONDS = 0.2
KEEP_FINISHED = dt.timedelta(hours=6)
"""How long finished jobs stay listed: long enough to look into a mishap, short enough that the
file stays small (about 4 KB a job)."""
_LIST_LIMIT = 500
_ALIVE = ["ENQUEUED", "DELAYED", "PENDING"]

Segment = Callable[[str, str], None]
"""Works on one target (an id); the second argument is the job's token. Must not raise: what it
can't do it records in the store. An exception ends the job, and the sweep finds the work again."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One queue: the segment that its jobs run, and how many run at a time."""

    segment: Segment
    concurrency: int


class Engine:
    """Runs segments durably. One per process: the library keeps its state in the module."""

    def __init__(
        self,
        database: sa.Engine,
        *,
        executor: str,
        lanes: Mapping[str, Lane],
        otherwise: str | None = None,
    ) -> None:
        """Prepare; nothing runs before :meth:`launch`.

        Args:
            database: Connections to the database of our tables, for the library's use alone.
            executor: Unique, stable id of this installation.
            lanes: Queues by name.
            otherwise: The lane for work of a queue that the settings no longer name.
        """
        self._otherwise = otherwise
        self._database = database
        self._executor = executor
        self._lanes = dict(lanes)
        self._client: DBOSClient | None = None

    def launch(self) -> None:
        """Make or bring up the library's tables, take up interrupted jobs, begin to work."""
        sqlite = self._database.dialect.name == "sqlite"
        config = DBOSConfig(
            name=APPLICATION,
            system_database_engine=self._database,
            application_version=APPLICATION_VERSION,
            executor_id=self._executor,
            serializer=DBOSPortableJSONSerializer(),
            log_level="WARNING",
            enable_otlp=False,
            use_listen_notify=not sqlite,
            max_executor_threads=sum(lane.concurrency for lane in self._lanes.values()) + 8,
            notification_listener_polling_interval_sec=0.5,
        )
        DBOS(config=config)
        for name, lane in self._lanes.items():
            DBOS.workflow(name=name)(_body(lane.segment))
        DBOS.launch()
        for name, lane in self._lanes.items():
            DBOS.register_queue(
                name,
                worker_concurrency=lane.concurrency,
                polling_interval_sec=POLL_SECONDS,
                on_conflict="always_update",
            )
        self._client = DBOSClient(
            system_database_engine=self._database,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
        )

    def enqueue(
        self, connection: sa.Connection, queue: str, target: str, job: str, priority: int
    ) -> None:
        """Hand a job over inside the caller's transaction; it runs once that has committed.

        The same ``job`` again is no second job. ``priority``: 1 first, 9 last.
        """
        if self._client is None:
            raise RuntimeError("the engine is not launched")
        lane = self._otherwise if queue not in self._lanes and self._otherwise else queue
        options = EnqueueOptions(
            workflow_name=lane,
            queue_name=lane,
            workflow_id=job,
            app_version=APPLICATION_VERSION,
            priority=max(1, priority),
        )
        self._client.enqueue_in_transaction(connection, options, target, job)

    def live(self, jobs: Sequence[str]) -> Collection[str]:
        """Those of ``jobs`` that are queued or running; all others will never run again.

        What waits in a queue that is no longer worked is as good as lost.
        """
        found: set[str] = set()
        for start in range(0, len(jobs), _LIST_LIMIT):
            for status in DBOS.list_workflows(
                workflow_ids=list(jobs[start : start + _LIST_LIMIT]),
                status=_ALIVE,
                load_input=False,
                load_output=False,
            ):
                if status.queue_name not in self._lanes:
                    continue
                # One process works on a database: what another executor has begun died with it.
                if status.status != "PENDING" or status.executor_id == self._executor:
                    found.add(status.workflow_id)
        return found

    def depth(self) -> dict[str, int]:
        """How many jobs are queued or running, by queue."""
        depths = dict.fromkeys(self._lanes, 0)
        for status in DBOS.list_workflows(
            status=_ALIVE, load_input=False, load_output=False, limit=10_000
        ):
            if status.name in depths:
                depths[status.name] += 1
        return depths

    def forget_finished(self, now: dt.datetime) -> int:
        """Remove finished jobs older than :data:`KEEP_FINISHED`; returns how many."""
        finished = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            end_time=(now - KEEP_FINISHED).isoformat(),
            load_input=False,
            load_output=False,
            limit=_LIST_LIMIT,
        )
        if finished:
            DBOS.delete_workflows([status.workflow_id for status in finished])
        return len(finished)

    def stop(self, grace_seconds: float) -> None:
        """Take no more jobs, wait for those at work, let go of the library.

        A job still at work after ``grace_seconds`` is taken up again at the next launch.
        """
        if self._client is not None:
            self._client.destroy()
            self._client = None
        DBOS.destroy(
            workflow_completion_timeout_sec=max(1, round(grace_seconds)), destroy_registry=True
        )
        # What a job that outlived the grace time still tries to note is of no use to anybody.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        self._database.dispose()


def _body(segment: Segment) -> Callable[[str, str], Any]:
    """A workflow without steps: begun again it runs the segment again, whole."""

    def run(target: str, job: str) -> None:
        segment(target, job)

    return run

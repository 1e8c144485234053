# SPDX-License-Identifier: Apache-2.0
"""The running appliance: drop folders in, checked documents out, until it is told to stop.

It owns the order of starting and stopping and the two segments of work; what they do to the
tables is the store's business, when they run the engine's. Every line here may be the last before
a kill:

- a file is in its drop folder, in ``.claimed``, or recorded with its bytes in the content store;
- recorded work has a job, or a due time at which the sweep gives it one;
- a job that the engine forgot (its tables were emptied) is noticed by the reconciling sweep;
- a delivery carries a key, so that doing it again is no second delivery.

One process works on a data folder, and one on a database.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol, Self, runtime_checkable

import sqlalchemy as sa

from idp.arriving import StoreIntake, marked
from idp.clocks import Running
from idp.cutting import Recut
from idp.deliveries import Sink, deliveries_at_once, sink_of
from idp.document import Document, Page
from idp.engine import Engine, Lane
from idp.errors import (
    AccessError,
    ExitCode,
    IdpError,
    ModelError,
    ParserCrashedError,
    where,
)
from idp.gate import gate_of, receiver_of
from idp.ingest import Inbox, Mailboxes
from idp.installation import DataFolderLock, executor_id, is_house_fault
from idp.judge import clockwork_of, site_of
from idp.learning import Registry
from idp.reference import Reference
from idp.retraining import Trainer
from idp.review import station_of
from idp.review.loop import ReviewLoop
from idp.reviews import reviewing
from idp.serve import StatusPage, create_app
from idp.settings import ChannelSettings, Settings
from idp.store import (
    DELIVER,
    PROCESS,
    ArrivalRow,
    ProcessJob,
    Results,
    Store,
    connect_for_engine,
)
from idp.work_read_back import reading_work_back

SWEEP_SECONDS = 1.0
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 60.0
GRACE_SECONDS = 20.0
"""How long stopping waits for documents at work before it abandons them to the next start."""
ABANDON_SECONDS = 5.0
FORGET_SECONDS = 3600.0
ESCALATION_BATCH = 50
ESCALATION_BATCHES = 10
"""Clocks stepped up in one transaction, and transactions in one round of the sweep."""
_SIGNAL_SECONDS = 0.5
"""The signal that ended a child may reach us a moment later."""

_log = logging.getLogger(__name__)


class _CutOffError(Exception):
    """Work that stopping cut off."""


class ProcessResult(Protocol):
    """What a pipeline gives for one file."""

    @property
    def documents(self) -> tuple[Document, ...]: ...
    @property
    def pages(self) -> tuple[Page, ...]: ...


class PipelinePort(Protocol):
    """Turns a file into checked documents; called from several threads at a time."""

    def process(
        self,
        path: Path,
        *,
        workspace: Path,
        channel: str,
        received_at: dt.datetime,
        source: str | None = None,
        site: str | None = None,
        sidecar: tuple[str, Path] | None = None,
        recut: Recut | None = None,
    ) -> ProcessResult:
        """See :meth:`idp.pipeline.Pipeline.process`."""


@runtime_checkable
class Counted(Protocol):
    """A pipeline that can tell what became of its processes, and has things to tidy."""

    def counts(self) -> Mapping[str, int]:
        """See :meth:`idp.pipeline.Pipeline.counts`."""

    def tidy(self) -> None:
        """See :meth:`idp.pipeline.Pipeline.tidy`."""


@runtime_checkable
class Troubled(Protocol):
    """A pipeline that can tell what an operator should look at."""

    def problems(self) -> tuple[str, ...]:
        """See :meth:`idp.pipeline.Pipeline.problems`."""


class PutOff(Protocol):
    """Lets go of a job: a code, the pause, whether the attempt counts; whether it comes again."""

    def __call__(self, trouble: str, retry_in: dt.timedelta, *, counted: bool) -> bool: ...


def backoff(troubles: int) -> dt.timedelta:
    """The pause after so many troubles in a row: doubling, with a limit."""
    seconds = min(FIRST_RETRY_SECONDS * 2.0 ** min(troubles - 1, 16), LONGEST_RETRY_SECONDS)
    return dt.timedelta(seconds=seconds)


class Appliance:
    """Everything that runs, between ``with`` and its end. Starting it again goes on."""

    def __init__(
        self,
        settings: Settings,
        *,
        pipeline: Callable[[Settings], AbstractContextManager[PipelinePort]] | None = None,
        sink: Sink | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Prepare; nothing is touched before ``with``.

        Args:
            settings: All options.
            pipeline: Makes the pipeline; by default the real one.
            sink: Takes finished documents; by default what ``deliver.to`` names.
            grace_seconds: How long the end waits for documents at work.
        """
        self.settings = settings
        self._make_pipeline = pipeline or _real_pipeline
        self._grace_seconds = grace_seconds
        self._work = settings.data / "work"
        self._stopping = threading.Event()
        self._troubles: dict[str, int] = {}
        self._running = 0
        self._at_work: dict[str, PutOff] = {}
        self._running_lock = threading.Lock()
        self._stack = ExitStack()
        self._sweeper: threading.Thread | None = None
        self._clockwork = clockwork_of(settings)
        self.store = Store(
            settings.resolved_database_url, settings.data / "store", steps=self._clockwork.steps
        )
        self._sink = sink or sink_of(settings, self.store)
        self._pipeline: PipelinePort | None = None
        self._reviews: ReviewLoop | None = None
        self._reading_back: Troubled | None = None
        self._engine: Engine | None = None
        self._inbox: Inbox | None = None
        self._mailboxes: Mailboxes | None = None
        self._station = station_of(settings)

    @property
    def busy(self) -> int:
        """How many segments are at work in this process."""
        return self._running

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self._start(starting)
            self._stack = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def stop_soon(self) -> None:
        """Say that the end is near; safe in a signal handler. ``with`` does the rest."""
        self._stopping.set()
        self._station.stop_soon()

    def hint_reviews(self) -> None:
        """Hear that a review may be finished; polling finds it in any case. Returns at once."""
        if self._reviews is not None:
            self._reviews.hint()

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at; empty when all is well."""
        pipeline: object = self._pipeline
        of_models = pipeline.problems() if isinstance(pipeline, Troubled) else ()
        for each in (self._reviews, self._reading_back):
            of_models += each.problems() if each is not None else ()
        of_inbox = self._inbox.health().problems if self._inbox is not None else ()
        of_mailboxes = self._mailboxes.problems() if self._mailboxes is not None else ()
        return (*of_inbox, *of_mailboxes, *of_models, *self._station.problems())

    def reading(self) -> dict[str, int]:
        """What became of the reading processes so far; empty when the pipeline can't tell."""
        pipeline: object = self._pipeline
        return dict(pipeline.counts()) if isinstance(pipeline, Counted) else {}

    def _start(self, stack: ExitStack) -> None:
        """Start everything; ``stack`` stops it in the opposite order."""
        try:
            self.settings.data.mkdir(mode=0o750, parents=True, exist_ok=True)
            stack.enter_context(DataFolderLock(self.settings.data))
            executor = executor_id(self.settings.data)
            # Only now: another process might have been at work in there.
            shutil.rmtree(self._work, ignore_errors=True)
            self._work.mkdir(exist_ok=True)
        except OSError as error:
            raise AccessError(f"data folder {self.settings.data}: {error.strerror}") from error
        self.store.migrate()
        stack.callback(self.store.close)
        stack.enter_context(self.store.exclusive())
        self.store.content.sweep()
        self._note_models()
        self._note_imports()
        # Entered before the engine, so that it is closed after it: closing it ends the children
        # that read for a document which is still at work after the grace time.
        stack.callback(self._await_abandoned)
        self._pipeline = stack.enter_context(self._make_pipeline(self.settings))
        engine = Engine(
            connect_for_engine(self.store.database_url),
            executor=executor,
            lanes=self._lanes(),
            otherwise=PROCESS,
        )
        self._engine = engine
        engine.launch()
        stack.callback(engine.stop, self._grace_seconds)
        self._sweeper = threading.Thread(target=self._sweep_loop, name="sweep", daemon=True)
        self._sweeper.start()
        stack.callback(self._stop_sweeper)
        stack.enter_context(receiver_of(self.settings, self.hint_reviews))
        self._reviews = stack.enter_context(reviewing(self.settings, self.store, self._pipeline))
        self._reading_back = stack.enter_context(reading_work_back(self.settings, self.store))
        self._inbox = Inbox(
            self.settings.inbox_folder,
            self.settings.ingest,
            StoreIntake(self.store, engine, self._unread),
        )
        self._inbox.start()
        stack.callback(self._inbox.stop)
        self._mailboxes = Mailboxes(self.settings.ingest, self._inbox.folders, self.store.recorded)
        self._mailboxes.start()
        stack.callback(self._mailboxes.stop)
        stack.callback(self._station.stop)
        self._station.start()

    def _lanes(self) -> dict[str, Lane]:
        """The queues: those that documents are worked in, and that of deliveries."""
        process, deliver = self._guarded(self._process), self._guarded(self._deliver)
        queues = {PROCESS: self.settings.engine.concurrency, **self.settings.engine.queues}
        return {
            **{name: Lane(process, concurrency) for name, concurrency in queues.items()},
            DELIVER: Lane(deliver, deliveries_at_once(self.settings)),
        }

    def _unread(self, received_at: dt.datetime, site: str | None, priority: int) -> Running:
        """The clocks of a file that nobody has read."""
        return self._clockwork.unread(
            received_at=received_at, site=site_of(self.settings, site), priority=priority
        )

    def _note_models(self) -> None:
        """Put promotions on the record whose command was killed before it could."""
        registry = Registry(self.settings.registry_folder, self.settings.models_folder)
        try:
            history = registry.current().history
        except ModelError as error:
            _log.error("%s", error.message)
            return
        self.store.note_models([change.model_dump() for change in history])

    def _note_imports(self) -> None:
        """Put imported code lists on the record whose command was killed before it could."""
        editions = Reference.of(self.settings).editions
        self.store.note_models([event for each in editions for event in each.events()])

    def _stop_sweeper(self) -> None:
        self._stopping.set()
        if self._sweeper is not None:
            self._sweeper.join()

    def _await_abandoned(self) -> None:
        """Wait for segments whose reading was cut off; put back what does not end.

        What a segment that hangs in foreign code might still find is refused by the store then.
        """
        deadline = time.monotonic() + ABANDON_SECONDS
        while self._running and time.monotonic() < deadline:
            time.sleep(0.05)
        for put_back in list(self._at_work.values()):
            put_back("stopped", dt.timedelta(0), counted=False)

    def _sweep_loop(self) -> None:
        """Start what is due; now and then look for work that the engine lost."""
        assert self._engine is not None
        next_reconcile = next_forget = 0.0
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= next_reconcile:
                    next_reconcile = time.monotonic() + self.settings.engine.reconcile_seconds
                    _tell(self.reading(), self.settings.counts_file)
                    lost = self.store.reconcile(self._engine.live)
                    if lost:
                        _log.warning("%d jobs were lost by the engine and start anew", lost)
                self.store.start_due(self._engine.enqueue)
                self._escalate()
                if time.monotonic() >= next_forget:
                    next_forget = time.monotonic() + FORGET_SECONDS
                    self._engine.forget_finished(dt.datetime.now(dt.UTC))
                    pipeline: object = self._pipeline
                    if isinstance(pipeline, Counted):
                        pipeline.tidy()
            except Exception as error:
                # The sweep outlives every trouble; the next round finds the same work.
                _log.error("a sweep failed: %s", where(error))
            self._stopping.wait(SWEEP_SECONDS)

    def _escalate(self) -> None:
        """Step up the clocks that have come to it: some in each round, so that work goes on."""
        for _ in range(ESCALATION_BATCHES):
            stepped = self.store.escalate(ESCALATION_BATCH)
            for one in stepped:
                level = logging.WARNING if one.state == self.store.steps[-1].state else logging.INFO
                _log.log(level, "document %s: clock %s is %s", one.document_id, one.rule, one.state)
            if len(stepped) < ESCALATION_BATCH or self._stopping.is_set():
                return

    def _guarded(self, segment: Callable[[str, str], None]) -> Callable[[str, str], None]:
        """A segment that never raises: what escapes it is found again by the sweep."""

        def run(target: str, job: str) -> None:
            with self._running_lock:
                self._running += 1
            try:
                segment(target, job)
            except Exception as error:
                _log.error("job %s could not even be put off: %s", job, where(error))
            finally:
                with self._running_lock:
                    self._running -= 1

        return run

    def _process(self, arrival_id: str, job: str) -> None:
        """The ``process`` segment: one packet, from its bytes to its documents' decisions."""
        assert self._pipeline is not None
        process_job = self.store.begin_processing(arrival_id, job, self.settings.engine.attempts)
        if process_job is None:
            return
        put_off = self._remember(job, partial(self.store.fail_processing, process_job))
        arrival = process_job.arrival
        workspace = self._work / job.replace(":", "_")
        try:
            shutil.rmtree(workspace, ignore_errors=True)
            workspace.mkdir()
            result = self._pipeline.process(
                self.store.content.path(arrival.sha256),
                workspace=workspace,
                channel=arrival.channel,
                received_at=arrival.received_at,
                source=arrival.name,
                site=arrival.site,
                sidecar=self._sidecar(arrival),
                recut=process_job.recut,
            )
            self._doubt(process_job, result)
            observations = getattr(result, "observations", ())
            judged_by = getattr(result, "judged_by", ())
            channel = self._channel(arrival.channel)
            documents = tuple(marked(each, arrival, channel) for each in result.documents)
            self.store.finish_processing(
                process_job,
                Results(documents, result.pages, observations, judged_by),
                self._enqueue(),
                near_duplicates=channel.near_duplicates,
            )
            self._troubles.pop(arrival_id, None)
            _log.info("arrival %s: %d document(s)", arrival_id, len(result.documents))
        except Exception as error:
            trouble, retry_in, counted = self._judge(arrival_id, error)
            again = put_off(trouble, retry_in, counted=counted)
            _log_trouble("arrival", arrival_id, error, again=again)
        finally:
            self._at_work.pop(job, None)
            shutil.rmtree(workspace, ignore_errors=True)

    def _channel(self, name: str) -> ChannelSettings:
        """How a channel is treated; the defaults for one that the settings no longer name."""
        return self.settings.ingest.channels.get(name) or ChannelSettings()

    def _sidecar(self, arrival: ArrivalRow) -> tuple[str, Path] | None:
        """The file that describes an arrival: its name and its bytes."""
        if arrival.sidecar_name is None or arrival.sidecar_sha256 is None:
            return None
        return arrival.sidecar_name, self.store.content.path(arrival.sidecar_sha256)

    def _doubt(self, process_job: ProcessJob, result: ProcessResult) -> None:
        """Raise when a result says more about us than about the file.

        A child that died may have been ended by our own stopping (a service manager signals all
        processes of a service) or by the kernel for want of memory: not the file's fault until
        it happens again and again.
        """
        if not any(document.error == ParserCrashedError.code for document in result.documents):
            return
        if self._stopping.wait(_SIGNAL_SECONDS):
            raise _CutOffError("a child was ended while stopping")
        if process_job.attempt < self.settings.engine.attempts:
            raise ParserCrashedError("a child process died; tried again")

    def _deliver(self, delivery_id: str, job: str) -> None:
        """The ``deliver`` segment: one version of one document to the sink."""
        deliver_job = self.store.begin_delivery(delivery_id, job, self.settings.engine.attempts)
        if deliver_job is None:
            return
        put_off = self._remember(job, partial(self.store.fail_delivery, deliver_job))
        try:
            document = self.store.document(deliver_job.document_id)
            assert document is not None
            content = self.store.content
            location = self._sink.deliver(
                document,
                content.path(deliver_job.original_sha256) if deliver_job.whole_file else None,
                {n: content.path(sha) for n, sha in deliver_job.image_sha256s.items()},
                deliver_job.key,
                deliver_job.version,
            )
            self.store.finish_delivery(deliver_job, str(location))
            self._troubles.pop(delivery_id, None)
            _log.info("document %s delivered", deliver_job.document_id)
        except Exception as error:
            trouble, retry_in, counted = self._judge(delivery_id, error)
            again = put_off(trouble, retry_in, counted=counted)
            _log_trouble("document", deliver_job.document_id, error, again=again)
        finally:
            self._at_work.pop(job, None)

    def _remember(self, job: str, fail: Callable[..., bool]) -> PutOff:
        """Note how to put a job off, for the case that it never ends."""

        def put_off(trouble: str, retry_in: dt.timedelta, *, counted: bool) -> bool:
            return fail(
                trouble=trouble,
                retry_in=retry_in,
                attempts=self.settings.engine.attempts,
                counted=counted,
            )

        self._at_work[job] = put_off
        return put_off

    def _enqueue(self) -> Callable[[sa.Connection, str, str, str, int], None] | None:
        """How to hand on more work; while stopping the next start does it."""
        assert self._engine is not None
        return None if self._stopping.is_set() else self._engine.enqueue

    def _judge(self, target: str, error: Exception) -> tuple[str, dt.timedelta, bool]:
        """What stopped an attempt: a code, the pause before the next, and whether it counts."""
        if self._stopping.is_set():
            return "stopped", dt.timedelta(0), False
        troubles = self._troubles.get(target, 0) + 1
        self._troubles[target] = troubles
        code = error.code if isinstance(error, IdpError) else type(error).__name__
        if isinstance(error, OSError) and error.errno is not None:
            code = errno.errorcode.get(error.errno, code)
        return code, backoff(troubles), not is_house_fault(error)


def run(settings: Settings, announce: Callable[[str], None] | None = None) -> None:
    """Run the appliance and its status page until SIGINT or SIGTERM; a second one ends it at once.

    Args:
        settings: All options.
        announce: Told one line at a time where to look; by default written to standard output.

    Raises:
        AlreadyRunningError: Another process works on the data folder.
        AccessError: A folder can't be made or written.
        SettingsError: The status page can't listen, or the database can't be used.
    """
    say = announce or _to_stdout
    stop = threading.Event()
    appliance = Appliance(settings)

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(ExitCode.INTERRUPTED)
        appliance.stop_soon()
        stop.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    trainer = Trainer(settings)
    try:
        with (
            appliance,
            closing(trainer),
            StatusPage(
                create_app(
                    settings, appliance.store, appliance.problems, appliance.reading, trainer
                ),
                settings.serve,
            ) as page,
            gate_of(settings, appliance.store, appliance.hint_reviews) as gate,
        ):
            say(f"status page  {page.address}")
            if gate is not None:
                say(f"review       {gate.address}")
            say(f"drop folders {settings.inbox_folder.absolute()}")
            if settings.deliver.to == "odoo":
                say(f"odoo         {settings.deliver.odoo.url}")
            else:
                say(f"outbox       {settings.outbox_folder.absolute()}")
            stop.wait()
            say("stopping: documents at work are finished, or taken up again at the next start")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if appliance.busy:
        # A segment that hangs in foreign code would keep the interpreter from ending. Nothing
        # of it is lost: a kill would do the same.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(ExitCode.OK)


def _log_trouble(kind: str, identity: str, error: Exception, *, again: bool) -> None:
    fate = "tried again" if again else "given up"
    _log.warning("%s %s: %s; %s", kind, identity, where(error), fate)


def _real_pipeline(settings: Settings) -> AbstractContextManager[PipelinePort]:
    from idp.pipeline import Pipeline  # noqa: PLC0415 - loads models and OCR: only to run

    return Pipeline(settings, resident=True)


def _tell(counts: Mapping[str, int], path: Path) -> None:
    """Leaves the counts for `idp status`, which runs in another process."""
    half = path.with_suffix(".tmp")
    half.write_text(json.dumps(counts), encoding="ascii")
    half.replace(path)


def _to_stdout(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

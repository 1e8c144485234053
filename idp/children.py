# SPDX-License-Identifier: Apache-2.0
"""Child processes for work that may hang, crash or eat all memory: parsing and reading.

Each worker is a ``pebble`` pool of exactly one process, with a time limit per call and a memory
limit; what happens to one worker touches no other, not even the pipe that results come through. A
worker that dies or hangs costs its own call a coded error and is replaced. A worker is also
replaced, between two calls and with nothing lost, after so many calls and when it has grown over
its soft limit of memory.
"""

from __future__ import annotations

import concurrent.futures
import importlib
import multiprocessing
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal, NamedTuple, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from idp.errors import IdpError, ParserCrashedError, TooSlowError

P = ParamSpec("P")
R = TypeVar("R")

WarmUp = tuple[Callable[..., object], tuple[Any, ...]]
"""A function, importable by name, and its arguments: what a fresh process does first."""

_GRACE_SECONDS = 30.0
"""A call that has not ended so long after its limit finds the pool stuck and has it replaced."""

_WARM_UP_SECONDS = 300.0
_LOOK_SECONDS = 0.5
_WATCH_SECONDS = 0.25
_MEMORY_EXIT = 77
_ORPHAN_EXIT = 78
_MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one call, and one process, may use.

    ``memory`` says how the megabytes are held: ``address_space`` asks the kernel (strict, for
    parsers), ``resident`` looks at the resident size four times a second (for model runtimes that
    reserve far more than they use).
    """

    seconds: float
    memory_mb: int
    memory: Literal["address_space", "resident"] = "address_space"
    calls_per_process: int = 0
    soft_memory_mb: int = 0
    """A process that is larger than this after a call is replaced before the next; 0 is never."""
    quiet: bool = False
    """Throw away what C libraries print to standard error (libtiff on every odd tag)."""
    input_is_hostile: bool = True
    """Whether an exception that nobody foresaw is the input's doing (a parser of foreign files) or
    our own (models on a picture we made): the first is a crash of the parser, the second a fault
    that must not be blamed on the file."""


@dataclass(frozen=True)
class Health:
    """What has become of the workers since the start; counts only, nothing of what they read."""

    workers: int
    calls: int = 0
    """Calls that ended with an answer or a coded error of their own."""
    replaced_after_calls: int = 0
    replaced_for_memory: int = 0
    killed_too_slow: int = 0
    killed_for_memory: int = 0
    died: int = 0
    largest_mb: int = 0
    """The largest resident size that a process had after a call."""


class _Answer(NamedTuple):
    value: Any
    resident_mb: int


class Children:
    """A pool of child processes. Thread-safe; use it as a context manager.

    Functions must be importable by name and their arguments picklable. Coded errors raised in a
    child arrive as they are; for what else goes wrong there see ``Limits.input_is_hostile``.
    """

    def __init__(self, workers: int, limits: Limits, warm_up: WarmUp | None = None) -> None:
        """Prepares; processes start with the first call, or with :meth:`start`.

        Args:
            workers: How many processes, and calls at a time.
            limits: Of each process and call.
            warm_up: Done first by every process, also by replacements; not counted in a call's
                time. What it raises, the calls must raise as well.
        """
        self._limits = limits
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._health = Health(workers)
        self._workers = [_Worker(limits, warm_up) for _ in range(workers)]
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="children")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def health(self) -> Health:
        """The counts so far."""
        with self._lock:
            return self._health

    def start(self) -> None:
        """Starts all processes and their warm-up now; does not wait for them.

        Raises:
            ParserCrashedError: this pool was closed.
        """
        self._check_open()
        for worker in self._workers:
            worker.start()

    def warm_up(self) -> None:
        """Starts all processes and waits until each has done its warm-up.

        Raises:
            ParserCrashedError: this pool was closed.
            Exception: whatever the warm-up raised.
        """
        self.start()
        for worker in self._workers:
            worker.wait_until_warm()

    def close(self) -> None:
        """Ends all children at once. Calls still waiting raise :class:`ParserCrashedError`."""
        self._closing.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(wait=True)

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs one function in a child; see :meth:`map` for the errors."""
        bound = [(args, kwargs)]
        return self._run(function, bound)[0]

    def map(self, function: Callable[[Any], R], items: Sequence[Any]) -> list[R]:
        """Runs the function on each item, as many at a time as there are workers.

        When one fails, those not begun are not begun, and those at work are ended.

        Raises:
            TooSlowError: a call took longer than its limit; its child was killed.
            ParserCrashedError: a child died, or ran out of memory.
            IdpError: whatever coded error the function raised.
        """
        return self._run(function, [((item,), {}) for item in items])

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise ParserCrashedError("the child processes have been stopped")

    def _run(
        self, function: Callable[..., R], calls: Sequence[tuple[Sequence[Any], dict[str, Any]]]
    ) -> list[R]:
        name = _name_of(function)
        given_up = threading.Event()
        futures: list[Future[R]] = []
        try:
            for args, kwargs in calls:
                self._check_open()
                try:
                    futures.append(self._threads.submit(self._one, name, args, kwargs, given_up))
                except RuntimeError:  # closed in this very moment
                    self._check_open()
                    raise
            concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
            for future in futures:
                if future.done():
                    future.result()  # the first that failed, however long those before it take
            return [future.result() for future in futures]
        except BaseException as error:
            # Also on Ctrl-C: nothing that nobody waits for goes on running.
            given_up.set()
            for future in futures:
                future.cancel()
            concurrent.futures.wait(futures)
            if isinstance(error, concurrent.futures.CancelledError):
                raise ParserCrashedError("the child processes have been stopped") from error
            raise

    def _one(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], given_up: threading.Event
    ) -> Any:
        """Runs in a thread of ours: one call on a free worker. There are as many as threads."""
        worker = self._free.get()
        try:
            answer = worker.call(
                name, args, kwargs, lambda: given_up.is_set() or self._closing.is_set()
            )
            return answer.value
        finally:
            self._count(worker)
            self._free.put(worker)

    def _count(self, worker: _Worker) -> None:
        """Takes over what a worker did since, and replaces it where it is due."""
        done, worker.done = worker.done, Health(1)
        due = worker.replace_if_due() if not self._closing.is_set() else None
        with self._lock:
            old = self._health
            self._health = Health(
                workers=old.workers,
                calls=old.calls + done.calls,
                replaced_after_calls=old.replaced_after_calls + (due == "calls"),
                replaced_for_memory=old.replaced_for_memory + (due == "memory"),
                killed_too_slow=old.killed_too_slow + done.killed_too_slow,
                killed_for_memory=old.killed_for_memory + done.killed_for_memory,
                died=old.died + done.died,
                largest_mb=max(old.largest_mb, done.largest_mb),
            )


class _Worker:
    """One process and its successors. One caller at a time; :meth:`close` may come any time."""

    def __init__(self, limits: Limits, warm_up: WarmUp | None) -> None:
        self._limits = limits
        self._warm_up = warm_up
        self._lock = threading.Lock()
        self._closed = False
        self._pool: ProcessPool | None = None
        self._warming: Any = None
        self._calls = 0
        self._resident_mb = 0
        self.done = Health(1)

    def start(self) -> ProcessPool:
        """The pool of this worker's process, started if it is not there."""
        with self._lock:
            if self._closed:
                raise ParserCrashedError("the child processes have been stopped")
            if self._pool is None:
                self._pool = ProcessPool(
                    max_workers=1,
                    initializer=_prepare_child,
                    initargs=(os.getpid(), self._limits),
                    # A fork would copy locks held by other threads of the service.
                    context=multiprocessing.get_context("spawn"),
                )
                self._calls = self._resident_mb = 0
                self._warming = None
                if self._warm_up is not None:
                    function, args = self._warm_up
                    self._warming = self._pool.schedule(
                        _call, args=(_name_of(function), args, {}), timeout=_WARM_UP_SECONDS
                    )
            return self._pool

    def wait_until_warm(self) -> None:
        """Waits for the warm-up; raises what it raised."""
        warming = self._warming
        if warming is None:
            return
        while not warming.done():
            concurrent.futures.wait([warming], timeout=_LOOK_SECONDS)
            if self._closed and not warming.done():
                raise ParserCrashedError("the child processes have been stopped")
        warming.result()

    def call(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], stop: Callable[[], bool]
    ) -> _Answer:
        """One call; ``stop`` is asked often whether anybody still waits for it."""
        pool = self.start()
        try:
            future = self._scheduled(pool, name, args, kwargs)
        except (RuntimeError, BrokenProcessPool):
            # The process was killed while idle: start over once.
            self._end()
            future = self._scheduled(self.start(), name, args, kwargs)
        try:
            answer = self._awaited(future, stop)
        except IdpError:  # the function's own
            self._calls += 1
            self.done = replace(self.done, calls=1)
            raise
        except _StoppedError as error:
            self._end()
            raise ParserCrashedError("the child processes have been stopped") from error
        except concurrent.futures.TimeoutError as error:
            self._end()
            self.done = replace(self.done, killed_too_slow=1)
            raise TooSlowError(f"took longer than {self._limits.seconds:g} seconds") from error
        except ProcessExpired as error:
            self._end()
            code = getattr(error, "exitcode", None)
            if code == _MEMORY_EXIT:
                raise self._too_large() from error
            self.done = replace(self.done, died=1)
            raise ParserCrashedError(f"the child process died (exit code {code})") from error
        except MemoryError as error:
            self._end()
            raise self._too_large() from error
        except (concurrent.futures.CancelledError, BrokenProcessPool) as error:
            self._end()
            self.done = replace(self.done, died=1)
            raise ParserCrashedError("the child process was stopped") from error
        except Exception as error:
            self._calls += 1
            self.done = replace(self.done, calls=1)
            if not self._limits.input_is_hostile:
                raise
            raise ParserCrashedError(
                f"the child process failed with {type(error).__name__}"
            ) from error
        self._calls += 1
        self._resident_mb = answer.resident_mb
        self.done = replace(self.done, calls=1, largest_mb=answer.resident_mb)
        return answer

    def replace_if_due(self) -> Literal["calls", "memory"] | None:
        """Puts a fresh process in the place of one that has worked or grown enough; says why.

        The fresh one warms up at once, so that the next call does not wait for it to begin.
        """
        limits = self._limits
        due: Literal["calls", "memory"] | None = None
        if limits.calls_per_process and self._calls >= limits.calls_per_process:
            due = "calls"
        elif limits.soft_memory_mb and self._resident_mb > limits.soft_memory_mb:
            due = "memory"
        if due is not None:
            self._end()
        if self._pool is None and self._warm_up is not None and not self._closed:
            try:
                self.start()
            except (OSError, RuntimeError, IdpError):
                return due  # closed meanwhile, or no process to be had: the next call will say
        return due

    def close(self) -> None:
        """Ends the process at once, for good."""
        with self._lock:
            self._closed = True
        self._end()

    def _too_large(self) -> ParserCrashedError:
        self.done = replace(self.done, killed_for_memory=1)
        return ParserCrashedError(f"needed more than {self._limits.memory_mb} MB of memory")

    def _scheduled(
        self, pool: ProcessPool, name: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        return pool.schedule(_call, args=(name, args, kwargs), timeout=self._limits.seconds)

    def _awaited(self, future: Any, stop: Callable[[], bool]) -> _Answer:
        # The pool keeps the call's limit; this is for the case that the pool itself is stuck.
        deadline = None
        while not future.done():
            # In slices: a pool that is stopped does not always tell those who wait for it.
            concurrent.futures.wait([future], timeout=_LOOK_SECONDS)
            if future.done():
                break
            if stop():
                raise _StoppedError
            if deadline is None and (self._warming is None or self._warming.done()):
                deadline = time.monotonic() + self._limits.seconds + _GRACE_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                raise concurrent.futures.TimeoutError
        answer: _Answer = future.result(timeout=0)
        return answer

    def _end(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()


class _StoppedError(Exception):
    """Nobody waits for this call any more."""


def _name_of(function: Callable[..., object]) -> str:
    return f"{function.__module__}:{function.__qualname__}"


def _call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> _Answer:
    """Runs in the child: finds the function by name and calls it."""
    module, _, qualname = name.partition(":")
    target: Any = importlib.import_module(module)
    for part in qualname.split("."):
        target = getattr(target, part)
    value = target(*args, **kwargs)
    return _Answer(value, _statm(1) // _MB)


def _prepare_child(parent: int, limits: Limits) -> None:
    """Runs first in every child: one thread each, limits, and an end when the parent ends."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.memory == "address_space":
        ceiling = _address_space_bytes() + limits.memory_mb * _MB
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    if limits.quiet:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    watched_mb = limits.memory_mb if limits.memory == "resident" else None
    threading.Thread(target=_watch, args=(parent, watched_mb), daemon=True).start()


def _address_space_bytes() -> int:
    return _statm(0)


def _statm(field: int) -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:  # noqa: PTH123 - no allocation
            return int(stream.read().split()[field]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0  # not Linux: only the kernel's own limits hold


def _watch(parent: int, memory_mb: int | None) -> None:
    """Ends this process when it outgrows its memory or its parent is gone."""
    while True:
        time.sleep(_WATCH_SECONDS)
        if os.getppid() != parent:
            os._exit(_ORPHAN_EXIT)
        if memory_mb is not None and _statm(1) > memory_mb * _MB:
            sys.stderr.flush()
            os._exit(_MEMORY_EXIT)

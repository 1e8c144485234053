# SPDX-License-Identifier: Apache-2.0
"""Child processes for work that may hang, crash or eat all memory: parsing and reading.

A pool of ``pebble`` workers with a time limit per call, a memory limit per process, and a fresh
process after so many calls. A worker that dies or hangs costs its own call a coded error; the pool
goes on with a new worker.

Risks left open: a worker that is killed in the very moment it hands over its result can block the
pool's pipe; the caller's time limit then ends the wait and the pool is replaced.
"""

from __future__ import annotations

import concurrent.futures
import importlib
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from idp.errors import IdpError, ParserCrashedError, TooSlowError

P = ParamSpec("P")
R = TypeVar("R")

_PATIENCE = 4
_GRACE_SECONDS = 30.0
"""A call that has not ended after so many times its limit, and so much more, finds the pool stuck
and has it replaced."""

_LOOK_SECONDS = 0.5
_WATCH_SECONDS = 0.25
_MEMORY_EXIT = 77
_ORPHAN_EXIT = 78


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
    quiet: bool = False
    """Throw away what C libraries print to standard error (libtiff on every odd tag)."""
    input_is_hostile: bool = True
    """Whether an exception that nobody foresaw is the input's doing (a parser of foreign files) or
    our own (models on a picture we made): the first is a crash of the parser, the second a fault
    that must not be blamed on the file."""


class Children:
    """A pool of child processes. Thread-safe; use it as a context manager.

    Functions must be importable by name and their arguments picklable. Coded errors raised in a
    child arrive as they are; for what else goes wrong there see ``Limits.input_is_hostile``.
    """

    def __init__(self, workers: int, limits: Limits) -> None:
        self._workers = workers
        self._limits = limits
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all children at once. Calls still waiting raise :class:`ParserCrashedError`."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        _end(pool)

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs one function in a child; see :meth:`map` for the errors."""
        bound = [(args, kwargs)]
        return self._run(function, bound)[0]

    def map(self, function: Callable[[Any], R], items: Sequence[Any]) -> list[R]:
        """Runs the function on each item, as many at a time as there are workers.

        Raises:
            TooSlowError: a call took longer than its limit; its child was killed.
            ParserCrashedError: a child died, or ran out of memory.
            IdpError: whatever coded error the function raised.
        """
        return self._run(function, [((item,), {}) for item in items])

    def _run(
        self, function: Callable[..., R], calls: Sequence[tuple[Sequence[Any], dict[str, Any]]]
    ) -> list[R]:
        name = f"{function.__module__}:{function.__qualname__}"
        pool = self._started()
        futures = []
        try:
            for args, kwargs in calls:
                futures.append(self._schedule(pool, name, args, kwargs))
            return [self._result(future, len(calls)) for future in futures]
        except BaseException:
            # Also on Ctrl-C: nothing that nobody waits for goes on running.
            for future in futures:
                future.cancel()
            raise

    def _started(self) -> ProcessPool:
        with self._lock:
            if self._closed:
                raise ParserCrashedError("the child processes have been stopped")
            if self._pool is None:
                self._pool = ProcessPool(
                    max_workers=self._workers,
                    max_tasks=self._limits.calls_per_process,
                    initializer=_prepare_child,
                    initargs=(os.getpid(), self._limits),
                    # A fork would copy locks held by other threads of the service.
                    context=multiprocessing.get_context("spawn"),
                )
            return self._pool

    def _schedule(
        self, pool: ProcessPool, name: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        try:
            return pool.schedule(_call, args=(name, args, kwargs), timeout=self._limits.seconds)
        except (RuntimeError, BrokenProcessPool):
            # The pool broke down while idle (its workers were killed): start over once.
            self._discard(pool)
            return self._started().schedule(
                _call, args=(name, args, kwargs), timeout=self._limits.seconds
            )

    def _discard(self, pool: ProcessPool) -> None:
        with self._lock:
            mine = self._pool is pool
            if mine:
                self._pool = None
        if mine:
            _end(pool)

    def _result(self, future: Any, calls: int) -> Any:
        # The pool keeps each call's own limit; this is for the case that the pool itself is stuck.
        # Calls queue for a worker (others' calls too), so the wait may be far longer than one.
        patience = _PATIENCE * self._limits.seconds * (calls // self._workers + 1)
        deadline = time.monotonic() + patience + _GRACE_SECONDS
        try:
            while not future.done() and time.monotonic() < deadline:
                # In slices: a pool that is stopped does not always tell those who wait for it.
                concurrent.futures.wait([future], timeout=_LOOK_SECONDS)
                if self._closed and not future.done():
                    raise ParserCrashedError("the child processes have been stopped")
            return future.result(timeout=0)
        except IdpError:
            raise
        except concurrent.futures.TimeoutError as error:
            if not future.done():
                pool = self._pool
                if pool is not None:
                    self._discard(pool)
            raise TooSlowError(f"took longer than {self._limits.seconds:g} seconds") from error
        except ProcessExpired as error:
            code = getattr(error, "exitcode", None)
            if code == _MEMORY_EXIT:
                raise ParserCrashedError(
                    f"needed more than {self._limits.memory_mb} MB of memory"
                ) from error
            raise ParserCrashedError(f"the child process died (exit code {code})") from error
        except MemoryError as error:
            raise ParserCrashedError(
                f"needed more than {self._limits.memory_mb} MB of memory"
            ) from error
        except (concurrent.futures.CancelledError, BrokenProcessPool) as error:
            raise ParserCrashedError("the child process was stopped") from error
        except Exception as error:
            if not self._limits.input_is_hostile:
                raise
            raise ParserCrashedError(
                f"the child process failed with {type(error).__name__}"
            ) from error


def _end(pool: ProcessPool | None) -> None:
    if pool is None:
        return
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Runs in the child: finds the function by name and calls it."""
    module, _, qualname = name.partition(":")
    target: Any = importlib.import_module(module)
    for part in qualname.split("."):
        target = getattr(target, part)
    return target(*args, **kwargs)


def _prepare_child(parent: int, limits: Limits) -> None:
    """Runs first in every child: one thread each, limits, and an end when the parent ends."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.memory == "address_space":
        ceiling = _address_space_bytes() + limits.memory_mb * 1024 * 1024
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
        if memory_mb is not None and _statm(1) > memory_mb * 1024 * 1024:
            sys.stderr.flush()
            os._exit(_MEMORY_EXIT)

# SPDX-License-Identifier: Apache-2.0
"""Documents that arrive one after another in a store: each is held against those before it."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from idp.document import Document, Page
from idp.store import Results, Store, new_id

_ATTEMPTS = 1


class Doubles:
    """A store of its own, with the real database; a context manager that removes it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self._store = Store(f"sqlite:///{folder / 'idp.sqlite'}", folder / "store")
        self._store.migrate()
        self._queue: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()
        self._folder.cleanup()

    def take(self, document: Document, pages: Sequence[Page]) -> Document:
        """The document as it is after its arrival, marked where it repeats an earlier one."""
        now = dt.datetime.now(dt.UTC)
        content = self._store.content
        self._store.record_arrival(
            new_id(now),
            channel=document.channel,
            name=document.source,
            kept=content.put_bytes(uuid.uuid4().bytes),  # never the same bytes
            received_at=now,
            priority=5,
            enqueue=self._enqueue,
        )
        job = self._store.begin_processing(*self._queue.pop(), _ATTEMPTS)
        if job is None:
            raise RuntimeError("what has just arrived cannot be worked")
        # Pictures were drawn for the moment, and are compared by nobody.
        bare = tuple(page.model_copy(update={"image": None}) for page in pages)
        results = Results((document,), bare)
        self._store.finish_processing(job, results, self._enqueue, near_duplicates="hold")
        self._queue.clear()  # nothing is delivered here
        newest = max(self._store.recent(), key=lambda row: row.id)
        kept = self._store.document(newest.id)
        if kept is None:
            raise RuntimeError("what has just been stored is not there")
        return kept

    def _enqueue(self, connection: Any, segment: str, target: str, job: str, priority: int) -> None:
        self._queue.append((target, job))

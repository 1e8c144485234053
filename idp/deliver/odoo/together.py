# SPDX-License-Identifier: Apache-2.0
"""Group commit: what several threads want done at the same moment is done in one go.

Who comes while nothing is at work begins at once with what is there, so nobody waits for company;
who comes while something is at work goes along with the next go.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Place(Generic[Item, Result]):
    """One thread's place in the queue."""

    item: Item
    result: Result | None = None
    error: BaseException | None = None
    done: bool = False


class Together(Generic[Item, Result]):
    """Gathers items of several threads; each call returns its own item's result."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]], most: int) -> None:
        """Prepare.

        Args:
            work: Does several; one result each, in their order. One call at a time.
            most: Items in one go.
        """
        self._work = work
        self._most = most
        self._changed = threading.Condition()
        self._queue: deque[_Place[Item, Result]] = deque()
        self._at_work = False

    def __call__(self, item: Item) -> Result:
        """Have it done, alone or with others; raises what the go as a whole raised."""
        place: _Place[Item, Result] = _Place(item)
        with self._changed:
            self._queue.append(place)
        while (some := self._next(place)) is not None:
            self._lead(some)
        if place.error is not None:
            raise place.error
        assert place.result is not None
        return place.result

    def _next(self, own: _Place[Item, Result]) -> list[_Place[Item, Result]] | None:
        """The go that this thread is to lead; ``None`` once its own item is done."""
        with self._changed:
            while not own.done and self._at_work:
                self._changed.wait()
            if own.done:
                return None
            self._at_work = True
            return [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]

    def _lead(self, some: Sequence[_Place[Item, Result]]) -> None:
        try:
            results = self._work([place.item for place in some])
            for place, result in zip(some, results, strict=True):
                place.result = result
        except BaseException as error:
            for place in some:
                place.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            with self._changed:
                for place in some:
                    place.done = True
                self._at_work = False
                self._changed.notify_all()

# SPDX-License-Identifier: Apache-2.0
"""What a page of Label Studio's will ask for first, asked for while the browser still loads it.

The page asks one question after the other, each when the last is answered, and only after its
scripts have run. Asked all at once in the meantime, the answers are there when it comes to them.
Only what changes nothing is asked ahead: never for the next task, which locks one.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import httpx

from idp.errors import ReviewError
from idp.store import PersonRow

GOOD_SECONDS = 5.0
"""Counts in such an answer are at most so old."""
MOST_BYTES_EACH = 1024 * 1024
"""A project with its screen is some forty kilobytes; what is longer is asked for in its turn."""
_MOST_KEPT = 500
_WITHOUT_EFFECT = frozenset({"interaction", "include"})
"""Parameters that the page gives with the state of a project; Label Studio 1.23.2 reads neither."""
_STATE = "/api/dm/project"

Fetch = Callable[[PersonRow, str, dict[str, str]], Awaitable[httpx.Response]]


class Ahead:
    """Answers by person and address, each good for a few seconds; lives in one event loop."""

    def __init__(self, fetch: Fetch) -> None:
        """Prepare.

        Args:
            fetch: Asks Label Studio in a person's name, with these headers.
        """
        self._fetch = fetch
        self._kept: OrderedDict[tuple[str, str], _Asked] = OrderedDict()
        self._running: set[asyncio.Task[_Kept | None]] = set()

    def begin(self, person: PersonRow, targets: Iterable[str], headers: dict[str, str]) -> None:
        """Ask for these addresses in the background; what was known of them is forgotten."""
        until = time.monotonic() + GOOD_SECONDS
        for target in targets:
            asking = asyncio.create_task(self._ask(person, target, headers))
            # The event loop itself holds its tasks weakly.
            self._running.add(asking)
            asking.add_done_callback(self._running.discard)
            self._put((person.id, _name(target)), _Asked(asking, until))

    async def take(self, person: PersonRow, target: str) -> httpx.Response | None:
        """The answer, as soon as it is there; ``None`` when it was not asked for, or in vain."""
        asked = self._kept.get((person.id, _name(target)))
        if asked is None or asked.until < time.monotonic():
            return None
        # Who stops waiting does not take it from others of the same person.
        kept = await asyncio.shield(asked.task)
        return None if kept is None else httpx.Response(kept[0], headers=kept[1], content=kept[2])

    def forget(self, person: PersonRow) -> None:
        """The person changes something: what was asked before is no answer any more."""
        for key in [key for key in self._kept if key[0] == person.id]:
            del self._kept[key]

    def _put(self, key: tuple[str, str], asked: _Asked) -> None:
        now = time.monotonic()
        self._kept.pop(key, None)
        self._kept[key] = asked
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        for old in [key for key, each in self._kept.items() if each.until < now]:
            del self._kept[old]

    async def _ask(self, person: PersonRow, target: str, headers: dict[str, str]) -> _Kept | None:
        try:
            answer = await self._fetch(person, target, headers)
        except (httpx.HTTPError, ReviewError):
            return None
        content = bytearray()
        try:
            if answer.status_code != httpx.codes.OK:
                return None
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MOST_BYTES_EACH:
                    return None
        except httpx.HTTPError:
            return None
        finally:
            await answer.aclose()
        told = {name: text for name, text in answer.headers.items() if name in _ABOUT_THE_CONTENT}
        return answer.status_code, told, bytes(content)


_Kept = tuple[int, dict[str, str], bytes]
_ABOUT_THE_CONTENT = frozenset({"content-language", "content-type", "vary"})


class _Asked(NamedTuple):
    task: asyncio.Task[_Kept | None]
    until: float
    """Of the monotonic clock."""


def _name(target: str) -> str:
    """An address without what makes no difference to its answer."""
    path, _, query = target.partition("?")
    path = path.rstrip("/")
    if path == _STATE:
        given = parse_qsl(query, keep_blank_values=True)
        query = urlencode([pair for pair in given if pair[0] not in _WITHOUT_EFFECT])
    return f"{path}?{query}" if query else path

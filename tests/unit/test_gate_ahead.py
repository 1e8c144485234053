# SPDX-License-Identifier: Apache-2.0
"""What a page asks first is asked ahead: once, for one person, and for a few seconds only."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from idp.errors import ReviewError
from idp.gate import ahead
from idp.gate.ahead import Ahead
from idp.gate.routes import shipped_rules
from idp.store import PersonRow

RITA = cast(PersonRow, SimpleNamespace(id="rita"))
ROB = cast(PersonRow, SimpleNamespace(id="rob"))
STATE = "/api/dm/project?project=1"


class Asked:
    """Label Studio as it is asked, with answers that can be held back."""

    def __init__(self, status: int = 200, content: bytes = b"{}") -> None:
        self.asked: list[tuple[str, str]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.status, self.content = status, content

    async def __call__(self, person: PersonRow, target: str, _: dict[str, str]) -> httpx.Response:
        self.asked.append((person.id, target))
        await self.free.wait()
        headers = {"content-type": "application/json", "set-cookie": "sessionid=x"}
        return httpx.Response(self.status, headers=headers, content=self.content)


def test_an_answer_is_there_when_the_page_asks_and_is_waited_for_when_it_is_not() -> None:
    async def go() -> None:
        there = Asked(content=b'{"id": 1}')
        there.free.clear()
        known = Ahead(there)
        known.begin(RITA, ["/api/projects/1"], {})
        waiting = asyncio.create_task(known.take(RITA, "/api/projects/1/"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        there.free.set()
        answer = await waiting
        assert answer is not None
        assert await answer.aread() == b'{"id": 1}'
        assert "set-cookie" not in answer.headers
        assert await known.take(RITA, "/api/projects/1") is not None
        assert there.asked == [("rita", "/api/projects/1")]

    asyncio.run(go())


def test_nobody_is_given_what_another_asked_or_what_nobody_asked() -> None:
    async def go() -> None:
        known = Ahead(Asked())
        known.begin(RITA, [STATE], {})
        assert await known.take(ROB, STATE) is None
        assert await known.take(RITA, "/api/dm/project?project=2") is None
        assert await known.take(RITA, f"{STATE}&interaction=timer&include=task_count") is not None
        assert await known.take(RITA, "/api/dm/columns?project=1&include=x") is None

    asyncio.run(go())


def test_who_changes_something_or_waits_too_long_is_told_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def go() -> None:
        known = Ahead(Asked())
        known.begin(RITA, [STATE], {})
        known.begin(ROB, [STATE], {})
        known.forget(RITA)
        assert await known.take(RITA, STATE) is None
        assert await known.take(ROB, STATE) is not None
        monkeypatch.setattr(ahead, "GOOD_SECONDS", -1.0)
        known.begin(ROB, [STATE], {})
        assert await known.take(ROB, STATE) is None

    asyncio.run(go())


@pytest.mark.parametrize("there", [Asked(404), Asked(302), Asked(content=bytes(2 * 1024 * 1024))])
def test_what_is_no_answer_is_asked_for_in_its_turn(there: Asked) -> None:
    async def go() -> Any:
        known = Ahead(there)
        known.begin(RITA, [STATE], {})
        return await known.take(RITA, STATE)

    assert asyncio.run(go()) is None


@pytest.mark.parametrize("trouble", [httpx.ConnectError("gone"), ReviewError("gone")])
def test_trouble_is_for_who_asks_in_turn(trouble: Exception) -> None:
    async def fails(*_: object) -> httpx.Response:
        raise trouble

    async def go() -> Any:
        known = Ahead(fails)
        known.begin(RITA, [STATE], {})
        return await known.take(RITA, STATE)

    assert asyncio.run(go()) is None


def test_it_holds_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        monkeypatch.setattr(ahead, "_MOST_KEPT", 3)
        known = Ahead(Asked())
        known.begin(RITA, [f"/api/projects/{number}" for number in range(5)], {})
        found = [await known.take(RITA, f"/api/projects/{number}") for number in range(5)]
        assert [each is not None for each in found] == [False, False, True, True, True]

    asyncio.run(go())


def test_only_questions_are_asked_ahead_that_the_same_people_may_ask() -> None:
    rules = shipped_rules()
    pages = [rule for rule in rules if rule.ahead]
    assert pages
    for page in pages:
        for address in page.ahead:
            path, _, query = address.replace("{n}", "7").partition("?")
            given = {part.split("=")[0]: [part.split("=")[1]] for part in query.split("&") if part}
            fits = [rule for rule in rules if rule.fits("GET", path, given)]
            assert fits, address
            assert page.roles <= fits[0].roles
            assert fits[0].check is None
            assert fits[0].instead is None

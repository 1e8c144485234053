# SPDX-License-Identifier: Apache-2.0
"""Figures of the review at the gate: one's own for everybody, everybody's for managers."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from idp.figures import Limits, Line, line_of, of_everybody, of_fields, of_person
from idp.gate.door import page, visitor_of
from idp.slices import ReviewSettings
from idp.store import PersonRow, Role, Store

_MAY_ASK = frozenset({Role.MANAGER, Role.ADMINISTRATOR})
_MOST_DAYS = 366
_DAYS = (7, 30, 90, 365)


def add_figures(app: FastAPI, store: Store, settings: ReviewSettings) -> None:
    """The page ``/gate/figures``.

    Args:
        app: Behind the door.
        store: Where the answers are.
        settings: From how many people and documents on figures are shown.
    """
    limits = Limits(settings.figures_people, settings.figures_documents)

    @app.get("/gate/figures")
    async def _figures(
        request: Request,
        days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 30,
        person: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        me = visitor_of(request).person
        asked = person.strip().lower()
        if asked not in {"", me.name} and me.role not in _MAY_ASK:
            return page("figures.html", 403, **_nothing(me, days, "That is for managers."))
        told = await run_in_threadpool(_told, store, limits, me, days, asked)
        return page("figures.html", 404 if told["says"] else 200, **told)


def _told(store: Store, limits: Limits, me: PersonRow, days: int, asked: str) -> dict[str, object]:
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    work, looks = store.review_work(since=since), store.second_looks(since=since)
    told = _nothing(me, days, "")
    if me.role in _MAY_ASK and not asked:
        told["types"] = tuple(map(line_of, of_everybody(work, looks, limits)))
        told["fields"] = tuple(map(line_of, of_fields(work, looks, limits)))
        return told
    found = store.people_named([asked or me.name])
    if not found:
        return {**told, "says": "There is no such person."}
    # One's own figures are one's own business; that anybody else looked is on the record.
    if found[0].id != me.id:
        store.note_figures(found[0].name, actor=me.actor)
    own: Line = line_of(of_person(found[0].name, work, looks, limits))
    return {**told, "own": own, "whose": found[0].name}


def _nothing(me: PersonRow, days: int, says: str) -> dict[str, object]:
    return {
        "person": me,
        "may_ask": me.role in _MAY_ASK,
        "days": days,
        "choices": _DAYS,
        "says": says,
        "types": (),
        "fields": (),
        "own": None,
        "whose": "",
    }

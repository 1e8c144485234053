# SPDX-License-Identifier: Apache-2.0
"""What was handed over to another system is remembered before, during and after the attempt."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from idp.handover import Handover, WorkState
from tests.component.test_store import (  # noqa: F401 - fixtures
    arrive,
    clock,
    queue,
    store,
)

pytestmark = pytest.mark.component

SERVER = "https://odoo.example.org/idp"


@pytest.fixture
def handover(store, queue) -> Handover:  # noqa: F811
    arrive(store, queue, b"one")
    (row,) = store.recent()
    return Handover(SERVER, "__idp__.work_1", row.id, "work", "project.task", content_sha256="a")


def state(changed_at: dt.datetime, **told: object) -> WorkState:
    plain = WorkState(SERVER, "__idp__.work_1", "open", "New", "ann", None, None, changed_at)
    return replace(plain, **told)


def test_an_intent_is_there_before_anything_was_written(store, handover):  # noqa: F811
    store.intend([handover])
    assert store.handovers(SERVER, [handover.external_id]) == {handover.external_id: handover}
    assert store.handovers("another", [handover.external_id]) == {}


def test_an_intent_never_undoes_what_is_known(store, handover):  # noqa: F811
    store.handed_over([replace(handover, record_id=7)])
    store.intend([replace(handover, content_sha256="b")])
    assert store.handovers_of(handover.document_id) == (replace(handover, record_id=7),)


def test_two_contents_tried_leave_open_which_is_there(store, handover):  # noqa: F811
    store.intend([handover])
    store.intend([handover])
    assert store.handovers_of(handover.document_id) == (handover,)
    store.intend([replace(handover, content_sha256="b")])
    assert store.handovers_of(handover.document_id) == (replace(handover, content_sha256=None),)


def test_eight_at_once_note_the_same_intent_once(store, handover):  # noqa: F811
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(store.intend, [[handover]] * 8))
    assert store.handovers_of(handover.document_id) == (handover,)


def test_more_than_a_statement_holds_are_found(store, handover):  # noqa: F811
    many = [replace(handover, external_id=f"__idp__.work_{n}") for n in range(900)]
    store.intend(many)
    assert len(store.handovers(SERVER, [each.external_id for each in many])) == 900


def test_work_is_read_until_it_is_finished_or_gone(store, clock, handover):  # noqa: F811
    store.intend([handover])
    assert store.work_to_read(SERVER) == ()
    written = replace(handover, record_id=7)
    store.handed_over([written])
    assert store.work_to_read(SERVER) == ((written, None),)
    seen = state(clock())
    assert store.note_work_states([seen]) == 1
    assert store.note_work_states([seen]) == 0
    assert store.work_to_read(SERVER) == ((written, seen),)
    later = clock() + dt.timedelta(hours=1)
    done = state(later, state="done", completed_at=later)
    store.note_work_states([done])
    assert store.work_to_read(SERVER) == ()
    assert store.work_to_read(SERVER, finished_since=clock()) == ((written, done),)
    assert store.work_states(handover.document_id) == (done,)


def test_an_older_sight_never_replaces_a_newer_one(store, clock, handover):  # noqa: F811
    store.handed_over([replace(handover, record_id=7)])
    newer = state(clock(), state="done")
    store.note_work_states([newer])
    store.note_work_states([state(clock() - dt.timedelta(hours=1))])
    assert store.work_states(handover.document_id) == (newer,)


def test_work_that_people_deleted_is_remembered_as_gone(store, clock, handover):  # noqa: F811
    store.handed_over([replace(handover, record_id=7)])
    store.note_work_states([state(clock(), state="gone")])
    (known,) = store.handovers_of(handover.document_id)
    assert known.gone
    assert store.work_to_read(SERVER) == ()

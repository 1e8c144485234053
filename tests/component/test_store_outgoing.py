# SPDX-License-Identifier: Apache-2.0
"""What leaves: deliveries listed and begun anew, what lies in the other system counted."""

from __future__ import annotations

import datetime as dt

import pytest

from idp.document import Decision
from idp.errors import WrongStateError
from idp.handover import Handover, WorkState
from idp.outgoing import DeliveryState, Spread
from idp.store import State
from idp.store.tables import DocumentRecord
from tests.component.test_store import (  # noqa: F401 - fixtures
    arrive,
    begin,
    clock,
    only_row,
    queue,
    results,
    store,
)

pytestmark = pytest.mark.component

SERVER = "https://odoo.example.org/clinic"


def decided(store, queue, tmp_path, content=b"one"):  # noqa: F811
    """A document whose delivery was begun."""
    arrive(store, queue, content)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.AUTO), queue)
    return store.begin_delivery(*queue.next("deliver"), 3)


def fail(store, delivery, *, counted, seconds=3600):  # noqa: F811
    return store.fail_delivery(
        delivery,
        trouble="odoo_refused",
        retry_in=dt.timedelta(seconds=seconds),
        attempts=1,
        counted=counted,
    )


def given_up(store, queue, tmp_path, content=b"one"):  # noqa: F811
    delivery = decided(store, queue, tmp_path, content)
    assert not fail(store, delivery, counted=True)
    return delivery


def states(store):  # noqa: F811
    return {each.document_id: each.state for each in store.outgoing()}


def test_a_delivery_that_was_given_up_is_retried_and_leaves(store, queue, tmp_path):  # noqa: F811
    delivery = given_up(store, queue, tmp_path)
    assert only_row(store).state is State.QUARANTINED
    (dead,) = store.outgoing([DeliveryState.DEAD])
    assert (dead.trouble, dead.key) == ("odoo_refused", delivery.key)
    retried = store.retry_deliveries(actor="cli:ada")
    assert (retried.dead, retried.put_off) == ((delivery.document_id,), ())
    row = only_row(store)
    assert (row.state, row.error, row.hint, row.attempts) == (State.DELIVERING, None, None, 0)
    assert store.start_due(queue) == 1
    again = store.begin_delivery(*queue.next("deliver"), 3)
    assert again.key == delivery.key
    assert store.finish_delivery(again, "there")
    assert only_row(store).state is State.DELIVERED
    event = next(e for e in store.events(row.id) if e.action == "delivery_retried")
    assert (event.actor, event.before, event.after) == (
        "cli:ada",
        State.QUARANTINED,
        State.DELIVERING,
    )
    assert store.verify_events() is None


def test_to_retry_twice_is_to_retry_once(store, queue, tmp_path):  # noqa: F811
    given_up(store, queue, tmp_path)
    assert store.retry_deliveries(actor="a").number == 1
    assert store.retry_deliveries(actor="b").number == 0
    assert store.start_due(queue) == 1
    assert store.retry_deliveries(actor="c").number == 0
    assert store.start_due(queue) == 0


def test_only_the_named_documents_are_retried(store, queue, tmp_path):  # noqa: F811
    first = given_up(store, queue, tmp_path)
    second = given_up(store, queue, tmp_path, b"two")
    assert store.retry_deliveries([second.document_id], actor="a").dead == (second.document_id,)
    assert states(store) == {
        first.document_id: DeliveryState.DEAD,
        second.document_id: DeliveryState.WAITING,
    }


def test_what_was_interrupted_too_often_can_be_retried_too(store, queue, tmp_path):  # noqa: F811
    delivery = decided(store, queue, tmp_path)
    for _ in range(3):
        store.reconcile(lambda jobs: [])
        if store.start_due(queue):
            store.begin_delivery(*queue.next("deliver"), 1)
    assert only_row(store).state is State.QUARANTINED
    assert store.retry_deliveries(actor="a").dead == (delivery.document_id,)


def test_a_document_that_went_another_way_is_not_delivered_as_it_was(store, queue, tmp_path):  # noqa: F811
    requeued = given_up(store, queue, tmp_path)
    store.requeue(requeued.document_id, actor="a")
    released = given_up(store, queue, tmp_path, b"two")
    store.release(released.document_id, actor="a")
    assert store.outgoing([DeliveryState.DEAD]) == ()
    assert store.retry_deliveries(actor="a").number == 0
    # Processed again it ends in quarantine for a reason of its own: still no dead letter.
    store.start_due(queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.QUARANTINE), queue)
    assert store.row(requeued.document_id).state is State.QUARANTINED
    assert store.retry_deliveries(actor="a").number == 0
    # And once it may leave again, it leaves under the same key.
    store.requeue(requeued.document_id, actor="a")
    store.start_due(queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.AUTO), queue)
    assert store.begin_delivery(*queue.next("deliver"), 3).key == requeued.key


def test_what_never_came_to_a_delivery_is_no_dead_letter(store, queue, tmp_path):  # noqa: F811
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.QUARANTINE), queue)
    assert store.retry_deliveries(actor="a").number == 0
    assert only_row(store).state is State.QUARANTINED


def test_what_was_put_off_begins_now(store, queue, tmp_path):  # noqa: F811
    delivery = decided(store, queue, tmp_path)
    assert fail(store, delivery, counted=False)
    assert states(store) == {delivery.document_id: DeliveryState.PUT_OFF}
    assert store.start_due(queue) == 0
    assert store.retry_deliveries(actor="a").put_off == (delivery.document_id,)
    assert store.start_due(queue) == 1


def test_deliveries_are_counted_by_state(store, queue, tmp_path):  # noqa: F811
    given_up(store, queue, tmp_path)
    fail(store, decided(store, queue, tmp_path, b"two"), counted=False)
    done = decided(store, queue, tmp_path, b"three")
    store.finish_delivery(done, "outbox/three")
    decided(store, queue, tmp_path, b"four")
    assert store.outgoing_counts() == {
        DeliveryState.DEAD: 1,
        DeliveryState.PUT_OFF: 1,
        DeliveryState.WAITING: 1,
    }
    assert [each.location for each in store.outgoing([DeliveryState.DONE])] == ["outbox/three"]


def test_a_document_in_quarantine_for_its_delivery_can_not_be_delivering_otherwise(
    store,  # noqa: F811
    queue,  # noqa: F811
    tmp_path,
):
    delivery = given_up(store, queue, tmp_path)
    store.retry_deliveries(actor="a")
    with pytest.raises(WrongStateError):
        store.release(delivery.document_id, actor="a")


def handed_over(store, document_id, role, number, model="project.task"):  # noqa: F811
    handover = Handover(SERVER, f"__idp__.{role}_{number}", document_id, role, model, number)
    store.intend([handover])
    store.handed_over([handover])
    return handover


def seen(store, handover, state, **more):  # noqa: F811
    known = {"stage": "New", "assignee": None, "assigned_at": None, "completed_at": None}
    store.note_work_states(
        [
            WorkState(
                handover.server,
                handover.external_id,
                state,
                **{**known, "changed_at": store._clock(), **more},
            )
        ]
    )


def test_what_lies_in_the_other_system_is_counted_once_a_document(
    store,  # noqa: F811
    queue,  # noqa: F811
    clock,  # noqa: F811
    tmp_path,
):
    ids = []
    for content in (b"a", b"b", b"c", b"d"):
        delivery = decided(store, queue, tmp_path, content)
        clock.forward(seconds=60)
        store.finish_delivery(delivery, "there")
        ids.append(delivery.document_id)
    work = [handed_over(store, each, "work", n) for n, each in enumerate(ids[:3], start=1)]
    handed_over(store, ids[0], "record", 11, "idp.document")
    alone = handed_over(store, ids[3], "record", 14, "idp.document")
    handed_over(store, ids[0], "document", 21, "ir.attachment")
    clock.forward(hours=5)
    seen(store, work[0], "open", assignee="ann", assigned_at=clock.now)
    clock.forward(hours=1)
    assigned_at = clock.now - dt.timedelta(hours=1)
    seen(store, work[1], "done", assignee="ben", assigned_at=assigned_at, completed_at=clock.now)
    seen(store, work[2], "gone")
    figures = store.handover_figures()
    assert (figures.open, figures.unassigned, figures.done, figures.deleted) == (2, 1, 1, 1)
    assert dict(figures.by_age)["under 1 d"] == 2
    assert figures.to_delivered.number == 4
    assert figures.to_delivered.median == pytest.approx(60, abs=1)
    assert figures.to_done.median == pytest.approx(3600, abs=1)
    assert figures.whole.number == 1
    assert [each.role for each in store.placed(ids[0])] == ["work", "record", "document"]
    seen(store, alone, "cancelled")
    assert store.handover_figures().open == 1


def test_open_work_is_overdue_by_our_own_clock(store, queue, clock, tmp_path):  # noqa: F811
    delivery = decided(store, queue, tmp_path)
    store.finish_delivery(delivery, "there")
    handed_over(store, delivery.document_id, "work", 1)
    with store._writing.begin() as connection:
        connection.execute(
            DocumentRecord.__table__.update().values(due_at=clock.now + dt.timedelta(hours=1))
        )
    assert store.handover_figures().overdue == 0
    clock.forward(hours=2)
    assert store.handover_figures().overdue == 1


def test_a_spread_names_times_that_were_really_taken():
    assert Spread.of([]) is None
    assert Spread.of([7]) == Spread(1, 7, 7)
    assert Spread.of(range(1, 11)) == Spread(10, 5, 10)
    assert Spread.of(range(1, 12)) == Spread(11, 6, 10)

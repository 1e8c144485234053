# SPDX-License-Identifier: Apache-2.0
"""Clocks on documents: set with the result, stepped up in time, stopped by a delivery."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from idp.clocks import load_clockwork
from idp.document import Clock, Decision, Document, DocumentType, Urgency
from idp.judge import Judge
from idp.schemas import load_schemas
from idp.settings import Settings
from idp.store import DueClock, NewArrival, Results, State, Store, new_id
from tests.fabricate import field

pytestmark = pytest.mark.component

STEPS = load_clockwork(None).steps
HOUR = dt.timedelta(hours=1)


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, time: Time) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'idp.sqlite'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_url")
        name = f"t{uuid.uuid4().hex}"
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    opened = Store(url, tmp_path / "store", clock=time, steps=STEPS)
    opened.migrate()
    yield opened
    opened.close()


class Bench:
    """Puts documents into a store as the engine would."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.jobs: dict[str, list[tuple[str, str]]] = {"process": [], "deliver": []}
        self._number = 0

    def enqueue(self, _: object, queue: str, target: str, job: str, __: int) -> None:
        self.jobs[queue].append((target, job))

    def arrive(self, content: bytes = b"", **more: Any) -> str:
        self._number += 1
        store = self.store
        kept = store.content.put_bytes(content or f"file {self._number}".encode())
        new = NewArrival(
            id=new_id(store._clock()),
            channel="fax",
            name=f"{self._number}.tif",
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            received_at=store._clock(),
            priority=5,
            **more,
        )
        store.record_arrivals([new], enqueue=self.enqueue)
        return store.recent(1)[0].id

    def finish(self, *documents: Document) -> None:
        job = self.store.begin_processing(*self.jobs["process"].pop(0), 3)
        assert job is not None
        assert self.store.finish_processing(job, Results(documents, ()), self.enqueue)

    def deliver(self) -> None:
        job = self.store.begin_delivery(*self.jobs["deliver"].pop(0), 3)
        assert job is not None
        self.store.finish_delivery(job, "somewhere")


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def decided(store: Store, hours: float = 10.0, **more: Any) -> Document:
    now = store._clock()
    values: dict[str, Any] = {
        "document_id": "to be replaced",
        "source": "a.tif",
        "sha256": "0" * 64,
        "channel": "fax",
        "type": DocumentType.REFERRAL,
        "type_confidence": 0.9,
        "pages": (1,),
        "decision": Decision.REVIEW,
        "urgency": Urgency(level="urgent"),
        "priority": 4,
        "clocks": (
            Clock(
                rule="T7",
                title="Contact the patient",
                starts_at=now,
                due_at=now + dt.timedelta(hours=hours),
                length=f"{hours:g} hours",
            ),
        ),
    }
    return Document(**(values | more))


def steps_told(store: Store, document_id: str) -> list[str]:
    return [e.action for e in store.events(document_id) if e.action.startswith("clock_")]


def test_a_result_brings_urgency_clock_and_priority(store, bench, time):
    document_id = bench.arrive()
    bench.finish(decided(store))
    row = store.row(document_id)
    assert (row.urgency, row.priority, row.clock, row.escalation) == ("urgent", 4, "T7", 0)
    assert (row.clock_starts_at, row.clock_due_at) == (time.now, time.now + 10 * HOUR)


def test_the_sweep_steps_up_at_half_at_four_fifths_and_at_the_end(store, bench, time):
    document_id = bench.arrive()
    bench.finish(decided(store))
    told = []
    for hours in (4.9, 0.2, 2.8, 0.2, 1.8, 0.2, 100):
        time.now += dt.timedelta(hours=hours)
        told.append([each.state for each in store.escalate()])
    assert told == [[], ["soon"], [], ["urgent"], [], ["overdue"], []]
    assert steps_told(store, document_id) == ["clock_soon", "clock_urgent", "clock_overdue"]
    assert store.row(document_id).priority == 1
    assert store.verify_events() is None


def test_a_sweep_that_comes_late_takes_all_steps_at_once(store, bench, time):
    document_id = bench.arrive()
    bench.finish(decided(store))
    time.now += 50 * HOUR
    assert [each.state for each in store.escalate()] == ["overdue"]
    assert store.escalate() == ()
    assert steps_told(store, document_id) == ["clock_overdue"]


def test_a_clock_that_was_over_before_it_came_is_overdue_at_once(store, bench, time):
    bench.arrive()
    now = time.now
    over = Clock(rule="T6", title="Appeal", starts_at=now, due_at=now - HOUR, length="30 days")
    bench.finish(decided(store, clocks=(over,)))
    assert [each.state for each in store.escalate()] == ["overdue"]


def test_what_nobody_has_read_has_a_clock_too(store, bench, time):
    clock = DueClock("T7", time.now, time.now + 2 * HOUR)
    document_id = bench.arrive(clock=clock, document_priority=2)
    row = store.row(document_id)
    assert (row.state, row.clock, row.priority) == (State.RECEIVED, "T7", 2)
    refused = decided(
        store,
        decision=Decision.QUARANTINE,
        error="damaged_file",
        clocks=(),
        urgency=None,
        priority=None,
    )
    bench.finish(refused)
    row = store.row(document_id)
    assert (row.state, row.clock, row.priority) == (State.QUARANTINED, "T7", 2)
    time.now += 3 * HOUR
    assert [each.state for each in store.escalate()] == ["overdue"]


def test_the_clock_runs_until_the_document_has_left_and_not_only_is_decided(store, bench, time):
    document_id = bench.arrive()
    bench.finish(decided(store, decision=Decision.AUTO))
    time.now += 6 * HOUR
    assert [each.state for each in store.escalate()] == ["soon"]  # its delivery is stuck
    bench.deliver()
    assert store.row(document_id).state is State.DELIVERED
    time.now += 100 * HOUR
    assert store.escalate() == ()
    assert store.clock_counts().overdue == 0
    assert store.row(document_id).clock_due_at is not None  # whether it was in time can be told


def test_a_double_that_a_person_wants_after_all_takes_up_its_clock(store, bench, time):
    bench.arrive(b"the same")
    bench.finish(decided(store, decision=Decision.AUTO))
    bench.deliver()
    clock = DueClock("T7", time.now, time.now + HOUR)
    double = bench.arrive(b"the same", clock=clock, document_priority=2)
    assert store.row(double).state is State.DUPLICATE
    time.now += 2 * HOUR
    assert store.escalate() == ()
    assert store.clock_counts().overdue == 0
    store.requeue(double, actor="somebody")
    assert [each.state for each in store.escalate()] == ["overdue"]


def test_a_clock_processed_again_keeps_the_steps_it_took(store, bench, time):
    document_id = bench.arrive()
    found = decided(store)
    bench.finish(found)
    time.now += 6 * HOUR
    store.escalate()
    store.requeue(document_id, actor="somebody")
    store.start_due(bench.enqueue)
    bench.finish(found)
    assert store.escalate() == ()
    assert steps_told(store, document_id) == ["clock_soon"]
    assert store.row(document_id).escalation == 1


def test_a_person_who_changes_the_urgency_sets_the_clock_anew(store, bench, time):
    document_id = bench.arrive()
    bench.finish(decided(store))
    time.now += 9 * HOUR
    store.escalate()
    calm = decided(store, 200, urgency=Urgency(level="routine"), priority=5)
    row = store.set_clock(document_id, calm, actor="reviewer")
    assert (row.urgency, row.escalation, row.priority) == ("routine", 0, 5)
    assert store.events(document_id)[-1].action == "clock_set"
    time.now += 101 * HOUR
    assert [each.state for each in store.escalate()] == ["soon"]


def test_a_changed_type_gives_other_clocks_when_it_is_judged_again(tmp_path):
    settings = Settings(data=tmp_path, sites={"plan": {"role": "payer"}})
    judge = Judge(settings, load_schemas(None))
    received = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
    draft = Document(
        document_id="d",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.REFERRAL,
        type_confidence=1.0,
        pages=(1,),
        envelope={"site": "plan"},
        fields=(field("patient_name", "Ada Example"),),
    )
    first = judge.judged(draft, (), received_at=received)
    changed = first.model_copy(
        update={
            "type": DocumentType.PRIOR_AUTH_REQUEST,
            "fields": (*first.fields, field("review_type", "expedited", source="reviewer")),
        }
    )
    second = judge.judged(changed, (), received_at=received)
    assert [clock.rule for clock in first.clocks] == ["T8"]
    assert {clock.rule for clock in second.clocks} == {"T1", "T5"}
    assert second.urgency is not None
    assert second.urgency.level == "urgent"
    assert (second.priority or 9) < (first.priority or 9)


def test_what_waits_for_a_person_is_listed_with_the_most_pressing_first(store, bench, time):
    order = [(40, 5), (3, 5), (30, 2), (1, 2)]
    ids = []
    for hours, priority in order:
        ids.append(bench.arrive())
        bench.finish(decided(store, hours, priority=priority))
    assert [row.id for row in store.waiting()] == [ids[3], ids[2], ids[1], ids[0]]
    time.now += 3.5 * HOUR  # the second is overdue by now, and therefore first
    store.escalate()
    assert [row.id for row in store.waiting(2)] == [ids[3], ids[1]]


def test_counts_tell_how_far_the_clocks_have_run_down(store, bench, time):
    for hours in (1, 10, 13, 100):
        bench.arrive()
        bench.finish(decided(store, hours))
    time.now += 8.5 * HOUR
    # What is overdue counts as such even before the sweep has come by.
    assert store.clock_counts().overdue == 1
    store.escalate()
    counts = store.clock_counts()
    assert counts.by_state == {"running": 1, "soon": 1, "urgent": 1, "overdue": 1}

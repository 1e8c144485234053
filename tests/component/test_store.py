# SPDX-License-Identifier: Apache-2.0
"""The store on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from PIL import Image

from idp.document import Decision, Document, DocumentType, Page
from idp.errors import (
    AccessError,
    AlreadyRunningError,
    NotFoundError,
    SettingsError,
    WrongStateError,
)
from idp.signals import Correction, Observation, ShadowRun
from idp.store import LedgerRow, Results, State, Store, new_id
from idp.store import store as store_module
from idp.store.tables import Base

pytestmark = pytest.mark.component

START = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(milliseconds=1)
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += dt.timedelta(**delta)


class Queue(list):
    """Collects what is handed to the engine: (segment, target, job, priority)."""

    def __call__(self, connection, segment, target, job, priority):
        assert connection.in_transaction()
        self.append((segment, target, job, priority))

    def next(self, segment):
        found = next(entry for entry in self if entry[0] == segment)
        self.remove(found)
        return found[1], found[2]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path, clock):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'idp.sqlite'}"
    else:
        server = request.getfixturevalue("postgres_url")
        name = f"t{uuid.uuid4().hex}"
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    store = Store(url, tmp_path / "store", clock=clock)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def queue():
    return Queue()


def arrive(store, enqueue, content=b"one", channel="fax", priority=5, **rest):
    return store.record_arrival(
        new_id(store._clock()),
        channel=channel,
        name="a\nb \\xff é 📠.tif",
        kept=store.content.put_bytes(content),
        received_at=store._clock(),
        priority=priority,
        enqueue=enqueue,
        **rest,
    )


def results(tmp_path, *decisions, missing=(), pages_of=lambda number: (number,)):
    pages, documents = [], []
    for number, decision in enumerate(decisions, start=1):
        image = tmp_path / f"{number}.png"
        Image.new("L", (8, 8), number).save(image)
        pages.append(Page(number=number, width_px=8, height_px=8, dpi=200, image=str(image)))
        documents.append(
            Document(
                document_id="to be replaced",
                source="a.tif",
                sha256="0" * 64,
                channel="fax",
                type=DocumentType.REFERRAL,
                type_confidence=0.9,
                pages=pages_of(number),
                missing=missing,
                decision=decision,
            )
        )
    return Results(tuple(documents), tuple(pages))


def begin(store, queue, attempts=3):
    return store.begin_processing(*queue.next("process"), attempts)


def put_off(store, job, **changes):
    options = {"trouble": "x", "retry_in": dt.timedelta(seconds=5), "attempts": 3, "counted": True}
    return store.fail_processing(job, **(options | changes))


def only_row(store):
    (row,) = store.recent()
    return row


def test_migrations_make_the_tables_that_the_code_maps(store):
    store.migrate()
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "idp_version"})
        assert compare_metadata(context, Base.metadata) == []


def test_a_document_goes_from_arrival_to_delivery_once(store, queue, tmp_path):
    arrival = arrive(store, queue)
    assert only_row(store).state is State.RECEIVED
    job = begin(store, queue)
    assert only_row(store).state is State.PROCESSING
    assert store.finish_processing(job, results(tmp_path, Decision.AUTO), queue)
    assert only_row(store).state is State.AUTO
    delivery = store.begin_delivery(*queue.next("deliver"), 3)
    assert only_row(store).state is State.DELIVERING
    assert store.finish_delivery(delivery, "outbox/x")
    detail = store.show(only_row(store).id)
    assert (detail.row.state, detail.row.location) == (State.DELIVERED, "outbox/x")
    assert detail.arrival == arrival
    assert detail.document is not None
    assert detail.document.document_id == detail.row.id
    assert [event.after for event in detail.events] == [
        State.RECEIVED,
        State.PROCESSING,
        State.AUTO,
        State.DELIVERING,
        State.DELIVERED,
    ]
    assert not store.finish_delivery(delivery, "again")
    assert store.begin_delivery(delivery.delivery_id, delivery.job, 3) is None


def test_pages_and_their_images_are_kept_by_hash(store, queue, tmp_path):
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.REVIEW), queue)
    row = only_row(store)
    (page,) = store.pages(row.id)
    assert store.page_image(row.id, 1) == store.content.path(page.image)
    assert store.original(row.id).read_bytes() == b"one"
    with pytest.raises(NotFoundError):
        store.page_image(row.id, 2)


def test_the_picture_of_a_page_that_was_set_aside_can_be_looked_at(store, queue, tmp_path):
    arrive(store, queue)
    made = results(tmp_path, Decision.REVIEW, Decision.REVIEW)
    kept = made.documents[0].model_copy(update={"set_aside": (2,)})
    store.finish_processing(begin(store, queue), Results((kept,), made.pages), queue)
    row = only_row(store)
    assert store.page_image(row.id, 2).is_file()
    assert [page.number for page in store.pages(row.id)] == [1]
    with pytest.raises(NotFoundError):
        store.page_image(row.id, 3)


def test_the_same_claim_twice_is_one_arrival(store, queue):
    arrival = arrive(store, queue)
    again = store.record_arrival(
        arrival.id,
        channel="fax",
        name=arrival.name,
        kept=store.content.put_bytes(b"one"),
        received_at=arrival.received_at,
        priority=5,
        enqueue=queue,
    )
    assert again == arrival
    assert len(queue) == 1
    assert only_row(store).state is State.RECEIVED


def test_the_same_bytes_again_are_a_duplicate_that_is_not_enqueued(store, queue):
    arrive(store, queue)
    arrive(store, queue, channel="scan")
    arrive(store, queue)
    newest, middle, first = store.recent()
    assert (newest.state, middle.state) == (State.DUPLICATE, State.DUPLICATE)
    assert newest.duplicate_of == middle.duplicate_of == first.id
    assert len(queue) == 1
    assert store.start_due(queue) == 0


@pytest.mark.parametrize("policy", ["warn", "hold"])
def test_the_same_bytes_again_are_worked_and_linked_where_the_policy_says_so(store, queue, policy):
    arrive(store, queue)
    arrive(store, queue, exact_duplicates=policy)
    again, first = store.recent()
    assert again.state is State.RECEIVED
    assert again.duplicate_of == first.id
    assert len(queue) == 2


def test_an_arrival_goes_to_the_queue_of_its_channel(store, queue):
    arrive(store, queue, queue="quick")
    assert queue[0][0] == "quick"
    arrive(store, None, b"two", queue="quick")
    assert store.start_due(queue) == 1
    assert queue[1][0] == "quick"


def test_the_ledger_remembers_what_an_arrival_was_taken_as(store, queue):
    seen = LedgerRow(path="a\\xff 📠.tif", inode=2**63 - 1, size_bytes=3, modified_ns=2**62)
    first = arrive(store, queue, channel="scan", ledger=[seen])
    (line,) = store.ledger("scan")
    assert line == dataclasses.replace(seen, sha256s=frozenset({first.sha256}))
    assert store.ledger("fax") == ()
    store.see_again("scan", dataclasses.replace(seen, inode=7))
    changed = dataclasses.replace(seen, size_bytes=9)
    second = arrive(store, queue, b"two", channel="scan", ledger=[changed])
    (line,) = store.ledger("scan")
    assert line == dataclasses.replace(changed, sha256s=frozenset({second.sha256}))
    assert store.ledger_counts() == {"scan": 1}


def test_a_person_can_override_a_duplicate(store, queue):
    arrive(store, queue)
    arrive(store, queue)
    duplicate = next(row for row in store.recent() if row.state is State.DUPLICATE)
    store.requeue(duplicate.id, actor="test")
    queue.clear()
    assert store.start_due(queue) == 1
    assert queue[0][1] == duplicate.arrival_id


def test_empty_files_are_never_duplicates(store, queue):
    arrive(store, queue, b"")
    arrive(store, queue, b"")
    assert store.counts()[State.RECEIVED] == 2


def test_what_rolls_back_leaves_neither_arrival_nor_job(store):
    def broken(*_):
        raise RuntimeError("engine is down")

    with pytest.raises(RuntimeError):
        arrive(store, broken)
    assert store.recent() == ()
    assert store.events() == ()


def test_late_results_of_a_lost_job_change_nothing(store, queue, tmp_path):
    arrive(store, queue)
    late = begin(store, queue)
    assert store.reconcile(lambda jobs: []) == 1
    assert store.start_due(queue) == 1
    fresh = begin(store, queue)
    assert fresh.job != late.job
    assert not store.finish_processing(late, results(tmp_path, Decision.REVIEW), queue)
    assert not put_off(store, late)
    assert only_row(store).state is State.PROCESSING
    assert store.finish_processing(fresh, results(tmp_path, Decision.AUTO), queue)
    assert only_row(store).state is State.AUTO


def test_reconciling_leaves_live_jobs_alone(store, queue):
    arrive(store, queue)
    assert store.reconcile(lambda jobs: jobs) == 0
    assert store.start_due(queue) == 0


def test_a_failed_attempt_waits_for_its_due_time(store, queue, clock):
    arrive(store, queue)
    assert put_off(store, begin(store, queue))
    assert (only_row(store).state, only_row(store).trouble) == (State.RECEIVED, "x")
    assert store.start_due(queue) == 0
    clock.forward(seconds=6)
    assert store.start_due(queue) == 1


def test_failures_end_in_quarantine_at_the_limit(store, queue, clock):
    arrive(store, queue)
    for attempt in (1, 2, 3):
        clock.forward(seconds=6)
        store.start_due(queue)
        job = begin(store, queue)
        assert job.attempt == attempt
        assert put_off(store, job) is (attempt < 3)
    row = only_row(store)
    assert (row.state, row.error) == (State.QUARANTINED, "repeated_failure")
    clock.forward(days=1)
    assert store.start_due(queue) == 0


def test_trouble_of_the_house_never_counts(store, queue, clock):
    arrive(store, queue)
    for _ in range(20):
        clock.forward(seconds=6)
        store.start_due(queue)
        job = begin(store, queue, attempts=1)
        assert job.attempt == 1
        assert put_off(store, job, counted=False, attempts=1)


def test_attempts_that_never_end_are_counted_too(store, queue):
    arrive(store, queue)
    begun = 0
    while only_row(store).state is not State.QUARANTINED:
        store.reconcile(lambda jobs: [])
        queue.clear()
        store.start_due(queue)
        begun += begin(store, queue, attempts=2) is not None
        assert begun < 20
    assert begun == 6


def test_a_packet_of_two_gives_two_documents_with_ids_of_their_own(store, queue, tmp_path):
    arrive(store, queue)
    job = begin(store, queue)
    store.finish_processing(job, results(tmp_path, Decision.AUTO, Decision.REVIEW), queue)
    first, second = sorted(store.recent(), key=lambda row: row.ordinal)
    assert (first.state, second.state) == (State.AUTO, State.REVIEW)
    assert store.show(second.id).siblings == (store.row(first.id),)
    assert store.document(second.id).document_id == second.id


def test_processing_again_leaves_what_has_left_and_what_is_in_review(store, queue, tmp_path):
    arrive(store, queue)
    decisions = (Decision.AUTO, Decision.REVIEW, Decision.QUARANTINE)
    store.finish_processing(begin(store, queue), results(tmp_path, *decisions), queue)
    before = {row.ordinal: row for row in store.recent()}
    store.requeue(before[3].id, actor="test")
    store.start_due(queue)
    again = results(tmp_path, *(Decision.AUTO,) * 3)
    store.finish_processing(begin(store, queue), again, queue)
    after = {row.ordinal: row for row in store.recent()}
    assert (after[1], after[2]) == (before[1], before[2])
    assert after[3].state is State.AUTO


def test_pages_that_have_left_never_leave_again_inside_another_document(store, queue, tmp_path):
    arrive(store, queue)
    decisions = (Decision.AUTO, Decision.QUARANTINE)
    store.finish_processing(begin(store, queue), results(tmp_path, *decisions), queue)
    second = next(row for row in store.recent() if row.ordinal == 2)
    store.requeue(second.id, actor="test")
    store.start_due(queue)
    again = results(tmp_path, Decision.AUTO, Decision.AUTO, pages_of=lambda number: (1, 2))
    store.finish_processing(begin(store, queue), again, queue)
    row = store.row(second.id)
    assert row.state is State.REVIEW
    assert "another document" in row.reasons[-1]


def test_a_document_no_longer_found_is_quarantined_not_dropped(store, queue, tmp_path):
    arrive(store, queue)
    decisions = (Decision.AUTO, Decision.QUARANTINE)
    store.finish_processing(begin(store, queue), results(tmp_path, *decisions), queue)
    second = next(row for row in store.recent() if row.ordinal == 2)
    store.requeue(second.id, actor="test")
    store.start_due(queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.AUTO), queue)
    assert (store.row(second.id).state, store.row(second.id).error) == (
        State.QUARANTINED,
        "superseded",
    )


def test_a_document_queued_again_while_its_packet_is_at_work_is_worked_afterwards(
    store, queue, tmp_path
):
    arrive(store, queue)
    decisions = (Decision.QUARANTINE, Decision.QUARANTINE)
    store.finish_processing(begin(store, queue), results(tmp_path, *decisions), queue)
    first, second = sorted(store.recent(), key=lambda row: row.ordinal)
    store.requeue(first.id, actor="test")
    store.start_due(queue)
    job = begin(store, queue)
    store.requeue(second.id, actor="test")
    store.finish_processing(job, results(tmp_path, Decision.AUTO, Decision.AUTO), queue)
    assert store.row(second.id).state is State.RECEIVED
    assert store.start_due(queue) == 1
    again = results(tmp_path, Decision.AUTO, Decision.AUTO)
    store.finish_processing(begin(store, queue), again, queue)
    assert store.row(second.id).state is State.AUTO


def test_results_without_a_document_are_an_error(store, queue):
    arrive(store, queue)
    with pytest.raises(ValueError, match="no document"):
        store.finish_processing(begin(store, queue), Results((), ()), queue)


def test_missing_fields_make_a_delivery_incomplete(store, queue, tmp_path):
    arrive(store, queue)
    job = begin(store, queue)
    store.finish_processing(job, results(tmp_path, Decision.AUTO, missing=("npi",)), queue)
    store.finish_delivery(store.begin_delivery(*queue.next("deliver"), 3), "x")
    assert only_row(store).state is State.INCOMPLETE


def test_a_delivery_that_fails_stays_delivering_and_is_due_later(store, queue, tmp_path, clock):
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.AUTO), queue)
    delivery = store.begin_delivery(*queue.next("deliver"), 3)
    store.fail_delivery(
        delivery,
        trouble="no_access",
        retry_in=dt.timedelta(hours=1),
        attempts=3,
        counted=False,
    )
    assert (only_row(store).state, only_row(store).trouble) == (State.DELIVERING, "no_access")
    assert store.start_due(queue) == 0
    assert store.retry_deliveries(actor="test").number == 1
    clock.forward(seconds=1)
    assert store.start_due(queue) == 1
    again = store.begin_delivery(*queue.next("deliver"), 3)
    assert again.key == delivery.key


def test_release_sends_to_review_what_was_read_and_processes_what_was_not(store, queue, tmp_path):
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.QUARANTINE), queue)
    read = only_row(store)
    assert store.release(read.id, actor="test").state is State.REVIEW
    with pytest.raises(WrongStateError):
        store.release(read.id, actor="test")
    arrive(store, queue, b"two")
    put_off(store, begin(store, queue), attempts=1)
    unread = store.quarantine()[0]
    assert store.release(unread.id, actor="test").state is State.RECEIVED


def test_what_is_delivered_can_not_be_queued_again(store, queue, tmp_path):
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.AUTO), queue)
    store.finish_delivery(store.begin_delivery(*queue.next("deliver"), 3), "x")
    with pytest.raises(WrongStateError):
        store.requeue(only_row(store).id, actor="test")


def test_urgent_work_is_listed_and_started_first(store, queue):
    for content, priority in ((b"1", 5), (b"2", 1), (b"3", 9)):
        arrive(store, queue, content, priority=priority)
    assert [row.priority for row in store.queue()] == [1, 5, 9]
    store.reconcile(lambda jobs: [])
    queue.clear()
    store.start_due(queue)
    assert [priority for *_, priority in queue] == [1, 5, 9]


def test_a_document_is_found_by_the_end_of_its_id(store, queue):
    arrive(store, queue)
    identity = only_row(store).id
    assert store.resolve(identity) == identity
    assert store.resolve(identity[-8:].upper()) == identity
    for text in ("ffff", "%%%%%%%%", "00000000-0000-7000-8000-000000000000"):
        with pytest.raises(NotFoundError):
            store.resolve(text)
    with pytest.raises(NotFoundError):
        store.show("none")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET actor = 'somebody' WHERE seq = 2",
        "UPDATE events SET detail = '{}' WHERE seq = 1",
        "DELETE FROM events WHERE seq = 2",
        "UPDATE events SET at = '2020-01-01 00:00:00' WHERE seq = 2",
    ],
)
def test_a_changed_record_is_noticed(store, queue, change):
    arrive(store, queue)
    begin(store, queue)
    arrive(store, queue, b"two")
    assert store.verify_events() is None
    with store._engine.connect() as connection:
        connection.execute(sa.text(change))
        connection.commit()
    assert store.verify_events() in {1, 2}


def test_one_process_holds_a_postgresql_database(store, tmp_path):
    if store._engine.dialect.name != "postgresql":
        pytest.skip("SQLite has the lock of the data folder")
    other = Store(store.database_url, tmp_path / "store")
    with store.exclusive(), pytest.raises(AlreadyRunningError), other.exclusive():
        pass
    with other.exclusive():
        pass
    other.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite:////proc/nowhere/idp.sqlite", "postgresql://nobody:secret@127.0.0.1:1/none"],
)
def test_a_database_out_of_reach_is_an_access_error_without_the_password(tmp_path, url):
    with pytest.raises(AccessError) as caught:
        Store(url, tmp_path).migrate()
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("url", ["mysql://localhost/idp", "no url", "sqlite+nothing:///x"])
def test_a_url_of_another_kind_is_a_settings_error(tmp_path, url):
    with pytest.raises(SettingsError):
        Store(url, tmp_path)


def test_a_database_of_a_newer_version_is_refused(store):
    with store._engine.connect() as connection:
        connection.execute(sa.text("UPDATE idp_version SET version_num = '9999'"))
        connection.commit()
    with pytest.raises(SettingsError, match="another version"):
        store.migrate()


def test_a_backlog_larger_than_a_statement_takes_is_recovered(store, queue):
    for number in range(12):
        arrive(store, queue, b"%d" % number)
    store_module._BATCH, batch = 5, store_module._BATCH
    try:
        assert store.reconcile(lambda jobs: []) == 12
    finally:
        store_module._BATCH = batch
    assert store.start_due(queue) == 12


def test_corrections_are_kept_once_with_what_the_person_looked_at(store, queue, tmp_path):
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.REVIEW), queue)
    row = only_row(store)
    said = [Correction(name="member_id", before="A1", after="A2", page=1, box=(0, 0, 1, 1))]

    def correct():
        return store.record_corrections(
            row.id, said, key="annotation 7", reviewer="dana", made_at=START, seconds=12.5
        )

    assert correct() == correct()
    assert store.corrections(row.id)[0].outcomes == {"member_id": {"changed": 1}}
    (whole,) = store.corrected_documents()
    assert whole.corrections == tuple(said)
    assert whole.document.document_id == row.id
    assert [page.number for page in whole.pages] == [1]
    assert only_row(store).state is State.REVIEW
    assert store.verify_events() is None
    assert [e.action for e in store.events(row.id)].count("corrections_recorded") == 1


def test_what_was_never_read_can_not_be_corrected(store, queue):
    arrive(store, queue)
    with pytest.raises(WrongStateError, match="never read"):
        store.record_corrections(only_row(store).id, [], key="k", reviewer="d", made_at=START)


def test_what_the_models_did_is_kept_with_the_result_and_the_last_time_counts(
    store, queue, tmp_path
):
    arrive(store, queue)
    for models, challenger in (("fields-1", None), ("fields-2", "fields-3")):
        shadow = ShadowRun(challenger=challenger, agreement={"npi": "same"}) if challenger else None
        seen = Observation(models=models, layout="", confidences={"npi": 0.5}, shadow=shadow)
        found = results(tmp_path, Decision.REVIEW)
        store.finish_processing(
            begin(store, queue), Results(found.documents, found.pages, (seen,)), queue
        )
        store.requeue(only_row(store).id, actor="test")
        store.start_due(queue)
    (row,) = store.observations()
    assert (row.models, row.challenger, row.agreement) == ("fields-2", "fields-3", {"npi": "same"})
    assert store.shadow_fields(row) == ()
    assert store.observations(since=row.at + dt.timedelta(seconds=1)) == ()


def test_a_change_of_models_is_noted_once(store):
    entry = {"id": "1", "action": "model_promoted", "at": START.isoformat(), "by": "cli:x"}
    assert store.note_models([entry, entry | {"id": "2"}]) == 2
    assert store.note_models([entry, entry | {"id": "2"}, entry | {"id": "3"}]) == 1
    assert [event.detail["id"] for event in store.events()] == ["1", "2", "3"]
    assert store.verify_events() is None

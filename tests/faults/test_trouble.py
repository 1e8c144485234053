# SPDX-License-Identifier: Apache-2.0
"""Errors that do not kill: the document waits, is tried again, or is given up with its original."""

from __future__ import annotations

import hashlib

import pytest

from idp.store import State
from tests.faults.running import Running, count, drop, open_store, settled, states, wait_until

pytestmark = pytest.mark.component


def test_a_pipeline_that_always_raises_quarantines_and_keeps_the_original(tmp_path):
    drop(tmp_path, "bad.tif", b"the original")
    with Running(tmp_path, mode="raises", attempts=2):
        wait_until(lambda: settled(tmp_path, 1))
    store = open_store(tmp_path)
    (row,) = store.quarantine()
    assert (row.error, row.attempts, row.trouble) == ("repeated_failure", 2, "ValueError")
    assert row.hint
    assert store.original(row.id).read_bytes() == b"the original"
    assert store.original(row.id) == store.content.path(hashlib.sha256(b"the original").hexdigest())


def test_a_file_that_crashes_its_parser_is_tried_again_before_it_is_quarantined(tmp_path):
    drop(tmp_path, "hostile.tif", b"page")
    with Running(tmp_path, mode="crashes", attempts=2):
        wait_until(lambda: settled(tmp_path, 1))
    (row,) = open_store(tmp_path).quarantine()
    assert (row.error, row.attempts) == ("parser_crashed", 2)


def test_a_person_can_queue_a_given_up_document_again(tmp_path):
    drop(tmp_path, "bad.tif", b"page")
    with Running(tmp_path, mode="raises", attempts=1):
        wait_until(lambda: states(tmp_path)[State.QUARANTINED] == 1)
    with Running(tmp_path):
        store = open_store(tmp_path)
        store.requeue(store.quarantine()[0].id, actor="test")
        wait_until(lambda: states(tmp_path)[State.DELIVERED] == 1)


def test_a_full_disk_never_leads_to_quarantine(tmp_path):
    drop(tmp_path, "good.tif", b"page")
    with Running(tmp_path, mode="full", attempts=1):
        store = open_store(tmp_path)
        wait_until(lambda: bool(store.recent()) and store.recent()[0].trouble == "ENOSPC")
        assert store.recent()[0].state is State.RECEIVED
        (tmp_path / "mended").touch()
        wait_until(lambda: states(tmp_path)[State.DELIVERED] == 1)
    assert count(tmp_path, {"good.tif": 1}).lost == 0


def test_an_outbox_that_cannot_be_written_keeps_the_document_until_it_can(tmp_path):
    (tmp_path / "outbox").write_text("a file where the folder should be")
    drop(tmp_path, "good.tif", b"page")
    with Running(tmp_path, attempts=1):
        store = open_store(tmp_path)
        wait_until(lambda: bool(store.recent()) and store.recent()[0].trouble == "no_access")
        assert store.recent()[0].state is State.DELIVERING
        (tmp_path / "outbox").unlink()
        wait_until(lambda: states(tmp_path)[State.DELIVERED] == 1)
    assert count(tmp_path, {"good.tif": 1}).doubled == 0


def test_a_duplicate_is_linked_and_not_processed_or_delivered(tmp_path):
    drop(tmp_path, "first.tif", b"page")
    with Running(tmp_path):
        wait_until(lambda: settled(tmp_path, 1))
        drop(tmp_path, "second.tif", b"page")
        wait_until(lambda: settled(tmp_path, 2))
    rows = {row.name: row for row in open_store(tmp_path).recent()}
    assert rows["second.tif"].state is State.DUPLICATE
    assert rows["second.tif"].duplicate_of == rows["first.tif"].id
    assert len(list((tmp_path / "outbox").glob("[!.]*"))) == 1


def test_a_document_for_review_stays_and_is_visible(tmp_path):
    drop(tmp_path, "doubtful.tif", b"page review")
    with Running(tmp_path):
        wait_until(lambda: settled(tmp_path, 1))
    store = open_store(tmp_path)
    (row,) = store.recent(states={State.REVIEW})
    assert store.page_image(row.id, 1).is_file()
    assert store.pages(row.id)[0].number == 1
    assert not list((tmp_path / "outbox").glob("[!.]*"))

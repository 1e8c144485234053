# SPDX-License-Identifier: Apache-2.0
"""A document sent twice is linked and shown, and treated as its channel says; never dropped."""

from __future__ import annotations

import pytest

from idp.document import Box, Decision, Word
from idp.store import Results, State
from tests.component.test_store import (  # noqa: F401 - fixtures
    arrive,
    begin,
    clock,
    queue,
    results,
    store,
)

pytestmark = pytest.mark.component

NUMBERS = ["03141961", "44718203", "1003000126", "5552014477", "97110", "10052026", "7700143"]
OTHERS = ["11301984", "90215577", "1245319599", "5553409912", "99214", "12012026", "8812907"]


def printed(found: Results, *texts_of_pages: list[str]) -> Results:
    box = Box(0.1, 0.1, 0.2, 0.12)
    pages = tuple(
        page.model_copy(
            update={
                "words": tuple(
                    Word(id=i, text=text, confidence=0.9, box=box, line=i)
                    for i, text in enumerate(texts)
                )
            }
        )
        for page, texts in zip(found.pages, texts_of_pages, strict=True)
    )
    return Results(found.documents, pages)


def take(store, queue, tmp_path, content, numbers, policy, decision=Decision.AUTO):  # noqa: F811
    arrive(store, queue, content)
    job = begin(store, queue)
    found = printed(results(tmp_path, decision), numbers)
    assert store.finish_processing(job, found, queue, near_duplicates=policy)
    return max(store.recent(), key=lambda row: row.id)


def test_a_document_sent_again_is_held_and_names_the_first(store, queue, tmp_path):  # noqa: F811
    first = take(store, queue, tmp_path, b"one", NUMBERS, "hold")
    second = take(store, queue, tmp_path, b"two", [*NUMBERS[:6], "7700148"], "hold")
    assert first.state is State.AUTO
    assert first.like_document is None
    assert (second.state, second.like_document) == (State.REVIEW, first.id)
    assert 0.8 < second.likeness < 1
    document = store.document(second.id)
    assert document.duplicate_of == first.id
    assert [finding.rule for finding in document.findings] == ["D1"]
    assert any(first.id in reason for reason in document.reasons)


def test_another_document_of_the_same_kind_leaves_by_itself(store, queue, tmp_path):  # noqa: F811
    take(store, queue, tmp_path, b"one", NUMBERS, "hold")
    assert take(store, queue, tmp_path, b"two", OTHERS, "hold").state is State.AUTO


def test_where_the_channel_only_warns_a_double_leaves_marked(store, queue, tmp_path):  # noqa: F811
    first = take(store, queue, tmp_path, b"one", NUMBERS, "warn")
    second = take(store, queue, tmp_path, b"two", NUMBERS, "warn")
    assert (second.state, second.like_document) == (State.AUTO, first.id)
    assert store.document(second.id).reasons == ()


def test_a_skipped_double_is_kept_and_a_person_can_have_it_after_all(
    store,  # noqa: F811
    queue,  # noqa: F811
    tmp_path,
):
    take(store, queue, tmp_path, b"one", NUMBERS, "skip")
    second = take(store, queue, tmp_path, b"two", NUMBERS, "skip")
    assert second.state is State.DUPLICATE
    assert store.pages(second.id)
    assert store.release(second.id, actor="person").state is State.REVIEW


def test_a_skipped_double_that_is_queued_again_is_not_skipped_again(
    store,  # noqa: F811
    queue,  # noqa: F811
    tmp_path,
):
    take(store, queue, tmp_path, b"one", NUMBERS, "skip")
    second = take(store, queue, tmp_path, b"two", NUMBERS, "skip")
    store.requeue(second.id, actor="person")
    store.start_due(queue)
    found = printed(results(tmp_path, Decision.AUTO), NUMBERS)
    assert store.finish_processing(begin(store, queue), found, queue, near_duplicates="skip")
    assert store.row(second.id).state is State.REVIEW


def test_a_packet_worked_again_does_not_repeat_itself(store, queue, tmp_path):  # noqa: F811
    first = take(store, queue, tmp_path, b"one", NUMBERS, "hold", Decision.REVIEW)
    store.requeue(first.id, actor="person")
    store.start_due(queue)
    found = printed(results(tmp_path, Decision.AUTO), NUMBERS)
    assert store.finish_processing(begin(store, queue), found, queue, near_duplicates="hold")
    assert store.row(first.id).like_document is None


def test_the_same_sheet_twice_in_one_packet_is_seen(store, queue, tmp_path):  # noqa: F811
    arrive(store, queue, b"one")
    found = printed(results(tmp_path, Decision.AUTO, Decision.AUTO), NUMBERS, NUMBERS)
    assert store.finish_processing(begin(store, queue), found, queue, near_duplicates="hold")
    first, second = sorted(store.recent(), key=lambda row: row.ordinal)
    assert (first.state, second.state) == (State.AUTO, State.REVIEW)
    assert second.like_document == first.id


def test_only_a_document_alone_in_its_file_takes_the_file_along(store, queue, tmp_path):  # noqa: F811
    take(store, queue, tmp_path, b"one", NUMBERS, "hold")
    assert store.begin_delivery(*queue.next("deliver"), 3).whole_file
    arrive(store, queue, b"two")
    found = results(tmp_path, Decision.AUTO, Decision.AUTO)
    assert store.finish_processing(begin(store, queue), found, queue)
    assert not store.begin_delivery(*queue.next("deliver"), 3).whole_file

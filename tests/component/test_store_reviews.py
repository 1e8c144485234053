# SPDX-License-Identifier: Apache-2.0
"""The review queue's tables: who is in it, what is taken once, what comes too late."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from idp.document import Decision
from idp.reviewing import (
    Look,
    LookTaken,
    Outcome,
    QualityCheck,
    ReviewAnswer,
    ReviewState,
    Touched,
)
from idp.store import State
from tests.component.test_store import (  # noqa: F401 - fixtures
    START,
    arrive,
    begin,
    clock,
    only_row,
    queue,
    results,
    store,
)

pytestmark = pytest.mark.component

PROJECT = 7


@pytest.fixture
def waiting(store, queue, tmp_path):  # noqa: F811
    """The id of a document that waits for a person."""
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.REVIEW), queue)
    return only_row(store).id


@pytest.fixture
def shown(store, waiting):  # noqa: F811
    """The same, with a task."""
    store.renew_reviews()
    store.begin_sending([waiting], PROJECT)
    store.finish_sending({waiting: 1}, {waiting: 41})
    return waiting


def answer(document_id, outcome=Outcome.APPLIED, key="d/1@1", number=1):
    return ReviewAnswer(key, document_id, number, "ada@example.org", START, 12.5, outcome)


def place(store, document_id):  # noqa: F811
    return store.reviews_of([document_id])[document_id]


def actions(store, document_id):  # noqa: F811
    return [event.action for event in store.events(document_id)]


def decided(store, document_id):  # noqa: F811
    return store.document(document_id).model_copy(update={"reasons": ("said so",)})


def test_what_waits_is_put_in_once(store, waiting):  # noqa: F811
    assert store.renew_reviews() == 1
    assert store.renew_reviews() == 0
    (row,) = store.reviews_to_send(10)
    assert (row.document_id, row.round, row.project, row.attempts) == (waiting, 1, None, 0)


def test_what_left_by_itself_is_never_shown(store, queue, tmp_path):  # noqa: F811
    arrive(store, queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.AUTO), queue)
    assert store.renew_reviews() == 0
    assert store.reviews_to_send(10) == ()


def test_an_attempt_is_noted_before_it_is_made(store, waiting):  # noqa: F811
    store.renew_reviews()
    store.begin_sending([waiting], PROJECT)  # and killed
    (row,) = store.reviews_to_send(10)
    assert (row.attempts, row.project, row.task_id) == (1, PROJECT, None)


def test_a_task_is_noted_and_is_not_sent_again(store, shown):  # noqa: F811
    assert store.reviews_to_send(10) == ()
    assert store.renew_reviews() == 0
    row = place(store, shown)
    assert (row.state, row.task_id, row.attempts) == (ReviewState.SENT, 41, 0)


def test_what_can_not_be_shown_is_tried_later(store, waiting, clock):  # noqa: F811
    store.renew_reviews()
    store.put_off_sending([waiting], "no_project", dt.timedelta(seconds=30))
    assert store.reviews_to_send(10) == ()
    assert place(store, waiting).trouble == "no_project"
    clock.forward(seconds=31)
    assert [row.document_id for row in store.reviews_to_send(10)] == [waiting]


def test_an_answer_moves_the_document_to_its_delivery_once(store, shown):  # noqa: F811
    document = decided(store, shown)
    assert store.take_answer(answer(shown), document, said=["N1:npi"]) is Outcome.APPLIED
    assert store.take_answer(answer(shown), document, said=["N1:npi"]) is Outcome.APPLIED
    assert only_row(store).state is State.CORRECTED
    assert actions(store, shown).count("reviewed") == 1
    assert len(store.show(shown).deliveries) == 1
    assert store.document(shown).reasons == ("said so",)
    last = store.decisions(shown)[-1]
    assert last.actor == "reviewer:ada@example.org"
    assert [each.document_id for each in store.reviews_to_remove(10)] == [shown]
    assert store.verify_events() is None


def test_the_second_of_two_reviewers_is_late(store, shown):  # noqa: F811
    document = decided(store, shown)
    store.take_answer(answer(shown), document)
    assert store.take_answer(answer(shown, key="d/2@1"), document) is Outcome.LATE
    assert len(store.show(shown).deliveries) == 1
    assert actions(store, shown)[-1] == "review_late"
    outcomes = [each.outcome for each in store.review_answers(shown)]
    assert sorted(outcomes) == [Outcome.APPLIED, Outcome.LATE]


def test_what_comes_back_is_a_new_round_and_answers_to_the_old_one_are_late(
    store,  # noqa: F811
    shown,
):
    document = decided(store, shown)
    assert store.take_answer(answer(shown, Outcome.CAME_BACK), document) is Outcome.CAME_BACK
    row = place(store, shown)
    assert (row.state, row.round, row.came_back) == (ReviewState.TO_SEND, 2, True)
    assert store.renew_reviews() == 0
    again = decided(store, shown)
    assert store.take_answer(answer(shown, key="d/1@2"), again) is Outcome.LATE
    store.begin_sending([shown], PROJECT)
    store.finish_sending({shown: 2}, {shown: 42})
    last = answer(shown, key="d/2@1", number=2)
    assert store.take_answer(last, again) is Outcome.APPLIED
    assert only_row(store).state is State.CORRECTED


def test_a_requeued_document_is_removed_and_shown_anew(store, queue, shown, tmp_path):  # noqa: F811
    store.requeue(shown, actor="user:x")
    (row,) = store.reviews_to_remove(10)
    assert (row.document_id, row.task_id) == (shown, 41)
    assert store.take_answer(answer(shown), decided(store, shown)) is Outcome.LATE
    store.finish_removing({shown: row.round})
    assert store.reviews_to_remove(10) == ()
    assert place(store, shown).state is ReviewState.GONE
    assert store.renew_reviews() == 0
    store.start_due(queue)
    store.finish_processing(begin(store, queue), results(tmp_path, Decision.REVIEW), queue)
    assert store.renew_reviews() == 1
    assert place(store, shown).round == 2


def test_one_that_was_read_again_in_between_is_shown_anew(store, queue, shown, tmp_path):  # noqa: F811
    store.requeue(shown, actor="user:x")
    store.start_due(queue)
    found = results(tmp_path, Decision.REVIEW, missing=("npi",))
    store.finish_processing(begin(store, queue), found, queue)
    assert store.renew_reviews() == 1
    row = place(store, shown)
    assert (row.state, row.round, row.project, row.task_id) == (ReviewState.TO_SEND, 2, PROJECT, 41)


def test_a_wrong_cut_waits_for_a_person_elsewhere(store, shown):  # noqa: F811
    assert store.take_answer(answer(shown, Outcome.WRONG_CUT), said=["several"]) is (
        Outcome.WRONG_CUT
    )
    (row,) = store.reviews_to_remove(10)
    store.finish_removing({shown: row.round})
    assert place(store, shown).state is ReviewState.ASIDE
    assert only_row(store).state is State.REVIEW
    assert store.renew_reviews() == 0
    assert [(row.looked, row.wrong_cut) for row in store.sorting()] == [(1, 1)]


def test_how_often_people_correct_type_and_cut_is_counted_by_what_was_read(store, shown):  # noqa: F811
    assert store.sorting() == ()
    read = store.document(shown)
    other = decided(store, shown).model_copy(update={"type": "other", "subtype": "lab_result"})
    store.take_answer(answer(shown, Outcome.RETYPED), other)
    assert store.document(shown).type == "other"
    (row,) = store.sorting()
    assert (row.channel, row.type) == (store.show(shown).arrival.channel, read.type)
    assert (row.looked, row.retyped, row.wrong_cut) == (1, 1, 0)
    assert store.sorting(since=START + dt.timedelta(days=1)) == ()


def test_a_skipped_document_stays_where_it_is(store, shown):  # noqa: F811
    assert store.take_answer(answer(shown, Outcome.SKIPPED)) is Outcome.SKIPPED
    assert place(store, shown).state is ReviewState.SENT
    assert only_row(store).state is State.REVIEW
    assert store.known_answers(["d/1@1", "x"]) == {"d/1@1"}


def test_a_note_is_kept_with_documents_and_not_on_the_record(store, shown):  # noqa: F811
    store.take_answer(answer(shown), decided(store, shown), note="Ada Example called")
    assert "Ada Example" not in str([event.detail for event in store.events(shown)])


def test_a_lost_task_is_sent_again_after_it_was_looked_up(store, shown):  # noqa: F811
    assert store.lost_reviews([shown]) == 1
    (row,) = store.reviews_to_send(10)
    assert (row.attempts, row.round) == (1, 1)
    assert store.review_counts()[ReviewState.TO_SEND] == 1


def test_an_outcome_that_decides_needs_a_document(store, shown):  # noqa: F811
    with pytest.raises(ValueError):
        store.take_answer(answer(shown))
    with pytest.raises(ValueError):
        store.take_answer(answer(shown, Outcome.SKIPPED), decided(store, shown))


def by(who, document_id, outcome, number):
    key = f"{document_id}/{number}@1"
    return ReviewAnswer(key, document_id, number, who, START, 12.5, outcome)


def send_again(store, document_id, number):  # noqa: F811
    store.begin_sending([document_id], PROJECT)
    store.finish_sending({document_id: number}, {document_id: 40 + number})


def test_looks_go_from_one_person_to_the_other_and_to_a_lead(store, shown):  # noqa: F811
    read, one = store.document(shown), decided(store, shown)
    first = by("ada", shown, Outcome.FIRST_LOOK, 1)
    for _ in range(2):  # killed, and asked again
        store.take_answer(first, one, look=LookTaken(shown=read))
    assert store.document(shown) == read
    assert place(store, shown).look is Look.SECOND
    look = store.second_look(shown)
    assert (look.first_by, look.lookers, look.agreed) == ("ada", ("ada",), None)
    send_again(store, shown, 2)
    assert not store.may_look(42, "ada", as_lead=True)
    assert store.may_look(42, "bob", as_lead=False)
    assert store.has_looked("ada")
    told = LookTaken(shown=one, fields={"patient_name": Touched.DIFFERENT})
    store.take_answer(by("bob", shown, Outcome.DISAGREED, 2), one, look=told)
    assert store.looks_waiting()[Look.LEAD] == 1
    send_again(store, shown, 3)
    assert not store.may_look(43, "cat", as_lead=False)
    assert store.may_look(43, "lea", as_lead=True)
    store.take_answer(by("lea", shown, Outcome.APPLIED, 3), one, look=LookTaken())
    (look,) = store.second_looks()
    assert look.fields == {"patient_name": Touched.DIFFERENT}
    assert (look.agreed, look.decided_by) == (False, "lea")
    assert store.last_look(shown) == look
    assert len(store.review_work()) == 3
    assert only_row(store).state is State.CORRECTED
    assert store.verify_events() is None


def test_an_answer_that_does_not_count_shows_the_document_anew(store, shown):  # noqa: F811
    assert store.take_answer(by("ada", shown, Outcome.NOT_COUNTED, 1)) is Outcome.NOT_COUNTED
    row = place(store, shown)
    assert (row.state, row.round, row.look) == (ReviewState.TO_SEND, 2, Look.FIRST)
    assert actions(store, shown)[-1] == "review_not_counted"


def test_a_quality_check_is_counted_when_the_last_word_is_said(store, queue, tmp_path):  # noqa: F811
    arrive(store, queue)
    found = results(tmp_path, Decision.REVIEW)
    sampled = tuple(each.model_copy(update={"sampled": True}) for each in found.documents)
    drawn = replace(found, documents=sampled)
    store.finish_processing(begin(store, queue), drawn, queue)
    document_id = only_row(store).id
    store.renew_reviews()
    send_again(store, document_id, 1)
    document, sha256 = store.quality_base(document_id)
    check = QualityCheck(sha256, document.type, {"patient_name": {"changed": 1}})
    after = document.model_copy(update={"sampled": False, "reasons": ("said so",)})
    back = by("ada", document_id, Outcome.CAME_BACK, 1)
    store.take_answer(back, after, check=check)
    assert (store.quality()[-1].sampled, store.quality()[-1].checked) == (1, 0)
    assert store.quality_base(document_id) == (document, sha256)
    send_again(store, document_id, 2)
    store.take_answer(by("ada", document_id, Outcome.APPLIED, 2), after, check=check)
    row = store.quality()[-1]
    assert (row.sampled, row.checked, row.values, row.values_wrong) == (1, 1, 1, 1)
    assert store.quality_base(document_id) is None
    assert store.quality_base(document_id, mended=True) == (document, sha256)

# SPDX-License-Identifier: Apache-2.0
"""Documents to a real Label Studio and answers back, whatever happens in between."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.errors import ReviewError, ReviewRefusedError
from idp.review.client import Client
from idp.reviewing import Outcome, ReviewState
from idp.store import State
from tests.review.conftest import Running
from tests.review.office import BAD_NPI, GOOD_NPI, Office, choice, value

NPI = "referring_provider_npi"


@pytest.fixture
def office(label_studio: Running, tmp_path: Path) -> Iterator[Office]:
    place = label_studio.place
    made = Office(tmp_path / "data", lambda: place.url, place.token)
    yield made
    made.store.close()


def test_a_document_goes_to_label_studio_and_its_correction_to_the_delivery(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    shown = office.settings.review_folder / "pages" / document_id / "p1.png"
    assert shown.samefile(office.store.page_image(document_id, 1))
    office.submit(document_id, value("patient_name", "Zoe Right"))
    office.settle()
    assert office.state(document_id) is State.CORRECTED
    document = office.store.document(document_id)
    assert document is not None
    name = document.field("patient_name")
    assert name is not None
    assert (name.value, name.source, name.confidence) == ("Zoe Right", "review", 1.0)
    (row,) = office.store.corrections(document_id)
    assert row.reviewer == "appliance@idp.invalid"
    assert (row.complete, row.seconds) == (True, 4.5)
    assert office.tasks() == {}
    assert not shown.parent.exists()
    assert len(office.store.show(document_id).deliveries) == 1
    assert office.store.verify_events() is None


def test_a_kill_between_the_import_and_its_note_makes_no_double(
    office: Office, label_studio: Running
) -> None:
    ids = office.waiting(3)
    place = label_studio.place
    killed = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.review.killed_sender",
            str(office.settings.data),
            place.url,
            place.token,
            str(office.project),
        ],
        timeout=120,
        check=False,
    )
    assert killed.returncode == -9
    assert {row.state for row in office.store.reviews_of(ids).values()} == {ReviewState.TO_SEND}
    assert sorted(office.tasks()) == sorted(ids)
    office.settle()
    assert {each: len(tasks) for each, tasks in office.tasks().items()} == dict.fromkeys(ids, 1)
    assert {row.state for row in office.store.reviews_of(ids).values()} == {ReviewState.SENT}


def test_an_answer_is_taken_that_came_before_the_note_of_its_task(
    office: Office,
) -> None:
    (document_id,) = office.waiting()
    office.store.renew_reviews()
    with office.sync() as sync, pytest.MonkeyPatch.context() as patch:
        patch.setattr(office.store, "finish_sending", lambda *_: None)
        patch.setattr("idp.review.sync.SENT_AT_ONCE", 1)
        sync.send()
    office.submit(document_id, value(NPI, GOOD_NPI))
    office.settle()
    assert office.state(document_id) is State.CORRECTED
    assert office.tasks() == {}


def test_a_check_digit_that_is_still_wrong_comes_back_once(office: Office) -> None:
    (document_id,) = office.waiting(npi=BAD_NPI)
    office.settle()
    office.submit(document_id, value(NPI, BAD_NPI))
    office.settle()
    assert office.state(document_id) is State.REVIEW
    (task,) = office.tasks()[document_id]
    with office.http() as http:
        reasons = http.get(f"/api/tasks/{task}/").json()["data"]["reasons"]
    assert any("NPI" in each for each in reasons)
    office.submit(document_id, value(NPI, BAD_NPI))
    office.settle()
    assert office.state(document_id) is State.CORRECTED
    outcomes = [each.outcome for each in office.store.review_answers(document_id)]
    assert outcomes == [Outcome.CAME_BACK, Outcome.APPLIED]
    (confirmed,) = [e for e in office.store.events(document_id) if e.action == "reviewed"]
    assert f"N1:{NPI}" in str(confirmed.detail["said"])
    assert BAD_NPI not in str(confirmed.detail)
    document = office.store.document(document_id)
    assert document is not None
    assert "N1" in {finding.rule for finding in document.findings}
    assert len(office.store.show(document_id).deliveries) == 1


def test_a_corrected_check_digit_does_not_come_back(office: Office) -> None:
    (document_id,) = office.waiting(npi=BAD_NPI)
    office.settle()
    office.submit(document_id, value(NPI, GOOD_NPI))
    office.settle()
    assert office.state(document_id) is State.CORRECTED


def test_a_skipped_task_stays_for_others_and_is_on_the_record_once(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    office.submit(document_id, skip=True)
    office.settle()
    office.settle()
    assert office.state(document_id) is State.REVIEW
    assert office.actions(document_id).count("review_skipped") == 1
    assert len(office.tasks()[document_id]) == 1
    office.submit(document_id, value(NPI, GOOD_NPI))
    office.settle()
    assert office.state(document_id) is State.CORRECTED
    assert office.tasks() == {}


def test_of_two_reviewers_of_one_task_the_first_counts(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    (task,) = office.tasks()[document_id]
    office.annotate(task, value("patient_name", "The First"))
    office.annotate(task, value("patient_name", "The Second"))
    office.settle()
    document = office.store.document(document_id)
    assert document is not None
    name = document.field("patient_name")
    assert name is not None
    assert name.value == "The First"
    assert len(office.store.corrections(document_id)) == 1
    outcomes = [each.outcome for each in office.store.review_answers(document_id)]
    assert outcomes == [Outcome.APPLIED, Outcome.LATE]


def test_a_task_that_was_opened_again_counts_as_it_is_when_it_is_taken(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    annotation = office.submit(document_id, value("patient_name", "At First"))
    with office.http() as http:
        body = {"result": [value("patient_name", "On Second Thoughts")]}
        http.patch(f"/api/annotations/{annotation}/", json=body).raise_for_status()
    office.settle()
    document = office.store.document(document_id)
    assert document is not None
    name = document.field("patient_name")
    assert name is not None
    assert name.value == "On Second Thoughts"
    assert len(office.store.corrections(document_id)) == 1


def test_an_update_of_what_is_not_kept_to_be_mended_is_late(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    annotation = office.submit(document_id, value("patient_name", "Taken"))
    with office.sync() as sync:
        assert sync.take() == 1
        with office.http() as http:
            body = {"result": [value("patient_name", "Too Late")]}
            http.patch(f"/api/annotations/{annotation}/", json=body).raise_for_status()
        assert sync.take() == 0  # it might be a mend, once the first answer is delivered
        assert sync.remove() == 1
    office.settle()
    document = office.store.document(document_id)
    assert document is not None
    name = document.field("patient_name")
    assert name is not None
    assert name.value == "Taken"
    assert office.actions(document_id).count("review_late") == 1
    assert office.tasks() == {}


def test_a_requeued_document_has_its_task_withdrawn(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    office.store.requeue(document_id, actor="user:ada")
    office.settle()
    assert office.tasks() == {}
    assert office.pages.shown() == ()
    assert office.state(document_id) is State.RECEIVED


def test_a_task_that_somebody_deleted_is_sent_again(office: Office) -> None:
    ids = office.waiting(2)
    office.settle()
    (task,) = office.tasks()[ids[0]]
    with office.http() as http:
        http.delete(f"/api/tasks/{task}/").raise_for_status()
    office.settle()
    assert sorted(office.tasks()) == sorted(ids)


def test_doubles_are_removed_and_strangers_left_alone(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    with office.http() as http:
        (task,) = office.tasks()[document_id]
        data = http.get(f"/api/tasks/{task}/").json()["data"]
        path = f"/api/projects/{office.project}/import"
        http.post(path, json=[{"data": data}, {"data": {"pages": []}}]).raise_for_status()
    office.settle()
    assert office.tasks() == {document_id: [task], "None": [task + 2]}


def test_another_type_is_read_again_and_shown_in_its_own_project(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    office.projects["prior_auth_request"] = office.new_project("Requests", "<View/>")
    office.submit(document_id, choice("type", "prior_auth_request"))
    office.settle()
    document = office.store.document(document_id)
    assert document is not None
    assert (document.type, document.type_confidence) == ("prior_auth_request", 1.0)
    assert office.state(document_id) is State.REVIEW
    with office.client() as client:
        assert list(client.tasks(office.project)) == []
        (task,) = client.tasks(office.projects["prior_auth_request"])
    assert (task.document_id, task.round) == (document_id, 2)


def test_a_wrong_cut_leaves_label_studio_and_waits(office: Office) -> None:
    (document_id,) = office.waiting()
    office.settle()
    office.submit(document_id, choice("cut", "several"))
    office.settle()
    assert office.state(document_id) is State.REVIEW
    assert office.tasks() == {}
    assert office.store.review_counts()[ReviewState.ASIDE] == 1


def test_nothing_is_lost_while_label_studio_is_away(office: Office) -> None:
    ids = office.waiting(5)
    away = Client("http://127.0.0.1:9", "x" * 40, seconds=2)
    there, office.client = office.client, lambda: away  # type: ignore[method-assign]
    with pytest.raises(ReviewError), office.sync() as sync:
        sync.step()
    office.client = there  # type: ignore[method-assign]
    office.settle()
    assert {each: len(tasks) for each, tasks in office.tasks().items()} == dict.fromkeys(ids, 1)


def test_one_that_is_refused_does_not_keep_the_others(office: Office) -> None:
    ids = office.waiting(3)
    made = office.desk.task

    def broken(row):  # type: ignore[no-untyped-def]
        task = made(row)
        return {**task, "predictions": "none"} if row.document_id == ids[1] else task

    office.desk.task = broken  # type: ignore[method-assign]
    office.settle()
    assert sorted(office.tasks()) == sorted([ids[0], ids[2]])
    assert office.store.reviews_of([ids[1]])[ids[1]].trouble == ReviewRefusedError.code


def test_a_wrong_token_is_told_and_nothing_else(office: Office, label_studio: Running) -> None:
    with Client(label_studio.place.url, "0" * 40) as client, pytest.raises(ReviewError) as caught:
        client.count(office.project)
    assert "401" in caught.value.message
    assert "0" * 40 not in caught.value.message

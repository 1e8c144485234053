# SPDX-License-Identifier: Apache-2.0
"""What was answered stays a while, so that who answered can mend a slip; then it goes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from idp.errors import ReviewError
from idp.review.client import Client
from idp.reviewing import Outcome, ReviewState
from idp.store import State
from tests.review.conftest import Running
from tests.review.office import BAD_NPI, GOOD_NPI, Office, choice, value

NPI = "referring_provider_npi"
NAME = "patient_name"


@pytest.fixture
def office(label_studio: Running, tmp_path: Path) -> Iterator[Office]:
    place = label_studio.place
    made = Office(tmp_path / "data", lambda: place.url, place.token, retain_days=1)
    yield made
    made.store.close()


def answered(office: Office) -> tuple[str, int]:
    """A document that was answered and taken; its id and the annotation's number."""
    (document_id,) = office.waiting()
    office.settle()
    annotation = office.submit(document_id, value(NAME, "Zoe Slip"), value(NPI, GOOD_NPI))
    office.settle()
    assert office.state(document_id) is State.CORRECTED
    return document_id, annotation


def outcomes(office: Office, document_id: str) -> list[Outcome]:
    return [each.outcome for each in office.store.review_answers(document_id)]


def test_what_was_answered_stays_and_is_removed_when_its_time_is_over(office: Office) -> None:
    document_id, _ = answered(office)
    assert list(office.tasks()) == [document_id]
    assert office.pages.shown() == (document_id,)
    office.kept_for = dt.timedelta(0)
    office.settle()
    assert office.tasks() == {}
    assert office.pages.shown() == ()
    assert office.store.reviews_of([document_id])[document_id].state is ReviewState.GONE


def test_nobody_else_is_handed_what_was_answered(office: Office) -> None:
    document_id, _ = answered(office)
    with office.http() as http:
        answer = http.post(
            f"/api/dm/actions?id=next_task&project={office.project}",
            json={"ordering": [], "selectedItems": {"all": False, "included": []}},
        )
    assert answer.status_code == 404
    assert list(office.tasks()) == [document_id]


def test_pages_go_in_time_also_while_label_studio_is_away(office: Office) -> None:
    document_id, _ = answered(office)
    away = Client("http://127.0.0.1:9", "x" * 40, seconds=2)
    there, office.client = office.client, lambda: away  # type: ignore[method-assign]
    live = office.store.live_reviews(office.kept_for)
    assert live == {document_id}
    assert office.pages.sweep(live) == 0
    # The day is over: what the connector does before it asks Label Studio anything.
    office.kept_for = dt.timedelta(0)
    assert office.pages.sweep(office.store.live_reviews(office.kept_for)) == 1
    assert office.pages.shown() == ()
    with pytest.raises(ReviewError), office.sync() as sync:
        sync.step()
    office.client = there  # type: ignore[method-assign]
    assert list(office.tasks()) == [document_id]
    office.settle()
    assert office.tasks() == {}


def test_a_slip_is_mended_after_the_delivery_and_delivered_as_the_next_version(
    office: Office,
) -> None:
    document_id, annotation = answered(office)
    assert office.deliver() == [f"{document_id}-v1"]
    assert office.state(document_id) is State.INCOMPLETE
    office.mend(annotation, value(NAME, "Zoe Right"), value(NPI, GOOD_NPI))
    office.settle()
    assert office.state(document_id) is State.CORRECTED
    assert office.value(document_id, NAME) == "Zoe Right"
    (second,) = office.deliver()
    assert second == f"{document_id}-v2"
    content = json.loads((office.outbox.folder / second / "document.json").read_text())
    assert "Zoe Right" in json.dumps(content)
    versions = [each.version for each in office.store.show(document_id).deliveries]
    assert sorted(versions) == [1, 2]
    assert outcomes(office, document_id) == [Outcome.APPLIED, Outcome.MENDED]
    assert office.actions(document_id).count("review_mended") == 1
    first, again = sorted(office.store.corrections(document_id), key=lambda each: each.made_at)
    assert first.reviewer == again.reviewer == "appliance@idp.invalid"
    (learnt,) = office.store.corrected_documents()
    said = {each.name: (each.before, each.after) for each in learnt.corrections}
    # What training sees: the page was read as it was shown, and the last word counts.
    assert said[NAME] == (learnt.document.field(NAME).value, "Zoe Right")  # type: ignore[union-attr]
    assert said[NAME][0].startswith("Zoe Example")  # type: ignore[union-attr]
    assert office.store.verify_events() is None


def test_a_slip_is_mended_again_and_nothing_is_delivered_for_nothing(office: Office) -> None:
    document_id, annotation = answered(office)
    office.deliver()
    for name in ("Once", "Twice"):
        office.mend(annotation, value(NAME, name), value(NPI, GOOD_NPI))
        office.settle()
        assert len(office.deliver()) == 1
    office.mend(annotation, value(NAME, "Twice"), value(NPI, GOOD_NPI))
    office.settle()
    assert office.deliver() == []
    assert office.state(document_id) is State.INCOMPLETE
    assert outcomes(office, document_id) == [
        Outcome.APPLIED,
        Outcome.MENDED,
        Outcome.MENDED,
        Outcome.LATE,
    ]


def test_a_mend_waits_for_the_delivery_that_is_at_work(office: Office) -> None:
    document_id, annotation = answered(office)
    (job,) = office.begin_deliveries()
    office.mend(annotation, value(NAME, "Zoe Right"), value(NPI, GOOD_NPI))
    with office.sync() as sync:
        assert sync.take() == 0
        assert office.state(document_id) is State.DELIVERING
        assert office.store.finish_delivery(job, "there")
        assert sync.take() == 1
        assert not sync.troubled
    assert office.value(document_id, NAME) == "Zoe Right"
    assert office.state(document_id) is State.CORRECTED


def test_a_mend_is_judged_like_every_answer(office: Office) -> None:
    document_id, annotation = answered(office)
    office.deliver()
    office.mend(annotation, value(NAME, "Zoe Right"), value(NPI, BAD_NPI))
    office.settle()
    document = office.store.document(document_id)
    assert document is not None
    assert "N1" in {finding.rule for finding in document.findings}
    (mended,) = [e for e in office.store.events(document_id) if e.action == "review_mended"]
    assert f"N1:{NPI}" in str(mended.detail["said"])
    assert BAD_NPI not in str(mended.detail)


def test_another_person_overwrites_nothing(office: Office) -> None:
    document_id, annotation = answered(office)
    office.deliver()
    with office.http() as http:
        (task,) = office.tasks()[document_id]
        other = _somebody(http, office)
        body = {"result": [value(NAME, "Zoe Other")], "lead_time": 1.0}
        made = other.post(f"/api/tasks/{task}/annotations/", json=body)
        assert made.status_code == 201
        changed = other.patch(f"/api/annotations/{annotation}/", json={"result": body["result"]})
        assert changed.status_code == 200
        other.close()
    office.settle()
    assert office.value(document_id, NAME) == "Zoe Slip"
    assert office.state(document_id) is State.INCOMPLETE
    assert outcomes(office, document_id) == [Outcome.APPLIED, Outcome.LATE, Outcome.LATE]
    assert office.deliver() == []


def test_another_type_said_after_the_delivery_is_on_the_record_only(office: Office) -> None:
    document_id, annotation = answered(office)
    office.deliver()
    office.mend(annotation, choice("type", "prior_auth_request"))
    office.settle()
    assert office.state(document_id) is State.INCOMPLETE
    (late,) = [e for e in office.store.events(document_id) if e.action == "review_late"]
    assert late.detail["said"] == "prior_auth_request"


def test_after_its_time_nothing_is_mended(office: Office) -> None:
    document_id, _ = answered(office)
    office.deliver()
    with office.client() as client:
        (found,) = client.answered(office.project)
    office.kept_for = dt.timedelta(0)
    office.settle()
    content = {**found.content, "result": [value(NAME, "Too Late"), value(NPI, GOOD_NPI)]}
    later = found.updated_at + dt.timedelta(seconds=1)
    mended = replace(found, updated_at=later, content=content)
    assert office.desk.take(mended, "appliance@idp.invalid") is Outcome.LATE
    assert office.tasks() == {}
    assert office.state(document_id) is State.INCOMPLETE
    assert office.value(document_id, NAME) == "Zoe Slip"


def test_a_mend_in_the_last_moment_counts(office: Office) -> None:
    document_id, annotation = answered(office)
    office.deliver()
    with office.sync() as sync:
        while sync.step():
            pass
        office.mend(annotation, value(NAME, "Zoe Right"), value(NPI, GOOD_NPI))
        sync._kept_for = dt.timedelta(0)
        assert sync.step()
    assert office.value(document_id, NAME) == "Zoe Right"
    assert len(office.deliver()) == 1
    assert office.tasks() == {}


def test_a_mend_is_found_by_a_hint_at_once(office: Office) -> None:
    document_id, annotation = answered(office)
    office.deliver()
    with office.sync() as sync:
        while sync.step():
            pass
        office.mend(annotation, value(NAME, "Zoe Right"), value(NPI, GOOD_NPI))
        assert not sync.step()  # the number of answers is the same
        sync.look()
        assert sync.step()
    assert office.value(document_id, NAME) == "Zoe Right"


def test_a_task_deleted_by_somebody_after_its_answer_is_gone(office: Office) -> None:
    document_id, _ = answered(office)
    (task,) = office.tasks()[document_id]
    with office.http() as http:
        http.delete(f"/api/tasks/{task}/").raise_for_status()
    office.settle()
    assert office.tasks() == {}
    assert office.pages.shown() == ()
    assert office.store.review_tasks(office.project) == 0


def _somebody(http: httpx.Client, office: Office) -> httpx.Client:
    """Another person of the same Label Studio, signed up through its invitation."""
    invitation = str(http.get("/api/invite").json()["invite_url"]).partition("/user/")[2]
    other = httpx.Client(base_url=http.base_url, timeout=30, trust_env=False)
    page = f"/user/{invitation}"
    other.get(page)
    form = {
        "email": f"other-{office.project}@people.invalid",
        "password": "seven wet umbrellas",
        "csrfmiddlewaretoken": other.cookies["csrftoken"],
    }
    answer = other.post(page, data=form, headers={"Referer": f"{http.base_url}{page}"})
    assert answer.status_code == 302
    other.headers["X-CSRFToken"] = other.cookies["csrftoken"]
    other.headers["Referer"] = str(http.base_url)
    return other

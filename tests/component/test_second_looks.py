# SPDX-License-Identifier: Apache-2.0
"""Documents that two people look at: the desk and the real tables, answers made by hand."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.desk import ReviewDesk
from idp.document import Clock, Document, Urgency
from idp.errors import SettingsError
from idp.judge import Judge
from idp.looks import lacking
from idp.review.answers import answers_of as real_answers_of
from idp.review.client import Annotation, Task
from idp.review.tasks import task_of as real_task_of
from idp.reviewing import (
    LEADS_ONLY,
    NOT_FOR,
    Look,
    Outcome,
    ReviewState,
    SecondLook,
    Touched,
    lead_queue,
)
from idp.second_look import DISAGREEMENT
from idp.settings import Settings
from idp.signals import REVIEW
from idp.store import QualityRow, Role, State
from tests import fabricate
from tests.review.office import BAD_NPI, GOOD_NPI, Office, answers_of, choice, task_of, value

pytestmark = pytest.mark.component

NAME, NPI = "patient_name", "referring_provider_npi"
PROJECT = 7
AT = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)


class Floor(Office):
    """An office whose Label Studio is played by the test."""

    def __init__(self, data: Path, **review: Any) -> None:
        super().__init__(data, lambda: "", "")
        options = {"review": {"four_eyes": {"referral": 1}, **review}}
        self.settings = Settings.model_validate({"data": data, **options})
        self.desk = self.new_desk()
        for name, role in (
            ("ann", Role.REVIEWER),
            ("bob", Role.REVIEWER),
            ("cat", Role.REVIEWER),
            ("lea", Role.LEAD),
            ("max", Role.MANAGER),
        ):
            self.store.add_person(name, role, None, actor="test")
        self._number = 0

    def new_desk(self) -> ReviewDesk:
        return ReviewDesk(
            self.settings,
            self.store,
            self.schemas,
            Judge(self.settings, self.schemas),
            task_of=task_of,
            answers_of=answers_of,
            read_as=lambda document, pages: document.model_copy(update={"fields": ()}),
        )

    def new_project(self, title: str, screen: str) -> int:
        return PROJECT

    def put_up(self) -> str:
        """The id of a document whose first task is there."""
        (document_id,) = self.waiting()
        self.send()
        return document_id

    def send(self) -> dict[str, dict[str, Any]]:
        """What a round of the queue does; the tasks that were made, by document."""
        while self.store.renew_reviews():
            pass
        tasks: dict[str, dict[str, Any]] = {}
        for row in self.store.reviews_to_send(50):
            self._number += 1
            tasks[row.document_id] = self.desk.task(row)
            self.store.begin_sending([row.document_id], PROJECT)
            self.store.finish_sending({row.document_id: row.round}, {row.document_id: self._number})
        return tasks

    def says(self, who: str, document_id: str, *items: dict[str, Any], **more: Any) -> Outcome:
        """Somebody submits the task that is there."""
        outcome = self.desk.take(self.annotation(document_id, *items, **more), who)
        assert outcome is not None
        self.send()
        return outcome

    def annotation(
        self, document_id: str, *items: dict[str, Any], skipped: bool = False
    ) -> Annotation:
        row = self.store.reviews_of([document_id])[document_id]
        self._number += 1
        return Annotation(
            id=self._number,
            task=Task(row.task_id or 0, document_id, row.round),
            by=1,
            updated_at=AT + dt.timedelta(minutes=self._number),
            seconds=20.0,
            skipped=skipped,
            content={"result": list(items)},
        )

    def look(self, document_id: str) -> Look:
        return self.store.reviews_of([document_id])[document_id].look

    def document(self, document_id: str) -> Document:
        found = self.store.document(document_id)
        assert found is not None
        return found

    def value(self, document_id: str, name: str) -> str | None:
        found = self.document(document_id).field(name)
        return None if found is None else found.value

    def finished(self) -> SecondLook:
        (found,) = self.store.second_looks()
        return found

    def overall(self) -> QualityRow:
        return self.store.quality()[-1]


@pytest.fixture
def new_floor(tmp_path: Path) -> Iterator[Callable[..., Floor]]:
    made: list[Floor] = []

    def make(**review: Any) -> Floor:
        made.append(Floor(tmp_path / f"data{len(made)}", **review))
        return made[-1]

    yield make
    for each in made:
        each.store.close()


@pytest.fixture
def floor(new_floor: Callable[..., Floor]) -> Floor:
    return new_floor()


def test_the_second_person_sees_the_reading_and_nothing_of_the_first(floor: Floor) -> None:
    document_id = floor.put_up()
    read = floor.value(document_id, NAME)
    assert floor.says("ann", document_id, value(NAME, "Zoe Right")) is Outcome.FIRST_LOOK
    assert floor.state(document_id) is State.REVIEW
    assert floor.look(document_id) is Look.SECOND
    assert floor.value(document_id, NAME) == read
    row = floor.store.reviews_of([document_id])[document_id]
    task = floor.desk.task(row)
    assert "Zoe Right" not in str(task)
    assert "ann" not in str(task)
    assert task["data"][NOT_FOR] == floor.store.person("ann").id
    assert LEADS_ONLY not in task["data"]
    assert row.queue == "referral"


def test_two_who_say_the_same_let_the_document_go(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "ZOE RIGHT"))
    assert floor.says("bob", document_id, value(NAME, "Zoe Right")) is Outcome.APPLIED
    assert floor.state(document_id) is State.CORRECTED
    assert floor.value(document_id, NAME) == "Zoe Right"
    assert len(floor.store.show(document_id).deliveries) == 1
    look = floor.finished()
    assert (look.first_by, look.second_by, look.agreed) == ("ann", "bob", True)
    assert look.fields == {NAME: Touched.BOTH_CHANGED, NPI: Touched.BOTH_KEPT}
    assert floor.store.second_look(document_id) is None
    assert floor.store.verify_events() is None


def test_where_two_differ_a_lead_decides(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "Zoe One"), value(NPI, GOOD_NPI))
    assert floor.says("bob", document_id, value(NAME, "Zoe Two")) is Outcome.DISAGREED
    assert floor.state(document_id) is State.REVIEW
    row = floor.store.reviews_of([document_id])[document_id]
    assert (row.look, row.queue) == (Look.LEAD, lead_queue("referral"))
    task = floor.desk.task(row)
    assert task["data"][LEADS_ONLY] == "yes"
    assert set(task["data"][NOT_FOR].split()) == {
        floor.store.person(name).id for name in ("ann", "bob")
    }
    (finding,) = [f for f in floor.document(document_id).findings if f.rule == DISAGREEMENT]
    assert finding.field == NAME
    assert "“Zoe One”" in finding.message
    assert "“Zoe Two”" in finding.message
    assert not any(name in str(task["data"]) for name in ("ann", "bob"))
    assert floor.says("lea", document_id, value(NAME, "Zoe Three")) is Outcome.APPLIED
    assert floor.state(document_id) is State.CORRECTED
    assert floor.value(document_id, NAME) == "Zoe Three"
    assert DISAGREEMENT not in {f.rule for f in floor.document(document_id).findings}
    assert len(floor.store.show(document_id).deliveries) == 1
    look = floor.finished()
    assert (look.agreed, look.decided_by) == (False, "lea")
    assert look.fields == {NAME: Touched.DIFFERENT, NPI: Touched.BOTH_KEPT}


def test_nothing_of_the_values_is_on_the_record(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "Zoe One"))
    floor.says("bob", document_id, value(NAME, "Zoe Two"))
    floor.says("lea", document_id, value(NAME, "Zoe Three"))
    record = str([event.detail for event in floor.store.events(document_id)])
    assert "Zoe" not in record
    assert f"differs:{NAME}" in record


@pytest.mark.parametrize("who", ["ann"])
def test_who_looked_first_can_not_give_the_second_look(floor: Floor, who: str) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "Zoe Right"))
    before = floor.store.reviews_of([document_id])[document_id]
    assert floor.says(who, document_id, value(NAME, "Zoe Right")) is Outcome.NOT_COUNTED
    after = floor.store.reviews_of([document_id])[document_id]
    # The task that now has an answer is replaced, so that others are handed it.
    assert (after.look, after.round) == (Look.SECOND, before.round + 1)
    assert floor.state(document_id) is State.REVIEW
    assert floor.says("bob", document_id, value(NAME, "Zoe Right")) is Outcome.APPLIED


@pytest.mark.parametrize("who", ["ann", "bob", "cat", "max", "nobody we know"])
def test_neither_of_the_two_nor_anybody_but_a_lead_decides(floor: Floor, who: str) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "Zoe One"))
    floor.says("bob", document_id, value(NAME, "Zoe Two"))
    assert floor.says(who, document_id, value(NAME, "Zoe Mine")) is Outcome.NOT_COUNTED
    assert floor.look(document_id) is Look.LEAD
    assert floor.state(document_id) is State.REVIEW


def test_a_lead_who_was_one_of_the_two_does_not_decide(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("lea", document_id, value(NAME, "Zoe One"))
    floor.says("bob", document_id, value(NAME, "Zoe Two"))
    assert floor.says("lea", document_id, value(NAME, "Zoe One")) is Outcome.NOT_COUNTED


def test_a_document_that_comes_back_to_the_first_is_still_new_to_the_second(floor: Floor) -> None:
    (document_id,) = floor.waiting(npi=BAD_NPI)
    floor.send()
    said = (value(NAME, "Zoe Right"), value(NPI, BAD_NPI))
    assert floor.says("ann", document_id, *said) is Outcome.CAME_BACK
    assert floor.value(document_id, NAME) == "Zoe Right"
    assert floor.says("cat", document_id, *said) is Outcome.FIRST_LOOK
    assert floor.value(document_id, NAME) != "Zoe Right"
    assert floor.document(document_id).field(NPI).source != REVIEW  # type: ignore[union-attr]
    # Both have looked: neither is the second person.
    for name in ("ann", "cat"):
        assert floor.says(name, document_id, *said) is Outcome.NOT_COUNTED
    assert floor.says("bob", document_id, *said) is Outcome.CAME_BACK
    assert floor.look(document_id) is Look.SECOND
    assert floor.says("bob", document_id, *said) is Outcome.NOT_COUNTED
    assert floor.says("lea", document_id, *said) is Outcome.APPLIED


def test_with_checking_the_second_person_sees_what_the_first_corrected(
    new_floor: Callable[..., Floor],
) -> None:
    floor = new_floor(second_look="checking")
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "Zoe Right"))
    assert floor.value(document_id, NAME) == "Zoe Right"
    assert floor.says("bob", document_id) is Outcome.APPLIED
    assert floor.finished().fields[NAME] is Touched.BOTH_CHANGED


def test_another_type_begins_the_looks_anew(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "Zoe Right"))
    floor.settings.review.four_eyes["prior_auth_request"] = 1.0
    assert floor.says("bob", document_id, choice("type", "prior_auth_request")) is Outcome.RETYPED
    assert floor.look(document_id) is Look.FIRST
    assert floor.says("ann", document_id, value(NAME, "Zoe Right")) is Outcome.FIRST_LOOK
    assert floor.says("bob", document_id, value(NAME, "Zoe Right")) is Outcome.APPLIED
    assert floor.finished().type == "prior_auth_request"


def test_a_document_that_is_read_again_begins_anew(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id, value(NAME, "Zoe Right"))
    again = floor.document(document_id).model_copy(update={"type_confidence": 0.5})
    floor.store.record_decision(document_id, again, actor="user:x")
    floor.send()
    assert floor.look(document_id) is Look.FIRST
    assert floor.store.second_look(document_id) is None
    assert floor.says("ann", document_id, value(NAME, "Zoe Right")) is Outcome.FIRST_LOOK


def test_a_skipped_second_look_stays_one(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id)
    skip = floor.annotation(document_id, skipped=True)
    assert floor.desk.take(skip, "bob") is Outcome.SKIPPED
    assert floor.look(document_id) is Look.SECOND
    assert floor.says("bob", document_id) is Outcome.APPLIED


@pytest.mark.parametrize("at", [1, 2, 3])
def test_killed_before_an_answer_is_taken_the_same_again_does_it_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    document_id = floor.put_up()
    people = (("ann", "Zoe One"), ("bob", "Zoe Two"), ("lea", "Zoe Two"))
    for number, (who, name) in enumerate(people, start=1):
        annotation = floor.annotation(document_id, value(NAME, name))
        if number == at:
            with monkeypatch.context() as patch:
                patch.setattr(floor.store, "take_answer", _killed)
                with pytest.raises(KeyboardInterrupt):
                    floor.desk.take(annotation, who)
        floor.desk = floor.new_desk()
        outcome = floor.desk.take(annotation, who)
        # Asked for again, though it was taken.
        assert floor.desk.take(annotation, who) in {outcome, Outcome.LATE}
        floor.send()
    assert floor.state(document_id) is State.CORRECTED
    assert floor.value(document_id, NAME) == "Zoe Two"
    assert len(floor.store.corrections(document_id)) == 3
    outcomes = [each.outcome for each in floor.store.review_answers(document_id)]
    assert outcomes == [Outcome.FIRST_LOOK, Outcome.DISAGREED, Outcome.APPLIED]
    assert len(floor.store.show(document_id).deliveries) == 1


def test_a_share_of_a_type_is_drawn_and_drawn_the_same(new_floor: Callable[..., Floor]) -> None:
    floor = new_floor(four_eyes={"referral": 0.5})
    documents = [fabricate.document(str(number).encode()) for number in range(400)]
    judge = Judge(floor.settings, floor.schemas, sample_key=b"a secret")
    drawn = [judge.drawn_for(b"four eyes", each, 0.5) for each in documents]
    assert drawn == [judge.drawn_for(b"four eyes", each, 0.5) for each in documents]
    assert 150 < sum(drawn) < 250
    # Who is in this sample has nothing to do with who is in that one.
    other = [judge.drawn_for(b"quality sample", each, 0.5) for each in documents]
    assert 50 < sum(one and two for one, two in zip(drawn, other, strict=True)) < 150
    # A control that can't draw controls all.
    assert Judge(floor.settings, floor.schemas).drawn_for(b"four eyes", documents[0], 0.01)


def test_documents_of_other_types_need_one_person(new_floor: Callable[..., Floor]) -> None:
    floor = new_floor(four_eyes={"remittance_eob": 1})
    document_id = floor.put_up()
    assert floor.says("ann", document_id) is Outcome.APPLIED
    assert floor.store.second_looks() == ()


def test_a_type_that_nobody_knows_is_a_wrong_setting(new_floor: Callable[..., Floor]) -> None:
    with pytest.raises(SettingsError, match="referal"):
        new_floor(four_eyes={"referal": 1})


def test_whom_documents_would_wait_for_in_vain_is_told(floor: Floor) -> None:
    assert lacking(floor.store.people()) == ""
    floor.store.set_role("lea", Role.REVIEWER, actor="test")
    assert "nobody decides" in lacking(floor.store.people())
    for name in ("bob", "cat"):
        floor.store.remove_person(name, actor="test")
    assert "2 people" in lacking(floor.store.people())


def test_who_may_look_is_known_by_task(floor: Floor) -> None:
    document_id = floor.put_up()
    assert not floor.store.has_looked("ann")
    floor.says("ann", document_id)
    task = floor.store.reviews_of([document_id])[document_id].task_id
    assert task is not None
    assert floor.store.has_looked("ann")
    assert not floor.store.has_looked("bob")
    assert not floor.store.may_look(task, "ann", as_lead=True)
    assert floor.store.may_look(task, "bob", as_lead=False)
    assert floor.store.looks_waiting() == {Look.FIRST: 0, Look.SECOND: 1, Look.LEAD: 0}
    floor.says("bob", document_id)
    assert not floor.store.has_looked("ann")


def test_the_task_of_a_look_that_ended_is_removed(floor: Floor) -> None:
    document_id = floor.put_up()
    floor.says("ann", document_id)
    floor.says("bob", document_id)
    (row,) = floor.store.reviews_to_remove(10)
    assert row.document_id == document_id
    assert row.state is ReviewState.DONE


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


class Sampled(Floor):
    """Documents drawn for the quality sample; the real screen, on which they are blind."""

    def draft(self, content: bytes, npi: str, **more: Any) -> Document:
        return super().draft(
            content,
            npi,
            sampled=True,
            reasons=("Checked to measure how often what leaves by itself is wrong",),
            reason_codes=("quality_sample",),
            missing=(),
            urgency=Urgency(level="urgent"),
            clocks=(
                Clock(rule="K1", title="expedited", starts_at=AT, due_at=AT, length="72 hours"),
            ),
            **more,
        )

    def new_desk(self) -> ReviewDesk:
        return ReviewDesk(
            self.settings,
            self.store,
            self.schemas,
            Judge(self.settings, self.schemas),
            task_of=real_task_of,
            answers_of=real_answers_of,
            read_as=lambda document, pages: document.model_copy(update={"fields": ()}),
        )


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Sampled]:
    made = Sampled(tmp_path / "data", four_eyes={})
    yield made
    made.store.close()


def test_nothing_that_was_read_is_in_a_blind_task(sample: Sampled) -> None:
    (document_id,) = sample.waiting()
    tasks = sample.send()
    task = tasks[document_id]
    told = json.dumps(task)
    read = sample.document(document_id)
    for field in read.fields:
        assert field.value
        assert field.value not in told
        assert field.raw not in told
        assert f"{field.confidence}" not in told
    (prediction,) = task["predictions"]
    assert prediction["score"] == 1.0
    assert {item["type"] for item in prediction["result"]} == {"textarea"}
    assert {text for item in prediction["result"] for text in item["value"]["text"]} == {""}
    assert task["data"]["blind"] is True
    # Whether it was taken for urgent is a reading too, and so is the clock that follows from it.
    assert task["data"]["urgency"] == ""
    assert "urgent" not in task["data"]["ui"]["summary"]
    assert "72 hours" not in told


def test_a_checked_document_is_counted_against_what_would_have_left(sample: Sampled) -> None:
    (document_id,) = sample.waiting()
    sample.send()
    read = sample.value(document_id, NAME)
    assert read is not None
    said = (value(NAME, read.upper()), value(NPI, GOOD_NPI), value("member_id", "X12345678"))
    assert sample.says("ann", document_id, *said) is Outcome.APPLIED
    row = sample.overall()
    assert (row.sampled, row.checked, row.documents_wrong) == (1, 1, 1)
    assert (row.values, row.values_wrong, row.values_missed) == (2, 0, 1)
    assert sample.value(document_id, "member_id") == "X12345678"
    assert sample.state(document_id) in {State.CORRECTED, State.INCOMPLETE}


def test_what_is_wrong_is_corrected_before_the_delivery_and_counted(sample: Sampled) -> None:
    (document_id,) = sample.waiting()
    sample.send()
    sample.says("ann", document_id, value(NAME, "Somebody Else"), value(NPI, GOOD_NPI))
    row = sample.overall()
    assert (row.documents_wrong, row.values, row.values_wrong) == (1, 2, 1)
    assert sample.value(document_id, NAME) == "Somebody Else"
    assert len(sample.store.show(document_id).deliveries) == 1


def test_what_comes_back_stays_in_the_sample_with_all_that_was_wrong(sample: Sampled) -> None:
    (document_id,) = sample.waiting()
    sample.send()
    # The page itself has a wrong check digit: what is typed is contested, and shown once more.
    said = (value(NAME, "Somebody Else"), value(NPI, BAD_NPI))
    assert sample.says("ann", document_id, *said) is Outcome.CAME_BACK
    assert sample.overall().checked == 0
    row = sample.store.reviews_of([document_id])[document_id]
    assert sample.desk.task(row)["data"]["blind"] is False
    assert sample.says("ann", document_id, *said) is Outcome.APPLIED
    row_ = sample.overall()
    assert (row_.sampled, row_.checked, row_.documents_wrong) == (1, 1, 1)
    assert (row_.values, row_.values_wrong) == (2, 2)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (choice("other_type", "prior_auth_request"), Outcome.RETYPED),
        (choice("cut", "several documents in one"), Outcome.WRONG_CUT),
    ],
)
def test_a_wrong_type_or_cut_is_a_wrong_document(
    sample: Sampled, said: dict[str, Any], outcome: Outcome
) -> None:
    (document_id,) = sample.waiting()
    sample.send()
    assert sample.says("ann", document_id, said) is outcome
    rows = {row.type: row for row in sample.store.quality()}
    row = rows["referral"]  # as it would have been sent
    assert (row.sampled, row.checked, row.documents_wrong, row.values) == (1, 1, 1, 0)


def test_two_people_check_a_sampled_document_blind_and_the_last_word_counts(
    tmp_path: Path,
) -> None:
    floor = Sampled(tmp_path / "data", four_eyes={"referral": 1})
    (document_id,) = floor.waiting()
    floor.send()
    read = floor.value(document_id, NAME)
    assert read is not None
    floor.says("ann", document_id, value(NAME, "Somebody Else"), value(NPI, GOOD_NPI))
    place = floor.store.reviews_of([document_id])[document_id]
    assert floor.desk.task(place)["data"]["blind"] is True
    assert floor.overall().checked == 0
    floor.says("bob", document_id, value(NAME, read), value(NPI, GOOD_NPI))
    place = floor.store.reviews_of([document_id])[document_id]
    assert floor.desk.task(place)["data"]["blind"] is False  # a lead decides between two answers
    assert floor.overall().checked == 0
    floor.says("lea", document_id, value(NAME, read), value(NPI, GOOD_NPI))
    row = floor.overall()
    assert (row.checked, row.documents_wrong, row.values_wrong) == (1, 0, 0)
    floor.store.close()

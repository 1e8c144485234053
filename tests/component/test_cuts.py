# SPDX-License-Identifier: Apache-2.0
"""What a person cuts by hand is what the packet is worked by: now, after a kill, ever after."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.classify import split_as
from idp.cutting import GivenCuts, PageCut, Recut
from idp.document import Decision, Document, DocumentType, Finding, Page, Severity
from idp.learning import make_dataset
from idp.reviewing import Outcome, ReviewAnswer, ReviewRow, ReviewState
from idp.schemas import load_schemas
from idp.store import ProcessJob, Results, State, Store, new_id
from tests import fabricate

pytestmark = pytest.mark.component

NOW = dt.datetime.now(dt.UTC)
REFERRAL, REQUEST = DocumentType.REFERRAL, DocumentType.PRIOR_AUTH_REQUEST
SCHEMAS = load_schemas()


class Packet:
    """One file of some pages, cut wrongly by the appliance."""

    def __init__(self, folder: Path, pages: int) -> None:
        self.store = Store(f"sqlite:///{folder / 'idp.sqlite'}", folder / "store")
        self.store.migrate()
        image = fabricate.page_image(folder / "page.png", (80, 100))
        self.pages = tuple(fabricate.page(n, image) for n in range(1, pages + 1))
        self.answers = 0
        self.arrival = new_id(NOW)
        self.store.record_arrival(
            self.arrival,
            channel="fax",
            name="fax.tif",
            kept=self.store.content.put_bytes(b"a stack"),
            received_at=NOW,
            priority=5,
        )

    def job(self) -> ProcessJob:
        """What is to be processed now; as the appliance's sweep finds it."""
        found: list[tuple[str, str]] = []
        self.store.start_due(lambda _, __, target, job, ___: found.append((target, job)))
        assert found, "nothing is due"
        job = self.store.begin_processing(*found[0], 3)
        assert job is not None
        return job

    def work(self, *documents: Document) -> None:
        assert self.store.finish_processing(self.job(), Results(documents, self.pages))

    def work_as_cut(self, job: ProcessJob | None = None) -> bool:
        """As the pipeline does with a packet that was cut by hand."""
        job = job or self.job()
        assert job.recut is not None
        return self.store.finish_processing(
            job, Results(tuple(cut_again(job.recut, self.pages)), self.pages)
        )

    def rows(self) -> list[tuple[State, tuple[int, ...], str | None]]:
        found = sorted(self.store.recent(), key=lambda row: row.ordinal)
        return [(row.state, row.pages, row.type) for row in found]

    def ids(self) -> list[str]:
        return [row.id for row in sorted(self.store.recent(), key=lambda row: row.ordinal)]

    def place(self, document_id: str) -> ReviewRow:
        while self.store.renew_reviews():
            pass
        return self.store.reviews_of([document_id])[document_id]

    def answer(self, document_id: str, outcome: Outcome, key: str = "") -> ReviewAnswer:
        self.answers += 1
        return ReviewAnswer(
            key=key or f"{document_id}/{self.answers}",
            document_id=document_id,
            round=self.place(document_id).round,
            reviewer="Dana Whitlock",
            made_at=NOW,
            seconds=12.5,
            outcome=outcome,
        )

    def cut(self, document_id: str, *said: str, key: str = "") -> Outcome:
        answer = self.answer(document_id, Outcome.RECUT, key)
        return self.store.take_cut(answer, self.cuts(*said), whole=True)

    def cuts(self, *said: str) -> GivenCuts:
        """``r`` and ``p`` start, ``g`` goes on, ``x`` is left out."""
        says = {"g": "goes_on", "x": "left_out"}
        types = {"r": REFERRAL, "p": REQUEST}
        return GivenCuts.model_validate(
            {
                "schema": "idp.cuts/1",
                "arrival_id": self.arrival,
                "sha256": "0" * 64,
                "pages": [
                    PageCut(number=n, says=says.get(each, "starts"), type=types.get(each))
                    for n, each in enumerate(said, 1)
                ],
            }
        )


def drawn(*pages: int, **more: object) -> Document:
    values = {"findings": (), "reasons": ("it is a test",), "pages": pages, **more}
    return fabricate.document(b"a stack").model_copy(update=values)


def doubtful(*pages: int) -> Document:
    finding = Finding(rule="P6", severity=Severity.BLOCK, message="uncertain", page=pages[0])
    return drawn(*pages, findings=(finding,), cut_confidence=0.6, cut_page=2)


def cut_again(recut: Recut, pages: tuple[Page, ...]) -> Iterator[Document]:
    left = [page for page in pages if recut.is_open(page.part, page.number)]
    said = recut.cuts.of_part(None)
    for segment in split_as(left, SCHEMAS, said, apart=recut.has_documents):
        yield drawn(*segment.pages, type=segment.type, set_aside=segment.set_aside)


@pytest.fixture
def four(tmp_path: Path) -> Iterator[Packet]:
    packet = Packet(tmp_path, 4)
    yield packet
    packet.store.close()


def test_a_wrong_cut_is_asked_and_the_answer_makes_other_documents(four: Packet) -> None:
    four.work(drawn(1, 2, 3, 4))
    (whole,) = four.ids()
    assert four.place(whole).queue == "referral"
    wrong = four.answer(whole, Outcome.WRONG_CUT)
    assert four.store.take_answer(wrong, cut=True) is Outcome.WRONG_CUT
    place = four.place(whole)
    assert (place.queue, place.state, place.round) == ("splitting", ReviewState.TO_SEND, 2)
    assert four.cut(whole, "r", "g", "p", "x") is Outcome.RECUT
    assert four.rows() == [(State.RECEIVED, (1, 2, 3, 4), REFERRAL)]
    assert four.work_as_cut()
    assert four.rows() == [
        (State.REVIEW, (1, 2), REFERRAL),
        (State.REVIEW, (3,), REQUEST),
    ]
    assert four.ids()[0] == whole, "the first goes on as the one that was cut"
    assert [four.place(each).queue for each in four.ids()] == ["referral", "prior_auth_request"]
    (event,) = [e for e in four.store.events(whole) if e.action == "review_recut"]
    assert event.actor == "reviewer:Dana Whitlock"
    assert (event.detail["documents"], event.detail["left_out"]) == (2, 1)
    assert four.store.verify_events() is None


def test_a_doubtful_cut_is_asked_once_for_the_packet_before_its_fields(four: Packet) -> None:
    four.work(doubtful(1), doubtful(2, 3, 4))
    first, second = four.ids()
    assert (four.place(first).queue, four.place(first).state) == ("splitting", ReviewState.TO_SEND)
    assert (four.place(second).cut, four.place(second).state) == (True, ReviewState.ASIDE)
    four.cut(first, "r", "r", "g", "g")
    four.work_as_cut()
    assert [four.place(each).queue for each in four.ids()] == ["referral", "referral"]
    assert four.store.review_counts()[ReviewState.ASIDE] == 0


def test_another_document_asks_when_the_one_that_did_has_left(four: Packet) -> None:
    four.work(doubtful(1, 2), doubtful(3, 4))
    first, second = four.ids()
    assert four.place(second).state is ReviewState.ASIDE
    four.store.requeue(first, actor="user:ada")
    assert four.place(second).state is ReviewState.TO_SEND
    assert four.place(second).queue == "splitting"


def test_what_has_left_stays_as_it_is_and_is_counted(four: Packet) -> None:
    four.work(drawn(1, 2, decision=Decision.AUTO, reasons=()), doubtful(3, 4))
    sent, open_ = four.ids()
    four.place(open_)
    assert four.cut(open_, "r", "r", "g", "p") is Outcome.RECUT
    job = four.job()
    assert job.recut is not None
    assert [each.pages for each in job.recut.kept] == [(1, 2)]
    assert four.work_as_cut(job)
    assert four.rows() == [
        (State.AUTO, (1, 2), REFERRAL),
        (State.REVIEW, (3,), REFERRAL),
        (State.REVIEW, (4,), REQUEST),
    ]
    assert four.ids()[0] == sent
    (event,) = [e for e in four.store.events(open_) if e.action == "review_recut"]
    assert (event.detail["taken_before"], event.detail["taken_otherwise"]) == (1, 1)


def test_a_document_that_is_as_it_should_be_is_not_worked_again(four: Packet) -> None:
    four.work(drawn(1, 2), doubtful(3, 4))
    right, _ = four.ids()
    seen = four.place(right).round
    before = four.store.decisions(right)
    four.cut(four.ids()[1], "r", "g", "p", "g")
    four.work_as_cut()
    assert four.rows()[0] == (State.REVIEW, (1, 2), REFERRAL)
    assert four.store.decisions(right) == before
    assert four.place(right).round == seen


def test_two_that_are_one_leave_one_that_can_not_be_delivered_again(four: Packet) -> None:
    four.work(doubtful(1, 2), doubtful(3, 4))
    first, second = four.ids()
    four.place(first)
    four.cut(first, "r", "g", "g", "g")
    four.work_as_cut()
    assert four.rows() == [
        (State.REVIEW, (1, 2, 3, 4), REFERRAL),
        (State.QUARANTINED, (), REFERRAL),
    ]
    four.store.release(second, actor="user:ada")
    assert four.rows()[1][0] is State.RECEIVED, "it has no pages of its own to be shown"
    four.work_as_cut()
    assert four.rows()[1] == (State.QUARANTINED, (), REFERRAL)


def test_the_cuts_outlive_a_kill_and_a_requeue(four: Packet) -> None:
    four.work(drawn(1, 2, 3, 4))
    (whole,) = four.ids()
    four.store.take_answer(four.answer(whole, Outcome.WRONG_CUT), cut=True)
    assert four.cut(whole, "r", "g", "p", "g", key="one") is Outcome.RECUT
    # The process ends here, and again in the middle of the work.
    again = four.answer(whole, Outcome.RECUT, key="one")
    assert four.store.take_cut(again, four.cuts("r"), whole=True) is Outcome.RECUT
    assert len(four.store.cuts()) == 1
    lost = four.job()
    four.store.reconcile(lambda _: ())
    assert not four.work_as_cut(lost)
    assert four.work_as_cut()
    cut = [(State.REVIEW, (1, 2), REFERRAL), (State.REVIEW, (3, 4), REQUEST)]
    assert four.rows() == cut
    four.store.requeue(four.ids()[1], actor="user:ada")
    assert four.work_as_cut()
    assert four.rows() == cut


def test_who_is_at_work_on_the_packet_is_too_late(four: Packet) -> None:
    four.work(doubtful(1, 2), doubtful(3, 4))
    first, second = four.ids()
    four.place(first)
    four.store.requeue(second, actor="user:ada")
    running = four.job()
    four.cut(first, "r", "r", "g", "g")
    assert not four.store.finish_processing(
        running, Results((doubtful(1, 2), doubtful(3, 4)), four.pages)
    )
    assert four.work_as_cut()
    assert [pages for _, pages, _ in four.rows()] == [(1,), (2, 3, 4)]


def test_all_left_out_is_one_document_that_a_person_sees(four: Packet) -> None:
    four.work(drawn(1, 2, 3, 4))
    (whole,) = four.ids()
    four.store.take_answer(four.answer(whole, Outcome.WRONG_CUT), cut=True)
    four.cut(whole, "x", "x", "x", "x")
    four.work_as_cut()
    assert four.rows() == [(State.REVIEW, (1, 2, 3, 4), DocumentType.OTHER)]


def test_what_was_not_understood_is_shown_again_and_nothing_is_worked_by_it(four: Packet) -> None:
    four.work(doubtful(1, 2, 3, 4))
    (whole,) = four.ids()
    answer = four.answer(whole, Outcome.CUT_UNCLEAR)
    outcome = four.store.take_cut(answer, four.cuts("r", "g", "g", "x"), whole=False)
    assert outcome is Outcome.CUT_UNCLEAR
    place = four.place(whole)
    assert (place.state, place.round, place.came_back) == (ReviewState.TO_SEND, 2, True)
    assert four.rows() == [(State.REVIEW, (1, 2, 3, 4), REFERRAL)]
    said = four.store.packet(whole).said
    assert said is not None
    assert [each.says for each in said.pages] == ["starts", "goes_on", "goes_on", "left_out"]
    assert list(four.store.given_cuts()) == []


def test_an_answer_to_an_earlier_round_is_late(four: Packet) -> None:
    four.work(doubtful(1, 2, 3, 4))
    (whole,) = four.ids()
    early = four.answer(whole, Outcome.RECUT)
    assert four.cut(whole, "r", "r", "g", "g") is Outcome.RECUT
    assert four.store.take_cut(early, four.cuts("r"), whole=True) is Outcome.LATE


def test_a_packet_cut_by_hand_is_in_the_data_set(four: Packet, tmp_path: Path) -> None:
    four.work(doubtful(1, 2, 3, 4))
    (whole,) = four.ids()
    shown = four.store.packet(whole)
    four.place(whole)
    said = {"r": "starts", "g": "goes_on", "x": "left_out"}
    cuts = GivenCuts.model_validate(
        {
            "schema": "idp.cuts/1",
            "arrival_id": shown.arrival_id,
            "sha256": shown.sha256,
            "pages": [
                PageCut(number=p.number, says=says, type=None, page_sha256=p.page_sha256)
                for p, says in zip(shown.pages, map(said.get, "rgrx"), strict=True)
            ],
        }
    )
    four.store.take_cut(four.answer(whole, Outcome.RECUT), cuts, whole=True)

    def made(name: str) -> dict[str, Any]:
        store = four.store
        return make_dataset(
            store.corrected_documents(),
            tmp_path / name,
            tmp_path / "models",
            0.0,
            cuts=store.cut_packets(),
        )

    manifest = made("one")
    assert manifest == made("two"), "the same cuts give the same bytes"
    (packet,) = manifest["packets"]
    assert (packet["pages"], packet["documents"], packet["share"]) == (4, 2, "train")
    assert packet["original_sha256"] == shown.sha256
    assert "Whitlock" not in json.dumps(manifest)
    truth = json.loads((tmp_path / "one/train/cuts" / f"{packet['name']}.json").read_text())
    assert [each["says"] for each in truth["pages"]] == [
        "starts",
        "goes_on",
        "starts",
        "left_out",
    ]
    pages = json.loads((tmp_path / "one/train/cuts/pages" / f"{packet['name']}.json").read_text())
    assert [each["number"] for each in pages] == [1, 2, 3, 4]
    assert four.store.taught() == 1

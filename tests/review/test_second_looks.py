# SPDX-License-Identifier: Apache-2.0
"""Two people and a lead at a real Label Studio, each through the gate; and a blind check."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from idp.desk import ReviewDesk
from idp.document import Document, DocumentType
from idp.gate import Listener, Upstream, create_gate, hashed
from idp.judge import Judge
from idp.review.answers import answers_of
from idp.review.client import Client
from idp.review.provisioning import Provisioned
from idp.review.screens import screen_of
from idp.review.tasks import task_of
from idp.reviewing import Look, Outcome, Touched, lead_queue
from idp.reviews import Known
from idp.settings import Settings
from idp.store import Role, State
from tests.review import chromium
from tests.review.conftest import Running
from tests.review.office import GOOD_NPI, Office

PASSWORD = "seven wet umbrellas"
NAME, NPI = "patient_name", "referring_provider_npi"
REFERRAL = "referral"


class House(Office):
    """An office with a gate, reviewers and leads, in which two people look at each referral."""

    def __init__(self, data: Path, running: Running, **review: Any) -> None:
        self._place = running.place
        super().__init__(data, lambda: running.place.url, running.place.token, real_screen=True)
        self.settings = Settings.model_validate({"data": data, "review": review})
        self.desk = ReviewDesk(
            self.settings,
            self.store,
            self.schemas,
            Judge(self.settings, self.schemas),
            task_of=task_of,
            answers_of=answers_of,
            read_as=lambda document, pages: document,
        )
        screen = screen_of(self.schemas[DocumentType.REFERRAL])
        self.projects[lead_queue(REFERRAL)] = self.new_project("Referral: two differ", screen)
        known = Provisioned(url=running.place.url, projects=self.projects)
        self.settings.review_folder.mkdir(parents=True, exist_ok=True)
        (self.settings.review_folder / "projects.json").write_text(known.model_dump_json())
        self.sampled = False
        for name, role in (
            ("ann", Role.REVIEWER),
            ("bob", Role.REVIEWER),
            ("cat", Role.REVIEWER),
            ("lea", Role.LEAD),
        ):
            secret = hashed(PASSWORD, name=name, fewest=12)
            self.store.add_person(name, role, secret, actor="test")
        self.gate = ""

    @property
    def leads(self) -> int:
        return self.projects[lead_queue(REFERRAL)]

    def client(self) -> Client:
        return Known(self.store, self._place.url, self._place.token, seconds=30)

    def draft(self, content: bytes, npi: str, **more: Any) -> Document:
        if self.sampled:
            more |= {"sampled": True, "reasons": ("a sample",), "reason_codes": ("quality_sample",)}
        return super().draft(content, npi, missing=(), **more)

    def come_in(self, name: str) -> httpx.Client:
        client = httpx.Client(
            base_url=self.gate, timeout=60, trust_env=False, headers={"Origin": self.gate}
        )
        answer = client.post("/gate/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303
        return client

    def next_task(self, client: httpx.Client, project: int) -> httpx.Response:
        return client.post(f"/api/dm/actions?id=next_task&project={project}", json={})


@contextmanager
def opened(data: Path, running: Running, **review: Any) -> Iterator[House]:
    house = House(data, running, **review)
    app = create_gate(
        house.settings,
        house.store,
        lambda: Upstream(running.place.url, running.place.token),
        "secret",
        lambda: None,
    )
    with Listener(app, host="127.0.0.1", port=0, name="gate", option="") as gate:
        house.gate = gate.address.rstrip("/")
        yield house
    house.store.close()


def answered(task: dict[str, Any], **values: str) -> dict[str, Any]:
    """What the browser sends: the values that were shown, with some written anew."""
    (prediction,) = task["predictions"]
    result = [item for item in prediction["result"] if item["type"] == "textarea"]
    for name, text in values.items():
        result = [item for item in result if item["from_name"] != f"v_{name}"]
        result.append(
            {
                "id": f"v_{name}",
                "from_name": f"v_{name}",
                "to_name": "page",
                "type": "textarea",
                "value": {"text": [text]},
            }
        )
    return {"result": result, "lead_time": 12.5}


def test_two_differ_and_a_lead_decides_each_through_the_gate(
    label_studio: Running, tmp_path: Path
) -> None:
    with opened(tmp_path / "data", label_studio, four_eyes={REFERRAL: 1}) as house:
        (document_id,) = house.waiting()
        house.settle()
        ann, bob, cat, lea = (house.come_in(name) for name in ("ann", "bob", "cat", "lea"))

        first = house.next_task(ann, house.project).json()
        sent = ann.post(
            f"/api/tasks/{first['id']}/annotations", json=answered(first, **{NAME: "Zoe One"})
        )
        assert sent.status_code == 201
        house.settle()
        assert house.store.reviews_of([document_id])[document_id].look is Look.SECOND
        second = house.store.reviews_of([document_id])[document_id].task_id
        assert second is not None

        # Who looked first is not handed it again, gets no page of it by its number, and can't
        # answer it; another document is there for her as ever.
        assert house.next_task(ann, house.project).status_code == 404
        shown = ann.get(f"/api/tasks/{second}")
        assert shown.status_code in {403, 404}
        assert "Example" not in shown.text
        again = ann.post(f"/api/tasks/{second}/annotations", json=answered(first))
        assert again.status_code == 403
        (other,) = house.waiting()
        house.settle()
        handed = house.next_task(ann, house.project).json()
        assert handed["data"]["document_id"] == other
        # Nor by asking for it in other words.
        sly = f"/api/dm/actions?id=next_task&project={house.project}"
        for more in ("&query=%7B%7D", "&view=1"):
            told = ann.post(sly + more, json={"selectedItems": {"all": True, "excluded": []}})
            assert told.status_code in {403, 404} or (
                told.json()["data"]["document_id"] == other
            ), told.text

        # The second person sees the reading, nothing of the first, and not that it is a second.
        theirs = house.next_task(bob, house.project)
        assert "Zoe One" not in theirs.text
        task = theirs.json()
        assert '"ann"' not in json.dumps([task["data"], task["predictions"]])
        assert task["data"]["document_id"] == document_id
        bob.post(f"/api/tasks/{task['id']}/annotations", json=answered(task, **{NAME: "Zoe Two"}))
        house.settle()
        row = house.store.reviews_of([document_id])[document_id]
        assert (row.look, row.project) == (Look.LEAD, house.leads)

        # What leads decide on is closed to everybody else, whoever looked or not.
        for person in (ann, bob, cat):
            assert house.next_task(person, house.leads).status_code == 403
            for path in (
                f"/projects/{house.leads}/data?labeling=1",
                f"/api/projects/{house.leads}",
                f"/api/dm/project?project={house.leads}",
                f"/api/projects/{house.leads}/label-stream-history",
            ):
                assert person.get(path).status_code == 403, path
            assert person.get(f"/api/tasks/{row.task_id}").status_code == 403
            assert "two differ" not in person.get("/gate/").text
        assert "two differ" in lea.get("/gate/").text

        _decided_in_a_browser(house, "Zoe Three")
        house.settle()
        assert house.state(document_id) is State.CORRECTED
        document = house.store.document(document_id)
        assert document is not None
        name = document.field(NAME)
        assert name is not None
        assert name.value == "Zoe Three"
        assert len(house.store.show(document_id).deliveries) == 1
        (look,) = house.store.second_looks()
        assert (look.first_by, look.second_by, look.decided_by) == ("ann", "bob", "lea")
        assert look.fields[NAME] is Touched.DIFFERENT
        outcomes = [each.outcome for each in house.store.review_answers(document_id)]
        assert outcomes == [Outcome.FIRST_LOOK, Outcome.DISAGREED, Outcome.APPLIED]
        assert house.store.verify_events() is None


def test_a_blind_check_shows_nothing_that_was_read_and_is_counted(
    label_studio: Running, tmp_path: Path
) -> None:
    with opened(tmp_path / "data", label_studio) as house, chromium.browser() as browser:
        house.sampled = True
        (document_id,) = house.waiting()
        house.settle()
        read = house.store.document(document_id)
        assert read is not None
        cat = chromium.Reviewer(browser, house.gate)
        answers: list[Any] = []
        cat.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - no builtin
        cat.come_in("cat", PASSWORD)
        cat.open_queue(house.project)
        everything = "\n".join([*map(_text, answers), cat.page.content()])
        assert document_id in everything
        for each in read.fields:
            assert each.value
            assert each.value not in everything
        values = cat.page.eval_on_selector_all(
            "[id^=f-] input:not([type=radio]):not([type=checkbox]), [id^=f-] textarea",
            "all => all.map(one => one.value)",
        )
        assert len(values) > 20
        assert set(values) == {""}
        cat.shot("blind")
        # By the pointer, as people come there: until then the cursor is put to the first field.
        for name, text in ((NAME, "Somebody Else"), (NPI, GOOD_NPI)):
            _input(cat, name).click()
            _input(cat, name).fill(text)
        cat.submit()
        # Label Studio's own counts, by which answers are found, follow a moment later.
        until = time.monotonic() + 60
        house.settle()
        while not house.store.quality()[-1].checked and time.monotonic() < until:
            time.sleep(0.5)
            house.settle()
        row = house.store.quality()[-1]
        told = [each.outcome for each in house.store.review_answers(document_id)]
        assert (row.sampled, row.checked, row.documents_wrong) == (1, 1, 1), told
        assert (row.values, row.values_wrong) == (2, 1)
        after = house.store.document(document_id)
        assert after is not None
        assert {each.name: each.value for each in after.fields} == {
            NAME: "Somebody Else",
            NPI: GOOD_NPI,
        }


def _decided_in_a_browser(house: House, name: str) -> None:
    """A lead opens the queue of disagreements, sees both answers, and writes what is right."""
    with chromium.browser() as browser:
        lea = chromium.Reviewer(browser, house.gate)
        lea.come_in("lea", PASSWORD)
        lea.open_queue(house.leads)
        said = lea.page.locator(f"#f-{NAME}").inner_text()
        for each in ("Two people differ", "Zoe One", "Zoe Two"):
            assert each in said
        # Whose is whose is told nowhere.
        whole = lea.page.inner_text("body").split()
        assert "ann" not in whole
        assert "bob" not in whole
        lea.shot("two_differ")
        _input(lea, NAME).click()
        _input(lea, NAME).fill(name)
        lea.submit()


def _input(person: chromium.Reviewer, name: str) -> Any:
    return person.page.locator(f"#f-{name}").locator("input, textarea").first


def _text(answer: Any) -> str:
    """The text of an answer of the interface; scripts and pictures say nothing of a document."""
    if "/api/" not in answer.url:
        return ""
    try:
        return json.dumps(answer.json())
    except Exception:  # an answer without a body
        return ""

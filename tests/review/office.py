# SPDX-License-Identifier: Apache-2.0
"""A store, a desk and a queue over a real Label Studio, with a small screen of two fields."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from idp.clocks import load_clockwork
from idp.cut_desk import CutDesk
from idp.deliver import Outbox
from idp.desk import ReadAs, ReviewDesk
from idp.document import Document, DocumentType, Field, Page
from idp.errors import ReviewError
from idp.judge import Judge
from idp.review.answers import answers_of as real_answers_of
from idp.review.client import Client
from idp.review.pages import PageFolder, links_of
from idp.review.screens import screen_of
from idp.review.splitting import cut_of, splitting_screen, splitting_task
from idp.review.sync import Sync
from idp.review.tasks import task_of as real_task_of
from idp.reviewing import SPLITTING
from idp.schemas import load_schemas
from idp.settings import Settings
from idp.signals import Answer, Correction
from idp.slices import ReviewSettings
from idp.store import DeliverJob, Results, State, Store, new_id
from tests import fabricate

FIELDS = ("patient_name", "referring_provider_npi")
GOOD_NPI, BAD_NPI = "1234567893", "1234567890"
"""With the check digit right, and wrong (rule N1)."""

SCREEN = (
    '<View><Image name="page" valueList="$pages"/>'
    + "".join(f'<TextArea name="v_{name}" toName="page"/>' for name in FIELDS)
    + '<Choices name="type" toName="page"><Choice value="referral"/>'
    '<Choice value="prior_auth_request"/></Choices>'
    '<Choices name="cut" toName="page"><Choice value="several"/></Choices></View>'
)


@dataclass(frozen=True)
class Said:
    """What the small screen's annotation says."""

    corrections: tuple[Correction, ...] = ()
    complete: bool = True
    type: str | None = None
    cut: str | None = None
    note: str = ""
    outcome: str = "done"
    seconds: float | None = None
    claims: None = None
    problems: tuple[str, ...] = ()


def value(name: str, text: str) -> dict[str, Any]:
    """One result item of the small screen."""
    return {
        "id": f"v_{name}",
        "from_name": f"v_{name}",
        "to_name": "page",
        "type": "textarea",
        "value": {"text": [text]},
    }


def choice(name: str, text: str) -> dict[str, Any]:
    """A choice on it."""
    return {
        "id": name,
        "from_name": name,
        "to_name": "page",
        "type": "choices",
        "value": {"choices": [text]},
    }


def task_of(
    document: Document,
    pages: Sequence[Page],
    schema: object,
    *,
    page_urls: Sequence[str],
    queue_title: str,
) -> dict[str, Any]:
    """The document as a task of the small screen."""
    values = [value(each.name, each.value or "") for each in document.fields]
    return {
        "data": {"pages": list(page_urls), "reasons": list(document.reasons)},
        "predictions": [{"model_version": "idp", "score": 0.5, "result": values}],
    }


def answers_of(
    annotation: Mapping[str, Any], document: Document, pages: Sequence[Page], schema: object
) -> Said:
    """What was submitted on it."""
    found = {item["from_name"]: item["value"] for item in annotation["result"]}
    corrections = []
    for name in FIELDS:
        known = document.field(name)
        before = known.value if known is not None else None
        after = found.get(f"v_{name}", {}).get("text", [before])[0]
        if after:
            corrections.append(Correction(name=name, before=before, after=after))
        elif before:
            corrections.append(Correction(name=name, before=before, answer=Answer.NOT_ON_FORM))
    return Said(
        corrections=tuple(corrections),
        type=found.get("type", {}).get("choices", [None])[0],
        cut=found.get("cut", {}).get("choices", [None])[0],
    )


def authorization(url: str, token: str) -> str:
    """The header for a token of either kind."""
    if token.count(".") != 2:
        return f"Token {token}"
    answer = httpx.post(f"{url}/api/token/refresh/", json={"refresh": token}, trust_env=False)
    return f"Bearer {answer.raise_for_status().json()['access']}"


class Office:
    """Everything between a document in review and its task."""

    def __init__(
        self,
        data: Path,
        url: Callable[[], str],
        token: str,
        *,
        batch: int = 50,
        real_screen: bool = False,
        retain_days: float = 0,
        read_as: ReadAs | None = None,
        review: ReviewSettings | None = None,
    ) -> None:
        self.settings = Settings(data=data, review=review or ReviewSettings())
        data.mkdir(parents=True, exist_ok=True)
        steps = load_clockwork(None).steps
        self.store = Store(self.settings.resolved_database_url, data / "store", steps=steps)
        self.store.migrate()
        self.schemas = load_schemas(None)
        self.desk = ReviewDesk(
            self.settings,
            self.store,
            self.schemas,
            Judge(self.settings, self.schemas),
            task_of=real_task_of if real_screen else task_of,
            answers_of=real_answers_of if real_screen else answers_of,
            read_as=read_as or (lambda document, _: document.model_copy(update={"fields": ()})),
            cuts=CutDesk(
                self.store,
                self.schemas,
                PageFolder(
                    self.settings.review_folder,
                    links_of(self.settings.review, self.settings.review_folder),
                ),
                task_of=splitting_task,
                cut_of=cut_of,
            ),
        )
        self._url, self._token = url, token
        self.batch = batch
        self.kept_for = dt.timedelta(days=retain_days)
        self.outbox = Outbox(self.settings.outbox_folder)
        screen = screen_of(self.schemas[DocumentType.REFERRAL]) if real_screen else SCREEN
        self.projects = {
            "referral": self.new_project("Referral", screen),
            SPLITTING: self.new_project("Where do documents begin?", splitting_screen().config),
        }
        folder = self.settings.review_folder
        self.pages = PageFolder(folder, links_of(self.settings.review, folder))
        self._made = 0

    @property
    def project(self) -> int:
        return self.projects["referral"]

    def client(self) -> Client:
        return Client(self._url(), self._token, seconds=30)

    def http(self) -> httpx.Client:
        """As a reviewer's browser asks."""
        return httpx.Client(
            base_url=self._url(),
            headers={"Authorization": authorization(self._url(), self._token)},
            timeout=30,
            trust_env=False,
        )

    def new_project(self, title: str, screen: str) -> int:
        with self.http() as http:
            made = http.post("/api/projects/", json={"title": title, "label_config": screen})
            return int(made.raise_for_status().json()["id"])

    @contextlib.contextmanager
    def sync(self) -> Iterator[Sync]:
        sync = Sync(
            self.store,
            self.desk,
            self.client(),
            self.projects,
            self.pages,
            batch=self.batch,
            kept_for=self.kept_for,
        )
        try:
            yield sync
        finally:
            sync.close()

    def settle(self, seconds: float = 120, until: Callable[[], bool] = lambda: True) -> None:
        """Rounds until one does nothing, through any outage."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(ReviewError), self.sync() as sync:
                while sync.step():
                    pass
                if until():
                    return
            time.sleep(0.2)
        raise AssertionError("the queue did not settle")

    def waiting(self, number: int = 1, npi: str = GOOD_NPI) -> list[str]:
        """So many documents in review, each with a page; their ids."""
        ids: list[str] = []
        image = fabricate.page_image(self.settings.data / "page.png")
        for _ in range(number):
            self._made += 1
            ids.append(self.put(f"file {self._made}".encode(), image, npi))
        return ids

    def put(self, content: bytes, image: Path, npi: str) -> str:
        store, now = self.store, dt.datetime.now(dt.UTC)
        jobs: list[tuple[str, str]] = []
        arrival = store.record_arrival(
            new_id(now),
            channel="fax",
            name="fax.tif",
            kept=store.content.put_bytes(content),
            received_at=now,
            priority=5,
            enqueue=lambda _, queue, target, job, __: jobs.append((target, job)),
        )
        job = store.begin_processing(*jobs[0], 3)
        assert job is not None
        results = Results((self.draft(content, npi),), (fabricate.page(image=image),))
        assert store.finish_processing(job, results)
        (found,) = [row for row in store.recent(1) if row.arrival_id == arrival.id]
        return found.id

    def draft(self, content: bytes, npi: str, **more: Any) -> Document:
        return fabricate.document(content, **more).model_copy(
            update={
                "findings": (),
                "fields": (
                    fabricate.field("patient_name", f"Zoe Example {self._made}"),
                    _npi(npi),
                ),
            }
        )

    def tasks(self) -> dict[str, list[int]]:
        """The live tasks of each document, in all projects."""
        found: dict[str, list[int]] = {}
        with self.client() as client:
            for project in set(self.projects.values()):
                for task in client.tasks(project):
                    found.setdefault(str(task.document_id), []).append(task.id)
        return found

    def shown(self, document_id: str) -> dict[str, Any]:
        """The task of a document as Label Studio has it, with its predictions."""
        (task,) = self.tasks()[document_id]
        with self.http() as http:
            found: dict[str, Any] = http.get(f"/api/tasks/{task}/").raise_for_status().json()
        return found

    def submit(self, document_id: str, *items: dict[str, Any], skip: bool = False) -> int:
        """A person submits (or skips) the task of a document; the annotation's number."""
        (task,) = self.tasks()[document_id]
        return self.annotate(task, *items, skip=skip)

    def annotate(self, task: int, *items: dict[str, Any], skip: bool = False) -> int:
        body = {"result": list(items), "lead_time": 4.5, "was_cancelled": skip}
        with self.http() as http:
            made = http.post(f"/api/tasks/{task}/annotations/", json=body)
            return int(made.raise_for_status().json()["id"])

    def mend(self, annotation: int, *items: dict[str, Any]) -> None:
        """Who submitted it opens it again and submits something else."""
        with self.http() as http:
            body = {"result": list(items)}
            http.patch(f"/api/annotations/{annotation}/", json=body).raise_for_status()

    def begin_deliveries(self) -> list[DeliverJob]:
        """What is due goes to work."""
        jobs: list[tuple[str, str]] = []
        self.store.start_due(lambda _, __, target, job, ___: jobs.append((target, job)))
        begun = (self.store.begin_delivery(target, job, 3) for target, job in jobs)
        return [each for each in begun if each is not None]

    def deliver(self) -> list[str]:
        """What is due is delivered to a real outbox; the names of the folders there."""
        names = []
        for job in self.begin_deliveries():
            document = self.store.document(job.document_id)
            assert document is not None
            content = self.store.content
            images = {number: content.path(sha) for number, sha in job.image_sha256s.items()}
            original = content.path(job.original_sha256) if job.whole_file else None
            place = self.outbox.deliver(document, original, images, job.key)
            assert self.store.finish_delivery(job, str(place))
            names.append(place.name)
        return names

    def value(self, document_id: str, name: str) -> str | None:
        """A field of the result in force."""
        document = self.store.document(document_id)
        assert document is not None
        found = document.field(name)
        return None if found is None else found.value

    def state(self, document_id: str) -> State:
        return self.store.row(document_id).state

    def actions(self, document_id: str) -> list[str]:
        return [event.action for event in self.store.events(document_id)]


def _npi(text: str) -> Field:
    return fabricate.field("referring_provider_npi", text, 0.5)

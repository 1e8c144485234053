# SPDX-License-Identifier: Apache-2.0
"""A Label Studio with our own screens, behind the real gate, and people who may come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from idp.document import Document, DocumentType, Page
from idp.gate import Listener, Upstream, create_gate, hashed
from idp.review import Place, Screen, provision
from idp.review.answers import Answers, answers_of
from idp.review.screens import screen_of
from idp.review.tasks import task_of
from idp.schemas import DocumentSchema, load_schemas
from idp.settings import Settings
from idp.slices import ReviewSettings
from idp.store import Role, Store
from tests.fabricate import page, page_image

PASSWORD = "seven wet umbrellas"
PAGES = (page(1), page(2))
_BATCH = 100


class Front:
    """Projects with our screens, documents put into them, a gate before them."""

    def __init__(
        self,
        place: Place,
        folder: Path,
        projects: Mapping[DocumentType, int],
        url: str,
        store: Store,
    ) -> None:
        self.place = place
        self.folder = folder
        self.projects = projects
        self.url = url
        self.store = store
        self.schemas: Mapping[DocumentType, DocumentSchema] = load_schemas(None)

    def client(self) -> httpx.Client:
        """Label Studio's interface, as the appliance."""
        return httpx.Client(
            base_url=self.place.url,
            headers={"Authorization": f"Token {self.place.token}"},
            timeout=120,
            trust_env=False,
        )

    def put(
        self,
        *documents: Document,
        pages: Sequence[Page] = PAGES,
        projects: Mapping[DocumentType, int] | None = None,
    ) -> list[int]:
        """The numbers of the documents' tasks.

        Args:
            documents: As decided.
            pages: As read, of all of them.
            projects: Others than those of the screens.
        """
        found: list[int] = []
        by_type: dict[DocumentType, list[dict[str, Any]]] = {}
        order: list[tuple[DocumentType, int]] = []
        for document in documents:
            by_type.setdefault(document.type, []).append(self._task(document, pages))
            order.append((document.type, len(by_type[document.type]) - 1))
        numbers: dict[DocumentType, list[int]] = {}
        with self.client() as client:
            for kind, tasks in by_type.items():
                project = (projects or self.projects)[kind]
                for start in range(0, len(tasks), _BATCH):
                    answer = client.post(
                        f"/api/projects/{project}/import?return_task_ids=true",
                        json=tasks[start : start + _BATCH],
                    )
                    answer.raise_for_status()
                    numbers.setdefault(kind, []).extend(answer.json()["task_ids"])
        found.extend(numbers[kind][place] for kind, place in order)
        return found

    def answers(self, document: Document, task: int, pages: Sequence[Page] = PAGES) -> Answers:
        """What was submitted, as the appliance understands it."""
        with self.client() as client:
            (annotation,) = client.get(f"/api/tasks/{task}/annotations/").json()
        return answers_of(annotation, document, pages, self.schemas[document.type])

    def _task(self, document: Document, pages: Sequence[Page]) -> dict[str, Any]:
        image = self.folder / "page.png"
        if not image.exists():
            page_image(image, (1700, 2200))
        folder = self.folder / "pages" / document.document_id
        folder.mkdir(parents=True, exist_ok=True)
        urls = []
        for number in document.pages:
            target = folder / f"p{number}.png"
            if not target.exists():
                target.hardlink_to(image)
            urls.append(f"/data/local-files/?d=pages/{document.document_id}/p{number}.png")
        return task_of(
            document,
            pages,
            self.schemas[document.type],
            page_urls=urls,
            queue_title=self.schemas[document.type].title,
            zone=dt.UTC,
        )


@contextmanager
def opened(
    settings: ReviewSettings,
    place: Place,
    folder: Path,
    *,
    kinds: Sequence[DocumentType],
    screens: Mapping[DocumentType, str] | None = None,
    mark: str = "",
) -> Iterator[Front]:
    """Projects for these types, a gate, and the reviewers ``rita`` and the lead ``lea``.

    Args:
        settings: Of the Label Studio that runs.
        place: Where it is.
        folder: Its review folder.
        kinds: Types that get a project.
        screens: Other screens than those of the schemas.
        mark: A word that keeps these projects apart from others of the same Label Studio.
    """
    schemas = load_schemas(None)
    made = [
        Screen(
            f"{kind}{mark}",
            f"Review: {kind}",
            (screens or {}).get(kind) or screen_of(schemas[kind], schemas=schemas),
        )
        for kind in kinds
    ]
    done = provision(settings, folder, made)
    assert not done.problems, done.problems
    projects = {kind: done.provisioned.project(f"{kind}{mark}") for kind in kinds}
    data = folder.parent / f"front{mark}"
    ours = Settings.model_validate({"data": data})
    if not ours.review_folder.exists():
        data.mkdir(parents=True, exist_ok=True)
        ours.review_folder.symlink_to(folder, target_is_directory=True)
    store = Store(ours.resolved_database_url, data / "store")
    store.migrate()
    try:
        for name, role in (("rita", Role.REVIEWER), ("lea", Role.LEAD)):
            secret = hashed(PASSWORD, name=name, fewest=12)
            store.add_person(name, role, secret, actor="test")
        gate = create_gate(
            ours, store, lambda: Upstream(place.url, place.token), "secret", lambda: None
        )
        with Listener(gate, host="127.0.0.1", port=0, name="gate", option="") as listening:
            yield Front(place, folder, projects, listening.address.rstrip("/"), store)
    finally:
        store.close()

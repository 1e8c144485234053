# SPDX-License-Identifier: Apache-2.0
"""The running appliance's side of the review: the queue, kept in step by one thread.

It waits until Label Studio is there and set up, and goes on by itself after every outage.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from idp.cut_desk import CutDesk
from idp.desk import ReadAs, ReviewDesk
from idp.document import Document, Page
from idp.errors import ReviewError
from idp.judge import Judge, sample_key
from idp.review import place_of
from idp.review.answers import answers_of
from idp.review.client import Client
from idp.review.loop import ReviewLoop
from idp.review.pages import PageFolder, links_of
from idp.review.provisioning import provisioned
from idp.review.splitting import cut_of, splitting_task
from idp.review.sync import Step, Sync
from idp.review.tasks import task_of
from idp.schemas import load_schemas
from idp.settings import Settings
from idp.store import Store

HINT = "look"
"""A file in the review folder by which another process asks the running one to look at once."""


@runtime_checkable
class Reading(Protocol):
    """A pipeline that can read a document as of another type."""

    def read_as(self, document: Document, pages: Sequence[Page]) -> Document:
        """See :meth:`idp.pipeline.Pipeline.read_as`."""


@contextmanager
def reviewing(settings: Settings, store: Store, pipeline: object) -> Iterator[ReviewLoop | None]:
    """Keeps Label Studio in step while the appliance runs; ``None`` where there is none.

    Args:
        settings: All options.
        store: Where the documents are.
        pipeline: Reads a document as of another type, if it can.
    """
    if settings.review.label_studio == "none":
        yield None
        return
    read_as = pipeline.read_as if isinstance(pipeline, Reading) else not_read_here
    loop = ReviewLoop(
        Connector(settings, store, read_as),
        poll_seconds=settings.review.poll_seconds,
        hint_file=settings.review_folder / HINT,
    )
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


def ask_to_look(settings: Settings) -> None:
    """Ask the running appliance to look at once; from another process."""
    settings.review_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.review_folder / HINT).touch(mode=0o600)


def sync_once(settings: Settings, store: Store) -> Step:
    """One round and those that follow from it, while no appliance runs.

    Raises:
        ReviewError: Label Studio can't be reached or is not set up.
    """
    sync = Connector(settings, store, not_read_here)()
    total = Step()
    try:
        while step := sync.step():
            total = total.plus(step)
    finally:
        sync.close()
    return total


class Known(Client):
    """A client that knows our people: the record names who signed in at the gate."""

    def __init__(self, store: Store, url: str, token: str, *, seconds: float) -> None:
        super().__init__(url, token, seconds=seconds)
        self._store = store

    def person(self, number: int) -> str:
        """The sign-in name; of somebody who came in past the gate what Label Studio says."""
        found = self._store.person_of_label_studio(number)
        return super().person(number) if found is None else found.name


class Connector:
    """Makes the sync with the Label Studio of the settings, each time it is called."""

    def __init__(self, settings: Settings, store: Store, read_as: ReadAs) -> None:
        """Prepare; schemas and rules are loaded with the first connection."""
        self._settings = settings
        self._store = store
        self._read_as = read_as
        self._desk: ReviewDesk | None = None

    def __call__(self) -> Sync:
        """Connect; whether it answers shows in the first round.

        Raises:
            ReviewError: It was never started or is not set up.
        """
        review, folder = self._settings.review, self._settings.review_folder
        pages = PageFolder(folder, links_of(review, folder))
        kept_for = dt.timedelta(days=review.retain_days)
        # Before Label Studio is asked: what may not be seen any more goes also while it is away.
        pages.sweep(self._store.live_reviews(kept_for))
        place = place_of(review, folder)
        known = provisioned(folder)
        if known is None or known.url != place.url:
            raise ReviewError(
                "Label Studio is not set up yet", hint="`idp review setup` makes its projects."
            )
        if self._desk is None:
            self._desk = self._desk_of()
        return Sync(
            self._store,
            self._desk,
            Known(self._store, place.url, place.token, seconds=review.request_seconds),
            known.projects,
            pages,
            batch=review.batch,
            kept_for=kept_for,
        )

    def _desk_of(self) -> ReviewDesk:
        settings = self._settings
        schemas = load_schemas(settings.schemas_folder)
        judge = Judge(settings, schemas, sample_key=sample_key(settings.data, make=False))
        return ReviewDesk(
            settings,
            self._store,
            schemas,
            judge,
            task_of=task_of,
            answers_of=answers_of,
            read_as=self._read_as,
            cuts=CutDesk(
                self._store,
                schemas,
                PageFolder(
                    settings.review_folder,
                    links_of(settings.review, settings.review_folder),
                ),
                task_of=splitting_task,
                cut_of=cut_of,
            ),
        )


def not_read_here(document: Document, pages: Sequence[Page]) -> Document:
    """Where no models are loaded: an answer that names another type waits for `idp run`.

    Raises:
        ReviewError: Always.
    """
    raise ReviewError("another type is read by the running appliance; start `idp run`")

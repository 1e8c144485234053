# SPDX-License-Identifier: Apache-2.0
"""The verb that brings Label Studio and our tables in step."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict

from idp.cli.border import print_json, tables
from idp.cli.house import open_store
from idp.errors import AlreadyRunningError, ReviewError
from idp.installation import DataFolderLock
from idp.review.sync import Step
from idp.reviews import ask_to_look, sync_once
from idp.settings import load_settings


def sync_now(*, as_json: bool) -> None:
    """Do it here, or ask the appliance that runs.

    Raises:
        ReviewError: There is no Label Studio, or it can't be reached or is not set up.
    """
    settings = load_settings()
    if settings.review.label_studio == "none":
        raise ReviewError(
            "there is no Label Studio: review.label_studio is none",
            hint="Set review.label_studio to own or existing in idp.toml (docs/review.md).",
        )
    done: Step | None = None
    with closing(open_store(settings)) as store:
        try:
            # Two at a time would each look, find nothing, and send the same.
            with DataFolderLock(settings.data), store.exclusive():
                done = sync_once(settings, store)
        except AlreadyRunningError:
            ask_to_look(settings)
        counts = {str(state): number for state, number in store.review_counts().items()}
    if as_json:
        print_json({"schema": "idp.review_sync/1", "done": done and asdict(done), "now": counts})
        return
    if done is None:
        tables().print("idp run is at work: it looks within a second")
    else:
        tables().print(
            f"taken {done.taken}, removed {done.removed}, sent {done.sent}, mended {done.mended}"
        )
    tables().print(", ".join(f"{state} {number}" for state, number in counts.items()))

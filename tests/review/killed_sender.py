# SPDX-License-Identifier: Apache-2.0
"""Sends what waits, and dies between the import and the note of the tasks' numbers."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from idp.review.client import Client
from idp.review.sync import Sync
from tests.review import office


class Dying(office.Store):
    """A store whose process is killed before it can note what was sent."""

    def finish_sending(self, *_: object) -> None:
        """The end."""
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """``DATA URL TOKEN PROJECT``."""
    data, url, token, project = sys.argv[1:]
    settings = office.Settings(data=Path(data))
    store = Dying(settings.resolved_database_url, Path(data) / "store")
    schemas = office.load_schemas(None)
    desk = office.ReviewDesk(
        settings,
        store,
        schemas,
        office.Judge(settings, schemas),
        task_of=office.task_of,
        answers_of=office.answers_of,
        read_as=lambda document, pages: document,
    )
    pages = office.PageFolder(settings.review_folder)
    Sync(store, desk, Client(url, token), {"referral": int(project)}, pages).step()


if __name__ == "__main__":
    main()

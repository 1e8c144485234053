# SPDX-License-Identifier: Apache-2.0
"""The running appliance's side of reading back: what Odoo's people do, kept by one thread.

It waits until Odoo answers, and goes on by itself after every outage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.reading_back import ReadingBack, ReadingBackLoop
from idp.settings import Settings
from idp.store import Store


@contextmanager
def reading_work_back(settings: Settings, store: Store) -> Iterator[ReadingBackLoop | None]:
    """Reads work items back while the appliance runs; ``None`` where nothing goes to Odoo.

    Args:
        settings: All options.
        store: Where it is kept what was handed over, and what became of it.
    """
    odoo = settings.deliver.odoo
    if settings.deliver.to != "odoo" or not odoo.read_back_seconds:
        yield None
        return
    loop = ReadingBackLoop(lambda: reader_of(settings, store), poll_seconds=odoo.read_back_seconds)
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


def reader_of(settings: Settings, store: Store) -> ReadingBack:
    """A reader with a connection of its own.

    Raises:
        OdooError: The server can't be used.
    """
    odoo = connect(settings.deliver.odoo)
    return ReadingBack(odoo, store, bot=settings.deliver.odoo.user, close=odoo.close)

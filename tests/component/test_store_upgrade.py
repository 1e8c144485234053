# SPDX-License-Identifier: Apache-2.0
"""A database of an earlier version is brought up, and what it holds is still found."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from idp.document import Page
from idp.store import Store, database

pytestmark = pytest.mark.component


def test_pages_kept_before_files_had_parts_are_found_after_the_upgrade(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'idp.sqlite'}"
    store = Store(url, tmp_path / "store")
    page = Page(number=1, width_px=8, height_px=8, dpi=200)
    sha256 = store.content.put_bytes(page.model_dump_json().encode()).sha256
    engine = database.connect(url)
    config = Config()
    folder = Path(database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    with database.writing(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(
            sa.text(
                "INSERT INTO arrivals (id, channel, name, sha256, size_bytes, received_at, "
                "priority, job_number, attempts, failures) "
                "VALUES ('a', 'fax', 'a.tif', 'x', 1, :now, 5, 0, 0, 0)"
            ),
            {"now": now},
        )
        connection.execute(
            sa.text(
                "INSERT INTO documents (id, arrival_id, ordinal, state, changed_at, pages, "
                "missing, reasons) VALUES ('d', 'a', 1, 'review', :now, '[1]', 0, '[]')"
            ),
            {"now": now},
        )
        connection.execute(
            sa.text(
                "INSERT INTO pages (arrival_id, number, page_sha256, grade) "
                "VALUES ('a', 1, :sha256, 'good')"
            ),
            {"sha256": sha256},
        )
    store.migrate()
    assert store.pages("d") == (page,)
    row = store.row("d")
    assert (row.part, row.like_document) == (None, None)
    assert store.show("d").arrival.queue == "process"
    store.close()

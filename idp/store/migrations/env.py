# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: runs on the connection that :func:`idp.store.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from idp.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table="idp_version",
    # SQLite changes a table by making a new one.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

# SPDX-License-Identifier: Apache-2.0
"""Connections to SQLite or PostgreSQL with the guarantees that the store relies on.

SQLite: write-ahead log, every commit on the disk (``synchronous=FULL``), foreign keys, 30 s of
patience with another writer, and transactions that take the write lock when they begin, so that
what was read is still true when it is written. One machine, a local disk, never a network share.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from idp.errors import AccessError, SettingsError

BUSY_MS = 30_000
_WRITES = "idp_writes"
_MIGRATION_LOCK = 7236471


def connect(url: str) -> sa.Engine:
    """An engine for our tables; raises :class:`SettingsError` for a URL that is none.

    Transactions of :func:`writing` take SQLite's write lock at once, all others only read.
    """
    engine = _engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def set_up(connection: Any, _: object) -> None:
            # The driver's own transaction control is off; `begin` below does it.
            connection.isolation_level = None
            _pragmas(connection)

        @event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:
            writes = connection.get_execution_options().get(_WRITES, False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def connect_for_engine(url: str) -> sa.Engine:
    """An engine of its own for the durable-execution library, on the same database.

    The library expects the driver's transaction control in ``IMMEDIATE`` mode on SQLite.
    """
    engine = _engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def set_up(connection: Any, _: object) -> None:
            connection.isolation_level = "IMMEDIATE"
            _pragmas(connection)

    return engine


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine and pool for transactions that write."""
    return engine.execution_options(**{_WRITES: True})


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to this version; two processes at once wait for each other.

    Raises :class:`AccessError` when the database can't be reached or written, and
    :class:`SettingsError` when a newer version of the program has already changed it.
    """
    # Readers (`idp status`) never migrate, and Alembic takes a quarter of their start.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        if engine.dialect.name == "sqlite":
            _use_write_ahead_log(engine)
        with writing(engine).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(
                    sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        raise AccessError(
            f"database {engine.url.render_as_string(hide_password=True)}: {error.orig}"
        ) from error
    except CommandError as error:
        raise SettingsError(
            f"the database is of another version: {error}",
            hint="A newer idp has worked on it: run that one, or restore a backup.",
        ) from error


def _use_write_ahead_log(engine: sa.Engine) -> None:
    """Switch the mode, which is kept in the file, before anything is launched on it.

    It can't be changed inside a transaction.
    """
    try:
        with closing(engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise AccessError(f"database {engine.url.database}: {error}") from error


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise SettingsError(
                f"database_url: {parsed.drivername} is neither sqlite nor postgresql"
            )
        if parsed.get_backend_name() == "sqlite":
            return sa.create_engine(parsed, pool_size=5, max_overflow=20)
        return sa.create_engine(parsed, pool_size=5, max_overflow=20, pool_pre_ping=True)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise SettingsError(f"database_url: {error}") from error


def _pragmas(connection: Any) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()

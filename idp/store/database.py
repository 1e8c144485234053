# SPDX-License-Identifier: Apache-2.0
"""Connections to SQLite or PostgreSQL with the guarantees that the store relies on.

SQLite: write-ahead log, every commit on the disk (``synchronous=FULL``), foreign keys, 30 s of
patience with another writer, and transactions that take the write lock when they begin, so that
what was read is still true when it is written. One machine, a local disk, never a network share.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from idp.errors import SettingsError

BUSY_MS = 30_000
_WRITES = "idp_writes"


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
    """Bring the tables to this version; two processes at once wait for each other."""
    # Readers (`idp status`) never migrate, and Alembic takes a quarter of their start.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    if engine.dialect.name == "sqlite":
        # The mode is kept in the file. It can't be changed inside a transaction, and a fresh
        # file is switched here, before anything is launched on it.
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            raw.close()
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7236471)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


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

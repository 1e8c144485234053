# SPDX-License-Identifier: Apache-2.0
"""What belongs to an installation: its folder's lock, its name, and which faults are its own."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from idp.errors import (
    AccessError,
    AlreadyRunningError,
    MissingDependencyError,
    ModelError,
    OdooError,
    OdooRefusedError,
    ScannerDownError,
    SchemaError,
    SettingsError,
)

_HOUSE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE}
)
_HOUSE_ERRORS = (
    AccessError,
    MissingDependencyError,
    ModelError,
    ScannerDownError,
    SchemaError,
    SettingsError,
    sa.exc.OperationalError,
)


def is_house_fault(error: BaseException) -> bool:
    """Whether an error is the installation's (disk, database, models), not the document's.

    Such an attempt does not count: no document is quarantined because the disk was full.
    """
    if isinstance(error, OdooError):
        # Out of reach, rights, a place that is not there: only what was refused is about the one
        # document.
        return not isinstance(error, OdooRefusedError)
    if isinstance(error, OSError):
        return error.errno in _HOUSE_ERRNOS
    return isinstance(error, _HOUSE_ERRORS)


class DataFolderLock:
    """Keeps a second process off the data folder; the kernel lets go when this one dies."""

    def __init__(self, data: Path) -> None:
        self._path = data / "idp.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            # A record lock: unlike flock it does not pass to child processes, so a child that
            # outlives a killed appliance can't keep the next one from starting.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise AlreadyRunningError(
                f"process {holder or 'unknown'} works on {self._path.parent}"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def executor_id(data: Path) -> str:
    """The installation's own name, drawn once and kept in the data folder."""
    path = data / "executor"
    with contextlib.suppress(FileNotFoundError):
        if known := path.read_text(encoding="ascii").strip():
            return known
    drawn = f"idp-{uuid.uuid4().hex}"
    half = path.with_suffix(".tmp")
    half.write_text(drawn, encoding="ascii")
    half.replace(path)
    return drawn
